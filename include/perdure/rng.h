/* perdure/rng.h -- random numbers that are a function of what they are for.
 *
 * A draw is a pure function of (key, counter): Philox4x32-10, Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011.  There is no hidden
 * state, so neither threads nor the order of calls can change a number, and a
 * stream position is saved by saving one integer.
 *
 *     pdr_rng  r = {.seed = 7, .stream = PDR_STREAM_SHUFFLE, .counter = 0};
 *     uint32_t card = pdr_rng_below(&r, 52);
 *     float    noise = pdr_rng_normal(&r);
 *
 * ERRORS    None.
 * THREADS   A pdr_rng belongs to one thread; copy it freely.
 */
#ifndef PERDURE_RNG_H
#define PERDURE_RNG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Four 32-bit words from counter c under key k.  out may be c. */
void pdr_philox(const uint32_t k[2], const uint32_t c[4], uint32_t out[4]);

/* What a stream of numbers is for.  Separate streams never share a draw. */
enum pdr_stream_id {
    PDR_STREAM_INIT = 1,      /* initial parameters; sub-stream = parameter index */
    PDR_STREAM_SHUFFLE,       /* order of examples */
    PDR_STREAM_SCENARIO,      /* class order, permutations, rotations */
    PDR_STREAM_SPLIT,         /* validation split */
    PDR_STREAM_MEMORY,        /* replay memory: what is stored and drawn */
    PDR_STREAM_STEP,          /* keys handed to a step's graph (dropout, sampling) */
    PDR_STREAM_EPISODE,       /* episode sampling */
    PDR_STREAM_TEST,          /* for tests */
    PDR_STREAM_EPISODE_SPLIT, /* which classes episodes are made of, by part */
    PDR_STREAM_BLUR           /* where tasks of a stream mix; sub-stream = task before */
};

/* A position in one stream.  Each call below advances counter by one. */
typedef struct pdr_rng {
    uint64_t seed;
    uint32_t stream, sub;
    uint64_t counter;
} pdr_rng;

uint32_t pdr_rng_u32(pdr_rng *r);

/* Uniform on 0 .. n-1, without modulo bias.  n must be at least 1.
 * May advance the counter more than once. */
uint32_t pdr_rng_below(pdr_rng *r, uint32_t n);

/* Uniform on [0, 1), a multiple of 2^-24. */
float pdr_rng_uniform(pdr_rng *r);

/* Standard normal (Box-Muller, in double, rounded once). */
float pdr_rng_normal(pdr_rng *r);

/* Shuffle n indices in place (Fisher-Yates, from the end). */
void pdr_rng_shuffle(pdr_rng *r, size_t n, uint32_t index[]);

#ifdef __cplusplus
}
#endif
#endif
