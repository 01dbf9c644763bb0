/* data/csv.c -- a table as a data set.
 *
 * Rows are kept raw, one slot a column, because the number of features is known
 * only when the last category has been met.  A table without categories needs
 * no second copy: its slots are its features. */
#include "data/csv.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/csv_table.h"
#include "data/dataset.h"
#include "data/show.h"

enum { CSV_MAX = 65536 }; /* features, and classes */

/* Cell k cannot be used. */
static pdr_rc csv_bad(pdi_csv_table *t, size_t k, const char *why)
{
    char name[PDI_SHOW], value[PDI_SHOW];
    return pdi_fail(t->err, PDR_INPUT, "%s:%" PRIu64 ": column '%s': '%s' %s", t->file,
                    t->scan.cell[k].line, pdi_show(name, t->names.key[k]),
                    pdi_show(value, t->scan.cell[k].s), why);
}

static pdr_rc csv_not_among(pdi_csv_table *t, size_t k, const pdi_dict *known)
{
    char why[PDI_CSV_LIST + 64], list[PDI_CSV_LIST];
    snprintf(why, sizeof why, "is not in the training part, which has %s",
             pdi_csv_list(list, known->key, known->n));
    return csv_bad(t, k, why);
}

static pdr_rc csv_number(pdi_csv_table *t, size_t k, float *x)
{
    double value;
    switch (pdi_number(t->scan.cell[k].s, &value)) {
    case PDI_NUMBER: *x = (float)value; return PDR_OK;
    case PDI_NOT_FINITE:
        return csv_bad(
            t, k,
            "is not a finite 32-bit number; mend it, or leave the cell empty and set data.missing");
    default:
        return csv_bad(
            t, k,
            "is not a number; mend it, or name the column in data.categorical or data.ignore");
    }
}

static pdr_rc csv_category(pdi_csv_table *t, size_t k, int32_t *id)
{
    pdi_dict *values = &t->column[k].values;
    int64_t i = pdi_dict_find(values, t->scan.cell[k].s);
    if (i < 0 && t->like) return csv_not_among(t, k, values);
    if (i < 0) {
        if (t->features == CSV_MAX)
            return csv_bad(t, k,
                           "makes more than 65536 features; leave such columns out with "
                           "data.ignore");
        t->features++;
        i = pdi_dict_add(values, t->scan.cell[k].s);
    }
    *id = (int32_t)i;
    return i < 0 ? pdi_nomem(t->err) : PDR_OK;
}

static pdr_rc csv_label(pdi_csv_table *t, size_t k)
{
    int64_t i = pdi_dict_find(&t->classes, t->scan.cell[k].s);
    if (i < 0 && t->like) return csv_not_among(t, k, &t->classes);
    if (i < 0 && t->classes.n == CSV_MAX)
        return csv_bad(t, k, "makes more than 65536 classes; a number to predict is a data.target");
    if (i < 0) i = pdi_dict_add(&t->classes, t->scan.cell[k].s);
    t->label[t->rows] = (int32_t)i;
    return i < 0 ? pdi_nomem(t->err) : PDR_OK;
}

static pdr_rc csv_empty(pdi_csv_table *t, size_t k, pdi_csv_slot *slot)
{
    char name[PDI_SHOW];
    bool answer = t->column[k].role > PDI_CSV_CATEGORY;
    if (answer || t->form->missing == PDR_MISSING_ERROR)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s:%" PRIu64 ": column '%s' is empty; data.missing may be %sdrop", t->file,
                        t->scan.cell[k].line, pdi_show(name, t->names.key[k]),
                        answer ? "" : "mean, zero or ");
    if (t->column[k].role == PDI_CSV_NUMBER)
        slot->number = NAN;
    else
        slot->category = -1;
    return PDR_OK;
}

static pdr_rc csv_cell(pdi_csv_table *t, size_t k)
{
    pdi_csv_slot *slot = t->slot + t->rows * t->slots + t->column[k].slot;
    if (t->column[k].role == PDI_CSV_IGNORED) return PDR_OK;
    if (!*t->scan.cell[k].s) return csv_empty(t, k, slot);
    switch (t->column[k].role) {
    case PDI_CSV_NUMBER: return csv_number(t, k, &slot->number);
    case PDI_CSV_CATEGORY: return csv_category(t, k, &slot->category);
    case PDI_CSV_LABEL: return csv_label(t, k);
    case PDI_CSV_TARGET: return csv_number(t, k, &t->target[t->rows]);
    case PDI_CSV_IGNORED: break;
    }
    return PDR_OK;
}

