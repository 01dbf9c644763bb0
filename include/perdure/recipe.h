/* perdure/recipe.h -- an experiment, written down.
 *
 * A recipe is YAML.  Every key comes from an option table, so an unknown key, a
 * wrong type or a value out of range is refused with file, line, key and what
 * would be right.
 *
 *     data:      {name: mnist}
 *     scenario:  {type: class-incremental, split: classes, tasks: 5}
 *     model:
 *       - {layer: dense, units: 400}
 *       - {layer: relu}
 *     method:    {name: er, per_class: 100}
 *     optimizer: {name: adam, rate: 0.001}
 *     training:  {batch: 128, iterations: 2000}
 *     seed: 1
 *
 * The output layer is not written: the scenario knows how many outputs there are.
 * data and method are required, but for data where `episodes: {family: sinusoid}` makes
 * them; everything else has defaults.  An empty model
 * is linear or logistic regression.  A method, an optimizer or a layer whose options
 * are all at their defaults may be written as its name alone (`method: finetune`).
 * Nothing, or null, is a section at its defaults, and a text option that is not given.
 * Files named under data are looked for from the folder the program runs in.
 *
 * ERRORS    "recipes/x.yaml:7:3: training.bach: there is no such key; did you mean
 *           'batch'?"
 * OWNERSHIP The recipe owns everything in it; close it.
 */
#ifndef PERDURE_RECIPE_H
#define PERDURE_RECIPE_H

#include <perdure/episode.h>
#include <perdure/kind.h>
#include <perdure/method.h>
#include <perdure/opt.h>
#include <perdure/scenario.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The recipe's `training:` section. */
typedef struct pdr_training {
    int64_t batch;        /* examples a step */
    int64_t iterations;   /* steps a task; 0: count by epochs */
    int64_t epochs;       /* passes over a task when iterations is 0 */
    int64_t glances;      /* steps on each batch before the next */
    int loss;             /* pdr_loss_kind; auto: cross-entropy, or mse for real targets */
    double l2;            /* weight of half the squared norm of all weights in the loss */
    int schedule;         /* pdr_schedule_kind, over the steps of one task */
    int64_t warmup;       /* steps of linear rise at the start */
    double decay;         /* step and exponential: factor */
    int64_t decay_every;  /* step and exponential: steps between factors */
    double clip_norm;     /* bound on the gradient's global norm; 0: none */
    double clip_value;    /* bound on each gradient entry; 0: none */
    bool reset_optimizer; /* forget optimiser state when a task, or a phase of it, starts */
} pdr_training;

extern const pdr_option pdr_training_option_table[];

/* The recipe's `learner:` section: for a learner file, which perdure/learner.h keeps. */
typedef struct pdr_learner_options {
    int64_t classes;      /* outputs there is room for at first; fewer than classes: as many */
    int64_t most_classes; /* room doubles when it is full, up to this */
    int64_t tasks;        /* named tasks there is room for at first */
    int64_t most_tasks;
    bool normalise;      /* features by their running mean and variance */
    int64_t window;      /* examples of the rolling accuracy */
    int64_t journal;     /* bytes of journal after which the state is written */
    int64_t adapt_steps; /* on the few examples of something new */
    double adapt_rate;   /* of these steps, as a share of the optimizer's */
    int64_t asked;       /* examples asked by id, the newest, that are kept for their labels */
} pdr_learner_options;

extern const pdr_option pdr_learner_option_table[];

/* The recipe's `published:` section: what others report for this experiment, and what a
 * mean over seeds is held to.  It is about the recipe and changes nothing of a run, so
 * pdr_recipe_write() leaves it out.  Bounds are in the unit that results are shown in: per
 * cent for accuracy, else the metric's own. */
typedef struct pdr_published {
    char *figure;       /* "88.79 +- 0.20 %"; NULL: none is published */
    char *source;       /* "van de Ven et al. 2022" */
    double least, most; /* 0: no such bound */
    char *why;          /* ours misses the bound, or differs from the figure */
} pdr_published;

extern const pdr_option pdr_published_option_table[];

typedef struct pdr_recipe {
    const pdr_alloc *alloc;
    char *name; /* file name without folder and .yaml */
    pdr_data_options data;
    pdr_scenario scenario;
    bool has_episodes; /* the section stands in the file, or a --set was for it */
    pdr_episode_options episodes;
    pdr_training training;
    pdr_choice method, optimizer;
    size_t layers;
    pdr_choice *layer;
    uint64_t seed;
    bool has_learner; /* as has_episodes */
    pdr_learner_options learner;
    pdr_published published;
    void *text_store; /* strings that options point into */
} pdr_recipe;

/* Read path and apply n_set assignments ("training.batch=64", "method.memory=500",
 * "model.0.units=100", "method=er" changes the kind).  On failure *out is empty. */
pdr_rc pdr_recipe_read(const pdr_alloc *alloc, const char *path, size_t n_set,
                       const char *const set[], pdr_recipe *out, pdr_error *err);

/* The same from text; path is used in messages and for the name. */
pdr_rc pdr_recipe_parse(const pdr_alloc *alloc, const char *path, const char *text, size_t size,
                        size_t n_set, const char *const set[], pdr_recipe *out, pdr_error *err);

/* The recipe as YAML with every option of a run written out; reading it back gives a recipe
 * that runs the same.  The caller frees it through alloc.  NULL when out of memory. */
char *pdr_recipe_write(const pdr_recipe *r);

void pdr_recipe_close(pdr_recipe *r);

#ifdef __cplusplus
}
#endif
#endif
