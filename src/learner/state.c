/* learner/state.c -- the rows of a state: items and values. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "learner/inside.h"

/* ---- types and shapes -------------------------------------------------------------------- */

static const struct {
    const char *word;
    size_t size;
} state_types[] = {
#define PDI_TYPE_ROW(name, word, size) {word, size},
    PDI_TYPE_MAP(PDI_TYPE_ROW)
#undef PDI_TYPE_ROW
};

enum { STATE_TYPES = sizeof state_types / sizeof state_types[0] };

const char *pdi_type_word(pdi_type t) { return state_types[t].word; }

size_t pdi_type_size(pdi_type t) { return state_types[t].size; }

static bool state_read_type(const char *word, pdi_type *type)
{
    for (int t = 0; t < STATE_TYPES; t++)
        if (!strcmp(state_types[t].word, word)) {
            *type = (pdi_type)t;
            return true;
        }
    return false;
}

/* An axis of 0 leaves no elements, but the others are bounded all the same. */
int64_t pdi_item_size(const pdi_item *i)
{
    pdr_shape filled = i->shape;
    bool none = false;
    if (i->shape.rank < 0 || i->shape.rank > PDR_MAX_RANK) return -1;
    for (int k = 0; k < filled.rank; k++)
        if (filled.dim[k] == 0) {
            filled.dim[k] = 1;
            none = true;
        }
    int64_t n = pdr_shape_size(&filled);
    if (n < 0) return -1;
    return none ? 0 : n * (int64_t)pdi_type_size(i->type);
}

/* "[32,784]" and nothing else that means the same. */
static bool state_read_shape(const char *text, pdr_shape *shape)
{
    char again[PDR_SHAPE_TEXT];
    const char *p = text;
    *shape = (pdr_shape){0};
    while ((*p == '[' || *p == ',') && p[1] != ']') {
        int64_t axis = 0;
        for (p++; *p >= '0' && *p <= '9' && axis <= INT32_MAX; p++) axis = axis * 10 + (*p - '0');
        if (axis > INT32_MAX || shape->rank == PDR_MAX_RANK) return false;
        shape->dim[shape->rank++] = (int32_t)axis;
    }
    return !strcmp(pdr_shape_text(shape, again), text);
}

/* ---- sums ------------------------------------------------------------------------------------ */

pdi_sum pdi_item_sum(const pdi_item *i, int64_t size, pdi_sum content)
{
    char shape[PDR_SHAPE_TEXT];
    pdi_sum sum = {0, 0};
    pdi_sum_text(&sum, "item");
    pdi_sum_text(&sum, i->section);
    pdi_sum_text(&sum, i->name);
    pdi_sum_text(&sum, pdi_type_word(i->type));
    pdi_sum_text(&sum, pdr_shape_text(&i->shape, shape));
    pdi_sum_int(&sum, size);
    pdi_sum_sum(&sum, content);
    return sum;
}

pdi_sum pdi_value_sum(const pdi_value *v)
{
    pdi_sum sum = {0, 0};
    pdi_sum_text(&sum, v->is_text ? "text" : "number");
    pdi_sum_text(&sum, v->section);
    pdi_sum_text(&sum, v->name);
    if (v->is_text)
        pdi_sum_text(&sum, v->text);
    else
        pdi_sum_int(&sum, v->number);
    return sum;
}

/* ---- rows
 * ---------------------------------------------------------------------------------------- */

/* A row as the queries item and items yield it; false when it cannot have been written. */
static bool state_item(sqlite3_stmt *q, pdi_item *i, pdi_content *c)
{
    const char *type, *shape;
    *i = (pdi_item){0};
    bool ok = pdi_column_text(q, 0, PDI_SECTION_MAX, &i->section) &&
              pdi_column_text(q, 1, PDI_NAME_MAX, &i->name) && pdi_column_text(q, 2, 8, &type) &&
              pdi_column_text(q, 3, PDR_SHAPE_TEXT - 1, &shape) && pdi_column_int(q, 4, &c->id) &&
              pdi_column_int(q, 5, &c->size) && pdi_column_sum(q, 6, &c->sum);
    return ok && state_read_type(type, &i->type) && state_read_shape(shape, &i->shape) &&
           pdi_item_size(i) == c->size;
}

