/* test_learner.c -- the learner file: what it learns, keeps and gives back. */
#include <math.h>
#include <perdure/learner.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "learner/learner.h"
#include "t.h"
#include "t_data.h"

enum { WIDTH = 3, ROWS = 200 };

static float xs[ROWS][WIDTH];
static const char *labels[ROWS];
static bool normalises = true;

static int enter(void **state)
{
    static const char *const names[] = {"red", "green", "blue"};
    for (int i = 0; i < ROWS; i++) {
        int c = (i * i + i / 7) % 3;
        for (int k = 0; k < WIDTH; k++)
            xs[i][k] = (float)(10 * (k == c)) + (float)(i * 13 % 17) / 5;
        labels[i] = names[c];
    }
    return t_make_folder(state);
}

static pdr_example example(int i) { return (pdr_example){.x = xs[i], .label = labels[i]}; }

static void read_recipe(pdr_recipe *r, const char *method, int batch)
{
    char text[600];
    pdr_error err = PDR_NO_ERROR;
    snprintf(text, sizeof text,
             "data: {train: none.csv}\nmodel: [{layer: dense, units: 8}, {layer: relu}]\n"
             "method: %s\noptimizer: {name: sgd, rate: 0.05}\ntraining: {batch: %d}\n"
             "learner: {classes: 4, most_classes: 4, most_tasks: 16, window: 50, normalise: %s}\n",
             method, batch, normalises ? "true" : "false");
    if (pdr_recipe_parse(NULL, "colours.yaml", text, strlen(text), 0, NULL, r, &err))
        fail_msg("%s", err.text);
}

static pdr_learner *create(const char *path, const char *method, int batch)
{
    static char *features[] = {"r", "g", "b"};
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH), .feature_name = features};
    read_recipe(&r, method, batch);
    remove(path);
    if (pdr_learner_create(path, &r, &like, 7, NULL, &l, &err)) fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    return l;
}

static pdr_learner *reopen(const char *path)
{
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_open(path, NULL, &l, &err)) fail_msg("%s", err.text);
    return l;
}

static void learn(pdr_learner *l, int from, int to, int at_once)
{
    pdr_example e[ROWS];
    pdr_error err = PDR_NO_ERROR;
    for (int i = from; i < to; i++) e[i] = example(i);
    for (int i = from; i < to; i += at_once) {
        int n = to - i < at_once ? to - i : at_once;
        if (pdr_learner_learn(l, (size_t)n, e + i, &err)) fail_msg("%s", err.text);
    }
}

static void close_learner(pdr_learner *l)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_close(l, &err)) fail_msg("%s", err.text);
}

static const char *const methods[] = {"finetune", "er", "er"};
static const int batches[] = {1, 7};

/* ---- what it learns ---------------------------------------------------------------------- */

static void one_by_one_is_in_bulk(void **state)
{
    (void)state;
    for (size_t m = 0; m < 3; m++)
        for (size_t b = 0; b < 2; b++) {
            uint64_t hash[3];
            static const int at_once[] = {1, 10, ROWS};
            for (int k = 0; k < 3; k++) {
                pdr_learner *l = create(t_path("a.perdure"), methods[m], batches[b]);
                learn(l, 0, ROWS, at_once[k]);
                hash[k] = pdr_learner_state_hash(l);
                assert_int_equal(pdr_learner_examples(l), ROWS);
                assert_int_equal(pdr_learner_waiting(l), ROWS % batches[b]);
                close_learner(l);
            }
            assert_int_equal(hash[0], hash[1]);
            assert_int_equal(hash[0], hash[2]);
        }
}

