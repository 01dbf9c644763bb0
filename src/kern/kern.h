/* kern/kern.h -- kernels: pointers, strides and counts in, numbers out.
 *
 * Kernels know nothing of graphs.  The same C files are compiled once for every
 * instruction set and give the same bits on each, because
 *   1. work is vectorised across outputs, never across a sum;
 *   2. a sum's order depends on how many elements it adds, on nothing else;
 *   3. every fused multiply-add is asked for by name (-ffp-contract=off). */
#ifndef PDI_KERN_KERN_H
#define PDI_KERN_KERN_H

#include <stdbool.h>

#include "ops/ops.h"

/* A sum runs over this many lanes: lane l adds elements l, l + 16, l + 32, ...
 * in order; then lanes are folded in halves.  See docs/determinism.md. */
enum { PDI_LANES = 16 };

/* out[i] = f(x[i], y[i], z[i]) for n elements; out may be x, y or z. */
typedef void (*pdi_map_fn)(float *out, const float *x, const float *y, const float *z, int64_t n);

/* Where an operand of a product is not a matrix with two strides (windows of an image), its
 * rows and terms lie in runs: along the last of its axes, with those before it between them.
 * There is at least one axis each. */
typedef struct pdi_gemm_runs {
    pdi_axes rows, a_terms, columns, b_terms;
} pdi_gemm_runs;

/* c[m,n] = sum over k of a[m,k] b[n,k], each in ascending k: the first product,
 * then fused multiply-adds.  b may have been copied before, into panels of so many columns as
 * the kernels want, term by term: b[j,p] at (j / panel * k + p) * panel + j % panel. */
typedef struct pdi_gemm {
    int64_t m, n, k;
    const float *a;
    int64_t am, ak; /* strides */
    const float *b;
    int64_t bn, bk;
    bool is_packed; /* b is: its strides are not read */
    float *c;
    int64_t ldc;
    float *pack;               /* PDI_PACK floats of scratch */
    const pdi_gemm_runs *runs; /* instead of the strides of a and b; NULL: none */
    int64_t row, column;       /* with runs: the first ones */
} pdi_gemm;

/* Scratch: a block of b, copied. */
enum { PDI_PACK = 400 * 512 };

/* Sums or maxima over `over` of x, laid out by `kept` (dense out). */
typedef struct pdi_reduction {
    float *out;
    const float *x;
    pdi_axes kept, over;
} pdi_reduction;

typedef struct pdi_kernels {
    const char *name;
    const pdi_map_fn *map; /* by operator; NULL where it is not a map */
    /* By pair, and which operand of the second the first one makes; the second's other
     * operand comes after those of the first. */
    const pdi_map_fn (*pair)[2];
    void (*gemm)(const pdi_gemm *g);
    /* Columns of a packed panel. */
    int32_t panel;
    /* One panel: to[p * panel + j] = x[j * row + p * col] for j < n, p < k; n at most panel. */
    void (*pack)(float *to, int64_t panel, const float *x, int64_t row, int64_t col, int64_t n,
                 int64_t k);
    /* out[lo .. hi): sums; the largest, or the index of the first largest. */
    void (*sum)(const pdi_reduction *s, int64_t lo, int64_t hi);
    void (*max)(const pdi_reduction *s, int64_t lo, int64_t hi);
    void (*argmax)(const pdi_reduction *s, int64_t lo, int64_t hi);
    /* Elements lo .. lo+n of x read through axes, in row-major order. */
    void (*load)(float *out, const float *x, const pdi_axes *axes, int64_t lo, int64_t n);
    /* n draws of key[4] from draw lo on: see pdr_rand. */
    void (*rand)(float *out, const int32_t *key, uint32_t stream, int64_t lo, int64_t n);
    /* As many multiply-adds as a core can do for so many rounds; returns their flops. */
    double (*peak)(int64_t rounds, float *out);
} pdi_kernels;

/* The best kernels for this processor, or those that $PERDURE_ISA names
 * (ref, avx2, avx512) when the processor has them. */
const pdi_kernels *pdi_kernels_here(void);

/* Kernels by row, best last; NULL past the end or when the processor lacks
 * them.  For tests. */
const pdi_kernels *pdi_kernels_at(int i);

#endif
