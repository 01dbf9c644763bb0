/* plan/lower.c -- nodes to steps and views.
 *
 * Nodes are visited in list order.  A scalar map waits until somebody needs it
 * (a kernel or an output); then it and the maps it waits for enter loops
 * together, one loop for each number of elements.  So an activation joins the
 * loop of its layer and a whole optimiser update becomes one loop. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "plan/fold.h"
#include "plan/join.h"

typedef struct lower_value {
    bool done;
    int32_t step; /* that makes its buffer; -1: an input or a constant */
    pdi_view view;
} lower_value;

typedef struct lower {
    const pdr_graph *g;
    pdi_lowered *l;
    lower_value *value;
    uint32_t *stack, *waiting; /* scratch of lower_demand, a slot a node */
    unsigned char *seen;
} lower;

/* ---- buffers, constants, steps --------------------------------------------------- */

static int32_t lower_buffer(lower *w, pdi_place place, int64_t size, int64_t at, int32_t born)
{
    pdi_lowered *l = w->l;
    if (!pdi_grow(l->alloc, (void **)&l->buffer, l->buffers, &l->buffer_cap, sizeof *l->buffer)) {
        l->failed = true;
        return 0;
    }
    l->buffer[l->buffers] = (pdi_buffer){
        .place = place, .size = size, .at = at, .born = born, .dies = born};
    return (int32_t)l->buffers++;
}

static int64_t lower_constant(lower *w, float x)
{
    pdi_lowered *l = w->l;
    if (!pdi_grow(l->alloc, (void **)&l->constant, l->constants, &l->constant_cap,
                  sizeof *l->constant)) {
        l->failed = true;
        return 0;
    }
    l->constant[l->constants] = x;
    return (int64_t)l->constants++;
}

/* fill: one number with strides 0.  iota: a ramp along one axis. */
static void lower_leaf(lower *w, const pdi_node *nd, lower_value *v)
{
    int64_t at = (int64_t)w->l->constants, n = 1;
    if (nd->op == PDI_fill) {
        lower_constant(w, (float)nd->attr.value);
    } else {
        n = nd->shape.dim[nd->attr.axis];
        for (int64_t i = 0; i < n; i++) lower_constant(w, (float)i);
    }
    v->view = (pdi_view){.shape = nd->shape};
    v->view.buffer = lower_buffer(w, PDI_AT_CONST, n, at, -1);
    if (nd->op == PDI_iota) v->view.stride[nd->attr.axis] = 1;
    v->step = -1;
    v->done = true;
}

static pdi_step *lower_step(lower *w, pdi_opcode op, uint32_t node)
{
    pdi_lowered *l = w->l;
    if (!pdi_grow(l->alloc, (void **)&l->step, l->steps, &l->step_cap, sizeof *l->step)) {
        l->failed = true;
        return NULL;
    }
    pdi_step *s = &l->step[l->steps++];
    memset(s, 0, sizeof *s);
    s->op = op;
    s->node = node;
    s->attr = w->g->v[node].attr;
    s->shape = w->g->v[node].shape;
    uint32_t label = w->g->v[node].label;
    s->label = label ? l->label[label - 1] : "";
    return s;
}

/* Step `step` reads v. */
static void lower_read(lower *w, const pdi_view *v, int32_t step)
{
    pdi_buffer *b = &w->l->buffer[v->buffer];
    if (b->born != step) b->escapes = true;
    if (b->dies < step) b->dies = step;
}

/* ---- loops --------------------------------------------------------------------------- */

/* Can an entry of `step`, a loop over n elements, read v, which step `made` makes?  What
 * the same loop makes is there only element for element. */
static bool lower_readable(const pdi_view *v, int32_t made, int32_t step, int64_t n)
{
    if (made < step) return true;
    return made == step && pdi_view_is_dense(v) && v->offset == 0 && pdr_shape_size(&v->shape) == n;
}

/* The first loop over n elements, among steps first .., that can read e's operands; a
 * new one when there is none. */
