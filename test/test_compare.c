/* test_compare.c -- `perdure compare`: side by side, resumed, interrupted, failing in part. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "t.h"

static const char recipe_text[] = "data: {train: %s/points.csv, label: kind, test_fraction: 0.25}\n"
                                  "scenario: {type: class-incremental, split: classes, tasks: 2}\n"
                                  "model:\n"
                                  "  - {layer: dense, units: 8}\n"
                                  "  - {layer: relu}\n"
                                  "method: {name: er, memory: 30}\n"
                                  "optimizer: {name: adam, rate: 0.01}\n"
                                  "training: {batch: 16, epochs: %d}\n"
                                  "seed: 3\n"
                                  "published: {figure: 98 %%, source: Some 2022, least: 20}\n";

/* Four clusters in the plane, two tasks of two classes. */
static void put_points(void)
{
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "x,y,kind\n");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d.%02d,%d.%02d,%c\n", 2 * (i & 1),
                              i * 37 % 100, 2 * (i >> 1 & 1), i * 61 % 100, "abcd"[i % 4]);
    put_text("points.csv", text);
}

static void put_recipe(const char *name, int epochs)
{
    char text[2048];
    snprintf(text, sizeof text, recipe_text, folder, epochs);
    put_text(name, text);
}

static void says(const char *text, const char *what)
{
    if (!strstr(text, what)) fail_msg("'%s' is not in: %s", what, text);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *s = text; (s = strstr(s, what)) != NULL; s += strlen(what)) n++;
    return n;
}

/* The value of a key of a result, as it stands there. */
static const char *key_of(const char *result, const char *key, char value[64])
{
    static char text[PROGRAM_TEXT];
    char want[64];
    get_text(result, text);
    snprintf(want, sizeof want, "\"%s\": ", key);
    const char *p = strstr(text, want);
    if (!p) fail_msg("%s has no %s", result, key);
    snprintf(value, 64, "%.*s", (int)strcspn(p + strlen(want), ",\n"), p + strlen(want));
    return value;
}

/* ---- what it does ----------------------------------------------------------------------- */

static void methods_and_seeds_are_one_table_and_one_page(void **state)
{
    (void)state;
    char a[64], b[64];
    runf(0, "compare %s --methods finetune,er,joint --seeds 1..2 --out %s", at("er.yaml"), at("x"));
    says(out, "\ner, finetune                2 ");
    says(out, "\ner, er                      2 ");
    says(out, "\ner, joint (upper bound)     2 ");
    says(out, "x/report.html\n");
    assert_null(strchr(out, '\033'));
    says(err, "er, joint, seed 2: accuracy ");
    assert_int_equal(count(err, " of 6)\n"), 6);
    assert_true(is_there("x/report.html"));
    /* A run is what `perdure run` makes of it, the recipe's own method with its options. */
    runf(0, "run %s --seed 2 --out %s", at("er.yaml"), at("alone"));
    assert_string_equal(key_of("x/er/er/seed-2/result.json", "state_hash", a),
                        key_of("alone/result.json", "state_hash", b));
    runf(0, "run %s --set method=joint --seed 2 --out %s", at("er.yaml"), at("alone"));
    assert_string_equal(key_of("x/er/joint/seed-2/result.json", "state_hash", a),
                        key_of("alone/result.json", "state_hash", b));
}

static void jobs_and_threads_do_not_change_a_bit(void **state)
{
    (void)state;
    static const char *const how[] = {"--jobs 1", "--jobs 4", "--jobs 2 --threads 2"};
    char first[64], hash[64], path[64];
    for (size_t i = 0; i < COUNT(how); i++) {
        runf(0, "compare %s --seeds 1..4 %s --out %s/jobs-%zu", at("er.yaml"), how[i], folder, i);
        snprintf(path, sizeof path, "jobs-%zu/er/seed-4/result.json", i);
        key_of(path, "state_hash", hash);
        if (i == 0) memcpy(first, hash, sizeof first);
        assert_string_equal(hash, first);
    }
}

static void without_seeds_the_recipe_has_its_own(void **state)
{
    (void)state;
    put_recipe("other.yaml", 3);
    runf(0, "compare %s %s --set training.batch=8 --out %s", at("er.yaml"), at("other.yaml"),
         at("own"));
    assert_true(is_there("own/er/seed-3/result.json") && is_there("own/other/seed-3/result.json"));
    says(err, "er, seed 3: accuracy ");
}

/* ---- going on ------------------------------------------------------------------------------- */

/* Replace one text by another of the same length in a file of the folder. */
static void tamper(const char *name, const char *from, const char *to)
{
    static char text[PROGRAM_TEXT];
    get_text(name, text);
    char *p = strstr(text, from);
    assert_non_null(p);
    memcpy(p, to, strlen(to));
    put_text(name, text);
}

