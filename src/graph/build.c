/* graph/build.c -- the vocabulary that models are written in.
 *
 * One function an operator, and the few sentences that everybody needs.
 * Broadcasting is explicit in the graph; it is inserted here. */
#include <math.h>
#include <perdure/rng.h>

#include "graph/graph.h"

/* ---- leaves ------------------------------------------------------------------------ */

pdr_node pdr_input(pdr_graph *g, pdr_type type, pdr_shape shape)
{
    if (type != PDR_F32 && type != PDR_I32) {
        char s[PDR_SHAPE_TEXT];
        return pdi_graph_fail(g, PDR_USAGE, "input: to %s: no such type",
                              pdr_shape_text(&shape, s));
    }
    pdr_node x = pdi_push(g, PDI_input, NULL, &(pdi_attr){.shape = shape});
    if (!pdi_is_null(x)) g->v[x.id].type = type;
    return x;
}

pdr_node pdr_fill(pdr_graph *g, pdr_shape shape, double value)
{
    return pdi_push(g, PDI_fill, NULL, &(pdi_attr){.shape = shape, .value = value});
}

pdr_node pdr_scalar(pdr_graph *g, double value) { return pdr_fill(g, PDR_SCALAR, value); }

pdr_node pdr_like(pdr_graph *g, pdr_node x, double value)
{
    return pdi_is_null(x) ? x : pdr_fill(g, pdr_node_shape(g, x), value);
}

pdr_node pdr_iota(pdr_graph *g, pdr_shape shape, int axis)
{
    return pdi_push(g, PDI_iota, NULL, &(pdi_attr){.shape = shape, .axis = axis});
}

pdr_node pdr_rand(pdr_graph *g, pdr_node key, uint32_t stream, pdr_shape shape)
{
    pdr_shape ks = pdr_node_shape(g, key);
    pdi_attr at = {.shape = shape, .batch = ks.rank - 1, .stream = stream};
    for (int k = ks.rank - 1; k-- > 0;) at.shape = pdi_shape_lead(&at.shape, ks.dim[k]);
    return pdi_push(g, PDI_rand, &key, &at);
}

pdr_node pdr_randn(pdr_graph *g, pdr_node key, uint32_t stream, pdr_shape shape)
{
    /* Box & Muller 1958: sqrt(-2 ln u) cos(2 pi v); 1 - u is in (0, 1]. */
    pdr_node u = pdr_rand(g, key, stream, shape), v = pdr_rand(g, key, stream + 1, shape);
    pdr_node r = pdr_sqrt(g, pdr_scale(g, -2, pdr_log(g, pdr_shift(g, 1, pdr_neg(g, u)))));
    return pdr_mul(g, r, pdr_cos(g, pdr_scale(g, 2 * 3.14159265358979323846, v)));
}

/* ---- maps --------------------------------------------------------------------------- */

#define BUILD_UNARY(name)                                                                          \
    pdr_node pdr_##name(pdr_graph *g, pdr_node x) { return pdi_push(g, PDI_##name, &x, NULL); }

BUILD_UNARY(neg)
BUILD_UNARY(exp)
BUILD_UNARY(log)
BUILD_UNARY(sqrt)
BUILD_UNARY(tanh)
BUILD_UNARY(erf)
BUILD_UNARY(sin)
BUILD_UNARY(cos)
BUILD_UNARY(stop)
BUILD_UNARY(cast)

/* The shape that n operands share once aligned at their last axis. */
static pdr_shape build_join(const pdr_graph *g, int n, const pdr_node x[])
{
    pdr_shape s = {0};
    for (int i = 0; i < n; i++)
        if (pdi_shape_at(g, x[i])->rank > s.rank) s.rank = pdi_shape_at(g, x[i])->rank;
    for (int i = 0; i < n; i++) {
        const pdr_shape *xs = pdi_shape_at(g, x[i]);
        for (int k = 0; k < xs->rank; k++) {
            int32_t *d = &s.dim[k + s.rank - xs->rank];
            if (xs->dim[k] > *d) *d = xs->dim[k];
        }
    }
    return s;
}

/* x repeated along the axes of s that it lacks or has at length 1. */
static pdr_node build_fit(pdr_graph *g, pdr_node x, pdr_shape s)
{
    pdr_shape xs = pdr_node_shape(g, x), kept = {0};
    uint32_t axes = 0;
    for (int k = 0; k < s.rank; k++) {
        int j = k - (s.rank - xs.rank);
        if (j < 0 || (xs.dim[j] == 1 && s.dim[k] != 1))
            axes |= 1u << k;
        else
            kept.dim[kept.rank++] = xs.dim[j];
    }
    return pdr_broadcast(g, pdr_reshape(g, x, kept), s, axes);
}

