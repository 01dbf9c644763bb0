/* perdure/result.h -- what an experiment found, as JSON and as a page.
 *
 * An experiment fills a pdr_result, or a program does.  What is reported about
 * it is computed from its matrix, by the definitions of the papers cited below.
 *
 *     printf("%s: %.3f\n", run.method, pdr_result_average(&run));
 *     if (pdr_result_write_json(&run, "result.json", &err)) fputs(err.text, stderr);
 *     pdr_result_close(&run);
 *
 * ERRORS    Files appear whole or not at all (written beside, then renamed).  A
 *           path that cannot be written to is PDR_INPUT, a write that fails
 *           half-way (a full disk) is PDR_IO.  Strings may hold any bytes: what is
 *           not UTF-8 is shown as U+FFFD.  Numbers may be anything: one that is
 *           not finite is null in JSON, with the reason, and a dash on the page.
 * OWNERSHIP A pdr_result owns its arrays and strings; close it.
 * THREADS   Reading and writing out a result does not change it.
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

typedef struct pdr_validation_point {
    uint64_t iteration; /* outer steps done */
    double score;       /* in the result's metric, on validation episodes */
} pdr_validation_point;

/* What a method of episodes found: the score on test episodes (tasks), each adapted to
 * on its own from the state that training ended in.  Arrays have a value for every
 * number of adaptation steps from 0 to steps; a method that does not adapt by steps
 * (protonet) has steps 0. */
typedef struct pdr_meta_result {
    uint64_t planned, iterations; /* outer steps asked for; done: fewer when stopped */
    double seconds_per_iteration; /* of training alone */
    /* Classes, and examples of each to adapt to; way 0 where targets are real: shot in all. */
    int32_t train_way, train_shot, test_way, test_shot;
    char *normalisation; /* "transductive": from all queries together; "inductive"; NULL: none */
    uint64_t episodes;   /* tested, diverged ones included */
    int32_t steps;       /* of adaptation at test */
    int32_t scored;      /* the number of steps whose score is the run's */
    double *score;       /* [steps + 1]: mean over the episodes that had not diverged */
    double *ci95;        /* [steps + 1]: 1.96 sd / sqrt(n), over the same */
    double *median;      /* [steps + 1]: over all; a diverged one is worse than any number */
    uint64_t *diverged;  /* [steps + 1]: episodes that had diverged by that step */
    size_t points;
    pdr_validation_point *validation;
} pdr_meta_result;

/* One run: one recipe, one seed. */
typedef struct pdr_result {
    const pdr_alloc *alloc;
    char *recipe;      /* name of the recipe file without folder and .yaml */
    char *recipe_text; /* the recipe as it ran, with every default and --set */
    char *method, *scenario, *data;
    char *metric; /* "accuracy" (0..1) or "r2"; of episodes "accuracy", or "mse" or another loss */
    char *method_title; /* "Experience replay", for people; NULL: method is shown */
    char *version, *machine;
    char *started; /* UTC, ISO 8601 */
    uint64_t seed;
    int32_t threads;
    uint64_t examples; /* examples learned from, repeats counted */
    uint64_t parameters;
    uint64_t memory; /* bytes of all state that learning keeps: parameters, optimizer, method */
    double train_seconds, eval_seconds;
    uint64_t state_hash;
    uint64_t peak_memory;   /* bytes resident */
    bool complete;          /* false when stopped: learned < tasks */
    int32_t tasks, learned; /* tasks in the stream; tasks learned so far */
    char **task_name;       /* [tasks] */
    double *matrix;         /* [tasks + 1][tasks]; row 0 before learning, row i after task i */
    size_t losses;
    pdr_loss_point *loss;
    bool is_bound; /* the method saw all tasks at once: an upper bound, not one to compare with */
    bool is_regression;
    double rmse, mae; /* over all tasks' tests at the end; regression only */
    bool is_meta;     /* a method of episodes: meta is set; tasks is 0, matrix is NULL */
    pdr_meta_result meta;
    size_t notes;
    char **note; /* [notes]: warnings, a sentence each */
} pdr_result;

void pdr_result_close(pdr_result *r);

/* Add a warning, "EWC cannot work in class-incremental learning"; one that is there
 * already is not added again. */
pdr_rc pdr_result_add_note(pdr_result *r, const char *text, pdr_error *err);

/* Set r->meta's episodes, steps, scored, score, ci95, median and diverged from the score
 * of every test episode after 0 to steps steps of adaptation, value[episode][steps + 1].
 * An episode diverged at the first step whose value is not finite or above limit (INFINITY: any
 * number will do), and stays so.  scored is from 0 to steps. */
pdr_rc pdr_result_set_episodes(pdr_result *r, size_t episodes, int32_t steps, int32_t scored,
                               double limit, const double value[], pdr_error *err);

/* The one figure of a run: ACC (below), or the score of its episodes after the scored
 * number of steps.  Higher is better, but for a loss ("mse" and all others that are neither
 * "accuracy" nor "r2"). */
double pdr_result_score(const pdr_result *r);
bool pdr_result_is_loss(const pdr_result *r);

/* metric on task j after learning task i; i from -1 (before learning) to learned-1. */
double pdr_result_at(const pdr_result *r, int32_t i, int32_t j);

/* The figures below are over the k tasks learned so far; R(i,j) is
 * pdr_result_at(r, i, j).  A value that is not a number makes them so. */

/* ACC: the mean of R(k-1,j) over j < k (Lopez-Paz & Ranzato, "Gradient episodic
 * memory", 2017, equation 2).  NaN when no task was learned. */
double pdr_result_average(const pdr_result *r);

/* Mean over j < k-1 of max R(l,j) over l < k-1, minus R(k-1,j) (Chaudhry et al.,
 * "Riemannian walk", 2018, section 3.1): best-ever minus final; below 0 when the last
 * task helped the earlier ones.  0 for one task. */
double pdr_result_forgetting(const pdr_result *r);

/* Backward transfer, the mean of R(k-1,j) - R(j,j) over j < k-1, and forward transfer,
 * the mean of R(j-1,j) - R(-1,j) over 0 < j < k (Lopez-Paz & Ranzato 2017, equations 3
 * and 4; their baseline is the score before learning).  0 for one task. */
double pdr_result_bwt(const pdr_result *r);
double pdr_result_fwt(const pdr_result *r);

/* Mean and standard error of the mean: sqrt(sum of squares about it / (n (n - 1))),
 * 0 for one value.  NaN and 0 for none. */
void pdr_mean_se(size_t n, const double x[], double *mean, double *se);

/* Write result.json: the contract of docs/file-format.md.  Doubles read back as the same
 * doubles; a seed above INT64_MAX is written as a string of its digits. */
pdr_rc pdr_result_write_json(const pdr_result *r, const char *path, pdr_error *err);

/* Read what pdr_result_write_json() wrote, by this version or an earlier one: a result that is
 * written as the same bytes (but what was not finite is NaN).  PDR_INPUT names the file and the
 * line or the key that is wrong; *out is then empty. */
pdr_rc pdr_result_read_json(const pdr_alloc *alloc, const char *path, pdr_result *out,
                            pdr_error *err);

/* Write one self-contained page about n runs of one or several recipes.  Runs of one
 * recipe that differ in nothing but the seed are one row, in order of first appearance;
 * its figures are means over the runs that learned the most tasks. */
pdr_rc pdr_report_write(size_t n, const pdr_result *const runs[], const char *path, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
