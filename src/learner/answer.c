/* learner/answer.c -- predictions, and how good they are. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

void pdi_answer_bar(const pdr_learner *l, int32_t task, float *y)
{
    const float *mask = l->mask + (size_t)task * (size_t)l->form.outputs;
    for (int32_t c = 0; !l->form.targets && c < l->form.outputs; c++)
        if (!(mask[c] > 0)) y[c] = -INFINITY;
}

/* Logits as probabilities: 0 where there is no answer. */
void pdi_answer_scores(const pdr_learner *l, const float *y, float *score)
{
    int32_t outputs = l->form.outputs;
    double sum = 0, most = -INFINITY;
    if (l->form.targets && score != y) memcpy(score, y, (size_t)outputs * sizeof *score);
    if (l->form.targets) return;
    for (int32_t c = 0; c < outputs; c++)
        if ((double)y[c] > most) most = (double)y[c];
    for (int32_t c = 0; c < outputs; c++) sum += y[c] > -INFINITY ? exp((double)y[c] - most) : 0;
    for (int32_t c = 0; c < outputs; c++)
        score[c] = y[c] > -INFINITY ? (float)(exp((double)y[c] - most) / sum) : 0;
}

static pdr_rc answer_features(const pdr_learner *l, size_t n, const float x[], pdr_error *err)
{
    for (size_t i = 0; i < n * l->form.width; i++)
        if (!pdi_form_takes(l, x[i]))
            return pdi_fail(err, PDR_INPUT, "example %zu: feature %zu is not finite",
                            i / l->form.width, i % l->form.width);
    return PDR_OK;
}

/* Raw outputs for up to `most` examples: one alone, or a whole batch with rows to spare, so
 * that there are two programs and not one for every number. */
static pdr_rc answer_some(pdr_learner *l, int32_t n, const float x[], int32_t task, const float **y,
                          pdr_error *err)
{
    for (int32_t i = 0; i < n; i++) {
        pdi_example e = {.x = x + (size_t)i * l->form.width,
                         .task = task,
                         .target = l->form.targets ? l->wait_target : NULL};
        pdi_trainer_put(l->trainer, i, &e);
        pdi_form_fill(l, pdi_trainer_row(l->trainer, i));
    }
    return pdi_trainer_predict(l->trainer, n == 1 ? 1 : l->most, -1, y, err);
}

pdr_rc pdi_answer_task(const pdr_learner *l, const char *task, int32_t *at, pdr_error *err)
{
    *at = task ? pdi_names_find(&l->form.task, task) : 0;
    if (*at >= 0) return PDR_OK;
    return pdi_fail(err, PDR_INPUT, "%s: there is no task '%.80s'; %d are known",
                    pdi_store_path(l->store), task, l->form.task.n - 1);
}

pdr_rc pdr_learner_predict(pdr_learner *l, size_t n, const float x[], const char *task,
                           float score[], pdr_error *err)
{
    size_t outputs = (size_t)l->form.outputs, most = (size_t)l->most;
    int32_t at;
    pdr_rc rc = pdi_learner_check(l, false, err);
    if (!rc) rc = pdi_answer_task(l, task, &at, err);
    if (!rc) rc = answer_features(l, n, x, err);
    for (size_t from = 0; !rc && from < n; from += most) {
        const float *y;
        size_t some = n - from < most ? n - from : most;
        rc = answer_some(l, (int32_t)some, x + from * l->form.width, at, &y, err);
        for (size_t i = 0; !rc && i < some; i++) {
            float *to = score + (from + i) * outputs;
            memcpy(to, y + i * outputs, outputs * sizeof *to);
            pdi_answer_bar(l, at, to);
            pdi_answer_scores(l, to, to);
        }
    }
    return rc;
}

/* ---- evaluating ------------------------------------------------------------------------------ */

static pdr_rc answer_tally(pdr_learner *l, const pdr_example *e, pdi_tally *t, pdr_error *err)
{
    const float *y;
    int32_t task, label = 0;
    if (!e->x) return pdi_fail(err, PDR_INPUT, "an example has no features to answer");
    pdr_rc rc = pdi_answer_task(l, e->task, &task, err);
    if (!rc) rc = answer_features(l, 1, e->x, err);
    if (!rc && !l->form.targets) {
        label = pdi_names_find(&l->form.class, e->label);
        if (label < 0)
            return pdi_fail(
                err, PDR_INPUT,
                "%s: there is no class '%.80s'; %d are known (eval --only passes over others)",
                pdi_store_path(l->store), e->label, l->form.class.n);
    }
    if (!rc) rc = answer_some(l, 1, e->x, task, &y, err);
    if (rc) return rc;
    if (l->form.targets)
        pdi_tally_target(t, l->form.targets, y, e->target);
    else
        pdi_tally_class(t, l->form.outputs, y, l->mask + (int64_t)task * l->form.outputs, label);
    return PDR_OK;
}

pdr_rc pdr_learner_evaluate(pdr_learner *l, size_t n, const pdr_example e[], bool goes_on,
                            pdr_score *score, pdr_error *err)
{
    pdr_rc rc = pdi_learner_check(l, false, err);
    if (rc) return rc;
    if (!goes_on || !l->test.label) {
        pdi_tally_close(l, &l->test);
        if (!pdi_tally_open(l, &l->test, 0)) return pdi_nomem(err);
    }
    for (size_t i = 0; !rc && i < n; i++) rc = answer_tally(l, &e[i], &l->test, err);
    if (!rc) *score = pdi_tally_score(&l->test, l->form.outputs, l->form.targets);
    return rc;
}

pdr_score pdr_learner_score(const pdr_learner *l)
{
    return pdi_tally_score(&l->tally, l->form.outputs, l->form.targets);
}
