/* ops_walks.c -- rows for structural operators, and for chains of them.
 *
 * The arithmetic wanted is told coordinate by coordinate.  Sums run over leading,
 * middle and trailing axes, on both sides of 16 lanes, 64 neighbours and 256
 * elements, densely and through every kind of view. */
#include <string.h>

#include "ops_rows.h"

/* Copy element by element: the result's element at `at` is the operand's at from(at). */
typedef void (*walk_from)(const op_case *c, const int32_t at[], int32_t from[]);

static void walk_read(const op_case *c, walk_from place)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        int32_t at[PDR_MAX_RANK], from[PDR_MAX_RANK] = {0};
        op_place(&c->shape, i, at);
        place(c, at, from);
        c->out[i] = c->in[0][op_flat(&c->in_shape[0], from)];
    }
}

/* Add element by element: the operand's element at `at` goes to the result's to(at). */
static void walk_add(const op_case *c, walk_from place)
{
    memset(c->out, 0, sizeof *c->out * (size_t)pdr_shape_size(&c->shape));
    for (int64_t i = 0, n = pdr_shape_size(&c->in_shape[0]); i < n; i++) {
        int32_t at[PDR_MAX_RANK], to[PDR_MAX_RANK] = {0};
        op_place(&c->in_shape[0], i, at);
        place(c, at, to);
        c->out[op_flat(&c->shape, to)] += c->in[0][i];
    }
}

/* A row of op, told by reading or adding. */
#define WANT(op, how)                                                                              \
    static void want_##op(const op_case *c) { walk_##how(c, place_##op); }

/* ---- one operator each ------------------------------------------------------------- */

static pdr_node make_reshape(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_reshape(g, x[0], row->to);
}

static void want_reshape(const op_case *c)
{
    memcpy(c->out, c->in[0], sizeof *c->out * (size_t)pdr_shape_size(&c->shape));
}

static pdr_node make_permute(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_permute(g, x[0], row->p);
}

static void place_permute(const op_case *c, const int32_t at[], int32_t from[])
{
    for (int k = 0; k < c->shape.rank; k++) from[c->row->p[k]] = at[k];
}

WANT(permute, read)

static pdr_node make_flip(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_flip(g, x[0], row->p[0]);
}

static void place_flip(const op_case *c, const int32_t at[], int32_t from[])
{
    for (int k = 0; k < c->shape.rank; k++)
        from[k] = k == c->row->p[0] ? c->shape.dim[k] - 1 - at[k] : at[k];
}

WANT(flip, read)

/* p[0]: the axes, as bits. */
static pdr_node make_broadcast(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_broadcast(g, x[0], row->to, (uint32_t)row->p[0]);
}

static void place_broadcast(const op_case *c, const int32_t at[], int32_t from[])
{
    int j = 0;
    for (int k = 0; k < c->shape.rank; k++)
        if (!(c->row->p[0] & 1 << k)) from[j++] = at[k];
}

WANT(broadcast, read)

static pdr_node make_sum(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_sum(g, x[0], (uint32_t)row->p[0]);
}

static void place_sum(const op_case *c, const int32_t at[], int32_t to[])
{
    int j = 0;
    for (int k = 0; k < c->in_shape[0].rank; k++)
        if (!(c->row->p[0] & 1 << k)) to[j++] = at[k];
}

WANT(sum, add)

/* p: axis, lo, count or full, step. */
static pdr_node make_slice(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_slice(g, x[0], row->p[0], row->p[1], row->p[2], row->p[3]);
}

static pdr_node make_pad(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_pad(g, x[0], row->p[0], row->p[1], row->p[2], row->p[3]);
}

static void place_slice(const op_case *c, const int32_t at[], int32_t from[])
{
    memcpy(from, at, sizeof *at * (size_t)c->shape.rank);
    from[c->row->p[0]] = c->row->p[1] + at[c->row->p[0]] * c->row->p[3];
}

#define place_pad place_slice
WANT(slice, read)
WANT(pad, add)

/* p: axis, taps or full, step, dilation. */
static pdr_node make_window(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_window(g, x[0], row->p[0], row->p[1], row->p[2], row->p[3]);
}

static pdr_node make_unwindow(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_unwindow(g, x[0], row->p[0], row->p[1], row->p[2], row->p[3]);
}

