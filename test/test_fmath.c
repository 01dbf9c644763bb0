/* test_fmath.c -- exp, log, tanh, erf, sin, cos: how far off, and special values.
 *
 *     test-fmath --full     every float there is, for the table in docs/determinism.md
 *
 * The C library's double functions are the reference: their error is a millionth of
 * an ulp of f32 at most.  An error is counted in ulps of the exact result, that is
 * the distance of neighbouring floats there. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kern/kern.h"
#include "t.h"

enum { FMATH_STRIP = 1024 };

typedef struct fmath_row {
    const char *name;
    pdi_opcode op;
    double (*exact)(double);
    double ulps;     /* what is promised ... */
    float lo, hi;    /* ... on this range */
    bool is_bounded; /* beyond it: still within [-1, 1] */
} fmath_row;

static const fmath_row fmath_rows[] = {
    {"exp", PDI_exp, exp, 2, -INFINITY, INFINITY, false},
    {"log", PDI_log, log, 2, 0, INFINITY, false},
    {"tanh", PDI_tanh, tanh, 2, -INFINITY, INFINITY, true},
    {"erf", PDI_erf, erf, 4, -INFINITY, INFINITY, true},
    {"sin", PDI_sin, sin, 2, -0x1p20f, 0x1p20f, true},
    {"cos", PDI_cos, cos, 2, -0x1p20f, 0x1p20f, true},
};

static uint32_t fmath_bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

static float fmath_float_of(uint32_t u)
{
    float x;
    memcpy(&x, &u, 4);
    return x;
}

static double fmath_ulp(double exact)
{
    int e = exact == 0 ? -126 : ilogb(exact);
    return ldexp(1, (e < -126 ? -126 : e) - 23);
}

/* Infinite when got is of the wrong kind. */
static double fmath_error(double exact, float got)
{
    if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : INFINITY;
    if (isinf((float)exact) || isinf(got)) return (float)exact == got ? 0 : INFINITY;
    return fabs((double)got - exact) / fmath_ulp(exact);
}

/* ---- going over many floats ------------------------------------------------------------ */

typedef struct fmath_scan {
    const fmath_row *row;
    const pdi_kernels *kern;
    double worst; /* inside the promised range */
    float worst_at;
    double beyond; /* outside it */
    float beyond_at;
    bool out_of_bounds;
} fmath_scan;

static void scan_one(fmath_scan *s, float x, float got)
{
    double error = fmath_error(s->row->exact((double)x), got);
    bool promised = isnan(x) || (x >= s->row->lo && x <= s->row->hi) || !s->row->is_bounded;
    if (promised && error > s->worst) {
        s->worst = error;
        s->worst_at = x;
    }
    if (!promised && error > s->beyond) {
        s->beyond = error;
        s->beyond_at = x;
    }
    if (s->row->is_bounded && isfinite(x) && !(got >= -1 && got <= 1)) s->out_of_bounds = true;
}

/* n floats whose bits are from, from + step, ... */
static void scan_run(fmath_scan *s, uint32_t from, uint32_t step, uint64_t n)
{
    float x[FMATH_STRIP], got[FMATH_STRIP];
    while (n > 0) {
        int64_t m = n < FMATH_STRIP ? (int64_t)n : FMATH_STRIP;
        for (int64_t i = 0; i < m; i++, from += step) x[i] = fmath_float_of(from);
        s->kern->map[s->row->op](got, x, NULL, NULL, m);
        for (int64_t i = 0; i < m; i++) scan_one(s, x[i], got[i]);
        n -= (uint64_t)m;
    }
}

/* Where branches, reductions and ranges of the functions change. */
static const float fmath_edges[] = {0.0f,       0x1p-126f,   0x1p-25f, 0x1p-12f,    0.34657359f,
                                    0.625f,     0.70710678f, 1.0f,     1.41421356f, 0.78539816f,
                                    1.5707964f, 3.1415927f,  4.0f,     8.6643398f,  9.0109133f,
                                    87.33655f,  88.722839f,  100.0f,   103.97208f,  110.0f,
                                    355.0f,     0x1p20f,     0x1p24f,  0x1p30f,     FLT_MAX};

static fmath_scan scan_sample(const fmath_row *row, const pdi_kernels *kern)
{
    fmath_scan s = {.row = row, .kern = kern};
    enum { AROUND = 2000 };
    scan_run(&s, 12345, 4093, (1ull << 32) / 4093); /* a prime: no pattern in the mantissas */
    for (size_t i = 0; i < COUNT(fmath_edges); i++)
        for (int sign = 0; sign < 2; sign++) {
            float edge = sign ? -fmath_edges[i] : fmath_edges[i];
            scan_run(&s, fmath_bits_of(edge) - AROUND, 1, 2 * AROUND);
        }
    return s;
}

static void functions_are_as_accurate_as_promised(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fmath_rows); i++) {
        const fmath_row *row = &fmath_rows[i];
        fmath_scan s = scan_sample(row, pdi_kernels_here());
        if (s.worst > row->ulps || s.out_of_bounds)
            print_error("%s: %.3g ulp at %a (%.9g)%s\n", row->name, s.worst, (double)s.worst_at,
                        (double)s.worst_at, s.out_of_bounds ? ", and leaves [-1, 1]" : "");
        assert_true(s.worst <= row->ulps && !s.out_of_bounds);
    }
}

/* ---- special values ----------------------------------------------------------------------- */

static float fmath_at(const pdi_kernels *kern, pdi_opcode op, float x)
{
    float got;
    kern->map[op](&got, &x, NULL, NULL, 1);
    return got;
}

