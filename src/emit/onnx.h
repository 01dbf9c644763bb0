/* emit/onnx.h -- a graph of ONNX, written node by node.
 *
 * Values have names; an operator of ONNX takes some by name and makes one.  Whoever writes
 * states nodes in an order in which they can run, tensors whenever it likes, and asks once, at
 * the end, whether there was memory for all.  What each operator does is said in ONNX's own
 * list of operators, opset 17 (of 2022, which every runtime since then reads).
 *
 *     pdi_onnx o;
 *     pdi_onnx_open(&o, alloc);
 *     pdi_onnx_input(&o, "x", PDI_ONNX_FLOAT, &shape);
 *     pdi_onnx_node(&o, "Relu", "y", 1, (const char *[]){"x"}, 0, NULL);
 *     pdi_onnx_output(&o, "y", PDI_ONNX_FLOAT, &shape);
 *     rc = pdi_onnx_write(&o, "ramp", &bytes, err);
 *     pdi_onnx_close(&o); */
#ifndef PDI_EMIT_ONNX_H
#define PDI_EMIT_ONNX_H

#include <perdure/shape.h>

#include "base/text.h"

enum { PDI_ONNX_NAME = 128, PDI_ONNX_OPSET = 17, PDI_ONNX_IR = 8 };

/* TensorProto.DataType. */
typedef enum pdi_onnx_type {
    PDI_ONNX_FLOAT = 1,
    PDI_ONNX_INT64 = 7,
    PDI_ONNX_BOOL = 9
} pdi_onnx_type;

typedef struct pdi_onnx {
    pdi_text node, tensor, input, output, fact; /* fields of the messages they belong to */
} pdi_onnx;

void pdi_onnx_open(pdi_onnx *o, const pdr_alloc *alloc);
void pdi_onnx_close(pdi_onnx *o);

/* An attribute: a number, a whole number, or n of those. */
typedef struct pdi_onnx_attr {
    const char *name;
    enum { PDI_ONNX_A_REAL, PDI_ONNX_AN_INT, PDI_ONNX_INTS } kind;
    double real;
    int n;
    int64_t at[4];
} pdi_onnx_attr;

#define PDI_ONNX_REAL(name, x)                                                                     \
    {                                                                                              \
        name, PDI_ONNX_A_REAL, x, 0, { 0 }                                                         \
    }
#define PDI_ONNX_INT(name, x)                                                                      \
    {                                                                                              \
        name, PDI_ONNX_AN_INT, 0, 1, { x }                                                         \
    }
#define PDI_ONNX_LIST(name, n, ...)                                                                \
    {                                                                                              \
        name, PDI_ONNX_INTS, 0, n, { __VA_ARGS__ }                                                 \
    }

/* out = op(in...). */
void pdi_onnx_node(pdi_onnx *o, const char *op, const char *out, size_t n_in,
                   const char *const in[], size_t n_attr, const pdi_onnx_attr attr[]);

/* A constant; size is of an element. */
void pdi_onnx_tensor(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *shape,
                     const void *value, size_t size);
void pdi_onnx_number(pdi_onnx *o, const char *name, double value);

/* What goes in, what comes out: any number of examples of shape each. */
void pdi_onnx_input(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *each);
void pdi_onnx_output(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *each);

/* Something to know about the model. */
void pdi_onnx_fact(pdi_onnx *o, const char *key, const char *value);

/* The whole model, appended to *out. */
pdr_rc pdi_onnx_write(pdi_onnx *o, const char *name, pdi_text *out, pdr_error *err);

#endif
