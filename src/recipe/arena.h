/* recipe/arena.h -- memory that is taken in pieces and given back at once.
 *
 * An arena is a `void *`, NULL when empty, so that a public struct can carry one
 * without showing what is inside. */
#ifndef PDI_RECIPE_ARENA_H
#define PDI_RECIPE_ARENA_H

#include "base/alloc.h"

/* size zeroed bytes, aligned for any type; NULL when refused. */
void *pdi_arena_take(const pdr_alloc *a, void **arena, size_t size);

/* A NUL-terminated copy of n bytes; NULL when refused. */
char *pdi_arena_text(const pdr_alloc *a, void **arena, const char *s, size_t n);

/* Give everything back and leave the arena empty. */
void pdi_arena_close(const pdr_alloc *a, void **arena);

#endif
