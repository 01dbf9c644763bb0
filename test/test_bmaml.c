/* test_bmaml.c -- SVGD and BMAML against plain loops in double and central differences. */
#include "meta.h"
#include "meta/svgd.h"

/* ---- svgd, written out ------------------------------------------------------------------- */

enum { MOST = 8, WIDE = 3 }; /* particles, numbers of each */

static double squared_distance(int d, const double *x, const double *y)
{
    double s = 0;
    for (int k = 0; k < d; k++) s += (x[k] - y[k]) * (x[k] - y[k]);
    return s;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* med² / ln m, where med² is the median over the pairs. */
static double bandwidth_of(int m, int d, const double *x)
{
    double pair[MOST * MOST];
    size_t n = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < i; j++) pair[n++] = squared_distance(d, x + i * d, x + j * d);
    qsort(pair, n, sizeof *pair, ascending);
    return (pair[(n - 1) / 2] + pair[n / 2]) / 2 / log(m);
}

/* x [m, d] and score [m, d] -> phi [m, d]. */
static void direction_of(int m, int d, double h, const double *x, const double *score, double *phi)
{
    for (int i = 0; i < m; i++)
        for (int k = 0; k < d; k++) {
            double sum = 0;
            for (int j = 0; j < m; j++) {
                double kernel = exp(-squared_distance(d, x + i * d, x + j * d) / h);
                sum += kernel * (score[j * d + k] + 2 / h * (x[i * d + k] - x[j * d + k]));
            }
            phi[i * d + k] = sum / m;
        }
}

/* The same through the graph: a particle's numbers in two tensors, [m, 2] and [m]. */
static void assert_direction(int32_t m, double bandwidth)
{
    oracle *o = oracle_new((uint64_t)m);
    pdr_node x[2], score[2], phi[2];
    double flat[MOST * WIDE], up[MOST * WIDE], want[MOST * WIDE];
    for (int t = 0; t < 2; t++) {
        pdr_shape s = t ? PDR_SHAPE(m) : PDR_SHAPE(m, 2);
        x[t] = oracle_input(o, PDR_F32, s, 10, 12); /* far from the origin */
        score[t] = oracle_input(o, PDR_F32, s, -1, 1);
    }
    for (int i = 0; i < m; i++)
        for (int k = 0; k < WIDE; k++) {
            flat[i * WIDE + k] = k < 2 ? o->val[0][i * 2 + k] : o->val[2][i];
            up[i * WIDE + k] = k < 2 ? o->val[1][i * 2 + k] : o->val[3][i];
        }
    pdi_svgd_direction(o->g, bandwidth, 2, x, score, phi);
    direction_of(m, WIDE,
                 bandwidth > 0 ? bandwidth
                 : m > 1       ? bandwidth_of(m, WIDE, flat)
                               : 1,
                 flat, up, want);
    double *wide = oracle_eval(o, phi[0]), *narrow = oracle_eval(o, phi[1]);
    for (int i = 0; i < m; i++)
        for (int k = 0; k < WIDE; k++)
            assert_near(k < 2 ? wide[i * 2 + k] : narrow[i], want[i * WIDE + k], 1e-12);
    free(wide);
    free(narrow);
    oracle_free(o);
}

static void svgd_goes_where_the_paper_says(void **state)
{
    (void)state;
    for (int32_t m = 1; m <= MOST; m++) assert_direction(m, 0); /* odd and even numbers of pairs */
    assert_direction(5, 0.7);
}

static void particles_in_one_place_stay_together(void **state)
{
    (void)state;
    oracle *o = oracle_new(1);
    pdr_node x = pdr_fill(o->g, PDR_SHAPE(4, 2), 3), score = pdr_fill(o->g, PDR_SHAPE(4, 2), 0.5);
    pdr_node phi;
    pdi_svgd_direction(o->g, 0, 1, &x, &score, &phi);
    double *v = oracle_eval(o, phi);
    for (int i = 0; i < 8; i++) assert_near(v[i], 0.5, 1e-12);
    free(v);
    oracle_free(o);
}

/* ---- svgd on a Gaussian ---------------------------------------------------------------------- */

