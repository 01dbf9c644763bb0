/* nn/activation.c -- element by element functions, and the layers that are no more than that. */
#include "nn/layer.h"

/* x [0 < x], a product and not a choice: so that a NaN stays one. */
pdr_node pdr_relu(pdr_graph *g, pdr_node x)
{
    return pdr_mul(g, x, pdr_lt(g, pdr_scalar(g, 0), x));
}

/* 1 / (1 + e^-x) = (tanh(x / 2) + 1) / 2, and tanh saturates instead of overflowing. */
pdr_node pdr_sigmoid(pdr_graph *g, pdr_node x)
{
    return pdr_shift(g, 0.5, pdr_scale(g, 0.5, pdr_tanh(g, pdr_scale(g, 0.5, x))));
}

#define ROOT_HALF 0.70710678118654752440

/* x Phi(x), where Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the normal distribution function. */
pdr_node pdr_gelu(pdr_graph *g, pdr_node x)
{
    pdr_node twice_phi = pdr_shift(g, 1, pdr_erf(g, pdr_scale(g, ROOT_HALF, x)));
    return pdr_mul(g, pdr_scale(g, 0.5, x), twice_phi);
}

#define ACTIVATION(id, words, source, formula)                                                     \
    static pdr_node activation_##id(pdr_layer *l, const void *self, pdr_node x)                    \
    {                                                                                              \
        (void)self;                                                                                \
        return pdr_##id(pdr_layer_graph(l), x);                                                    \
    }                                                                                              \
    const pdr_layer_kind pdi_layer_##id = {.kind = {.name = #id,                                   \
                                                    .title = words,                                \
                                                    .cite = source,                                \
                                                    .equation = formula,                           \
                                                    .options = pdi_layer_no_options},              \
                                           .apply = activation_##id};

ACTIVATION(relu, "Rectified linear unit",
           "Nair & Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010",
           "y = max(x, 0)")
ACTIVATION(tanh, "Hyperbolic tangent", NULL, "y = tanh(x)")
ACTIVATION(sigmoid, "Logistic sigmoid", NULL, "y = 1 / (1 + exp(-x))")
ACTIVATION(gelu, "Gaussian error linear unit",
           "Hendrycks & Gimpel, Gaussian error linear units (GELUs), 2016",
           "y = x Phi(x), Phi the normal distribution function")
