/* learner/rows_csv.c -- rows of a table, by the names in its header. */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/show.h"
#include "learner/learner.h"
#include "learner/rows.h"

typedef struct rows_column {
    pdi_role role;
    size_t feature;
    char name[256];
} rows_column;

typedef struct rows_csv {
    pdi_csv scan;
    rows_column *column;
    size_t columns;
    bool *has;
    bool is[PDI_ROLE_ID + 1]; /* is there a column of that role? */
    bool labels_alone;
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

static void rows_csv_assign(pdi_rows *r, rows_csv *t, size_t k)
{
    rows_column *c = &t->column[k];
    c->role = pdi_rows_role(r, c->name, &c->feature);
    t->is[c->role] = true;
    if (c->role == PDI_ROLE_FEATURE) t->has[c->feature] = true;
    for (size_t i = 0; c->role == PDI_ROLE_CATEGORY && i < r->width; i++)
        if (pdi_rows_is_of(r, i, c->name)) t->has[i] = true;
    if (c->role == PDI_ROLE_OTHER) pdi_rows_pass(r, c->name);
}

static pdr_rc rows_csv_columns(pdi_rows *r, rows_csv *t, pdr_error *err)
{
    char name[PDI_SHOW];
    t->columns = t->scan.cells;
    t->column = pdi_new(r->alloc, t->columns, sizeof *t->column);
    t->has = pdi_new(r->alloc, r->width, sizeof *t->has);
    if (!t->column || !t->has) return pdi_nomem(err);
    for (size_t k = 0; k < t->columns; k++) {
        snprintf(t->column[k].name, sizeof t->column[k].name, "%.255s", t->scan.cell[k].s);
        rows_csv_assign(r, t, k);
        for (size_t j = 0; j < k && t->column[k].role; j++)
            if (!strcmp(t->column[j].name, t->column[k].name))
                return pdi_fail(err, PDR_INPUT, "%s:1: column '%s' is there twice; rename one",
                                r->name, pdi_show(name, t->column[k].name));
    }
    return PDR_OK;
}

/* Columns that were asked for by name. */
static pdr_rc rows_csv_named(const pdi_rows *r, const rows_csv *t, pdr_error *err)
{
    char name[PDI_SHOW];
    const char *task = r->form.task;
    if (task && *task && !t->is[PDI_ROLE_TASK])
        return pdi_fail(err, PDR_INPUT, "%s:1: there is no column '%s' for the task", r->name,
                        pdi_show(name, task));
    if (r->form.id && *r->form.id && !t->is[PDI_ROLE_ID])
        return pdi_fail(err, PDR_INPUT, "%s:1: there is no column '%s' for ids", r->name,
                        pdi_show(name, r->form.id));
    if (r->form.wants_label && !t->is[PDI_ROLE_LABEL])
        return pdi_fail(err, PDR_INPUT,
                        "%s:1: there is no column '%s' to learn; name one with "
                        "--label",
                        r->name, pdi_show(name, pdi_rows_label_name(r)));
    return PDR_OK;
}

/* A table of ids and labels alone brings labels for what was asked. */
static pdr_rc rows_csv_header(pdi_rows *r, rows_csv *t, pdr_error *err)
{
    bool more;
    char lacking[200];
    pdr_rc rc = pdi_csv_next(&t->scan, &more, err);
    if (rc) return rc;
    if (!more) return pdi_fail(err, PDR_INPUT, "%s: is empty; a table needs a header row", r->name);
    rc = rows_csv_columns(r, t, err);
    if (!rc) rc = rows_csv_named(r, t, err);
    if (rc) return rc;
    t->labels_alone = r->form.by_id && t->is[PDI_ROLE_ID] && t->is[PDI_ROLE_LABEL] &&
                      !t->is[PDI_ROLE_FEATURE] && !t->is[PDI_ROLE_CATEGORY];
    bool may = r->missing == PDR_MISSING_ZERO || r->missing == PDR_MISSING_MEAN;
    if (!t->labels_alone && !may && pdi_rows_lacking(r, t->has, lacking))
        return pdi_fail(err, PDR_INPUT,
                        "%s:1: the learner's features %s have no column; add them, or make the "
                        "learner with data.missing: mean or zero",
                        r->name, lacking);
    return PDR_OK;
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
    case PDI_NOT_FINITE:
        return rows_csv_bad(r, t, k,
                            "is not a finite 32-bit number; mend it, or leave the cell empty and "
                            "make the learner with data.missing: mean or zero",
                            err);
    default: return rows_csv_bad(r, t, k, "is not a number", err);
    }
}

static pdr_rc rows_csv_empty(const pdi_rows *r, const rows_csv *t, size_t k, pdr_error *err)
{
    return rows_csv_bad(
        r, t, k, "is empty; fill it, or make the learner with data.missing: mean or zero", err);
}

static pdr_rc rows_csv_feature(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    size_t i = t->column[k].feature;
    if (*t->scan.cell[k].s) return rows_csv_number(r, t, k, &r->x[i], err);
    return pdi_rows_lack(r, i) ? PDR_OK : rows_csv_empty(r, t, k, err);
}

static pdr_rc rows_csv_category(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    const char *name = t->column[k].name;
    if (!*t->scan.cell[k].s) {
        bool may = true;
        for (size_t i = 0; i < r->width; i++)
            if (pdi_rows_is_of(r, i, name)) may = pdi_rows_lack(r, i);
        return may ? PDR_OK : rows_csv_empty(r, t, k, err);
    }
    return pdi_rows_category(r, name, t->scan.cell[k].s)
               ? PDR_OK
               : rows_csv_bad(r, t, k, "is no category that the learner knows", err);
}

static pdr_rc rows_csv_label(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    const char *s = t->scan.cell[k].s;
    r->has_label = *s != 0;
    if (!*s && r->form.wants_label) return rows_csv_bad(r, t, k, "is no label", err);
    if (*s && r->targets) return rows_csv_number(r, t, k, r->target, err);
    if (strlen(s) > 255) return rows_csv_bad(r, t, k, "is longer than 255 bytes", err);
    snprintf(r->label, sizeof r->label, "%.255s", s);
    return PDR_OK;
}

static pdr_rc rows_csv_cell(pdi_rows *r, rows_csv *t, size_t k, pdr_error *err)
{
    const char *s = t->scan.cell[k].s;
    switch (t->column[k].role) {
    case PDI_ROLE_FEATURE: return rows_csv_feature(r, t, k, err);
    case PDI_ROLE_CATEGORY: return rows_csv_category(r, t, k, err);
    case PDI_ROLE_LABEL: return rows_csv_label(r, t, k, err);
    case PDI_ROLE_TASK: snprintf(r->task, sizeof r->task, "%.255s", s); return PDR_OK;
    case PDI_ROLE_ID: snprintf(r->id, sizeof r->id, "%.255s", s); return PDR_OK;
    case PDI_ROLE_OTHER: break;
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
    r->has_x = !t->labels_alone;
    for (size_t i = 0; r->has_x && i < r->width; i++)
        if (!t->has[i]) r->x[i] = NAN;
    locale_t before = uselocale(t->c);
    for (size_t k = 0; !rc && k < t->columns; k++) rc = rows_csv_cell(r, t, k, err);
    uselocale(before);
    if (!rc && t->labels_alone && !r->id[0])
        rc = pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": has no id; a label alone needs one", r->name,
                      t->scan.first);
    return rc;
}

const pdi_rows_kind pdi_rows_csv = {rows_csv_open, rows_csv_next, rows_csv_close};
