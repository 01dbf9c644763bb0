/* bench/sinusoid.c -- one meta-iteration of MAML on sinusoids.
 *
 * Finn, Abbeel & Levine, "Model-agnostic meta-learning for fast adaptation of deep
 * networks", ICML 2017, section 5.1: y = A sin(x + phase), A on [0.1, 5), phase on
 * [0, pi), x on [-5, 5); a network 1-width-width-1 with ReLU; one inner step of rate
 * 0.01 on the support points; the mean squared error on as many query points goes to
 * Adam (0.001).  First order: the inner gradient counts as a constant. */
#include <math.h>
#include <perdure/nn.h>

#include "bench/bench.h"

enum { SINUSOID_PARAMS = 6 };

/* The targets of the points of the input before; support and query of one task, which
 * are inputs 0, 1 and 2, 3, are of the same wave. */
static void sinusoid_targets(pdi_work *w, size_t i, int set, pdr_rng *r)
{
    const pdi_place_of *p = &w->in[i];
    const float *x = w->in[i - 1].at[set];
    float *y = p->at[set];
    int32_t tasks = pdr_node_shape(w->g, p->node).dim[0];
    r->sub = 1;
    for (int64_t k = 0, each = p->size / tasks; k < p->size; k++) {
        if (k % each == 0) r->counter = ((uint64_t)set << 40) + 2 * (uint64_t)(k / each);
        pdr_rng task = *r;
        double amplitude = 0.1 + 4.9 * (double)pdr_rng_uniform(&task);
        double phase = 3.14159265358979 * (double)pdr_rng_uniform(&task);
        y[k] = (float)(amplitude * sin((double)x[k] + phase));
    }
}

static pdr_node sinusoid_loss(pdr_graph *g, const pdr_node theta[], pdr_node x, pdr_node y)
{
    pdr_node h = pdr_relu(g, pdr_dense(g, x, theta[0], theta[1]));
    h = pdr_relu(g, pdr_dense(g, h, theta[2], theta[3]));
    return pdr_mean_all(g, pdr_mse(g, pdr_dense(g, h, theta[4], theta[5]), y));
}

/* The query loss of one task after one inner step.  data: support x, y; query x, y. */
static pdr_node sinusoid_task(pdr_graph *g, const pdr_node theta[], const pdr_node data[],
                              bool is_exact)
{
    pdr_node grad[SINUSOID_PARAMS], adapted[SINUSOID_PARAMS];
    pdr_grad(g, sinusoid_loss(g, theta, data[0], data[1]), SINUSOID_PARAMS, theta, grad);
    for (int i = 0; i < SINUSOID_PARAMS; i++) {
        pdr_node step = pdr_scale(g, 0.01, grad[i]);
        adapted[i] = pdr_sub(g, theta[i], is_exact ? step : pdr_stop(g, step));
    }
    return sinusoid_loss(g, adapted, data[2], data[3]);
}

/* Multiply-adds a point, with f forward and f1 in the first layer: a loss and its
 * gradient take 3 f - f1, the product of the Hessian with a vector 6 f - 4 f1. */
static double sinusoid_flops(int32_t tasks, int32_t points, double width, bool is_exact)
{
    double f = width + width * width + width, f1 = width;
    double macs = 2 * (3 * f - f1) + (is_exact ? 6 * f - 4 * f1 : 0);
    return 2.0 * tasks * points * macs;
}

void pdi_bench_sinusoid(pdi_work *w, const int32_t dim[])
{
    int32_t tasks = dim[0], points = dim[1], width = dim[2];
    bool is_exact = dim[3] != 0;
    pdr_shape all = PDR_SHAPE(tasks, points, 1), one = PDR_SHAPE(points, 1);
    pdr_node data[4], batch[4], theta[SINUSOID_PARAMS], loss, losses;
    for (int i = 0; i < 4; i++) {
        batch[i] = pdi_work_data(w, PDR_F32, all, i % 2 ? sinusoid_targets : pdi_fill_uniform, -5,
                                 5);
        data[i] = pdr_input(w->g, PDR_F32, one);
    }
    theta[0] = pdi_work_weight(w, PDR_SHAPE(width, 1), 1);
    theta[1] = pdi_work_start(w, PDR_SHAPE(width), 0);
    theta[2] = pdi_work_weight(w, PDR_SHAPE(width, width), width);
    theta[3] = pdi_work_start(w, PDR_SHAPE(width), 0);
    theta[4] = pdi_work_weight(w, PDR_SHAPE(1, width), width);
    theta[5] = pdi_work_start(w, PDR_SHAPE(1), 0);
    loss = sinusoid_task(w->g, theta, data, is_exact);
    pdr_vmap(w->g, tasks, 4, data, batch, 1, &loss, &losses);
    pdi_work_train(w, pdr_mean_all(w->g, losses), "adam", 0.001);
    w->flops = sinusoid_flops(tasks, points, width, is_exact);
}
