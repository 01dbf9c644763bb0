/* nn/onnx.c -- a model as a graph of ONNX, a layer after the other.
 *
 * Layers are written, not the operators they are made of: a convolution stays one Conv, which
 * engines have fast kernels for and people recognise.  Only shapes that do not depend on the
 * number of examples are written, so that number stays free. */
#include "nn/onnx.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "nn/layer.h"

struct pdr_layer_onnx {
    const pdr_model *model;
    const pdi_model_onnx_how *how;
    pdi_onnx *to;
    char label[48];        /* "3.conv2d", "output" */
    char x[PDI_ONNX_NAME]; /* what goes on */
    const char *y;         /* what the next step's result is called; NULL: by layer and operator */
    int rank, steps;       /* axes of what goes on; steps of this layer so far */
};

/* ---- for layers ------------------------------------------------------------------------------ */

static const pdr_param *onnx_param(const pdr_model *m, const char *name)
{
    for (size_t i = 0; i < pdr_model_params(m); i++)
        if (!strcmp(pdr_model_param(m, i)->name, name)) return pdr_model_param(m, i);
    for (size_t i = 0; i < pdr_model_buffers(m); i++)
        if (!strcmp(pdr_model_buffer(m, i)->name, name)) return pdr_model_buffer(m, i);
    return NULL;
}

const float *pdi_layer_onnx_value(pdr_layer_onnx *o, const char *name, pdr_shape *shape)
{
    char full[PDI_ONNX_NAME];
    snprintf(full, sizeof full, "%s.%s", o->label, name);
    const pdr_param *p = onnx_param(o->model, full);
    if (!p) return NULL;
    *shape = p->shape;
    return o->how->values(o->how->ctx, full);
}

pdi_onnx *pdi_layer_onnx_to(pdr_layer_onnx *o, const char *name, char at[PDI_ONNX_NAME])
{
    snprintf(at, PDI_ONNX_NAME, "%s.%s", o->label, name);
    return o->to;
}

const char *pdi_layer_onnx_tensor(pdr_layer_onnx *o, const char *name, char at[PDI_ONNX_NAME])
{
    pdr_shape s;
    const float *value = pdi_layer_onnx_value(o, name, &s);
    pdi_onnx *to = pdi_layer_onnx_to(o, name, at);
    if (!strcmp(o->label, "output") && s.dim[0] > o->how->outputs) s.dim[0] = o->how->outputs;
    if (value) pdi_onnx_tensor(to, at, PDI_ONNX_FLOAT, &s, value, sizeof *value);
    return at;
}

void pdi_layer_onnx_step(pdr_layer_onnx *o, const char *op, size_t n_more, const char *const more[],
                         size_t n_attr, const pdi_onnx_attr attr[])
{
    const char *in[8] = {o->x};
    char y[PDI_ONNX_NAME];
    for (size_t i = 0; i < n_more && i < 7; i++) in[i + 1] = more[i];
    if (o->y)
        snprintf(y, sizeof y, "%s", o->y);
    else
        snprintf(y, sizeof y, "%s/%d.%s", o->label, ++o->steps, op);
    pdi_onnx_node(o->to, op, y, n_more + 1, in, n_attr, attr);
    memcpy(o->x, y, sizeof o->x);
}

const char *pdi_layer_onnx_x(const pdr_layer_onnx *o) { return o->x; }

void pdi_layer_onnx_from(pdr_layer_onnx *o, const char *x) { snprintf(o->x, sizeof o->x, "%s", x); }

void pdi_layer_onnx_flatten(pdr_layer_onnx *o)
{
    static const pdi_onnx_attr one[] = {PDI_ONNX_INT("axis", 1)};
    if (o->rank == 2) return;
    pdi_layer_onnx_step(o, "Flatten", 0, NULL, 1, one);
    o->rank = 2;
}

/* ---- the model ------------------------------------------------------------------------------- */

static pdr_rc onnx_refuse(const char *label, pdr_error *err)
{
    pdi_text can = {0};
    for (size_t i = 0; pdi_layers[i]; i++)
        if (pdi_layers[i]->onnx)
            pdi_text_add(&can, "%s%s", can.n ? ", " : "", pdi_layers[i]->kind.name);
    pdr_rc rc = can.failed
                    ? pdi_nomem(err)
                    : pdi_fail(err, PDR_INPUT, "layer %s cannot be written as ONNX; these can: %s",
                               label, can.n ? can.s : "none");
    pdi_text_close(&can);
    return rc;
}

static pdr_rc onnx_layers(pdr_layer_onnx *o, pdr_error *err)
{
    const pdr_choice *c;
    for (size_t i = 0; (c = pdi_model_layer(o->model, i)) != NULL; i++) {
        const pdr_layer_kind *kind = (const pdr_layer_kind *)(const void *)c->kind;
        snprintf(o->label, sizeof o->label, "%zu.%s", i, kind->kind.name);
        o->steps = 0;
        if (!kind->onnx) return onnx_refuse(o->label, err);
        kind->onnx(o, c->self);
    }
    return PDR_OK;
}

pdr_rc pdi_model_onnx(const pdr_model *m, const pdi_model_onnx_how *how, pdi_onnx *to,
                      pdr_error *err)
{
    pdr_layer_onnx o = {.model = m, .how = how, .to = to, .rank = 1 + pdi_model_rank(m)};
    if (pdr_model_mixes(m))
        return pdi_fail(err, PDR_INPUT,
                        "a batch_norm with 'running: false' answers by the examples at hand, "
                        "which ONNX cannot say; take 'running: true'");
    pdi_layer_onnx_from(&o, how->x);
    pdr_rc rc = onnx_layers(&o, err);
    if (rc) return rc;
    snprintf(o.label, sizeof o.label, "output");
    o.steps = 0;
    pdi_layer_onnx_flatten(&o);
    o.y = how->y;
    pdi_dense_onnx(&o, true);
    return PDR_OK;
}
