/* method/batch.c -- examples side by side in host memory. */
#include <string.h>

#include "method/trainer.h"

static bool batch_column(const pdr_alloc *alloc, void *column, size_t n, size_t each)
{
    void **p = column;
    if (each) *p = pdi_new(alloc, n, each);
    return !each || *p;
}

bool pdi_batch_open(pdi_trainer *t, pdi_host_batch *h, int32_t n)
{
    const pdi_trainer_spec *s = &t->spec;
    size_t m = (size_t)n, width = (size_t)pdr_shape_size(&s->example);
    size_t outputs = s->mask ? (size_t)s->outputs : 0;
    bool ok = batch_column(t->alloc, &h->x, m, width * sizeof(float)) &&
              batch_column(t->alloc, &h->target, m, (size_t)s->targets * sizeof(float)) &&
              batch_column(t->alloc, &h->mask, m, outputs * sizeof(float)) &&
              batch_column(t->alloc, &h->label, m, sizeof(int32_t));
    for (size_t k = 0; ok && t->memory.used && k < t->memory.spec.columns; k++)
        ok = batch_column(t->alloc, &h->column[k], m,
                          (size_t)t->memory.spec.column[k].width * sizeof(float));
    h->size = n;
    if (!ok) pdi_batch_close(t->alloc, h);
    return ok;
}

void pdi_batch_close(const pdr_alloc *alloc, pdi_host_batch *h)
{
    pdi_free(alloc, h->x);
    pdi_free(alloc, h->target);
    pdi_free(alloc, h->mask);
    pdi_free(alloc, h->label);
    for (size_t k = 0; k < PDR_COLUMNS; k++) pdi_free(alloc, h->column[k]);
    *h = (pdi_host_batch){0};
}

static void batch_put_columns(const pdi_trainer *t, pdi_host_batch *h, size_t at,
                              const pdi_example *e)
{
    for (size_t k = 0; k < t->memory.spec.columns; k++) {
        size_t width = (size_t)t->memory.spec.column[k].width;
        if (e->column[k]) memcpy(h->column[k] + at * width, e->column[k], width * sizeof(float));
    }
}

void pdi_batch_put(const pdi_trainer *t, pdi_host_batch *h, int32_t i, const pdi_example *e)
{
    const pdi_trainer_spec *s = &t->spec;
    size_t width = (size_t)pdr_shape_size(&s->example), at = (size_t)i;
    size_t outputs = (size_t)s->outputs, targets = (size_t)s->targets;
    if (e->x != h->x + at * width) memcpy(h->x + at * width, e->x, width * sizeof *h->x);
    h->label[i] = e->label;
    if (targets) memcpy(h->target + at * targets, e->target, targets * sizeof *h->target);
    if (s->mask)
        memcpy(h->mask + at * outputs, s->mask + (size_t)e->task * outputs,
               outputs * sizeof *h->mask);
    batch_put_columns(t, h, at, e);
}
