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
/* a where x > y, else b */
static inline vec vec_more(vec x, vec y, vec a, vec b)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), b, a);
}
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
static inline vec vec_more(vec x, vec y, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_GT_OQ));
}
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
static inline vec vec_more(vec x, vec y, vec a, vec b) { return vbslq_f32(vcgtq_f32(x, y), a, b); }
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
static inline vec vec_more(vec x, vec y, vec a, vec b) { return x > y ? a : b; }
static inline vec_part vec_first(int64_t n) { return n; }
static inline vec vec_load_part(const float *p, vec_part n) { return (void)n, *p; }
static inline void vec_store_part(float *p, vec_part n, vec x) { (void)n, *p = x; }
#endif

/* ---- rows read as columns --------------------------------------------------------- */

/* So many numbers of each of VEC rows become so many registers. */
#if defined(__AVX512F__) || defined(__AVX2__) || defined(__ARM_NEON)
enum { VEC_COLUMNS = 4 };
#else
enum { VEC_COLUMNS = 1 };
#endif

/* Pointers to VEC rows of x, of which there are n; past the last one, to the last one: what
 * is read there ends in lanes that nobody wants, but numbers they should be, for those that
 * are nearly zero or none at all can be slow. */
static inline void vec_rows(const float *rows[VEC], const float *x, int64_t step, int64_t n)
{
    for (int64_t i = 0; i < VEC; i++) {
        rows[i] = x;
        if (i < n - 1) x += step;
    }
}

#if defined(__AVX512F__)
/* Four numbers of every fourth row.  Put in place by loads: shuffles would all wait for
 * one port. */
static inline vec vec_load_fours(const float *const *x, int64_t at)
{
    vec r = _mm512_castps128_ps512(_mm_loadu_ps(x[0] + at));
    r = _mm512_mask_broadcast_f32x4(r, 0x00f0, _mm_loadu_ps(x[4] + at));
    r = _mm512_mask_broadcast_f32x4(r, 0x0f00, _mm_loadu_ps(x[8] + at));
    return _mm512_mask_broadcast_f32x4(r, 0xf000, _mm_loadu_ps(x[12] + at));
}
#define VEC_OP(name) _mm512_##name
#elif defined(__AVX2__)
static inline vec vec_load_fours(const float *const *x, int64_t at)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(x[0] + at)),
                                _mm_loadu_ps(x[4] + at), 1);
}
#define VEC_OP(name) _mm256_##name
#endif

/* t[p] = x[0][at + p], x[1][at + p], ... x[VEC-1][at + p]. */
#if defined(VEC_OP)
static inline void vec_load_columns(vec t[VEC_COLUMNS], const float *const x[VEC], int64_t at)
{
    vec a = vec_load_fours(x, at), b = vec_load_fours(x + 1, at);
    vec c = vec_load_fours(x + 2, at), d = vec_load_fours(x + 3, at);
    vec ab = VEC_OP(unpacklo_ps)(a, b), cd = VEC_OP(unpacklo_ps)(c, d);
    t[0] = VEC_OP(shuffle_ps)(ab, cd, 0x44);
    t[1] = VEC_OP(shuffle_ps)(ab, cd, 0xee);
    ab = VEC_OP(unpackhi_ps)(a, b);
    cd = VEC_OP(unpackhi_ps)(c, d);
    t[2] = VEC_OP(shuffle_ps)(ab, cd, 0x44);
    t[3] = VEC_OP(shuffle_ps)(ab, cd, 0xee);
}
#elif defined(__ARM_NEON)
static inline void vec_load_columns(vec t[VEC_COLUMNS], const float *const x[VEC], int64_t at)
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
static inline void vec_load_columns(vec t[VEC_COLUMNS], const float *const x[VEC], int64_t at)
{
    t[0] = x[0][at];
}
#endif

#endif