static bool state_value(sqlite3_stmt *q, pdi_value *v)
{
    *v = (pdi_value){.is_text = sqlite3_column_type(q, 2) == SQLITE_TEXT};
    return pdi_column_text(q, 0, PDI_SECTION_MAX, &v->section) &&
           pdi_column_text(q, 1, PDI_NAME_MAX, &v->name) &&
           (v->is_text ? pdi_column_text(q, 2, PDI_TEXT_MAX, &v->text)
                       : pdi_column_int(q, 2, &v->number));
}

/* The names of the row before: rows must come in strictly ascending order. */
typedef struct state_last {
    bool any;
    char section[PDI_SECTION_MAX + 1], name[PDI_NAME_MAX + 1];
} state_last;

static bool state_ascends(state_last *last, const char *section, const char *name)
{
    int order = strcmp(last->section, section);
    bool ok = !last->any || order < 0 || (order == 0 && strcmp(last->name, name) < 0);
    last->any = true;
    snprintf(last->section, sizeof last->section, "%s", section);
    snprintf(last->name, sizeof last->name, "%s", name);
    return ok;
}

static const char state_damage[] = "a row of the state is not what was written";

typedef struct state_list {
    pdi_item_fn item; /* either this */
    pdi_value_fn value;
    void *ctx;
    state_last last;
} state_list;

static pdr_rc state_show(pdi_store *s, sqlite3_stmt *q, state_list *l, pdr_error *err)
{
    pdi_item i;
    pdi_value v;
    pdi_content c;
    bool ok = l->item ? state_item(q, &i, &c) : state_value(q, &v);
    if (!ok || !state_ascends(&l->last, l->item ? i.section : v.section, l->item ? i.name : v.name))
        return pdi_damaged(s, err, state_damage);
    return l->item ? l->item(l->ctx, &i, err) : l->value(l->ctx, &v, err);
}

static pdr_rc state_each(pdi_store *s, pdi_query all, pdi_query of, const char *section,
                         state_list *l, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_store_may_read(s, err);
    if (!rc) rc = pdi_query_get(s, section ? of : all, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, s->state[s->view].id);
    if (section) pdi_bind_text(q, 2, section);
    rc = pdi_query_step(s, q, &row, err);
    while (!rc && row) {
        rc = state_show(s, q, l, err);
        if (!rc) rc = pdi_query_step(s, q, &row, err);
    }
    sqlite3_reset(q);
    return rc;
}

pdr_rc pdi_store_items(pdi_store *s, const char *section, pdi_item_fn fn, void *ctx, pdr_error *err)
{
    state_list l = {.item = fn, .ctx = ctx};
    return state_each(s, PDI_Q_items, PDI_Q_items_of, section, &l, err);
}

pdr_rc pdi_store_values(pdi_store *s, const char *section, pdi_value_fn fn, void *ctx,
                        pdr_error *err)
{
    state_list l = {.value = fn, .ctx = ctx};
    return state_each(s, PDI_Q_values, PDI_Q_values_of, section, &l, err);
}

/* ---- verifying --------------------------------------------------------------------------------
 */

typedef struct state_audit {
    pdi_sum sum;
    bool deep;
    pdi_store_health *health;
} state_audit;

static pdr_rc state_audit_item(pdi_store *s, sqlite3_stmt *q, state_audit *a, state_last *last,
                               pdr_error *err)
{
    pdi_item i;
    pdi_content c;
    if (!state_item(q, &i, &c) || !state_ascends(last, i.section, i.name))
        return pdi_damaged(s, err, state_damage);
    pdi_sum_add(&a->sum, pdi_item_sum(&i, c.size, c.sum));
    if (a->health) a->health->items++;
    return a->deep ? pdi_content_get(s, &c, NULL, err) : PDR_OK;
}

static pdr_rc state_audit_value(pdi_store *s, sqlite3_stmt *q, state_audit *a, state_last *last,
                                pdr_error *err)
{
    pdi_value v;
    if (!state_value(q, &v) || !state_ascends(last, v.section, v.name))
        return pdi_damaged(s, err, state_damage);
    pdi_sum_add(&a->sum, pdi_value_sum(&v));
    if (a->health) a->health->values++;
    return PDR_OK;
}

