/* exec/step.c -- running one step, or a part of it.
 *
 * Every step has a number of things that can be computed apart (elements of a loop,
 * outputs of a sum, rows or products of a batch) and a function that computes some of
 * them in a row.  A step by itself shares them out on the pool; a region (see
 * exec/region.c) asks for those of some tasks.  Either way outputs are divided, never a
 * sum, so the bits do not depend on it. */
#include <string.h>

#include "exec/exec.h"

/* Below this many operations a step is not worth handing over. */
static const double step_worth = 50000;

typedef struct step_run step_run;

/* Compute things lo .. hi-1 of a step. */
typedef void (*step_fn)(const step_run *r, int64_t lo, int64_t hi);

struct step_run {
    const pdi_part *part;
    const pdi_step *step;
    const pdi_ready *ready;
    const pdi_kernels *kern;
    step_fn fn;
    int64_t total, tasks; /* of a step shared out on the pool */
};

static const float *step_in(const step_run *r, const pdi_view *v)
{
    return pdi_exec_address(r->part, v->buffer) + v->offset;
}

static float *step_out(const step_run *r) { return pdi_exec_address(r->part, r->step->out); }

static float *step_scratch(const step_run *r)
{
    return r->part->plan->scratch + (size_t)r->part->worker * r->part->plan->scratch_each;
}

/* ---- loops -------------------------------------------------------------------------- */

/* Where a register's element 0 of a strip is, and whether it moves with the loop; up to
 * which element a strip that repeats is right. */
typedef struct step_place {
    float *base;
    int64_t moves, until;
} step_place;

/* n: elements of the longest strip. */
static void step_loop_places(const step_run *r, float *strips, int64_t n, step_place *at)
{
    const pdi_loop *p = &r->step->loop;
    for (int32_t k = 0; k < p->regs; k++) {
        const pdi_reg *g = &p->reg[k];
        float *strip = strips + (int64_t)g->slot * PDI_STRIP;
        if (g->kind == PDI_REG_DENSE) {
            at[k] = (step_place){pdi_exec_address(r->part, g->buffer) + g->offset, 1, 0};
        } else {
            at[k] = (step_place){strip, 0, 0};
        }
        if (g->kind == PDI_REG_SCALAR) {
            float x = pdi_exec_address(r->part, g->buffer)[g->offset];
            for (int64_t i = 0; i < n; i++) strip[i] = x;
        }
    }
}

/* Elements lo .. lo+n-1 of a register's view.  Strips of one block are equal: the first
 * stays until its end. */
static void step_loop_load(const step_run *r, const pdi_reg *g, step_place *at, int64_t lo,
                           int64_t n)
{
    if (lo + n <= at->until) return;
    const float *x = pdi_exec_address(r->part, g->buffer) + g->offset;
    r->kern->load(at->base, x, &g->axes, lo, n);
    if (g->period) at->until = (lo / g->block + 1) * g->block;
}

/* Which of its own rows a piece has in row `at` of the join; -1: none. */
static int64_t step_piece_row(const pdr_shape *s, const pdi_piece *p, int axis, int64_t at)
{
    int64_t row = 0, rows = 1;
    for (int k = axis; k-- > 0; at /= s->dim[k]) {
        int64_t i = at % s->dim[k] - p->lo[k];
        if (i < 0 || i >= p->view.shape.dim[k]) return -1;
        row += i * rows;
        rows *= p->view.shape.dim[k];
    }
    return row;
}

