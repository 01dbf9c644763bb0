/* ops/index.c -- gather and scatter: rows by index, adjoint to each other. */
#include <string.h>

#include "ops/ops.h"

/* The index is i32[b..., m]; the rows side is [b..., m, r...], the table side
 * [b..., n, r...]. */
static const char *index_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdi_node *x = pdi_node_at(g, nd->in[0]), *index = pdi_node_at(g, nd->in[1]);
    int b = nd->attr.batch;
    if (x->type != PDR_F32 || index->type != PDR_I32) return "needs reals and an integer index";
    if (b < 0 || index->shape.rank - 1 != b || x->shape.rank <= b)
        return "the index has one axis past the batch axes";
    for (int k = 0; k < b; k++)
        if (x->shape.dim[k] != index->shape.dim[k]) return "batch axes differ";
    nd->shape = x->shape;
    if (nd->op == PDI_gather) {
        nd->shape.dim[b] = index->shape.dim[b];
        return NULL;
    }
    nd->shape.dim[b] = nd->attr.shape.dim[b];
    if (!pdr_shape_equal(&nd->shape, &nd->attr.shape))
        return "the other axes are not the operand's";
    return x->shape.dim[b] == index->shape.dim[b] ? NULL : "as many rows as indices are needed";
}

static void index_vjp(pdr_graph *g, pdr_node r, pdr_node up, pdr_node d[])
{
    const pdi_node nd = *pdi_node_at(g, r);
    pdi_attr at = nd.attr;
    at.shape = *pdi_shape_at(g, nd.in[0]);
    d[0] = pdi_push(g, pdi_op_table[nd.op].adjoint, (pdr_node[]){up, nd.in[1]}, &at);
}

static void index_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    bool gathers = nd->op == PDI_gather;
    const pdr_shape *table = gathers ? pdi_shape_at(g, nd->in[0]) : &nd->shape;
    pdi_along a = pdi_along_axis(table, nd->attr.batch);
    int64_t m = pdi_shape_at(g, nd->in[1])->dim[nd->attr.batch];
    memset(out, 0, sizeof *out * (size_t)pdr_shape_size(&nd->shape));
    for (int64_t b = 0; b < a.outer; b++)
        for (int64_t i = 0; i < m; i++) { /* ascending: a fixed order of addition */
            int64_t row = (int64_t)in[1][b * m + i];
            if (row < 0 || row >= a.n) continue;
            for (int64_t r = 0; r < a.inner; r++) {
                int64_t t = (b * a.n + row) * a.inner + r, e = (b * m + i) * a.inner + r;
                if (gathers)
                    out[e] = in[0][t];
                else
                    out[t] += in[0][e];
            }
        }
}

const pdi_op pdi_op_gather = {.infer = index_infer, .vjp = index_vjp, .eval = index_eval};
const pdi_op pdi_op_scatter = {.infer = index_infer, .vjp = index_vjp, .eval = index_eval};
