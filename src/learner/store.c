/* learner/store.c -- opening and closing a store; its transactions.
 *
 * What holds, always:
 *
 *   1. The file is a complete state of some committed transaction, together with what
 *      SQLite needs to get there (FILE-wal or FILE-journal).  SQLite keeps this; the
 *      settings below are those under which it does so through the loss of power.
 *   2. root.sum covers the root; root.states all rows of state; state.sum all rows of its
 *      items and values, each of them the content's size and sum; content.sum its pieces'
 *      sums; and a piece's sum its bytes.  root.journal_last covers every entry since the
 *      first file.  So the root vouches for every byte that is ever handed out.
 *   3. A row is handed out only after the sums above it have been compared, in the same
 *      transaction: root and the rows of the state by begin, the rest when it is read.
 *   4. Sums of sets are kept up to date from the rows that change, never made anew from
 *      what is on the disk: damage is not made good by writing beside it.
 *   5. Known (root, states) is what the file held at `version`, plus what this
 *      transaction wrote.  After anything else it is forgotten and read again.
 *   6. A content, part or piece that no item names is deleted before the commit of the
 *      transaction that took its last name.
 *   7. One process has FILE-lock while it can write.  It says of no more commits than
 *      there are on the disk; after a crash there must be that many.
 *   8. A writer that closes in peace leaves one plain file: no log, no journal, no lock.
 *
 *             open                  begin(READ)
 *     (none) ------> IDLE  <========================>  READING
 *        |            ^ ^            commit, cancel
 *        | create     | |
 *        |            | |           begin(WRITE)
 *        |            |  ============================>  WRITING --a write fails--> FAILED
 *        +------------|------------------------------>     |                         |
 *                     +--------- commit, cancel -----------+-- commit (fails), cancel+
 */
#include <string.h>

#include "base/text.h"
#include "learner/inside.h"

enum {
    STORE_WAIT_MS = 10000,
    STORE_LOG_PAGES = 1000, /* how long the log gets before it is put into the file */
    STORE_ATTACHED = 1      /* VACUUM works by attaching a database */
};

/* ---- settings ------------------------------------------------------------------------------ */

static const struct {
    int limit, most;
} store_limits[] = {
    {SQLITE_LIMIT_LENGTH, PDI_TEXT_MAX + (1 << 16)},
    {SQLITE_LIMIT_SQL_LENGTH, 1 << 16},
    {SQLITE_LIMIT_COLUMN, 32},
    {SQLITE_LIMIT_EXPR_DEPTH, 32},
    {SQLITE_LIMIT_COMPOUND_SELECT, 8},
    {SQLITE_LIMIT_VDBE_OP, 1 << 15},
    {SQLITE_LIMIT_FUNCTION_ARG, 8},
    {SQLITE_LIMIT_ATTACHED, STORE_ATTACHED},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 32},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static const struct {
    int option, on;
} store_options[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
};

