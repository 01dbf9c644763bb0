/* test_learnedopt.c -- the learned optimiser against an LSTM of plain loops and central
 * differences, and training from scratch against the optimiser it uses. */
#include "meta.h"

static meta_case mlp(const char *set)
{
    return (meta_case){.method = "learned-optimizer",
                       .set = set,
                       .layers = "dense units=3 | tanh",
                       .example = PDR_SHAPE(2),
                       .shot = 4,
                       .query = 3,
                       .episodes = 2,
                       .seed = 1};
}

/* ---- the meta-gradient ------------------------------------------------------------------ */

static meta_slopes slopes_of(meta_case c, int after, bool stopped)
{
    meta f;
    meta_open(&f, &c);
    for (int i = 0; i < after; i++) meta_step(&f, 0.1f);
    meta_slopes s = stopped ? meta_slopes_stopped(&f) : meta_slopes_of(&f);
    meta_close(&f);
    return s;
}

static void assert_exact(meta_case c, int after, bool stopped)
{
    meta_slopes s = slopes_of(c, after, stopped);
    assert_true(s.most > 0.01);
    assert_near(s.off, 0, 1e-6);
}

/* The gradients that the net reads count as constants; what it remembers does not. */
static void the_meta_gradient_goes_back_through_a_stretch(void **state)
{
    (void)state;
    const char *set = "unroll=3 length=6 hidden=3 scale=0.3";
    assert_exact(mlp(set), 0, true);
    assert_exact(mlp(set), 1, true); /* the second stretch: h is where the first one left it */
    meta_case c = mlp("unroll=4 hidden=2 batch=3 scale=0.3 sparse_rows=true");
    c.way = 3, c.shot = 2, c.query = 1;
    assert_exact(c, 0, true);
    assert_exact(mlp("unroll=3 hidden=3 scale=0.3 relative=true"), 0, true);
    assert_true(slopes_of(mlp(set), 0, false).off > 1e-4); /* there were second derivatives */
}

static void exact_lets_second_derivatives_in(void **state)
{
    (void)state;
    assert_exact(mlp("unroll=3 hidden=3 scale=0.3 exact=true"), 0, false);
    assert_exact(mlp("unroll=3 hidden=3 scale=0.3 exact=true"), 1, false);
}

/* ---- a step, written out -----------------------------------------------------------------------
 */

enum { HIDDEN = 3, COORDINATES = 3 }; /* a linear model: w [2], b */

static double logistic(double x) { return 1 / (1 + exp(-x)); }

/* One layer of the net: what it knew, h and c, becomes what it knows. */
static void cell(const meta *f, int layer, int n, const double *x, double *h, double *c)
{
    char name[3][32];
    static const char *const part[] = {"input", "hidden", "bias"};
    double z[4 * HIDDEN];
    for (int i = 0; i < 3; i++) snprintf(name[i], sizeof name[i], "lstm/%d.%s", layer, part[i]);
    const float *w = meta_tensor(f, name[0])->value, *u = meta_tensor(f, name[1])->value,
                *bias = meta_tensor(f, name[2])->value;
    for (int i = 0; i < 4 * HIDDEN; i++) {
        z[i] = (double)bias[i];
        for (int k = 0; k < n; k++) z[i] += (double)w[i * n + k] * x[k];
        for (int k = 0; k < HIDDEN; k++) z[i] += (double)u[i * HIDDEN + k] * h[k];
    }
    for (int i = 0; i < HIDDEN; i++) {
        c[i] = logistic(z[HIDDEN + i] + 1) * c[i] + logistic(z[i]) * tanh(z[2 * HIDDEN + i]);
        h[i] = logistic(z[3 * HIDDEN + i]) * tanh(c[i]);
    }
}

typedef struct memory {
    double h[2][HIDDEN], c[2][HIDDEN];
} memory;

/* What the net makes of gradient d of one coordinate. */
static double update(const meta *f, double p, double d, memory *m)
{
    double x[2] = {-1, exp(p) * d}, y = (double)meta_tensor(f, "lstm/2.bias")->value[0];
    if (fabs(d) >= exp(-p)) x[0] = log(fabs(d)) / p, x[1] = d > 0 ? 1 : -1;
    cell(f, 0, 2, x, m->h[0], m->c[0]);
    cell(f, 1, HIDDEN, m->h[0], m->h[1], m->c[1]);
    for (int k = 0; k < HIDDEN; k++)
        y += (double)meta_tensor(f, "lstm/2.input")->value[k] * m->h[1][k];
    return y;
}

/* Gradient of the mean squared error over n points, and the error. */
static double slope(const double *theta, int n, const float *x, const float *y,
                    double d[COORDINATES])
{
    double f = 0;
    memset(d, 0, sizeof(double) * COORDINATES);
    for (int i = 0; i < n; i++) {
        double e = theta[0] * (double)x[i * 2] + theta[1] * (double)x[i * 2 + 1] + theta[2] -
                   (double)y[i];
        for (int k = 0; k < COORDINATES; k++)
            d[k] += 2 * e * (k < 2 ? (double)x[i * 2 + k] : 1) / n;
        f += e * e / n;
    }
    return f;
}

