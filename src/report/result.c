/* report/result.c -- the figures of a run: one matrix, four numbers; or episodes, by step. */
#include <math.h>
#include <perdure/result.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static void result_close_meta(const pdr_alloc *a, pdr_meta_result *m)
{
    pdi_free(a, m->normalisation);
    pdi_free(a, m->score);
    pdi_free(a, m->ci95);
    pdi_free(a, m->median);
    pdi_free(a, m->diverged);
    pdi_free(a, m->validation);
}

void pdr_result_close(pdr_result *r)
{
    const pdr_alloc *a = pdi_alloc_or_default(r->alloc);
    char *const strings[] = {r->recipe, r->recipe_text, r->method,  r->scenario, r->data,
                             r->metric, r->version,     r->machine, r->started,  r->method_title};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) pdi_free(a, strings[i]);
    for (int32_t i = 0; r->task_name && i < r->tasks; i++) pdi_free(a, r->task_name[i]);
    pdi_free(a, r->task_name);
    pdi_free(a, r->matrix);
    pdi_free(a, r->loss);
    result_close_meta(a, &r->meta);
    for (size_t i = 0; r->note && i < r->notes; i++) pdi_free(a, r->note[i]);
    pdi_free(a, r->note);
    *r = (pdr_result){.alloc = r->alloc};
}

pdr_rc pdr_result_add_note(pdr_result *r, const char *text, pdr_error *err)
{
    const pdr_alloc *a = pdi_alloc_or_default(r->alloc);
    for (size_t i = 0; i < r->notes; i++)
        if (!strcmp(r->note[i], text)) return PDR_OK;
    char **more = pdi_resize(a, r->note, r->notes + 1, sizeof *more);
    if (!more) return pdi_nomem(err);
    r->note = more;
    more[r->notes] = pdi_strdup(a, text);
    if (!more[r->notes]) return pdi_nomem(err);
    r->notes++;
    return PDR_OK;
}

double pdr_result_at(const pdr_result *r, int32_t i, int32_t j)
{
    bool is_there = r->matrix && i >= -1 && i < r->learned && i < r->tasks && j >= 0 &&
                    j < r->tasks;
    return is_there ? r->matrix[(size_t)(i + 1) * (size_t)r->tasks + (size_t)j] : (double)NAN;
}

double pdr_result_average(const pdr_result *r)
{
    double sum = 0;
    if (r->learned < 1) return (double)NAN;
    for (int32_t j = 0; j < r->learned; j++) sum += pdr_result_at(r, r->learned - 1, j);
    return sum / r->learned;
}

/* The larger one; NaN if either is, unlike fmax. */
static double result_max(double a, double b) { return a > b || isnan(a) ? a : b; }

double pdr_result_forgetting(const pdr_result *r)
{
    int32_t last = r->learned - 1;
    double sum = 0;
    if (last < 1) return 0;
    for (int32_t j = 0; j < last; j++) {
        double best = pdr_result_at(r, 0, j);
        for (int32_t l = 1; l < last; l++) best = result_max(best, pdr_result_at(r, l, j));
        sum += best - pdr_result_at(r, last, j);
    }
    return sum / last;
}

double pdr_result_bwt(const pdr_result *r)
{
    int32_t last = r->learned - 1;
    double sum = 0;
    if (last < 1) return 0;
    for (int32_t j = 0; j < last; j++) sum += pdr_result_at(r, last, j) - pdr_result_at(r, j, j);
    return sum / last;
}

double pdr_result_fwt(const pdr_result *r)
{
    int32_t last = r->learned - 1;
    double sum = 0;
    if (last < 1) return 0;
    for (int32_t j = 1; j <= last; j++) sum += pdr_result_at(r, j - 1, j) - pdr_result_at(r, -1, j);
    return sum / last;
}

void pdr_mean_se(size_t n, const double x[], double *mean, double *se)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    *mean = n ? sum / (double)n : (double)NAN;
    for (size_t i = 0; i < n; i++) squares += (x[i] - *mean) * (x[i] - *mean);
    *se = n > 1 ? sqrt(squares / ((double)n * (double)(n - 1))) : 0;
}

/* ---- episodes ---- */

bool pdr_result_is_loss(const pdr_result *r)
{
    return r->metric && strcmp(r->metric, "accuracy") != 0 && strcmp(r->metric, "r2") != 0;
}

double pdr_result_score(const pdr_result *r)
{
    const pdr_meta_result *m = &r->meta;
    if (!r->is_meta) return pdr_result_average(r);
    return m->score && m->scored >= 0 && m->scored <= m->steps ? m->score[m->scored] : (double)NAN;
}

static int result_by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The figures of step s from its values, of which the last `diverged` are infinite once sorted;
 * for an accuracy the worst is the lowest, so those are minus infinity and come first. */
static void result_step(pdr_meta_result *m, int32_t s, double x[], bool is_loss)
{
    size_t n = (size_t)m->episodes, kept = n - (size_t)m->diverged[s];
    qsort(x, n, sizeof *x, result_by_size);
    double se;
    pdr_mean_se(kept, is_loss ? x : x + (n - kept), &m->score[s], &se);
    m->ci95[s] = 1.96 * se;
    m->median[s] = n % 2 ? x[n / 2] : x[n / 2 - 1] + (x[n / 2] - x[n / 2 - 1]) / 2;
}

static bool result_new_episodes(const pdr_alloc *a, pdr_meta_result *m, size_t steps)
{
    pdi_free(a, m->score);
    pdi_free(a, m->ci95);
    pdi_free(a, m->median);
    pdi_free(a, m->diverged);
    m->score = pdi_new(a, steps, sizeof *m->score);
    m->ci95 = pdi_new(a, steps, sizeof *m->ci95);
    m->median = pdi_new(a, steps, sizeof *m->median);
    m->diverged = pdi_new(a, steps, sizeof *m->diverged);
    return m->score && m->ci95 && m->median && m->diverged;
}

pdr_rc pdr_result_set_episodes(pdr_result *r, size_t episodes, int32_t steps, int32_t scored,
                               double limit, const double value[], pdr_error *err)
{
    const pdr_alloc *a = pdi_alloc_or_default(r->alloc);
    pdr_meta_result *m = &r->meta;
    if (!episodes || steps < 0 || scored < 0 || scored > steps)
        return pdi_fail(err, PDR_USAGE,
                        "result: %zu episodes of %d steps, scored after %d; give at least one "
                        "episode, and a step from 0 to the last",
                        episodes, (int)steps, (int)scored);
    size_t each = (size_t)steps + 1;
    double *x = pdi_new(a, episodes, sizeof *x);
    bool is_loss = pdr_result_is_loss(r), *is_lost = pdi_new(a, episodes, sizeof *is_lost);
    bool ok = result_new_episodes(a, m, each) && x && is_lost;
    m->episodes = episodes;
    m->steps = steps;
    m->scored = scored;
    for (int32_t s = 0; ok && s <= steps; s++) {
        for (size_t e = 0; e < episodes; e++) {
            x[e] = value[e * each + (size_t)s];
            if (!isfinite(x[e]) || x[e] > limit) is_lost[e] = true;
            if (!is_lost[e]) continue;
            x[e] = is_loss ? (double)INFINITY : -(double)INFINITY;
            m->diverged[s]++;
        }
        result_step(m, s, x, is_loss);
    }
    pdi_free(a, x);
    pdi_free(a, is_lost);
    return ok ? PDR_OK : pdi_nomem(err);
}
