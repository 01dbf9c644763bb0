/* opt/optimizer.c -- any optimiser over a list of parameters.
 *
 * The state is one list of tensors: the shared numbers first, then slot 0 of
 * every parameter, then slot 1 of every parameter, and so on. */
#include "opt/optimizers.h"

#include <stdio.h>

/* A kind of optimiser begins with its pdr_kind. */
static const pdr_optimizer_kind *optimizer_of(const pdr_choice *o)
{
    return (const pdr_optimizer_kind *)(const void *)o->kind;
}

static size_t optimizer_scalars(const pdr_choice *o) { return (size_t)optimizer_of(o)->scalars; }

static size_t optimizer_slots(const pdr_choice *o)
{
    return (size_t)optimizer_of(o)->slots(o->self);
}

size_t pdr_optimizer_states(const pdr_choice *o, size_t n)
{
    return optimizer_scalars(o) + optimizer_slots(o) * n;
}

pdr_shape pdr_optimizer_state(const pdr_choice *o, size_t n, const pdr_shape param[], size_t i,
                              float *start)
{
    size_t scalars = optimizer_scalars(o);
    *start = i < scalars ? 1 : 0;
    return i < scalars ? (pdr_shape){.rank = 0} : param[(i - scalars) % n];
}

double pdr_optimizer_rate(const pdr_choice *o)
{
    const pdr_option *row = pdr_option_find(o->kind->options, "rate");
    return *(const double *)(const void *)((const char *)o->self + row->at);
}

/* Broadcasting would hide a gradient of another shape. */
static bool optimizer_fits(pdr_graph *g, size_t i, pdr_node param, pdr_node grad)
{
    pdr_shape p = pdr_node_shape(g, param), d = pdr_node_shape(g, grad);
    char text[2 * PDR_SHAPE_TEXT + 80], pt[PDR_SHAPE_TEXT], dt[PDR_SHAPE_TEXT];
    if (!param.id || !grad.id || pdr_shape_equal(&p, &d)) return param.id && grad.id;
    snprintf(text, sizeof text, "optimizer: parameter %zu is %s, its gradient %s", i,
             pdr_shape_text(&p, pt), pdr_shape_text(&d, dt));
    pdr_graph_fail(g, text);
    return false;
}

void pdr_optimizer_update(const pdr_choice *o, pdr_graph *g, size_t n, const pdr_node param[],
                          const pdr_node grad[], const bool is_weight[], pdr_node rate,
                          const pdr_node state[], pdr_node next[], pdr_node state_next[])
{
    const pdr_optimizer_kind *kind = optimizer_of(o);
    size_t scalars = optimizer_scalars(o), slots = optimizer_slots(o);
    if (kind->advance) kind->advance(g, o->self, state, state_next);
    for (size_t i = 0; i < n; i++) {
        pdr_update u = {.param = param[i],
                        .grad = grad[i],
                        .rate = rate,
                        .is_weight = !is_weight || is_weight[i]};
        for (size_t k = 0; k < scalars; k++) u.scalar[k] = state_next[k];
        for (size_t k = 0; k < slots; k++) u.slot[k] = state[scalars + k * n + i];
        bool fits = optimizer_fits(g, i, param[i], grad[i]);
        next[i] = fits ? kind->update(g, o->self, &u) : (pdr_node){0};
        for (size_t k = 0; k < slots; k++) state_next[scalars + k * n + i] = u.slot[k];
    }
}