enum { SAMPLE = 24 };
static const double target_mean[2] = {1, -2}, target_deviation[2] = {1, 0.5};

/* ∇ log N(mean, deviation²). */
static pdr_node score_at(pdr_graph *g, pdr_node x, int k)
{
    double precision = 1 / (target_deviation[k] * target_deviation[k]);
    return pdr_scale(g, -precision, pdr_shift(g, -target_mean[k], x));
}

static void svgd_becomes_a_sample_of_a_gaussian(void **state)
{
    (void)state;
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_error err = PDR_NO_ERROR;
    pdr_pool *pool = pdr_pool_new(NULL, 1);
    pdr_node x[2], score[2], phi[2], next[2];
    float value[2][SAMPLE];
    pdr_rng rng = {.seed = 3, .stream = PDR_STREAM_TEST};
    for (int k = 0; k < 2; k++) {
        x[k] = pdr_input(g, PDR_F32, PDR_SHAPE(SAMPLE));
        score[k] = score_at(g, x[k], k);
        for (int i = 0; i < SAMPLE; i++) value[k][i] = 0.1f * pdr_rng_normal(&rng) - 3;
    }
    pdi_svgd_direction(g, 0, 2, x, score, phi);
    for (int k = 0; k < 2; k++) next[k] = pdr_add(g, x[k], pdr_scale(g, 0.3, phi[k]));
    pdr_plan *plan;
    if (pdr_plan_new(g, pool, 2, x, 2, next, (const int32_t[]){0, 1}, &plan, &err))
        fail_msg("%s", err.text);
    const void *in[] = {value[0], value[1]};
    void *out[] = {value[0], value[1]};
    for (int i = 0; i < 500; i++) pdr_plan_run(plan, in, out);
    for (int k = 0; k < 2; k++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < SAMPLE; i++) mean += (double)value[k][i] / SAMPLE;
        for (int i = 0; i < SAMPLE; i++) variance += pow((double)value[k][i] - mean, 2) / SAMPLE;
        assert_near(mean, target_mean[k], 0.02);
        assert_near(sqrt(variance) / target_deviation[k], 1, 0.12);
    }
    pdr_plan_free(plan);
    pdr_pool_free(pool);
    pdr_graph_free(g);
}

/* ---- meta-gradients -----------------------------------------------------------------------------
 */

static meta_case mlp(const char *set)
{
    return (meta_case){.method = "bmaml",
                       .set = set,
                       .layers = "dense units=4 | tanh",
                       .example = PDR_SHAPE(2),
                       .shot = 4,
                       .query = 3,
                       .episodes = 2,
                       .seed = 1};
}

static meta_case classes(const char *set)
{
    meta_case c = mlp(set);
    c.way = 3;
    c.shot = 2;
    c.query = 1;
    return c;
}

static meta_slopes slopes_of(meta_case c, bool stopped)
{
    meta f;
    meta_open(&f, &c);
    meta_slopes s = stopped ? meta_slopes_stopped(&f) : meta_slopes_of(&f);
    meta_close(&f);
    return s;
}

static void assert_exact(meta_case c, bool stopped)
{
    meta_slopes s = slopes_of(c, stopped);
    assert_true(s.most > 0.01);
    assert_near(s.off / fmax(1, s.most), 0, 1e-6);
}

/* The leader and the bandwidth count as constants; all else is differentiated through. */
static void the_chaser_is_differentiated_through_svgd(void **state)
{
    (void)state;
    assert_exact(mlp("particles=3 steps=1 leader_steps=1 rate=0.05 precision=5"), true);
    assert_exact(mlp("particles=3 steps=2 leader_steps=2 rate=0.05 precision=5"), true);
    assert_exact(mlp("particles=2 steps=2 rate=0.05 precision=5 learned=false bandwidth=2"), true);
    assert_exact(classes("particles=3 steps=2 rate=0.05 precision=2 learned=false"), true);
    /* were the leader let in, the loss would have another slope */
    meta_slopes s = slopes_of(mlp("particles=3 rate=0.05 precision=5"), false);
    assert_true(s.off > 1e-3);
}