/* Room for one row more. */
static bool csv_room(pdi_csv_table *t)
{
    if (t->rows < t->cap) return true;
    size_t cap = t->cap ? 2 * t->cap : 16;
    pdi_csv_slot *slot = pdi_resize(t->alloc, t->slot, cap, t->slots * sizeof *slot);
    if (slot) t->slot = slot;
    int32_t *label = t->form->label ? pdi_resize(t->alloc, t->label, cap, sizeof *label) : NULL;
    if (label) t->label = label;
    float *target = t->form->target ? pdi_resize(t->alloc, t->target, cap, sizeof *target) : NULL;
    if (target) t->target = target;
    if (!slot || (t->form->label && !label) || (t->form->target && !target)) return false;
    t->cap = cap;
    return true;
}

static bool csv_is_dropped(const pdi_csv_table *t)
{
    if (t->form->missing != PDR_MISSING_DROP) return false;
    for (size_t k = 0; k < t->names.n; k++)
        if (t->column[k].role != PDI_CSV_IGNORED && !*t->scan.cell[k].s) return true;
    return false;
}

static pdr_rc csv_row(pdi_csv_table *t)
{
    t->seen++;
    if (t->scan.cells != t->names.n)
        return pdi_fail(
            t->err, PDR_INPUT,
            "%s:%" PRIu64
            ": %zu cell%s, but there are %zu columns; give each row a cell for every column",
            t->file, t->scan.first, t->scan.cells, t->scan.cells == 1 ? "" : "s", t->names.n);
    if (csv_is_dropped(t)) return PDR_OK;
    if (t->rows == INT32_MAX)
        return pdi_fail(t->err, PDR_INPUT, "%s:%" PRIu64 ": more than %d rows", t->file,
                        t->scan.first, INT32_MAX);
    if (!csv_room(t)) return pdi_nomem(t->err);
    for (size_t k = 0; k < t->names.n; k++) {
        pdr_rc rc = csv_cell(t, k);
        if (rc) return rc;
    }
    t->rows++;
    return PDR_OK;
}

static pdr_rc csv_rows(pdi_csv_table *t)
{
    bool more = true;
    pdr_rc rc = PDR_OK;
    while (!rc && more) {
        rc = pdi_csv_next(&t->scan, &more, t->err);
        if (!rc && more) rc = csv_row(t);
    }
    if (!rc && !t->seen)
        return pdi_fail(t->err, PDR_INPUT, "%s:%" PRIu64 ": no rows of data", t->file,
                        t->scan.line);
    if (!rc && !t->rows)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s: every one of its %zu rows has an empty cell, and data.missing is drop",
                        t->file, t->seen);
    return rc;
}

/* ---- classes in order ---- */

typedef struct csv_class {
    const char *name;
    double value;
    uint32_t id; /* by first appearance */
} csv_class;

static int csv_by_name(const void *a, const void *b)
{
    return strcmp(((const csv_class *)a)->name, ((const csv_class *)b)->name);
}

static int csv_by_value(const void *a, const void *b)
{
    double x = ((const csv_class *)a)->value, y = ((const csv_class *)b)->value;
    return (x > y) - (x < y);
}

static pdr_rc csv_sort(pdi_csv_table *t, csv_class *c)
{
    bool numbers = true;
    size_t n = t->classes.n;
    for (size_t i = 0; i < n; i++) {
        c[i] = (csv_class){t->classes.key[i], 0, (uint32_t)i};
        numbers &= pdi_number(c[i].name, &c[i].value) == PDI_NUMBER;
    }
    qsort(c, n, sizeof *c, numbers ? csv_by_value : csv_by_name);
    for (size_t i = 1; numbers && i < n; i++)
        if (c[i - 1].value == c[i].value) {
            char a[PDI_SHOW], b[PDI_SHOW], name[PDI_SHOW];
            return pdi_fail(t->err, PDR_INPUT,
                            "%s: column '%s': '%s' and '%s' are the same number; write it one way",
                            t->file, pdi_show(name, t->form->label), pdi_show(a, c[i - 1].name),
                            pdi_show(b, c[i].name));
        }
    return PDR_OK;
}

