/* onnx_model.h -- an ONNX file read back, and run by the definitions of its operators.
 *
 * A reader of protobuf's wire format and an interpreter in double, for as many operators as
 * perdure writes.  It knows nothing of how files are written: what it computes is what ONNX's
 * list of operators says.  Anything it does not know fails the test. */
#ifndef ONNX_MODEL_H
#define ONNX_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ONNX_RANK = 6, ONNX_TEXT = 128, ONNX_MANY = 64, ONNX_FEW = 8 };

typedef struct onnx_value {
    char name[ONNX_TEXT];
    int type; /* TensorProto.DataType */
    int rank;
    int64_t dim[ONNX_RANK]; /* of an input or output: -1 where it has a name */
    double *v;
} onnx_value;

typedef struct onnx_attr {
    char name[ONNX_TEXT];
    double real;
    int64_t at[ONNX_FEW];
    int n;
} onnx_attr;

typedef struct onnx_node {
    char op[ONNX_TEXT], in[ONNX_FEW][ONNX_TEXT], out[ONNX_TEXT];
    int ins, attrs;
    onnx_attr attr[ONNX_FEW];
} onnx_node;

typedef struct onnx_model {
    int64_t ir, opset;
    char producer[ONNX_TEXT];
    onnx_node node[ONNX_MANY];
    onnx_value value[2 * ONNX_MANY]; /* constants, then what nodes make */
    onnx_value input[ONNX_FEW], output[ONNX_FEW];
    struct {
        char key[ONNX_TEXT], value[4096];
    } fact[ONNX_MANY];
    int nodes, values, constants, inputs, outputs, facts;
} onnx_model;

void onnx_open(onnx_model *m, const void *bytes, size_t n);
void onnx_close(onnx_model *m);

/* Give an input its numbers: n examples of what it declares. */
void onnx_feed(onnx_model *m, const char *name, int64_t n, const double v[]);

/* What was fed and computed goes, for another run. */
void onnx_forget(onnx_model *m);

/* Run every node; what is not computed is not there. */
void onnx_run(onnx_model *m);

/* A constant, an input that was fed, or what was computed; the test fails where there is none. */
const onnx_value *onnx_get(const onnx_model *m, const char *name);
int64_t onnx_size(const onnx_value *v);

/* How many nodes are of this operator; a fact, or NULL. */
int onnx_count(const onnx_model *m, const char *op);
const char *onnx_fact(const onnx_model *m, const char *key);

#endif
