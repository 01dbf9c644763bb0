/* ops/select.c -- max and argmax: the gradient goes to the first largest. */
#include <string.h>

#include "ops/ops.h"

static const char *select_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdi_node *x = pdi_node_at(g, nd->in[0]);
    int a = nd->attr.axis;
    if (x->type != PDR_F32) return "compares reals; cast integers first";
    if (a < 0 || a >= x->shape.rank) return "no such axis";
    if (x->shape.dim[a] > 1 << 24) return "an axis over 2^24 is not exact in f32";
    for (int k = 0; k < x->shape.rank; k++)
        if (k != a) nd->shape.dim[nd->shape.rank++] = x->shape.dim[k];
    return NULL;
}

static void select_max_vjp(pdr_graph *g, pdr_node r, pdr_node up, pdr_node d[])
{
    const pdi_node nd = *pdi_node_at(g, r);
    pdr_shape s = *pdi_shape_at(g, nd.in[0]);
    uint32_t axes = 1u << nd.attr.axis;
    pdr_node first = pdr_broadcast(g, pdr_argmax(g, nd.in[0], nd.attr.axis), s, axes);
    pdr_node hit = pdr_eq(g, pdr_iota(g, s, nd.attr.axis), first);
    d[0] = pdr_mul(g, hit, pdr_broadcast(g, up, s, axes));
}

static void select_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    pdi_along a = pdi_along_axis(pdi_shape_at(g, nd->in[0]), nd->attr.axis);
    for (int64_t e = 0; e < a.outer * a.inner; e++) {
        const double *p = in[0] + e / a.inner * a.n * a.inner + e % a.inner;
        int64_t best = 0;
        for (int64_t i = 1; i < a.n; i++)
            if (p[i * a.inner] > p[best * a.inner]) best = i;
        out[e] = nd->op == PDI_max ? p[best * a.inner] : (double)best;
    }
}

const pdi_op pdi_op_max = {.infer = select_infer, .vjp = select_max_vjp, .eval = select_eval};
const pdi_op pdi_op_argmax = {.infer = select_infer, .eval = select_eval};
