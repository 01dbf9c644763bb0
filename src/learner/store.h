/* learner/store.h -- a file that keeps named blobs, values and a journal, and loses none.
 *
 * A store is an SQLite database.  It holds a state: items (typed arrays with a shape)
 * and values (whole numbers, texts), each named by a section and a name; snapshots,
 * which are states of earlier; and a journal, entries of bytes with sequence numbers.
 * What they mean is its user's business.
 *
 *     pdi_store *s = NULL;
 *     pdi_store_open("a.perdure", PDI_STORE_WRITE, NULL, &s, &err);
 *     pdi_store_begin(s, PDI_STORE_WRITE, &err);
 *     pdi_store_append(s, example, sizeof example, &seq, &err);
 *     if (pdi_store_commit(s, &err) == PDR_OK)
 *         ... the example is on the disk ...
 *     pdi_store_close(s);
 *
 * TRANSACTIONS  Everything is read and written between begin and commit (or cancel).
 *           What a transaction wrote is in the file wholly once commit has returned
 *           PDR_OK, and survives the loss of power from then on.  When commit fails, the
 *           process dies or the power goes, the file is as it was before begin, or, if
 *           the failure came after the last byte was safe, as it would be after commit;
 *           it is never between.  After a function that writes has failed, the
 *           transaction can only be cancelled; commit does that and fails.
 * SUMS      Begin verifies every row of the state and the bounds of the journal, get
 *           every byte of the item, read every entry, view and rollback every row of the
 *           snapshot (rollback also its bytes).  Nothing that fails is handed out.
 * READERS   There is one writer.  Another is refused and told who it is.  Any number of
 *           readers read beside it; each transaction sees the file as of its begin.
 *           Where the file system has no shared memory, or a reader was in the way when
 *           the writer came, writer and readers wait for each other instead.
 * ERRORS    PDR_INPUT: damaged, not a learner file, no such name.  PDR_IO: the disk is
 *           full, read-only or failing, or the file is in use.  PDR_USAGE: a call out of
 *           turn.  The text names the file, what was wrong and what to do.
 * LIMITS    Sections 63 bytes, names 255, texts and entries 16 MiB; UTF-8 without NUL.
 *           Whatever a file claims is checked before memory is asked for.
 * OWNERSHIP Functions borrow what they are given.  What callbacks are shown is gone when
 *           they return.  Texts handed out belong to the caller, who frees them through
 *           the store's allocator.
 * THREADS   A store belongs to one thread at a time.  Several stores may be open.
 */
#ifndef PDI_LEARNER_STORE_H
#define PDI_LEARNER_STORE_H

#include <perdure/shape.h>

#include "base/alloc.h"
#include "base/error.h"
#include "learner/sum.h"

typedef struct pdi_store pdi_store;

typedef enum pdi_store_mode { PDI_STORE_READ, PDI_STORE_WRITE } pdi_store_mode;

enum { PDI_SECTION_MAX = 63, PDI_NAME_MAX = 255, PDI_TEXT_MAX = 1 << 24, PDI_ENTRY_MAX = 1 << 24 };

typedef struct pdi_store_options {
    const pdr_alloc *alloc; /* NULL: the default */
    const char *vfs;        /* SQLite's name of a file system; NULL: the machine's, which is */
                            /* also the only one with a lock that says who holds it */
    int wait_ms;            /* how long to wait for others; 0: ten seconds; negative: not at all */
} pdi_store_options;

/* ---- open and close --------------------------------------------------------------- */

/* Make the file, open for writing, with its first transaction begun: only commit makes it
 * a learner file.  What exists is refused, unless it is empty or the remains of a creation
 * that was never committed. */
pdr_rc pdi_store_create(const char *path, const pdi_store_options *how, pdi_store **s,
                        pdr_error *err);

/* Open a learner file.  A file of an older format is brought up to date by a writer. */
pdr_rc pdi_store_open(const char *path, pdi_store_mode mode, const pdi_store_options *how,
                      pdi_store **s, pdr_error *err);

/* Cancel what is under way and close.  NULL is allowed. */
void pdi_store_close(pdi_store *s);

const char *pdi_store_path(const pdi_store *s);

/* ---- transactions -------------------------------------------------------------------- */

pdr_rc pdi_store_begin(pdi_store *s, pdi_store_mode mode, pdr_error *err);
pdr_rc pdi_store_commit(pdi_store *s, pdr_error *err);
void pdi_store_cancel(pdi_store *s);

/* ---- items ------------------------------------------------------------------------------ */

/* Element types: name, word in the file, bytes. */
#define PDI_TYPE_MAP(X)                                                                            \
    X(F32, "f32", 4)                                                                               \
    X(F64, "f64", 8)                                                                               \
    X(I32, "i32", 4) X(I64, "i64", 8) X(U8, "u8", 1) X(U32, "u32", 4) X(U64, "u64", 8)

typedef enum pdi_type {
#define PDI_TYPE_NAME(name, word, size) PDI_##name,
    PDI_TYPE_MAP(PDI_TYPE_NAME)
#undef PDI_TYPE_NAME
} pdi_type;

const char *pdi_type_word(pdi_type t);
size_t pdi_type_size(pdi_type t);

/* An array with its name.  Unlike elsewhere an axis may be 0; there are no bytes then.
 * bytes is what put is given, and NULL where an item is told of. */
typedef struct pdi_item {
    const char *section, *name;
    pdi_type type;
    pdr_shape shape;
    const void *bytes;
} pdi_item;

/* The length of an item's bytes; -1 for a shape that is not usable. */
int64_t pdi_item_size(const pdi_item *i);

