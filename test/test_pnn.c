/* test_pnn.c -- progressive networks: the equation, frozen columns, shapes of connections. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "t.h"
#include "teach.h"

enum { IN = 4, UNITS = 3, OUTPUTS = 6 };

static const teach_how dense = {
    .method = {"pnn", {NULL}},
    .optimizer = {"adam", {NULL}},
    .layer = {{"dense", {"units", "3"}}, {"relu", {NULL}}},
    .example = {.rank = 1, .dim = {IN}},
    .outputs = OUTPUTS,
    .tasks = 3,
    .masked = true,
    .seed = 6,
};

static const teach_how images = {
    .method = {"pnn", {NULL}},
    .optimizer = {"adam", {"weight_decay", "0.1"}},
    .layer = {{"conv2d", {"filters", "2"}},
              {"batch_norm", {NULL}},
              {"relu", {NULL}},
              {"conv2d", {"filters", "3", "stride", "2", "padding", "0"}},
              {"relu", {NULL}},
              {"dense", {"units", "4"}}},
    .example = {.rank = 3, .dim = {1, 5, 5}},
    .outputs = OUTPUTS,
    .tasks = 3,
    .masked = true,
    .l2 = 0.01,
    .seed = 6,
};

/* ---- the equation, by plain loops --------------------------------------------------------------
 */

static const char *column_of(int32_t k)
{
    static char name[32];
    snprintf(name, sizeof name, "column.%d", k + 1);
    return k ? name : "param";
}

/* y += w x with w [out, in]. */
static void add_product(const pdi_tensor *w, size_t out, size_t in, const double x[], double y[])
{
    assert_int_equal(pdr_shape_size(&w->shape), out * in);
    for (size_t i = 0; i < out; i++)
        for (size_t k = 0; k < in; k++) y[i] += (double)w->value[i * in + k] * x[k];
}

/* Outputs of column `task` for x: h_1 of every column, then the laterals into the output. */
static void outputs_of(const teach *f, int32_t task, const float x[IN], double y[OUTPUTS])
{
    double h[3][UNITS], raw[IN];
    char name[96];
    for (size_t k = 0; k < IN; k++) raw[k] = (double)x[k];
    for (int32_t j = 0; j <= task; j++) {
        snprintf(name, sizeof name, "%s/0.dense.bias", column_of(j));
        for (size_t k = 0; k < UNITS; k++) h[j][k] = (double)teach_value(f, name, k);
        snprintf(name, sizeof name, "%s/0.dense.weight", column_of(j));
        add_product(teach_tensor(f, name), UNITS, IN, raw, h[j]);
        for (size_t k = 0; k < UNITS; k++)
            if (h[j][k] < 0) h[j][k] = 0;
    }
    snprintf(name, sizeof name, "%s/output.bias", column_of(task));
    for (size_t k = 0; k < OUTPUTS; k++) y[k] = (double)teach_value(f, name, k);
    snprintf(name, sizeof name, "%s/output.weight", column_of(task));
    add_product(teach_tensor(f, name), OUTPUTS, UNITS, h[task], y);
    for (int32_t j = 0; j < task; j++) {
        snprintf(name, sizeof name, "lateral.%d.%d.2", task + 1, j + 1);
        add_product(teach_tensor(f, name), OUTPUTS, UNITS, h[j], y);
    }
}

static const float *predict(teach *f, int32_t task)
{
    const float *y;
    pdr_error err = PDR_NO_ERROR;
    teach_put(f, task, 90, 5);
    assert_int_equal(pdi_trainer_predict(f->t, 5, task, &y, &err), PDR_OK);
    return y;
}

static void outputs_are_those_of_the_papers_equation(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &dense, 1);
    for (int32_t task = 0; task < 3; task++)
        assert_int_equal(teach_task(&f, task, 8, &err), PDR_OK);
    for (int32_t task = 0; task < 3; task++) {
        const float *y = predict(&f, task);
        for (int32_t i = 0; i < 5; i++) {
            float x[IN];
            int32_t label;
            double want[OUTPUTS];
            teach_example(&dense, task, 90 + i, x, &label);
            outputs_of(&f, task, x, want);
            for (int32_t k = 2 * task; k < 2 * task + 2; k++)
                teach_near((double)y[i * OUTPUTS + k], want[k], 1e-5);
        }
    }
    teach_close(&f);
}

static void the_loss_is_that_of_the_newest_column(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &dense, 1);
    assert_int_equal(teach_task(&f, 0, 8, &err), PDR_OK);
    pdi_trainer_task(f.t, 1, 0);
    teach_put(&f, 1, 0, 6);
    teach_step(&f, 6, 0.1f);
    double want = 0;
    for (int32_t i = 0; i < 6; i++) {
        float x[IN];
        int32_t label;
        double y[OUTPUTS];
        teach_example(&dense, 1, i, x, &label);
        outputs_of(&f, 1, x, y);
        want += (log(exp(y[2]) + exp(y[3])) - y[label]) / 6;
    }
    teach_put(&f, 1, 0, 6);
    teach_near(teach_step(&f, 6, 0.1f), want, 1e-5);
    teach_close(&f);
}

