/* learner/schema.c -- is it a learner file, of which format, and exactly so?
 *
 * A format is a number, PRAGMA user_version.  To change the tables: change schema.sql,
 * count PDI_FORMAT up, and add a row that turns the old tables into the new ones.  The
 * rows run in one transaction, and what they leave must then be schema.sql to the letter,
 * so write a new table as it stands there and copy; ALTER TABLE keeps old text. */
#include <stdio.h>
#include <string.h>

#include "learner/inside.h"

extern const char pdi_schema_text[]; /* schema.sql */

/* From format `from` to the next. */
static const struct {
    int from;
    const char *sql;
} schema_steps[] = {
    {0, pdi_schema_text},
};

#define SCHEMA_LIST "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"

static pdr_rc schema_number(pdi_store *s, const char *pragma, int number, pdr_error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s = %d", pragma, number);
    return pdi_sql_run(s, sql, err);
}

static bool schema_same_column(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    const char *x = (const char *)sqlite3_column_text(a, column);
    const char *y = (const char *)sqlite3_column_text(b, column);
    return x && y
               ? !strcmp(x, y) && sqlite3_column_bytes(a, column) == sqlite3_column_bytes(b, column)
               : x == y;
}

/* Whether the two lists are the same, row by row; SQLite's code in *code. */
static bool schema_same(sqlite3_stmt *a, sqlite3_stmt *b, int *code)
{
    for (;;) {
        int x = sqlite3_step(a), y = sqlite3_step(b);
        *code = x != SQLITE_ROW && x != SQLITE_DONE ? x : SQLITE_OK;
        if (y != SQLITE_ROW && y != SQLITE_DONE) *code = y;
        if (*code || x != y) return false;
        if (x == SQLITE_DONE) return true;
        for (int k = 0; k < 4; k++)
            if (!schema_same_column(a, b, k)) return false;
    }
}

/* Against a schema made here and now from the text. */
static pdr_rc schema_compare(pdi_store *s, pdr_error *err)
{
    sqlite3 *model = NULL;
    sqlite3_stmt *ours = NULL, *want = NULL;
    bool same = false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    int code = sqlite3_open_v2("model", &model, flags, NULL);
    if (!code) code = sqlite3_exec(model, pdi_schema_text, NULL, NULL, NULL);
    if (!code) code = sqlite3_prepare_v2(model, SCHEMA_LIST, -1, &want, NULL);
    if (!code) code = sqlite3_prepare_v2(s->db, SCHEMA_LIST, -1, &ours, NULL);
    if (!code) same = schema_same(ours, want, &code);
    pdr_rc rc = code   ? pdi_sql_fail(s, code, err)
                : same ? PDR_OK
                       : pdi_damaged(s, err, "its tables are not those of a learner file");
    sqlite3_finalize(ours);
    sqlite3_finalize(want);
    sqlite3_close(model);
    return rc;
}

/* Run the steps from a format on; inside a transaction. */
static pdr_rc schema_bring(pdi_store *s, int64_t format, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < sizeof schema_steps / sizeof schema_steps[0]; i++)
        if (schema_steps[i].from >= format) rc = pdi_sql_run(s, schema_steps[i].sql, err);
    if (!rc) rc = schema_number(s, "user_version", PDI_FORMAT, err);
    return rc;
}

pdr_rc pdi_schema_vacant(pdi_store *s, pdr_error *err)
{
    int64_t tables = 0, application = 0;
    pdr_error why = PDR_NO_ERROR;
    pdr_rc rc = pdi_sql_number(s, "SELECT count(*) FROM sqlite_schema", &tables, &why);
    if (!rc) rc = pdi_sql_number(s, "PRAGMA application_id", &application, &why);
    if (rc && rc != PDR_INPUT) return pdi_fail(err, rc, "%s", why.text);
    if (!rc && !tables && !application) return PDR_OK;
    return pdi_fail(err, PDR_INPUT, "%s: exists already; choose another name, or remove it",
                    s->path);
}

pdr_rc pdi_schema_create(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = schema_number(s, "application_id", PDI_APPLICATION, err);
    return rc ? rc : schema_bring(s, 0, err);
}

static pdr_rc schema_foreign(pdi_store *s, int64_t application, pdr_error *err)
{
    int64_t tables = 0;
    pdr_rc rc = pdi_sql_number(s, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc) return rc;
    if (!application && !tables)
        return pdi_fail(err, PDR_INPUT,
                        "%s: empty: not a learner file; make one with 'perdure init'", s->path);
    return pdi_fail(err, PDR_INPUT,
                    "%s: a database, but not a learner file: application_id is %d, not %d", s->path,
                    (int)application, PDI_APPLICATION);
}

static pdr_rc schema_migrate(pdi_store *s, int64_t format, pdr_error *err)
{
    if (s->mode != PDI_STORE_WRITE)
        return pdi_fail(err, PDR_INPUT,
                        "%s: has format %d and needs to be brought to %d; open it once for writing",
                        s->path, (int)format, PDI_FORMAT);
    pdr_rc rc = pdi_query_plain(s, PDI_Q_begin_write, err);
    if (!rc) rc = schema_bring(s, format, err);
    if (!rc) rc = schema_compare(s, err);
    if (!rc) rc = pdi_query_plain(s, PDI_Q_commit, err);
    if (rc) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

pdr_rc pdi_schema_open(pdi_store *s, pdr_error *err)
{
    int64_t application = 0, format = 0;
    pdr_rc rc = pdi_sql_number(s, "PRAGMA application_id", &application, err);
    if (!rc && application != PDI_APPLICATION) return schema_foreign(s, application, err);
    if (!rc) rc = pdi_sql_number(s, "PRAGMA user_version", &format, err);
    if (rc) return rc;
    if (format < 1) return pdi_damaged(s, err, "its format number is not one");
    if (format > PDI_FORMAT)
        return pdi_fail(err, PDR_INPUT,
                        "%s: has format %d, this version of perdure knows %d; use a newer one",
                        s->path, (int)format, PDI_FORMAT);
    return format < PDI_FORMAT ? schema_migrate(s, format, err) : schema_compare(s, err);
}
