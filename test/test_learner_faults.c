/* test_learner_faults.c -- a learner whose n-th write, read, opening or allocation fails.
 *
 * A life (learner_life.h) is lived in three parts, each from opening to closing.  After an
 * accident in one the learner must be as the last acknowledged step left it, or as the one under
 * way would have: state hash, answers, snapshots.  From there it must reach the end it would have
 * reached.  The suite tries some n, with --long it is every one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "learner_life.h"
#include "meter.h"
#include "t.h"

#define PATH "/life"

static bool is_long;
static disk d;
static const learner_home home = {.path = PATH, .vfs = "disk"};
static uint64_t prints[LEARNER_STEPS + 1]; /* after so many steps; [0] is not used */
static size_t accidents_had;

enum { PARTS = 3 };
static const int first[PARTS + 1] = {0, 5, 9, LEARNER_STEPS}; /* steps of the parts */
static void *image[PARTS];                                    /* the file as each part begins */
static size_t image_size[PARTS];

static void keep_image(int part)
{
    const uint8_t *bytes = disk_bytes(&d, PATH, &image_size[part]);
    image[part] = malloc(image_size[part]);
    if (image[part]) memcpy(image[part], bytes, image_size[part]);
}

static int start(void **state)
{
    (void)state;
    disk_start(&d);
    for (int step = 0; step < LEARNER_STEPS; step++) {
        int done;
        pdr_error err = PDR_NO_ERROR;
        for (int part = 1; part < PARTS; part++)
            if (step == first[part]) keep_image(part);
        if (learner_run(&home, step, step + 1, &done, &err) ||
            learner_print_file(&home, true, &prints[step + 1], &err)) {
            print_message("step %d: %s\n", step, err.text);
            return -1;
        }
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    disk_stop(&d);
    for (int part = 0; part < PARTS; part++) free(image[part]);
    return 0;
}

static void begin_part(int part)
{
    disk_restart(&d, DISK_DROPPED, 0);
    disk_put(&d, PATH, image[part], image_size[part]);
    disk_put(&d, PATH "-wal", NULL, 0);
    disk_put(&d, PATH "-journal", NULL, 0);
}

/* How many steps the learner shows, which must be done or one more; the later of equal ones. */
static int steps_shown(int done, const char *what, size_t n)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = learner_print_file(&home, false, &print, &err);
    if (rc && done) fail_msg("%s %zu, after %d steps: %s", what, n, done, err.text);
    if (rc) return 0; /* not made yet */
    for (int k = done + 1; k >= done && k > 0; k--)
        if (k <= LEARNER_STEPS && print == prints[k]) return k;
    fail_msg("%s %zu: neither as after %d steps nor as after %d", what, n, done, done + 1);
    return 0;
}

static void live_on(int steps, const char *what, size_t n)
{
    int done;
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = learner_run(&home, steps, LEARNER_STEPS, &done, &err);
    if (!rc) rc = learner_print_file(&home, true, &print, &err);
    if (rc) fail_msg("%s %zu, going on from step %d: %s", what, n, steps, err.text);
    if (print != prints[LEARNER_STEPS]) fail_msg("%s %zu: another end", what, n);
}

typedef struct trouble {
    disk_fault fault;
    bool and_later;
    disk_loss loss;
    const char *what;
} trouble;

static size_t struck(const trouble *t)
{
    return t->fault == DISK_READ ? d.reads : t->fault == DISK_OPEN ? d.opens : d.changes;
}

static void one_line(pdr_rc rc, const pdr_error *err, const char *what, size_t n)
{
    if (rc && rc != PDR_IO) fail_msg("%s %zu: %s", what, n, err->text);
    if (rc && (!*err->text || strchr(err->text, '\n'))) fail_msg("%s %zu: no one line", what, n);
}

/* One accident.  False when there was none: the part has fewer changes than n. */
static bool accident(const trouble *t, int part, size_t n)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    begin_part(part);
    d.fault = t->fault;
    d.and_later = t->and_later;
    d.at = n;
    pdr_rc rc = learner_run(&home, first[part], first[part + 1], &done, &err);
    bool reached = struck(t) >= n;
    one_line(rc, &err, t->what, n);
    disk_restart(&d, t->loss, n);
    int steps = steps_shown(first[part] + done, t->what, n);
    if (is_long || n % 4 == 0) live_on(steps, t->what, n);
    accidents_had++;
    return reached;
}

static void accidents(disk_fault fault, bool and_later, disk_loss loss, const char *what)
{
    const trouble t = {fault, and_later, loss, what};
    size_t before = accidents_had;
    for (int k = 0; k < 2 * PARTS; k++) {
        /* Which ones are skipped differs between the callers. */
        size_t stride = is_long              ? 1
                        : fault == DISK_OPEN ? 3
                                             : 37,
               n = 1 + ((size_t)fault * 5 + (size_t)loss * 3 + 7 * and_later) % stride;
        d.no_log = k & 1;
        while (accident(&t, k / 2, n)) n += stride;
    }
    d.no_log = false;
    assert_true(accidents_had - before > 2 * PARTS);
    if (is_long) print_message("%zu of: %s\n", accidents_had - before, what);
}

