/* test_derpp.c -- DER and DER++ against their losses computed by hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "teach.h"

enum { OUTPUTS = 4, WIDTH = 3 };

static teach_how linear(const char *alpha, const char *beta)
{
    return (teach_how){
        .method = {"der++", {"memory", "5", "batch", "2", "alpha", alpha, "beta", beta}},
        .optimizer = {"sgd", {NULL}},
        .example = PDR_SHAPE(WIDTH),
        .outputs = OUTPUTS,
        .tasks = 2,
        .class_incremental = true,
        .seed = 3,
    };
}

/* ---- the linear model again --------------------------------------------------------------- */

static void logits_of(const teach *f, const float *x, double z[OUTPUTS])
{
    for (size_t c = 0; c < OUTPUTS; c++) {
        z[c] = (double)teach_value(f, "param/output.bias", c);
        for (size_t k = 0; k < WIDTH; k++)
            z[c] += (double)teach_value(f, "param/output.weight", c * WIDTH + k) * (double)x[k];
    }
}

static double cross_entropy_of(const double z[OUTPUTS], int32_t label)
{
    double sum = 0;
    for (int c = 0; c < OUTPUTS; c++) sum += exp(z[c]);
    return log(sum) - z[label];
}

static double batch_loss_of(const teach *f, int32_t task, int32_t n)
{
    double z[OUTPUTS], sum = 0;
    for (int32_t i = 0; i < n; i++) {
        float x[WIDTH];
        int32_t label;
        teach_example(f->how, task, i, x, &label);
        logits_of(f, x, z);
        sum += cross_entropy_of(z, label) / n;
    }
    return sum;
}

static const float old_x[WIDTH] = {0.5f, -1.0f, 2.0f}, old_z[OUTPUTS] = {1.0f, -2.0f, 0.5f, 3.0f};

/* The memory holds one example, which every draw then is. */
static void remember_one(teach *f)
{
    pdi_example e = {.x = old_x, .label = 1, .column = {old_z}};
    assert_true(pdi_memory_offer(&f->t->memory, &e));
}

/* ---- the losses ------------------------------------------------------------------------------ */

static void both_losses_are_added_with_their_weights(void **state)
{
    (void)state;
    static const double weight[][2] = {{0.2, 0.5}, {1, 0}, {0, 0.75}, {0, 0}};
    for (size_t i = 0; i < COUNT(weight); i++) {
        teach f;
        double z[OUTPUTS], far = 0;
        char alpha[16], beta[16];
        snprintf(alpha, sizeof alpha, "%g", weight[i][0]);
        snprintf(beta, sizeof beta, "%g", weight[i][1]);
        teach_how how = linear(alpha, beta);
        teach_open(&f, &how, 1);
        remember_one(&f);
        logits_of(&f, old_x, z);
        for (int c = 0; c < OUTPUTS; c++) far += pow(z[c] - (double)old_z[c], 2) / OUTPUTS;
        double want = batch_loss_of(&f, 0, 3) + weight[i][0] * far +
                      weight[i][1] * cross_entropy_of(z, 1);
        teach_put(&f, 0, 0, 3);
        teach_near(teach_step(&f, 3, 0.1f), want, 1e-5);
        teach_close(&f);
    }
}

static void an_empty_memory_adds_nothing(void **state)
{
    (void)state;
    teach f;
    teach_how how = linear("0.2", "0.5");
    teach_open(&f, &how, 1);
    double want = batch_loss_of(&f, 0, 3);
    teach_put(&f, 0, 0, 3);
    teach_near(teach_step(&f, 3, 0.1f), want, 1e-6);
    teach_close(&f);
}

