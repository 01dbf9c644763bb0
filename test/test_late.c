/* test_late.c -- labels that come later: asked by id, kept in the file, learned when told. */
#include <math.h>
#include <perdure/learner.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"
#include "t_data.h"

enum { WIDTH = 3, ROWS = 120, OUTPUTS = 4 };

static float xs[ROWS][WIDTH];
static const char *labels[ROWS];
static char ids[ROWS][16];

static int enter(void **state)
{
    static const char *const names[] = {"red", "green", "blue"};
    for (int i = 0; i < ROWS; i++) {
        int c = (i * i + i / 7) % 3;
        for (int k = 0; k < WIDTH; k++)
            xs[i][k] = (float)(10 * (k == c)) + (float)(i * 13 % 17) / 5;
        labels[i] = names[c];
        snprintf(ids[i], sizeof ids[i], "order-%d", i);
    }
    return t_make_folder(state);
}

static pdr_learner *create(const char *name, const char *method, int batch, const char *more)
{
    static char *features[] = {"r", "g", "b"};
    char text[600];
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    bool real = strstr(more, "mse");
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH), .feature_name = features, .targets = real};
    snprintf(text, sizeof text,
             "data: {train: none.csv}\nmodel: [{layer: dense, units: 8}, {layer: relu}]\n"
             "method: %s\noptimizer: {name: sgd, rate: 0.05}\ntraining: {batch: %d}\n"
             "learner: {classes: 4, window: 50%s}\n",
             method, batch, real ? "" : more);
    if (pdr_recipe_parse(NULL, "late.yaml", text, strlen(text), 0, NULL, &r, &err))
        fail_msg("%s", err.text);
    remove(t_path(name));
    if (pdr_learner_create(t_path(name), &r, &like, 7, NULL, &l, &err)) fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    return l;
}

static pdr_learner *reopen(const char *name)
{
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_open(t_path(name), NULL, &l, &err)) fail_msg("%s", err.text);
    return l;
}

static void close_learner(pdr_learner *l)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_close(l, &err)) fail_msg("%s", err.text);
}

static void ask(pdr_learner *l, int from, int to, float score[])
{
    pdr_example e[ROWS];
    pdr_error err = PDR_NO_ERROR;
    for (int i = from; i < to; i++) e[i] = (pdr_example){.x = xs[i], .id = ids[i]};
    if (pdr_learner_ask(l, (size_t)(to - from), e + from, score, &err)) fail_msg("%s", err.text);
}

/* The labels of from .. to; late: by id alone. */
static void tell(pdr_learner *l, int from, int to, bool late)
{
    pdr_error err = PDR_NO_ERROR;
    for (int i = from; i < to; i++) {
        pdr_example e = {.x = late ? NULL : xs[i], .label = labels[i], .id = late ? ids[i] : NULL};
        if (pdr_learner_learn(l, 1, &e, &err)) fail_msg("%s", err.text);
    }
}

typedef struct tensors {
    float v[4000];
    size_t n;
} tensors;

static pdr_rc take_tensor(void *ctx, const char *name, const pdr_shape *shape, const float *value)
{
    tensors *t = ctx;
    size_t n = (size_t)pdr_shape_size(shape);
    (void)name;
    assert_true(t->n + n <= COUNT(t->v));
    memcpy(t->v + t->n, value, n * sizeof *value);
    t->n += n;
    return PDR_OK;
}

static void it_is_learned_as_if_it_had_come_whole(void **state)
{
    (void)state;
    static const char *const methods[] = {"finetune", "er", "der++"};
    for (size_t m = 0; m < COUNT(methods); m++)
        for (int batch = 1; batch <= 7; batch += 6) {
            static tensors whole, late;
            static float score[ROWS * OUTPUTS];
            whole.n = late.n = 0;
            pdr_learner *l = create("a.perdure", methods[m], batch, "");
            tell(l, 0, ROWS, false);
            pdr_learner_tensors(l, take_tensor, &whole);
            close_learner(l);
            l = create("a.perdure", methods[m], batch, "");
            for (int i = 0; i < ROWS; i += 30) {
                ask(l, i, i + 30, score);
                tell(l, i, i + 30, true);
            }
            assert_int_equal(pdr_learner_examples(l), ROWS);
            assert_int_equal(pdr_learner_asked(l, NULL), 0);
            pdr_learner_tensors(l, take_tensor, &late);
            assert_int_equal(late.n, whole.n);
            assert_memory_equal(late.v, whole.v, whole.n * sizeof *whole.v);
            close_learner(l);
        }
}

static void what_is_asked_is_answered_as_ever(void **state)
{
    (void)state;
    static float asked[ROWS * OUTPUTS], answered[ROWS * OUTPUTS];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("a.perdure", "er", 7, "");
    ask(l, 0, 1, asked);
    for (int c = 0; c < OUTPUTS; c++) assert_true(asked[c] == 0); /* nothing is known */
    tell(l, 0, 50, false);
    assert_int_equal(pdr_learner_predict(l, ROWS, xs[0], NULL, answered, &err), PDR_OK);
    ask(l, 0, ROWS, asked);
    assert_memory_equal(asked, answered, sizeof asked);
    assert_int_equal(pdr_learner_examples(l), 50);
    close_learner(l);
}

