/* test_store_faults.c -- the n-th write fails, the disk is full, the power goes: for every n.
 *
 * A life is lived in three parts, each from opening to closing.  After an accident in one
 * the store must be as the last acknowledged step left it, or as the one under way would
 * have; and from there it must reach the end it would have reached.  The suite tries
 * every eleventh n, with --long it is every one. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "store_life.h"
#include "t.h"

static bool is_long;
static disk d;
static const pdi_store_options how = {.vfs = "disk"};
static uint64_t prints[LIFE_STEPS + 1]; /* after so many steps; [0] is not used */

#define PATH "/life"

enum { PARTS = 3 };
static const int first[PARTS + 1] = {0, 3, 7, LIFE_STEPS}; /* steps of the parts */
static void *image[PARTS];                                 /* the file as each part begins */
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
    for (int step = 0; step < LIFE_STEPS; step++) {
        int done;
        pdr_error err = PDR_NO_ERROR;
        for (int part = 1; part < PARTS; part++)
            if (step == first[part]) keep_image(part);
        if (life_run(PATH, &how, step, step + 1, &done, &err) ||
            life_print_file(PATH, PDI_STORE_READ, &how, &prints[step + 1], &err)) {
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

/* How many steps the store shows, which must be done or one more. */
static int steps_shown(int done, const char *what, size_t n)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = life_print_file(PATH, PDI_STORE_WRITE, &how, &print, &err);
    if (rc && done) fail_msg("%s %zu, after %d steps: %s", what, n, done, err.text);
    if (rc) return 0; /* not created yet */
    for (int k = done > 0 ? done : 1; k <= done + 1 && k <= LIFE_STEPS; k++)
        if (print == prints[k]) return k;
    fail_msg("%s %zu: neither as after %d steps nor as after %d", what, n, done, done + 1);
    return 0;
}

static void live_on(int steps, const char *what, size_t n)
{
    int done;
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = life_run(PATH, &how, steps, LIFE_STEPS, &done, &err);
    if (!rc) rc = life_print_file(PATH, PDI_STORE_READ, &how, &print, &err);
    if (rc) fail_msg("%s %zu, going on from step %d: %s", what, n, steps, err.text);
    if (print != prints[LIFE_STEPS]) fail_msg("%s %zu: another end", what, n);
}

typedef struct trouble {
    disk_fault fault;
    bool and_later;
    disk_loss loss;
    const char *what;
} trouble;

/* One accident.  False when there was none: the part has fewer changes than n. */
static bool accident(const trouble *t, int part, size_t n)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    begin_part(part);
    d.fault = t->fault;
    d.and_later = t->and_later;
    d.at = n;
    pdr_rc rc = life_run(PATH, &how, first[part], first[part + 1], &done, &err);
    bool reached = (t->fault == DISK_READ ? d.reads : d.changes) >= n;
    if (rc && rc != PDR_IO) fail_msg("%s %zu: %s", t->what, n, err.text);
    if (rc && (!*err.text || strchr(err.text, '\n'))) fail_msg("%s %zu: no one line", t->what, n);
    disk_restart(&d, t->loss, n);
    int steps = steps_shown(first[part] + done, t->what, n);
    if (is_long || n % 4 == 0) live_on(steps, t->what, n);
    return reached;
}

static void accidents(disk_fault fault, bool and_later, disk_loss loss, const char *what)
{
    const trouble t = {fault, and_later, loss, what};
    for (int k = 0; k < 2 * PARTS; k++) {
        /* Which ones are skipped differs between the callers. */
        size_t stride = is_long ? 1 : 11,
               n = 1 + ((size_t)fault + (size_t)loss + 2 * and_later) % stride;
        d.no_log = k & 1;
        while (accident(&t, k / 2, n)) n += stride;
        assert_true(n > 5);
    }
    d.no_log = false;
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

static void the_nth_read_fails(void **state)
{
    (void)state;
    accidents(DISK_READ, false, DISK_KEPT, "failed read");
    accidents(DISK_READ, true, DISK_KEPT, "failed read and all later");
}

static void the_power_goes(void **state)
{
    (void)state;
    accidents(DISK_POWER, false, DISK_DROPPED, "power, all dropped,");
    accidents(DISK_POWER, false, DISK_KEPT, "power, all kept,");
    accidents(DISK_POWER, false, DISK_MIXED, "power, some kept,");
}

/* ---- a second accident while the first is recovered from ------------------------------- */

/* The power goes at change n, then again at change m of recovery. */
static bool second(int part, size_t n, size_t m, bool *first_came)
{
    int done;
    uint64_t print;
    pdr_error err = PDR_NO_ERROR, then = PDR_NO_ERROR;
    begin_part(part);
    d.fault = DISK_POWER;
    d.at = n;
    (void)life_run(PATH, &how, first[part], first[part + 1], &done, &err);
    *first_came = d.is_off;
    disk_restart(&d, DISK_MIXED, n);
    d.fault = DISK_POWER;
    d.at = m;
    (void)life_print_file(PATH, PDI_STORE_WRITE, &how, &print, &then);
    bool came = d.is_off;
    disk_restart(&d, DISK_MIXED, n + m);
    (void)steps_shown(first[part] + done, "second accident after", n);
    return came;
}

static void the_power_goes_again_during_recovery(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * PARTS; k++) {
        bool came = true;
        d.no_log = k & 1;
        for (size_t n = 1 + (size_t)k; came; n += is_long ? 1 : 47)
            for (size_t m = 1; second(k / 2, n, m, &came); m += is_long ? 1 : 2) continue;
    }
    d.no_log = false;
}