static void it_learns_and_answers(void **state)
{
    (void)state;
    float p[4];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 1);
    assert_int_equal(pdr_learner_classes(l), 0);
    learn(l, 0, ROWS, 20);
    assert_int_equal(pdr_learner_classes(l), 3);
    int right = 0;
    for (int i = 0; i < ROWS; i++) {
        int best = 0;
        assert_int_equal(pdr_learner_predict(l, 1, xs[i], NULL, p, &err), PDR_OK);
        for (int c = 0; c < 4; c++)
            if (p[c] > p[best]) best = c;
        assert_true(fabs((double)(p[0] + p[1] + p[2]) - 1) < 1e-6);
        assert_true(p[3] == 0); /* no class has it */
        right += !strcmp(pdr_learner_class(l, best), labels[i]);
    }
    assert_true(right > ROWS * 9 / 10);
    pdr_score s = pdr_learner_score(l), test;
    assert_int_equal(s.n, ROWS);
    assert_true(s.accuracy > 0.7 && s.recent >= s.accuracy && s.kappa > 0.5 && s.loss > 0);
    pdr_example e = example(0);
    assert_int_equal(pdr_learner_evaluate(l, 1, &e, false, &test, &err), PDR_OK);
    assert_int_equal(test.n, 1);
    close_learner(l);
}

static void answers_do_not_depend_on_their_batch(void **state)
{
    (void)state;
    static float all[ROWS * 4], one[4];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 7);
    learn(l, 0, ROWS, 20);
    uint64_t hash = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_predict(l, ROWS, xs[0], NULL, all, &err), PDR_OK);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(pdr_learner_predict(l, 1, xs[i], NULL, one, &err), PDR_OK);
        assert_memory_equal(one, all + (size_t)i * 4, sizeof one);
    }
    assert_int_equal(pdr_learner_state_hash(l), hash); /* and nothing was learned */
    close_learner(l);
}

/* ---- what it keeps ------------------------------------------------------------------------- */

static void closing_and_opening_change_nothing(void **state)
{
    (void)state;
    for (size_t m = 0; m < 3; m++)
        for (size_t b = 0; b < 2; b++) {
            pdr_learner *l = create(t_path("a.perdure"), methods[m], batches[b]);
            learn(l, 0, ROWS, 10);
            uint64_t whole = pdr_learner_state_hash(l);
            close_learner(l);
            l = create(t_path("a.perdure"), methods[m], batches[b]);
            for (int i = 0; i < ROWS; i += 50) {
                learn(l, i, i + 50, 10);
                uint64_t hash = pdr_learner_state_hash(l);
                close_learner(l);
                l = reopen(t_path("a.perdure"));
                assert_int_equal(pdr_learner_state_hash(l), hash);
            }
            assert_int_equal(pdr_learner_state_hash(l), whole);
            close_learner(l);
        }
}

/* The process ends without a word: what was acknowledged is in the journal alone. */
static void a_killed_process_loses_nothing(void **state)
{
    (void)state;
    pdr_learner *l = create(t_path("a.perdure"), "er", 7);
    learn(l, 0, ROWS, 10);
    uint64_t whole = pdr_learner_state_hash(l);
    close_learner(l);
    close_learner(create(t_path("a.perdure"), "er", 7));
    for (int i = 0; i < ROWS; i += 50) {
        pid_t child = fork();
        if (child == 0) {
            l = reopen(t_path("a.perdure"));
            learn(l, i, i + 50, 10);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    l = reopen(t_path("a.perdure"));
    assert_int_equal(pdr_learner_state_hash(l), whole);
    close_learner(l);
}

static void a_snapshot_comes_back_to_the_bit(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 7);
    learn(l, 0, 100, 10);
    uint64_t then = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_snapshot(l, "half", &err), PDR_OK);
    learn(l, 100, ROWS, 10);
    uint64_t later = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_rollback(l, "half", &err), PDR_OK);
    assert_int_equal(pdr_learner_state_hash(l), then);
    learn(l, 100, ROWS, 50);
    assert_int_equal(pdr_learner_state_hash(l), later);
    close_learner(l);
    l = reopen(t_path("a.perdure"));
    assert_int_equal(pdr_learner_state_hash(l), later);
    assert_int_not_equal(pdr_learner_rollback(l, "no such", &err), PDR_OK);
    close_learner(l);
}

