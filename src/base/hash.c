/* base/hash.c -- a 64-bit hash of bytes. */
#include "base/hash.h"

#include <string.h>

/* The finaliser of splitmix64 (Steele, Lea & Flood, OOPSLA 2014): a bijection
 * in which every input bit moves about half of the output bits. */
static uint64_t hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t pdi_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    h = hash_mix(h ^ (uint64_t)n * 0x9E3779B97F4A7C15u);
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = hash_mix(h ^ w);
    }
    uint64_t tail = 0;
    if (n) memcpy(&tail, p, n); /* p may be NULL when there is nothing */
    return hash_mix(h ^ tail);
}
