/* recipe_kinds.h -- methods, optimizers and layers for tests of the recipe reader.
 *
 * Every type of option is there, and kinds without any. */
#ifndef RECIPE_KINDS_H
#define RECIPE_KINDS_H

#include <perdure/kind.h>
#include <string.h>

typedef struct {
    int64_t memory;
    double lambda;
    bool balanced;
    int policy;
    const char *note;
} kinds_er;

typedef struct {
    double rate, momentum;
} kinds_sgd;

typedef struct {
    int64_t units;
    bool bias;
    int init;
} kinds_dense;

static const char *const kinds_policies[] = {"reservoir", "ring", NULL};
static const char *const kinds_inits[] = {"he", "glorot", NULL};

static const pdr_option kinds_er_options[] = {
    PDR_OPTION_COUNT(kinds_er, memory, 200, 1, 1e9, "examples kept"),
    PDR_OPTION_REAL(kinds_er, lambda, 0.5, 0, 1e12, "weight of the replayed loss"),
    PDR_OPTION_FLAG(kinds_er, balanced, true, "as many of every class"),
    PDR_OPTION_CHOICE(kinds_er, policy, kinds_policies, 0, "which examples stay"),
    PDR_OPTION_TEXT(kinds_er, note, "none", "anything"),
    PDR_OPTION_END,
};
static const pdr_option kinds_sgd_options[] = {
    PDR_OPTION_REAL(kinds_sgd, rate, 0.1, 0, 1e3, "learning rate"),
    PDR_OPTION_REAL(kinds_sgd, momentum, 0, 0, 1, "momentum"),
    PDR_OPTION_END,
};
static const pdr_option kinds_dense_options[] = {
    PDR_OPTION_COUNT(kinds_dense, units, 100, 1, 1e6, "outputs"),
    PDR_OPTION_FLAG(kinds_dense, bias, true, "add a bias"),
    PDR_OPTION_CHOICE(kinds_dense, init, kinds_inits, 0, "initial weights"),
    PDR_OPTION_END,
};
static const pdr_option kinds_no_options[] = {PDR_OPTION_END};

static const pdr_kind kinds_all[3][3] = {
    {{"finetune", "Plain training", NULL, NULL, NULL, 0, kinds_no_options},
     {"er", "Experience replay", "Chaudhry et al. 2019", "L = L_new + lambda L_memory",
      "twice the time of plain training", sizeof(kinds_er), kinds_er_options}},
    {{"sgd", "Stochastic gradient descent", NULL, NULL, NULL, sizeof(kinds_sgd), kinds_sgd_options},
     {"adam", "Adam", NULL, NULL, NULL, sizeof(kinds_sgd), kinds_sgd_options}},
    {{"dense", "Fully connected", NULL, NULL, NULL, sizeof(kinds_dense), kinds_dense_options},
     {"relu", "Rectifier", NULL, NULL, NULL, 0, kinds_no_options},
     {"flatten", "Flatten", NULL, NULL, NULL, 0, kinds_no_options}},
};

static inline const pdr_kind *kinds_at(pdr_kind_group group, size_t i)
{
    return i < 3 && kinds_all[group][i].name ? &kinds_all[group][i] : NULL;
}

static inline const pdr_kind *kinds_find(pdr_kind_group group, const char *name)
{
    const pdr_kind *k;
    for (size_t i = 0; (k = kinds_at(group, i)) != NULL; i++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}

#endif
