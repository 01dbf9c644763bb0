/* recipe/store.h -- memory that is taken in pieces and given back at once.
 *
 * A store is a `void *`, NULL when empty, so that a public struct can carry one
 * without showing what is inside. */
#ifndef PDI_RECIPE_STORE_H
#define PDI_RECIPE_STORE_H

#include "base/alloc.h"

/* size zeroed bytes, aligned for any type; NULL when refused. */
void *pdi_store_take(const pdr_alloc *a, void **store, size_t size);

/* A NUL-terminated copy of n bytes; NULL when refused. */
char *pdi_store_text(const pdr_alloc *a, void **store, const char *s, size_t n);

/* Give everything back and leave the store empty. */
void pdi_store_close(const pdr_alloc *a, void **store);

#endif
