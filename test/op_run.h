/* op_run.h -- running a plan where every wrong write shows. */
#ifndef OP_RUN_H
#define OP_RUN_H

#include <perdure/plan.h>

/* The most inputs and outputs of a job. */
enum { OP_JOB_MOST = 32 };

typedef struct op_job {
    const pdr_graph *g;
    pdr_pool *pool;
    size_t n_in, n_out;
    const pdr_node *in, *out;
    double *const *value; /* of the inputs; integers as exact doubles */
    const int32_t *over;  /* as for pdr_plan_new(), or NULL */
    bool apart;           /* with over: give memory of its own all the same */
    bool once;            /* do not run a second time */
    bool eager;           /* share every step among the threads, however small it is */
} op_job;

/* Plan and run; result[j] receives output j, for the caller to free().  Inputs and
 * outputs lie between guards, off any alignment but their own; the arena and the
 * outputs are filled with NaN before; without shared memory the plan runs twice.
 * NULL, or what went wrong: one line, valid until the next call. */
const char *op_run(const op_job *job, float *result[]);

/* op_run() with an environment variable set for as long as it lasts. */
const char *op_run_with(const char *name, const char *value, const op_job *job, float *result[]);

void op_free(size_t n, float *result[]);

/* n arrays of the outputs' sizes, equal bit for bit?  -1, or the number of the first
 * output that differs, with the element in *at. */
int op_differ(const op_job *job, float *const a[], float *const b[], int64_t *at);

#endif
