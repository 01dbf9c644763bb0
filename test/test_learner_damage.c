/* test_learner_damage.c -- flipped bits and cuts in the files of a learner.
 *
 * Two learners are harmed: one that was closed, in memory; and what a killed process left, a file
 * with its log, on the machine's own disk.  Whatever became of their bytes, a learner is refused
 * in one line, or answers as it did: at once, after going back to a snapshot, and after learning
 * on.  None may take longer than a second or so.  With --long there are 10,000 bits and 1,000 cuts
 * of each. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <perdure/rng.h>

#include "disk.h"
#include "learner_life.h"
#include "t_data.h"

enum { FILES = 3, LATEST = LEARNER_STEPS - 1 };

typedef struct patient {
    learner_home home;
    const char *what;
    char name[FILES][600]; /* the file, its log, its lock */
    uint8_t *bytes[FILES];
    size_t size[FILES];
    uint64_t print, back, on; /* as it is; gone back; gone on */
    int seen, harmless, io;
    double longest;
} patient;

static bool is_long;
static disk d;
static patient closed, killed;

/* ---- files --------------------------------------------------------------------------------- */

static void put_file(const patient *p, int i, const uint8_t *bytes, size_t n)
{
    if (p->home.vfs) {
        disk_put(&d, p->name[i], bytes, n);
        return;
    }
    FILE *f = bytes ? fopen(p->name[i], "wb") : NULL;
    if (!bytes) unlink(p->name[i]);
    if (!f) return;
    if (fwrite(bytes, 1, n, f) != n || fclose(f)) abort();
}

static void restore(const patient *p)
{
    static const char *const others[] = {"-shm", "-journal"};
    if (p->home.vfs) disk_restart(&d, DISK_DROPPED, 0);
    for (int i = 0; i < FILES; i++) put_file(p, i, p->bytes[i], p->size[i]);
    for (int i = 0; i < 2; i++) {
        char path[640];
        snprintf(path, sizeof path, "%s%s", p->home.path, others[i]);
        if (p->home.vfs)
            disk_put(&d, path, NULL, 0);
        else
            unlink(path);
    }
}

static bool get_file(patient *p, int i)
{
    if (p->home.vfs) {
        const uint8_t *bytes = disk_bytes(&d, p->name[i], &p->size[i]);
        p->bytes[i] = bytes ? malloc(p->size[i] + 1) : NULL;
        if (p->bytes[i]) memcpy(p->bytes[i], bytes, p->size[i]);
        return p->bytes[i] != NULL;
    }
    FILE *f = fopen(p->name[i], "rb");
    if (!f) return false;
    fseek(f, 0, SEEK_END);
    p->size[i] = (size_t)ftell(f);
    p->bytes[i] = malloc(p->size[i] + 1);
    rewind(f);
    bool ok = p->bytes[i] && fread(p->bytes[i], 1, p->size[i], f) == p->size[i];
    fclose(f);
    return ok;
}

/* ---- what a learner shows, whole or not --------------------------------------------------------
 */

static pdr_rc gone_back(const patient *p, uint64_t *print, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdr_rc rc = learner_open(&p->home, false, &l, err);
    if (!rc) rc = pdr_learner_rollback(l, "one", err);
    if (!rc) rc = learner_print(l, print, err);
    pdr_rc end = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : end;
}

static pdr_rc gone_on(const patient *p, uint64_t *print, pdr_error *err)
{
    int done;
    pdr_rc rc = learner_run(&p->home, LATEST, LATEST + 1, &done, err);
    return rc ? rc : learner_print_file(&p->home, true, print, err);
}

