/* exec/step.c -- running one step on the pool.
 *
 * Every step divides its outputs, never a sum, among tasks.  How many tasks
 * there are depends on the work and the threads; the bits do not. */
#include <string.h>

#include "exec/exec.h"

/* Below this many operations a step is not worth handing over. */
static const double step_worth = 50000;

typedef struct step_run {
    pdr_plan *plan;
    const pdi_step *step;
    const pdi_kernels *kern;
    int64_t total, tasks; /* outputs (or rows) shared out evenly */
    pdi_sum sum;
    pdi_gemm gemm; /* dot: the first product of the batch */
    pdi_axes batch[2];
    int64_t m_parts, n_parts;
} step_run;

static const float *step_in(const pdr_plan *p, const pdi_view *v)
{
    return pdi_exec_address(p, v->buffer) + v->offset;
}

static float *step_scratch(const step_run *r, int worker)
{
    return r->plan->scratch + (size_t)worker * r->plan->scratch_each;
}

static int64_t step_from(const step_run *r, int64_t task) { return r->total * task / r->tasks; }

/* Share out `total` things, at least `least` a task. */
static void step_share(step_run *r, int64_t total, int64_t least, pdi_task_fn fn)
{
    int64_t most = total / (least > 0 ? least : 1);
    r->total = total;
    r->tasks = r->step->flops < step_worth ? 1 : r->plan->threads;
    if (r->tasks > most) r->tasks = most > 0 ? most : 1;
    pdi_pool_run(r->plan->pool, r->tasks, fn, r);
}

/* ---- loops -------------------------------------------------------------------------- */

/* Where a register's element 0 of a strip is, and whether it moves with the loop. */
typedef struct step_place {
    float *base;
    int64_t moves;
} step_place;

static void step_loop_places(const step_run *r, float *strips, step_place *at)
{
    const pdi_loop *p = &r->step->loop;
    for (int32_t k = 0; k < p->regs; k++) {
        const pdi_reg *g = &p->reg[k];
        float *strip = strips + (int64_t)g->slot * PDI_STRIP;
        if (g->kind == PDI_REG_DENSE) {
            at[k] = (step_place){pdi_exec_address(r->plan, g->buffer) + g->offset, 1};
        } else {
            at[k] = (step_place){strip, 0};
        }
        if (g->kind == PDI_REG_SCALAR) {
            float x = pdi_exec_address(r->plan, g->buffer)[g->offset];
            for (int i = 0; i < PDI_STRIP; i++) strip[i] = x;
        }
    }
}

static void step_loop_strip(const step_run *r, const step_place *at, int64_t lo, int64_t n)
{
    const pdi_loop *p = &r->step->loop;
    for (int32_t i = 0; i < p->instrs; i++) {
        const pdi_instr *k = &p->instr[i];
        float *out = at[k->out].base + at[k->out].moves * lo;
        if (k->op == PDI_input) {
            const pdi_reg *g = &p->reg[k->out];
            r->kern->load(out, pdi_exec_address(r->plan, g->buffer) + g->offset, &g->axes, lo, n);
            continue;
        }
        const float *in[PDI_MAX_IN] = {0};
        for (int j = 0; j < PDI_MAX_IN && k->in[j] >= 0; j++)
            in[j] = at[k->in[j]].base + at[k->in[j]].moves * lo;
        r->kern->map[k->op](out, in[0], in[1], in[2], n);
    }
}

static void step_loop_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    step_place at[PDI_LOOP_REGS];
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1);
    step_loop_places(r, step_scratch(r, worker), at);
    for (; lo < hi; lo += PDI_STRIP)
        step_loop_strip(r, at, lo, hi - lo < PDI_STRIP ? hi - lo : PDI_STRIP);
}

/* ---- sums --------------------------------------------------------------------------------- */

static void step_sum_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    r->kern->sum(&r->sum, step_from(r, task), step_from(r, task + 1));
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

static void step_sum(step_run *r)
{
    const pdi_view *x = &r->step->in[0];
    r->sum = (pdi_sum){.out = pdi_exec_address(r->plan, r->step->out),
                       .x = step_in(r->plan, x),
                       .kept = step_axes(x, r->step->attr.axes, 0),
                       .over = step_axes(x, r->step->attr.axes, 1)};
    step_share(r, pdr_shape_size(&r->step->shape), 16, step_sum_task);
}

/* ---- dot ------------------------------------------------------------------------------------ */

