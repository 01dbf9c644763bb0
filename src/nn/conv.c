/* nn/conv.c -- convolution as a product of filters and windows. */
#include "nn/layer.h"

/* Zeros on both ends of axes 1 and 2 of [n, h, w, c]. */
static pdr_node conv_pad(pdr_graph *g, pdr_node x, int32_t padding)
{
    pdr_shape s = pdr_node_shape(g, x);
    if (!padding || !x.id) return x;
    for (int axis = 1; axis < 3; axis++)
        x = pdr_pad(g, x, axis, padding, s.dim[axis] + 2 * padding, 1);
    return x;
}

/* Channels are innermost here, [n, h, w, c]: a window's row then is kw x c numbers in a
 * row of memory, so that copying windows, and adding their gradients back, runs along
 * memory.  Images keep their axes [n, c, h, w] outside; permuting them costs nothing,
 * because the planner lets maps between two convolutions keep the layout. */
static pdr_node conv_product(pdr_graph *g, pdr_node x, pdr_node filters, int32_t stride)
{
    pdr_shape f = pdr_node_shape(g, filters);
    int32_t taps = f.dim[1] * f.dim[2] * f.dim[3];
    x = pdr_window(g, x, 1, f.dim[2], stride, 1); /* n h' kh w c     */
    x = pdr_window(g, x, 3, f.dim[3], stride, 1); /* n h' kh w' kw c */
    if (!x.id) return x;
    pdr_shape s = pdr_node_shape(g, x);
    int64_t places = (int64_t)s.dim[0] * s.dim[1] * s.dim[3];
    if (places > INT32_MAX) return pdi_nn_fail(g, "conv2d: the images of a batch are too many");
    x = pdr_permute(g, x, (int32_t[]){0, 1, 3, 2, 4, 5}); /* n h' w' kh kw c */
    x = pdr_reshape(g, x, PDR_SHAPE((int32_t)places, taps));
    pdr_node w = pdr_permute(g, filters, (int32_t[]){0, 2, 3, 1}); /* o kh kw c */
    pdr_node y = pdr_dot(g, x, pdr_reshape(g, w, PDR_SHAPE(f.dim[0], taps)));
    y = pdr_reshape(g, y, PDR_SHAPE(s.dim[0], s.dim[1], s.dim[3], f.dim[0]));
    return pdr_permute(g, y, (int32_t[]){0, 3, 1, 2});
}

pdr_node pdr_conv2d(pdr_graph *g, pdr_node x, pdr_node filters, int32_t stride, int32_t padding)
{
    pdr_shape xs = pdr_node_shape(g, x), f = pdr_node_shape(g, filters);
    char xt[PDR_SHAPE_TEXT], ft[PDR_SHAPE_TEXT];
    if (!x.id || !filters.id) return (pdr_node){0};
    if (xs.rank != 4 || f.rank != 4 || xs.dim[1] != f.dim[1])
        return pdi_nn_fail(g, "conv2d: x %s and filters %s: need [n, c, h, w] and [o, c, kh, kw]",
                           pdr_shape_text(&xs, xt), pdr_shape_text(&f, ft));
    if (stride < 1 || padding < 0 || padding > 1 << 20)
        return pdi_nn_fail(g,
                           "conv2d: stride %d, padding %d: the stride is at least 1, the "
                           "padding 0 to 2^20",
                           stride, padding);
    x = pdr_permute(g, x, (int32_t[]){0, 2, 3, 1});
    return conv_product(g, conv_pad(g, x, padding), filters, stride);
}

/* ---- the layer ------------------------------------------------------------------- */

typedef struct conv {
    int64_t filters, size, stride, padding;
    int init; /* pdr_init */
    bool bias;
} conv;

static const pdr_option conv_options[] = {
    PDR_OPTION_COUNT(conv, filters, 32, 1, 1e5, "output channels"),
    PDR_OPTION_COUNT(conv, size, 3, 1, 1024, "height and width of a filter, pixels"),
    PDR_OPTION_COUNT(conv, stride, 1, 1, 1024, "pixels from one place of a filter to the next"),
    PDR_OPTION_COUNT(conv, padding, -1, -1, 1024,
                     "zeros on each side, pixels; -1: size / 2, which keeps the image's size when "
                     "size is odd and stride is 1"),
    PDR_OPTION_CHOICE(conv, init, pdi_init_names, PDR_INIT_HE_NORMAL,
                      "initial weights; fan-in-uniform draws the biases too"),
    PDR_OPTION_FLAG(conv, bias, true, "add a learned bias to each channel"),
    PDR_OPTION_END,
};

