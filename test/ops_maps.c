/* ops_maps.c -- rows for leaves and scalar maps, and for loops fused from them.
 *
 * A strip is 512 elements and a loop takes 64 maps: sizes stand on both sides. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "ops_rows.h"

#define MAKE1(name)                                                                                \
    static pdr_node make_##name(pdr_graph *g, const op_row *row, const pdr_node x[])               \
    {                                                                                              \
        (void)row;                                                                                 \
        return pdr_##name(g, x[0]);                                                                \
    }
#define MAKE2(name)                                                                                \
    static pdr_node make_##name(pdr_graph *g, const op_row *row, const pdr_node x[])               \
    {                                                                                              \
        (void)row;                                                                                 \
        return pdr_##name(g, x[0], x[1]);                                                          \
    }

/* Other formulas than the evaluator's where there is one. */
#define WANT(name, formula)                                                                        \
    static void want_##name(const op_case *c)                                                      \
    {                                                                                              \
        for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {                           \
            double x = op_aligned(c, 0, i), y = c->in[1] ? op_aligned(c, 1, i) : 0;                \
            (void)y;                                                                               \
            c->out[i] = formula;                                                                   \
        }                                                                                          \
    }

/* clang-format off */
MAKE1(neg)  WANT(neg, 0 - x)
MAKE1(exp)  WANT(exp, exp2(x * 1.44269504088896340736))
MAKE1(log)  WANT(log, log2(x) * 0.69314718055994530942)
MAKE1(sqrt) WANT(sqrt, pow(x, 0.5))
MAKE1(tanh) WANT(tanh, 1 - 2 / (exp(2 * x) + 1))
MAKE1(erf)  WANT(erf, 1 - erfc(x))
MAKE1(sin)  WANT(sin, 2 * sin(x / 2) * cos(x / 2))
MAKE1(cos)  WANT(cos, 1 - 2 * sin(x / 2) * sin(x / 2))
MAKE1(stop) WANT(stop, x)
MAKE1(cast) WANT(cast, x)
MAKE2(add)  WANT(add, y + x)
MAKE2(sub)  WANT(sub, -(y - x))
MAKE2(mul)  WANT(mul, y * x)
MAKE2(div)  WANT(div, x * (1 / y))
MAKE2(lt)   WANT(lt, y > x ? 1 : 0)
MAKE2(eq)   WANT(eq, x < y || x > y ? 0 : 1)
    /* clang-format on */

    static pdr_node make_where(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_where(g, x[0], x[1], x[2]);
}

static void want_where(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++)
        c->out[i] = op_aligned(c, op_aligned(c, 0, i) == 0 ? 2 : 1, i);
}

static pdr_node make_minmax(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return row->p[0] ? pdr_maximum(g, x[0], x[1]) : pdr_minimum(g, x[0], x[1]);
}

static void want_minmax(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        double x = op_aligned(c, 0, i), y = op_aligned(c, 1, i);
        c->out[i] = c->row->p[0] ? fmax(x, y) : fmin(x, y);
    }
}

/* ---- what loops read ------------------------------------------------------------------- */

/* x^T + every second column, backwards: strided loads. */
static pdr_node make_loads(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_shape s = pdr_node_shape(g, x[1]);
    pdr_node half = pdr_slice(g, pdr_flip(g, x[1], 1), 1, 1, s.dim[1] / 2, 2);
    return pdr_add(g, pdr_mul(g, pdr_swap_last(g, x[0]), half), half);
}

static void want_loads(const op_case *c)
{
    int64_t rows = c->shape.dim[0], cols = c->shape.dim[1], wide = c->in_shape[1].dim[1];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            double half = c->in[1][i * wide + wide - 1 - (1 + 2 * j)];
            c->out[i * cols + j] = c->in[0][j * rows + i] * half + half;
        }
}

/* c = sin x; t <- c + c t / 2, p[0] times: two maps a time, more than a loop takes. */
static pdr_node make_chain(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node c = pdr_sin(g, x[0]), half = pdr_scale(g, 0.5, c), t = c;
    for (int32_t k = 0; k < row->p[0]; k++) t = pdr_add(g, c, pdr_mul(g, half, t));
    return t;
}

/* The sum of a geometric series. */
static void want_chain(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        double s = sin(c->in[0][i]);
        c->out[i] = s * (1 - pow(s / 2, c->row->p[0] + 1)) / (1 - s / 2);
    }
}

/* Everything used twice, so that many temporaries are alive together. */
static pdr_node make_wide(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node part[16], sum = pdr_like(g, x[0], 0);
    for (int k = 0; k < row->p[0]; k++) part[k] = pdr_sin(g, pdr_scale(g, 1 + 0.25 * k, x[0]));
    for (int k = 0; k < row->p[0]; k++)
        sum = pdr_add(g, sum, pdr_mul(g, part[k], part[row->p[0] - 1 - k]));
    return sum;
}

