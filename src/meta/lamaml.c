/* meta/lamaml.c -- look-ahead meta-learning for a stream.
 *
 * Gupta, Yadav & Paull, "Look-ahead meta learning for continual learning", NeurIPS 2020,
 * algorithms 1 (C-MAML) and 2 (La-MAML), and the synchronous form of section 4.3.
 *
 *     θ_0 = θ,  θ_j = θ_{j-1} − relu(α) ∇ℓ(θ_{j-1}; x_j)         for the n examples of the batch
 *     M(θ, α) = 1/n Σ_j L(θ_j; batch and replay)
 *     α ← α − η ∇_α M,   then   θ ← θ − relu(α) ∇_θ M            rates: learned
 *     α ← α − η ∇_α M,          θ ← θ − η speed ∇_θ M            rates: synchronous
 *                               θ ← θ − η ∇_θ M                  rates: fixed (C-MAML)
 *
 * Products of α with a gradient are element by element.  The inner gradients count as
 * constants unless second_order: ∇_θ M is then the mean of the gradients at θ_1 .. θ_n, and
 * ∇_α M = −Σ_j ∇ℓ(θ_{j-1}; x_j) 1/n Σ_{i>=j} ∇L(θ_i) where α > 0.  η and its rule are the
 * optimiser's; a batch is seen as often as training.glances says, with other replay each time.
 *
 * State: alpha, α, one rate an entry of θ (none when fixed), and the memory, a reservoir. */
#include "method/methods.h"

typedef struct lamaml {
    int64_t memory, batch;
    int rates;
    double alpha, speed;
    bool second_order;
} lamaml;

enum { LAMAML_LEARNED, LAMAML_SYNCHRONOUS, LAMAML_FIXED };
static const char *const lamaml_rates[] = {"learned", "synchronous", "fixed", NULL};

static const pdr_option lamaml_options[] = {
    PDR_OPTION_COUNT(lamaml, memory, 200, 1, 1e8, "examples kept, a reservoir over the stream"),
    PDR_OPTION_COUNT(lamaml, batch, 0, 0, 1e6, "replayed examples a step; 0: as many as new ones"),
    PDR_OPTION_CHOICE(lamaml, rates, lamaml_rates, LAMAML_LEARNED,
                      "of the inner loop: learned and used for the weights too (La-MAML), "
                      "learned beside them (Sync), or fixed (C-MAML)"),
    PDR_OPTION_REAL(lamaml, alpha, 0.15, 0.0, 1e3, "α: the inner loop's rates at the start"),
    PDR_OPTION_REAL(lamaml, speed, 1.0, 0.0, 1e6,
                    "synchronous: the weights' step, times the optimizer's"),
    PDR_OPTION_FLAG(lamaml, second_order, false, "differentiate through the inner gradients"),
    PDR_OPTION_END,
};

static bool lamaml_memory(const void *self, const pdr_setting *setting, pdr_memory_spec *spec)
{
    const lamaml *o = self;
    (void)setting;
    spec->policy = PDR_MEMORY_RESERVOIR;
    spec->size = o->memory;
    spec->while_learning = true;
    return true;
}

/* −relu(α), for each parameter; what is learned is trained, before θ. */
static pdr_tensors lamaml_minus(pdr_build *b, const lamaml *o, pdr_tensors theta)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors minus = pdr_build_tensors(b);
    bool fixed = o->rates == LAMAML_FIXED;
    pdr_tensors alpha = fixed ? minus : pdr_build_state_at(b, "alpha", o->alpha);

    for (size_t i = 0; i < theta.n; i++)
        minus.v[i] = fixed ? pdr_scalar(g, -o->alpha) : pdr_neg(g, pdr_relu(g, alpha.v[i]));
    if (!fixed) pdr_build_train(b, alpha);
    pdr_build_train(b, theta);
    return minus;
}

