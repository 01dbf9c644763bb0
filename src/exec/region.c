/* exec/region.c -- running a plan's region: a few tasks at a time, all steps in a row. */
#include "exec/exec.h"

/* Local values of the tasks that run together should stay in the second-level cache. */
enum { REGION_BYTES = 384 * 1024 };

void pdi_exec_region_size(pdr_plan *p)
{
    const pdi_lowered *l = &p->low;
    int64_t each = l->local * 4, most = each ? REGION_BYTES / each : l->tasks;
    int64_t share = (l->tasks + p->threads - 1) / p->threads;
    if (most > share) most = share;
    if (most < 1 || p->fine) most = 1;
    p->chunk = most;
    p->chunks = (l->tasks + most - 1) / most;
}

static void region_task(void *ctx, int64_t task, int worker)
{
    pdr_plan *p = ctx;
    const pdi_lowered *l = &p->low;
    pdi_part part = {.plan = p, .worker = worker};
    part.lo = l->tasks * task / p->chunks;
    part.hi = l->tasks * (task + 1) / p->chunks;
    part.local = p->local + (size_t)worker * p->local_each;
    for (int32_t s = l->region_first; s < l->region_end; s++) {
        const pdi_chain *c = p->ready[s].chain;
        int64_t each = (c ? c->rows : p->ready[s].total) / l->tasks;
        if (c) {
            pdi_exec_chain_some(&part, c, each * part.lo, each * part.hi);
            s = c->end - 1;
            continue;
        }
        uint64_t start = p->timed ? pdi_exec_now() : 0;
        pdi_exec_some(&part, s, each * part.lo, each * part.hi);
        if (p->timed) p->low.step[s].ns += pdi_exec_now() - start;
    }
}

/* Timed runs stay on this thread, so that each step's time can be told. */
void pdi_exec_region(pdr_plan *p)
{
    for (int64_t t = 0; p->timed && t < p->chunks; t++) region_task(p, t, 0);
    if (!p->timed) pdi_pool_run(p->pool, p->chunks, region_task, p);
}
