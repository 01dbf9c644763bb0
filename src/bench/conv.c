/* bench/conv.c -- one meta-iteration of MAML on images of 28 x 28, exact second order.
 *
 * The network of Finn, Abbeel & Levine 2017, section 5.2, strided: four times a 3 x 3
 * convolution to 64 channels with stride 2, batch norm by the statistics of the batch at
 * hand, ReLU; the mean over the last 2 x 2; a dense layer.  One inner step of rate 0.4 on
 * every parameter, as many query images as support images, Adam (0.001). */
#include <perdure/nn.h>

#include "bench/bench.h"

enum { CONV_LAYERS = 4, CONV_PARAMS = 3 * CONV_LAYERS + 2 };

typedef struct conv_size {
    int32_t tasks, ways, channels, side;
} conv_size;

/* Every task has one image of each class, in order. */
static void conv_labels(pdi_work *w, size_t i, int set, pdr_rng *r)
{
    const pdi_place_of *p = &w->in[i];
    int32_t *label = p->at[set], ways = (int32_t)p->hi;
    (void)r;
    for (int64_t k = 0; k < p->size; k++) label[k] = (int32_t)(k % ways);
}

static void conv_params(pdi_work *w, const conv_size *s, pdr_node theta[])
{
    for (int32_t i = 0, in = 1; i < CONV_LAYERS; i++, in = s->channels) {
        theta[3 * i] = pdi_work_weight(w, PDR_SHAPE(s->channels, in, 3, 3), 9 * in);
        theta[3 * i + 1] = pdi_work_start(w, PDR_SHAPE(s->channels), 1);
        theta[3 * i + 2] = pdi_work_start(w, PDR_SHAPE(s->channels), 0);
    }
    theta[CONV_PARAMS - 2] = pdi_work_weight(w, PDR_SHAPE(s->ways, s->channels), s->channels);
    theta[CONV_PARAMS - 1] = pdi_work_start(w, PDR_SHAPE(s->ways), 0);
}

static pdr_node conv_loss(pdr_graph *g, const pdr_node theta[], pdr_node x, pdr_node label)
{
    pdr_shape channel = PDR_SHAPE(pdr_node_shape(g, theta[0]).dim[0], 1, 1);
    for (int i = 0; i < CONV_LAYERS; i++) {
        x = pdr_normalise(g, pdr_conv2d(g, x, theta[3 * i], 2, 1), 1 << 0 | 1 << 2 | 1 << 3, 1e-5);
        x = pdr_mul(g, x, pdr_reshape(g, theta[3 * i + 1], channel));
        x = pdr_relu(g, pdr_add(g, x, pdr_reshape(g, theta[3 * i + 2], channel)));
    }
    x = pdr_mean(g, x, 1 << 2 | 1 << 3);
    pdr_node logits = pdr_dense(g, x, theta[CONV_PARAMS - 2], theta[CONV_PARAMS - 1]);
    return pdr_mean_all(g, pdr_cross_entropy(g, logits, label));
}

/* data: support images, labels; query images, labels. */
static pdr_node conv_task(pdr_graph *g, const pdr_node theta[], const pdr_node data[])
{
    pdr_node grad[CONV_PARAMS], adapted[CONV_PARAMS];
    pdr_grad(g, conv_loss(g, theta, data[0], data[1]), CONV_PARAMS, theta, grad);
    for (int i = 0; i < CONV_PARAMS; i++)
        adapted[i] = pdr_sub(g, theta[i], pdr_scale(g, 0.4, grad[i]));
    return conv_loss(g, adapted, data[2], data[3]);
}

/* Multiply-adds an image, taps that meet an image and not its border; a convolution with
 * side s has (3 s / 2 - 1)^2 of them where s is even, and (3 (s + 1) / 2 - 2)^2 where it is
 * odd.  A loss and its gradient take 3 f - f1, a Hessian's product 6 f - 4 f1. */
static double conv_flops(const conv_size *s)
{
    double f = (double)s->ways * s->channels, f1 = 0;
    for (int32_t i = 0, in = 1, side = s->side; i < CONV_LAYERS; i++, in = s->channels) {
        int32_t taps = side % 2 ? 3 * (side + 1) / 2 - 2 : 3 * side / 2 - 1;
        double macs = (double)taps * taps * in * s->channels;
        side = (side + 1) / 2;
        f += macs;
        if (i == 0) f1 = macs;
    }
    return 2.0 * s->tasks * s->ways * (2 * (3 * f - f1) + 6 * f - 4 * f1);
}

void pdi_bench_conv_maml(pdi_work *w, const int32_t dim[])
{
    conv_size s = {dim[0], dim[1], dim[2], dim[3]};
    pdr_shape images = PDR_SHAPE(s.tasks, s.ways, 1, s.side, s.side);
    pdr_node data[4], batch[4], theta[CONV_PARAMS], loss, losses;
    for (int i = 0; i < 4; i += 2) {
        batch[i] = pdi_work_data(w, PDR_F32, images, pdi_fill_uniform, 0, 1);
        batch[i + 1] = pdi_work_data(w, PDR_I32, PDR_SHAPE(s.tasks, s.ways), conv_labels, 0,
                                     s.ways);
        data[i] = pdr_input(w->g, PDR_F32, PDR_SHAPE(s.ways, 1, s.side, s.side));
        data[i + 1] = pdr_input(w->g, PDR_I32, PDR_SHAPE(s.ways));
    }
    conv_params(w, &s, theta);
    loss = conv_task(w->g, theta, data);
    pdr_vmap(w->g, s.tasks, 4, data, batch, 1, &loss, &losses);
    pdi_work_train(w, pdr_mean_all(w->g, losses), "adam", 0.001);
    w->flops = conv_flops(&s);
}
