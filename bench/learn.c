/* bench/learn.c -- how fast `perdure learn` takes a table, by the block and row by row.
 *
 *     bench-learn PERDURE FOLDER RECIPE TABLE
 *
 * PERDURE makes a learner of the recipe in the folder and learns the table (CSV, gzip or plain),
 * twenty times over, with commits of 1000; then rows one by one, each a commit of its own that is
 * acknowledged, and the disk's own rate of write and fdatasync, taking turns.  In brackets the
 * rate by processor time alone, which a busy machine leaves alone.  The best of three runs of
 * each.  Everything is removed again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <zlib.h>

#include "disk.h"

enum { BENCH_TIMES = 20, BENCH_RUNS = 3, BENCH_CHUNK = 1 << 16 };

static char table[600], learner[600], raw[600];

static void bench_end(const char *what)
{
    fprintf(stderr, "bench-learn: %s\n", what);
    exit(1);
}

/* ---- the table, many times ----------------------------------------------------------------- */

static char *bench_read(const char *name, size_t *n)
{
    gzFile f = gzopen(name, "rb");
    char *text = NULL;
    int got = f ? 1 : -1;
    for (*n = 0; got > 0; *n += (size_t)got) {
        text = realloc(text, *n + BENCH_CHUNK + 1);
        got = text ? gzread(f, text + *n, BENCH_CHUNK) : -1;
    }
    if (f) gzclose(f);
    if (got < 0) bench_end("the table cannot be read");
    text[*n] = 0;
    return text;
}

/* Rows written; 0 when they could not be. */
static long bench_write(const char *text, size_t n)
{
    const char *head = strchr(text, '\n');
    FILE *f = fopen(table, "wb");
    long rows = 0;
    if (!head || !f) return 0;
    size_t body = n - (size_t)(head + 1 - text);
    fwrite(text, 1, n - body, f);
    for (int k = 0; k < BENCH_TIMES; k++) {
        fwrite(head + 1, 1, body, f);
        if (text[n - 1] != '\n') fputc('\n', f);
    }
    for (size_t i = n - body; i < n; i++) rows += text[i] == '\n';
    rows += text[n - 1] != '\n';
    return fclose(f) ? 0 : rows * BENCH_TIMES;
}

/* ---- runs --------------------------------------------------------------------------------------
 */

typedef struct took {
    double wall, cpu;
} took;

/* Processor time of all programs that have ended. */
static double bench_cpu(void)
{
    struct rusage use;
    getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

/* Run the program quietly. */
static took bench_run(const char *const argv[])
{
    int status;
    fflush(stdout); /* or the child would print it too */
    double start = disk_now(), cpu = bench_cpu();
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(99);
        execv(argv[0], (char *const *)(void *)argv);
        _exit(99);
    }
    if (waitpid(child, &status, 0) != child || status) bench_end("the program failed");
    return (took){disk_now() - start, bench_cpu() - cpu};
}

static void bench_learner(const char *program, const char *recipe)
{
    unlink(learner);
    bench_run((const char *const[]){program, "init", learner, recipe, NULL});
}

/* The best of a few runs that learn n rows, and of the disk before each of them. */
static took bench_learn(const char *program, const char *recipe, const char *commit, long n,
                        double *disk)
{
    char limit[24];
    took best = {1e9, 1e9};
    snprintf(limit, sizeof limit, "%ld", n);
    for (int k = 0; k < BENCH_RUNS; k++) {
        bench_learner(program, recipe);
        double rate = disk ? disk_rate(raw) : 0;
        if (disk && rate > *disk) *disk = rate;
        took t = bench_run((const char *const[]){program, "learn", learner, table, "--commit",
                                                 commit, "--limit", limit, "--acknowledge",
                                                 "--threads", "1", NULL});
        if (t.wall < best.wall) best.wall = t.wall;
        if (t.cpu < best.cpu) best.cpu = t.cpu;
    }
    return best;
}

static void bench_say(const char *what, long n, took t)
{
    printf("%-28s %9.0f /s (%.0f)\n", what, (double)n / t.wall, (double)n / t.cpu);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bench-learn PERDURE FOLDER RECIPE TABLE\n");
        return 2;
    }
    const char *program = argv[1], *recipe = argv[3];
    size_t size;
    char *text = bench_read(argv[4], &size);
    snprintf(table, sizeof table, "%.500s/bench-learn-%ld.csv", argv[2], (long)getpid());
    snprintf(learner, sizeof learner, "%.500s/bench-learn-%ld.perdure", argv[2], (long)getpid());
    snprintf(raw, sizeof raw, "%.500s/bench-learn-%ld.raw", argv[2], (long)getpid());
    long rows = bench_write(text, size), single = rows < 20000 ? rows : 20000;
    if (!rows) bench_end("the folder cannot be written to");
    double disk = 0;
    bench_say("examples, 1000 a commit", rows, bench_learn(program, recipe, "1000", rows, NULL));
    took one = bench_learn(program, recipe, "1", single, &disk);
    bench_say("commits of one example", single, one);
    printf("%-28s %9.0f /s\n", "write and fdatasync", disk);
    printf("%-28s %9.2f of the disk's rate\n", "", (double)single / one.wall / disk);
    unlink(table);
    unlink(learner);
    free(text);
    return 0;
}
