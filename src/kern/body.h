/* kern/body.h -- what the files compiled once per instruction set share.
 *
 * PDI_ISA names the set; KERN(f) is f's name for it. */
#ifndef PDI_KERN_BODY_H
#define PDI_KERN_BODY_H

#include "kern/kern.h"

#define KERN_JOIN2(isa, name) pdi_kern_##isa##_##name
#define KERN_JOIN(isa, name)  KERN_JOIN2(isa, name)
#define KERN(name)            KERN_JOIN(PDI_ISA, name)

/* Iterations are independent even where out is x: each reads its own element
 * before it writes it. */
#if defined(__clang__)
#define KERN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define KERN_INDEPENDENT _Pragma("GCC ivdep")
#endif

extern const pdi_kernels KERN(table);
extern const pdi_map_fn KERN(maps)[PDI_OPS];
extern const pdi_map_fn KERN(pairs)[PDI_PAIRS][2];
void KERN(gemm)(const pdi_gemm *g);
void KERN(sum)(const pdi_reduction *s, int64_t lo, int64_t hi);
void KERN(load)(float *out, const float *x, const pdi_axes *axes, int64_t lo, int64_t n);
void KERN(max)(const pdi_reduction *s, int64_t lo, int64_t hi);
void KERN(argmax)(const pdi_reduction *s, int64_t lo, int64_t hi);
void KERN(rand)(float *out, const int32_t *key, uint32_t stream, int64_t lo, int64_t n);
double KERN(peak)(int64_t rounds, float *out);

#endif
