/* lifelong/pnn.c -- progressive neural networks.
 *
 * Rusu et al., "Progressive neural networks", 2016, equation 1: a network (a column)
 * for each task; those of earlier tasks are frozen, and what enters their layers also
 * enters the layers of the new one, through lateral connections U.
 *
 *     h_i^(k) = f( W_i^(k) h_{i-1}^(k) + Σ_{j<k} U_i^(k:j) h_{i-1}^(j) )     i ≥ 2
 *
 * This is the linear form; the paper's equation 2 puts a small network in the place of
 * each U.  A lateral connection is what the layer it joins is: a product for units, a
 * convolution for images, its window and stride being those that fit the two shapes.
 * The first layer with weights has none: it sees the example, as in every column.
 *
 * State: column.k, the network of task k > 1 (that of task 1 is the model); lateral.k.j.i,
 * U from column j into visited layer i of column k. */
#include "method/methods.h"

#include <stdio.h>

/* What is built of the columns: in[j * layers + i] enters visited layer i of column j. */
typedef struct pnn {
    pdr_build *b;
    pdr_tensors in, laterals;
    size_t layers;
    int32_t column;
    size_t layer; /* visited so far */
} pnn;

static const char pnn_unfit[] = "pnn: a layer's output has other axes than its input, or is "
                                "larger; give dense layers, or convolutions without more "
                                "padding than half their window";

/* U h where both are images: window and stride from their sizes. */
static pdr_node pnn_convolve(pdr_build *b, const char *name, pdr_node h, pdr_shape to,
                             pdr_tensors *made)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_shape from = pdr_node_shape(g, h);
    if (from.rank != 4 || from.dim[2] < to.dim[2] || from.dim[3] < to.dim[3])
        return pdr_graph_fail(g, pnn_unfit);
    int32_t stride = from.dim[2] / to.dim[2];
    int32_t tall = from.dim[2] - (to.dim[2] - 1) * stride,
            wide = from.dim[3] - (to.dim[3] - 1) * stride;
    if (tall < 1 || wide < 1) return pdr_graph_fail(g, pnn_unfit);
    double fan = (double)tall * wide;
    made->v[0] = pdr_build_weight(b, name, PDR_SHAPE(to.dim[1], from.dim[1], tall, wide),
                                  PDR_INIT_FAN_IN_UNIFORM, fan * from.dim[1], fan * to.dim[1]);
    return pdr_conv2d(g, h, made->v[0], stride, 0);
}

/* U h, shaped `to`; the weight goes to made. */
static pdr_node pnn_lateral(pdr_build *b, const char *name, pdr_node h, pdr_shape to,
                            pdr_tensors *made)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_shape from = pdr_node_shape(g, h);
    if (to.rank == 4) return pnn_convolve(b, name, h, to, made);
    if (to.rank != 2) return pdr_graph_fail(g, pnn_unfit);
    int32_t width = (int32_t)(pdr_shape_size(&from) / from.dim[0]);
    made->v[0] = pdr_build_weight(b, name, PDR_SHAPE(to.dim[1], width), PDR_INIT_FAN_IN_UNIFORM,
                                  width, to.dim[1]);
    return pdr_dot(g, pdr_reshape(g, h, PDR_SHAPE(from.dim[0], width)), made->v[0]);
}

static pdr_node pnn_visit(void *ctx, size_t layer, pdr_node in, pdr_node out)
{
    pnn *p = ctx;
    pdr_graph *g = pdr_build_graph(p->b);
    size_t i = p->layer++;
    (void)layer;
    if (!p->in.n) return out;
    p->in.v[(size_t)p->column * p->layers + i] = in;
    for (int32_t j = 0; i > 0 && j < p->column; j++) {
        char name[64];
        pdr_node h = p->in.v[(size_t)j * p->layers + i];
        pdr_tensors one = pdr_build_list(p->b, 1);
        if (!one.n) return out;
        snprintf(name, sizeof name, "lateral.%d.%d.%zu", p->column + 1, j + 1, i + 1);
        out = pdr_add(g, out, pnn_lateral(p->b, name, h, pdr_node_shape(g, out), &one));
        p->laterals = pdr_build_join(p->b, p->laterals, one);
    }
    return out;
}

/* Column k: the model's own parameters to learn task 1, and frozen ever after. */
static pdr_tensors pnn_column(pdr_build *b, int32_t k, bool learns)
{
    char name[32];
    if (k == 0) return learns ? pdr_build_params(b) : pdr_build_copy(b, "param");
    snprintf(name, sizeof name, "column.%d", k + 1);
    return pdr_build_net(b, name);
}

/* Outputs of the column of the task, which learns, or of a past one. */
static pdr_node pnn_outputs(pdr_build *b, pdr_batch batch, bool learns)
{
    pnn p = {.b = b, .layers = pdr_build_params(b).n};
    int32_t last = pdr_build_task(b);
    pdr_node y = {0};
    p.in = pdr_build_list(b, p.layers * (size_t)(last + 1));
    for (p.column = 0; p.column <= last; p.column++) {
        bool trained = learns && p.column == last;
        pdr_tensors theta = pnn_column(b, p.column, trained);
        p.layer = 0;
        p.laterals = (pdr_tensors){0};
        if (trained) pdr_build_train(b, theta);
        y = pdr_build_visit(b, theta, batch, pnn_visit, &p);
    }
    if (learns && p.laterals.n) pdr_build_train(b, p.laterals);
    return y;
}

static pdr_node pnn_loss(pdr_build *b, const void *self)
{
    (void)self;
    pdr_batch batch = pdr_build_batch(b);
    return pdr_build_loss_of(b, pnn_outputs(b, batch, true), batch);
}

static pdr_node pnn_predict(pdr_build *b, const void *self, pdr_batch batch)
{
    (void)self;
    return pnn_outputs(b, batch, false);
}

const pdr_method pdi_method_pnn = {
    .kind =
        {
            .name = "pnn",
            .title = "Progressive neural networks",
            .cite = "Rusu et al., Progressive neural networks, 2016",
            .equation =
                "h_i^(k) = f( W_i^(k) h_{i-1}^(k) + Σ_{j<k} U_i^(k:j) h_{i-1}^(j) ), i >= 2",
            .cost = "memory: a network a task, and connections between each two; time: task k "
                    "runs k networks forward and learns one",
            .options = pdi_no_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_TASK,
    .loss = pnn_loss,
    .predict = pnn_predict,
};
