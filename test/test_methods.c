/* test_methods.c -- the methods against hand-computed mathematics, the memory against
 * its probabilities, the trainer against itself.
 *
 * The model is a linear one, three classes from four features, so that everything can be
 * computed again here in double by plain loops. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "method/methods.h"
#include "method/trainer.h"
#include "state.h"
#include "t.h"

enum { CLASSES = 3, WIDTH = 4, EXAMPLES = 6, TASKS = 2 };

/* Episodes of three support and three query examples, two at once; a step of adaptation. */
static const pdi_episode_sizes episodes_sizes = {.support = 3,
                                                 .query = 3,
                                                 .test_support = 3,
                                                 .test_query = 3,
                                                 .at_once = 2,
                                                 .test_at_once = 2,
                                                 .test_steps = 1};

static const float xs[EXAMPLES][WIDTH] = {{0.5f, -1.0f, 0.25f, 2.0f}, {1.5f, 0.5f, -0.75f, 0.0f},
                                          {-0.5f, 1.0f, 1.0f, -1.0f}, {0.1f, 0.2f, 0.3f, 0.4f},
                                          {-2.0f, 0.0f, 0.5f, 1.0f},  {0.9f, -0.4f, 0.6f, -0.2f}};
static const int32_t ys[EXAMPLES] = {0, 1, 2, 1, 0, 2};

/* cmocka's own compares floats; ours are doubles. */
static void assert_near(double x, double want, double tolerance)
{
    if (!(fabs(x - want) <= tolerance)) fail_msg("%.9g is not %.9g", x, want);
}

/* ---- a trainer for the linear model ------------------------------------------------- */

typedef struct fixture {
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *t;
    double *options;
    double sgd[8];
} fixture;

static const pdr_kind *kind_of(const char *method)
{
    for (size_t i = 0; pdi_methods[i]; i++)
        if (!strcmp(pdi_methods[i]->kind.name, method)) return &pdi_methods[i]->kind;
    return NULL;
}

static bool is_episodic(const pdr_kind *k)
{
    return ((const pdr_method *)(const void *)k)->data == PDR_DATA_EPISODES;
}

/* Defaults, but of whatever takes long two. */
static void open_options(const pdr_kind *k, void *self)
{
    static const char *const long_ones[] = {"steps", "unroll", "particles", "hidden", "latent"};
    pdr_error err = PDR_NO_ERROR;
    pdr_option_defaults(k->options, self);
    for (size_t i = 0; i < COUNT(long_ones); i++) {
        const pdr_option *row = pdr_option_find(k->options, long_ones[i]);
        if (row) assert_int_equal(pdr_option_set(row, self, "2", &err), PDR_OK);
    }
}

/* set: "key=value" pairs, NULL-terminated. */
static void open_threads(fixture *f, const char *method, int threads, const char *const set[])
{
    pdr_error err = PDR_NO_ERROR;
    const pdr_kind *k = kind_of(method), *o = pdr_kind_find(PDR_KIND_OPTIMIZER, "sgd");
    memset(f, 0, sizeof *f);
    f->options = test_calloc(1, k->self_size ? k->self_size : 1);
    open_options(k, f->options);
    assert_true(o->self_size <= sizeof f->sgd);
    pdr_option_defaults(o->options, f->sgd);
    for (size_t i = 0; set && set[i]; i += 2)
        assert_int_equal(
            pdr_option_set(pdr_option_find(k->options, set[i]), f->options, set[i + 1], &err),
            PDR_OK);
    f->pool = pdr_pool_new(NULL, threads);
    assert_int_equal(
        pdr_model_new(&pdi_malloc, 0, NULL, PDR_SHAPE(WIDTH), CLASSES, &f->model, &err), PDR_OK);
    pdi_trainer_spec s = {.method = {k, f->options},
                          .optimizer = {o, f->sgd},
                          .model = f->model,
                          .loss = PDR_LOSS_CROSS_ENTROPY,
                          .example = PDR_SHAPE(WIDTH),
                          .outputs = CLASSES,
                          .setting = {.tasks = TASKS, .outputs = CLASSES, .classes = CLASSES},
                          .seed = 5};
    if (is_episodic(k)) s.episode = episodes_sizes;
    assert_int_equal(pdi_trainer_new(&pdi_malloc, &s, f->pool, EXAMPLES, &f->t, &err), PDR_OK);
}

