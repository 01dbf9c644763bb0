/* perdure/alloc.h -- where memory comes from.
 *
 * One function pointer stands for malloc, realloc and free, so a program can
 * count, bound or refuse every byte the engine takes.  The torture tests use it
 * to make the n-th allocation fail, for every n.
 *
 *     void *limited(void *ctx, void *old, size_t size);
 *     pdr_alloc  a = {limited, &budget};
 *     pdr_graph *g = pdr_graph_new(&a);
 *
 * ERRORS    fn returns NULL when it cannot serve size > 0 and leaves old alone.
 *           Every caller in the library survives that.
 * OWNERSHIP An object keeps a pointer to the pdr_alloc it was made with, which
 *           must outlive it.
 * THREADS   fn is called from the thread that calls the library, never from
 *           worker threads: running a plan allocates nothing.
 */
#ifndef PERDURE_ALLOC_H
#define PERDURE_ALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* old NULL: allocate.  size 0: free old (which may be NULL) and return NULL.
 * Otherwise resize.  Results are aligned for any type. */
typedef struct pdr_alloc {
    void *(*fn)(void *ctx, void *old, size_t size);
    void *ctx;
} pdr_alloc;

#ifdef __cplusplus
}
#endif
#endif
