/* plan/memory.c -- place buffers in one arena, offsets fixed before the first run.
 *
 * Largest first, each at the lowest address where nothing alive at the same
 * time lies.  Buffers start at multiples of 16 elements (a cache line). */
#include <stdlib.h>

#include "plan/plan.h"

enum { MEMORY_ALIGN = 16 };

static int64_t memory_length(const pdi_buffer *b)
{
    return (b->size + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

static bool memory_overlap_in_time(const pdi_buffer *a, const pdi_buffer *b)
{
    return a->born <= b->dies && b->born <= a->dies;
}

/* Sort key: larger first, older first among equals, so the plan is stable. */
typedef struct memory_item {
    int64_t size;
    int32_t buffer;
} memory_item;

static int memory_compare(const void *x, const void *y)
{
    const memory_item *a = x, *b = y;
    return a->size != b->size ? (a->size < b->size ? 1 : -1)
                              : (a->buffer > b->buffer) - (a->buffer < b->buffer);
}

/* The lowest address for b that keeps clear of the buffers placed before it. */
static int64_t memory_lowest(const pdi_buffer *all, const pdi_buffer *b, const memory_item *item,
                             size_t placed)
{
    int64_t at = 0;
    for (bool again = true; again;) {
        again = false;
        for (size_t j = 0; j < placed; j++) {
            const pdi_buffer *o = &all[item[j].buffer];
            if (!memory_overlap_in_time(b, o)) continue;
            if (at < o->at + memory_length(o) && o->at < at + memory_length(b)) {
                at = o->at + memory_length(o);
                again = true;
            }
        }
    }
    return at;
}

/* Place the buffers of one kind; how many elements they take together. */
static int64_t memory_place(pdi_lowered *l, pdi_place place, memory_item *item)
{
    size_t n = 0;
    int64_t top = 0;
    for (size_t i = 0; i < l->buffers; i++)
        if (l->buffer[i].place == place && l->buffer[i].escapes)
            item[n++] = (memory_item){l->buffer[i].size, (int32_t)i};
    qsort(item, n, sizeof *item, memory_compare);
    for (size_t i = 0; i < n; i++) {
        pdi_buffer *b = &l->buffer[item[i].buffer];
        b->at = memory_lowest(l->buffer, b, item, i);
        if (b->at + memory_length(b) > top) top = b->at + memory_length(b);
    }
    return top;
}

/* What a row of chain c takes. */
static void memory_chain(const pdi_lowered *l, pdi_chain *c)
{
    for (size_t i = 0; i < l->buffers; i++) {
        const pdi_buffer *b = &l->buffer[i];
        bool inside = b->place == PDI_AT_CHAIN && b->born >= c->first && b->born < c->end;
        if (inside && b->at + memory_length(b) > c->local) c->local = b->at + memory_length(b);
    }
}

bool pdi_memory_place(pdi_lowered *l)
{
    memory_item *item = pdi_new(l->alloc, l->buffers, sizeof *item);
    if (!item) return false;
    l->arena = memory_place(l, PDI_AT_ARENA, item);
    l->local = memory_place(l, PDI_AT_LOCAL, item);
    memory_place(l, PDI_AT_CHAIN, item);
    for (size_t c = 0; c < l->chains; c++) memory_chain(l, &l->chain[c]);
    pdi_free(l->alloc, item);
    return true;
}
