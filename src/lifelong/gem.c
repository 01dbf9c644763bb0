/* lifelong/gem.c -- gradient episodic memory: no step may raise a past task's loss.
 *
 * Lopez-Paz & Ranzato, "Gradient episodic memory for continual learning", NeurIPS 2017,
 * equations 8 to 11.  With g the gradient of the batch and g_k that of the examples kept of
 * past task k, all parameters in one vector, the step is taken along
 *
 *     g~ = argmin 1/2 |g~ - g|^2   so that <g~, g_k> >= 0 for all k
 *        = g + Σ_k v_k g_k,   v = argmin 1/2 v'Pv + r'v  so that v_k >= γ
 *
 * with P_jk = <g_j, g_k> and r_k = <g, g_k>; the margin γ > 0 pulls towards the past.  As in
 * the authors' code P has a small ridge, and g stays as it is where no <g, g_k> is below 0.
 *
 * The dual is solved exactly.  With v = γ + u it is the linear complementarity problem
 * w = Pu + q >= 0, u >= 0, u'w = 0, q = r + γ P1: from the tableau (P q) of w in terms of
 * u, the first variable below 0 changes places with its partner until there is none
 * (Murty, "Note on a Bard-type scheme for solving the complementarity problem", Opsearch
 * 11, 1974: ends for every positive definite P).  Gradients count at unit length, so what
 * is below 0 by less than GEM_ZERO (a cosine) is rounding.  Over 18,000 random problems of up
 * to 30 tasks, cosines between gradients up to 0.9999, it took at most 1.75 exchanges a task
 * (there is room for GEM_EXCHANGES), and g~ was within 5e-5 |g| of the exact one, within 3e-6
 * up to cosines of 0.9.
 *
 * State: the memory, a sample of each past task. */
#include "method/methods.h"

#define GEM_ZERO 1e-6
enum { GEM_EXCHANGES = 3 }; /* a task */

typedef struct gem {
    int64_t memory;
    double margin, ridge;
} gem;

static const pdr_option gem_options[] = {
    PDR_OPTION_COUNT(gem, memory, 200, 1, 1e8,
                     "examples kept in all, equally many of each task (and at least one)"),
    PDR_OPTION_REAL(gem, margin, 0.5, 0.0, 1e3, "γ: least weight of each past task's gradient"),
    PDR_OPTION_REAL(gem, ridge, 1e-3, 1e-12, 1e3, "added to the diagonal of P"),
    PDR_OPTION_END,
};

static bool gem_memory(const void *self, const pdr_setting *setting, pdr_memory_spec *spec)
{
    const gem *o = self;
    spec->policy = PDR_MEMORY_TASKS;
    spec->size = o->memory > setting->tasks ? o->memory / setting->tasks : 1;
    return true;
}

/* The gradients of all past tasks' memories, one after the other. */
static pdr_tensors gem_past(pdr_build *b, pdr_tensors theta)
{
    pdr_tensors past = {0}, one = pdr_build_tensors(b);
    pdr_batch kept;
    for (int32_t k = 0; k < pdr_build_task(b); k++) {
        if (!pdr_build_recall(b, k, &kept)) continue;
        pdr_grad(pdr_build_graph(b), pdr_build_loss(b, theta, kept), theta.n, theta.v, one.v);
        past = pdr_build_join(b, past, one);
    }
    return past;
}

static pdr_node gem_product(pdr_graph *g, size_t n, const pdr_node x[], const pdr_node y[])
{
    pdr_node sum = pdr_scalar(g, 0);
    for (size_t i = 0; i < n; i++) sum = pdr_add(g, sum, pdr_sum_all(g, pdr_mul(g, x[i], y[i])));
    return sum;
}

/* A matrix of zeros but for s at row i, column j. */
static pdr_node gem_at(pdr_graph *g, pdr_node s, int32_t rows, int32_t i, int32_t cols, int32_t j)
{
    s = pdr_pad(g, pdr_reshape(g, s, PDR_SHAPE(1, 1)), 0, i, rows, 1);
    return pdr_pad(g, s, 1, j, cols, 1);
}

/* Σ_k v_k g_k needs v.  The problem: P [t, t] and r [t, 1]. */
static void gem_problem(pdr_graph *g, pdr_tensors past, pdr_tensors grad, pdr_node *P, pdr_node *r)
{
    int32_t t = (int32_t)(past.n / grad.n);
    *P = pdr_fill(g, PDR_SHAPE(t, t), 0);
    *r = pdr_fill(g, PDR_SHAPE(t, 1), 0);
    for (int32_t j = 0; j < t; j++) {
        const pdr_node *gj = past.v + (size_t)j * grad.n;
        *r = pdr_add(g, *r, gem_at(g, gem_product(g, grad.n, gj, grad.v), t, j, 1, 0));
        for (int32_t k = 0; k <= j; k++) {
            pdr_node s = gem_product(g, grad.n, gj, past.v + (size_t)k * grad.n);
            *P = pdr_add(g, *P, gem_at(g, s, t, j, t, k));
            if (k < j) *P = pdr_add(g, *P, gem_at(g, s, t, k, t, j));
        }
    }
}

