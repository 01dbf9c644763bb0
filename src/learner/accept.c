/* learner/accept.c -- are these examples that can be learned, or asked about?
 *
 * All is looked at before anything is written: an entry that is in the journal is learned
 * whenever the file is opened. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

static pdr_rc accept_features(const pdr_learner *l, size_t i, const pdr_example *e, pdr_error *err)
{
    for (size_t k = 0; k < l->form.width; k++)
        if (!pdi_form_takes(l, e->x[k]))
            return pdi_fail(err, PDR_INPUT, "example %zu: feature %zu is not finite", i, k);
    return PDR_OK;
}

static bool accept_is_name(const char *name, size_t most)
{
    return name && *name && strlen(name) <= most;
}

static pdr_rc accept_id(size_t i, const char *id, pdr_error *err)
{
    return accept_is_name(id, PDI_ID_MAX)
               ? PDR_OK
               : pdi_fail(err, PDR_INPUT, "example %zu: an id has 1 to %d bytes", i, PDI_ID_MAX);
}

static pdr_rc accept_answer(const pdr_learner *l, size_t i, const pdr_example *e, pdr_error *err)
{
    if (l->form.targets && !e->target)
        return pdi_fail(err, PDR_INPUT, "example %zu: has no target", i);
    for (int32_t k = 0; k < l->form.targets; k++)
        if (!isfinite(e->target[k]))
            return pdi_fail(err, PDR_INPUT, "example %zu: target %d is not finite", i, k);
    if (!l->form.targets && !accept_is_name(e->label, PDI_NAME_MAX))
        return pdi_fail(err, PDR_INPUT, "example %zu: needs a label of 1 to 255 bytes", i);
    if (e->task && !accept_is_name(e->task, PDI_NAME_MAX))
        return pdi_fail(err, PDR_INPUT, "example %zu: a task's name has 1 to 255 bytes", i);
    return PDR_OK;
}

/* Is example i the first of those given whose class, or task, the learner does not know? */
static bool accept_is_new(const pdi_names *known, size_t i, const pdr_example e[], bool task)
{
    const char *name = task ? e[i].task : e[i].label;
    if (!name || pdi_names_find(known, name) >= 0) return false;
    for (size_t k = 0; k < i; k++) {
        const char *before = task ? e[k].task : e[k].label;
        if (before && !strcmp(before, name)) return false;
    }
    return true;
}

static pdr_rc accept_new(const pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err)
{
    const pdi_form *f = &l->form;
    const pdr_learner_options *o = &l->recipe.learner;
    int64_t classes = o->most_classes > f->outputs ? o->most_classes : f->outputs;
    int64_t tasks = o->most_tasks > f->task.most - 1 ? o->most_tasks : f->task.most - 1;
    int64_t room = classes - f->class.n, task_room = tasks - (f->task.n - 1);
    for (size_t i = 0; i < n; i++) {
        if (!f->targets && accept_is_new(&f->class, i, e, false) && room-- == 0)
            return pdi_fail(err, PDR_INPUT,
                            "class '%.80s': there may be %lld classes; is that a label? for more "
                            "make a learner with a larger learner.most_classes",
                            e[i].label, (long long)classes);
        if (accept_is_new(&f->task, i, e, true) && task_room-- == 0)
            return pdi_fail(err, PDR_INPUT,
                            "task '%.80s': there may be %lld tasks; for more make a learner with a "
                            "larger learner.most_tasks",
                            e[i].task, (long long)tasks);
    }
    return pdi_grow_check(l, classes - room, tasks + 1 - task_room, err);
}

/* An example without features is one that waits, and is not told twice. */
static pdr_rc accept_waits(pdr_learner *l, size_t i, const pdr_example *e, pdr_error *err)
{
    int32_t slot = e->id ? pdi_asked_find(&l->asked, e->id) : -1;
    bool waits = slot >= 0 && !l->asked.mark[slot];
    if (slot >= 0) l->asked.mark[slot] = true;
    if (e->x || waits) return PDR_OK;
    return e->id ? pdi_fail(err, PDR_INPUT,
                            "example %zu: id '%s' does not wait for a label: it was never asked, "
                            "has been learned, or %lld were asked after it (learner.asked)",
                            i, e->id, (long long)l->asked.most)
                 : pdi_fail(err, PDR_INPUT, "example %zu: has neither features nor an id", i);
}

pdr_rc pdi_accept_learn(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        rc = accept_answer(l, i, &e[i], err);
        if (!rc && e[i].x) rc = accept_features(l, i, &e[i], err);
        if (!rc && e[i].id) rc = accept_id(i, e[i].id, err);
        if (!rc) rc = accept_waits(l, i, &e[i], err);
    }
    if (l->asked.room) memset(l->asked.mark, 0, (size_t)l->asked.room * sizeof *l->asked.mark);
    return rc ? rc : accept_new(l, n, e, err);
}

pdr_rc pdi_accept_ask(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (n > (size_t)l->asked.most)
        return pdi_fail(err, PDR_INPUT,
                        "%zu examples asked by id at once; there is room for %lld (learner.asked)",
                        n, (long long)l->asked.most);
    for (size_t i = 0; !rc && i < n; i++) {
        int32_t task;
        rc = e[i].x ? accept_features(l, i, &e[i], err)
                    : pdi_fail(err, PDR_INPUT, "example %zu: has no features", i);
        if (!rc) rc = accept_id(i, e[i].id, err);
        if (!rc) rc = pdi_answer_task(l, e[i].task, &task, err);
    }
    return rc;
}