/* θ_j from θ_{j-1} and one example. */
static pdr_tensors lamaml_inner(pdr_build *b, const lamaml *o, pdr_tensors theta, pdr_tensors minus,
                                pdr_batch one)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors next = pdr_build_tensors(b);
    pdr_grad(g, pdr_build_loss(b, theta, one), theta.n, theta.v, next.v);
    for (size_t i = 0; i < theta.n; i++) {
        pdr_node d = o->second_order ? next.v[i] : pdr_stop(g, next.v[i]);
        next.v[i] = pdr_add(g, theta.v[i], pdr_mul(g, minus.v[i], d));
    }
    return next;
}

/* L(θ; batch and replay): a mean over both, over the batch alone while have is 0.  Both go
 * through the model at once. */
static pdr_node lamaml_outer(pdr_build *b, pdr_tensors theta, pdr_batch now, pdr_batch then,
                             pdr_node have)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_batch both = {.size = now.size + then.size, .x = pdr_concat(g, now.x, then.x, 0)};
    if (now.mask.id) both.mask = pdr_concat(g, now.mask, then.mask, 0);
    pdr_node y = pdr_build_logits(b, theta, both);
    pdr_node new = pdr_build_loss_of(b, pdr_slice(g, y, 0, 0, now.size, 1), now);
    pdr_node old = pdr_build_loss_of(b, pdr_slice(g, y, 0, now.size, then.size, 1), then);
    pdr_node share = pdr_scale(g, (double)then.size / both.size, have);
    return pdr_add(g, new, pdr_mul(g, share, pdr_sub(g, old, new)));
}

static pdr_node lamaml_loss(pdr_build *b, const void *self)
{
    const lamaml *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), minus = lamaml_minus(b, o, theta);
    pdr_batch now = pdr_build_batch(b), then;
    pdr_node have = {0}, sum = pdr_scalar(g, 0);

    if (!pdr_build_replay(b, o->batch ? (int32_t)o->batch : now.size, &then, &have)) return have;
    for (int32_t j = 0; j < now.size; j++) {
        theta = lamaml_inner(b, o, theta, minus, pdr_build_rows(b, now, j, 1));
        sum = pdr_add(g, sum, lamaml_outer(b, theta, now, then, have));
    }
    return pdr_scale(g, 1.0 / now.size, sum);
}

/* What is trained are the tensors of α, then those of θ. */
static void lamaml_update(pdr_build *b, const void *self, pdr_tensors trained, pdr_tensors grad,
                          pdr_tensors next)
{
    const lamaml *o = self;
    pdr_graph *g = pdr_build_graph(b);
    size_t n = trained.n / 2;
    if (o->rates == LAMAML_FIXED) return;
    for (size_t i = n; i < trained.n; i++) {
        pdr_node step = o->rates == LAMAML_LEARNED
                            ? pdr_mul(g, pdr_relu(g, next.v[i - n]), grad.v[i])
                            : pdr_scale(g, o->speed, pdr_sub(g, trained.v[i], next.v[i]));
        next.v[i] = pdr_sub(g, trained.v[i], step);
    }
}

const pdr_method pdi_method_lamaml = {
    .kind =
        {
            .name = "la-maml",
            .title = "Look-ahead meta-learning",
            .cite = "Gupta, Yadav & Paull, Look-ahead meta learning for continual learning, "
                    "NeurIPS 2020",
            .equation = "θ_j = θ_{j-1} - relu(α) ∇l(θ_{j-1}; x_j),  M = 1/n Σ_j L(θ_j; batch and "
                        "replay)\n"
                        "α <- α - η ∇_α M;  θ <- θ - relu(α) ∇_θ M",
            .cost = "memory: the examples kept and a rate a parameter; time: 2 n times plain "
                    "training, n the batch",
            .self_size = sizeof(lamaml),
            .options = lamaml_options,
        },
    .memory = lamaml_memory,
    .loss = lamaml_loss,
    .update = lamaml_update,
};
