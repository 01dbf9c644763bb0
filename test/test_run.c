/* test_run.c -- `perdure run` from recipe to report, and everything that is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "t.h"

/* Four noisy clusters in the plane, two tasks of two classes. */
static void put_points(void)
{
    static char text[PROGRAM_TEXT];
    uint32_t r = 1;
    size_t n = (size_t)snprintf(text, sizeof text, "x,y,kind\n");
    for (int i = 0; i < 400; i++) {
        double noise[2];
        for (int k = 0; k < 2; k++) {
            r = r * 1664525u + 1013904223u;
            noise[k] = (double)(r >> 8) / (1 << 24) - 0.5;
        }
        int c = i % 4;
        n += (size_t)snprintf(text + n, sizeof text - n, "%.6f,%.6f,%c\n", (c & 1) * 2 + noise[0],
                              (c >> 1) * 2 + noise[1], "abcd"[c]);
    }
    put_text("points.csv", text);
}

static const char recipe_text[] = "data: {train: %s/points.csv, label: kind, test_fraction: 0.25}\n"
                                  "scenario: {type: class-incremental, split: classes, tasks: 2}\n"
                                  "model:\n"
                                  "  - {layer: dense, units: 16}\n"
                                  "  - {layer: relu}\n"
                                  "method: {name: er, memory: 40}\n"
                                  "optimizer: {name: adam, rate: 0.01}\n"
                                  "training: {batch: 16, epochs: 10}\n"
                                  "seed: 3\n";

static void put_recipe(const char *name)
{
    char text[2048];
    snprintf(text, sizeof text, recipe_text, folder);
    put_text(name, text);
}

/* The value of a key of a result, as it stands there. */
static void get_key(const char *result, const char *key, char value[64])
{
    static char text[PROGRAM_TEXT];
    char want[64];
    get_text(result, text);
    snprintf(want, sizeof want, "\"%s\": ", key);
    const char *p = strstr(text, want);
    if (!p) fail_msg("%s has no %s", result, key);
    snprintf(value, 64, "%.*s", (int)strcspn(p + strlen(want), ",\n"), p + strlen(want));
}

static void a_run_leaves_a_result_and_a_report(void **state)
{
    (void)state;
    char value[64];
    runf(0, "run %s --out %s", at("er.yaml"), at("one"));
    get_key("one/result.json", "average_accuracy", value);
    assert_true(strtod(value, NULL) > 0.9);
    get_key("one/result.json", "examples", value);
    assert_string_equal(value, "3000"); /* 10 epochs of 300 */
    get_key("one/result.json", "seed", value);
    assert_string_equal(value, "3");
    assert_true(is_there("one/report.html"));
    assert_non_null(strstr(out, "one/report.html\n"));
}

/* The line about task 1 without how long it took. */
static const char *first_line(char line[200])
{
    const char *p = strstr(err, " s, loss ");
    assert_non_null(p);
    snprintf(line, 200, "%.*s", (int)strcspn(p, "\n"), p);
    return line;
}

static void threads_and_repetition_do_not_change_a_bit(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 8, 1};
    char first[64], hash[64], said[200], line[200];
    for (size_t i = 0; i < COUNT(threads); i++) {
        runf(0, "run %s --threads %d --out %s", at("er.yaml"), threads[i], at("threads"));
        get_key("threads/result.json", "state_hash", hash);
        if (i == 0) memcpy(first, hash, sizeof first);
        if (i == 0) first_line(said);
        assert_string_equal(hash, first);
        assert_string_equal(first_line(line), said); /* however often progress was shown */
    }
    runf(0, "run %s --seed 4 --out %s", at("er.yaml"), at("threads"));
    get_key("threads/result.json", "state_hash", hash);
    assert_string_not_equal(hash, first);
}