/* A hostile file is met with these before its first page is read. */
static void store_guard(pdi_store *s)
{
    for (size_t i = 0; i < sizeof store_limits / sizeof store_limits[0]; i++)
        sqlite3_limit(s->db, store_limits[i].limit, store_limits[i].most);
    for (size_t i = 0; i < sizeof store_options / sizeof store_options[0]; i++)
        sqlite3_db_config(s->db, store_options[i].option, store_options[i].on, NULL);
    sqlite3_busy_timeout(s->db, s->wait_ms);
    /* Neither a reader nor one that finds damage does away with the log. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static pdr_rc store_settle(pdi_store *s, pdr_error *err)
{
    return pdi_sql_run(s,
                       "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                       "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                       "PRAGMA secure_delete = FAST; PRAGMA synchronous = EXTRA",
                       err);
}

static int store_log_hook(void *store, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    ((pdi_store *)store)->log_pages = pages;
    return SQLITE_OK;
}

/* Ask for a log.  Where it cannot be had the rollback journal serves, which needs the
 * folder flushed as well (synchronous EXTRA). */
static pdr_rc store_use_log(pdi_store *s, pdr_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &q, NULL);
    if (code) return pdi_sql_fail(s, code, err);
    code = sqlite3_step(q);
    row = code == SQLITE_ROW;
    s->has_log = row && !strcmp((const char *)sqlite3_column_text(q, 0), "wal");
    sqlite3_finalize(q);
    if (!row && (code & 0xFF) != SQLITE_BUSY) return pdi_sql_fail(s, code, err);
    if (!s->has_log) return PDR_OK;
    sqlite3_wal_hook(s->db, store_log_hook, s);
    return pdi_sql_run(s, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304", err);
}

/* ---- open and close -------------------------------------------------------------------------- */

/* A path that SQLite cannot take for one of its special names. */
static pdr_rc store_open_db(pdi_store *s, const char *vfs, bool create, pdr_error *err)
{
    pdi_text name = {.alloc = s->alloc};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (create ? SQLITE_OPEN_CREATE : 0);
    pdi_text_add(&name, "%s%s", *s->path == '/' ? "" : "./", s->path);
    char *path = pdi_text_take(&name);
    if (!path) return pdi_nomem(err);
    int code = sqlite3_open_v2(path, &s->db, flags, vfs);
    pdi_free(s->alloc, path);
    return code ? pdi_sql_fail(s, code, err) : PDR_OK;
}

static pdr_rc store_lock(pdi_store *s, bool create, pdr_error *err)
{
    const char *file = sqlite3_db_filename(s->db, "main");
    if (s->mode == PDI_STORE_READ) return pdi_lock_look(s->alloc, file, &s->noted, err);
    pdr_rc rc = pdi_lock_take(&s->lock, s->alloc, file, &s->noted, err);
    if (create) s->noted = 0; /* that was another file */
    return rc;
}

static pdr_rc store_connect(pdi_store *s, const pdi_store_options *how, bool create, pdr_error *err)
{
    pdr_rc rc = store_open_db(s, how->vfs, create, err);
    if (!rc && s->mode == PDI_STORE_WRITE && sqlite3_db_readonly(s->db, "main") == 1)
        rc = pdi_sql_fail(s, SQLITE_READONLY, err);
    if (!rc && !how->vfs) rc = store_lock(s, create, err);
    if (!rc) store_guard(s);
    return rc;
}

static pdr_rc store_new(const char *path, pdi_store_mode mode, const pdi_store_options *how,
                        pdi_store **out, pdr_error *err)
{
    const pdr_alloc *alloc = pdi_alloc_or_default(how->alloc);
    pdi_store *s = pdi_new(alloc, 1, sizeof *s);
    *out = s;
    if (!s) return pdi_nomem(err);
    s->alloc = alloc;
    s->mode = mode;
    s->wait_ms = how->wait_ms ? how->wait_ms : STORE_WAIT_MS;
    s->path = pdi_strdup(alloc, path);
    return s->path ? PDR_OK : pdi_nomem(err);
}

static const pdi_store_options store_default;

pdr_rc pdi_store_open(const char *path, pdi_store_mode mode, const pdi_store_options *how,
                      pdi_store **out, pdr_error *err)
{
    if (!how) how = &store_default;
    pdr_rc rc = store_new(path, mode, how, out, err);
    if (!rc) rc = store_connect(*out, how, false, err);
    if (!rc) rc = store_settle(*out, err);
    if (!rc) rc = pdi_schema_open(*out, err);
    if (!rc) rc = pdi_store_begin(*out, PDI_STORE_READ, err); /* is it whole? */
    if (!rc) rc = pdi_store_commit(*out, err);
    if (!rc) (*out)->whole = true;
    if (!rc && mode == PDI_STORE_WRITE) rc = store_use_log(*out, err);
    if (!rc && mode == PDI_STORE_READ) rc = pdi_sql_run(*out, "PRAGMA query_only = ON", err);
    if (!rc) return PDR_OK;
    pdi_store_close(*out);
    *out = NULL;
    return rc;
}

/* The first rows: an empty state and an empty journal. */
static pdr_rc store_first_rows(pdi_store *s, pdr_error *err)
{
    pdi_state_row now = {.id = PDI_NOW, .name = (char *)(uintptr_t) ""};
    s->root = (pdi_root){.first = 1, .next = 1};
    pdr_rc rc = pdi_state_insert(s, &now, err);
    return rc ? rc : pdi_root_save(s, err);
}

static pdr_rc store_version(pdi_store *s, int64_t *version, pdr_error *err)
{
    bool row = false;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_version, &q, err);
    if (!rc) rc = pdi_query_step(s, q, &row, err);
    if (row) *version = sqlite3_column_int64(q, 0);
    sqlite3_reset(q);
    return rc;
}

static pdr_rc store_make(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = pdi_schema_vacant(s, err);
    if (!rc) rc = store_settle(s, err);
    if (!rc) rc = store_use_log(s, err);
    if (!rc) rc = pdi_query_plain(s, PDI_Q_begin_write, err);
    if (rc) return rc;
    s->busy = s->writing = true;
    rc = pdi_schema_create(s, err);
    if (!rc) rc = store_first_rows(s, err);
    if (!rc) rc = store_version(s, &s->version, err);
    s->known = !rc;
    return rc;
}

pdr_rc pdi_store_create(const char *path, const pdi_store_options *how, pdi_store **out,
                        pdr_error *err)
{
    if (!how) how = &store_default;
    pdr_rc rc = store_new(path, PDI_STORE_WRITE, how, out, err);
    if (!rc) rc = store_connect(*out, how, true, err);
    if (!rc) rc = store_make(*out, err);
    if (!rc) return PDR_OK;
    pdi_store_close(*out);
    *out = NULL;
    return rc;
}

void pdi_store_close(pdi_store *s)
{
    if (!s) return;
    pdi_store_cancel(s);
    bool left = s->noted && !s->whole;
    for (int i = 0; i < PDI_QUERIES; i++) sqlite3_finalize(s->query[i]);
    if (s->has_log) {
        /* What the log holds is safe there.  If it cannot be put into the file now,
         * because of readers or a full disk, whoever opens it next will. */
        sqlite3_busy_timeout(s->db, 0);
        left = sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != 0;
    }
    sqlite3_close(s->db);
    pdi_lock_free(&s->lock, left);
    pdi_root_forget(s);
    pdi_free(s->alloc, s->state);
    pdi_free(s->alloc, s->path);
    pdi_free(s->alloc, s);
}

