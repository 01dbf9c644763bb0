/* perdure/nn.h -- layers, losses and models: sentences made of operators.
 *
 * The functions work on any nodes.  A pdr_model is a list of layers from a recipe
 * (or from code) and knows its parameters; it holds no values and may be applied
 * many times in one graph, to different inputs and different parameters.
 *
 *     pdr_graph *g = pdr_graph_new(NULL);
 *     pdr_node   x = pdr_input(g, PDR_F32, PDR_SHAPE(32, 784));
 *     pdr_node   w = pdr_input(g, PDR_F32, PDR_SHAPE(10, 784));
 *     pdr_node   b = pdr_input(g, PDR_F32, PDR_SHAPE(10));
 *     pdr_node   y = pdr_input(g, PDR_I32, PDR_SHAPE(32));
 *     pdr_node   loss = pdr_mean_all(g, pdr_cross_entropy(g, pdr_dense(g, x, w, b), y));
 *     pdr_graph_free(g);
 *
 * ERRORS    As in perdure/graph.h: they stick to the graph.
 * OWNERSHIP A model owns copies of its layers' options.
 * THREADS   A finished model is read-only and may be shared.
 */
#ifndef PERDURE_NN_H
#define PERDURE_NN_H

#include <perdure/graph.h>
#include <perdure/kind.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- functions ------------------------------------------------------------- */

pdr_node pdr_relu(pdr_graph *g, pdr_node x);    /* its gradient at 0 is 0; NaN stays NaN */
pdr_node pdr_sigmoid(pdr_graph *g, pdr_node x); /* no overflow at either end */
pdr_node pdr_gelu(pdr_graph *g, pdr_node x);    /* exact: x Phi(x), Hendrycks & Gimpel 2016 */

/* Along the last axis; safe for any finite input. */
pdr_node pdr_softmax(pdr_graph *g, pdr_node x);
pdr_node pdr_log_softmax(pdr_graph *g, pdr_node x);

/* index i32[...] -> f32[..., n], 1 at the index; all zeros outside 0 .. n-1. */
pdr_node pdr_one_hot(pdr_graph *g, pdr_node index, int32_t n);

/* x [..., in], w [out, in], b [out] (or the null node for none) -> [..., out]. */
pdr_node pdr_dense(pdr_graph *g, pdr_node x, pdr_node w, pdr_node b);

/* x [n, c, h, w] with filters [o, c, kh, kw] -> [n, o, h', w'];
 * h' = (h + 2 padding - kh) / stride + 1. */
pdr_node pdr_conv2d(pdr_graph *g, pdr_node x, pdr_node filters, int32_t stride, int32_t padding);

/* x [n, c, h, w], windows of size x size, no padding. */
pdr_node pdr_max_pool2d(pdr_graph *g, pdr_node x, int32_t size, int32_t stride);
pdr_node pdr_avg_pool2d(pdr_graph *g, pdr_node x, int32_t size, int32_t stride);

/* (x - mean) / sqrt(variance + epsilon), both over axes.  Batch norm (Ioffe &
 * Szegedy 2015) and layer norm (Ba et al. 2016) differ only in the axes. */
pdr_node pdr_normalise(pdr_graph *g, pdr_node x, uint32_t axes, double epsilon);

/* Zero each element with probability rate and scale the rest by 1 / (1 - rate)
 * (Srivastava et al. 2014).  key is i32[4]; each use in one graph wants a stream
 * number of its own. */
pdr_node pdr_dropout(pdr_graph *g, pdr_node x, pdr_node key, uint32_t stream, double rate);

/* Losses, one number an example: reduce them as you like.  logits [b, c].  The
 * cross-entropy of a label outside 0 .. c-1 is 0, with no gradient: such examples
 * do not count. */
pdr_node pdr_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node label); /* label i32[b] */
pdr_node pdr_soft_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node probability); /* [b, c] */
pdr_node pdr_binary_cross_entropy(pdr_graph *g, pdr_node logits, pdr_node target); /* mean over c */
pdr_node pdr_mse(pdr_graph *g, pdr_node x, pdr_node target);                       /* mean over c */

/* Half the sum of squares of all n nodes. */
pdr_node pdr_half_square_norm(pdr_graph *g, size_t n, const pdr_node x[]);

/* logits where mask is 1; where it is 0 a number so low that softmax gives exactly
 * 0, and yet finite: a row with no output left has finite cross-entropies. */
pdr_node pdr_mask_logits(pdr_graph *g, pdr_node logits, pdr_node mask);

/* ---- models ------------------------------------------------------------------- */

typedef enum pdr_init {
    PDR_INIT_ZERO,
    PDR_INIT_ONE,
    PDR_INIT_HE_NORMAL,      /* N(0, 2 / fan_in), He et al. 2015 */
    PDR_INIT_HE_UNIFORM,     /* U(+-sqrt(6 / fan_in)) */
    PDR_INIT_GLOROT_NORMAL,  /* N(0, 2 / (fan_in + fan_out)), Glorot & Bengio 2010 */
    PDR_INIT_GLOROT_UNIFORM, /* U(+-sqrt(6 / (fan_in + fan_out))) */
    PDR_INIT_LECUN_NORMAL,   /* N(0, 1 / fan_in), LeCun et al. 1998 */
    PDR_INIT_LECUN_UNIFORM,  /* U(+-sqrt(3 / fan_in)) */
    PDR_INIT_FAN_IN_UNIFORM, /* U(+-1 / sqrt(fan_in)), of weights and biases alike */
    PDR_INIT_SMALL_NORMAL    /* N(0, 0.01^2), whatever the layer's width */
} pdr_init;

