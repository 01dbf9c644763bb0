/* meta/svgd.c -- Stein variational gradient descent.
 *
 * Liu & Wang, "Stein variational gradient descent: a general purpose Bayesian inference
 * algorithm", NIPS 2016, algorithm 1:
 *
 *     φ(xᵢ) = 1/m Σⱼ [ k(xⱼ, xᵢ) ∇ log p(xⱼ) + ∇_xⱼ k(xⱼ, xᵢ) ]
 *     k(x, y) = exp(−|x − y|² / h),   h = med² / ln m
 *
 * med is the median distance between two particles and counts as a constant.  The first
 * term pulls towards high density, the second, (2/h) Σⱼ k(xⱼ, xᵢ) (xᵢ − xⱼ), keeps the
 * particles apart.  One particle climbs its own gradient. */
#include "meta/svgd.h"

#include <math.h>

/* [m, ...] -> [m, size] */
static pdr_node svgd_flat(pdr_graph *g, pdr_node x, int32_t m)
{
    pdr_shape s = pdr_node_shape(g, x);
    return pdr_reshape(g, x, PDR_SHAPE(m, (int32_t)(pdr_shape_size(&s) / m)));
}

/* The same, seen from the particles' mean: differences don't know where the origin is, and
 * near it rounding does less to them. */
static pdr_node svgd_centred(pdr_graph *g, pdr_node x, int32_t m)
{
    pdr_node flat = svgd_flat(g, x, m);
    return pdr_sub(g, flat, pdr_mean_keep(g, flat, 1u));
}

/* |xᵢ − xⱼ|² for all pairs, [m, m]. */
static pdr_node svgd_distances(pdr_graph *g, size_t n, const pdr_node x[], int32_t m)
{
    pdr_node norm = pdr_fill(g, PDR_SHAPE(m), 0), dot = pdr_fill(g, PDR_SHAPE(m, m), 0);
    for (size_t t = 0; t < n; t++) {
        pdr_node c = svgd_centred(g, x[t], m);
        norm = pdr_add(g, norm, pdr_sum(g, pdr_square(g, c), 2u));
        dot = pdr_add(g, dot, pdr_dot(g, c, c));
    }
    pdr_node both = pdr_add(g, norm, pdr_reshape(g, norm, PDR_SHAPE(m, 1)));
    return pdr_sub(g, both, pdr_scale(g, 2, dot));
}

/* The k-th smallest of v [n], from 0: the one that at most k are less than and more than k
 * are not more than. */
static pdr_node svgd_smallest(pdr_graph *g, pdr_node v, pdr_node less, int32_t n, int32_t k)
{
    pdr_node below = pdr_sum(g, less, 2u), above = pdr_sum(g, less, 1u);
    pdr_node hit = pdr_mul(g, pdr_lt(g, below, pdr_scalar(g, k + 0.5)),
                           pdr_lt(g, above, pdr_scalar(g, n - k - 0.5)));
    return pdr_max(g, pdr_where(g, hit, v, pdr_like(g, v, -1)), 0);
}

/* h of the median heuristic.  Each pair stands twice among the m² distances, after the m
 * zeros of the diagonal. */
static pdr_node svgd_bandwidth(pdr_graph *g, pdr_node distance, int32_t m)
{
    int32_t n = m * m, middle = m + (n - m) / 2;
    pdr_node v = pdr_reshape(g, distance, PDR_SHAPE(n));
    pdr_node less = pdr_lt(g, v, pdr_reshape(g, v, PDR_SHAPE(n, 1))); /* [i, j]: vⱼ < vᵢ */
    pdr_node median = pdr_add(g, svgd_smallest(g, v, less, n, middle - 1),
                              svgd_smallest(g, v, less, n, middle));
    return pdr_stop(g, pdr_scale(g, 0.5 / log(m), median));
}

void pdi_svgd_direction(pdr_graph *g, double bandwidth, size_t n, const pdr_node x[],
                        const pdr_node score[], pdr_node phi[])
{
    int32_t m = n && x[0].id ? pdr_node_shape(g, x[0]).dim[0] : 0;
    for (size_t t = 0; !m && t < n; t++) phi[t] = (pdr_node){0};
    if (!m) return;
    pdr_node distance = svgd_distances(g, n, x, m), one = pdr_scalar(g, 1);
    pdr_node h = bandwidth > 0 || m < 2 ? pdr_scalar(g, bandwidth > 0 ? bandwidth : 1)
                                        : svgd_bandwidth(g, distance, m);
    h = pdr_where(g, pdr_lt(g, pdr_scalar(g, 0), h), h, one); /* all in one place: any h does */
    pdr_node k = pdr_exp(g, pdr_neg(g, pdr_div(g, distance, h)));
    pdr_node sum = pdr_sum_keep(g, k, 2u), push = pdr_div(g, pdr_scalar(g, 2), h);
    for (size_t t = 0; t < n; t++) {
        pdr_node c = svgd_centred(g, x[t], m);
        pdr_node up = pdr_sub(g, svgd_flat(g, score[t], m), pdr_mul(g, push, c));
        pdr_node d = pdr_add(g, pdr_dot(g, k, pdr_swap_last(g, up)),
                             pdr_mul(g, pdr_mul(g, push, sum), c));
        phi[t] = pdr_reshape(g, pdr_scale(g, 1.0 / m, d), pdr_node_shape(g, x[t]));
    }
}