static int32_t lower_find_loop(lower *w, uint32_t node, int64_t n, const pdi_entry *e,
                               const int32_t made[], int32_t first)
{
    pdi_lowered *l = w->l;
    for (int32_t s = first; s < (int32_t)l->steps && !l->plain; s++) {
        const pdi_loop *p = &l->step[s].loop;
        bool ok = l->step[s].op == PDI_stop && p->n == n && p->entries < PDI_LOOP_ENTRIES;
        for (int k = 0; ok && k < e->nin; k++) ok = lower_readable(&e->in[k], made[k], s, n);
        for (int k = 0; ok && k < e->join.pieces; k++) ok = made[k] < s;
        if (ok) return s;
    }
    pdi_step *s = lower_step(w, PDI_stop, node);
    if (s) s->loop.n = n;
    return (int32_t)l->steps - 1;
}

/* Put e into a loop: the first that can read what steps made[] make, or a new one.  Its
 * result is n elements of which nothing else lies in the buffer. */
static bool lower_enter(lower *w, uint32_t node, int64_t n, pdi_entry *e, const int32_t made[],
                        int32_t first)
{
    pdi_lowered *l = w->l;
    e->step = lower_find_loop(w, node, n, e, made, first);
    e->out = lower_buffer(w, PDI_AT_ARENA, n, 0, e->step);
    if (!pdi_grow(l->alloc, (void **)&l->entry, l->entries, &l->entry_cap, sizeof *l->entry))
        l->failed = true;
    if (l->failed) return false;
    for (int k = 0; k < pdi_entry_views(e); k++) lower_read(w, pdi_entry_view(l, e, k), e->step);
    l->entry[l->entries++] = *e;
    l->step[e->step].loop.entries++;
    return true;
}

/* Let node's value be made by a loop: op over views, axes walked in that order.  The result
 * lies in memory as it is walked. */
static void lower_ordered(lower *w, uint32_t node, pdi_opcode op, int nin,
                          const lower_value *const in[], const int32_t order[], int32_t first)
{
    lower_value *v = &w->value[node];
    pdr_shape shape = w->g->v[node].shape;
    pdi_entry e = {.op = op, .nin = nin};
    int32_t made[PDI_MAX_IN] = {0};
    for (int k = 0; k < nin; k++) {
        e.in[k] = pdi_view_permute(&in[k]->view, order);
        made[k] = in[k]->step;
    }
    if (!lower_enter(w, node, pdr_shape_size(&shape), &e, made, first)) return;
    v->view = pdi_view_laid(e.out, &shape, order);
    v->step = e.step;
    v->done = true;
}

/* The order that makes the first whole operand dense, or follows the memory of the one with
 * the most elements: a map over a transposed value transposes nothing. */
static void lower_entry(lower *w, uint32_t node, pdi_opcode op, int nin,
                        const lower_value *const in[], int32_t first)
{
    int32_t order[PDR_MAX_RANK];
    int64_t most = 0;
    bool found = false;
    for (int k = 0; k < PDR_MAX_RANK; k++) order[k] = k;
    for (int k = 0; !w->l->plain && !found && k < nin; k++) {
        int32_t by[PDR_MAX_RANK];
        found = pdi_view_order(&in[k]->view, by);
        int64_t n = found ? INT64_MAX : pdi_view_distinct(&in[k]->view);
        if (n > most) memcpy(order, by, sizeof order);
        if (n > most) most = n;
    }
    lower_ordered(w, node, op, nin, in, order, first);
}

/* Make node's value lie in a buffer of its own, axes in that order. */
static void lower_copied(lower *w, uint32_t node, const int32_t order[], int32_t first)
{
    const lower_value from = w->value[node];
    lower_ordered(w, node, PDI_stop, 1, (const lower_value *const[]){&from}, order, first);
}

