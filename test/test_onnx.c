/* test_onnx.c -- what is exported as ONNX answers as the learner does. */
#include <math.h>
#include <perdure/exchange.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/layers.h"
#include "nn/onnx.h"
#include "onnx_model.h"
#include "t.h"
#include "t_data.h"

enum { EXAMPLES = 60, WIDEST = 2 * 9 * 9 };

static float xs[EXAMPLES][WIDEST], targets[EXAMPLES][2];
static onnx_model model;

static int enter(void **state)
{
    pdr_rng r = {.seed = 3, .stream = PDR_STREAM_TEST};
    for (int i = 0; i < EXAMPLES; i++) {
        for (int k = 0; k < WIDEST; k++) xs[i][k] = 3 * pdr_rng_uniform(&r) + (k % 3 == i % 3);
        targets[i][0] = 2 * xs[i][0] - xs[i][1];
        targets[i][1] = 50 - xs[i][2] * xs[i][0];
    }
    return t_make_folder(state);
}

static pdr_learner *create(const char *text, const pdr_dataset *like)
{
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    const char *path = t_path("a.perdure");
    if (pdr_recipe_parse(NULL, "odd.yaml", text, strlen(text), 0, NULL, &r, &err))
        fail_msg("%s", err.text);
    remove(path);
    if (pdr_learner_create(path, &r, like, 7, NULL, &l, &err)) fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    return l;
}

/* Three classes, in two tasks if they have names, or two targets. */
static void learn(pdr_learner *l, bool tasks)
{
    static const char *const labels[] = {"ant", "bee", "cow \"moo\""};
    pdr_error err = PDR_NO_ERROR;
    for (int i = 0; i < EXAMPLES; i++) {
        pdr_example e = {.x = xs[i], .label = labels[i % 3], .task = NULL};
        if (tasks) e.task = i % 3 < 2 ? "insects" : "others";
        if (pdr_learner_is_regression(l)) e = (pdr_example){.x = xs[i], .target = targets[i]};
        if (pdr_learner_learn(l, 1, &e, &err)) fail_msg("%s", err.text);
    }
}

static pdr_rc open_bytes(void *ctx, const void *bytes, size_t n)
{
    onnx_open(ctx, bytes, n);
    return PDR_OK;
}

static void export_onnx(pdr_learner *l, const char *task)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_export what = {.format = PDR_EXPORT_ONNX, .task = task};
    onnx_close(&model);
    if (pdr_learner_export(l, &what, open_bytes, &model, &err)) fail_msg("%s", err.text);
}

static void feed_examples(pdr_learner *l, int task)
{
    static double x[EXAMPLES * WIDEST], t[EXAMPLES];
    pdr_shape shape = pdr_learner_shape(l);
    int64_t width = pdr_shape_size(&shape);
    for (int i = 0; i < EXAMPLES; i++) {
        for (int64_t k = 0; k < width; k++) x[i * width + k] = (double)xs[i][k];
        t[i] = task;
    }
    onnx_forget(&model);
    onnx_feed(&model, "x", EXAMPLES, x);
    if (task >= 0) onnx_feed(&model, "task", EXAMPLES, t);
    onnx_run(&model);
}

static void near_enough(double x, double want)
{
    if (!(fabs(x - want) <= 1e-5 * fmax(1, fabs(want)))) fail_msg("%.9g is not %.9g", x, want);
}

/* Probabilities, or targets, and the class; as the learner answers for a task by name. */
static void compare(pdr_learner *l, const char *task, int number)
{
    float p[16];
    pdr_error err = PDR_NO_ERROR;
    bool real = pdr_learner_is_regression(l);
    feed_examples(l, number);
    const onnx_value *y = onnx_get(&model, real ? "y" : "probabilities"),
                     *best = real ? NULL : onnx_get(&model, "class");
    assert_int_equal(y->dim[1], real ? pdr_learner_outputs(l) : pdr_learner_classes(l));
    for (int64_t i = 0; i < EXAMPLES; i++) {
        if (pdr_learner_predict(l, 1, xs[i], task, p, &err)) fail_msg("%s", err.text);
        for (int64_t c = 0; c < y->dim[1]; c++) {
            near_enough(y->v[i * y->dim[1] + c], (double)p[c]);
            if (!real) assert_true(p[c] <= p[(int)best->v[i]]);
            if (!real && p[c] == 0) assert_true(y->v[i * y->dim[1] + c] == 0); /* masked */
        }
    }
}

