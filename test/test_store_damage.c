/* test_store_damage.c -- flipped bits, cut files, killed processes.
 *
 * Whatever became of its bytes, a store is refused or reads as it was.  With --long there
 * are more of everything: 10,000 bits, 1,000 cuts, 1,000 kills. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <perdure/rng.h>

#include "disk.h"
#include "store_life.h"
#include "t_data.h"

static bool is_long;
static disk d;
static const pdi_store_options how = {.vfs = "disk"};

#define PATH "/life"

static uint8_t *whole; /* a closed store with a snapshot and a journal */
static size_t whole_size;
static uint64_t whole_print, whole_end; /* as it is; after the last step of a life */

static pdr_rc fill(pdr_error *err)
{
    int done;
    pdi_store *s = NULL;
    pdr_rc rc = life_run(PATH, &how, 0, 10, &done, err);
    if (!rc) rc = pdi_store_open(PATH, PDI_STORE_WRITE, &how, &s, err);
    if (!rc) rc = pdi_store_begin(s, PDI_STORE_WRITE, err);
    for (int i = 0; !rc && i < 200; i++) rc = pdi_store_append(s, &i, sizeof i, NULL, err);
    if (!rc) rc = pdi_store_commit(s, err);
    pdi_store_close(s);
    return rc;
}

static void put(const void *bytes, size_t n)
{
    disk_restart(&d, DISK_DROPPED, 0);
    disk_put(&d, PATH, bytes, n);
    disk_put(&d, PATH "-wal", NULL, 0);
    disk_put(&d, PATH "-journal", NULL, 0);
}

static pdr_rc last_step(uint64_t *print, pdr_error *err)
{
    int done;
    pdr_rc rc = life_run(PATH, &how, LIFE_STEPS - 1, LIFE_STEPS, &done, err);
    return rc ? rc : life_print_file(PATH, PDI_STORE_READ, &how, print, err);
}

static int start(void **state)
{
    pdr_error err = PDR_NO_ERROR;
    disk_start(&d);
    pdr_rc rc = fill(&err);
    if (!rc) rc = life_print_file(PATH, PDI_STORE_READ, &how, &whole_print, &err);
    const uint8_t *bytes = disk_bytes(&d, PATH, &whole_size);
    whole = malloc(whole_size);
    if (whole && bytes) memcpy(whole, bytes, whole_size);
    if (!rc) rc = last_step(&whole_end, &err);
    if (rc) print_message("%s\n", err.text);
    return rc || t_make_folder(state) ? -1 : 0;
}

static int stop(void **state)
{
    disk_stop(&d);
    free(whole);
    return t_remove_folder(state);
}

/* The damaged file is read; true when it was refused.  What is not must be as it was. */
static bool refused(const char *what, size_t at)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = life_print_file(PATH, PDI_STORE_READ, &how, &print, &err);
    if (!rc && print != whole_print) fail_msg("%s %zu: silently another store", what, at);
    if (rc && rc != PDR_INPUT && rc != PDR_IO) fail_msg("%s %zu: %s", what, at, err.text);
    if (rc) t_one_line(&err);
    return rc != PDR_OK;
}

/* A writer goes on with it; it may find the damage, but not be led astray by it. */
static void write_on(const char *what, size_t at)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = last_step(&print, &err);
    if (!rc && print != whole_end) fail_msg("%s %zu: written on, silently astray", what, at);
}

static void a_flipped_bit_is_seen_or_harmless(void **state)
{
    pdr_rng rng = {.seed = 5};
    int n = is_long ? 10000 : 700, seen = 0;
    (void)state;
    for (int k = 0; k < n; k++) {
        /* Half of them where a file is made of structure, not of bytes. */
        size_t most = k & 1 ? whole_size : whole_size < 4096 * 6 ? whole_size : 4096 * 6;
        size_t at = pdr_rng_below(&rng, (uint32_t)most), bit = pdr_rng_below(&rng, 8);
        put(whole, whole_size);
        size_t size;
        disk_bytes(&d, PATH, &size)[at] ^= (uint8_t)(1u << bit);
        seen += refused("bit of byte", at);
        write_on("bit of byte", at);
    }
    print_message("%d of %d flipped bits were seen, the others harmless\n", seen, n);
    assert_true(seen > n / 4);
}