static void a_new_class_is_learned_from_a_few(void **state)
{
    (void)state;
    float p[4], x[3][WIDTH] = {{30, 30, 30}, {31, 29, 30}, {30, 31, 32}};
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 1);
    learn(l, 0, ROWS, 20);
    pdr_example few[3];
    for (int i = 0; i < 3; i++) few[i] = (pdr_example){.x = x[i], .label = "white"};
    assert_int_equal(pdr_learner_adapt(l, 3, few, &err), PDR_OK);
    assert_int_equal(pdr_learner_classes(l), 4);
    assert_int_equal(pdr_learner_predict(l, 1, (float[]){30, 30, 31}, NULL, p, &err), PDR_OK);
    assert_true(p[3] > 0.5f);
    uint64_t hash = pdr_learner_state_hash(l);
    few[0].label = "black";
    assert_int_equal(pdr_learner_adapt(l, 1, few, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "there may be 4 classes"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    close_learner(l);
}

static void tasks_have_answers_of_their_own(void **state)
{
    (void)state;
    float p[4];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 1);
    for (int i = 0; i < ROWS; i++) {
        pdr_example e = example(i);
        e.task = strcmp(e.label, "blue") ? "warm" : "cold";
        assert_int_equal(pdr_learner_learn(l, 1, &e, &err), PDR_OK);
    }
    assert_int_equal(pdr_learner_tasks(l), 2);
    int blue = !strcmp(pdr_learner_class(l, 0), "blue")   ? 0
               : !strcmp(pdr_learner_class(l, 1), "blue") ? 1
                                                          : 2;
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], "cold", p, &err), PDR_OK);
    assert_true(p[blue] == 1);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], "hot", p, &err), PDR_INPUT);
    close_learner(l);
}

/* ---- what it refuses ------------------------------------------------------------------------ */