/* ---- frozen
 * --------------------------------------------------------------------------------------- */

/* Does a piece of state belong to task k's column (from 0): its network, its laterals? */
static bool is_of_column(const char *name, int32_t k)
{
    char own[2][32];
    snprintf(own[0], sizeof own[0], k ? "column.%d/" : "param/", k + 1);
    snprintf(own[1], sizeof own[1], "lateral.%d.", k + 1);
    return !strncmp(name, own[0], strlen(own[0])) || !strncmp(name, own[1], strlen(own[1]));
}

/* A number that sees every bit of the columns lo .. hi - 1. */
static uint64_t bits_of(const teach *f, int32_t lo, int32_t hi)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < f->t->store.n; i++) {
        const pdi_tensor *t = &f->t->store.v[i];
        bool is_in = false;
        for (int32_t k = lo; k < hi; k++) is_in = is_in || is_of_column(t->name, k);
        size_t bytes = (size_t)pdr_shape_size(&t->shape) * sizeof(float);
        if (is_in) sum = pdi_hash(sum, t->value, bytes);
    }
    return sum;
}

static void columns_of_earlier_tasks_never_move_by_a_bit(void **state)
{
    (void)state;
    teach f;
    static const char *const name[3] = {NULL, "lateral.2.1.2", "lateral.3.2.4"};
    float before[3][30];
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 3; task++) {
        uint64_t old = bits_of(&f, 0, task), own = bits_of(&f, task, task + 1);
        pdi_trainer_task(f.t, task, 0);
        for (int32_t i = 0; i < 8; i++) {
            float lateral = task && i ? teach_value(&f, name[task], 3) : 0;
            teach_put(&f, task, 4 * i, 10);
            teach_step(&f, 10, 0.05f);
            if (task && i) assert_true(teach_value(&f, name[task], 3) != lateral);
            assert_true(bits_of(&f, 0, task) == old); /* running statistics too */
            uint64_t now = bits_of(&f, task, task + 1);
            assert_true(now != own);
            own = now;
        }
        assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
        memcpy(before[task], predict(&f, task), sizeof before[0]);
        for (int32_t t = 0; t < task; t++)
            assert_memory_equal(predict(&f, t), before[t], sizeof before[0]);
    }
    teach_close(&f);
}

/* ---- shapes
 * --------------------------------------------------------------------------------------- */

static void expect_shape(const teach *f, const char *name, pdr_shape want)
{
    assert_true(pdr_shape_equal(&teach_tensor(f, name)->shape, &want));
}

/* Layers with weights: 5x5 -> conv 5x5 -> conv 2x2 -> dense -> output; the norm has none. */
static void connections_have_the_shape_of_the_layer_they_join(void **state)
{
    (void)state;
    teach f;
    size_t laterals = 0;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 3; task++)
        assert_int_equal(teach_task(&f, task, 8, &err), PDR_OK);
    expect_shape(&f, "lateral.2.1.2", PDR_SHAPE(3, 2, 3, 3));
    expect_shape(&f, "lateral.3.2.3", PDR_SHAPE(4, 12));
    expect_shape(&f, "lateral.3.1.4", PDR_SHAPE(OUTPUTS, 4));
    for (size_t i = 0; i < f.t->store.n; i++)
        laterals += !strncmp(f.t->store.v[i].name, "lateral.", 8);
    assert_int_equal(laterals, 9); /* three columns in pairs, three layers past the first */
    teach_close(&f);
}

static void a_layer_that_grows_its_input_is_refused_by_name(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_how how = images;
    how.layer[3] = (teach_choice){"conv2d", {"filters", "3", "padding", "2"}};
    teach_open(&f, &how, 1);
    assert_int_equal(teach_task(&f, 0, 8, &err), PDR_OK);
    assert_int_equal(teach_task(&f, 1, 8, &err), PDR_USAGE);
    assert_non_null(strstr(err.text, "pnn: "));
    assert_non_null(strstr(err.text, "padding"));
    teach_close(&f);
}

static void a_task_that_has_not_begun_makes_no_column(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &dense, 1);
    assert_int_equal(teach_task(&f, 0, 8, &err), PDR_OK);
    uint64_t before = pdi_trainer_hash(f.t);
    predict(&f, 2);
    assert_true(pdi_trainer_hash(f.t) == before);
    teach_close(&f);
}

static void every_promise_is_kept(void **state)
{
    (void)state;
    teach_promises(&images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_the_papers_equation),
        cmocka_unit_test(the_loss_is_that_of_the_newest_column),
        cmocka_unit_test(columns_of_earlier_tasks_never_move_by_a_bit),
        cmocka_unit_test(connections_have_the_shape_of_the_layer_they_join),
        cmocka_unit_test(a_layer_that_grows_its_input_is_refused_by_name),
        cmocka_unit_test(a_task_that_has_not_begun_makes_no_column),
        cmocka_unit_test(every_promise_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
