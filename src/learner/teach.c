/* learner/teach.c -- learning: into the journal, into the batch, a step.
 *
 * A batch is learned when it is full.  All its examples are answered first, by the state
 * before it; then they move the normaliser's moments; then comes the step, as often as
 * training.glances says; then the memory is offered them. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

/* ---- the normaliser ------------------------------------------------------------------------ */

/* Welford's moments of every feature, in double. */
static void teach_moments(pdr_learner *l, const float *x)
{
    l->seen++;
    for (size_t i = 0; i < l->form.width; i++) {
        double d = (double)x[i] - l->mean[i];
        l->mean[i] += d / (double)l->seen;
        l->m2[i] += d * ((double)x[i] - l->mean[i]);
    }
}

void pdi_teach_scale(pdr_learner *l)
{
    for (size_t i = 0; l->mean && i < l->form.width; i++) {
        double variance = l->seen ? l->m2[i] / (double)l->seen : 0;
        l->trainer->centre[i] = (float)l->mean[i];
        l->trainer->scale[i] = variance > 0 ? (float)(1 / sqrt(variance)) : 0;
    }
}

static void teach_normalise(pdr_learner *l, int32_t n)
{
    if (!l->mean) return;
    for (int32_t i = 0; i < n; i++)
        teach_moments(l, l->trainer->batch.x + (size_t)i * l->form.width);
    pdi_teach_scale(l);
}

/* ---- a batch -------------------------------------------------------------------------------- */

static pdr_rc teach_answer(pdr_learner *l, int32_t n, pdr_error *err)
{
    const float *y;
    const pdi_host_batch *b = &l->trainer->batch;
    size_t outputs = (size_t)l->form.outputs;
    pdr_rc rc = pdi_trainer_predict(l->trainer, n, -1, &y, err);
    for (int32_t i = 0; !rc && i < n; i++) {
        size_t at = (size_t)i * outputs;
        bool asked = l->wait_is[i];
        const float *answer = asked ? l->wait_y + at : y + at;
        if (l->form.targets)
            pdi_tally_target(&l->tally, l->form.targets, answer, b->target + at);
        else
            pdi_tally_class(&l->tally, l->form.outputs, answer, asked ? NULL : b->mask + at,
                            b->label[i]);
    }
    return rc;
}

static pdr_rc teach_steps(pdr_learner *l, int32_t n, int64_t steps, double share, pdr_error *err)
{
    double loss;
    float rate = (float)(share * pdr_optimizer_rate(&l->recipe.optimizer));
    pdr_rc rc = PDR_OK;
    for (int64_t k = 0; !rc && k < steps; k++)
        rc = pdi_trainer_step(l->trainer, n, rate, &loss, err);
    return rc;
}

static pdi_example teach_waiting_example(const pdr_learner *l, int32_t i)
{
    size_t width = l->form.width, targets = (size_t)l->form.targets;
    return (pdi_example){.x = l->wait_x + (size_t)i * width,
                         .label = l->wait_label[i],
                         .task = l->wait_task[i],
                         .target = targets ? l->wait_target + (size_t)i * targets : NULL};
}

static pdr_rc teach_remember(pdr_learner *l, int32_t n, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (int32_t i = 0; !rc && l->trainer->memory.used && i < n; i++) {
        pdi_example e = teach_waiting_example(l, i);
        rc = pdi_trainer_offer(l->trainer, i, &e, err);
    }
    return rc;
}

bool pdi_teach_is_skipped(const pdr_learner *l)
{
    for (size_t i = 0; i < l->skips; i++)
        if (l->skip[i] == l->taken) return true;
    return false;
}

/* Learn the examples that wait, as one batch, at a share of the optimizer's rate. */
static pdr_rc teach_batch(pdr_learner *l, int64_t steps, double share, pdr_error *err)
{
    int32_t n = l->waiting;
    pdr_rc rc = PDR_OK;
    if (!pdi_teach_is_skipped(l)) {
        for (int32_t i = 0; i < n; i++) {
            pdi_example e = teach_waiting_example(l, i);
            pdi_trainer_put(l->trainer, i, &e);
        }
        rc = teach_answer(l, n, err);
        if (!rc) teach_normalise(l, n);
        if (!rc) rc = teach_steps(l, n, steps, share, err);
        if (!rc) rc = teach_remember(l, n, err);
    }
    if (rc) return rc;
    l->taken += (uint64_t)n;
    l->waiting = 0;
    return PDR_OK;
}