static void want_wide(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        c->out[i] = 0;
        for (int k = 0, m = c->row->p[0]; k < m; k++)
            c->out[i] += sin((1 + 0.25 * k) * c->in[0][i]) *
                         sin((0.75 + 0.25 * (m - k)) * c->in[0][i]);
    }
}

static pdr_node make_half_sum(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_shift(g, 0.5, pdr_scale(g, 0.5, x[0]));
}

WANT(half_sum, (x + 1) / 2)

static pdr_node make_square(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_square(g, x[0]);
}

WANT(square, x *x)

/* ---- leaves ---------------------------------------------------------------------------------- */

static pdr_node make_input(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)g, (void)row;
    return x[0];
}

static pdr_node make_fill(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)x;
    return pdr_fill(g, row->to, 0.1 * row->p[0]);
}

static void want_fill(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) c->out[i] = c->row->p[0] / 10.0;
}

static pdr_node make_iota(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)x;
    return pdr_iota(g, row->to, row->p[0]);
}

static void want_iota(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        int32_t at[PDR_MAX_RANK];
        op_place(&c->shape, i, at);
        c->out[i] = at[c->row->p[0]];
    }
}

static pdr_node make_rand(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_rand(g, x[0], (uint32_t)row->p[0], row->to);
}

/* Key after key, block after block. */
static void want_rand(const op_case *c)
{
    int64_t each = pdr_shape_size(&c->row->to), n = pdr_shape_size(&c->shape);
    for (int64_t from = 0; from < n; from += each) {
        const double *key = c->in[0] + from / each * 4;
        uint32_t k[2] = {(uint32_t)(int64_t)key[0], (uint32_t)(int64_t)key[1]}, word[4];
        for (int64_t i = 0; i < each; i++) {
            uint32_t counter[4] = {(uint32_t)i >> 2, (uint32_t)c->row->p[0],
                                   (uint32_t)(int64_t)key[2], (uint32_t)(int64_t)key[3]};
            pdi_philox(k, counter, word);
            c->out[from + i] = ldexp(floor(word[i & 3] / 256.0), -24);
        }
    }
}

static pdr_node make_randn(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_randn(g, x[0], (uint32_t)row->p[0], row->to);
}

const op_row ops_leaf_rows[] = {
    OP_ROW_UNTOLD("input", input, IN(NORMAL(5, 7))),
    OP_ROW_UNTOLD("input of rank 0", input, IN(SCALAR(NORMAL))),
    OP_ROW_UNTOLD("input of integers", input, IN(INDEX(9, 40))),
    OP_ROW("fill", fill, .to = OP_SHAPE(3, 5), .p = {7}),
    OP_ROW("fill of rank 0", fill, .to = OP_SCALAR, .p = {-3}),
    OP_ROW("iota, first axis", iota, .to = OP_SHAPE(513, 3), .p = {0}),
    OP_ROW("iota, middle axis", iota, .to = OP_SHAPE(2, 7, 3), .p = {1}),
    OP_ROW("iota, last axis", iota, .to = OP_SHAPE(2, 1, 600), .p = {2}),
    OP_ROW("rand, one key", rand, IN(KEY(4)), .to = OP_SHAPE(5, 7), .p = {3}),
    OP_ROW("rand, one draw", rand, IN(KEY(4)), .to = OP_SCALAR, .p = {-1}),
    OP_ROW("rand, tails of blocks", rand, IN(KEY(3, 4)), .to = OP_SHAPE(4099), .p = {0}),
    OP_ROW("rand, keys on two axes", rand, IN(KEY(2, 3, 4)), .to = OP_SHAPE(1, 3), .p = {9}),
    OP_ROW_UNTOLD("randn", randn, IN(KEY(2, 4)), .to = OP_SHAPE(33), .p = {5}),
};
const size_t ops_leaf_count = COUNT(ops_leaf_rows);

