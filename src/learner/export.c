/* learner/export.c -- a learner for other programs: the formats, and where they go. */
#include <string.h>

#include "learner/exchange.h"
#include "learner/safetensors.h"
#include "report/replace.h"

/* ---- safetensors ----------------------------------------------------------------------------- */

static pdr_rc export_tensors(pdr_learner *l, const pdi_exchange *x, pdi_text *out, pdr_error *err)
{
    json_t *facts = pdi_exchange_facts(l);
    pdi_safe_tensor *t = pdi_new(l->alloc, x->n, sizeof *t);
    pdr_rc rc = facts && t ? PDR_OK : pdi_nomem(err);
    for (size_t i = 0; !rc && i < x->n; i++) {
        const pdi_exchanged *from = &x->v[i];
        t[i] = (pdi_safe_tensor){.name = from->name,
                                 .type = from->wide ? PDI_SAFE_F64 : PDI_SAFE_F32,
                                 .shape = from->shape};
        t[i].bytes = from->wide ? (const void *)from->wide : (const void *)from->narrow;
    }
    if (!rc) rc = pdi_safe_write(x->n, t, facts, out, err);
    pdi_free(l->alloc, t);
    json_decref(facts);
    return rc;
}

static pdr_rc export_safetensors(pdr_learner *l, pdi_text *out, pdr_error *err)
{
    pdi_exchange x;
    pdr_rc rc = pdi_exchange_open(l, &x, err);
    if (!rc) rc = export_tensors(l, &x, out, err);
    pdi_exchange_close(&x);
    return rc;
}

/* ---- whatever the format ----------------------------------------------------------------------
 */

static pdr_rc export_text(pdr_learner *l, const pdr_export *what, pdi_text *out, pdr_error *err)
{
    pdr_rc rc = pdi_learner_check(l, false, err);
    if (rc) return rc;
    switch (what->format) {
    case PDR_EXPORT_SAFETENSORS: return export_safetensors(l, out, err);
    case PDR_EXPORT_ONNX: return pdi_export_onnx(l, what->task, out, err);
    case PDR_EXPORT_MEMORY: return pdi_export_memory(l, out, err);
    case PDR_EXPORT_METRICS: return pdi_export_metrics(l, out, err);
    case PDR_EXPORT_CARD: return pdi_export_card(l, out, err);
    }
    return pdi_fail(err, PDR_USAGE, "there is no format %d to export", (int)what->format);
}

pdr_rc pdr_learner_export(pdr_learner *l, const pdr_export *what, pdr_sink_fn *sink, void *ctx,
                          pdr_error *err)
{
    pdi_text out = {.alloc = l->alloc};
    pdr_rc rc = export_text(l, what, &out, err);
    if (!rc) rc = sink(ctx, out.s, out.n);
    pdi_text_close(&out);
    return rc;
}

pdr_rc pdr_learner_export_file(pdr_learner *l, const pdr_export *what, const char *path,
                               pdr_error *err)
{
    pdi_text out = {.alloc = l->alloc};
    pdr_rc rc = export_text(l, what, &out, err);
    if (!rc) rc = pdi_file_replace(l->alloc, path, &out, err);
    pdi_text_close(&out);
    return rc;
}