/* ---- every layer ----------------------------------------------------------------------------- */

static const char every_layer[] =
    "data: {train: none.csv}\n"
    "model:\n"
    "  - {layer: conv2d, filters: 4, size: 3}\n"
    "  - {layer: batch_norm, momentum: 0.3}\n"
    "  - {layer: relu}\n"
    "  - {layer: max_pool, size: 3, stride: 2}\n"
    "  - {layer: conv2d, filters: 5, size: 2, stride: 2, padding: 1, bias: false}\n"
    "  - {layer: tanh}\n"
    "  - {layer: avg_pool, size: 2, stride: 1}\n"
    "  - {layer: layer_norm, epsilon: 0.01}\n"
    "  - {layer: flatten}\n"
    "  - {layer: dense, units: 10}\n"
    "  - {layer: batch_norm, epsilon: 0.1}\n"
    "  - {layer: gelu}\n"
    "  - {layer: dropout, rate: 0.2}\n"
    "  - {layer: dense, units: 6, bias: false}\n"
    "  - {layer: sigmoid}\n"
    "method: er\noptimizer: {name: sgd, rate: 0.1}\ntraining: {batch: 5}\n"
    "learner: {classes: 5, tasks: 3, normalise: true}\n";

static pdr_learner *learner_of_every_layer(bool tasks)
{
    pdr_dataset like = {.shape = PDR_SHAPE(2, 9, 9)};
    pdr_learner *l = create(every_layer, &like);
    learn(l, tasks);
    return l;
}

static void every_layer_is_in_the_recipe(void **state)
{
    (void)state;
    for (size_t i = 0; pdi_layers[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "{layer: %s", pdi_layers[i]->kind.name);
        const char *at = strstr(every_layer, name);
        if (!at) fail_msg("test_onnx.c does not try the layer %s", pdi_layers[i]->kind.name);
        assert_non_null(strchr(",}", at[strlen(name)]));
        assert_non_null(pdi_layers[i]->onnx);
    }
}

static void it_answers_as_the_learner_does(void **state)
{
    (void)state;
    pdr_learner *l = learner_of_every_layer(false);
    export_onnx(l, NULL);
    compare(l, NULL, -1);
    assert_int_equal(model.inputs, 1);
    assert_int_equal(onnx_count(&model, "Where"), 0);
    pdr_learner_close(l, NULL);
}

static void tasks_are_an_input_or_said_once(void **state)
{
    (void)state;
    pdr_learner *l = learner_of_every_layer(true);
    export_onnx(l, NULL);
    assert_int_equal(model.inputs, 2);
    assert_int_equal(model.input[1].type, 7); /* i64 */
    compare(l, NULL, 0);
    compare(l, "insects", 1);
    compare(l, "others", 2);
    export_onnx(l, "insects");
    assert_int_equal(model.inputs, 1);
    compare(l, "insects", -1);
    export_onnx(l, "others");
    compare(l, "others", -1);
    pdr_learner_close(l, NULL);
}

static void layers_stay_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        int n;
    } rows[] = {{"Conv", 2},
                {"BatchNormalization", 2},
                {"LayerNormalization", 1},
                {"MaxPool", 1},
                {"AveragePool", 1},
                {"Gemm", 3},
                {"Flatten", 1},
                {"Erf", 1},
                {"Sub", 1},
                {"Softmax", 1},
                {"ArgMax", 1},
                {"Transpose", 0}};
    pdr_learner *l = learner_of_every_layer(false);
    export_onnx(l, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = onnx_count(&model, rows[i].op);
        if (n != rows[i].n) fail_msg("%d nodes are %s", n, rows[i].op);
    }
    assert_int_equal(model.ir, 8);
    assert_int_equal(model.opset, 17);
    assert_string_equal(model.producer, "perdure");
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)pdr_learner_state_hash(l));
    assert_string_equal(onnx_fact(&model, "state_hash"), hash);
    assert_string_equal(onnx_fact(&model, "classes"), "[\"ant\",\"bee\",\"cow \\\"moo\\\"\"]");
    assert_string_equal(onnx_fact(&model, "shape"), "[2,9,9]");
    assert_non_null(strstr(onnx_fact(&model, "recipe"), "layer: gelu"));
    pdr_learner_close(l, NULL);
}

/* ---- other answers ------------------------------------------------------------------------------
 */

