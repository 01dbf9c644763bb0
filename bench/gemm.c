/* bench/gemm.c -- our matrix products beside OpenBLAS's, one thread, in one process.
 *
 *     bench-gemm [WORD]     the rows whose text has WORD in it
 *
 * A row is timed in short samples, ours and theirs in turn, so that both see the same clock
 * frequency and the same neighbours; time that others ran on this core does not count.  What
 * is printed is the median of each and the median of the ratios of neighbouring samples.
 * Peak is the rate of multiply-adds that touch no memory, sampled along with them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kern/kern.h"

#if defined(HAVE_OPENBLAS)
#include <cblas.h>
#include <openblas_config.h>
#endif

/* c[m,n] = a b for `batch` products of their own data.  a_by: 'r' when a is [M,K], 'c' when
 * it is [K,M]; b_by: 'r' when b is [N,K], 'c' when it is [K,N]. */
typedef struct gemm_row {
    int m, n, k;
    char a_by, b_by;
    int batch;
} gemm_row;

static const gemm_row gemm_table[] = {
    {256, 256, 256, 'r', 'r', 1},    {256, 256, 256, 'r', 'c', 1}, {1024, 1024, 1024, 'r', 'r', 1},
    {1024, 1024, 1024, 'r', 'c', 1}, {128, 400, 400, 'r', 'r', 1}, {128, 400, 400, 'r', 'c', 1},
    {64, 256, 784, 'r', 'r', 1},     {64, 256, 784, 'r', 'c', 1},  {3136, 64, 576, 'r', 'r', 1},
    {3136, 64, 576, 'r', 'c', 1},    {10, 40, 40, 'r', 'r', 25},   {10, 40, 40, 'r', 'c', 25},
    {25, 40, 40, 'r', 'r', 25},      {25, 40, 40, 'r', 'c', 25},   {40, 40, 10, 'c', 'c', 25},
    {10, 40, 1, 'r', 'r', 25},       {10, 1, 40, 'r', 'r', 25},    {10, 40, 1, 'c', 'c', 25},
    {40, 1, 10, 'c', 'c', 25},       {1, 400, 784, 'r', 'r', 1},   {1, 400, 784, 'r', 'c', 1},
    {1, 400, 400, 'r', 'r', 1},      {1, 400, 400, 'r', 'c', 1},   {1, 10, 400, 'r', 'r', 1},
    {1, 10, 400, 'r', 'c', 1},       {10, 400, 784, 'r', 'r', 1},  {10, 400, 784, 'r', 'c', 1},
    {10, 400, 400, 'r', 'r', 1},     {10, 400, 400, 'r', 'c', 1},  {10, 10, 400, 'r', 'r', 1},
    {10, 10, 400, 'r', 'c', 1},      {10, 400, 10, 'r', 'r', 1},   {784, 400, 1, 'c', 'c', 1},
    {784, 400, 10, 'c', 'c', 1},     {400, 10, 10, 'c', 'c', 1},   {128, 400, 784, 'r', 'r', 1},
    {128, 400, 784, 'r', 'c', 1},    {128, 10, 400, 'r', 'r', 1},  {128, 10, 400, 'r', 'c', 1},
    {128, 400, 10, 'r', 'r', 1},     {128, 400, 10, 'r', 'c', 1},  {400, 784, 128, 'c', 'c', 1},
    {784, 400, 128, 'c', 'c', 1},    {400, 10, 128, 'c', 'c', 1},  {10, 400, 128, 'c', 'c', 1},
};

typedef struct gemm_data {
    float *a, *b, *c, *pack;
    const pdi_kernels *kern;
} gemm_data;

enum { GEMM_FLOATS = 1 << 23, GEMM_SAMPLES = 101 };

static double gemm_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void gemm_ours(const gemm_data *d, const gemm_row *r)
{
    pdi_gemm g = {.m = r->m,
                  .n = r->n,
                  .k = r->k,
                  .a = d->a,
                  .am = r->a_by == 'r' ? r->k : 1,
                  .ak = r->a_by == 'r' ? 1 : r->m,
                  .b = d->b,
                  .bn = r->b_by == 'r' ? r->k : 1,
                  .bk = r->b_by == 'r' ? 1 : r->n,
                  .c = d->c,
                  .ldc = r->n,
                  .pack = d->pack};
    for (int i = 0; i < r->batch; i++) {
        d->kern->gemm(&g);
        g.a += r->m * r->k;
        g.b += r->n * r->k;
        g.c += r->m * r->n;
    }
}