/* Elements from .. to-1 of row `at` of a join: what piece p has of them. */
static void step_piece(const step_run *r, const pdi_join *j, const pdi_piece *p, int64_t at,
                       int64_t from, int64_t to, float *out)
{
    int64_t first = p->lo[j->axis] * j->inner, length = p->view.shape.dim[j->axis] * j->inner;
    int64_t lo = from > first ? from : first, hi = to < first + length ? to : first + length;
    if (lo >= hi) return;
    int64_t row = step_piece_row(&j->shape, p, j->axis, at);
    if (row < 0) return;
    const float *x = step_in(r, &p->view);
    int64_t i = row * length + lo - first;
    if (p->is_dense)
        memcpy(out + lo - from, x + i, sizeof *out * (size_t)(hi - lo));
    else
        r->kern->load(out + lo - from, x, &p->axes, i, hi - lo);
}

static void step_join(const step_run *r, const pdi_join *j, float *out, int64_t lo, int64_t n)
{
    const pdi_piece *p = &r->part->plan->low.piece[j->piece];
    int64_t at = lo / j->row, from = lo % j->row;
    memset(out, 0, sizeof *out * (size_t)n);
    for (int64_t to; n > 0; n -= to - from, from = 0, at++) {
        to = j->row - from < n ? j->row : from + n;
        for (int32_t i = 0; i < j->pieces; i++) step_piece(r, j, &p[i], at, from, to, out);
        out += to - from;
    }
}

static void step_loop_strip(const step_run *r, step_place *at, int64_t lo, int64_t n)
{
    const pdi_loop *p = &r->step->loop;
    for (int32_t i = 0; i < p->instrs; i++) {
        const pdi_instr *k = &p->instr[i];
        float *out = at[k->out].base + at[k->out].moves * lo;
        if (k->op == PDI_input) {
            step_loop_load(r, &p->reg[k->out], &at[k->out], lo, n);
            continue;
        }
        if (k->op == PDI_pad) {
            step_join(r, &k->join, out, lo, n);
            continue;
        }
        const float *in[PDI_MAX_IN] = {0};
        for (int j = 0; j < PDI_MAX_IN && k->in[j] >= 0; j++)
            in[j] = at[k->in[j]].base + at[k->in[j]].moves * lo;
        pdi_map_fn fn = k->pair ? r->kern->pair[k->pair][k->side] : r->kern->map[k->op];
        fn(out, in[0], in[1], in[2], n);
    }
}

static void step_loop(const step_run *r, int64_t lo, int64_t hi)
{
    step_place at[PDI_LOOP_REGS];
    int64_t strip = r->step->loop.strip;
    if (strip > hi - lo) strip = hi - lo;
    step_loop_places(r, step_scratch(r), strip, at);
    for (; lo < hi; lo += strip) step_loop_strip(r, at, lo, hi - lo < strip ? hi - lo : strip);
}

/* ---- sums and maxima ------------------------------------------------------------------ */

static void step_reduce(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_reduction d = {step_out(r), step_in(r, &r->step->in[0]), r->ready->kept,
                             r->ready->over};
    switch (r->step->op) {
    case PDI_max: r->kern->max(&d, lo, hi); break;
    case PDI_argmax: r->kern->argmax(&d, lo, hi); break;
    default: r->kern->sum(&d, lo, hi);
    }
}

/* The axes of v whose bit in `axes` is `bit`. */
static pdi_axes step_axes(const pdi_view *v, uint32_t axes, uint32_t bit)
{
    pdi_view some = {.shape = {0}};
    for (int k = 0; k < v->shape.rank; k++) {
        if ((axes >> k & 1) != bit) continue;
        some.shape.dim[some.shape.rank] = v->shape.dim[k];
        some.stride[some.shape.rank++] = v->stride[k];
    }
    return pdi_view_axes(&some);
}

static void step_reduce_ready(const pdi_step *s, pdi_ready *d)
{
    d->kept = step_axes(&s->in[0], s->attr.axes, 0);
    d->over = step_axes(&s->in[0], s->attr.axes, 1);
    d->total = pdr_shape_size(&s->shape);
    d->least = 16;
}

/* ---- dot ------------------------------------------------------------------------------------ */

