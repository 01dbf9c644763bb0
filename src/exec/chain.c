/* exec/chain.c -- running a chain: a few rows at a time, all its steps in a row. */
#include "exec/exec.h"

/* Rows lo .. hi-1 on this thread. */
void pdi_exec_chain_some(const pdi_part *part, const pdi_chain *c, int64_t lo, int64_t hi)
{
    pdr_plan *p = part->plan;
    pdi_part some = *part;
    int64_t n = hi - lo, parts = (n + c->chunk - 1) / c->chunk;
    some.chain = p->chain + (size_t)part->worker * p->chain_each;
    some.chunk = c->chunk;
    for (int64_t i = 0; i < parts; i++) {
        int64_t from = lo + n * i / parts, to = lo + n * (i + 1) / parts;
        some.row = from;
        for (int32_t s = c->first; s < c->end; s++) {
            uint64_t start = p->timed ? pdi_exec_now() : 0;
            int64_t each = p->ready[s].rows / c->rows;
            pdi_exec_some_rows(&some, s, each * from, each * to);
            if (p->timed && part->worker == 0) p->low.step[s].ns += pdi_exec_now() - start;
        }
    }
}

typedef struct chain_run {
    pdr_plan *plan;
    const pdi_chain *chain;
    int64_t tasks;
} chain_run;

static void chain_task(void *ctx, int64_t task, int worker)
{
    const chain_run *r = ctx;
    const pdi_part part = {.plan = r->plan, .worker = worker};
    int64_t rows = r->chain->rows;
    pdi_exec_chain_some(&part, r->chain, rows * task / r->tasks, rows * (task + 1) / r->tasks);
}

void pdi_exec_chain(pdr_plan *p, const pdi_chain *c)
{
    chain_run r = {p, c, pdi_exec_tasks(p, c->flops, c->rows)};
    pdi_pool_run(p->pool, r.tasks, chain_task, &r);
}

/* A row takes what its values take, and each thread's memory what the largest chain's do. */
void pdi_exec_chain_size(pdr_plan *p)
{
    p->chain_each = 0;
    for (size_t i = 0; i < p->low.chains; i++) {
        size_t each = (size_t)(p->low.chain[i].local * p->low.chain[i].chunk);
        if (each > p->chain_each) p->chain_each = each;
    }
}
