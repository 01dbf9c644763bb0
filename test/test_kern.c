/* test_kern.c -- the order of every sum, bit by bit, on every instruction set.
 *
 * The references below are the determinism contract (docs/determinism.md) said as
 * plainly as C can say it.  Kernels must give their bits. */
#include <math.h>
#include <perdure/rng.h>
#include <stdlib.h>
#include <string.h>

#include "kern/kern.h"
#include "t.h"

static pdr_rng kern_rng = {.seed = 21, .stream = PDR_STREAM_TEST};

static float *kern_noise(int64_t n)
{
    float *x = malloc(sizeof *x * (size_t)n);
    for (int64_t i = 0; i < n; i++) x[i] = pdr_rng_normal(&kern_rng);
    return x;
}

static int64_t kern_draw(int64_t lo, int64_t hi)
{
    return lo + (int64_t)pdr_rng_below(&kern_rng, (uint32_t)(hi - lo + 1));
}

/* ---- products ------------------------------------------------------------------------- */

/* A product, the first; then one fused multiply-add a step of k. */
static float chain(const float *a, int64_t ak, const float *b, int64_t bk, int64_t k)
{
    float s = a[0] * b[0];
    for (int64_t p = 1; p < k; p++) s = fmaf(a[p * ak], b[p * bk], s);
    return s;
}

typedef struct gemm_case {
    int64_t m, n, k;
    bool a_swapped, b_swapped; /* k lies next to each other, or rows do */
    int64_t gap;               /* elements of c between rows that must not be touched */
} gemm_case;

static void gemm_set(pdi_gemm *g, const gemm_case *c)
{
    g->m = c->m;
    g->n = c->n;
    g->k = c->k;
    g->am = c->a_swapped ? 1 : c->k;
    g->ak = c->a_swapped ? c->m : 1;
    g->bn = c->b_swapped ? 1 : c->k;
    g->bk = c->b_swapped ? c->n : 1;
    g->ldc = c->n + c->gap;
}

static void gemm_compare(const pdi_gemm *g, const gemm_case *c, const char *isa, const float *want)
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->ldc; j++) {
            float got = g->c[i * g->ldc + j], is = j < g->n ? want[i * g->n + j] : 77;
            if (memcmp(&got, &is, 4) != 0)
                fail_msg("%s: [%lld,%lld] x [%lld,%lld]: element (%lld,%lld) is %a, not %a", isa,
                         (long long)c->m, (long long)c->k, (long long)c->n, (long long)c->k,
                         (long long)i, (long long)j, (double)got, (double)is);
        }
}

static void gemm_check(const gemm_case *c)
{
    pdi_gemm g = {0};
    float *a = kern_noise(c->m * c->k), *b = kern_noise(c->n * c->k);
    float *want = malloc(sizeof *want * (size_t)(c->m * c->n));
    gemm_set(&g, c);
    g.a = a;
    g.b = b;
    g.c = malloc(sizeof *g.c * (size_t)(c->m * g.ldc));
    g.pack = malloc(sizeof *g.pack * PDI_PACK);
    for (int64_t i = 0; i < c->m; i++)
        for (int64_t j = 0; j < c->n; j++)
            want[i * c->n + j] = chain(a + i * g.am, g.ak, b + j * g.bn, g.bk, c->k);
    for (int k = 0; pdi_kernels_at(k); k++) {
        for (int64_t i = 0; i < c->m * g.ldc; i++) g.c[i] = 77;
        for (int64_t i = 0; i < PDI_PACK; i++) g.pack[i] = NAN;
        pdi_kernels_at(k)->gemm(&g);
        gemm_compare(&g, c, pdi_kernels_at(k)->name, want);
    }
    free(a);
    free(b);
    free(want);
    free(g.c);
    free(g.pack);
}

/* Tiles have 1 to 14 rows and 1 to 128 columns; test_gemm.c draws sizes and strides. */
static void a_product_is_one_chain_at_every_edge(void **state)
{
    (void)state;
    static const int64_t m[] = {1, 2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 29};
    static const int64_t n[] = {1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 65};
    static const int64_t k[] = {1, 2, 7, 33};
    for (size_t i = 0; i < COUNT(m); i++)
        for (size_t j = 0; j < COUNT(n); j++)
            for (size_t p = 0; p < COUNT(k); p++)
                gemm_check(
                    &(gemm_case){m[i], n[j], k[p], (i + j) % 2, (j + p) % 2, (int64_t)(p % 3)});
}

