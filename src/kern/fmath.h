/* kern/fmath.h -- exp, log, tanh, erf, sin, cos in f32, ours.
 *
 * Written without branches so that a compiler vectorises them across elements,
 * and with fma asked for by name, so every instruction set gives the same bits
 * (the C library's do not promise that).  Coefficients are minimax fits of the
 * relative error, computed for this file; tests measure the error in ulp.
 * Compile with -ffp-contract=off. */
#ifndef PDI_KERN_FMATH_H
#define PDI_KERN_FMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t fmath_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

static inline float fmath_float(uint32_t u)
{
    float x;
    memcpy(&x, &u, 4);
    return x;
}

/* x = n ln2 + r with |r| <= ln2/2;  e^x = 2^n (1 + r + r^2 q(r)). */
static inline float pdi_expf(float x)
{
    x = x > 100.0f ? 100.0f : x; /* far past overflow, so that 2^n stays in reach */
    x = x < -110.0f ? -110.0f : x;
    const float magic = 0x1.8p23f; /* adding it rounds to an integer */
    float t = fmaf(x, 0x1.715476p+0f, magic), n = t - magic;
    float r = fmaf(n, -0x1.62e4p-1f, x); /* ln2 in two parts; the first product is exact */
    r = fmaf(n, -0x1.7f7d1cp-20f, r);
    float q = 0x1.6a2448p-10f;
    q = fmaf(q, r, 0x1.1239d4p-7f);
    q = fmaf(q, r, 0x1.5558f2p-5f);
    q = fmaf(q, r, 0x1.555492p-3f);
    q = fmaf(q, r, 0x1.fffffcp-2f);
    float p = fmaf(q, r * r, r) + 1.0f;
    /* 2^n as two factors: n may be below -126 or above 127.  NaN passes through p. */
    int32_t k = (int32_t)(fmath_bits(t) - fmath_bits(magic)), half = k >> 1;
    float s1 = fmath_float((uint32_t)(half + 127) << 23);
    float s2 = fmath_float((uint32_t)(k - half + 127) << 23);
    return p * s1 * s2;
}

/* x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2));
 * ln x = e ln2 + f - f^2/2 + f^3 q(f). */
static inline float pdi_logf(float x)
{
    int tiny = x < 0x1p-126f;
    float y = tiny ? x * 0x1p23f : x;
    uint32_t u = fmath_bits(y);
    int32_t e = (int32_t)(u - 0x3f3504f3u) >> 23;
    float f = fmath_float(u - ((uint32_t)e << 23)) - 1.0f;
    float ef = (float)(e - (tiny ? 23 : 0));
    float q = -0x1.e99e0cp-5f;
    q = fmaf(q, f, 0x1.b37c8cp-4f);
    q = fmaf(q, f, -0x1.bb2bc8p-4f);
    q = fmaf(q, f, 0x1.c40b12p-4f);
    q = fmaf(q, f, -0x1.fce736p-4f);
    q = fmaf(q, f, 0x1.248f28p-3f);
    q = fmaf(q, f, -0x1.5563b2p-3f);
    q = fmaf(q, f, 0x1.999a14p-3f);
    q = fmaf(q, f, -0x1.ffffd4p-3f);
    q = fmaf(q, f, 0x1.555554p-2f);
    float low = fmaf(ef, 0x1.7f7d1cp-20f, f * f * fmaf(f, q, -0.5f));
    float r = fmaf(ef, 0x1.62e4p-1f, f + low);
    r = x == 0 ? -INFINITY : r;
    r = x == INFINITY ? INFINITY : r;
    return x >= 0 ? r : NAN;
}

/* Small: x + x^3 q(x^2), with the sign of x, which the sum loses at -0.
 * Large: 1 - 2 / (e^2|x| + 1). */
