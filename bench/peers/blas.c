/* bench/peers/blas.c -- OpenBLAS's sgemm, timed as bench/peers/run asks.
 *
 *     blas THREADS
 *
 * Answers a line of standard input with a line of standard output, as worker.py does:
 * "variants NAME" with names, "time NAME VARIANT SECONDS" with nanoseconds a run.
 * NAME is gemm/MxNxK or gemm/MxNxKxBATCH; a batch is sgemm called in a loop.  nt: y as
 * [n, k], like pdr_dot; nn: y as [k, n]. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct product {
    int m, n, k, batch;
    float *x, *y, *z;
} product;

static double blas_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *blas_numbers(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; x && i < n; i++) x[i] = (float)(i % 127) / 64 - 1;
    return x;
}

static int blas_open(product *p, const char *name)
{
    int read = sscanf(name, "gemm/%dx%dx%dx%d", &p->m, &p->n, &p->k, &p->batch);
    if (read == 3) p->batch = 1;
    if (read < 3) return 0;
    p->x = blas_numbers((size_t)p->batch * (size_t)p->m * (size_t)p->k);
    p->y = blas_numbers((size_t)p->batch * (size_t)p->n * (size_t)p->k);
    p->z = blas_numbers((size_t)p->batch * (size_t)p->m * (size_t)p->n);
    return p->x && p->y && p->z;
}

static void blas_close(product *p)
{
    free(p->x);
    free(p->y);
    free(p->z);
}

static void blas_run(const product *p, int is_nn)
{
    for (int b = 0; b < p->batch; b++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, is_nn ? CblasNoTrans : CblasTrans, p->m, p->n,
                    p->k, 1, p->x + (ptrdiff_t)b * p->m * p->k, p->k,
                    p->y + (ptrdiff_t)b * p->n * p->k, is_nn ? p->n : p->k, 0,
                    p->z + (ptrdiff_t)b * p->m * p->n, p->n);
}

/* Nanoseconds a run, over at least that many seconds after a warm-up. */
static double blas_time(const product *p, int is_nn, double seconds)
{
    long n = 1;
    for (;;) {
        double start = blas_seconds();
        for (long i = 0; i < n; i++) blas_run(p, is_nn);
        double took = blas_seconds() - start;
        if (took >= seconds) return 1e9 * took / (double)n;
        n = took > seconds / 50 ? (long)((double)n * seconds / took * 1.2) + 1 : n * 8;
    }
}

static void blas_answer(const char *line)
{
    char name[64], variant[16];
    double seconds;
    product p = {0};
    if (sscanf(line, "time %63s %15s %lf", name, variant, &seconds) == 3 && blas_open(&p, name))
        printf("%.6g\n", blas_time(&p, !strcmp(variant, "nn"), seconds));
    else if (sscanf(line, "variants %63s", name) == 1)
        printf("%s\n", strncmp(name, "gemm/", 5) ? "" : "nt nn");
    else
        printf("failed: not understood\n");
    fflush(stdout);
    blas_close(&p);
}

int main(int argc, char **argv)
{
    char line[256];
    openblas_set_num_threads(argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1);
    printf("OpenBLAS, kernels %s\n", openblas_get_corename());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) blas_answer(line);
    return 0;
}