static const int32_t lower_straight[PDR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static void lower_densify(lower *w, uint32_t node, int32_t first)
{
    if (!w->l->failed && !pdi_view_is_dense(&w->value[node].view))
        lower_copied(w, node, lower_straight, first);
}

/* ---- views ------------------------------------------------------------------------------ */

static bool lower_is_view(const pdi_node *nd)
{
    return nd->op == PDI_stop ||
           (pdi_op_table[nd->op].family == PDI_WALK && !pdi_walk_adds(nd->op));
}

static void lower_view(lower *w, uint32_t node, int32_t first)
{
    const pdi_node *nd = &w->g->v[node];
    lower_value *v = &w->value[node];
    const lower_value *x = &w->value[nd->in[0].id];
    if (nd->op == PDI_stop) {
        *v = *x;
    } else if (nd->op == PDI_reshape) {
        if (!pdi_view_reshape(&x->view, &nd->shape, &v->view)) {
            int32_t order[PDR_MAX_RANK];
            pdi_view_order_for(&x->view, &nd->shape, order);
            lower_copied(w, nd->in[0].id, order, first);
            if (!w->l->failed) pdi_view_reshape(&x->view, &nd->shape, &v->view);
        }
        v->step = x->step;
    } else {
        pdi_walk walk = pdi_walk_of(w->g, nd);
        v->view = pdi_view_walk(&x->view, &walk, pdi_shape_at(w->g, nd->in[0]));
        v->step = x->step;
    }
    v->done = true;
    if (w->l->plain) lower_densify(w, node, first);
}

/* ---- joins ------------------------------------------------------------------------------ */

static bool lower_is_made(const void *ctx, uint32_t node)
{
    const lower *w = ctx;
    return w->value[node].done;
}

/* Is node made by a join? */
static bool lower_joins(const lower *w, uint32_t node, pdi_join_found *f)
{
    const pdi_join_request r = {w->g, lower_is_made, w};
    f->n = 0;
    return !w->l->plain && pdi_join_find(&r, node, f);
}

static bool lower_piece(lower *w, const pdi_view *v, const int64_t lo[])
{
    pdi_lowered *l = w->l;
    if (!pdi_grow(l->alloc, (void **)&l->piece, l->pieces, &l->piece_cap, sizeof *l->piece)) {
        l->failed = true;
        return false;
    }
    pdi_piece *p = &l->piece[l->pieces++];
    *p = (pdi_piece){.view = *v, .axes = pdi_view_axes(v), .is_dense = pdi_view_is_dense(v)};
    memcpy(p->lo, lo, sizeof p->lo);
    return true;
}

/* x + 0, for a sum of pads. */
static void lower_add_zero(lower *w, uint32_t node, int32_t first)
{
    lower_value from = w->value[node], zero = {.done = true, .step = -1};
    int64_t at = lower_constant(w, 0);
    zero.view = (pdi_view){.shape = from.view.shape};
    zero.view.buffer = lower_buffer(w, PDI_AT_CONST, 1, at, -1);
    if (!w->l->failed)
        lower_entry(w, node, PDI_add, 2, (const lower_value *const[]){&from, &zero}, first);
}

/* The rows of a join, from the innermost padded axis on. */
static void lower_join_rows(const lower *w, const pdi_join_found *f, pdi_join *j)
{
    for (size_t i = 0; i < f->n; i++)
        for (int k = j->axis; k < j->shape.rank; k++)
            if (w->g->v[f->from[i]].shape.dim[k] != j->shape.dim[k]) j->axis = k;
    j->inner = 1;
    for (int k = j->axis + 1; k < j->shape.rank; k++) j->inner *= j->shape.dim[k];
    j->row = j->inner * j->shape.dim[j->axis];
}

static void lower_join(lower *w, uint32_t node, const pdi_join_found *f, int32_t first)
{
    const pdr_shape *shape = &w->g->v[node].shape;
    int32_t made[PDI_JOIN_PIECES];
    int64_t n = pdr_shape_size(shape);
    pdi_entry e = {.op = PDI_pad};
    e.join = (pdi_join){.shape = *shape, .piece = (int32_t)w->l->pieces, .pieces = (int32_t)f->n};
    lower_join_rows(w, f, &e.join);
    for (size_t k = 0; k < f->n; k++) {
        const lower_value *x = &w->value[f->from[k]];
        made[k] = x->step;
        if (!lower_piece(w, &x->view, f->lo[k])) return;
    }
    if (!lower_enter(w, node, n, &e, made, first)) return;
    w->value[node] = (lower_value){true, e.step, pdi_view_dense(e.out, shape)};
    if (f->n > 1) lower_add_zero(w, node, first);
}

/* ---- demand -------------------------------------------------------------------------------- */

static int lower_by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

/* The nodes that x waits for, itself included, in list order. */
static size_t lower_collect(lower *w, uint32_t x)
{
    size_t depth = 0, n = 0;
    if (w->value[x].done) return 0;
    w->stack[depth++] = x;
    w->seen[x] = 1;
    while (depth) {
        uint32_t i = w->stack[--depth];
        w->waiting[n++] = i;
        pdi_join_found f;
        size_t nin = lower_joins(w, i, &f) ? f.n : (size_t)w->g->v[i].nin;
        for (size_t k = 0; k < nin; k++) {
            uint32_t o = f.n ? f.from[k] : w->g->v[i].in[k].id;
            if (w->value[o].done || w->seen[o]) continue;
            w->seen[o] = 1;
            w->stack[depth++] = o;
        }
    }
    qsort(w->waiting, n, sizeof *w->waiting, lower_by_number);
    for (size_t i = 0; i < n; i++) w->seen[w->waiting[i]] = 0;
    return n;
}

/* Loops made from here on may be joined: those of one demand, or the last step. */
static int32_t lower_first(const lower *w)
{
    int32_t n = (int32_t)w->l->steps;
    return n && w->l->step[n - 1].op == PDI_stop ? n - 1 : n;
}

/* Make the value of a node whose operands are made; those that a join passed over when they
 * were collected, and that now are wanted by themselves, are made on the way. */
static void lower_make(lower *w, uint32_t node, int32_t first)
{
    const pdi_node *nd = &w->g->v[node];
    const lower_value *in[PDI_MAX_IN] = {0};
    pdi_join_found f;
    if (lower_joins(w, node, &f)) {
        lower_join(w, node, &f, first);
        return;
    }
    for (int k = 0; k < nd->nin && !w->l->failed; k++) {
        in[k] = &w->value[nd->in[k].id];
        if (!in[k]->done) lower_make(w, nd->in[k].id, first);
    }
    if (w->l->failed) return;
    if (lower_is_view(nd))
        lower_view(w, node, first);
    else
        lower_entry(w, node, nd->op, nd->nin, in, first);
}

static void lower_demand(lower *w, uint32_t x)
{
    int32_t first = lower_first(w);
    size_t n = lower_collect(w, x);
    for (size_t i = 0; i < n && !w->l->failed; i++)
        if (!w->value[w->waiting[i]].done) lower_make(w, w->waiting[i], first);
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* Sums and products read through any view; the other kernels want dense operands. */
static double lower_flops(const pdr_graph *g, const pdi_node *nd)
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]);
    if (nd->op == PDI_dot) return 2.0 * (double)pdr_shape_size(&nd->shape) * x->dim[x->rank - 1];
    return (double)pdr_shape_size(nd->op == PDI_gather || nd->op == PDI_rand ? &nd->shape : x);
}