static void special_values_are_exact(void **state)
{
    (void)state;
    static const struct {
        pdi_opcode op;
        float x, want;
    } rows[] = {
        {PDI_exp, 0, 1},
        {PDI_exp, -0.0f, 1},
        {PDI_exp, INFINITY, INFINITY},
        {PDI_exp, -INFINITY, 0},
        {PDI_exp, 88.72284f, INFINITY},
        {PDI_exp, -103.98f, 0},
        {PDI_exp, 0x1p-149f, 1},
        {PDI_exp, FLT_MAX, INFINITY},
        {PDI_exp, -FLT_MAX, 0},
        {PDI_log, 1, 0},
        {PDI_log, 0, -INFINITY},
        {PDI_log, -0.0f, -INFINITY},
        {PDI_log, INFINITY, INFINITY},
        {PDI_log, -1, NAN},
        {PDI_log, -0x1p-149f, NAN},
        {PDI_log, -INFINITY, NAN},
        {PDI_tanh, 0, 0},
        {PDI_tanh, -0.0f, -0.0f},
        {PDI_tanh, INFINITY, 1},
        {PDI_tanh, -INFINITY, -1},
        {PDI_tanh, 0x1p-149f, 0x1p-149f},
        {PDI_tanh, -0x1p-127f, -0x1p-127f},
        {PDI_erf, 0, 0},
        {PDI_erf, -0.0f, -0.0f},
        {PDI_erf, INFINITY, 1},
        {PDI_erf, -INFINITY, -1},
        {PDI_erf, 0x1p-149f, 0x1p-149f},
        {PDI_sin, 0, 0},
        {PDI_sin, -0.0f, -0.0f},
        {PDI_sin, 0x1p-149f, 0x1p-149f},
        {PDI_sin, -0x1p-127f, -0x1p-127f},
        {PDI_sin, INFINITY, NAN},
        {PDI_sin, -INFINITY, NAN},
        {PDI_cos, 0, 1},
        {PDI_cos, -0.0f, 1},
        {PDI_cos, 0x1p-149f, 1},
        {PDI_cos, INFINITY, NAN},
        {PDI_cos, -INFINITY, NAN},
        {PDI_exp, NAN, NAN},
        {PDI_log, NAN, NAN},
        {PDI_tanh, NAN, NAN},
        {PDI_erf, NAN, NAN},
        {PDI_sin, NAN, NAN},
        {PDI_cos, NAN, NAN},
    };
    int wrong = 0;
    for (int k = 0; pdi_kernels_at(k); k++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            float got = fmath_at(pdi_kernels_at(k), rows[i].op, rows[i].x);
            bool same = isnan(rows[i].want) ? isnan(got)
                                            : fmath_bits_of(got) == fmath_bits_of(rows[i].want);
            if (same) continue;
            print_error("%s: %s(%a) is %a, not %a\n", pdi_kernels_at(k)->name,
                        pdi_op_table[rows[i].op].name, (double)rows[i].x, (double)got,
                        (double)rows[i].want);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

/* ---- the same bits everywhere ---------------------------------------------------------------- */

/* A NaN's sign and payload are not promised, that it is a NaN is. */
static bool fmath_same(float a, float b)
{
    return isnan(a) ? isnan(b) : fmath_bits_of(a) == fmath_bits_of(b);
}

static void same_bits(pdi_opcode op, const pdi_kernels *a, const pdi_kernels *b)
{
    enum { N = 1003 };
    float x[N], y[N], z[N], ra[N], rb[N];
    for (uint32_t round = 0, u = 1; round < 300; round++) {
        for (int i = 0; i < N; i++) {
            x[i] = fmath_float_of(u += 0x9E3779B9u);
            y[i] = fmath_float_of(u * 0x85EBCA6Bu);
            z[i] = i % 3 ? fmath_float_of(u * 0xC2B2AE35u) : 0;
        }
        a->map[op](ra, x, y, z, N);
        b->map[op](rb, x, y, z, N);
        for (int i = 0; i < N; i++)
            if (!fmath_same(ra[i], rb[i]))
                fail_msg("%s: %s gives %a, %s gives %a at %a", pdi_op_table[op].name, a->name,
                         (double)ra[i], b->name, (double)rb[i], (double)x[i]);
    }
}

static void maps_have_the_same_bits_on_every_instruction_set(void **state)
{
    (void)state;
    for (int k = 1; pdi_kernels_at(k); k++)
        for (int op = 0; op < PDI_OPS; op++)
            if (pdi_op_table[op].family == PDI_MAP)
                same_bits((pdi_opcode)op, pdi_kernels_at(0), pdi_kernels_at(k));
}

/* ---- by hand ------------------------------------------------------------------------------------
 */

static int fmath_full(void)
{
    printf("%-6s %10s  %-16s %12s  %s\n", "", "worst ulp", "at", "beyond 2^20", "at");
    for (size_t i = 0; i < COUNT(fmath_rows); i++) {
        fmath_scan s = {.row = &fmath_rows[i], .kern = pdi_kernels_here()};
        scan_run(&s, 0, 1, 1ull << 32);
        printf("%-6s %10.3f  %-16.9g %12.3g  %.9g%s\n", s.row->name, s.worst, (double)s.worst_at,
               s.beyond, (double)s.beyond_at, s.out_of_bounds ? "  leaves [-1, 1]" : "");
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--full")) return fmath_full();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_as_accurate_as_promised),
        cmocka_unit_test(special_values_are_exact),
        cmocka_unit_test(maps_have_the_same_bits_on_every_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
