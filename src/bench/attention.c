/* bench/attention.c -- a training step of a small transformer that classifies sequences.
 *
 *     x <- x + attention(norm(x));   x <- x + mlp(norm(x))
 *
 * Vaswani et al. 2017 with the normalisation first; GELU, a hidden layer four times as
 * wide.  The mean over positions goes through a dense layer to the classes; cross-entropy,
 * Adam (0.001). */
#include <math.h>
#include <perdure/nn.h>

#include "bench/bench.h"

enum { ATTENTION_CLASSES = 10 };

typedef struct attention_size {
    int32_t batch, length, width, heads, blocks;
} attention_size;

static pdr_node attention_dense(pdi_work *w, pdr_node x, int32_t in, int32_t out)
{
    pdr_node weight = pdi_work_weight(w, PDR_SHAPE(out, in), 2 * in);
    return pdr_dense(w->g, x, weight, pdi_work_start(w, PDR_SHAPE(out), 0));
}

static pdr_node attention_norm(pdi_work *w, pdr_node x, int32_t width)
{
    pdr_node gain = pdi_work_start(w, PDR_SHAPE(width), 1);
    pdr_node bias = pdi_work_start(w, PDR_SHAPE(width), 0);
    return pdr_add(w->g, pdr_mul(w->g, pdr_normalise(w->g, x, 1 << 2, 1e-5), gain), bias);
}

/* Part 0, 1, 2 (query, key, value) of all, a head an axis: [batch, heads, length, width / heads].
 */
static pdr_node attention_part(pdr_graph *g, const attention_size *s, pdr_node all, int part)
{
    pdr_node x = pdr_slice(g, all, 2, part * s->width, s->width, 1);
    x = pdr_reshape(g, x, PDR_SHAPE(s->batch, s->length, s->heads, s->width / s->heads));
    return pdr_permute(g, x, (const int32_t[]){0, 2, 1, 3});
}

static pdr_node attention_heads(pdi_work *w, const attention_size *s, pdr_node x)
{
    pdr_graph *g = w->g;
    pdr_node all = attention_dense(w, x, s->width, 3 * s->width);
    pdr_node query = attention_part(g, s, all, 0), key = attention_part(g, s, all, 1);
    pdr_node value = attention_part(g, s, all, 2);
    query = pdr_scale(g, 1 / sqrt(s->width / s->heads), query);
    pdr_node weight = pdr_softmax(g, pdr_dot(g, query, key));
    x = pdr_dot(g, weight, pdr_swap_last(g, value));
    x = pdr_permute(g, x, (const int32_t[]){0, 2, 1, 3});
    x = pdr_reshape(g, x, PDR_SHAPE(s->batch, s->length, s->width));
    return attention_dense(w, x, s->width, s->width);
}

static pdr_node attention_block(pdi_work *w, const attention_size *s, pdr_node x)
{
    x = pdr_add(w->g, x, attention_heads(w, s, attention_norm(w, x, s->width)));
    pdr_node h = attention_dense(w, attention_norm(w, x, s->width), s->width, 4 * s->width);
    return pdr_add(w->g, x, attention_dense(w, pdr_gelu(w->g, h), 4 * s->width, s->width));
}

/* Three products for each forward one: twelve width x width a position and block, and two of
 * length x width for the scores and what they weigh. */
static double attention_flops(const attention_size *s)
{
    double d = s->width, t = s->length, each = 12 * d * d + 2 * t * d;
    return 2 * 3.0 * s->batch * (s->blocks * t * each + d * ATTENTION_CLASSES);
}

void pdi_bench_attention(pdi_work *w, const int32_t dim[])
{
    attention_size s = {dim[0], dim[1], dim[2], dim[3], dim[4]};
    pdr_node x = pdi_work_data(w, PDR_F32, PDR_SHAPE(s.batch, s.length, s.width), pdi_fill_normal,
                               0, 1);
    pdr_node label = pdi_work_data(w, PDR_I32, PDR_SHAPE(s.batch), pdi_fill_label, 0,
                                   ATTENTION_CLASSES);
    for (int32_t i = 0; i < s.blocks; i++) x = attention_block(w, &s, x);
    pdr_node logits = attention_dense(w, pdr_mean(w->g, x, 1 << 1), s.width, ATTENTION_CLASSES);
    pdi_work_train(w, pdr_mean_all(w->g, pdr_cross_entropy(w->g, logits, label)), "adam", 0.001);
    w->flops = attention_flops(&s);
}
