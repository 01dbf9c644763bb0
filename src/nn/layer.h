/* nn/layer.h -- a layer at work, and what the files of this room share. */
#ifndef PDI_NN_LAYER_H
#define PDI_NN_LAYER_H

#include "base/error.h"
#include "emit/onnx.h"
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

/* Layer i of a model, or NULL past the last; the axes of an example. */
const pdr_choice *pdi_model_layer(const pdr_model *m, size_t i);
int pdi_model_rank(const pdr_model *m);

/* Record "3.conv2d: ..." as the graph's error; the null node. */
pdr_node pdi_layer_fail(pdr_layer *l, const char *fmt, ...) PDI_PRINTF(2, 3);

/* Whether x holds images, [b, c, h, w], into whose padded sides a size x size
 * window fits; the layer fails where not. */
bool pdi_layer_image(pdr_layer *l, pdr_node x, int64_t size, int64_t padding);

/* Record a function's own error, as pdr_graph_fail(), in words. */
pdr_node pdi_nn_fail(pdr_graph *g, const char *fmt, ...) PDI_PRINTF(2, 3);

/* [b, ...] -> [b, f]. */
pdr_node pdi_flatten(pdr_graph *g, pdr_node x);

/* ---- a layer written as ONNX (onnx.c) ---- */

/* One of the layer's tensors by the name it was declared with: its numbers and shape, or NULL
 * where there are none.  Or as a constant, whose name is returned in at. */
const float *pdi_layer_onnx_value(pdr_layer_onnx *o, const char *name, pdr_shape *shape);
const char *pdi_layer_onnx_tensor(pdr_layer_onnx *o, const char *name, char at[PDI_ONNX_NAME]);

/* What goes on becomes op of what came, and of n_more values besides. */
void pdi_layer_onnx_step(pdr_layer_onnx *o, const char *op, size_t n_more, const char *const more[],
                         size_t n_attr, const pdi_onnx_attr attr[]);

/* What goes on, by name; what went on becomes that again, for a second use. */
const char *pdi_layer_onnx_x(const pdr_layer_onnx *o);
void pdi_layer_onnx_from(pdr_layer_onnx *o, const char *x);

/* A constant's name, of this layer's own; the constant is the caller's to write to *to. */
pdi_onnx *pdi_layer_onnx_to(pdr_layer_onnx *o, const char *name, char at[PDI_ONNX_NAME]);

/* All of an example on one axis, unless it is so. */
void pdi_layer_onnx_flatten(pdr_layer_onnx *o);

/* A dense layer whose weights and biases are U(+-1 / sqrt(fan_in)): the output layer. */
pdr_node pdi_dense_output(pdr_layer *l, pdr_node x, int32_t units);
void pdi_dense_onnx(pdr_layer_onnx *o, bool bias);

/* How a layer's biases begin when its weights begin as init: zero, except that
 * fan-in-uniform weights come with fan-in-uniform biases. */
int pdi_bias_init(int init);

#endif