const op_row ops_map_rows[] = {
    OP_ROW("neg", neg, IN(NORMAL(513))),
    OP_ROW("exp", exp, IN(NORMAL(2, 257))),
    OP_ROW("exp of rank 0", exp, IN(SCALAR(NORMAL))),
    OP_ROW("log", log, IN(POSITIVE(33, 16))),
    OP_ROW("log of rank 0", log, IN(SCALAR(POSITIVE))),
    OP_ROW("sqrt", sqrt, IN(POSITIVE(64))),
    OP_ROW("tanh", tanh, IN(NORMAL(1025)), .flags = OP_THIRD),
    OP_ROW("erf", erf, IN(NORMAL(512)), .flags = OP_THIRD),
    OP_ROW("sin", sin, IN(NORMAL(2, 3, 5, 7)), .flags = OP_THIRD),
    OP_ROW("cos", cos, IN(NORMAL(1)), .flags = OP_THIRD),
    OP_ROW("cast", cast, IN(INDEX(100, 17))),
    OP_ROW("cast of any integer", cast, IN(KEY(2, 3))),
    OP_ROW("add", add, IN(NORMAL(4096), NORMAL(4096))),
    OP_ROW("add of a column and a row", add, IN(NORMAL(7, 1), NORMAL(1, 33))),
    OP_ROW("sub from a scalar", sub, IN(SCALAR(NORMAL), NORMAL(2, 3))),
    OP_ROW("sub of ones", sub, IN(NORMAL(1), NORMAL(1, 1, 1))),
    OP_ROW("mul over seven axes", mul, IN(NORMAL(2, 1, 3, 1, 2, 1, 2), NORMAL(3, 4, 1, 5, 1))),
    OP_ROW("mul of few by many", mul, IN(NORMAL(16), NORMAL(65, 16))),
    OP_ROW("mul by a row that fills strips evenly", mul, IN(NORMAL(40, 64), NORMAL(64))),
    OP_ROW("mul by a row that does not", mul, IN(NORMAL(3, 37, 40), NORMAL(3, 1, 40))),
    OP_ROW("mul by numbers of rows", mul, IN(NORMAL(3, 1100), NORMAL(3, 1))),
    OP_ROW("where, three periods", where, IN(DISTINCT(7, 1, 5), NORMAL(5), NORMAL(90, 7, 1, 1)),
           .flags = OP_KINKED),
    OP_ROW("div", div, IN(NORMAL(7, 1, 5), POSITIVE(3, 1))),
    OP_ROW("div of a strip by one", div, IN(NORMAL(600), POSITIVE(1))),
    OP_ROW("lt", lt, IN(DISTINCT(5, 9), SCALAR(DISTINCT))),
    OP_ROW("lt with ties", lt, IN(WHOLE(512), WHOLE(512)), .flags = OP_KINKED),
    OP_ROW("eq", eq, IN(DISTINCT(16), NORMAL(16))),
    OP_ROW("eq with ties", eq, IN(WHOLE(3, 1), WHOLE(64)), .flags = OP_KINKED),
    OP_ROW("where", where, IN(DISTINCT(16, 2), NORMAL(2), NORMAL(16, 2))),
    OP_ROW("where c is 0 or less", where, IN(WHOLE(513), NORMAL(513), NORMAL(1)),
           .flags = OP_KINKED),
    OP_ROW("where, all scalars", where, IN(SCALAR(POSITIVE), SCALAR(NORMAL), SCALAR(NORMAL))),
    OP_ROW("maximum", minmax, IN(DISTINCT(64), DISTINCT(1)), .p = {1}),
    OP_ROW("minimum", minmax, IN(DISTINCT(64), DISTINCT(1)), .p = {0}),
    OP_ROW("maximum with ties", minmax, IN(WHOLE(40), WHOLE(40)), .p = {1}, .flags = OP_KINKED),
    OP_ROW("loads", loads, IN(NORMAL(9, 60), NORMAL(60, 18))),
    OP_ROW("loads across strips", loads, IN(NORMAL(45, 31), NORMAL(31, 91))),
    OP_ROW("a loop of 64 maps", chain, IN(NORMAL(40)), .p = {31}, .flags = OP_LARGE),
    OP_ROW("a chain for three loops", chain, IN(NORMAL(520)), .p = {80}, .flags = OP_LARGE),
    OP_ROW("many temporaries", wide, IN(NORMAL(1024)), .p = {16}, .flags = OP_LARGE),
    OP_ROW("few temporaries", wide, IN(NORMAL(3)), .p = {5}, .flags = OP_THIRD),
    OP_ROW("scale and shift", half_sum, IN(NORMAL(12))),
    OP_ROW("square", square, IN(NORMAL(12)), .flags = OP_THIRD),
};
const size_t ops_map_count = COUNT(ops_map_rows);

/* stop has no gradient on purpose, which no difference can confirm. */
const op_row ops_stop_rows[] = {
    OP_ROW("stop", stop, IN(NORMAL(600)), .flags = OP_KINKED),
    OP_ROW("stop of rank 0", stop, IN(SCALAR(NORMAL)), .flags = OP_KINKED),
};
const size_t ops_stop_count = COUNT(ops_stop_rows);
