/* test_metric.c -- methods that compare embeddings, against plain loops on a linear one. */
#include "meta.h"

enum { WIDTH = 3, FEATURES = 2, WAY = 3, SHOT = 2, QUERY = 1, MOST = 40 };

/* Three ways in training, and other numbers in a test where told. */
static meta_case linear(const char *method, const char *set)
{
    return (meta_case){.method = method,
                       .set = set,
                       .layers = "dense units=2 bias=false",
                       .example = PDR_SHAPE(WIDTH),
                       .way = WAY,
                       .shot = SHOT,
                       .query = QUERY,
                       .episodes = 2,
                       .seed = 3};
}

static void embed(const meta *f, const float *x, double to[FEATURES])
{
    const float *w = meta_tensor(f, "param/0.dense.weight")->value;
    for (int i = 0; i < FEATURES; i++) {
        to[i] = 0;
        for (int k = 0; k < WIDTH; k++) to[i] += (double)w[i * WIDTH + k] * (double)x[k];
    }
}

/* An episode's answers by hand: y[query][way]. */
typedef struct shape_of {
    int way, shot, query; /* examples of each class */
} shape_of;

typedef void answer_fn(const meta *f, shape_of s, int n, double x[][FEATURES], const double q[],
                       double y[]);

static void answers_of(const meta *f, shape_of s, int e, answer_fn *answer, double y[])
{
    double x[MOST][FEATURES], q[FEATURES];
    int n = s.way * s.shot, m = s.way * s.query;
    for (int i = 0; i < n; i++) embed(f, f->t->support.x + (e * n + i) * WIDTH, x[i]);
    for (int i = 0; i < m; i++) {
        embed(f, f->t->query.x + (e * m + i) * WIDTH, q);
        answer(f, s, n, x, q, y + i * s.way);
    }
}