static void a_batch_that_diverges_is_left_out(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    float huge[WIDTH] = {3e38f, -3e38f, 3e38f};
    normalises = false;
    pdr_learner *l = create(t_path("a.perdure"), "finetune", 1);
    normalises = true;
    learn(l, 0, 50, 10);
    float p[4], q[4];
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, p, &err), PDR_OK);
    pdr_rc rc = pdr_learner_learn(l, 1, &(pdr_example){.x = huge, .label = "red"}, &err);
    assert_int_equal(rc, PDR_DIVERGED);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, q, &err), PDR_OK);
    assert_memory_equal(p, q, sizeof p);
    learn(l, 50, 100, 10);
    uint64_t hash = pdr_learner_state_hash(l);
    close_learner(l);
    l = reopen(t_path("a.perdure"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    close_learner(l);
}

static void bad_examples_leave_it_as_it_was(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create(t_path("a.perdure"), "er", 7);
    learn(l, 0, 10, 10);
    uint64_t hash = pdr_learner_state_hash(l);
    float bad[WIDTH] = {0, NAN, 0};
    pdr_example e[2] = {example(0), {.x = bad, .label = "red"}};
    assert_int_equal(pdr_learner_learn(l, 2, e, &err), PDR_INPUT);
    e[1] = (pdr_example){.x = xs[0], .label = ""};
    assert_int_equal(pdr_learner_learn(l, 2, e, &err), PDR_INPUT);
    assert_int_equal(pdr_learner_state_hash(l), hash);
    close_learner(l);
}

/* What is in the journal is learned whenever the file is opened: what cannot be learned must
 * not come in. */
static void tasks_without_room_are_refused_before_they_are_kept(void **state)
{
    (void)state;
    char name[17][8];
    pdr_error err = PDR_NO_ERROR;
    pdr_example e[17];
    pdr_learner *l = create(t_path("a.perdure"), "er", 7);
    for (int i = 0; i < 17; i++) {
        snprintf(name[i], sizeof name[i], "t%d", i);
        e[i] = example(i);
        e[i].task = name[i];
    }
    uint64_t hash = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_learn(l, 17, e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "task 't16': there may be 16 tasks"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    assert_int_equal(pdr_learner_learn(l, 16, e, &err), PDR_OK);
    assert_int_equal(pdr_learner_learn(l, 1, e + 16, &err), PDR_INPUT);
    assert_int_equal(pdr_learner_learn(l, 1, e + 15, &err), PDR_OK);
    hash = pdr_learner_state_hash(l);
    close_learner(l);
    l = reopen(t_path("a.perdure"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    close_learner(l);
}

static void targets_are_learned_and_must_be_finite(void **state)
{
    (void)state;
    static char *features[] = {"r", "g", "b"};
    char long_label[400];
    float target = 1, bad = INFINITY, y;
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH), .feature_name = features, .targets = 1};
    memset(long_label, 'x', sizeof long_label - 1);
    long_label[sizeof long_label - 1] = 0;
    read_recipe(&r, "er", 2);
    remove(t_path("a.perdure"));
    if (pdr_learner_create(t_path("a.perdure"), &r, &like, 7, NULL, &l, &err))
        fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    pdr_example e[] = {{.x = xs[0], .target = &target, .label = long_label},
                       {.x = xs[1], .target = &bad}};
    assert_int_equal(pdr_learner_learn(l, 2, e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "example 1: target 0 is not finite"));
    for (int i = 0; i < 21; i++) assert_int_equal(pdr_learner_learn(l, 1, e, &err), PDR_OK);
    uint64_t hash = pdr_learner_state_hash(l);
    close_learner(l);
    l = reopen(t_path("a.perdure"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, &y, &err), PDR_OK);
    assert_true(fabsf(y - 1) < 0.5f);
    close_learner(l);
}

/* The entry is in the journal; that its batch diverged is not. */
static void a_process_may_end_before_it_has_noted_that_a_batch_diverged(void **state)
{
    (void)state;
    uint64_t hash[2];
    float huge[WIDTH] = {3e38f, -3e38f, 3e38f};
    pdr_example e[3] = {example(50), {.x = huge, .label = "red"}, example(51)};
    for (int k = 0; k < 2; k++) {
        void *bytes = NULL;
        size_t size;
        pdr_error err = PDR_NO_ERROR;
        normalises = false;
        pdr_learner *l = create(t_path("a.perdure"), "finetune", 1);
        normalises = true;
        learn(l, 0, 50, 10);
        if (k == 0) {
            assert_int_equal(pdr_learner_learn(l, 3, e, &err), PDR_DIVERGED);
        } else {
            assert_int_equal(pdi_entry_write(l, PDI_ENTRY_LEARN, 3, e, &bytes, &size, &err),
                             PDR_OK);
            assert_int_equal(pdi_store_begin(l->store, PDI_STORE_WRITE, &err), PDR_OK);
            assert_int_equal(pdi_store_append(l->store, bytes, size, NULL, &err), PDR_OK);
            assert_int_equal(pdi_store_commit(l->store, &err), PDR_OK);
            pdi_free(l->alloc, bytes);
        }
        close_learner(l);
        l = reopen(t_path("a.perdure"));
        assert_int_equal(pdr_learner_examples(l), 53);
        learn(l, 60, 100, 10);
        hash[k] = pdr_learner_state_hash(l);
        close_learner(l);
    }
    assert_int_equal(hash[0], hash[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one_is_in_bulk),
        cmocka_unit_test(it_learns_and_answers),
        cmocka_unit_test(answers_do_not_depend_on_their_batch),
        cmocka_unit_test(closing_and_opening_change_nothing),
        cmocka_unit_test(a_killed_process_loses_nothing),
        cmocka_unit_test(a_snapshot_comes_back_to_the_bit),
        cmocka_unit_test(a_new_class_is_learned_from_a_few),
        cmocka_unit_test(tasks_have_answers_of_their_own),
        cmocka_unit_test(a_batch_that_diverges_is_left_out),
        cmocka_unit_test(bad_examples_leave_it_as_it_was),
        cmocka_unit_test(tasks_without_room_are_refused_before_they_are_kept),
        cmocka_unit_test(targets_are_learned_and_must_be_finite),
        cmocka_unit_test(a_process_may_end_before_it_has_noted_that_a_batch_diverged),
    };
    return cmocka_run_group_tests(tests, enter, t_remove_folder);
}
