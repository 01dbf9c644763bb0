/* bench/mlp.c -- a training step of a multi-layer perceptron: ReLU, cross-entropy. */
#include <perdure/nn.h>

#include "bench/bench.h"

/* Every layer takes three products (forward, both gradients); the first one's input
 * needs no gradient. */
static pdr_node mlp_loss(pdi_work *w, const int32_t dim[])
{
    int32_t batch = dim[0], layers = 0;
    while (layers + 2 < PDI_WORK_DIMS && dim[layers + 2]) layers++;
    int32_t in = dim[1], out = dim[layers + 1];
    pdr_node x = pdi_work_data(w, PDR_F32, PDR_SHAPE(batch, in), pdi_fill_uniform, 0, 1);
    pdr_node label = pdi_work_data(w, PDR_I32, PDR_SHAPE(batch), pdi_fill_label, 0, out);
    for (int32_t i = 0; i < layers; i++) {
        int32_t from = dim[i + 1], to = dim[i + 2];
        pdr_node weight = pdi_work_weight(w, PDR_SHAPE(to, from), from);
        x = pdr_dense(w->g, x, weight, pdi_work_start(w, PDR_SHAPE(to), 0));
        if (i + 1 < layers) x = pdr_relu(w->g, x);
        w->flops += 2.0 * batch * from * to * (i ? 3 : 2);
    }
    return pdr_mean_all(w->g, pdr_cross_entropy(w->g, x, label));
}

void pdi_bench_mlp(pdi_work *w, const int32_t dim[])
{
    pdi_work_train(w, mlp_loss(w, dim), "adam", 0.001);
}

void pdi_bench_mlp_sgd(pdi_work *w, const int32_t dim[])
{
    pdi_work_train(w, mlp_loss(w, dim), "sgd", 0.01);
}