static double square_of(const double x[], const double y[])
{
    double sum = 0;
    for (int i = 0; i < FEATURES; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

static void protonet_answer(const meta *f, shape_of s, int n, double x[][FEATURES],
                            const double q[], double y[])
{
    (void)f, (void)n;
    for (int c = 0; c < s.way; c++) {
        double mean[FEATURES] = {0};
        for (int i = 0; i < s.shot; i++)
            for (int k = 0; k < FEATURES; k++) mean[k] += x[c * s.shot + i][k] / s.shot;
        y[c] = -square_of(q, mean);
    }
}

static double cosine_of(const double x[], const double y[])
{
    double xy = 0, xx = 0, yy = 0;
    for (int i = 0; i < FEATURES; i++) xy += x[i] * y[i], xx += x[i] * x[i], yy += y[i] * y[i];
    return xy / sqrt(xx * yy);
}

/* log p. */
static void matching_by(double (*similarity)(const double[], const double[]), double scale,
                        shape_of s, int n, double x[][FEATURES], const double q[], double y[])
{
    double sum = 0;
    for (int c = 0; c < s.way; c++) y[c] = 0;
    for (int i = 0; i < n; i++) {
        double a = exp(scale * similarity(q, x[i]));
        sum += a;
        y[i / s.shot] += a;
    }
    for (int c = 0; c < s.way; c++) y[c] = log(y[c] / sum);
}

static void matching_answer(const meta *f, shape_of s, int n, double x[][FEATURES],
                            const double q[], double y[])
{
    (void)f;
    matching_by(cosine_of, 4, s, n, x, q, y);
}

static void matching_answer_euclidean(const meta *f, shape_of s, int n, double x[][FEATURES],
                                      const double q[], double y[])
{
    (void)f;
    matching_by(square_of, -2, s, n, x, q, y);
}

static double siamese_score(const meta *f, const double x[], const double y[])
{
    double s = (double)meta_tensor(f, "pair.bias")->value[0];
    for (int i = 0; i < FEATURES; i++)
        s += (double)meta_tensor(f, "pair.weight")->value[i] * fabs(x[i] - y[i]);
    return s;
}

static void siamese_answer(const meta *f, shape_of s, int n, double x[][FEATURES], const double q[],
                           double y[])
{
    for (int c = 0; c < s.way; c++) y[c] = 0;
    for (int i = 0; i < n; i++) y[i / s.shot] += siamese_score(f, q, x[i]) / s.shot;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* Up to a number that all classes of a query share. */
static void assert_answers(const meta *f, shape_of s, answer_fn *answer, const float *y)
{
    double want[MOST];
    int size = s.way * s.query * s.way;
    for (int e = 0; e < 2; e++) {
        answers_of(f, s, e, answer, want);
        for (int i = 0; i < size; i++) {
            const float *row = y + e * size + i / s.way * s.way;
            double shared = (double)row[0] - want[i / s.way * s.way];
            assert_near((double)y[e * size + i] - shared, want[i], 1e-5);
        }
    }
}

static void check_answers(meta_case c, answer_fn *answer)
{
    meta f;
    meta_open(&f, &c);
    assert_answers(&f, (shape_of){WAY, SHOT, QUERY}, answer, meta_predict(&f));
    meta_close(&f);
    c.test_way = 4; /* a head of data has as many classes as there are */
    c.test_shot = 1;
    c.test_query = 2;
    meta_open(&f, &c);
    meta_step(&f, 0.1f);
    meta_fill(&f, true, 8);
    assert_answers(&f, (shape_of){4, 1, 2}, answer, meta_predict(&f));
    meta_close(&f);
}

static void protonet_answers_by_distance_from_the_prototypes(void **state)
{
    (void)state;
    check_answers(linear("protonet", ""), protonet_answer);
}

static void matching_answers_by_attention(void **state)
{
    (void)state;
    check_answers(linear("matching", "scale=4"), matching_answer);
    check_answers(linear("matching", "scale=2 distance=euclidean"), matching_answer_euclidean);
}

static void siamese_answers_by_weighted_differences(void **state)
{
    (void)state;
    check_answers(linear("siamese", ""), siamese_answer);
}

/* Rows need not go by class: what counts is the label. */
static void the_order_of_the_support_set_does_not_matter(void **state)
{
    (void)state;
    static const char *const methods[] = {"protonet", "matching", "siamese"};
    for (size_t m = 0; m < COUNT(methods); m++) {
        meta f;
        meta_case c = linear(methods[m], "");
        float y[WAY * WAY];
        meta_open(&f, &c);
        memcpy(y, meta_predict(&f), sizeof y);
        for (int k = 0; k < WIDTH; k++) { /* exchange the first and the last */
            float x = f.t->support.x[k];
            f.t->support.x[k] = f.t->support.x[5 * WIDTH + k];
            f.t->support.x[5 * WIDTH + k] = x;
        }
        f.t->support.label[0] = 2;
        f.t->support.label[5] = 0;
        const float *then = meta_predict(&f);
        for (int i = 0; i < WAY * WAY; i++)
            assert_near((double)then[i] - (double)then[i / 3 * 3],
                        (double)y[i] - (double)y[i / 3 * 3], 1e-5);
        meta_close(&f);
    }
}

/* ---- losses --------------------------------------------------------------------------------- */

static double cross_entropy_of(const meta *f, answer_fn *answer)
{
    double loss = 0, y[MOST];
    for (int e = 0; e < 2; e++) {
        answers_of(f, (shape_of){WAY, SHOT, QUERY}, e, answer, y);
        for (int q = 0; q < WAY; q++) {
            double sum = 0;
            for (int c = 0; c < WAY; c++) sum += exp(y[q * WAY + c]);
            loss += (log(sum) - y[q * WAY + q]) / (2 * WAY);
        }
    }
    return loss;
}

static void the_loss_is_the_cross_entropy_of_the_answers(void **state)
{
    (void)state;
    meta f;
    meta_case c = linear("protonet", "");
    meta_open(&f, &c);
    assert_near(meta_step(&f, 0), cross_entropy_of(&f, protonet_answer), 1e-5);
    meta_close(&f);
    c = linear("matching", "scale=4");
    meta_open(&f, &c);
    assert_near(meta_step(&f, 0), cross_entropy_of(&f, matching_answer), 1e-5);
    meta_close(&f);
}

/* Pairs of one class and pairs of two weigh alike, however many there are of each. */
static void siamese_weighs_same_and_different_alike(void **state)
{
    (void)state;
    meta f;
    meta_case c = linear("siamese", "");
    double loss = 0;
    meta_open(&f, &c);
    double was = meta_step(&f, 0);
    for (int e = 0; e < 2; e++)
        for (int q = 0; q < WAY; q++)
            for (int i = 0; i < WAY * SHOT; i++) {
                double x[FEATURES], y[FEATURES];
                embed(&f, f.t->query.x + (e * WAY + q) * WIDTH, x);
                embed(&f, f.t->support.x + (e * WAY * SHOT + i) * WIDTH, y);
                double s = siamese_score(&f, x, y);
                bool same = i / SHOT == q;
                loss += log(1 + exp(same ? -s : s)) /
                        (same ? 4 * WAY * SHOT : 4 * WAY * SHOT * (WAY - 1));
            }
    assert_near(was, loss, 1e-5);
    meta_close(&f);
}

/* The gradient of all of it, pair weights too. */
static void losses_have_the_slopes_of_central_differences(void **state)
{
    (void)state;
    static const char *const methods[][2] = {
        {"protonet", ""}, {"matching", ""}, {"matching", "distance=euclidean"}, {"siamese", ""}};
    for (size_t m = 0; m < COUNT(methods); m++) {
        meta f;
        meta_case c = linear(methods[m][0], methods[m][1]);
        c.layers = "dense units=4 | batch_norm | tanh";
        meta_open(&f, &c);
        meta_slopes s = meta_slopes_of(&f);
        assert_true(s.most > 1e-3);
        assert_near(s.off, 0, 1e-6);
        if (!strcmp(methods[m][0], "siamese")) assert_int_equal(s.numbers, 12 + 4 + 4 + 4 + 4 + 1);
        meta_close(&f);
    }
}

/* With the paper's scale of 1 no loss at 2 ways gets below log(1 + 1/e²) = 0.127, even where
 * every query is its own support example and the other class lies opposite (trap 15). */
static void cosines_alone_cannot_be_sure(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        double lo, hi;
    } cases[] = {{"scale=1", 0.12, 0.7}, {"scale=10", 0, 1e-6}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        meta f;
        meta_case c = linear("matching", cases[i].set);
        c.way = 2;
        c.shot = 1;
        c.layers = "";
        c.episodes = 1;
        meta_open(&f, &c);
        for (int k = 0; k < WIDTH; k++) {
            f.t->support.x[k] = f.t->query.x[k] = 1;
            f.t->support.x[WIDTH + k] = f.t->query.x[WIDTH + k] = -1;
        }
        double loss = meta_step(&f, 0);
        assert_true(loss > cases[i].lo - 1e-9 && loss < cases[i].hi);
        meta_close(&f);
    }
}

/* A dead network embeds all alike: any answer, but a number. */
static void embeddings_of_nothing_give_numbers(void **state)
{
    (void)state;
    static const char *const methods[] = {"protonet", "matching", "siamese"};
    for (size_t m = 0; m < COUNT(methods); m++) {
        meta f;
        meta_case c = linear(methods[m], "");
        meta_open(&f, &c);
        memset(meta_tensor(&f, "param/0.dense.weight")->value, 0, sizeof(float) * WIDTH * FEATURES);
        assert_true(isfinite(meta_step(&f, 0.1f)));
        const float *y = meta_predict(&f);
        for (int i = 0; i < 2 * WAY * WAY; i++) assert_true(isfinite(y[i]));
        meta_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protonet_answers_by_distance_from_the_prototypes),
        cmocka_unit_test(matching_answers_by_attention),
        cmocka_unit_test(siamese_answers_by_weighted_differences),
        cmocka_unit_test(the_order_of_the_support_set_does_not_matter),
        cmocka_unit_test(the_loss_is_the_cross_entropy_of_the_answers),
        cmocka_unit_test(siamese_weighs_same_and_different_alike),
        cmocka_unit_test(losses_have_the_slopes_of_central_differences),
        cmocka_unit_test(cosines_alone_cannot_be_sure),
        cmocka_unit_test(embeddings_of_nothing_give_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
