/* test_store_faults.c -- a store whose n-th write, read or opening fails, or SQLite's allocation.
 *
 * faults.h tells what is done to it and what must hold; what a store shows is each byte of state,
 * snapshots and journal. */
#include <sqlite3.h>

#include "faults.h"
#include "store_life.h"
#include "t.h"

static const pdi_store_options how = {.vfs = FAULT_DISK};

static pdr_rc run(int from, int to, int *done, pdr_error *err)
{
    return life_run(FAULT_PATH, &how, from, to, done, err);
}

static pdr_rc print(bool reads_only, uint64_t *hash, pdr_error *err)
{
    return life_print_file(FAULT_PATH, reads_only ? PDI_STORE_READ : PDI_STORE_WRITE, &how, hash,
                           err);
}

static const fault_life life = {.steps = LIFE_STEPS,
                                .first = {0, 3, 7, LIFE_STEPS},
                                .run = run,
                                .print = print,
                                .steps_repeat = true,
                                .every = 11,
                                .every_opening = 3,
                                .every_first = {47, 1},
                                .every_second = 2};

/* ---- going on without closing ------------------------------------------------------------- */

static uint64_t print_of(pdi_store *s)
{
    uint64_t hash = 0;
    pdr_error err = PDR_NO_ERROR;
    if (life_print(s, &hash, &err)) fail_msg("%s", err.text);
    return hash;
}

/* A change fails once; the open store shows the state before or after, and goes on. */
static bool stumble(disk_fault fault, size_t n)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    int done;
    faults_begin(0);
    assert_int_equal(life_run(FAULT_PATH, &how, 0, 1, &done, &err), PDR_OK);
    assert_int_equal(pdi_store_open(FAULT_PATH, PDI_STORE_WRITE, &how, &s, &err), PDR_OK);
    fault_disk.changes = 0;
    fault_disk.fault = fault;
    fault_disk.at = n;
    for (int step = 1; step < LIFE_STEPS;) {
        pdr_error why = PDR_NO_ERROR;
        pdr_rc rc = life_step(s, step, &why);
        if (rc && rc != PDR_IO) fail_msg("change %zu failed: %s", n, why.text);
        uint64_t hash = print_of(s);
        bool before = hash == faults_print(step), after = hash == faults_print(step + 1);
        if (rc ? !before && !after : !after) fail_msg("change %zu failed: step %d is odd", n, step);
        step += after;
    }
    bool reached = fault_disk.changes >= n;
    pdi_store_close(s);
    disk_restart(&fault_disk, DISK_DROPPED, 0);
    faults_live_on(LIFE_STEPS, "stumble", n);
    return reached;
}

static void a_store_goes_on_after_a_failed_transaction(void **state)
{
    (void)state;
    for (int no_log = 0; no_log < 2; no_log++) {
        size_t n = 1;
        fault_disk.no_log = no_log;
        while (stumble(DISK_FAIL, n)) n += faults_every(11);
        assert_true(n > 50);
        for (n = 1; stumble(DISK_FULL, n);) n += faults_every(17);
    }
    fault_disk.no_log = false;
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
    for (;; n += faults_every(1 + n / 15)) {
        int done;
        pdr_error err = PDR_NO_ERROR;
        faults_begin(0);
        memory_asked = 0;
        memory_at = n;
        pdr_rc rc = life_run(FAULT_PATH, &how, 0, LIFE_STEPS, &done, &err);
        bool over = memory_asked < n;
        memory_at = 0;
        if (rc && rc != PDR_NOMEM) fail_msg("request %zu refused: %s", n, err.text);
        faults_live_on(faults_shown(done, "request", n), "request", n);
        if (over) break;
    }
    assert_true(n > 1000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FAULT_TESTS,
        cmocka_unit_test(a_store_goes_on_after_a_failed_transaction),
        cmocka_unit_test(sqlite_is_refused_memory),
    };
    memory_hook();
    faults_live(&life, argc, argv);
    return cmocka_run_group_tests(tests, faults_start, faults_stop);
}