static int32_t conv_padding(const conv *o)
{
    return (int32_t)(o->padding < 0 ? o->size / 2 : o->padding);
}

static pdr_node conv_apply(pdr_layer *l, const void *self, pdr_node x)
{
    const conv *o = self;
    pdr_graph *g = pdr_layer_graph(l);
    int32_t out = (int32_t)o->filters, k = (int32_t)o->size;
    int32_t padding = conv_padding(o);
    if (!pdi_layer_image(l, x, o->size, padding)) return (pdr_node){0};
    int32_t in = pdr_node_shape(g, x).dim[1];
    double area = (double)k * k;
    /* Kept as [o, kh, kw, c], the order in which the product reads them. */
    pdr_node f = pdr_layer_weight(l, "weight", PDR_SHAPE(out, k, k, in), o->init, in * area,
                                  out * area);
    f = pdr_permute(g, f, (int32_t[]){0, 3, 1, 2});
    pdr_node y = pdr_conv2d(g, x, f, (int32_t)o->stride, padding);
    if (!o->bias) return y;
    pdr_node b = pdr_layer_bias(l, "bias", PDR_SHAPE(out), pdi_bias_init(o->init), in * area);
    return pdr_add(g, y, pdr_reshape(g, b, PDR_SHAPE(out, 1, 1)));
}

/* ONNX wants filters as [o, c, kh, kw]. */
static void conv_onnx_filters(pdr_layer_onnx *o, char at[PDI_ONNX_NAME])
{
    pdr_shape s;
    const float *from = pdi_layer_onnx_value(o, "weight", &s);
    pdi_onnx *to = pdi_layer_onnx_to(o, "weight", at);
    if (!from) return;
    int32_t taps = s.dim[1] * s.dim[2], channels = s.dim[3];
    float *w = pdi_new(to->tensor.alloc, (size_t)pdr_shape_size(&s), sizeof *w), *next = w;
    for (int32_t k = 0; w && k < s.dim[0]; k++, from += (int64_t)taps * channels)
        for (int32_t c = 0; c < channels; c++)
            for (int32_t i = 0; i < taps; i++) *next++ = from[(int64_t)i * channels + c];
    if (w)
        pdi_onnx_tensor(to, at, PDI_ONNX_FLOAT, &PDR_SHAPE(s.dim[0], channels, s.dim[1], s.dim[2]),
                        w, sizeof *w);
    else
        to->tensor.failed = true;
    pdi_free(to->tensor.alloc, w);
}

static void conv_onnx(pdr_layer_onnx *o, const void *self)
{
    const conv *c = self;
    char w[PDI_ONNX_NAME], b[PDI_ONNX_NAME];
    const char *more[] = {w, b};
    int32_t p = conv_padding(c);
    const pdi_onnx_attr attr[] = {PDI_ONNX_LIST("kernel_shape", 2, c->size, c->size),
                                  PDI_ONNX_LIST("pads", 4, p, p, p, p),
                                  PDI_ONNX_LIST("strides", 2, c->stride, c->stride)};
    conv_onnx_filters(o, w);
    if (c->bias) pdi_layer_onnx_tensor(o, "bias", b);
    pdi_layer_onnx_step(o, "Conv", c->bias ? 2 : 1, more, 3, attr);
}

const pdr_layer_kind pdi_layer_conv2d = {
    .kind = {.name = "conv2d",
             .title = "Convolution of images",
             .cite = "LeCun et al., Gradient-based learning applied to document recognition, 1998",
             .equation = "y[o,i,j] = b[o] + sum_c,p,q f[o,c,p,q] x[c, i stride + p, j stride + q]",
             .cost = "filters x channels x size^2 weights",
             .self_size = sizeof(conv),
             .options = conv_options},
    .apply = conv_apply,
    .onnx = conv_onnx,
};
