/* ops_dot.c -- rows for dot: tile and block edges, and operands that are views.
 *
 * A tile has up to 14 rows and 32 columns; blocks are up to 512 columns and 400
 * deep.  test_gemm.c and test_kern.c go over all the edges together, bit by bit. */
#include "ops_rows.h"

static pdr_node make_dot(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_dot(g, x[0], x[1]);
}

/* Row by row of x, column by column of y. */
static void dot_rows(const op_case *c, const double *x, const double *y, double *out)
{
    int r = c->in_shape[0].rank;
    int64_t M = c->in_shape[0].dim[r - 2], N = c->in_shape[1].dim[r - 2];
    int64_t K = c->in_shape[0].dim[r - 1];
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            out[i * N + j] = 0;
            for (int64_t k = K; k-- > 0;) out[i * N + j] += x[i * K + k] * y[j * K + k];
        }
}

static void want_dot(const op_case *c)
{
    int r = c->in_shape[0].rank;
    int64_t M = c->in_shape[0].dim[r - 2], N = c->in_shape[1].dim[r - 2];
    int64_t K = c->in_shape[0].dim[r - 1], batch = pdr_shape_size(&c->shape) / (M * N);
    for (int64_t b = 0; b < batch; b++)
        dot_rows(c, c->in[0] + b * M * K, c->in[1] + b * N * K, c->out + b * M * N);
}

/* What p[k] does to operand k before it is multiplied. */
enum { AS_IS, SWAPPED, SLICED, FLIPPED, REPEATED, WINDOWED, COPIED, SHARED };

static pdr_node dot_view(pdr_graph *g, pdr_node x, int32_t how)
{
    pdr_shape s = pdr_node_shape(g, x);
    switch (how) {
    case SWAPPED: return pdr_swap_last(g, x);
    case SLICED: return pdr_slice(g, x, 1, 1, s.dim[1] / 2, 2);
    case FLIPPED: return pdr_flip(g, pdr_flip(g, x, 0), 1);
    case REPEATED: return pdr_broadcast(g, x, PDR_SHAPE(s.dim[0], 3), 2);
    case WINDOWED: return pdr_window(g, x, 0, 3, 1, 2);
    case COPIED: return pdr_reshape(g, pdr_swap_last(g, x), s);
    case SHARED: return pdr_broadcast(g, x, PDR_SHAPE(4, s.dim[0], s.dim[1]), 1);
    default: return x;
    }
}

static pdr_node make_of_views(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_dot(g, dot_view(g, x[0], row->p[0]), dot_view(g, x[1], row->p[1]));
}

/* x x^T: both operands are one node. */
static pdr_node make_gram(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_dot(g, x[0], x[0]);
}

/* A convolution of x [h, w] with y [o, 9]: windows are read where they lie. */
static pdr_node make_conv(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_node y = pdr_window(g, pdr_window(g, x[0], 0, 3, 1, 1), 2, 3, 1, 1);
    y = pdr_permute(g, y, (const int32_t[]){0, 2, 1, 3});
    pdr_shape s = pdr_node_shape(g, y);
    return pdr_dot(g, pdr_reshape(g, y, PDR_SHAPE(s.dim[0] * s.dim[1], 9)), x[1]);
}

static void want_conv(const op_case *c)
{
    int64_t wide = c->in_shape[0].dim[1], across = wide - 2, o = c->shape.dim[1];
    for (int64_t i = 0; i < c->shape.dim[0]; i++)
        for (int64_t j = 0; j < o; j++) {
            double s = 0;
            for (int64_t t = 0; t < 9; t++)
                s += c->in[0][(i / across + t / 3) * wide + i % across + t % 3] *
                     c->in[1][j * 9 + t];
            c->out[i * o + j] = s;
        }
}

/* The same for x [h, w, c] and y [o, 9 c], channels innermost. */
static pdr_node make_conv_deep(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_node y = pdr_window(g, pdr_window(g, x[0], 0, 3, 1, 1), 2, 3, 1, 1);
    y = pdr_permute(g, y, (const int32_t[]){0, 2, 1, 3, 4});
    pdr_shape s = pdr_node_shape(g, y);
    return pdr_dot(g, pdr_reshape(g, y, PDR_SHAPE(s.dim[0] * s.dim[1], 9 * s.dim[4])), x[1]);
}

static void want_conv_deep(const op_case *c)
{
    int64_t wide = c->in_shape[0].dim[1], deep = c->in_shape[0].dim[2], o = c->shape.dim[1];
    for (int64_t i = 0; i < c->shape.dim[0] * o; i++) {
        int64_t at = i / o / (wide - 2) * wide + i / o % (wide - 2);
        double s = 0;
        for (int64_t t = 0; t < 9 * deep; t++)
            s += c->in[0][(at + t / deep / 3 * wide + t / deep % 3) * deep + t % deep] *
                 c->in[1][i % o * 9 * deep + t];
        c->out[i] = s;
    }
}

/* x [4, 6, 32], its first axes exchanged, as [8, 96]: no row is made of whole axes. */
static pdr_node make_cut(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_node y = pdr_permute(g, x[0], (const int32_t[]){1, 0, 2});
    return pdr_dot(g, pdr_reshape(g, y, PDR_SHAPE(8, 96)), x[1]);
}

