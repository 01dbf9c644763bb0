/* test_grow.c -- a learner that is given more classes and tasks than it had room for. */
#include <perdure/learner.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "learner/learner.h"
#include "learner/piece.h"
#include "t.h"
#include "t_data.h"

enum { WIDTH = 4, ROWS = 240, CLASSES = 9, TASKS = 3 };

static float xs[ROWS][WIDTH];
static char names[CLASSES][8], tasks[TASKS][8];
static int label[ROWS];

/* Classes come one after the other, each thirty times and then among the others. */
static int enter(void **state)
{
    for (int c = 0; c < CLASSES; c++) snprintf(names[c], sizeof names[c], "class%d", c);
    for (int t = 0; t < TASKS; t++) snprintf(tasks[t], sizeof tasks[t], "task%d", t);
    for (int i = 0; i < ROWS; i++) {
        int newest = i / (ROWS / CLASSES + 1);
        label[i] = i % 3 ? newest : i * 7 % (newest + 1);
        for (int k = 0; k < WIDTH; k++)
            xs[i][k] = (float)((label[i] + 2) * (k + 3) * 5 % 11) + (float)(i * 13 % 17) / 40;
    }
    return t_make_folder(state);
}

static pdr_learner *try_to_create(const char *method, int batch, const char *room, pdr_error *err)
{
    char text[600];
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH)};
    snprintf(text, sizeof text,
             "data: {train: none.csv}\nmodel: [{layer: dense, units: 4}, {layer: relu}]\n"
             "method: {name: %s}\noptimizer: {name: adam, rate: 0.02}\n"
             "training: {batch: %d}\nlearner: {%s}\n",
             method, batch, room);
    if (pdr_recipe_parse(NULL, "grow.yaml", text, strlen(text), 0, NULL, &r, err))
        fail_msg("%s", err->text);
    remove(t_path("a.perdure"));
    pdr_learner_create(t_path("a.perdure"), &r, &like, 5, NULL, &l, err);
    pdr_recipe_close(&r);
    return l;
}

static pdr_learner *create(const char *method, int batch, const char *room)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = try_to_create(method, batch, room, &err);
    if (!l) fail_msg("%s", err.text);
    return l;
}

static pdr_learner *reopen(void)
{
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_open(t_path("a.perdure"), NULL, &l, &err)) fail_msg("%s", err.text);
    return l;
}

static void learn(pdr_learner *l, int from, int to, int at_once, bool with_tasks)
{
    pdr_example e[ROWS];
    pdr_error err = PDR_NO_ERROR;
    for (int i = from; i < to; i++)
        e[i] = (pdr_example){.x = xs[i],
                             .label = names[label[i]],
                             .task = with_tasks ? tasks[label[i] % TASKS] : NULL};
    for (int i = from; i < to; i += at_once) {
        int n = to - i < at_once ? to - i : at_once;
        if (pdr_learner_learn(l, (size_t)n, e + i, &err)) fail_msg("%s", err.text);
    }
}

static const char small[] = "classes: 1, tasks: 1, normalise: true";
static const char large[] = "classes: 16, tasks: 4, normalise: true";

/* Every method that a learner takes, with something to carry: optimizer, memory, copies. */
static void answers_are_the_same_to_the_bit(void **state)
{
    (void)state;
    int taken = 0;
    const pdr_kind *k;
    for (size_t m = 0; (k = pdr_kind_at(PDR_KIND_METHOD, m)) != NULL; m++) {
        float before[20], after[20];
        pdr_error err = PDR_NO_ERROR;
        pdr_learner *l = try_to_create(k->name, 3, "classes: 5, tasks: 1", &err);
        if (!l) continue;
        taken++;
        learn(l, 0, 60, 20, true);
        assert_int_equal(pdr_learner_end_task(l, &err), PDR_OK);
        learn(l, 60, 100, 20, true);
        int32_t outputs = pdr_learner_outputs(l), known = pdr_learner_classes(l);
        assert_int_equal(pdr_learner_predict(l, 1, xs[5], "task0", before, &err), PDR_OK);
        for (int32_t c = known; c <= outputs; c++) {
            char name[16];
            snprintf(name, sizeof name, "more%d", c);
            if (pdi_grow_for(l, name, "one more", &err)) fail_msg("%s: %s", k->name, err.text);
            if (c < outputs) assert_true(pdi_form_class(l, 0, name, &err) >= 0);
        }
        assert_int_equal(pdr_learner_outputs(l), 2 * outputs);
        assert_int_equal(pdr_learner_predict(l, 1, xs[5], "task0", after, &err), PDR_OK);
        if (memcmp(before, after, (size_t)outputs * sizeof *before))
            fail_msg("%s answers otherwise", k->name);
        for (int32_t c = outputs; c < 2 * outputs; c++) assert_true(after[c] == 0);
        learn(l, 100, ROWS, 20, true);
        assert_int_equal(pdr_learner_end_task(l, &err), PDR_OK);
        assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    }
    assert_true(taken >= 6);
}

