/* faults.c -- the n-th write fails, the disk is full, the power goes: for every n, in any life. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include "t.h"

disk fault_disk;

static const fault_life *life;
static bool is_long;
static uint64_t prints[FAULT_STEPS_MOST + 1]; /* after so many steps; [0] is not used */
static void *image[FAULT_PARTS];              /* the file as each part begins */
static size_t image_size[FAULT_PARTS];

void faults_live(const fault_life *l, int argc, char **argv)
{
    life = l;
    is_long = argc > 1 && !strcmp(argv[1], "--long");
}

bool faults_is_long(void) { return is_long; }

size_t faults_every(size_t n) { return is_long ? 1 : n; }

uint64_t faults_print(int steps) { return prints[steps]; }

/* ---- a life without accidents ------------------------------------------------------------ */

static void faults_keep_image(int part)
{
    const uint8_t *bytes = disk_bytes(&fault_disk, FAULT_PATH, &image_size[part]);
    image[part] = malloc(image_size[part]);
    if (image[part]) memcpy(image[part], bytes, image_size[part]);
}

int faults_start(void **state)
{
    (void)state;
    disk_start(&fault_disk);
    for (int step = 0; step < life->steps; step++) {
        int done;
        pdr_error err = PDR_NO_ERROR;
        for (int part = 1; part < FAULT_PARTS; part++)
            if (step == life->first[part]) faults_keep_image(part);
        if (life->run(step, step + 1, &done, &err) || life->print(true, &prints[step + 1], &err)) {
            print_message("step %d: %s\n", step, err.text);
            return -1;
        }
    }
    return 0;
}

int faults_stop(void **state)
{
    (void)state;
    disk_stop(&fault_disk);
    for (int part = 0; part < FAULT_PARTS; part++) free(image[part]);
    return 0;
}

void faults_begin(int part)
{
    disk_restart(&fault_disk, DISK_DROPPED, 0);
    disk_put(&fault_disk, FAULT_PATH, image[part], image_size[part]);
    disk_put(&fault_disk, FAULT_PATH "-wal", NULL, 0);
    disk_put(&fault_disk, FAULT_PATH "-journal", NULL, 0);
}

/* ---- what must hold after one ------------------------------------------------------------- */

int faults_shown(int done, const char *what, size_t n)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = life->print(false, &print, &err);
    if (rc && done) fail_msg("%s %zu, after %d steps: %s", what, n, done, err.text);
    if (rc) return 0; /* not made yet */
    for (int k = 0; k < 2; k++) {
        int steps = done + (life->steps_repeat ? k : 1 - k);
        if (steps > 0 && steps <= life->steps && print == prints[steps]) return steps;
    }
    fail_msg("%s %zu: neither as after %d steps nor as after %d", what, n, done, done + 1);
    return 0;
}

void faults_live_on(int steps, const char *what, size_t n)
{
    int done;
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = life->run(steps, life->steps, &done, &err);
    if (!rc) rc = life->print(true, &print, &err);
    if (rc) fail_msg("%s %zu, going on from step %d: %s", what, n, steps, err.text);
    if (print != prints[life->steps]) fail_msg("%s %zu: another end", what, n);
}

static void faults_one_line(pdr_rc rc, const pdr_error *err, const char *what, size_t n)
{
    if (rc && rc != PDR_IO) fail_msg("%s %zu: %s", what, n, err->text);
    if (rc && (!*err->text || strchr(err->text, '\n'))) fail_msg("%s %zu: no one line", what, n);
}

/* ---- one accident --------------------------------------------------------------------------- */

typedef struct trouble {
    disk_fault fault;
    bool and_later;
    disk_loss loss;
    const char *what;
} trouble;

static size_t faults_struck(disk_fault fault)
{
    const disk *d = &fault_disk;
    return fault == DISK_READ ? d->reads : fault == DISK_OPEN ? d->opens : d->changes;
}

/* Live a part in which change n (read, opening) fails; how many steps were acknowledged. */
static pdr_rc faults_part(disk_fault fault, bool and_later, int part, size_t n, int *done,
                          pdr_error *err)
{
    faults_begin(part);
    fault_disk.fault = fault;
    fault_disk.and_later = and_later;
    fault_disk.at = n;
    pdr_rc rc = life->run(life->first[part], life->first[part + 1], done, err);
    *done += life->first[part];
    return rc;
}

