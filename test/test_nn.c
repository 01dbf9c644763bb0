/* test_nn.c -- functions and losses: values, derivatives, batching, threads. */
#include <perdure/nn.h>

#include "subject.h"

/* ---- the rows -------------------------------------------------------------------------- */

typedef struct row row;
struct row {
    const char *name;
    pdr_node (*build)(const row *r, pdr_graph *g, const pdr_node in[]);
    void (*direct)(const row *r, double *const in[], double *out); /* NULL: no closed form here */
    int order;                                                     /* of derivatives checked */
    struct {
        pdr_shape shape;
        pdr_type type;
        double lo, hi;
    } in[3];
    int a, b; /* stride and padding, size and stride, axes */
};

static int32_t dim(const row *r, int input, int axis) { return r->in[input].shape.dim[axis]; }

static int64_t size(const row *r, int input) { return pdr_shape_size(&r->in[input].shape); }

#define BUILD(name, expression)                                                                    \
    static pdr_node build_##name(const row *r, pdr_graph *g, const pdr_node in[])                  \
    {                                                                                              \
        (void)r;                                                                                   \
        return expression;                                                                         \
    }
#define DIRECT(name) static void direct_##name(const row *r, double *const in[], double *out)

BUILD(relu, pdr_relu(g, in[0]))
BUILD(sigmoid, pdr_sigmoid(g, in[0]))
BUILD(gelu, pdr_gelu(g, in[0]))
BUILD(softmax, pdr_softmax(g, in[0]))
BUILD(log_softmax, pdr_log_softmax(g, in[0]))
BUILD(one_hot, pdr_mul(g, in[1], pdr_one_hot(g, in[0], 4)))
BUILD(dense, pdr_dense(g, in[0], in[1], in[2]))
BUILD(dense_plain, pdr_dense(g, in[0], in[1], (pdr_node){0}))
BUILD(conv, pdr_conv2d(g, in[0], in[1], r->a, r->b))
BUILD(max_pool, pdr_max_pool2d(g, in[0], r->a, r->b))
BUILD(avg_pool, pdr_avg_pool2d(g, in[0], r->a, r->b))
BUILD(normalise, pdr_normalise(g, in[0], (uint32_t)r->a, 1e-5))
BUILD(dropout, pdr_dropout(g, in[0], in[1], 6, 0.25))
BUILD(cross_entropy, pdr_cross_entropy(g, in[0], in[1]))
BUILD(soft_cross_entropy, pdr_soft_cross_entropy(g, in[0], in[1]))
BUILD(binary_cross_entropy, pdr_binary_cross_entropy(g, in[0], in[1]))
BUILD(mse, pdr_mse(g, in[0], in[1]))
BUILD(half_square_norm, pdr_half_square_norm(g, 2, in))

/* ---- the same, as loops a reader can check --------------------------------------------------- */

DIRECT(relu)
{
    for (int64_t i = 0; i < size(r, 0); i++) out[i] = in[0][i] > 0 ? in[0][i] : 0;
}

DIRECT(sigmoid)
{
    for (int64_t i = 0; i < size(r, 0); i++) out[i] = 1 / (1 + exp(-in[0][i]));
}

DIRECT(gelu)
{
    for (int64_t i = 0; i < size(r, 0); i++) out[i] = in[0][i] * 0.5 * erfc(-in[0][i] / sqrt(2.0));
}

/* sum over one row of exp */
static double direct_partition(const double *x, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) sum += exp(x[i]);
    return sum;
}

DIRECT(softmax)
{
    int32_t n = dim(r, 0, 1);
    for (int64_t i = 0; i < size(r, 0); i++)
        out[i] = exp(in[0][i]) / direct_partition(in[0] + i / n * n, n);
}

DIRECT(log_softmax)
{
    direct_softmax(r, in, out);
    for (int64_t i = 0; i < size(r, 0); i++) out[i] = log(out[i]);
}

DIRECT(one_hot)
{
    for (int64_t i = 0; i < size(r, 1); i++) out[i] = i % 4 == (int64_t)in[0][i / 4] ? in[1][i] : 0;
}

