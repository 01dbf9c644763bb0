/* test_meta.c -- methods with an inner loop against central differences and plain loops,
 * and every method of episodes against itself.
 *
 * Traps are those that reproductions of MAML and Reptile fell into; where one is a
 * matter of the protocol alone (how many queries, turned classes, steps at test), the
 * recipes say what they take and the result says what was taken. */
#include "meta.h"

/* ---- maml: the meta-gradient --------------------------------------------------------- */

#define MLP  "dense units=5 | tanh | dense units=4 | relu"
#define CONV "conv2d filters=2 stride=2 bias=false | batch_norm epsilon=0.001 | relu"

static meta_case mlp(const char *set)
{
    return (meta_case){.method = "maml",
                       .set = set,
                       .layers = MLP,
                       .example = PDR_SHAPE(3),
                       .way = 3,
                       .shot = 2,
                       .query = 1,
                       .episodes = 2,
                       .seed = 1};
}

static meta_case conv(const char *set)
{
    meta_case c = mlp(set);
    c.layers = CONV;
    c.example = PDR_SHAPE(1, 4, 4);
    return c;
}

static meta_slopes slopes_of(meta_case c)
{
    meta f;
    meta_open(&f, &c);
    meta_slopes s = meta_slopes_of(&f);
    meta_close(&f);
    return s;
}

static void assert_exact(meta_case c)
{
    meta_slopes s = slopes_of(c);
    assert_true(s.most > 0.01);
    assert_near(s.off, 0, 1e-6);
}

static void maml_differentiates_through_its_steps(void **state)
{
    (void)state;
    assert_exact(mlp("steps=1 alpha=0.5"));
    assert_exact(mlp("steps=3 alpha=0.5"));
    assert_exact(mlp("steps=5 alpha=0.5"));
    meta_case c = mlp("steps=3 alpha=0.5");
    c.way = 0; /* regression */
    c.shot = 4;
    c.query = 3;
    assert_exact(c);
}

/* The mean and the variance of a batch move with what is adapted. */
static void maml_differentiates_through_batch_statistics(void **state)
{
    (void)state;
    assert_exact(conv("steps=1 alpha=0.5"));
    assert_exact(conv("steps=3 alpha=0.5"));
    assert_exact(conv("steps=5 alpha=0.5"));
}

static void anil_is_exact_too(void **state)
{
    (void)state;
    assert_exact(mlp("steps=3 alpha=0.5 anil=true"));
    assert_exact(conv("steps=2 alpha=0.5 anil=true"));
}

/* The loss is the same; its gradient is not the one that is taken. */
static void first_order_is_not_exact(void **state)
{
    (void)state;
    meta_slopes s = slopes_of(mlp("steps=1 alpha=0.5 first_order=true"));
    assert_true(s.off > 0.01 * s.most);
    s = slopes_of(conv("steps=3 alpha=0.5 first_order=true"));
    assert_true(s.off > 0.01 * s.most);
}

/* A linear model whose answers are wrong by far has a loss that is linear in them, and so
 * in the parameters: the inner gradient is a constant. */
static void first_order_is_exact_where_the_loss_is_linear(void **state)
{
    (void)state;
    meta_case c = mlp("steps=3 alpha=0.001 first_order=true");
    meta f;
    c.layers = "";
    meta_open(&f, &c);
    float *bias = meta_tensor(&f, "param/output.bias")->value;
    for (int k = 0; k < 3; k++) bias[k] = k == 0 ? 200 : k == 1 ? 100 : 0;
    for (int i = 0; i < 12; i++) f.t->support.label[i] = 2;
    meta_slopes s = meta_slopes_of(&f);
    assert_true(s.most > 0.1);
    assert_near(s.off, 0, 1e-6);
    meta_close(&f);
}

/* Meta-SGD: the rates are trained by their own gradient, and may have either sign. */
static void learned_rates_are_trained_with_the_parameters(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("steps=2 alpha=0.3 learned_rates=true");
    meta_open(&f, &c);
    meta_step(&f, 0);
    pdi_tensor *rate = meta_tensor(&f, "alpha/output.weight");
    assert_near((double)rate->value[0], 0.3, 1e-7);
    for (int i = 0; i < 12; i += 2) rate->value[i] = -0.2f;
    meta_slopes s = meta_slopes_of(&f);
    assert_int_equal(s.numbers, 2 * (5 * 3 + 5 + 4 * 5 + 4 + 3 * 4 + 3));
    assert_true(s.most > 0.01);
    assert_near(s.off, 0, 1e-6);
    float was = rate->value[1];
    meta_step(&f, 0.1f);
    assert_true(rate->value[1] != was);
    meta_close(&f);
}

