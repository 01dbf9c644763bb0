/* plan/region.c -- steps that can run task by task.
 *
 * A program made by pdr_vmap does the same for every task of a batch.  Run step by step,
 * all tasks' values go through memory at every step and the threads meet after each.
 * Steps that keep to their task can instead be run one few tasks at a time, all steps in a
 * row, with values that never leave the cache, and threads that meet once.
 *
 * Steps are put in three rows: those that the region needs and that do not need it, the
 * region, and the rest.  A step belongs to the region when its outputs divide by tasks and
 * what it reads of other steps of the region is its own task's.  Nothing about the
 * arithmetic changes, only its order among outputs. */
#include <string.h>

#include "plan/plan.h"

typedef enum region_row { REGION_BEFORE, REGION_IN, REGION_AFTER } region_row;

typedef struct region {
    pdi_lowered *l;
    int64_t tasks;
    region_row *row; /* of each step */
} region;

/* ---- what keeps to its task -------------------------------------------------------- */

/* The tasks of the program: the batch of its largest batched product. */
static int64_t region_tasks(const pdi_lowered *l)
{
    double most = 0;
    int64_t tasks = 1;
    for (size_t s = 0; s < l->steps; s++) {
        const pdi_step *p = &l->step[s];
        if (p->op != PDI_dot || p->shape.rank < 3 || p->flops <= most) continue;
        most = p->flops;
        tasks = p->shape.dim[0];
    }
    return tasks;
}

/* Do the step's outputs divide by tasks?  Of a loop any share of its elements will do. */
static bool region_divides(const pdi_step *s, int64_t tasks)
{
    switch (s->op) {
    case PDI_stop: return s->loop.n % tasks == 0;
    case PDI_dot: return s->shape.rank > 2 && s->shape.dim[0] == tasks;
    case PDI_sum:
    case PDI_max:
    case PDI_argmax: return !(s->attr.axes & 1) && s->in[0].shape.dim[0] == tasks;
    case PDI_pad:
    case PDI_unwindow: return s->attr.axis > 0 && s->shape.dim[0] == tasks;
    case PDI_gather:
    case PDI_scatter:
    case PDI_rand: return s->attr.batch > 0 && s->shape.dim[0] == tasks;
    default: return false;
    }
}

/* Does v, read task by task, stay within each task's share of its buffer? */
static bool region_is_local(const pdi_view *v, int64_t size, int64_t tasks)
{
    int64_t lo = v->offset, hi = v->offset, each = size / tasks, rows;
    if (v->shape.rank < 1 || v->shape.dim[0] % tasks || size % tasks) return false;
    rows = v->shape.dim[0] / tasks;
    if (v->stride[0] * rows != each) return false;
    for (int k = 0; k < v->shape.rank; k++) {
        int64_t span = ((k ? v->shape.dim[k] : rows) - 1) * v->stride[k];
        *(span < 0 ? &lo : &hi) += span;
    }
    return lo >= 0 && hi < each;
}

static region_row region_of(const region *g, const pdi_view *v)
{
    int32_t born = g->l->buffer[v->buffer].born;
    return born < 0 ? REGION_BEFORE : g->row[born];
}

/* Where reading v lets step s be, at the earliest. */
static region_row region_after_reading(const region *g, int32_t s, const pdi_view *v)
{
    if (g->l->buffer[v->buffer].born == s) return REGION_BEFORE; /* its own */
    region_row from = region_of(g, v);
    if (from != REGION_IN) return from;
    return region_is_local(v, g->l->buffer[v->buffer].size, g->tasks) ? REGION_IN : REGION_AFTER;
}

/* A piece of a join is its own task's when it is as long as the whole where tasks lie. */
static bool region_is_aligned(const pdi_join *j, const pdi_view *v)
{
    return v->shape.rank > 0 && v->shape.dim[0] == j->shape.dim[0];
}

static region_row region_after_entry(const region *g, const pdi_entry *e)
{
    region_row row = REGION_BEFORE;
    for (int k = 0; k < pdi_entry_views(e); k++) {
        const pdi_view *v = pdi_entry_view(g->l, e, k);
        region_row next = region_after_reading(g, e->step, v);
        if (next == REGION_IN && k >= e->nin && !region_is_aligned(&e->join, v))
            next = REGION_AFTER;
        if (next > row) row = next;
    }
    return row;
}

static region_row region_row_of(const region *g, int32_t s)
{
    const pdi_step *p = &g->l->step[s];
    region_row row = REGION_BEFORE, next;
    for (int k = 0; k < p->nin; k++)
        if ((next = region_after_reading(g, s, &p->in[k])) > row) row = next;
    for (size_t e = 0; p->op == PDI_stop && e < g->l->entries; e++)
        if (g->l->entry[e].step == s && (next = region_after_entry(g, &g->l->entry[e])) > row)
            row = next;
    if (row == REGION_AFTER) return row;
    if (!region_divides(p, g->tasks)) return row == REGION_IN ? REGION_AFTER : REGION_BEFORE;
    /* Loops over what is there already are not worth a place in the region. */
    return p->op == PDI_stop && row == REGION_BEFORE ? REGION_BEFORE : REGION_IN;
}

/* ---- the new order ------------------------------------------------------------------------ */

static bool region_reorder(region *g)
{
    pdi_lowered *l = g->l;
    int32_t *order = pdi_new(l->alloc, l->steps, sizeof *order), n = 0;
    for (int row = REGION_BEFORE; order && row <= REGION_AFTER; row++) {
        if (row == REGION_IN) l->region_first = n;
        for (size_t s = 0; s < l->steps; s++)
            if ((int)g->row[s] == row) order[n++] = (int32_t)s;
        if (row == REGION_IN) l->region_end = n;
    }
    bool ok = order && pdi_steps_reorder(l, order);
    pdi_free(l->alloc, order);
    return ok;
}

/* Values of the region alone are local to a thread.  Of the others those that touch the
 * region live through all of it, because its tasks are not at the same step. */
void pdi_region_place(pdi_lowered *l)
{
    for (size_t i = 0; i < l->buffers; i++) {
        pdi_buffer *b = &l->buffer[i];
        bool born = b->born >= l->region_first && b->born < l->region_end;
        bool dies = b->dies >= l->region_first && b->dies < l->region_end;
        if (b->place != PDI_AT_ARENA || !b->escapes) continue;
        if (born && dies) {
            b->place = PDI_AT_LOCAL;
            b->size /= l->tasks;
        } else if (born) {
            b->born = l->region_first;
        } else if (dies) {
            b->dies = l->region_end - 1;
        }
    }
}

bool pdi_region_form(pdi_lowered *l)
{
    region g = {.l = l, .tasks = region_tasks(l)};
    double flops = 0;
    bool ok = true;
    if (g.tasks < 2) return true;
    g.row = pdi_new(l->alloc, l->steps, sizeof *g.row);
    ok = g.row;
    for (size_t s = 0; ok && s < l->steps; s++) {
        g.row[s] = region_row_of(&g, (int32_t)s);
        if (g.row[s] == REGION_IN) flops += l->step[s].flops;
    }
    if (ok && flops > 0) {
        l->tasks = g.tasks;
        ok = region_reorder(&g);
    }
    pdi_free(l->alloc, g.row);
    return ok;
}
