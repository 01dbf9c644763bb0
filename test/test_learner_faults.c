/* test_learner_faults.c -- a learner whose n-th write, read, opening or allocation fails.
 *
 * faults.h tells what is done to it and what must hold; what a learner shows are its state hash,
 * answers and snapshots. */
#include <string.h>

#include "faults.h"
#include "learner_life.h"
#include "meter.h"
#include "t.h"

static const learner_home home = {.path = FAULT_PATH, .vfs = FAULT_DISK};

static pdr_rc run(int from, int to, int *done, pdr_error *err)
{
    return learner_run(&home, from, to, done, err);
}

static pdr_rc print(bool reads_only, uint64_t *hash, pdr_error *err)
{
    return learner_print_file(&home, reads_only, hash, err);
}

static const fault_life life = {.steps = LEARNER_STEPS,
                                .first = {0, 5, 9, LEARNER_STEPS},
                                .run = run,
                                .print = print,
                                .every = 37,
                                .every_opening = 3,
                                .every_first = {151, 3},
                                .every_second = 17};

/* The n-th request of a whole life is refused.  False when it has fewer. */
static bool refused(size_t n, bool and_later)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    meter m;
    faults_begin(0);
    meter_start(&m);
    m.refuse_at = n;
    m.and_later = and_later;
    learner_home frugal = {.path = FAULT_PATH, .vfs = FAULT_DISK, .alloc = &m.alloc};
    pdr_rc rc = learner_run(&frugal, 0, LEARNER_STEPS, &done, &err);
    const char *wrong = meter_trouble(&m);
    if (wrong) fail_msg("request %zu refused: %s", n, wrong);
    if (rc && rc != PDR_NOMEM) fail_msg("request %zu refused: %s", n, err.text);
    if (!rc && m.requests >= n) fail_msg("request %zu refused, and nobody was told", n);
    disk_restart(&fault_disk, DISK_KEPT, 0);
    int steps = faults_shown(done, "request", n);
    if (n % faults_every(5) == 0) faults_live_on(steps, "request", n);
    return m.requests >= n;
}

static void the_nth_allocation_is_refused(void **state)
{
    size_t had = 0;
    (void)state;
    for (int and_later = 0; and_later < 2; and_later++, had++)
        for (size_t n = 1 + (size_t)and_later; refused(n, and_later); had++)
            n += faults_every(n < 100 ? 11 : 1009);
    assert_true(had > 20);
    if (faults_is_long()) print_message("%zu refused allocations\n", had);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FAULT_TESTS,
        cmocka_unit_test(the_nth_allocation_is_refused),
    };
    faults_live(&life, argc, argv);
    return cmocka_run_group_tests(tests, faults_start, faults_stop);
}