/* ---- going on without closing ------------------------------------------------------------- */

static uint64_t print_of(pdi_store *s)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    if (life_print(s, &print, &err)) fail_msg("%s", err.text);
    return print;
}

/* A change fails once; the open store shows the state before or after, and goes on. */
static bool stumble(disk_fault fault, size_t n)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    int done;
    begin_part(0);
    assert_int_equal(life_run(PATH, &how, 0, 1, &done, &err), PDR_OK);
    assert_int_equal(pdi_store_open(PATH, PDI_STORE_WRITE, &how, &s, &err), PDR_OK);
    d.changes = 0;
    d.fault = fault;
    d.at = n;
    for (int step = 1; step < LIFE_STEPS;) {
        pdr_error why = PDR_NO_ERROR;
        pdr_rc rc = life_step(s, step, &why);
        if (rc && rc != PDR_IO) fail_msg("change %zu failed: %s", n, why.text);
        uint64_t print = print_of(s);
        bool before = print == prints[step], after = print == prints[step + 1];
        if (rc ? !before && !after : !after) fail_msg("change %zu failed: step %d is odd", n, step);
        step += after;
    }
    bool reached = d.changes >= n;
    pdi_store_close(s);
    disk_restart(&d, DISK_DROPPED, 0);
    live_on(LIFE_STEPS, "stumble", n);
    return reached;
}

static void a_store_goes_on_after_a_failed_transaction(void **state)
{
    (void)state;
    for (int no_log = 0; no_log < 2; no_log++) {
        size_t n = 1;
        d.no_log = no_log;
        while (stumble(DISK_FAIL, n)) n += is_long ? 1 : 11;
        assert_true(n > 50);
        for (n = 1; stumble(DISK_FULL, n);) n += is_long ? 1 : 17;
    }
    d.no_log = false;
}

/* ---- SQLite's memory ------------------------------------------------------------------------- */

static sqlite3_mem_methods memory;
static size_t memory_asked, memory_at;

static bool memory_refuses(void) { return memory_at && ++memory_asked == memory_at; }

static void *memory_take(int n) { return memory_refuses() ? NULL : memory.xMalloc(n); }

static void *memory_resize(void *p, int n)
{
    return memory_refuses() ? NULL : memory.xRealloc(p, n);
}

static void memory_hook(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods mine = memory;
    mine.xMalloc = memory_take;
    mine.xRealloc = memory_resize;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}

static void sqlite_is_refused_memory(void **state)
{
    size_t n = 1;
    (void)state;
    for (;; n += is_long ? 1 : 1 + n / 15) {
        int done;
        pdr_error err = PDR_NO_ERROR;
        begin_part(0);
        memory_asked = 0;
        memory_at = n;
        pdr_rc rc = life_run(PATH, &how, 0, LIFE_STEPS, &done, &err);
        bool over = memory_asked < n;
        memory_at = 0;
        if (rc && rc != PDR_NOMEM) fail_msg("request %zu refused: %s", n, err.text);
        live_on(steps_shown(done, "request", n), "request", n);
        if (over) break;
    }
    assert_true(n > 1000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_change_fails),
        cmocka_unit_test(the_disk_is_full),
        cmocka_unit_test(the_nth_read_fails),
        cmocka_unit_test(the_power_goes),
        cmocka_unit_test(the_power_goes_again_during_recovery),
        cmocka_unit_test(a_store_goes_on_after_a_failed_transaction),
        cmocka_unit_test(sqlite_is_refused_memory),
    };
    is_long = argc > 1 && !strcmp(argv[1], "--long");
    memory_hook();
    return cmocka_run_group_tests(tests, start, stop);
}
