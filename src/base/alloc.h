/* base/alloc.h -- calling the allocator hook. */
#ifndef PDI_BASE_ALLOC_H
#define PDI_BASE_ALLOC_H

#include <perdure/alloc.h>
#include <stdbool.h>

extern const pdr_alloc pdi_malloc; /* the C library's allocator */

/* a, or pdi_malloc for NULL. */
const pdr_alloc *pdi_alloc_or_default(const pdr_alloc *a);

/* count * size zeroed bytes; NULL when refused or when the product overflows.
 * Never returns NULL for a count of 0. */
void *pdi_new(const pdr_alloc *a, size_t count, size_t size);

/* Resize to count * size bytes, contents kept; NULL (old intact) when refused. */
void *pdi_resize(const pdr_alloc *a, void *old, size_t count, size_t size);

void pdi_free(const pdr_alloc *a, void *p);

/* Make room for one more element: doubles *cap when n has reached it.
 * False when memory is refused; the array is then unchanged. */
bool pdi_grow(const pdr_alloc *a, void **array, size_t n, size_t *cap, size_t size);

/* A copy of the string s; NULL when refused. */
char *pdi_strdup(const pdr_alloc *a, const char *s);

#endif