/* One step of all coordinates on n points; the error before it. */
static double descend(const meta *f, double *theta, memory m[COORDINATES], int n, const float *x,
                      const float *y)
{
    double d[COORDINATES], error = slope(theta, n, x, y, d);
    for (int k = 0; k < COORDINATES; k++) theta[k] += 0.3 * update(f, 1, d[k], &m[k]);
    return error;
}

static meta_case line(const char *set)
{
    meta_case c = mlp(set);
    c.layers = "";
    c.episodes = 1;
    c.test_steps = 4;
    return c;
}

/* The three queries that tell a line's w and b by what it answers. */
static void ask(meta *f)
{
    static const float corners[3][2] = {{1, 0}, {0, 1}, {0, 0}};
    memcpy(f->t->query.x, corners, sizeof corners);
}

static void assert_answers(const float *y, const double *theta)
{
    assert_near((double)y[0], theta[0] + theta[2], 1e-5);
    assert_near((double)y[1], theta[1] + theta[2], 1e-5);
    assert_near((double)y[2], theta[2], 1e-5);
}

static void read_answers(const float *y, double *theta)
{
    theta[2] = (double)y[2];
    for (int k = 0; k < 2; k++) theta[k] = (double)y[k] - (double)y[2];
}

/* The even or the odd ones of the four support examples. */
static void every_other(const meta *f, int s, float x[4], float y[2])
{
    for (int i = 0; i < 2; i++) {
        memcpy(x + 2 * i, f->t->support.x + 2 * (s % 2 + 2 * i), 2 * sizeof *x);
        y[i] = f->t->support.target[s % 2 + 2 * i];
    }
}

/* p = 1: among the gradients are large and small ones. */
static void a_test_takes_the_steps_of_the_paper(void **state)
{
    (void)state;
    meta f;
    meta_case c = line("unroll=2 hidden=3 scale=0.3 p=1 batch=2");
    memory m[COORDINATES] = {0};
    double theta[COORDINATES];
    meta_open(&f, &c);
    ask(&f);
    const float *y = meta_predict(&f);
    read_answers(y, theta);
    for (int s = 0; s <= 4; s++) {
        float x[4], t[2];
        assert_answers(y + s * 3, theta);
        every_other(&f, s, x, t);
        descend(&f, theta, m, 2, x, t);
    }
    meta_close(&f);
}

static float *problem(const meta *f, const char *part)
{
    char name[32];
    snprintf(name, sizeof name, "problem/%s", part);
    return meta_tensor(f, name)->value;
}

/* From what is kept of the first stretch the second goes on, and its loss is the mean of the
 * errors after each step. */
static void a_stretch_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    meta f;
    meta_case c = line("unroll=2 length=4 hidden=3 scale=0.3 p=1");
    memory m[COORDINATES];
    double theta[COORDINATES], want;
    meta_open(&f, &c);
    meta_step(&f, 0);
    for (int k = 0; k < COORDINATES; k++) {
        theta[k] = (double)problem(&f, "theta")[k];
        for (int i = 0; i < HIDDEN; i++) {
            m[k].h[0][i] = (double)problem(&f, "h1")[k * HIDDEN + i];
            m[k].h[1][i] = (double)problem(&f, "h2")[k * HIDDEN + i];
            m[k].c[0][i] = (double)problem(&f, "c1")[k * HIDDEN + i];
            m[k].c[1][i] = (double)problem(&f, "c2")[k * HIDDEN + i];
        }
    }
    assert_true(m[0].h[1][0] != 0);
    float x[8], y[4];
    memcpy(x, f.t->support.x, sizeof x);
    memcpy(y, f.t->support.target, sizeof y);
    meta_fill(&f, false, 99); /* other episodes come by */
    descend(&f, theta, m, 4, x, y);
    want = descend(&f, theta, m, 4, x, y) / 2;
    double d[COORDINATES];
    want += slope(theta, 4, x, y, d) / 2;
    assert_near(meta_step(&f, 0), want, 1e-5);
    for (int k = 0; k < COORDINATES; k++)
        assert_near((double)problem(&f, "theta")[k], theta[k], 1e-5);
    assert_memory_equal(problem(&f, "x"), x, sizeof x); /* still the old ones */
    meta_step(&f, 0);
    assert_memory_equal(problem(&f, "x"), f.t->support.x, sizeof x); /* now they are taken up */
    meta_close(&f);
}

/* The same stretch is told as a share of the error that it begins with. */
static void a_relative_loss_is_a_share_of_the_first(void **state)
{
    (void)state;
    double told[2], d[COORDINATES], theta[COORDINATES], first = 0;
    for (int relative = 0; relative < 2; relative++) {
        meta f;
        meta_case c = line(relative ? "unroll=2 hidden=3 relative=true" : "unroll=2 hidden=3");
        meta_open(&f, &c);
        meta_step(&f, 0);
        for (int k = 0; k < COORDINATES; k++) theta[k] = (double)problem(&f, "theta")[k];
        first = slope(theta, 4, f.t->support.x, f.t->support.target, d);
        told[relative] = meta_step(&f, 0);
        meta_close(&f);
    }
    assert_near(told[1], told[0] / first, 1e-5);
}

