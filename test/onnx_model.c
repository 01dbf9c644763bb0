/* onnx_model.c -- reading ONNX, and running it by the book. */
#include "onnx_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"

/* ---- the wire ------------------------------------------------------------------------------- */

typedef struct wire {
    const unsigned char *at, *end;
} wire;

typedef struct wire_field {
    uint64_t number, kind, value; /* value: of a varint, or a fixed 32 */
    wire bytes;
} wire_field;

static uint64_t wire_varint(wire *w)
{
    uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        assert_true(w->at < w->end);
        unsigned char c = *w->at++;
        x |= (uint64_t)(c & 127) << shift;
        if (!(c & 128)) return x;
    }
    fail_msg("a varint of more than ten bytes");
    return 0;
}

static bool wire_next(wire *w, wire_field *f)
{
    if (w->at == w->end) return false;
    uint64_t key = wire_varint(w), n = 4;
    *f = (wire_field){.number = key >> 3, .kind = key & 7};
    if (f->kind == 0) f->value = wire_varint(w);
    if (f->kind == 2) n = wire_varint(w);
    if (f->kind != 0 && f->kind != 2 && f->kind != 5) fail_msg("wire kind %d", (int)f->kind);
    if (f->kind) {
        assert_true(n <= (uint64_t)(w->end - w->at));
        f->bytes = (wire){w->at, w->at + n};
        w->at += n;
    }
    return true;
}

static void wire_text(const wire_field *f, char text[], size_t size)
{
    size_t n = (size_t)(f->bytes.end - f->bytes.at);
    assert_true(n < size);
    memcpy(text, f->bytes.at, n);
    text[n] = 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

int64_t onnx_size(const onnx_value *v)
{
    int64_t n = 1;
    for (int k = 0; k < v->rank; k++) n *= v->dim[k];
    return n;
}

static void onnx_shape(wire w, onnx_value *v)
{
    wire_field f, dim;
    while (wire_next(&w, &f)) {
        assert_true(v->rank < ONNX_RANK);
        while (wire_next(&f.bytes, &dim))
            v->dim[v->rank] = dim.number == 1 ? (int64_t)dim.value : -1;
        v->rank++;
    }
}

static void onnx_declared(wire w, onnx_value *v)
{
    wire_field f, type, tensor;
    while (wire_next(&w, &f)) {
        if (f.number == 1) wire_text(&f, v->name, sizeof v->name);
        if (f.number != 2) continue;
        while (wire_next(&f.bytes, &type)) {
            assert_int_equal(type.number, 1); /* a tensor */
            while (wire_next(&type.bytes, &tensor)) {
                if (tensor.number == 1) v->type = (int)tensor.value;
                if (tensor.number == 2) onnx_shape(tensor.bytes, v);
            }
        }
    }
}

static void onnx_constant(wire w, onnx_value *v)
{
    wire_field f;
    wire raw = {NULL, NULL};
    while (wire_next(&w, &f)) {
        if (f.number == 1) v->dim[v->rank++] = (int64_t)f.value;
        if (f.number == 2) v->type = (int)f.value;
        if (f.number == 8) wire_text(&f, v->name, sizeof v->name);
        if (f.number == 9) raw = f.bytes;
    }
    size_t n = (size_t)onnx_size(v), size = v->type == 1 ? 4 : 1;
    assert_true(v->type == 1 || v->type == 9);
    assert_int_equal(raw.end - raw.at, n * size);
    v->v = calloc(n + 1, sizeof *v->v);
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, raw.at + i * size, size);
        v->v[i] = v->type == 1 ? (double)x : raw.at[i];
    }
}

static void onnx_read_attr(wire w, onnx_attr *a)
{
    wire_field f;
    while (wire_next(&w, &f)) {
        if (f.number == 1) wire_text(&f, a->name, sizeof a->name);
        if (f.number == 2) {
            float x;
            memcpy(&x, f.bytes.at, sizeof x);
            a->real = (double)x;
        }
        if (f.number == 3 || f.number == 8) a->at[a->n++] = (int64_t)f.value;
        if (f.number == 20) assert_true(f.value == 1 || f.value == 2 || f.value == 7);
    }
}