/* Write an item, in place of one of that name.  Bytes that the file holds already, in this
 * state or a snapshot, are not written again. */
pdr_rc pdi_store_put(pdi_store *s, const pdi_item *i, pdr_error *err);

/* Fill in type and shape of the item called i->section and i->name.  *found tells whether
 * there is one; with found NULL its absence is an error. */
pdr_rc pdi_store_find(pdi_store *s, pdi_item *i, bool *found, pdr_error *err);

/* Read the bytes of the item, which must have the type and the shape of *i, into
 * pdi_item_size(i) bytes.  On failure their content means nothing. */
pdr_rc pdi_store_get(pdi_store *s, const pdi_item *i, void *bytes, pdr_error *err);

/* Show each item of a section (NULL: all), ordered by section and name, bytewise.  fn may
 * read the store, but not list items or write; what it returns other than PDR_OK ends the
 * listing and is returned. */
typedef pdr_rc (*pdi_item_fn)(void *ctx, const pdi_item *i, pdr_error *err);
pdr_rc pdi_store_items(pdi_store *s, const char *section, pdi_item_fn fn, void *ctx,
                       pdr_error *err);

/* ---- values ----------------------------------------------------------------------------- */

/* A whole number, or a text. */
typedef struct pdi_value {
    const char *section, *name;
    bool is_text;
    int64_t number;
    const char *text; /* NULL unless is_text */
} pdi_value;

pdr_rc pdi_store_put_number(pdi_store *s, const char *section, const char *name, int64_t number,
                            pdr_error *err);
pdr_rc pdi_store_put_text(pdi_store *s, const char *section, const char *name, const char *text,
                          pdr_error *err);

/* found as for pdi_store_find(); where it comes back false, the value is left alone. */
pdr_rc pdi_store_get_number(pdi_store *s, const char *section, const char *name, int64_t *number,
                            bool *found, pdr_error *err);
pdr_rc pdi_store_get_text(pdi_store *s, const char *section, const char *name, char **text,
                          bool *found, pdr_error *err);

/* As pdi_store_items(). */
typedef pdr_rc (*pdi_value_fn)(void *ctx, const pdi_value *v, pdr_error *err);
pdr_rc pdi_store_values(pdi_store *s, const char *section, pdi_value_fn fn, void *ctx,
                        pdr_error *err);

/* Take all items and values of a section out of the state (NULL: of all sections). */
pdr_rc pdi_store_clear(pdi_store *s, const char *section, pdr_error *err);

/* ---- snapshots ---------------------------------------------------------------------------- */

/* Keep the state as it is now under a name that no snapshot has, with a time to remember. */
pdr_rc pdi_store_snapshot(pdi_store *s, const char *name, int64_t made, pdr_error *err);

/* Make the state what it was when the snapshot was taken.  The journal is left alone. */
pdr_rc pdi_store_rollback(pdi_store *s, const char *name, pdr_error *err);

/* Delete a snapshot, and the bytes that nothing else has. */
pdr_rc pdi_store_forget(pdi_store *s, const char *name, pdr_error *err);

/* Until the transaction ends, the reading functions read the snapshot (NULL: the state). */
pdr_rc pdi_store_view(pdi_store *s, const char *name, pdr_error *err);

/* The sum of all items and values of what is viewed: equal states have equal sums, in
 * any store. */
pdi_sum pdi_store_state_sum(const pdi_store *s);

/* Snapshots in the order they were made: the one with number at, from 0; false when
 * there are no more. */
typedef struct pdi_snapshot {
    const char *name;
    int64_t made;
    pdi_sum sum;
} pdi_snapshot;
bool pdi_store_snapshot_at(const pdi_store *s, size_t at, pdi_snapshot *snapshot);

/* ---- journal -------------------------------------------------------------------------------- */

/* Append an entry.  *seq (which may be NULL) is its number: one more than that of the
 * entry before.  It is safe when commit has returned PDR_OK; many may share a commit. */
pdr_rc pdi_store_append(pdi_store *s, const void *bytes, size_t n, int64_t *seq, pdr_error *err);

/* Show each entry with a number of from or above, in order; as pdi_store_items(). */
typedef struct pdi_entry {
    int64_t seq;
    const void *bytes;
    size_t n;
} pdi_entry;
typedef pdr_rc (*pdi_entry_fn)(void *ctx, const pdi_entry *e, pdr_error *err);
pdr_rc pdi_store_read(pdi_store *s, int64_t from, pdi_entry_fn fn, void *ctx, pdr_error *err);

/* Remove all entries with a number below before, which is at most the next number. */
pdr_rc pdi_store_trim(pdi_store *s, int64_t before, pdr_error *err);

/* Entries first .. next - 1 are kept; bytes is their length. */
typedef struct pdi_journal {
    int64_t first, next, bytes;
} pdi_journal;
pdi_journal pdi_store_journal(const pdi_store *s);

/* ---- upkeep ---------------------------------------------------------------------------------- */

/* Read everything: SQLite's own check of every page, every state, every byte, every entry.
 * Outside transactions. */
typedef struct pdi_store_health {
    int64_t states, items, values, entries;
    int64_t bytes;  /* of all contents, each once */
    int64_t unused; /* contents and pieces that nothing names: harmless */
} pdi_store_health;
pdr_rc pdi_store_check(pdi_store *s, pdi_store_health *health, pdr_error *err);

/* Give free space back to the disk.  Needs room for a second file while it works.
 * Outside transactions; a writer's. */
pdr_rc pdi_store_compact(pdi_store *s, pdr_error *err);

/* The length of the file; -1 when it cannot be told. */
int64_t pdi_store_bytes(pdi_store *s);

#endif