DIRECT(dense)
{
    int32_t ni = dim(r, 1, 1), no = dim(r, 1, 0);
    for (int64_t b = 0; b < size(r, 0) / ni; b++)
        for (int32_t o = 0; o < no; o++) {
            double sum = r->in[2].shape.rank ? in[2][o] : 0;
            for (int32_t i = 0; i < ni; i++) sum += in[1][o * ni + i] * in[0][b * ni + i];
            out[b * no + o] = sum;
        }
}

/* x[n, c, i, j], 0 outside the image */
static double direct_pixel(const row *r, const double *x, int n, int c, int i, int j)
{
    int C = dim(r, 0, 1), H = dim(r, 0, 2), W = dim(r, 0, 3);
    return i < 0 || j < 0 || i >= H || j >= W ? 0 : x[((n * C + c) * H + i) * W + j];
}

DIRECT(conv)
{
    int O = dim(r, 1, 0), C = dim(r, 1, 1), KH = dim(r, 1, 2), KW = dim(r, 1, 3);
    int H = (dim(r, 0, 2) + 2 * r->b - KH) / r->a + 1,
        W = (dim(r, 0, 3) + 2 * r->b - KW) / r->a + 1;
    for (int n = 0; n < dim(r, 0, 0); n++)
        for (int o = 0; o < O; o++)
            for (int i = 0; i < H; i++)
                for (int j = 0; j < W; j++) {
                    double sum = 0;
                    for (int t = 0; t < C * KH * KW; t++) {
                        int c = t / (KH * KW), p = t / KW % KH, q = t % KW;
                        sum += in[1][o * C * KH * KW + t] * direct_pixel(r, in[0], n, c,
                                                                         i * r->a + p - r->b,
                                                                         j * r->a + q - r->b);
                    }
                    out[((n * O + o) * H + i) * W + j] = sum;
                }
}

static void direct_pool(const row *r, const double *x, double *out, bool largest)
{
    int H = (dim(r, 0, 2) - r->a) / r->b + 1, W = (dim(r, 0, 3) - r->a) / r->b + 1;
    for (int e = 0; e < dim(r, 0, 0) * dim(r, 0, 1) * H * W; e++) {
        int j = e % W, i = e / W % H, c = e / W / H % dim(r, 0, 1), n = e / W / H / dim(r, 0, 1);
        double sum = 0, most = -HUGE_VAL;
        for (int t = 0; t < r->a * r->a; t++) {
            double v = direct_pixel(r, x, n, c, i * r->b + t / r->a, j * r->b + t % r->a);
            sum += v;
            if (v > most) most = v;
        }
        out[e] = largest ? most : sum / (r->a * r->a);
    }
}

DIRECT(max_pool) { direct_pool(r, in[0], out, true); }
DIRECT(avg_pool) { direct_pool(r, in[0], out, false); }

/* Do elements e and f of x share every coordinate whose axis is not normalised over? */
static bool direct_together(const row *r, int64_t e, int64_t f)
{
    for (int k = r->in[0].shape.rank; k-- > 0; e /= dim(r, 0, k), f /= dim(r, 0, k))
        if (!(r->a >> k & 1) && e % dim(r, 0, k) != f % dim(r, 0, k)) return false;
    return true;
}

DIRECT(normalise)
{
    for (int64_t e = 0; e < size(r, 0); e++) {
        double n = 0, sum = 0, square = 0;
        for (int64_t f = 0; f < size(r, 0); f++) {
            if (!direct_together(r, e, f)) continue;
            n += 1;
            sum += in[0][f];
            square += in[0][f] * in[0][f];
        }
        double mean = sum / n;
        out[e] = (in[0][e] - mean) / sqrt(square / n - mean * mean + 1e-5);
    }
}

DIRECT(cross_entropy)
{
    int32_t n = dim(r, 0, 1);
    for (int32_t b = 0; b < dim(r, 0, 0); b++) {
        int32_t label = (int32_t)in[1][b];
        out[b] = log(direct_partition(in[0] + b * n, n)) - in[0][b * n + label];
    }
}

