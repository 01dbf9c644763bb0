/* recipe/store.c -- memory that is taken in pieces and given back at once. */
#include "recipe/store.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { STORE_CHUNK = 4096 };

typedef struct store_chunk {
    struct store_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
} store_chunk;

/* A chunk with room for size bytes becomes the first of the list. */
static store_chunk *store_grow(const pdr_alloc *a, void **store, size_t size)
{
    size_t room = size > STORE_CHUNK ? size : STORE_CHUNK;
    store_chunk *c = pdi_new(a, sizeof *c + room, 1);
    if (!c) return NULL;
    c->size = room;
    c->next = *store;
    *store = c;
    return c;
}

void *pdi_store_take(const pdr_alloc *a, void **store, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + align - 1) / align * align;
    store_chunk *c = *store;
    if (!c || c->size - c->used < size) c = store_grow(a, store, size);
    if (!c) return NULL;
    void *p = c->bytes + c->used;
    c->used += size;
    return p;
}

char *pdi_store_text(const pdr_alloc *a, void **store, const char *s, size_t n)
{
    char *copy = pdi_store_take(a, store, n + 1);
    return copy ? memcpy(copy, s, n) : NULL;
}

void pdi_store_close(const pdr_alloc *a, void **store)
{
    store_chunk *c = *store;
    while (c) {
        store_chunk *next = c->next;
        pdi_free(a, c);
        c = next;
    }
    *store = NULL;
}
