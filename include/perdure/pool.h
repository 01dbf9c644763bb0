/* perdure/pool.h -- the threads that plans run on.
 *
 *     pdr_pool *pool = pdr_pool_new(NULL, 2);
 *     pdr_pool_free(pool);
 *
 * The number of threads never changes a result: work is divided over outputs,
 * never inside a sum.  The calling thread works too, so one thread means none
 * beside the caller.  Idle threads sleep.
 *
 * ERRORS    NULL when memory or threads are refused.
 * OWNERSHIP A pool outlives the plans made with it.
 * THREADS   One thread at a time may run plans on a pool.
 */
#ifndef PERDURE_POOL_H
#define PERDURE_POOL_H

#include <perdure/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_pool pdr_pool;

#define PDR_MAX_THREADS 256

/* threads: 1 to PDR_MAX_THREADS, or 0 for as many as there are processors. */
pdr_pool *pdr_pool_new(const pdr_alloc *alloc, int threads);
void pdr_pool_free(pdr_pool *pool);
int pdr_pool_threads(const pdr_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