static void open_fixture(fixture *f, const char *method, const char *const set[])
{
    open_threads(f, method, 1, set);
}

static void close_fixture(fixture *f)
{
    pdi_trainer_free(f->t);
    pdr_model_free(f->model);
    pdr_pool_free(f->pool);
    test_free(f->options);
}

static void put(fixture *f, int32_t n, int32_t task)
{
    for (int32_t i = 0; i < n; i++) {
        pdi_example e = {.x = xs[i], .label = ys[i], .task = task};
        pdi_trainer_put(f->t, i, &e);
    }
}

static double step(fixture *f, int32_t n, float rate)
{
    double loss = NAN;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_trainer_step(f->t, n, rate, &loss, &err), PDR_OK);
    return loss;
}

/* ---- the linear model again --------------------------------------------------------------- */

/* Parameter 0 is the weight [3,4], 1 the bias [3]. */

static void softmax_of(const float *w, const float *b, const float *x, double T, double p[CLASSES])
{
    double sum = 0;
    for (int c = 0; c < CLASSES; c++) {
        double z = (double)b[c];
        for (int k = 0; k < WIDTH; k++) z += (double)w[c * WIDTH + k] * (double)x[k];
        sum += p[c] = exp(z / T);
    }
    for (int c = 0; c < CLASSES; c++) p[c] /= sum;
}

static double cross_entropy_of(const fixture *f, int n)
{
    double loss = 0, p[CLASSES];
    for (int i = 0; i < n; i++) {
        softmax_of(state_of(f->t, "param", 0), state_of(f->t, "param", 1), xs[i], 1, p);
        loss -= log(p[ys[i]]) / n;
    }
    return loss;
}

/* E_x sum_y p(y|x) (d log p(y|x) / d b_c)^2 and the same for w[c][k]. */
static void fisher_of(const fixture *f, double w[CLASSES][WIDTH], double b[CLASSES])
{
    memset(w, 0, sizeof(double) * CLASSES * WIDTH);
    memset(b, 0, sizeof(double) * CLASSES);
    for (int i = 0; i < EXAMPLES; i++) {
        double p[CLASSES];
        softmax_of(state_of(f->t, "param", 0), state_of(f->t, "param", 1), xs[i], 1, p);
        for (int y = 0; y < CLASSES; y++)
            for (int c = 0; c < CLASSES; c++) {
                double g = (c == y) - p[c];
                b[c] += p[y] * g * g / EXAMPLES;
                for (int k = 0; k < WIDTH; k++) {
                    double gk = g * (double)xs[i][k];
                    w[c][k] += p[y] * gk * gk / EXAMPLES;
                }
            }
    }
}

static void finish_task(fixture *f)
{
    pdr_error err = PDR_NO_ERROR;
    put(f, EXAMPLES, 0);
    assert_int_equal(pdi_trainer_pass(f->t, EXAMPLES, &err), PDR_OK);
    assert_int_equal(pdi_trainer_task_end(f->t, &err), PDR_OK);
}

/* ---- methods --------------------------------------------------------------------------------- */

static void finetune_minimises_the_cross_entropy(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, "finetune", NULL);
    put(&f, EXAMPLES, 0);
    double want = cross_entropy_of(&f, EXAMPLES), first = step(&f, EXAMPLES, 0.5f), last = first;
    assert_near(first, want, 1e-6);
    for (int i = 0; i < 200; i++) last = step(&f, EXAMPLES, 0.5f);
    assert_true(last < 0.5 * first);
    close_fixture(&f);
}