static void what_is_finished_is_kept_and_what_is_not_is_redone(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to; /* in seed 2's result */
    } rows[] = {
        {"\"complete\": true", "\"complete\":false"}, {"\"seed\": 2", "\"seed\": 7"},
        {"\"version\": \"0", "\"version\": \"9"},     {"units: 8", "units: 9"},
        {"\"continual\"", "\"continuel\""},           {"{", "["},
    };
    char hash[64], again[64];
    runf(0, "compare %s --seeds 1..2 --out %s", at("er.yaml"), at("kept"));
    key_of("kept/er/seed-2/result.json", "state_hash", hash);
    runf(0, "compare %s --seeds 1..2 --out %s", at("er.yaml"), at("kept"));
    says(err, "2 of 2 runs are finished already\n");
    assert_int_equal(count(err, "\n"), 1);
    says(out, "\ner         2 ");
    for (size_t i = 0; i < COUNT(rows); i++) {
        tamper("kept/er/seed-2/result.json", rows[i].from, rows[i].to);
        runf(0, "compare %s --seeds 1..2 --out %s", at("er.yaml"), at("kept"));
        says(err, "1 of 2 runs are finished already\n");
        says(err, "er, seed 2: accuracy ");
        assert_null(strstr(err, "er, seed 1"));
        assert_string_equal(key_of("kept/er/seed-2/result.json", "state_hash", again), hash);
    }
    runf(0, "compare %s --seeds 1..2 --set optimizer.rate=0.02 --out %s", at("er.yaml"),
         at("kept"));
    assert_null(strstr(err, "finished already"));
    runf(0, "compare %s --seeds 1..3 --set published.why=news --set optimizer.rate=0.02 --out %s",
         at("er.yaml"), at("kept"));
    says(err, "2 of 3 runs are finished already\n"); /* what is published changes no run */
}

static void only_what_is_finished_is_shown_if_asked(void **state)
{
    (void)state;
    runf(2, "compare %s --seeds 1..2 --finished --out %s", at("er.yaml"), at("none"));
    says(err, "none of the 2 runs is finished there; leave out --finished");
    assert_false(is_there("none"));
    runf(0, "compare %s --seeds 1..1 --out %s", at("er.yaml"), at("part"));
    runf(0, "compare %s --seeds 1..2 --finished --out %s", at("er.yaml"), at("part"));
    says(out, "\ner         1 ");
    assert_false(is_there("part/er/seed-2"));
}

static void a_failing_run_is_reported_and_the_others_go_on(void **state)
{
    (void)state;
    char text[2048];
    snprintf(text, sizeof text, recipe_text, folder, 3);
    memcpy(strstr(text, "tasks: 2"), "tasks: 3", 8);
    put_text("bad.yaml", text);
    runf(1, "compare %s %s --seeds 1..2 --out %s", at("bad.yaml"), at("er.yaml"), at("some"));
    says(err,
         "bad, seed 1: failed: bad: scenario.tasks: 4 classes do not split into 3 equal tasks");
    says(err, "er, seed 2: accuracy ");
    says(err, "perdure: 2 of 4 runs failed; the others are in ");
    says(out, "\ner         2 ");
    assert_null(strstr(out, "bad"));
    runf(1, "compare %s --out %s", at("bad.yaml"), at("all"));
    says(err, "perdure: 1 of 1 runs failed; nothing is in ");
    assert_string_equal(out, "");
}

/* ---- stopping ---------------------------------------------------------------------------------
 */

static void nap(void)
{
    const struct timespec t = {.tv_nsec = 10000000};
    nanosleep(&t, NULL);
}

/* How many processes have both words on their command lines. */
static int processes(const char *one, const char *other)
{
    DIR *d = opendir("/proc");
    int n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300], line[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        FILE *f = fopen(path, "r");
        if (!f) continue;
        size_t size = fread(line, 1, sizeof line - 1, f);
        fclose(f);
        for (size_t i = 0; i < size; i++)
            if (!line[i]) line[i] = ' ';
        line[size] = 0;
        n += strstr(line, one) && strstr(line, other);
    }
    closedir(d);
    return n;
}

/* Start comparing one short and one endless run; returns when the short one is done and the
 * other is going.  The id of the process. */
static pid_t start(const char *where)
{
    char err_path[600], out_path[600];
    put_recipe("long.yaml", 1000000);
    snprintf(err_path, sizeof err_path, "%s", at("e"));
    snprintf(out_path, sizeof out_path, "%s", at("o"));
    remove(err_path);
    pid_t pid = fork();
    if (pid == 0) {
        const char *program = getenv("PERDURE_PROGRAM");
        if (!freopen(err_path, "w", stderr) || !freopen(out_path, "w", stdout)) _exit(9);
        execl(program, program, "compare", at("er.yaml"), at("long.yaml"), "--jobs", "2", "--out",
              at(where), NULL);
        _exit(9);
    }
    for (int i = 0; i < 1500; i++, nap()) {
        char text[PROGRAM_TEXT] = "";
        if (is_there("e")) get_text("e", text);
        if (strstr(text, "er, seed 3: ") && processes(at(where), " run ") == 1) break;
    }
    return pid;
}

