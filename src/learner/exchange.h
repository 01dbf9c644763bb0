/* learner/exchange.h -- what the files that export and import share. */
#ifndef PDI_LEARNER_EXCHANGE_H
#define PDI_LEARNER_EXCHANGE_H

#include <jansson.h>
#include <perdure/exchange.h>

#include "base/text.h"
#include "learner/learner.h"

/* A tensor that travels; where its numbers are: one of the two. */
typedef struct pdi_exchanged {
    const char *name;
    pdr_shape shape;
    float *narrow;
    double *wide;
} pdi_exchanged;

/* All of them, in the order in which they are written: those of 8 bytes first. */
typedef struct pdi_exchange {
    const pdr_alloc *alloc;
    double seen; /* by the normaliser: a tensor of its own */
    pdi_exchanged *v;
    size_t n;
} pdi_exchange;

/* Refused where the method answers with more than the model's own parameters. */
pdr_rc pdi_exchange_open(pdr_learner *l, pdi_exchange *x, pdr_error *err);
void pdi_exchange_close(pdi_exchange *x);

/* What there is to know about the model: an object of texts; NULL when out of memory. */
json_t *pdi_exchange_facts(const pdr_learner *l);

/* Each format, appended to *out. */
pdr_rc pdi_export_onnx(pdr_learner *l, const char *task, pdi_text *out, pdr_error *err);
pdr_rc pdi_export_memory(const pdr_learner *l, pdi_text *out, pdr_error *err);
pdr_rc pdi_export_metrics(pdr_learner *l, pdi_text *out, pdr_error *err);
pdr_rc pdi_export_card(pdr_learner *l, pdi_text *out, pdr_error *err);

#endif
