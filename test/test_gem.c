/* test_gem.c -- GEM against the quadratic programme solved by trying every active set.
 *
 * The model is linear, three classes from five features, so gradients can be computed again
 * in double by plain loops.  Tasks' memories hold three examples each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "teach.h"

enum { CLASSES = 3, WIDTH = 5, SIZE = CLASSES * (WIDTH + 1), KEPT = 3, TASKS = 6 };

static teach_how linear(const char *margin, const char *ridge)
{
    return (teach_how){
        .method = {"gem", {"memory", "18", "margin", margin, "ridge", ridge}},
        .optimizer = {"sgd", {NULL}},
        .example = PDR_SHAPE(WIDTH),
        .outputs = CLASSES,
        .tasks = TASKS,
        .seed = 3,
    };
}

/* ---- gradients in double ---------------------------------------------------------------- */

typedef struct row {
    float x[WIDTH];
    int32_t label;
} row;

/* Weights, then biases, as the trainer has them. */
static void parameters_of(const teach *f, double theta[SIZE])
{
    for (size_t i = 0; i < SIZE; i++)
        theta[i] = i < CLASSES * WIDTH ? (double)teach_value(f, "param/output.weight", i)
                                       : (double)teach_value(f, "param/output.bias", i - 15);
}

/* The mean cross-entropy's gradient. */
static void gradient_of(const double theta[SIZE], size_t n, const row rows[], double grad[SIZE])
{
    memset(grad, 0, SIZE * sizeof *grad);
    for (size_t r = 0; r < n; r++) {
        double p[CLASSES], sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            p[c] = theta[CLASSES * WIDTH + c];
            for (int k = 0; k < WIDTH; k++) p[c] += theta[c * WIDTH + k] * (double)rows[r].x[k];
            sum += p[c] = exp(p[c]);
        }
        for (int c = 0; c < CLASSES; c++) {
            double d = (p[c] / sum - (c == rows[r].label)) / (double)n;
            grad[CLASSES * WIDTH + c] += d;
            for (int k = 0; k < WIDTH; k++) grad[c * WIDTH + k] += d * (double)rows[r].x[k];
        }
    }
}

static double product(const double x[SIZE], const double y[SIZE])
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) sum += x[i] * y[i];
    return sum;
}

/* ---- the quadratic programme, by brute force ---------------------------------------------- */

/* u of the rows in `set` so that (Pu + q) is 0 there; 0 elsewhere.  False: singular. */
static bool solve_set(int t, double P[TASKS][TASKS], const double q[TASKS], unsigned set,
                      double u[TASKS])
{
    double a[TASKS][TASKS + 1];
    for (int i = 0; i < t; i++) {
        for (int j = 0; j < t; j++) a[i][j] = set >> i & set >> j & 1 ? P[i][j] : i == j;
        a[i][t] = set >> i & 1 ? -q[i] : 0;
    }
    for (int k = 0; k < t; k++) {
        if (fabs(a[k][k]) < 1e-300) return false;
        for (int i = 0; i < t; i++) {
            double m = i == k ? 0 : a[i][k] / a[k][k];
            for (int j = k; m != 0 && j <= t; j++) a[i][j] -= m * a[k][j];
        }
    }
    for (int i = 0; i < t; i++) u[i] = a[i][t] / a[i][i];
    return true;
}

/* v >= margin of least 1/2 v'Pv + r'v: the one set of active rows whose u is right. */
static void brute_force(int t, double P[TASKS][TASKS], const double r[TASKS], double margin,
                        double v[TASKS])
{
    double q[TASKS], u[TASKS], worst, best = INFINITY;
    for (int i = 0; i < t; i++) {
        q[i] = r[i];
        for (int j = 0; j < t; j++) q[i] += margin * P[i][j];
    }
    for (unsigned set = 0; set < 1u << t; set++) {
        if (!solve_set(t, P, q, set, u)) continue;
        worst = 0;
        for (int i = 0; i < t; i++) {
            double w = q[i];
            for (int j = 0; j < t; j++) w += P[i][j] * u[j];
            worst = fmax(worst, set >> i & 1 ? -u[i] : -w);
        }
        if (worst >= best) continue;
        best = worst;
        for (int i = 0; i < t; i++) v[i] = margin + u[i];
    }
}

/* ---- one step of the method -------------------------------------------------------------------
 */

typedef struct problem {
    row batch[KEPT], kept[TASKS][KEPT];
    double g[SIZE], past[TASKS][SIZE], P[TASKS][TASKS], r[TASKS];
    double step[SIZE]; /* the gradient that the method stepped along */
} problem;