static void the_loss_is_a_mean_over_episodes(void **state)
{
    (void)state;
    double loss[2], both;
    meta f;
    meta_case c = mlp("steps=2 alpha=0.5");
    meta_open(&f, &c);
    both = meta_step(&f, 0);
    for (int e = 0; e < 2; e++) {
        pdr_error err;
        size_t s = 6, q = 3, w = 3;
        memmove(f.t->support.x, f.t->support.x + (size_t)e * s * w, s * w * sizeof(float));
        memmove(f.t->query.x, f.t->query.x + (size_t)e * q * w, q * w * sizeof(float));
        assert_int_equal(pdi_trainer_step(f.t, 1, 0, &loss[e], &err), PDR_OK);
    }
    assert_near(both, (loss[0] + loss[1]) / 2, 1e-6);
    assert_true(fabs(loss[0] - loss[1]) > 1e-3);
    meta_close(&f);
}

/* ---- a linear model by hand -------------------------------------------------------------- */

enum { WAY = 3, WIDTH = 4, SIZE = WAY * WIDTH + WAY };

static meta_case linear(const char *method, const char *set)
{
    return (meta_case){.method = method,
                       .set = set,
                       .layers = "",
                       .example = PDR_SHAPE(WIDTH),
                       .way = WAY,
                       .shot = 2,
                       .query = 2,
                       .episodes = 2,
                       .test_steps = 3,
                       .seed = 2};
}

/* Weights, then biases. */
static void parameters_of(const meta *f, double theta[SIZE])
{
    const float *w = meta_tensor(f, "param/output.weight")->value;
    const float *b = meta_tensor(f, "param/output.bias")->value;
    for (int i = 0; i < SIZE; i++) theta[i] = (double)(i < WAY * WIDTH ? w[i] : b[i - WAY * WIDTH]);
}

static void logits_of(const double theta[SIZE], const float *x, double z[WAY])
{
    for (int c = 0; c < WAY; c++) {
        z[c] = theta[WAY * WIDTH + c];
        for (int k = 0; k < WIDTH; k++) z[c] += theta[c * WIDTH + k] * (double)x[k];
    }
}

/* grad += weight times the gradient of the cross-entropy of one example; its loss. */
static double slope_of(const double theta[SIZE], const float *x, int label, double weight,
                       double grad[SIZE])
{
    double p[WAY], sum = 0;
    logits_of(theta, x, p);
    for (int c = 0; c < WAY; c++) sum += p[c] = exp(p[c]);
    for (int c = 0; c < WAY; c++) {
        double d = weight * (p[c] / sum - (c == label));
        grad[WAY * WIDTH + c] += d;
        for (int k = 0; k < WIDTH; k++) grad[c * WIDTH + k] += d * (double)x[k];
    }
    return -log(p[label] / sum);
}

/* Row i of the support set of episode e. */
static const float *row_of(const meta *f, int e, int i)
{
    return f->t->support.x + (e * f->t->spec.episode.support + i) * WIDTH;
}

/* The authors' code divides the sum over the N K support examples by K, and takes steps of
 * 0.4 at 5-way: 2.0 of a mean (trap 3).  Here 3 ways and 0.4: 1.2. */
static void maml_takes_steps_of_the_mean_loss(void **state)
{
    (void)state;
    meta f;
    meta_case c = linear("maml", "alpha=1.2");
    meta_open(&f, &c);
    const float *y = meta_predict(&f);
    for (int e = 0; e < 2; e++) {
        double theta[SIZE];
        parameters_of(&f, theta);
        for (int k = 0; k <= 3; k++) {
            double grad[SIZE] = {0};
            for (int q = 0; q < 6; q++) {
                double z[WAY];
                logits_of(theta, f.t->query.x + (e * 6 + q) * WIDTH, z);
                for (int i = 0; i < WAY; i++)
                    assert_near((double)y[((e * 4 + k) * 6 + q) * WAY + i], z[i], 1e-5);
            }
            for (int i = 0; i < 6; i++) slope_of(theta, row_of(&f, e, i), i / 2, 1.0 / 2, grad);
            for (int i = 0; i < SIZE; i++) theta[i] -= 0.4 * grad[i];
        }
    }
    meta_close(&f);
}

