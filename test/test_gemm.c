/* test_gemm.c -- products, bit by bit: every instruction set against the plain sum.
 *
 * Operands end right before, or begin right after, memory that may not be touched. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <math.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kern/kern.h"
#include "t.h"

/* How an operand of r rows by k terms lies. */
typedef enum lie {
    BY_ROWS,   /* [r][k] */
    BY_TERMS,  /* [k][r] */
    SPARSE,    /* [r][k] with gaps everywhere */
    BACKWARDS, /* [r][k], both axes from the end */
    ONE_ROW,   /* one row for all r */
    LIES
} lie;

/* Memory between two pages that may not be touched. */
typedef struct fence {
    char *at;
    size_t bytes, page;
} fence;

typedef struct operand {
    fence fence;
    const float *x;
    int64_t row, term; /* strides */
} operand;

typedef struct product {
    int64_t m, n, k, gap; /* gap: floats between rows of c */
    lie a, b;
} product;

static fence fence_open(size_t bytes)
{
    fence f = {.page = (size_t)sysconf(_SC_PAGESIZE)};
    f.bytes = (bytes + f.page - 1) / f.page * f.page;
    char *all = mmap(NULL, f.bytes + 2 * f.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    f.at = all + f.page;
    assert_int_equal(mprotect(f.at, f.bytes, PROT_READ | PROT_WRITE), 0);
    return f;
}

static void fence_close(fence *f) { munmap(f->at - f->page, f->bytes + 2 * f->page); }

/* n floats of f: the last ones or, for an odd turn, the first ones. */
static float *fence_floats(const fence *f, int64_t n, int turn)
{
    return (float *)(void *)f->at + (turn % 2 ? 0 : (int64_t)(f->bytes / sizeof(float)) - n);
}

/* Of very different sizes, so that the order of a sum shows; zeros of both signs. */
static float draw(pdr_rng *r)
{
    if (pdr_rng_below(r, 16) == 0) return pdr_rng_below(r, 2) ? 0.0f : -0.0f;
    return pdr_rng_normal(r) * ldexpf(1, (int)pdr_rng_below(r, 9) - 4);
}

static operand operand_open(lie how, int64_t rows, int64_t k, pdr_rng *r)
{
    int64_t n = how == ONE_ROW ? k : how == SPARSE ? rows * (3 * k + 2) : rows * k;
    operand o = {.fence = fence_open(sizeof(float) * (size_t)n)};
    float *x = fence_floats(&o.fence, n, (int)(rows + k));
    for (int64_t i = 0; i < n; i++) x[i] = draw(r);
    switch (how) {
    case BY_TERMS: o = (operand){o.fence, x, 1, rows}; break;
    case SPARSE: o = (operand){o.fence, x + 1, 3 * k + 2, 3}; break;
    case BACKWARDS: o = (operand){o.fence, x + n - 1, -k, -1}; break;
    case ONE_ROW: o = (operand){o.fence, x, 0, 1}; break;
    default: o = (operand){o.fence, x, k, 1}; break;
    }
    return o;
}

static float plain_sum(const operand *a, const operand *b, int64_t i, int64_t j, int64_t k)
{
    const float *x = a->x + i * a->row, *y = b->x + j * b->row;
    float sum = x[0] * y[0];
    for (int64_t p = 1; p < k; p++) sum = fmaf(x[p * a->term], y[p * b->term], sum);
    return sum;
}

static void want_fill(const product *p, const operand *a, const operand *b, float *want)
{
    int64_t ldc = p->n + p->gap;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < ldc && (j < p->n || i < p->m - 1); j++)
            want[i * ldc + j] = j < p->n ? plain_sum(a, b, i, j, p->k) : 7.0f;
}

static void check_isa(const pdi_kernels *kern, const product *p, const operand *a, const operand *b,
                      const float *want, float *pack)
{
    int64_t ldc = p->n + p->gap, n = p->m * ldc - p->gap;
    size_t bytes = sizeof(float) * (size_t)n;
    fence f = fence_open(bytes);
    float *c = fence_floats(&f, n, (int)p->n);
    for (int64_t i = 0; i < n; i++) c[i] = 7.0f;
    kern->gemm(&(pdi_gemm){.m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .a = a->x,
                           .am = a->row,
                           .ak = a->term,
                           .b = b->x,
                           .bn = b->row,
                           .bk = b->term,
                           .c = c,
                           .ldc = ldc,
                           .pack = pack});
    if (memcmp(c, want, bytes) != 0)
        fail_msg("%s: %dx%dx%d, gap %d, operands %d and %d", kern->name, (int)p->m, (int)p->n,
                 (int)p->k, (int)p->gap, p->a, p->b);
    fence_close(&f);
}

