/* ops_chain.c -- rows for chains: what follows a product, row by row or not.
 *
 * The product is of x [10, 6] and y [6, 8], whose columns lie side by side, so that the
 * planner may make it a few rows at a time (plan/chain.c); each follower reads those rows in
 * a way of its own, and all of them must give the bits of a plan that does one step after
 * another. */
#include <perdure/nn.h>

#include "ops_rows.h"

enum {
    BIASED,   /* and a row's sum: keeps to its rows */
    SOFTENED, /* softmax along rows */
    MOVED,    /* times the row before */
    UPENDED,  /* times the last row first */
    TURNED,   /* times the transpose: square */
    PAIRED,   /* sums of pairs of rows */
    GATED,    /* columns in four parts, as a recurrent cell has them, put together otherwise */
    STACKED,  /* rows below each other twice */
    SPREAD,   /* one row beside all */
    WIDE,     /* one row beside twice as many */
    WOVEN,    /* every other number of two rows, then the others */
    KEPT,     /* read outside too, and where the first operand lay there is room for it */
    SUMMED,   /* down columns */
    SPLIT,    /* rows by two axes, exchanged */
    STEPPED,  /* an input less the product, and another product of that input */
};

static pdr_node chain_gates(pdr_graph *g, pdr_node y)
{
    int32_t n = pdr_node_shape(g, y).dim[0];
    pdr_node part[4];
    for (int k = 0; k < 4; k++) part[k] = pdr_slice(g, y, 1, 2 * k, 2, 1);
    pdr_node c = pdr_mul(g, pdr_tanh(g, part[0]), part[1]), sum = pdr_add(g, c, part[2]);
    sum = pdr_reshape(g, pdr_sum(g, pdr_mul(g, sum, part[3]), 1u << 1), PDR_SHAPE(n, 1));
    return pdr_add(g, pdr_concat(g, sum, pdr_concat(g, c, part[0], 1), 1),
                   pdr_slice(g, y, 1, 3, 5, 1));
}

static pdr_node chain_split(pdr_graph *g, pdr_node y)
{
    pdr_shape s = pdr_node_shape(g, y);
    y = pdr_reshape(g, y, PDR_SHAPE(2, s.dim[0] / 2, s.dim[1]));
    return pdr_tanh(g, pdr_permute(g, y, (const int32_t[]){1, 0, 2}));
}

static pdr_node make_followed(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node y = pdr_dot(g, x[0], pdr_swap_last(g, x[1])), z;
    pdr_shape s = pdr_node_shape(g, y);
    switch (row->p[0]) {
    case BIASED: return pdr_sum(g, pdr_tanh(g, pdr_add(g, y, x[2])), 1u << 1);
    case SOFTENED: return pdr_softmax(g, y);
    case MOVED:
        z = pdr_slice(g, y, 0, 1, s.dim[0] - 1, 1);
        return pdr_mul(g, z, pdr_slice(g, y, 0, 0, s.dim[0] - 1, 1));
    case UPENDED: return pdr_mul(g, y, pdr_flip(g, y, 0));
    case TURNED: return pdr_mul(g, y, pdr_tanh(g, pdr_swap_last(g, y)));
    case PAIRED:
        z = pdr_reshape(g, pdr_tanh(g, y), PDR_SHAPE(s.dim[0] / 2, 2, s.dim[1]));
        return pdr_sum(g, z, 1u << 1);
    case GATED: return chain_gates(g, y);
    case STACKED: return pdr_add(g, pdr_concat(g, pdr_tanh(g, y), y, 0), x[2]);
    case SPREAD: return pdr_mul(g, y, pdr_tanh(g, pdr_slice(g, y, 0, 3, 1, 1)));
    case WIDE: return pdr_mul(g, x[2], pdr_slice(g, y, 0, 0, 1, 1));
    case WOVEN:
        z = pdr_reshape(g, y, PDR_SHAPE(s.dim[0] / 2, 2 * s.dim[1]));
        z = pdr_concat(g, pdr_slice(g, z, 1, 0, s.dim[1], 2), pdr_slice(g, z, 1, 1, s.dim[1], 2),
                       0);
        return pdr_add(g, z, x[2]);
    case KEPT:
        y = pdr_tanh(g, pdr_dot(g, pdr_tanh(g, x[0]), pdr_swap_last(g, x[1])));
        return pdr_dot(g, pdr_swap_last(g, y), pdr_swap_last(g, y));
    case SUMMED: return pdr_sum(g, pdr_tanh(g, y), 1u << 0);
    case SPLIT: return chain_split(g, y);
    default: return pdr_add(g, pdr_sub(g, x[2], y), pdr_dot(g, x[2], x[3]));
    }
}

const op_row ops_chain_rows[] = {
    OP_ROW_UNTOLD("bias, tanh, sum", followed, IN(NORMAL(10, 6), NORMAL(6, 8), NORMAL(8)),
                  .p = {BIASED}),
    OP_ROW_UNTOLD("softmax", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {SOFTENED}),
    OP_ROW_UNTOLD("a row by the one before", followed, IN(NORMAL(10, 6), NORMAL(6, 8)),
                  .p = {MOVED}),
    OP_ROW_UNTOLD("the last row first", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {UPENDED}),
    OP_ROW_UNTOLD("by the transpose", followed, IN(NORMAL(9, 6), NORMAL(6, 9)), .p = {TURNED}),
    OP_ROW_UNTOLD("pairs of rows", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {PAIRED}),
    OP_ROW_UNTOLD("gates", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {GATED}),
    OP_ROW_UNTOLD("stacked", followed, IN(NORMAL(10, 6), NORMAL(6, 8), NORMAL(20, 8)),
                  .p = {STACKED}),
    OP_ROW_UNTOLD("one row beside all", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {SPREAD}),
    OP_ROW_UNTOLD("one row beside twice as many", followed,
                  IN(NORMAL(10, 6), NORMAL(6, 8), NORMAL(20, 8)), .p = {WIDE}),
    OP_ROW_UNTOLD("woven", followed, IN(NORMAL(10, 6), NORMAL(6, 8), NORMAL(10, 8)), .p = {WOVEN}),
    OP_ROW_UNTOLD("kept", followed, IN(NORMAL(10, 8), NORMAL(8, 8)), .p = {KEPT}),
    OP_ROW_UNTOLD("down columns", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {SUMMED}),
    OP_ROW_UNTOLD("rows by two axes", followed, IN(NORMAL(10, 6), NORMAL(6, 8)), .p = {SPLIT}),
    OP_ROW_UNTOLD("an input steps and is read", followed,
                  IN(NORMAL(10, 6), NORMAL(6, 8), NORMAL(10, 8), NORMAL(8, 8)), .p = {STEPPED}),
};
const size_t ops_chain_count = COUNT(ops_chain_rows);
