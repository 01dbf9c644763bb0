/* bench/train.c -- a training step: parameters, gradient, update in place. */
#include <math.h>
#include <perdure/opt.h>

#include "bench/bench.h"

static pdr_node train_param(pdi_work *w, pdr_shape shape, double mean, double deviation)
{
    if (w->params == PDI_WORK_PARAMS) return pdr_graph_fail(w->g, "bench: too many parameters");
    w->param[w->params++] = w->n_in;
    return pdi_work_value(w, shape, pdi_fill_normal, mean, deviation);
}

pdr_node pdi_work_weight(pdi_work *w, pdr_shape shape, int32_t fan_in)
{
    return train_param(w, shape, 0, sqrt(2.0 / fan_in));
}

pdr_node pdi_work_start(pdi_work *w, pdr_shape shape, double value)
{
    return train_param(w, shape, value, 0);
}

static void train_update(pdi_work *w, const pdr_choice *o, const pdr_node theta[],
                         const pdr_node grad[])
{
    pdr_node next[PDI_WORK_PARAMS], state[PDI_WORK_PLACES], state_next[PDI_WORK_PLACES];
    pdr_shape shape[PDI_WORK_PARAMS];
    size_t states = pdr_optimizer_states(o, w->params), first = w->n_in + 1;
    for (size_t i = 0; i < w->params; i++) shape[i] = pdr_node_shape(w->g, theta[i]);
    double base = pdr_optimizer_rate(o);
    pdr_node rate = pdi_work_value(w, PDR_SCALAR, pdi_fill_normal, base, 0);
    for (size_t i = 0; i < states; i++) {
        float start;
        pdr_shape s = pdr_optimizer_state(o, w->params, shape, i, &start);
        state[i] = pdi_work_value(w, s, pdi_fill_normal, (double)start, 0);
    }
    pdr_optimizer_update(o, w->g, w->params, theta, grad, NULL, rate, state, next, state_next);
    for (size_t i = 0; i < w->params; i++) pdi_work_output(w, next[i], (int32_t)w->param[i]);
    for (size_t i = 0; i < states; i++) pdi_work_output(w, state_next[i], (int32_t)(first + i));
}

void pdi_work_train(pdi_work *w, pdr_node loss, const char *optimizer, double rate)
{
    union {
        double real[32];
        char bytes[1];
    } options; /* aligned for any table's struct */
    pdr_choice o = {pdr_kind_find(PDR_KIND_OPTIMIZER, optimizer), options.bytes};
    pdr_node theta[PDI_WORK_PARAMS], grad[PDI_WORK_PARAMS];
    const pdr_option *row = o.kind ? pdr_option_find(o.kind->options, "rate") : NULL;
    if (!row || o.kind->self_size > sizeof options) {
        pdr_graph_fail(w->g, "bench: this optimizer is unknown");
        return;
    }
    pdr_option_defaults(o.kind->options, o.self);
    *(double *)(void *)(options.bytes + row->at) = rate;
    for (size_t i = 0; i < w->params; i++) theta[i] = w->in[w->param[i]].node;
    pdi_work_output(w, loss, -1);
    pdr_grad(w->g, loss, w->params, theta, grad);
    pdr_graph_label(w->g, optimizer);
    train_update(w, &o, theta, grad);
    pdr_graph_label(w->g, NULL);
}