static int64_t step_axes_at(const pdi_axes *a, int64_t i)
{
    int64_t at = 0;
    for (int k = a->n; k-- > 0; i /= a->dim[k]) at += i % a->dim[k] * a->stride[k];
    return at;
}

/* Item: one part of one product of the batch. */
static void step_dot_item(const step_run *r, int64_t item, float *pack)
{
    int64_t parts = r->m_parts * r->n_parts, part = item % parts, b = item / parts;
    int64_t i = part / r->n_parts, j = part % r->n_parts;
    pdi_gemm g = r->gemm;
    int64_t m0 = g.m * i / r->m_parts, n0 = g.n * j / r->n_parts;
    g.a += step_axes_at(&r->batch[0], b) + m0 * g.am;
    g.b += step_axes_at(&r->batch[1], b) + n0 * g.bn;
    g.c += b * g.m * g.n + m0 * g.ldc + n0;
    g.m = r->gemm.m * (i + 1) / r->m_parts - m0;
    g.n = r->gemm.n * (j + 1) / r->n_parts - n0;
    g.pack = pack;
    r->kern->gemm(&g);
}

static void step_dot_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    for (int64_t i = step_from(r, task); i < step_from(r, task + 1); i++)
        step_dot_item(r, i, step_scratch(r, worker));
}

/* Is axis k of the batch more rows of the same product?  It is when the second
 * operand does not move along it and the first one moves on by its rows. */
static bool step_dot_is_rows(const step_run *r, const pdi_view *a, const pdi_view *b, int k)
{
    if (a->shape.dim[k] == 1) return true;
    return b->stride[k] == 0 && (r->gemm.m == 1 || a->stride[k] == r->gemm.m * r->gemm.am);
}

/* Take such axes into the rows; what is left is the batch.  Its size. */
static int64_t step_dot_batch(step_run *r, pdi_view *a, pdi_view *b)
{
    int rank = a->shape.rank - 2;
    for (; rank > 0 && step_dot_is_rows(r, a, b, rank - 1); rank--) {
        if (a->shape.dim[rank - 1] == 1) continue;
        if (r->gemm.m == 1) r->gemm.am = a->stride[rank - 1];
        r->gemm.m *= a->shape.dim[rank - 1];
    }
    a->shape.rank = b->shape.rank = rank;
    int64_t n = pdr_shape_size(&a->shape);
    for (int i = 0; i < 2; i++) { /* not joined: both must count the same way */
        const pdi_view *v = i ? b : a;
        r->batch[i].n = rank;
        memcpy(r->batch[i].stride, v->stride, sizeof v->stride);
        for (int k = 0; k < rank; k++) r->batch[i].dim[k] = v->shape.dim[k];
    }
    return n;
}

static void step_dot(step_run *r)
{
    pdi_view a = r->step->in[0], b = r->step->in[1];
    int row = a.shape.rank - 2, col = row + 1;
    r->gemm = (pdi_gemm){.m = a.shape.dim[row],
                         .n = b.shape.dim[row],
                         .k = a.shape.dim[col],
                         .a = step_in(r->plan, &a),
                         .am = a.stride[row],
                         .ak = a.stride[col],
                         .b = step_in(r->plan, &b),
                         .bn = b.stride[row],
                         .bk = b.stride[col],
                         .c = pdi_exec_address(r->plan, r->step->out),
                         .ldc = b.shape.dim[row]};
    int64_t batch = step_dot_batch(r, &a, &b), threads = r->plan->threads;
    r->m_parts = r->n_parts = 1;
    if (batch < threads && r->step->flops >= step_worth) {
        if (r->gemm.n >= r->gemm.m && r->gemm.n >= 32 * threads)
            r->n_parts = threads;
        else if (r->gemm.m >= 8 * threads)
            r->m_parts = threads;
    }
    step_share(r, batch * r->m_parts * r->n_parts, 1, step_dot_task);
}

/* ---- the dense kernels: parts of [outer, n, inner] ----------------------------------------------
 */

static void step_select_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    pdi_along a = pdi_along_axis(&r->step->in[0].shape, r->step->attr.axis);
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1);
    const float *x = step_in(r->plan, &r->step->in[0]) + lo * a.n * a.inner;
    float *out = pdi_exec_address(r->plan, r->step->out) + lo * a.inner;
    (r->step->op == PDI_max ? r->kern->max : r->kern->argmax)(out, x, hi - lo, a.n, a.inner);
}

