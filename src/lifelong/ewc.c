/* lifelong/ewc.c -- elastic weight consolidation, offline and online.
 *
 * Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks",
 * PNAS 114(13), 2017, equation 3; running Fisher as in Schwarz et al., "Progress
 * & Compress", ICML 2018.
 *
 *     L(θ) = L_task(θ) + λ/2 Σ_k Σᵢ F_kᵢ (θᵢ − θ*_kᵢ)²       offline, a term a task k
 *     L(θ) = L_task(θ) + λ/2 Σᵢ Fᵢ (θᵢ − θ*ᵢ)²,  F ← γ F + F_k  online
 *     F_k  = E_x Σ_y p(y|x,θ*) (∂ log p(y|x,θ*) / ∂θ)²          when task k ends
 *
 * A sum of quadratics is a quadratic: Σ_k F_k (θ − θ*_k)² = F (θ − c)² + const with
 * F = Σ_k F_k and c = Σ_k F_k θ*_k / F.  So the offline form keeps two tensors a
 * parameter too, whatever the number of tasks.  (The constant is left out.)
 *
 * State: fisher F, anchor (c or θ*), and gathered, the F_k being summed.  All start
 * at zero, which makes the penalty vanish on the first task. */
#include "method/methods.h"

typedef struct ewc {
    double lambda, gamma;
    bool online;
    int labels;
    int64_t samples;
} ewc;

enum { EWC_ALL, EWC_TRUE };
static const char *const ewc_labels[] = {"all", "true", NULL};

static const pdr_option ewc_options[] = {
    PDR_OPTION_REAL(ewc, lambda, 1000.0, 0.0, 1e15, "strength of the penalty"),
    PDR_OPTION_FLAG(ewc, online, false, "one running Fisher around the latest parameters"),
    PDR_OPTION_REAL(ewc, gamma, 1.0, 0.0, 1.0, "online: how much of the old Fisher to keep"),
    PDR_OPTION_CHOICE(ewc, labels, ewc_labels, 0,
                      "labels in the Fisher: all by probability, or the true one"),
    PDR_OPTION_COUNT(ewc, samples, 0, 0, 1e9,
                     "examples the Fisher is estimated on; 0: the whole task"),
    PDR_OPTION_END,
};

static pdr_node ewc_loss(pdr_build *b, const void *self)
{
    const ewc *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b);
    pdr_tensors fisher = pdr_build_state(b, "fisher"), anchor = pdr_build_state(b, "anchor");
    pdr_node loss = pdr_build_loss(b, theta, pdr_build_batch(b));
    pdr_node penalty = pdr_scalar(g, 0);

    if (pdr_build_task(b) == 0) return loss;
    for (size_t i = 0; i < theta.n; i++) {
        pdr_node d = pdr_square(g, pdr_sub(g, theta.v[i], anchor.v[i]));
        penalty = pdr_add(g, penalty, pdr_sum_all(g, pdr_mul(g, fisher.v[i], d)));
    }
    return pdr_add(g, loss, pdr_scale(g, o->lambda / 2, penalty));
}

/* √p(y|x) log p(y|x) for one example and label y.  p counts as a constant, so the
 * squared gradient is p (∂ log p / ∂θ)², the label's share of the Fisher. */
static pdr_node ewc_score(pdr_graph *g, pdr_node log_p, pdr_node one_hot, bool weigh)
{
    pdr_node score = pdr_sum_all(g, pdr_mul(g, log_p, one_hot));
    if (!weigh) return score;
    return pdr_mul(g, pdr_stop(g, pdr_exp(g, pdr_scale(g, 0.5, score))), score);
}

