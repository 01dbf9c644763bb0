/* data/dict.c -- strings numbered in order of first appearance: open addressing,
 * at most half full. */
#include "data/dict.h"

#include <string.h>

#include "base/hash.h"

/* The slot that s has or would get.  d->slots is not 0. */
static size_t dict_slot(const pdi_dict *d, const char *s)
{
    size_t at = (size_t)pdi_hash(0, s, strlen(s)) & (d->slots - 1);
    while (d->slot[at] && strcmp(d->key[d->slot[at] - 1], s)) at = (at + 1) & (d->slots - 1);
    return at;
}

int64_t pdi_dict_find(const pdi_dict *d, const char *s)
{
    return d->slots ? (int64_t)d->slot[dict_slot(d, s)] - 1 : -1;
}

static bool dict_rehash(pdi_dict *d)
{
    if (2 * (d->n + 1) <= d->slots) return true;
    size_t slots = d->slots ? 2 * d->slots : 32;
    uint32_t *slot = pdi_new(d->alloc, slots, sizeof *slot);
    if (!slot) return false;
    pdi_free(d->alloc, d->slot);
    d->slot = slot;
    d->slots = slots;
    for (size_t i = 0; i < d->n; i++) d->slot[dict_slot(d, d->key[i])] = (uint32_t)i + 1;
    return true;
}

int64_t pdi_dict_add(pdi_dict *d, const char *s)
{
    int64_t old = pdi_dict_find(d, s);
    if (old >= 0) return old;
    void *key = d->key;
    bool room = d->n < UINT32_MAX - 1 && pdi_grow(d->alloc, &key, d->n, &d->cap, sizeof *d->key);
    d->key = key;
    if (!room || !dict_rehash(d)) return -1;
    char *copy = pdi_strdup(d->alloc, s);
    if (!copy) return -1;
    d->key[d->n] = copy;
    d->slot[dict_slot(d, s)] = (uint32_t)++d->n;
    return (int64_t)d->n - 1;
}

void pdi_dict_close(pdi_dict *d)
{
    if (!d->alloc) return;
    for (size_t i = 0; i < d->n; i++) pdi_free(d->alloc, d->key[i]);
    pdi_free(d->alloc, d->key);
    pdi_free(d->alloc, d->slot);
    *d = (pdi_dict){0};
}
