/* test_lamaml.c -- La-MAML against its algorithm in plain loops, its meta-gradient against
 * central differences. */
#include <math.h>
#include <string.h>

#include "meta.h"
#include "t.h"
#include "teach.h"

enum { OUTPUTS = 3, WIDTH = 4, WEIGHTS = OUTPUTS * WIDTH, SIZE = WEIGHTS + OUTPUTS, BATCH = 3 };

/* Linear; rate of the optimiser 0.5. */
static teach_how linear(const char *rates, const char *second)
{
    return (teach_how){
        .method = {"la-maml", {"rates", rates, "second_order", second, "batch", "2", "speed", "2"}},
        .optimizer = {"sgd", {NULL}},
        .example = PDR_SHAPE(WIDTH),
        .outputs = OUTPUTS,
        .tasks = 1,
        .seed = 3,
    };
}

static const float old_x[WIDTH] = {0.5f, -1.0f, 2.0f, 0.25f};

/* The memory holds one example, which every draw then is. */
static void remember_one(teach *f)
{
    pdi_example e = {.x = old_x, .label = 1};
    assert_true(pdi_memory_offer(&f->t->memory, &e));
}

/* ---- the algorithm again ------------------------------------------------------------------- */

/* Weights, then biases. */
static float *place_of(const teach *f, const char *group, size_t i)
{
    char name[64];
    bool is_bias = i >= WEIGHTS;
    snprintf(name, sizeof name, "%s/output.%s", group, is_bias ? "bias" : "weight");
    return teach_tensor(f, name)->value + (is_bias ? i - WEIGHTS : i);
}

static void read_all(const teach *f, const char *group, double v[SIZE])
{
    for (size_t i = 0; i < SIZE; i++) v[i] = (double)*place_of(f, group, i);
}

/* Adds weight times the gradient of one example's cross-entropy; returns that. */
static double descend(const double theta[SIZE], const float *x, int32_t label, double weight,
                      double grad[SIZE])
{
    double p[OUTPUTS], sum = 0;
    for (int c = 0; c < OUTPUTS; c++) {
        p[c] = theta[WEIGHTS + c];
        for (int k = 0; k < WIDTH; k++) p[c] += theta[c * WIDTH + k] * (double)x[k];
        sum += p[c] = exp(p[c]);
    }
    for (int c = 0; c < OUTPUTS; c++) {
        double d = weight * (p[c] / sum - (c == label));
        grad[WEIGHTS + c] += d;
        for (int k = 0; k < WIDTH; k++) grad[c * WIDTH + k] += d * (double)x[k];
    }
    return -weight * log(p[label] / sum);
}

typedef struct look_ahead {
    double theta[SIZE], alpha[SIZE]; /* before the step */
    double loss, d_theta[SIZE], d_alpha[SIZE];
} look_ahead;

/* M and its first-order gradients.  Replay is two times the one example, or nothing. */
static void look(const teach *f, bool replay, look_ahead *a)
{
    double fast[SIZE], inner[BATCH][SIZE] = {{0}}, outer[BATCH][SIZE] = {{0}};
    float x[BATCH][WIDTH];
    int32_t label[BATCH];
    for (int32_t j = 0; j < BATCH; j++) teach_example(f->how, 0, j, x[j], &label[j]);
    memcpy(fast, a->theta, sizeof fast);
    a->loss = 0;
    for (int j = 0; j < BATCH; j++) {
        double n = replay ? BATCH + 2 : BATCH;
        descend(fast, x[j], label[j], 1, inner[j]);
        for (int i = 0; i < SIZE; i++) fast[i] -= fmax(a->alpha[i], 0) * inner[j][i];
        for (int k = 0; k < BATCH; k++)
            a->loss += descend(fast, x[k], label[k], 1 / n, outer[j]) / BATCH;
        if (replay) a->loss += descend(fast, old_x, 1, 2 / n, outer[j]) / BATCH;
    }
    for (int i = 0; i < SIZE; i++) {
        double after = 0; /* of look-aheads that come after inner step j */
        a->d_alpha[i] = 0;
        for (int j = BATCH - 1; j >= 0; j--) {
            after += outer[j][i] / BATCH;
            if (a->alpha[i] > 0) a->d_alpha[i] -= inner[j][i] * after;
        }
        a->d_theta[i] = after;
    }
}

