/* any_graph.c -- random graphs over all operators, with values for their inputs. */
#include "any_graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

enum { ANY_SIZE = 4000 }; /* elements of a node at most, before batching */

static int32_t any_int(any_graph *a, int32_t lo, int32_t hi)
{
    return lo + (int32_t)pdr_rng_below(&a->rng, (uint32_t)(hi - lo + 1));
}

static bool any_chance(any_graph *a, int32_t in) { return any_int(a, 1, in) == 1; }

static const pdr_shape *any_shape(const any_graph *a, pdr_node x) { return pdi_shape_at(a->g, x); }

static int64_t any_size(const any_graph *a, pdr_node x) { return pdr_shape_size(any_shape(a, x)); }

/* ---- inputs ------------------------------------------------------------------------- */

static void any_input(any_graph *a, pdr_type type, pdr_shape s, int32_t below)
{
    pdr_node x = pdr_input(a->g, type, s);
    int64_t n = pdr_shape_size(&s);
    double *v = malloc(sizeof *v * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        v[i] = type == PDR_F32 ? (double)pdr_rng_normal(&a->rng)
               : below         ? any_int(a, -1, below)
                               : (double)(int32_t)pdr_rng_u32(&a->rng);
    a->in[a->n_in] = x;
    a->value[a->n_in++] = v;
    if (type == PDR_F32)
        a->real[a->reals++] = x;
    else
        a->whole[a->wholes++] = x;
}

static pdr_shape any_axes(any_graph *a, int rank)
{
    static const int32_t lengths[] = {1, 1, 2, 3, 4, 5, 6, 8, 17, 33};
    pdr_shape s = {0};
    while (s.rank < rank) {
        s.dim[s.rank++] = lengths[any_int(a, 0, 9)];
        if (pdr_shape_size(&s) > ANY_SIZE / 8) s.dim[s.rank - 1] = 1;
    }
    return s;
}

static void any_inputs(any_graph *a)
{
    int n = any_int(a, 1, 4);
    for (int i = 0; i < n; i++) any_input(a, PDR_F32, any_axes(a, any_int(a, 0, 4)), 0);
    any_input(a, PDR_I32, PDR_SHAPE(any_int(a, 1, 9)), 6);
    any_input(a, PDR_I32, PDR_SHAPE(2, any_int(a, 1, 5)), 4);
    any_input(a, PDR_I32, any_chance(a, 2) ? PDR_SHAPE(4) : PDR_SHAPE(3, 4), 0);
}

/* ---- one more node ----------------------------------------------------------------------- */

static pdr_node any_real(any_graph *a)
{
    size_t recent = a->reals > 6 && any_chance(a, 2) ? a->reals - 6 : 0;
    return a->real[any_int(a, (int32_t)recent, (int32_t)a->reals - 1)];
}

/* Something that goes well with x in a map: of its shape, or broadcast. */
static pdr_node any_partner(any_graph *a, pdr_node x)
{
    for (int tries = 0; tries < 6; tries++) {
        pdr_node y = any_real(a);
        if (pdr_shape_equal(any_shape(a, x), any_shape(a, y))) return y;
    }
    if (any_chance(a, 3)) return pdr_scalar(a->g, any_int(a, -2, 2) * 0.3);
    pdr_shape s = *any_shape(a, x);
    if (s.rank && any_chance(a, 2))
        return pdr_sin(a->g, pdr_iota(a->g, s, any_int(a, 0, s.rank - 1)));
    return s.rank ? pdr_mean_keep(a->g, x, 1u << any_int(a, 0, s.rank - 1)) : x;
}

static int any_axis(any_graph *a, pdr_node x)
{
    int rank = any_shape(a, x)->rank;
    return rank ? any_int(a, 0, rank - 1) : -1;
}

static pdr_node any_unary(any_graph *a, pdr_node x)
{
    pdr_graph *g = a->g;
    switch (any_int(a, 0, 9)) {
    case 0: return pdr_neg(g, x);
    case 1: return pdr_exp(g, pdr_tanh(g, x));
    case 2: return pdr_log(g, pdr_shift(g, 1.5, pdr_sin(g, x)));
    case 3: return pdr_sqrt(g, pdr_shift(g, 1.5, pdr_cos(g, x)));
    case 4: return pdr_tanh(g, x);
    case 5: return pdr_erf(g, x);
    case 6: return pdr_sin(g, x);
    case 7: return pdr_cos(g, x);
    case 8: return pdr_stop(g, x);
    default: return pdr_square(g, pdr_scale(g, 0.5, pdr_tanh(g, x)));
    }
}

static pdr_node any_binary(any_graph *a, pdr_node x)
{
    pdr_graph *g = a->g;
    pdr_node y = any_partner(a, x);
    switch (any_int(a, 0, 7)) {
    case 0: return pdr_add(g, x, y);
    case 1: return pdr_sub(g, y, x);
    case 2: return pdr_mul(g, pdr_tanh(g, x), y);
    case 3: return pdr_div(g, x, pdr_shift(g, 2, pdr_tanh(g, y)));
    case 4: return pdr_lt(g, x, y);
    case 5: return pdr_eq(g, x, y);
    case 6: return pdr_where(g, pdr_lt(g, x, y), y, x);
    default: return pdr_where(g, x, y, any_partner(a, x));
    }
}

static pdr_node any_reshape(any_graph *a, pdr_node x)
{
    pdr_shape s = *any_shape(a, x), to = {0};
    int64_t left = pdr_shape_size(&s);
    while (left > 1 && to.rank < 3) {
        int32_t d = any_int(a, 1, 6);
        if (left % d) continue;
        to.dim[to.rank++] = d;
        left /= d;
    }
    to.dim[to.rank++] = (int32_t)left;
    return pdr_reshape(a->g, x, to);
}

static pdr_node any_permute(any_graph *a, pdr_node x)
{
    int32_t perm[PDR_MAX_RANK];
    uint32_t order[PDR_MAX_RANK];
    size_t rank = (size_t)any_shape(a, x)->rank;
    for (size_t k = 0; k < rank; k++) order[k] = (uint32_t)k;
    pdr_rng_shuffle(&a->rng, rank, order);
    for (size_t k = 0; k < rank; k++) perm[k] = (int32_t)order[k];
    return pdr_permute(a->g, x, perm);
}

static pdr_node any_broadcast(any_graph *a, pdr_node x)
{
    pdr_shape s = *any_shape(a, x), to = {.rank = s.rank + 1};
    int at = any_int(a, 0, s.rank);
    for (int k = 0; k < to.rank; k++)
        if (k != at) to.dim[k] = s.dim[k < at ? k : k - 1];
    to.dim[at] = any_int(a, 1, 5);
    return pdr_broadcast(a->g, x, to, 1u << at);
}

/* Every way to cut an axis or to spread it. */
static pdr_node any_cut(any_graph *a, pdr_node x)
{
    int axis = any_axis(a, x);
    if (axis < 0) return pdr_reshape(a->g, x, PDR_SHAPE(1, 1));
    int32_t n = any_shape(a, x)->dim[axis], step = any_int(a, 1, 3), lo = any_int(a, 0, n - 1);
    int32_t taps = any_int(a, 1, n < 4 ? n : 4);
    int32_t dilation = taps > 1 ? any_int(a, 1, (n - 1) / (taps - 1)) : 5;
    switch (any_int(a, 0, 4)) {
    case 0: return pdr_flip(a->g, x, axis);
    case 1: return pdr_slice(a->g, x, axis, lo, any_int(a, 1, (n - 1 - lo) / step + 1), step);
    case 2: return pdr_pad(a->g, x, axis, lo, lo + (n - 1) * step + any_int(a, 1, 3), step);
    case 3: return pdr_window(a->g, x, axis, taps, step, dilation);
    default: return pdr_concat(a->g, x, pdr_sin(a->g, x), axis);
    }
}

static pdr_node any_unwindow(any_graph *a, pdr_node x)
{
    pdr_shape s = *any_shape(a, x);
    int axis = s.rank < 2 ? 0 : any_int(a, 0, s.rank - 2);
    int32_t step = any_int(a, 1, 3), dilation = any_int(a, 1, 2);
    if (s.rank < 2) return any_broadcast(a, x);
    int32_t full = (s.dim[axis] - 1) * step + (s.dim[axis + 1] - 1) * dilation + 1;
    return pdr_unwindow(a->g, x, axis, full, step, dilation);
}

static pdr_node any_reduce(any_graph *a, pdr_node x)
{
    int axis = any_axis(a, x), rank = any_shape(a, x)->rank;
    if (axis < 0) return any_unary(a, x);
    switch (any_int(a, 0, 5)) {
    case 0: return pdr_max(a->g, x, axis);
    case 1: return pdr_scale(a->g, 0.1, pdr_argmax(a->g, x, axis));
    case 2: return pdr_max_keep(a->g, x, axis);
    case 3: return pdr_mean(a->g, x, (uint32_t)any_int(a, 1, (1 << rank) - 1));
    case 4: return pdr_mean_keep(a->g, x, 1u << axis);
    default: return pdr_tanh(a->g, pdr_sum(a->g, x, (uint32_t)any_int(a, 1, (1 << rank) - 1)));
    }
}

/* x as rows, against itself, its own transpose, or noise of a fitting shape. */
static pdr_node any_dot(any_graph *a, pdr_node x)
{
    pdr_shape s = *any_shape(a, x);
    while (s.rank < 2) s.dim[s.rank++] = 1;
    x = pdr_reshape(a->g, x, s);
    pdr_node y = x;
    int32_t k = s.dim[s.rank - 1], rows = any_int(a, 1, 9);
    if (any_chance(a, 2)) {
        pdr_shape t = s;
        t.dim[s.rank - 2] = rows;
        y = pdr_sin(a->g,
                    pdr_add(a->g, pdr_iota(a->g, t, s.rank - 1), pdr_iota(a->g, t, s.rank - 2)));
    } else if (any_chance(a, 2)) {
        y = pdr_cos(a->g, pdr_flip(a->g, x, s.rank - 1));
    }
    if (any_chance(a, 3)) x = pdr_swap_last(a->g, pdr_sin(a->g, pdr_swap_last(a->g, x)));
    return pdr_scale(a->g, 1.0 / k, pdr_dot(a->g, x, y));
}

static pdr_node any_index(any_graph *a, pdr_node x)
{
    pdr_shape s = *any_shape(a, x);
    pdr_node index = a->whole[any_int(a, 0, 1)];
    pdr_shape is = *any_shape(a, index);
    int b = is.rank - 1;
    if (s.rank <= b || (b && s.dim[0] != is.dim[0])) return any_permute(a, x);
    if (s.dim[b] == is.dim[b] && any_chance(a, 2))
        return pdr_scale(a->g, 0.2, pdr_scatter(a->g, x, index, any_int(a, 1, 6)));
    return pdr_gather(a->g, x, index);
}

static pdr_node any_leaf(any_graph *a)
{
    pdr_graph *g = a->g;
    pdr_node key = a->whole[2];
    pdr_shape s = any_axes(a, any_int(a, 0, 3));
    switch (any_int(a, 0, 4)) {
    case 0: return pdr_fill(g, s, any_int(a, -9, 9) * 0.11);
    case 1: return s.rank ? pdr_iota(g, s, any_int(a, 0, s.rank - 1)) : pdr_scalar(g, 1.7);
    case 2: return pdr_randn(g, key, 8, s);
    case 3: return pdr_scale(g, 0.1, pdr_cast(g, pdr_flip(g, a->whole[0], 0)));
    default: return pdr_rand(g, key, 3, s);
    }
}

static pdr_node any_node(any_graph *a)
{
    pdr_node x = any_real(a);
    switch (any_int(a, 0, 13)) {
    case 0:
    case 1: return any_unary(a, x);
    case 2:
    case 3: return any_binary(a, x);
    case 4: return any_reshape(a, x);
    case 5:
    case 6: return any_permute(a, x);
    case 7: return any_broadcast(a, x);
    case 8: return any_cut(a, x);
    case 9: return any_unwindow(a, x);
    case 10: return any_reduce(a, x);
    case 11: return any_dot(a, x);
    case 12: return any_index(a, x);
    default: return any_leaf(a);
    }
}

static void any_nodes(any_graph *a, int n)
{
    while (n-- > 0 && a->reals < ANY_NODES && !pdr_graph_error(a->g)) {
        pdr_node y = any_node(a);
        if (any_size(a, y) > ANY_SIZE || any_shape(a, y)->rank > 5) continue;
        a->real[a->reals++] = y;
    }
}

/* ---- outputs, gradients, batches
 * ----------------------------------------------------------------- */

static void any_outputs(any_graph *a)
{
    int n = any_int(a, 1, 4);
    for (int j = 0; j < n; j++) a->out[a->n_out++] = any_real(a);
    if (any_chance(a, 6)) a->out[a->n_out++] = a->whole[any_int(a, 0, 2)];
    if (any_chance(a, 6)) a->out[a->n_out++] = a->out[0];
}

static void any_gradients(any_graph *a)
{
    pdr_node wrt[2], d[2];
    for (int k = 0; k < 2; k++) wrt[k] = any_chance(a, 3) ? any_real(a) : a->real[0];
    pdr_node loss = pdr_mean_all(a->g, pdr_sin(a->g, a->real[a->reals - 1]));
    for (int k = 0; k < 3; k++) loss = pdr_add(a->g, loss, pdr_mean_all(a->g, any_real(a)));
    if (!pdr_grad(a->g, loss, 2, wrt, d)) return;
    a->out[a->n_out++] = d[0];
    a->out[a->n_out++] = pdr_sub(a->g, wrt[1], pdr_scale(a->g, 0.3, d[1]));
}

/* Every item of the batch has the same values, moved on by one element. */
static void any_batch_value(any_graph *a, size_t i, int32_t size)
{
    int64_t n = any_size(a, a->in[i]);
    double *v = malloc(sizeof *v * (size_t)(n * size));
    for (int32_t b = 0; b < size; b++)
        for (int64_t e = 0; e < n; e++) v[b * n + e] = a->value[i][(e + b) % n];
    free(a->value[i]);
    a->value[i] = v;
}

static void any_batch(any_graph *a)
{
    pdr_node from[ANY_INPUTS], to[ANY_INPUTS] = {{0}}, out[ANY_OUTPUTS];
    size_t n = 0, which[ANY_INPUTS];
    int32_t size = any_int(a, 2, any_chance(a, 3) ? 40 : 6);
    for (size_t i = 0; i < a->n_in; i++)
        if (!any_chance(a, 3)) {
            which[n] = i;
            from[n++] = a->in[i];
        }
    if (!pdr_vmap(a->g, size, n, from, to, a->n_out, a->out, out)) return;
    memcpy(a->out, out, sizeof *out * a->n_out);
    for (size_t k = 0; k < n; k++) {
        any_batch_value(a, which[k], size);
        a->in[which[k]] = to[k];
    }
}

/* Each input is replaced by at most one output of its size. */
static void any_over(any_graph *a)
{
    bool taken[ANY_INPUTS] = {false};
    for (size_t j = 0; j < a->n_out; j++) {
        a->over[j] = -1;
        for (size_t i = 0; i < a->n_in && a->over[j] < 0; i++) {
            bool fits = any_size(a, a->out[j]) == any_size(a, a->in[i]);
            if (!fits || taken[i] || any_chance(a, 4)) continue;
            a->over[j] = (int32_t)i;
            taken[i] = true;
        }
    }
}

void any_graph_open(any_graph *a, const pdr_alloc *alloc, uint64_t seed)
{
    *a = (any_graph){.rng = {.seed = seed, .stream = PDR_STREAM_TEST}};
    a->g = pdr_graph_new(alloc);
    if (!a->g) return;
    any_inputs(a);
    if (pdr_graph_error(a->g)) return;
    any_nodes(a, any_int(a, 3, 40));
    any_outputs(a);
    if (any_chance(a, 2)) any_gradients(a);
    if (any_chance(a, 2)) any_batch(a);
    if (any_chance(a, 8)) any_batch(a);
    any_over(a);
}

void any_graph_close(any_graph *a)
{
    for (size_t i = 0; i < a->n_in; i++) free(a->value[i]);
    pdr_graph_free(a->g);
}
