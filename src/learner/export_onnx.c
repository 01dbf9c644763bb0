/* learner/export_onnx.c -- the learner as it answers, as a graph of ONNX.
 *
 *     x [examples, features...] -> (x - centre) scale -> the model's layers -> logits
 *     logits, those that a task's classes do not have very low -> softmax -> probabilities
 *                                                              -> argmax  -> class
 *
 * The output layer is cut to the classes that are known: outputs that no class has yet are
 * never an answer.  A mask [tasks, classes] stands in the graph only where tasks have names;
 * otherwise every known class may be the answer. */
#include <stdio.h>
#include <string.h>

#include "learner/exchange.h"
#include "nn/onnx.h"

/* As low as pdr_mask_logits() makes them: softmax then gives exactly 0. */
#define EXPORT_MASKED (-0x1p100)

static const float *export_onnx_values(void *ctx, const char *name)
{
    const pdr_learner *l = ctx;
    char full[PDI_ONNX_NAME];
    snprintf(full, sizeof full, "param/%s", name);
    const pdi_tensor *t = pdi_state_find(&l->trainer->store, full);
    return t ? t->value : NULL;
}

/* ---- in front of the model ----------------------------------------------------------------- */

static const char *export_onnx_normaliser(const pdr_learner *l, pdi_onnx *o)
{
    const pdr_shape *s = &l->form.shape;
    if (!l->mean) return "x";
    pdi_onnx_tensor(o, "normaliser.centre", PDI_ONNX_FLOAT, s, l->trainer->centre, sizeof(float));
    pdi_onnx_tensor(o, "normaliser.scale", PDI_ONNX_FLOAT, s, l->trainer->scale, sizeof(float));
    pdi_onnx_node(o, "Sub", "centred", 2, (const char *[]){"x", "normaliser.centre"}, 0, NULL);
    pdi_onnx_node(o, "Mul", "normalised", 2, (const char *[]){"centred", "normaliser.scale"}, 0,
                  NULL);
    return "normalised";
}

/* ---- behind it ------------------------------------------------------------------------------ */

/* The rows of the mask from task `from` on, cut to known classes, as a constant "mask". */
static void export_onnx_rows(const pdr_learner *l, pdi_onnx *o, int32_t from, int32_t rows)
{
    int32_t classes = l->form.class.n, outputs = l->form.outputs;
    size_t n = (size_t)rows * (size_t)classes;
    uint8_t *mask = pdi_new(l->alloc, n, 1);
    if (!mask) o->tensor.failed = true;
    for (size_t i = 0; mask && i < n; i++) {
        int32_t task = from + (int32_t)(i / (size_t)classes), c = (int32_t)(i % (size_t)classes);
        mask[i] = l->mask[(int64_t)task * outputs + c] > 0;
    }
    pdr_shape shape = rows > 1 ? PDR_SHAPE(rows, classes) : PDR_SHAPE(classes);
    if (mask) pdi_onnx_tensor(o, "mask", PDI_ONNX_BOOL, &shape, mask, 1);
    pdi_free(l->alloc, mask);
}

/* logits = where(mask, raw, very low); the mask's row is one, or chosen by example. */
static void export_onnx_mask(const pdr_learner *l, pdi_onnx *o, int32_t task)
{
    static const pdi_onnx_attr by_row[] = {PDI_ONNX_INT("axis", 0)};
    const char *mask = "mask";
    if (task < 0) {
        pdi_onnx_input(o, "task", PDI_ONNX_INT64, &PDR_SCALAR);
        export_onnx_rows(l, o, 0, l->form.task.n);
        pdi_onnx_node(o, "Gather", "allowed", 2, (const char *[]){"mask", "task"}, 1, by_row);
        mask = "allowed";
    } else {
        export_onnx_rows(l, o, task, 1);
    }
    pdi_onnx_number(o, "masked", EXPORT_MASKED);
    pdi_onnx_node(o, "Where", "logits", 3, (const char *[]){mask, "raw", "masked"}, 0, NULL);
}