static void onnx_read_node(wire w, onnx_node *n)
{
    wire_field f;
    while (wire_next(&w, &f)) {
        if (f.number == 1) wire_text(&f, n->in[n->ins++], ONNX_TEXT);
        if (f.number == 2) wire_text(&f, n->out, sizeof n->out);
        if (f.number == 4) wire_text(&f, n->op, sizeof n->op);
        if (f.number == 5) onnx_read_attr(f.bytes, &n->attr[n->attrs++]);
    }
    assert_true(n->ins <= ONNX_FEW && n->attrs <= ONNX_FEW);
}

static void onnx_graph(onnx_model *m, wire w)
{
    wire_field f;
    while (wire_next(&w, &f)) {
        assert_true(m->nodes < ONNX_MANY && m->values < ONNX_MANY);
        assert_true(m->inputs < ONNX_FEW && m->outputs < ONNX_FEW);
        if (f.number == 1) onnx_read_node(f.bytes, &m->node[m->nodes++]);
        if (f.number == 5) onnx_constant(f.bytes, &m->value[m->values++]);
        if (f.number == 11) onnx_declared(f.bytes, &m->input[m->inputs++]);
        if (f.number == 12) onnx_declared(f.bytes, &m->output[m->outputs++]);
    }
}

void onnx_open(onnx_model *m, const void *bytes, size_t n)
{
    wire w = {bytes, (const unsigned char *)bytes + n};
    wire_field f, in;
    memset(m, 0, sizeof *m);
    while (wire_next(&w, &f)) {
        if (f.number == 1) m->ir = (int64_t)f.value;
        if (f.number == 2) wire_text(&f, m->producer, sizeof m->producer);
        if (f.number == 7) onnx_graph(m, f.bytes);
        while (f.number == 8 && wire_next(&f.bytes, &in))
            if (in.number == 2) m->opset = (int64_t)in.value;
        if (f.number != 14) continue;
        assert_true(m->facts < ONNX_MANY);
        while (wire_next(&f.bytes, &in)) {
            if (in.number == 1) wire_text(&in, m->fact[m->facts].key, ONNX_TEXT);
            if (in.number == 2) wire_text(&in, m->fact[m->facts].value, 4096);
        }
        m->facts++;
    }
    m->constants = m->values;
}

void onnx_forget(onnx_model *m)
{
    for (int i = m->constants; i < m->values; i++) free(m->value[i].v);
    m->values = m->constants;
}

void onnx_close(onnx_model *m)
{
    m->constants = 0;
    onnx_forget(m);
}

const onnx_value *onnx_get(const onnx_model *m, const char *name)
{
    for (int i = 0; i < m->values; i++)
        if (!strcmp(m->value[i].name, name)) return &m->value[i];
    fail_msg("no value is called %s", name);
    return NULL;
}

static onnx_value *onnx_make(onnx_model *m, const char *name, int rank, const int64_t dim[])
{
    assert_true(m->values < 2 * ONNX_MANY);
    onnx_value *v = &m->value[m->values++];
    *v = (onnx_value){.rank = rank};
    memcpy(v->name, name, strlen(name) + 1);
    for (int k = 0; k < rank; k++) v->dim[k] = dim[k];
    v->v = calloc((size_t)onnx_size(v) + 1, sizeof *v->v);
    return v;
}