/* Blocks have 256 or 512 columns and 256 or 400 terms. */
static void a_product_is_one_chain_across_blocks(void **state)
{
    (void)state;
    static const gemm_case cases[] = {
        {3, 5, 255, false, false, 0},   {3, 5, 256, true, false, 1},
        {3, 5, 257, false, true, 0},    {2, 3, 513, true, true, 3},
        {2, 511, 3, false, false, 0},   {2, 512, 3, true, true, 5},
        {2, 513, 3, false, true, 0},    {1, 1025, 2, false, true, 0},
        {167, 3, 2, false, false, 0},   {168, 3, 2, true, false, 7},
        {169, 3, 2, true, true, 0},     {337, 2, 2, false, false, 0},
        {169, 513, 257, true, true, 1}, {29, 513, 401, true, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) gemm_check(&cases[i]);
}

/* ---- sums ------------------------------------------------------------------------------- */

/* Sixteen lanes, element i into lane i mod 16; then lanes are folded in halves, as far
 * as they exist. */
static float lanes(const float *x, int64_t n)
{
    float lane[16];
    int64_t have = n < 16 ? n : 16;
    for (int64_t i = 0; i < n; i++)
        if (i < 16)
            lane[i] = x[i];
        else
            lane[i % 16] = lane[i % 16] + x[i];
    for (int64_t half = 8; half >= 1; half /= 2)
        for (int64_t l = 0; l < half; l++)
            if (l + half < have) lane[l] = lane[l] + lane[l + half];
    return lane[0];
}

static int64_t sum_count(const pdi_axes *a)
{
    int64_t n = 1;
    for (int k = 0; k < a->n; k++) n *= a->dim[k];
    return n;
}

static int64_t sum_at(const pdi_axes *a, int64_t i)
{
    int64_t at = 0;
    for (int k = a->n - 1; k >= 0; i /= a->dim[k], k--) at += i % a->dim[k] * a->stride[k];
    return at;
}

/* The first largest, or where it is. */
static float largest(const float *x, int64_t n, bool index)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return index ? (float)best : x[best];
}

enum { SUM, MAX, ARGMAX, KINDS };
static const char *const kind_name[] = {"sum", "max", "argmax"};

static float reduction_wanted(int kind, const pdi_reduction *s, int64_t out)
{
    int64_t n = sum_count(&s->over);
    float *x = malloc(sizeof *x * (size_t)n), r;
    for (int64_t i = 0; i < n; i++) x[i] = s->x[sum_at(&s->kept, out) + sum_at(&s->over, i)];
    r = kind == SUM ? lanes(x, n) : largest(x, n, kind == ARGMAX);
    free(x);
    return r;
}

static void reduction_run(int kind, const pdi_kernels *k, const pdi_reduction *s, int64_t lo,
                          int64_t hi)
{
    (kind == SUM ? k->sum : kind == MAX ? k->max : k->argmax)(s, lo, hi);
}

/* Any axes over a buffer of `size` elements: strides may repeat, overlap, run back. */
static pdi_axes sum_axes(int n, int64_t longest, int64_t *lo, int64_t *hi)
{
    pdi_axes a = {.n = n};
    for (int k = 0; k < n; k++) {
        a.dim[k] = kern_draw(2, longest);
        a.stride[k] = k == n - 1 && kern_draw(0, 1) ? 1 : kern_draw(-9, 40);
        *(a.stride[k] < 0 ? lo : hi) += a.stride[k] * (a.dim[k] - 1);
    }
    return a;
}

static void reduction_check(int kind, int kept, int over, int64_t longest)
{
    int64_t lo = 0, hi = 0;
    pdi_reduction s = {.kept = sum_axes(kept, 9, &lo, &hi),
                       .over = sum_axes(over, longest, &lo, &hi)};
    float *x = kern_noise(hi - lo + 1);
    int64_t n = sum_count(&s.kept), from = kern_draw(0, n - 1), to = kern_draw(from + 1, n);
    s.x = x - lo;
    s.out = malloc(sizeof *s.out * (size_t)n);
    for (int k = 0; pdi_kernels_at(k); k++) {
        for (int64_t i = 0; i < n; i++) s.out[i] = 77;
        reduction_run(kind, pdi_kernels_at(k), &s, from, to);
        for (int64_t i = 0; i < n; i++) {
            float want = i >= from && i < to ? reduction_wanted(kind, &s, i) : 77;
            if (memcmp(&want, &s.out[i], 4) != 0)
                fail_msg("%s: %s %lld of %lld over %lld elements is %a, not %a",
                         pdi_kernels_at(k)->name, kind_name[kind], (long long)i, (long long)n,
                         (long long)sum_count(&s.over), (double)s.out[i], (double)want);
        }
    }
    free(x);
    free(s.out);
}

