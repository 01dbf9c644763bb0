/* ops/dot.c -- contraction: [..., M, K] and [..., N, K] -> [..., M, N]. */
#include <math.h>

#include "ops/ops.h"

static const char *dot_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdi_node *x = pdi_node_at(g, nd->in[0]), *y = pdi_node_at(g, nd->in[1]);
    int n = x->shape.rank;
    if (x->type != PDR_F32 || y->type != PDR_F32) return "multiplies reals; cast integers first";
    if (n < 2 || y->shape.rank != n) return "both need the same number of axes, two or more";
    for (int k = 0; k < n - 2; k++)
        if (x->shape.dim[k] != y->shape.dim[k]) return "batch axes differ";
    if (x->shape.dim[n - 1] != y->shape.dim[n - 1]) return "inner axes differ";
    nd->shape = x->shape;
    nd->shape.dim[n - 1] = y->shape.dim[n - 2];
    return NULL;
}

static void dot_vjp(pdr_graph *g, pdr_node r, pdr_node up, pdr_node d[])
{
    pdr_node x = g->v[r.id].in[0], y = g->v[r.id].in[1];
    d[0] = pdr_dot(g, up, pdr_swap_last(g, y)); /* [M,N] [K,N] -> [M,K] */
    pdr_node up_t = pdr_swap_last(g, up), x_t = pdr_swap_last(g, x);
    d[1] = pdr_dot(g, up_t, x_t); /* [N,M] [K,M] -> [N,K] */
}

static void dot_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]), *y = pdi_shape_at(g, nd->in[1]);
    int64_t M = x->dim[x->rank - 2], N = y->dim[y->rank - 2], K = x->dim[x->rank - 1];
    int64_t rows = pdr_shape_size(&nd->shape) / N;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t n = 0; n < N; n++) {
            const double *a = in[0] + r * K, *b = in[1] + (r / M * N + n) * K;
            double s = a[0] * b[0];
            for (int64_t k = 1; k < K; k++) s = fma(a[k], b[k], s);
            out[r * N + n] = s;
        }
}

const pdi_op pdi_op_dot = {.infer = dot_infer, .vjp = dot_vjp, .eval = dot_eval};

bool pdi_dot_copies(int64_t bn, int64_t bk, int64_t k)
{
    enum { ALIAS = 512, DEEP = 97 };
    return bn != 1 || (bk % ALIAS == 0 && k >= DEEP);
}
