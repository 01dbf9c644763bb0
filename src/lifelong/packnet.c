/* lifelong/packnet.c -- tasks packed into one network by pruning.
 *
 * Mallya & Lazebnik, "PackNet: Adding multiple tasks to a single network by iterative
 * pruning", CVPR 2018, section 3.  For each task k
 *
 *     1. train the free weights, with those of tasks 1 .. k − 1 as they are
 *     2. in each layer prune the smallest of the free ones: wᵢ ← 0 where |wᵢ| < τ, with
 *        the least τ that prunes the given part; the others now belong to task k
 *     3. train those again, the pruned ones at 0
 *
 * and an answer for task t uses the weights that belong to tasks 1 .. t.  Biases, gains
 * and running statistics are frozen after task 1 (statistics being fixed, later tasks
 * are trained on the network as it is evaluated, without dropout).  A head, being the
 * task's own, is not pruned.
 *
 * State: owner, of each parameter: 0 free, k it belongs to task k. */
#include "method/methods.h"

#include <math.h>

typedef struct packnet {
    double prune, retrain;
} packnet;

static const pdr_option packnet_options[] = {
    PDR_OPTION_REAL(packnet, prune, 0.75, 0.0, 0.999, "part of a layer's free weights pruned"),
    PDR_OPTION_REAL(packnet, retrain, 0.5, 0.0, 100.0,
                    "steps after pruning, as a part of those before"),
    PDR_OPTION_END,
};

enum { PACKNET_TRAIN, PACKNET_RETRAIN, PACKNET_HALVINGS = 48 };

static double packnet_phase(const void *self, const pdr_setting *s, int32_t k)
{
    (void)s;
    return k == PACKNET_TRAIN ? 1 : k == PACKNET_RETRAIN ? ((const packnet *)self)->retrain : 0;
}

static pdr_tensors packnet_owner(pdr_build *b) { return pdr_build_state(b, "owner"); }

/* ---- learning ----------------------------------------------------------------------------- */

/* After task 1 the network with its running statistics as they are. */
static pdr_node packnet_loss(pdr_build *b, const void *self)
{
    (void)self;
    bool first = pdr_build_task(b) == 0;
    pdr_tensors theta = first ? pdr_build_params(b) : pdr_build_copy(b, "param");
    return pdr_build_loss(b, theta, pdr_build_batch(b));
}

/* 1 where a parameter is learned: free ones, and after pruning the task's own. */
static pdr_node packnet_learns(pdr_build *b, pdr_node owner)
{
    bool again = pdr_build_phase(b) == PACKNET_RETRAIN;
    pdr_graph *g = pdr_build_graph(b);
    return pdr_eq(g, owner, pdr_scalar(g, again ? pdr_build_task(b) + 1 : 0));
}

static void packnet_gradient(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors owner = packnet_owner(b);
    for (size_t i = 0; i < theta.n; i++)
        grad.v[i] = pdr_mul(g, grad.v[i], packnet_learns(b, owner.v[i]));
}

/* Neither momentum nor decay moves what is frozen. */
static void packnet_update(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad,
                           pdr_tensors next)
{
    (void)self;
    (void)grad;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors owner = packnet_owner(b);
    for (size_t i = 0; i < theta.n; i++)
        next.v[i] = pdr_where(g, packnet_learns(b, owner.v[i]), next.v[i], theta.v[i]);
}

/* ---- pruning -------------------------------------------------------------------------------- */

/* The least τ for which at least `part` of the free sizes are below it, by bisection:
 * at hi there are so many, at lo there are not. */
static pdr_node packnet_threshold(pdr_graph *g, pdr_node size, pdr_node is_free, double part)
{
    pdr_node most = size;
    while (pdr_node_shape(g, most).rank > 0) most = pdr_max(g, most, 0);
    pdr_node enough = pdr_scale(g, part, pdr_sum_all(g, is_free));
    pdr_node lo = pdr_scalar(g, 0), hi = pdr_scale(g, 2, most);
    for (int k = 0; k < PACKNET_HALVINGS; k++) {
        pdr_node middle = pdr_add(g, lo, pdr_scale(g, 0.5, pdr_sub(g, hi, lo)));
        pdr_node below = pdr_sum_all(g, pdr_mul(g, is_free, pdr_lt(g, size, middle)));
        pdr_node is_less = pdr_lt(g, below, enough);
        lo = pdr_where(g, is_less, middle, lo);
        hi = pdr_where(g, is_less, hi, middle);
    }
    return hi;
}

