/* kern/vec.h -- one vector register of floats, by instruction set.
 *
 * The only file that knows an intrinsic.  All variants do the same arithmetic,
 * a fused multiply-add asked for by name, so they give the same bits.
 *
 * A part is the first 1 .. VEC lanes of a register: what is left at the right
 * edge of a matrix.  Memory past a part is neither read nor written. */
#ifndef PDI_KERN_VEC_H
#define PDI_KERN_VEC_H

#include <math.h>
#include <stdint.h>

/* The loop after it disappears: its body stands there up to 16 times. */
#if defined(__clang__)
#define VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VEC_UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__AVX512F__)
#include <immintrin.h>
enum { VEC = 16 };
typedef __m512 vec;
typedef __mmask16 vec_part;
static inline vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
static inline vec vec_set(float x) { return _mm512_set1_ps(x); }
static inline vec vec_mul(vec x, vec y) { return _mm512_mul_ps(x, y); }
static inline vec vec_add(vec x, vec y) { return _mm512_add_ps(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
static inline vec_part vec_first(int64_t n) { return (vec_part)(0xffffu >> (VEC - n)); }
static inline vec vec_load_part(const float *p, vec_part n) { return _mm512_maskz_loadu_ps(n, p); }
static inline void vec_store_part(float *p, vec_part n, vec x) { _mm512_mask_storeu_ps(p, n, x); }
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VEC = 8 };
typedef __m256 vec;
typedef __m256i vec_part;
static inline vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
static inline vec vec_set(float x) { return _mm256_set1_ps(x); }
static inline vec vec_mul(vec x, vec y) { return _mm256_mul_ps(x, y); }
static inline vec vec_add(vec x, vec y) { return _mm256_add_ps(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return _mm256_fmadd_ps(x, y, z); }
static inline vec_part vec_first(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec vec_load_part(const float *p, vec_part n) { return _mm256_maskload_ps(p, n); }
static inline void vec_store_part(float *p, vec_part n, vec x) { _mm256_maskstore_ps(p, n, x); }
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
enum { VEC = 4 };
typedef float32x4_t vec;
typedef int64_t vec_part;
static inline vec vec_load(const float *p) { return vld1q_f32(p); }
static inline void vec_store(float *p, vec x) { vst1q_f32(p, x); }
static inline vec vec_set(float x) { return vdupq_n_f32(x); }
static inline vec vec_mul(vec x, vec y) { return vmulq_f32(x, y); }
static inline vec vec_add(vec x, vec y) { return vaddq_f32(x, y); }
static inline vec vec_fma(vec x, vec y, vec z) { return vfmaq_f32(z, x, y); }
static inline vec_part vec_first(int64_t n) { return n; }
static inline vec vec_load_part(const float *p, vec_part n)
{
    vec x = vdupq_n_f32(0);
    if (n == 4) return vld1q_f32(p);
    x = vld1q_lane_f32(p, x, 0);
    if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
    return n > 2 ? vld1q_lane_f32(p + 2, x, 2) : x;
}
static inline void vec_store_part(float *p, vec_part n, vec x)
{
    vst1q_lane_f32(p, x, 0);
    if (n > 1) vst1q_lane_f32(p + 1, x, 1);
    if (n > 2) vst1q_lane_f32(p + 2, x, 2);
    if (n > 3) vst1q_lane_f32(p + 3, x, 3);
}
#else
enum { VEC = 1 };
typedef float vec;
typedef int64_t vec_part;
static inline vec vec_load(const float *p) { return *p; }
static inline void vec_store(float *p, vec x) { *p = x; }
static inline vec vec_set(float x) { return x; }
static inline vec vec_mul(vec x, vec y) { return x * y; }
static inline vec vec_add(vec x, vec y) { return x + y; }
static inline vec vec_fma(vec x, vec y, vec z) { return fmaf(x, y, z); }
static inline vec_part vec_first(int64_t n) { return n; }
static inline vec vec_load_part(const float *p, vec_part n) { return (void)n, *p; }
static inline void vec_store_part(float *p, vec_part n, vec x) { (void)n, *p = x; }
#endif

/* ---- VEC rows read as VEC columns ------------------------------------------------ */

/* t[p] = x[0][p], x[1][p], ... x[VEC-1][p] for p < VEC. */
static inline void vec_load_columns(vec t[VEC], const float *const x[VEC], int64_t at);

#if defined(__AVX512F__)
/* Transpose the four 4x4 blocks that lie in the 128-bit quarters of t[0 .. 3]. */
static inline void vec_quarters(vec *t)
{
    vec a = _mm512_unpacklo_ps(t[0], t[1]), b = _mm512_unpackhi_ps(t[0], t[1]);
    vec c = _mm512_unpacklo_ps(t[2], t[3]), d = _mm512_unpackhi_ps(t[2], t[3]);
    t[0] = _mm512_shuffle_ps(a, c, 0x44);
    t[1] = _mm512_shuffle_ps(a, c, 0xee);
    t[2] = _mm512_shuffle_ps(b, d, 0x44);
    t[3] = _mm512_shuffle_ps(b, d, 0xee);
}
static inline vec vec_halves(const float *low, const float *high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high),
                              1);
}
/* Halves come from memory, where joining them needs no shuffle. */
static inline void vec_load_columns(vec t[VEC], const float *const x[VEC], int64_t at)
{
    VEC_UNROLL
    for (int i = 0; i < 4; i++) {
        VEC_UNROLL
        for (int h = 0; h < 2; h++) {
            vec low = vec_halves(x[i] + at + 8 * h, x[i + 4] + at + 8 * h);
            vec high = vec_halves(x[i + 8] + at + 8 * h, x[i + 12] + at + 8 * h);
            t[8 * h + i] = _mm512_shuffle_f32x4(low, high, 0x88);
            t[8 * h + 4 + i] = _mm512_shuffle_f32x4(low, high, 0xdd);
        }
    }
    VEC_UNROLL
    for (int i = 0; i < VEC; i += 4) vec_quarters(t + i);
}
#elif defined(__AVX2__) && defined(__FMA__)
static inline void vec_quarters(vec *t)
{
    vec a = _mm256_unpacklo_ps(t[0], t[1]), b = _mm256_unpackhi_ps(t[0], t[1]);
    vec c = _mm256_unpacklo_ps(t[2], t[3]), d = _mm256_unpackhi_ps(t[2], t[3]);
    t[0] = _mm256_shuffle_ps(a, c, 0x44);
    t[1] = _mm256_shuffle_ps(a, c, 0xee);
    t[2] = _mm256_shuffle_ps(b, d, 0x44);
    t[3] = _mm256_shuffle_ps(b, d, 0xee);
}
static inline void vec_load_columns(vec t[VEC], const float *const x[VEC], int64_t at)
{
    VEC_UNROLL
    for (int i = 0; i < 4; i++) {
        VEC_UNROLL
        for (int h = 0; h < 2; h++)
            t[4 * h + i] = _mm256_insertf128_ps(
                _mm256_castps128_ps256(_mm_loadu_ps(x[i] + at + 4 * h)),
                _mm_loadu_ps(x[i + 4] + at + 4 * h), 1);
    }
    vec_quarters(t);
    vec_quarters(t + 4);
}
#elif defined(__ARM_NEON) && defined(__aarch64__)
static inline void vec_load_columns(vec t[VEC], const float *const x[VEC], int64_t at)
{
    float32x4x2_t a = vzipq_f32(vld1q_f32(x[0] + at), vld1q_f32(x[2] + at));
    float32x4x2_t b = vzipq_f32(vld1q_f32(x[1] + at), vld1q_f32(x[3] + at));
    float32x4x2_t low = vzipq_f32(a.val[0], b.val[0]), high = vzipq_f32(a.val[1], b.val[1]);
    t[0] = low.val[0];
    t[1] = low.val[1];
    t[2] = high.val[0];
    t[3] = high.val[1];
}
#else
static inline void vec_load_columns(vec t[VEC], const float *const x[VEC], int64_t at)
{
    t[0] = x[0][at];
}
#endif

#endif
