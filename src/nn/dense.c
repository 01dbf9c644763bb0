/* nn/dense.c -- fully connected layers. */
#include "nn/layer.h"

/* [b, ...] -> [b, f]; a number an example becomes one feature. */
pdr_node pdi_flatten(pdr_graph *g, pdr_node x)
{
    pdr_shape s = pdr_node_shape(g, x);
    if (!x.id || s.rank < 1) return x;
    int64_t n = pdr_shape_size(&s) / s.dim[0];
    if (n > INT32_MAX) return pdi_nn_fail(g, "flatten: %lld elements are too many", (long long)n);
    return pdr_reshape(g, x, PDR_SHAPE(s.dim[0], (int32_t)n));
}

/* The leading axes of x are so many rows of one product. */
pdr_node pdr_dense(pdr_graph *g, pdr_node x, pdr_node w, pdr_node b)
{
    pdr_shape xs = pdr_node_shape(g, x), ws = pdr_node_shape(g, w);
    if (!x.id || !w.id) return (pdr_node){0};
    if (xs.rank < 1 || ws.rank != 2 || xs.dim[xs.rank - 1] != ws.dim[1]) {
        char xt[PDR_SHAPE_TEXT], wt[PDR_SHAPE_TEXT];
        return pdi_nn_fail(g, "dense: x %s and w %s: need [..., in] and [out, in]",
                           pdr_shape_text(&xs, xt), pdr_shape_text(&ws, wt));
    }
    int64_t rows = pdr_shape_size(&xs) / ws.dim[1];
    if (rows > INT32_MAX) return pdi_nn_fail(g, "dense: %lld rows are too many", (long long)rows);
    pdr_shape ys = xs;
    ys.dim[ys.rank - 1] = ws.dim[0];
    pdr_node y = pdr_dot(g, pdr_reshape(g, x, PDR_SHAPE((int32_t)rows, ws.dim[1])), w);
    y = pdr_reshape(g, y, ys);
    return b.id ? pdr_add(g, y, b) : y;
}

/* ---- the layers ---------------------------------------------------------------- */

typedef struct dense {
    int64_t units;
    int init; /* pdr_init */
    bool bias;
} dense;

static const pdr_option dense_options[] = {
    PDR_OPTION_COUNT(dense, units, 100, 1, 1e6, "outputs"),
    PDR_OPTION_CHOICE(dense, init, pdi_init_names, PDR_INIT_HE_NORMAL,
                      "initial weights; fan-in-uniform draws the biases too"),
    PDR_OPTION_FLAG(dense, bias, true, "add a learned bias to each output"),
    PDR_OPTION_END,
};

static pdr_node dense_apply(pdr_layer *l, const void *self, pdr_node x)
{
    const dense *o = self;
    pdr_graph *g = pdr_layer_graph(l);
    int32_t out = (int32_t)o->units;
    x = pdi_flatten(g, x);
    if (!x.id) return x;
    int32_t in = pdr_node_shape(g, x).dim[1];
    pdr_node w = pdr_layer_weight(l, "weight", PDR_SHAPE(out, in), o->init, in, out), b = {0};
    if (o->bias) b = pdr_layer_bias(l, "bias", PDR_SHAPE(out), pdi_bias_init(o->init), in);
    return pdr_dense(g, x, w, b);
}

pdr_node pdi_dense_output(pdr_layer *l, pdr_node x, int32_t units)
{
    return dense_apply(l, &(dense){.units = units, .init = PDR_INIT_FAN_IN_UNIFORM, .bias = true},
                       x);
}

void pdi_dense_onnx(pdr_layer_onnx *o, bool bias)
{
    static const pdi_onnx_attr as_kept[] = {PDI_ONNX_INT("transB", 1)}; /* [out, in] */
    char w[PDI_ONNX_NAME], b[PDI_ONNX_NAME];
    const char *more[] = {w, b};
    pdi_layer_onnx_flatten(o);
    pdi_layer_onnx_tensor(o, "weight", w);
    if (bias) pdi_layer_onnx_tensor(o, "bias", b);
    pdi_layer_onnx_step(o, "Gemm", bias ? 2 : 1, more, 1, as_kept);
}

static void dense_onnx(pdr_layer_onnx *o, const void *self)
{
    pdi_dense_onnx(o, ((const dense *)self)->bias);
}

const pdr_layer_kind pdi_layer_dense = {.kind = {.name = "dense",
                                                 .title = "Fully connected",
                                                 .equation = "y = W x + b",
                                                 .cost = "in x out weights",
                                                 .self_size = sizeof(dense),
                                                 .options = dense_options},
                                        .apply = dense_apply,
                                        .onnx = dense_onnx};

static pdr_node dense_flatten(pdr_layer *l, const void *self, pdr_node x)
{
    (void)self;
    return pdi_flatten(pdr_layer_graph(l), x);
}

static void dense_flatten_onnx(pdr_layer_onnx *o, const void *self)
{
    (void)self;
    pdi_layer_onnx_flatten(o);
}

const pdr_layer_kind pdi_layer_flatten = {
    .kind = {.name = "flatten",
             .title = "All of an example's elements on one axis",
             .options = pdi_layer_no_options},
    .apply = dense_flatten,
    .onnx = dense_flatten_onnx,
};
