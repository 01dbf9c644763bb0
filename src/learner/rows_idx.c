/* learner/rows_idx.c -- rows of an IDX file of bytes, with one of labels beside it. */
#include <stdio.h>
#include <string.h>

#include "learner/learner.h"
#include "learner/rows.h"

typedef struct rows_idx {
    pdi_reader labels;
    bool has_labels;
    uint8_t *row;
    uint64_t n, at;
} rows_idx;

static uint32_t rows_idx_number(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The counts in a file's head: how many rows, and bytes a row. */
static pdr_rc rows_idx_head(pdi_reader *in, const char *name, uint64_t *n, uint64_t *each,
                            pdr_error *err)
{
    uint8_t head[4], dim[4];
    size_t got;
    pdr_rc rc = pdi_reader_take(in, head, 4, &got, err);
    if (rc) return rc;
    if (got < 4 || head[0] || head[1] || head[2] != 8 || head[3] < 1 || head[3] > 4)
        return pdi_fail(err, PDR_INPUT, "%s:byte 0: is not an IDX file of bytes", name);
    *each = 1;
    for (int k = 0; !rc && k < head[3]; k++) {
        rc = pdi_reader_take(in, dim, 4, &got, err);
        if (!rc && got < 4) return pdi_fail(err, PDR_INPUT, "%s: ends in its head", name);
        if (k == 0) *n = rows_idx_number(dim);
        if (k > 0) *each *= rows_idx_number(dim);
        if (*each > 1u << 24) return pdi_fail(err, PDR_INPUT, "%s: rows are too long", name);
    }
    return rc;
}

static pdr_rc rows_idx_open_labels(pdi_rows *r, rows_idx *t, pdr_error *err)
{
    uint64_t n = 0, each = 0;
    pdr_rc rc = pdi_reader_open(&t->labels, r->alloc, r->form.labels, err);
    if (rc) return rc;
    t->has_labels = true;
    rc = rows_idx_head(&t->labels, r->form.labels, &n, &each, err);
    if (!rc && (each != 1 || n != t->n))
        rc = pdi_fail(err, PDR_INPUT, "%s: has %llu labels; %s has %llu rows", r->form.labels,
                      (unsigned long long)n, r->name, (unsigned long long)t->n);
    return rc;
}

static pdr_rc rows_idx_open(pdi_rows *r, pdr_error *err)
{
    uint64_t each = 0;
    rows_idx *t = pdi_new(r->alloc, 1, sizeof *t);
    if (!t) return pdi_nomem(err);
    r->state = t;
    t->row = pdi_new(r->alloc, r->width, 1);
    if (!t->row) return pdi_nomem(err);
    pdr_rc rc = rows_idx_head(&r->in, r->name, &t->n, &each, err);
    if (rc) return rc;
    if (each != r->width)
        return pdi_fail(err, PDR_INPUT, "%s: a row has %llu bytes; the learner has %zu features",
                        r->name, (unsigned long long)each, r->width);
    if (r->form.labels) return rows_idx_open_labels(r, t, err);
    if (!r->form.wants_label) return PDR_OK;
    return pdi_fail(err, PDR_INPUT, "%s: IDX images need their labels; give --labels FILE",
                    r->name);
}

static void rows_idx_close(pdi_rows *r)
{
    rows_idx *t = r->state;
    if (!t) return;
    if (t->has_labels) pdi_reader_close(&t->labels);
    pdi_free(r->alloc, t->row);
    pdi_free(r->alloc, t);
}

static pdr_rc rows_idx_next(pdi_rows *r, bool *more, pdr_error *err)
{
    rows_idx *t = r->state;
    uint8_t label = 0;
    size_t got;
    *more = t->at < t->n;
    if (!*more) return PDR_OK;
    pdr_rc rc = pdi_reader_take(&r->in, t->row, r->width, &got, err);
    if (!rc && got < r->width)
        return pdi_fail(err, PDR_INPUT, "%s: ends in row %llu of %llu", r->name,
                        (unsigned long long)t->at + 1, (unsigned long long)t->n);
    if (!rc && t->has_labels) rc = pdi_reader_take(&t->labels, &label, 1, &got, err);
    if (!rc && t->has_labels && got < 1)
        return pdi_fail(err, PDR_INPUT, "%s: ends before its last label", r->form.labels);
    if (rc) return rc;
    for (size_t i = 0; i < r->width; i++) r->x[i] = (float)t->row[i] * 0x1.010102p-8f;
    r->has_label = t->has_labels;
    snprintf(r->label, sizeof r->label, "%d", label);
    r->target[0] = (float)label;
    t->at++;
    return PDR_OK;
}

const pdi_rows_kind pdi_rows_idx = {rows_idx_open, rows_idx_next, rows_idx_close};
