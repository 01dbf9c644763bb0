/* test_teach.c -- a learner on the command line: a whole life, and what is refused. */
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
    assert_non_null(strstr(err, "\nkappa 0."));
    assert_non_null(strstr(err, ", kappa-T 0."));
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
    runf(0, "log %s", at("a.perdure"));
    assert_non_null(strstr(out, "adapted\n")); /* what was done stays done */
    assert_non_null(strstr(out, "rollback half\n"));
    assert_string_equal(hash, then);
    runf(0, "show %s", at("a.perdure"));
    assert_non_null(
        strstr(out, "classes      3, with room for 4\n             red, blue, green\n"));
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
        {"x,y,kind\n1,two,red\n", ":2: column 'y': 'two' is not a number"},
        {"x,y,kind\n1,2\n", ":2: has 2 cells; the header has 3"},
        {"x,y,kind\n1,,red\n", ":2: column 'y': '' is empty; fill it, or make the learner with"},
        {"x,y,kind\n1,nan,red\n", ":2: column 'y': 'nan' is not a finite 32-bit number; mend"},
        {"x,y,x,kind\n1,2,1,red\n", ":1: column 'x' is there twice"},
        {"id,kind\n,red\n", ":2: has no id; a label alone needs one"},
        {"id,y,kind\na,1,red\n", ":1: the learner's features x have no column"},
        {"x,y,kind\n1,2,\n", ":2: column 'kind': '' is no label"},
        {"\n{\"x\": 1, \"kind\": \"red\"}\n", ":2: the features y are missing"},
        {"{\"x\": 1, \"y\": null, \"kind\": \"red\"}\n", ":1: the features y are missing"},
        {"{\"kind\": \"red\"}\n", ":1: the features x, y are missing"},
        {"{\"x\": 1, \"y\": 2}\n", ":1: \"kind\": is missing"},
        {"{\"x\": 1, \"y\": 2, \"kind\": {}}\n", ":1: \"kind\": is not a name"},
        {"{\"x\": 1, \"y\": \"2\", \"kind\": \"red\"}\n", ":1: \"y\": is not a finite number"},
        {"{\"x\": 1, \"x\": 2}\n", ":1:"},
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

/* What was good is learned, whatever the size of a commit. */
static void rows_before_a_bad_one_are_learned(void **state)
{
    (void)state;
    char hash[3][17];
    static const char bad[] = "x,y,kind\n1,2,red\n3,4,blue\n5,6,white\n1,two,red\n9,9,red\n";
    put_text("bad", bad);
    put_text("good", "x,y,kind\n1,2,red\n3,4,blue\n5,6,white\n");
    for (int i = 0; i < 3; i++) {
        init();
        runf(i < 2 ? 2 : 0, "learn %s %s --commit %d", at("a.perdure"), at(i < 2 ? "bad" : "good"),
             i + 1);
        if (i < 2) assert_non_null(strstr(err, ":5: column 'y': 'two' is not a number"));
        get_hash(hash[i]);
    }
    assert_string_equal(hash[0], hash[2]);
    assert_string_equal(hash[1], hash[2]);
    put_text("bad", "x,y,kind\n1,2,a\n1,2,b\n");
    runf(2, "learn %s %s", at("a.perdure"), at("bad"));
    assert_non_null(strstr(err, "class 'b': there may be 4 classes"));
}

/* ---- what a row may lack, and have too much of ------------------------------------------------
 */

