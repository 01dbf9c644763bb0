/* learner/content.c -- bytes, cut into pieces that are stored once.
 *
 * A content is told by the sum of its size and its pieces' sums.  What the file holds
 * already is named again instead of written again: whole contents first (a tensor that
 * did not change), then pieces (a replay memory of which a little changed). */
#include <string.h>

#include "learner/inside.h"

static int64_t content_pieces(int64_t size) { return (size + PDI_PIECE - 1) / PDI_PIECE; }

/* The length of piece k. */
static int content_length(int64_t size, int64_t k)
{
    int64_t left = size - k * PDI_PIECE;
    return left < PDI_PIECE ? (int)left : PDI_PIECE;
}

static pdi_sum content_piece_sum(const void *bytes, int n)
{
    pdi_sum sum = {0, 0};
    pdi_sum_bytes(&sum, bytes, (size_t)n);
    return sum;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The id of the row that an index names for a sum; 0 when there is none. */
static pdr_rc content_lookup(pdi_store *s, pdi_query find, pdi_query row_query, pdi_sum sum,
                             int64_t size, int64_t *id, pdr_error *err)
{
    uint8_t bytes[PDI_SUM_BYTES];
    bool row = false;
    int64_t there = -1;
    pdi_sum same = {0, 0};
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, find, &q, err);
    if (rc) return rc;
    pdi_bind_sum(q, 1, sum, bytes);
    rc = pdi_query_step(s, q, &row, err);
    *id = row ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    if (rc || !row) return rc;
    rc = pdi_query_get(s, row_query, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, *id);
    rc = pdi_query_step(s, q, &row, err);
    bool ok = row && pdi_column_int(q, 0, &there) && pdi_column_sum(q, 1, &same);
    sqlite3_reset(q);
    if (!rc && (!ok || there != size || !pdi_sum_equal(same, sum)))
        rc = pdi_damaged(s, err, "an index names a row that is not the one");
    return rc;
}

static pdr_rc content_put_piece(pdi_store *s, const void *bytes, int n, pdi_sum sum, int64_t *id,
                                pdr_error *err)
{
    uint8_t sum_bytes[PDI_SUM_BYTES];
    sqlite3_stmt *q;
    pdr_rc rc = content_lookup(s, PDI_Q_piece_find, PDI_Q_piece_row, sum, n, id, err);
    if (rc || *id) return rc;
    rc = pdi_query_get(s, PDI_Q_piece_insert, &q, err);
    if (rc) return rc;
    pdi_bind_sum(q, 1, sum, sum_bytes);
    sqlite3_bind_blob(q, 2, bytes, n, SQLITE_STATIC);
    rc = pdi_query_run(s, q, err);
    *id = sqlite3_last_insert_rowid(s->db);
    return rc;
}

static pdr_rc content_put_part(pdi_store *s, int64_t content, int64_t place, int64_t piece,
                               pdr_error *err)
{
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_part_insert, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, content);
    sqlite3_bind_int64(q, 2, place);
    sqlite3_bind_int64(q, 3, piece);
    return pdi_query_run(s, q, err);
}

static pdr_rc content_insert(pdi_store *s, pdi_content *c, pdr_error *err)
{
    uint8_t sum[PDI_SUM_BYTES];
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_content_insert, &q, err);
    if (rc) return rc;
    sqlite3_bind_int64(q, 1, c->size);
    pdi_bind_sum(q, 2, c->sum, sum);
    rc = pdi_query_run(s, q, err);
    c->id = sqlite3_last_insert_rowid(s->db);
    return rc;
}

pdr_rc pdi_content_put(pdi_store *s, const void *bytes, int64_t size, pdi_content *c,
                       pdr_error *err)
{
    const char *p = bytes;
    int64_t n = content_pieces(size), piece;
    pdi_sum *sum = pdi_new(s->alloc, (size_t)n, sizeof *sum);
    if (!sum) return pdi_nomem(err);
    *c = (pdi_content){.size = size};
    pdi_sum_int(&c->sum, size);
    for (int64_t k = 0; k < n; k++) {
        sum[k] = content_piece_sum(p + k * PDI_PIECE, content_length(size, k));
        pdi_sum_sum(&c->sum, sum[k]);
    }
    pdr_rc rc = content_lookup(s, PDI_Q_content_find, PDI_Q_content_row, c->sum, size, &c->id, err);
    if (rc || c->id) goto done;
    rc = content_insert(s, c, err);
    for (int64_t k = 0; !rc && k < n; k++) {
        rc = content_put_piece(s, p + k * PDI_PIECE, content_length(size, k), sum[k], &piece, err);
        if (!rc) rc = content_put_part(s, c->id, k, piece, err);
    }
done:
    pdi_free(s->alloc, sum);
    return rc;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The piece that the query is at, which must be the k-th. */
static bool content_take(sqlite3_stmt *q, const pdi_content *c, int64_t k, pdi_sum *sum, char *to)
{
    int64_t place;
    if (k >= content_pieces(c->size) || !pdi_column_int(q, 0, &place) || place != k) return false;
    if (sqlite3_column_type(q, 1) != SQLITE_BLOB) return false;
    int n = content_length(c->size, k);
    const void *bytes = sqlite3_column_blob(q, 1);
    if (sqlite3_column_bytes(q, 1) != n || !bytes) return false;
    pdi_sum_sum(sum, content_piece_sum(bytes, n));
    if (to) memcpy(to + k * PDI_PIECE, bytes, (size_t)n);
    return true;
}

pdr_rc pdi_content_get(pdi_store *s, const pdi_content *c, void *bytes, pdr_error *err)
{
    static const char damage[] = "the bytes of an item are not what was written";
    pdi_sum sum = {0, 0};
    bool row = false;
    int64_t k = 0;
    sqlite3_stmt *q;
    pdr_rc rc = pdi_query_get(s, PDI_Q_pieces, &q, err);
    if (rc) return rc;
    pdi_sum_int(&sum, c->size);
    sqlite3_bind_int64(q, 1, c->id);
    rc = pdi_query_step(s, q, &row, err);
    for (; !rc && row; k++) {
        if (!content_take(q, c, k, &sum, bytes))
            rc = pdi_damaged(s, err, damage);
        else
            rc = pdi_query_step(s, q, &row, err);
    }
    sqlite3_reset(q);
    if (!rc && (k != content_pieces(c->size) || !pdi_sum_equal(sum, c->sum)))
        rc = pdi_damaged(s, err, damage);
    return rc;
}

pdr_rc pdi_content_sweep(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = pdi_query_plain(s, PDI_Q_sweep_contents, err);
    if (!rc) rc = pdi_query_plain(s, PDI_Q_sweep_parts, err);
    if (!rc) rc = pdi_query_plain(s, PDI_Q_sweep_pieces, err);
    return rc;
}