/* Examples at random; alike ones (of the same direction) where near is set. */
static void draw_rows(pdr_rng *rng, size_t n, row rows[], bool near)
{
    for (size_t i = 0; i < n; i++) {
        rows[i].label = (int32_t)pdr_rng_below(rng, CLASSES);
        for (int k = 0; k < WIDTH; k++)
            rows[i].x[k] = near ? 1 + 0.2f * pdr_rng_uniform(rng) : 2 * pdr_rng_uniform(rng) - 1;
    }
}

static void put_rows(teach *f, int32_t task, const row rows[KEPT])
{
    for (int32_t i = 0; i < KEPT; i++)
        pdi_trainer_put(f->t, i,
                        &(pdi_example){.x = rows[i].x, .label = rows[i].label, .task = task});
}

/* `past` tasks in memory, then a step along a batch of the next, of rate 0.5. */
static void solve_one(const teach_how *how, int32_t past, uint64_t seed, problem *p)
{
    teach f;
    double before[SIZE], after[SIZE], ridge = strtod(how->method.set[5], NULL);
    pdr_rng rng = {.seed = seed, .stream = PDR_STREAM_TEST};
    teach_open(&f, how, 1);
    for (int32_t k = 0; k < past; k++) {
        draw_rows(&rng, KEPT, p->kept[k], seed % 2);
        for (int i = 0; i < KEPT; i++)
            assert_true(pdi_memory_offer(
                &f.t->memory,
                &(pdi_example){.x = p->kept[k][i].x, .label = p->kept[k][i].label, .task = k}));
    }
    draw_rows(&rng, KEPT, p->batch, seed % 2);
    pdi_trainer_task(f.t, past, 0);
    put_rows(&f, past, p->batch);
    parameters_of(&f, before);
    teach_step(&f, KEPT, 0.5f);
    parameters_of(&f, after);
    for (int i = 0; i < SIZE; i++) p->step[i] = (before[i] - after[i]) / 0.5;
    gradient_of(before, KEPT, p->batch, p->g);
    for (int32_t k = 0; k < past; k++) {
        gradient_of(before, KEPT, p->kept[k], p->past[k]);
        p->r[k] = product(p->g, p->past[k]);
        for (int32_t j = 0; j <= k; j++)
            p->P[k][j] = p->P[j][k] = product(p->past[k], p->past[j]) + (j == k ? ridge : 0);
    }
    teach_close(&f);
}

static bool hurts(const problem *p, int32_t past)
{
    for (int32_t k = 0; k < past; k++)
        if (p->r[k] < 0) return true;
    return false;
}

/* ---- tests --------------------------------------------------------------------------------------
 */

/* One past task: v = max(margin, -<g, g_1> / (|g_1|^2 + ridge)) where <g, g_1> < 0. */
static void one_past_task_is_projected_by_hand(void **state)
{
    (void)state;
    int projected = 0;
    teach_how how = linear("0.25", "0.001");
    for (uint64_t seed = 1; seed <= 20; seed++) {
        problem p;
        solve_one(&how, 1, seed, &p);
        double v = p.r[0] < 0 ? fmax(0.25, -p.r[0] / p.P[0][0]) : 0;
        projected += v > 0.25;
        for (int i = 0; i < SIZE; i++) teach_near(p.step[i], p.g[i] + v * p.past[0][i], 2e-6);
    }
    assert_true(projected >= 3 && projected <= 17);
}

static void the_dual_is_solved_exactly(void **state)
{
    (void)state;
    static const char *const margin[] = {"0", "0.5"};
    int active[TASKS + 1] = {0};
    for (uint64_t seed = 1; seed <= 80; seed++) {
        int32_t past = 2 + (int32_t)(seed % (TASKS - 2));
        double v[TASKS], least = strtod(margin[seed / 2 % 2], NULL);
        teach_how how = linear(margin[seed / 2 % 2], "0.001");
        problem p;
        int n = 0;
        solve_one(&how, past, seed, &p);
        brute_force(past, p.P, p.r, least, v);
        for (int32_t k = 0; k < past; k++) n += v[k] > least + 1e-9;
        active[hurts(&p, past) ? n : 0]++;
        for (int i = 0; i < SIZE; i++) {
            double want = p.g[i];
            for (int32_t k = 0; k < past && hurts(&p, past); k++) want += v[k] * p.past[k][i];
            teach_near(p.step[i], want, 2e-5);
        }
    }
    assert_true(active[1] && active[2] && active[3]); /* not only easy ones */
}

