/* base/philox.h -- the Philox4x32-10 block function, inline for kernels. */
#ifndef PDI_BASE_PHILOX_H
#define PDI_BASE_PHILOX_H

#include <stdint.h>

/* Salmon et al. 2011, section 3.2: ten rounds of two 32x32 -> 64 multiplies. */
static inline void pdi_philox(const uint32_t k[2], const uint32_t c[4], uint32_t out[4])
{
    uint32_t k0 = k[0], k1 = k[1], a = c[0], b = c[1], d = c[2], e = c[3];
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xD2511F53u * a, q = (uint64_t)0xCD9E8D57u * d;
        uint32_t na = (uint32_t)(q >> 32) ^ b ^ k0, nd = (uint32_t)(p >> 32) ^ e ^ k1;
        b = (uint32_t)q;
        e = (uint32_t)p;
        a = na;
        d = nd;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = a;
    out[1] = b;
    out[2] = d;
    out[3] = e;
}

#endif