/* With a body, only the linear model on top of it moves: by hand on its features. */
static void anil_leaves_the_body_as_it_is(void **state)
{
    (void)state;
    meta f;
    meta_case c = linear("maml", "alpha=0.7 anil=true");
    c.layers = "dense units=4 bias=false | tanh";
    c.episodes = 1;
    meta_open(&f, &c);
    const float *y = meta_predict(&f), *body = meta_tensor(&f, "param/0.dense.weight")->value;
    double theta[SIZE];
    float support[6 * WIDTH], query[6 * WIDTH];
    for (int i = 0; i < 6 * WIDTH; i++) {
        double s = 0, q = 0;
        for (int k = 0; k < WIDTH; k++) {
            double w = (double)body[i % WIDTH * WIDTH + k];
            s += w * (double)f.t->support.x[i / WIDTH * WIDTH + k];
            q += w * (double)f.t->query.x[i / WIDTH * WIDTH + k];
        }
        support[i] = (float)tanh(s);
        query[i] = (float)tanh(q);
    }
    parameters_of(&f, theta);
    for (int k = 0; k <= 3; k++) {
        double grad[SIZE] = {0};
        for (int q = 0; q < 6; q++) {
            double z[WAY];
            logits_of(theta, query + q * WIDTH, z);
            for (int i = 0; i < WAY; i++) assert_near((double)y[(k * 6 + q) * WAY + i], z[i], 1e-5);
        }
        for (int i = 0; i < 6; i++) slope_of(theta, support + i * WIDTH, i / 2, 1.0 / 6, grad);
        for (int i = 0; i < SIZE; i++) theta[i] -= 0.7 * grad[i];
    }
    meta_close(&f);
}

/* ---- normalisation over a batch (traps 1 and 2) ------------------------------------------- */

/* Are the answers of both runs for query q of the only episode the same bits? */
static bool same_answer(const float *a, const float *b, int steps, int query, int way, int q)
{
    for (int k = 0; k <= steps; k++)
        if (memcmp(a + (k * query + q) * way, b + (k * query + q) * way,
                   (size_t)way * sizeof(float)) != 0)
            return false;
    return true;
}

/* Does changing the last query change the answer to the first? */
static bool queries_know_of_each_other(const char *method, bool alone)
{
    meta f;
    meta_case c = conv("");
    float first[4 * 6 * 3];
    c.method = method;
    c.layers = "conv2d filters=2 stride=2 bias=false | batch_norm running=false | relu";
    c.query = 2;
    c.episodes = 1;
    c.test_steps = meta_method(method)->no_output_layer ? 0 : 3;
    c.alone = alone;
    meta_open(&f, &c);
    memcpy(first, meta_predict(&f), (size_t)(c.test_steps + 1) * 6 * 3 * sizeof(float));
    f.t->query.x[5 * 16] += 1;
    const float *then = meta_predict(&f);
    assert_false(same_answer(first, then, c.test_steps, 6, 3, 5));
    bool knows = !same_answer(first, then, c.test_steps, 6, 3, 0);
    meta_close(&f);
    return knows;
}

static void a_query_knows_of_others_only_when_that_is_asked_for(void **state)
{
    (void)state;
    static const char *const methods[] = {"maml", "reptile", "protonet", "matching", "siamese"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        assert_true(queries_know_of_each_other(methods[i], false));
        assert_false(queries_know_of_each_other(methods[i], true));
    }
}

/* ---- reptile by hand ----------------------------------------------------------------------- */

/* Six examples by class, three a step: parts {0, 2, 4} and {1, 3, 5}, then the first again. */
static void reptile_sgd(const meta *f, int e, double theta[SIZE])
{
    for (int k = 0; k < 3; k++) {
        double grad[SIZE] = {0};
        for (int i = k % 2; i < 6; i += 2) slope_of(theta, row_of(f, e, i), i / 2, 1.0 / 3, grad);
        for (int i = 0; i < SIZE; i++) theta[i] -= 0.5 * grad[i];
    }
}

static void reptile_goes_towards_where_training_leads(void **state)
{
    (void)state;
    meta f;
    double theta[SIZE], after[SIZE], mean[SIZE] = {0};
    meta_case c = linear("reptile", "inner=sgd rate=0.5 steps=3 batch=3");
    meta_open(&f, &c);
    parameters_of(&f, theta);
    for (int e = 0; e < 2; e++) {
        parameters_of(&f, after);
        reptile_sgd(&f, e, after);
        for (int i = 0; i < SIZE; i++) mean[i] += after[i] / 2;
    }
    meta_step(&f, 0.25f);
    parameters_of(&f, after);
    for (int i = 0; i < SIZE; i++)
        assert_near(after[i], theta[i] - 0.25 * (theta[i] - mean[i]), 1e-6);
    meta_close(&f);
}