static bool build_fits(const pdr_graph *g, pdr_node x, pdr_shape s)
{
    const pdr_shape *xs = pdi_shape_at(g, x);
    for (int k = 0; k < xs->rank; k++)
        if (xs->dim[k] != 1 && xs->dim[k] != s.dim[k + s.rank - xs->rank]) return false;
    return true;
}

static pdr_node build_map(pdr_graph *g, pdi_opcode op, int n, const pdr_node x[])
{
    pdr_shape s = build_join(g, n, x);
    pdr_node fit[PDI_MAX_IN] = {{0}};
    for (int i = 0; i < n; i++) {
        if (pdi_is_null(x[i])) return x[i];
        if (!build_fits(g, x[i], s)) return pdi_push(g, op, x, NULL); /* which says why not */
        fit[i] = build_fit(g, x[i], s);
    }
    return pdi_push(g, op, fit, NULL);
}

#define BUILD_BINARY(name)                                                                         \
    pdr_node pdr_##name(pdr_graph *g, pdr_node x, pdr_node y)                                      \
    {                                                                                              \
        return build_map(g, PDI_##name, 2, (pdr_node[]){x, y});                                    \
    }

BUILD_BINARY(add)
BUILD_BINARY(sub)
BUILD_BINARY(div)
BUILD_BINARY(lt)
BUILD_BINARY(eq)

/* The square of an outer product is the outer product of squares: what makes
 * squared gradients of single examples (a Fisher) cost a product and no more. */
static bool build_is_outer(const pdr_graph *g, pdr_node x)
{
    const pdi_node *nd = pdi_node_at(g, x);
    const pdr_shape *s = pdi_shape_at(g, nd->in[0]);
    return nd->op == PDI_dot && s->dim[s->rank - 1] == 1;
}

pdr_node pdr_mul(pdr_graph *g, pdr_node x, pdr_node y)
{
    if (x.id != y.id || !build_is_outer(g, x)) return build_map(g, PDI_mul, 2, (pdr_node[]){x, y});
    pdr_node a = g->v[x.id].in[0], b = g->v[x.id].in[1];
    a = pdr_square(g, a);
    b = pdr_square(g, b);
    return pdr_dot(g, a, b);
}

pdr_node pdr_where(pdr_graph *g, pdr_node c, pdr_node yes, pdr_node no)
{
    return build_map(g, PDI_where, 3, (pdr_node[]){c, yes, no});
}

pdr_node pdr_scale(pdr_graph *g, double factor, pdr_node x)
{
    return pdr_mul(g, pdr_scalar(g, factor), x);
}

pdr_node pdr_shift(pdr_graph *g, double offset, pdr_node x)
{
    return pdr_add(g, pdr_scalar(g, offset), x);
}

pdr_node pdr_square(pdr_graph *g, pdr_node x) { return pdr_mul(g, x, x); }

pdr_node pdr_minimum(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdr_where(g, pdr_lt(g, x, y), x, y);
}

pdr_node pdr_maximum(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdr_where(g, pdr_lt(g, y, x), x, y);
}

/* ---- structure ------------------------------------------------------------------------ */

/* A reshape of a reshape is one. */
pdr_node pdr_reshape(pdr_graph *g, pdr_node x, pdr_shape shape)
{
    const pdi_node *nd = pdi_node_at(g, x);
    if (nd->op == PDI_reshape && pdr_shape_size(&nd->shape) == pdr_shape_size(&shape))
        x = nd->in[0];
    if (!pdi_is_null(x) && pdr_shape_equal(pdi_shape_at(g, x), &shape)) return x;
    return pdi_push(g, PDI_reshape, &x, &(pdi_attr){.shape = shape});
}

/* Does perm, over n axes, exchange the last two and nothing else? */
static bool build_swaps_last(const int32_t perm[], int n)
{
    bool swaps = n >= 2 && perm[n - 2] == n - 1 && perm[n - 1] == n - 2;
    for (int k = 0; k < n - 2; k++) swaps = swaps && perm[k] == k;
    return swaps;
}

/* A permutation of a permutation is one; of none it is x itself; and a product
 * transposed is the product of the operands the other way round, bit for bit. */
pdr_node pdr_permute(pdr_graph *g, pdr_node x, const int32_t perm[])
{
    pdi_attr at = {0};
    const pdi_node nd = *pdi_node_at(g, x);
    int rank = nd.shape.rank;
    bool moves = false, valid = true;
    for (int k = 0; k < PDR_MAX_RANK; k++) {
        at.perm.at[k] = k < rank ? perm[k] : k;
        moves = moves || at.perm.at[k] != k;
        valid = valid && at.perm.at[k] >= 0 && at.perm.at[k] < PDR_MAX_RANK;
    }
    if (!pdi_is_null(x) && !moves) return x;
    if (valid && nd.op == PDI_permute) {
        int32_t both[PDR_MAX_RANK];
        pdr_node y = pdi_push(g, PDI_permute, &x, &at); /* which refuses what is none */
        if (pdi_is_null(y)) return y;
        for (int k = 0; k < PDR_MAX_RANK; k++) both[k] = nd.attr.perm.at[at.perm.at[k]];
        return pdr_permute(g, nd.in[0], both);
    }
    if (nd.op == PDI_dot && build_swaps_last(perm, rank)) return pdr_dot(g, nd.in[1], nd.in[0]);
    return pdi_push(g, PDI_permute, &x, &at);
}

pdr_node pdr_swap_last(pdr_graph *g, pdr_node x)
{
    int32_t perm[PDR_MAX_RANK];
    int n = pdi_shape_at(g, x)->rank;
    if (pdi_is_null(x)) return x;
    if (n < 2) {
        char s[PDR_SHAPE_TEXT];
        return pdi_graph_fail(g, PDR_USAGE, "swap_last: %s: needs two axes",
                              pdr_shape_text(pdi_shape_at(g, x), s));
    }
    for (int k = 0; k < PDR_MAX_RANK; k++) perm[k] = k == n - 1 ? n - 2 : k == n - 2 ? n - 1 : k;
    return pdr_permute(g, x, perm);
}

pdr_node pdr_flip(pdr_graph *g, pdr_node x, int axis)
{
    return pdi_push(g, PDI_flip, &x, &(pdi_attr){.axis = axis});
}

pdr_node pdr_broadcast(pdr_graph *g, pdr_node x, pdr_shape shape, uint32_t axes)
{
    if (!axes && pdr_shape_equal(pdi_shape_at(g, x), &shape)) return x;
    return pdi_push(g, PDI_broadcast, &x, &(pdi_attr){.shape = shape, .axes = axes});
}

/* [kept..., summed..., rows, k] as [kept..., rows, summed * k]. */
static pdr_node build_lengthen(pdr_graph *g, pdr_node x, uint32_t summed)
{
    pdr_shape s = pdr_node_shape(g, x), to = {0};
    int32_t perm[PDR_MAX_RANK], n = 0, inner = s.dim[s.rank - 1];
    for (int k = 0; k < s.rank - 1; k++)
        if (!(summed >> k & 1)) {
            to.dim[to.rank++] = s.dim[k];
            perm[n++] = k;
        }
    for (int k = 0; k < s.rank - 1; k++)
        if (summed >> k & 1) {
            inner *= s.dim[k];
            perm[n++] = k;
        }
    perm[n] = s.rank - 1;
    to.dim[to.rank++] = inner;
    return pdr_reshape(g, pdr_permute(g, x, perm), to);
}

/* Does x repeat along one of the axes? */
static bool build_repeats(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdi_node *nd = pdi_node_at(g, x);
    if (nd->op == PDI_permute) nd = pdi_node_at(g, nd->in[0]);
    return nd->op == PDI_broadcast && nd->attr.axes & axes;
}

/* Is the inner axis, lengthened by the axes, still an axis? */
static bool build_may_lengthen(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdr_shape *s = pdi_shape_at(g, x);
    double inner = s->dim[s->rank - 1];
    for (int k = 0; k < s->rank; k++)
        if (axes >> k & 1) inner *= s->dim[k];
    return inner <= INT32_MAX;
}

/* A sum of products over batch axes is one product with a longer inner axis:
 * the gradient of weights that a whole batch shares. */
static bool build_sums_products(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdi_node *nd = pdi_node_at(g, x);
    return nd->op == PDI_dot && !(axes >> (nd->shape.rank - 2)) &&
           build_may_lengthen(g, nd->in[0], axes) && !build_repeats(g, nd->in[0], axes) &&
           !build_repeats(g, nd->in[1], axes);
}

/* The axes of the set that are longer than 1. */
static uint32_t build_long_axes(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdr_shape *s = pdi_shape_at(g, x);
    for (int k = 0; k < s->rank; k++)
        if (s->dim[k] == 1) axes &= ~(1u << k);
    return axes;
}

/* x without the axes of the set, which are all of length 1. */
static pdr_node build_drop(pdr_graph *g, pdr_node x, uint32_t axes)
{
    pdr_shape s = pdr_node_shape(g, x), to = {0};
    for (int k = 0; k < s.rank; k++)
        if (!(axes >> k & 1)) to.dim[to.rank++] = s.dim[k];
    return pdr_reshape(g, x, to);
}

/* The axes, of what x is the sum of, that go away when axes of x do too. */
static uint32_t build_joint_axes(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdi_node *nd = pdi_node_at(g, x);
    uint32_t joint = nd->attr.axes;
    for (int k = 0, j = 0; k < pdi_shape_at(g, nd->in[0])->rank; k++)
        if (!(nd->attr.axes >> k & 1)) joint |= (axes >> j++ & 1) << k;
    return joint;
}

pdr_node pdr_sum(pdr_graph *g, pdr_node x, uint32_t axes)
{
    if (!axes) return x;
    if (pdi_node_at(g, x)->op == PDI_sum && !(axes >> pdi_shape_at(g, x)->rank))
        return pdr_sum(g, pdi_node_at(g, x)->in[0], build_joint_axes(g, x, axes));
    if (!pdi_is_null(x) && !build_long_axes(g, x, axes) && !(axes >> pdi_shape_at(g, x)->rank))
        return build_drop(g, x, axes);
    if (!build_sums_products(g, x, axes))
        return pdi_push(g, PDI_sum, &x, &(pdi_attr){.axes = axes});
    pdr_node a = g->v[x.id].in[0], b = g->v[x.id].in[1];
    a = build_lengthen(g, a, axes); /* one after the other: C leaves the order of arguments open, */
    b = build_lengthen(g, b, axes); /* and nodes are numbered as they are pushed */
    return pdr_dot(g, a, b);
}

static uint32_t build_all_axes(const pdr_graph *g, pdr_node x)
{
    return (1u << pdi_shape_at(g, x)->rank) - 1;
}

pdr_node pdr_sum_all(pdr_graph *g, pdr_node x) { return pdr_sum(g, x, build_all_axes(g, x)); }

static double build_count(const pdr_graph *g, pdr_node x, uint32_t axes)
{
    const pdr_shape *s = pdi_shape_at(g, x);
    double n = 1;
    for (int k = 0; k < s->rank; k++)
        if (axes >> k & 1) n *= s->dim[k];
    return n;
}

pdr_node pdr_mean(pdr_graph *g, pdr_node x, uint32_t axes)
{
    return pdr_scale(g, 1 / build_count(g, x, axes), pdr_sum(g, x, axes));
}

pdr_node pdr_mean_all(pdr_graph *g, pdr_node x) { return pdr_mean(g, x, build_all_axes(g, x)); }

/* y, which is x with axes taken away, with those axes back at length 1. */
static pdr_node build_keep(pdr_graph *g, pdr_node x, pdr_node y, uint32_t axes)
{
    pdr_shape s = pdr_node_shape(g, x);
    for (int k = 0; k < s.rank; k++)
        if (axes >> k & 1) s.dim[k] = 1;
    return pdr_reshape(g, y, s);
}

pdr_node pdr_sum_keep(pdr_graph *g, pdr_node x, uint32_t axes)
{
    return build_keep(g, x, pdr_sum(g, x, axes), axes);
}

pdr_node pdr_mean_keep(pdr_graph *g, pdr_node x, uint32_t axes)
{
    return build_keep(g, x, pdr_mean(g, x, axes), axes);
}

static bool build_axis_ok(const pdr_graph *g, pdr_node x, int axis)
{
    return !pdi_is_null(x) && axis >= 0 && axis < pdi_shape_at(g, x)->rank;
}

pdr_node pdr_slice(pdr_graph *g, pdr_node x, int axis, int32_t lo, int32_t count, int32_t step)
{
    return pdi_push(g, PDI_slice, &x,
                    &(pdi_attr){.axis = axis, .lo = lo, .count = count, .step = step});
}

pdr_node pdr_pad(pdr_graph *g, pdr_node x, int axis, int32_t lo, int32_t full, int32_t step)
{
    pdi_attr at = {.shape = pdr_node_shape(g, x), .axis = axis, .lo = lo, .step = step};
    if (build_axis_ok(g, x, axis)) {
        at.count = at.shape.dim[axis];
        at.shape.dim[axis] = full;
    }
    return pdi_push(g, PDI_pad, &x, &at);
}

/* Windows that lie side by side and cover the axis only split it. */
static bool build_window_splits(const pdr_graph *g, pdr_node x, int axis, int32_t taps,
                                int32_t step, int32_t dilation)
{
    return build_axis_ok(g, x, axis) && taps > 0 && taps == step && dilation == 1 &&
           pdi_shape_at(g, x)->rank < PDR_MAX_RANK && pdi_shape_at(g, x)->dim[axis] % taps == 0;
}

pdr_node pdr_window(pdr_graph *g, pdr_node x, int axis, int32_t taps, int32_t step,
                    int32_t dilation)
{
    if (build_window_splits(g, x, axis, taps, step, dilation)) {
        pdr_shape s = pdr_node_shape(g, x), to = {.rank = s.rank + 1};
        for (int k = 0; k < to.rank; k++) to.dim[k] = s.dim[k <= axis ? k : k - 1];
        to.dim[axis] /= taps;
        to.dim[axis + 1] = taps;
        return pdr_reshape(g, x, to);
    }
    return pdi_push(g, PDI_window, &x,
                    &(pdi_attr){.axis = axis, .taps = taps, .step = step, .dilation = dilation});
}

pdr_node pdr_unwindow(pdr_graph *g, pdr_node x, int axis, int32_t full, int32_t step,
                      int32_t dilation)
{
    pdr_shape s = pdr_node_shape(g, x), out = {.rank = s.rank - 1};
    pdi_attr at = {.axis = axis, .step = step, .dilation = dilation};
    if (build_axis_ok(g, x, axis) && axis + 1 < s.rank) {
        at.taps = s.dim[axis + 1];
        for (int k = 0; k < out.rank; k++) out.dim[k] = s.dim[k <= axis ? k : k + 1];
        out.dim[axis] = full;
        at.shape = out;
    }
    return pdi_push(g, PDI_unwindow, &x, &at);
}

/* NULL, or why x and y cannot be joined along the axis. */
static const char *build_joins(const pdr_graph *g, pdr_node x, pdr_node y, int axis)
{
    pdr_shape a = pdr_node_shape(g, x), b = pdr_node_shape(g, y);
    if (!build_axis_ok(g, x, axis)) return "no such axis";
    if (b.rank == a.rank && b.dim[axis] > INT32_MAX - a.dim[axis]) return "the result is too large";
    b.dim[axis] = a.dim[axis];
    return pdr_shape_equal(&a, &b) ? NULL : "the other axes differ";
}

pdr_node pdr_concat(pdr_graph *g, pdr_node x, pdr_node y, int axis)
{
    if (pdi_is_null(x) || pdi_is_null(y)) return (pdr_node){0};
    const char *why = build_joins(g, x, y, axis);
    if (why) {
        char a[PDR_SHAPE_TEXT], b[PDR_SHAPE_TEXT];
        return pdi_graph_fail(g, PDR_USAGE, "concat: %s and %s axis=%d: %s",
                              pdr_shape_text(pdi_shape_at(g, x), a),
                              pdr_shape_text(pdi_shape_at(g, y), b), axis, why);
    }
    int32_t nx = pdi_shape_at(g, x)->dim[axis], ny = pdi_shape_at(g, y)->dim[axis];
    x = pdr_pad(g, x, axis, 0, nx + ny, 1);
    y = pdr_pad(g, y, axis, nx, nx + ny, 1);
    return pdr_add(g, x, y);
}

/* ---- indexing, selection, contraction --------------------------------------------------- */

pdr_node pdr_gather(pdr_graph *g, pdr_node table, pdr_node index)
{
    pdi_attr at = {.batch = pdi_shape_at(g, index)->rank - 1};
    return pdi_push(g, PDI_gather, (pdr_node[]){table, index}, &at);
}

pdr_node pdr_scatter(pdr_graph *g, pdr_node rows, pdr_node index, int32_t n)
{
    pdi_attr at = {.shape = pdr_node_shape(g, rows), .batch = pdi_shape_at(g, index)->rank - 1};
    if (build_axis_ok(g, rows, at.batch)) at.shape.dim[at.batch] = n;
    return pdi_push(g, PDI_scatter, (pdr_node[]){rows, index}, &at);
}

pdr_node pdr_max(pdr_graph *g, pdr_node x, int axis)
{
    return pdi_push(g, PDI_max, &x, &(pdi_attr){.axis = axis});
}

pdr_node pdr_max_keep(pdr_graph *g, pdr_node x, int axis)
{
    return build_keep(g, x, pdr_max(g, x, axis), 1u << (axis & 31));
}

pdr_node pdr_argmax(pdr_graph *g, pdr_node x, int axis)
{
    return pdi_push(g, PDI_argmax, &x, &(pdi_attr){.axis = axis});
}

pdr_node pdr_dot(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdi_push(g, PDI_dot, (pdr_node[]){x, y}, NULL);
}