static void seeds_and_recipes_have_folders_of_their_own(void **state)
{
    (void)state;
    char value[64];
    put_recipe("other.yaml");
    runf(0, "run %s --seeds 1..2 --out %s", at("er.yaml"), at("seeds"));
    assert_true(is_there("seeds/seed-1/result.json") && is_there("seeds/seed-2/result.json"));
    assert_true(is_there("seeds/report.html"));
    get_key("seeds/seed-1/result.json", "is_bound", value);
    assert_string_equal(value, "false");
    runf(0, "run %s %s --set method=joint --out %s", at("er.yaml"), at("other.yaml"), at("both"));
    assert_true(is_there("both/er/seed-3/result.json") &&
                is_there("both/other/seed-3/result.json"));
    assert_true(is_there("both/report.html"));
    get_key("both/other/seed-3/result.json", "is_bound", value);
    assert_string_equal(value, "true");
    assert_non_null(strstr(out, "other (upper bound)"));
}

/* Once, before the first step, and beside the numbers for whoever reads them later. */
static void a_recipe_s_note_is_shown_once_and_kept_with_each_result(void **state)
{
    (void)state;
    static char text[PROGRAM_TEXT];
    static const char note[] = "note: ewc keeps parameters near";
    const char *first = "er, seed 1 (1 of 2)\nnote: ewc keeps parameters near, but never sees ";
    runf(0, "run %s --set method=ewc --seeds 1..2 --out %s", at("er.yaml"), at("notes"));
    assert_memory_equal(err, first, strlen(first));
    assert_null(strstr(err + strlen(first), note));
    assert_null(strstr(out, note + 6));
    for (int seed = 1; seed < 3; seed++) {
        get_text(seed < 2 ? "notes/seed-1/result.json" : "notes/seed-2/result.json", text);
        assert_non_null(strstr(text, note + 6));
    }
    get_text("notes/report.html", text);
    assert_non_null(strstr(text, note + 6));
}

static void every_scenario_runs(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "--set scenario.type=task-incremental",
        "--set scenario.type=domain-incremental",
        "--set scenario.type=domain-incremental --set scenario.split=permutation --set "
        "scenario.tasks=3",
        "--set scenario.type=class-incremental --set scenario.split=permutation --set "
        "scenario.tasks=2",
        "--set scenario.split=none --set scenario.tasks=1",
        "--set scenario.type=task-incremental --set method=ewc --set scenario.validation=0.1",
        "--set scenario.type=task-incremental --set method=lwf",
        "--set method=joint --set training.loss=binary",
        "--set training.loss=mse --set training.clip_norm=1 --set training.schedule=cosine",
    };
    for (size_t i = 0; i < COUNT(sets); i++)
        runf(0, "run %s %s --set training.epochs=1 --out %s", at("er.yaml"), sets[i],
             at("scenario"));
}

/* ---- refusals -------------------------------------------------------------------------- */

/* One line on stderr that has all the parts, nothing on stdout, nothing in the folder. */
static void refused(const char *arguments, const char *const parts[])
{
    runf(2, "run %s --out %s", arguments, at("refused"));
    for (size_t i = 0; parts[i]; i++)
        if (!strstr(err, parts[i])) fail_msg("%s: '%s' is not in: %s", arguments, parts[i], err);
    assert_string_equal(out, "");
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    assert_false(is_there("refused/result.json") || is_there("refused/report.html"));
}

#define REFUSED(arguments, ...) refused(arguments, (const char *const[]){__VA_ARGS__, NULL})