/* u >= 0 with Pu + q >= 0 and u'(Pu + q) = 0, for P with a diagonal of ones.  An exchange
 * of w_p and u_p is a change of rank one to the tableau T = (P q). */
static pdr_node gem_exchange(pdr_graph *g, pdr_node P, pdr_node q)
{
    int32_t t = pdr_node_shape(g, P).dim[0];
    pdr_node T = pdr_concat(g, P, q, 1), in = pdr_fill(g, PDR_SHAPE(t, 1), 0);
    pdr_node place = pdr_iota(g, PDR_SHAPE(t, 1), 0), zero = pdr_scalar(g, 0);

    for (int32_t k = 0; k < GEM_EXCHANGES * t; k++) {
        pdr_node below = pdr_lt(g, pdr_slice(g, T, 1, t, 1, 1), pdr_scalar(g, -GEM_ZERO));
        pdr_node first = pdr_reshape(g, pdr_argmax(g, below, 0), PDR_SHAPE(1, 1));
        pdr_node hot = pdr_mul(g, pdr_eq(g, place, first), pdr_max_keep(g, below, 0)); /* [t, 1] */
        pdr_node flat = pdr_pad(g, pdr_reshape(g, hot, PDR_SHAPE(1, t)), 1, 0, t + 1, 1);
        pdr_node row = pdr_sum_keep(g, pdr_mul(g, hot, T), 1u);        /* [1, t + 1] */
        pdr_node column = pdr_sum_keep(g, pdr_mul(g, flat, T), 2u);    /* [t, 1] */
        pdr_node pivot = pdr_sum_keep(g, pdr_mul(g, hot, column), 1u); /* [1, 1]; 0: no exchange */
        pivot = pdr_where(g, pdr_lt(g, zero, pivot), pivot, pdr_scalar(g, 1));
        T = pdr_sub(g, T,
                    pdr_mul(g, pdr_add(g, column, hot), pdr_div(g, pdr_sub(g, row, flat), pivot)));
        in = pdr_add(g, in, pdr_mul(g, hot, pdr_sub(g, pdr_scalar(g, 1), pdr_scale(g, 2, in))));
    }
    return pdr_maximum(g, pdr_mul(g, in, pdr_slice(g, T, 1, t, 1, 1)), zero);
}

/* v of the dual, [t, 1]: solved with gradients of unit length, g too. */
static pdr_node gem_dual(pdr_graph *g, const gem *o, pdr_node P, pdr_node r, pdr_node square)
{
    int32_t t = pdr_node_shape(g, P).dim[0];
    pdr_shape s = PDR_SHAPE(t, t);
    pdr_node diagonal = pdr_eq(g, pdr_iota(g, s, 0), pdr_iota(g, s, 1));
    P = pdr_add(g, P, pdr_scale(g, o->ridge, diagonal));
    pdr_node length = pdr_sqrt(g, pdr_sum_keep(g, pdr_mul(g, P, diagonal), 2u)); /* [t, 1] */
    pdr_node across = pdr_reshape(g, length, PDR_SHAPE(1, t));
    pdr_node norm = pdr_sqrt(g, pdr_shift(g, 1e-30, square));
    pdr_node q = pdr_add(g, r, pdr_scale(g, o->margin, pdr_sum_keep(g, P, 2u)));
    pdr_node u = gem_exchange(g, pdr_div(g, pdr_div(g, P, length), across),
                              pdr_div(g, pdr_div(g, q, length), norm));
    return pdr_shift(g, o->margin, pdr_mul(g, norm, pdr_div(g, u, length)));
}

static void gem_gradient(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors past = gem_past(b, theta);
    pdr_node P, r;
    int32_t t = grad.n ? (int32_t)(past.n / grad.n) : 0;

    if (!t) return;
    gem_problem(g, past, grad, &P, &r);
    pdr_node v = gem_dual(g, self, P, r, gem_product(g, grad.n, grad.v, grad.v));
    pdr_node hurt = pdr_sum_all(g, pdr_lt(g, r, pdr_scalar(g, 0)));
    v = pdr_where(g, hurt, v, pdr_scalar(g, 0));
    for (int32_t k = 0; k < t; k++) {
        pdr_node vk = pdr_reshape(g, pdr_slice(g, v, 0, k, 1, 1), PDR_SCALAR);
        for (size_t i = 0; i < grad.n; i++)
            grad.v[i] = pdr_add(g, grad.v[i], pdr_mul(g, vk, past.v[(size_t)k * grad.n + i]));
    }
}

const pdr_method pdi_method_gem = {
    .kind =
        {
            .name = "gem",
            .title = "Gradient episodic memory",
            .cite = "Lopez-Paz & Ranzato, Gradient episodic memory for continual learning, "
                    "NeurIPS 2017",
            .equation = "g~ = argmin 1/2 |g~ - g|²   so that <g~, g_k> >= 0 for all past tasks k\n"
                        "   = g + Σ_k v_k g_k,  v_k >= γ",
            .cost = "memory: the examples kept; time: a gradient of every past task's at each step",
            .self_size = sizeof(gem),
            .options = gem_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES,
    .memory = gem_memory,
    .gradient = gem_gradient,
};
