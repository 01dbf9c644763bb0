/* kern/peak.c -- the most multiply-adds that a core can do: the yardstick of benchmarks.
 *
 * Twelve independent chains hide the latency of two units; all are in registers, and
 * nothing is loaded or stored within the loop.  They are written out because compilers
 * do not always unroll a loop over an array into registers. */
#include "kern/body.h"
#include "kern/vec.h"

#define PEAK_CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define PEAK_START(i)  vec t##i = vec_set(opaque * i);
#define PEAK_STEP(i)   t##i = vec_fma(t##i, half, half);
#define PEAK_FOLD(i)   sum = vec_add(sum, t##i);
#define PEAK_COUNT(i)  +1

/* Each chain x <- x / 2 + 1/2 has a start of its own and ends at 1. */
double KERN(peak)(int64_t rounds, float *out)
{
    volatile float opaque = 0.5f; /* so that the chains cannot be worked out beforehand */
    vec half = vec_set(opaque), sum = vec_set(0);
    float lane[VEC];
    PEAK_CHAINS(PEAK_START)
    for (int64_t r = 0; r < rounds; r++) {
        PEAK_CHAINS(PEAK_STEP)
    }
    PEAK_CHAINS(PEAK_FOLD)
    vec_store(lane, sum);
    *out = lane[0];
    return 2.0 * (0 PEAK_CHAINS(PEAK_COUNT)) * VEC * (double)rounds;
}
