/* learner/check.c -- reading everything there is, to see whether it is whole. */
#include <string.h>

#include "learner/inside.h"

static pdr_rc check_pages(pdi_store *s, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_integrity, &q, err);
    if (!rc) rc = pdi_query_step(s, q, &row, err);
    const char *text = row ? (const char *)sqlite3_column_text(q, 0) : NULL;
    if (!rc && !text) rc = pdi_damaged(s, err, "its pages cannot be checked");
    if (!rc && strcmp(text, "ok") != 0)
        rc = pdi_fail(err, PDR_INPUT, "%s: the file is damaged: %.200s; restore it from a copy",
                      s->path, text);
    sqlite3_reset(q);
    return rc;
}

static pdr_rc check_count(pdi_store *s, pdi_query id, int64_t *x, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, id, &q, err);
    if (!rc) rc = pdi_query_step(s, q, &row, err);
    if (row) *x += sqlite3_column_int64(q, 0);
    sqlite3_reset(q);
    return rc;
}

static pdr_rc check_all(pdi_store *s, pdi_store_health *h, pdr_error *err)
{
    pdr_rc rc = check_pages(s, err);
    for (size_t at = 0; !rc && at < s->n_state; at++) rc = pdi_state_verify(s, at, true, h, err);
    if (!rc) rc = pdi_store_read(s, 0, NULL, NULL, err);
    if (!rc) rc = check_count(s, PDI_Q_content_bytes, &h->bytes, err);
    if (!rc) rc = check_count(s, PDI_Q_unused_contents, &h->unused, err);
    if (!rc) rc = check_count(s, PDI_Q_unused_pieces, &h->unused, err);
    h->states = (int64_t)s->n_state;
    h->entries = s->root.next - s->root.first;
    return rc;
}

pdr_rc pdi_store_check(pdi_store *s, pdi_store_health *health, pdr_error *err)
{
    pdi_store_health own;
    if (!health) health = &own;
    *health = (pdi_store_health){0};
    if (s->busy) return pdi_fail(err, PDR_USAGE, "%s: a transaction is under way", s->path);
    s->known = false; /* read what is on the disk */
    pdr_rc rc = pdi_store_begin(s, PDI_STORE_READ, err);
    if (rc) return rc;
    rc = check_all(s, health, err);
    pdi_store_cancel(s);
    return rc;
}