static void a_learner_that_grew_learns_like_one_that_had_room(void **state)
{
    (void)state;
    double accuracy[2];
    for (int k = 0; k < 2; k++) {
        pdr_error err = PDR_NO_ERROR;
        pdr_score s;
        pdr_learner *l = create("er", 1, k ? large : small);
        for (int pass = 0; pass < 6; pass++) learn(l, 0, ROWS, 20, false);
        assert_int_equal(pdr_learner_classes(l), CLASSES);
        assert_int_equal(pdr_learner_outputs(l), 16);
        pdr_example e[ROWS];
        for (int i = 0; i < ROWS; i++) e[i] = (pdr_example){.x = xs[i], .label = names[label[i]]};
        assert_int_equal(pdr_learner_evaluate(l, ROWS, e, false, &s, &err), PDR_OK);
        accuracy[k] = s.accuracy;
        assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    }
    assert_true(accuracy[0] > 0.85 && accuracy[0] > accuracy[1] - 0.1);
}

/* One by one, in bulk, closed in between, killed in between: the same bits. */
static void growing_is_a_function_of_the_examples(void **state)
{
    (void)state;
    static const char *const methods[] = {"finetune", "er", "der++"};
    for (size_t m = 0; m < COUNT(methods); m++) {
        uint64_t hash[4];
        pdr_error err = PDR_NO_ERROR;
        for (int k = 0; k < 4; k++) {
            pdr_learner *l = create(methods[m], 4, small);
            for (int i = 0; k == 2 && i < ROWS; i += 40) {
                learn(l, i, i + 40, 8, true);
                assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
                l = reopen();
            }
            if (k == 3) {
                assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
                pid_t child = fork();
                int status;
                if (child == 0) {
                    learn(reopen(), 0, ROWS, 8, true);
                    _exit(0);
                }
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_int_equal(status, 0);
                l = reopen();
            }
            if (k < 2) learn(l, 0, ROWS, k ? ROWS : 1, true);
            assert_int_equal(pdr_learner_tasks(l), TASKS);
            hash[k] = pdr_learner_state_hash(l);
            assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
        }
        assert_int_equal(hash[0], hash[1]);
        assert_int_equal(hash[0], hash[2]);
        assert_int_equal(hash[0], hash[3]);
    }
}

/* A sample a class and task: its examples are where they belong in the larger memory. */
static void memories_keep_their_examples(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("er, per_class: 6", 1, "classes: 3, tasks: 2");
    learn(l, 0, 80, 10, true);
    pdi_memory *m = &l->trainer->memory;
    size_t held = m->held;
    uint64_t drawn = m->rng.counter;
    uint64_t sum = 0, then = 0;
    for (int32_t g = 0; g < m->groups; g++) sum += m->offered[g];
    assert_int_equal(sum, 80);
    while (pdr_learner_outputs(l) < 12)
        assert_int_equal(pdi_grow_for(l, names[pdr_learner_classes(l)], NULL, &err) ||
                             pdi_form_class(l, 0, names[pdr_learner_classes(l)], &err) < 0,
                         false);
    m = &l->trainer->memory;
    assert_int_equal(m->held, held);
    assert_true(drawn > 0);
    assert_int_equal(m->rng.counter, drawn);
    for (int32_t t = 0; t < l->form.task.most; t++)
        for (int32_t c = 0; c < m->classes; c++) {
            size_t g = (size_t)t * (size_t)m->classes + (size_t)c;
            then += m->offered[g];
            for (uint64_t k = 0; k < m->offered[g] && k < 6; k++) {
                assert_int_equal(m->label[m->slot[g * 6 + k]], c);
                assert_int_equal(m->task[m->slot[g * 6 + k]], t);
            }
        }
    assert_int_equal(then, 80);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
}

