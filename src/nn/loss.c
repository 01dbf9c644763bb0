/* nn/loss.c -- probabilities and losses along the last axis, safe for any finite input. */
#include "nn/layer.h"

/* The last axis as a set of axes.  x is not null. */
static uint32_t loss_last(const pdr_graph *g, pdr_node x)
{
    int rank = pdr_node_shape(g, x).rank;
    return rank ? 1u << (rank - 1) : 0;
}

/* z - log sum exp z with z = x - max x: exp never overflows and the sum is at
 * least 1.  The maximum cancels, so no gradient need pass through it. */
pdr_node pdr_log_softmax(pdr_graph *g, pdr_node x)
{
    if (!x.id) return x;
    uint32_t last = loss_last(g, x);
    if (!last) return pdi_nn_fail(g, "log_softmax: a single number has no axis");
    pdr_node top = pdr_stop(g, pdr_max_keep(g, x, pdr_node_shape(g, x).rank - 1));
    pdr_node z = pdr_sub(g, x, top);
    return pdr_sub(g, z, pdr_log(g, pdr_sum_keep(g, pdr_exp(g, z), last)));
}

pdr_node pdr_softmax(pdr_graph *g, pdr_node x) { return pdr_exp(g, pdr_log_softmax(g, x)); }

pdr_node pdr_one_hot(pdr_graph *g, pdr_node index, int32_t n)
{
    if (!index.id) return index;
    pdr_shape one = pdr_node_shape(g, index);
    if (one.rank == PDR_MAX_RANK) return pdi_nn_fail(g, "one_hot: too many axes");
    one.dim[one.rank++] = 1;
    pdr_shape s = one;
    s.dim[s.rank - 1] = n;
    pdr_node place = pdr_reshape(g, pdr_cast(g, index), one);
    return pdr_eq(g, pdr_iota(g, s, s.rank - 1), place);
}

/* ---- losses: [b, c] -> [b] ----------------------------------------------------------- */

/* Broadcasting would hide a target of another shape. */
static bool loss_same_shape(pdr_graph *g, const char *what, pdr_node x, pdr_node target)
{
    pdr_shape xs = pdr_node_shape(g, x), ts = pdr_node_shape(g, target);
    char xt[PDR_SHAPE_TEXT], tt[PDR_SHAPE_TEXT];
    if (!x.id || !target.id) return false;
    if (xs.rank > 0 && pdr_shape_equal(&xs, &ts)) return true;
    pdi_nn_fail(g, "%s: %s and targets %s: need the same shape, of one axis or more", what,
                pdr_shape_text(&xs, xt), pdr_shape_text(&ts, tt));
    return false;
}

pdr_node pdr_soft_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node probability)
{
    if (!loss_same_shape(g, "soft_cross_entropy", logits, probability)) return (pdr_node){0};
    pdr_node log_p = pdr_mul(g, probability, pdr_log_softmax(g, logits));
    return pdr_neg(g, pdr_sum(g, log_p, loss_last(g, logits)));
}

pdr_node pdr_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node label)
{
    pdr_shape ls = pdr_node_shape(g, logits), ys = pdr_node_shape(g, label);
    char lt[PDR_SHAPE_TEXT], yt[PDR_SHAPE_TEXT];
    if (!logits.id || !label.id) return (pdr_node){0};
    int32_t c = ls.rank ? ls.dim[ls.rank - 1] : 0;
    pdr_shape rows = ls;
    if (ls.rank) rows.dim[--rows.rank] = 0;
    if (!ls.rank || !pdr_shape_equal(&rows, &ys))
        return pdi_nn_fail(g, "cross_entropy: logits %s and labels %s: need one label a row",
                           pdr_shape_text(&ls, lt), pdr_shape_text(&ys, yt));
    return pdr_soft_cross_entropy(g, logits, pdr_one_hot(g, label, c));
}

/* -t log s(x) - (1 - t) log(1 - s(x)) with s the sigmoid
 *  = max(x, 0) - x t + log(1 + exp(-|x|)).
 * At 0 both kinks are taken from the same side, [0 < x] = 0, so that they cancel
 * in every derivative as they do in the function. */
pdr_node pdr_binary_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node target)
{
    if (!loss_same_shape(g, "binary_cross_entropy", logits, target)) return (pdr_node){0};
    pdr_node x = logits, above = pdr_lt(g, pdr_scalar(g, 0), x), minus = pdr_neg(g, x);
    pdr_node positive = pdr_mul(g, x, above), minus_size = pdr_where(g, above, minus, x);
    pdr_node tail = pdr_log(g, pdr_shift(g, 1, pdr_exp(g, minus_size)));
    pdr_node loss = pdr_add(g, pdr_sub(g, positive, pdr_mul(g, x, target)), tail);
    return pdr_mean(g, loss, loss_last(g, loss));
}

pdr_node pdr_mse(pdr_graph *g, pdr_node x, pdr_node target)
{
    if (!loss_same_shape(g, "mse", x, target)) return (pdr_node){0};
    return pdr_mean(g, pdr_square(g, pdr_sub(g, x, target)), loss_last(g, x));
}

pdr_node pdr_half_square_norm(pdr_graph *g, size_t n, const pdr_node x[])
{
    pdr_node total = pdr_scalar(g, 0);
    for (size_t i = 0; i < n; i++) {
        pdr_node one = pdr_sum_all(g, pdr_square(g, x[i]));
        total = i ? pdr_add(g, total, one) : one;
    }
    return pdr_scale(g, 0.5, total);
}

/* About -1e30, exact in f32.  So low that exp(x - max) is 0, so finite that a row
 * with no output left gives x - max = 0 and no NaN. */
#define LOSS_MASKED (-0x1p100)

pdr_node pdr_mask_logits(pdr_graph *g, pdr_node logits, pdr_node mask)
{
    return pdr_where(g, mask, logits, pdr_scalar(g, LOSS_MASKED));
}
