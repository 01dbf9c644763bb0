/* test_nn.c -- functions and losses keep every promise of op_row.h, and some of their own. */
#include <math.h>
#include <perdure/nn.h>
#include <perdure/plan.h>

#include "op_row.h"
#include "oracle.h"

/* ---- as the library builds them ------------------------------------------------------- */

#define MAKE(name, expression)                                                                     \
    static pdr_node make_##name(pdr_graph *g, const op_row *row, const pdr_node x[])               \
    {                                                                                              \
        (void)row;                                                                                 \
        return expression;                                                                         \
    }

MAKE(relu, pdr_relu(g, x[0]))
MAKE(sigmoid, pdr_sigmoid(g, x[0]))
MAKE(gelu, pdr_gelu(g, x[0]))
MAKE(softmax, pdr_softmax(g, x[0]))
MAKE(log_softmax, pdr_log_softmax(g, x[0]))
MAKE(one_hot, pdr_one_hot(g, x[0], 4))
MAKE(dense, pdr_dense(g, x[0], x[1], x[2]))
MAKE(conv, pdr_conv2d(g, x[0], x[1], row->p[0], row->p[1]))
MAKE(max_pool, pdr_max_pool2d(g, x[0], row->p[0], row->p[1]))
MAKE(avg_pool, pdr_avg_pool2d(g, x[0], row->p[0], row->p[1]))
MAKE(normalise, pdr_normalise(g, x[0], (uint32_t)row->p[0], 1e-5))
MAKE(dropout, pdr_dropout(g, x[0], x[1], 6, 0.25))
MAKE(cross_entropy, pdr_cross_entropy(g, x[0], x[1]))
MAKE(soft_cross_entropy, pdr_soft_cross_entropy(g, x[0], x[1]))
MAKE(binary_cross_entropy, pdr_binary_cross_entropy(g, x[0], x[1]))
MAKE(mse, pdr_mse(g, x[0], x[1]))
MAKE(half_square_norm, pdr_half_square_norm(g, 2, x))
MAKE(masked, pdr_softmax(g, pdr_mask_logits(g, x[0], pdr_lt(g, pdr_scalar(g, -0.3), x[0]))))

/* ---- as a reader would write them ------------------------------------------------------ */

#define WANT(name) static void want_##name(const op_case *c)

static int32_t dim(const op_case *c, int input, int axis) { return c->in_shape[input].dim[axis]; }

static int64_t size(const op_case *c) { return pdr_shape_size(&c->shape); }

WANT(relu)
{
    for (int64_t i = 0; i < size(c); i++) c->out[i] = c->in[0][i] > 0 ? c->in[0][i] : 0;
}

WANT(sigmoid)
{
    for (int64_t i = 0; i < size(c); i++) c->out[i] = 1 / (1 + exp(-c->in[0][i]));
}

WANT(gelu)
{
    for (int64_t i = 0; i < size(c); i++)
        c->out[i] = c->in[0][i] * 0.5 * erfc(-c->in[0][i] / sqrt(2.0));
}

/* sum_i exp(x_i), i < n */
static double partition(const double *x, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) sum += exp(x[i]);
    return sum;
}

WANT(softmax)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t i = 0; i < size(c); i++)
        c->out[i] = exp(c->in[0][i]) / partition(c->in[0] + i / n * n, n);
}

WANT(log_softmax)
{
    want_softmax(c);
    for (int64_t i = 0; i < size(c); i++) c->out[i] = log(c->out[i]);
}

WANT(one_hot)
{
    for (int64_t i = 0; i < size(c); i++) c->out[i] = (int64_t)c->in[0][i / 4] == i % 4;
}

WANT(dense)
{
    int32_t in = dim(c, 1, 1), out = dim(c, 1, 0);
    for (int64_t e = 0; e < size(c); e++) {
        double sum = c->row->in[2].draw ? c->in[2][e % out] : 0;
        for (int32_t i = 0; i < in; i++)
            sum += c->in[1][e % out * in + i] * c->in[0][e / out * in + i];
        c->out[e] = sum;
    }
}

/* x[n, c, i, j], 0 outside the image */
static double pixel(const op_case *c, int n, int channel, int i, int j)
{
    int C = dim(c, 0, 1), H = dim(c, 0, 2), W = dim(c, 0, 3);
    if (i < 0 || j < 0 || i >= H || j >= W) return 0;
    return c->in[0][((n * C + channel) * H + i) * W + j];
}

