/* learner/rows_csv.c -- rows of a table, by the names in its header. */
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "data/show.h"
#include "learner/learner.h"
#include "learner/rows.h"

typedef enum rows_role { ROWS_OTHER, ROWS_FEATURE, ROWS_CATEGORY, ROWS_LABEL, ROWS_TASK } rows_role;

typedef struct rows_column {
    rows_role role;
    size_t feature;
    char name[128];
} rows_column;

typedef struct rows_csv {
    pdi_csv scan;
    rows_column *column;
    size_t columns;
    bool *has;
    locale_t c, before;
} rows_csv;

static pdr_rc rows_csv_bad(const pdi_rows *r, const rows_csv *t, size_t k, const char *why,
                           pdr_error *err)
{
    char name[PDI_SHOW], value[PDI_SHOW];
    return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": column '%s': '%s' %s", r->name,
                    t->scan.cell[k].line, pdi_show(name, t->column[k].name),
                    pdi_show(value, t->scan.cell[k].s), why);
}

/* Is the column one that became a feature for each of its values, "name=value"? */
static bool rows_csv_is_category(const pdi_rows *r, const char *name)
{
    size_t n = strlen(name);
    for (int32_t i = 0; i < r->l->form.feature.n; i++) {
        const char *f = r->l->form.feature.v[i];
        if (!strncmp(f, name, n) && f[n] == '=') return true;
    }
    return false;
}

static void rows_csv_assign(pdi_rows *r, rows_csv *t, size_t k)
{
    rows_column *c = &t->column[k];
    int64_t feature = pdi_rows_feature(r, c->name);
    if (!strcmp(c->name, pdi_rows_label_name(r))) {
        c->role = ROWS_LABEL;
    } else if (r->form.task && !strcmp(c->name, r->form.task)) {
        c->role = ROWS_TASK;
    } else if (feature >= 0) {
        c->role = ROWS_FEATURE;
        c->feature = (size_t)feature;
        t->has[feature] = true;
    } else if (rows_csv_is_category(r, c->name)) {
        c->role = ROWS_CATEGORY;
        for (size_t i = 0; i < r->width; i++) {
            const char *f = pdr_learner_feature(r->l, i);
            if (!strncmp(f, c->name, strlen(c->name)) && f[strlen(c->name)] == '=')
                t->has[i] = true;
        }
    } else {
        r->passed_over++;
    }
}

static pdr_rc rows_csv_header(pdi_rows *r, rows_csv *t, pdr_error *err)
{
    bool more, label = false, task = !r->form.task;
    char lacking[200];
    pdr_rc rc = pdi_csv_next(&t->scan, &more, err);
    if (rc) return rc;
    if (!more) return pdi_fail(err, PDR_INPUT, "%s: is empty; a table needs a header row", r->name);
    t->columns = t->scan.cells;
    t->column = pdi_new(r->alloc, t->columns, sizeof *t->column);
    t->has = pdi_new(r->alloc, r->width, sizeof *t->has);
    if (!t->column || !t->has) return pdi_nomem(err);
    for (size_t k = 0; k < t->columns; k++) {
        snprintf(t->column[k].name, sizeof t->column[k].name, "%.120s", t->scan.cell[k].s);
        rows_csv_assign(r, t, k);
        label = label || t->column[k].role == ROWS_LABEL;
        task = task || t->column[k].role == ROWS_TASK;
    }
    float x;
    if (pdi_rows_lacking(r, t->has, lacking) && !pdi_rows_fill(r, 0, &x))
        return pdi_fail(err, PDR_INPUT,
                        "%s:1: the learner's features %s have no column; add them, or make the "
                        "learner with data.missing: mean or zero",
                        r->name, lacking);
    if (r->form.wants_label && !label)
        return pdi_fail(err, PDR_INPUT,
                        "%s:1: there is no column '%s' to learn; name one with "
                        "--label",
                        r->name, pdi_rows_label_name(r));
    return task ? PDR_OK
                : pdi_fail(err, PDR_INPUT, "%s:1: there is no column '%s' for the task", r->name,
                           r->form.task);
}