/* A first step so that α is there; then some of its entries are made negative or large. */
static void open_with_rates(teach *f, const teach_how *how)
{
    teach_open(f, how, 1);
    teach_put(f, 0, 0, BATCH);
    teach_step(f, BATCH, 0.1f);
    if (strcmp(how->method.set[1], "fixed") != 0)
        for (size_t i = 0; i < SIZE; i++) *place_of(f, "alpha", i) = (float)(i % 5) * 0.2f - 0.2f;
}

/* One step; a is what was before it, after_* what came of it. */
static void take_step(teach *f, bool replay, look_ahead *a, double theta[SIZE], double alpha[SIZE])
{
    bool fixed = !strcmp(f->how->method.set[1], "fixed");
    if (replay) remember_one(f);
    read_all(f, "param", a->theta);
    for (int i = 0; i < SIZE; i++) a->alpha[i] = 0.15;
    if (!fixed) read_all(f, "alpha", a->alpha);
    look(f, replay, a);
    teach_put(f, 0, 0, BATCH);
    teach_near(teach_step(f, BATCH, 0.5f), a->loss, 1e-5);
    read_all(f, "param", theta);
    if (!fixed) read_all(f, "alpha", alpha);
}

/* ---- steps ------------------------------------------------------------------------------------
 */

/* α first, then θ by the new α, which counts where it is above 0. */
static void learned_rates_move_first_and_then_the_weights_by_them(void **state)
{
    (void)state;
    for (int replay = 0; replay < 2; replay++) {
        teach f;
        look_ahead a;
        double theta[SIZE], alpha[SIZE];
        int still = 0;
        teach_how how = linear("learned", "false");
        open_with_rates(&f, &how);
        take_step(&f, replay, &a, theta, alpha);
        for (int i = 0; i < SIZE; i++) {
            double rate = a.alpha[i] - 0.5 * a.d_alpha[i];
            teach_near(alpha[i], rate, 2e-6);
            teach_near(theta[i], a.theta[i] - fmax(rate, 0) * a.d_theta[i], 2e-6);
            still += rate < 0 && theta[i] == a.theta[i];
        }
        assert_int_equal(still, 3); /* every fifth α began below 0 and has no gradient */
        teach_close(&f);
    }
}

static void synchronous_weights_move_at_a_rate_of_their_own(void **state)
{
    (void)state;
    teach f;
    look_ahead a;
    double theta[SIZE], alpha[SIZE];
    teach_how how = linear("synchronous", "false");
    open_with_rates(&f, &how);
    take_step(&f, true, &a, theta, alpha);
    for (int i = 0; i < SIZE; i++) {
        teach_near(alpha[i], a.alpha[i] - 0.5 * a.d_alpha[i], 2e-6);
        teach_near(theta[i], a.theta[i] - 0.5 * 2 * a.d_theta[i], 2e-6);
    }
    teach_close(&f);
}

static void fixed_rates_are_no_state(void **state)
{
    (void)state;
    teach f;
    look_ahead a;
    double theta[SIZE], alpha[SIZE];
    teach_how how = linear("fixed", "false");
    open_with_rates(&f, &how);
    take_step(&f, true, &a, theta, alpha);
    for (int i = 0; i < SIZE; i++) teach_near(theta[i], a.theta[i] - 0.5 * a.d_theta[i], 2e-6);
    assert_null(pdi_state_find(&f.t->store, "alpha/output.weight"));
    teach_close(&f);
}

/* ---- the meta-gradient --------------------------------------------------------------------------
 */