DIRECT(soft_cross_entropy)
{
    int32_t n = dim(r, 0, 1);
    for (int32_t b = 0; b < dim(r, 0, 0); b++) {
        out[b] = 0;
        for (int32_t i = 0; i < n; i++)
            out[b] -= in[1][b * n + i] *
                      (in[0][b * n + i] - log(direct_partition(in[0] + b * n, n)));
    }
}

DIRECT(binary_cross_entropy)
{
    int32_t n = dim(r, 0, 1);
    for (int32_t b = 0; b < dim(r, 0, 0); b++) {
        out[b] = 0;
        for (int32_t i = b * n; i < (b + 1) * n; i++) {
            double p = 1 / (1 + exp(-in[0][i]));
            out[b] -= (in[1][i] * log(p) + (1 - in[1][i]) * log(1 - p)) / n;
        }
    }
}

DIRECT(mse)
{
    int32_t n = dim(r, 0, 1);
    for (int32_t b = 0; b < dim(r, 0, 0); b++) {
        out[b] = 0;
        for (int32_t i = b * n; i < (b + 1) * n; i++)
            out[b] += (in[0][i] - in[1][i]) * (in[0][i] - in[1][i]) / n;
    }
}

DIRECT(half_square_norm)
{
    out[0] = 0;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < size(r, k); i++) out[0] += in[k][i] * in[k][i] / 2;
}

/* ---- what is checked ------------------------------------------------------------------------- */

#define AXES(...)                                                                                  \
    {                                                                                              \
        (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), { __VA_ARGS__ }             \
    }
#define REAL(lo, hi, ...)                                                                          \
    {                                                                                              \
        AXES(__VA_ARGS__), PDR_F32, lo, hi                                                         \
    }
#define WHOLE(lo, hi, ...)                                                                         \
    {                                                                                              \
        AXES(__VA_ARGS__), PDR_I32, lo, hi                                                         \
    }
#define FN(fn, order) #fn, build_##fn, direct_##fn, order

/* clang-format off */
static const row rows[] = {
    {FN(relu, 2), {REAL(-2, 2, 9, 11)}, 0, 0},
    {FN(sigmoid, 3), {REAL(-4, 4, 3, 5)}, 0, 0},
    {FN(gelu, 3), {REAL(-3, 3, 3, 5)}, 0, 0},
    {FN(softmax, 3), {REAL(-3, 3, 3, 5)}, 0, 0},
    {FN(log_softmax, 3), {REAL(-3, 3, 3, 5)}, 0, 0},
    {FN(one_hot, 2), {WHOLE(0, 4, 2, 3), REAL(-1, 1, 2, 3, 4)}, 0, 0},
    {FN(dense, 3), {REAL(-1, 1, 4, 3), REAL(-1, 1, 2, 3), REAL(-1, 1, 2)}, 0, 0},
    {FN(dense, 2), {REAL(-1, 1, 2, 3, 4), REAL(-1, 1, 5, 4), REAL(-1, 1, 5)}, 0, 0},
    {FN(dense, 2), {REAL(-1, 1, 4), REAL(-1, 1, 3, 4), REAL(-1, 1, 3)}, 0, 0},
    {"dense without bias", build_dense_plain, direct_dense, 2,
     {REAL(-1, 1, 4, 3), REAL(-1, 1, 2, 3)}, 0, 0},
    {FN(conv, 3), {REAL(-1, 1, 2, 2, 5, 5), REAL(-1, 1, 3, 2, 3, 3)}, 2, 1},
    {FN(conv, 3), {REAL(-1, 1, 2, 3, 3, 2), REAL(-1, 1, 2, 3, 1, 1)}, 1, 0},
    {FN(conv, 2), {REAL(-1, 1, 2, 1, 4, 6), REAL(-1, 1, 2, 1, 2, 3)}, 1, 0},
    {FN(conv, 2), {REAL(-1, 1, 1, 2, 6, 7), REAL(-1, 1, 2, 2, 3, 3)}, 3, 2},
    {FN(max_pool, 3), {REAL(-2, 2, 2, 2, 4, 4)}, 2, 2},
    {FN(max_pool, 3), {REAL(-2, 2, 1, 2, 5, 5)}, 3, 2},
    {FN(max_pool, 3), {REAL(-2, 2, 2, 1, 5, 4)}, 2, 1},
    {FN(max_pool, 2), {REAL(-2, 2, 2, 1, 6, 5)}, 2, 3},
    {FN(avg_pool, 3), {REAL(-2, 2, 2, 2, 4, 4)}, 2, 2},
    {FN(avg_pool, 3), {REAL(-2, 2, 1, 2, 5, 5)}, 3, 2},
    {FN(avg_pool, 2), {REAL(-2, 2, 2, 1, 6, 5)}, 2, 3},
    {FN(normalise, 3), {REAL(-2, 2, 3, 2, 2, 2)}, 1 | 4 | 8, 0},
    {FN(normalise, 3), {REAL(-2, 2, 6, 3)}, 1, 0},
    {FN(normalise, 3), {REAL(-2, 2, 3, 5)}, 2, 0},
    {"dropout", build_dropout, NULL, 2, {REAL(-2, 2, 3, 5), WHOLE(0, 1 << 20, 4)}, 0, 0},
    {FN(cross_entropy, 3), {REAL(-3, 3, 4, 5), WHOLE(0, 4, 4)}, 0, 0},
    {FN(soft_cross_entropy, 3), {REAL(-3, 3, 3, 4), REAL(0, 1, 3, 4)}, 0, 0},
    {FN(binary_cross_entropy, 3), {REAL(-3, 3, 3, 4), REAL(0, 1, 3, 4)}, 0, 0},
    {FN(mse, 3), {REAL(-2, 2, 3, 4), REAL(-2, 2, 3, 4)}, 0, 0},
    {FN(half_square_norm, 3), {REAL(-1, 1, 3, 4), REAL(-1, 1, 5)}, 0, 0},
};
/* clang-format on */