static void reduction_checks(int kind)
{
    for (int round = 0; round < 60; round++) {
        reduction_check(kind, round % 4, 1, 5 + round);
        reduction_check(kind, round % 3, 2, 40);
        reduction_check(kind, round % 4, 3, 9);
    }
    reduction_check(kind, 1, 1, 5000);
    reduction_check(kind, 1, 0, 2); /* one element: a copy */
}

static void a_sum_runs_in_sixteen_lanes(void **state)
{
    (void)state;
    reduction_checks(SUM);
}

static void maxima_go_through_any_axes(void **state)
{
    (void)state;
    reduction_checks(MAX);
    reduction_checks(ARGMAX);
}

static void a_sum_of_minus_zeros_is_minus_zero(void **state)
{
    (void)state;
    float x[40], out[2];
    for (int i = 0; i < 40; i++) x[i] = -0.0f;
    for (int k = 0; pdi_kernels_at(k); k++)
        for (int width = 0; width <= 2; width++) { /* 0: no axis is kept */
            pdi_reduction s = {.out = out, .x = x, .over = {1, {20}, {2}}};
            if (width) s.kept = (pdi_axes){1, {width}, {1}};
            pdi_kernels_at(k)->sum(&s, 0, width ? width : 1);
            assert_true(out[0] == 0 && signbit(out[0]));
        }
}

/* ---- products of operands in runs ---------------------------------------------------------- */

/* Axes of n elements: 1 to 3 of them, strides at random; *size grows by what they span. */
static pdi_axes runs_axes(int64_t n, int64_t *size)
{
    pdi_axes a = {.n = 3, .dim = {1, 1, n}};
    for (int k = 2; k > 0; k--) {
        int64_t part = kern_draw(1, 8);
        if (a.dim[k] % part) continue;
        a.dim[k - 1] = a.dim[k] / part;
        a.dim[k] = part;
    }
    for (int k = 0; k < 3; k++) {
        a.stride[k] = kern_draw(0, 2) ? kern_draw(1, 90) : 1;
        *size += (a.dim[k] - 1) * a.stride[k];
    }
    return a;
}

static void runs_check(int64_t m, int64_t n, int64_t k)
{
    int64_t as = 1, bs = 1;
    pdi_gemm_runs r;
    r.rows = runs_axes(2 * m, &as);
    r.columns = runs_axes(2 * n, &bs);
    r.a_terms = runs_axes(k, &as);
    r.b_terms = runs_axes(k, &bs);
    pdi_gemm g = {.m = m, .n = n, .k = k, .ldc = n + 1, .runs = &r};
    float *a = kern_noise(as), *b = kern_noise(bs), *x = kern_noise(k), *y = kern_noise(k);
    g.a = a;
    g.b = b;
    g.row = kern_draw(0, m);
    g.column = kern_draw(0, n);
    g.c = malloc(sizeof *g.c * (size_t)(m * g.ldc));
    g.pack = malloc(sizeof *g.pack * PDI_PACK);
    for (int i = 0; pdi_kernels_at(i); i++) {
        pdi_kernels_at(i)->gemm(&g);
        for (int64_t e = 0; e < m * n; e++) {
            int64_t row = sum_at(&r.rows, g.row + e / n),
                    col = sum_at(&r.columns, g.column + e % n);
            for (int64_t p = 0; p < k; p++) x[p] = a[row + sum_at(&r.a_terms, p)];
            for (int64_t p = 0; p < k; p++) y[p] = b[col + sum_at(&r.b_terms, p)];
            float want = chain(x, 1, y, 1, k), got = g.c[e / n * g.ldc + e % n];
            if (memcmp(&want, &got, 4) != 0)
                fail_msg("%s: element %lld of %lld x %lld x %lld is %a, not %a",
                         pdi_kernels_at(i)->name, (long long)e, (long long)m, (long long)n,
                         (long long)k, (double)got, (double)want);
        }
    }
    free(a);
    free(b);
    free(x);
    free(y);
    free(g.c);
    free(g.pack);
}