static pdr_rc rows_csv_open(pdi_rows *r, pdr_error *err)
{
    rows_csv *t = pdi_new(r->alloc, 1, sizeof *t);
    if (!t) return pdi_nomem(err);
    r->state = t;
    t->scan = (pdi_csv){.alloc = r->alloc, .r = &r->in, .line = 1};
    t->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!t->c) return pdi_nomem(err);
    return rows_csv_header(r, t, err);
}

static void rows_csv_close(pdi_rows *r)
{
    rows_csv *t = r->state;
    if (!t) return;
    pdi_csv_close(&t->scan);
    if (t->c) freelocale(t->c);
    pdi_free(r->alloc, t->column);
    pdi_free(r->alloc, t->has);
    pdi_free(r->alloc, t);
}

static pdr_rc rows_csv_number(pdi_rows *r, rows_csv *t, size_t k, float *x, pdr_error *err)
{
    double value;
    switch (pdi_number(t->scan.cell[k].s, &value)) {
    case PDI_NUMBER: *x = (float)value; return PDR_OK;
    case PDI_NOT_FINITE: return rows_csv_bad(r, t, k, "is not a finite 32-bit number", err);
    default: return rows_csv_bad(r, t, k, "is not a number", err);
    }
}

/* One of the features "name=value" is 1. */
static pdr_rc rows_csv_category(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    char name[400];
    snprintf(name, sizeof name, "%s=%.250s", t->column[k].name, t->scan.cell[k].s);
    int64_t i = pdi_rows_feature(r, name);
    if (i >= 0) r->x[i] = 1;
    return i >= 0 || r->missing != PDR_MISSING_ERROR
               ? PDR_OK
               : rows_csv_bad(r, t, k, "is no category that the learner knows", err);
}

static pdr_rc rows_csv_cell(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    const rows_column *c = &t->column[k];
    const char *s = t->scan.cell[k].s;
    switch (c->role) {
    case ROWS_FEATURE:
        if (!*s && pdi_rows_fill(r, c->feature, &r->x[c->feature])) return PDR_OK;
        return rows_csv_number(r, t, k, &r->x[c->feature], err);
    case ROWS_CATEGORY: return rows_csv_category(r, t, k, err);
    case ROWS_LABEL:
        r->has_label = *s != 0;
        if (!*s && r->form.wants_label) return rows_csv_bad(r, t, k, "is no label", err);
        if (*s && r->targets) return rows_csv_number(r, t, k, r->target, err);
        if (strlen(s) > 255) return rows_csv_bad(r, t, k, "is longer than 255 bytes", err);
        snprintf(r->label, sizeof r->label, "%.255s", s);
        return PDR_OK;
    case ROWS_TASK: snprintf(r->task, sizeof r->task, "%.255s", s); return PDR_OK;
    case ROWS_OTHER: break;
    }
    return PDR_OK;
}

static pdr_rc rows_csv_next(pdi_rows *r, bool *more, pdr_error *err)
{
    rows_csv *t = r->state;
    pdr_rc rc = pdi_csv_next(&t->scan, more, err);
    if (rc || !*more) return rc;
    if (t->scan.cells != t->columns)
        return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": has %zu cells; the header has %zu",
                        r->name, t->scan.first, t->scan.cells, t->columns);
    for (size_t i = 0; i < r->width; i++)
        if (!t->has[i] && !pdi_rows_fill(r, i, &r->x[i])) r->x[i] = 0;
    for (size_t k = 0; k < t->columns; k++)
        if (t->column[k].role == ROWS_CATEGORY) {
            for (size_t i = 0; i < r->width; i++) {
                const char *f = pdr_learner_feature(r->l, i);
                size_t n = strlen(t->column[k].name);
                if (!strncmp(f, t->column[k].name, n) && f[n] == '=') r->x[i] = 0;
            }
        }
    locale_t before = uselocale(t->c);
    for (size_t k = 0; !rc && k < t->columns; k++) rc = rows_csv_cell(r, t, k, err);
    uselocale(before);
    return rc;
}

const pdi_rows_kind pdi_rows_csv = {rows_csv_open, rows_csv_next, rows_csv_close};
