/* base/pool.c -- a fixed set of threads that share out numbered tasks.
 *
 * One 64-bit word publishes a job: {generation:24, tasks:20, next:20}.  A thread
 * claims a task by advancing `next` with compare-and-swap.  Because the claim
 * names the generation, a thread that wakes late can never touch a finished
 * job, so nobody has to wait for sleepers to check in.  Invariants:
 *   1. fn and ctx are written before the word is published and stay until
 *      every task of that generation is done.
 *   2. A job ends when `done` reaches its number of tasks; only then may the
 *      next one be published. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"

enum { POOL_BITS = 20, POOL_MASK = (1 << POOL_BITS) - 1 };

/* How often an idle thread looks for work before it sleeps: about 20 us, longer
 * than the pause between two steps of a plan. */
enum { POOL_SPIN = 4000 };

/* How often it looks whether those before it have begun: about 2 us. */
enum { POOL_QUEUE = 50 };

typedef struct pool_worker {
    pdr_pool *pool;
    pthread_t thread;
    int index;
} pool_worker;

struct pdr_pool {
    const pdr_alloc *alloc;
    int threads, started, spin;
    pool_worker *worker;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_int sleepers;
    atomic_bool stop;
    _Atomic uint64_t word;
    _Atomic int64_t done;
    pdi_task_fn fn;
    void *ctx;
};

static inline void pool_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t pool_generation(uint64_t word) { return word >> 2 * POOL_BITS; }

/* Leave the tasks before it to the threads before it, for a while: where there is one for each,
 * task t is then thread t's, and finds in its cache what it left there. */
static uint64_t pool_queue(const pdr_pool *p, uint64_t word, int worker)
{
    uint64_t generation = pool_generation(word);
    bool one_each = (word >> POOL_BITS & POOL_MASK) <= (uint64_t)p->threads;
    for (int i = 0; one_each && p->spin && i < POOL_QUEUE; i++) {
        if (pool_generation(word) != generation || (word & POOL_MASK) >= (uint64_t)worker) break;
        pool_pause();
        word = atomic_load(&p->word);
    }
    return word;
}

/* Work on the job in `word` until no task of it is left to claim. */
static void pool_work(pdr_pool *p, uint64_t word, int worker)
{
    uint64_t generation = pool_generation(word);
    word = pool_queue(p, word, worker);
    while (pool_generation(word) == generation) {
        uint64_t next = word & POOL_MASK, tasks = word >> POOL_BITS & POOL_MASK;
        if (next >= tasks) return;
        if (!atomic_compare_exchange_weak(&p->word, &word, word + 1)) continue;
        p->fn(p->ctx, (int64_t)next, worker);
        atomic_fetch_add(&p->done, 1);
        word = atomic_load(&p->word);
    }
}

/* Wait for a generation other than seen; spin a little, then sleep. */
static uint64_t pool_wait(pdr_pool *p, uint64_t seen)
{
    uint64_t word = atomic_load(&p->word);
    for (int i = 0; i < p->spin && pool_generation(word) == seen; i++) {
        pool_pause();
        word = atomic_load(&p->word);
    }
    if (pool_generation(word) != seen) return word;
    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->sleepers, 1);
    while (pool_generation(word = atomic_load(&p->word)) == seen && !atomic_load(&p->stop))
        pthread_cond_wait(&p->wake, &p->mutex);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->mutex);
    return word;
}

static void *pool_main(void *arg)
{
    pool_worker *w = arg;
    uint64_t seen = 0;
    while (!atomic_load(&w->pool->stop)) {
        uint64_t word = pool_wait(w->pool, seen);
        seen = pool_generation(word);
        pool_work(w->pool, word, w->index);
    }
    return NULL;
}

static void pool_wake(pdr_pool *p)
{
    if (!atomic_load(&p->sleepers)) return;
    pthread_mutex_lock(&p->mutex);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

void pdi_pool_run(pdr_pool *p, int64_t tasks, pdi_task_fn fn, void *ctx)
{
    if (p->threads == 1 || tasks <= 1) {
        for (int64_t t = 0; t < tasks; t++) fn(ctx, t, 0);
        return;
    }
    p->fn = fn;
    p->ctx = ctx;
    atomic_store(&p->done, 0);
    uint64_t generation = (pool_generation(atomic_load(&p->word)) + 1) & 0xFFFFFF;
    uint64_t word = generation << 2 * POOL_BITS | (uint64_t)tasks << POOL_BITS;
    atomic_store(&p->word, word);
    pool_wake(p);
    pool_work(p, word, 0);
    for (int i = 0; atomic_load(&p->done) < tasks; i++) {
        if (i < POOL_SPIN)
            pool_pause();
        else
            sched_yield();
    }
}

int pdr_pool_threads(const pdr_pool *p) { return p->threads; }

pdr_pool *pdr_pool_new(const pdr_alloc *alloc, int threads)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0) threads = processors > 0 ? (int)processors : 1;
    if (threads < 1 || threads > PDR_MAX_THREADS) return NULL;
    alloc = pdi_alloc_or_default(alloc);
    pdr_pool *p = pdi_new(alloc, 1, sizeof *p);
    if (!p) return NULL;
    p->alloc = alloc;
    p->threads = threads;
    p->spin = threads <= processors ? POOL_SPIN : 0;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->worker = pdi_new(alloc, (size_t)threads, sizeof *p->worker);
    for (int i = 1; p->worker && i < threads; i++, p->started++) {
        p->worker[i] = (pool_worker){.pool = p, .index = i};
        if (pthread_create(&p->worker[i].thread, NULL, pool_main, &p->worker[i])) break;
    }
    if (p->worker && p->started == threads - 1) return p;
    pdr_pool_free(p);
    return NULL;
}

void pdr_pool_free(pdr_pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->mutex);
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    /* Threads that spin look at the generation: give them a new, empty one. */
    atomic_store(&p->word, (pool_generation(atomic_load(&p->word)) + 1) << 2 * POOL_BITS);
    for (int i = 1; i <= p->started; i++) pthread_join(p->worker[i].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    pdi_free(p->alloc, p->worker);
    pdi_free(p->alloc, p);
}