static int64_t step_axes_at(const pdi_axes *a, int64_t i)
{
    int64_t at = 0;
    for (int k = a->n; k-- > 0; i /= a->dim[k]) at += i % a->dim[k] * a->stride[k];
    return at;
}

static pdi_gemm step_dot_product(const step_run *r)
{
    pdi_gemm g = r->ready->gemm;
    g.a = step_in(r, &r->step->in[0]);
    g.b = step_in(r, &r->step->in[1]);
    g.c = step_out(r);
    g.is_packed = r->step->is_packed;
    g.pack = step_scratch(r);
    if (r->ready->has_runs) g.runs = &r->ready->runs;
    return g;
}

/* Rows lo .. hi-1 of a single product. */
static void step_dot_rows(const step_run *r, int64_t lo, int64_t hi)
{
    pdi_gemm g = step_dot_product(r);
    g.a += lo * g.am; /* with runs strides are 0 */
    g.row = lo;
    g.c += lo * g.ldc;
    g.m = hi - lo;
    r->kern->gemm(&g);
}

/* Columns lo .. hi-1 of a single product; panels of columns where they are packed. */
static void step_dot_columns(const step_run *r, int64_t lo, int64_t hi)
{
    pdi_gemm g = step_dot_product(r);
    if (g.is_packed) {
        lo *= r->kern->panel;
        hi *= r->kern->panel;
        if (hi > g.n) hi = g.n;
    }
    g.b += lo * (g.is_packed ? g.k : g.bn);
    g.column = lo;
    g.c += lo;
    g.n = hi - lo;
    r->kern->gemm(&g);
}

/* Products lo .. hi-1 of a batch. */
static void step_dot_batch(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_gemm first = step_dot_product(r);
    for (; lo < hi; lo++) {
        pdi_gemm g = first;
        g.a += step_axes_at(&r->ready->batch[0], lo);
        g.b += step_axes_at(&r->ready->batch[1], lo);
        g.c += lo * g.m * g.n;
        r->kern->gemm(&g);
    }
}

/* Rows lo .. hi-1 of all products of a batch. */
static void step_dot_batch_rows(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_gemm first = step_dot_product(r);
    for (int64_t i, n; lo < hi; lo += n) {
        pdi_gemm g = first;
        i = lo % g.m;
        n = g.m - i < hi - lo ? g.m - i : hi - lo;
        g.a += step_axes_at(&r->ready->batch[0], lo / g.m) + i * g.am;
        g.b += step_axes_at(&r->ready->batch[1], lo / g.m);
        g.c += lo * g.n;
        g.row = i;
        g.m = n;
        r->kern->gemm(&g);
    }
}

/* Is axis k of the batch more rows of the same product?  It is when the second
 * operand does not move along it and the first one moves on by its rows. */
static bool step_dot_is_rows(const pdi_gemm *g, const pdi_view *a, const pdi_view *b, int k)
{
    if (a->shape.dim[k] == 1) return true;
    return b->stride[k] == 0 && (g->m == 1 || a->stride[k] == g->m * g->am);
}

/* Take such axes into the rows; what is left is the batch. */
static void step_dot_join(pdi_ready *d, const pdi_view *a, const pdi_view *b, int32_t batch)
{
    int rank = (int)batch;
    for (; rank > 0 && !d->has_runs && step_dot_is_rows(&d->gemm, a, b, rank - 1); rank--) {
        if (a->shape.dim[rank - 1] == 1) continue;
        if (d->gemm.m == 1) d->gemm.am = a->stride[rank - 1];
        d->gemm.m *= a->shape.dim[rank - 1];
    }
    for (int i = 0; i < 2; i++) { /* axes are not joined: both must count the same way */
        const pdi_view *v = i ? b : a;
        d->batch[i].n = rank;
        for (int k = 0; k < rank; k++) {
            d->batch[i].dim[k] = v->shape.dim[k];
            d->batch[i].stride[k] = v->stride[k];
        }
    }
}

