/* test_dgr.c -- deep generative replay: the bound, what is replayed, who is copied. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "t.h"
#include "teach.h"

enum { PIXELS = 4, HIDDEN = 3, LATENT = 2, OUTPUTS = 6, TASKS = 3, MOST = 8 };

static const teach_how linear = {.method = {"dgr", {"hidden", "3", "latent", "2"}},
                                 .optimizer = {"sgd", {NULL}},
                                 .example = {.rank = 3, .dim = {1, 2, 2}},
                                 .outputs = OUTPUTS,
                                 .tasks = TASKS,
                                 .class_incremental = true,
                                 .seed = 8};

/* ---- the same in double, by plain loops ----------------------------------------------------- */

/* w x + b of the dense layer called so. */
static void dense_of(const teach *f, const char *layer, size_t in, const double x[], size_t out,
                     double y[])
{
    char name[2][96];
    snprintf(name[0], sizeof name[0], "%s.weight", layer);
    snprintf(name[1], sizeof name[1], "%s.bias", layer);
    const float *w = teach_tensor(f, name[0])->value, *b = teach_tensor(f, name[1])->value;
    for (size_t i = 0; i < out; i++) {
        y[i] = (double)b[i];
        for (size_t k = 0; k < in; k++) y[i] += (double)w[i * in + k] * x[k];
    }
}

static void relu_of(size_t n, double x[])
{
    for (size_t i = 0; i < n; i++)
        if (x[i] < 0) x[i] = 0;
}

/* Probabilities of pixels; `old` "" or "old.". */
static void decode_of(const teach *f, const char *old, const double z[LATENT], double p[PIXELS])
{
    double h[2][HIDDEN];
    char name[64];
    snprintf(name, sizeof name, "%svae.from_z", old);
    dense_of(f, name, LATENT, z, HIDDEN, h[0]);
    relu_of(HIDDEN, h[0]);
    snprintf(name, sizeof name, "%svae.grow", old);
    dense_of(f, name, HIDDEN, h[0], HIDDEN, h[1]);
    relu_of(HIDDEN, h[1]);
    snprintf(name, sizeof name, "%svae.x", old);
    dense_of(f, name, HIDDEN, h[1], PIXELS, p);
    for (size_t i = 0; i < PIXELS; i++) p[i] = 1 / (1 + exp(-p[i]));
}

/* -sum log p(x|z) + sum (mean^2 + variance - 1 - log variance) / 2 of one example. */
static double bound_of(const teach *f, const double x[PIXELS], const float noise[LATENT])
{
    double h[2][HIDDEN], mean[LATENT], spread[LATENT], z[LATENT], p[PIXELS], g = 0;
    dense_of(f, "vae.see", PIXELS, x, HIDDEN, h[0]);
    relu_of(HIDDEN, h[0]);
    dense_of(f, "vae.shrink", HIDDEN, h[0], HIDDEN, h[1]);
    relu_of(HIDDEN, h[1]);
    dense_of(f, "vae.mean", HIDDEN, h[1], LATENT, mean);
    dense_of(f, "vae.log_variance", HIDDEN, h[1], LATENT, spread);
    for (size_t k = 0; k < LATENT; k++) {
        z[k] = mean[k] + sqrt(exp(spread[k])) * (double)noise[k];
        g += (mean[k] * mean[k] + exp(spread[k]) - 1 - spread[k]) / 2;
    }
    decode_of(f, "", z, p);
    for (size_t i = 0; i < PIXELS; i++) g -= x[i] * log(p[i]) + (1 - x[i]) * log(1 - p[i]);
    return g;
}

/* The normal numbers that a run's key gives, n rows. */
static void noise_of(const int32_t key[4], int32_t n, float out[][LATENT])
{
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan;
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_pool *pool = pdr_pool_new(NULL, 1);
    pdr_node k = pdr_input(g, PDR_I32, PDR_SHAPE(4));
    pdr_node y = pdr_randn(g, k, 1000, PDR_SHAPE(n, LATENT));
    assert_int_equal(pdr_plan_new(g, pool, 1, &k, 1, &y, NULL, &plan, &err), PDR_OK);
    pdr_plan_run(plan, (const void *[]){key}, (void *[]){out});
    pdr_plan_free(plan);
    pdr_pool_free(pool);
    pdr_graph_free(g);
}

