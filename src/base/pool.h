/* base/pool.h -- running tasks on a pool. */
#ifndef PDI_BASE_POOL_H
#define PDI_BASE_POOL_H

#include <perdure/pool.h>
#include <stdint.h>

enum { PDI_POOL_MAX_TASKS = (1 << 20) - 1 };

/* Call fn(ctx, task, worker) for every task in 0 .. tasks-1, on any threads in
 * any order, and return when all are done.  worker is 0 .. threads-1 and no two
 * calls with the same worker overlap, so it can index scratch memory. */
typedef void (*pdi_task_fn)(void *ctx, int64_t task, int worker);
void pdi_pool_run(pdr_pool *pool, int64_t tasks, pdi_task_fn fn, void *ctx);

#endif