static void place_window(const op_case *c, const int32_t at[], int32_t from[])
{
    int a = c->row->p[0];
    memcpy(from, at, sizeof *at * (size_t)a);
    from[a] = at[a] * c->row->p[2] + at[a + 1] * c->row->p[3];
    memcpy(from + a + 1, at + a + 2, sizeof *at * (size_t)(PDR_MAX_RANK - a - 2));
}

#define place_unwindow place_window
WANT(window, read)
WANT(unwindow, add)

/* ---- chains ------------------------------------------------------------------------------ */

static pdr_node make_concat(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_concat(g, x[0], x[1], row->p[0]);
}

static void want_concat(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        int32_t at[PDR_MAX_RANK], first = c->in_shape[0].dim[c->row->p[0]];
        op_place(&c->shape, i, at);
        int k = at[c->row->p[0]] >= first;
        at[c->row->p[0]] -= k ? first : 0;
        c->out[i] = c->in[k][op_flat(&c->in_shape[k], at)];
    }
}

/* Transposed, then flattened: no stride covers it, so it is copied. */
static pdr_node make_transposed_flat(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_shape s = pdr_node_shape(g, x[0]);
    return pdr_reshape(g, pdr_swap_last(g, x[0]), PDR_SHAPE(s.dim[0] * s.dim[1]));
}

static void want_transposed_flat(const op_case *c)
{
    int64_t rows = c->in_shape[0].dim[0], cols = c->in_shape[0].dim[1];
    for (int64_t i = 0; i < rows * cols; i++) c->out[i] = c->in[0][i % rows * cols + i / rows];
}

/* Both axes windowed, taps last: what a convolution reads.  x [h, w], p: taps, step. */
static pdr_node make_patches(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node y = pdr_window(g, x[0], 0, row->p[0], row->p[1], 1);
    y = pdr_window(g, y, 2, row->p[0], row->p[1], 1); /* [h', taps, w', taps] */
    y = pdr_permute(g, y, (const int32_t[]){0, 2, 1, 3});
    pdr_shape s = pdr_node_shape(g, y);
    return pdr_reshape(g, y, PDR_SHAPE(s.dim[0] * s.dim[1], s.dim[2] * s.dim[3]));
}

static void want_patches(const op_case *c)
{
    int64_t taps = c->row->p[0], step = c->row->p[1], wide = c->in_shape[0].dim[1];
    int64_t across = (wide - taps) / step + 1;
    for (int64_t i = 0; i < c->shape.dim[0]; i++)
        for (int64_t t = 0; t < taps * taps; t++) {
            int64_t row = i / across * step + t / taps, col = i % across * step + t % taps;
            c->out[i * taps * taps + t] = c->in[0][row * wide + col];
        }
}

/* A sum through a view; p[1] says which. */
static pdr_node make_sum_of(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_shape s = pdr_node_shape(g, x[0]);
    pdr_node y = x[0];
    switch (row->p[1]) {
    case 0: y = pdr_swap_last(g, y); break;
    case 1: y = pdr_flip(g, y, 1); break;
    case 2: y = pdr_slice(g, y, 1, 1, s.dim[1] / 3, 3); break;
    case 3: y = pdr_window(g, y, 1, 3, 2, 2); break;
    case 4: y = pdr_broadcast(g, y, PDR_SHAPE(s.dim[0], 20, s.dim[1]), 2); break;
    default: y = pdr_reshape(g, pdr_swap_last(g, y), PDR_SHAPE(s.dim[1] / 2, 2 * s.dim[0])); break;
    }
    return pdr_sum(g, y, (uint32_t)row->p[0]);
}

