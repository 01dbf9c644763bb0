/* meta/reptile.c -- Reptile: towards where each task's training leads.
 *
 * Nichol, Achiam & Schulman, "On first-order meta-learning algorithms", 2018, algorithm 2.
 * For the episodes i of a step:
 *
 *     θᵢ ← U(θᵢ, ∇ L_part(θᵢ))           steps times, from θᵢ = θ; U: Adam (β₁ = 0) or SGD
 *     θ  ← θ − ε (θ − meanᵢ θᵢ)          ε and the rule are the optimiser's: sgd, rate 1,
 *                                        schedule linear in the paper
 *
 * What the optimiser sees as a gradient, θ − meanᵢ θᵢ, is none of any loss.  A step of
 * adaptation takes a part of the support set, at most `batch` examples of it, every
 * count-th one; rows go by class, so a part has as many of each class as can be, and
 * the parts follow each other until all examples were used, then again.
 *
 * Adam's state goes from step to step (the mean over the episodes), as in the authors'
 * code, so that an episode need not begin with a poor estimate of the squares; a test
 * begins every episode from the state that training ended with, and keeps nothing.
 *
 * State: inner, the rule's. */
#include <stdio.h>

#include "method/methods.h"
#include "opt/optimizers.h"

typedef struct reptile {
    int64_t steps, batch, test_batch;
    int inner;
    double rate;
} reptile;

static const char *const reptile_inner[] = {"adam", "sgd", NULL};

static const pdr_option reptile_options[] = {
    PDR_OPTION_COUNT(reptile, steps, 5, 1, 1000, "steps of adaptation in training"),
    PDR_OPTION_COUNT(reptile, batch, 10, 1, 1e6, "examples of such a step"),
    PDR_OPTION_COUNT(reptile, test_batch, 0, 0, 1e6, "examples of a step in a test; 0: as batch"),
    PDR_OPTION_CHOICE(reptile, inner, reptile_inner, 0, "rule of adaptation; adam has beta1 = 0"),
    PDR_OPTION_REAL(reptile, rate, 0.001, 0, 1e3, "learning rate of adaptation"),
    PDR_OPTION_END,
};

/* ---- U ------------------------------------------------------------------------------ */

typedef struct reptile_rule {
    pdr_choice of;
    double room[16]; /* its options */
    pdr_tensors state;
} reptile_rule;

/* The rule's shared numbers, then its tensors, as inputs. */
static void reptile_state(pdr_build *b, pdr_tensors theta, reptile_rule *u)
{
    size_t scalars = pdr_optimizer_states(&u->of, 0);
    u->state = pdr_build_list(b, pdr_optimizer_states(&u->of, theta.n));
    for (size_t i = 0; i < u->state.n; i++) {
        char name[32];
        float start;
        pdr_shape of = PDR_SCALAR;
        if (i >= scalars) of = pdr_node_shape(pdr_build_graph(b), theta.v[(i - scalars) % theta.n]);
        of = pdr_optimizer_state(&u->of, 1, &of, i, &start);
        snprintf(name, sizeof name, "inner/%zu", i);
        u->state.v[i] = pdr_build_tensor(b, name, of, (double)start);
    }
}

static void reptile_open(pdr_build *b, const reptile *o, pdr_tensors theta, reptile_rule *u)
{
    pdr_error err;
    const pdr_kind *kind = o->inner ? &pdi_optimizer_sgd.kind : &pdi_optimizer_adam.kind;
    const pdr_option *beta1 = pdr_option_find(kind->options, "beta1");
    u->of = (pdr_choice){kind, u->room};
    pdr_option_defaults(kind->options, u->room);
    if (beta1) pdr_option_set(beta1, u->room, "0", &err);
    reptile_state(b, theta, u);
}

/* ---- adaptation ---------------------------------------------------------------------- */

/* theta and the rule's state become what they are after so many steps.  Returns the mean of
 * the losses on the way. */