static void a_product_in_runs_is_one_chain(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++)
        runs_check(kern_draw(1, 40), kern_draw(1, 70), kern_draw(1, 90));
    runs_check(7, 900, 12);
    runs_check(21, 35, 840);
}

/* ---- loads, maxima, draws ------------------------------------------------------------------- */

static void loads_start_and_end_anywhere(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        int64_t lo = 0, hi = 0;
        pdi_axes a = sum_axes(round % 4, 7, &lo, &hi);
        int64_t n = sum_count(&a), from = kern_draw(0, n - 1), to = kern_draw(from + 1, n);
        float *x = kern_noise(hi - lo + 1), *out = malloc(sizeof *out * (size_t)(to - from));
        for (int k = 0; pdi_kernels_at(k); k++) {
            pdi_kernels_at(k)->load(out, x - lo, &a, from, to - from);
            for (int64_t i = from; i < to; i++)
                assert_memory_equal(&out[i - from], &x[sum_at(&a, i) - lo], 4);
        }
        free(x);
        free(out);
    }
}

/* A NaN is taken only when it comes first; of equals the first. */
static void the_first_largest_is_taken(void **state)
{
    (void)state;
    static const float x[][4] = {{1, 3, 3, 2},
                                 {NAN, 1, 2, 3},
                                 {1, NAN, 0, 1},
                                 {-0.0f, 0, 0, 0},
                                 {-INFINITY, -INFINITY, 1, 1}};
    static const float where[] = {1, 0, 0, 0, 2};
    for (int k = 0; pdi_kernels_at(k); k++)
        for (size_t i = 0; i < COUNT(x); i++) {
            float most, at;
            const pdi_reduction m = {.out = &most, .x = x[i], .over = {1, {4}, {1}}};
            const pdi_reduction a = {.out = &at, .x = x[i], .over = {1, {4}, {1}}};
            pdi_kernels_at(k)->max(&m, 0, 1);
            pdi_kernels_at(k)->argmax(&a, 0, 1);
            assert_true(at == where[i]);
            assert_memory_equal(&most, &x[i][(int)where[i]], 4);
        }
}

static void draws_are_philox_words_wherever_one_starts(void **state)
{
    (void)state;
    static const int32_t key[4] = {-5, 6, 7, INT32_MIN};
    const uint32_t k[2] = {(uint32_t)key[0], (uint32_t)key[1]};
    float out[40];
    for (int isa = 0; pdi_kernels_at(isa); isa++)
        for (int64_t lo = 0; lo < 9; lo++) {
            pdi_kernels_at(isa)->rand(out, key, 3, lo, 40 - lo);
            for (int64_t i = lo; i < 40; i++) {
                uint32_t c[4] = {(uint32_t)(i / 4), 3, (uint32_t)key[2], (uint32_t)key[3]}, w[4];
                pdr_philox(k, c, w);
                assert_true(out[i - lo] == (float)(w[i % 4] >> 8) / 16777216.0f);
            }
        }
}

static void the_instruction_set_can_be_chosen(void **state)
{
    (void)state;
    const pdi_kernels *best = NULL;
    for (int i = 0; pdi_kernels_at(i); i++) {
        best = pdi_kernels_at(i);
        setenv("PERDURE_ISA", best->name, 1);
        assert_ptr_equal(pdi_kernels_here(), best);
    }
    setenv("PERDURE_ISA", "z80", 1);
    assert_ptr_equal(pdi_kernels_here(), best);
    unsetenv("PERDURE_ISA");
    assert_ptr_equal(pdi_kernels_here(), best);
    assert_string_equal(pdi_kernels_at(0)->name, "ref");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_one_chain_at_every_edge),
        cmocka_unit_test(a_product_is_one_chain_across_blocks),
        cmocka_unit_test(a_sum_runs_in_sixteen_lanes),
        cmocka_unit_test(maxima_go_through_any_axes),
        cmocka_unit_test(a_sum_of_minus_zeros_is_minus_zero),
        cmocka_unit_test(a_product_in_runs_is_one_chain),
        cmocka_unit_test(loads_start_and_end_anywhere),
        cmocka_unit_test(the_first_largest_is_taken),
        cmocka_unit_test(draws_are_philox_words_wherever_one_starts),
        cmocka_unit_test(the_instruction_set_can_be_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
