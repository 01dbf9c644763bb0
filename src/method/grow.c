/* method/grow.c -- a trainer with room for more outputs or tasks, that has learned what it had.
 *
 * A new trainer is made, which begins as any does; where the old one has a number, it is put
 * in its place.  So a weight of an output that is new is what it is in a new network, and
 * what a method keeps for it begins as the method says.  A tensor's new shape is not guessed:
 * the method's programs are built, and what they ask for is what there is.
 *
 * The memory keeps its examples, but for those that a sample made smaller by the method (GEM
 * divides its room among the tasks) has no place for.  What was kept of an old example about
 * an output that is new (DER's logits) is 0. */
#include <string.h>

#include "method/build.h"

static pdr_rc grow_nothing(pdr_build *b, void *ctx, pdr_error *err)
{
    (void)ctx;
    const char *why = pdr_graph_error(b->g);
    return why ? pdi_fail(err, PDR_USAGE, "%s", why) : PDR_OK;
}

/* Have the tensors that a run asks for. */
static pdr_rc grow_declare(pdi_trainer *t, pdi_run run, pdr_error *err)
{
    pdi_program p = {0};
    pdr_rc rc = pdi_build_nodes(t, run, 1, -1, &p, grow_nothing, NULL, err);
    pdi_program_close(t->alloc, &p);
    return rc;
}

/* ---- tensors ------------------------------------------------------------------------------ */

static bool grow_holds(const pdr_shape *big, const pdr_shape *small)
{
    bool fits = big->rank == small->rank;
    for (int k = 0; fits && k < big->rank; k++) fits = big->dim[k] >= small->dim[k];
    return fits;
}

/* The numbers of x at the same indices of y, row by row of the last axis. */
static void grow_copy(const pdi_tensor *x, pdi_tensor *y)
{
    int rank = x->shape.rank;
    size_t width = rank ? (size_t)x->shape.dim[rank - 1] : 1;
    size_t rows = (size_t)pdr_shape_size(&x->shape) / width;
    for (size_t row = 0; row < rows; row++) {
        size_t rest = row, at = 0, each = rank ? (size_t)y->shape.dim[rank - 1] : 1;
        for (int k = rank - 2; k >= 0; k--) {
            at += rest % (size_t)x->shape.dim[k] * each;
            rest /= (size_t)x->shape.dim[k];
            each *= (size_t)y->shape.dim[k];
        }
        memcpy(y->value + at, x->value + row * width, width * sizeof *y->value);
    }
}

/* The tensor that is to hold x.  The optimizer's numbers for one that is no longer trained (a
 * column of an earlier task) are asked for by no program: they are shaped like it. */
static pdi_tensor *grow_place(const pdi_trainer *from, pdi_trainer *to, const pdi_tensor *x)
{
    static const char optimizer[] = "optimizer/";
    size_t n = sizeof optimizer - 1;
    pdi_tensor *y = pdi_state_find(&to->store, x->name);
    const char *end = strrchr(x->name, '/');
    if (y || strncmp(x->name, optimizer, n) != 0 || end < x->name + n) return y;
    char name[sizeof x->name];
    bool is_new;
    memcpy(name, x->name + n, (size_t)(end - x->name) - n);
    name[(size_t)(end - x->name) - n] = 0;
    const pdi_tensor *of = pdi_state_find(&from->store, name);
    y = pdi_state_find(&to->store, name);
    if (!of || !y || !pdr_shape_equal(&of->shape, &x->shape)) return NULL;
    pdr_shape shape = y->shape; /* y moves */
    return pdi_state_get(&to->store, x->name, &shape, 0, &is_new);
}

static bool grow_lacks(const pdi_trainer *from, const pdi_trainer *to)
{
    for (size_t i = 0; i < from->store.n; i++)
        if (!pdi_state_find(&to->store, from->store.v[i].name)) return true;
    return false;
}

static pdr_rc grow_tensors(const pdi_trainer *from, pdi_trainer *to, pdr_error *err)
{
    pdr_rc rc = grow_declare(to, PDI_RUN_STEP, err);
    if (!rc && to->method->task_end && grow_lacks(from, to))
        rc = grow_declare(to, PDI_RUN_TASK_END, err);
    for (size_t i = 0; !rc && i < from->store.n; i++) {
        const pdi_tensor *x = &from->store.v[i];
        pdi_tensor *y = grow_place(from, to, x);
        if (!y || !grow_holds(&y->shape, &x->shape))
            return pdi_fail(err, PDR_USAGE,
                            "method %s cannot be given more outputs or tasks: it keeps '%s', which "
                            "has no place in a larger network",
                            to->method->kind.name, x->name);
        grow_copy(x, y);
    }
    return rc;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* The sample that sample g of the smaller memory is, in the larger one. */
static size_t grow_group(const pdi_memory *from, const pdi_memory *to, size_t g)
{
    if (from->groups == 1 || from->spec.policy == PDR_MEMORY_TASKS) return g;
    size_t classes = (size_t)from->classes;
    return g / classes * (size_t)to->classes + g % classes;
}

/* Example i, its columns as wide as the larger memory's: room has that many numbers. */
static bool grow_offer(const pdi_memory *from, pdi_memory *to, size_t i, uint32_t *slot,
                       float *room)
{
    pdi_example e = pdi_memory_example(from, i);
    for (size_t k = 0; k < to->spec.columns; k++) {
        size_t width = (size_t)to->spec.column[k].width, old = (size_t)from->spec.column[k].width;
        if (!e.column[k]) continue;
        memset(room, 0, width * sizeof *room);
        memcpy(room, e.column[k], (old < width ? old : width) * sizeof *room);
        e.column[k] = room;
        room += width;
    }
    *slot = (uint32_t)to->held;
    return pdi_memory_append(to, &e);
}

static bool grow_memory(const pdi_memory *from, pdi_memory *to)
{
    size_t width = 1, old = (size_t)from->spec.size, size = (size_t)to->spec.size;
    if (!from->used) return true;
    for (size_t k = 0; k < to->spec.columns; k++) width += (size_t)to->spec.column[k].width;
    float *room = pdi_new(to->alloc, width, sizeof *room);
    bool ok = room != NULL;
    for (size_t g = 0; ok && g < (size_t)from->groups; g++) {
        size_t at = grow_group(from, to, g);
        size_t n = from->offered[g] < old ? (size_t)from->offered[g] : old;
        to->offered[at] = n < size && n == old ? n : from->offered[g]; /* a larger sample fills */
        for (size_t k = 0; ok && k < n && k < size; k++)
            ok = grow_offer(from, to, from->slot[g * old + k], &to->slot[at * size + k], room);
    }
    to->rng = from->rng;
    pdi_free(to->alloc, room);
    return ok;
}

pdr_rc pdi_trainer_grow(const pdi_trainer *t, const pdi_trainer_spec *spec, pdi_trainer **out,
                        pdr_error *err)
{
    pdi_trainer *to;
    pdr_rc rc = pdi_trainer_new(t->alloc, spec, t->pool, t->batch.size, &to, err);
    *out = NULL;
    if (rc) return rc;
    to->steps = t->steps;
    to->learned = t->learned;
    pdi_trainer_task(to, t->task, t->phase);
    rc = grow_memory(&t->memory, &to->memory) ? grow_tensors(t, to, err) : pdi_nomem(err);
    if (rc) {
        pdi_trainer_free(to);
        return rc;
    }
    *out = to;
    return PDR_OK;
}
