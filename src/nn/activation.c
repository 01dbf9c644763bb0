/* nn/activation.c -- element by element functions, and the layers that are no more than that. */
#include <stdio.h>

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

/* ---- the layers ------------------------------------------------------------------------ */

#define ACTIVATION_ONNX(id, op)                                                                    \
    static void activation_onnx_##id(pdr_layer_onnx *o, const void *self)                          \
    {                                                                                              \
        (void)self;                                                                                \
        pdi_layer_onnx_step(o, op, 0, NULL, 0, NULL);                                              \
    }

ACTIVATION_ONNX(relu, "Relu")
ACTIVATION_ONNX(tanh, "Tanh")
ACTIVATION_ONNX(sigmoid, "Sigmoid")

/* As above, of simpler operators: ONNX has had one of its own only since opset 20. */
static void activation_onnx_gelu(pdr_layer_onnx *o, const void *self)
{
    static const struct {
        const char *name;
        double value;
    } number[] = {{"half", 0.5}, {"one", 1}, {"root_half", ROOT_HALF}};
    char at[3][PDI_ONNX_NAME], x[PDI_ONNX_NAME], half_x[PDI_ONNX_NAME];
    (void)self;
    for (int i = 0; i < 3; i++)
        pdi_onnx_number(pdi_layer_onnx_to(o, number[i].name, at[i]), at[i], number[i].value);
    snprintf(x, sizeof x, "%s", pdi_layer_onnx_x(o));
    pdi_layer_onnx_step(o, "Mul", 1, (const char *[]){at[0]}, 0, NULL);
    snprintf(half_x, sizeof half_x, "%s", pdi_layer_onnx_x(o));
    pdi_layer_onnx_from(o, x);
    pdi_layer_onnx_step(o, "Mul", 1, (const char *[]){at[2]}, 0, NULL);
    pdi_layer_onnx_step(o, "Erf", 0, NULL, 0, NULL);
    pdi_layer_onnx_step(o, "Add", 1, (const char *[]){at[1]}, 0, NULL);
    pdi_layer_onnx_step(o, "Mul", 1, (const char *[]){half_x}, 0, NULL);
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
                                           .apply = activation_##id,                               \
                                           .onnx = activation_onnx_##id};

ACTIVATION(relu, "Rectified linear unit",
           "Nair & Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010",
           "y = max(x, 0)")
ACTIVATION(tanh, "Hyperbolic tangent", NULL, "y = tanh(x)")
ACTIVATION(sigmoid, "Logistic sigmoid", NULL, "y = 1 / (1 + exp(-x))")
ACTIVATION(gelu, "Gaussian error linear unit",
           "Hendrycks & Gimpel, Gaussian error linear units (GELUs), 2016",
           "y = x Phi(x), Phi the normal distribution function")
