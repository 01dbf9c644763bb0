/* test_icarl.c -- iCaRL: herding, the loss, the nearest mean, against hand-computed numbers. */
#include <math.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "teach.h"

/* No layers: what enters the output layer is the example. */
static const teach_how classes = {.method = {"icarl", {"per_class", "3", "temperature", "2"}},
                                  .optimizer = {"sgd", {NULL}},
                                  .example = {.rank = 1, .dim = {5}},
                                  .outputs = 6,
                                  .tasks = 3,
                                  .class_incremental = true,
                                  .seed = 4};

/* ---- herding ---------------------------------------------------------------------------- */

static size_t select_of(size_t n, size_t width, const float *x, size_t most, uint32_t chosen[])
{
    double room[256] = {0};
    pdr_selection s = {
        .n = n, .column = {x}, .width = {width}, .most = most, .chosen = chosen, .room = room};
    assert_true(n + 2 * width <= COUNT(room));
    return pdi_method_icarl.select(NULL, &s);
}

/* By hand: the mean's direction is (0.63060, 0.77611).  Nearest to it is c; 2 mean - c =
 * (0.461, 0.952) has products 0.461, 0.952, -, 1.043; 3 mean - c - d = (0.812, 0.768)
 * has 0.812, 0.768.  By distance alone b (0.776) would come before a (0.631). */
static void herding_takes_what_the_sum_still_lacks(void **state)
{
    (void)state;
    static const float x[4][2] = {{1, 0}, {0, 1}, {0.8f, 0.6f}, {0.28f, 0.96f}};
    uint32_t chosen[4];
    assert_int_equal(select_of(4, 2, &x[0][0], 4, chosen), 4);
    assert_int_equal(chosen[0], 2);
    assert_int_equal(chosen[1], 3);
    assert_int_equal(chosen[2], 0);
    assert_int_equal(chosen[3], 1);
}

/* Algorithm 4 of the paper as it stands, the mean of all at length 1. */
static void herding_of(size_t n, size_t width, const float *x, size_t most, uint32_t chosen[])
{
    double mean[16] = {0}, sum[16] = {0}, length = 0;
    bool taken[64] = {false};
    for (size_t i = 0; i < n * width; i++) mean[i % width] += (double)x[i] / (double)n;
    for (size_t k = 0; k < width; k++) length += mean[k] * mean[k];
    for (size_t k = 0; k < most; k++) {
        double least = INFINITY;
        for (size_t i = 0; i < n; i++) {
            double far = 0;
            for (size_t j = 0; j < width; j++)
                far += pow(mean[j] / sqrt(length) -
                               (sum[j] + (double)x[i * width + j]) / (double)(k + 1),
                           2);
            if (taken[i] || far >= least) continue;
            least = far;
            chosen[k] = (uint32_t)i;
        }
        taken[chosen[k]] = true;
        for (size_t j = 0; j < width; j++) sum[j] += (double)x[chosen[k] * width + j];
    }
}

static void herding_is_the_papers_algorithm(void **state)
{
    (void)state;
    enum { N = 40, MOST = 30 };
    for (uint32_t round = 0; round < 20; round++) {
        size_t width = 1 + round % 13;
        float x[N * 13];
        uint32_t chosen[MOST], want[MOST];
        pdr_rng r = {.seed = 3, .stream = PDR_STREAM_TEST, .sub = round};
        for (size_t i = 0; i < N * width; i++) x[i] = pdr_rng_normal(&r) + 0.5f;
        select_of(N, width, x, MOST, chosen);
        herding_of(N, width, x, MOST, want);
        assert_memory_equal(chosen, want, sizeof want);
    }
}

static void unit_of(size_t n, float x[])
{
    double square = 0;
    for (size_t k = 0; k < n; k++) square += (double)x[k] * (double)x[k];
    for (size_t k = 0; k < n; k++) x[k] = (float)((double)x[k] / sqrt(square));
}

static void the_memory_holds_each_class_best_first(void **state)
{
    (void)state;
    enum { N = 20 };
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &classes, 1);
    assert_int_equal(teach_task(&f, 0, N, &err), PDR_OK);
    const pdi_memory *m = &f.t->memory;
    assert_int_equal(m->held, 6);
    for (int32_t y = 0; y < 2; y++) {
        float x[N / 2][5], raw[N / 2][5];
        uint32_t want[3];
        for (int32_t i = 0; i < N / 2; i++) {
            int32_t label;
            teach_example(&classes, 0, 2 * i + y, raw[i], &label);
            assert_int_equal(label, y);
            memcpy(x[i], raw[i], sizeof x[i]);
            unit_of(5, x[i]);
        }
        herding_of(N / 2, 5, &x[0][0], 3, want);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(m->label[(size_t)y * 3 + k], y);
            assert_memory_equal(m->x + ((size_t)y * 3 + k) * 5, raw[want[k]], sizeof raw[0]);
        }
    }
    teach_close(&f);
}

/* ---- the loss ----------------------------------------------------------------------------- */

static double output_of(const teach *f, const char *group, const float x[5], int32_t y)
{
    char name[64];
    snprintf(name, sizeof name, "%s/output.bias", group);
    double z = (double)teach_value(f, name, (size_t)y);
    snprintf(name, sizeof name, "%s/output.weight", group);
    for (size_t k = 0; k < 5; k++)
        z += (double)teach_value(f, name, (size_t)y * 5 + k) * (double)x[k];
    return z;
}

