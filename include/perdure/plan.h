/* perdure/plan.h -- from a graph to something that runs.
 *
 * A plan is made once for a set of inputs and outputs and run many times.  It
 * fuses scalar maps into loops, reads through permutations and broadcasts
 * instead of copying, and places every intermediate value in one arena whose
 * size is known before the first run.
 *
 *     pdr_pool  *pool = pdr_pool_new(NULL, 0);
 *     pdr_plan  *plan = NULL;
 *     pdr_error  err  = PDR_NO_ERROR;
 *     if (pdr_plan_new(g, pool, 1, &x, 1, &y, NULL, &plan, &err) == PDR_OK)
 *         pdr_plan_run(plan, (const void *[]){in}, (void *[]){out});
 *     pdr_plan_free(plan);
 *     pdr_pool_free(pool);
 *
 * Running computes in f32.  The result depends on the graph and the inputs
 * alone: the same bits for any number of threads, on any instruction set.
 *
 * With PERDURE_PLAN=plain in the environment a plan does none of that (each operator is
 * a step, each view a copy, each output copied at the end), and with PERDURE_PLAN=fine it
 * goes through rows and tasks one by one: the same bits, for tests.
 *
 * ERRORS    pdr_plan_new() refuses a graph that has an error, null nodes, an input
 *           that is needed and not listed, outputs that cannot replace the input
 *           they are to, and an arena larger than memory gives.  Running cannot
 *           fail.
 * OWNERSHIP A plan borrows its pool and nothing else: the graph may be freed.
 *           Its memory comes from the graph's allocator.
 * THREADS   One thread at a time runs a plan; different plans on different
 *           pools may run at once.
 */
#ifndef PERDURE_PLAN_H
#define PERDURE_PLAN_H

#include <perdure/graph.h>
#include <perdure/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_plan pdr_plan;

/* Plan to compute out[] from in[], which are inputs of g.
 *
 * over, which may be NULL, says which outputs replace an input: over[j] = i
 * allows the memory given for output j to be that of input i (a parameter
 * updated in place), which has as many elements and is replaced by no other
 * output; -1 for none.  All other memory must be distinct. */
pdr_rc pdr_plan_new(const pdr_graph *g, pdr_pool *pool, size_t n_in, const pdr_node in[],
                    size_t n_out, const pdr_node out[], const int32_t over[], pdr_plan **plan,
                    pdr_error *err);
void pdr_plan_free(pdr_plan *plan);

/* Run once.  in[i] and out[j] point to dense arrays (float or int32_t) of the
 * nodes' sizes. */
void pdr_plan_run(pdr_plan *plan, const void *const in[], void *const out[]);

typedef struct pdr_plan_stats {
    size_t steps;        /* loops and kernels a run */
    size_t arena_bytes;  /* intermediate values, placed */
    size_t values_bytes; /* the same without sharing memory */
    double flops;        /* multiply-adds count two */
} pdr_plan_stats;

pdr_plan_stats pdr_plan_measure(const pdr_plan *plan);

/* From now on note how long each step takes (on), or stop; what was noted is forgotten. */
void pdr_plan_time(pdr_plan *plan, bool on);

/* A table a person can read, a line a step: kernel, shape, operations, place.
 * After timed runs it also says what share of the time each step took.  The caller frees
 * it through the graph's allocator.  NULL when out of memory. */
char *pdr_plan_print(const pdr_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