static void the_ensemble_is_differentiated_through_its_steps(void **state)
{
    (void)state;
    assert_exact(mlp("ensemble=true particles=3 steps=1 rate=0.3"), false);
    assert_exact(mlp("ensemble=true particles=3 steps=3 rate=0.3"), false);
    assert_exact(classes("ensemble=true particles=2 steps=2 rate=0.5"), false);
    meta_case c = mlp("ensemble=true particles=2 steps=2 rate=0.3 first_order=true");
    assert_true(slopes_of(c, false).off > 1e-3);
    assert_exact(c, true);
}

/* ---- the chaser loss, written out -------------------------------------------------------------
 */

enum { PARTICLES = 3, POINTS = 4, DIM = 3 }; /* a linear model: w [2], b */

typedef struct line_task {
    double gamma, lambda, rate;
    int n; /* points */
    double x[2 * POINTS][2], y[2 * POINTS];
} line_task;

/* ∇ log p of θ = (w, b). */
static void line_score(const line_task *t, const double *theta, double *up)
{
    for (int k = 0; k < DIM; k++) up[k] = -t->lambda * theta[k];
    for (int i = 0; i < t->n; i++) {
        double e = theta[0] * t->x[i][0] + theta[1] * t->x[i][1] + theta[2] - t->y[i];
        for (int k = 0; k < DIM; k++) up[k] -= t->gamma * e * (k < 2 ? t->x[i][k] : 1);
    }
}

static void line_step(const line_task *t, double *theta)
{
    double up[PARTICLES * DIM], phi[PARTICLES * DIM];
    for (int m = 0; m < PARTICLES; m++) line_score(t, theta + m * DIM, up + m * DIM);
    direction_of(PARTICLES, DIM, bandwidth_of(PARTICLES, DIM, theta), theta, up, phi);
    for (int k = 0; k < PARTICLES * DIM; k++) theta[k] += t->rate * phi[k];
}

static void line_put(const pdi_host_batch *h, int n, line_task *t)
{
    for (int i = 0; i < n; i++, t->n++) {
        t->y[t->n] = (double)h->target[i];
        for (int k = 0; k < 2; k++) t->x[t->n][k] = (double)h->x[i * 2 + k];
    }
}

static void the_follower_chases_a_leader_who_saw_the_query(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("particles=3 steps=2 rate=0.02 precision=5 prior=0.5 learned=false");
    c.layers = "";
    c.query = 4;
    c.episodes = 1;
    meta_open(&f, &c);
    meta_step(&f, 0); /* the particles begin to exist */
    double theta[PARTICLES * DIM], follower[PARTICLES * DIM], want = 0;
    const float *w = meta_tensor(&f, "particle/output.weight")->value,
                *b = meta_tensor(&f, "particle/output.bias")->value;
    for (int m = 0; m < PARTICLES; m++)
        for (int k = 0; k < DIM; k++) theta[m * DIM + k] = (double)(k < 2 ? w[m * 2 + k] : b[m]);
    line_task t = {.gamma = 5, .lambda = 0.5, .rate = 0.02};
    line_put(&f.t->support, 4, &t);
    line_step(&t, theta);
    line_step(&t, theta);
    memcpy(follower, theta, sizeof theta);
    line_put(&f.t->query, 4, &t);
    line_step(&t, theta);
    for (int k = 0; k < PARTICLES * DIM; k++) want += pow(follower[k] - theta[k], 2);
    assert_true(want > 1e-4);
    assert_near(meta_step(&f, 0) / want, 1, 1e-5);
    meta_close(&f);
}

/* ---- what it is beside maml
 * ------------------------------------------------------------------------ */