const op_row ops_walk_rows[] = {
    OP_ROW("reshape", reshape, IN(NORMAL(6, 20)), .to = OP_SHAPE(5, 3, 8)),
    OP_ROW("reshape to rank 0", reshape, IN(NORMAL(1, 1)), .to = OP_SCALAR),
    OP_ROW("reshape from rank 0", reshape, IN(SCALAR(NORMAL)), .to = OP_SHAPE(1, 1, 1)),
    OP_ROW("reshape of integers", reshape, IN(INDEX(7, 24)), .to = OP_SHAPE(4, 6)),
    OP_ROW("permute", permute, IN(NORMAL(4, 5, 6)), .p = {2, 0, 1}),
    OP_ROW("permute seven axes", permute, IN(NORMAL(2, 1, 3, 2, 1, 2, 3)),
           .p = {6, 0, 5, 1, 3, 2, 4}),
    OP_ROW("permute of integers", permute, IN(INDEX(9, 5, 7)), .p = {1, 0}),
    OP_ROW("permute rank 0", permute, IN(SCALAR(NORMAL))),
    OP_ROW("transpose a strip", permute, IN(NORMAL(33, 65)), .p = {1, 0}),
    OP_ROW("flip, first axis", flip, IN(NORMAL(7, 3)), .p = {0}),
    OP_ROW("flip, last axis", flip, IN(NORMAL(2, 513)), .p = {1}),
    OP_ROW("flip one element", flip, IN(NORMAL(1)), .p = {0}),
    OP_ROW("broadcast, leading", broadcast, IN(NORMAL(5)), .to = OP_SHAPE(7, 5), .p = {1}),
    OP_ROW("broadcast, trailing", broadcast, IN(NORMAL(5)), .to = OP_SHAPE(5, 17), .p = {2}),
    OP_ROW("broadcast, alternating", broadcast, IN(NORMAL(3, 4, 2)),
           .to = OP_SHAPE(2, 3, 5, 4, 1, 2, 3), .p = {0x55}),
    OP_ROW("broadcast a scalar", broadcast, IN(SCALAR(NORMAL)), .to = OP_SHAPE(3, 600), .p = {3}),
    OP_ROW("broadcast of integers", broadcast, IN(INDEX(9, 3)), .to = OP_SHAPE(3, 4), .p = {2}),
    OP_ROW("slice, steps", slice, IN(NORMAL(3, 20)), .p = {1, 2, 5, 4}),
    OP_ROW("slice, first axis", slice, IN(NORMAL(9, 64)), .p = {0, 3, 4, 1}),
    OP_ROW("slice, middle axis", slice, IN(NORMAL(2, 9, 33)), .p = {1, 1, 4, 2}),
    OP_ROW("slice one, any step", slice, IN(NORMAL(5, 3)), .p = {0, 4, 1, 1000}),
    OP_ROW("slice of integers", slice, IN(INDEX(9, 12)), .p = {0, 1, 5, 2}),
    OP_ROW("pad, both sides", pad, IN(NORMAL(3, 4)), .p = {1, 2, 9, 1}),
    OP_ROW("pad, steps", pad, IN(NORMAL(4, 5)), .p = {0, 1, 14, 4}),
    OP_ROW("pad, middle axis", pad, IN(NORMAL(2, 3, 40)), .p = {1, 0, 8, 3}),
    OP_ROW("pad one element", pad, IN(NORMAL(1)), .p = {0, 6, 7, 9}),
    OP_ROW("pad nothing", pad, IN(NORMAL(2, 3)), .p = {0, 0, 2, 1}),
    OP_ROW("window, overlapping", window, IN(NORMAL(2, 11)), .p = {1, 4, 1, 1}),
    OP_ROW("window, step and dilation", window, IN(NORMAL(17, 3)), .p = {0, 3, 2, 4}),
    OP_ROW("window, gaps", window, IN(NORMAL(2, 13, 2)), .p = {1, 2, 5, 1}),
    OP_ROW("window, one position", window, IN(NORMAL(5)), .p = {0, 3, 9, 2}),
    OP_ROW("window, one tap", window, IN(NORMAL(5, 2)), .p = {0, 1, 2, 7}),
    OP_ROW("window of integers", window, IN(INDEX(9, 9)), .p = {0, 3, 3, 1}),
    OP_ROW("unwindow, overlapping", unwindow, IN(NORMAL(2, 8, 4)), .p = {1, 11, 1, 1}),
    OP_ROW("unwindow, step and dilation", unwindow, IN(NORMAL(5, 3, 3)), .p = {0, 17, 2, 4}),
    OP_ROW("unwindow, gaps stay 0", unwindow, IN(NORMAL(2, 3, 2, 2)), .p = {1, 13, 5, 1}),
    OP_ROW("unwindow, more taps than places", unwindow, IN(NORMAL(2, 30, 5)), .p = {0, 31, 1, 1}),
    OP_ROW("concat, last axis", concat, IN(NORMAL(3, 4), NORMAL(3, 2)), .p = {1}),
    OP_ROW("concat, first axis", concat, IN(NORMAL(1, 40), NORMAL(2, 40)), .p = {0}),
    OP_ROW("concat over strips", concat, IN(NORMAL(7, 3, 50), NORMAL(7, 4, 50)), .p = {1}),
    OP_ROW("flatten a transpose", transposed_flat, IN(NORMAL(19, 31))),
    OP_ROW("patches", patches, IN(NORMAL(7, 9)), .p = {3, 1}, .flags = OP_THIRD),
    OP_ROW("patches with a stride", patches, IN(NORMAL(8, 11)), .p = {2, 3}),
};
const size_t ops_walk_count = COUNT(ops_walk_rows);

