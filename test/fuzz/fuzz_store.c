/* fuzz/fuzz_store.c -- valid databases with wrong contents, as learner files.
 *
 * A healthy store is made once and put on a disk in memory.  The input is a list of
 * changes to it: a byte that chooses what is done, then what with.  0: SQL that an editor
 * of the file could run, up to a zero byte; others: bytes of the file overwritten.  What
 * is opened afterwards is whole or refused in one line, takes no memory for what is not
 * there, and can be written on. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../disk.h"
#include "../store_life.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH "/fuzz"

enum { FUZZ_SQL = 4096, FUZZ_LARGEST = 1 << 20, FUZZ_STEPS = 20000 };

static disk d;
static const pdi_store_options how = {.vfs = "disk", .wait_ms = -1};
static uint8_t *whole;
static size_t whole_size;

static void fuzz_must(bool holds, const char *what, const pdr_error *err)
{
    if (holds) return;
    fprintf(stderr, "fuzz_store: %s: %s\n", what, err->text);
    abort();
}

static void fuzz_start(void)
{
    int done;
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    disk_start(&d);
    pdr_rc rc = life_run(PATH, &how, 0, 7, &done, &err);
    if (!rc) rc = pdi_store_open(PATH, PDI_STORE_WRITE, &how, &s, &err);
    if (!rc) rc = pdi_store_begin(s, PDI_STORE_WRITE, &err);
    if (!rc) rc = pdi_store_append(s, "entry", 5, NULL, &err);
    if (!rc) rc = pdi_store_commit(s, &err);
    pdi_store_close(s);
    fuzz_must(rc == PDR_OK, "a healthy store", &err);
    const uint8_t *bytes = disk_bytes(&d, PATH, &whole_size);
    whole = malloc(whole_size);
    fuzz_must(whole != NULL, "memory", &err);
    memcpy(whole, bytes, whole_size);
}

/* SQL that would go on for ever, or fill the memory, is not what is tested. */
static int fuzz_enough(void *steps) { return --*(int *)steps < 0; }

static void fuzz_sql(const uint8_t *text, size_t n)
{
    char sql[FUZZ_SQL];
    int steps = FUZZ_STEPS;
    sqlite3 *db = NULL;
    if (n >= sizeof sql) n = sizeof sql - 1;
    memcpy(sql, text, n);
    sql[n] = 0;
    if (sqlite3_open_v2(PATH, &db, SQLITE_OPEN_READWRITE, "disk") == SQLITE_OK) {
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, FUZZ_LARGEST);
        sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
        sqlite3_progress_handler(db, 10, fuzz_enough, &steps);
        sqlite3_exec(db, "PRAGMA writable_schema = ON; PRAGMA max_page_count = 2000", NULL, NULL,
                     NULL);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    sqlite3_close(db);
}

/* Two bytes of place, one that says what: a byte, four of them, or a page. */
static size_t fuzz_overwrite(uint8_t what, const uint8_t *p, size_t n)
{
    size_t size, most = what % 3 == 2 ? 4096 : what % 3 ? 4 : 1;
    uint8_t *bytes = disk_bytes(&d, PATH, &size);
    if (n < 3 || !bytes || size < 8192) return n;
    size_t at = (p[0] | (size_t)p[1] << 8) * (most > 4 ? 4096 : 1) % (size - 4096);
    if (what % 3 == 2)
        memcpy(bytes + at, bytes + p[2] * (size_t)4096 % (size - 4096) / 4096 * 4096, most);
    else
        memset(bytes + at, p[2], most);
    return 3;
}

static void fuzz_change(const uint8_t *data, size_t size)
{
    while (size > 0) {
        uint8_t what = *data++;
        size_t used;
        size--;
        if (what == 0) {
            const uint8_t *end = memchr(data, 0, size);
            used = end ? (size_t)(end - data) + 1 : size;
            fuzz_sql(data, used);
        } else {
            used = fuzz_overwrite(what, data, size);
        }
        data += used;
        size -= used;
    }
}

/* ---- memory: bounded by what the file has ---------------------------------------------- */

static size_t fuzz_now, fuzz_peak;

static void *fuzz_memory(void *ctx, void *old, size_t size)
{
    size_t *block = old ? (size_t *)old - 2 : NULL;
    (void)ctx;
    fuzz_now -= block ? *block : 0;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof *block);
    if (!block) abort();
    *block = size;
    fuzz_now += size;
    if (fuzz_now > fuzz_peak) fuzz_peak = fuzz_now;
    return block + 2;
}

static void fuzz_open(pdi_store_mode mode)
{
    const pdr_alloc alloc = {fuzz_memory, NULL};
    pdi_store_options mine = {.alloc = &alloc, .vfs = "disk", .wait_ms = -1};
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR, then = PDR_NO_ERROR;
    fuzz_now = fuzz_peak = 0;
    pdr_rc rc = pdi_store_open(PATH, mode, &mine, &s, &err);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT || rc == PDR_IO, "an unexpected code", &err);
    fuzz_must((s == NULL) == (rc != PDR_OK), "a store and an error", &err);
    fuzz_must(!rc || (*err.text && !strpbrk(err.text, "\n\r")), "not one line", &err);
    fuzz_must(fuzz_peak < (size_t)1 << 22, "much memory", &err);
    if (!rc) rc = pdi_store_check(s, NULL, &then);
    uint64_t print;
    if (!rc) {
        pdr_rc again = life_print(s, &print, &then);
        fuzz_must(again == PDR_OK, "what the check found whole cannot be read", &then);
    }
    if (!rc && mode == PDI_STORE_WRITE) (void)life_step(s, LIFE_STEPS - 1, &then);
    pdi_store_close(s);
    fuzz_must(fuzz_now == 0, "memory is left", &then);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!whole) fuzz_start();
    disk_restart(&d, DISK_DROPPED, 0);
    disk_put(&d, PATH, whole, whole_size);
    disk_put(&d, PATH "-wal", NULL, 0);
    disk_put(&d, PATH "-journal", NULL, 0);
    fuzz_change(data, size);
    fuzz_open(PDI_STORE_READ);
    fuzz_open(PDI_STORE_WRITE);
    return 0;
}