void onnx_feed(onnx_model *m, const char *name, int64_t n, const double v[])
{
    for (int i = 0; i < m->inputs; i++) {
        const onnx_value *in = &m->input[i];
        int64_t dim[ONNX_RANK];
        if (strcmp(in->name, name)) continue;
        assert_int_equal(in->dim[0], -1);
        memcpy(dim, in->dim, sizeof dim);
        dim[0] = n;
        onnx_value *to = onnx_make(m, name, in->rank, dim);
        memcpy(to->v, v, (size_t)onnx_size(to) * sizeof *v);
        return;
    }
    fail_msg("no input is called %s", name);
}

int onnx_count(const onnx_model *m, const char *op)
{
    int n = 0;
    for (int i = 0; i < m->nodes; i++) n += !strcmp(m->node[i].op, op);
    return n;
}

const char *onnx_fact(const onnx_model *m, const char *key)
{
    for (int i = 0; i < m->facts; i++)
        if (!strcmp(m->fact[i].key, key)) return m->fact[i].value;
    return NULL;
}

/* ---- operators: element by element ----------------------------------------------------------- */

typedef struct onnx_run_node {
    onnx_model *m;
    const onnx_node *n;
    const onnx_value *in[ONNX_FEW];
} onnx_run_node;

static const onnx_attr *onnx_attr_of(const onnx_run_node *r, const char *name)
{
    for (int i = 0; i < r->n->attrs; i++)
        if (!strcmp(r->n->attr[i].name, name)) return &r->n->attr[i];
    return NULL;
}

static int64_t onnx_int(const onnx_run_node *r, const char *name, int i, int64_t otherwise)
{
    const onnx_attr *a = onnx_attr_of(r, name);
    return a ? a->at[i] : otherwise;
}

/* One axis of a broadcast, counted from the last; 1 where there is none. */
static int64_t onnx_axis(const onnx_value *v, int from_last)
{
    return from_last < v->rank ? v->dim[v->rank - 1 - from_last] : 1;
}

/* The element of v that stands at element i of the broadcast of shape dim. */
static double onnx_at(const onnx_value *v, int rank, const int64_t dim[], int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int k = 0; k < rank; k++) {
        int64_t place = i % dim[rank - 1 - k], length = onnx_axis(v, k);
        i /= dim[rank - 1 - k];
        if (length > 1) at += place * stride;
        stride *= length;
    }
    return v->v[at];
}

typedef double onnx_map_fn(double a, double b, double c);

static void onnx_map(onnx_run_node *r, onnx_map_fn *fn)
{
    int rank = 0;
    int64_t dim[ONNX_RANK];
    for (int j = 0; j < r->n->ins; j++)
        if (r->in[j]->rank > rank) rank = r->in[j]->rank;
    for (int k = 0; k < rank; k++) {
        int64_t *d = &dim[rank - 1 - k];
        *d = 1;
        for (int j = 0; j < r->n->ins; j++) {
            int64_t length = onnx_axis(r->in[j], k);
            assert_true(length == 1 || *d == 1 || length == *d);
            if (length > 1) *d = length;
        }
    }
    onnx_value *to = onnx_make(r->m, r->n->out, rank, dim);
    for (int64_t i = 0; i < onnx_size(to); i++) {
        double x[3] = {0};
        for (int j = 0; j < r->n->ins; j++) x[j] = onnx_at(r->in[j], rank, dim, i);
        to->v[i] = fn(x[0], x[1], x[2]);
    }
}

static double onnx_sub(double a, double b, double c) { return a - b + 0 * c; }
static double onnx_add(double a, double b, double c) { return a + b + 0 * c; }
static double onnx_mul(double a, double b, double c) { return a * b + 0 * c; }
static double onnx_relu(double a, double b, double c) { return (a > 0 ? a : 0) + 0 * b + 0 * c; }
static double onnx_tanh(double a, double b, double c) { return tanh(a) + 0 * b + 0 * c; }
static double onnx_erf(double a, double b, double c) { return erf(a) + 0 * b + 0 * c; }
static double onnx_sigmoid(double a, double b, double c)
{
    return 1 / (1 + exp(-a)) + 0 * b + 0 * c;
}
static double onnx_where(double a, double b, double c) { return a != 0 ? b : c; }