static void outputs_of(const teach *f, const char *group, const double x[PIXELS], double y[])
{
    char name[64];
    snprintf(name, sizeof name, "%s/output", group);
    dense_of(f, name, PIXELS, x, OUTPUTS, y);
}

/* -log softmax(y)[label] and the largest output, among lo .. lo + n - 1. */
static double surprise_of(const double y[], int32_t lo, int32_t n, int32_t label)
{
    double sum = 0;
    for (int32_t k = lo; k < lo + n; k++) sum += exp(y[k]);
    return log(sum) - y[label];
}

static int32_t largest_of(const double y[], int32_t lo, int32_t n)
{
    int32_t best = lo;
    for (int32_t k = lo; k < lo + n; k++)
        if (y[k] > y[best]) best = k;
    return best;
}

/* On the new examples: cross-entropy and a pixel's part of the bound. */
static double new_loss(const teach *f, int32_t task, int32_t n, const float noise[][LATENT])
{
    double loss = 0, x[PIXELS], y[OUTPUTS];
    for (int32_t i = 0; i < n; i++) {
        float raw[PIXELS];
        int32_t label;
        teach_example(f->how, task, i, raw, &label);
        for (size_t k = 0; k < PIXELS; k++) x[k] = (double)raw[k];
        outputs_of(f, "param", x, y);
        bool masked = f->how->masked;
        loss += surprise_of(y, masked ? 2 * task : 0, masked ? 2 : OUTPUTS, label) / n;
        loss += bound_of(f, x, noise[i]) / PIXELS / n;
    }
    return loss;
}

/* On what the old decoder makes of z, as the old model answers it: with every old head. */
static double replayed_loss(const teach *f, int32_t task, int32_t n, const float z[][LATENT],
                            const float noise[][LATENT])
{
    int32_t heads = f->how->masked ? task : 1, width = f->how->masked ? 2 : OUTPUTS;
    double loss = 0;
    for (int32_t i = 0; i < n; i++) {
        double x[PIXELS], old[OUTPUTS], now[OUTPUTS];
        decode_of(f, "old.", (double[LATENT]){(double)z[i][0], (double)z[i][1]}, x);
        outputs_of(f, "old", x, old);
        outputs_of(f, "param", x, now);
        for (int32_t h = 0; h < heads; h++) {
            int32_t label = largest_of(old, width * h, width);
            loss += surprise_of(now, width * h, width, label) / heads / n;
        }
        loss += bound_of(f, x, noise[i]) / PIXELS / n;
    }
    return loss;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Keys of a step, in the order of use: 0 the model, 1 the bound, then 2 z of what is
 * replayed, 3 the model again, 4 the bound of what is replayed. */
static void expect_loss(const teach *f, int32_t task, int32_t n, double got)
{
    float noise[3][MOST][LATENT];
    noise_of(f->t->key[1], n, noise[0]);
    double want = new_loss(f, task, n, (const float(*)[LATENT])noise[0]);
    if (task > 0) {
        noise_of(f->t->key[2], n, noise[1]);
        noise_of(f->t->key[4], n, noise[2]);
        want += task * replayed_loss(f, task, n, (const float(*)[LATENT])noise[1],
                                     (const float(*)[LATENT])noise[2]);
        want /= task + 1;
    }
    teach_near(got, want, 2e-5);
}

static void losses_are_those_of_the_paper(const teach_how *how)
{
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, how, 1);
    for (int32_t task = 0; task < TASKS; task++) {
        pdi_trainer_task(f.t, task, 0);
        for (int32_t i = 0; i < 5; i++) {
            teach_put(&f, task, 0, 6);
            expect_loss(&f, task, 6, teach_step(&f, 6, 0)); /* rate 0: nothing moved */
            teach_put(&f, task, 6, MOST);
            teach_step(&f, MOST, 0.5f);
        }
        assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
    }
    teach_close(&f);
}

static void new_and_replayed_examples_are_weighted_by_tasks(void **state)
{
    (void)state;
    losses_are_those_of_the_paper(&linear);
}

static void with_a_head_a_task_every_old_head_answers(void **state)
{
    (void)state;
    teach_how how = linear;
    how.class_incremental = false;
    how.masked = true;
    losses_are_those_of_the_paper(&how);
}