WANT(conv)
{
    int C = dim(c, 1, 1), KH = dim(c, 1, 2), KW = dim(c, 1, 3);
    int stride = c->row->p[0], padding = c->row->p[1];
    for (int64_t e = 0; e < size(c); e++) {
        int32_t at[PDR_MAX_RANK]; /* n, o, i, j */
        double sum = 0;
        op_place(&c->shape, e, at);
        for (int t = 0; t < C * KH * KW; t++) {
            int i = at[2] * stride + t / KW % KH - padding, j = at[3] * stride + t % KW - padding;
            sum += c->in[1][at[1] * C * KH * KW + t] * pixel(c, at[0], t / (KH * KW), i, j);
        }
        c->out[e] = sum;
    }
}

static void want_pool(const op_case *c, bool largest)
{
    int k = c->row->p[0], stride = c->row->p[1];
    for (int64_t e = 0; e < size(c); e++) {
        int32_t at[PDR_MAX_RANK];
        double sum = 0, most = -HUGE_VAL;
        op_place(&c->shape, e, at);
        for (int t = 0; t < k * k; t++) {
            double v = pixel(c, at[0], at[1], at[2] * stride + t / k, at[3] * stride + t % k);
            sum += v;
            most = v > most ? v : most;
        }
        c->out[e] = largest ? most : sum / (k * k);
    }
}

WANT(max_pool) { want_pool(c, true); }

WANT(avg_pool) { want_pool(c, false); }

/* Do elements e and f share every coordinate whose axis is not normalised over? */
static bool together(const op_case *c, int64_t e, int64_t f)
{
    int32_t a[PDR_MAX_RANK], b[PDR_MAX_RANK];
    op_place(&c->shape, e, a);
    op_place(&c->shape, f, b);
    for (int k = 0; k < c->shape.rank; k++)
        if (!(c->row->p[0] >> k & 1) && a[k] != b[k]) return false;
    return true;
}

WANT(normalise)
{
    for (int64_t e = 0; e < size(c); e++) {
        double n = 0, sum = 0, square = 0;
        for (int64_t f = 0; f < size(c); f++) {
            if (!together(c, e, f)) continue;
            n += 1;
            sum += c->in[0][f];
            square += c->in[0][f] * c->in[0][f];
        }
        double mean = sum / n;
        c->out[e] = (c->in[0][e] - mean) / sqrt(square / n - mean * mean + 1e-5);
    }
}

WANT(cross_entropy)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t b = 0; b < size(c); b++) {
        int32_t label = (int32_t)c->in[1][b];
        const double *x = c->in[0] + b * n;
        c->out[b] = label < 0 || label >= n ? 0 : log(partition(x, n)) - x[label];
    }
}

WANT(soft_cross_entropy)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t b = 0; b < size(c); b++) {
        const double *x = c->in[0] + b * n, *p = c->in[1] + b * n;
        c->out[b] = 0;
        for (int32_t i = 0; i < n; i++) c->out[b] -= p[i] * (x[i] - log(partition(x, n)));
    }
}

WANT(binary_cross_entropy)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t b = 0; b < size(c); b++) {
        c->out[b] = 0;
        for (int64_t i = b * n; i < (b + 1) * n; i++) {
            double t = c->in[1][i], p = 1 / (1 + exp(-c->in[0][i]));
            c->out[b] -= (t * log(p) + (1 - t) * log(1 - p)) / n;
        }
    }
}

WANT(mse)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t b = 0; b < size(c); b++) {
        c->out[b] = 0;
        for (int64_t i = b * n; i < (b + 1) * n; i++)
            c->out[b] += pow(c->in[0][i] - c->in[1][i], 2) / n;
    }
}

WANT(half_square_norm)
{
    c->out[0] = 0;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < pdr_shape_size(&c->in_shape[k]); i++)
            c->out[0] += c->in[k][i] * c->in[k][i] / 2;
}

WANT(masked)
{
    int32_t n = dim(c, 0, 1);
    for (int64_t i = 0; i < size(c); i++) {
        double sum = 0;
        for (int64_t j = i / n * n; j < i / n * n + n; j++)
            sum += c->in[0][j] > -0.3 ? exp(c->in[0][j]) : 0;
        c->out[i] = sum > 0 ? (c->in[0][i] > -0.3 ? exp(c->in[0][i]) / sum : 0) : 1.0 / n;
    }
}