/* 1 where a weight outlives the pruning. */
static pdr_node packnet_keeps(const packnet *o, pdr_graph *g, pdr_node w, pdr_node is_free)
{
    pdr_node size = pdr_maximum(g, w, pdr_neg(g, w));
    pdr_node limit = packnet_threshold(g, size, is_free, o->prune);
    return pdr_sub(g, pdr_scalar(g, 1), pdr_lt(g, size, limit));
}

/* 1 in the rows of the output layer that answer in this task. */
static pdr_node packnet_head(pdr_build *b, pdr_node w)
{
    pdr_graph *g = pdr_build_graph(b);
    if (!pdr_build_is_masked(b)) return pdr_like(g, w, 1);
    pdr_node mask = pdr_build_task_mask(b, pdr_build_task(b));
    if (pdr_node_shape(g, w).rank < 2) return mask;
    return pdr_mul(g, pdr_like(g, w, 1), pdr_reshape(g, mask, PDR_SHAPE(pdr_build_outputs(b), 1)));
}

/* Task k takes what it keeps, layer by layer; the last two parameters are the output
 * layer's, and what has one axis is no weight. */
static void packnet_phase_end(pdr_build *b, const void *self)
{
    const packnet *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), owner = packnet_owner(b);
    pdr_node k = pdr_scalar(g, pdr_build_task(b) + 1);
    if (pdr_build_phase(b) != PACKNET_TRAIN) return;
    for (size_t i = 0; i < theta.n; i++) {
        pdr_node is_free = pdr_eq(g, owner.v[i], pdr_scalar(g, 0)), keeps = pdr_like(g, k, 1);
        bool is_head = i + 2 >= theta.n, is_weight = pdr_node_shape(g, theta.v[i]).rank > 1;
        if (is_head)
            keeps = packnet_head(b, theta.v[i]);
        else if (is_weight)
            keeps = packnet_keeps(o, g, theta.v[i], is_free);
        pdr_node taken = pdr_mul(g, is_free, keeps);
        pdr_node next = pdr_where(g, taken, k, owner.v[i]);
        pdr_build_set_node(b, owner.v[i], next);
        if (is_head || !is_weight) continue;
        pdr_build_set_node(b, theta.v[i], pdr_where(g, next, theta.v[i], pdr_scalar(g, 0)));
    }
}

/* ---- answering ------------------------------------------------------------------------------- */

/* For the task being learned all weights, for one that has ended those of its mask. */
static pdr_node packnet_predict(pdr_build *b, const void *self, pdr_batch batch)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_copy(b, "param"), owner = packnet_owner(b);
    int32_t task = pdr_build_task(b);
    for (size_t i = 0; task < pdr_build_learned(b) && i < theta.n; i++) {
        pdr_node later = pdr_lt(g, pdr_scalar(g, task + 1), owner.v[i]);
        pdr_node is_free = pdr_eq(g, owner.v[i], pdr_scalar(g, 0));
        theta.v[i] = pdr_where(g, pdr_add(g, later, is_free), pdr_scalar(g, 0), theta.v[i]);
    }
    return pdr_build_logits(b, theta, batch);
}

static const char *packnet_caution(const void *self, const pdr_setting *s)
{
    double left = pow(((const packnet *)self)->prune, s->tasks - 1); /* for the last task */
    return left < 0.001 ? "packnet leaves less than a thousandth of the weights to the last task; "
                          "raise method.prune"
                        : NULL;
}

const pdr_method pdi_method_packnet = {
    .kind =
        {
            .name = "packnet",
            .title = "PackNet",
            .cite = "Mallya & Lazebnik, PackNet: Adding multiple tasks to a single network by "
                    "iterative pruning, CVPR 2018",
            .equation =
                "train the free weights; w_i ← 0 where |w_i| < τ, the rest is task k's and\n"
                "frozen from then on; f_t uses the weights of tasks 1 .. t",
            .cost = "memory: a number more for each parameter; time: 1 + retrain times plain "
                    "training.  The free weights shrink with every task",
            .self_size = sizeof(packnet),
            .options = packnet_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_TASK,
    .caution = packnet_caution,
    .phase = packnet_phase,
    .loss = packnet_loss,
    .gradient = packnet_gradient,
    .update = packnet_update,
    .phase_end = packnet_phase_end,
    .predict = packnet_predict,
};
