/* learner/rows_json.c -- rows of JSON lines: an object a line, features by name or in "x".
 *
 *     {"nswprice": 0.06, "day": 2, ..., "class": "UP"}
 *     {"x": [0.06, 2, ...], "label": "UP", "task": "monday"} */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/show.h"
#include "learner/learner.h"
#include "learner/rows.h"

enum { JSON_LINE = 1 << 20 };

typedef struct rows_json {
    char *line;
    size_t n;
    uint64_t number;
    bool *has, any; /* features of this row that have a value; is there one? */
} rows_json;

static pdr_rc rows_json_open(pdi_rows *r, pdr_error *err)
{
    rows_json *t = pdi_new(r->alloc, 1, sizeof *t);
    if (!t) return pdi_nomem(err);
    r->state = t;
    t->line = pdi_new(r->alloc, JSON_LINE + 1, 1);
    t->has = pdi_new(r->alloc, r->width, sizeof *t->has);
    return t->line && t->has ? PDR_OK : pdi_nomem(err);
}

static void rows_json_close(pdi_rows *r)
{
    rows_json *t = r->state;
    if (!t) return;
    pdi_free(r->alloc, t->line);
    pdi_free(r->alloc, t->has);
    pdi_free(r->alloc, t);
}

/* The next line that is not blank. */
static pdr_rc rows_json_line(pdi_rows *r, rows_json *t, bool *more, pdr_error *err)
{
    bool blank = true;
    for (t->n = 0, *more = true;;) {
        pdr_rc rc = r->in.p == r->in.end ? pdi_reader_fill(&r->in, err) : PDR_OK;
        if (rc) return rc;
        bool end = r->in.p == r->in.end;
        char c = end ? '\n' : (char)*r->in.p++;
        if (c == '\n') t->number++;
        if (c == '\n' && !blank) return PDR_OK;
        if (end) break;
        if (c == '\n') t->n = 0;
        if (c == '\n') continue;
        if (t->n == JSON_LINE)
            return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": is longer than 1 MiB", r->name,
                            t->number + 1);
        t->line[t->n++] = c;
        blank = blank && (c == ' ' || c == '\t' || c == '\r');
    }
    *more = false;
    return PDR_OK;
}

static pdr_rc rows_json_bad(const pdi_rows *r, const rows_json *t, const char *key, const char *why,
                            pdr_error *err)
{
    char name[PDI_SHOW];
    return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": \"%s\": %s", r->name, t->number,
                    pdi_show(name, key), why);
}

static bool rows_json_number(const json_t *v, float *x)
{
    double value = json_is_true(v) ? 1 : json_is_false(v) ? 0 : json_number_value(v);
    *x = (float)value;
    return (json_is_number(v) || json_is_boolean(v)) && isfinite(*x);
}

static pdr_rc rows_json_array(pdi_rows *r, rows_json *t, const json_t *v, pdr_error *err)
{
    if (!json_is_array(v) || json_array_size(v) != r->width)
        return rows_json_bad(r, t, "x", "needs as many numbers as the learner has features", err);
    for (size_t i = 0; i < r->width; i++) {
        if (!rows_json_number(json_array_get(v, i), &r->x[i]))
            return rows_json_bad(r, t, "x", "holds what is not a finite number", err);
        t->has[i] = t->any = true;
    }
    return PDR_OK;
}

/* A name: a string, or a whole number as one. */
static pdr_rc rows_json_name(const pdi_rows *r, const rows_json *t, const char *key,
                             const json_t *v, char name[256], pdr_error *err)
{
    if (json_is_null(v))
        name[0] = 0;
    else if (json_is_integer(v))
        snprintf(name, 256, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_string(v) && json_string_length(v) < 256)
        snprintf(name, 256, "%s", json_string_value(v));
    else
        return rows_json_bad(r, t, key, "is not a name: a string of at most 255 bytes", err);
    return PDR_OK;
}