/* Live and be killed, the last commits in the log alone. */
static bool die(const patient *p)
{
    int status, done;
    pid_t child = fork();
    if (child == 0) {
        pdr_learner *l = NULL;
        pdr_error err = PDR_NO_ERROR;
        if (learner_run(&p->home, 0, 10, &done, &err)) _exit(1);
        if (learner_open(&p->home, false, &l, &err)) _exit(2);
        static const int steps[] = {10, 11, 13, 14, 15, 16, 4};
        for (size_t i = 0; i < COUNT(steps); i++)
            if (learner_step(l, steps[i], &err)) _exit(3);
        kill(getpid(), SIGKILL);
    }
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

static bool prepare(patient *p, const char *what, const char *path, const char *vfs)
{
    static const char *const ends[FILES] = {"", "-wal", "-lock"};
    int done;
    pdr_error err = PDR_NO_ERROR;
    p->what = what;
    for (int i = 0; i < FILES; i++)
        snprintf(p->name[i], sizeof p->name[i], "%.500s%s", path, ends[i]);
    p->home = (learner_home){.path = p->name[0], .vfs = vfs};
    if (vfs ? learner_run(&p->home, 0, LATEST, &done, &err) != PDR_OK : !die(p)) return false;
    for (int i = 0; i < FILES; i++)
        if (!get_file(p, i) && (!vfs || i == 0)) return false;
    pdr_rc rc = learner_print_file(&p->home, true, &p->print, &err);
    if (!rc) rc = gone_back(p, &p->back, &err);
    restore(p);
    if (!rc) rc = gone_on(p, &p->on, &err);
    if (rc) print_message("%s: %s\n", what, err.text);
    return rc == PDR_OK;
}

static int start(void **state)
{
    disk_start(&d);
    if (t_make_folder(state)) return -1;
    bool ok = prepare(&closed, "closed", "/life", "disk");
    return ok && prepare(&killed, "killed", t_path("killed.perdure"), NULL) ? 0 : -1;
}

static int stop(void **state)
{
    disk_stop(&d);
    for (int i = 0; i < FILES; i++) {
        free(closed.bytes[i]);
        free(killed.bytes[i]);
    }
    return t_remove_folder(state);
}

/* ---- harm
 * ---------------------------------------------------------------------------------------- */

/* The refusal of what was harmed is one line and no failure of ours; true when it came. */
static bool refused(patient *p, pdr_rc rc, const pdr_error *err, uint64_t print, uint64_t want,
                    const char *how, size_t at)
{
    if (!rc && print != want) fail_msg("%s, %s %zu: silently another learner", p->what, how, at);
    if (rc && rc != PDR_INPUT && rc != PDR_IO)
        fail_msg("%s, %s %zu: %s", p->what, how, at, err->text);
    if (rc) t_one_line(err);
    if (rc == PDR_IO && is_long && p->io < 20)
        print_message("%s, %s %zu: %s\n", p->what, how, at, err->text);
    p->io += rc == PDR_IO;
    return rc != PDR_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Bytes have been harmed: look at it every way. */
static void examine(patient *p, const char *how, size_t at, const uint8_t *harmed, size_t n, int i)
{
    uint64_t print = 0;
    double before = now();
    pdr_error err = PDR_NO_ERROR;
    restore(p);
    put_file(p, i, harmed, n);
    pdr_rc rc = learner_print_file(&p->home, true, &print, &err);
    bool seen = refused(p, rc, &err, print, p->print, how, at);
    err = (pdr_error)PDR_NO_ERROR;
    rc = gone_on(p, &print, &err); /* a writer finds no less, and makes no harm good */
    bool seen_on = refused(p, rc, &err, print, p->on, how, at);
    restore(p);
    put_file(p, i, harmed, n);
    err = (pdr_error)PDR_NO_ERROR;
    rc = gone_back(p, &print, &err);
    bool seen_back = refused(p, rc, &err, print, p->back, how, at);
    double took = now() - before;
    if (took > p->longest) p->longest = took;
    if (took > 10) fail_msg("%s, %s %zu: took %g seconds", p->what, how, at, took);
    p->seen += seen || seen_on || seen_back;
    p->harmless += !(seen || seen_on || seen_back);
}

/* What was not harmed is taken. */
static void must_be_whole(const patient *p)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    restore(p);
    if (learner_print_file(&p->home, true, &print, &err) || print != p->print ||
        gone_on(p, &print, &err) || print != p->on)
        fail_msg("%s: unharmed, and refused: %s", p->what, err.text);
}

/* A byte of the file or of the log; more often near its head, and where there is something. */
static size_t somewhere(const patient *p, pdr_rng *rng, int *file)
{
    *file = p->bytes[1] && pdr_rng_below(rng, 2) ? 1 : 0;
    size_t most = p->size[*file], at = 0;
    if (pdr_rng_below(rng, 4) == 0 && most > 4096 * 4) most = 4096 * 4;
    uint32_t tries = pdr_rng_below(rng, 3) ? 100 : 1;
    do at = pdr_rng_below(rng, (uint32_t)most);
    while (--tries && !p->bytes[*file][at]);
    return at;
}

static void flip_bits(patient *p, int n, uint64_t seed)
{
    pdr_rng rng = {.seed = seed};
    p->seen = p->harmless = p->io = 0;
    p->longest = 0;
    for (int k = 0; k < n; k++) {
        int file;
        size_t at = somewhere(p, &rng, &file);
        uint8_t bit = (uint8_t)(1u << pdr_rng_below(&rng, 8));
        p->bytes[file][at] ^= bit;
        uint8_t *harmed = malloc(p->size[file]);
        if (!harmed) abort();
        memcpy(harmed, p->bytes[file], p->size[file]);
        p->bytes[file][at] ^= bit;
        examine(p, file ? "bit of the log, byte" : "bit of byte", at, harmed, p->size[file], file);
        free(harmed);
        if (k % 50 == 0) must_be_whole(p);
    }
    print_message("%s: %d bits, %d seen (%d calls as i/o), %d harmless; longest %.3f s\n", p->what,
                  n, p->seen, p->io, p->harmless, p->longest);
    assert_true(p->seen > n / 8);
}

static void cut(patient *p, int n, uint64_t seed)
{
    pdr_rng rng = {.seed = seed};
    p->seen = p->harmless = p->io = 0;
    p->longest = 0;
    for (int k = 0; k < n; k++) {
        int file = p->bytes[1] && k % 2 ? 1 : 0;
        size_t size = pdr_rng_below(&rng, (uint32_t)p->size[file]);
        if (k % 4 < 2) size = size / 4096 * 4096;
        examine(p, file ? "log cut to" : "cut to", size, p->bytes[file], size, file);
        if (k % 50 == 0) must_be_whole(p);
    }
    print_message("%s: %d cuts, %d seen (%d calls as i/o), %d harmless; longest %.3f s\n", p->what,
                  n, p->seen, p->io, p->harmless, p->longest);
    assert_true(p->seen > n / 2);
}

static void a_flipped_bit_changes_no_answer(void **state)
{
    (void)state;
    flip_bits(&closed, is_long ? 10000 : 250, 1);
}

static void a_flipped_bit_of_a_killed_one_changes_no_answer(void **state)
{
    (void)state;
    flip_bits(&killed, is_long ? 10000 : 60, 2);
}

static void a_cut_changes_no_answer(void **state)
{
    (void)state;
    cut(&closed, is_long ? 1000 : 60, 3);
}

static void a_cut_of_a_killed_one_changes_no_answer(void **state)
{
    (void)state;
    cut(&killed, is_long ? 1000 : 30, 4);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_changes_no_answer),
        cmocka_unit_test(a_flipped_bit_of_a_killed_one_changes_no_answer),
        cmocka_unit_test(a_cut_changes_no_answer),
        cmocka_unit_test(a_cut_of_a_killed_one_changes_no_answer),
    };
    is_long = argc > 1 && !strcmp(argv[1], "--long");
    return cmocka_run_group_tests(tests, start, stop);
}
