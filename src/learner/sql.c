/* learner/sql.c -- queries, and what can go wrong with them, in words. */
#include <string.h>

#include "learner/inside.h"

static const char *const sql_texts[PDI_QUERIES] = {
#define PDI_STATEMENT(name, sql) sql,
#include "learner/statements.def"
#undef PDI_STATEMENT
};

/* ---- errors ---------------------------------------------------------------------------- */

/* What each primary result code of SQLite means here.  A text with two %s takes the
 * path and the cause, as far as the system knows one. */
static const struct {
    int code;
    pdr_rc rc;
    const char *text;
} sql_failures[] = {
    {SQLITE_FULL, PDR_IO,
     "%s: the disk is full; nothing of this was written, free some space and repeat (%s)"},
    {SQLITE_BUSY, PDR_IO, "%s: another program is using the file; repeat when it has ended (%s)"},
    {SQLITE_LOCKED, PDR_IO, "%s: another program is using the file; repeat when it has ended (%s)"},
    {SQLITE_READONLY, PDR_IO,
     "%s: cannot be written: file, folder or disk is read-only; copy the file to where it can be "
     "(%s)"},
    {SQLITE_PERM, PDR_IO, "%s: cannot be opened: give yourself the right to (%s)"},
    {SQLITE_CANTOPEN, PDR_IO,
     "%s: cannot be opened: check that file and folder exist and can be written (%s)"},
    {SQLITE_IOERR, PDR_IO, "%s: the disk failed; nothing of this was written (%s)"},
    {SQLITE_NOTADB, PDR_INPUT, "%s: not a learner file; make one with 'perdure init' (%s)"},
    {SQLITE_CORRUPT, PDR_INPUT, "%s: the file is damaged; restore it from a copy (%s)"},
    {SQLITE_CONSTRAINT, PDR_INPUT, "%s: the file is damaged; restore it from a copy (%s)"},
    {SQLITE_MISMATCH, PDR_INPUT, "%s: the file is damaged; restore it from a copy (%s)"},
    {SQLITE_ERROR, PDR_INPUT, "%s: the file is damaged; restore it from a copy (%s)"},
    {SQLITE_TOOBIG, PDR_INPUT, "%s: a row is larger than a learner file may hold (%s)"},
};

static const char *sql_cause(pdi_store *s, int code)
{
    int system = s->db ? sqlite3_system_errno(s->db) : 0;
    bool of_system = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
    if (of_system && system) return strerror(system);
    return s->db && sqlite3_errcode(s->db) != SQLITE_OK ? sqlite3_errmsg(s->db)
                                                        : sqlite3_errstr(code);
}

pdr_rc pdi_sql_fail(pdi_store *s, int code, pdr_error *err)
{
    if ((code & 0xFF) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) return pdi_nomem(err);
    for (size_t i = 0; i < sizeof sql_failures / sizeof sql_failures[0]; i++)
        if (sql_failures[i].code == (code & 0xFF)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            return pdi_fail(err, sql_failures[i].rc, sql_failures[i].text, s->path,
                            sql_cause(s, code));
#pragma GCC diagnostic pop
        }
    return pdi_fail(err, PDR_INTERNAL, "%s: %s", s->path, sql_cause(s, code));
}

pdr_rc pdi_damaged(const pdi_store *s, pdr_error *err, const char *what)
{
    return pdi_fail(err, PDR_INPUT, "%s: the file is damaged: %s; restore it from a copy", s->path,
                    what);
}

/* ---- queries ----------------------------------------------------------------------------- */

pdr_rc pdi_query_get(pdi_store *s, pdi_query id, sqlite3_stmt **q, pdr_error *err)
{
    int code = SQLITE_OK;
    if (!s->query[id])
        code = sqlite3_prepare_v3(s->db, sql_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
                                  &s->query[id], NULL);
    sqlite3_reset(s->query[id]);
    *q = s->query[id];
    return code ? pdi_sql_fail(s, code, err) : PDR_OK;
}

pdr_rc pdi_query_step(pdi_store *s, sqlite3_stmt *q, bool *row, pdr_error *err)
{
    int code = sqlite3_step(q);
    *row = code == SQLITE_ROW;
    if (*row) return PDR_OK;
    pdr_rc rc = code == SQLITE_DONE ? PDR_OK : pdi_sql_fail(s, code, err);
    sqlite3_reset(q);
    return rc;
}

pdr_rc pdi_query_run(pdi_store *s, sqlite3_stmt *q, pdr_error *err)
{
    bool row;
    pdr_rc rc = pdi_query_step(s, q, &row, err);
    sqlite3_reset(q);
    return rc;
}

pdr_rc pdi_query_plain(pdi_store *s, pdi_query id, pdr_error *err)
{
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, id, &q, err);
    return rc ? rc : pdi_query_run(s, q, err);
}

pdr_rc pdi_sql_run(pdi_store *s, const char *sql, pdr_error *err)
{
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code ? pdi_sql_fail(s, code, err) : PDR_OK;
}

pdr_rc pdi_sql_number(pdi_store *s, const char *sql, int64_t *x, pdr_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    pdr_rc rc = code ? pdi_sql_fail(s, code, err) : pdi_query_step(s, q, &row, err);
    if (row) *x = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc;
}

/* ---- columns -------------------------------------------------------------------------------- */

bool pdi_column_int(sqlite3_stmt *q, int column, int64_t *x)
{
    *x = sqlite3_column_int64(q, column);
    return sqlite3_column_type(q, column) == SQLITE_INTEGER;
}

bool pdi_column_text(sqlite3_stmt *q, int column, size_t most, const char **text)
{
    if (sqlite3_column_type(q, column) != SQLITE_TEXT) return false;
    *text = (const char *)sqlite3_column_text(q, column);
    size_t n = (size_t)sqlite3_column_bytes(q, column);
    return *text && n <= most && strlen(*text) == n;
}

bool pdi_column_sum(sqlite3_stmt *q, int column, pdi_sum *sum)
{
    if (sqlite3_column_type(q, column) != SQLITE_BLOB) return false;
    if (sqlite3_column_bytes(q, column) != PDI_SUM_BYTES) return false;
    *sum = pdi_sum_read(sqlite3_column_blob(q, column));
    return true;
}

void pdi_bind_sum(sqlite3_stmt *q, int at, pdi_sum sum, uint8_t bytes[PDI_SUM_BYTES])
{
    pdi_sum_write(sum, bytes);
    sqlite3_bind_blob(q, at, bytes, PDI_SUM_BYTES, SQLITE_STATIC);
}

void pdi_bind_text(sqlite3_stmt *q, int at, const char *text)
{
    sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}