const op_row ops_sum_rows[] = {
    OP_ROW("sum of one", sum, IN(NORMAL(1)), .p = {1}),
    OP_ROW("sum of axes of one", sum, IN(NORMAL(1, 5, 1)), .p = {5}),
    OP_ROW("sum of 2", sum, IN(NORMAL(3, 2)), .p = {2}),
    OP_ROW("sum of 15", sum, IN(NORMAL(2, 15)), .p = {2}),
    OP_ROW("sum of 16", sum, IN(NORMAL(16)), .p = {1}),
    OP_ROW("sum of 17", sum, IN(NORMAL(3, 17)), .p = {2}),
    OP_ROW("sum of 255", sum, IN(NORMAL(255)), .p = {1}),
    OP_ROW("sum of 256", sum, IN(NORMAL(2, 256)), .p = {2}),
    OP_ROW("sum of 273", sum, IN(NORMAL(273)), .p = {1}),
    OP_ROW("sum of 4099", sum, IN(NORMAL(4099)), .p = {1}),
    OP_ROW("sum of a long axis", sum, IN(NORMAL(70001)), .p = {1}, .flags = OP_LARGE),
    OP_ROW("sum of a long leading axis", sum, IN(NORMAL(8209, 5)), .p = {1}, .flags = OP_LARGE),
    OP_ROW("leading sum, 1 beside", sum, IN(NORMAL(37, 1)), .p = {1}),
    OP_ROW("leading sum, 63 beside", sum, IN(NORMAL(7, 63)), .p = {1}),
    OP_ROW("leading sum, 64 beside", sum, IN(NORMAL(16, 64)), .p = {1}),
    OP_ROW("leading sum, 65 beside", sum, IN(NORMAL(33, 65)), .p = {1}),
    OP_ROW("leading sum, 130 beside", sum, IN(NORMAL(3, 130)), .p = {1}),
    OP_ROW("middle sum", sum, IN(NORMAL(3, 21, 7)), .p = {2}),
    OP_ROW("outer sum", sum, IN(NORMAL(5, 3, 9)), .p = {5}),
    OP_ROW("sum of every second axis", sum, IN(NORMAL(2, 3, 2, 3, 2, 3, 2)), .p = {0x55}),
    OP_ROW("sum of all of seven axes", sum, IN(NORMAL(2, 3, 1, 3, 2, 3, 2)), .p = {0x7f}),
    OP_ROW_UNTOLD("sum of a transpose", sum_of, IN(NORMAL(19, 35)), .p = {1, 0}),
    OP_ROW_UNTOLD("sum beside a transpose", sum_of, IN(NORMAL(19, 5, 18)), .p = {1, 0}),
    OP_ROW_UNTOLD("sum of a transpose, last", sum_of, IN(NORMAL(19, 35)), .p = {2, 0}),
    OP_ROW_UNTOLD("sum of a flip", sum_of, IN(NORMAL(3, 50)), .p = {2, 1}),
    OP_ROW_UNTOLD("leading sum of a flip", sum_of, IN(NORMAL(18, 70)), .p = {1, 1}),
    OP_ROW_UNTOLD("sum of a slice", sum_of, IN(NORMAL(4, 100)), .p = {2, 2}),
    OP_ROW_UNTOLD("leading sum of a slice", sum_of, IN(NORMAL(20, 100)), .p = {1, 2}),
    OP_ROW_UNTOLD("sum of windows", sum_of, IN(NORMAL(3, 40)), .p = {2, 3}),
    OP_ROW_UNTOLD("sum of taps", sum_of, IN(NORMAL(3, 40)), .p = {4, 3}),
    OP_ROW_UNTOLD("sum of what was repeated", sum_of, IN(NORMAL(2, 70)), .p = {2, 4}),
    OP_ROW_UNTOLD("sum beside what was repeated", sum_of, IN(NORMAL(17, 3)), .p = {5, 4}),
    OP_ROW_UNTOLD("sum of a copy", sum_of, IN(NORMAL(6, 14)), .p = {1, 5}),
};
const size_t ops_sum_count = COUNT(ops_sum_rows);
