/* test_pool.c -- the thread pool: every task once, workers apart, idle threads asleep.
 *
 * Run under ThreadSanitizer too (suite threads): tasks read what the caller wrote
 * before and write what it reads afterwards, without locks of their own. */
#include "base/pool.h"

#include <perdure/rng.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"
#include "t.h"

static const int counts[] = {1, 2, 3, 8};

enum { POOL_TASKS = 600 };

typedef struct job {
    int64_t tasks;
    int threads;
    int input; /* written by the caller, read by tasks, no atomics */
    int ran[POOL_TASKS], by[POOL_TASKS];
    atomic_int busy[PDR_MAX_THREADS]; /* a worker runs one task at a time */
    atomic_int wrong;
} job;

static void job_task(void *ctx, int64_t task, int worker)
{
    job *j = ctx;
    bool ok = task >= 0 && task < j->tasks && worker >= 0 && worker < j->threads;
    if (!ok || atomic_exchange(&j->busy[worker], 1)) atomic_store(&j->wrong, 1);
    if (!ok) return;
    j->ran[task] += j->input;
    j->by[task] = worker;
    atomic_store(&j->busy[worker], 0);
}

static void job_run(pdr_pool *pool, job *j, int64_t tasks)
{
    j->tasks = tasks;
    j->threads = pdr_pool_threads(pool);
    j->input++;
    memset(j->ran, 0, sizeof j->ran);
    pdi_pool_run(pool, tasks, job_task, j);
    for (int64_t t = 0; t < tasks; t++)
        if (j->ran[t] != j->input) fail_msg("job %d, task %d: %d", j->input, (int)t, j->ran[t]);
    assert_int_equal(atomic_load(&j->wrong), 0);
}

static void every_task_runs_once(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(counts); c++) {
        static job j;
        pdr_pool *pool = pdr_pool_new(NULL, counts[c]);
        assert_int_equal(pdr_pool_threads(pool), counts[c]);
        for (int64_t tasks = 0; tasks < 40; tasks++) job_run(pool, &j, tasks);
        job_run(pool, &j, POOL_TASKS);
        pdr_pool_free(pool);
    }
}

static void many_small_jobs_in_a_row(void **state)
{
    (void)state;
    static const int jobs[] = {3000, 3000, 2000, 400};
    for (size_t c = 0; c < COUNT(counts); c++) {
        static job j;
        pdr_rng rng = {.seed = c, .stream = PDR_STREAM_TEST};
        pdr_pool *pool = pdr_pool_new(NULL, counts[c]);
        for (int k = 0; k < jobs[c]; k++) job_run(pool, &j, pdr_rng_below(&rng, 12));
        pdr_pool_free(pool);
    }
}

static void pause_ms(long ms)
{
    const struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

/* Freed at once, after a job, and while the threads sleep. */
static void pools_start_and_stop(void **state)
{
    (void)state;
    for (int k = 0; k < 2000; k++) {
        static job j;
        pdr_pool *pool = pdr_pool_new(NULL, 2 + k % 2);
        assert_non_null(pool);
        if (k % 3) job_run(pool, &j, k % 5);
        if (k % 100 == 0) pause_ms(1);
        pdr_pool_free(pool);
    }
    pdr_pool_free(NULL);
}

typedef struct loan {
    pdr_pool *pool;
    job j;
} loan;

static void *loan_main(void *arg)
{
    loan *l = arg;
    for (int k = 0; k < 50; k++) job_run(l->pool, &l->j, 7);
    return NULL;
}

static void a_pool_may_be_used_by_another_thread_than_its_maker(void **state)
{
    (void)state;
    static loan l;
    pthread_t thread;
    l.pool = pdr_pool_new(NULL, 3);
    job_run(l.pool, &l.j, 5);
    assert_int_equal(pthread_create(&thread, NULL, loan_main, &l), 0);
    pthread_join(thread, NULL);
    job_run(l.pool, &l.j, 5);
    pdr_pool_free(l.pool);
}

static void count_task(void *ctx, int64_t task, int worker)
{
    (void)worker;
    atomic_fetch_add((_Atomic int64_t *)ctx, task);
}

static void a_job_may_have_a_million_tasks(void **state)
{
    (void)state;
    _Atomic int64_t sum = 0;
    pdr_pool *pool = pdr_pool_new(NULL, 2);
    int64_t n = PDI_POOL_MAX_TASKS;
    pdi_pool_run(pool, n, count_task, &sum);
    assert_true(atomic_load(&sum) == n * (n - 1) / 2);
    pdr_pool_free(pool);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Processor time of this program alone: other programs do not disturb it. */
static void idle_threads_sleep(void **state)
{
    (void)state;
    static job j;
    pdr_pool *pool = pdr_pool_new(NULL, 2); /* no more than processors: these spin first */
    job_run(pool, &j, 100);
    pause_ms(50);
    double start = cpu_seconds();
    pause_ms(300);
    double used = cpu_seconds() - start;
    job_run(pool, &j, 100); /* and wake again */
    pdr_pool_free(pool);
    if (used > 0.15) fail_msg("idle threads used %.3f s of 0.3 s", used);
}

static void a_pool_has_as_many_threads_as_asked_for(void **state)
{
    (void)state;
    pdr_pool *pool = pdr_pool_new(NULL, 0);
    assert_int_equal(pdr_pool_threads(pool), sysconf(_SC_NPROCESSORS_ONLN));
    pdr_pool_free(pool);
    assert_null(pdr_pool_new(NULL, -1));
    assert_null(pdr_pool_new(NULL, PDR_MAX_THREADS + 1));
}

static void a_pool_without_memory_is_null(void **state)
{
    (void)state;
    bool served = false;
    for (size_t n = 1; !served; n++) {
        meter m;
        meter_start(&m);
        m.refuse_at = n;
        pdr_pool *pool = pdr_pool_new(&m.alloc, 3);
        served = m.requests < n;
        assert_int_equal(pool != NULL, served);
        pdr_pool_free(pool);
        assert_null(meter_trouble(&m));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(many_small_jobs_in_a_row),
        cmocka_unit_test(pools_start_and_stop),
        cmocka_unit_test(a_pool_may_be_used_by_another_thread_than_its_maker),
        cmocka_unit_test(a_job_may_have_a_million_tasks),
        cmocka_unit_test(idle_threads_sleep),
        cmocka_unit_test(a_pool_has_as_many_threads_as_asked_for),
        cmocka_unit_test(a_pool_without_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