static void there_is_an_end_to_it(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("er", 1, "classes: 2, most_classes: 3, tasks: 0, most_tasks: 1");
    pdr_example e[3] = {{.x = xs[0], .label = "a", .task = "t"},
                        {.x = xs[1], .label = "b"},
                        {.x = xs[2], .label = "c"}};
    assert_int_equal(pdr_learner_learn(l, 3, e, &err), PDR_OK);
    assert_int_equal(pdr_learner_outputs(l), 3);
    uint64_t hash = pdr_learner_state_hash(l);
    e[1].label = "d";
    assert_int_equal(pdr_learner_learn(l, 2, e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "class 'd': there may be 3 classes"));
    err = (pdr_error)PDR_NO_ERROR;
    e[0].task = "u";
    assert_int_equal(pdr_learner_adapt(l, 1, e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "task 'u': there may be 1 tasks"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    e[0].task = NULL;
    assert_int_equal(pdr_learner_learn(l, 1, e, &err), PDR_OK);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
}

/* ---- memories past what 31 bits count ---------------------------------------------------- */

static void more_examples_than_a_memory_counts_are_refused_at_the_start(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    assert_null(try_to_create("er, per_class: 100000000", 3, "classes: 4, tasks: 5", &err));
    assert_int_equal(err.rc, PDR_INPUT);
    assert_string_equal(err.text, "grow: method.per_class: 100000000 examples of each class "
                                  "of each task (tasks: 6, classes: 4) are more than the "
                                  "2147483647 that a memory holds; give at most 89478485");
    assert_int_not_equal(access(t_path("a.perdure"), F_OK), 0);
}

/* 600 classes and 2,100 tasks at once: room for 1,024 and 4,096, each pair with 1,000 slots. */
static void a_memory_does_not_grow_past_what_it_counts(void **state)
{
    (void)state;
    enum { MANY = 2100, KINDS = 600 };
    static char name[MANY][8], kind[KINDS][8];
    static pdr_example e[MANY];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("er, per_class: 1000", 3,
                            "classes: 1, tasks: 0, most_classes: 5000, most_tasks: 5000");
    for (int i = 0; i < MANY; i++) {
        snprintf(name[i], sizeof name[i], "t%d", i);
        if (i < KINDS) snprintf(kind[i], sizeof kind[i], "c%d", i);
        e[i] = (pdr_example){.x = xs[0], .label = kind[i % KINDS], .task = name[i]};
    }
    uint64_t hash = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_learn(l, MANY, e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "a.perdure: method.per_class: 1000 examples of each class of "
                                     "each task (tasks: 4096, classes: 1024) are more than"));
    assert_int_equal(pdr_learner_state_hash(l), hash);
    assert_int_equal(pdr_learner_learn(l, 3, e, &err), PDR_OK);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    l = reopen();
    assert_int_equal(pdr_learner_examples(l), 3);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
}

static pdr_rc fits_its_bytes(void *ctx, const pdi_piece *p)
{
    pdi_item i = {.type = PDI_F32, .shape = p->shape}, kept = pdi_piece_item(p);
    ++*(int *)ctx;
    if (pdi_item_size(&i) == (int64_t)p->bytes && pdi_item_size(&kept) == (int64_t)p->bytes)
        return PDR_OK;
    fail_msg("%s/%s is not of its shape", p->section, p->name);
    return PDR_INPUT;
}

static void pieces_past_an_axis_are_kept_by_their_rows(void **state)
{
    (void)state;
    int pieces = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = create("der++", 3, large);
    learn(l, 0, 60, 20, true);
    assert_int_equal(pdi_trainer_each(l->trainer, fits_its_bytes, &pieces), PDR_OK);
    assert_true(pieces > 10);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    for (int32_t rows = 174761; rows < 174766; rows++) { /* 2^31 / 12288 = 174762.7 */
        pdi_piece p = {"memory", "x", PDR_SHAPE(rows, 12288), NULL, (size_t)rows * 12288 * 4};
        pdi_item i = pdi_piece_item(&p);
        assert_int_equal(i.shape.rank, rows < 174763 ? 1 : 2);
        assert_int_equal(pdi_item_size(&i), (int64_t)p.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same_to_the_bit),
        cmocka_unit_test(a_learner_that_grew_learns_like_one_that_had_room),
        cmocka_unit_test(growing_is_a_function_of_the_examples),
        cmocka_unit_test(memories_keep_their_examples),
        cmocka_unit_test(there_is_an_end_to_it),
        cmocka_unit_test(more_examples_than_a_memory_counts_are_refused_at_the_start),
        cmocka_unit_test(a_memory_does_not_grow_past_what_it_counts),
        cmocka_unit_test(pieces_past_an_axis_are_kept_by_their_rows),
    };
    return cmocka_run_group_tests(tests, enter, t_remove_folder);
}