/* Karush, Kuhn & Tucker: no past loss rises, and only what would have risen is pushed at. */
static void no_past_loss_rises_along_the_step(void **state)
{
    (void)state;
    int held = 0;
    teach_how how = linear("0", "1e-9");
    for (uint64_t seed = 2; seed <= 60; seed += 2) {
        problem p;
        solve_one(&how, 3, seed, &p);
        for (int k = 0; k < 3; k++) {
            double slope = product(p.step, p.past[k]);
            assert_true(slope >= -1e-5);
            held += hurts(&p, 3) && slope < 1e-5;
        }
        assert_true(product(p.step, p.g) >= 0); /* and the new one does not either */
    }
    assert_true(held >= 10);
}

static void a_step_that_hurts_no_task_keeps_its_bits(void **state)
{
    (void)state;
    teach gem, plain;
    teach_how how = linear("0.5", "0.001"), bare = how;
    bare.method = (teach_choice){"finetune", {NULL}};
    teach_open(&gem, &how, 1);
    teach_open(&plain, &bare, 1);
    pdr_rng rng = {.seed = 4, .stream = PDR_STREAM_TEST};
    row rows[KEPT];
    draw_rows(&rng, KEPT, rows, false);
    for (int i = 0; i < KEPT; i++) /* what is learned again does not hurt */
        assert_true(pdi_memory_offer(&gem.t->memory,
                                     &(pdi_example){.x = rows[i].x, .label = rows[i].label}));
    for (int task = 0; task < 2; task++) {
        pdi_trainer_task(gem.t, task, 0);
        pdi_trainer_task(plain.t, task, 0);
        put_rows(&gem, task, rows);
        put_rows(&plain, task, rows);
        teach_step(&gem, KEPT, 0.5f);
        teach_step(&plain, KEPT, 0.5f);
    }
    assert_memory_equal(teach_tensor(&gem, "param/output.weight")->value,
                        teach_tensor(&plain, "param/output.weight")->value,
                        CLASSES * WIDTH * sizeof(float));
    teach_close(&gem);
    teach_close(&plain);
}

static void the_budget_is_shared_by_all_tasks(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_how how = linear("0.5", "0.001");
    teach_open(&f, &how, 1);
    for (int32_t task = 0; task < 4; task++) {
        assert_int_equal(teach_task(&f, task, 12, &err), PDR_OK);
        for (int32_t k = 0; k < TASKS; k++)
            assert_int_equal(pdi_memory_count(&f.t->memory, k), k <= task ? KEPT : 0);
    }
    teach_close(&f);
}

/* As many draws from memory as there are past tasks, and no limit to those. */
static void forty_tasks_are_remembered(void **state)
{
    (void)state;
    teach f;
    float x[WIDTH] = {1, 0, 0, 0, 0};
    teach_how how = linear("0.5", "0.001");
    how.tasks = 40;
    how.outputs = 40;
    how.method.set[1] = "7"; /* fewer than tasks: one of each is kept */
    teach_open(&f, &how, 1);
    for (int32_t k = 0; k < 39; k++)
        assert_true(pdi_memory_offer(&f.t->memory, &(pdi_example){.x = x, .label = k, .task = k}));
    pdi_trainer_task(f.t, 39, 0);
    teach_put(&f, 39, 0, 4);
    assert_true(isfinite(teach_step(&f, 4, 0.1f)) && isfinite(teach_step(&f, 4, 0.1f)));
    teach_close(&f);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"memory", "0"}, {"margin", "-1"}, {"ridge", "0"}, {"margin", "much"}};
    const pdr_kind *k = pdr_kind_find(PDR_KIND_METHOD, "gem");
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

static void gem_keeps_every_promise(void **state)
{
    (void)state;
    teach_how how = {.method = {"gem", {"memory", "12"}},
                     .optimizer = {"sgd", {"momentum", "0.5"}},
                     .layer = {{"dense", {"units", "5"}}, {"relu", {NULL}}},
                     .example = PDR_SHAPE(6),
                     .outputs = 6,
                     .tasks = 3,
                     .class_incremental = true,
                     .seed = 5};
    teach_promises(&how);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_past_task_is_projected_by_hand),
        cmocka_unit_test(the_dual_is_solved_exactly),
        cmocka_unit_test(no_past_loss_rises_along_the_step),
        cmocka_unit_test(a_step_that_hurts_no_task_keeps_its_bits),
        cmocka_unit_test(the_budget_is_shared_by_all_tasks),
        cmocka_unit_test(forty_tasks_are_remembered),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(gem_keeps_every_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
