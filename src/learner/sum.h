/* learner/sum.h -- the sums that tell a damaged file from a whole one.
 *
 * 128 bits: two chains of base/hash.h that began with different numbers.  Each step
 * of a chain is a bijection of its state, so a change within one word of eight bytes
 * is always seen; any other goes unseen with a probability of about 2^-128.  Sums
 * protect from decay and accidents, not from a forger: there is no key.
 *
 * A set of rows is summed by adding the sums of its rows, in any order: so a row can
 * be taken out and another put in without reading the rest, and a row that changed on
 * the disk in the meantime is not made good by that. */
#ifndef PDI_LEARNER_SUM_H
#define PDI_LEARNER_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PDI_SUM_BYTES = 16 };

/* Zero-initialised: the sum of nothing, and of the empty set. */
typedef struct pdi_sum {
    uint64_t a, b;
} pdi_sum;

/* Fold something into *s.  A sequence of calls is told from any other sequence. */
void pdi_sum_bytes(pdi_sum *s, const void *bytes, size_t n);
void pdi_sum_text(pdi_sum *s, const char *text);
void pdi_sum_int(pdi_sum *s, int64_t x);
void pdi_sum_sum(pdi_sum *s, pdi_sum x);

/* A row comes to a set, or leaves it. */
void pdi_sum_add(pdi_sum *set, pdi_sum row);
void pdi_sum_take(pdi_sum *set, pdi_sum row);

bool pdi_sum_equal(pdi_sum x, pdi_sum y);

/* As the file holds it: a, then b, little-endian. */
void pdi_sum_write(pdi_sum s, uint8_t to[PDI_SUM_BYTES]);
pdi_sum pdi_sum_read(const uint8_t from[PDI_SUM_BYTES]);

#endif
