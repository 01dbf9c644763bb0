/* plan/order.c -- putting steps into another order.
 *
 * Any order will do in which a step comes after those whose values it reads: nothing about
 * the arithmetic changes. */
#include "plan/plan.h"

static void order_read(pdi_lowered *l, const pdi_view *v, int32_t step)
{
    pdi_buffer *b = &l->buffer[v->buffer];
    if (b->dies < step) b->dies = step;
}

static void order_lifetimes(pdi_lowered *l, const int32_t to[])
{
    for (size_t i = 0; i < l->buffers; i++) {
        pdi_buffer *b = &l->buffer[i];
        if (b->born >= 0) b->born = to[b->born];
        b->dies = b->born;
    }
    for (size_t s = 0; s < l->steps; s++)
        for (int k = 0; k < l->step[s].nin; k++) order_read(l, &l->step[s].in[k], (int32_t)s);
    for (size_t e = 0; e < l->entries; e++)
        for (int k = 0; k < pdi_entry_views(&l->entry[e]); k++)
            order_read(l, pdi_entry_view(l, &l->entry[e], k), l->entry[e].step);
    for (size_t c = 0; c < l->copies; c++) l->buffer[l->copy[c].buffer].dies = (int32_t)l->steps;
}

bool pdi_steps_reorder(pdi_lowered *l, const int32_t order[])
{
    pdi_step *step = pdi_new(l->alloc, l->step_cap, sizeof *step);
    int32_t *to = pdi_new(l->alloc, l->steps, sizeof *to);
    bool ok = step && to;
    for (size_t i = 0; ok && i < l->steps; i++) {
        step[i] = l->step[order[i]];
        to[order[i]] = (int32_t)i;
    }
    if (ok) {
        pdi_free(l->alloc, l->step);
        l->step = step;
        for (size_t e = 0; e < l->entries; e++) l->entry[e].step = to[l->entry[e].step];
        order_lifetimes(l, to);
    } else {
        pdi_free(l->alloc, step);
    }
    pdi_free(l->alloc, to);
    return ok;
}