/* The two terms have draws of their own; what weighs nothing draws nothing. */
static void each_term_draws_for_itself(void **state)
{
    (void)state;
    static const struct {
        const char *alpha, *beta;
        uint64_t draws;
    } rows[] = {{"0.2", "0.5", 4}, {"0.2", "0", 2}, {"0", "0.5", 2}, {"0", "0", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        teach f;
        teach_how how = linear(rows[i].alpha, rows[i].beta);
        teach_open(&f, &how, 1);
        remember_one(&f);
        teach_put(&f, 0, 0, 3);
        uint64_t before = f.t->memory.rng.counter;
        teach_step(&f, 3, 0.1f);
        assert_int_equal(f.t->memory.rng.counter - before, rows[i].draws);
        teach_close(&f);
    }
}

/* ---- what is stored ----------------------------------------------------------------------------
 */

static void stored_logits_are_those_before_the_step(void **state)
{
    (void)state;
    for (int masked = 0; masked < 2; masked++) {
        teach f;
        double z[2][OUTPUTS], moved = 0;
        float x[2][WIDTH];
        int32_t label[2];
        teach_how how = linear("0.2", "0.5");
        how.class_incremental = !masked;
        how.masked = masked; /* the other task's outputs are kept too */
        teach_open(&f, &how, 1);
        for (int32_t i = 0; i < 2; i++) {
            teach_example(&how, 0, i, x[i], &label[i]);
            logits_of(&f, x[i], z[i]);
        }
        teach_put(&f, 0, 0, 2);
        teach_step(&f, 2, 0.5f);
        for (int32_t i = 0; i < 2; i++) {
            pdr_error err = PDR_NO_ERROR;
            pdi_example e = {.x = x[i], .label = label[i]};
            assert_int_equal(pdi_trainer_offer(f.t, i, &e, &err), PDR_OK);
            pdi_example kept = pdi_memory_example(&f.t->memory, (size_t)i);
            for (int c = 0; c < OUTPUTS; c++) teach_near(kept.column[0][c], z[i][c], 1e-6);
            logits_of(&f, x[i], z[i]);
            for (int c = 0; c < OUTPUTS; c++) moved += fabs(z[i][c] - (double)kept.column[0][c]);
        }
        assert_true(moved > 0.1);
        teach_close(&f);
    }
}

/* What a slot of the reservoir holds changes as a whole: example, label and logits. */
static void logits_stay_with_their_example(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_how how = linear("0.2", "0.5");
    teach_open(&f, &how, 1);
    for (int32_t i = 0; i < 60; i += 3) {
        teach_put(&f, i / 30, i, 3);
        teach_step(&f, 3, 0); /* the model stays, so logits are a function of x */
        for (int32_t k = 0; k < 3; k++) {
            pdi_example e = {.task = i / 30};
            float x[WIDTH];
            teach_example(&how, e.task, i + k, x, &e.label);
            e.x = x;
            assert_int_equal(pdi_trainer_offer(f.t, k, &e, &err), PDR_OK);
        }
    }
    for (size_t i = 0; i < f.t->memory.held; i++) {
        double z[OUTPUTS];
        pdi_example e = pdi_memory_example(&f.t->memory, i);
        logits_of(&f, e.x, z);
        for (int c = 0; c < OUTPUTS; c++) teach_near(e.column[0][c], z[c], 1e-6);
    }
    assert_int_equal(f.t->memory.held, 5);
    teach_close(&f);
}

/* ---- promises ----------------------------------------------------------------------------------
 */

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"memory", "0"}, {"batch", "-1"}, {"alpha", "-0.1"}, {"beta", "x"}};
    const pdr_kind *k = pdr_kind_find(PDR_KIND_METHOD, "der++");
    for (size_t i = 0; i < COUNT(bad); i++) {
        double self[8];
        pdr_error err = PDR_NO_ERROR;
        assert_true(k->self_size <= sizeof self);
        assert_int_equal(
            pdr_option_set(pdr_option_find(k->options, bad[i][0]), self, bad[i][1], &err),
            PDR_INPUT);
        assert_non_null(strstr(err.text, bad[i][0]));
    }
}

static void der_keeps_every_promise(void **state)
{
    (void)state;
    static const char *const beta[] = {"0.5", "0"};
    for (size_t i = 0; i < COUNT(beta); i++) {
        teach_how how = {.method = {"der++", {"memory", "7", "beta", beta[i]}},
                         .optimizer = {"sgd", {"momentum", "0.5"}},
                         .layer = {{"dense", {"units", "5"}}, {"relu", {NULL}}},
                         .example = PDR_SHAPE(6),
                         .outputs = 6,
                         .tasks = 3,
                         .masked = i,
                         .class_incremental = !i,
                         .seed = 5};
        teach_promises(&how);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_losses_are_added_with_their_weights),
        cmocka_unit_test(an_empty_memory_adds_nothing),
        cmocka_unit_test(each_term_draws_for_itself),
        cmocka_unit_test(stored_logits_are_those_before_the_step),
        cmocka_unit_test(logits_stay_with_their_example),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(der_keeps_every_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