/* The sum over outputs seen so far of -q log g - (1 - q) log(1 - g), where q is 1 or 0 for
 * the task's own outputs and the old model's sigmoid at temperature 2 for earlier ones. */
static double loss_of(const teach *f, int32_t task, int32_t n)
{
    double loss = 0;
    for (int32_t i = 0; i < n; i++) {
        float x[5];
        int32_t label;
        teach_example(&classes, task, i, x, &label);
        for (int32_t y = 0; y < 2 * (task + 1); y++) {
            double g = 1 / (1 + exp(-output_of(f, "param", x, y))), q = y == label;
            if (y < 2 * task) q = 1 / (1 + exp(-output_of(f, "old", x, y) / 2));
            loss -= (q * log(g) + (1 - q) * log(1 - g)) / n;
        }
    }
    return loss;
}

static void old_outputs_are_distilled_and_later_ones_left_out(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &classes, 1);
    for (int32_t task = 0; task < 3; task++) {
        pdi_trainer_task(f.t, task, 0);
        for (int32_t i = 0; i < 4; i++) {
            teach_put(&f, task, 0, 7);
            double want = loss_of(&f, task, 7);
            teach_near(teach_step(&f, 7, 0.5f), want, 1e-5);
        }
        assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
        assert_memory_equal(teach_tensor(&f, "old/output.weight")->value,
                            teach_tensor(&f, "param/output.weight")->value, 30 * sizeof(float));
    }
    teach_close(&f);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* -|x - mean of y's exemplars|^2, all at length 1. */
static double score_of(const pdi_memory *m, const float unit[5], int32_t y)
{
    double mean[5] = {0}, square = 0, far = 0;
    for (size_t i = 0; i < m->held; i++) {
        float e[5];
        if (m->label[i] != y) continue;
        memcpy(e, m->x + i * 5, sizeof e);
        unit_of(5, e);
        for (size_t k = 0; k < 5; k++) mean[k] += (double)e[k];
    }
    for (size_t k = 0; k < 5; k++) square += mean[k] * mean[k];
    for (size_t k = 0; k < 5; k++) far += pow(mean[k] / sqrt(square) - (double)unit[k], 2);
    return -far;
}

static void the_answer_is_the_nearest_mean_of_exemplars(void **state)
{
    (void)state;
    teach f;
    const float *out;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &classes, 1);
    assert_int_equal(teach_task(&f, 0, 20, &err), PDR_OK);
    assert_int_equal(teach_task(&f, 1, 20, &err), PDR_OK);
    teach_put(&f, 0, 50, 6);
    assert_int_equal(pdi_trainer_predict(f.t, 6, -1, &out, &err), PDR_OK);
    for (int32_t i = 0; i < 6; i++) {
        float x[5];
        int32_t label;
        teach_example(&classes, 0, 50 + i, x, &label);
        unit_of(5, x);
        for (int32_t y = 0; y < 4; y++)
            teach_near((double)out[i * 6 + y], score_of(&f.t->memory, x, y), 1e-5);
        for (int32_t y = 4; y < 6; y++) assert_true(out[i * 6 + y] < -1e9f); /* not seen yet */
    }
    teach_close(&f);
}

/* Where tasks share their outputs nothing is old: labels count for all of them. */
static void shared_classes_are_learned_from_labels(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_how how = classes;
    how.class_incremental = false;
    teach_open(&f, &how, 1);
    assert_int_equal(teach_task(&f, 0, 20, &err), PDR_OK);
    pdi_trainer_task(f.t, 1, 0);
    float x[5];
    int32_t label;
    double want = 0;
    teach_example(&how, 1, 0, x, &label);
    for (int32_t y = 0; y < 6; y++) {
        double g = 1 / (1 + exp(-output_of(&f, "param", x, y)));
        want -= y == label ? log(g) : log(1 - g);
    }
    teach_put(&f, 1, 0, 1);
    teach_near(teach_step(&f, 1, 0), want, 1e-5);
    teach_close(&f);
}

static void every_promise_is_kept(void **state)
{
    (void)state;
    teach_how how = {.method = {"icarl", {"per_class", "3"}},
                     .optimizer = {"adam", {NULL}},
                     .layer = {{"dense", {"units", "5"}}, {"batch_norm", {NULL}}, {"relu", {NULL}}},
                     .example = {.rank = 1, .dim = {4}},
                     .outputs = 6,
                     .tasks = 3,
                     .class_incremental = true};
    teach_promises(&how);
    how.class_incremental = false;
    how.masked = true;
    teach_promises(&how);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(herding_takes_what_the_sum_still_lacks),
        cmocka_unit_test(herding_is_the_papers_algorithm),
        cmocka_unit_test(the_memory_holds_each_class_best_first),
        cmocka_unit_test(old_outputs_are_distilled_and_later_ones_left_out),
        cmocka_unit_test(the_answer_is_the_nearest_mean_of_exemplars),
        cmocka_unit_test(shared_classes_are_learned_from_labels),
        cmocka_unit_test(every_promise_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