static void ewc_gathers_the_fisher_of_the_paper(void **state)
{
    (void)state;
    fixture f;
    double w[CLASSES][WIDTH], b[CLASSES];
    open_fixture(&f, "ewc", NULL);
    put(&f, EXAMPLES, 0);
    for (int i = 0; i < 20; i++) step(&f, EXAMPLES, 0.5f);
    fisher_of(&f, w, b);
    finish_task(&f);
    const float *fw = state_of(f.t, "fisher", 0), *fb = state_of(f.t, "fisher", 1);
    for (int c = 0; c < CLASSES; c++) {
        assert_near(fb[c], b[c], 1e-6);
        for (int k = 0; k < WIDTH; k++) assert_near(fw[c * WIDTH + k], w[c][k], 1e-6);
    }
    assert_memory_equal(state_of(f.t, "anchor", 0), state_of(f.t, "param", 0), sizeof w / 2);
    close_fixture(&f);
}

/* lambda/2 sum F (theta - anchor)^2 over weights and biases. */
static double penalty_of(const fixture *f, double lambda)
{
    double sum = 0;
    for (size_t i = 0; i < 2; i++) {
        const float *F = state_of(f->t, "fisher", i), *a = state_of(f->t, "anchor", i),
                    *t = state_of(f->t, "param", i);
        for (int k = 0; k < (i ? CLASSES : CLASSES * WIDTH); k++) {
            double d = (double)t[k] - (double)a[k];
            sum += lambda / 2 * (double)F[k] * d * d;
        }
    }
    return sum;
}

static void ewc_adds_the_penalty_from_the_second_task_on(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, "ewc", (const char *const[]){"lambda", "30", NULL});
    put(&f, EXAMPLES, 0);
    assert_near(step(&f, EXAMPLES, 0.5f), step(&f, EXAMPLES, 0), 1.0); /* no penalty yet */
    finish_task(&f);
    pdi_trainer_task(f.t, 1, 0);
    put(&f, 3, 1);
    for (int i = 0; i < 5; i++) step(&f, 3, 0.05f);
    double want = cross_entropy_of(&f, 3) + penalty_of(&f, 30);
    assert_true(penalty_of(&f, 30) > 1e-4);
    assert_near(step(&f, 3, 0.05f), want, 1e-5);
    close_fixture(&f);
}

/* Two quadratics are one: sum F_k (t - t_k)^2 has its least at c = sum F_k t_k / sum F_k. */
static void ewc_offline_keeps_one_quadratic_for_all_tasks(void **state)
{
    (void)state;
    fixture f;
    double F[2][CLASSES * WIDTH], t[2][CLASSES * WIDTH], b[CLASSES];
    open_fixture(&f, "ewc", (const char *const[]){"lambda", "1", NULL});
    for (int task = 0; task < 2; task++) {
        pdi_trainer_task(f.t, task, 0);
        put(&f, EXAMPLES, task);
        for (int i = 0; i < 10; i++) step(&f, EXAMPLES, task ? -0.2f : 0.4f);
        fisher_of(&f, (double(*)[WIDTH])F[task], b);
        for (int k = 0; k < CLASSES * WIDTH; k++) t[task][k] = (double)state_of(f.t, "param", 0)[k];
        finish_task(&f);
    }
    const float *fw = state_of(f.t, "fisher", 0), *a = state_of(f.t, "anchor", 0);
    for (int k = 0; k < CLASSES * WIDTH; k++) {
        double sum = F[0][k] + F[1][k];
        assert_near(fw[k], sum, 1e-5);
        double c = (F[0][k] * t[0][k] + F[1][k] * t[1][k]) / sum;
        assert_near(a[k], c, 1e-4);
    }
    close_fixture(&f);
}

