/* data/schema.c -- the columns of a table: names, roles, and features of like.
 *
 * A feature of a categorical column c is called "c=value".  So that this can be
 * read back, no column may be called "c=..." beside a categorical column c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_table.h"
#include "data/show.h"

static const char *const schema_role_option[] = {"a numeric column", "data.categorical",
                                                 "data.label", "data.target", "data.ignore"};

enum { SCHEMA_NAME = 255 }; /* longest name of a column */

const char *pdi_csv_list(char out[PDI_CSV_LIST], char *const word[], size_t n)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        char show[PDI_SHOW];
        if (at + PDI_SHOW + sizeof ", , ..." > PDI_CSV_LIST) {
            snprintf(out + at, PDI_CSV_LIST - at, ", ...");
            break;
        }
        at += (size_t)snprintf(out + at, PDI_CSV_LIST - at, i ? ", %s" : "%s",
                               pdi_show(show, word[i]));
    }
    return out;
}

static pdr_rc schema_add_column(pdi_csv_table *t, const char *name)
{
    char show[PDI_SHOW];
    if (strlen(name) > SCHEMA_NAME)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s:%" PRIu64 ": column %zu has a name of more than %d bytes: '%s'",
                        t->file, t->scan.first, t->names.n + 1, SCHEMA_NAME, pdi_show(show, name));
    int64_t old = pdi_dict_find(&t->names, name);
    if (old >= 0)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s:%" PRIu64 ": columns %" PRId64 " and %zu are both called '%s'", t->file,
                        t->scan.first, old + 1, t->names.n + 1, pdi_show(show, name));
    return pdi_dict_add(&t->names, name) < 0 ? pdi_nomem(t->err) : PDR_OK;
}

/* Columns from "a,b,pixel*64": a, b, pixel0 to pixel63. */
static pdr_rc schema_given_header(pdi_csv_table *t)
{
    pdr_rc rc = PDR_OK;
    for (const char *s = t->form->header; !rc && *s;) {
        char name[64];
        int n = (int)strcspn(s, ",*");
        long count = s[n] == '*' ? strtol(s + n + 1, NULL, 10) : 0;
        snprintf(name, sizeof name, "%.*s", n, s);
        if (!count) rc = schema_add_column(t, name);
        for (long i = 0; !rc && i < count; i++) {
            snprintf(name, sizeof name, "%.*s%ld", n, s, i);
            rc = schema_add_column(t, name);
        }
        s += strcspn(s, ",");
        s += *s == ',';
    }
    return rc;
}

static pdr_rc schema_header(pdi_csv_table *t)
{
    bool more = true;
    pdr_rc rc = t->form->header ? schema_given_header(t) : PDR_OK;
    if (!rc && (!t->form->header || t->form->skip_first))
        rc = pdi_csv_next(&t->scan, &more, t->err);
    if (!rc && !more)
        rc = pdi_fail(t->err, PDR_INPUT, "%s:1: the file is empty; %s", t->file,
                      "it must begin with a row of column names");
    for (size_t k = 0; !rc && !t->form->header && k < t->scan.cells; k++)
        rc = schema_add_column(t, t->scan.cell[k].s);
    if (rc) return rc;
    t->column = pdi_new(t->alloc, t->names.n, sizeof *t->column);
    if (!t->column) return pdi_nomem(t->err);
    for (size_t k = 0; k < t->names.n; k++) t->column[k].values.alloc = t->alloc;
    return PDR_OK;
}

/* Column name gets role. */
static pdr_rc schema_assign(pdi_csv_table *t, const char *name, pdi_csv_role role)
{
    char show[PDI_SHOW], list[PDI_CSV_LIST];
    int64_t k = pdi_dict_find(&t->names, name);
    if (k < 0)
        return pdi_fail(t->err, PDR_INPUT, "%s:1: there is no column '%s' (%s); the columns are %s",
                        t->file, pdi_show(show, name), schema_role_option[role],
                        pdi_csv_list(list, t->names.key, t->names.n));
    if (t->column[k].role != PDI_CSV_NUMBER)
        return pdi_fail(t->err, PDR_INPUT, "%s:1: column '%s' is named in %s and again in %s",
                        t->file, pdi_show(show, name), schema_role_option[t->column[k].role],
                        schema_role_option[role]);
    t->column[k].role = role;
    return PDR_OK;
}

/* Every column of the comma-separated list, which may be NULL, gets role. */
static pdr_rc schema_assign_all(pdi_csv_table *t, const char *list, pdi_csv_role role)
{
    if (!list) return PDR_OK;
    char *copy = pdi_strdup(t->alloc, list);
    if (!copy) return pdi_nomem(t->err);
    pdr_rc rc = PDR_OK;
    for (char *s = copy, *next; !rc && s; s = next) {
        next = strchr(s, ',');
        if (next) *next++ = 0;
        s += strspn(s, " ");
        size_t n = strlen(s);
        while (n && s[n - 1] == ' ') s[--n] = 0;
        if (n) rc = schema_assign(t, s, role);
    }
    pdi_free(t->alloc, copy);
    return rc;
}