/* ---- one example after the other ------------------------------------------------------------ */

/* The answer given when example i was asked, and what it was asked with; then it no longer
 * waits.  Features that come with the label are the ones to learn. */
static void teach_settle(pdr_learner *l, int32_t i, int32_t slot, const pdr_example *e)
{
    size_t width = l->form.width, outputs = (size_t)l->form.outputs;
    const float *x = e->x ? e->x : l->asked.x + (size_t)slot * width;
    float *y = l->wait_y + (size_t)i * outputs;
    memcpy(l->wait_x + (size_t)i * width, x, width * sizeof *x);
    pdi_form_fill(l, l->wait_x + (size_t)i * width);
    l->wait_is[i] = slot >= 0;
    if (slot < 0) {
        memset(y, 0, outputs * sizeof *y);
        return;
    }
    memcpy(y, l->asked.y + (size_t)slot * outputs, outputs * sizeof *y);
    pdi_asked_let_go(l, slot);
}

static pdr_rc teach_put(pdr_learner *l, const pdr_example *e, pdr_error *err)
{
    pdr_rc rc = pdi_grow_for(l, l->form.targets ? NULL : e->label, e->task, err);
    if (rc) return rc;
    int32_t slot = e->id ? pdi_asked_find(&l->asked, e->id) : -1, label = 0, i = l->waiting;
    int32_t task = slot >= 0 && !e->task ? l->asked.task[slot] : pdi_form_task(l, e->task, err);
    size_t targets = (size_t)l->form.targets;
    if (task < 0) return err ? err->rc : PDR_INPUT;
    if (!targets) label = pdi_form_class(l, task, e->label, err);
    if (label < 0) return err ? err->rc : PDR_INPUT;
    if (slot < 0 && !e->x)
        return pdi_fail(err, PDR_INPUT, "%s: the journal has a label for an id that does not wait",
                        pdi_store_path(l->store));
    teach_settle(l, i, slot, e);
    if (targets) memcpy(l->wait_target + (size_t)i * targets, e->target, targets * sizeof(float));
    l->wait_label[i] = label;
    l->wait_task[i] = task;
    l->waiting++;
    return PDR_OK;
}

static pdr_rc teach_unfit(const pdr_learner *l, int64_t seq, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT,
                    "%s: entry %lld of the journal does not fit this learner's examples",
                    pdi_store_path(l->store), (long long)seq);
}

static pdr_rc teach_examples(pdr_learner *l, pdi_entry_reader *r, int64_t seq, pdr_error *err)
{
    pdr_example e;
    pdr_rc rc = PDR_OK;
    for (uint32_t i = 0; !rc && i < r->n; i++) {
        if (!pdi_entry_next(r, &e)) return teach_unfit(l, seq, err);
        rc = teach_put(l, &e, err);
        if (!rc && l->waiting == l->recipe.training.batch)
            rc = teach_batch(l, l->recipe.training.glances, 1, err);
    }
    return !rc && !pdi_entry_ends(r) ? teach_unfit(l, seq, err) : rc;
}

/* ---- asked, to be learned later -------------------------------------------------------------- */

/* Answer the n examples put, which are in the slots from `first` on. */
static pdr_rc teach_ask_some(pdr_learner *l, int32_t n, uint64_t first, pdr_error *err)
{
    const float *y;
    size_t outputs = (size_t)l->form.outputs;
    pdr_rc rc = pdi_trainer_predict(l->trainer, n == 1 ? 1 : l->most, -1, &y, err);
    for (int32_t i = 0; !rc && i < n; i++) {
        size_t slot = (size_t)((first + (uint64_t)i) % (uint64_t)l->asked.most);
        float *to = l->asked.y + slot * outputs;
        if (!l->asked.id[slot][0]) continue; /* asked anew in the same call */
        memcpy(to, y + (size_t)i * outputs, outputs * sizeof *to);
        pdi_answer_bar(l, l->asked.task[slot], to);
    }
    return rc;
}