/* Adam with beta1 = 0 from squares v after t steps. */
static void reptile_adam(const meta *f, int e, int t, double theta[SIZE], double v[SIZE])
{
    for (int k = 0; k < 2; k++) {
        double grad[SIZE] = {0};
        for (int i = k; i < 6; i += 2) slope_of(theta, row_of(f, e, i), i / 2, 1.0 / 3, grad);
        double correct = 1 - pow(0.999, t + k + 1);
        for (int i = 0; i < SIZE; i++) {
            v[i] = 0.999 * v[i] + 0.001 * grad[i] * grad[i];
            theta[i] -= 0.01 * grad[i] / (sqrt(v[i] / correct) + 1e-8);
        }
    }
}

static void reptile_keeps_the_state_of_its_inner_rule(void **state)
{
    (void)state;
    meta f;
    double theta[SIZE], v[SIZE] = {0};
    meta_case c = linear("reptile", "rate=0.01 steps=2 batch=3");
    meta_open(&f, &c);
    parameters_of(&f, theta);
    for (int round = 0; round < 3; round++) {
        double mean[SIZE] = {0}, squares[SIZE] = {0};
        for (int e = 0; e < 2; e++) {
            double at[SIZE], u[SIZE];
            memcpy(at, theta, sizeof at);
            memcpy(u, v, sizeof u);
            reptile_adam(&f, e, 2 * round, at, u);
            for (int i = 0; i < SIZE; i++) mean[i] += at[i] / 2, squares[i] += u[i] / 2;
        }
        meta_step(&f, 0.5f);
        for (int i = 0; i < SIZE; i++) theta[i] += 0.5 * (mean[i] - theta[i]), v[i] = squares[i];
        double now[SIZE];
        parameters_of(&f, now);
        for (int i = 0; i < SIZE; i++) assert_near(now[i], theta[i], 2e-6);
    }
    meta_close(&f);
}

/* A test begins every episode from the state that training ended with (trap 13). */
static void reptile_tests_every_episode_from_the_same_state(void **state)
{
    (void)state;
    meta f;
    meta_case c = linear("reptile", "rate=0.01 steps=2 batch=3 test_batch=2");
    enum { EACH = 4 * 6 * WAY };
    float y[2 * EACH];
    meta_open(&f, &c);
    meta_step(&f, 0.5f);
    uint64_t before = pdi_trainer_hash(f.t);
    memcpy(y, meta_predict(&f), sizeof y);
    assert_memory_equal(y, meta_predict(&f), sizeof y);
    assert_true(pdi_trainer_hash(f.t) == before);
    for (int i = 0; i < 6 * WIDTH; i++) { /* the other way round */
        float s = f.t->support.x[i], q = f.t->query.x[i];
        f.t->support.x[i] = f.t->support.x[6 * WIDTH + i];
        f.t->support.x[6 * WIDTH + i] = s;
        f.t->query.x[i] = f.t->query.x[6 * WIDTH + i];
        f.t->query.x[6 * WIDTH + i] = q;
    }
    const float *turned = meta_predict(&f);
    assert_memory_equal(y, turned + EACH, EACH * sizeof(float));
    assert_memory_equal(y + EACH, turned, EACH * sizeof(float));
    meta_close(&f);
}

/* With all of the support set in a step of plain descent, a test is maml's. */
static void reptile_tests_with_a_batch_of_its_own(void **state)
{
    (void)state;
    meta f, m;
    meta_case c = linear("reptile", "inner=sgd rate=0.5 batch=3 test_batch=6");
    meta_open(&f, &c);
    c = linear("maml", "alpha=0.5");
    meta_open(&m, &c);
    const float *y = meta_predict(&f), *z = meta_predict(&m);
    for (int i = 0; i < 2 * 4 * 6 * WAY; i++) assert_near((double)y[i], (double)z[i], 1e-6);
    meta_close(&f);
    meta_close(&m);
}

/* However many steps there are, and though the gradient is built beside the loss: from 0, after
 * n batches of mean m, with a weight of w for each, m (1 - (1 - w)^n). */