/* Axes from .. to-1 of v, of which there must be one. */
static pdi_axes step_dot_axes(const pdi_view *v, int from, int to)
{
    pdi_axes a = pdi_view_some_axes(v, from, to);
    return a.n ? a : (pdi_axes){1, {1}, {0}};
}

static int64_t step_axes_count(const pdi_axes *a)
{
    int64_t n = 1;
    for (int k = 0; k < a->n; k++) n *= a->dim[k];
    return n;
}

static void step_dot_runs(const pdi_step *s, pdi_ready *d)
{
    const pdi_view *a = &s->in[0], *b = &s->in[1];
    d->has_runs = true;
    d->runs.rows = step_dot_axes(a, s->batch, s->terms[0]);
    d->runs.a_terms = step_dot_axes(a, s->terms[0], a->shape.rank);
    d->runs.columns = step_dot_axes(b, s->batch, s->terms[1]);
    d->runs.b_terms = step_dot_axes(b, s->terms[1], b->shape.rank);
    d->gemm = (pdi_gemm){.m = step_axes_count(&d->runs.rows),
                         .n = step_axes_count(&d->runs.columns),
                         .k = step_axes_count(&d->runs.a_terms)};
    d->gemm.ldc = d->gemm.n;
}

static void step_dot_matrices(const pdi_view *a, const pdi_view *b, pdi_ready *d)
{
    int row = a->shape.rank - 2, col = row + 1;
    d->gemm = (pdi_gemm){.m = a->shape.dim[row],
                         .n = b->shape.dim[row],
                         .k = a->shape.dim[col],
                         .am = a->stride[row],
                         .ak = a->stride[col],
                         .bn = b->stride[row],
                         .bk = b->stride[col],
                         .ldc = b->shape.dim[row]};
}

static void step_dot_ready(const pdi_step *s, pdi_ready *d)
{
    const pdi_view *a = &s->in[0], *b = &s->in[1];
    if (a->shape.rank == s->batch + 2 && b->shape.rank == s->batch + 2)
        step_dot_matrices(a, b, d);
    else
        step_dot_runs(s, d);
    step_dot_join(d, a, b, s->batch);
    d->total = 1;
    for (int k = 0; k < d->batch[0].n; k++) d->total *= d->batch[0].dim[k];
    d->least = 1;
    d->rows = d->total * d->gemm.m;
    d->is_single = d->batch[0].n == 0;
    if (d->is_single) d->total = d->gemm.m;
}

/* Panels lo .. hi-1 of a second operand. */
static void step_pack(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_view *v = &r->step->in[0];
    int64_t n = v->shape.dim[0], k = v->shape.dim[1], panel = r->kern->panel;
    for (; lo < hi; lo++) {
        int64_t at = lo * panel, some = n - at < panel ? n - at : panel;
        r->kern->pack(step_out(r) + at * k, panel, step_in(r, v) + at * v->stride[0], v->stride[0],
                      v->stride[1], some, k);
    }
}

/* ---- the dense kernels: parts of [outer, n, inner] ----------------------------------------------
 */

/* pad: zeros, then every element of x to its place.  Neighbours go there together. */
static void step_pad(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_attr *at = &r->step->attr;
    pdi_along to = pdi_along_axis(&r->step->shape, at->axis);
    int64_t each = to.n * to.inner;
    const float *x = step_in(r, &r->step->in[0]) + lo * at->count * to.inner;
    float *out = step_out(r) + lo * each;
    int64_t rows = at->step == 1 ? 1 : at->count, row = at->count / rows * to.inner;
    memset(out, 0, sizeof *out * (size_t)((hi - lo) * each));
    for (; lo < hi; lo++, out += each)
        for (int64_t i = 0; i < rows; i++, x += row)
            memcpy(out + (at->lo + i * at->step) * to.inner, x, sizeof *out * (size_t)row);
}