static void ewc_online_decays_the_fisher_and_moves_the_anchor(void **state)
{
    (void)state;
    fixture f;
    double w[CLASSES][WIDTH], b[CLASSES];
    open_fixture(&f, "ewc", (const char *const[]){"online", "true", "gamma", "0.5", NULL});
    put(&f, EXAMPLES, 0);
    step(&f, EXAMPLES, 0.5f);
    finish_task(&f);
    fisher_of(&f, w, b); /* parameters stay: the second F_k equals the first */
    pdi_trainer_task(f.t, 1, 0);
    finish_task(&f);
    for (int c = 0; c < CLASSES; c++) assert_near(state_of(f.t, "fisher", 1)[c], 1.5 * b[c], 1e-6);
    assert_memory_equal(state_of(f.t, "anchor", 1), state_of(f.t, "param", 1),
                        CLASSES * sizeof(float));
    close_fixture(&f);
}

static void lwf_distils_the_old_model_at_temperature(void **state)
{
    (void)state;
    fixture f;
    pdr_error err = PDR_NO_ERROR;
    open_fixture(&f, "lwf", (const char *const[]){"temperature", "2", NULL});
    put(&f, EXAMPLES, 0);
    for (int i = 0; i < 10; i++) step(&f, EXAMPLES, 0.5f);
    assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
    assert_memory_equal(state_of(f.t, "old", 0), state_of(f.t, "param", 0),
                        sizeof(float) * CLASSES * WIDTH);
    pdi_trainer_task(f.t, 1, 0);
    put(&f, 3, 1);
    for (int i = 0; i < 3; i++) step(&f, 3, 0.5f);
    double distil = 0;
    for (int i = 0; i < 3; i++) {
        double p[CLASSES], q[CLASSES];
        softmax_of(state_of(f.t, "old", 0), state_of(f.t, "old", 1), xs[i], 2, p);
        softmax_of(state_of(f.t, "param", 0), state_of(f.t, "param", 1), xs[i], 2, q);
        for (int c = 0; c < CLASSES; c++) distil -= p[c] * log(q[c]) / 3;
    }
    double want = 0.5 * cross_entropy_of(&f, 3) + 0.5 * 4 * distil;
    assert_near(step(&f, 3, 0.5f), want, 1e-5);
    close_fixture(&f);
}

static void er_mixes_the_batch_and_the_memory(void **state)
{
    (void)state;
    fixture f;
    double p[CLASSES];
    open_fixture(
        &f, "er",
        (const char *const[]){"weighting", "tasks", "while_learning", "false", "batch", "2", NULL});
    put(&f, 3, 0);
    double alone = cross_entropy_of(&f, 3);
    assert_near(step(&f, 3, 0.5f), alone, 1e-6); /* nothing to replay in the first task */
    pdi_example e = {.x = xs[4], .label = ys[4], .task = 0};
    assert_true(pdi_memory_offer(&f.t->memory, &e));
    pdi_trainer_task(f.t, 1, 0);
    put(&f, 3, 1);
    softmax_of(state_of(f.t, "param", 0), state_of(f.t, "param", 1), xs[4], 1, p);
    double want = 0.5 * cross_entropy_of(&f, 3) - 0.5 * log(p[ys[4]]); /* w = 1 - 1/2 */
    assert_near(step(&f, 3, 0.5f), want, 1e-5);
    close_fixture(&f);
}

static void er_learns_from_the_batch_alone_while_the_memory_is_empty(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, "er", NULL);
    put(&f, 3, 0);
    double want = cross_entropy_of(&f, 3);
    assert_near(step(&f, 3, 0), want, 1e-6);
    close_fixture(&f);
}

static void a_diverging_run_is_an_error_with_a_remedy(void **state)
{
    (void)state;
    fixture f;
    double loss;
    pdr_rc rc = PDR_OK;
    pdr_error err = PDR_NO_ERROR;
    open_fixture(&f, "ewc", (const char *const[]){"lambda", "1e15", NULL});
    put(&f, EXAMPLES, 0);
    step(&f, EXAMPLES, 0.5f);
    finish_task(&f);
    pdi_trainer_task(f.t, 1, 0);
    for (int i = 0; !rc && i < 100; i++) {
        put(&f, 3, 1);
        rc = pdi_trainer_step(f.t, 3, 1e20f, &loss, &err);
    }
    assert_int_equal(rc, PDR_DIVERGED);
    assert_non_null(strstr(err.text, "lower optimizer.rate"));
    close_fixture(&f);
}