/* ---- where problems begin ------------------------------------------------------------------ */

static void a_problem_is_as_long_as_it_is_told(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("unroll=2 length=6 hidden=2"); /* three stretches */
    meta_open(&f, &c);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(i ? (int)problem(&f, "stretch")[0] : 0, i % 3);
        meta_fill(&f, false, (uint64_t)i);
        meta_step(&f, 0.1f);
        bool taken = !memcmp(problem(&f, "x"), f.t->support.x, 2 * 4 * 2 * sizeof(float));
        assert_int_equal(taken, i % 3 == 0);
    }
    meta_close(&f);
}

/* Initial values are the episode's own, whatever is beside it, and others in another. */
static void an_episode_begins_its_own_way(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("hidden=2");
    float y[2][3], z[2][3];
    meta_open(&f, &c);
    memcpy(f.t->query.x + 6, f.t->query.x, 6 * sizeof(float)); /* two episodes ask the same */
    f.t->first = 10;
    memcpy(y, meta_predict(&f), sizeof y);
    f.t->first = 11;
    memcpy(z, meta_predict(&f), sizeof z);
    assert_memory_equal(y[1], z[0], sizeof y[0]);
    assert_memory_not_equal(y[0], y[1], sizeof y[0]);
    assert_memory_not_equal(z[0], z[1], sizeof z[0]);
    meta_close(&f);
}

/* ---- sparse rows ----------------------------------------------------------------------------- */

/* A unit that is off for every example has no gradient in its row, and a bias without one. */
static void rows_without_gradient_stay(void **state)
{
    (void)state;
    enum { UNITS = 3, WIDTH = 2, SIZE = UNITS * WIDTH + UNITS };
    for (int sparse = 0; sparse < 2; sparse++) {
        meta f;
        meta_case c = mlp(sparse ? "unroll=1 length=9 hidden=2 sparse_rows=true"
                                 : "unroll=1 length=9 hidden=2");
        c.layers = "dense units=3 | relu";
        c.episodes = 1;
        meta_open(&f, &c);
        meta_step(&f, 0);
        float *theta = problem(&f, "theta"), *h = problem(&f, "h1"), was[SIZE], knew[SIZE * 2];
        theta[UNITS * WIDTH + 1] = -100; /* the second unit's bias */
        for (int k = 0; k < SIZE * 2; k++) h[k] = 0.5f;
        memcpy(was, theta, sizeof was);
        memcpy(knew, h, sizeof knew);
        meta_step(&f, 0);
        for (int k = 0; k < SIZE; k++) {
            bool off = k < UNITS * WIDTH ? k / WIDTH == 1 : k - UNITS * WIDTH == 1;
            bool moved = theta[k] != was[k] || h[2 * k] != knew[2 * k];
            assert_int_equal(moved, !(sparse && off));
        }
        meta_close(&f);
    }
}

/* ---- from scratch
 * -------------------------------------------------------------------------------- */

/* Plain gradient descent at sgd's rate, on the even and on the odd examples in turn. */
static void scratch_is_the_recipes_optimiser(void **state)
{
    (void)state;
    meta f;
    meta_case c = line("steps=3 batch=2");
    double theta[COORDINATES], d[COORDINATES];
    c.method = "scratch";
    meta_open(&f, &c);
    ask(&f);
    const float *y = meta_predict(&f);
    double rate = pdr_optimizer_rate(&f.t->spec.optimizer);
    read_answers(y, theta);
    for (int s = 0; s <= 4; s++) {
        float x[4], t[2];
        assert_answers(y + s * 3, theta);
        every_other(&f, s, x, t);
        slope(theta, 2, x, t, d);
        for (int k = 0; k < COORDINATES; k++) theta[k] -= rate * d[k];
    }
    meta_close(&f);
}

static void scratch_changes_nothing(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("steps=3");
    c.method = "scratch";
    meta_open(&f, &c);
    float was[9];
    memcpy(was, meta_tensor(&f, "param/0.dense.weight")->value, 6 * sizeof *was);
    double first = meta_step(&f, 0.5f);
    assert_memory_equal(was, meta_tensor(&f, "param/0.dense.weight")->value, 6 * sizeof *was);
    assert_true(first > 0 && meta_step(&f, 0.5f) == first);
    meta_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_meta_gradient_goes_back_through_a_stretch),
        cmocka_unit_test(exact_lets_second_derivatives_in),
        cmocka_unit_test(a_test_takes_the_steps_of_the_paper),
        cmocka_unit_test(a_stretch_goes_on_where_the_last_one_ended),
        cmocka_unit_test(a_relative_loss_is_a_share_of_the_first),
        cmocka_unit_test(a_problem_is_as_long_as_it_is_told),
        cmocka_unit_test(an_episode_begins_its_own_way),
        cmocka_unit_test(rows_without_gradient_stay),
        cmocka_unit_test(scratch_is_the_recipes_optimiser),
        cmocka_unit_test(scratch_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
