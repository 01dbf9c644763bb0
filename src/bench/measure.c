/* bench/measure.c -- how long a workload takes, beside what the machine can do at best.
 *
 * A figure is the median over blocks of equally many runs: a block that another program
 * disturbed does not count, and no lucky one does.  The peak is the best block, since
 * nothing can make a machine faster than it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/pool.h"
#include "bench/bench.h"
#include "kern/kern.h"

enum { MEASURE_BLOCKS = 7 };

static double measure_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double measure_seconds(void) { return measure_clock(CLOCK_MONOTONIC); }

static int measure_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the peak -------------------------------------------------------------------------- */

typedef struct measure_peak {
    const pdi_kernels *kern;
    int64_t rounds;
    double rate[PDR_MAX_THREADS];
    float sink[PDR_MAX_THREADS]; /* so that no compiler leaves the loop out */
} measure_peak;

/* Gflop/s by the thread's own time: what other programs take from it does not count. */
static void measure_peak_task(void *ctx, int64_t task, int worker)
{
    measure_peak *p = ctx;
    (void)worker;
    double start = measure_clock(CLOCK_THREAD_CPUTIME_ID);
    double flops = p->kern->peak(p->rounds, &p->sink[task]);
    double took = measure_clock(CLOCK_THREAD_CPUTIME_ID) - start;
    p->rate[task] = took > 0 ? 1e-9 * flops / took : 0;
}

static double measure_peak_block(pdr_pool *pool, measure_peak *p)
{
    double sum = 0;
    pdi_pool_run(pool, pdr_pool_threads(pool), measure_peak_task, p);
    for (int i = 0; i < pdr_pool_threads(pool); i++) sum += p->rate[i];
    return sum;
}

double pdi_bench_peak(pdr_pool *pool, double seconds)
{
    measure_peak p = {.kern = pdi_kernels_here(), .rounds = 1000};
    double best = 0, start = measure_seconds(), took = 0;
    for (; took < 0.002; took = measure_seconds() - start) { /* so short that some go undisturbed */
        p.rounds *= 2;
        start = measure_seconds();
        measure_peak_block(pool, &p);
    }
    for (start = measure_seconds(); measure_seconds() - start < seconds;)
        best = fmax(best, measure_peak_block(pool, &p));
    return best;
}

/* ---- a row ------------------------------------------------------------------------------- */

/* What is run again and again. */
typedef struct measure_run {
    const pdi_bench_row *row;
    const pdr_alloc *alloc;
    pdr_pool *pool;
    pdi_work *work;
    pdr_plan *plan;
    pdr_error *err;
} measure_run;

static pdr_rc measure_build(const measure_run *m, pdi_work *w, pdr_plan **plan)
{
    *plan = NULL;
    if (!pdi_work_open(w, m->alloc)) return pdi_nomem(m->err);
    m->row->build(w, m->row->dim);
    return pdi_work_plan(w, m->pool, plan, m->err);
}

/* n runs: steps of the work, or buildings of it. */
static pdr_rc measure_runs(const measure_run *m, int64_t n)
{
    pdr_rc rc = PDR_OK;
    if (m->row->steps) {
        pdi_work_run(m->work, m->plan, n);
        return PDR_OK;
    }
    for (int64_t i = 0; !rc && i < n; i++) {
        pdi_work *w = pdi_new(m->alloc, 1, sizeof *w);
        pdr_plan *plan = NULL;
        rc = w ? measure_build(m, w, &plan) : pdi_nomem(m->err);
        pdr_plan_free(plan);
        if (w) pdi_work_close(w);
        pdi_free(m->alloc, w);
    }
    return rc;
}

/* Seconds that a block of n runs from the start takes. */
static pdr_rc measure_block(const measure_run *m, int64_t n, double *took)
{
    pdi_work_restart(m->work);
    double start = measure_seconds();
    pdr_rc rc = measure_runs(m, n);
    *took = measure_seconds() - start;
    return rc;
}

static pdr_rc measure_time(const measure_run *m, double seconds, double *ns)
{
    double each[MEASURE_BLOCKS], took = 0, block = seconds / (MEASURE_BLOCKS + 1);
    int64_t n = 1;
    pdr_rc rc = measure_block(m, n, &took);
    while (!rc && took < block / 2) { /* warm-up: until a block is long enough */
        n = took > 0 && block / took < 8 ? (int64_t)((double)n * block / took) : n * 4;
        rc = measure_block(m, n, &took);
    }
    for (int i = 0; !rc && i < MEASURE_BLOCKS; i++) {
        rc = measure_block(m, n, &took);
        each[i] = took / (double)n;
    }
    if (rc) return rc;
    qsort(each, MEASURE_BLOCKS, sizeof each[0], measure_order);
    *ns = 1e9 * each[MEASURE_BLOCKS / 2];
    return PDR_OK;
}

/* Of what a fixed number of steps made; of the graph where building is what is timed. */
static pdr_rc measure_hash(const measure_run *m, uint64_t *hash)
{
    if (m->row->steps) {
        pdi_work_run(m->work, m->plan, m->row->steps);
        *hash = pdi_work_hash(m->work);
        return PDR_OK;
    }
    char *text = pdr_graph_print(m->work->g);
    if (!text) return pdi_nomem(m->err);
    *hash = pdi_hash(0, text, strlen(text));
    pdi_free(m->alloc, text);
    return PDR_OK;
}

static void measure_rates(const pdi_work *w, bool is_run, double peak, pdi_bench_result *out)
{
    out->gbytes_s = is_run ? pdi_work_bytes(w) / out->ns : NAN;
    out->gflops = is_run && w->flops > 0 ? w->flops / out->ns : NAN;
    out->fraction = out->gflops / peak;
}

pdr_rc pdi_bench_measure(const pdr_alloc *alloc, const pdi_bench_row *row, pdr_pool *pool,
                         double seconds, double peak, pdi_bench_result *out, pdr_error *err)
{
    measure_run m = {.row = row, .alloc = pdi_alloc_or_default(alloc), .pool = pool, .err = err};
    *out = (pdi_bench_result){.name = row->name, .shape = row->shape};
    out->threads = pdr_pool_threads(pool);
    m.work = pdi_new(m.alloc, 1, sizeof *m.work);
    if (!m.work) return pdi_nomem(err);
    pdr_rc rc = measure_build(&m, m.work, &m.plan);
    if (!rc && row->steps && !pdi_work_place(m.work)) rc = pdi_nomem(err);
    if (!rc) rc = measure_hash(&m, &out->hash);
    if (!rc) rc = measure_time(&m, seconds, &out->ns);
    if (!rc) measure_rates(m.work, row->steps > 0, peak, out);
    pdr_plan_free(m.plan);
    pdi_work_close(m.work);
    pdi_free(m.alloc, m.work);
    return rc;
}