/* ---- operators: products and windows ------------------------------------------------------------
 */

static void onnx_gemm(onnx_run_node *r)
{
    const onnx_value *a = r->in[0], *b = r->in[1];
    int64_t rows = a->dim[0], n = a->dim[1], columns = b->dim[0];
    assert_int_equal(onnx_int(r, "transB", 0, 0), 1);
    assert_true(a->rank == 2 && b->rank == 2 && b->dim[1] == n);
    onnx_value *to = onnx_make(r->m, r->n->out, 2, (int64_t[]){rows, columns});
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double sum = r->n->ins > 2 ? onnx_at(r->in[2], 2, to->dim, i * columns + j) : 0;
            for (int64_t k = 0; k < n; k++) sum += a->v[i * n + k] * b->v[j * n + k];
            to->v[i * columns + j] = sum;
        }
}

/* The windows of a convolution or a pool. */
typedef struct onnx_windows {
    int64_t kernel[2], stride[2], pad[2], out[2];
} onnx_windows;

static onnx_windows onnx_windows_of(const onnx_run_node *r)
{
    onnx_windows w;
    for (int k = 0; k < 2; k++) {
        w.kernel[k] = onnx_int(r, "kernel_shape", k, 0);
        w.stride[k] = onnx_int(r, "strides", k, 1);
        w.pad[k] = onnx_int(r, "pads", k, 0);
        assert_int_equal(onnx_int(r, "pads", k + 2, 0), w.pad[k]);
        w.out[k] = (r->in[0]->dim[2 + k] + 2 * w.pad[k] - w.kernel[k]) / w.stride[k] + 1;
    }
    return w;
}

/* x[n, c] at tap (p, q) of window (i, j); false where that is padding. */
static bool onnx_tap(const onnx_value *x, const onnx_windows *w, const int64_t at[6], double *v)
{
    int64_t row = at[2] * w->stride[0] + at[4] - w->pad[0],
            column = at[3] * w->stride[1] + at[5] - w->pad[1];
    *v = 0;
    if (row < 0 || column < 0 || row >= x->dim[2] || column >= x->dim[3]) return false;
    *v = x->v[((at[0] * x->dim[1] + at[1]) * x->dim[2] + row) * x->dim[3] + column];
    return true;
}

static double onnx_conv_at(const onnx_run_node *r, const onnx_windows *w, int64_t at[6], int64_t o)
{
    const onnx_value *f = r->in[1];
    double sum = r->n->ins > 2 ? r->in[2]->v[o] : 0, x;
    for (at[1] = 0; at[1] < f->dim[1]; at[1]++)
        for (at[4] = 0; at[4] < w->kernel[0]; at[4]++)
            for (at[5] = 0; at[5] < w->kernel[1]; at[5]++) {
                onnx_tap(r->in[0], w, at, &x);
                int64_t tap = ((o * f->dim[1] + at[1]) * f->dim[2] + at[4]) * f->dim[3] + at[5];
                sum += x * f->v[tap];
            }
    return sum;
}

static double onnx_pool_at(const onnx_run_node *r, const onnx_windows *w, int64_t at[6], int64_t c)
{
    double sum = 0, most = -INFINITY, x;
    at[1] = c;
    for (at[4] = 0; at[4] < w->kernel[0]; at[4]++)
        for (at[5] = 0; at[5] < w->kernel[1]; at[5]++) {
            assert_true(onnx_tap(r->in[0], w, at, &x));
            sum += x;
            if (x > most) most = x;
        }
    return r->n->op[0] == 'M' ? most : sum / (double)(w->kernel[0] * w->kernel[1]);
}