static const op_row rows[] = {
    OP_ROW("relu", relu, IN(DISTINCT(9, 11))),
    OP_ROW("sigmoid", sigmoid, IN(NORMAL(3, 5)), .flags = OP_THIRD),
    OP_ROW("gelu", gelu, IN(NORMAL(3, 5)), .flags = OP_THIRD),
    OP_ROW("softmax", softmax, IN(NORMAL(3, 5)), .flags = OP_THIRD),
    OP_ROW("log_softmax", log_softmax, IN(NORMAL(3, 5)), .flags = OP_THIRD),
    OP_ROW("softmax of masked logits", masked, IN(DISTINCT(5, 4))),
    OP_ROW("one_hot", one_hot, IN(INDEX(4, 3, 5))),
    OP_ROW("dense", dense, IN(NORMAL(4, 3), NORMAL(2, 3), NORMAL(2)), .flags = OP_THIRD),
    OP_ROW("dense, rank 3", dense, IN(NORMAL(2, 3, 4), NORMAL(5, 4), NORMAL(5))),
    OP_ROW("dense, one example", dense, IN(NORMAL(4), NORMAL(3, 4), NORMAL(3))),
    OP_ROW("dense, no bias", dense, IN(NORMAL(4, 3), NORMAL(2, 3))),
    OP_ROW("conv2d, stride 2, padding 1", conv, IN(NORMAL(2, 2, 5, 5), NORMAL(3, 2, 3, 3)),
           .p = {2, 1}, .flags = OP_THIRD),
    OP_ROW("conv2d, 1x1", conv, IN(NORMAL(2, 3, 3, 2), NORMAL(2, 3, 1, 1)), .p = {1, 0},
           .flags = OP_THIRD),
    OP_ROW("conv2d, 2x3", conv, IN(NORMAL(2, 1, 4, 6), NORMAL(2, 1, 2, 3)), .p = {1, 0}),
    OP_ROW("conv2d, stride 3, padding 2", conv, IN(NORMAL(1, 2, 6, 7), NORMAL(2, 2, 3, 3)),
           .p = {3, 2}),
    OP_ROW("max_pool2d", max_pool, IN(DISTINCT(2, 2, 4, 4)), .p = {2, 2}, .flags = OP_THIRD),
    OP_ROW("max_pool2d, overlapping", max_pool, IN(DISTINCT(1, 2, 5, 5)), .p = {3, 2},
           .flags = OP_THIRD),
    OP_ROW("max_pool2d, every pixel", max_pool, IN(DISTINCT(2, 1, 5, 4)), .p = {2, 1},
           .flags = OP_THIRD),
    OP_ROW("max_pool2d, with gaps", max_pool, IN(DISTINCT(2, 1, 6, 5)), .p = {2, 3}),
    OP_ROW("max_pool2d, ties", max_pool, IN(WHOLE(2, 2, 6, 6)), .p = {2, 2}, .flags = OP_KINKED),
    OP_ROW("avg_pool2d", avg_pool, IN(NORMAL(2, 2, 4, 4)), .p = {2, 2}, .flags = OP_THIRD),
    OP_ROW("avg_pool2d, overlapping", avg_pool, IN(NORMAL(1, 2, 5, 5)), .p = {3, 2},
           .flags = OP_THIRD),
    OP_ROW("avg_pool2d, with gaps", avg_pool, IN(NORMAL(2, 1, 6, 5)), .p = {2, 3}),
    OP_ROW("normalise, images by channel", normalise, IN(NORMAL(3, 2, 2, 2)), .p = {1 | 4 | 8},
           .flags = OP_THIRD),
    OP_ROW("normalise, over the batch", normalise, IN(NORMAL(6, 3)), .p = {1}, .flags = OP_THIRD),
    OP_ROW("normalise, over features", normalise, IN(NORMAL(3, 5)), .p = {2}, .flags = OP_THIRD),
    OP_ROW_UNTOLD("dropout", dropout, IN(NORMAL(3, 5), KEY(4))),
    OP_ROW("cross_entropy", cross_entropy, IN(NORMAL(6, 5), INDEX(5, 6)), .flags = OP_THIRD),
    OP_ROW("soft_cross_entropy", soft_cross_entropy, IN(NORMAL(3, 4), POSITIVE(3, 4)),
           .flags = OP_THIRD),
    OP_ROW("binary_cross_entropy", binary_cross_entropy, IN(DISTINCT(3, 4), POSITIVE(3, 4)),
           .flags = OP_THIRD),
    OP_ROW("mse", mse, IN(NORMAL(3, 4), NORMAL(3, 4)), .flags = OP_THIRD),
    OP_ROW("half_square_norm", half_square_norm, IN(NORMAL(3, 4), NORMAL(5)), .flags = OP_THIRD),
};

