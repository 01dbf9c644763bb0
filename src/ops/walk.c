/* ops/walk.c -- structural operators.
 *
 * Each is an affine walk over a dense base: the element at index i lives at
 * offset + sum_k stride[k] * i[k].  Reading through the walk is one operator,
 * adding back through it is its adjoint.  So one function states all eight
 * walks, two loops evaluate them and one line differentiates them.  (reshape
 * moves nothing.) */
#include <string.h>

#include "ops/ops.h"

void pdi_dense_strides(const pdr_shape *s, int64_t stride[PDR_MAX_RANK])
{
    int64_t n = 1;
    memset(stride, 0, sizeof stride[0] * PDR_MAX_RANK);
    for (int k = s->rank; k-- > 0; n *= s->dim[k]) stride[k] = n;
}

pdi_along pdi_along_axis(const pdr_shape *s, int axis)
{
    pdi_along a = {.outer = 1, .n = s->dim[axis], .inner = 1};
    for (int k = 0; k < axis; k++) a.outer *= s->dim[k];
    for (int k = axis + 1; k < s->rank; k++) a.inner *= s->dim[k];
    return a;
}

bool pdi_walk_adds(pdi_opcode op) { return op == PDI_sum || op == PDI_pad || op == PDI_unwindow; }

pdi_walk pdi_walk_of(const pdr_graph *g, const pdi_node *nd)
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]);
    const pdr_shape *base = pdi_walk_adds(nd->op) ? &nd->shape : x;
    const pdi_attr *at = &nd->attr;
    pdi_walk w = {.over = pdi_walk_adds(nd->op) ? *x : nd->shape};
    int64_t b[PDR_MAX_RANK];
    int a = at->axis;
    pdi_dense_strides(base, b);
    memcpy(w.stride, b, sizeof b);
    switch (nd->op) {
    case PDI_broadcast:
    case PDI_sum:
        for (int k = 0, j = 0; k < w.over.rank; k++) w.stride[k] = at->axes >> k & 1 ? 0 : b[j++];
        break;
    case PDI_permute:
        for (int k = 0; k < base->rank; k++) w.stride[k] = b[at->perm.at[k]];
        break;
    case PDI_flip:
        w.offset = (base->dim[a] - 1) * b[a];
        w.stride[a] = -b[a];
        break;
    case PDI_slice:
    case PDI_pad:
        w.offset = at->lo * b[a];
        w.stride[a] = at->step * b[a];
        break;
    case PDI_window:
    case PDI_unwindow:
        for (int k = w.over.rank - 1; k > a + 1; k--) w.stride[k] = b[k - 1];
        w.stride[a] = at->step * b[a];
        w.stride[a + 1] = at->dilation * b[a];
        break;
    default: break;
    }
    return w;
}

/* ---- shapes ---------------------------------------------------------------------- */

static bool walk_axis_ok(const pdr_shape *s, int axis) { return axis >= 0 && axis < s->rank; }

/* Does big with the axes in the set taken away equal small? */
static bool walk_reduces(const pdr_shape *big, uint32_t axes, pdr_shape *small)
{
    if (axes >> big->rank) return false;
    memset(small, 0, sizeof *small);
    for (int k = 0; k < big->rank; k++)
        if (!(axes >> k & 1)) small->dim[small->rank++] = big->dim[k];
    return true;
}

static const char *walk_sum_infer(const pdr_graph *g, pdi_node *nd)
{
    if (pdi_node_at(g, nd->in[0])->type != PDR_F32) return "adds reals; cast integers first";
    if (!walk_reduces(pdi_shape_at(g, nd->in[0]), nd->attr.axes, &nd->shape)) return "no such axis";
    return NULL;
}

static const char *walk_broadcast_infer(const pdr_graph *g, pdi_node *nd)
{
    pdr_shape small;
    const pdr_shape *big = &nd->attr.shape;
    if (!walk_reduces(big, nd->attr.axes, &small)) return "no such axis";
    if (!pdr_shape_equal(&small, pdi_shape_at(g, nd->in[0])))
        return "the axes that stay are not the operand's";
    nd->type = pdi_node_at(g, nd->in[0])->type;
    nd->shape = *big;
    return NULL;
}

static const char *walk_reshape_infer(const pdr_graph *g, pdi_node *nd)
{
    if (pdr_shape_size(&nd->attr.shape) != pdr_shape_size(pdi_shape_at(g, nd->in[0])))
        return "the number of elements changes";
    nd->type = pdi_node_at(g, nd->in[0])->type;
    nd->shape = nd->attr.shape;
    return NULL;
}

static const char *walk_permute_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]);
    unsigned seen = 0;
    nd->type = pdi_node_at(g, nd->in[0])->type;
    nd->shape = *x;
    for (int k = 0; k < PDR_MAX_RANK; k++) {
        int from = nd->attr.perm.at[k];
        if (from < 0 || from >= PDR_MAX_RANK || (k < x->rank) != (from < x->rank) ||
            seen >> from & 1)
            return "not a permutation of the axes";
        seen |= 1u << from;
        if (k < x->rank) nd->shape.dim[k] = x->dim[from];
    }
    return NULL;
}

static const char *walk_flip_infer(const pdr_graph *g, pdi_node *nd)
{
    nd->type = pdi_node_at(g, nd->in[0])->type;
    nd->shape = *pdi_shape_at(g, nd->in[0]);
    return walk_axis_ok(&nd->shape, nd->attr.axis) ? NULL : "no such axis";
}

