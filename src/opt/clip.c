/* opt/clip.c -- bounds on gradients.
 *
 * Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural
 * networks", ICML 2013, algorithm 1:
 *
 *     n = sqrt(sum_i |g_i|^2);   g_i <- g_i bound / n   if n > bound
 *
 * A gradient within the bound is left as it is, to the bit, and a NaN stays a
 * NaN.  Both clip functions can be differentiated. */
#include "opt/optimizers.h"

/* Squares are compared, and the root is taken of what is at least bound^2: its
 * gradient is finite even where all gradients are 0. */
void pdr_clip_norm(pdr_graph *g, size_t n, pdr_node grad[], double bound)
{
    if (!(bound > 0)) {
        pdr_graph_fail(g, "clip_norm: the bound must be above 0");
        return;
    }
    pdr_node square = pdr_scalar(g, 0), limit = pdr_scalar(g, bound * bound);
    for (size_t i = 0; i < n; i++)
        square = pdr_add(g, square, pdr_sum_all(g, pdr_square(g, grad[i])));
    pdr_node beyond = pdr_lt(g, limit, square);
    pdr_node root = pdr_sqrt(g, pdr_where(g, beyond, square, limit));
    pdr_node factor = pdr_where(g, beyond, pdr_div(g, pdr_scalar(g, bound), root),
                                pdr_scalar(g, 1));
    for (size_t i = 0; i < n; i++) grad[i] = pdr_mul(g, factor, grad[i]);
}

/* The bound is the first operand of pdr_maximum and pdr_minimum: where the
 * comparison is false, as with a NaN, the second is the result. */
void pdr_clip_value(pdr_graph *g, size_t n, pdr_node grad[], double bound)
{
    if (!(bound > 0)) {
        pdr_graph_fail(g, "clip_value: the bound must be above 0");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        pdr_node above = pdr_maximum(g, pdr_scalar(g, -bound), grad[i]);
        grad[i] = pdr_minimum(g, pdr_scalar(g, bound), above);
    }
}