static inline float pdi_tanhf(float x)
{
    float a = fabsf(x), s = x * x;
    float q = 0x1.18e1e8p-9f;
    q = fmaf(q, s, -0x1.0bf500p-7f);
    q = fmaf(q, s, 0x1.638b5ap-6f);
    q = fmaf(q, s, -0x1.b9ee90p-5f);
    q = fmaf(q, s, 0x1.111066p-3f);
    q = fmaf(q, s, -0x1.555554p-2f);
    float small = copysignf(fmaf(x * s, q, x), x);
    float large = copysignf(1.0f - 2.0f / (pdi_expf(2.0f * a) + 1.0f), x);
    return a < 0.625f ? small : large;
}

/* Small: x q(x^2).  Large: 1 - e^-p(|x|), exactly 1 from 4 on. */
static inline float pdi_erff(float x)
{
    float a = fabsf(x), s = x * x, b = a > 4.0f ? 4.0f : a;
    float q = -0x1.4383fep-17f;
    q = fmaf(q, s, 0x1.d8268ep-14f);
    q = fmaf(q, s, -0x1.bcbe9ap-11f);
    q = fmaf(q, s, 0x1.5628eep-8f);
    q = fmaf(q, s, -0x1.b829a8p-6f);
    q = fmaf(q, s, 0x1.ce2f08p-4f);
    q = fmaf(q, s, -0x1.812746p-2f);
    q = fmaf(q, s, 0x1.20dd76p+0f);
    float p = -0x1.c79002p-23f;
    p = fmaf(p, b, 0x1.9f51e8p-16f);
    p = fmaf(p, b, -0x1.e2b9a6p-12f);
    p = fmaf(p, b, 0x1.17e1aap-8f);
    p = fmaf(p, b, -0x1.9f5140p-6f);
    p = fmaf(p, b, 0x1.bcda52p-4f);
    p = fmaf(p, b, 0x1.44212ep-1f);
    p = fmaf(p, b, 0x1.2130b4p+0f);
    p = fmaf(p, b, -0x1.a7c504p-13f);
    float large = copysignf(1.0f - pdi_expf(-p), x);
    return a < 1.0f ? x * q : large;
}

/* sin(x + turn pi/2): x = n pi/2 + r in double, then one of two polynomials.
 * Past 2^30 the reduction loses accuracy, never the range [-1, 1]. */
static inline float pdi_sin_quarter(float x, uint32_t turn)
{
    const double magic = 0x1.8p52;
    double xd = (double)x, t = fma(xd, 0x1.45f306dc9c883p-1, magic), n = t - magic;
    double rd = fma(n, -0x1.921fb54442d18p+0, xd);
    float r = (float)fma(n, -0x1.1a62633145c07p-54, rd), s = r * r;
    uint64_t u;
    memcpy(&u, &t, 8);
    uint32_t quarter = (uint32_t)u + turn;
    float qs = 0x1.6cd87ap-19f, qc = -0x1.241e9cp-22f;
    qs = fmaf(qs, s, -0x1.a00f9ep-13f);
    qs = fmaf(qs, s, 0x1.111108p-7f);
    qs = fmaf(qs, s, -0x1.555556p-3f);
    qc = fmaf(qc, s, 0x1.a010dep-16f);
    qc = fmaf(qc, s, -0x1.6c16b8p-10f);
    qc = fmaf(qc, s, 0x1.555556p-5f);
    float sine = copysignf(fmaf(r * s, qs, r), r); /* at -0 the sum is +0 */
    float cosine = fmaf(s * s, qc, fmaf(-0.5f, s, 1.0f));
    float y = quarter & 1 ? cosine : sine;
    y = quarter & 2 ? -y : y;
    y = y > 1.0f ? 1.0f : y;
    return y < -1.0f ? -1.0f : y;
}

static inline float pdi_sinf(float x) { return pdi_sin_quarter(x, 0); }
static inline float pdi_cosf(float x) { return pdi_sin_quarter(x, 1); }

#endif
