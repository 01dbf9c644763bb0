/* plan/pack.c -- the second operand of a product, copied beforehand.
 *
 * A product with many rows reads its second operand again and again, so that it pays to copy
 * it first into the order in which it is read (kern/kern.h says which).  Where one matrix is
 * shared by all rows the copy is a step of its own: made once for every product that reads the
 * same matrix, as a recurrent network's steps do, divided among threads, and there already when
 * rows of the product are made a few at a time (see chain.c).  Other copies the product makes
 * itself. */
#include "plan/plan.h"

enum {
    PACK_ROWS = 29,      /* with fewer, a product turns b on the way, or copies a instead */
    PACK_COLUMNS = 17,   /* with fewer, it turns a */
    PACK_MOST = 1 << 17, /* elements of b: a product copies more in blocks, for a nearer cache */
};

/* One second operand for all of a batch, not in runs? */
static bool pack_is_shared(const pdi_step *s)
{
    const pdi_view *b = &s->in[1];
    for (int k = 0; k < s->batch; k++)
        if (b->shape.dim[k] != 1 && b->stride[k] != 0) return false;
    return b->shape.rank == s->batch + 2;
}

bool pdi_pack_pays(const pdi_step *s, const pdr_shape *result)
{
    const pdi_view *b = &s->in[1];
    int64_t n = result->dim[s->batch + 1], rows = pdr_shape_size(result) / n;
    int64_t k = b->shape.dim[s->batch + 1];
    const int64_t *stride = b->stride + s->batch;
    bool many = rows >= PACK_ROWS && n >= PACK_COLUMNS;
    return many && pack_is_shared(s) && n * k <= PACK_MOST &&
           pdi_dot_copies(stride[0], stride[1], k);
}

pdi_view pdi_pack_view(const pdi_step *s)
{
    const pdi_view *b = &s->in[1];
    int at = s->batch;
    return (pdi_view){.buffer = b->buffer,
                      .offset = b->offset,
                      .shape = {.rank = 2, .dim = {b->shape.dim[at], b->shape.dim[at + 1]}},
                      .stride = {b->stride[at], b->stride[at + 1]}};
}

int32_t pdi_pack_find(const pdi_lowered *l, const pdi_view *v)
{
    for (size_t s = 0; s < l->steps; s++)
        if (l->step[s].op == PDI_STEP_PACK && pdi_view_same(&l->step[s].in[0], v))
            return l->step[s].out;
    return -1;
}