/* ---- memory
 * --------------------------------------------------------------------------------------- */

static void the_reservoir_holds_each_example_with_equal_probability(void **state)
{
    (void)state;
    enum { N = 40, SIZE = 8, RUNS = 4000 };
    int held[N] = {0};
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        pdi_memory m;
        pdr_memory_spec spec = {
            .policy = PDR_MEMORY_RESERVOIR, .size = SIZE, .while_learning = true};
        assert_true(pdi_memory_open(&m, &pdi_malloc, &spec, 1, 0, 2, 3, seed));
        for (int i = 0; i < N; i++) {
            float x = (float)i;
            assert_true(pdi_memory_offer(&m, &(pdi_example){.x = &x, .label = i % 3}));
        }
        assert_int_equal(m.held, SIZE);
        for (size_t i = 0; i < m.held; i++) held[(int)m.x[i]]++;
        pdi_memory_close(&m);
    }
    double expect = (double)RUNS * SIZE / N, chi2 = 0;
    for (int i = 0; i < N; i++)
        chi2 += pow(held[i] - expect, 2) / (expect * (1 - (double)SIZE / N));
    assert_true(chi2 < 73.4); /* 39 degrees of freedom, p = 0.0007 */
}

static void balanced_memory_holds_as_many_of_each_class(void **state)
{
    (void)state;
    pdi_memory m;
    pdr_memory_spec spec = {.policy = PDR_MEMORY_BALANCED, .size = 5, .while_learning = false};
    int count[3] = {0}, late = 0;
    assert_true(pdi_memory_open(&m, &pdi_malloc, &spec, 1, 0, 2, 3, 9));
    for (int i = 0; i < 300; i++) {
        float x = (float)i;
        assert_true(pdi_memory_offer(&m, &(pdi_example){.x = &x,
                                                        .label = i < 200   ? 0
                                                                 : i < 290 ? 1
                                                                           : 2}));
    }
    for (size_t i = 0; i < m.held; i++) {
        count[m.label[i]]++;
        assert_int_equal(m.label[i], m.x[i] < 200 ? 0 : m.x[i] < 290 ? 1 : 2);
        late += m.label[i] == 0 && m.x[i] >= 5;
    }
    assert_true(count[0] == 5 && count[1] == 5 && count[2] == 5);
    for (int i = 0; i < 20; i++) { /* the same output in another task is another class */
        float x = 1000;
        assert_true(pdi_memory_offer(&m, &(pdi_example){.x = &x, .label = 0, .task = 1}));
    }
    assert_int_equal(m.held, 20);
    assert_true(late > 0); /* not the first five */
    pdi_memory_close(&m);
}

static void draws_are_different_while_there_are_enough(void **state)
{
    (void)state;
    pdi_memory m;
    uint32_t index[10];
    pdr_memory_spec spec = {.policy = PDR_MEMORY_RESERVOIR, .size = 10, .while_learning = true};
    assert_true(pdi_memory_open(&m, &pdi_malloc, &spec, 1, 0, 2, 1, 3));
    for (int i = 0; i < 10; i++) {
        float x = (float)i;
        assert_true(pdi_memory_offer(&m, &(pdi_example){.x = &x}));
    }
    for (int round = 0; round < 50; round++) {
        unsigned seen = 0;
        pdi_memory_draw(&m, 10, index);
        for (int i = 0; i < 10; i++) seen |= 1u << index[i];
        assert_int_equal(seen, 0x3ff);
    }
    pdi_memory_close(&m);
}

/* ---- the trainer
 * -------------------------------------------------------------------------------------- */