/* The value of a node as a fold of one that permutations and reshapes made it from. */
static bool lower_fold(lower *w, uint32_t node, pdi_fold *f)
{
    const pdi_node *nd = &w->g->v[node];
    pdi_fold from;
    if (w->value[node].done || (nd->op != PDI_permute && nd->op != PDI_reshape)) {
        lower_demand(w, node);
        *f = pdi_fold_of(&w->value[node].view);
        return !w->l->failed;
    }
    if (!lower_fold(w, nd->in[0].id, &from)) return false;
    return nd->op == PDI_permute ? pdi_fold_permute(&from, nd->attr.perm.at, f)
                                 : pdi_fold_reshape(&from, &nd->shape, f);
}

static bool lower_run_at_least(const pdi_axes *a, int64_t least)
{
    return a->n > 0 && a->dim[a->n - 1] >= least;
}

/* A product reads an operand with one stride for rows and one for terms as it does any view.
 * Others it reads in runs: the first operand in place, terms of a few rows; the second to
 * pack it, rows that lie side by side.  Where runs are short a copy costs less. */
static bool lower_in_runs(const pdi_view *v, int terms, int batch, int operand)
{
    enum { LONG = 16, SHORT = 4 };
    pdi_axes rows = pdi_view_some_axes(v, batch, terms);
    pdi_axes run = pdi_view_some_axes(v, terms, v->shape.rank);
    if (rows.n <= 1 && run.n <= 1) return false;
    if (operand == 0) return lower_run_at_least(&run, LONG) && lower_run_at_least(&rows, SHORT);
    return lower_run_at_least(&rows, LONG) && rows.stride[rows.n - 1] == 1 &&
           lower_run_at_least(&run, SHORT);
}

/* Operand k of product s, folded or not. */
static void lower_operand(lower *w, pdi_step *s, int k, uint32_t node)
{
    pdi_fold f;
    int batch = w->g->v[node].shape.rank - 2;
    bool folds = !w->l->plain && lower_fold(w, node, &f);
    for (int i = 0; folds && i < batch; i++) folds = f.group[i] == 1;
    s->batch = batch;
    if (folds && lower_in_runs(&f.view, batch + f.group[batch], batch, k)) {
        s->terms[k] = batch + f.group[batch];
        s->in[k] = f.view;
        return;
    }
    lower_demand(w, node);
    s->terms[k] = batch + 1;
    s->in[k] = w->value[node].view;
}

