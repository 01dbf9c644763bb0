/* learner/fit.c -- whether what a file holds makes a learner.
 *
 * Sums tell damage; they cannot tell a file whose contents somebody changed and summed anew.
 * Nothing in such a file may ask for memory that the file does not account for, or be an index
 * out of range. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner/learner.h"

/* Equal pieces are stored once, so a file may stand for more than it holds; not for any amount. */
enum { FIT_FREE = 1 << 26, FIT_ROOMS = 1 << 30, FIT_TIMES = 1000 };

static pdr_rc fit_fail(const pdr_learner *l, const char *what, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT, "%s: %s; the file was changed by hand, restore it from a copy",
                    pdi_store_path(l->store), what);
}

bool pdi_fit_bytes(const pdr_learner *l, uint64_t bytes)
{
    if (bytes <= FIT_FREE) return true;
    int64_t file = pdi_store_bytes(l->store);
    return file > 0 && bytes / FIT_TIMES <= (uint64_t)file;
}

/* ---- before memory is asked for --------------------------------------------------------- */

static const char fit_asks[] = "its recipe asks for more than the file holds";

/* The item is there, of this shape. */
static pdr_rc fit_item(const pdr_learner *l, const char *section, const char *name, pdr_shape want,
                       pdr_error *err)
{
    bool found = false;
    pdi_item item = {.section = section, .name = name};
    pdr_rc rc = pdi_store_find(l->store, &item, &found, err);
    if (rc) return rc;
    return found && pdr_shape_equal(&item.shape, &want) ? PDR_OK : fit_fail(l, fit_asks, err);
}

static pdr_rc fit_parameters(const pdr_learner *l, uint64_t *bytes, pdr_error *err)
{
    const pdr_model *m = l->model;
    size_t params = pdr_model_params(m), all = params + pdr_model_buffers(m);
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < all; i++) {
        const pdr_param *p = i < params ? pdr_model_param(m, i) : pdr_model_buffer(m, i - params);
        char name[160];
        snprintf(name, sizeof name, "param/%s", p->name);
        rc = fit_item(l, "tensor", name, p->shape, err);
        *bytes += (uint64_t)pdr_shape_size(&p->shape) * sizeof(float);
    }
    return rc;
}

/* What er.c and others keep of the stream: as many slots as the file has. */
static pdr_rc fit_slots(const pdr_learner *l, uint64_t *bytes, pdr_error *err)
{
    const pdr_method *m = (const pdr_method *)(const void *)l->recipe.method.kind;
    pdr_setting setting = pdi_learner_setting(l);
    pdr_memory_spec spec = {0};
    if (!m->memory || !m->memory(l->recipe.method.self, &setting, &spec)) return PDR_OK;
    int64_t slots = pdi_memory_slots(&spec, setting.tasks, setting.classes);
    if (slots < 0) return fit_fail(l, fit_asks, err);
    *bytes += (uint64_t)slots * sizeof(uint32_t);
    return fit_item(l, "memory", "slot", PDR_SHAPE((int32_t)slots), err);
}

pdr_rc pdi_fit_recipe(const pdr_learner *l, pdr_error *err)
{
    uint64_t rooms = (uint64_t)l->recipe.training.batch * l->form.width * sizeof(float), bytes = 0;
    bool wide = rooms > FIT_ROOMS && l->recipe.training.batch > PDI_LEARNER_BATCH;
    pdr_rc rc = fit_parameters(l, &bytes, err);
    if (!rc) rc = fit_slots(l, &bytes, err);
    if (!rc)
        rc = fit_item(l, "learner", "window", PDR_SHAPE((int32_t)l->recipe.learner.window), err);
    if (!rc && (!pdi_fit_bytes(l, bytes) || (wide && !pdi_fit_bytes(l, rooms))))
        rc = fit_fail(l, fit_asks, err);
    return rc;
}

/* ---- the state ---------------------------------------------------------------------------- */