/* Both sets of every episode: each class once. */
static void put_episodes(pdi_trainer *t)
{
    for (int32_t i = 0; i < 6; i++)
        for (int k = 0; k < 2; k++) {
            pdi_host_batch *h = k ? &t->query : &t->support;
            int32_t from = (i + k * 2) % EXAMPLES;
            pdi_batch_put(t, h, i, &(pdi_example){.x = xs[from], .label = ys[from]});
        }
}

static uint64_t live_with_episodes(fixture *f)
{
    const float *y;
    pdr_error err = PDR_NO_ERROR;
    pdi_trainer_task(f->t, 0, 0);
    put_episodes(f->t);
    for (int i = 0; i < 6; i++) step(f, 2, 0.01f);
    assert_int_equal(pdi_trainer_predict(f->t, 2, -1, &y, &err), PDR_OK);
    uint64_t hash = pdi_hash(pdi_trainer_hash(f->t), y, 2 * 2 * 3 * CLASSES * sizeof *y);
    close_fixture(f);
    return hash;
}

/* A short life: two tasks, steps, passes, ends, the memory offered. */
static uint64_t live(const char *method, int threads)
{
    fixture f;
    open_threads(&f, method, threads, NULL);
    if (is_episodic(f.t->spec.method.kind)) return live_with_episodes(&f);
    for (int32_t task = 0; task < TASKS; task++) {
        pdi_trainer_task(f.t, task, 0);
        for (int i = 0; i < 10; i++) {
            put(&f, EXAMPLES, task);
            step(&f, EXAMPLES, 0.001f);
            put(&f, EXAMPLES - 1, task); /* a smaller last batch has a program of its own */
            step(&f, EXAMPLES - 1, 0.001f);
            if (!f.t->memory.used) continue;
            pdi_example e = {.x = xs[i % EXAMPLES], .label = ys[i % EXAMPLES], .task = task};
            assert_true(pdi_memory_offer(&f.t->memory, &e));
        }
        finish_task(&f);
    }
    uint64_t hash = pdi_trainer_hash(f.t);
    close_fixture(&f);
    return hash;
}

static void threads_and_repetition_do_not_change_a_bit(void **state)
{
    (void)state;
    static const int threads[] = {1, 1, 2, 3, 8};
    for (size_t m = 0; pdi_methods[m]; m++) {
        const char *name = pdi_methods[m]->kind.name;
        if (pdi_methods[m]->data == PDR_DATA_EPISODES) continue; /* test_meta.c */
        uint64_t want = live(name, 1);
        for (size_t i = 0; i < COUNT(threads); i++) assert_true(live(name, threads[i]) == want);
    }
}

static void the_hash_sees_every_kind_of_state(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, "er", NULL);
    uint64_t h0 = pdi_trainer_hash(f.t);
    pdi_example e = {.x = xs[0], .label = ys[0]};
    assert_true(pdi_memory_offer(&f.t->memory, &e));
    uint64_t h1 = pdi_trainer_hash(f.t);
    put(&f, 3, 0);
    step(&f, 3, 0); /* parameters stay, the step counter moves */
    uint64_t h2 = pdi_trainer_hash(f.t);
    f.t->memory.rng.counter++;
    uint64_t h3 = pdi_trainer_hash(f.t);
    assert_true(h0 != h1 && h1 != h2 && h2 != h3);
    close_fixture(&f);
}

/* ---- torture
 * --------------------------------------------------------------------------------------------- */