/* Two layers, a bias and a curve between: what a plan meets most. */
static pdr_node make_two_layers(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_node h = pdr_tanh(g, pdr_add(g, pdr_dot(g, x[0], x[1]), x[2]));
    return pdr_dot(g, h, x[3]);
}

const op_row ops_dot_rows[] = {
    OP_ROW("one by one", dot, IN(NORMAL(1, 1), NORMAL(1, 1))),
    OP_ROW("panels for threads", dot, IN(NORMAL(31, 40), NORMAL(100, 40)), .flags = OP_LARGE),
    OP_ROW("k of 1", dot, IN(NORMAL(5, 1), NORMAL(7, 1))),
    OP_ROW("k shorter than a lane", dot, IN(NORMAL(3, 5), NORMAL(4, 5))),
    OP_ROW("a row by a row", dot, IN(NORMAL(1, 40), NORMAL(1, 40))),
    OP_ROW("a row by many", dot, IN(NORMAL(1, 9), NORMAL(70, 9))),
    OP_ROW("many by a row", dot, IN(NORMAL(70, 9), NORMAL(1, 9))),
    OP_ROW("one tile", dot, IN(NORMAL(14, 16), NORMAL(32, 16))),
    OP_ROW("a tile and one more", dot, IN(NORMAL(15, 3), NORMAL(33, 3))),
    OP_ROW("a tile less one", dot, IN(NORMAL(13, 4), NORMAL(31, 4))),
    OP_ROW("k of a block", dot, IN(NORMAL(3, 256), NORMAL(5, 256)), .flags = OP_LARGE),
    OP_ROW("k across a block", dot, IN(NORMAL(7, 257), NORMAL(17, 257)), .flags = OP_LARGE),
    OP_ROW("k across two blocks", dot, IN(NORMAL(2, 513), NORMAL(3, 513)), .flags = OP_LARGE),
    OP_ROW("n across a block", dot, IN(NORMAL(3, 4), NORMAL(513, 4)), .flags = OP_LARGE),
    OP_ROW("m across a block", dot, IN(NORMAL(169, 3), NORMAL(6, 3)), .flags = OP_LARGE),
    OP_ROW("m and n for threads", dot, IN(NORMAL(66, 17), NORMAL(97, 17)), .flags = OP_LARGE),
    OP_ROW("batched", dot, IN(NORMAL(2, 3, 6, 9), NORMAL(2, 3, 8, 9))),
    OP_ROW("batched rows", dot, IN(NORMAL(5, 1, 4), NORMAL(5, 3, 4))),
    OP_ROW("a batch of one", dot, IN(NORMAL(1, 2, 3), NORMAL(1, 4, 3)), .flags = OP_THIRD),
    OP_ROW_UNTOLD("both swapped", of_views, IN(NORMAL(9, 21), NORMAL(9, 40)),
                  .p = {SWAPPED, SWAPPED}),
    OP_ROW_UNTOLD("sliced by flipped", of_views, IN(NORMAL(5, 12), NORMAL(6, 6)),
                  .p = {SLICED, FLIPPED}),
    OP_ROW_UNTOLD("flipped by sliced", of_views, IN(NORMAL(18, 4), NORMAL(35, 8)),
                  .p = {FLIPPED, SLICED}),
    OP_ROW_UNTOLD("repeated along k", of_views, IN(NORMAL(7), NORMAL(5, 3)),
                  .p = {REPEATED, AS_IS}),
    OP_ROW_UNTOLD("windows by rows", of_views, IN(NORMAL(12), NORMAL(5, 3)),
                  .p = {WINDOWED, AS_IS}),
    OP_ROW_UNTOLD("rows by windows", of_views, IN(NORMAL(5, 3), NORMAL(39)),
                  .p = {AS_IS, WINDOWED}),
    OP_ROW_UNTOLD("copied by swapped", of_views, IN(NORMAL(6, 8), NORMAL(8, 5)),
                  .p = {COPIED, SWAPPED}),
    OP_ROW_UNTOLD("y shared by a batch", of_views, IN(NORMAL(4, 6, 5), NORMAL(7, 5)),
                  .p = {AS_IS, SHARED}),
    OP_ROW_UNTOLD("x shared by a batch", of_views, IN(NORMAL(3, 5), NORMAL(4, 7, 5)),
                  .p = {SHARED, AS_IS}),
    OP_ROW_UNTOLD("both shared", of_views, IN(NORMAL(3, 5), NORMAL(7, 5)), .p = {SHARED, SHARED}),
    OP_ROW_UNTOLD("gram", gram, IN(NORMAL(17, 6))),
    OP_ROW("convolution", conv, IN(NORMAL(8, 10), NORMAL(4, 9)), .flags = OP_THIRD),
    OP_ROW("convolution, deep", conv_deep, IN(NORMAL(6, 8, 16), NORMAL(5, 144)), .flags = OP_LARGE),
    OP_ROW("convolution, packed", conv_deep, IN(NORMAL(6, 8, 16), NORMAL(33, 144)),
           .flags = OP_LARGE),
    OP_ROW_UNTOLD("rows that cut an axis", cut, IN(NORMAL(4, 6, 32), NORMAL(5, 96)),
                  .flags = OP_LARGE),
    OP_ROW_UNTOLD("two layers", two_layers, IN(NORMAL(3, 4), NORMAL(6, 4), NORMAL(6), NORMAL(2, 6)),
                  .flags = OP_THIRD),
};
const size_t ops_dot_count = COUNT(ops_dot_rows);