/* One parameter, or one buffer (a tensor that a layer keeps without learning it
 * by gradient: running statistics). */
typedef struct pdr_param {
    char name[64]; /* "0.dense.weight" */
    pdr_shape shape;
    pdr_init init;
    double fan_in, fan_out;
    bool is_weight; /* subject to weight decay and L2: not biases, gains */
} pdr_param;

typedef struct pdr_model pdr_model;

/* A model for examples of shape `input` (without a batch axis) with an output
 * layer of `outputs` units after the listed layers (outputs 0: none).  The output
 * layer is dense, its weights and biases begin as PDR_INIT_FAN_IN_UNIFORM, and
 * its parameters are called "output.weight" and "output.bias".  Dense layers
 * flatten what enters them.  A layer that does not fit what comes before it is
 * an error that begins with its name: "3.conv2d: ...". */
pdr_rc pdr_model_new(const pdr_alloc *alloc, size_t layers, const pdr_choice layer[],
                     pdr_shape input, int32_t outputs, pdr_model **out, pdr_error *err);
void pdr_model_free(pdr_model *m);

size_t pdr_model_params(const pdr_model *m);
const pdr_param *pdr_model_param(const pdr_model *m, size_t i);
size_t pdr_model_buffers(const pdr_model *m);
const pdr_param *pdr_model_buffer(const pdr_model *m, size_t i);

/* Width of what enters the output layer (of what the layers make, where there is none). */
int32_t pdr_model_features(const pdr_model *m);

/* In evaluation, does what is made of an example depend on those beside it?  It does where a
 * layer takes the statistics of the batch at hand. */
bool pdr_model_mixes(const pdr_model *m);

/* Fill value with initial numbers for p; a function of seed and index alone. */
void pdr_param_init(const pdr_param *p, uint64_t seed, uint32_t index, float value[]);

/* Such numbers as a node, of the same law: a function of key (i32[4]) and stream; stream + 1
 * is used too. */
pdr_node pdr_param_draw(pdr_graph *g, const pdr_param *p, pdr_node key, uint32_t stream);

/* One application of a model. */
typedef struct pdr_apply {
    const pdr_node *param;  /* [params] */
    const pdr_node *buffer; /* [buffers] */
    pdr_node *buffer_new;   /* [buffers]: filled with updated buffers; may be NULL, or buffer */
    bool training;          /* batch statistics, dropout */
    pdr_node key;           /* i32[4]; needed when training with dropout */
    /* After each layer that has weights: sees what entered and what came out, returns what
     * goes on.  May be NULL. */
    pdr_node (*visit)(void *ctx, size_t layer, pdr_node in, pdr_node out);
    void *visit_ctx;
    pdr_node features; /* set: what enters the output layer, [b, f] */
} pdr_apply;

/* x [b, input...] -> [b, outputs].  Two applications with one key drop the same
 * elements.  Each layer's nodes are labelled with its name ("3.conv2d"); no label
 * holds afterwards. */
pdr_node pdr_model_apply(const pdr_model *m, pdr_graph *g, pdr_apply *a, pdr_node x);

/* ---- kinds of layers ------------------------------------------------------------ */

/* What a layer sees while it is applied. */
typedef struct pdr_layer pdr_layer;

/* What a layer sees while it is written down for other engines. */
typedef struct pdr_layer_onnx pdr_layer_onnx;

typedef struct pdr_layer_kind {
    pdr_kind kind;
    pdr_node (*apply)(pdr_layer *l, const void *self, pdr_node x);
    /* The layer in evaluation, as operators of ONNX.  NULL: it has no such form. */
    void (*onnx)(pdr_layer_onnx *o, const void *self);
} pdr_layer_kind;

pdr_graph *pdr_layer_graph(pdr_layer *l);
bool pdr_layer_training(const pdr_layer *l);

/* The layer's next parameter: declared the first time, handed out afterwards.
 * init is a pdr_init; a bias is no weight: it does not decay. */
pdr_node pdr_layer_weight(pdr_layer *l, const char *name, pdr_shape shape, int init, double fan_in,
                          double fan_out);
pdr_node pdr_layer_bias(pdr_layer *l, const char *name, pdr_shape shape, int init, double fan_in);

/* The layer's next buffer, and its value after this step. */
pdr_node pdr_layer_buffer(pdr_layer *l, const char *name, pdr_shape shape, int init);
void pdr_layer_buffer_set(pdr_layer *l, pdr_node buffer, pdr_node value);

/* Said by a layer that mixes examples in evaluation: pdr_model_mixes. */
void pdr_layer_mixes(pdr_layer *l);

/* The key of this step, and a stream number (two wide) of this layer's own. */
pdr_node pdr_layer_key(pdr_layer *l, uint32_t *stream);

#ifdef __cplusplus
}
#endif
#endif
