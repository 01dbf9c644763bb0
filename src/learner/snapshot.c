/* learner/snapshot.c -- states of earlier: kept, viewed, gone back to, deleted.
 *
 * A snapshot is a copy of the rows of item and value.  Contents are shared, so it costs
 * little until the state moves on. */
#include <string.h>

#include "learner/inside.h"

/* Which state has the name; 0, which is the state as it is now, when none has. */
static size_t snapshot_at(const pdi_store *s, const char *name)
{
    for (size_t i = 1; i < s->n_state; i++)
        if (!strcmp(s->state[i].name, name)) return i;
    return 0;
}

static pdr_rc snapshot_find(const pdi_store *s, const char *name, size_t *at, pdr_error *err)
{
    *at = snapshot_at(s, name);
    if (*at) return PDR_OK;
    return pdi_fail(err, PDR_INPUT, "%s: there is no snapshot '%.80s'; 'perdure log' lists them",
                    s->path, name);
}

static pdr_rc snapshot_may_make(const pdi_store *s, const char *name, pdr_error *err)
{
    size_t n = strlen(name);
    if (n < 1 || n > PDI_NAME_MAX)
        return pdi_fail(err, PDR_INPUT, "%s: a snapshot's name has 1 to %d bytes, not %zu", s->path,
                        PDI_NAME_MAX, n);
    if (!snapshot_at(s, name)) return PDR_OK;
    return pdi_fail(err, PDR_INPUT, "%s: there is a snapshot '%.80s' already; choose another name",
                    s->path, name);
}

static pdr_rc snapshot_make(pdi_store *s, const char *name, int64_t made, pdr_error *err)
{
    pdi_state_row row = {.id = s->state[s->n_state - 1].id + 1, .made = made, .sum = s->now};
    row.name = (char *)(uintptr_t)name; /* only read, and copied */
    pdr_rc rc = snapshot_may_make(s, name, err);
    if (!rc) rc = pdi_state_insert(s, &row, err);
    return rc ? rc : pdi_state_copy(s, PDI_NOW, row.id, err);
}

pdr_rc pdi_store_snapshot(pdi_store *s, const char *name, int64_t made, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, snapshot_make(s, name, made, err));
}

/* The snapshot is read to its last byte before the state is given up for it. */
static pdr_rc snapshot_restore(pdi_store *s, const char *name, pdr_error *err)
{
    size_t at;
    pdr_rc rc = snapshot_find(s, name, &at, err);
    if (!rc) rc = pdi_state_verify(s, at, true, NULL, err);
    if (!rc) rc = pdi_state_clear(s, PDI_NOW, err);
    if (!rc) rc = pdi_state_copy(s, s->state[at].id, PDI_NOW, err);
    if (!rc) s->now = s->state[at].sum;
    return rc;
}

pdr_rc pdi_store_rollback(pdi_store *s, const char *name, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, snapshot_restore(s, name, err));
}

static pdr_rc snapshot_delete(pdi_store *s, const char *name, pdr_error *err)
{
    size_t at;
    pdr_rc rc = snapshot_find(s, name, &at, err);
    if (!rc) rc = pdi_state_clear(s, s->state[at].id, err);
    return rc ? rc : pdi_state_delete(s, at, err);
}

pdr_rc pdi_store_forget(pdi_store *s, const char *name, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    return rc ? rc : pdi_store_wrote(s, snapshot_delete(s, name, err));
}

pdr_rc pdi_store_view(pdi_store *s, const char *name, pdr_error *err)
{
    size_t at = 0;
    pdr_rc rc = pdi_store_may_read(s, err);
    if (!rc && name) rc = snapshot_find(s, name, &at, err);
    if (!rc && name) rc = pdi_state_verify(s, at, false, NULL, err);
    if (!rc) s->view = at;
    return rc;
}

pdi_sum pdi_store_state_sum(const pdi_store *s) { return s->view ? s->state[s->view].sum : s->now; }

bool pdi_store_snapshot_at(const pdi_store *s, size_t at, pdi_snapshot *snapshot)
{
    if (at + 1 >= s->n_state) return false;
    const pdi_state_row *row = &s->state[at + 1];
    *snapshot = (pdi_snapshot){.name = row->name, .made = row->made, .sum = row->sum};
    return true;
}