static void the_nth_change_fails(void **state)
{
    (void)state;
    accidents(DISK_FAIL, false, DISK_KEPT, "failed change");
    accidents(DISK_FAIL, true, DISK_KEPT, "failed change and all later");
    accidents(DISK_SHORT, false, DISK_KEPT, "short write");
    accidents(DISK_SHORT, true, DISK_KEPT, "short write and all later");
}

static void the_disk_is_full(void **state)
{
    (void)state;
    accidents(DISK_FULL, false, DISK_KEPT, "full disk for a moment");
    accidents(DISK_FULL, true, DISK_KEPT, "full disk");
}

static void the_nth_read_or_opening_fails(void **state)
{
    (void)state;
    accidents(DISK_READ, false, DISK_KEPT, "failed read");
    accidents(DISK_READ, true, DISK_KEPT, "failed read and all later");
    accidents(DISK_OPEN, false, DISK_KEPT, "refused opening");
    accidents(DISK_OPEN, true, DISK_KEPT, "refused opening and all later");
}

static void the_power_goes(void **state)
{
    (void)state;
    accidents(DISK_POWER, false, DISK_DROPPED, "power, all dropped,");
    accidents(DISK_POWER, false, DISK_KEPT, "power, all kept,");
    accidents(DISK_POWER, false, DISK_MIXED, "power, some kept,");
}

/* ---- a second accident while the first is recovered from ------------------------------- */

/* The power goes at change n, then change m of recovery fails or the power goes again. */
static bool second(int part, disk_fault fault, size_t n, size_t m, bool *first_came)
{
    int done;
    uint64_t print;
    pdr_error err = PDR_NO_ERROR, then = PDR_NO_ERROR;
    begin_part(part);
    d.fault = DISK_POWER;
    d.at = n;
    (void)learner_run(&home, first[part], first[part + 1], &done, &err);
    *first_came = d.is_off;
    disk_restart(&d, DISK_MIXED, n);
    d.fault = fault;
    d.at = m;
    (void)learner_print_file(&home, false, &print, &then);
    bool came = d.changes >= m;
    disk_restart(&d, DISK_MIXED, n + m);
    (void)steps_shown(first[part] + done, "second accident after", n);
    accidents_had++;
    return came;
}

static void a_second_accident_during_recovery(void **state)
{
    size_t before = accidents_had;
    (void)state;
    for (int k = 0; k < 4 * PARTS; k++) {
        bool came = true;
        disk_fault fault = k & 2 ? DISK_POWER : DISK_FAIL;
        d.no_log = k & 1;
        for (size_t n = 1 + (size_t)k; came; n += is_long ? 3 : 151)
            for (size_t m = 1; second(k / 4, fault, n, m, &came); m += is_long ? 1 : 17) continue;
    }
    d.no_log = false;
    if (is_long) print_message("%zu second accidents\n", accidents_had - before);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* The n-th request of a whole life is refused.  False when it has fewer. */
static bool refused(size_t n, bool and_later)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    meter m;
    begin_part(0);
    meter_start(&m);
    m.refuse_at = n;
    m.and_later = and_later;
    learner_home frugal = {.path = PATH, .vfs = "disk", .alloc = &m.alloc};
    pdr_rc rc = learner_run(&frugal, 0, LEARNER_STEPS, &done, &err);
    const char *wrong = meter_trouble(&m);
    if (wrong) fail_msg("request %zu refused: %s", n, wrong);
    if (rc && rc != PDR_NOMEM) fail_msg("request %zu refused: %s", n, err.text);
    if (!rc && m.requests >= n) fail_msg("request %zu refused, and nobody was told", n);
    disk_restart(&d, DISK_KEPT, 0);
    int steps = steps_shown(done, "request", n);
    if (is_long || n % 5 == 0) live_on(steps, "request", n);
    accidents_had++;
    return m.requests >= n;
}

static void the_nth_allocation_is_refused(void **state)
{
    size_t before = accidents_had;
    (void)state;
    for (int and_later = 0; and_later < 2; and_later++)
        for (size_t n = 1 + (size_t)and_later; refused(n, and_later);)
            n += is_long ? 1 : n < 100 ? 11 : 1009;
    assert_true(accidents_had - before > 20);
    if (is_long) print_message("%zu refused allocations\n", accidents_had - before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_change_fails),
        cmocka_unit_test(the_disk_is_full),
        cmocka_unit_test(the_nth_read_or_opening_fails),
        cmocka_unit_test(the_power_goes),
        cmocka_unit_test(a_second_accident_during_recovery),
        cmocka_unit_test(the_nth_allocation_is_refused),
    };
    is_long = argc > 1 && !strcmp(argv[1], "--long");
    return cmocka_run_group_tests(tests, start, stop);
}
