/* nn/norm.c -- batch norm and layer norm: the same sentence over other axes.
 *
 *     y = (x - mean) / sqrt(variance + epsilon)
 *
 * Mean and variance are those of the elements that share a channel (batch norm)
 * or an example (layer norm); the variance is the mean of squared deviations.
 * The layers then scale by a learned gain and add a learned bias. */
#include "nn/layer.h"

typedef struct norm_moments {
    pdr_node mean, variance; /* axes kept, at length 1 */
    pdr_node centred;        /* x - mean */
} norm_moments;

static norm_moments norm_take(pdr_graph *g, pdr_node x, uint32_t axes)
{
    norm_moments m = {.mean = pdr_mean_keep(g, x, axes)};
    m.centred = pdr_sub(g, x, m.mean);
    m.variance = pdr_mean_keep(g, pdr_square(g, m.centred), axes);
    return m;
}

/* centred / sqrt(variance + epsilon), with one division a channel, not one an element. */
static pdr_node norm_divide(pdr_graph *g, pdr_node centred, pdr_node variance, double epsilon)
{
    pdr_node root = pdr_sqrt(g, pdr_shift(g, epsilon, variance));
    return pdr_mul(g, centred, pdr_div(g, pdr_scalar(g, 1), root));
}

pdr_node pdr_normalise(pdr_graph *g, pdr_node x, uint32_t axes, double epsilon)
{
    if (!x.id) return x;
    norm_moments m = norm_take(g, x, axes);
    return norm_divide(g, m.centred, m.variance, epsilon);
}

/* ---- batch norm ------------------------------------------------------------------------ */

typedef struct norm_batch {
    double momentum, epsilon;
    bool running;
} norm_batch;

static const pdr_option norm_batch_options[] = {
    PDR_OPTION_REAL(norm_batch, momentum, 0.1, 0, 1,
                    "weight of the newest batch in the running "
                    "statistics"),
    PDR_OPTION_REAL(norm_batch, epsilon, 1e-5, 1e-12, 1, "added to the variance"),
    PDR_OPTION_FLAG(norm_batch, running, true,
                    "evaluate with running statistics; otherwise with those of the batch at hand"),
    PDR_OPTION_END,
};

/* v [c] so that it lines up with axis 1 of x [b, c, ...]. */
static pdr_node norm_channels(pdr_graph *g, pdr_node v, int rank)
{
    pdr_shape s = pdr_node_shape(g, v);
    for (int k = 1; k < rank - 1; k++) s.dim[s.rank++] = 1;
    return pdr_reshape(g, v, s);
}

/* r <- (1 - momentum) r + momentum now */
static pdr_node norm_running(pdr_graph *g, double momentum, pdr_node r, pdr_node now)
{
    now = pdr_reshape(g, now, pdr_node_shape(g, r));
    return pdr_add(g, pdr_scale(g, 1 - momentum, r), pdr_scale(g, momentum, now));
}

/* The batch's moments.  What the running variance follows is the unbiased
 * estimate, n / (n - 1) times the variance of the n values of a channel. */
static norm_moments norm_batch_moments(pdr_layer *l, const norm_batch *o, pdr_node x,
                                       const pdr_node running[2])
{
    pdr_graph *g = pdr_layer_graph(l);
    pdr_shape s = pdr_node_shape(g, x);
    double n = (double)(pdr_shape_size(&s) / s.dim[1]);
    if (n < 2) {
        pdi_layer_fail(l, "a batch of one value a channel has no variance; give two examples or "
                          "more, or use layer_norm");
        return (norm_moments){{0}, {0}, {0}};
    }
    norm_moments m = norm_take(g, x, ((1u << s.rank) - 1) & ~2u);
    if (!o->running || !pdr_layer_training(l)) return m;
    pdr_layer_buffer_set(l, running[0], norm_running(g, o->momentum, running[0], m.mean));
    pdr_node unbiased = pdr_scale(g, n / (n - 1), m.variance);
    pdr_layer_buffer_set(l, running[1], norm_running(g, o->momentum, running[1], unbiased));
    return m;
}

static norm_moments norm_running_moments(pdr_graph *g, pdr_node x, const pdr_node running[2])
{
    int rank = pdr_node_shape(g, x).rank;
    norm_moments m = {.mean = norm_channels(g, running[0], rank),
                      .variance = norm_channels(g, running[1], rank)};
    m.centred = pdr_sub(g, x, m.mean);
    return m;
}

