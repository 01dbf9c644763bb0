/* perdure/result.h -- what an experiment found, as JSON and as a page.
 *
 * An experiment fills a pdr_result, or a program does.  What is reported about
 * it is computed from its matrix, by the definitions of the papers cited below.
 *
 *     printf("%s: %.3f\n", run.method, pdr_result_average(&run));
 *     if (pdr_result_write_json(&run, "result.json", &err)) fputs(err.text, stderr);
 *     pdr_result_close(&run);
 *
 * ERRORS    Files appear whole or not at all (written beside, then renamed).
 * OWNERSHIP A pdr_result owns its arrays and strings; close it.
 */
#ifndef PERDURE_RESULT_H
#define PERDURE_RESULT_H

#include <perdure/alloc.h>
#include <perdure/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_loss_point {
    int32_t task;       /* being learned, from 0 */
    uint64_t iteration; /* over the whole run */
    double loss;        /* mean since the point before */
} pdr_loss_point;

/* One run: one recipe, one seed. */
typedef struct pdr_result {
    const pdr_alloc *alloc;
    char *recipe;      /* name of the recipe file without folder and .yaml */
    char *recipe_text; /* the recipe as it ran, with every default and --set */
    char *method, *scenario, *data, *metric; /* metric: "accuracy" (0..1) or "r2" */
    char *version, *machine;
    char *started; /* UTC, ISO 8601 */
    uint64_t seed;
    int32_t threads;
    uint64_t examples; /* examples learned from, repeats counted */
    uint64_t parameters;
    double train_seconds, eval_seconds;
    uint64_t state_hash;
    uint64_t peak_memory;   /* bytes resident */
    bool complete;          /* false when stopped: learned < tasks */
    int32_t tasks, learned; /* tasks in the stream; tasks learned so far */
    char **task_name;       /* [tasks] */
    double *matrix;         /* [tasks + 1][tasks]; row 0 before learning, row i after task i */
    size_t losses;
    pdr_loss_point *loss;
    bool is_regression;
    double rmse, mae; /* over all tasks' tests at the end; regression only */
} pdr_result;

void pdr_result_close(pdr_result *r);

/* metric on task j after learning task i; i from -1 (before learning) to learned-1. */
double pdr_result_at(const pdr_result *r, int32_t i, int32_t j);

/* The mean of the last row over the tasks learned (ACC, Lopez-Paz & Ranzato 2017). */
double pdr_result_average(const pdr_result *r);

/* Mean over earlier tasks of best-ever minus final (Chaudhry et al. 2018).  0 for one task. */
double pdr_result_forgetting(const pdr_result *r);

/* Backward and forward transfer (Lopez-Paz & Ranzato 2017, equations 3 and 4). */
double pdr_result_bwt(const pdr_result *r);
double pdr_result_fwt(const pdr_result *r);

/* Mean and standard error (n - 1; 0 for one value). */
void pdr_mean_se(size_t n, const double x[], double *mean, double *se);

/* Write result.json: the contract of docs/design.md. */
pdr_rc pdr_result_write_json(const pdr_result *r, const char *path, pdr_error *err);

/* Write one self-contained page about n runs of one or several recipes. */
pdr_rc pdr_report_write(size_t n, const pdr_result *const runs[], const char *path, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