/* Is {lo, lo + step, ...}, count of them, inside an axis of n? */
static bool walk_slice_inside(const pdi_attr *at, int32_t n)
{
    return at->lo >= 0 && at->count >= 1 && at->step >= 1 &&
           at->lo + (int64_t)(at->count - 1) * at->step < n;
}

static const char *walk_slice_infer(const pdr_graph *g, pdi_node *nd)
{
    nd->type = pdi_node_at(g, nd->in[0])->type;
    nd->shape = *pdi_shape_at(g, nd->in[0]);
    if (!walk_axis_ok(&nd->shape, nd->attr.axis)) return "no such axis";
    if (!walk_slice_inside(&nd->attr, nd->shape.dim[nd->attr.axis])) return "leaves the axis";
    nd->shape.dim[nd->attr.axis] = nd->attr.count;
    return NULL;
}

static const char *walk_pad_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]);
    pdr_shape back = nd->attr.shape;
    if (pdi_node_at(g, nd->in[0])->type != PDR_F32) return "pads reals; cast integers first";
    if (!walk_axis_ok(&back, nd->attr.axis)) return "no such axis";
    if (!walk_slice_inside(&nd->attr, back.dim[nd->attr.axis])) return "leaves the axis";
    back.dim[nd->attr.axis] = nd->attr.count;
    if (!pdr_shape_equal(&back, x)) return "the other axes are not the operand's";
    nd->shape = nd->attr.shape;
    return NULL;
}

/* The shape of a window over full; false when the taps do not fit. */
static bool walk_window_shape(const pdr_shape *full, const pdi_attr *at, pdr_shape *out)
{
    int a = at->axis;
    if (full->rank >= PDR_MAX_RANK || at->taps < 1 || at->step < 1 || at->dilation < 1)
        return false;
    int64_t span = (int64_t)(at->taps - 1) * at->dilation + 1;
    if (!walk_axis_ok(full, a) || span > full->dim[a]) return false;
    memset(out, 0, sizeof *out);
    out->rank = full->rank + 1;
    for (int k = 0; k < out->rank; k++) out->dim[k] = full->dim[k <= a ? k : k - 1];
    out->dim[a] = (int32_t)((full->dim[a] - span) / at->step + 1);
    out->dim[a + 1] = at->taps;
    return true;
}

static const char *walk_window_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdi_node *x = pdi_node_at(g, nd->in[0]);
    nd->type = x->type;
    return walk_window_shape(&x->shape, &nd->attr, &nd->shape) ? NULL
                                                               : "the window does not fit the axis";
}

static const char *walk_unwindow_infer(const pdr_graph *g, pdi_node *nd)
{
    pdr_shape back;
    if (pdi_node_at(g, nd->in[0])->type != PDR_F32) return "adds reals; cast integers first";
    if (!walk_window_shape(&nd->attr.shape, &nd->attr, &back) ||
        !pdr_shape_equal(&back, pdi_shape_at(g, nd->in[0])))
        return "not the windows of an axis of that length";
    nd->shape = nd->attr.shape;
    return NULL;
}

/* ---- evaluation --------------------------------------------------------------------- */

static void walk_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    pdi_walk w = pdi_walk_of(g, nd);
    bool adds = pdi_walk_adds(nd->op);
    int32_t i[PDR_MAX_RANK] = {0};
    int64_t n = pdr_shape_size(&w.over), p = w.offset;
    if (adds) memset(out, 0, sizeof *out * (size_t)pdr_shape_size(&nd->shape));
    for (int64_t e = 0; e < n; e++) {
        if (adds)
            out[p] += in[0][e];
        else
            out[e] = in[0][p];
        for (int k = w.over.rank; k-- > 0;) { /* odometer */
            p += w.stride[k];
            if (++i[k] < w.over.dim[k]) break;
            p -= w.stride[k] * w.over.dim[k];
            i[k] = 0;
        }
    }
}

static void walk_reshape_eval(const pdr_graph *g, const pdi_node *nd, double *out,
                              double *const in[])
{
    (void)g;
    memcpy(out, in[0], sizeof *out * (size_t)pdr_shape_size(&nd->shape));
}

/* ---- gradient -------------------------------------------------------------------------- */

/* The adjoint of a walk is the same walk the other way: same attributes.  Where
 * the adjoint has to be told its result's shape, that is the operand's. */
static void walk_vjp(pdr_graph *g, pdr_node r, pdr_node up, pdr_node d[])
{
    const pdi_node nd = *pdi_node_at(g, r);
    pdi_attr at = nd.attr;
    if (nd.op == PDI_broadcast) { /* through the builder, which knows sums of products */
        d[0] = pdr_sum(g, up, at.axes);
        return;
    }
    at.shape = *pdi_shape_at(g, nd.in[0]);
    if (nd.op == PDI_permute) {
        int32_t inverse[PDR_MAX_RANK];
        for (int k = 0; k < PDR_MAX_RANK; k++) inverse[nd.attr.perm.at[k]] = k;
        d[0] = pdr_permute(g, up, inverse);
        return;
    }
    d[0] = pdi_push(g, pdi_op_table[nd.op].adjoint, &up, &at);
}

#define WALK(op)                                                                                   \
    const pdi_op pdi_op_##op = {.infer = walk_##op##_infer, .vjp = walk_vjp, .eval = walk_eval};

WALK(permute)
WALK(flip)
WALK(broadcast)
WALK(sum)
WALK(slice)
WALK(pad)
WALK(window)
WALK(unwindow)
const pdi_op pdi_op_reshape = {
    .infer = walk_reshape_infer, .vjp = walk_vjp, .eval = walk_reshape_eval};