static pdr_node norm_batch_apply(pdr_layer *l, const void *self, pdr_node x)
{
    const norm_batch *o = self;
    pdr_graph *g = pdr_layer_graph(l);
    pdr_shape s = pdr_node_shape(g, x);
    if (s.rank < 2) return pdi_layer_fail(l, "needs a channel axis; an example is one number");
    pdr_shape channels = PDR_SHAPE(s.dim[1]);
    pdr_node gain = pdr_layer_bias(l, "gain", channels, PDR_INIT_ONE, 0);
    pdr_node bias = pdr_layer_bias(l, "bias", channels, PDR_INIT_ZERO, 0);
    pdr_node running[2] = {{0}, {0}};
    if (!o->running) pdr_layer_mixes(l);
    if (o->running) {
        running[0] = pdr_layer_buffer(l, "mean", channels, PDR_INIT_ZERO);
        running[1] = pdr_layer_buffer(l, "variance", channels, PDR_INIT_ONE);
    }
    norm_moments m = o->running && !pdr_layer_training(l) ? norm_running_moments(g, x, running)
                                                          : norm_batch_moments(l, o, x, running);
    pdr_node y = norm_divide(g, m.centred, m.variance, o->epsilon);
    return pdr_add(g, pdr_mul(g, y, norm_channels(g, gain, s.rank)),
                   norm_channels(g, bias, s.rank));
}

static void norm_batch_onnx(pdr_layer_onnx *o, const void *self)
{
    const norm_batch *n = self;
    char gain[PDI_ONNX_NAME], bias[PDI_ONNX_NAME], mean[PDI_ONNX_NAME], variance[PDI_ONNX_NAME];
    const char *more[] = {
        pdi_layer_onnx_tensor(o, "gain", gain), pdi_layer_onnx_tensor(o, "bias", bias),
        pdi_layer_onnx_tensor(o, "mean", mean), pdi_layer_onnx_tensor(o, "variance", variance)};
    const pdi_onnx_attr attr[] = {PDI_ONNX_REAL("epsilon", n->epsilon)};
    pdi_layer_onnx_step(o, "BatchNormalization", 4, more, 1, attr);
}

const pdr_layer_kind pdi_layer_batch_norm = {
    .kind = {.name = "batch_norm",
             .title = "Batch normalisation",
             .cite = "Ioffe & Szegedy, Batch normalization: accelerating deep network training by "
                     "reducing internal covariate shift, ICML 2015",
             .equation = "y = gain (x - mean) / sqrt(variance + epsilon) + bias, a channel each; "
                         "running <- (1 - momentum) running + momentum batch",
             .self_size = sizeof(norm_batch),
             .options = norm_batch_options},
    .apply = norm_batch_apply,
    .onnx = norm_batch_onnx,
};

/* ---- layer norm -------------------------------------------------------------------------- */

typedef struct norm_layer {
    double epsilon;
} norm_layer;

static const pdr_option norm_layer_options[] = {
    PDR_OPTION_REAL(norm_layer, epsilon, 1e-5, 1e-12, 1, "added to the variance"),
    PDR_OPTION_END,
};

static pdr_node norm_layer_apply(pdr_layer *l, const void *self, pdr_node x)
{
    const norm_layer *o = self;
    pdr_graph *g = pdr_layer_graph(l);
    pdr_shape s = pdr_node_shape(g, x), each = {.rank = s.rank - 1};
    if (s.rank < 2) return pdi_layer_fail(l, "needs several features; an example is one number");
    for (int k = 0; k < each.rank; k++) each.dim[k] = s.dim[k + 1];
    pdr_node gain = pdr_layer_bias(l, "gain", each, PDR_INIT_ONE, 0);
    pdr_node bias = pdr_layer_bias(l, "bias", each, PDR_INIT_ZERO, 0);
    pdr_node y = pdr_normalise(g, x, ((1u << s.rank) - 1) & ~1u, o->epsilon);
    return pdr_add(g, pdr_mul(g, y, gain), bias);
}

static void norm_layer_onnx(pdr_layer_onnx *o, const void *self)
{
    const norm_layer *n = self;
    char gain[PDI_ONNX_NAME], bias[PDI_ONNX_NAME];
    const char *more[] = {pdi_layer_onnx_tensor(o, "gain", gain),
                          pdi_layer_onnx_tensor(o, "bias", bias)};
    const pdi_onnx_attr attr[] = {PDI_ONNX_INT("axis", 1), PDI_ONNX_REAL("epsilon", n->epsilon)};
    pdi_layer_onnx_step(o, "LayerNormalization", 2, more, 2, attr);
}

const pdr_layer_kind pdi_layer_layer_norm = {
    .kind = {.name = "layer_norm",
             .title = "Layer normalisation",
             .cite = "Ba, Kiros & Hinton, Layer normalization, 2016",
             .equation = "y = gain (x - mean) / sqrt(variance + epsilon) + bias, over an example",
             .self_size = sizeof(norm_layer),
             .options = norm_layer_options},
    .apply = norm_layer_apply,
    .onnx = norm_layer_onnx,
};