static subject *make(const row *r)
{
    subject *s = subject_new(r->name, 1 + (uint64_t)(r - rows));
    for (int k = 0; k < 3 && r->in[k].shape.rank; k++)
        subject_input(s, r->in[k].type, r->in[k].shape, r->in[k].lo, r->in[k].hi);
    subject_seal(s, r->build(r, s->g, s->in));
    return s;
}

static void each(void (*check)(const row *r, subject *s))
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        subject *s = make(&rows[i]);
        check(&rows[i], s);
        subject_free(s);
    }
}

static void check_direct(const row *r, subject *s)
{
    int64_t n = subject_size(s, s->y);
    double *got = subject_eval(s, s->y), *want = subject_array(n, sizeof *want);
    if (r->direct) r->direct(r, s->val, want);
    for (int64_t i = 0; i < n && r->direct; i++)
        if (!(fabs(got[i] - want[i]) <= 1e-11 * (1 + fabs(want[i]))))
            fail_msg("%s (row %zu): [%lld] is %.15g, by a direct loop %.15g", r->name,
                     (size_t)(r - rows), (long long)i, got[i], want[i]);
    free(got);
    free(want);
}

static void check_derivatives(const row *r, subject *s) { subject_check_derivatives(s, r->order); }

static void check_single(const row *r, subject *s)
{
    (void)r;
    subject_check_single(s);
}

static void check_vmap(const row *r, subject *s)
{
    (void)r;
    subject_check_vmap(s);
}

static void check_threads(const row *r, subject *s)
{
    (void)r;
    subject_check_threads(s);
}

static void values_are_those_of_direct_loops(void **state)
{
    (void)state;
    each(check_direct);
}

static void derivatives_agree_with_differences(void **state)
{
    (void)state;
    each(check_derivatives);
}

static void single_precision_stays_near_double(void **state)
{
    (void)state;
    each(check_single);
}

static void vmap_equals_the_loop_bitwise(void **state)
{
    (void)state;
    each(check_vmap);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    each(check_threads);
}

/* ---- promises of single functions ----------------------------------------------------------- */