static void one_particle_of_the_ensemble_is_maml(void **state)
{
    (void)state;
    meta one, maml;
    meta_case c = mlp("ensemble=true particles=1 steps=2 rate=0.3"), d = mlp("steps=2 alpha=0.3");
    d.method = "maml";
    c.test_steps = d.test_steps = 3;
    meta_open(&one, &c);
    meta_open(&maml, &d);
    meta_step(&one, 0);
    for (size_t i = 0; i < pdr_model_params(one.model); i++) {
        char from[96], to[96];
        snprintf(from, sizeof from, "param/%s", pdr_model_param(one.model, i)->name);
        snprintf(to, sizeof to, "particle/%s", pdr_model_param(one.model, i)->name);
        memcpy(meta_tensor(&one, to)->value, meta_tensor(&maml, from)->value,
               (size_t)pdr_shape_size(&meta_tensor(&maml, from)->shape) * sizeof(float));
    }
    for (int i = 0; i < 5; i++) assert_near(meta_step(&one, 0.1f), meta_step(&maml, 0.1f), 1e-6);
    const float *x = meta_predict(&one), *y = meta_predict(&maml);
    for (int i = 0; i < 2 * 4 * 3; i++) assert_near((double)x[i], (double)y[i], 1e-5);
    meta_close(&one);
    meta_close(&maml);
}

/* Of two particles that are linear models, the mean of their outputs; for classes, of their
 * probabilities. */
static void the_answer_is_the_mean_of_the_particles(void **state)
{
    (void)state;
    for (int way = 1; way <= 3; way += 2) {
        meta f;
        meta_case c = way == 1 ? mlp("particles=2") : classes("particles=2");
        c.layers = "";
        c.episodes = 1;
        meta_open(&f, &c);
        const float *y = meta_predict(&f), *x = f.t->query.x;
        const float *w = meta_tensor(&f, "particle/output.weight")->value,
                    *b = meta_tensor(&f, "particle/output.bias")->value;
        for (int i = 0; i < 3; i++) {
            double mean[3] = {0};
            for (int m = 0; m < 2; m++) {
                double z[3], sum = 0;
                for (int k = 0; k < way; k++) {
                    const float *row = w + (m * way + k) * 2;
                    z[k] = (double)row[0] * (double)x[i * 2] +
                           (double)row[1] * (double)x[i * 2 + 1] + (double)b[m * way + k];
                    sum += exp(z[k]);
                }
                for (int k = 0; k < way; k++) mean[k] += (way == 1 ? z[k] : exp(z[k]) / sum) / 2;
            }
            for (int k = 0; k < way; k++)
                assert_near((double)y[i * way + k], way == 1 ? mean[k] : log(mean[k]), 1e-5);
        }
        meta_close(&f);
    }
}

static void precisions_are_learned_with_the_particles(void **state)
{
    (void)state;
    meta f;
    meta_case c = mlp("particles=3 rate=0.01 precision=5");
    meta_open(&f, &c);
    meta_step(&f, 0.1f);
    const float *gamma = meta_tensor(&f, "particle.precision")->value;
    for (int m = 0; m < 3; m++) assert_true(fabs((double)gamma[m] - log(5)) > 1e-7);
    meta_close(&f);
}

static void running_statistics_are_refused(void **state)
{
    (void)state;
    meta f;
    double loss;
    pdr_error err = PDR_NO_ERROR;
    meta_case c = mlp("");
    c.layers = "dense units=3 | batch_norm";
    meta_open(&f, &c);
    assert_int_equal(pdi_trainer_step(f.t, 2, 0.1f, &loss, &err), PDR_USAGE);
    assert_non_null(strstr(err.text, "running: false"));
    meta_close(&f);
    c.layers = "dense units=3 | batch_norm running=false";
    meta_open(&f, &c);
    meta_step(&f, 0.01f);
    meta_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(svgd_goes_where_the_paper_says),
        cmocka_unit_test(particles_in_one_place_stay_together),
        cmocka_unit_test(svgd_becomes_a_sample_of_a_gaussian),
        cmocka_unit_test(the_chaser_is_differentiated_through_svgd),
        cmocka_unit_test(the_ensemble_is_differentiated_through_its_steps),
        cmocka_unit_test(the_follower_chases_a_leader_who_saw_the_query),
        cmocka_unit_test(one_particle_of_the_ensemble_is_maml),
        cmocka_unit_test(the_answer_is_the_mean_of_the_particles),
        cmocka_unit_test(precisions_are_learned_with_the_particles),
        cmocka_unit_test(running_statistics_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
