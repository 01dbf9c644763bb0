/* perdure/opt.h -- optimisers as nodes: parameters and gradients in, parameters out.
 *
 * An update is ordinary nodes, so it is planned with the gradient as one program,
 * and can itself be differentiated.  An optimiser's state is a list of tensors
 * that the caller keeps: pdr_optimizer_state() says how many and of what shape.
 *
 *     pdr_grad(g, loss, n, theta, grad);
 *     pdr_clip_norm(g, n, grad, 1.0);
 *     pdr_optimizer_update(&adam, g, n, theta, grad, NULL, rate, state, theta_new, state_new);
 *
 * ERRORS    As in perdure/graph.h: they stick to the graph.
 */
#ifndef PERDURE_OPT_H
#define PERDURE_OPT_H

#include <perdure/graph.h>
#include <perdure/kind.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PDR_OPT_SLOTS = 4 };

/* One parameter's update, as a kind of optimiser sees it. */
typedef struct pdr_update {
    pdr_node param, grad, rate;
    pdr_node slot[PDR_OPT_SLOTS];   /* this parameter's state */
    pdr_node scalar[PDR_OPT_SLOTS]; /* the numbers shared by all parameters, already advanced */
    bool is_weight;                 /* weight decay applies */
} pdr_update;

typedef struct pdr_optimizer_kind {
    pdr_kind kind;
    int (*slots)(const void *self); /* tensors a parameter, all starting at 0 */
    int scalars;                    /* numbers shared by all parameters, all starting at 1 */
    /* Advance the shared numbers by one step; may be NULL. */
    void (*advance)(pdr_graph *g, const void *self, const pdr_node scalar[], pdr_node next[]);
    /* The new parameter; new slots go to u->slot. */
    pdr_node (*update)(pdr_graph *g, const void *self, pdr_update *u);
} pdr_optimizer_kind;

/* How many state tensors n parameters need: the scalars, then slot 0 of every
 * parameter, slot 1 of every parameter, ... */
size_t pdr_optimizer_states(const pdr_choice *o, size_t n);

/* Shape and starting value of state tensor i. */
pdr_shape pdr_optimizer_state(const pdr_choice *o, size_t n, const pdr_shape param[], size_t i,
                              float *start);

/* The base learning rate that the options give. */
double pdr_optimizer_rate(const pdr_choice *o);

/* One step for n parameters.  rate is a scalar node, so that a schedule is one
 * number a step and no new plan.  is_weight may be NULL: all are weights.  next
 * and state_next may not alias param and state. */
void pdr_optimizer_update(const pdr_choice *o, pdr_graph *g, size_t n, const pdr_node param[],
                          const pdr_node grad[], const bool is_weight[], pdr_node rate,
                          const pdr_node state[], pdr_node next[], pdr_node state_next[]);

/* Scale all gradients so that their joint Euclidean norm is at most bound
 * (Pascanu et al. 2013); bound each entry to [-bound, bound].  What is within
 * the bound keeps its bits, and a NaN stays a NaN. */
void pdr_clip_norm(pdr_graph *g, size_t n, pdr_node grad[], double bound);
void pdr_clip_value(pdr_graph *g, size_t n, pdr_node grad[], double bound);

typedef enum pdr_schedule_kind {
    PDR_SCHEDULE_CONSTANT,
    PDR_SCHEDULE_STEP,        /* times decay every decay_every steps */
    PDR_SCHEDULE_EXPONENTIAL, /* the same, continuously */
    PDR_SCHEDULE_COSINE,      /* to 0 over the run, Loshchilov & Hutter 2017 */
    PDR_SCHEDULE_LINEAR       /* to 0 over the run */
} pdr_schedule_kind;

/* The run that a schedule counts begins where the warm-up ends. */
typedef struct pdr_schedule {
    int kind;       /* pdr_schedule_kind */
    int64_t warmup; /* steps of linear rise at the start: 1/warmup, 2/warmup, ... 1 */
    double decay;
    int64_t decay_every;
} pdr_schedule;

/* What the base rate is multiplied by at step (from 0) of total. */
double pdr_schedule_factor(const pdr_schedule *s, int64_t step, int64_t total);

#ifdef __cplusplus
}
#endif
#endif
