/* test_teach.c -- a learner on the command line: a whole life, and what is refused. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "t.h"

enum { ROWS = 300 };

/* Rows from .. to of three noisy clusters on a line through a square, as a table whose columns
 * stand in the given order, or as JSON lines. */
static void put_rows(const char *name, int from, int to, const char *order)
{
    static char text[PROGRAM_TEXT];
    size_t n = 0;
    if (!strcmp(order, "csv")) n += (size_t)snprintf(text, sizeof text, "x,y,kind\n");
    if (!strcmp(order, "turned")) n += (size_t)snprintf(text, sizeof text, "kind,extra,y,x\n");
    for (int i = from; i < to; i++) {
        int c = i * i % 3 == 0 ? 0 : i % 2 + 1;
        double x = 3 * c + 0.01 * (i * 37 % 100), y = 2 * c + 0.01 * (i * 53 % 100);
        const char *kind = c == 0 ? "red" : c == 1 ? "green" : "blue";
        char *at = text + n;
        size_t room = sizeof text - n;
        if (!strcmp(order, "csv"))
            n += (size_t)snprintf(at, room, "%.2f,%.2f,%s\n", x, y, kind);
        else if (!strcmp(order, "turned"))
            n += (size_t)snprintf(at, room, "%s,7,%.2f,%.2f\n", kind, y, x);
        else
            n += (size_t)snprintf(at, room, "{\"x\": %.2f, \"y\": %.2f, \"kind\": \"%s\"}\n", x, y,
                                  kind);
    }
    put_text(name, text);
}

static int enter(void **state)
{
    char recipe[1000];
    if (program_enter(state)) return 1;
    put_rows("all.csv", 0, ROWS, "csv");
    put_rows("turned.csv", 0, ROWS, "turned");
    put_rows("all.json", 0, ROWS, "json");
    put_rows("half.csv", 0, ROWS / 2, "csv");
    put_rows("rest.csv", ROWS / 2, ROWS, "csv");
    snprintf(recipe, sizeof recipe,
             "data: {train: %s/half.csv, label: kind, test_fraction: 0}\n"
             "model: [{layer: dense, units: 8}, {layer: relu}]\nmethod: er\n"
             "optimizer: {name: sgd, rate: 0.1}\ntraining: {batch: 1}\n"
             "learner: {classes: 4, most_classes: 4}\n",
             folder);
    put_text("clusters.yaml", recipe);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void runf(int status, const char *fmt, ...)
{
    char arguments[1500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, ap);
    va_end(ap);
    int got = run(arguments);
    if (got != status) fail_msg("%s: exit status %d: %s", arguments, got, err);
}

static void init(void)
{
    remove(at("a.perdure"));
    runf(0, "init %s %s", at("a.perdure"), at("clusters.yaml"));
}

static void get_hash(char hash[17])
{
    runf(0, "show %s --json", at("a.perdure"));
    const char *p = strstr(out, "\"state_hash\": \"");
    assert_non_null(p);
    snprintf(hash, 17, "%.16s", p + strlen("\"state_hash\": \""));
}

static void kinds_of_rows_and_orders_of_columns_are_alike(void **state)
{
    (void)state;
    char first[17], hash[17];
    init();
    runf(0, "learn %s %s", at("a.perdure"), at("all.csv"));
    assert_non_null(strstr(err, "examples"));
    get_hash(first);
    static const char *const same[] = {"turned.csv", "all.json"};
    for (int i = 0; i < 2; i++) {
        init();
        runf(0, "learn %s %s --commit 7 --threads %d", at("a.perdure"), at(same[i]), i + 1);
        get_hash(hash);
        assert_string_equal(hash, first);
    }
    init();
    runf(0, "learn %s %s", at("a.perdure"), at("half.csv"));
    runf(0, "learn %s < %s", at("a.perdure"), at("rest.csv"));
    get_hash(hash);
    assert_string_equal(hash, first);
}

static void a_life(void **state)
{
    (void)state;
    char then[17], hash[17];
    init();
    runf(0, "learn %s %s", at("a.perdure"), at("half.csv"));
    get_hash(then);
    runf(0, "snapshot %s half", at("a.perdure"));
    runf(0, "learn %s %s", at("a.perdure"), at("rest.csv"));
    runf(0, "eval %s %s", at("a.perdure"), at("all.csv"));
    const char *accuracy = strstr(out, "accuracy  ");
    assert_non_null(accuracy);
    assert_true(strtod(accuracy + 10, NULL) > 0.9);
    runf(0, "predict %s %s", at("a.perdure"), at("all.csv"));
    assert_memory_equal(out, "class,probability\nred,0.9", 25);
    put_text("new.csv", "x,y,kind\n-9,9,white\n-9.5,9,white\n-9,8.5,white\n");
    runf(0, "adapt %s %s", at("a.perdure"), at("new.csv"));
    assert_string_equal(err, "adapted to 3 examples; 4 classes, 0 tasks\n");
    runf(0, "predict %s %s", at("a.perdure"), at("new.csv"));
    assert_non_null(strstr(out, "white,0."));
    runf(0, "log %s", at("a.perdure"));
    assert_non_null(strstr(out, "created"));
    assert_non_null(strstr(out, "snapshot half"));
    runf(0, "rollback %s half", at("a.perdure"));
    get_hash(hash);
    assert_string_equal(hash, then);
    runf(0, "show %s", at("a.perdure"));
    assert_non_null(strstr(out, "classes      3 of 4: blue, green, red"));
    runf(0, "check %s", at("a.perdure"));
    assert_non_null(strstr(out, "whole"));
    runf(0, "compact %s", at("a.perdure"));
    get_hash(hash);
    assert_string_equal(hash, then);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    char before[17], after[17];
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"x,kind\n1,red\n", ":1: the learner's features y have no column"},
        {"x,y\n1,2\n", ":1: there is no column 'kind' to learn"},
        {"x,y,kind\n1,2,red\n1,two,red\n", ":3: column 'y': 'two' is not a number"},
        {"x,y,kind\n1,2,red\n1,2\n", ":3: has 2 cells; the header has 3"},
        {"x,y,kind\n1,2,\n", ":2: column 'kind': '' is no label"},
        {"{\"x\": 1, \"y\": 2, \"kind\": \"red\"}\n{\"x\": 1, \"kind\": \"red\"}\n",
         ":2: the features y are missing"},
        {"{\"x\": 1, \"y\": \"2\", \"kind\": \"red\"}\n", ":1: \"y\": is not a finite number"},
        {"{\"x\": 1, \"x\": 2}\n", ":1:"},
        {"x,y,kind\n1,2,a\n1,2,b\n", "class 'b': there may be 4 classes"},
    };
    init();
    get_hash(before);
    for (size_t i = 0; i < COUNT(rows); i++) {
        put_text("bad", rows[i].text);
        runf(2, "learn %s %s", at("a.perdure"), at("bad"));
        if (!strstr(err, rows[i].want)) fail_msg("%zu: %s", i, err);
        get_hash(after);
        assert_string_equal(after, before);
    }
    runf(2, "init %s %s", at("a.perdure"), at("clusters.yaml"));
    runf(2, "rollback %s none", at("a.perdure"));
    runf(2, "show %s", at("all.csv"));
    runf(2, "init %s %s --set method=ewc", at("b.perdure"), at("clusters.yaml"));
    assert_non_null(strstr(err, "goes over a task's examples again"));
    assert_false(is_there("b.perdure"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_rows_and_orders_of_columns_are_alike),
        cmocka_unit_test(a_life),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, enter, program_leave);
}