/* Run f of one f32 input through a plan. */
static void run_one(pdr_graph *g, pdr_node in, const float *x, pdr_node out, float *y)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan;
    pdr_pool *pool = pdr_pool_new(NULL, 1);
    if (pdr_plan_new(g, pool, 1, &in, 1, &out, NULL, &plan, &err)) fail_msg("%s", err.text);
    pdr_plan_run(plan, (const void *const[]){x}, (void *[]){y});
    pdr_plan_free(plan);
    pdr_pool_free(pool);
}

static void losses_are_finite_at_extremes(void **state)
{
    (void)state;
    static const float x[] = {3e38f, -3e38f, 0, 1e4f, -1e4f, 80};
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_node in = pdr_input(g, PDR_F32, PDR_SHAPE(2, 3)), label = pdr_like(g, in, 0.5), d;
    float y[6];
    pdr_node one_class = pdr_slice(g, pdr_one_hot(g, (pdr_node){0}, 3), 0, 0, 1, 1);
    assert_int_equal(one_class.id, 0); /* null in, null out, and no error */
    assert_null(pdr_graph_error(g));
    run_one(g, in, x, pdr_softmax(g, in), y);
    for (int i = 0; i < 6; i++) assert_true(y[i] >= 0 && y[i] <= 1);
    run_one(g, in, x, pdr_sigmoid(g, in), y);
    for (int i = 0; i < 6; i++) assert_true(y[i] >= 0 && y[i] <= 1);
    pdr_node bce = pdr_mean_all(g, pdr_scale(g, 1e-6, pdr_binary_cross_entropy(g, in, label)));
    pdr_grad(g, bce, 1, &in, &d);
    run_one(g, in, x, d, y);
    for (int i = 0; i < 6; i++) assert_true(isfinite(y[i]));
    pdr_graph_free(g);
}

/* Both kinks of the stable form cancel: the derivatives of log(1 + e^x) - x t at 0. */
static void binary_cross_entropy_is_smooth_at_zero(void **state)
{
    (void)state;
    subject *s = subject_new("bce at 0", 1);
    pdr_node x = subject_input(s, PDR_F32, PDR_SHAPE(1), 0, 0), d1, d2;
    pdr_node t = pdr_fill(s->g, PDR_SHAPE(1), 0.3);
    pdr_node loss = pdr_sum_all(s->g, pdr_binary_cross_entropy(s->g, x, t));
    pdr_grad(s->g, loss, 1, &x, &d1);
    pdr_grad(s->g, pdr_sum_all(s->g, d1), 1, &x, &d2);
    assert_true(fabs(subject_number(s, loss) - log(2)) < 1e-15);
    assert_true(fabs(subject_number(s, d1) - (0.5 - 0.3)) < 1e-15);
    assert_true(fabs(subject_number(s, d2) - 0.25) < 1e-15);
    subject_free(s);
}

static void relu_has_no_slope_at_zero_and_keeps_nan(void **state)
{
    (void)state;
    static const float x[] = {0, NAN, -1e-30f, 1e-30f};
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_node in = pdr_input(g, PDR_F32, PDR_SHAPE(4)), y = pdr_relu(g, in), d;
    float got[4];
    run_one(g, in, x, y, got);
    assert_true(got[0] == 0 && isnan(got[1]) && got[2] == 0 && got[3] == x[3]);
    pdr_grad(g, pdr_sum_all(g, y), 1, &in, &d);
    run_one(g, in, x, d, got);
    assert_true(got[0] == 0 && got[2] == 0 && got[3] == 1);
    pdr_graph_free(g);
}