/* What memory would give a run, then the nodes in double. */
static pdr_rc use_with_replay(pdr_build *b, void *ctx, pdr_error *err)
{
    pdi_trainer *t = b->t;
    t->have = 1;
    for (size_t k = 0; k < b->program->draws; k++)
        for (int32_t i = 0; i < b->program->draw[k].batch.size; i++) {
            pdi_example e = pdi_memory_example(&t->memory, 0);
            pdi_batch_put(t, &b->program->draw[k].batch, i, &e);
        }
    return meta_use(b, ctx, err);
}

/* Of θ and α, after a few steps; synchronous, so that both move by rate 1 times theirs. */
static meta_slopes slopes_of(const char *second, int32_t batch, const char *layer)
{
    teach f;
    pdi_program p = {0};
    pdr_error err = PDR_NO_ERROR;
    meta_slopes slopes = {0};
    meta_looked looked = {meta_slope, &slopes};
    teach_how how = linear("synchronous", second);
    how.method.set[7] = "1";
    if (layer) how.layer[0] = (teach_choice){"dense", {"units", "4"}};
    if (layer) how.layer[1] = (teach_choice){layer, {NULL}};
    teach_open(&f, &how, 1);
    remember_one(&f);
    for (int32_t i = 0; i < 3; i++) {
        teach_put(&f, 0, 3 * i, batch);
        teach_step(&f, batch, 0.2f);
    }
    f.t->rate = 1;
    assert_int_equal(
        pdi_build_nodes(f.t, PDI_RUN_STEP, batch, -1, &p, use_with_replay, &looked, &err), PDR_OK);
    pdi_program_close(f.t->alloc, &p);
    teach_close(&f);
    return slopes;
}

static void the_second_order_meta_gradient_is_exact(void **state)
{
    (void)state;
    static const char *const layer[] = {NULL, "tanh", "relu"};
    for (size_t i = 0; i < COUNT(layer); i++) {
        meta_slopes s = slopes_of("true", BATCH, layer[i]);
        assert_int_equal(s.numbers, layer[i] ? 2 * (20 + 15) : 2 * SIZE);
        assert_true(s.off < 1e-6 && s.most > 0.01);
    }
}

/* Where inner gradients count as constants the gradient is another one. */
static void the_first_order_meta_gradient_differs(void **state)
{
    (void)state;
    assert_true(slopes_of("false", BATCH, NULL).off > 1e-3);
    assert_true(slopes_of("false", 1, "tanh").off > 1e-3);
}

/* ---- promises ----------------------------------------------------------------------------------
 */

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"memory", "0"}, {"rates", "none"}, {"alpha", "-1"}, {"second_order", "2"}};
    const pdr_kind *k = pdr_kind_find(PDR_KIND_METHOD, "la-maml");
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

static void la_maml_keeps_every_promise(void **state)
{
    (void)state;
    static const char *const rates[] = {"learned", "synchronous", "fixed"};
    for (size_t i = 0; i < COUNT(rates); i++) {
        teach_how how = {.method = {"la-maml", {"memory", "7", "rates", rates[i]}},
                         .optimizer = {"sgd", {"momentum", "0.5"}},
                         .layer = {{"dense", {"units", "5"}}, {"relu", {NULL}}},
                         .example = PDR_SHAPE(6),
                         .outputs = 6,
                         .tasks = 3,
                         .masked = i == 1,
                         .class_incremental = i == 2,
                         .clip_norm = 2,
                         .seed = 5};
        teach_promises(&how);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learned_rates_move_first_and_then_the_weights_by_them),
        cmocka_unit_test(synchronous_weights_move_at_a_rate_of_their_own),
        cmocka_unit_test(fixed_rates_are_no_state),
        cmocka_unit_test(the_second_order_meta_gradient_is_exact),
        cmocka_unit_test(the_first_order_meta_gradient_differs),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(la_maml_keeps_every_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
