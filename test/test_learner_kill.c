/* test_learner_kill.c -- kill -9 at random moments of `perdure learn`.
 *
 *     test-learner-kill [COUNT]
 *
 * Rows go through a pipe, as a table or as JSON lines, in commits of one or of several; counts
 * come back as they are acknowledged.  At a random moment, from the program's first instruction
 * on, it is killed.  What the file holds then must be no less than was acknowledged, and to the
 * bit what a learner holds that learned the same rows and was never killed: state hash and
 * answers.  The next round goes on from there; so a kill also strikes those who recover. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <perdure/learner.h>
#include <perdure/rng.h>

#include "t_data.h"

enum { WIDTH = 4, CLASSES = 3, ROUND_ROWS = 500, ROUND_TEXT = 1 << 16 };

static int kills = 24;
static const char recipe[] = "data: {train: none.csv}\n"
                             "model: [{layer: dense, units: 8}, {layer: relu}]\n"
                             "method: {name: er, memory: 20, batch: 4}\n"
                             "optimizer: {name: adam, rate: 0.01}\ntraining: {batch: 3}\n"
                             "learner: {classes: 4, tasks: 1, window: 50, journal: 3000}\n";

/* ---- rows ---------------------------------------------------------------------------------- */

static const char *label_of(uint64_t i)
{
    static const char *const labels[CLASSES] = {"low", "middle", "high"};
    return labels[i * 7 / 3 % CLASSES];
}

/* Row i of an endless stream, in numbers that text keeps. */
static void row_of(uint64_t i, float x[WIDTH])
{
    for (uint64_t k = 0; k < WIDTH; k++)
        x[k] = (float)((i * (37 + 2 * k) + k * k) % 64) / 8 + (float)(i * 7 / 3 % CLASSES);
}

static size_t write_row(char *to, uint64_t i, bool json)
{
    float x[WIDTH];
    row_of(i, x);
    const char *form = json ? "{\"a\": %g, \"b\": %g, \"c\": %g, \"d\": %g, \"label\": \"%s\"}\n"
                            : "%g,%g,%g,%g,%s\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return (size_t)snprintf(to, 200, form, (double)x[0], (double)x[1], (double)x[2], (double)x[3],
                            label_of(i));
#pragma GCC diagnostic pop
}

/* ---- learners -------------------------------------------------------------------------------- */

static pdr_learner *open_learner(const char *path, bool reads_only)
{
    pdr_learner_how how = {.threads = 1, .reads_only = reads_only};
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_open(path, &how, &l, &err)) fail_msg("%s", err.text);
    return l;
}

static void close_learner(pdr_learner *l)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_close(l, &err)) fail_msg("%s", err.text);
}

static pdr_learner *create_learner(const char *path)
{
    static char *features[] = {"a", "b", "c", "d"};
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH), .feature_name = features};
    pdr_learner_how how = {.threads = 1};
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_recipe r;
    pdr_rc rc = pdr_recipe_parse(NULL, "kill.yaml", recipe, strlen(recipe), 0, NULL, &r, &err);
    if (!rc) rc = pdr_learner_create(path, &r, &like, 3, &how, &l, &err);
    if (rc) fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    return l;
}

static void learn_to(pdr_learner *l, uint64_t to)
{
    pdr_error err = PDR_NO_ERROR;
    for (uint64_t i = pdr_learner_examples(l); i < to; i++) {
        float x[WIDTH];
        row_of(i, x);
        pdr_example e = {.x = x, .label = label_of(i)};
        if (pdr_learner_learn(l, 1, &e, &err)) fail_msg("%s", err.text);
    }
}

static void compare(pdr_learner *l, pdr_learner *never_killed)
{
    pdr_error err = PDR_NO_ERROR;
    learn_to(never_killed, pdr_learner_examples(l));
    assert_int_equal(pdr_learner_state_hash(l), pdr_learner_state_hash(never_killed));
    for (uint64_t i = 0; i < 5; i++) {
        float x[WIDTH], p[4], q[4];
        row_of(i * 1000 + 17, x);
        assert_int_equal(pdr_learner_predict(l, 1, x, NULL, p, &err), PDR_OK);
        assert_int_equal(pdr_learner_predict(never_killed, 1, x, NULL, q, &err), PDR_OK);
        assert_memory_equal(p, q, sizeof p);
    }
}

/* ---- a round -----------------------------------------------------------------------------------
 */

