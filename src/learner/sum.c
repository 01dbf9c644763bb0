/* learner/sum.c -- the sums that tell a damaged file from a whole one. */
#include "learner/sum.h"

#include <string.h>

#include "base/hash.h"

/* Where the second chain parts from the first: digits of pi. */
#define SUM_APART 0x243F6A8885A308D3u

void pdi_sum_bytes(pdi_sum *s, const void *bytes, size_t n)
{
    s->a = pdi_hash(s->a, bytes, n);
    s->b = pdi_hash(s->b ^ SUM_APART, bytes, n);
}

void pdi_sum_text(pdi_sum *s, const char *text) { pdi_sum_bytes(s, text, strlen(text)); }

void pdi_sum_int(pdi_sum *s, int64_t x) { pdi_sum_bytes(s, &x, sizeof x); }

void pdi_sum_sum(pdi_sum *s, pdi_sum x)
{
    uint8_t bytes[PDI_SUM_BYTES];
    pdi_sum_write(x, bytes);
    pdi_sum_bytes(s, bytes, sizeof bytes);
}

void pdi_sum_add(pdi_sum *set, pdi_sum row)
{
    set->a += row.a;
    set->b += row.b;
}

void pdi_sum_take(pdi_sum *set, pdi_sum row)
{
    set->a -= row.a;
    set->b -= row.b;
}

bool pdi_sum_equal(pdi_sum x, pdi_sum y) { return x.a == y.a && x.b == y.b; }

void pdi_sum_write(pdi_sum s, uint8_t to[PDI_SUM_BYTES])
{
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(s.a >> 8 * i);
        to[8 + i] = (uint8_t)(s.b >> 8 * i);
    }
}

pdi_sum pdi_sum_read(const uint8_t from[PDI_SUM_BYTES])
{
    pdi_sum s = {0, 0};
    for (int i = 0; i < 8; i++) {
        s.a |= (uint64_t)from[i] << 8 * i;
        s.b |= (uint64_t)from[8 + i] << 8 * i;
    }
    return s;
}