static pdr_rc teach_ask(pdr_learner *l, pdi_entry_reader *r, int64_t seq, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    int32_t n = 0;
    for (uint32_t i = 0; !rc && i < r->n; i++) {
        pdr_example e;
        int32_t task, slot;
        if (l->asked.most < 1 || !pdi_entry_next(r, &e)) return teach_unfit(l, seq, err);
        rc = pdi_answer_task(l, e.task, &task, err);
        if (rc) return rc;
        slot = pdi_asked_add(l, &e, task);
        if (slot < 0) return pdi_nomem(err);
        pdi_example put = {
            .x = e.x, .task = task, .target = l->form.targets ? l->wait_target : NULL};
        pdi_trainer_put(l->trainer, n, &put);
        pdi_form_fill(l, pdi_trainer_row(l->trainer, n++));
        if (n < l->most && i + 1 < r->n) continue;
        rc = teach_ask_some(l, n, l->asked.total - (uint64_t)n, err);
        n = 0;
    }
    return rc;
}

/* What waits is learned first, as a batch of its own size. */
static pdr_rc teach_waiting(pdr_learner *l, pdr_error *err)
{
    return l->waiting ? teach_batch(l, l->recipe.training.glances, 1, err) : PDR_OK;
}

static pdr_rc teach_adapt(pdr_learner *l, pdi_entry_reader *r, int64_t seq, pdr_error *err)
{
    pdr_example e;
    pdr_rc rc = teach_waiting(l, err);
    for (uint32_t i = 0; !rc && i < r->n; i++)
        rc = i < (uint32_t)l->most && pdi_entry_next(r, &e) ? teach_put(l, &e, err)
                                                            : teach_unfit(l, seq, err);
    if (!rc && !pdi_entry_ends(r)) rc = teach_unfit(l, seq, err);
    if (!rc) rc = teach_batch(l, l->recipe.learner.adapt_steps, l->recipe.learner.adapt_rate, err);
    return rc;
}

static pdr_rc teach_task_end(pdr_learner *l, pdr_error *err)
{
    pdr_rc rc = teach_waiting(l, err);
    if (!rc) rc = pdi_trainer_task_end(l->trainer, err);
    if (!rc) pdi_trainer_task(l->trainer, l->trainer->task + 1, 0);
    return rc;
}

bool pdi_teach_skip(pdr_learner *l, uint64_t taken)
{
    if (!pdi_grow(l->alloc, (void **)&l->skip, l->skips, &l->skip_cap, sizeof *l->skip))
        return false;
    l->skip[l->skips++] = taken;
    return true;
}

pdr_rc pdi_teach_note(pdr_learner *l, const void *bytes, size_t n, pdr_error *err)
{
    pdi_entry_reader r;
    if (!pdi_entry_open(&r, l, bytes, n) || r.kind != PDI_ENTRY_SKIP) return PDR_OK;
    return pdi_teach_skip(l, (uint64_t)r.number) ? PDR_OK : pdi_nomem(err);
}

pdr_rc pdi_teach_entry(pdr_learner *l, int64_t seq, const void *bytes, size_t n, pdr_error *err)
{
    pdi_entry_reader r;
    if (!pdi_entry_open(&r, l, bytes, n))
        return pdi_fail(err, PDR_INPUT, "%s: entry %lld of the journal is none of ours",
                        pdi_store_path(l->store), (long long)seq);
    pdr_rc rc = PDR_OK;
    switch (r.kind) {
    case PDI_ENTRY_LEARN: rc = teach_examples(l, &r, seq, err); break;
    case PDI_ENTRY_ADAPT: rc = teach_adapt(l, &r, seq, err); break;
    case PDI_ENTRY_TASK_END: rc = teach_task_end(l, err); break;
    case PDI_ENTRY_SKIP: break; /* told already */
    case PDI_ENTRY_ASK: rc = teach_ask(l, &r, seq, err); break;
    }
    if (rc) return rc;
    l->examples += r.kind == PDI_ENTRY_SKIP || r.kind == PDI_ENTRY_ASK ? 0 : r.n;
    if (r.kind != PDI_ENTRY_SKIP) l->did |= 1u << r.kind;
    l->next = seq + 1;
    return PDR_OK;
}