static void step_unwindow_ready(const pdi_step *s, pdi_ready *d)
{
    d->total = pdi_along_axis(&s->shape, s->attr.axis).outer;
    d->least = 1;
    d->kept = pdi_view_some_axes(&s->in[0], 0, s->attr.axis);
}

/* unwindow: zeros, then tap by tap, so an element's overlaps are added in ascending order of
 * taps.  The operand's axes after the taps lie side by side. */
static void step_unwindow(const step_run *r, int64_t lo, int64_t hi)
{
    const pdi_attr *at = &r->step->attr;
    const pdi_view *v = &r->step->in[0];
    pdi_along to = pdi_along_axis(&r->step->shape, at->axis);
    int64_t places = v->shape.dim[at->axis], taps = at->taps, inner = to.inner;
    const int64_t *stride = v->stride + at->axis;
    float *out = step_out(r) + lo * to.n * inner;
    memset(out, 0, sizeof *out * (size_t)((hi - lo) * to.n * inner));
    for (; lo < hi; lo++, out += to.n * inner) {
        const float *x = step_in(r, v) + step_axes_at(&r->ready->kept, lo);
        for (int64_t t = 0; t < taps; t++)
            for (int64_t p = 0; p < places; p++) {
                float *to_row = out + (p * at->step + t * at->dilation) * inner;
                const float *from = x + p * stride[0] + t * stride[1];
                for (int64_t i = 0; i < inner; i++) to_row[i] += from[i];
            }
    }
}

static void step_index(const step_run *r, int64_t lo, int64_t hi)
{
    bool gathers = r->step->op == PDI_gather;
    int batch = r->step->attr.batch;
    pdi_along table = pdi_along_axis(gathers ? &r->step->in[0].shape : &r->step->shape, batch);
    int64_t m = r->step->in[1].shape.dim[batch], inner = table.inner;
    const float *x = step_in(r, &r->step->in[0]);
    const int32_t *index = (const int32_t *)(const void *)step_in(r, &r->step->in[1]);
    float *out = step_out(r);
    size_t row_bytes = sizeof *out * (size_t)inner;
    if (!gathers)
        memset(out + lo * table.n * inner, 0, (size_t)(hi - lo) * (size_t)table.n * row_bytes);
    for (int64_t e = lo * m; e < hi * m; e++) { /* ascending: a fixed order of addition */
        int64_t row = index[e];
        bool inside = row >= 0 && row < table.n;
        int64_t at = (e / m * table.n + row) * inner;
        if (!gathers && inside)
            for (int64_t i = 0; i < inner; i++) out[at + i] += x[e * inner + i];
        else if (gathers && inside)
            memcpy(out + e * inner, x + at, row_bytes);
        else if (gathers)
            memset(out + e * inner, 0, row_bytes);
    }
}

static void step_rand(const step_run *r, int64_t lo, int64_t hi)
{
    int64_t keys = pdr_shape_size(&r->step->in[0].shape) / 4, each = r->ready->total / keys;
    const int32_t *key = (const int32_t *)(const void *)step_in(r, &r->step->in[0]);
    float *out = step_out(r);
    while (lo < hi) {
        int64_t from = lo % each, n = each - from < hi - lo ? each - from : hi - lo;
        r->kern->rand(out + lo, key + lo / each * 4, r->step->attr.stream, from, n);
        lo += n;
    }
}

/* ---- dispatch
 * -------------------------------------------------------------------------------------- */

static void step_outer_ready(const pdr_shape *s, int axis, pdi_ready *d)
{
    d->total = pdi_along_axis(s, axis).outer;
    d->least = 1;
}

