/* exec/exec.h -- a plan ready to run. */
#ifndef PDI_EXEC_EXEC_H
#define PDI_EXEC_EXEC_H

#include "base/pool.h"
#include "kern/kern.h"
#include "plan/plan.h"

/* What a step needs besides its operands' addresses, worked out once. */
typedef struct pdi_ready {
    int64_t total, least;   /* things that can be computed apart; at least so many a thread */
    int64_t rows;           /* the same for a chain: of a product always rows */
    pdi_axes kept, over;    /* sum */
    pdi_gemm gemm;          /* dot: sizes and strides of one product */
    pdi_gemm_runs runs;     /* dot, with runs */
    pdi_axes batch[2];      /* dot: of each operand */
    bool is_single;         /* dot: one product, divided by rows or columns */
    bool has_runs;          /* dot: an operand lies in runs */
    const pdi_chain *chain; /* that begins with the step; NULL: none */
} pdi_ready;

struct pdr_plan {
    const pdr_alloc *alloc;
    pdr_pool *pool;
    int threads;
    const pdi_kernels *kern;
    pdi_lowered low;
    pdi_ready *ready; /* a step each */
    float *arena;     /* 64-byte aligned, inside arena_block */
    float *scratch;   /* scratch_each floats a thread: strips or packing */
    float *local;     /* local_each floats a thread: values of the region's tasks under way */
    float *chain;     /* chain_each floats a thread: values of a chain's rows under way */
    void *arena_block, *scratch_block, *local_block, *chain_block;
    size_t scratch_each, local_each, chain_each;
    int64_t chunk, chunks; /* region: at most so many tasks together; so many times */
    bool fine, timed;
    uint64_t timed_runs;
    const void *const *in; /* of the run under way */
    void *const *out;
};

/* Which worker runs, and for a region which tasks of the batch: see exec/region.c. */
typedef struct pdi_part {
    pdr_plan *plan;
    int worker;
    int64_t lo, hi; /* tasks */
    float *local;   /* values that live in the region only */
    /* In a chain: values that live there only, for at most `chunk` rows from `row` on. */
    float *chain;
    int64_t row, chunk;
} pdi_part;

/* Where element 0 of a buffer lies during a run, for this part. */
float *pdi_exec_address(const pdi_part *part, int32_t buffer);

/* step.c: work out *d for a step; run a step, shared out on the pool; compute some of a
 * step's things on this thread. */
void pdi_exec_ready(const pdi_step *s, pdi_ready *d);
void pdi_exec_step(pdr_plan *p, int32_t step);
void pdi_exec_some(const pdi_part *part, int32_t step, int64_t lo, int64_t hi);
/* The same in rows, for a chain. */
void pdi_exec_some_rows(const pdi_part *part, int32_t step, int64_t lo, int64_t hi);
/* Among how many threads is it worth sharing out so many operations and things? */
int64_t pdi_exec_tasks(const pdr_plan *p, double flops, int64_t most);

/* plan.c: nanoseconds on a clock that never goes back. */
uint64_t pdi_exec_now(void);

/* region.c: how many tasks run together; needs p->low and p->threads. */
void pdi_exec_region_size(pdr_plan *p);

/* chain.c: memory that chains want of each thread; run a chain, rows spread over the pool;
 * run some of its rows on this thread. */
void pdi_exec_chain_size(pdr_plan *p);
void pdi_exec_chain(pdr_plan *p, const pdi_chain *c);
void pdi_exec_chain_some(const pdi_part *part, const pdi_chain *c, int64_t lo, int64_t hi);

/* region.c: run the plan's region, tasks spread over the pool. */
void pdi_exec_region(pdr_plan *p);

#endif
