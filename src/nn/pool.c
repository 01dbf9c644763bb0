/* nn/pool.c -- the largest and the mean of each window of an image. */
#include "nn/layer.h"

/* x [n, c, h, w] -> [n, c, h', size, w', size]; null, with an error, where it does not fit. */
static pdr_node pool_windows(pdr_graph *g, const char *what, pdr_node x, int32_t size,
                             int32_t stride)
{
    pdr_shape s = pdr_node_shape(g, x);
    char text[PDR_SHAPE_TEXT];
    if (!x.id) return x;
    if (s.rank != 4 || size < 1 || stride < 1 || size > s.dim[2] || size > s.dim[3])
        return pdi_nn_fail(g,
                           "%s: x %s, size %d, stride %d: need [n, c, h, w] with h and w at "
                           "least size, and a stride of at least 1",
                           what, pdr_shape_text(&s, text), size, stride);
    return pdr_window(g, pdr_window(g, x, 2, size, stride, 1), 4, size, stride, 1);
}

/* The taps go before the channels, so that the largest is sought for a whole
 * row of windows side by side.  Among equals the first in reading order wins. */
pdr_node pdr_max_pool2d(pdr_graph *g, pdr_node x, int32_t size, int32_t stride)
{
    x = pool_windows(g, "max_pool2d", x, size, stride);
    if (!x.id) return x;
    pdr_shape s = pdr_node_shape(g, x);
    x = pdr_permute(g, x, (int32_t[]){0, 3, 5, 1, 2, 4}); /* n kh kw c h' w' */
    x = pdr_reshape(g, x, PDR_SHAPE(s.dim[0], size * size, s.dim[1], s.dim[2], s.dim[4]));
    return pdr_max(g, x, 1);
}

pdr_node pdr_avg_pool2d(pdr_graph *g, pdr_node x, int32_t size, int32_t stride)
{
    x = pool_windows(g, "avg_pool2d", x, size, stride);
    return x.id ? pdr_mean(g, x, 1u << 3 | 1u << 5) : x;
}

/* ---- the layers --------------------------------------------------------------------- */

typedef struct pool {
    int64_t size, stride;
} pool;

static const pdr_option pool_options[] = {
    PDR_OPTION_COUNT(pool, size, 2, 1, 1024, "height and width of a window, pixels"),
    PDR_OPTION_COUNT(pool, stride, 0, 0, 1024, "pixels from one window to the next; 0: size"),
    PDR_OPTION_END,
};

static pdr_node pool_apply(pdr_layer *l, const pool *o, pdr_node x,
                           pdr_node (*fn)(pdr_graph *, pdr_node, int32_t, int32_t))
{
    if (!pdi_layer_image(l, x, o->size, 0)) return (pdr_node){0};
    int64_t stride = o->stride ? o->stride : o->size;
    return fn(pdr_layer_graph(l), x, (int32_t)o->size, (int32_t)stride);
}

static pdr_node pool_max(pdr_layer *l, const void *self, pdr_node x)
{
    return pool_apply(l, self, x, pdr_max_pool2d);
}

static pdr_node pool_avg(pdr_layer *l, const void *self, pdr_node x)
{
    return pool_apply(l, self, x, pdr_avg_pool2d);
}

static void pool_onnx(pdr_layer_onnx *o, const pool *p, const char *op)
{
    int64_t stride = p->stride ? p->stride : p->size;
    const pdi_onnx_attr attr[] = {PDI_ONNX_LIST("kernel_shape", 2, p->size, p->size),
                                  PDI_ONNX_LIST("strides", 2, stride, stride)};
    pdi_layer_onnx_step(o, op, 0, NULL, 2, attr);
}

static void pool_max_onnx(pdr_layer_onnx *o, const void *self) { pool_onnx(o, self, "MaxPool"); }

static void pool_avg_onnx(pdr_layer_onnx *o, const void *self)
{
    pool_onnx(o, self, "AveragePool");
}

const pdr_layer_kind pdi_layer_max_pool = {.kind = {.name = "max_pool",
                                                    .title = "Largest of each window",
                                                    .self_size = sizeof(pool),
                                                    .options = pool_options},
                                           .apply = pool_max,
                                           .onnx = pool_max_onnx};

const pdr_layer_kind pdi_layer_avg_pool = {.kind = {.name = "avg_pool",
                                                    .title = "Mean of each window",
                                                    .self_size = sizeof(pool),
                                                    .options = pool_options},
                                           .apply = pool_avg,
                                           .onnx = pool_avg_onnx};