static pdr_node reptile_adapt(pdr_build *b, const reptile *o, int32_t steps, int64_t batch,
                              pdr_tensors theta, reptile_rule *u)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors d = pdr_build_tensors(b), next = pdr_build_tensors(b);
    pdr_tensors state = pdr_build_list(b, u->state.n);
    pdr_node rate = pdr_scalar(g, o->rate), total = pdr_scalar(g, 0);
    pdr_batch support = pdr_build_episode(b).support;
    int32_t parts = (int32_t)((support.size - 1) / batch + 1);
    bool enough = u->state.n == pdr_optimizer_states(&u->of, theta.n) && state.n == u->state.n;
    for (int32_t k = 0; k < steps && enough; k++) {
        pdr_node loss = pdr_build_loss(b, theta, pdr_build_part(b, support, k % parts, parts));
        total = pdr_add(g, total, loss);
        pdr_grad(g, loss, theta.n, theta.v, d.v);
        pdr_optimizer_update(&u->of, g, theta.n, theta.v, d.v, NULL, rate, u->state.v, next.v,
                             state.v);
        for (size_t i = 0; i < theta.n; i++) theta.v[i] = next.v[i];
        for (size_t i = 0; i < state.n; i++) u->state.v[i] = state.v[i];
    }
    return pdr_scale(g, 1.0 / (steps ? steps : 1), total);
}

/* ---- the method ----------------------------------------------------------------------- */

/* What is told, and not descended: the loss on the way. */
static pdr_node reptile_loss(pdr_build *b, const void *self)
{
    const reptile *o = self;
    reptile_rule u;
    pdr_tensors theta = pdr_build_params(b);
    reptile_open(b, o, theta, &u);
    pdr_node loss = reptile_adapt(b, o, pdr_build_steps(b, o->steps), o->batch, theta, &u);
    return pdr_build_mean(b, pdr_stop(pdr_build_graph(b), loss));
}

/* grad = θ − meanᵢ θᵢ; the rule's state becomes its mean. */
static void reptile_gradient(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad)
{
    const reptile *o = self;
    pdr_graph *g = pdr_build_graph(b);
    reptile_rule u, start;
    pdr_tensors moved = pdr_build_params(b);
    reptile_open(b, o, theta, &start);
    reptile_open(b, o, theta, &u);
    reptile_adapt(b, o, pdr_build_steps(b, o->steps), o->batch, moved, &u);
    pdr_build_map(b, moved.n, moved.v, moved.v);
    pdr_build_map(b, u.state.n, u.state.v, u.state.v);
    for (size_t i = 0; i < grad.n; i++)
        grad.v[i] = pdr_sub(g, theta.v[i], pdr_mean(g, moved.v[i], 1u));
    for (size_t i = 0; i < u.state.n; i++) u.state.v[i] = pdr_mean(g, u.state.v[i], 1u);
    pdr_build_set(b, start.state, u.state);
}

static pdr_node reptile_predict(pdr_build *b, const void *self, pdr_batch query)
{
    const reptile *o = self;
    reptile_rule u;
    pdr_tensors theta = pdr_build_params(b);
    int64_t batch = o->test_batch ? o->test_batch : o->batch;
    reptile_open(b, o, theta, &u);
    reptile_adapt(b, o, pdr_build_steps(b, o->steps), batch, theta, &u);
    return pdr_build_logits(b, theta, query);
}

const pdr_method pdi_method_reptile = {
    .kind =
        {
            .name = "reptile",
            .title = "Reptile",
            .cite = "Nichol, Achiam & Schulman, On first-order meta-learning algorithms, 2018",
            .equation = "θ_i <- U(θ_i, ∇ L_part(θ_i))   steps times, from θ\n"
                        "θ <- θ - ε (θ - mean_i θ_i)",
            .cost = "memory: of the inner rule, two tensors a parameter for adam; time: a plain "
                    "gradient for each step",
            .self_size = sizeof(reptile),
            .options = reptile_options,
        },
    .data = PDR_DATA_EPISODES,
    .loss = reptile_loss,
    .gradient = reptile_gradient,
    .predict = reptile_predict,
};