/* Let a reduction's result lie in memory as its operand does, so that outputs that are neighbours
 * there are made together.  Reduced axes keep their order: it is a sum's. */
static pdi_view lower_reduction_laid(pdi_step *s)
{
    pdi_view *x = &s->in[0], kept = {.shape = {0}};
    int32_t at[PDR_MAX_RANK], order[PDR_MAX_RANK], all[PDR_MAX_RANK];
    int n = 0, next = 0;
    for (int k = 0; k < x->shape.rank; k++) {
        all[k] = k;
        if (s->attr.axes >> k & 1) continue;
        at[n] = k;
        kept.shape.dim[n] = x->shape.dim[k];
        kept.stride[n++] = x->stride[k];
    }
    kept.shape.rank = n;
    pdi_view_order(&kept, order);
    pdi_view out = pdi_view_laid(s->out, &s->shape, order);
    for (int k = 0; k < x->shape.rank; k++)
        if (!(s->attr.axes >> k & 1)) all[k] = at[order[next++]];
    *x = pdi_view_permute(x, all);
    s->shape = pdi_view_permute(&out, order).shape;
    return out;
}

static bool lower_reduces(pdi_opcode op)
{
    return op == PDI_sum || op == PDI_max || op == PDI_argmax;
}

/* A reduction's operand, folded where each axis that stays is one axis of the fold. */
static void lower_reduced(lower *w, const pdi_node *nd, pdi_step *s)
{
    uint32_t x = nd->in[0].id, axes = nd->op == PDI_sum ? nd->attr.axes : 1u << nd->attr.axis;
    pdi_fold f;
    bool folds = !w->l->plain && lower_fold(w, x, &f);
    s->attr.axes = 0;
    for (int k = 0, at = 0; folds && k < f.rank; at += f.group[k++]) {
        if (axes >> k & 1) s->attr.axes |= ((1u << f.group[k]) - 1) << at;
        folds = axes >> k & 1 || f.group[k] == 1;
    }
    if (folds) {
        s->in[0] = f.view;
        return;
    }
    lower_demand(w, x);
    s->attr.axes = axes;
    s->in[0] = w->value[x].view;
}

/* Does a kernel that is no sum and no product read v where it lies? */
static bool lower_is_read(const pdi_node *nd, const pdi_view *v)
{
    if (nd->op != PDI_unwindow) return pdi_view_is_dense(v);
    pdi_axes inner = pdi_view_some_axes(v, nd->attr.axis + 2, v->shape.rank);
    return inner.n == 0 || (inner.n == 1 && inner.stride[0] == 1);
}

/* Operands, each where its kernel can read it. */
static void lower_operands(lower *w, uint32_t node, pdi_step *s)
{
    const pdi_node *nd = &w->g->v[node];
    if (lower_reduces(nd->op)) {
        lower_reduced(w, nd, s);
        return;
    }
    for (int k = 0; k < nd->nin && !w->l->failed; k++) {
        uint32_t x = nd->in[k].id;
        int32_t first = lower_first(w);
        if (nd->op == PDI_dot) {
            lower_operand(w, s, k, x);
            continue;
        }
        lower_demand(w, x);
        if (!w->l->failed && (w->l->plain || !lower_is_read(nd, &w->value[x].view)))
            lower_densify(w, x, first);
        s->in[k] = w->value[x].view;
    }
}

static int32_t lower_pack(lower *w, uint32_t node, const pdi_view *v)
{
    pdi_lowered *l = w->l;
    int32_t panels = (v->shape.dim[0] - 1) / l->panel + 1, k = v->shape.dim[1];
    pdi_step *s = lower_step(w, PDI_STEP_PACK, node);
    if (!s) return 0;
    int32_t at = (int32_t)l->steps - 1;
    s->shape = (pdr_shape){.rank = 3, .dim = {panels, k, l->panel}};
    s->nin = 1;
    s->in[0] = *v;
    s->flops = (double)pdr_shape_size(&v->shape);
    s->out = lower_buffer(w, PDI_AT_ARENA, pdr_shape_size(&s->shape), 0, at);
    lower_read(w, v, at);
    return s->out;
}