static const char two_targets[] =
    "data: {train: none.csv, target: y}\nmodel: [{layer: dense, units: 7}, {layer: relu}]\n"
    "method: finetune\noptimizer: {name: sgd, rate: 0.01}\n"
    "training: {batch: 4, clip_norm: 1}\nlearner: {normalise: true}\n";

static void targets_come_out_as_they_are(void **state)
{
    (void)state;
    pdr_dataset like = {.shape = PDR_SHAPE(3), .targets = 2};
    pdr_learner *l = create(two_targets, &like);
    learn(l, false);
    export_onnx(l, NULL);
    compare(l, NULL, -1);
    assert_int_equal(model.outputs, 1);
    pdr_learner_close(l, NULL);
}

static void features_may_come_as_they_are(void **state)
{
    (void)state;
    pdr_dataset like = {.shape = PDR_SHAPE(4)};
    pdr_learner *l = create("data: {train: none.csv}\nmethod: finetune\n"
                            "training: {batch: 1}\nlearner: {normalise: false, classes: 5}\n",
                            &like);
    learn(l, false);
    export_onnx(l, NULL);
    compare(l, NULL, -1);
    assert_int_equal(onnx_count(&model, "Sub"), 0);
    assert_int_equal(model.nodes, 3); /* Gemm, Softmax, ArgMax */
    pdr_learner_close(l, NULL);
}

/* ---- what cannot be written
 * ----------------------------------------------------------------------- */

static void is_refused(const char *text, const char *task, const char *why)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_export what = {.format = PDR_EXPORT_ONNX, .task = task};
    pdr_dataset like = {.shape = PDR_SHAPE(4)};
    pdr_learner *l = create(text, &like);
    if (task) learn(l, true);
    assert_int_equal(pdr_learner_export(l, &what, open_bytes, &model, &err), PDR_INPUT);
    t_one_line(&err);
    if (!strstr(err.text, why)) fail_msg("%s", err.text);
    pdr_learner_close(l, NULL);
}

static void what_cannot_be_said_is_refused(void **state)
{
    (void)state;
    is_refused("data: {train: none.csv}\nmethod: er\n", NULL, "no class is known yet");
    is_refused("data: {train: none.csv}\nmethod: er\n", "fish", "there is no task 'fish'");
    is_refused("data: {train: none.csv}\nmethod: pnn\nmodel: [{layer: dense, units: 4}]\n", NULL,
               "method pnn answers with more than the model's own parameters");
    is_refused("data: {train: none.csv}\nmodel: [{layer: dense, units: 4}, {layer: batch_norm, "
               "running: false}]\nmethod: er\ntraining: {batch: 5}\n",
               "insects", "a batch_norm with 'running: false'");
}

static pdr_node odd_apply(pdr_layer *l, const void *self, pdr_node x)
{
    (void)self;
    return pdr_neg(pdr_layer_graph(l), x);
}

static const float *no_values(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static void a_layer_without_a_form_is_named(void **state)
{
    (void)state;
    static const pdr_layer_kind odd = {.kind = {.name = "odd", .options = pdi_layer_no_options},
                                       .apply = odd_apply};
    pdr_choice layer = {&odd.kind, NULL};
    pdr_model *m = NULL;
    pdi_onnx o;
    pdr_error err = PDR_NO_ERROR;
    pdi_model_onnx_how how = {.x = "x", .y = "y", .values = no_values, .outputs = 2};
    assert_int_equal(pdr_model_new(NULL, 1, &layer, PDR_SHAPE(3), 2, &m, &err), PDR_OK);
    pdi_onnx_open(&o, NULL);
    assert_int_equal(pdi_model_onnx(m, &how, &o, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "layer 0.odd cannot be written as ONNX; these can: dense, "));
    assert_non_null(strstr(err.text, ", flatten"));
    pdi_onnx_close(&o);
    pdr_model_free(m);
}

static int leave(void **state)
{
    onnx_close(&model);
    return t_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_in_the_recipe),
        cmocka_unit_test(it_answers_as_the_learner_does),
        cmocka_unit_test(tasks_are_an_input_or_said_once),
        cmocka_unit_test(layers_stay_what_they_are),
        cmocka_unit_test(targets_come_out_as_they_are),
        cmocka_unit_test(features_may_come_as_they_are),
        cmocka_unit_test(what_cannot_be_said_is_refused),
        cmocka_unit_test(a_layer_without_a_form_is_named),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
