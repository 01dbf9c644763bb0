/* perdure/experiment.h -- run a recipe.
 *
 *     pdr_experiment e = {.seed = 1, .threads = 0};
 *     pdr_result     result = {0};
 *     if (pdr_experiment_run(NULL, &recipe, &e, &result, &err) == PDR_OK)
 *         pdr_result_write_json(&result, "result.json", &err);
 *     pdr_result_close(&result);
 *
 * The result depends on the recipe and the seed alone, never on threads.
 *
 * ERRORS    PDR_STOPPED when the caller asked to stop: the result then holds the
 *           tasks that were finished.  PDR_DIVERGED when the loss stopped being
 *           finite.
 * OWNERSHIP The caller closes the result, on failure too.
 * THREADS   Several experiments may run at once, each from its own thread.
 */
#ifndef PERDURE_EXPERIMENT_H
#define PERDURE_EXPERIMENT_H

#include <perdure/recipe.h>
#include <perdure/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How far a run has come. */
typedef struct pdr_progress {
    int32_t task, tasks, learned;   /* being learned, from 0; in all; learned so far */
    uint64_t iteration, iterations; /* over the whole run */
    uint64_t examples;              /* learned from so far */
    double loss;                    /* mean since the last call, at a task's end over its last
                                       steps; NaN before the first step */
    double average;                 /* metric over the tasks learned; NaN before the first */
    const char *task_name;
    const char *metric; /* what average is: "accuracy" or "r2" */
} pdr_progress;

typedef struct pdr_experiment {
    uint64_t seed;
    int threads; /* 0: as many as there are processors */
    /* A file that keeps the run, so that it can be stopped and gone on with, to the bit: a
     * stream whenever a task ends, episodes whenever keep_seconds have passed and when
     * stopped.  It is gone when the run is complete; one of another recipe, seed or version
     * is replaced.  NULL: none. */
    const char *keep;
    double keep_seconds;
    double seconds; /* stop learning after so long, and test; 0: when the recipe says */
    /* Told of progress about twenty times a second and after each task; returning
     * false stops the run.  May be NULL. */
    bool (*progress)(void *ctx, const pdr_progress *p);
    /* Told, before learning starts, why the method cannot do well in this run; the result
     * has it too.  May be NULL. */
    void (*note)(void *ctx, const char *text);
    void *ctx;
} pdr_experiment;

pdr_rc pdr_experiment_run(const pdr_alloc *alloc, const pdr_recipe *recipe, const pdr_experiment *e,
                          pdr_result *result, pdr_error *err);

/* The plan of the first task's training step, as pdr_plan_print() gives it, after `steps`
 * timed steps on real examples (at least 1).  The caller frees *text through alloc. */
pdr_rc pdr_experiment_plan(const pdr_alloc *alloc, const pdr_recipe *recipe,
                           const pdr_experiment *e, uint64_t steps, char **text, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