static void unknown_columns_are_passed_over_and_told_once(void **state)
{
    (void)state;
    char first[17], hash[17];
    init();
    put_text("plain.csv", "x,y,kind\n1,2,red\n3,4,blue\n");
    runf(0, "learn %s %s", at("a.perdure"), at("plain.csv"));
    assert_null(strstr(err, "caution"));
    get_hash(first);
    static const char *const more[] = {
        "x,note,y,kind,\"a\nb\"\n1,hm,2,red,1\n3,,4,blue,2\n",
        "{\"x\":1,\"y\":2,\"kind\":\"red\",\"note\":[],\"a\\nb\":{}}\n"
        "{\"note\":null,\"kind\":\"blue\",\"y\":4,\"x\":3}\n"};
    for (int i = 0; i < 2; i++) {
        init();
        put_text("more", more[i]);
        runf(0, "learn %s %s --commit 1", at("a.perdure"), at("more"));
        const char *told = strstr(err, "no feature of the learner's, passed over: note, a\\x0ab\n");
        assert_non_null(told);
        assert_null(strstr(told + 1, "caution"));
        get_hash(hash);
        assert_string_equal(hash, first);
    }
}

static void init_with(const char *set)
{
    remove(at("a.perdure"));
    runf(0, "init %s %s --set %s", at("a.perdure"), at("clusters.yaml"), set);
}

/* The running mean is that of what was learned before the row, not of what was read. */
static void what_is_missing_is_as_the_recipe_says(void **state)
{
    (void)state;
    char hash[2][17];
    put_text("gaps.csv", "x,y,kind\n1,2,red\n3,,blue\n5,6,red\n,6,red\n");
    put_text("gaps.json", "{\"x\":1,\"y\":2,\"kind\":\"red\"}\n{\"x\":3,\"kind\":\"blue\"}\n"
                          "{\"x\":5,\"y\":6,\"kind\":\"red\"}\n"
                          "{\"x\":null,\"y\":6,\"kind\":\"red\"}\n");
    put_text("mean.csv", "x,y,kind\n1,2,red\n3,2,blue\n5,6,red\n3,6,red\n");
    put_text("zero.csv", "x,y,kind\n1,2,red\n3,0,blue\n5,6,red\n0,6,red\n");
    put_text("drop.csv", "x,y,kind\n1,2,red\n5,6,red\n");
    for (int m = 0; m < 3; m++) {
        static const char *const ways[] = {"mean", "zero", "drop"};
        char set[40], whole[16];
        snprintf(set, sizeof set, "data.missing=%s", ways[m]);
        snprintf(whole, sizeof whole, "%s.csv", ways[m]);
        init_with(set);
        runf(0, "learn %s %s", at("a.perdure"), at(whole));
        get_hash(hash[0]);
        for (int i = 0; i < 4; i++) {
            init_with(set);
            runf(0, "learn %s %s --commit %d", at("a.perdure"),
                 at(i % 2 ? "gaps.json" : "gaps.csv"), i < 2 ? 1 : 1000);
            assert_int_equal(strstr(err, "caution: 2 rows with a value missing") != NULL, m == 2);
            get_hash(hash[1]);
            assert_string_equal(hash[1], hash[0]);
        }
        runf(m == 2 ? 2 : 0, "predict %s %s", at("a.perdure"), at("gaps.csv"));
    }
    init_with("data.missing=zero");
    put_text("half.csv2", "y,kind\n2,red\n");
    runf(0, "learn %s %s", at("a.perdure"), at("half.csv2")); /* a whole column */
}

/* A column of words is a feature for each of them, in a table and in JSON. */
static void categories_go_by_name(void **state)
{
    (void)state;
    char recipe[600], hash[2][17];
    put_text("cat.csv", "size,colour,kind\n1,red,a\n2,blue,b\n3,red,b\n");
    put_text("cat.json", "{\"colour\":\"red\",\"kind\":\"a\",\"size\":1}\n"
                         "{\"size\":2,\"colour\":\"blue\",\"kind\":\"b\"}\n"
                         "{\"kind\":\"b\",\"size\":3,\"colour\":\"red\"}\n");
    snprintf(recipe, sizeof recipe,
             "data: {train: %s/cat.csv, label: kind, categorical: colour, test_fraction: 0}\n"
             "method: finetune\n",
             folder);
    put_text("cat.yaml", recipe);
    for (int i = 0; i < 2; i++) {
        remove(at("a.perdure"));
        runf(0, "init %s %s", at("a.perdure"), at("cat.yaml"));
        runf(0, "learn %s %s", at("a.perdure"), at(i ? "cat.json" : "cat.csv"));
        get_hash(hash[i]);
    }
    assert_string_equal(hash[0], hash[1]);
    put_text("bad", "{\"size\":2,\"colour\":\"green\",\"kind\":\"b\"}\n");
    runf(2, "learn %s %s", at("a.perdure"), at("bad"));
    assert_non_null(strstr(err, ":1: \"colour\": is no category that the learner knows"));
}