static void check(const product *p, pdr_rng *r)
{
    operand a = operand_open(p->a, p->m, p->k, r), b = operand_open(p->b, p->n, p->k, r);
    float *want = calloc((size_t)(p->m * (p->n + p->gap)), sizeof *want);
    fence pack = fence_open(sizeof(float) * PDI_PACK);
    assert_non_null(want);
    want_fill(p, &a, &b, want);
    for (int i = 0; pdi_kernels_at(i); i++)
        check_isa(pdi_kernels_at(i), p, &a, &b, want, fence_floats(&pack, PDI_PACK, 0));
    free(want);
    fence_close(&pack);
    fence_close(&a.fence);
    fence_close(&b.fence);
}

/* Sizes about the edges of vectors and tiles, all ways to lie. */
static void small_products_are_the_plain_sum(void **state)
{
    static const int64_t size[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 12, 13, 14,
                                   15, 16, 17, 20, 24, 28, 29, 31, 32, 33, 40, 47, 65};
    pdr_rng r = {.seed = 1, .stream = PDR_STREAM_TEST};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        product p = {size[pdr_rng_below(&r, COUNT(size))],
                     size[pdr_rng_below(&r, COUNT(size))],
                     size[pdr_rng_below(&r, COUNT(size))],
                     0,
                     BY_ROWS,
                     BY_ROWS};
        p.gap = pdr_rng_below(&r, 2) ? 0 : (int64_t)pdr_rng_below(&r, 20);
        p.a = (lie)pdr_rng_below(&r, LIES);
        p.b = (lie)pdr_rng_below(&r, LIES);
        check(&p, &r);
    }
}

static void few_rows_or_columns_are_the_plain_sum(void **state)
{
    pdr_rng r = {.seed = 2, .stream = PDR_STREAM_TEST};
    (void)state;
    for (int m = 1; m <= 6; m++)
        for (int k = 5; k <= 140; k += 45)
            for (int way = 0; way < 8; way++) {
                lie a = way & 1 ? BY_TERMS : BY_ROWS, b = way & 2 ? BY_TERMS : BY_ROWS;
                int64_t many = 60 + (int64_t)pdr_rng_below(&r, 240);
                product p = way & 4 ? (product){m, many, k, 0, a, b}
                                    : (product){many, m, k, 0, a, b};
                check(&p, &r);
            }
}

/* Beyond a block of columns, of terms, of rows, and with strides that wear out sets. */
static void large_products_are_the_plain_sum(void **state)
{
    static const product all[] = {
        {3, 1030, 5, 0, BY_ROWS, BY_ROWS},     {30, 530, 7, 3, BY_ROWS, BY_ROWS},
        {30, 1100, 7, 0, BY_TERMS, BY_TERMS},  {5, 9, 1300, 0, BY_ROWS, BY_ROWS},
        {17, 33, 801, 0, BY_ROWS, BY_ROWS},    {17, 33, 401, 1, BY_TERMS, BY_TERMS},
        {260, 40, 3, 0, BY_ROWS, BY_TERMS},    {40, 512, 100, 0, BY_ROWS, BY_TERMS},
        {180, 530, 496, 0, BY_ROWS, BY_TERMS}, {1, 300, 900, 0, BY_ROWS, BY_ROWS},
        {2, 300, 300, 0, BY_ROWS, BY_TERMS},   {300, 2, 300, 2, BY_TERMS, BY_TERMS},
        {300, 1, 500, 0, BY_ROWS, BY_ROWS},    {300, 1, 500, 0, BY_TERMS, BY_ROWS},
        {29, 70, 300, 0, SPARSE, SPARSE},      {29, 70, 300, 0, BACKWARDS, BACKWARDS},
    };
    pdr_rng r = {.seed = 3, .stream = PDR_STREAM_TEST};
    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) check(&all[i], &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_products_are_the_plain_sum),
        cmocka_unit_test(few_rows_or_columns_are_the_plain_sum),
        cmocka_unit_test(large_products_are_the_plain_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
