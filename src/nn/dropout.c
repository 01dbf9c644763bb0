/* nn/dropout.c -- noise that keeps the mean. */
#include "nn/layer.h"

/* The draws are a pure function of key and position, so neither threads nor
 * vmap can change a mask; a new step brings a new key. */
pdr_node pdr_dropout(pdr_graph *g, pdr_node x, pdr_node key, uint32_t stream, double rate)
{
    if (!x.id || rate == 0) return x;
    if (!(rate > 0 && rate < 1))
        return pdi_nn_fail(g, "dropout: a rate of %g; give 0 or more and less than 1", rate);
    if (key.id && pdr_node_shape(g, key).rank != 1)
        return pdi_nn_fail(g, "dropout: the key has one axis, of four words");
    pdr_node u = pdr_rand(g, key, stream, pdr_node_shape(g, x));
    pdr_node dropped = pdr_lt(g, u, pdr_scalar(g, rate));
    return pdr_where(g, dropped, pdr_scalar(g, 0), pdr_scale(g, 1 / (1 - rate), x));
}

typedef struct dropout {
    double rate;
} dropout;

static const pdr_option dropout_options[] = {
    PDR_OPTION_REAL(dropout, rate, 0.5, 0, 0.999, "probability that an element becomes 0"),
    PDR_OPTION_END,
};

static pdr_node dropout_apply(pdr_layer *l, const void *self, pdr_node x)
{
    const dropout *o = self;
    uint32_t stream;
    if (!pdr_layer_training(l) || o->rate == 0) return x;
    pdr_node key = pdr_layer_key(l, &stream);
    return key.id ? pdr_dropout(pdr_layer_graph(l), x, key, stream, o->rate) : key;
}

/* In evaluation there is none. */
static void dropout_onnx(pdr_layer_onnx *o, const void *self)
{
    (void)o;
    (void)self;
}

const pdr_layer_kind pdi_layer_dropout = {
    .kind = {.name = "dropout",
             .title = "Dropout",
             .cite = "Srivastava et al., Dropout: a simple way to prevent neural networks from "
                     "overfitting, JMLR 15, 2014",
             .equation = "y = x keep / (1 - rate), keep ~ Bernoulli(1 - rate); y = x in evaluation",
             .self_size = sizeof(dropout),
             .options = dropout_options},
    .apply = dropout_apply,
    .onnx = dropout_onnx,
};