static pdr_rc rows_json_label(pdi_rows *r, rows_json *t, const char *key, const json_t *v,
                              pdr_error *err)
{
    r->has_label = !json_is_null(v);
    if (!r->has_label || !r->targets) return rows_json_name(r, t, key, v, r->label, err);
    return rows_json_number(v, r->target) ? PDR_OK
                                          : rows_json_bad(r, t, key, "is not a finite number", err);
}

static pdr_rc rows_json_feature(pdi_rows *r, rows_json *t, size_t feature, const char *key,
                                const json_t *v, pdr_error *err)
{
    if (json_is_null(v)) return PDR_OK;
    if (!rows_json_number(v, &r->x[feature]))
        return rows_json_bad(r, t, key, "is not a finite number", err);
    t->has[feature] = t->any = true;
    return PDR_OK;
}

static pdr_rc rows_json_category(pdi_rows *r, rows_json *t, const char *key, const json_t *v,
                                 pdr_error *err)
{
    char value[256];
    pdr_rc rc = rows_json_name(r, t, key, v, value, err);
    if (rc || json_is_null(v)) return rc;
    if (!pdi_rows_category(r, key, value))
        return rows_json_bad(r, t, key, "is no category that the learner knows", err);
    for (size_t i = 0; i < r->width; i++)
        if (pdi_rows_is_of(r, i, key)) t->has[i] = t->any = true;
    return PDR_OK;
}

static pdr_rc rows_json_member(pdi_rows *r, rows_json *t, const char *key, const json_t *v,
                               pdr_error *err)
{
    size_t feature;
    switch (pdi_rows_role(r, key, &feature)) {
    case PDI_ROLE_LABEL: return rows_json_label(r, t, key, v, err);
    case PDI_ROLE_TASK: return rows_json_name(r, t, key, v, r->task, err);
    case PDI_ROLE_ID: return rows_json_name(r, t, key, v, r->id, err);
    case PDI_ROLE_FEATURE: return rows_json_feature(r, t, feature, key, v, err);
    case PDI_ROLE_CATEGORY: return rows_json_category(r, t, key, v, err);
    case PDI_ROLE_OTHER: break;
    }
    if (!strcmp(key, "x")) return rows_json_array(r, t, v, err);
    pdi_rows_pass(r, key);
    return PDR_OK;
}

/* An object of an id and a label, and of no feature at all, is the label of what was asked. */
static pdr_rc rows_json_complete(pdi_rows *r, rows_json *t, pdr_error *err)
{
    char lacking[200];
    if (r->form.wants_label && !r->has_label)
        return rows_json_bad(r, t, pdi_rows_label_name(r), "is missing; what is learned needs it",
                             err);
    r->has_x = t->any || !r->form.by_id || !r->id[0];
    for (size_t i = 0; r->has_x && i < r->width; i++)
        if (!t->has[i] && !pdi_rows_lack(r, i)) {
            pdi_rows_lacking(r, t->has, lacking);
            return pdi_fail(err, PDR_INPUT,
                            "%s:%" PRIu64 ": the features %s are missing; add them, or make the "
                            "learner with data.missing: mean or zero",
                            r->name, t->number, lacking);
        }
    return PDR_OK;
}

static pdr_rc rows_json_next(pdi_rows *r, bool *more, pdr_error *err)
{
    rows_json *t = r->state;
    json_error_t why;
    const char *key;
    json_t *v;
    pdr_rc rc = rows_json_line(r, t, more, err);
    if (rc || !*more) return rc;
    json_t *row = json_loadb(t->line, t->n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(row)) {
        rc = pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ":%d: %.120s; a line holds one JSON object",
                      r->name, t->number, row ? 1 : why.column, row ? "no object" : why.text);
        json_decref(row);
        return rc;
    }
    memset(t->has, 0, r->width * sizeof *t->has);
    t->any = false;
    json_object_foreach(row, key, v) if (!rc) rc = rows_json_member(r, t, key, v, err);
    json_decref(row);
    return rc ? rc : rows_json_complete(r, t, err);
}

const pdi_rows_kind pdi_rows_json = {rows_json_open, rows_json_next, rows_json_close};