static void running_statistics_move_once_a_step(void **state)
{
    (void)state;
    meta f;
    double mean = 0;
    meta_case c = linear("reptile", "inner=sgd rate=0.000001 steps=70 batch=6");
    c.layers = "batch_norm momentum=0.01";
    meta_open(&f, &c);
    for (int i = 0; i < 2 * 6; i++) mean += (double)f.t->support.x[i * WIDTH] / 12;
    meta_step(&f, 0.1f);
    double now = (double)meta_tensor(&f, "param/0.batch_norm.mean")->value[0];
    assert_near(now, mean * (1 - pow(0.99, 70)), 1e-6);
    assert_true(fabs(mean) > 0.01);
    meta_close(&f);
}

/* ---- every method of episodes --------------------------------------------------------------- */

/* Options of those whose defaults are of some size. */
static const char *small_set(const char *method)
{
    if (!strcmp(method, "scratch")) return "steps=3";
    if (!strcmp(method, "bmaml")) return "particles=3";
    return strcmp(method, "learned-optimizer") ? "" : "unroll=2 length=4 hidden=3";
}

static meta_case small(const char *method)
{
    meta_case c = linear(method, small_set(method));
    c.layers = strcmp(method, "bmaml") ? "dense units=5 | batch_norm | relu"
                                       : "dense units=5 | relu"; /* has no running statistics */
    c.test_steps = meta_method(method)->no_output_layer ? 0 : 2;
    if (!(meta_method(method)->needs & PDR_NEEDS_CLASSES)) c.way = 0, c.shot = c.query = 6;
    return c;
}

static void go_on(meta *f, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        meta_fill(f, false, i);
        meta_step(f, 0.05f);
        meta_fill(f, true, i);
        meta_predict(f);
    }
}

static uint64_t live(const char *method, int threads)
{
    meta f;
    meta_case c = small(method);
    c.threads = threads;
    meta_open(&f, &c);
    go_on(&f, 0, 6);
    uint64_t hash = pdi_trainer_hash(f.t);
    meta_close(&f);
    return hash;
}

static void threads_and_repetition_do_not_change_a_bit(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3};
    for (size_t m = 0; pdi_methods[m]; m++) {
        if (pdi_methods[m]->data != PDR_DATA_EPISODES) continue;
        uint64_t want = live(pdi_methods[m]->kind.name, 1);
        for (size_t i = 0; i < COUNT(threads); i++)
            assert_true(live(pdi_methods[m]->kind.name, threads[i]) == want);
    }
}

static pdr_rc hand_over(void *to, const pdi_piece *piece)
{
    pdr_error err;
    return pdi_trainer_restore(to, piece, &err);
}

static void a_run_that_is_resumed_ends_with_the_same_bits(void **state)
{
    (void)state;
    for (size_t m = 0; pdi_methods[m]; m++) {
        if (pdi_methods[m]->data != PDR_DATA_EPISODES) continue;
        meta first, second;
        meta_case c = small(pdi_methods[m]->kind.name);
        meta_open(&first, &c);
        go_on(&first, 0, 3);
        meta_open(&second, &c);
        assert_int_equal(pdi_trainer_each(first.t, hand_over, second.t), PDR_OK);
        assert_true(pdi_trainer_hash(second.t) == pdi_trainer_hash(first.t));
        go_on(&second, 3, 6);
        assert_true(pdi_trainer_hash(second.t) == live(c.method, 1));
        meta_close(&first);
        meta_close(&second);
    }
}

static void every_method_learns_what_it_sees(void **state)
{
    (void)state;
    for (size_t m = 0; pdi_methods[m]; m++) {
        if (pdi_methods[m]->data != PDR_DATA_EPISODES) continue;
        if (!strcmp(pdi_methods[m]->kind.name, "scratch")) continue; /* never does */
        meta f;
        meta_case c = small(pdi_methods[m]->kind.name);
        meta_open(&f, &c);
        double first = meta_step(&f, 0.05f), last = first;
        for (int i = 0; i < 3000 && last >= 0.9 * first; i++) last = meta_step(&f, 0.05f);
        if (!(last < 0.9 * first)) fail_msg("%s: %g, then %g", c.method, first, last);
        meta_close(&f);
    }
}

typedef struct budget {
    long left, live;
} budget;

static void *budget_fn(void *ctx, void *old, size_t size)
{
    budget *b = ctx;
    if (!size) {
        b->live -= old != NULL;
        free(old);
        return NULL;
    }
    if (b->left-- <= 0) return NULL;
    void *p = realloc(old, size);
    b->live += p && !old;
    return p;
}