static void functions_and_losses_keep_every_promise(void **state)
{
    (void)state;
    OP_ROWS_KEEP(rows);
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
    oracle *s = oracle_new(1);
    pdr_node x = oracle_input(s, PDR_F32, PDR_SHAPE(1), 0, 0), d1, d2;
    pdr_node t = pdr_fill(s->g, PDR_SHAPE(1), 0.3);
    pdr_node loss = pdr_sum_all(s->g, pdr_binary_cross_entropy(s->g, x, t));
    pdr_grad(s->g, loss, 1, &x, &d1);
    pdr_grad(s->g, pdr_sum_all(s->g, d1), 1, &x, &d2);
    assert_true(fabs(oracle_number(s, loss) - log(2)) < 1e-15);
    assert_true(fabs(oracle_number(s, d1) - (0.5 - 0.3)) < 1e-15);
    assert_true(fabs(oracle_number(s, d2) - 0.25) < 1e-15);
    oracle_free(s);
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

/* ---- dropout -----------------------------------------------------------------------------------
 */

static void dropout_keeps_the_mean_and_scales_what_stays(void **state)
{
    (void)state;
    enum { N = 100000 };
    oracle *s = oracle_new(1);
    pdr_node x = pdr_fill(s->g, PDR_SHAPE(N), 3);
    pdr_node key = oracle_input(s, PDR_I32, PDR_SHAPE(4), 0, 1 << 24);
    double *y = oracle_eval(s, pdr_dropout(s->g, x, key, 0, 0.3)), mean = 0, dropped = 0;
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == 0 || fabs(y[i] - 3 / 0.7) < 1e-12);
        mean += y[i] / N;
        dropped += y[i] == 0;
    }
    double deviation = 3 / 0.7 * sqrt(0.3 * 0.7 / N);
    assert_true(fabs(mean - 3) < 4 * deviation);
    assert_true(fabs(dropped / N - 0.3) < 4 * sqrt(0.3 * 0.7 / N));
    free(y);
    oracle_free(s);
}

static void dropout_is_a_function_of_key_and_stream(void **state)
{
    (void)state;
    enum { N = 256 };
    oracle *s = oracle_new(1);
    pdr_node x = pdr_fill(s->g, PDR_SHAPE(N), 1);
    pdr_node key = oracle_input(s, PDR_I32, PDR_SHAPE(4), 0, 1 << 24);
    pdr_node y0 = pdr_dropout(s->g, x, key, 0, 0.5), y1 = pdr_dropout(s->g, x, key, 2, 0.5);
    double *a = oracle_eval(s, y0), *again = oracle_eval(s, y0), *b = oracle_eval(s, y1);
    s->val[0][3] += 1;
    double *other = oracle_eval(s, y0);
    assert_memory_equal(a, again, N * sizeof *a);
    assert_memory_not_equal(a, b, N * sizeof *a);
    assert_memory_not_equal(a, other, N * sizeof *a);
    assert_int_equal(pdr_dropout(s->g, x, key, 0, 0).id, x.id); /* rate 0: nothing happens */
    free(a);
    free(again);
    free(b);
    free(other);
    oracle_free(s);
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
        cmocka_unit_test(functions_and_losses_keep_every_promise),
        cmocka_unit_test(losses_are_finite_at_extremes),
        cmocka_unit_test(binary_cross_entropy_is_smooth_at_zero),
        cmocka_unit_test(relu_has_no_slope_at_zero_and_keeps_nan),
        cmocka_unit_test(masked_outputs_have_no_probability_and_give_no_nan),
        cmocka_unit_test(dropout_keeps_the_mean_and_scales_what_stays),
        cmocka_unit_test(dropout_is_a_function_of_key_and_stream),
        cmocka_unit_test(what_does_not_fit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