/* gathered ← gathered + Σ over the batch and the labels of squared scores. */
static void ewc_pass(pdr_build *b, const void *self)
{
    const ewc *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), gathered = pdr_build_state(b, "gathered");
    pdr_tensors next = pdr_build_tensors(b), score = pdr_build_tensors(b);
    pdr_batch one = pdr_build_example(b);
    int32_t outputs = pdr_build_outputs(b), labels = o->labels == EWC_ALL ? outputs : 1;
    pdr_node log_p = pdr_log_softmax(g, pdr_build_logits(b, theta, one));

    for (size_t i = 0; i < theta.n; i++) next.v[i] = gathered.v[i];
    for (int32_t y = 0; y < labels; y++) {
        if (o->labels == EWC_ALL && !pdr_build_allows(b, y)) continue; /* p is 0 */
        pdr_node every = pdr_iota(g, pdr_node_shape(g, log_p), 1);
        pdr_node hot = o->labels == EWC_ALL ? pdr_eq(g, every, pdr_scalar(g, y))
                                            : pdr_one_hot(g, one.label, outputs);
        pdr_grad(g, ewc_score(g, log_p, hot, o->labels == EWC_ALL), theta.n, theta.v, score.v);
        for (size_t i = 0; i < theta.n; i++) score.v[i] = pdr_square(g, score.v[i]);
        pdr_build_map(b, theta.n, score.v, score.v);
        for (size_t i = 0; i < theta.n; i++)
            next.v[i] = pdr_add(g, next.v[i], pdr_sum(g, score.v[i], 1u));
    }
    pdr_build_set(b, gathered, next);
}

static int64_t ewc_pass_examples(const void *self) { return ((const ewc *)self)->samples; }

static void ewc_task_end(pdr_build *b, const void *self)
{
    const ewc *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), gathered = pdr_build_state(b, "gathered");
    pdr_tensors fisher = pdr_build_state(b, "fisher"), anchor = pdr_build_state(b, "anchor");
    pdr_tensors f = pdr_build_tensors(b), c = pdr_build_tensors(b), zero = pdr_build_tensors(b);
    double mean = 1.0 / (double)pdr_build_passed(b);

    for (size_t i = 0; i < theta.n; i++) {
        pdr_node f_k = pdr_scale(g, mean, gathered.v[i]);
        pdr_node old = o->online ? pdr_scale(g, o->gamma, fisher.v[i]) : fisher.v[i];
        f.v[i] = pdr_add(g, old, f_k);
        /* c ← c + (F_k / F) (θ* − c), where F is not 0 */
        pdr_node some = pdr_lt(g, pdr_scalar(g, 0), f.v[i]);
        pdr_node share = pdr_div(g, f_k, pdr_where(g, some, f.v[i], pdr_scalar(g, 1)));
        pdr_node moved = pdr_add(g, anchor.v[i],
                                 pdr_mul(g, share, pdr_sub(g, theta.v[i], anchor.v[i])));
        c.v[i] = o->online ? theta.v[i] : moved;
        zero.v[i] = pdr_like(g, theta.v[i], 0);
    }
    pdr_build_set(b, fisher, f);
    pdr_build_set(b, anchor, c);
    pdr_build_set(b, gathered, zero);
}

static const char *ewc_caution(const void *self, const pdr_setting *s)
{
    (void)self;
    return s->is_class_incremental
               ? "ewc keeps parameters near, but never sees classes of two tasks together: in "
                 "class-incremental learning it forgets as finetune does; er replays examples"
               : NULL;
}

const pdr_method pdi_method_ewc = {
    .kind =
        {
            .name = "ewc",
            .title = "Elastic weight consolidation",
            .cite = "Kirkpatrick et al., Overcoming catastrophic forgetting in neural networks, "
                    "PNAS 2017; online: Schwarz et al., Progress & Compress, ICML 2018",
            .equation = "L(θ) = L_task(θ) + λ/2 Σ_k Σ_i F_ki (θ_i - θ*_ki)²\n"
                        "F_k = E_x Σ_y p(y|x) (∂ log p(y|x) / ∂θ)²   when task k ends",
            .cost = "memory: three times the parameters; time: one pass over the task when it ends",
            .self_size = sizeof(ewc),
            .options = ewc_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_CLASSES,
    .caution = ewc_caution,
    .loss = ewc_loss,
    .task_pass = ewc_pass,
    .pass_examples = ewc_pass_examples,
    .task_end = ewc_task_end,
};
