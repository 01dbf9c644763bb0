/* learner/inside.h -- what the files of the store share: its structure, its queries. */
#ifndef PDI_LEARNER_INSIDE_H
#define PDI_LEARNER_INSIDE_H

#include <sqlite3.h>

#include "learner/lock.h"
#include "learner/store.h"

enum {
    PDI_FORMAT = 1,
    PDI_APPLICATION = 0x70657264, /* "perd" */
    PDI_PIECE = 1 << 16,          /* bytes of a piece */
    PDI_NOW = 0,                  /* the id of the state as it is now */
    PDI_STATES_MAX = 1 << 20
};

/* The queries, by name: statements.def. */
typedef enum pdi_query {
#define PDI_STATEMENT(name, sql) PDI_Q_##name,
#include "learner/statements.def"
#undef PDI_STATEMENT
    PDI_QUERIES
} pdi_query;

typedef struct pdi_root {
    pdi_sum states, before, last;
    int64_t commits, first, next, bytes;
} pdi_root;

/* A row of table state. */
typedef struct pdi_state_row {
    int64_t id, made;
    pdi_sum sum;
    char *name;
} pdi_state_row;

struct pdi_store {
    const pdr_alloc *alloc;
    char *path; /* as given, for messages */
    sqlite3 *db;
    sqlite3_stmt *query[PDI_QUERIES];
    pdi_lock lock;
    bool whole;          /* found so when it was opened */
    int64_t noted;       /* commits that the last writer is known to have made */
    pdi_store_mode mode; /* how it was opened */
    bool has_log;        /* the log is in use, not the rollback journal */
    int log_pages;
    int wait_ms;

    /* The transaction. */
    bool busy, writing;
    bool failed; /* a write failed: cancel is what is left */
    bool stale;  /* contents may have lost their last name */

    /* What begin verified, kept up to date by the functions that write.  Known: it is
     * that of the file as of version. */
    bool known;
    int64_t version;
    pdi_root root;
    pdi_state_row *state; /* by id; the first is PDI_NOW */
    size_t n_state, cap_state;
    size_t view; /* which one is read */
    pdi_sum now; /* the sum of PDI_NOW, as this transaction has made it */
};

/* ---- sql.c: queries and what can go wrong with them ----------------------------------- */

/* The query, ready to be bound. */
pdr_rc pdi_query_get(pdi_store *s, pdi_query id, sqlite3_stmt **q, pdr_error *err);

/* To the next row; *row is false when there is none.  Resets the query unless there is. */
pdr_rc pdi_query_step(pdi_store *s, sqlite3_stmt *q, bool *row, pdr_error *err);

/* Step a query that yields no rows. */
pdr_rc pdi_query_run(pdi_store *s, sqlite3_stmt *q, pdr_error *err);

/* The same without anything to bind. */
pdr_rc pdi_query_plain(pdi_store *s, pdi_query id, pdr_error *err);

/* SQL that is not worth keeping: pragmas, schemas. */
pdr_rc pdi_sql_run(pdi_store *s, const char *sql, pdr_error *err);

/* The number that a query of one row yields. */
pdr_rc pdi_sql_number(pdi_store *s, const char *sql, int64_t *x, pdr_error *err);

/* The error SQLite has just reported, in our words. */
pdr_rc pdi_sql_fail(pdi_store *s, int code, pdr_error *err);

/* The file contradicts itself.  Returns PDR_INPUT. */
pdr_rc pdi_damaged(const pdi_store *s, pdr_error *err, const char *what);

/* Columns, with their types insisted on: false means damage. */
bool pdi_column_int(sqlite3_stmt *q, int column, int64_t *x);
bool pdi_column_text(sqlite3_stmt *q, int column, size_t most, const char **text);
bool pdi_column_sum(sqlite3_stmt *q, int column, pdi_sum *sum);

void pdi_bind_sum(sqlite3_stmt *q, int at, pdi_sum sum, uint8_t bytes[PDI_SUM_BYTES]);
void pdi_bind_text(sqlite3_stmt *q, int at, const char *text);

/* ---- schema.c: is it our file, and of which format ----------------------------------------- */

/* Whether the file is free to be made a learner file; make it one, in a transaction. */
pdr_rc pdi_schema_vacant(pdi_store *s, pdr_error *err);
pdr_rc pdi_schema_create(pdi_store *s, pdr_error *err);

/* Refuse what is not a learner file; bring an old one up to date. */
pdr_rc pdi_schema_open(pdi_store *s, pdr_error *err);

/* ---- root.c: the rows everything hangs from ------------------------------------------------- */

pdr_rc pdi_root_load(pdi_store *s, pdr_error *err); /* read and verify root and states */
pdr_rc pdi_root_save(pdi_store *s, pdr_error *err);
void pdi_root_forget(pdi_store *s);

pdr_rc pdi_state_insert(pdi_store *s, const pdi_state_row *row, pdr_error *err);
pdr_rc pdi_state_update(pdi_store *s, size_t at, pdi_sum sum, pdr_error *err);
pdr_rc pdi_state_delete(pdi_store *s, size_t at, pdr_error *err);

/* ---- state.c: the rows of a state --------------------------------------------------------------
 */

/* Verify the sum of all rows of a state; deep: and the bytes of its items. */
pdr_rc pdi_state_verify(pdi_store *s, size_t at, bool deep, pdi_store_health *health,
                        pdr_error *err);

/* Delete the rows of a state; copy those of one to another, which has none. */
pdr_rc pdi_state_clear(pdi_store *s, int64_t state, pdr_error *err);
pdr_rc pdi_state_copy(pdi_store *s, int64_t from, int64_t to, pdr_error *err);

pdi_sum pdi_item_sum(const pdi_item *i, int64_t size, pdi_sum content);
pdi_sum pdi_value_sum(const pdi_value *v);

/* ---- content.c: bytes, cut into pieces ----------------------------------------------------------
 */

typedef struct pdi_content {
    int64_t id, size;
    pdi_sum sum;
} pdi_content;

/* Find or write a content of these bytes. */
pdr_rc pdi_content_put(pdi_store *s, const void *bytes, int64_t size, pdi_content *c,
                       pdr_error *err);

/* Read a content, verified, to bytes (NULL: only verify). */
pdr_rc pdi_content_get(pdi_store *s, const pdi_content *c, void *bytes, pdr_error *err);

/* Delete what no item names. */
pdr_rc pdi_content_sweep(pdi_store *s, pdr_error *err);

/* ---- store.c
 * ----------------------------------------------------------------------------------------- */

/* Whether the call is in turn: inside a transaction; one that writes. */
pdr_rc pdi_store_may_read(const pdi_store *s, pdr_error *err);
pdr_rc pdi_store_may_write(const pdi_store *s, pdr_error *err);

/* A write has ended with rc: remember failure.  Returns rc. */
pdr_rc pdi_store_wrote(pdi_store *s, pdr_rc rc);

#endif
