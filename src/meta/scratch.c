/* meta/scratch.c -- no meta-learning: every episode's network is trained from the start.
 *
 *     θᵢ ~ the model's initial law
 *     θᵢ ← U(θᵢ, ∇ L_part(θᵢ))        steps times; U is the recipe's optimiser at its rate
 *
 * The lower bound of methods that adapt, and what a learned optimiser is measured by
 * (`optimizer:` says which rule and rate).  Nothing goes from episode to episode: a
 * training step tells the mean query loss after so many steps and changes nothing, so
 * rates can be chosen on training episodes.
 *
 * A step of U takes a part of the support set, at most `batch` examples of it, in turn.
 *
 * State: none. */
#include "method/methods.h"

typedef struct scratch {
    int64_t steps, batch;
} scratch;

static const pdr_option scratch_options[] = {
    PDR_OPTION_COUNT(scratch, steps, 100, 0, 1000, "steps of training for each episode"),
    PDR_OPTION_COUNT(scratch, batch, 0, 0, 1e6, "examples of such a step; 0: the support set"),
    PDR_OPTION_END,
};

/* U's state as it starts. */
static pdr_tensors scratch_state(pdr_build *b, const pdr_choice *rule, pdr_tensors theta)
{
    pdr_graph *g = pdr_build_graph(b);
    size_t scalars = pdr_optimizer_states(rule, 0);
    pdr_tensors state = pdr_build_list(b, pdr_optimizer_states(rule, theta.n));
    for (size_t i = 0; i < state.n; i++) {
        pdr_shape of = PDR_SCALAR;
        float start;
        if (i >= scalars) of = pdr_node_shape(g, theta.v[(i - scalars) % theta.n]);
        of = pdr_optimizer_state(rule, 1, &of, i < scalars ? i : scalars, &start);
        state.v[i] = pdr_fill(g, of, (double)start);
    }
    return state;
}

static pdr_tensors scratch_train(pdr_build *b, const scratch *o)
{
    pdr_graph *g = pdr_build_graph(b);
    const pdr_choice *rule = pdr_build_optimizer(b);
    pdr_batch support = pdr_build_episode(b).support;
    pdr_tensors theta = pdr_build_fresh(b, pdr_build_episode_key(b));
    pdr_tensors state = scratch_state(b, rule, theta), d = pdr_build_tensors(b);
    pdr_node rate = pdr_scalar(g, pdr_optimizer_rate(rule));
    int32_t steps = pdr_build_steps(b, o->steps), batch = o->batch ? (int32_t)o->batch : INT32_MAX;
    int32_t parts = (support.size - 1) / batch + 1;
    if (state.n != pdr_optimizer_states(rule, theta.n)) return theta;
    for (int32_t k = 0; k < steps; k++) {
        pdr_tensors next = pdr_build_tensors(b), after = pdr_build_list(b, state.n);
        if (after.n != state.n) return theta;
        pdr_node loss = pdr_build_loss(b, theta, pdr_build_part(b, support, k % parts, parts));
        pdr_grad(g, loss, theta.n, theta.v, d.v);
        pdr_optimizer_update(rule, g, theta.n, theta.v, d.v, NULL, rate, state.v, next.v, after.v);
        theta = next;
        state = after;
    }
    return theta;
}

static pdr_node scratch_loss(pdr_build *b, const void *self)
{
    return pdr_build_mean(b, pdr_build_loss(b, scratch_train(b, self), pdr_build_episode(b).query));
}

static pdr_node scratch_predict(pdr_build *b, const void *self, pdr_batch query)
{
    return pdr_build_logits(b, scratch_train(b, self), query);
}

const pdr_method pdi_method_scratch = {
    .kind =
        {
            .name = "scratch",
            .title = "Training from scratch",
            .equation = "θ_i <- U(θ_i, ∇ L_part(θ_i))   steps times, from fresh initial values",
            .cost = "memory: none; time: a plain gradient for each step",
            .self_size = sizeof(scratch),
            .options = scratch_options,
        },
    .data = PDR_DATA_EPISODES,
    .loss = scratch_loss,
    .predict = scratch_predict,
};