static void onnx_slide(onnx_run_node *r)
{
    bool conv = !strcmp(r->n->op, "Conv");
    const onnx_value *x = r->in[0];
    onnx_windows w = onnx_windows_of(r);
    int64_t channels = conv ? r->in[1]->dim[0] : x->dim[1], at[6], i = 0;
    assert_int_equal(x->rank, 4);
    if (conv) assert_true(r->in[1]->dim[1] == x->dim[1] && r->in[1]->dim[2] == w.kernel[0]);
    onnx_value *to = onnx_make(r->m, r->n->out, 4,
                               (int64_t[]){x->dim[0], channels, w.out[0], w.out[1]});
    for (at[0] = 0; at[0] < x->dim[0]; at[0]++)
        for (int64_t c = 0; c < channels; c++)
            for (at[2] = 0; at[2] < w.out[0]; at[2]++)
                for (at[3] = 0; at[3] < w.out[1]; at[3]++)
                    to->v[i++] = conv ? onnx_conv_at(r, &w, at, c) : onnx_pool_at(r, &w, at, c);
}

/* ---- operators: norms and answers
 * ---------------------------------------------------------------- */

static void onnx_batch_norm(onnx_run_node *r)
{
    const onnx_value *x = r->in[0];
    onnx_value *to = onnx_make(r->m, r->n->out, x->rank, x->dim);
    int64_t inner = onnx_size(x) / x->dim[0] / x->dim[1];
    double epsilon = onnx_attr_of(r, "epsilon")->real;
    for (int64_t i = 0; i < onnx_size(x); i++) {
        int64_t c = i / inner % x->dim[1];
        to->v[i] = r->in[1]->v[c] * (x->v[i] - r->in[3]->v[c]) / sqrt(r->in[4]->v[c] + epsilon) +
                   r->in[2]->v[c];
    }
}

static void onnx_layer_norm(onnx_run_node *r)
{
    const onnx_value *x = r->in[0];
    onnx_value *to = onnx_make(r->m, r->n->out, x->rank, x->dim);
    int64_t n = onnx_size(x) / x->dim[0];
    assert_int_equal(onnx_int(r, "axis", 0, -1), 1);
    assert_int_equal(onnx_size(r->in[1]), n);
    for (int64_t e = 0; e < x->dim[0]; e++) {
        const double *row = x->v + e * n;
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < n; i++) mean += row[i] / (double)n;
        for (int64_t i = 0; i < n; i++) variance += (row[i] - mean) * (row[i] - mean) / (double)n;
        double root = sqrt(variance + onnx_attr_of(r, "epsilon")->real);
        for (int64_t i = 0; i < n; i++)
            to->v[e * n + i] = (row[i] - mean) / root * r->in[1]->v[i] + r->in[2]->v[i];
    }
}

static void onnx_softmax(onnx_run_node *r)
{
    const onnx_value *x = r->in[0];
    onnx_value *to = onnx_make(r->m, r->n->out, 2, x->dim);
    int64_t n = x->dim[1];
    assert_true(x->rank == 2 && onnx_int(r, "axis", 0, -1) == 1);
    for (int64_t i = 0; i < x->dim[0]; i++) {
        double most = -INFINITY, sum = 0;
        for (int64_t c = 0; c < n; c++) most = fmax(most, x->v[i * n + c]);
        for (int64_t c = 0; c < n; c++) sum += exp(x->v[i * n + c] - most);
        for (int64_t c = 0; c < n; c++) to->v[i * n + c] = exp(x->v[i * n + c] - most) / sum;
    }
}

static void onnx_argmax(onnx_run_node *r)
{
    const onnx_value *x = r->in[0];
    onnx_value *to = onnx_make(r->m, r->n->out, 1, x->dim);
    int64_t n = x->dim[1];
    assert_true(onnx_int(r, "axis", 0, 0) == 1 && onnx_int(r, "keepdims", 0, 1) == 0);
    for (int64_t i = 0; i < x->dim[0]; i++)
        for (int64_t c = 1; c < n; c++)
            if (x->v[i * n + c] > x->v[i * n + (int64_t)to->v[i]]) to->v[i] = (double)c;
}

