/* report/result.c -- the figures of a run: one matrix, four numbers. */
#include <math.h>
#include <perdure/result.h>

#include "base/alloc.h"

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
    *r = (pdr_result){.alloc = r->alloc};
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