/* By hand.  All weights 0 but for the biases: p = sigmoid(0) = 1/2 for each of four pixels
 * whatever z is, 4 log 2; mean (1, 2) and log variance (0, log 4): KL = (1 + 1 - 1 - 0) / 2
 * + (4 + 4 - 1 - log 4) / 2 = 4 - log 2.  So G = 4 + 3 log 2 for any x. */
static void the_bound_of_a_blind_encoder_is_known(void **state)
{
    (void)state;
    teach f;
    teach_open(&f, &linear, 1);
    teach_put(&f, 0, 0, 2);
    teach_step(&f, 2, 0); /* makes the tensors */
    for (size_t i = 0; i < f.t->store.n; i++) {
        pdi_tensor *t = &f.t->store.v[i];
        if (strncmp(t->name, "vae.", 4) && strncmp(t->name, "param/", 6)) continue;
        memset(t->value, 0, (size_t)pdr_shape_size(&t->shape) * sizeof(float));
    }
    float *mean = teach_tensor(&f, "vae.mean.bias")->value,
          *spread = teach_tensor(&f, "vae.log_variance.bias")->value;
    mean[0] = 1;
    mean[1] = 2;
    spread[1] = (float)log(4);
    teach_put(&f, 0, 0, 5);
    double want = log(OUTPUTS) + (4 + 3 * log(2)) / PIXELS;
    teach_near(teach_step(&f, 5, 0), want, 1e-6);
    teach_close(&f);
}

static bool is_same(const teach *f, const char *x, const char *y)
{
    const pdi_tensor *a = teach_tensor(f, x), *b = teach_tensor(f, y);
    return !memcmp(a->value, b->value, (size_t)pdr_shape_size(&a->shape) * sizeof(float));
}

static void decoder_and_model_are_copied_when_a_task_ends(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &linear, 1);
    assert_int_equal(teach_task(&f, 0, 8, &err), PDR_OK);
    static const char *const pair[][2] = {{"old.vae.from_z.weight", "vae.from_z.weight"},
                                          {"old.vae.grow.bias", "vae.grow.bias"},
                                          {"old.vae.x.weight", "vae.x.weight"},
                                          {"old/output.weight", "param/output.weight"}};
    for (size_t i = 0; i < COUNT(pair); i++) assert_true(is_same(&f, pair[i][0], pair[i][1]));
    pdi_trainer_task(f.t, 1, 0);
    float before = teach_value(&f, "old.vae.x.weight", 0);
    teach_put(&f, 1, 0, 8);
    teach_step(&f, 8, 0.5f);
    assert_true(teach_value(&f, "old.vae.x.weight", 0) == before);
    for (size_t i = 0; i < COUNT(pair); i++) assert_false(is_same(&f, pair[i][0], pair[i][1]));
    teach_close(&f);
}

static void the_generator_learns(void **state)
{
    (void)state;
    teach f;
    double first = 0, last = 0;
    teach_how how = linear;
    how.optimizer = (teach_choice){"adam", {NULL}};
    teach_open(&f, &how, 1);
    pdi_trainer_task(f.t, 0, 0);
    for (int32_t i = 0; i < 300; i++) {
        teach_put(&f, 0, 0, MOST);
        double loss = teach_step(&f, MOST, 0.02f);
        if (i < 10) first += loss / 10;
        if (i >= 290) last += loss / 10;
    }
    float noise[MOST][LATENT] = {{0}};
    double bound = new_loss(&f, 0, MOST, (const float(*)[LATENT])noise);
    assert_true(last < 0.5 * first && bound < 0.75);
    teach_close(&f);
}

static void every_promise_is_kept(void **state)
{
    (void)state;
    teach_how how = linear;
    how.optimizer = (teach_choice){"adam", {NULL}};
    teach_promises(&how);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_of_a_blind_encoder_is_known),
        cmocka_unit_test(new_and_replayed_examples_are_weighted_by_tasks),
        cmocka_unit_test(with_a_head_a_task_every_old_head_answers),
        cmocka_unit_test(decoder_and_model_are_copied_when_a_task_ends),
        cmocka_unit_test(the_generator_learns),
        cmocka_unit_test(every_promise_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
