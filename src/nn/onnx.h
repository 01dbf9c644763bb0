/* nn/onnx.h -- a model as a graph of ONNX. */
#ifndef PDI_NN_ONNX_H
#define PDI_NN_ONNX_H

#include <perdure/nn.h>

#include "emit/onnx.h"

/* The numbers of a tensor of the model, by the name that it was declared with. */
typedef const float *pdi_values_fn(void *ctx, const char *name);

typedef struct pdi_model_onnx_how {
    const char *x, *y;     /* the value that goes in; what the outputs are to be called */
    pdi_values_fn *values; /* of parameters and buffers */
    void *ctx;
    int32_t outputs; /* so many, the first ones, of the output layer */
} pdi_model_onnx_how;

/* The model in evaluation, its layers each in the form that its kind states.  A layer without
 * one, or a model that mixes examples, is PDR_INPUT. */
pdr_rc pdi_model_onnx(const pdr_model *m, const pdi_model_onnx_how *how, pdi_onnx *to,
                      pdr_error *err);

#endif