/* ---- labels that come later
 * ---------------------------------------------------------------------- */

static void labels_come_by_id(void **state)
{
    (void)state;
    char plain[PROGRAM_TEXT], show[64];
    init();
    runf(0, "learn %s %s", at("a.perdure"), at("half.csv"));
    put_text("ask.csv", "y,id,x\n0.5,a,0.5\n2.5,b,3.5\n4.5,c,6.5\n");
    runf(0, "predict %s %s --id ''", at("a.perdure"), at("ask.csv"));
    assert_memory_equal(out, "class,probability\n", 18);
    memcpy(plain, out, sizeof plain);
    runf(0, "predict %s %s", at("a.perdure"), at("ask.csv"));
    assert_memory_equal(out, "id,class,probability\na,red,", 27);
    for (const char *p = plain, *q = out; (p = strchr(p, '\n')) && p[1]; p++) {
        q = strchr(q, '\n') + 1;
        assert_int_equal(strncmp(p + 1, strchr(q, ',') + 1, strcspn(p + 1, "\n")), 0);
    }
    runf(0, "show %s", at("a.perdure"));
    assert_non_null(strstr(out, "labels       3 to come, for the ids of the last 1000 asked"));
    put_text("late.json",
             "{\"id\": \"b\", \"kind\": \"green\"}\n{\"id\": \"z\", \"kind\": \"red\"}\n"
             "{\"id\": \"b\", \"kind\": \"green\"}\n{\"id\": \"a\", \"kind\": \"red\"}\n");
    runf(0, "learn %s %s", at("a.perdure"), at("late.json"));
    assert_non_null(strstr(err, "caution: 2 labels of ids that do not wait passed over, the first "
                                "of 'z'\n"));
    runf(0, "show %s --json", at("a.perdure"));
    snprintf(show, sizeof show, "\"examples\": %d", ROWS / 2 + 2);
    assert_non_null(strstr(out, show));
    assert_non_null(strstr(out, "\"asked\": 1"));
    put_text("late.csv", "kind,id\nblue,c\n");
    runf(0, "learn %s %s --id id", at("a.perdure"), at("late.csv"));
    assert_null(strstr(err, "caution"));
    runf(0, "show %s --json", at("a.perdure"));
    assert_non_null(strstr(out, "\"asked\": 0"));
    runf(0, "log %s", at("a.perdure"));
    assert_non_null(strstr(out, "asked"));
    runf(2, "learn %s %s --id number", at("a.perdure"), at("late.csv"));
    assert_non_null(strstr(err, "there is no column 'number' for ids"));
    runf(2, "eval %s %s", at("a.perdure"), at("late.csv"));
    runf(0, "learn %s %s --only none", at("a.perdure"), at("half.csv"));
    assert_non_null(strstr(err, "caution: there was nothing to learn"));
    runf(2, "adapt %s %s", at("a.perdure"), at("all.csv"));
    assert_non_null(strstr(err, "there are more than 256 examples; adapt is for a few"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_rows_and_orders_of_columns_are_alike),
        cmocka_unit_test(a_life),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(rows_before_a_bad_one_are_learned),
        cmocka_unit_test(unknown_columns_are_passed_over_and_told_once),
        cmocka_unit_test(what_is_missing_is_as_the_recipe_says),
        cmocka_unit_test(categories_go_by_name),
        cmocka_unit_test(labels_come_by_id),
    };
    return cmocka_run_group_tests(tests, enter, program_leave);
}
