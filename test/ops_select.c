/* ops_select.c -- rows for gather, scatter, max and argmax: repeated rows, rows
 * outside the table, ties. */
#include <string.h>

#include "ops_rows.h"

/* ---- gather and scatter --------------------------------------------------------------- */

static pdr_node make_gather(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_gather(g, x[0], x[1]);
}

static pdr_node make_scatter(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_scatter(g, x[0], x[1], row->p[0]);
}

/* Row m of batch b of the index's side stands for which element of the table's side?
 * -1 for none.  big and table are the shapes of the two sides, flat is an element of
 * the first. */
static int64_t select_element(const op_case *c, const pdr_shape *big, const pdr_shape *table,
                              int64_t flat)
{
    int32_t at[PDR_MAX_RANK];
    int b = c->in_shape[1].rank - 1;
    op_place(big, flat, at);
    at[b] = (int32_t)c->in[1][op_flat(&c->in_shape[1], at)];
    return at[b] < 0 || at[b] >= table->dim[b] ? -1 : op_flat(table, at);
}

static void want_gather(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) {
        int64_t from = select_element(c, &c->shape, &c->in_shape[0], i);
        c->out[i] = from < 0 ? 0 : c->in[0][from];
    }
}

static void want_scatter(const op_case *c)
{
    memset(c->out, 0, sizeof *c->out * (size_t)pdr_shape_size(&c->shape));
    for (int64_t i = 0, n = pdr_shape_size(&c->in_shape[0]); i < n; i++) {
        int64_t to = select_element(c, &c->in_shape[0], &c->shape, i);
        if (to >= 0) c->out[to] += c->in[0][i];
    }
}

/* The table transposed, every second index: both are views that are copied first. */
static pdr_node make_gather_views(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    pdr_node index = pdr_slice(g, x[1], 0, 0, pdr_node_shape(g, x[1]).dim[0] / 2, 2);
    return pdr_gather(g, pdr_swap_last(g, x[0]), index);
}

static void want_gather_views(const op_case *c)
{
    int64_t rows = c->shape.dim[0], wide = c->shape.dim[1], n = c->in_shape[0].dim[1];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < wide; j++) {
            int64_t k = (int64_t)c->in[1][2 * i];
            c->out[i * wide + j] = k < 0 || k >= n ? 0 : c->in[0][j * n + k];
        }
}

/* ---- max and argmax --------------------------------------------------------------------- */

static pdr_node make_max(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_max(g, x[0], row->p[0]);
}

static pdr_node make_argmax(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_argmax(g, x[0], row->p[0]);
}

/* Where the first largest stands along the axis, for result element i. */
static int32_t select_first(const op_case *c, int64_t i, double *largest)
{
    int32_t at[PDR_MAX_RANK], in[PDR_MAX_RANK], where = 0;
    int a = c->row->p[0];
    op_place(&c->shape, i, at);
    for (int k = 0; k < c->in_shape[0].rank; k++) in[k] = k == a ? 0 : at[k < a ? k : k - 1];
    for (int32_t j = c->in_shape[0].dim[a]; j-- > 0;) { /* from the end: the last >= is the first */
        in[a] = j;
        double v = c->in[0][op_flat(&c->in_shape[0], in)];
        if (j == c->in_shape[0].dim[a] - 1 || v >= *largest) {
            *largest = v;
            where = j;
        }
    }
    return where;
}

static void want_max(const op_case *c)
{
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++) select_first(c, i, &c->out[i]);
}

static void want_argmax(const op_case *c)
{
    double largest;
    for (int64_t i = 0, n = pdr_shape_size(&c->shape); i < n; i++)
        c->out[i] = select_first(c, i, &largest);
}

/* Overlapping windows of a map: max pooling along one axis. */
static pdr_node make_pool(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    (void)row;
    return pdr_max(g, pdr_window(g, x[0], 1, 3, 2, 1), 2);
}

static pdr_node make_max_keep(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    return pdr_sub(g, x[0], pdr_max_keep(g, x[0], row->p[0]));
}

const op_row ops_index_rows[] = {
    OP_ROW("gather rows", gather, IN(NORMAL(7, 5), INDEX(7, 20))),
    OP_ROW("gather elements", gather, IN(NORMAL(4), INDEX(4, 9))),
    OP_ROW("gather from one row", gather, IN(NORMAL(1, 3), INDEX(1, 6))),
    OP_ROW("gather blocks", gather, IN(NORMAL(5, 3, 33), INDEX(5, 2))),
    OP_ROW("gather in batches", gather, IN(NORMAL(3, 6, 4), INDEX(6, 3, 8))),
    OP_ROW("gather in batches of batches", gather, IN(NORMAL(2, 3, 4, 2), INDEX(4, 2, 3, 5))),
    OP_ROW("gather an element a batch", gather, IN(NORMAL(16, 10), INDEX(10, 16, 1))),
    OP_ROW("gather through views", gather_views, IN(NORMAL(6, 9), INDEX(9, 14))),
    OP_ROW("gather many", gather, IN(NORMAL(31, 3), INDEX(31, 4096)), .flags = OP_LARGE),
    OP_ROW("scatter rows", scatter, IN(NORMAL(20, 5), INDEX(7, 20)), .p = {7}),
    OP_ROW("scatter elements", scatter, IN(NORMAL(9), INDEX(4, 9)), .p = {4}),
    OP_ROW("scatter into one row", scatter, IN(NORMAL(30, 2), INDEX(1, 30)), .p = {1}),
    OP_ROW("scatter blocks", scatter, IN(NORMAL(6, 2, 17), INDEX(5, 6)), .p = {5}),
    OP_ROW("scatter in batches", scatter, IN(NORMAL(3, 8, 4), INDEX(6, 3, 8)), .p = {6}),
    OP_ROW("scatter many", scatter, IN(NORMAL(4096, 3), INDEX(31, 4096)), .p = {31},
           .flags = OP_LARGE),
};
const size_t ops_index_count = COUNT(ops_index_rows);

const op_row ops_select_rows[] = {
    OP_ROW("max, last axis", max, IN(DISTINCT(5, 9)), .p = {1}, .flags = OP_THIRD),
    OP_ROW("max, first axis", max, IN(DISTINCT(9, 65)), .p = {0}),
    OP_ROW("max, middle axis", max, IN(DISTINCT(3, 5, 7)), .p = {1}),
    OP_ROW("max of one", max, IN(DISTINCT(4, 1)), .p = {1}),
    OP_ROW("max to rank 0", max, IN(DISTINCT(513)), .p = {0}),
    OP_ROW("max of ties", max, IN(WHOLE(16, 12)), .p = {1}, .flags = OP_KINKED),
    OP_ROW("max of ties beside each other", max, IN(WHOLE(12, 130)), .p = {0}, .flags = OP_KINKED),
    OP_ROW("argmax, last axis", argmax, IN(DISTINCT(5, 9)), .p = {1}),
    OP_ROW("argmax, first axis", argmax, IN(DISTINCT(9, 64)), .p = {0}),
    OP_ROW("argmax of ties", argmax, IN(WHOLE(2, 30, 3)), .p = {1}, .flags = OP_KINKED),
    OP_ROW("argmax of one", argmax, IN(NORMAL(1, 3)), .p = {0}),
    OP_ROW_UNTOLD("max over windows", pool, IN(DISTINCT(2, 13)), .flags = OP_THIRD),
    OP_ROW_UNTOLD("max kept and subtracted", max_keep, IN(DISTINCT(6, 5)), .p = {1}),
};
const size_t ops_select_count = COUNT(ops_select_rows);