typedef struct budget {
    long left; /* allocations served before all are refused */
    long live;
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

/* Everything a trainer does, with the n-th and later allocations refused. */
static pdr_rc live_within(const pdr_alloc *a, const pdr_model *model, pdr_pool *pool,
                          const pdr_choice *method, const pdr_choice *sgd)
{
    pdr_error err = PDR_NO_ERROR;
    pdi_trainer *t;
    const float *y;
    double loss;
    pdi_trainer_spec s = {.method = *method,
                          .optimizer = *sgd,
                          .model = model,
                          .loss = PDR_LOSS_CROSS_ENTROPY,
                          .example = PDR_SHAPE(WIDTH),
                          .outputs = CLASSES,
                          .setting = {.tasks = TASKS, .outputs = CLASSES, .classes = CLASSES}};
    bool episodic = is_episodic(method->kind);
    if (episodic) s.episode = episodes_sizes;
    pdr_rc rc = pdi_trainer_new(a, &s, pool, EXAMPLES, &t, &err);
    if (!rc && episodic) {
        put_episodes(t);
        rc = pdi_trainer_step(t, 2, 0.1f, &loss, &err);
        if (!rc) rc = pdi_trainer_predict(t, 2, -1, &y, &err);
    }
    for (int32_t task = 0; !rc && !episodic && task < TASKS; task++) {
        pdi_trainer_task(t, task, 0);
        for (int32_t i = 0; i < EXAMPLES; i++)
            pdi_trainer_put(t, i, &(pdi_example){.x = xs[i], .label = ys[i], .task = task});
        rc = pdi_trainer_step(t, EXAMPLES, 0.1f, &loss, &err);
        if (!rc) rc = pdi_trainer_pass(t, EXAMPLES, &err);
        if (!rc) rc = pdi_trainer_task_end(t, &err);
        if (!rc && t->memory.used)
            rc = pdi_memory_offer(&t->memory, &(pdi_example){.x = xs[0]}) ? PDR_OK : PDR_NOMEM;
        if (!rc) rc = pdi_trainer_predict(t, EXAMPLES, -1, &y, &err);
    }
    pdi_trainer_free(t);
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_model *model;
    pdr_pool *pool = pdr_pool_new(NULL, 1);
    assert_int_equal(pdr_model_new(&pdi_malloc, 0, NULL, PDR_SHAPE(WIDTH), CLASSES, &model, &err),
                     PDR_OK);
    for (size_t m = 0; pdi_methods[m]; m++) {
        if (pdi_methods[m]->data == PDR_DATA_EPISODES) continue; /* test_meta.c */
        double options[32], sgd[8];
        pdr_choice method = {&pdi_methods[m]->kind, options},
                   o = {pdr_kind_find(PDR_KIND_OPTIMIZER, "sgd"), sgd};
        open_options(method.kind, options);
        pdr_option_defaults(o.kind->options, sgd);
        pdr_rc rc = PDR_NOMEM;
        for (long n = 0; rc; n++) {
            budget b = {.left = n};
            pdr_alloc a = {budget_fn, &b};
            rc = live_within(&a, model, pool, &method, &o);
            assert_true(rc == PDR_OK || rc == PDR_NOMEM);
            assert_int_equal(b.live, 0);
            assert_true(n < 20000);
        }
    }
    pdr_model_free(model);
    pdr_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finetune_minimises_the_cross_entropy),
        cmocka_unit_test(ewc_gathers_the_fisher_of_the_paper),
        cmocka_unit_test(ewc_adds_the_penalty_from_the_second_task_on),
        cmocka_unit_test(ewc_offline_keeps_one_quadratic_for_all_tasks),
        cmocka_unit_test(ewc_online_decays_the_fisher_and_moves_the_anchor),
        cmocka_unit_test(lwf_distils_the_old_model_at_temperature),
        cmocka_unit_test(er_mixes_the_batch_and_the_memory),
        cmocka_unit_test(er_learns_from_the_batch_alone_while_the_memory_is_empty),
        cmocka_unit_test(a_diverging_run_is_an_error_with_a_remedy),
        cmocka_unit_test(the_reservoir_holds_each_example_with_equal_probability),
        cmocka_unit_test(balanced_memory_holds_as_many_of_each_class),
        cmocka_unit_test(draws_are_different_while_there_are_enough),
        cmocka_unit_test(threads_and_repetition_do_not_change_a_bit),
        cmocka_unit_test(the_hash_sees_every_kind_of_state),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