/* Let product s read its second operand from a copy, where that pays. */
static void lower_packed(lower *w, uint32_t node, pdi_step *s)
{
    if (w->l->failed || w->l->plain || !pdi_pack_pays(s, &w->g->v[node].shape)) return;
    pdi_view v = pdi_pack_view(s);
    int32_t b = pdi_pack_find(w->l, &v);
    s->is_packed = true;
    s->in[1].buffer = b >= 0 ? b : lower_pack(w, node, &v);
    s->in[1].offset = 0;
    memset(s->in[1].stride, 0, sizeof s->in[1].stride);
}

static void lower_kernel(lower *w, uint32_t node)
{
    const pdi_node *nd = &w->g->v[node];
    pdi_step reads = {.nin = nd->nin};
    lower_operands(w, node, &reads);
    if (nd->op == PDI_dot) lower_packed(w, node, &reads);
    pdi_step *s = w->l->failed ? NULL : lower_step(w, nd->op, node);
    if (!s) return;
    int32_t at = (int32_t)w->l->steps - 1;
    s->nin = nd->nin;
    s->batch = reads.batch;
    s->is_packed = reads.is_packed;
    s->flops = lower_flops(w->g, nd);
    for (int k = 0; k < nd->nin; k++) {
        s->in[k] = reads.in[k];
        s->terms[k] = reads.terms[k];
        lower_read(w, &s->in[k], at);
    }
    s->out = lower_buffer(w, PDI_AT_ARENA, pdr_shape_size(&nd->shape), 0, at);
    pdi_view made = pdi_view_dense(s->out, &nd->shape);
    if (lower_reduces(nd->op)) s->attr.axes = reads.attr.axes;
    if (lower_reduces(nd->op) && !w->l->plain) made = lower_reduction_laid(s);
    w->value[node] = (lower_value){true, at, made};
}

