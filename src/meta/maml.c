/* meta/maml.c -- model-agnostic meta-learning: exact, first-order, of the head alone, or
 * with learned rates.
 *
 * Finn, Abbeel & Levine, "Model-agnostic meta-learning for fast adaptation of deep
 * networks", ICML 2017, algorithms 1 and 2.  For the episodes i of a step:
 *
 *     θᵢ ← θᵢ − α ∇ L_support,i(θᵢ)           steps times, from θᵢ = θ
 *     θ  ← θ  − β ∇_θ meanᵢ L_query,i(θᵢ)     β and the rule are the optimiser's
 *
 * The inner gradient is made of nodes, so the outer one passes through it and is exact,
 * through batch statistics too.  first_order takes it as a constant (section 5.2).  anil
 * moves the output layer alone: Raghu et al., "Rapid learning or feature reuse?", ICLR
 * 2020.  learned_rates makes α a tensor like θ, of either sign, that is trained with θ:
 * Li et al., "Meta-SGD: learning to learn quickly for few-shot learning", 2017.
 *
 * L is a mean over examples.  The authors' code divides a sum by the shots, which at N
 * ways makes the same α a step N times as long: its 0.4 at 5-way is 2.0 here.
 *
 * State: alpha, one tensor a parameter, with learned_rates; else none. */
#include "method/methods.h"

typedef struct maml {
    int64_t steps;
    double alpha;
    bool first_order, anil, learned_rates;
} maml;

static const pdr_option maml_options[] = {
    PDR_OPTION_COUNT(maml, steps, 1, 1, 1000, "steps of adaptation in training"),
    PDR_OPTION_REAL(maml, alpha, 0.01, 0, 1e6, "inner rate, of a loss that is a mean"),
    PDR_OPTION_FLAG(maml, first_order, false, "take the inner gradient as a constant"),
    PDR_OPTION_FLAG(maml, anil, false, "adapt the output layer alone"),
    PDR_OPTION_FLAG(maml, learned_rates, false, "learn a rate for each parameter, from alpha on"),
    PDR_OPTION_END,
};

/* How far each parameter goes along its gradient. */
static pdr_tensors maml_rates(pdr_build *b, const maml *o)
{
    if (o->learned_rates) return pdr_build_state_at(b, "alpha", o->alpha);
    pdr_tensors rate = pdr_build_tensors(b);
    for (size_t i = 0; i < rate.n; i++) rate.v[i] = pdr_scalar(pdr_build_graph(b), o->alpha);
    return rate;
}

/* θᵢ, in place of θ. */
static void maml_adapt(pdr_build *b, const maml *o, int32_t steps, pdr_tensors rate,
                       pdr_tensors theta)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_batch support = pdr_build_episode(b).support;
    size_t first = o->anil ? theta.n - pdr_build_head(b) : 0;
    for (int32_t k = 0; k < steps; k++) {
        pdr_tensors d = pdr_build_tensors(b);
        pdr_grad(g, pdr_build_loss(b, theta, support), theta.n - first, theta.v + first,
                 d.v + first);
        for (size_t i = first; i < theta.n; i++) {
            pdr_node slope = o->first_order ? pdr_stop(g, d.v[i]) : d.v[i];
            theta.v[i] = pdr_sub(g, theta.v[i], pdr_mul(g, rate.v[i], slope));
        }
    }
}

static pdr_node maml_loss(pdr_build *b, const void *self)
{
    const maml *o = self;
    pdr_tensors theta = pdr_build_params(b), rate = maml_rates(b, o);
    if (o->learned_rates) {
        pdr_build_train(b, pdr_build_params(b));
        pdr_build_train(b, rate);
    }
    maml_adapt(b, o, pdr_build_steps(b, o->steps), rate, theta);
    return pdr_build_mean(b, pdr_build_loss(b, theta, pdr_build_episode(b).query));
}

static pdr_node maml_predict(pdr_build *b, const void *self, pdr_batch query)
{
    const maml *o = self;
    pdr_tensors theta = pdr_build_params(b);
    maml_adapt(b, o, pdr_build_steps(b, o->steps), maml_rates(b, o), theta);
    return pdr_build_logits(b, theta, query);
}

const pdr_method pdi_method_maml = {
    .kind =
        {
            .name = "maml",
            .title = "Model-agnostic meta-learning",
            .cite = "Finn, Abbeel & Levine, Model-agnostic meta-learning for fast adaptation of "
                    "deep networks, ICML 2017; anil: Raghu et al., Rapid learning or feature "
                    "reuse?, ICLR 2020; learned_rates: Li et al., Meta-SGD, 2017",
            .equation = "θ_i <- θ_i - α ∇ L_support,i(θ_i)   steps times, from θ\n"
                        "θ <- θ - β ∇_θ mean_i L_query,i(θ_i)",
            .cost = "memory: all steps' activations; time: about three times a plain gradient for "
                    "each step, once with first_order",
            .self_size = sizeof(maml),
            .options = maml_options,
        },
    .data = PDR_DATA_EPISODES,
    .loss = maml_loss,
    .predict = maml_predict,
};