static pdr_rc schema_roles(pdi_csv_table *t)
{
    const pdi_csv_form *f = t->form;
    if (!f->features_only && !f->label == !f->target)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s:1: give the column of the class as data.label or that of a real "
                        "target as data.target%s",
                        t->file, f->label ? ", not both" : "");
    pdr_rc rc = f->label ? schema_assign(t, f->label, PDI_CSV_LABEL) : PDR_OK;
    if (!rc && f->target) rc = schema_assign(t, f->target, PDI_CSV_TARGET);
    if (!rc) rc = schema_assign_all(t, f->categorical, PDI_CSV_CATEGORY);
    if (!rc) rc = schema_assign_all(t, f->ignore, PDI_CSV_IGNORED);
    return rc;
}

/* The categorical column c of name "c=value", or -1; *value is what follows. */
static int64_t schema_category_of(const pdi_csv_table *t, const char *name, const char **value)
{
    char copy[SCHEMA_NAME + 2];
    if (!t->form->categorical) return -1;
    snprintf(copy, sizeof copy, "%s", name); /* what is cut off can begin no column's name */
    for (char *s = copy; (s = strchr(s, '=')); *s++ = '=') {
        *s = 0;
        int64_t k = pdi_dict_find(&t->names, copy);
        *value = name + (s - copy) + 1;
        if (k >= 0 && t->column[k].role == PDI_CSV_CATEGORY) return k;
    }
    return -1;
}

/* Slots for features, and names that can be told apart. */
static pdr_rc schema_slots(pdi_csv_table *t)
{
    char show[PDI_SHOW];
    for (size_t k = 0; k < t->names.n; k++) {
        const char *value;
        if (t->column[k].role > PDI_CSV_CATEGORY) continue;
        t->column[k].slot = t->slots++;
        t->features += t->column[k].role == PDI_CSV_NUMBER;
        if (schema_category_of(t, t->names.key[k], &value) >= 0)
            return pdi_fail(t->err, PDR_INPUT,
                            "%s:1: column '%s' is called like a value of a categorical column; "
                            "rename it",
                            t->file, pdi_show(show, t->names.key[k]));
    }
    if (!t->slots)
        return pdi_fail(t->err, PDR_INPUT, "%s:1: no column is left to learn from", t->file);
    return PDR_OK;
}

/* Find the column that feature f of like comes from. */
static pdr_rc schema_like_feature(pdi_csv_table *t, size_t f)
{
    char show[PDI_SHOW];
    const char *name = t->like->feature_name[f], *value = NULL;
    int64_t k = pdi_dict_find(&t->names, name);
    bool number = k >= 0 && t->column[k].role == PDI_CSV_NUMBER;
    if (!number) k = schema_category_of(t, name, &value);
    if (k < 0)
        return pdi_fail(t->err, PDR_INPUT,
                        "%s:1: there is no column for the training part's feature '%s'", t->file,
                        pdi_show(show, name));
    pdi_csv_column *c = &t->column[k];
    if (!c->known) c->at = f;
    c->known = true;
    int64_t id = number ? 0 : pdi_dict_add(&c->values, value);
    if (id < 0) return pdi_nomem(t->err);
    if (c->at + (size_t)id != f)
        return pdi_fail(t->err, PDR_USAGE, "%s:1: like was not read from a table: feature '%s'",
                        t->file, pdi_show(show, name));
    return PDR_OK;
}

static pdr_rc schema_like(pdi_csv_table *t)
{
    char show[PDI_SHOW];
    const pdr_dataset *like = t->like;
    if (like->storage != PDR_FLOATS || !like->feature_name || (t->form->label && !like->class_name))
        return pdi_fail(t->err, PDR_USAGE, "%s: like was not read from a table", t->file);
    t->features = (size_t)pdr_shape_size(&like->shape);
    for (size_t f = 0; f < t->features; f++) {
        pdr_rc rc = schema_like_feature(t, f);
        if (rc) return rc;
    }
    for (size_t k = 0; k < t->names.n; k++)
        if (t->column[k].role <= PDI_CSV_CATEGORY && !t->column[k].known)
            return pdi_fail(t->err, PDR_INPUT,
                            "%s:1: the training part has no column '%s'; name it in data.ignore",
                            t->file, pdi_show(show, t->names.key[k]));
    for (int32_t c = 0; t->form->label && c < like->classes; c++)
        if (pdi_dict_add(&t->classes, like->class_name[c]) < 0) return pdi_nomem(t->err);
    return PDR_OK;
}

pdr_rc pdi_csv_schema(pdi_csv_table *t)
{
    pdr_rc rc = schema_header(t);
    if (!rc) rc = schema_roles(t);
    if (!rc) rc = schema_slots(t);
    if (!rc && t->like) rc = schema_like(t);
    return rc;
}