static void gemm_theirs(const gemm_data *d, const gemm_row *r)
{
#if defined(HAVE_OPENBLAS)
    for (int i = 0; i < r->batch; i++)
        cblas_sgemm(CblasRowMajor, r->a_by == 'r' ? CblasNoTrans : CblasTrans,
                    r->b_by == 'r' ? CblasTrans : CblasNoTrans, r->m, r->n, r->k, 1,
                    d->a + i * r->m * r->k, r->a_by == 'r' ? r->k : r->m, d->b + i * r->n * r->k,
                    r->b_by == 'r' ? r->k : r->n, 0, d->c + i * r->m * r->n, r->n);
#else
    (void)d;
    (void)r;
#endif
}

static double gemm_seconds(const gemm_data *d, const gemm_row *r, int times,
                           void (*run)(const gemm_data *, const gemm_row *))
{
    double start = gemm_now();
    for (int i = 0; i < times; i++) run(d, r);
    return (gemm_now() - start) / times;
}

static double gemm_peak(const gemm_data *d)
{
    float x[16] = {0};
    double start = gemm_now(), flops = d->kern->peak(20000, x);
    return flops / (gemm_now() - start);
}

static int gemm_order(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double gemm_median(double *x)
{
    qsort(x, GEMM_SAMPLES, sizeof *x, gemm_order);
    return x[GEMM_SAMPLES / 2];
}

static void gemm_print(const gemm_data *d, const gemm_row *r, const char *name)
{
    static double ours[GEMM_SAMPLES], theirs[GEMM_SAMPLES], ratio[GEMM_SAMPLES], peak[GEMM_SAMPLES];
    double flops = 2.0 * r->m * r->n * r->k * r->batch;
    int times = 1 + (int)(2e7 / flops);
    gemm_ours(d, r);
    gemm_theirs(d, r);
    if (times > 500) times = 500;
    for (int s = 0; s < GEMM_SAMPLES; s++) {
        ours[s] = gemm_seconds(d, r, times, gemm_ours);
        theirs[s] = gemm_seconds(d, r, times, gemm_theirs);
        ratio[s] = theirs[s] / ours[s];
        peak[s] = gemm_peak(d);
    }
    double o = gemm_median(ours), t = gemm_median(theirs), p = gemm_median(peak);
    printf("%-26s %10.2f us %7.1f Gflop/s %3.0f%% of peak %8.2f us %7.1f Gflop/s   ratio %.2f\n",
           name, 1e6 * o, 1e-9 * flops / o, 100 * flops / o / p, 1e6 * t, 1e-9 * flops / t,
           gemm_median(ratio));
    fflush(stdout);
}

/* OpenBLAS falls back to its oldest kernels on a processor younger than itself.  Its best
 * ones are named in the environment, which it reads before main: start again with that. */
static void gemm_openblas(char **argv)
{
#if defined(HAVE_OPENBLAS)
    openblas_set_num_threads(1);
    if (!getenv("OPENBLAS_CORETYPE") && !strcmp(openblas_get_corename(), "Prescott")) {
        bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
        setenv("OPENBLAS_CORETYPE", wide ? "SkylakeX" : "Haswell", 1);
        execv("/proc/self/exe", argv);
    }
    printf("%s\n", openblas_get_config());
#else
    (void)argv;
    printf("OpenBLAS was not found: its columns mean nothing\n");
#endif
}

static void gemm_name(const gemm_row *r, char *to, size_t room)
{
    int n = snprintf(to, room, "%dx%dx%d %s %s", r->m, r->n, r->k,
                     r->a_by == 'r' ? "[M,K]" : "[K,M]", r->b_by == 'r' ? "[N,K]" : "[K,N]");
    if (r->batch > 1) snprintf(to + n, room - (size_t)n, " x%d", r->batch);
}

static bool gemm_open(gemm_data *d)
{
    float **all[] = {&d->a, &d->b, &d->c, &d->pack};
    *d = (gemm_data){.kern = pdi_kernels_here()};
    for (int i = 0; i < 4; i++) {
        float *x = *all[i] = aligned_alloc(64, sizeof(float) * GEMM_FLOATS);
        if (!x) return false;
        for (int j = 0; j < GEMM_FLOATS; j++) x[j] = (float)(j % 17) * 0.1f;
    }
    return true;
}

int main(int argc, char **argv)
{
    gemm_data d;
    gemm_openblas(argv);
    if (!gemm_open(&d)) return 1;
    printf("kernels %s\n", d.kern->name);
    for (size_t i = 0; i < sizeof gemm_table / sizeof *gemm_table; i++) {
        char name[64];
        gemm_name(&gemm_table[i], name, sizeof name);
        if (argc < 2 || strstr(name, argv[1])) gemm_print(&d, &gemm_table[i], name);
    }
    return 0;
}
