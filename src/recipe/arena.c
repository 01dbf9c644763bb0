/* recipe/arena.c -- memory that is taken in pieces and given back at once. */
#include "recipe/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { ARENA_CHUNK = 4096 };

typedef struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
} arena_chunk;

/* A chunk with room for size bytes becomes the first of the list. */
static arena_chunk *arena_grow(const pdr_alloc *a, void **arena, size_t size)
{
    size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;
    arena_chunk *c = pdi_new(a, sizeof *c + room, 1);
    if (!c) return NULL;
    c->size = room;
    c->next = *arena;
    *arena = c;
    return c;
}

void *pdi_arena_take(const pdr_alloc *a, void **arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + align - 1) / align * align;
    arena_chunk *c = *arena;
    if (!c || c->size - c->used < size) c = arena_grow(a, arena, size);
    if (!c) return NULL;
    void *p = c->bytes + c->used;
    c->used += size;
    return p;
}

char *pdi_arena_text(const pdr_alloc *a, void **arena, const char *s, size_t n)
{
    char *copy = pdi_arena_take(a, arena, n + 1);
    return copy ? memcpy(copy, s, n) : NULL;
}

void pdi_arena_close(const pdr_alloc *a, void **arena)
{
    arena_chunk *c = *arena;
    while (c) {
        arena_chunk *next = c->next;
        pdi_free(a, c);
        c = next;
    }
    *arena = NULL;
}