static void export_onnx_answers(const pdr_learner *l, pdi_onnx *o)
{
    static const pdi_onnx_attr last[] = {PDI_ONNX_INT("axis", 1)};
    static const pdi_onnx_attr gone[] = {PDI_ONNX_INT("axis", 1), PDI_ONNX_INT("keepdims", 0)};
    const char *const logits[] = {"logits"};
    pdr_shape each = PDR_SHAPE(l->form.class.n);
    pdi_onnx_node(o, "Softmax", "probabilities", 1, logits, 1, last);
    pdi_onnx_node(o, "ArgMax", "class", 1, logits, 2, gone);
    pdi_onnx_output(o, "logits", PDI_ONNX_FLOAT, &each);
    pdi_onnx_output(o, "probabilities", PDI_ONNX_FLOAT, &each);
    pdi_onnx_output(o, "class", PDI_ONNX_INT64, &PDR_SCALAR);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Which row of the mask: a task's; -1: each example says; -2: there is no mask. */
static pdr_rc export_onnx_task(const pdr_learner *l, const char *task, int32_t *at, pdr_error *err)
{
    *at = l->form.targets || l->form.task.n < 2 ? -2 : -1;
    if (!task) return PDR_OK;
    *at = pdi_names_find(&l->form.task, task);
    if (*at <= 0)
        return pdi_fail(err, PDR_INPUT, "%s: there is no task '%.80s'; %d are known",
                        pdi_store_path(l->store), task, l->form.task.n - 1);
    if (l->form.targets) *at = -2;
    return PDR_OK;
}

static void export_onnx_facts(const pdr_learner *l, pdi_onnx *o)
{
    const char *key;
    json_t *value, *facts = pdi_exchange_facts(l);
    if (!facts) o->fact.failed = true;
    json_object_foreach(facts, key, value) pdi_onnx_fact(o, key, json_string_value(value));
    json_decref(facts);
}

static pdr_rc export_onnx_graph(pdr_learner *l, pdi_onnx *o, int32_t task, pdr_error *err)
{
    bool real = l->form.targets > 0, masked = task > -2;
    pdr_error why = PDR_NO_ERROR;
    pdi_onnx_input(o, "x", PDI_ONNX_FLOAT, &l->form.shape);
    pdi_model_onnx_how how = {.x = export_onnx_normaliser(l, o),
                              .y = real     ? "y"
                                   : masked ? "raw"
                                            : "logits",
                              .values = export_onnx_values,
                              .ctx = l,
                              .outputs = real ? l->form.targets : l->form.class.n};
    pdr_rc rc = pdi_model_onnx(l->model, &how, o, &why);
    if (rc) return pdi_fail(err, rc, "%s: %s", pdi_store_path(l->store), why.text);
    if (masked) export_onnx_mask(l, o, task);
    if (real)
        pdi_onnx_output(o, "y", PDI_ONNX_FLOAT, &PDR_SHAPE(l->form.targets));
    else
        export_onnx_answers(l, o);
    export_onnx_facts(l, o);
    return PDR_OK;
}

pdr_rc pdi_export_onnx(pdr_learner *l, const char *task, pdi_text *out, pdr_error *err)
{
    int32_t at;
    pdi_onnx o;
    pdi_exchange x;
    pdr_rc rc = pdi_exchange_open(l, &x, err); /* is the model all there is to its answers? */
    pdi_exchange_close(&x);
    if (!rc) rc = export_onnx_task(l, task, &at, err);
    if (rc) return rc;
    if (!l->form.targets && !l->form.class.n)
        return pdi_fail(err, PDR_INPUT,
                        "%s: no class is known yet, so there is nothing to answer; learn first",
                        pdi_store_path(l->store));
    pdi_onnx_open(&o, l->alloc);
    rc = export_onnx_graph(l, &o, at, err);
    if (!rc) rc = pdi_onnx_write(&o, l->recipe.name, out, err);
    pdi_onnx_close(&o);
    return rc;
}
