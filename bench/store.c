/* bench/store.c -- how fast the store commits, beside what the disk itself can do.
 *
 *     bench-store FOLDER
 *
 * Commits of one example a transaction against the disk's own rate of write and
 * fdatasync in the same folder; examples in groups; checkpoints of a state of which all,
 * a little or nothing changed; opening and reading it.  In brackets the rate by processor
 * time alone, which a busy machine leaves alone.  Everything is removed again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "learner/store.h"

enum { BENCH_ENTRY = 100, BENCH_ITEM = 1 << 24 };

static char path[500];

static double clock_at(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* So much work in a second, and in a second of the processor. */
typedef struct rate {
    double start, busy, wall, cpu;
} rate;

static rate rate_start(void)
{
    return (rate){.start = disk_now(), .busy = clock_at(CLOCK_PROCESS_CPUTIME_ID)};
}

static rate rate_end(rate r, double work)
{
    r.wall = work / (disk_now() - r.start);
    r.cpu = work / (clock_at(CLOCK_PROCESS_CPUTIME_ID) - r.busy);
    return r;
}

static void must(pdr_rc rc, const pdr_error *err)
{
    if (rc == PDR_OK) return;
    fprintf(stderr, "bench-store: %s\n", err->text);
    exit(1);
}

/* Examples a second, in transactions of so many. */
static rate journal_rate(pdi_store *s, int group)
{
    static const char entry[BENCH_ENTRY];
    pdr_error err = PDR_NO_ERROR;
    long n = 0;
    rate r = rate_start();
    while (disk_now() - r.start < 1) {
        must(pdi_store_begin(s, PDI_STORE_WRITE, &err), &err);
        for (int i = 0; i < group; i++, n++)
            must(pdi_store_append(s, entry, sizeof entry, NULL, &err), &err);
        must(pdi_store_commit(s, &err), &err);
    }
    r = rate_end(r, (double)n);
    must(pdi_store_begin(s, PDI_STORE_WRITE, &err), &err);
    must(pdi_store_trim(s, pdi_store_journal(s).next, &err), &err);
    must(pdi_store_commit(s, &err), &err);
    return r;
}

static rate checkpoint(pdi_store *s, const void *bytes)
{
    pdr_error err = PDR_NO_ERROR;
    pdi_item i = {"memory", "x", PDI_U8, PDR_SHAPE(BENCH_ITEM), bytes};
    rate r = rate_start();
    must(pdi_store_begin(s, PDI_STORE_WRITE, &err), &err);
    must(pdi_store_put(s, &i, &err), &err);
    must(pdi_store_commit(s, &err), &err);
    return rate_end(r, BENCH_ITEM / 1e6);
}

static rate reading(void *bytes)
{
    pdr_error err = PDR_NO_ERROR;
    pdi_store *s = NULL;
    pdi_item i = {"memory", "x", PDI_U8, PDR_SHAPE(BENCH_ITEM), NULL};
    rate r = rate_start();
    must(pdi_store_open(path, PDI_STORE_READ, NULL, &s, &err), &err);
    must(pdi_store_begin(s, PDI_STORE_READ, &err), &err);
    must(pdi_store_get(s, &i, bytes, &err), &err);
    r = rate_end(r, BENCH_ITEM / 1e6);
    pdi_store_close(s);
    return r;
}

static void say(const char *what, rate r, const char *unit)
{
    printf("%-24s %9.0f %s (%.0f)\n", what, r.wall, unit, r.cpu);
}

int main(int argc, char **argv)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    uint8_t *x = malloc(BENCH_ITEM);
    if (argc != 2 || !x) {
        fprintf(stderr, "usage: bench-store FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/bench-store-%ld", argv[1], (long)getpid());
    for (int i = 0; i < BENCH_ITEM; i++) x[i] = (uint8_t)((uint32_t)i * 2654435761u >> 17);
    must(pdi_store_create(path, NULL, &s, &err), &err);
    must(pdi_store_commit(s, &err), &err);
    char raw[600];
    snprintf(raw, sizeof raw, "%s-raw", path);
    double disk = disk_rate(raw);
    rate one = journal_rate(s, 1);
    printf("%-24s %9.0f /s\n", "write and fdatasync", disk);
    say("commits of one example", one, "/s");
    printf("%-24s %9.2f of the disk's rate\n", "", one.wall / disk);
    say("examples, 256 a commit", journal_rate(s, 256), "/s");
    say("checkpoint, all new", checkpoint(s, x), "MB/s");
    for (int i = 0; i < 10; i++) x[i * 1600000] ^= 1;
    say("checkpoint, 10 bytes new", checkpoint(s, x), "MB/s");
    say("checkpoint, nothing new", checkpoint(s, x), "MB/s");
    pdi_store_close(s);
    say("open and read", reading(x), "MB/s");
    unlink(path);
    free(x);
    return 0;
}