/* False when there was none: the part has fewer changes than n. */
static bool faults_accident(const trouble *t, int part, size_t n)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = faults_part(t->fault, t->and_later, part, n, &done, &err);
    bool came = faults_struck(t->fault) >= n;
    faults_one_line(rc, &err, t->what, n);
    disk_restart(&fault_disk, t->loss, n);
    int steps = faults_shown(done, t->what, n);
    if (is_long || n % 4 == 0) faults_live_on(steps, t->what, n);
    return came;
}

static void faults_accidents(disk_fault fault, bool and_later, disk_loss loss, const char *what)
{
    const trouble t = {fault, and_later, loss, what};
    size_t had = 0, every = faults_every(fault == DISK_OPEN ? life->every_opening : life->every);
    for (int k = 0; k < 2 * FAULT_PARTS; k++) {
        /* Which ones are skipped differs between the callers. */
        size_t n = 1 + ((size_t)fault * 5 + (size_t)loss * 3 + 7 * and_later) % every, first = n;
        fault_disk.no_log = k & 1;
        for (; faults_accident(&t, k / 2, n); n += every) had++;
        assert_true(n > first || fault == DISK_READ); /* reads are few */
        had++;
    }
    fault_disk.no_log = false;
    assert_true(had > 2 * FAULT_PARTS);
    if (is_long) print_message("%zu of: %s\n", had, what);
}

void the_nth_change_fails(void **state)
{
    (void)state;
    faults_accidents(DISK_FAIL, false, DISK_KEPT, "failed change");
    faults_accidents(DISK_FAIL, true, DISK_KEPT, "failed change and all later");
    faults_accidents(DISK_SHORT, false, DISK_KEPT, "short write");
    faults_accidents(DISK_SHORT, true, DISK_KEPT, "short write and all later");
}

void the_disk_is_full(void **state)
{
    (void)state;
    faults_accidents(DISK_FULL, false, DISK_KEPT, "full disk for a moment");
    faults_accidents(DISK_FULL, true, DISK_KEPT, "full disk");
}

void the_nth_read_or_opening_fails(void **state)
{
    (void)state;
    faults_accidents(DISK_READ, false, DISK_KEPT, "failed read");
    faults_accidents(DISK_READ, true, DISK_KEPT, "failed read and all later");
    faults_accidents(DISK_OPEN, false, DISK_KEPT, "refused opening");
    faults_accidents(DISK_OPEN, true, DISK_KEPT, "refused opening and all later");
}

void the_power_goes(void **state)
{
    (void)state;
    faults_accidents(DISK_POWER, false, DISK_DROPPED, "power, all dropped,");
    faults_accidents(DISK_POWER, false, DISK_KEPT, "power, all kept,");
    faults_accidents(DISK_POWER, false, DISK_MIXED, "power, some kept,");
}

/* ---- a second accident while the first is recovered from ------------------------------- */

/* The power goes at change n, then change m of recovery fails or the power goes again. */
static bool faults_second(int part, disk_fault fault, size_t n, size_t m, bool *first_came)
{
    int done;
    uint64_t print;
    pdr_error err = PDR_NO_ERROR, then = PDR_NO_ERROR;
    (void)faults_part(DISK_POWER, false, part, n, &done, &err);
    *first_came = fault_disk.is_off;
    disk_restart(&fault_disk, DISK_MIXED, n);
    fault_disk.fault = fault;
    fault_disk.at = m;
    (void)life->print(false, &print, &then);
    bool came = fault_disk.changes >= m;
    disk_restart(&fault_disk, DISK_MIXED, n + m);
    (void)faults_shown(done, "second accident after", n);
    return came;
}

void a_second_accident_during_recovery(void **state)
{
    size_t had = 0;
    (void)state;
    for (int k = 0; k < 4 * FAULT_PARTS; k++) {
        bool came = true;
        disk_fault fault = k & 2 ? DISK_POWER : DISK_FAIL;
        fault_disk.no_log = k & 1;
        for (size_t n = 1 + (size_t)k; came; n += life->every_first[is_long], had++)
            for (size_t m = 1; faults_second(k / 4, fault, n, m, &came); had++)
                m += faults_every(life->every_second);
    }
    fault_disk.no_log = false;
    assert_true(had > 4 * FAULT_PARTS);
    if (is_long) print_message("%zu second accidents\n", had);
}
