/* base/rng.c -- Philox4x32-10 and the few distributions built on it. */
#include <math.h>
#include <perdure/rng.h>

#include "base/philox.h"

void pdr_philox(const uint32_t k[2], const uint32_t c[4], uint32_t out[4])
{
    pdi_philox(k, c, out);
}

uint32_t pdr_rng_u32(pdr_rng *r)
{
    uint32_t k[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)}, out[4];
    uint32_t c[4] = {(uint32_t)r->counter, (uint32_t)(r->counter >> 32), r->sub, r->stream};
    pdi_philox(k, c, out);
    r->counter++;
    return out[0];
}

uint32_t pdr_rng_below(pdr_rng *r, uint32_t n)
{
    uint32_t limit = UINT32_MAX - (UINT32_MAX % n + 1) % n; /* last value of a whole run of n */
    uint32_t x = pdr_rng_u32(r);
    while (x > limit) x = pdr_rng_u32(r);
    return x % n;
}

float pdr_rng_uniform(pdr_rng *r) { return (float)(pdr_rng_u32(r) >> 8) * 0x1p-24f; }

float pdr_rng_normal(pdr_rng *r)
{
    double u = ((double)pdr_rng_u32(r) + 1.0) * 0x1p-32; /* (0, 1]: the log is finite */
    double v = (double)pdr_rng_u32(r) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

void pdr_rng_shuffle(pdr_rng *r, size_t n, uint32_t index[])
{
    for (size_t i = n; i > 1; i--) {
        size_t j = pdr_rng_below(r, (uint32_t)i);
        uint32_t t = index[i - 1];
        index[i - 1] = index[j];
        index[j] = t;
    }
}
