/* base/alloc.c -- the allocator hook; the only file that calls malloc. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *alloc_libc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

const pdr_alloc pdi_malloc = {alloc_libc, NULL};

const pdr_alloc *pdi_alloc_or_default(const pdr_alloc *a) { return a ? a : &pdi_malloc; }

void *pdi_resize(const pdr_alloc *a, void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return NULL;
    size_t bytes = count * size;
    return a->fn(a->ctx, old, bytes ? bytes : 1);
}

void *pdi_new(const pdr_alloc *a, size_t count, size_t size)
{
    void *p = pdi_resize(a, NULL, count, size);
    if (p) memset(p, 0, count * size);
    return p;
}

void pdi_free(const pdr_alloc *a, void *p)
{
    if (p) (void)a->fn(a->ctx, p, 0);
}

bool pdi_grow(const pdr_alloc *a, void **array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return true;
    size_t more = *cap ? *cap * 2 : 16;
    void *p = pdi_resize(a, *array, more, size);
    if (!p) return false;
    *array = p;
    *cap = more;
    return true;
}

char *pdi_strdup(const pdr_alloc *a, const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = pdi_resize(a, NULL, n, 1);
    return copy ? memcpy(copy, s, n) : NULL;
}