__attribute__((format(printf, 1, 2))) static const char *given(const char *fmt, ...)
{
    static char text[1200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return text;
}

static void a_wrong_table_is_refused_with_its_place(void **state)
{
    (void)state;
    put_text("columns.csv", "x,y,kind\n1,2,a\n1,2\n");
    put_text("nan.csv", "x,y,kind\n1,2,a\n1,nan,b\n");
    put_text("word.csv", "x,y,kind\n1,2,a\n1,two,b\n");
    REFUSED(given("%s --set data.train=%s", at("er.yaml"), at("columns.csv")), "columns.csv:3",
            "column");
    REFUSED(given("%s --set data.train=%s", at("er.yaml"), at("nan.csv")), "nan.csv:3", "y", "nan");
    REFUSED(given("%s --set data.train=%s", at("er.yaml"), at("word.csv")), "word.csv:3", "y",
            "two");
    REFUSED(given("%s --set data.label=colour", at("er.yaml")), "points.csv", "colour", "kind");
    REFUSED(given("%s --set data.train=%s", at("er.yaml"), at("nowhere.csv")), "nowhere.csv",
            "No such file");
}

static size_t idx(unsigned char *b, int axes, const uint32_t dim[], size_t bytes, int value)
{
    size_t n = 0;
    b[n++] = 0, b[n++] = 0, b[n++] = 8, b[n++] = (unsigned char)axes;
    for (int k = 0; k < axes; k++)
        for (int s = 24; s >= 0; s -= 8) b[n++] = (unsigned char)(dim[k] >> s);
    for (size_t i = 0; i < bytes; i++) b[n++] = (unsigned char)(value < 0 ? i % 4 : (size_t)value);
    return n;
}

static void a_wrong_image_file_is_refused_with_its_place(void **state)
{
    (void)state;
    unsigned char b[4096];
    put_bytes("images", b, idx(b, 3, (uint32_t[]){20, 4, 4}, 320, 9));
    put_bytes("cut", b, idx(b, 3, (uint32_t[]){20, 4, 4}, 300, 9));
    put_bytes("labels", b, idx(b, 1, (uint32_t[]){20}, 20, -1));
    put_bytes("few", b, idx(b, 1, (uint32_t[]){19}, 19, -1));
#define BOTH "%s --set data.label= --set data.train=%s --set data.train_labels=%s"
    REFUSED(given(BOTH, at("er.yaml"), at("cut"), at("labels")), "cut", "byte");
    REFUSED(given(BOTH, at("er.yaml"), at("images"), at("few")), "few", "19", "20");
    REFUSED(given(BOTH, at("er.yaml"), at("labels"), at("labels")), "labels");
}

/* A registered set with a label that it cannot have. */
static void a_label_out_of_range_is_refused(void **state)
{
    (void)state;
    unsigned char b[4096];
    assert_int_equal(system(given("mkdir -p %s", at("mirror/mnist"))), 0);
    put_bytes("mirror/mnist/train-images-idx3-ubyte", b, idx(b, 3, (uint32_t[]){20, 4, 4}, 320, 9));
    put_bytes("mirror/mnist/t10k-images-idx3-ubyte", b, idx(b, 3, (uint32_t[]){20, 4, 4}, 320, 9));
    put_bytes("mirror/mnist/train-labels-idx1-ubyte", b, idx(b, 1, (uint32_t[]){20}, 20, 12));
    put_bytes("mirror/mnist/t10k-labels-idx1-ubyte", b, idx(b, 1, (uint32_t[]){20}, 20, -1));
    put_text("mnist.yaml", "data: {name: mnist}\nmethod: finetune\n");
    setenv("PERDURE_DATA", at("mirror"), 1);
    REFUSED(at("mnist.yaml"), "train-labels-idx1-ubyte", "12");
    unsetenv("PERDURE_DATA");
}

static void a_wrong_recipe_is_refused_with_its_place(void **state)
{
    (void)state;
    put_text("key.yaml", "data: {train: x.csv, label: y}\nmethod: er\ntraining: {bach: 3}\n");
    put_text("type.yaml", "data: {train: x.csv, label: y}\nmethod: er\ntraining: {batch: [1]}\n");
    put_text("method.yaml", "data: {train: x.csv, label: y}\nmethod: err\n");
    put_text("yaml.yaml", "data: {train: x.csv\n");
    REFUSED(at("key.yaml"), "key.yaml:3:", "bach", "did you mean 'batch'?");
    REFUSED(at("type.yaml"), "type.yaml:3:", "batch");
    REFUSED(at("method.yaml"), "method.yaml:2:", "err", "did you mean 'er'?");
    REFUSED(at("yaml.yaml"), "yaml.yaml:");
    REFUSED(given("%s --set training.batch=0", at("er.yaml")), "batch", "0");
    put_text("set.yaml", "method: er\ndata: {name: mnits}\n");
    REFUSED(at("set.yaml"), "set.yaml:2:", "data.name", "mnits", "did you mean 'mnist'?");
    REFUSED(given("%s --set scenario.tasks=3", at("er.yaml")),
            "perdure: er: scenario.tasks: ", "4 classes", "3", "1, 2 or 4");
    REFUSED(given("%s --set scenario.split=rotation", at("er.yaml")), "rotat");
    REFUSED(given("%s --set model.0.layer=conv2d", at("er.yaml")),
            "perdure: er: model.0.conv2d: ", "needs an image");
    REFUSED(given("%s --set scenario.split=permutation --set scenario.tasks=3 "
                  "--set method.per_class=100000000",
                  at("er.yaml")),
            "perdure: er: method.per_class: 100000000 examples of each class of each task "
            "(tasks: 3, classes: 12) are more than",
            "give at most 59652323");
    REFUSED(given("%s --seed 1 --seeds 1..2", at("er.yaml")), "--seeds");
    REFUSED(given("%s %s", at("er.yaml"), at("er.yaml")), "er.yaml", "rename");
    REFUSED(at("none.yaml"), "none.yaml", "No such file");
}

/* Nothing listens where the proxy should be, so the download fails at once. */
static void a_set_that_is_not_here_is_downloaded_in_sight(void **state)
{
    (void)state;
    char here[1024], cache[1100]; /* a relative one is ignored */
    assert_non_null(getcwd(here, sizeof here));
    snprintf(cache, sizeof cache, "%s/%s", here, folder);
    put_text("iris.yaml", "data: {name: iris}\nmethod: finetune\n");
    setenv("PERDURE_DATA", at("nowhere"), 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("https_proxy", "http://127.0.0.1:9", 1);
    runf(1, "run %s --out %s", at("iris.yaml"), at("iris"));
    const char *first = "iris is not here yet; downloading it from ";
    assert_memory_equal(err, first, strlen(first));
    const char *second = strchr(err, '\n') + 1;
    assert_memory_equal(second, "perdure: https://", 17);
    assert_non_null(strstr(second, "set PERDURE_DATA to a folder that has "));
    assert_ptr_equal(strchr(second, '\n'), err + strlen(err) - 1);
    assert_false(is_there("iris/result.json") || is_there("iris/report.html"));
    runf(0, "run %s --out %s", at("er.yaml"), at("one")); /* files need none of that */
    assert_null(strstr(err, "not here"));
    unsetenv("PERDURE_DATA");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("https_proxy");
}

static void an_unwritable_folder_is_refused_before_the_first_step(void **state)
{
    (void)state;
    put_text("file", "");
    runf(2, "run %s --out %s/below", at("er.yaml"), at("file"));
    assert_non_null(strstr(err, "file"));
    assert_non_null(strstr(err, "choose another --out"));
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
}

/* Run two seeds until it says `sign` on standard error, then stop it: what it said last. */
static const char *stopped(int iterations, const char *sign)
{
    char text[1500];
    put_recipe("er.yaml");
    snprintf(text, sizeof text,
             "f=%s; \"$PERDURE_PROGRAM\" run $f/er.yaml --seeds 3..4 --set training.iterations=%d "
             "--out $f/stopped >$f/o 2>$f/e & p=$!; for i in $(seq 6000); do "
             "grep -q '%s' $f/e 2>/dev/null && break; sleep 0.02; done; "
             "kill -TERM $p; wait $p; echo $? >$f/status",
             folder, iterations, sign);
    assert_int_equal(system(text), 0);
    get_text("status", out);
    assert_string_equal(out, "1\n");
    get_text("e", err);
    return strstr(err, "perdure: ");
}

static void a_stopped_run_keeps_what_is_finished(void **state)
{
    (void)state;
    char value[64];
    assert_string_equal(stopped(10000000, "seed 3 (1 of 2)"),
                        "perdure: stopped before a task was learned; nothing is kept\n");
    assert_true(is_there("stopped"));
    assert_false(is_there("stopped/seed-3") || is_there("stopped/seed-4"));
    /* Task 1 is short of work to do, task 2 is not: wait for the first, then stop. */
    const char *last = stopped(30000, "task 1"),
               *want = "perdure: stopped; the same command goes on from there (kept in ";
    assert_memory_equal(last, want, strlen(want));
    get_key("stopped/seed-3/result.json", "complete", value);
    assert_string_equal(value, "false");
    assert_true(is_there("stopped/report.html"));
    assert_false(is_there("stopped/seed-4"));
}

static void a_stream_may_hide_where_tasks_end(void **state)
{
    (void)state;
    const char *hidden = "--set scenario.boundaries=hidden --set scenario.blur=0.5";
    runf(0, "run %s %s --out %s", at("er.yaml"), hidden, at("hidden"));
    runf(2, "run %s %s --set method=ewc --out %s", at("er.yaml"), hidden, at("hidden"));
    assert_non_null(strstr(err, "method: ewc needs to be told when a task ends"));
    assert_non_null(strstr(err, "take one of finetune, joint, er, der++, la-maml"));
}

/* Drawn curves want no data; the result has an error for every step. */
static void a_recipe_of_episodes_runs(void **state)
{
    (void)state;
    char once[64], again[64];
    put_text("curves.yaml",
             "episodes: {family: sinusoid, shot: 5, query: 5, tasks: 2, test_episodes: 8,\n"
             "           test_steps: 2}\n"
             "method: {name: scratch, steps: 2}\n"
             "training: {iterations: 3}\n");
    runf(0, "run %s --threads 1 --out %s", at("curves.yaml"), at("curves"));
    runf(0, "run %s --threads 2 --out %s", at("curves.yaml"), at("again"));
    get_key("curves/result.json", "mse", once);
    get_key("again/result.json", "mse", again);
    assert_string_equal(once, again);
    get_key("curves/result.json", "iterations", once);
    assert_string_equal(once, "3");
}

static int enter(void **state)
{
    if (program_enter(state)) return 1;
    put_points();
    put_recipe("er.yaml");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_a_result_and_a_report),
        cmocka_unit_test(threads_and_repetition_do_not_change_a_bit),
        cmocka_unit_test(seeds_and_recipes_have_folders_of_their_own),
        cmocka_unit_test(a_recipe_s_note_is_shown_once_and_kept_with_each_result),
        cmocka_unit_test(every_scenario_runs),
        cmocka_unit_test(a_stream_may_hide_where_tasks_end),
        cmocka_unit_test(a_recipe_of_episodes_runs),
        cmocka_unit_test(a_wrong_table_is_refused_with_its_place),
        cmocka_unit_test(a_wrong_image_file_is_refused_with_its_place),
        cmocka_unit_test(a_label_out_of_range_is_refused),
        cmocka_unit_test(a_wrong_recipe_is_refused_with_its_place),
        cmocka_unit_test(a_set_that_is_not_here_is_downloaded_in_sight),
        cmocka_unit_test(an_unwritable_folder_is_refused_before_the_first_step),
        cmocka_unit_test(a_stopped_run_keeps_what_is_finished),
    };
    return cmocka_run_group_tests(tests, enter, program_leave);
}