static pdr_rc state_audit_rows(pdi_store *s, int64_t state, pdi_query id, const char *section,
                               state_audit *a, pdr_error *err)
{
    bool row = false, items = id == PDI_Q_items || id == PDI_Q_items_of;
    state_last last = {0};
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, id, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, state);
    if (section) pdi_bind_text(q, 2, section);
    rc = pdi_query_step(s, q, &row, err);
    while (!rc && row) {
        rc = items ? state_audit_item(s, q, a, &last, err) : state_audit_value(s, q, a, &last, err);
        if (!rc) rc = pdi_query_step(s, q, &row, err);
    }
    sqlite3_reset(q);
    return rc;
}

pdr_rc pdi_state_verify(pdi_store *s, size_t at, bool deep, pdi_store_health *health,
                        pdr_error *err)
{
    state_audit a = {.deep = deep, .health = health};
    int64_t id = s->state[at].id;
    pdr_rc rc = state_audit_rows(s, id, PDI_Q_items, NULL, &a, err);
    if (!rc) rc = state_audit_rows(s, id, PDI_Q_values, NULL, &a, err);
    if (!rc && !pdi_sum_equal(a.sum, s->state[at].sum)) rc = pdi_damaged(s, err, state_damage);
    return rc;
}

/* ---- one row
 * --------------------------------------------------------------------------------------- */

static pdr_rc state_name(const pdi_store *s, const char *section, const char *name, pdr_error *err)
{
    size_t n = strlen(section), m = strlen(name);
    if (n && n <= PDI_SECTION_MAX && m && m <= PDI_NAME_MAX) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s: the name '%.40s/%.80s' is empty or too long; sections have 1 to %d bytes, "
                    "names 1 to %d",
                    s->path, section, name, PDI_SECTION_MAX, PDI_NAME_MAX);
}

static pdr_rc state_missing(const pdi_store *s, const char *section, const char *name,
                            pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT,
                    "%s: there is no '%s/%s' in it; was it made by another program?", s->path,
                    section, name);
}

/* The row (state, section, name); *row is false when there is none.  To be reset. */
static pdr_rc state_seek(pdi_store *s, pdi_query id, const char *section, const char *name,
                         sqlite3_stmt **q, bool *row, pdr_error *err)
{
    *q = NULL;
    *row = false;
    pdr_rc rc = pdi_store_may_read(s, err);
    if (!rc) rc = state_name(s, section, name, err);
    if (!rc) rc = pdi_query_get(s, id, q, err);
    if (rc) return rc;
    sqlite3_bind_int64(*q, 1, s->state[s->view].id);
    pdi_bind_text(*q, 2, section);
    pdi_bind_text(*q, 3, name);
    return pdi_query_step(s, *q, row, err);
}

/* Its type, shape and content; *found as in store.h. */
static pdr_rc state_find(pdi_store *s, pdi_item *i, pdi_content *c, bool *found, pdr_error *err)
{
    bool row;
    pdi_item there;
    sqlite3_stmt *q;
    pdr_rc rc = state_seek(s, PDI_Q_item, i->section, i->name, &q, &row, err);
    if (row && !state_item(q, &there, c)) rc = pdi_damaged(s, err, state_damage);
    if (row && !rc) {
        i->type = there.type;
        i->shape = there.shape;
    }
    sqlite3_reset(q);
    if (found) *found = row;
    if (!rc && !row && !found) rc = state_missing(s, i->section, i->name, err);
    return rc;
}

pdr_rc pdi_store_find(pdi_store *s, pdi_item *i, bool *found, pdr_error *err)
{
    pdi_content c;
    return state_find(s, i, &c, found, err);
}

pdr_rc pdi_store_get(pdi_store *s, const pdi_item *i, void *bytes, pdr_error *err)
{
    char want[PDR_SHAPE_TEXT], have[PDR_SHAPE_TEXT];
    pdi_item there = *i;
    pdi_content c;
    pdr_rc rc = state_find(s, &there, &c, NULL, err);
    if (rc) return rc;
    if (there.type != i->type || !pdr_shape_equal(&there.shape, &i->shape))
        return pdi_fail(err, PDR_INPUT, "%s: '%s/%s' is %s %s in it; it should be %s %s", s->path,
                        i->section, i->name, pdi_type_word(there.type),
                        pdr_shape_text(&there.shape, have), pdi_type_word(i->type),
                        pdr_shape_text(&i->shape, want));
    return pdi_content_get(s, &c, bytes, err);
}