static void onnx_flatten(onnx_run_node *r)
{
    const onnx_value *x = r->in[0];
    assert_int_equal(onnx_int(r, "axis", 0, -1), 1);
    int64_t dim[2] = {x->dim[0], onnx_size(x) / x->dim[0]};
    onnx_value *to = onnx_make(r->m, r->n->out, 2, dim);
    memcpy(to->v, x->v, (size_t)onnx_size(x) * sizeof *x->v);
}

static void onnx_gather(onnx_run_node *r)
{
    const onnx_value *x = r->in[0], *index = r->in[1];
    assert_true(x->rank == 2 && index->rank == 1 && onnx_int(r, "axis", 0, 0) == 0);
    int64_t n = x->dim[1];
    onnx_value *to = onnx_make(r->m, r->n->out, 2, (int64_t[]){index->dim[0], n});
    for (int64_t i = 0; i < index->dim[0]; i++) {
        assert_true(index->v[i] >= 0 && index->v[i] < (double)x->dim[0]);
        memcpy(to->v + i * n, x->v + (int64_t)index->v[i] * n, (size_t)n * sizeof *x->v);
    }
}

/* ---- running
 * --------------------------------------------------------------------------------------
 */

static const struct {
    const char *op;
    int least, most; /* operands */
    void (*run)(onnx_run_node *r);
    onnx_map_fn *map;
} onnx_ops[] = {
    {"Sub", 2, 2, NULL, onnx_sub},
    {"Add", 2, 2, NULL, onnx_add},
    {"Mul", 2, 2, NULL, onnx_mul},
    {"Relu", 1, 1, NULL, onnx_relu},
    {"Tanh", 1, 1, NULL, onnx_tanh},
    {"Erf", 1, 1, NULL, onnx_erf},
    {"Sigmoid", 1, 1, NULL, onnx_sigmoid},
    {"Where", 3, 3, NULL, onnx_where},
    {"Gemm", 2, 3, onnx_gemm, NULL},
    {"Conv", 2, 3, onnx_slide, NULL},
    {"MaxPool", 1, 1, onnx_slide, NULL},
    {"AveragePool", 1, 1, onnx_slide, NULL},
    {"BatchNormalization", 5, 5, onnx_batch_norm, NULL},
    {"LayerNormalization", 3, 3, onnx_layer_norm, NULL},
    {"Softmax", 1, 1, onnx_softmax, NULL},
    {"ArgMax", 1, 1, onnx_argmax, NULL},
    {"Flatten", 1, 1, onnx_flatten, NULL},
    {"Gather", 2, 2, onnx_gather, NULL},
};

static void onnx_run_one(onnx_model *m, const onnx_node *n)
{
    onnx_run_node r = {.m = m, .n = n};
    for (int j = 0; j < n->ins; j++) r.in[j] = onnx_get(m, n->in[j]);
    for (size_t i = 0; i < COUNT(onnx_ops); i++) {
        if (strcmp(onnx_ops[i].op, n->op)) continue;
        assert_true(n->ins >= onnx_ops[i].least && n->ins <= onnx_ops[i].most);
        if (onnx_ops[i].map)
            onnx_map(&r, onnx_ops[i].map);
        else
            onnx_ops[i].run(&r);
        return;
    }
    fail_msg("%s is no operator that is known here", n->op);
}

void onnx_run(onnx_model *m)
{
    for (int i = 0; i < m->nodes; i++) onnx_run_one(m, &m->node[i]);
    for (int i = 0; i < m->outputs; i++) {
        const onnx_value *declared = &m->output[i], *made = onnx_get(m, declared->name);
        assert_int_equal(made->rank, declared->rank);
        assert_int_equal(declared->dim[0], -1);
        for (int k = 1; k < made->rank; k++) assert_int_equal(made->dim[k], declared->dim[k]);
    }
}
