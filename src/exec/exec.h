/* exec/exec.h -- a plan ready to run. */
#ifndef PDI_EXEC_EXEC_H
#define PDI_EXEC_EXEC_H

#include "base/pool.h"
#include "kern/kern.h"
#include "plan/plan.h"

struct pdr_plan {
    const pdr_alloc *alloc;
    pdr_pool *pool;
    int threads;
    const pdi_kernels *kern;
    pdi_lowered low;
    float *arena;   /* 64-byte aligned, inside arena_block */
    float *scratch; /* scratch_each floats a thread: strips or packing */
    void *arena_block, *scratch_block;
    size_t scratch_each;
    bool timed;
    uint64_t timed_runs;
    const void *const *in; /* of the run under way */
    void *const *out;
};

/* Run step s of the plan: exec/step.c. */
void pdi_exec_step(pdr_plan *p, const pdi_step *s);

/* Where element 0 of a buffer lies during a run. */
float *pdi_exec_address(const pdr_plan *p, int32_t buffer);

#endif