static void a_cut_is_seen_or_harmless(void **state)
{
    pdr_rng rng = {.seed = 6};
    int n = is_long ? 1000 : 100;
    (void)state;
    for (int k = 0; k < n; k++) {
        size_t size = pdr_rng_below(&rng, (uint32_t)whole_size);
        if (k % 4 == 0) size = size / 4096 * 4096;
        put(whole, size);
        /* The end of the last page may be empty. */
        if (!refused("cut to", size) && size + 4096 <= whole_size)
            fail_msg("cut to %zu: not seen", size);
    }
}

static void a_lost_page_is_seen_or_harmless(void **state)
{
    (void)state;
    for (size_t page = 0; page < whole_size / 4096; page++) {
        size_t size;
        put(whole, whole_size);
        memset(disk_bytes(&d, PATH, &size) + page * 4096, 0, 4096);
        (void)refused("page", page);
        write_on("page", page);
    }
}

static void two_pages_swapped_are_seen_or_harmless(void **state)
{
    pdr_rng rng = {.seed = 7};
    uint32_t pages = (uint32_t)(whole_size / 4096);
    (void)state;
    for (int k = 0; k < (is_long ? 2000 : 100); k++) {
        size_t size, a = pdr_rng_below(&rng, pages), b = pdr_rng_below(&rng, pages);
        put(whole, whole_size);
        uint8_t *p = disk_bytes(&d, PATH, &size);
        memcpy(p + a * 4096, whole + b * 4096, 4096);
        memcpy(p + b * 4096, whole + a * 4096, 4096);
        (void)refused("page", a);
        write_on("page", a);
    }
}

/* ---- kill -9 --------------------------------------------------------------------------- */

enum { KILL_CHECKPOINT = 20 };

static pdr_rc kill_write(pdi_store *s, int64_t *seq, pdr_error *err)
{
    uint8_t entry[100];
    float w[64];
    int64_t next = pdi_store_journal(s).next;
    memset(entry, (int)next, sizeof entry);
    pdr_rc rc = pdi_store_begin(s, PDI_STORE_WRITE, err);
    if (!rc) rc = pdi_store_append(s, entry, sizeof entry, seq, err);
    if (!rc && next % KILL_CHECKPOINT == 0) {
        for (int i = 0; i < 64; i++) w[i] = (float)(next + i);
        pdi_item item = {"param", "w", PDI_F32, PDR_SHAPE(64), w};
        rc = pdi_store_put(s, &item, err);
        if (!rc) rc = pdi_store_put_number(s, "counter", "seen", next, err);
        if (!rc) rc = pdi_store_trim(s, next + 1, err);
    }
    return rc ? rc : pdi_store_commit(s, err);
}

/* The child tells the number of each entry once it is acknowledged. */
static void kill_child(const char *path, int to)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    int64_t seq;
    if (pdi_store_open(path, PDI_STORE_WRITE, NULL, &s, &err)) _exit(1);
    for (;;) {
        if (kill_write(s, &seq, &err)) _exit(2);
        if (write(to, &seq, sizeof seq) != sizeof seq) _exit(3);
    }
}

/* Start a child, kill it a little later; the last number it told. */
static int64_t kill_one(const char *path, long us)
{
    int pipes[2], status;
    int64_t told = 0, seq;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) kill_child(path, pipes[1]);
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &told, sizeof told), sizeof told);
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(pipes[0], &seq, sizeof seq) == (ssize_t)sizeof seq) told = seq;
    close(pipes[0]);
    return told;
}

static pdr_rc kill_entry(void *ctx, const pdi_entry *e, pdr_error *err)
{
    int *wrong = ctx;
    (void)err;
    *wrong |= e->n != 100;
    for (size_t i = 0; i < e->n; i++) *wrong |= ((const uint8_t *)e->bytes)[i] != (uint8_t)e->seq;
    return PDR_OK;
}

static void kill_verify(const char *path, int64_t told)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    int64_t seen = 0;
    float w[64] = {0};
    bool any = false;
    int wrong = 0;
    pdi_item item = {"param", "w", PDI_F32, PDR_SHAPE(64), NULL};
    pdr_rc rc = pdi_store_open(path, PDI_STORE_WRITE, NULL, &s, &err);
    if (!rc) rc = pdi_store_begin(s, PDI_STORE_READ, &err);
    if (!rc) rc = pdi_store_read(s, 0, kill_entry, &wrong, &err);
    if (!rc) rc = pdi_store_get_number(s, "counter", "seen", &seen, &any, &err);
    if (!rc && any) rc = pdi_store_get(s, &item, w, &err);
    if (rc) fail_msg("after %d: %s", (int)told, err.text);
    pdi_journal j = pdi_store_journal(s);
    assert_false(wrong);
    assert_true(j.next - 1 == told || j.next - 1 == told + 1);
    assert_true(j.first == seen + 1 && seen % KILL_CHECKPOINT == 0 && j.next - seen <= 20);
    if (any) assert_true(w[0] == (float)seen && w[63] == (float)(seen + 63));
    pdi_store_cancel(s);
    if (pdi_store_check(s, NULL, &err)) fail_msg("after %d: %s", (int)told, err.text);
    pdi_store_close(s);
}