/* Three rows: some outputs masked, all masked, the label itself masked. */
static void masked_outputs_have_no_probability_and_give_no_nan(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const float allowed[] = {1, 0, 1, 0, 0, 0, 1, 1, 0};
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_node in = pdr_input(g, PDR_F32, PDR_SHAPE(3, 3)), mask = pdr_like(g, in, 0), d;
    for (int i = 0; i < 9; i++) {
        pdr_node one = pdr_fill(g, PDR_SHAPE(1, 1), (double)allowed[i]);
        mask = pdr_add(g, mask, pdr_pad(g, pdr_pad(g, one, 0, i / 3, 3, 1), 1, i % 3, 3, 1));
    }
    pdr_node logits = pdr_mask_logits(g, in, mask);
    pdr_node p = pdr_softmax(g, logits);
    pdr_node loss = pdr_soft_cross_entropy(g, logits, pdr_like(g, in, 1.0 / 3));
    pdr_node label = pdr_soft_cross_entropy(g, logits, p);
    float got[9];
    run_one(g, in, x, p, got);
    for (int i = 0; i < 9; i++)
        assert_true(i / 3 == 1 ? got[i] > 0.3f : (allowed[i] > 0) == (got[i] > 0));
    run_one(g, in, x, loss, got);
    for (int i = 0; i < 3; i++) assert_true(isfinite(got[i]));
    assert_true(fabsf(got[1] - logf(3)) < 1e-6f); /* nothing left: uniform */
    pdr_grad(g, pdr_mean_all(g, pdr_add(g, loss, label)), 1, &in, &d);
    run_one(g, in, x, d, got);
    for (int i = 0; i < 9; i++) assert_true(allowed[i] != 0 ? isfinite(got[i]) : got[i] == 0);
    pdr_graph_free(g);
}

static void labels_outside_the_classes_do_not_count(void **state)
{
    (void)state;
    subject *s = subject_new("labels", 3);
    pdr_node x = subject_input(s, PDR_F32, PDR_SHAPE(3, 4), -1, 1), d;
    pdr_node label = subject_input(s, PDR_I32, PDR_SHAPE(3), 0, 1);
    s->val[1][1] = -1;
    s->val[1][2] = 4;
    pdr_node loss = pdr_cross_entropy(s->g, x, label);
    pdr_grad(s->g, pdr_sum_all(s->g, loss), 1, &x, &d);
    double *v = subject_eval(s, loss), *slope = subject_eval(s, d);
    assert_true(v[0] > 0 && v[1] == 0 && v[2] == 0);
    for (int i = 0; i < 12; i++) assert_true((slope[i] != 0) == (i < 4));
    free(v);
    free(slope);
    subject_free(s);
}

/* ---- dropout -----------------------------------------------------------------------------------
 */

static void dropout_keeps_the_mean_and_scales_what_stays(void **state)
{
    (void)state;
    enum { N = 100000 };
    subject *s = subject_new("dropout", 1);
    pdr_node x = pdr_fill(s->g, PDR_SHAPE(N), 3);
    pdr_node key = subject_input(s, PDR_I32, PDR_SHAPE(4), 0, 1 << 24);
    double *y = subject_eval(s, pdr_dropout(s->g, x, key, 0, 0.3)), mean = 0, dropped = 0;
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == 0 || fabs(y[i] - 3 / 0.7) < 1e-12);
        mean += y[i] / N;
        dropped += y[i] == 0;
    }
    double deviation = 3 / 0.7 * sqrt(0.3 * 0.7 / N);
    assert_true(fabs(mean - 3) < 4 * deviation);
    assert_true(fabs(dropped / N - 0.3) < 4 * sqrt(0.3 * 0.7 / N));
    free(y);
    subject_free(s);
}

static void dropout_is_a_function_of_key_and_stream(void **state)
{
    (void)state;
    enum { N = 256 };
    subject *s = subject_new("dropout", 1);
    pdr_node x = pdr_fill(s->g, PDR_SHAPE(N), 1);
    pdr_node key = subject_input(s, PDR_I32, PDR_SHAPE(4), 0, 1 << 24);
    pdr_node y0 = pdr_dropout(s->g, x, key, 0, 0.5), y1 = pdr_dropout(s->g, x, key, 2, 0.5);
    double *a = subject_eval(s, y0), *again = subject_eval(s, y0), *b = subject_eval(s, y1);
    s->val[0][3] += 1;
    double *other = subject_eval(s, y0);
    assert_memory_equal(a, again, N * sizeof *a);
    assert_memory_not_equal(a, b, N * sizeof *a);
    assert_memory_not_equal(a, other, N * sizeof *a);
    assert_int_equal(pdr_dropout(s->g, x, key, 0, 0).id, x.id); /* rate 0: nothing happens */
    free(a);
    free(again);
    free(b);
    free(other);
    subject_free(s);
}

