/* learner/tally.c -- answers compared with what came.
 *
 *     kappa          (p - p_chance) / (1 - p_chance),  p_chance = sum_c label_c answer_c / n^2
 *     kappa-temporal (p - p_same) / (1 - p_same),      p_same: labels like the one before
 *
 * Cohen 1960; Zliobaite et al., "Evaluation methods and decision theory for classification of
 * streaming data with temporal dependence", Machine Learning 98, 2015. */
#include <math.h>

#include "learner/learner.h"

bool pdi_tally_open(const pdr_learner *l, pdi_tally *t, int64_t window)
{
    size_t outputs = (size_t)l->form.outputs;
    *t = (pdi_tally){.last = -1, .size = window};
    t->label = pdi_new(l->alloc, outputs, sizeof *t->label);
    t->answer = pdi_new(l->alloc, outputs, sizeof *t->answer);
    t->window = pdi_new(l->alloc, (size_t)window + 1, sizeof *t->window);
    return t->label && t->answer && t->window;
}

void pdi_tally_close(const pdr_learner *l, pdi_tally *t)
{
    pdi_free(l->alloc, t->label);
    pdi_free(l->alloc, t->answer);
    pdi_free(l->alloc, t->window);
    *t = (pdi_tally){0};
}

static void tally_window(pdi_tally *t, bool right)
{
    if (!t->size) return;
    uint8_t *slot = &t->window[t->n % (uint64_t)t->size];
    t->in_window += (right ? 1 : 0) - (t->n >= (uint64_t)t->size ? *slot : 0);
    *slot = right;
}

static bool tally_may(const float *y, const float *mask, int32_t c)
{
    return mask ? mask[c] > 0 : y[c] > -INFINITY;
}

/* -log of the label's softmax over the outputs that may be the answer; a label that could not
 * have been costs what a guess among all outputs does. */
static double tally_loss(int32_t outputs, const float *y, const float *mask, int32_t label,
                         int32_t *best)
{
    double sum = 0;
    *best = -1;
    for (int32_t c = 0; c < outputs; c++)
        if (tally_may(y, mask, c) && (*best < 0 || y[c] > y[*best])) *best = c;
    if (*best < 0 || !tally_may(y, mask, label)) return log((double)outputs);
    for (int32_t c = 0; c < outputs; c++)
        if (tally_may(y, mask, c)) sum += exp((double)y[c] - (double)y[*best]);
    return log(sum) + (double)y[*best] - (double)y[label];
}

void pdi_tally_class(pdi_tally *t, int32_t outputs, const float *logits, const float *mask,
                     int32_t label)
{
    int32_t best;
    t->loss += tally_loss(outputs, logits, mask, label, &best);
    tally_window(t, best == label);
    t->right += best == label;
    t->same += t->last == label;
    t->last = label;
    t->label[label]++;
    if (best >= 0) t->answer[best]++;
    t->n++;
}

void pdi_tally_target(pdi_tally *t, int32_t targets, const float *y, const float *target)
{
    for (int32_t k = 0; k < targets; k++) {
        double d = (double)y[k] - (double)target[k];
        t->error2 += d * d;
        t->error1 += fabs(d);
        t->loss += d * d / targets;
    }
    t->n++;
}

static double tally_against(double p, double base)
{
    return base < 1 ? (p - base) / (1 - base) : 0;
}

pdr_score pdi_tally_score(const pdi_tally *t, int32_t outputs, int32_t targets)
{
    double n = (double)t->n, chance = 0,
           recent = (double)(t->n < (uint64_t)t->size ? (int64_t)t->n : t->size);
    pdr_score s = {.n = t->n, .window = t->size, .loss = t->loss / n};
    double p = (double)t->right / n;
    for (int32_t c = 0; c < outputs; c++)
        chance += (double)t->label[c] / n * ((double)t->answer[c] / n);
    bool real = targets > 0, alone = false; /* is one class all there is? */
    for (int32_t c = 0; c < outputs; c++) alone = alone || t->label[c] == t->n;
    s.accuracy = real ? NAN : p;
    s.recent = real || !t->size ? NAN : (double)t->in_window / recent;
    s.kappa = real || alone ? NAN : tally_against(p, chance);
    s.kappa_temporal = real || alone ? NAN : tally_against(p, (double)t->same / n);
    s.rmse = real ? sqrt(t->error2 / (n * targets)) : NAN;
    s.mae = real ? t->error1 / (n * targets) : NAN;
    return s;
}