static pdr_rc state_item_write(pdi_store *s, const pdi_item *i, int64_t content, pdr_error *err)
{
    char shape[PDR_SHAPE_TEXT];
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_item_write, &q, err);
    if (rc) return rc;
    pdi_bind_text(q, 1, i->section);
    pdi_bind_text(q, 2, i->name);
    pdi_bind_text(q, 3, pdi_type_word(i->type));
    pdi_bind_text(q, 4, pdr_shape_text(&i->shape, shape));
    sqlite3_bind_int64(q, 5, content);
    return pdi_query_run(s, q, err);
}

static pdr_rc state_put(pdi_store *s, const pdi_item *i, pdr_error *err)
{
    int64_t size = pdi_item_size(i);
    pdi_item old = *i;
    pdi_content was, c;
    bool found;
    if (size < 0)
        return pdi_fail(err, PDR_INPUT, "%s: '%s/%s' has a shape that is not usable", s->path,
                        i->section, i->name);
    pdr_rc rc = state_find(s, &old, &was, &found, err);
    if (!rc) rc = pdi_content_put(s, i->bytes, size, &c, err);
    if (rc) return rc;
    if (found) {
        if (was.id == c.id && old.type == i->type && pdr_shape_equal(&old.shape, &i->shape))
            return PDR_OK;
        pdi_sum_take(&s->now, pdi_item_sum(&old, was.size, was.sum));
        s->stale = true;
    }
    pdi_sum_add(&s->now, pdi_item_sum(i, size, c.sum));
    return state_item_write(s, i, c.id, err);
}

pdr_rc pdi_store_put(pdi_store *s, const pdi_item *i, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, state_put(s, i, err));
}

/* ---- values
 * --------------------------------------------------------------------------------------- */

/* The value's row; *found as in store.h.  The query is to be reset: a text is in it. */
static pdr_rc state_find_value(pdi_store *s, const char *section, const char *name, pdi_value *v,
                               sqlite3_stmt **q, bool *found, pdr_error *err)
{
    bool row;
    pdr_rc rc = state_seek(s, PDI_Q_value, section, name, q, &row, err);
    if (row && !state_value(*q, v)) rc = pdi_damaged(s, err, state_damage);
    if (found) *found = row;
    if (!rc && !row && !found) rc = state_missing(s, section, name, err);
    return rc;
}

static pdr_rc state_other_kind(const pdi_store *s, const pdi_value *v, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT, "%s: '%s/%s' is a %s in it; it should be a %s", s->path,
                    v->section, v->name, v->is_text ? "text" : "number",
                    v->is_text ? "number" : "text");
}

pdr_rc pdi_store_get_number(pdi_store *s, const char *section, const char *name, int64_t *number,
                            bool *found, pdr_error *err)
{
    bool any = true;
    pdi_value v;
    sqlite3_stmt *q;
    pdr_rc rc = state_find_value(s, section, name, &v, &q, found ? &any : NULL, err);
    if (!rc && any && v.is_text) rc = state_other_kind(s, &v, err);
    if (!rc && any) *number = v.number;
    if (found) *found = any;
    sqlite3_reset(q);
    return rc;
}

pdr_rc pdi_store_get_text(pdi_store *s, const char *section, const char *name, char **text,
                          bool *found, pdr_error *err)
{
    bool any = true;
    pdi_value v;
    sqlite3_stmt *q;
    pdr_rc rc = state_find_value(s, section, name, &v, &q, found ? &any : NULL, err);
    if (!rc && any && !v.is_text) rc = state_other_kind(s, &v, err);
    char *copy = !rc && any ? pdi_strdup(s->alloc, v.text) : NULL;
    if (!rc && any && !copy) rc = pdi_nomem(err);
    if (copy) *text = copy;
    if (found) *found = any;
    sqlite3_reset(q);
    return rc;
}