/* A pad waits as maps do, to be joined with others. */
static bool lower_is_kernel(const lower *w, const pdi_node *nd)
{
    pdi_family f = pdi_op_table[nd->op].family;
    if (nd->op == PDI_pad && nd->attr.step == 1 && !w->l->plain) return false;
    return f != PDI_LEAF && f != PDI_MAP && !lower_is_view(nd);
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static pdr_rc lower_inputs(lower *w, const pdi_request *r, const unsigned char *need,
                           pdr_error *err)
{
    for (size_t i = 0; i < r->n_in; i++) {
        const pdi_node *nd = pdi_node_at(r->g, r->in[i]);
        lower_value *v = &w->value[r->in[i].id];
        if (nd->op != PDI_input)
            return pdi_fail(err, PDR_USAGE, "plan: in[%zu] is not an input", i);
        if (v->done) return pdi_fail(err, PDR_USAGE, "plan: in[%zu] is listed twice", i);
        int32_t b = lower_buffer(w, PDI_AT_INPUT, pdr_shape_size(&nd->shape), 0, -1);
        if (w->l->failed) return PDR_OK;
        w->l->buffer[b].index = (int32_t)i;
        *v = (lower_value){true, -1, pdi_view_dense(b, &nd->shape)};
    }
    for (size_t i = 1; i < r->g->n; i++)
        if (need[i] && r->g->v[i].op == PDI_input && !w->value[i].done)
            return pdi_fail(err, PDR_USAGE, "plan: input %%%zu is needed and not listed", i);
    return PDR_OK;
}

static bool lower_is_product(const lower *w, uint32_t x)
{
    return w->g->v[x].op == PDI_dot && w->value[x].done;
}

/* Made already, or a sum of two products that are. */
static bool lower_is_sum(const lower *w, uint32_t x)
{
    const pdi_node *nd = &w->g->v[x];
    if (nd->op != PDI_add) return false;
    return w->value[x].done ||
           (lower_is_product(w, nd->in[0].id) && lower_is_product(w, nd->in[1].id));
}

/* A sum of three products or more waits for nobody: gradients of a weight that is used again
 * and again are added up as they come, not kept until the end. */
static bool lower_adds_up(const lower *w, const pdi_node *nd)
{
    if (nd->op != PDI_add || w->l->plain) return false;
    uint32_t x = nd->in[0].id, y = nd->in[1].id;
    return (lower_is_sum(w, x) && lower_is_product(w, y)) ||
           (lower_is_sum(w, y) && lower_is_product(w, x));
}

static void lower_nodes(lower *w, const unsigned char *need)
{
    for (size_t i = 1; i < w->g->n && !w->l->failed; i++) {
        const pdi_node *nd = &w->g->v[i];
        if (!need[i]) continue;
        if (nd->op == PDI_fill || nd->op == PDI_iota) lower_leaf(w, nd, &w->value[i]);
        if (lower_is_kernel(w, nd)) lower_kernel(w, (uint32_t)i);
        if (lower_adds_up(w, nd)) lower_demand(w, (uint32_t)i);
    }
}

static void lower_copy(lower *w, size_t output, const pdi_view *v)
{
    pdi_lowered *l = w->l;
    if (!pdi_grow(l->alloc, (void **)&l->copy, l->copies, &l->copy_cap, sizeof *l->copy))
        l->failed = true;
    else
        l->copy[l->copies++] = (pdi_copy){(int32_t)output, v->buffer, v->offset,
                                          pdr_shape_size(&v->shape)};
}

/* Every output ends as a copy of something dense; pdi_outputs_place() removes
 * most.  Inputs that an output may overwrite are first copied into the arena. */
static void lower_outputs(lower *w, const pdi_request *r)
{
    for (size_t j = 0; j < r->n_out && !w->l->failed; j++) {
        int32_t first = lower_first(w);
        uint32_t x = r->out[j].id;
        lower_demand(w, x);
        if (w->l->failed) return;
        const lower_value *from = &w->value[x];
        if (!pdi_view_is_dense(&from->view) || (from->step < 0 && r->over))
            lower_copied(w, x, lower_straight, first);
    }
    for (size_t j = 0; j < r->n_out && !w->l->failed; j++) {
        const pdi_view *v = &w->value[r->out[j].id].view;
        lower_read(w, v, (int32_t)w->l->steps);
        lower_copy(w, j, v);
    }
}

static bool lower_labels(const pdr_graph *g, pdi_lowered *l)
{
    l->label = pdi_new(l->alloc, g->labels, sizeof *l->label);
    for (; l->label && l->labels < g->labels; l->labels++) {
        l->label[l->labels] = pdi_strdup(l->alloc, g->label[l->labels]);
        if (!l->label[l->labels]) return false;
    }
    return l->label != NULL;
}

pdr_rc pdi_lower(const pdi_request *r, pdi_lowered *l, pdr_error *err)
{
    size_t n = r->g->n;
    lower w = {.g = r->g, .l = l};
    l->plain = r->plain;
    l->panel = r->panel;
    pdr_rc rc = PDR_OK;
    unsigned char *need = pdi_new(l->alloc, n, 1);
    w.value = pdi_new(l->alloc, n, sizeof *w.value);
    w.stack = pdi_new(l->alloc, n, sizeof *w.stack);
    w.waiting = pdi_new(l->alloc, n, sizeof *w.waiting);
    w.seen = pdi_new(l->alloc, n, 1);
    l->failed = !need || !w.value || !w.stack || !w.waiting || !w.seen || !lower_labels(r->g, l);
    if (!l->failed) {
        pdi_mark_needed(r->g, r->n_out, r->out, need);
        rc = lower_inputs(&w, r, need, err);
    }
    if (!l->failed && !rc) {
        lower_nodes(&w, need);
        lower_outputs(&w, r);
    }
    pdi_free(l->alloc, need);
    pdi_free(l->alloc, w.value);
    pdi_free(l->alloc, w.stack);
    pdi_free(l->alloc, w.waiting);
    pdi_free(l->alloc, w.seen);
    return l->failed ? pdi_nomem(err) : rc;
}

void pdi_lowered_close(pdi_lowered *l)
{
    for (size_t i = 0; i < l->steps; i++) {
        pdi_free(l->alloc, l->step[i].loop.reg);
        pdi_free(l->alloc, l->step[i].loop.instr);
    }
    for (size_t i = 0; i < l->labels; i++) pdi_free(l->alloc, l->label[i]);
    pdi_free(l->alloc, l->label);
    pdi_free(l->alloc, l->buffer);
    pdi_free(l->alloc, l->step);
    pdi_free(l->alloc, l->entry);
    pdi_free(l->alloc, l->piece);
    pdi_free(l->alloc, l->copy);
    pdi_free(l->alloc, l->chain);
    pdi_free(l->alloc, l->constant);
    const pdr_alloc *alloc = l->alloc;
    *l = (pdi_lowered){.alloc = alloc};
}