/* The score is that of the answer that was given, however much was learned since. */
static void the_score_is_of_the_answer_given(void **state)
{
    (void)state;
    float score[ROWS * OUTPUTS];
    pdr_learner *l = create("a.perdure", "er", 1, "");
    ask(l, 0, 30, score); /* before any class is known: all wrong */
    tell(l, 30, ROWS, false);
    pdr_score before = pdr_learner_score(l);
    tell(l, 0, 30, true);
    pdr_score after = pdr_learner_score(l);
    assert_int_equal(after.n, before.n + 30);
    assert_true(fabs(after.accuracy * (double)after.n - before.accuracy * (double)before.n) < 1e-6);
    double loss = after.loss * (double)after.n - before.loss * (double)before.n;
    assert_true(fabs(loss - 30 * log(OUTPUTS)) < 1e-9); /* a guess among all outputs */

    ask(l, 0, 30, score); /* now it knows; and what it said is what counts */
    double right = 0;
    loss = 0;
    for (int i = 0; i < 30; i++) {
        const float *p = score + (size_t)i * OUTPUTS;
        int best = 0, is = 0;
        for (int c = 0; c < 3; c++) {
            if (p[c] > p[best]) best = c;
            if (!strcmp(pdr_learner_class(l, c), labels[i])) is = c;
        }
        right += best == is;
        loss -= log((double)p[is]);
    }
    tell(l, 0, 30, true);
    pdr_score last = pdr_learner_score(l);
    double got = last.accuracy * (double)last.n - after.accuracy * (double)after.n;
    assert_true(fabs(got - right) < 1e-6 && right > 25);
    got = last.loss * (double)last.n - after.loss * (double)after.n;
    assert_true(fabs(got - loss) < 1e-4);
    close_learner(l);
}

/* Closed, killed, gone back to: what waits is state. */
static void what_waits_survives(void **state)
{
    (void)state;
    float score[ROWS * OUTPUTS];
    uint64_t hash[3];
    pdr_error err = PDR_NO_ERROR;
    for (int k = 0; k < 3; k++) {
        pdr_learner *l = create("a.perdure", "er", 7, "");
        if (k == 2) close_learner(l);
        for (int i = 0; i < ROWS; i += 30) {
            int status = 0;
            pid_t child = k == 2 ? fork() : 0;
            if (child == 0) {
                if (k == 2) l = reopen("a.perdure");
                ask(l, i, i + 30, score);
                if (i >= 30) tell(l, i - 30, i - 15, true);
                if (k == 2) _exit(0);
            }
            if (child) assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
            if (k == 1) close_learner(l);
            if (k == 1) l = reopen("a.perdure");
        }
        if (k == 2) l = reopen("a.perdure");
        hash[k] = pdr_learner_state_hash(l);
        assert_int_equal(pdr_learner_asked(l, NULL), 30 + 3 * 15);
        assert_true(pdr_learner_awaits(l, ids[ROWS - 1]));
        assert_int_equal(pdr_learner_snapshot(l, "s", &err), PDR_OK);
        tell(l, 90, ROWS, true);
        assert_int_not_equal(pdr_learner_state_hash(l), hash[k]);
        assert_int_equal(pdr_learner_rollback(l, "s", &err), PDR_OK);
        assert_int_equal(pdr_learner_state_hash(l), hash[k]);
        assert_true(pdr_learner_awaits(l, ids[ROWS - 1]));
        close_learner(l);
    }
    assert_int_equal(hash[0], hash[1]);
    assert_int_equal(hash[0], hash[2]);
}