static void run_program(const char *path, const char *commit, int in, int out)
{
    const char *program = getenv("PERDURE_PROGRAM");
    dup2(in, 0);
    dup2(out, 1);
    FILE *quiet = freopen("/dev/null", "w", stderr);
    if (program && quiet)
        execl(program, "perdure", "learn", path, "--commit", commit, "--acknowledge", "--threads",
              "1", (char *)NULL);
    _exit(99);
}

/* The last whole number that has come back. */
typedef struct counts {
    uint64_t count, number;
} counts;

static bool hear(counts *t, int from)
{
    char text[4096];
    ssize_t n = read(from, text, sizeof text);
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] != '\n') t->number = t->number * 10 + (uint64_t)(text[i] - '0');
        if (text[i] == '\n') {
            t->count = t->number;
            t->number = 0;
        }
    }
    return n > 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Listen for so many seconds, from the start or from the first commit on, then kill; what was
 * acknowledged. */
static uint64_t listen_and_kill(pid_t child, int from, bool committed, double seconds)
{
    counts t = {0, 0};
    struct pollfd p = {.fd = from, .events = POLLIN};
    bool silent = committed && poll(&p, 1, 30000) <= 0;
    if (committed && !silent) hear(&t, from);
    double end = now() + seconds;
    for (double left = seconds; left > 0; left = end - now())
        if (poll(&p, 1, (int)(left * 1000)) > 0 && !hear(&t, from)) break;
    kill(child, SIGKILL);
    while (hear(&t, from)) continue;
    if (silent) fail_msg("rows are in the pipe, and half a minute later none is acknowledged");
    return t.count;
}

static uint64_t round_of(const char *path, uint64_t first, pdr_rng *rng, uint64_t *sent)
{
    static char text[ROUND_TEXT];
    static const char *const commits[] = {"1", "1", "3", "7"};
    int in[2], out[2], status;
    bool json = pdr_rng_below(rng, 2);
    size_t n = json ? 0 : (size_t)snprintf(text, sizeof text, "a,b,c,d,label\n");
    uint64_t rows = 1 + pdr_rng_below(rng, ROUND_ROWS);
    for (uint64_t i = 0; i < rows; i++) n += write_row(text + n, first + i, json);
    *sent = first + rows;
    if (pipe(in) || pipe(out)) fail_msg("no pipes");
    pid_t child = fork();
    if (child == 0) {
        close(in[1]);
        close(out[0]);
        run_program(path, commits[pdr_rng_below(rng, 4)], in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    if (write(in[1], text, n) != (ssize_t)n && errno != EPIPE) fail_msg("pipe");
    double seconds = 0.0001 * (double)pdr_rng_below(rng, 600);
    uint64_t told = listen_and_kill(child, out[0], pdr_rng_below(rng, 3), seconds / 2);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(in[1]);
    close(out[0]);
    if (!WIFSIGNALED(status)) fail_msg("it ended by itself: %d", WEXITSTATUS(status));
    return told;
}

static void a_killed_program_loses_nothing(void **state)
{
    (void)state;
    pdr_rng rng = {.seed = 9};
    uint64_t told_in_all = 0, more = 0;
    int before = 0;
    char path[600];
    snprintf(path, sizeof path, "%s", t_path("a.perdure"));
    close_learner(create_learner(path));
    pdr_learner *never_killed = create_learner(t_path("b.perdure"));
    uint64_t have = 0;
    for (int k = 0; k < kills; k++) {
        uint64_t sent, told = round_of(path, have, &rng, &sent);
        /* Every other time the next one to recover the file is the program. */
        pdr_learner *l = open_learner(path, k % 2);
        uint64_t held = pdr_learner_examples(l);
        if (told && held < told)
            fail_msg("kill %d: %d acknowledged, %d held", k, (int)told, (int)held);
        assert_true(held >= have && held <= sent);
        compare(l, never_killed);
        before += held == have;
        told_in_all += told ? told - have : 0;
        more += held - (told ? told : have);
        have = held;
        close_learner(l);
    }
    close_learner(never_killed);
    print_message("%d kills, %d of them before a commit; %d examples acknowledged, none lost, %d "
                  "more were on the disk\n",
                  kills, before, (int)told_in_all, (int)more);
    assert_true(before < kills && told_in_all > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_killed_program_loses_nothing)};
    if (argc > 1) kills = (int)strtol(argv[1], NULL, 10);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, t_make_folder, t_remove_folder);
}
