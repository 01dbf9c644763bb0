/* learner/root.c -- the rows that everything hangs from: root and the list of states. */
#include <string.h>

#include "learner/inside.h"

static pdi_sum root_sum(const pdi_root *r)
{
    pdi_sum sum = {0, 0};
    pdi_sum_int(&sum, r->commits);
    pdi_sum_sum(&sum, r->states);
    pdi_sum_int(&sum, r->first);
    pdi_sum_sum(&sum, r->before);
    pdi_sum_int(&sum, r->next);
    pdi_sum_sum(&sum, r->last);
    pdi_sum_int(&sum, r->bytes);
    return sum;
}

static pdi_sum root_state_sum(const pdi_state_row *row)
{
    pdi_sum sum = {0, 0};
    pdi_sum_int(&sum, row->id);
    pdi_sum_text(&sum, row->name);
    pdi_sum_int(&sum, row->made);
    pdi_sum_sum(&sum, row->sum);
    return sum;
}

static bool root_columns(sqlite3_stmt *q, pdi_root *r)
{
    pdi_sum sum;
    bool ok = pdi_column_sum(q, 0, &r->states) && pdi_column_int(q, 1, &r->first) &&
              pdi_column_sum(q, 2, &r->before) && pdi_column_int(q, 3, &r->next) &&
              pdi_column_sum(q, 4, &r->last) && pdi_column_int(q, 5, &r->bytes) &&
              pdi_column_sum(q, 6, &sum) && pdi_column_int(q, 7, &r->commits);
    return ok && pdi_sum_equal(root_sum(r), sum) && r->first >= 1 && r->next >= r->first;
}

static pdr_rc root_read(pdi_store *s, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_root_read, &q, err);
    if (!rc) rc = pdi_query_step(s, q, &row, err);
    if (!rc && (!row || !root_columns(q, &s->root)))
        rc = pdi_damaged(s, err, "the root is not what was written");
    sqlite3_reset(q);
    return rc;
}

/* A copy of the row is added to the list. */
static pdr_rc root_remember(pdi_store *s, const pdi_state_row *row, pdr_error *err)
{
    void *array = s->state;
    if (!pdi_grow(s->alloc, &array, s->n_state, &s->cap_state, sizeof *s->state))
        return pdi_nomem(err);
    s->state = array;
    char *name = pdi_strdup(s->alloc, row->name);
    if (!name) return pdi_nomem(err);
    s->state[s->n_state] = *row;
    s->state[s->n_state++].name = name;
    return PDR_OK;
}

static pdr_rc root_read_states(pdi_store *s, pdi_sum *all, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_states, &q, err);
    if (!rc) rc = pdi_query_step(s, q, &row, err);
    while (!rc && row) {
        pdi_state_row r;
        const char *name;
        bool ok = pdi_column_int(q, 0, &r.id) && pdi_column_text(q, 1, PDI_NAME_MAX, &name) &&
                  pdi_column_int(q, 2, &r.made) && pdi_column_sum(q, 3, &r.sum);
        int64_t above = s->n_state ? s->state[s->n_state - 1].id : PDI_NOW - 1;
        if (!ok || r.id <= above || s->n_state >= PDI_STATES_MAX) {
            rc = pdi_damaged(s, err, "a row of state is not what was written");
            break;
        }
        r.name = (char *)(uintptr_t)name; /* only read, and copied */
        pdi_sum_add(all, root_state_sum(&r));
        rc = root_remember(s, &r, err);
        if (!rc) rc = pdi_query_step(s, q, &row, err);
    }
    sqlite3_reset(q);
    return rc;
}

/* Transactions that had been acknowledged are missing: only with the log can they be lost. */
static pdr_rc root_behind(pdi_store *s, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT,
                    "%s: the last %lld transactions are missing: %s-wal is damaged or was removed; "
                    "bring it back, or remove %s-lock to go on without them",
                    s->path, (long long)(s->noted - s->root.commits), s->path, s->path);
}

pdr_rc pdi_root_load(pdi_store *s, pdr_error *err)
{
    pdi_sum all = {0, 0};
    pdi_root_forget(s);
    pdr_rc rc = root_read(s, err);
    if (!rc && s->root.commits < s->noted) rc = root_behind(s, err);
    if (!rc) rc = root_read_states(s, &all, err);
    if (!rc && (!pdi_sum_equal(all, s->root.states) || !s->n_state || s->state[0].id != PDI_NOW))
        rc = pdi_damaged(s, err, "the list of states is not what was written");
    return rc;
}

void pdi_root_forget(pdi_store *s)
{
    for (size_t i = 0; i < s->n_state; i++) pdi_free(s->alloc, s->state[i].name);
    s->n_state = 0;
    s->view = 0;
    s->known = false;
}

pdr_rc pdi_root_save(pdi_store *s, pdr_error *err)
{
    uint8_t states[PDI_SUM_BYTES], before[PDI_SUM_BYTES], last[PDI_SUM_BYTES], sum[PDI_SUM_BYTES];
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_root_write, &q, err);
    if (rc) return rc;
    s->root.commits++;
    pdi_bind_sum(q, 1, s->root.states, states);
    sqlite3_bind_int64(q, 2, s->root.first);
    pdi_bind_sum(q, 3, s->root.before, before);
    sqlite3_bind_int64(q, 4, s->root.next);
    pdi_bind_sum(q, 5, s->root.last, last);
    sqlite3_bind_int64(q, 6, s->root.bytes);
    pdi_bind_sum(q, 7, root_sum(&s->root), sum);
    sqlite3_bind_int64(q, 8, s->root.commits);
    return pdi_query_run(s, q, err);
}

/* ---- changing the list of states ----------------------------------------------------------- */

pdr_rc pdi_state_insert(pdi_store *s, const pdi_state_row *row, pdr_error *err)
{
    uint8_t sum[PDI_SUM_BYTES];
    if (s->n_state >= PDI_STATES_MAX)
        return pdi_fail(err, PDR_INPUT, "%s: holds %d states; delete some snapshots", s->path,
                        PDI_STATES_MAX);
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_state_insert, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, row->id);
    pdi_bind_text(q, 2, row->name);
    sqlite3_bind_int64(q, 3, row->made);
    pdi_bind_sum(q, 4, row->sum, sum);
    rc = pdi_query_run(s, q, err);
    if (!rc) rc = root_remember(s, row, err);
    if (!rc) pdi_sum_add(&s->root.states, root_state_sum(row));
    return rc;
}

pdr_rc pdi_state_update(pdi_store *s, size_t at, pdi_sum sum, pdr_error *err)
{
    uint8_t bytes[PDI_SUM_BYTES];
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_state_update, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, s->state[at].id);
    pdi_bind_sum(q, 2, sum, bytes);
    pdi_sum_take(&s->root.states, root_state_sum(&s->state[at]));
    s->state[at].sum = sum;
    pdi_sum_add(&s->root.states, root_state_sum(&s->state[at]));
    return pdi_query_run(s, q, err);
}

pdr_rc pdi_state_delete(pdi_store *s, size_t at, pdr_error *err)
{
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_state_delete, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, s->state[at].id);
    pdi_sum_take(&s->root.states, root_state_sum(&s->state[at]));
    pdi_free(s->alloc, s->state[at].name);
    memmove(&s->state[at], &s->state[at + 1], (s->n_state - at - 1) * sizeof *s->state);
    s->n_state--;
    return pdi_query_run(s, q, err);
}