/* Labels from first appearance to sorted order; like's order stays. */
static pdr_rc csv_classes(pdi_csv_table *t, pdr_dataset *out)
{
    size_t n = t->classes.n;
    csv_class *c = pdi_new(t->alloc, n, sizeof *c);
    uint32_t *rank = pdi_new(t->alloc, n, sizeof *rank);
    out->class_name = pdi_new(t->alloc, n, sizeof *out->class_name);
    pdr_rc rc = c && rank && out->class_name ? PDR_OK : pdi_nomem(t->err);
    out->classes = rc ? 0 : (int32_t)n;
    if (!rc && !t->like) rc = csv_sort(t, c);
    for (size_t i = 0; !rc && i < n; i++) {
        uint32_t id = t->like ? (uint32_t)i : c[i].id;
        rank[id] = (uint32_t)i;
        out->class_name[i] = pdi_strdup(t->alloc, t->classes.key[id]);
        if (!out->class_name[i]) rc = pdi_nomem(t->err);
    }
    for (size_t i = 0; !rc && i < t->rows; i++) t->label[i] = (int32_t)rank[t->label[i]];
    pdi_free(t->alloc, c);
    pdi_free(t->alloc, rank);
    return rc;
}

/* ---- features ---- */

/* Where every column's features begin; true when slots and features are the same. */
static bool csv_place(pdi_csv_table *t)
{
    bool same = true;
    size_t at = 0;
    for (size_t k = 0; k < t->names.n; k++) {
        pdi_csv_column *c = &t->column[k];
        if (c->role > PDI_CSV_CATEGORY) continue;
        if (!t->like) c->at = at;
        at += c->role == PDI_CSV_NUMBER ? 1 : c->values.n;
        same &= c->role == PDI_CSV_NUMBER && c->at == c->slot;
    }
    return same;
}

static void csv_expand(const pdi_csv_table *t, size_t i, float x[])
{
    const pdi_csv_slot *row = t->slot + i * t->slots;
    for (size_t k = 0; k < t->names.n; k++) {
        const pdi_csv_column *c = &t->column[k];
        if (c->role == PDI_CSV_NUMBER) x[c->at] = row[c->slot].number;
        if (c->role != PDI_CSV_CATEGORY) continue;
        int32_t id = row[c->slot].category;
        for (size_t v = 0; id < 0 && v < c->values.n; v++) x[c->at + v] = NAN;
        if (id >= 0) x[c->at + (size_t)id] = 1;
    }
}

static pdr_rc csv_features(pdi_csv_table *t, pdr_dataset *out)
{
    if (csv_place(t)) {
        pdi_csv_slot *fit = pdi_resize(t->alloc, t->slot, t->rows, t->slots * sizeof *fit);
        if (!fit) return pdi_nomem(t->err);
        t->slot = NULL;
        out->x = fit;
        return PDR_OK;
    }
    float *x = pdi_new(t->alloc, t->rows, t->features * sizeof *x);
    if (!x) return pdi_nomem(t->err);
    out->x = x;
    for (size_t i = 0; i < t->rows; i++) csv_expand(t, i, x + i * t->features);
    return PDR_OK;
}

static char *csv_feature_name(const pdi_csv_table *t, size_t k, size_t v)
{
    pdi_text s = {.alloc = t->alloc};
    if (t->column[k].role == PDI_CSV_NUMBER)
        pdi_text_add(&s, "%s", t->names.key[k]);
    else
        pdi_text_add(&s, "%s=%s", t->names.key[k], t->column[k].values.key[v]);
    return pdi_text_take(&s);
}