static int fit_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each name once. */
static pdr_rc fit_names(const pdr_learner *l, const pdi_names *names, const char *what,
                        pdr_error *err)
{
    char **sorted = pdi_new(l->alloc, (size_t)names->n, sizeof *sorted);
    bool twice = false;
    if (!sorted) return pdi_nomem(err);
    for (int32_t i = 0; i < names->n; i++) sorted[i] = names->v[i];
    qsort(sorted, (size_t)names->n, sizeof *sorted, fit_order);
    for (int32_t i = 1; i < names->n; i++) twice = twice || !strcmp(sorted[i - 1], sorted[i]);
    pdi_free(l->alloc, sorted);
    return twice ? fit_fail(l, what, err) : PDR_OK;
}

/* Every known class may be an answer where no task is named, and no other output may be one. */
static bool fit_mask(const pdr_learner *l)
{
    const pdi_form *f = &l->form;
    for (int32_t t = 0; t < f->task.most; t++)
        for (int32_t c = 0; c < f->outputs; c++) {
            float m = l->mask[(size_t)t * (size_t)f->outputs + (size_t)c];
            bool known = t < f->task.n && c < f->class.n;
            if (m != 0 && (m != 1 || !known)) return false;
            if (t == 0 && known && m != 1) return false;
        }
    return true;
}

static bool fit_form(const pdi_form *f)
{
    bool none = f->task.n < 1 || f->task.v[0][0];
    for (int32_t i = 1; i < f->task.n; i++) none = none || !f->task.v[i][0];
    for (int32_t i = 0; i < f->class.n; i++) none = none || !f->class.v[i][0];
    return !none && (f->feature.n == 0 || (size_t)f->feature.n == f->width);
}

/* An example that waits, or is remembered. */
static bool fit_example(const pdi_form *f, int32_t label, int32_t task)
{
    int32_t classes = f->targets ? 1 : f->class.n;
    return label >= 0 && label < classes && task >= 0 && task < f->task.n;
}

static bool fit_waiting(const pdr_learner *l)
{
    for (int32_t i = 0; i < l->waiting; i++)
        if (!fit_example(&l->form, l->wait_label[i], l->wait_task[i])) return false;
    return l->tally.last < l->form.outputs;
}

/* As many are held as the samples say, each where one is held. */
static bool fit_memory(const pdr_learner *l)
{
    const pdi_memory *m = &l->trainer->memory;
    uint64_t size = (uint64_t)m->spec.size, held = 0;
    if (!m->used) return true;
    for (size_t g = 0; g < (size_t)m->groups; g++) {
        uint64_t n = m->offered[g] < size ? m->offered[g] : size;
        if (m->offered[g] > INT64_MAX) return false;
        for (uint64_t k = 0; k < n; k++)
            if (m->slot[g * size + k] >= m->held) return false;
        held += n;
    }
    for (size_t i = 0; i < m->held; i++)
        if (!fit_example(&l->form, m->label[i], m->task[i])) return false;
    return held == m->held;
}

static bool fit_counters(const pdr_learner *l)
{
    const pdi_trainer *t = l->trainer;
    return t->task >= 0 && t->phase == 0 && t->learned >= 0 && t->learned <= t->task &&
           l->next >= 1 && l->next <= pdi_store_journal(l->store).next && l->taken <= l->examples &&
           l->examples - l->taken == (uint64_t)l->waiting;
}

pdr_rc pdi_fit_state(const pdr_learner *l, pdr_error *err)
{
    if (!fit_form(&l->form)) return fit_fail(l, "its classes, tasks or features are none", err);
    pdr_rc rc = fit_names(l, &l->form.class, "a class is in it twice", err);
    if (!rc) rc = fit_names(l, &l->form.task, "a task is in it twice", err);
    if (!rc) rc = fit_names(l, &l->form.feature, "a feature is in it twice", err);
    if (rc) return rc;
    if (!fit_mask(l)) return fit_fail(l, "its tasks have classes that it does not know", err);
    if (!fit_counters(l)) return fit_fail(l, "its counters contradict each other", err);
    if (!fit_waiting(l)) return fit_fail(l, "what waits in it is no example of its own", err);
    if (!fit_memory(l)) return fit_fail(l, "what it remembers is no example of its own", err);
    return PDR_OK;
}