static int ended(pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    get_text("e", err);
    get_text("o", out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void an_interrupt_leaves_what_is_finished(void **state)
{
    (void)state;
    pid_t pid = start("stopped");
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid), 1);
    says(err, "perdure: stopped; 1 of 2 runs are finished in ");
    says(err, "and the same command goes on from there\n");
    assert_null(strstr(err, "failed"));
    says(out, "\ner         1 ");
    assert_null(strstr(out, "long"));
    assert_int_equal(processes(at("stopped"), " run "), 0);
    put_recipe("long.yaml", 3);
    runf(0, "compare %s %s --out %s", at("er.yaml"), at("long.yaml"), at("stopped"));
    says(err, "1 of 2 runs are finished already\n");
    says(out, "\nlong       1 ");
}

static void runs_end_with_the_one_that_started_them(void **state)
{
    (void)state;
    pid_t pid = start("killed");
    kill(pid, SIGKILL);
    assert_int_equal(ended(pid), 128 + SIGKILL);
    int left = 1;
    for (int i = 0; i < 500 && left; i++, nap()) left = processes(at("killed"), " run ");
    assert_int_equal(left, 0);
    assert_true(is_there("killed/er/seed-3/result.json"));
}

/* ---- refusals ---------------------------------------------------------------------------------
 */

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    char other[600];
    snprintf(other, sizeof other, "mkdir -p %s && cp %s %s/er.yaml", at("sub"), at("er.yaml"),
             at("sub"));
    assert_int_equal(system(other), 0);
    snprintf(other, sizeof other, "%s %s", at("er.yaml"), at("sub/er.yaml"));
    const struct {
        const char *arguments, *says;
    } rows[] = {
        {"", "RECIPE is missing"},
        {other, "a recipe called 'er' is given already; their results would share a folder"},
        {"--methods er,er", "--methods: 'er' stands there twice"},
        {"--methods er,emc", "there is no method 'emc'; did you mean 'ewc'?"},
        {"--methods ,er", "the name of the method is missing"},
        {"--methods er --page x", "--page and --methods exclude each other"},
        {"--jobs 0", "--jobs: '0' is not usable; give a whole number from 1"},
        {"--seeds 1..20000", "that is more than 10000 runs; give fewer seeds"},
        {"--set training.bach=3", "did you mean 'batch'?"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_alone = !rows[i].arguments[0] || rows[i].arguments == other;
        runf(2, "compare %s %s --out %s", is_alone ? "" : at("er.yaml"), rows[i].arguments,
             at("refused"));
        says(err, rows[i].says);
        assert_string_equal(out, "");
        assert_false(is_there("refused"));
    }
    put_text("file", "");
    runf(2, "compare %s --out %s/below", at("er.yaml"), at("file"));
    says(err, "choose another --out");
}

/* ---- the page -----------------------------------------------------------------------------------
 */

static const char page[] = "# Results\n\n"
                           "| recipe | source | published | asked | ours | seeds | time a run | "
                           "verdict | version, date |\n|---|---|---|---|---|---|---|---|---|\n"
                           "| `other` | by hand |\n\nThe end.\n";

static void a_page_gets_its_rows(void **state)
{
    (void)state;
    char text[PROGRAM_TEXT], row[600];
    put_text("page.md", page);
    snprintf(row, sizeof row, "\n| `%s/er` | Some 2022 | 98 %% | \xE2\x89\xA5 20 %% | ", folder);
    for (int i = 0; i < 2; i++) {
        runf(0, "compare %s --seeds 1..3 --page %s --out %s", at("er.yaml"), at("page.md"),
             at("paged"));
        get_text("page.md", text);
        says(text, row);
        says(text, " % | 1 to 3 | ");
        says(text, " | holds | 0.1.0, 20");
        says(text, "| `other` | by hand |\n| `");
        says(text, " |\n\nThe end.\n");
        assert_int_equal(count(text, "/er` |"), 1);
    }
    put_text("bare.md", "# No table\n");
    runf(2, "compare %s --page %s --finished --seeds 1..3 --out %s", at("er.yaml"), at("bare.md"),
         at("paged"));
    says(err, "bare.md: there is no table that begins with '| recipe | source |");
}

static int enter(void **state)
{
    if (program_enter(state)) return 1;
    put_points();
    put_recipe("er.yaml", 3);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_and_seeds_are_one_table_and_one_page),
        cmocka_unit_test(jobs_and_threads_do_not_change_a_bit),
        cmocka_unit_test(without_seeds_the_recipe_has_its_own),
        cmocka_unit_test(what_is_finished_is_kept_and_what_is_not_is_redone),
        cmocka_unit_test(only_what_is_finished_is_shown_if_asked),
        cmocka_unit_test(a_failing_run_is_reported_and_the_others_go_on),
        cmocka_unit_test(an_interrupt_leaves_what_is_finished),
        cmocka_unit_test(runs_end_with_the_one_that_started_them),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(a_page_gets_its_rows),
    };
    return cmocka_run_group_tests(tests, enter, program_leave);
}