/* ---- what does not fit -------------------------------------------------------------------------
 */

static pdr_node wrong_dense(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdr_dense(g, x, y, (pdr_node){0});
}

static pdr_node wrong_conv(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdr_conv2d(g, x, y, 1, 0);
}

static pdr_node wrong_stride(pdr_graph *g, pdr_node x, pdr_node y)
{
    (void)y;
    return pdr_conv2d(g, x, pdr_fill(g, PDR_SHAPE(1, 3, 1, 1), 1), 0, 0);
}

static pdr_node wrong_pool(pdr_graph *g, pdr_node x, pdr_node y)
{
    (void)y;
    return pdr_max_pool2d(g, x, 6, 1);
}

static pdr_node wrong_rate(pdr_graph *g, pdr_node x, pdr_node y)
{
    (void)y;
    return pdr_dropout(g, x, pdr_input(g, PDR_I32, PDR_SHAPE(4)), 0, 1);
}

static pdr_node wrong_softmax(pdr_graph *g, pdr_node x, pdr_node y)
{
    (void)x, (void)y;
    return pdr_softmax(g, pdr_scalar(g, 1));
}

static pdr_node wrong_label(pdr_graph *g, pdr_node x, pdr_node y)
{
    (void)y;
    return pdr_cross_entropy(g, x, pdr_input(g, PDR_I32, PDR_SHAPE(5)));
}

static void what_does_not_fit_says_so(void **state)
{
    (void)state;
    static const struct {
        pdr_node (*build)(pdr_graph *g, pdr_node x, pdr_node y);
        const char *says;
    } wrong[] = {
        {wrong_dense, "dense: x [2,3,5,5] and w [7,4]: need [..., in] and [out, in]"},
        {wrong_conv, "conv2d: x [2,3,5,5] and filters [7,4]: need [n, c, h, w] and [o, c, kh, kw]"},
        {wrong_stride, "conv2d: stride 0, padding 0: the stride is at least 1, the padding 0 to "
                       "2^20"},
        {wrong_pool, "max_pool2d: x [2,3,5,5], size 6, stride 1: need [n, c, h, w] with h and w at "
                     "least size, and a stride of at least 1"},
        {wrong_rate, "dropout: a rate of 1; give 0 or more and less than 1"},
        {wrong_softmax, "log_softmax: a single number has no axis"},
        {wrong_label, "cross_entropy: logits [2,3,5,5] and labels [5]: need one label a row"},
        {pdr_mse, "mse: [2,3,5,5] and targets [7,4]: need the same shape, of one axis or more"},
        {pdr_binary_cross_entropy,
         "binary_cross_entropy: [2,3,5,5] and targets [7,4]: need the same shape, of one axis or "
         "more"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        pdr_graph *g = pdr_graph_new(NULL);
        pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(2, 3, 5, 5));
        pdr_node y = pdr_input(g, PDR_F32, PDR_SHAPE(7, 4));
        assert_int_equal(wrong[i].build(g, x, y).id, 0);
        assert_non_null(pdr_graph_error(g));
        assert_string_equal(pdr_graph_error(g), wrong[i].says);
        pdr_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_direct_loops),
        cmocka_unit_test(derivatives_agree_with_differences),
        cmocka_unit_test(single_precision_stays_near_double),
        cmocka_unit_test(vmap_equals_the_loop_bitwise),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(losses_are_finite_at_extremes),
        cmocka_unit_test(binary_cross_entropy_is_smooth_at_zero),
        cmocka_unit_test(relu_has_no_slope_at_zero_and_keeps_nan),
        cmocka_unit_test(masked_outputs_have_no_probability_and_give_no_nan),
        cmocka_unit_test(labels_outside_the_classes_do_not_count),
        cmocka_unit_test(dropout_keeps_the_mean_and_scales_what_stays),
        cmocka_unit_test(dropout_is_a_function_of_key_and_stream),
        cmocka_unit_test(what_does_not_fit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
