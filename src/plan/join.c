/* plan/join.c -- pads, and sums of pads, as one reading of several pieces.
 *
 * The gradient of slices is a sum of pads: each piece among zeros, added up.  Where the
 * pieces do not overlap, every element of the sum is one element plus zeros, and one pass
 * that brings each piece to its place, then adds zero once, gives the same bits: x + 0 is
 * x but for -0, and once that is +0 further zeros change nothing. */
#include "plan/join.h"

static bool join_is_pad(const pdi_node *nd) { return nd->op == PDI_pad && nd->attr.step == 1; }

/* A pad of a pad is one piece, moved along both axes. */
static bool join_add_pad(const pdi_join_request *r, uint32_t pad, pdi_join_found *f)
{
    if (f->n == PDI_JOIN_PIECES) return false;
    int64_t *lo = f->lo[f->n];
    for (int k = 0; k < PDR_MAX_RANK; k++) lo[k] = 0;
    for (; !r->is_made(r->ctx, pad) && join_is_pad(&r->g->v[pad]); pad = r->g->v[pad].in[0].id)
        lo[r->g->v[pad].attr.axis] += r->g->v[pad].attr.lo;
    f->from[f->n++] = pad;
    return true;
}

/* Do pieces i and j keep apart along some axis? */
static bool join_apart(const pdi_join_request *r, const pdi_join_found *f, size_t i, size_t j)
{
    const pdr_shape *x = &r->g->v[f->from[i]].shape, *y = &r->g->v[f->from[j]].shape;
    for (int k = 0; k < x->rank; k++)
        if (f->lo[i][k] + x->dim[k] <= f->lo[j][k] || f->lo[j][k] + y->dim[k] <= f->lo[i][k])
            return true;
    return false;
}

/* The pads that node is the sum of, through additions alone. */
static bool join_leaves(const pdi_join_request *r, uint32_t node, pdi_join_found *f)
{
    uint32_t stack[PDI_JOIN_PIECES];
    size_t depth = 0;
    stack[depth++] = node;
    while (depth) {
        uint32_t i = stack[--depth];
        const pdi_node *nd = &r->g->v[i];
        if (r->is_made(r->ctx, i)) return false;
        if (join_is_pad(nd)) {
            if (!join_add_pad(r, i, f)) return false;
        } else if (nd->op == PDI_add && depth + 2 <= PDI_JOIN_PIECES) {
            stack[depth++] = nd->in[1].id;
            stack[depth++] = nd->in[0].id;
        } else {
            return false;
        }
    }
    return true;
}

bool pdi_join_find(const pdi_join_request *r, uint32_t node, pdi_join_found *f)
{
    f->n = 0;
    bool ok = join_leaves(r, node, f);
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < i; j++) ok = ok && join_apart(r, f, i, j);
    if (!ok) f->n = 0;
    return ok;
}
