/* learner/journal.c -- entries that came in since the state was written.
 *
 * Each entry's sum covers the sum of the one before; the root holds the sum before the
 * first and that of the last.  So an entry that is lost, changed, moved or added is seen,
 * wherever it is, and the end of the journal is where it was. */
#include "learner/inside.h"

static pdi_sum journal_link(pdi_sum before, int64_t seq, const void *bytes, size_t n)
{
    pdi_sum sum = before;
    pdi_sum_int(&sum, seq);
    pdi_sum_bytes(&sum, bytes, n);
    return sum;
}

/* ---- writing ------------------------------------------------------------------------------ */

static pdr_rc journal_append(pdi_store *s, const void *bytes, size_t n, pdr_error *err)
{
    uint8_t sum[PDI_SUM_BYTES];
    pdi_root *r = &s->root;
    sqlite3_stmt *q;
    if (n > PDI_ENTRY_MAX || r->next == INT64_MAX)
        return pdi_fail(err, PDR_INPUT, "%s: an entry of the journal has at most %d bytes, not %zu",
                        s->path, PDI_ENTRY_MAX, n);
    pdr_rc rc = pdi_query_get(s, PDI_Q_entry_insert, &q, err);
    if (rc) return rc;
    r->last = journal_link(r->last, r->next, bytes, n);
    sqlite3_bind_int64(q, 1, r->next);
    pdi_bind_sum(q, 2, r->last, sum);
    sqlite3_bind_blob(q, 3, n ? bytes : "", (int)n, SQLITE_STATIC);
    r->next++;
    r->bytes += (int64_t)n;
    return pdi_query_run(s, q, err);
}

pdr_rc pdi_store_append(pdi_store *s, const void *bytes, size_t n, int64_t *seq, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    if (rc) return rc;
    if (seq) *seq = s->root.next;
    return pdi_store_wrote(s, journal_append(s, bytes, n, err));
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The entry that the query is at. */
static bool journal_entry(sqlite3_stmt *q, pdi_entry *e, pdi_sum *sum)
{
    if (!pdi_column_int(q, 0, &e->seq) || !pdi_column_sum(q, 1, sum)) return false;
    if (sqlite3_column_type(q, 2) != SQLITE_BLOB) return false;
    e->bytes = sqlite3_column_blob(q, 2);
    e->n = (size_t)sqlite3_column_bytes(q, 2);
    return (e->bytes || !e->n) && e->n <= PDI_ENTRY_MAX;
}

/* The sum of the entry before seq, first < seq <= next, as its row has it. */
static pdr_rc journal_before(pdi_store *s, int64_t seq, pdi_sum *sum, pdr_error *err)
{
    bool row = false;
    pdi_entry e;
    sqlite3_stmt *q;
    *sum = seq == s->root.first ? s->root.before : s->root.last;
    if (seq == s->root.first || seq == s->root.next) return PDR_OK;
    pdr_rc rc = pdi_query_get(s, PDI_Q_entry, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, seq - 1);
    rc = pdi_query_step(s, q, &row, err);
    if (!rc && (!row || !journal_entry(q, &e, sum)))
        rc = pdi_damaged(s, err, "an entry of the journal is missing");
    sqlite3_reset(q);
    return rc;
}

/* The entry must follow the one before, whose number and sum are in *at and *sum. */
static pdr_rc journal_show(pdi_store *s, sqlite3_stmt *q, int64_t *at, pdi_sum *sum,
                           pdi_entry_fn fn, void *ctx, pdr_error *err)
{
    pdi_entry e;
    pdi_sum link;
    bool ok = journal_entry(q, &e, &link) && e.seq == *at + 1 && e.seq < s->root.next;
    if (ok) *sum = journal_link(*sum, e.seq, e.bytes, e.n);
    if (!ok || !pdi_sum_equal(*sum, link))
        return pdi_fail(err, PDR_INPUT,
                        "%s: the file is damaged: journal entry %lld is not what was written; "
                        "restore it from a copy",
                        s->path, (long long)(*at + 1));
    *at = e.seq;
    return fn ? fn(ctx, &e, err) : PDR_OK;
}

pdr_rc pdi_store_read(pdi_store *s, int64_t from, pdi_entry_fn fn, void *ctx, pdr_error *err)
{
    bool row = false;
    pdi_sum sum;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_store_may_read(s, err);
    if (rc) return rc;
    if (from < s->root.first) from = s->root.first;
    if (from > s->root.next) from = s->root.next;
    int64_t at = from - 1;
    rc = journal_before(s, from, &sum, err);
    if (!rc) rc = pdi_query_get(s, PDI_Q_entries, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, from);
    rc = pdi_query_step(s, q, &row, err);
    while (!rc && row) {
        rc = journal_show(s, q, &at, &sum, fn, ctx, err);
        if (!rc) rc = pdi_query_step(s, q, &row, err);
    }
    sqlite3_reset(q);
    if (!rc && (at + 1 != s->root.next || !pdi_sum_equal(sum, s->root.last)))
        rc = pdi_damaged(s, err, "the journal does not end where it should");
    return rc;
}

pdi_journal pdi_store_journal(const pdi_store *s)
{
    return (pdi_journal){.first = s->root.first, .next = s->root.next, .bytes = s->root.bytes};
}

/* ---- trimming ---------------------------------------------------------------------------------
 */

static pdr_rc journal_length(pdi_store *s, int64_t before, int64_t *bytes, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_entries_length, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, before);
    rc = pdi_query_step(s, q, &row, err);
    *bytes = row ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return rc;
}

static pdr_rc journal_trim(pdi_store *s, int64_t before, pdr_error *err)
{
    int64_t bytes = s->root.bytes;
    pdi_sum sum;
    sqlite3_stmt *q;
    pdr_rc rc = journal_before(s, before, &sum, err);
    if (!rc && before < s->root.next) rc = journal_length(s, before, &bytes, err);
    if (!rc) rc = pdi_query_get(s, PDI_Q_entries_delete, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, before);
    s->root.first = before;
    s->root.before = sum;
    s->root.bytes -= bytes;
    return pdi_query_run(s, q, err);
}

pdr_rc pdi_store_trim(pdi_store *s, int64_t before, pdr_error *err)
{
    pdr_rc rc = pdi_store_may_write(s, err);
    if (rc || before <= s->root.first) return rc;
    if (before > s->root.next)
        return pdi_fail(err, PDR_USAGE,
                        "%s: the journal ends at %lld, it cannot be trimmed to %lld", s->path,
                        (long long)s->root.next, (long long)before);
    return pdi_store_wrote(s, journal_trim(s, before, err));
}