/* pad: zeros, then every element of x to its place. */
static void step_pad_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    const pdi_attr *at = &r->step->attr;
    pdi_along to = pdi_along_axis(&r->step->shape, at->axis);
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1), each = to.n * to.inner;
    const float *x = step_in(r->plan, &r->step->in[0]) + lo * at->count * to.inner;
    float *out = pdi_exec_address(r->plan, r->step->out) + lo * each;
    size_t row = sizeof *out * (size_t)to.inner;
    memset(out, 0, sizeof *out * (size_t)((hi - lo) * each));
    for (; lo < hi; lo++, out += each)
        for (int64_t i = 0; i < at->count; i++, x += to.inner)
            memcpy(out + (at->lo + i * at->step) * to.inner, x, row);
}

/* unwindow: zeros, then tap by tap, so an element's overlaps are added in
 * ascending order of taps. */
static void step_unwindow_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    const pdi_attr *at = &r->step->attr;
    pdi_along to = pdi_along_axis(&r->step->shape, at->axis);
    int64_t places = r->step->in[0].shape.dim[at->axis], taps = at->taps, inner = to.inner;
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1), each = to.n * inner;
    const float *x = step_in(r->plan, &r->step->in[0]) + lo * places * taps * inner;
    float *out = pdi_exec_address(r->plan, r->step->out) + lo * each;
    memset(out, 0, sizeof *out * (size_t)((hi - lo) * each));
    for (; lo < hi; lo++, out += each, x += places * taps * inner)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t p = 0; p < places; p++) {
                float *to_row = out + (p * at->step + t * at->dilation) * inner;
                const float *from = x + (p * taps + t) * inner;
                for (int64_t i = 0; i < inner; i++) to_row[i] += from[i];
            }
}

static void step_index_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    bool gathers = r->step->op == PDI_gather;
    int batch = r->step->attr.batch;
    pdi_along table = pdi_along_axis(gathers ? &r->step->in[0].shape : &r->step->shape, batch);
    int64_t m = r->step->in[1].shape.dim[batch], inner = table.inner;
    const float *x = step_in(r->plan, &r->step->in[0]);
    const int32_t *index = (const int32_t *)(const void *)step_in(r->plan, &r->step->in[1]);
    float *out = pdi_exec_address(r->plan, r->step->out);
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1);
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

static void step_rand_task(void *ctx, int64_t task, int worker)
{
    const step_run *r = ctx;
    (void)worker;
    int64_t keys = pdr_shape_size(&r->step->in[0].shape) / 4, each = r->total / keys;
    const int32_t *key = (const int32_t *)(const void *)step_in(r->plan, &r->step->in[0]);
    float *out = pdi_exec_address(r->plan, r->step->out);
    int64_t lo = step_from(r, task), hi = step_from(r, task + 1);
    while (lo < hi) {
        int64_t from = lo % each, n = each - from < hi - lo ? each - from : hi - lo;
        r->kern->rand(out + lo, key + lo / each * 4, r->step->attr.stream, from, n);
        lo += n;
    }
}

/* ---- dispatch
 * -------------------------------------------------------------------------------------- */

static int64_t step_outer(const pdr_shape *s, int axis) { return pdi_along_axis(s, axis).outer; }

void pdi_exec_step(pdr_plan *p, const pdi_step *s)
{
    step_run r = {.plan = p, .step = s, .kern = p->kern};
    switch (s->op) {
    case PDI_stop: step_share(&r, s->loop.n, 4 * PDI_STRIP, step_loop_task); break;
    case PDI_sum: step_sum(&r); break;
    case PDI_dot: step_dot(&r); break;
    case PDI_max:
    case PDI_argmax:
        step_share(&r, step_outer(&s->in[0].shape, s->attr.axis), 1, step_select_task);
        break;
    case PDI_pad: step_share(&r, step_outer(&s->shape, s->attr.axis), 1, step_pad_task); break;
    case PDI_unwindow:
        step_share(&r, step_outer(&s->shape, s->attr.axis), 1, step_unwindow_task);
        break;
    case PDI_gather:
    case PDI_scatter:
        step_share(&r, step_outer(&s->shape, s->attr.batch), 1, step_index_task);
        break;
    case PDI_rand: step_share(&r, pdr_shape_size(&s->shape), 4096, step_rand_task); break;
    default: break;
    }
}