static pdr_rc state_value_write(pdi_store *s, const pdi_value *v, pdr_error *err)
{
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_value_write, &q, err);
    if (rc) return rc;
    pdi_bind_text(q, 1, v->section);
    pdi_bind_text(q, 2, v->name);
    if (v->is_text)
        pdi_bind_text(q, 3, v->text);
    else
        sqlite3_bind_int64(q, 3, v->number);
    return pdi_query_run(s, q, err);
}

static pdr_rc state_put_value(pdi_store *s, const pdi_value *v, pdr_error *err)
{
    pdi_value old;
    pdi_sum sum = pdi_value_sum(v), was = {0, 0};
    bool found;
    sqlite3_stmt *q;
    if (v->is_text && strlen(v->text) > PDI_TEXT_MAX)
        return pdi_fail(err, PDR_INPUT, "%s: '%s/%s' is longer than %d bytes", s->path, v->section,
                        v->name, PDI_TEXT_MAX);
    pdr_rc rc = state_find_value(s, v->section, v->name, &old, &q, &found, err);
    if (!rc && found) was = pdi_value_sum(&old);
    sqlite3_reset(q);
    if (rc || (found && pdi_sum_equal(was, sum))) return rc;
    pdi_sum_take(&s->now, was);
    pdi_sum_add(&s->now, sum);
    return state_value_write(s, v, err);
}

pdr_rc pdi_store_put_number(pdi_store *s, const char *section, const char *name, int64_t number,
                            pdr_error *err)
{
    pdi_value v = {.section = section, .name = name, .number = number};
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, state_put_value(s, &v, err));
}

pdr_rc pdi_store_put_text(pdi_store *s, const char *section, const char *name, const char *text,
                          pdr_error *err)
{
    pdi_value v = {.section = section, .name = name, .is_text = true, .text = text};
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, state_put_value(s, &v, err));
}

/* ---- clearing
 * --------------------------------------------------------------------------------------- */

static pdr_rc state_delete(pdi_store *s, pdi_query id, int64_t state, const char *section,
                           pdr_error *err)
{
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, id, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, state);
    if (section) pdi_bind_text(q, 2, section);
    return pdi_query_run(s, q, err);
}

pdr_rc pdi_state_clear(pdi_store *s, int64_t state, pdr_error *err)
{
    s->stale = true;
    pdr_rc rc = state_delete(s, PDI_Q_items_delete, state, NULL, err);
    return rc ? rc : state_delete(s, PDI_Q_values_delete, state, NULL, err);
}

static pdr_rc state_clear_section(pdi_store *s, const char *section, pdr_error *err)
{
    state_audit a = {.deep = false};
    s->stale = true;
    pdr_rc rc = state_audit_rows(s, PDI_NOW, PDI_Q_items_of, section, &a, err);
    if (!rc) rc = state_audit_rows(s, PDI_NOW, PDI_Q_values_of, section, &a, err);
    pdi_sum_take(&s->now, a.sum);
    if (!rc) rc = state_delete(s, PDI_Q_items_delete_of, PDI_NOW, section, err);
    return rc ? rc : state_delete(s, PDI_Q_values_delete_of, PDI_NOW, section, err);
}

pdr_rc pdi_store_clear(pdi_store *s, const char *section, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    if (rc) return rc;
    if (section) return pdi_store_wrote(s, state_clear_section(s, section, err));
    s->now = (pdi_sum){0, 0};
    return pdi_store_wrote(s, pdi_state_clear(s, PDI_NOW, err));
}

pdr_rc pdi_state_copy(pdi_store *s, int64_t from, int64_t to, pdr_error *err)
{
    static const pdi_query copies[] = {PDI_Q_items_copy, PDI_Q_values_copy};
    pdr_rc rc = PDR_OK;
    for (int k = 0; !rc && k < 2; k++) {
        sqlite3_stmt *q;
        rc = pdi_query_get(s, copies[k], &q, err);
        if (rc) break;
        sqlite3_bind_int64(q, 1, from);
        sqlite3_bind_int64(q, 2, to);
        rc = pdi_query_run(s, q, err);
    }
    return rc;
}