static void what_does_not_wait_is_refused(void **state)
{
    (void)state;
    float score[2 * OUTPUTS];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("a.perdure", "er", 1, "");
    ask(l, 0, 2, score);
    tell(l, 0, 1, true);
    uint64_t hash = pdr_learner_state_hash(l);
    const struct {
        pdr_example e[2];
        const char *want;
    } rows[] = {
        {{{.label = "red", .id = ids[0]}, {.x = xs[0], .label = "red"}}, "id 'order-0' does not"},
        {{{.x = xs[0], .label = "red"}, {.label = "red", .id = "never"}}, "1: id 'never' does not"},
        {{{.label = "red", .id = ids[1]}, {.label = "red", .id = ids[1]}}, "1: id 'order-1' does"},
        {{{.label = "red"}, {.x = xs[0], .label = "red"}}, "0: has neither features nor an id"},
        {{{.label = "red", .id = ""}, {.x = xs[0], .label = "red"}}, "an id has 1 to 127 bytes"},
        {{{.id = ids[1]}, {.x = xs[0], .label = "red"}}, "0: needs a label"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        err = (pdr_error)PDR_NO_ERROR;
        assert_int_equal(pdr_learner_learn(l, 2, rows[i].e, &err), PDR_INPUT);
        if (!strstr(err.text, rows[i].want)) fail_msg("%zu: %s", i, err.text);
        assert_int_equal(pdr_learner_state_hash(l), hash);
    }
    pdr_example e[2] = {{.x = xs[0], .id = "a"}, {.x = xs[1]}};
    assert_int_equal(pdr_learner_ask(l, 2, e, score, &err), PDR_INPUT);
    e[1] = (pdr_example){.x = xs[1], .id = "b", .task = "no such"};
    assert_int_equal(pdr_learner_ask(l, 2, e, score, &err), PDR_INPUT);
    e[1] = (pdr_example){.id = "b"};
    assert_int_equal(pdr_learner_ask(l, 2, e, score, &err), PDR_INPUT);
    assert_int_equal(pdr_learner_state_hash(l), hash);
    tell(l, 1, 2, true); /* it still does */
    close_learner(l);
}

static void an_id_asked_again_waits_anew(void **state)
{
    (void)state;
    float score[2 * OUTPUTS], one[OUTPUTS];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("a.perdure", "er", 1, ", asked: 3");
    tell(l, 0, 30, false);
    pdr_example e[2] = {{.x = xs[40], .id = "a"}, {.x = xs[41], .id = "a"}};
    assert_int_equal(pdr_learner_ask(l, 2, e, score, &err), PDR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pdr_learner_predict(l, 1, xs[40 + i], NULL, one, &err), PDR_OK);
        assert_memory_equal(score + (size_t)i * OUTPUTS, one, sizeof one);
    }
    uint64_t forgotten;
    assert_int_equal(pdr_learner_asked(l, &forgotten), 1);
    assert_int_equal(forgotten, 0);
    ask(l, 50, 52, score); /* the third and fourth asked */
    assert_true(pdr_learner_awaits(l, "a"));
    ask(l, 52, 53, score); /* in the place of the second */
    assert_false(pdr_learner_awaits(l, "a"));
    assert_int_equal(pdr_learner_asked(l, &forgotten), 3);
    assert_int_equal(forgotten, 1);
    pdr_example whole = {.x = xs[50], .label = labels[50], .id = ids[50]};
    assert_int_equal(pdr_learner_learn(l, 1, &whole, &err), PDR_OK); /* features and all */
    assert_false(pdr_learner_awaits(l, ids[50]));
    whole.id = "never asked";
    assert_int_equal(pdr_learner_learn(l, 1, &whole, &err), PDR_OK);
    assert_int_equal(pdr_learner_asked(l, NULL), 2);
    static float many[4 * OUTPUTS];
    pdr_example four[4];
    for (int i = 0; i < 4; i++) four[i] = (pdr_example){.x = xs[i], .id = ids[i]};
    assert_int_equal(pdr_learner_ask(l, 4, four, many, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "there is room for 3 (learner.asked)"));
    close_learner(l);
    l = reopen("a.perdure");
    assert_true(pdr_learner_awaits(l, ids[51]) && pdr_learner_awaits(l, ids[52]));
    close_learner(l);
}

static void targets_and_tasks_come_late_too(void **state)
{
    (void)state;
    float y[1], target[1] = {2};
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("a.perdure", "finetune", 1, "mse");
    pdr_example e = {.x = xs[0], .id = "a"};
    assert_int_equal(pdr_learner_ask(l, 1, &e, y, &err), PDR_OK);
    e = (pdr_example){.target = target, .id = "a"};
    assert_int_equal(pdr_learner_learn(l, 1, &e, &err), PDR_OK);
    pdr_score s = pdr_learner_score(l);
    assert_true(fabs(s.mae - fabs((double)y[0] - 2)) < 1e-6);
    close_learner(l);

    float score[OUTPUTS];
    l = create("a.perdure", "er", 1, "");
    e = (pdr_example){.x = xs[0], .label = "red", .task = "warm"};
    assert_int_equal(pdr_learner_learn(l, 1, &e, &err), PDR_OK);
    e = (pdr_example){.x = xs[1], .task = "warm", .id = "a"};
    assert_int_equal(pdr_learner_ask(l, 1, &e, score, &err), PDR_OK);
    assert_true(score[0] == 1); /* the task's only class */
    e = (pdr_example){.label = "pink", .id = "a"};
    assert_int_equal(pdr_learner_learn(l, 1, &e, &err), PDR_OK);
    assert_int_equal(pdr_learner_predict(l, 1, xs[1], "warm", score, &err), PDR_OK);
    assert_true(score[1] > 0); /* pink is of that task now */
    close_learner(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_learned_as_if_it_had_come_whole),
        cmocka_unit_test(what_is_asked_is_answered_as_ever),
        cmocka_unit_test(the_score_is_of_the_answer_given),
        cmocka_unit_test(what_waits_survives),
        cmocka_unit_test(what_does_not_wait_is_refused),
        cmocka_unit_test(an_id_asked_again_waits_anew),
        cmocka_unit_test(targets_and_tasks_come_late_too),
    };
    return cmocka_run_group_tests(tests, enter, t_remove_folder);
}