static pdr_rc csv_names(pdi_csv_table *t, pdr_dataset *out)
{
    out->feature_name = pdi_new(t->alloc, t->features, sizeof *out->feature_name);
    if (!out->feature_name) return pdi_nomem(t->err);
    for (size_t k = 0; k < t->names.n; k++) {
        const pdi_csv_column *c = &t->column[k];
        if (c->role > PDI_CSV_CATEGORY) continue;
        for (size_t v = 0; v < (c->role == PDI_CSV_NUMBER ? 1 : c->values.n); v++) {
            char *name = csv_feature_name(t, k, v);
            if (!name) return pdi_nomem(t->err);
            out->feature_name[c->at + v] = name;
        }
    }
    return PDR_OK;
}

static pdr_rc csv_finish(pdi_csv_table *t, pdr_dataset *out)
{
    out->storage = PDR_FLOATS;
    out->shape = PDR_SHAPE((int32_t)t->features);
    out->examples = t->rows;
    if (!t->features)
        return pdi_fail(t->err, PDR_INPUT, "%s: every feature of every row is empty", t->file);
    pdr_rc rc = csv_features(t, out);
    if (!rc) rc = csv_names(t, out);
    if (!rc && t->form->label) rc = csv_classes(t, out);
    if (rc) return rc;
    out->label = t->label;
    out->target = t->target;
    out->targets = t->form->target ? 1 : 0;
    t->label = NULL;
    t->target = NULL;
    return PDR_OK;
}

static void csv_close(pdi_csv_table *t)
{
    for (size_t k = 0; t->column && k < t->names.n; k++) pdi_dict_close(&t->column[k].values);
    pdi_free(t->alloc, t->column);
    pdi_free(t->alloc, t->slot);
    pdi_free(t->alloc, t->label);
    pdi_free(t->alloc, t->target);
    pdi_dict_close(&t->names);
    pdi_dict_close(&t->classes);
    pdi_csv_close(&t->scan);
}

pdr_rc pdi_csv_read(const pdr_alloc *alloc, pdi_reader *r, const pdi_csv_form *form,
                    const pdr_dataset *like, pdr_dataset *out, pdr_error *err)
{
    alloc = pdi_alloc_or_default(alloc);
    *out = (pdr_dataset){.alloc = alloc};
    pdi_csv_table t = {.alloc = alloc,
                       .form = form,
                       .like = like,
                       .file = r->name,
                       .err = err,
                       .scan = {.alloc = alloc, .r = r, .sep = form->sep},
                       .names = {.alloc = alloc},
                       .classes = {.alloc = alloc}};
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return pdi_nomem(err);
    locale_t before = uselocale(c); /* strtod() knows a decimal comma otherwise */
    pdr_rc rc = pdi_csv_schema(&t);
    if (!rc) rc = csv_rows(&t);
    if (!rc) rc = csv_finish(&t, out);
    uselocale(before);
    freelocale(c);
    csv_close(&t);
    if (rc) pdr_dataset_close(out);
    return rc;
}

pdr_rc pdi_csv_open(const pdr_alloc *alloc, const char *file, const pdi_csv_form *form,
                    const pdr_dataset *like, pdr_dataset *out, pdr_error *err)
{
    pdi_reader r = {0};
    *out = (pdr_dataset){0};
    pdr_rc rc = pdi_reader_open(&r, alloc, file, err);
    if (!rc) rc = pdi_csv_read(alloc, &r, form, like, out, err);
    pdi_reader_close(&r);
    return rc;
}

/* An empty text is one that was not given. */
static const char *csv_given(const char *s) { return s && *s ? s : NULL; }

pdi_csv_form pdi_csv_form_of(const pdr_data_options *o)
{
    return (pdi_csv_form){.label = csv_given(o->label),
                          .target = csv_given(o->target),
                          .categorical = csv_given(o->categorical),
                          .ignore = csv_given(o->ignore),
                          .missing = o->missing};
}

pdr_rc pdr_dataset_csv(const pdr_alloc *alloc, const char *file, const pdr_data_options *o,
                       const pdr_dataset *like, pdr_dataset *out, pdr_error *err)
{
    pdi_csv_form form = pdi_csv_form_of(o);
    pdr_rc rc = pdi_csv_open(alloc, file, &form, like, out, err);
    if (!rc) rc = pdi_dataset_fill(out, like, o->missing, file, err);
    if (rc) pdr_dataset_close(out);
    return rc;
}
