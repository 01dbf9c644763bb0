/* emit/onnx.c -- a graph of ONNX in protobuf's wire format.
 *
 * The field numbers are those of onnx.proto (version 3 of the messages).  They never change:
 * a reader of tomorrow passes over what it does not know. */
#include "emit/onnx.h"

#include <perdure/version.h>
#include <stdint.h>

#include "emit/wire.h"

enum { MODEL_IR = 1, MODEL_PRODUCER, MODEL_VERSION, MODEL_GRAPH = 7, MODEL_OPSET, MODEL_FACT = 14 };
enum { OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME, GRAPH_TENSOR = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT };
enum { NODE_IN = 1, NODE_OUT, NODE_NAME, NODE_OP, NODE_ATTR };
enum { ATTR_NAME = 1, ATTR_REAL, ATTR_INT, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { ATTR_IS_REAL = 1, ATTR_IS_INT, ATTR_IS_INTS = 7 };
enum { TENSOR_DIM = 1, TENSOR_TYPE, TENSOR_NAME = 8, TENSOR_BYTES };
enum { VALUE_NAME = 1, VALUE_TYPE };
enum { TYPE_TENSOR = 1, TYPE_ELEMENT = 1, TYPE_SHAPE, SHAPE_DIM = 1, DIM_NUMBER = 1, DIM_NAME };
enum { FACT_KEY = 1, FACT_VALUE };

void pdi_onnx_open(pdi_onnx *o, const pdr_alloc *alloc)
{
    pdi_text empty = {.alloc = pdi_alloc_or_default(alloc)};
    *o = (pdi_onnx){empty, empty, empty, empty, empty};
}

void pdi_onnx_close(pdi_onnx *o)
{
    pdi_text_close(&o->node);
    pdi_text_close(&o->tensor);
    pdi_text_close(&o->input);
    pdi_text_close(&o->output);
    pdi_text_close(&o->fact);
}

static void onnx_attr(pdi_text *node, const pdi_onnx_attr *a)
{
    static const int type[] = {ATTR_IS_REAL, ATTR_IS_INT, ATTR_IS_INTS};
    pdi_text t = {.alloc = node->alloc};
    pdi_wire_text(&t, ATTR_NAME, a->name);
    if (a->kind == PDI_ONNX_A_REAL) pdi_wire_float(&t, ATTR_REAL, (float)a->real);
    for (int i = 0; i < a->n; i++)
        pdi_wire_int(&t, a->kind == PDI_ONNX_INTS ? ATTR_INTS : ATTR_INT, a->at[i]);
    pdi_wire_int(&t, ATTR_TYPE, type[a->kind]);
    pdi_wire_message(node, NODE_ATTR, &t);
}

void pdi_onnx_node(pdi_onnx *o, const char *op, const char *out, size_t n_in,
                   const char *const in[], size_t n_attr, const pdi_onnx_attr attr[])
{
    pdi_text t = {.alloc = o->node.alloc};
    for (size_t i = 0; i < n_in; i++) pdi_wire_text(&t, NODE_IN, in[i]);
    pdi_wire_text(&t, NODE_OUT, out);
    pdi_wire_text(&t, NODE_NAME, out);
    pdi_wire_text(&t, NODE_OP, op);
    for (size_t i = 0; i < n_attr; i++) onnx_attr(&t, &attr[i]);
    pdi_wire_message(&o->node, GRAPH_NODE, &t);
}

void pdi_onnx_tensor(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *shape,
                     const void *value, size_t size)
{
    pdi_text t = {.alloc = o->tensor.alloc};
    for (int k = 0; k < shape->rank; k++) pdi_wire_int(&t, TENSOR_DIM, shape->dim[k]);
    pdi_wire_int(&t, TENSOR_TYPE, type);
    pdi_wire_text(&t, TENSOR_NAME, name);
    pdi_wire_bytes(&t, TENSOR_BYTES, value, (size_t)pdr_shape_size(shape) * size);
    pdi_wire_message(&o->tensor, GRAPH_TENSOR, &t);
}

void pdi_onnx_number(pdi_onnx *o, const char *name, double value)
{
    float x = (float)value;
    pdi_onnx_tensor(o, name, PDI_ONNX_FLOAT, &PDR_SCALAR, &x, sizeof x);
}

/* The first axis is that of examples, and has a name instead of a length. */
static void onnx_value(pdi_text *to, uint32_t field, const char *name, pdi_onnx_type type,
                       const pdr_shape *each)
{
    pdi_text value = {.alloc = to->alloc}, of = value, tensor = value, shape = value, dim = value;
    pdi_wire_text(&dim, DIM_NAME, "examples");
    pdi_wire_message(&shape, SHAPE_DIM, &dim);
    for (int k = 0; k < each->rank; k++) {
        pdi_wire_int(&dim, DIM_NUMBER, each->dim[k]);
        pdi_wire_message(&shape, SHAPE_DIM, &dim);
    }
    pdi_wire_int(&tensor, TYPE_ELEMENT, type);
    pdi_wire_message(&tensor, TYPE_SHAPE, &shape);
    pdi_wire_message(&of, TYPE_TENSOR, &tensor);
    pdi_wire_text(&value, VALUE_NAME, name);
    pdi_wire_message(&value, VALUE_TYPE, &of);
    pdi_wire_message(to, field, &value);
}

void pdi_onnx_input(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *each)
{
    onnx_value(&o->input, GRAPH_INPUT, name, type, each);
}

void pdi_onnx_output(pdi_onnx *o, const char *name, pdi_onnx_type type, const pdr_shape *each)
{
    onnx_value(&o->output, GRAPH_OUTPUT, name, type, each);
}

void pdi_onnx_fact(pdi_onnx *o, const char *key, const char *value)
{
    pdi_text t = {.alloc = o->fact.alloc};
    pdi_wire_text(&t, FACT_KEY, key);
    pdi_wire_text(&t, FACT_VALUE, value);
    pdi_wire_message(&o->fact, MODEL_FACT, &t);
}

static void onnx_append(pdi_text *to, const pdi_text *from)
{
    if (from->failed) to->failed = true;
    if (from->n) pdi_text_bytes(to, from->s, from->n);
}

pdr_rc pdi_onnx_write(pdi_onnx *o, const char *name, pdi_text *out, pdr_error *err)
{
    pdi_text graph = {.alloc = o->node.alloc}, opset = graph;
    onnx_append(&graph, &o->node);
    pdi_wire_text(&graph, GRAPH_NAME, name);
    onnx_append(&graph, &o->tensor);
    onnx_append(&graph, &o->input);
    onnx_append(&graph, &o->output);
    pdi_wire_int(&opset, OPSET_VERSION, PDI_ONNX_OPSET);
    pdi_wire_int(out, MODEL_IR, PDI_ONNX_IR);
    pdi_wire_text(out, MODEL_PRODUCER, "perdure");
    pdi_wire_text(out, MODEL_VERSION, pdr_version());
    pdi_wire_message(out, MODEL_GRAPH, &graph);
    pdi_wire_message(out, MODEL_OPSET, &opset);
    onnx_append(out, &o->fact);
    if (out->failed) return pdi_nomem(err);
    if (out->n <= INT32_MAX) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "the model takes %zu bytes; a file of ONNX has 2 GiB at most, so export "
                    "safetensors instead",
                    out->n);
}
