/* op_run.c -- running a plan where every wrong write shows. */
#include "op_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "plan_check.h"

/* Bytes of guard on either side; not a multiple of a vector, so that nothing but the
 * four bytes of an element is aligned. */
enum { RUN_GUARD = 68, RUN_FILL = 0x5C };

/* A quiet NaN with a payload that no arithmetic makes. */
static const uint32_t run_poison = 0x7FD0DEAD;

static char run_said[PDR_ERROR_MAX];

typedef struct run_array {
    unsigned char *block;
    size_t bytes;
} run_array;

static int64_t run_size(const pdr_graph *g, pdr_node x)
{
    pdr_shape s = pdr_node_shape(g, x);
    return pdr_shape_size(&s);
}

static void *run_data(const run_array *a) { return a->block + RUN_GUARD; }

static run_array run_new(int64_t elements)
{
    run_array a = {.bytes = (size_t)elements * 4};
    a.block = malloc(a.bytes + 2 * RUN_GUARD);
    memset(a.block, RUN_FILL, RUN_GUARD);
    memset(a.block + RUN_GUARD + a.bytes, RUN_FILL, RUN_GUARD);
    for (size_t i = 0; i < a.bytes; i += 4) memcpy(a.block + RUN_GUARD + i, &run_poison, 4);
    return a;
}

static bool run_guarded(const run_array *a)
{
    for (size_t i = 0; i < RUN_GUARD; i++)
        if (a->block[i] != RUN_FILL || a->block[RUN_GUARD + a->bytes + i] != RUN_FILL) return false;
    return true;
}

static void run_set(const op_job *job, size_t i, void *to)
{
    bool whole = pdr_node_type(job->g, job->in[i]) == PDR_I32;
    for (int64_t e = 0, n = run_size(job->g, job->in[i]); e < n; e++) {
        float real = (float)job->value[i][e];
        int32_t integer = whole ? (int32_t)job->value[i][e] : 0;
        memcpy((unsigned char *)to + 4 * e, whole ? (void *)&integer : (void *)&real, 4);
    }
}

/* ---- one job ------------------------------------------------------------------ */

typedef struct run_bench {
    const op_job *job;
    pdr_plan *plan;
    run_array in[OP_JOB_MOST], was[OP_JOB_MOST], out[OP_JOB_MOST];
    const void *in_at[OP_JOB_MOST];
    void *out_at[OP_JOB_MOST];
} run_bench;

static bool run_shares(const op_job *job, size_t j)
{
    return job->over && !job->apart && job->over[j] >= 0;
}

static void run_set_up(run_bench *b)
{
    const op_job *job = b->job;
    for (size_t i = 0; i < job->n_in; i++) {
        b->in[i] = run_new(run_size(job->g, job->in[i]));
        b->was[i] = run_new(run_size(job->g, job->in[i]));
        run_set(job, i, run_data(&b->in[i]));
        run_set(job, i, run_data(&b->was[i]));
        b->in_at[i] = run_data(&b->in[i]);
    }
    for (size_t j = 0; j < job->n_out; j++) {
        b->out[j] = run_new(run_size(job->g, job->out[j]));
        b->out_at[j] = run_shares(job, j) ? run_data(&b->in[job->over[j]]) : run_data(&b->out[j]);
    }
}

static void run_clear(run_bench *b)
{
    for (size_t i = 0; i < b->job->n_in; i++) {
        free(b->in[i].block);
        free(b->was[i].block);
    }
    for (size_t j = 0; j < b->job->n_out; j++) free(b->out[j].block);
    pdr_plan_free(b->plan);
}

static void run_poison_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) memcpy(&x[i], &run_poison, 4);
}

static void run_once(run_bench *b)
{
    pdr_plan *p = b->plan;
    run_poison_all(p->arena, (size_t)p->low.arena);
    run_poison_all(p->local, p->local_each * (size_t)p->threads);
    for (size_t t = 0; t < (size_t)p->threads; t++) /* the strips of loops */
        run_poison_all(p->scratch + t * p->scratch_each, (size_t)p->low.slots * PDI_STRIP);
    pdr_plan_run(b->plan, b->in_at, b->out_at);
}

static bool run_replaced(const run_bench *b, size_t i)
{
    for (size_t j = 0; j < b->job->n_out; j++)
        if (run_shares(b->job, j) && b->job->over[j] == (int32_t)i) return true;
    return false;
}

static const char *run_harm(const run_bench *b)
{
    for (size_t i = 0; i < b->job->n_in; i++) {
        bool same = !memcmp(run_data(&b->in[i]), run_data(&b->was[i]), b->in[i].bytes);
        if (!run_guarded(&b->in[i])) return "bytes beside an input were written";
        if (!same && !run_replaced(b, i)) return "an input was changed";
    }
    for (size_t j = 0; j < b->job->n_out; j++)
        if (!run_guarded(&b->out[j])) return "bytes beside an output were written";
    return NULL;
}

static const char *run_twice(run_bench *b, float *result[])
{
    const op_job *job = b->job;
    bool shared = false;
    run_once(b);
    for (size_t j = 0; j < job->n_out; j++) {
        result[j] = malloc(b->out[j].bytes);
        memcpy(result[j], b->out_at[j], b->out[j].bytes);
        shared = shared || run_shares(job, j);
    }
    const char *harm = run_harm(b);
    if (harm || shared || job->once) return harm;
    run_once(b);
    for (size_t j = 0; j < job->n_out; j++)
        if (memcmp(result[j], b->out_at[j], b->out[j].bytes) != 0)
            return "a second run gives other bits";
    return run_harm(b);
}

/* Make the executor believe that every step is worth sharing, to the last element. */
static void run_share_all(pdr_plan *p)
{
    for (size_t s = 0; s < p->low.steps; s++) {
        p->low.step[s].flops += 1e9;
        p->ready[s].least = 1;
    }
}

const char *op_run(const op_job *job, float *result[])
{
    run_bench b = {.job = job};
    pdr_error err = PDR_NO_ERROR;
    memset(result, 0, sizeof *result * job->n_out);
    if (pdr_plan_new(job->g, job->pool, job->n_in, job->in, job->n_out, job->out, job->over,
                     &b.plan, &err)) {
        snprintf(run_said, sizeof run_said, "%.500s", err.text);
        return run_said;
    }
    run_set_up(&b);
    if (job->eager) run_share_all(b.plan);
    const char *harm = plan_broken(b.plan);
    if (!harm) harm = run_twice(&b, result);
    run_clear(&b);
    if (harm) op_free(job->n_out, result);
    return harm;
}

const char *op_run_with(const char *name, const char *value, const op_job *job, float *result[])
{
    const char *before = getenv(name);
    char *kept = before ? strdup(before) : NULL;
    setenv(name, value, 1);
    const char *harm = op_run(job, result);
    if (kept)
        setenv(name, kept, 1);
    else
        unsetenv(name);
    free(kept);
    return harm;
}

void op_free(size_t n, float *result[])
{
    for (size_t j = 0; j < n; j++) {
        free(result[j]);
        result[j] = NULL;
    }
}

int op_differ(const op_job *job, float *const a[], float *const b[], int64_t *at)
{
    for (size_t j = 0; j < job->n_out; j++)
        for (int64_t e = 0, n = run_size(job->g, job->out[j]); e < n; e++)
            if (memcmp(&a[j][e], &b[j][e], 4) != 0) {
                *at = e;
                return (int)j;
            }
    return -1;
}