static pdr_rc live_within(const char *method, const pdr_alloc *a)
{
    meta f;
    const float *y;
    double loss;
    pdr_error err;
    meta_case c = small(method);
    c.alloc = a;
    c.test_steps = c.test_steps ? 1 : 0;
    pdr_rc rc = meta_try(&f, &c);
    if (!rc) meta_fill(&f, false, 1);
    if (!rc) rc = pdi_trainer_step(f.t, 2, 0.1f, &loss, &err);
    if (!rc) rc = pdi_trainer_predict(f.t, 2, -1, &y, &err);
    meta_close(&f);
    return rc;
}

/* One after the other while a trainer opens, then here and there. */
static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    for (size_t m = 0; pdi_methods[m]; m++) {
        if (pdi_methods[m]->data != PDR_DATA_EPISODES) continue;
        pdr_rc rc = PDR_NOMEM;
        for (long n = 0; rc; n += 1 + n / 60) {
            budget b = {.left = n};
            pdr_alloc a = {budget_fn, &b};
            rc = live_within(pdi_methods[m]->kind.name, &a);
            assert_true(rc == PDR_OK || rc == PDR_NOMEM);
            assert_int_equal(b.live, 0);
        }
    }
}

static void an_inner_rate_that_diverges_is_an_error_with_a_remedy(void **state)
{
    (void)state;
    meta f;
    double loss;
    pdr_error err = PDR_NO_ERROR;
    meta_case c = mlp("steps=8 alpha=1000000");
    c.way = 0;
    c.shot = c.query = 4;
    c.layers = "";
    meta_open(&f, &c);
    assert_int_equal(pdi_trainer_step(f.t, 2, 0.1f, &loss, &err), PDR_DIVERGED);
    assert_non_null(strstr(err.text, "the method's own rate"));
    meta_close(&f);
}

static void bad_options_say_what_would_be_right(void **state)
{
    (void)state;
    static const char *const wrong[][4] = {
        {"maml", "steps", "0", "give 1 to 1000"},
        {"maml", "alpha", "-1", "give 0 to"},
        {"maml", "first_order", "perhaps", "neither true nor false"},
        {"reptile", "inner", "rmsprop", "adam, sgd"},
        {"reptile", "batch", "0", "give 1 to"},
        {"matching", "scale", "0", "give 1e-06 to"},
        {"matching", "distance", "l1", "cosine, euclidean"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        double self[32];
        pdr_error err = PDR_NO_ERROR;
        const pdr_option *table = meta_method(wrong[i][0])->kind.options;
        pdr_rc rc = pdr_option_set(pdr_option_find(table, wrong[i][1]), self, wrong[i][2], &err);
        assert_int_equal(rc, PDR_INPUT);
        if (!strstr(err.text, wrong[i][3])) fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maml_differentiates_through_its_steps),
        cmocka_unit_test(maml_differentiates_through_batch_statistics),
        cmocka_unit_test(anil_is_exact_too),
        cmocka_unit_test(first_order_is_not_exact),
        cmocka_unit_test(first_order_is_exact_where_the_loss_is_linear),
        cmocka_unit_test(learned_rates_are_trained_with_the_parameters),
        cmocka_unit_test(the_loss_is_a_mean_over_episodes),
        cmocka_unit_test(maml_takes_steps_of_the_mean_loss),
        cmocka_unit_test(anil_leaves_the_body_as_it_is),
        cmocka_unit_test(a_query_knows_of_others_only_when_that_is_asked_for),
        cmocka_unit_test(reptile_goes_towards_where_training_leads),
        cmocka_unit_test(reptile_keeps_the_state_of_its_inner_rule),
        cmocka_unit_test(reptile_tests_every_episode_from_the_same_state),
        cmocka_unit_test(reptile_tests_with_a_batch_of_its_own),
        cmocka_unit_test(running_statistics_move_once_a_step),
        cmocka_unit_test(threads_and_repetition_do_not_change_a_bit),
        cmocka_unit_test(a_run_that_is_resumed_ends_with_the_same_bits),
        cmocka_unit_test(every_method_learns_what_it_sees),
        cmocka_unit_test(every_refused_allocation_is_survived),
        cmocka_unit_test(an_inner_rate_that_diverges_is_an_error_with_a_remedy),
        cmocka_unit_test(bad_options_say_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
