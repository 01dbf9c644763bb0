/* data/dict.h -- strings numbered in order of first appearance. */
#ifndef PDI_DATA_DICT_H
#define PDI_DATA_DICT_H

#include <stdint.h>

#include "base/alloc.h"

typedef struct pdi_dict {
    const pdr_alloc *alloc;
    char **key; /* [n], owned */
    size_t n, cap;
    uint32_t *slot; /* [slots] 1 + number, or 0; slots is a power of two */
    size_t slots;
} pdi_dict;

/* The number of s, or -1. */
int64_t pdi_dict_find(const pdi_dict *d, const char *s);

/* The number of s, given to it now if it has none; -1 when memory is refused. */
int64_t pdi_dict_add(pdi_dict *d, const char *s);

void pdi_dict_close(pdi_dict *d);

#endif