void pdi_exec_ready(const pdi_step *s, pdi_ready *d)
{
    switch (s->op) {
    case PDI_stop: *d = (pdi_ready){.total = s->loop.n, .least = 4 * PDI_STRIP}; break;
    case PDI_sum:
    case PDI_max:
    case PDI_argmax: step_reduce_ready(s, d); break;
    case PDI_dot: step_dot_ready(s, d); break;
    case PDI_STEP_PACK: *d = (pdi_ready){.total = s->shape.dim[0], .least = 1}; break;
    case PDI_pad: step_outer_ready(&s->shape, s->attr.axis, d); break;
    case PDI_unwindow: step_unwindow_ready(s, d); break;
    case PDI_gather:
    case PDI_scatter: step_outer_ready(&s->shape, s->attr.batch, d); break;
    case PDI_rand: *d = (pdi_ready){.total = pdr_shape_size(&s->shape), .least = 4096}; break;
    default: break;
    }
    if (s->op != PDI_dot) d->rows = d->total;
}

static step_fn step_fn_of(const pdi_step *s, const pdi_ready *d)
{
    switch (s->op) {
    case PDI_stop: return step_loop;
    case PDI_sum:
    case PDI_max:
    case PDI_argmax: return step_reduce;
    case PDI_dot: return d->is_single ? step_dot_rows : step_dot_batch;
    case PDI_STEP_PACK: return step_pack;
    case PDI_pad: return step_pad;
    case PDI_unwindow: return step_unwindow;
    case PDI_gather:
    case PDI_scatter: return step_index;
    default: return step_rand;
    }
}

static step_run step_open(const pdi_part *part, int32_t step)
{
    const pdi_step *s = &part->plan->low.step[step];
    const pdi_ready *d = &part->plan->ready[step];
    return (step_run){part, s, d, part->plan->kern, step_fn_of(s, d), d->total, 1};
}

void pdi_exec_some(const pdi_part *part, int32_t step, int64_t lo, int64_t hi)
{
    step_run r = step_open(part, step);
    r.fn(&r, lo, hi);
}

void pdi_exec_some_rows(const pdi_part *part, int32_t step, int64_t lo, int64_t hi)
{
    step_run r = step_open(part, step);
    if (r.fn == step_dot_batch) r.fn = step_dot_batch_rows;
    r.fn(&r, lo, hi);
}

static void step_task(void *ctx, int64_t task, int worker)
{
    const step_run *all = ctx;
    pdi_part part = *all->part;
    step_run r = *all;
    part.worker = worker;
    r.part = &part;
    r.fn(&r, r.total * task / r.tasks, r.total * (task + 1) / r.tasks);
}

/* A single product is divided by columns where they are many: each thread then packs its
 * own part of the second operand and no part twice.  Where there is little to pack, rows do
 * better: they are what loops divide, so values stay with the thread that made them. */
static void step_dot_divide(step_run *r, int threads)
{
    const pdi_gemm *g = &r->ready->gemm;
    int64_t least = 8;
    bool copies = !r->step->is_packed && pdi_dot_copies(g->bn, g->bk, g->k);
    bool packs_little = !copies && g->m >= 32 * threads;
    if (g->n >= g->m && g->n >= 32 * threads && !packs_little) {
        r->fn = step_dot_columns;
        r->total = r->step->is_packed ? (g->n - 1) / r->kern->panel + 1 : g->n;
        least = r->step->is_packed ? 1 : 32;
    }
    if (r->total < least * threads) r->tasks = 1;
}

int64_t pdi_exec_tasks(const pdr_plan *p, double flops, int64_t most)
{
    int64_t tasks = flops < step_worth ? 1 : p->threads;
    return tasks <= most ? tasks : most > 0 ? most : 1;
}

void pdi_exec_step(pdr_plan *p, int32_t step)
{
    const pdi_part part = {.plan = p};
    step_run r = step_open(&part, step);
    r.tasks = pdi_exec_tasks(p, r.step->flops, r.total / r.ready->least);
    if (r.step->op == PDI_dot && r.ready->is_single) step_dot_divide(&r, p->threads);
    pdi_pool_run(p->pool, r.tasks, step_task, &r);
}
