/* nn/model.c -- a list of layers and what they declared.
 *
 * A layer is one function that asks for its parameters as it uses them.  A model
 * learns what they are by running its layers once in a scratch graph, on a batch
 * of two; afterwards the same functions are handed the caller's nodes, in the
 * same order.  So a layer states its parameters once, and shapes are inferred by
 * the graph. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/layer.h"

typedef struct model_list {
    pdr_param *v;
    size_t n, cap;
} model_list;

struct pdr_model {
    const pdr_alloc *alloc;
    size_t layers;
    pdr_choice *layer; /* copies of the options */
    pdr_shape input;
    int32_t outputs, features;
    bool mixes;
    model_list param, buffer;
};

/* ---- errors -------------------------------------------------------------------- */

pdr_node pdi_nn_fail(pdr_graph *g, const char *fmt, ...)
{
    char text[PDR_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return pdr_graph_fail(g, text);
}

pdr_node pdi_layer_fail(pdr_layer *l, const char *fmt, ...)
{
    char text[PDR_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pdr_graph_label(l->g, NULL); /* the message begins with it */
    return pdi_nn_fail(l->g, "%s: %s", l->label, text);
}

/* ---- what a layer sees ------------------------------------------------------------ */

pdr_graph *pdr_layer_graph(pdr_layer *l) { return l->g; }

bool pdr_layer_training(const pdr_layer *l) { return l->apply->training; }

/* The next tensor of a list: declared, or the caller's node for it. */
static pdr_node model_tensor(pdr_layer *l, model_list *declared, const pdr_node given[],
                             size_t *used, const char *name, pdr_param p)
{
    if (!l->declares) return given[(*used)++];
    if (!pdi_grow(l->declares->alloc, (void **)&declared->v, declared->n, &declared->cap,
                  sizeof *declared->v)) {
        l->nomem = true;
        return (pdr_node){0};
    }
    snprintf(p.name, sizeof p.name, "%s.%s", l->label, name);
    declared->v[declared->n++] = p;
    return pdr_input(l->g, PDR_F32, p.shape);
}

static pdr_node model_param(pdr_layer *l, const char *name, const pdr_param *p)
{
    model_list *list = l->declares ? &l->declares->param : NULL;
    return model_tensor(l, list, l->apply->param, &l->params, name, *p);
}

pdr_node pdr_layer_weight(pdr_layer *l, const char *name, pdr_shape shape, int init, double fan_in,
                          double fan_out)
{
    return model_param(l, name,
                       &(pdr_param){.shape = shape,
                                    .init = (pdr_init)init,
                                    .fan_in = fan_in,
                                    .fan_out = fan_out,
                                    .is_weight = true});
}

pdr_node pdr_layer_bias(pdr_layer *l, const char *name, pdr_shape shape, int init, double fan_in)
{
    return model_param(l, name,
                       &(pdr_param){.shape = shape, .init = (pdr_init)init, .fan_in = fan_in});
}

pdr_node pdr_layer_buffer(pdr_layer *l, const char *name, pdr_shape shape, int init)
{
    model_list *list = l->declares ? &l->declares->buffer : NULL;
    return model_tensor(l, list, l->apply->buffer, &l->buffers, name,
                        (pdr_param){.shape = shape, .init = (pdr_init)init});
}

void pdr_layer_buffer_set(pdr_layer *l, pdr_node buffer, pdr_node value)
{
    if (l->declares || !l->apply->buffer_new) return;
    for (size_t i = 0; i < l->buffers; i++)
        if (l->apply->buffer[i].id == buffer.id) l->apply->buffer_new[i] = value;
}

void pdr_layer_mixes(pdr_layer *l)
{
    if (l->declares) l->declares->mixes = true;
}

pdr_node pdr_layer_key(pdr_layer *l, uint32_t *stream)
{
    *stream = l->stream;
    l->stream += 2;
    if (!l->apply->key.id) return pdi_layer_fail(l, "training needs a random key");
    return l->apply->key;
}

bool pdi_layer_image(pdr_layer *l, pdr_node x, int64_t size, int64_t padding)
{
    pdr_shape s = pdr_node_shape(l->g, x);
    if (!x.id) return false;
    if (s.rank != 4) {
        char text[PDR_SHAPE_TEXT];
        pdr_shape each = {.rank = s.rank - 1};
        for (int k = 0; k < each.rank; k++) each.dim[k] = s.dim[k + 1];
        pdi_layer_fail(l, "an example is %s; needs an image, [channels, height, width]",
                       pdr_shape_text(&each, text));
        return false;
    }
    if (size <= s.dim[2] + 2 * padding && size <= s.dim[3] + 2 * padding) return true;
    pdi_layer_fail(l, "a window of %lldx%lld does not fit an image of %dx%d with %lld of padding",
                   (long long)size, (long long)size, s.dim[2], s.dim[3], (long long)padding);
    return false;
}

/* ---- walking through the layers ---------------------------------------------------------- */

/* A layer has used the parameters from `first` on: it is visited if one is a weight. */
static pdr_node model_visit(pdr_layer *l, size_t layer, size_t first, pdr_node in, pdr_node out)
{
    const pdr_apply *a = l->apply;
    for (size_t i = first; a->visit && out.id && i < l->params; i++)
        if (l->model->param.v[i].is_weight) return a->visit(a->visit_ctx, layer, in, out);
    return out;
}

static pdr_node model_walk(pdr_layer *l, pdr_node x)
{
    const pdr_model *m = l->model;
    for (size_t i = 0; i < m->layers && x.id; i++) {
        const pdr_layer_kind *kind = (const pdr_layer_kind *)(const void *)m->layer[i].kind;
        snprintf(l->label, sizeof l->label, "%zu.%s", i, kind->kind.name);
        if (!l->declares) pdr_graph_label(l->g, l->label);
        size_t first = l->params;
        pdr_node y = kind->apply(l, m->layer[i].self, x);
        x = model_visit(l, i, first, x, y);
    }
    if (m->outputs && x.id) {
        snprintf(l->label, sizeof l->label, "output");
        if (!l->declares) pdr_graph_label(l->g, l->label);
        x = pdi_flatten(l->g, x);
    }
    l->apply->features = x;
    size_t first = l->params;
    if (m->outputs) x = model_visit(l, m->layers, first, x, pdi_dense_output(l, x, m->outputs));
    if (!l->declares) pdr_graph_label(l->g, NULL);
    return x;
}

static bool model_matches(pdr_graph *g, const model_list *declared, const pdr_node given[])
{
    for (size_t i = 0; i < declared->n; i++) {
        pdr_shape s = pdr_node_shape(g, given[i]);
        char is[PDR_SHAPE_TEXT], needs[PDR_SHAPE_TEXT];
        if (!given[i].id) return false;
        if (pdr_shape_equal(&s, &declared->v[i].shape)) continue;
        pdi_nn_fail(g, "model: %s is %s; needs %s", declared->v[i].name, pdr_shape_text(&s, is),
                    pdr_shape_text(&declared->v[i].shape, needs));
        return false;
    }
    return true;
}

static bool model_takes(pdr_graph *g, const pdr_model *m, pdr_node x)
{
    pdr_shape s = pdr_node_shape(g, x), each = {.rank = s.rank - 1};
    char is[PDR_SHAPE_TEXT], needs[PDR_SHAPE_TEXT];
    if (!x.id) return false;
    for (int k = 0; k < each.rank; k++) each.dim[k] = s.dim[k + 1];
    if (s.rank > 0 && pdr_shape_equal(&each, &m->input)) return true;
    pdi_nn_fail(g, "model: x is %s; needs a batch axis and then %s", pdr_shape_text(&s, is),
                pdr_shape_text(&m->input, needs));
    return false;
}

pdr_node pdr_model_apply(const pdr_model *m, pdr_graph *g, pdr_apply *a, pdr_node x)
{
    pdr_layer l = {.g = g, .model = m, .apply = a};
    a->features = (pdr_node){0};
    if (!model_takes(g, m, x) || !model_matches(g, &m->param, a->param) ||
        !model_matches(g, &m->buffer, a->buffer))
        return (pdr_node){0};
    for (size_t i = 0; a->buffer_new && i < m->buffer.n; i++) a->buffer_new[i] = a->buffer[i];
    return model_walk(&l, x);
}

/* ---- making a model ------------------------------------------------------------------------ */

/* Run the layers on a batch of two: enough for batch statistics to exist. */
static pdr_rc model_declare(pdr_model *m, pdr_error *err)
{
    pdr_graph *g = pdr_graph_new(m->alloc);
    if (!g) return pdi_nomem(err);
    pdr_shape batch = {.rank = m->input.rank + 1, .dim = {2}};
    for (int k = 0; k < m->input.rank; k++) batch.dim[k + 1] = m->input.dim[k];
    pdr_apply a = {.training = true, .key = pdr_input(g, PDR_I32, PDR_SHAPE(4))};
    pdr_layer l = {.g = g, .model = m, .declares = m, .apply = &a};
    model_walk(&l, pdr_input(g, PDR_F32, batch));
    pdr_rc rc = l.nomem ? PDR_NOMEM : pdr_graph_rc(g);
    pdr_shape features = pdr_node_shape(g, a.features);
    m->features = (int32_t)(pdr_shape_size(&features) / 2);
    if (rc == PDR_NOMEM) {
        pdi_nomem(err);
    } else if (rc) {
        const char *why = pdr_graph_error(g);
        size_t n = strlen(l.label);
        if (!strncmp(why, l.label, n)) /* a layer's own words begin with its name */
            pdi_fail(err, rc, "%s", why);
        else
            pdi_fail(err, rc, "%s: %s", l.label, why);
    }
    pdr_graph_free(g);
    return rc;
}

static pdr_rc model_copy(pdr_model *m, size_t layers, const pdr_choice layer[])
{
    m->layer = pdi_new(m->alloc, layers, sizeof *m->layer);
    if (!m->layer) return PDR_NOMEM;
    for (; m->layers < layers; m->layers++) {
        const pdr_choice *from = &layer[m->layers];
        void *self = NULL;
        if (from->kind->self_size) {
            self = pdi_new(m->alloc, 1, from->kind->self_size);
            if (!self) return PDR_NOMEM;
            memcpy(self, from->self, from->kind->self_size);
        }
        m->layer[m->layers] = (pdr_choice){from->kind, self};
    }
    return PDR_OK;
}

pdr_rc pdr_model_new(const pdr_alloc *alloc, size_t layers, const pdr_choice layer[],
                     pdr_shape input, int32_t outputs, pdr_model **out, pdr_error *err)
{
    char text[PDR_SHAPE_TEXT];
    *out = NULL;
    alloc = pdi_alloc_or_default(alloc);
    if (pdr_shape_size(&input) < 0 || input.rank >= PDR_MAX_RANK)
        return pdi_fail(err, PDR_USAGE,
                        "model: an example of shape %s; give at most %d axes of 1 "
                        "or more",
                        pdr_shape_text(&input, text), PDR_MAX_RANK - 1);
    if (outputs < 0) return pdi_fail(err, PDR_USAGE, "model: %d outputs; give 0 or more", outputs);
    pdr_model *m = pdi_new(alloc, 1, sizeof *m);
    if (!m) return pdi_nomem(err);
    m->alloc = alloc;
    m->input = input;
    m->outputs = outputs;
    pdr_rc rc = model_copy(m, layers, layer) ? pdi_nomem(err) : model_declare(m, err);
    if (rc) {
        pdr_model_free(m);
        return rc;
    }
    *out = m;
    return PDR_OK;
}

void pdr_model_free(pdr_model *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->layers; i++) pdi_free(m->alloc, m->layer[i].self);
    pdi_free(m->alloc, m->layer);
    pdi_free(m->alloc, m->param.v);
    pdi_free(m->alloc, m->buffer.v);
    pdi_free(m->alloc, m);
}

const pdr_choice *pdi_model_layer(const pdr_model *m, size_t i)
{
    return i < m->layers ? &m->layer[i] : NULL;
}

int pdi_model_rank(const pdr_model *m) { return m->input.rank; }

int32_t pdr_model_features(const pdr_model *m) { return m->features; }
bool pdr_model_mixes(const pdr_model *m) { return m->mixes; }

size_t pdr_model_params(const pdr_model *m) { return m->param.n; }
const pdr_param *pdr_model_param(const pdr_model *m, size_t i) { return &m->param.v[i]; }
size_t pdr_model_buffers(const pdr_model *m) { return m->buffer.n; }
const pdr_param *pdr_model_buffer(const pdr_model *m, size_t i) { return &m->buffer.v[i]; }
