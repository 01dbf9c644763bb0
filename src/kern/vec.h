/* kern/vec.h -- one vector register of floats, by instruction set.
 *
 * The only file that knows an intrinsic.  All variants do the same arithmetic,
 * a fused multiply-add asked for by name, so they give the same bits. */
#ifndef PDI_KERN_VEC_H
#define PDI_KERN_VEC_H

#include <math.h>

#if defined(__AVX512F__)
#include <immintrin.h>
enum { VEC = 16, TILE_ROWS = 14, TILE_VECS = 2 };
typedef __m512 vec;
static inline vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
static inline vec vec_set(float x) { return _mm512_set1_ps(x); }
static inline vec vec_mul(vec x, vec y) { return _mm512_mul_ps(x, y); }
static inline vec vec_add(vec x, vec y) { return _mm512_add_ps(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VEC = 8, TILE_ROWS = 6, TILE_VECS = 2 };
typedef __m256 vec;
static inline vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
static inline vec vec_set(float x) { return _mm256_set1_ps(x); }
static inline vec vec_mul(vec x, vec y) { return _mm256_mul_ps(x, y); }
static inline vec vec_add(vec x, vec y) { return _mm256_add_ps(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm256_fmadd_ps(x, y, z); }
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
enum { VEC = 4, TILE_ROWS = 8, TILE_VECS = 3 };
typedef float32x4_t vec;
static inline vec vec_load(const float *p) { return vld1q_f32(p); }
static inline void vec_store(float *p, vec x) { vst1q_f32(p, x); }
static inline vec vec_set(float x) { return vdupq_n_f32(x); }
static inline vec vec_mul(vec x, vec y) { return vmulq_f32(x, y); }
static inline vec vec_add(vec x, vec y) { return vaddq_f32(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return vfmaq_f32(z, x, y); }
#else
enum { VEC = 1, TILE_ROWS = 4, TILE_VECS = 4 };
typedef float vec;
static inline vec vec_load(const float *p) { return *p; }
static inline void vec_store(float *p, vec x) { *p = x; }
static inline vec vec_set(float x) { return x; }
static inline vec vec_mul(vec x, vec y) { return x * y; }
static inline vec vec_add(vec x, vec y) { return x + y; }
static inline vec vec_fma(vec x, vec y, vec z) { return fmaf(x, y, z); }
#endif

#endif