static void a_killed_writer_loses_nothing(void **state)
{
    pdr_rng rng = {.seed = 8};
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    const char *path = t_path("killed");
    (void)state;
    assert_int_equal(pdi_store_create(path, NULL, &s, &err), PDR_OK);
    assert_int_equal(pdi_store_commit(s, &err), PDR_OK);
    pdi_store_close(s);
    int64_t told = 0;
    for (int k = 0; k < (is_long ? 1000 : 20); k++) {
        told = kill_one(path, (long)pdr_rng_below(&rng, 20000));
        kill_verify(path, told);
    }
    print_message("%d entries acknowledged, none lost\n", (int)told);
}

/* ---- the log of a killed writer ---------------------------------------------------------- */

/* A child makes so many commits and kills itself; the log is where they are. */
static void log_child(const char *path, int commits)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pdi_store *s = NULL;
        pdr_error err = PDR_NO_ERROR;
        int64_t seq;
        if (pdi_store_create(path, NULL, &s, &err) || pdi_store_commit(s, &err)) _exit(1);
        for (int k = 0; k < commits; k++)
            if (kill_write(s, &seq, &err)) _exit(2);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static long log_harm(const char *log, pdr_rng *rng, int how_so)
{
    FILE *f = fopen(log, "r+b");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f), at = (long)pdr_rng_below(rng, how_so % 4 ? (uint32_t)size : 56);
    if (how_so % 8 == 7) {
        assert_int_equal(ftruncate(fileno(f), at), 0);
    } else {
        fseek(f, at, SEEK_SET);
        int byte = fgetc(f) ^ 1 << pdr_rng_below(rng, 8);
        fseek(f, at, SEEK_SET);
        fputc(byte, f);
    }
    fclose(f);
    return at;
}

static void a_damaged_log_loses_nothing_silently(void **state)
{
    enum { COMMITS = 7 };
    pdr_rng rng = {.seed = 9};
    int n = is_long ? 2000 : 60, refusals = 0;
    (void)state;
    for (int k = 0; k < n; k++) {
        char path[600], log[640], lock[640];
        snprintf(path, sizeof path, "%s", t_path("log"));
        snprintf(log, sizeof log, "%s-wal", path);
        snprintf(lock, sizeof lock, "%s-lock", path);
        unlink(path), unlink(log), unlink(lock);
        log_child(path, COMMITS);
        long at = log_harm(log, &rng, k);
        for (int again = 0; again < 3; again++) { /* who refused it did not change that */
            pdi_store *s = NULL;
            pdr_error err = PDR_NO_ERROR;
            pdi_store_mode mode = again ? PDI_STORE_WRITE : PDI_STORE_READ;
            pdr_rc rc = pdi_store_open(path, mode, NULL, &s, &err);
            if (!rc && pdi_store_journal(s).next != COMMITS + 1)
                fail_msg("byte %ld of the log: entries are missing", at);
            if (rc && rc != PDR_INPUT && rc != PDR_IO) fail_msg("byte %ld: %s", at, err.text);
            refusals += rc != PDR_OK;
            pdi_store_close(s);
            if (rc) assert_int_equal(access(log, F_OK), 0); /* there may be a way to mend it */
        }
    }
    assert_true(refusals > n / 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_seen_or_harmless),
        cmocka_unit_test(a_cut_is_seen_or_harmless),
        cmocka_unit_test(a_lost_page_is_seen_or_harmless),
        cmocka_unit_test(two_pages_swapped_are_seen_or_harmless),
        cmocka_unit_test(a_killed_writer_loses_nothing),
        cmocka_unit_test(a_damaged_log_loses_nothing_silently),
    };
    is_long = argc > 1 && !strcmp(argv[1], "--long");
    return cmocka_run_group_tests(tests, start, stop);
}