const char *pdi_store_path(const pdi_store *s) { return s->path; }

/* ---- transactions ------------------------------------------------------------------------------
 */

pdr_rc pdi_store_may_read(const pdi_store *s, pdr_error *err)
{
    if (s->busy) return PDR_OK;
    return pdi_fail(err, PDR_USAGE, "%s: read outside a transaction", s->path);
}

pdr_rc pdi_store_may_write(const pdi_store *s, pdr_error *err)
{
    if (s->busy && s->writing && !s->failed && !s->view) return PDR_OK;
    return pdi_fail(err, PDR_USAGE, "%s: write %s", s->path,
                    !s->busy || !s->writing ? "outside a transaction that writes"
                    : s->failed             ? "after a write that failed; cancel"
                                            : "while a snapshot is viewed");
}

pdr_rc pdi_store_wrote(pdi_store *s, pdr_rc rc)
{
    if (rc) s->failed = true;
    return rc;
}

/* Read and verify what everything hangs from, unless that is known. */
static pdr_rc store_know(pdi_store *s, pdr_error *err)
{
    int64_t version = 0;
    pdr_rc rc = store_version(s, &version, err);
    if (rc || (s->known && version == s->version)) return rc;
    rc = pdi_root_load(s, err);
    if (!rc) rc = pdi_state_verify(s, PDI_NOW, false, NULL, err);
    s->known = !rc;
    s->version = version;
    return rc;
}

pdr_rc pdi_store_begin(pdi_store *s, pdi_store_mode mode, pdr_error *err)
{
    bool writing = mode == PDI_STORE_WRITE;
    if (s->busy) return pdi_fail(err, PDR_USAGE, "%s: a transaction is under way", s->path);
    if (writing && s->mode != PDI_STORE_WRITE)
        return pdi_fail(err, PDR_USAGE, "%s: is open for reading only", s->path);
    pdr_rc rc = pdi_query_plain(s, writing ? PDI_Q_begin_write : PDI_Q_begin_read, err);
    if (rc) return rc;
    s->busy = true;
    s->writing = writing;
    s->failed = s->stale = false;
    rc = store_know(s, err);
    if (rc) {
        pdi_store_cancel(s);
        return rc;
    }
    s->view = 0;
    s->now = s->state[PDI_NOW].sum;
    return PDR_OK;
}

void pdi_store_cancel(pdi_store *s)
{
    if (!s->busy) return;
    if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    if (s->writing) pdi_root_forget(s);
    s->busy = s->writing = false;
}

/* What the transaction leaves behind besides its rows. */
static pdr_rc store_seal(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (!pdi_sum_equal(s->now, s->state[PDI_NOW].sum))
        rc = pdi_state_update(s, PDI_NOW, s->now, err);
    if (!rc && s->stale) rc = pdi_content_sweep(s, err);
    return rc ? rc : pdi_root_save(s, err);
}

/* When that fails, the log grows until it succeeds or the disk is full. */
static void store_empty_log(pdi_store *s)
{
    if (s->log_pages < STORE_LOG_PAGES) return;
    sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    s->log_pages = 0;
}

pdr_rc pdi_store_commit(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (!s->busy) return pdi_fail(err, PDR_USAGE, "%s: no transaction is under way", s->path);
    if (s->failed)
        rc = pdi_fail(err, PDR_USAGE, "%s: a write failed before; nothing was kept", s->path);
    if (!rc && s->writing) rc = store_seal(s, err);
    if (!rc) rc = pdi_query_plain(s, PDI_Q_commit, err);
    if (rc) {
        pdi_store_cancel(s);
        return rc;
    }
    if (s->writing) pdi_lock_note(&s->lock, s->root.commits);
    s->busy = s->writing = false;
    store_empty_log(s);
    return PDR_OK;
}

/* ---- upkeep
 * -------------------------------------------------------------------------------------- */

int64_t pdi_store_bytes(pdi_store *s)
{
    int64_t pages = 0, size = 0;
    if (pdi_sql_number(s, "PRAGMA page_count", &pages, NULL)) return -1;
    if (pdi_sql_number(s, "PRAGMA page_size", &size, NULL)) return -1;
    return pages * size;
}

pdr_rc pdi_store_compact(pdi_store *s, pdr_error *err)
{
    if (s->busy || s->mode != PDI_STORE_WRITE)
        return pdi_fail(err, PDR_USAGE, "%s: only an idle writer can compact", s->path);
    pdr_rc rc = pdi_sql_run(s, "PRAGMA temp_store = FILE", err);
    if (!rc) rc = pdi_sql_run(s, "VACUUM", err);
    if (!rc && s->has_log)
        sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_exec(s->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
    return rc;
}
