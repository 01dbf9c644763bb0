/* plan/outputs.c -- which outputs their steps may write directly.
 *
 * A copy at the end is always right.  It is dropped when the step that makes the
 * value may as well write it where the caller wants it: always, unless the
 * output replaces an input; then only when nobody reads that input afterwards. */
#include "plan/plan.h"

static bool outputs_step_reads(const pdi_lowered *l, int32_t step, int32_t buffer)
{
    for (int k = 0; k < l->step[step].nin; k++)
        if (l->step[step].in[k].buffer == buffer) return true;
    return false;
}

/* Entry numbers say who comes first in a loop.  Reading element i before
 * writing it is fine, reading it afterwards or elsewhere is not. */
static bool outputs_entry_spoils(const pdi_lowered *l, size_t e, size_t made, int32_t input)
{
    const pdi_entry *x = &l->entry[e];
    for (int k = 0; k < pdi_entry_views(x); k++) {
        const pdi_view *v = pdi_entry_view(l, x, k);
        if (v->buffer != input) continue;
        if (x->step > l->entry[made].step) return true;
        if (x->step < l->entry[made].step) continue;
        if (e > made || k >= x->nin || !pdi_view_is_dense(v) || v->offset != 0) return true;
    }
    return false;
}

/* Does another step of the chain that `made` is in read the input?  Rows that were replaced
 * would be read for later ones. */
static bool outputs_chain_reads(const pdi_lowered *l, int32_t made, int32_t input)
{
    const pdi_chain *c = pdi_chain_of(l, made);
    for (int32_t s = c ? c->first : made; c && s < c->end; s++)
        if (s != made && outputs_step_reads(l, s, input)) return true;
    for (size_t e = 0; c && e < l->entries; e++) {
        const pdi_entry *x = &l->entry[e];
        if (x->step == made || x->step < c->first || x->step >= c->end) continue;
        for (int k = 0; k < pdi_entry_views(x); k++)
            if (pdi_entry_view(l, x, k)->buffer == input) return true;
    }
    return false;
}

/* May the loop entry that makes `buffer` write over input buffer `input`? */
static bool outputs_may_replace(const pdi_lowered *l, int32_t buffer, int32_t input)
{
    size_t made = l->entries;
    for (size_t e = 0; e < l->entries; e++)
        if (l->entry[e].out == buffer) made = e;
    if (made == l->entries) return false;
    if (l->entry[made].step >= l->region_first && l->entry[made].step < l->region_end)
        return false; /* tasks are not at the same step */
    if (outputs_chain_reads(l, l->entry[made].step, input)) return false;
    for (size_t e = 0; e < l->entries; e++)
        if (outputs_entry_spoils(l, e, made, input)) return false;
    for (int32_t s = l->entry[made].step; s < (int32_t)l->steps; s++)
        if (outputs_step_reads(l, s, input)) return false;
    return true;
}

static int32_t outputs_input_buffer(const pdi_lowered *l, int32_t input)
{
    for (size_t b = 0; b < l->buffers; b++)
        if (l->buffer[b].place == PDI_AT_INPUT && l->buffer[b].index == input) return (int32_t)b;
    return -1;
}

void pdi_outputs_place(const pdi_request *r, pdi_lowered *l)
{
    size_t kept = 0;
    for (size_t c = 0; c < l->copies; c++) {
        pdi_copy copy = l->copy[c];
        pdi_buffer *b = &l->buffer[copy.buffer];
        int32_t over = r->over ? r->over[copy.output] : -1;
        bool direct = b->place == PDI_AT_ARENA && copy.offset == 0 && copy.size == b->size;
        if (direct && over >= 0)
            direct = outputs_may_replace(l, copy.buffer, outputs_input_buffer(l, over));
        if (direct) {
            b->place = PDI_AT_OUTPUT;
            b->index = copy.output;
        } else {
            l->copy[kept++] = copy;
        }
    }
    l->copies = kept;
}
