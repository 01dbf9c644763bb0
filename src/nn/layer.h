/* nn/layer.h -- a layer at work, and what the files of this room share. */
#ifndef PDI_NN_LAYER_H
#define PDI_NN_LAYER_H

#include "base/error.h"
#include "nn/layers.h"

/* The names of pdr_init, in its order, then NULL: choices of an option. */
extern const char *const pdi_init_names[];

/* The walk through a model's layers.  The same apply functions declare a model's
 * parameters (once, in a scratch graph) and use them (ever after). */
struct pdr_layer {
    pdr_graph *g;
    const pdr_model *model;
    pdr_model *declares; /* the model, while it is being made; else NULL */
    pdr_apply *apply;
    char label[48];         /* "3.conv2d", "output" */
    size_t params, buffers; /* handed out so far */
    uint32_t stream;        /* the next free stream number */
    bool nomem;             /* declaring ran out of memory */
};

/* Record "3.conv2d: ..." as the graph's error; the null node. */
pdr_node pdi_layer_fail(pdr_layer *l, const char *fmt, ...) PDI_PRINTF(2, 3);

/* Whether x holds images, [b, c, h, w], into whose padded sides a size x size
 * window fits; the layer fails where not. */
bool pdi_layer_image(pdr_layer *l, pdr_node x, int64_t size, int64_t padding);

/* Record a function's own error, as pdr_graph_fail(), in words. */
pdr_node pdi_nn_fail(pdr_graph *g, const char *fmt, ...) PDI_PRINTF(2, 3);

/* [b, ...] -> [b, f]. */
pdr_node pdi_flatten(pdr_graph *g, pdr_node x);

/* A dense layer whose weights and biases are U(+-1 / sqrt(fan_in)): the output layer. */
pdr_node pdi_dense_output(pdr_layer *l, pdr_node x, int32_t units);

/* How a layer's biases begin when its weights begin as init: zero, except that
 * fan-in-uniform weights come with fan-in-uniform biases. */
int pdi_bias_init(int init);

#endif
