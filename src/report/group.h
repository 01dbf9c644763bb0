/* report/group.h -- runs gathered into the rows of a page.
 *
 * A group is the runs of one recipe that differ in nothing but the seed.  Its figures
 * are over its counted runs: those that learned the most tasks, or did the most outer
 * steps (the complete ones, if there are any), so that a stopped run never drags a mean. */
#ifndef PDI_REPORT_GROUP_H
#define PDI_REPORT_GROUP_H

#include <perdure/result.h>

typedef struct pdi_stat {
    double mean, se;
} pdi_stat;

/* Episodes after a number of adaptation steps.  se: of several runs the standard error, of
 * one its 95 % confidence interval over episodes. */
typedef struct pdi_step {
    pdi_stat score;
    double median;     /* mean over the counted runs */
    uint64_t diverged; /* in all counted runs */
} pdi_step;

enum { PDI_TASK_NUMBERED = 24 };

typedef struct pdi_group {
    const pdr_result **run; /* [runs]; the counted ones come first */
    size_t runs, counted;
    int32_t tasks, learned; /* learned by every counted run; 0 of episodes */
    bool is_whole;          /* the counted runs did all that they were asked to */
    bool is_empty;          /* nothing was learned that could be scored */
    double *matrix;         /* [tasks + 1][tasks], means over the counted runs */
    pdi_stat *average;      /* [learned]: over tasks 0..i, after task i */
    pdi_stat acc;           /* pdr_result_score(); se as in pdi_step */
    pdi_stat forgetting, bwt, fwt, rmse, mae, seconds, memory;
    bool is_percent; /* the metric is accuracy */
    bool is_loss;    /* the score is a loss: lower is better */
    bool is_regression;
    bool is_meta;          /* episodes: the next four */
    int32_t steps, scored; /* of adaptation; those after which acc was measured */
    uint64_t episodes;     /* tested by each run */
    pdi_step *step;        /* [steps + 1] */
    bool is_bound;         /* it saw all tasks at once: an upper bound, never the best */
    char *numbered;        /* [tasks][PDI_TASK_NUMBERED]: "task 3"; NULL where the counted runs
                              agree on what every task is called */
    char *label;           /* the recipe, and more where that is not unique */
    char *name; /* for people: the method's title where that is unique; for one task, where
                   all methods do the same, the label */
} pdi_group;

typedef struct pdi_groups {
    const pdr_alloc *alloc;
    size_t n;
    pdi_group *group;
    bool is_one_task;   /* no group has more than one task: nothing can be forgotten */
    bool is_episodes;   /* all groups are of episodes */
    bool is_comparable; /* same data, scenario, metric and tasks: a best one makes sense */
} pdi_groups;

/* Gather n >= 1 runs, in order of first appearance.  The groups borrow the runs. */
pdr_rc pdi_groups_open(pdi_groups *g, const pdr_alloc *alloc, size_t n,
                       const pdr_result *const runs[], pdr_error *err);
void pdi_groups_close(pdi_groups *g);

/* What a caption says below the name: the label, or the method where that is the name. */
const char *pdi_group_note(const pdi_group *g);

/* Mean score on task j after learning task i, i from -1. */
double pdi_group_at(const pdi_group *g, int32_t i, int32_t j);

/* Forgetting and transfer say something: there are tasks, and they were learned in turn. */
bool pdi_group_is_in_turn(const pdi_group *g);

/* What one run calls task j: never NULL, never "". */
const char *pdi_run_task(const pdr_result *r, int32_t j);

/* What task j is called by every counted run, or "task 3" where they differ (classes were
 * assigned by seed): never NULL, never "". */
const char *pdi_group_task(const pdi_group *g, int32_t j);

/* The same without a leading "task 3: ", for places that show the number anyway; "" when
 * the number is all there is to it. */
const char *pdi_group_task_short(const pdi_group *g, int32_t j);

/* What a score is called: "accuracy", "R2 with a superscript", "MSE", "score". */
const char *pdi_group_metric(const pdi_group *g);

/* A number of steps that is worth a line: all of up to 12, then 0, 1, 2, 5, 10, 20, 50, ...,
 * the scored one and the last. */
bool pdi_group_shows_step(const pdi_group *g, int32_t step);

/* Whether note i of run m was given by an earlier run of the group already. */
bool pdi_group_knows_note(const pdi_group *g, size_t m, size_t i);

/* Whether figures have a +-: there are several runs, or the mean is one over episodes. */
bool pdi_group_has_spread(const pdi_group *g);

/* The best group in the column of figures at offset `at` in pdi_group, among those that compete:
 * that are whole and no upper bounds.  better: 1 when high is good, -1 when low is; among
 * losses a score's is turned round.  None is the best among fewer than two, among equals, or of
 * different problems. */
bool pdi_groups_is_best(const pdi_groups *g, size_t k, size_t at, int better);
bool pdi_group_competes(const pdi_group *g);

/* A group with more than one task. */
bool pdi_group_is_continual(const pdi_group *g);

#endif
