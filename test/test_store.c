/* test_store.c -- what a store keeps, and what it refuses. */
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "disk.h"
#include "learner/store.h"
#include "store_life.h"
#include "t_data.h"

/* ---- helpers ----------------------------------------------------------------------------- */

static void ok(pdr_rc rc, const pdr_error *err)
{
    if (rc) fail_msg("%s: %s", pdr_rc_text(rc), err->text);
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        pdr_error err_ = PDR_NO_ERROR;                                                             \
        pdr_error *err = &err_;                                                                    \
        ok(call, err);                                                                             \
    } while (0)

/* The call is refused with that code and one line that has these words. */
#define REFUSED(call, want, words)                                                                 \
    do {                                                                                           \
        pdr_error err_ = PDR_NO_ERROR;                                                             \
        pdr_error *err = &err_;                                                                    \
        pdr_rc rc_ = call;                                                                         \
        if (rc_ != (want) || !strstr(err_.text, words))                                            \
            fail_msg("%s: '%s' has no '%s'", pdr_rc_text(rc_), err_.text, words);                  \
        t_one_line(&err_);                                                                         \
    } while (0)

static pdi_store *make(const char *path)
{
    pdi_store *s = NULL;
    OK(pdi_store_create(path, NULL, &s, err));
    OK(pdi_store_commit(s, err));
    return s;
}

static pdi_store *reopen(const char *path, pdi_store_mode mode)
{
    pdi_store *s = NULL;
    OK(pdi_store_open(path, mode, NULL, &s, err));
    return s;
}

static const char *fresh(const char *name)
{
    const char *path = t_path(name);
    unlink(path);
    return path;
}

static pdi_item item_of(const char *name, pdr_shape shape, const void *bytes)
{
    return (pdi_item){"param", name, PDI_F32, shape, bytes};
}

static void sql(const char *path, const char *text, const char *vfs)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, vfs), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL)) fail_msg("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static long number(const char *path, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    long x = (long)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return x;
}

static const pdi_store_options on_disk = {.vfs = "disk"};

/* ---- items and values ------------------------------------------------------------------------ */

static void what_was_put_comes_back(void **state)
{
    (void)state;
    const char *path = fresh("items");
    float w[6] = {1, -2, 3.5f, -0.0f, 5, 6}, back[6];
    char *text = NULL;
    int64_t n = 0;
    pdi_store *s = make(path);
    pdi_item i = item_of("w", PDR_SHAPE(2, 3), w);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_put(s, &i, err));
    OK(pdi_store_put_number(s, "counter", "n", INT64_MIN, err));
    OK(pdi_store_put_text(s, "class", "0", "caf\xc3\xa9 'quoted' \xf0\x9f\x90\x88\n", err));
    OK(pdi_store_put_text(s, "class", "1", "", err));
    OK(pdi_store_commit(s, err));
    pdi_store_close(s);

    s = reopen(path, PDI_STORE_READ);
    OK(pdi_store_begin(s, PDI_STORE_READ, err));
    OK(pdi_store_get(s, &i, back, err));
    assert_memory_equal(back, w, sizeof w);
    OK(pdi_store_get_number(s, "counter", "n", &n, NULL, err));
    assert_true(n == INT64_MIN);
    OK(pdi_store_get_text(s, "class", "0", &text, NULL, err));
    assert_string_equal(text, "caf\xc3\xa9 'quoted' \xf0\x9f\x90\x88\n");
    pdi_free(&pdi_malloc, text);
    OK(pdi_store_get_text(s, "class", "1", &text, NULL, err));
    assert_string_equal(text, "");
    pdi_free(&pdi_malloc, text);
    pdi_store_close(s);
}

static void every_type_and_length_comes_back(void **state)
{
    static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 131072, 200001};
    (void)state;
    pdi_store *s = make(fresh("lengths"));
    uint8_t *x = test_malloc(200001 * 8), *back = test_malloc(200001 * 8);
    for (size_t i = 0; i < 200001 * 8; i++) x[i] = (uint8_t)(i * i >> 7);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    for (pdi_type t = PDI_F32; t <= PDI_U64; t++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            pdi_item i = {pdi_type_word(t), "x", t, PDR_SHAPE((int32_t)lengths[k]), x + k};
            pdi_item there = {pdi_type_word(t), "x", PDI_F32, PDR_SCALAR, NULL};
            assert_int_equal(pdi_item_size(&i), lengths[k] * pdi_type_size(t));
            OK(pdi_store_put(s, &i, err));
            OK(pdi_store_find(s, &there, NULL, err));
            assert_int_equal(there.type, t);
            assert_true(pdr_shape_equal(&there.shape, &i.shape));
            OK(pdi_store_get(s, &i, back, err));
            assert_memory_equal(back, x + k, lengths[k] * pdi_type_size(t));
        }
    OK(pdi_store_commit(s, err));
    pdi_store_close(s);
    test_free(x);
    test_free(back);
}

static pdr_rc list_item(void *ctx, const pdi_item *i, pdr_error *err)
{
    char *text = ctx;
    (void)err;
    snprintf(text + strlen(text), 400 - strlen(text), "%s/%s ", i->section, i->name);
    return strcmp(i->name, "stop") ? PDR_OK : PDR_STOPPED;
}

static void items_are_listed_in_the_order_of_their_bytes(void **state)
{
    static const char *const names[][2] = {{"b", "1"},        {"a", "z"},  {"b", "B"}, {"b", "10"},
                                           {"a", "\xc3\xa9"}, {"aa", "0"}, {"b", "2"}};
    char text[400] = "", of[400] = "";
    (void)state;
    pdi_store *s = make(fresh("order"));
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    for (size_t k = 0; k < COUNT(names); k++) {
        pdi_item i = {names[k][0], names[k][1], PDI_U8, PDR_SHAPE(1), "x"};
        OK(pdi_store_put(s, &i, err));
    }
    OK(pdi_store_items(s, NULL, list_item, text, err));
    assert_string_equal(text, "a/z a/\xc3\xa9 aa/0 b/1 b/10 b/2 b/B ");
    OK(pdi_store_items(s, "b", list_item, of, err));
    assert_string_equal(of, "b/1 b/10 b/2 b/B ");
    pdi_item i = {"b", "stop", PDI_U8, PDR_SHAPE(1), "x"};
    OK(pdi_store_put(s, &i, err));
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_store_items(s, NULL, list_item, text, &err), PDR_STOPPED);
    pdi_store_close(s);
}

static void an_item_is_replaced_and_a_section_cleared(void **state)
{
    float w[3] = {1, 2, 3}, v[2] = {4, 5}, back[2];
    bool found;
    (void)state;
    const char *path = fresh("replace");
    pdi_store *s = make(path);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    pdi_sum nothing = pdi_store_state_sum(s);
    pdi_item i = item_of("w", PDR_SHAPE(3), w), j = item_of("w", PDR_SHAPE(2, 1), v);
    OK(pdi_store_put(s, &i, err));
    OK(pdi_store_put(s, &j, err));
    OK(pdi_store_get(s, &j, back, err));
    assert_memory_equal(back, v, sizeof v);
    OK(pdi_store_put_number(s, "param", "n", 7, err));
    OK(pdi_store_put_number(s, "other", "n", 8, err));
    OK(pdi_store_clear(s, "param", err));
    OK(pdi_store_find(s, &i, &found, err));
    assert_false(found);
    OK(pdi_store_clear(s, "other", err));
    assert_true(pdi_sum_equal(pdi_store_state_sum(s), nothing));
    OK(pdi_store_commit(s, err));
    pdi_store_close(s);
    assert_int_equal(number(path, "SELECT (SELECT count(*) FROM content) + "
                                  "(SELECT count(*) FROM part) + (SELECT count(*) FROM piece)"),
                     0);
}

static void equal_states_have_equal_sums(void **state)
{
    float w[3] = {1, 2, 3}, v[3] = {1, 2, 4};
    (void)state;
    pdi_store *a = make(fresh("sum-a")), *b = make(fresh("sum-b"));
    pdi_item w1 = item_of("w", PDR_SHAPE(3), w), v1 = item_of("v", PDR_SHAPE(3), v);
    pdi_item column = item_of("w", PDR_SHAPE(3, 1), w);
    OK(pdi_store_begin(a, PDI_STORE_WRITE, err));
    OK(pdi_store_put(a, &w1, err));
    OK(pdi_store_put(a, &v1, err));
    OK(pdi_store_put_text(a, "t", "x", "1", err));
    OK(pdi_store_begin(b, PDI_STORE_WRITE, err));
    OK(pdi_store_put_text(b, "t", "x", "2", err));
    OK(pdi_store_put(b, &v1, err));
    OK(pdi_store_put(b, &column, err));
    OK(pdi_store_put_text(b, "t", "x", "1", err));
    assert_false(pdi_sum_equal(pdi_store_state_sum(a), pdi_store_state_sum(b)));
    OK(pdi_store_put(b, &w1, err));
    assert_true(pdi_sum_equal(pdi_store_state_sum(a), pdi_store_state_sum(b)));
    OK(pdi_store_put_number(b, "t", "x", 1, err));
    assert_false(pdi_sum_equal(pdi_store_state_sum(a), pdi_store_state_sum(b)));
    pdi_store_close(a);
    pdi_store_close(b);
}

static void what_did_not_change_is_stored_once(void **state)
{
    enum { N = 1 << 18 };
    static float x[N];
    (void)state;
    const char *path = fresh("shared");
    pdi_store *s = make(path);
    for (int i = 0; i < N; i++) x[i] = (float)i;
    for (int round = 0; round < 5; round++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", round);
        x[round * 40000] = -1; /* in another piece each time */
        pdi_item i = item_of("x", PDR_SHAPE(N), x);
        OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
        OK(pdi_store_put(s, &i, err));
        OK(pdi_store_snapshot(s, name, round, err));
        OK(pdi_store_commit(s, err));
    }
    pdi_store_close(s);
    assert_int_equal(number(path, "SELECT count(*) FROM content"), 5);
    assert_int_equal(number(path, "SELECT count(*) FROM piece"), N * 4 / 65536 + 4);
}

static void a_wrong_name_shape_or_kind_is_refused(void **state)
{
    float w[6] = {0}, back[6];
    char long_name[300], *text = NULL;
    int64_t n;
    (void)state;
    memset(long_name, 'x', sizeof long_name);
    long_name[256] = 0;
    pdi_store *s = make(fresh("refused"));
    pdi_item i = item_of("w", PDR_SHAPE(2, 3), w), j = i;
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_put(s, &i, err));
    OK(pdi_store_put_number(s, "c", "n", 1, err));
    j.shape = PDR_SHAPE(3, 2);
    REFUSED(pdi_store_get(s, &j, back, err), PDR_INPUT,
            "is f32 [2,3] in it; it should be f32 [3,2]");
    j = i;
    j.type = PDI_I32;
    REFUSED(pdi_store_get(s, &j, back, err), PDR_INPUT, "it should be i32 [2,3]");
    j.name = "v";
    REFUSED(pdi_store_get(s, &j, back, err), PDR_INPUT, "there is no 'param/v'");
    REFUSED(pdi_store_get_text(s, "c", "n", &text, NULL, err), PDR_INPUT, "is a number");
    REFUSED(pdi_store_get_number(s, "c", "m", &n, NULL, err), PDR_INPUT, "there is no 'c/m'");
    OK(pdi_store_commit(s, err));
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    j.name = long_name;
    REFUSED(pdi_store_put(s, &j, err), PDR_INPUT, "too long");
    REFUSED(pdi_store_put(s, &i, err), PDR_USAGE, "after a write that failed");
    REFUSED(pdi_store_commit(s, err), PDR_USAGE, "nothing was kept");
    j = item_of("w", PDR_SHAPE(2, -1), w);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    REFUSED(pdi_store_put(s, &j, err), PDR_INPUT, "shape that is not usable");
    pdi_store_close(s);
}

static void calls_out_of_turn_are_refused(void **state)
{
    const char *path = fresh("turn");
    pdi_item i = item_of("w", PDR_SCALAR, "1234");
    (void)state;
    pdi_store *s = make(path);
    REFUSED(pdi_store_put(s, &i, err), PDR_USAGE, "outside");
    REFUSED(pdi_store_find(s, &i, NULL, err), PDR_USAGE, "outside");
    REFUSED(pdi_store_commit(s, err), PDR_USAGE, "no transaction");
    OK(pdi_store_begin(s, PDI_STORE_READ, err));
    REFUSED(pdi_store_begin(s, PDI_STORE_READ, err), PDR_USAGE, "under way");
    REFUSED(pdi_store_append(s, "", 0, NULL, err), PDR_USAGE, "outside a transaction that writes");
    REFUSED(pdi_store_check(s, NULL, err), PDR_USAGE, "under way");
    REFUSED(pdi_store_compact(s, err), PDR_USAGE, "idle");
    pdi_store_close(s);
    s = reopen(path, PDI_STORE_READ);
    REFUSED(pdi_store_begin(s, PDI_STORE_WRITE, err), PDR_USAGE, "reading only");
    pdi_store_close(s);
}

/* ---- transactions ------------------------------------------------------------------------------
 */

static void what_is_cancelled_never_was(void **state)
{
    uint64_t before, after;
    int done;
    const char *path = fresh("cancel");
    (void)state;
    OK(life_run(path, NULL, 0, LIFE_STEPS, &done, err));
    pdi_store *s = reopen(path, PDI_STORE_WRITE);
    OK(life_print(s, &before, err));
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_append(s, "x", 1, NULL, err));
    OK(pdi_store_snapshot(s, "three", 5, err));
    OK(pdi_store_clear(s, NULL, err));
    pdi_store_cancel(s);
    OK(life_print(s, &after, err));
    assert_true(before == after);
    pdi_store_close(s);
    OK(life_print_file(path, PDI_STORE_READ, NULL, &after, err));
    assert_true(before == after);
}

static void a_creation_that_was_not_committed_can_be_repeated(void **state)
{
    const char *path = fresh("creation");
    pdi_store *s = NULL;
    (void)state;
    OK(pdi_store_create(path, NULL, &s, err));
    pdi_store_close(s);
    REFUSED(pdi_store_open(path, PDI_STORE_READ, NULL, &s, err), PDR_INPUT, "empty");
    assert_null(s);
    s = make(path);
    pdi_store_close(s);
    REFUSED(pdi_store_create(path, NULL, &s, err), PDR_INPUT, "exists already");
    pdi_store_close(reopen(path, PDI_STORE_WRITE));
}

static void a_closed_store_is_one_plain_file(void **state)
{
    int done;
    const char *path = fresh("plain"), *suffixes[] = {"-wal", "-shm", "-journal", "-lock"};
    (void)state;
    OK(life_run(path, NULL, 0, LIFE_STEPS, &done, err));
    assert_int_equal(done, LIFE_STEPS);
    for (size_t k = 0; k < COUNT(suffixes); k++) {
        char beside[600];
        snprintf(beside, sizeof beside, "%s%s", path, suffixes[k]);
        assert_int_equal(access(beside, F_OK), -1);
    }
    assert_int_equal(number(path, "SELECT count(*) FROM pragma_journal_mode WHERE 1=1"), 1);
}

/* ---- snapshots and journal
 * ----------------------------------------------------------------------- */

static void a_snapshot_is_gone_back_to_bit_by_bit(void **state)
{
    float w[2] = {1, 2}, v[2] = {3, 4}, back[2];
    pdi_snapshot snap;
    (void)state;
    pdi_store *s = make(fresh("snapshots"));
    pdi_item i = item_of("w", PDR_SHAPE(2), w), j = item_of("w", PDR_SHAPE(2), v);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_put(s, &i, err));
    pdi_sum sum = pdi_store_state_sum(s);
    OK(pdi_store_snapshot(s, "before", 11, err));
    REFUSED(pdi_store_forget(s, "after", err), PDR_INPUT, "there is no snapshot 'after'");
    pdi_store_cancel(s);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_put(s, &i, err));
    OK(pdi_store_snapshot(s, "before", 11, err));
    OK(pdi_store_put(s, &j, err));
    OK(pdi_store_put_number(s, "more", "n", 1, err));
    OK(pdi_store_commit(s, err));

    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_get(s, &j, back, err));
    assert_memory_equal(back, v, sizeof v);
    OK(pdi_store_view(s, "before", err));
    OK(pdi_store_get(s, &i, back, err));
    assert_memory_equal(back, w, sizeof w);
    REFUSED(pdi_store_put(s, &i, err), PDR_USAGE, "while a snapshot is viewed");
    OK(pdi_store_view(s, NULL, err));
    OK(pdi_store_rollback(s, "before", err));
    assert_true(pdi_sum_equal(pdi_store_state_sum(s), sum));
    OK(pdi_store_get(s, &i, back, err));
    assert_memory_equal(back, w, sizeof w);
    OK(pdi_store_commit(s, err));
    assert_true(pdi_store_snapshot_at(s, 0, &snap) && !pdi_store_snapshot_at(s, 1, &snap));
    assert_string_equal(snap.name, "before");
    assert_true(snap.made == 11 && pdi_sum_equal(snap.sum, sum));
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    REFUSED(pdi_store_snapshot(s, "before", 1, err), PDR_INPUT, "already");
    pdi_store_close(s);
}

static pdr_rc list_entry(void *ctx, const pdi_entry *e, pdr_error *err)
{
    char *text = ctx;
    (void)err;
    snprintf(text + strlen(text), 400 - strlen(text), "%d:%.*s ", (int)e->seq, (int)e->n,
             (const char *)e->bytes);
    return PDR_OK;
}

static void entries_are_numbered_kept_and_trimmed(void **state)
{
    char all[400] = "", late[400] = "", after[400] = "", none[400] = "";
    int64_t seq = 0;
    (void)state;
    const char *path = fresh("journal");
    pdi_store *s = make(path);
    for (int k = 0; k < 6; k++) {
        char text[2] = {(char)('a' + k), 0};
        OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
        OK(pdi_store_append(s, text, 1, &seq, err));
        assert_int_equal(seq, k + 1);
        OK(pdi_store_commit(s, err));
    }
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_read(s, 0, list_entry, all, err));
    assert_string_equal(all, "1:a 2:b 3:c 4:d 5:e 6:f ");
    OK(pdi_store_read(s, 5, list_entry, late, err));
    assert_string_equal(late, "5:e 6:f ");
    OK(pdi_store_trim(s, 4, err));
    assert_int_equal(pdi_store_journal(s).bytes, 3);
    OK(pdi_store_commit(s, err));
    pdi_store_close(s);

    s = reopen(path, PDI_STORE_WRITE);
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_read(s, 0, list_entry, after, err));
    assert_string_equal(after, "4:d 5:e 6:f ");
    REFUSED(pdi_store_trim(s, 8, err), PDR_USAGE, "cannot be trimmed");
    OK(pdi_store_trim(s, 7, err));
    OK(pdi_store_read(s, 0, list_entry, none, err));
    assert_string_equal(none, "");
    OK(pdi_store_append(s, "g", 1, &seq, err));
    assert_int_equal(seq, 7);
    pdi_journal j = pdi_store_journal(s);
    assert_true(j.first == 7 && j.next == 8 && j.bytes == 1);
    OK(pdi_store_commit(s, err));
    pdi_store_close(s);
}

/* ---- several at once
 * ----------------------------------------------------------------------------- */

static void a_second_writer_is_told_who_the_first_is(void **state)
{
    char pid[32];
    pdi_store *second = NULL;
    const char *path = fresh("held");
    (void)state;
    pdi_store *s = make(path);
    snprintf(pid, sizeof pid, "process %ld on ", (long)getpid());
    REFUSED(pdi_store_open(path, PDI_STORE_WRITE, NULL, &second, err), PDR_IO, pid);
    REFUSED(pdi_store_create(path, NULL, &second, err), PDR_IO, pid);
    assert_null(second);
    pdi_store_close(s);
    pdi_store_close(reopen(path, PDI_STORE_WRITE));
}

static void a_lock_ends_with_its_process(void **state)
{
    const char *path = fresh("orphan");
    int status;
    (void)state;
    pdi_store_close(make(path));
    pid_t child = fork();
    if (child == 0) {
        pdi_store *s = NULL;
        pdr_error err = PDR_NO_ERROR;
        _exit(pdi_store_open(path, PDI_STORE_WRITE, NULL, &s, &err) != PDR_OK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char lock[600];
    snprintf(lock, sizeof lock, "%s-lock", path);
    assert_int_equal(access(lock, F_OK), 0); /* it died without removing it */
    pdi_store_close(reopen(path, PDI_STORE_WRITE));
    assert_int_equal(access(lock, F_OK), -1);
}

static void readers_see_whole_transactions_beside_a_writer(void **state)
{
    int64_t n = 0;
    const char *path = fresh("readers");
    (void)state;
    pdi_store *w = make(path), *r = reopen(path, PDI_STORE_READ), *q = reopen(path, PDI_STORE_READ);
    OK(pdi_store_begin(w, PDI_STORE_WRITE, err));
    OK(pdi_store_put_number(w, "c", "n", 1, err));
    OK(pdi_store_commit(w, err));
    OK(pdi_store_begin(r, PDI_STORE_READ, err));
    OK(pdi_store_get_number(r, "c", "n", &n, NULL, err));
    assert_int_equal(n, 1);
    OK(pdi_store_begin(w, PDI_STORE_WRITE, err));
    OK(pdi_store_put_number(w, "c", "n", 2, err));
    OK(pdi_store_begin(q, PDI_STORE_READ, err));
    OK(pdi_store_get_number(q, "c", "n", &n, NULL, err));
    assert_int_equal(n, 1); /* not committed */
    OK(pdi_store_commit(w, err));
    OK(pdi_store_get_number(r, "c", "n", &n, NULL, err));
    assert_int_equal(n, 1); /* began before */
    OK(pdi_store_commit(r, err));
    OK(pdi_store_begin(r, PDI_STORE_READ, err));
    OK(pdi_store_get_number(r, "c", "n", &n, NULL, err));
    assert_int_equal(n, 2);
    pdi_store_close(r);
    pdi_store_close(w);
    pdi_store_close(q);
    pdi_store_close(reopen(path, PDI_STORE_WRITE));
}

/* ---- refused files
 * --------------------------------------------------------------------------------- */

static void a_file_of_another_kind_is_refused_and_left_alone(void **state)
{
    static const char csv[] = "a,b,c\n1,2,3\n";
    char back[sizeof csv] = "";
    pdi_store *s = NULL;
    (void)state;
    for (pdi_store_mode mode = PDI_STORE_READ; mode <= PDI_STORE_WRITE; mode++) {
        REFUSED(pdi_store_open(fresh("absent"), mode, NULL, &s, err), PDR_IO, "cannot be opened");
        REFUSED(pdi_store_open(t_folder, mode, NULL, &s, err), PDR_IO, "cannot be opened");
        REFUSED(pdi_store_open(t_write("zero", "", 0), mode, NULL, &s, err), PDR_INPUT, "empty");
        const char *path = t_write_text("text", csv);
        REFUSED(pdi_store_open(path, mode, NULL, &s, err), PDR_INPUT, "not a learner file");
        REFUSED(pdi_store_create(path, NULL, &s, err), PDR_INPUT, "exists already");
        FILE *f = fopen(path, "rb");
        assert_int_equal(fread(back, 1, sizeof back, f), sizeof csv - 1);
        fclose(f);
        assert_memory_equal(back, csv, sizeof csv - 1);
        path = fresh("database");
        sql(path, "CREATE TABLE t(x)", NULL);
        REFUSED(pdi_store_open(path, mode, NULL, &s, err), PDR_INPUT, "but not a learner file");
        REFUSED(pdi_store_create(path, NULL, &s, err), PDR_INPUT, "exists already");
        assert_int_equal(number(path, "SELECT count(*) FROM t"), 0);
    }
    REFUSED(pdi_store_create("/nowhere/at/all", NULL, &s, err), PDR_IO, "cannot be opened");
}

/* What a user could do with the sqlite3 program. */
static void rows_changed_by_hand_are_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } hands[] = {
        {"UPDATE value SET value = 5 WHERE name = 'steps' AND state = 0", "row of the state"},
        {"DELETE FROM value WHERE name = 'steps'", "row of the state"},
        {"UPDATE item SET shape = '[4,3]' WHERE name = '0.weight'", "row of the state"},
        {"UPDATE item SET shape = '[3,04]' WHERE name = '0.weight'", "row of the state"},
        {"UPDATE item SET shape = '[3,4'", "row of the state"},
        {"UPDATE item SET type = 'i32' WHERE name = '0.weight'", "row of the state"},
        {"UPDATE item SET type = 'f16'", "row of the state"},
        {"UPDATE item SET name = 'weight' WHERE name = '0.weight'", "row of the state"},
        {"UPDATE item SET content = 999", "row of the state"},
        {"UPDATE content SET size = size + 4", "row of the state"},
        {"UPDATE state SET made = 1 WHERE name = 'one'", "list of states"},
        {"DELETE FROM state WHERE name = 'one'", "list of states"},
        {"DELETE FROM state", "list of states"},
        {"UPDATE root SET journal_next = journal_next + 1", "root is not"},
        {"DELETE FROM root", "root is not"},
        {"PRAGMA user_version = 2", "has format 2"},
        {"PRAGMA user_version = 0", "format number"},
        {"PRAGMA application_id = 7", "application_id is 7"},
        {"DROP INDEX piece_sum", "tables are not those"},
        {"CREATE TABLE more(x)", "tables are not those"},
        {"CREATE TRIGGER t AFTER INSERT ON journal BEGIN DELETE FROM item; END",
         "tables are not those"},
        {"ALTER TABLE journal ADD COLUMN x INTEGER", "tables are not those"},
    };
    int done;
    disk d;
    pdi_store *s = NULL;
    (void)state;
    disk_start(&d);
    for (size_t k = 0; k < COUNT(hands); k++) {
        disk_put(&d, "/a", NULL, 0);
        OK(life_run("/a", &on_disk, 0, LIFE_STEPS, &done, err));
        sql("/a", hands[k].text, "disk");
        REFUSED(pdi_store_open("/a", PDI_STORE_WRITE, &on_disk, &s, err), PDR_INPUT,
                hands[k].words);
        REFUSED(pdi_store_open("/a", PDI_STORE_READ, &on_disk, &s, err), PDR_INPUT, hands[k].words);
        assert_null(s);
    }
    disk_stop(&d);
}

/* These are met by whoever reads what they are about, and by the check. */
static void bytes_changed_by_hand_are_not_handed_out(void **state)
{
    static const char *const hands[] = {
        "UPDATE piece SET bytes = zeroblob(length(bytes))",
        "UPDATE piece SET bytes = substr(bytes, 2)",
        "DELETE FROM piece",
        "DELETE FROM part WHERE place = 1",
        "UPDATE part SET place = place + 5 WHERE place = 1",
        "UPDATE part SET piece = (SELECT min(piece) FROM part)",
        "INSERT INTO part SELECT content, 2, piece FROM part WHERE place = 1",
        "UPDATE value SET value = 5 WHERE state != 0",
        "DELETE FROM item WHERE state != 0 AND name = 'large'",
        "UPDATE journal SET bytes = x'00'",
        "UPDATE journal SET seq = seq + 100 WHERE seq = (SELECT max(seq) FROM journal)",
        "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)",
        "DELETE FROM journal WHERE seq = (SELECT min(seq) FROM journal)",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT max(seq) + 1, sum, bytes FROM journal",
    };
    int done;
    disk d;
    uint64_t print;
    pdi_store *s = NULL;
    (void)state;
    disk_start(&d);
    for (size_t k = 0; k < COUNT(hands); k++) {
        disk_put(&d, "/a", NULL, 0);
        OK(life_run("/a", &on_disk, 0, LIFE_STEPS, &done, err));
        OK(pdi_store_open("/a", PDI_STORE_WRITE, &on_disk, &s, err));
        OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
        for (int i = 0; i < 3; i++) OK(pdi_store_append(s, "entry", 5, NULL, err));
        OK(pdi_store_commit(s, err));
        pdi_store_close(s);
        sql("/a", hands[k], "disk");
        OK(pdi_store_open("/a", PDI_STORE_READ, &on_disk, &s, err));
        REFUSED(life_print(s, &print, err), PDR_INPUT, "damaged");
        REFUSED(pdi_store_check(s, NULL, err), PDR_INPUT, "damaged");
        pdi_store_close(s);
    }
    disk_stop(&d);
}

static void the_check_counts_what_is_there(void **state)
{
    int done;
    pdi_store_health h;
    const char *path = fresh("health");
    (void)state;
    OK(life_run(path, NULL, 0, LIFE_STEPS, &done, err));
    pdi_store *s = reopen(path, PDI_STORE_READ);
    OK(pdi_store_check(s, &h, err));
    assert_int_equal(h.states, 2);
    assert_int_equal(h.items, 8);
    assert_int_equal(h.values, 4);
    assert_int_equal(h.entries, 0);
    assert_int_equal(h.unused, 0);
    assert_int_equal(h.bytes, 2 * (12 * 4 + 4 * 4 + 68000));
    assert_true(pdi_store_bytes(s) > 68000 + 2500);
    pdi_store_close(s);
    struct stat st;
    s = reopen(path, PDI_STORE_READ);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(pdi_store_bytes(s), st.st_size);
    pdi_store_close(s);
}

static void compaction_gives_space_back_and_changes_nothing(void **state)
{
    enum { N = 1 << 20 };
    static uint8_t x[N];
    uint64_t before, after;
    const char *path = fresh("compact");
    (void)state;
    for (int i = 0; i < N; i++) x[i] = (uint8_t)((uint32_t)i * 2654435761u >> 13);
    pdi_store *s = make(path);
    pdi_item i = {"m", "x", PDI_U8, PDR_SHAPE(N), x};
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_put(s, &i, err));
    OK(pdi_store_commit(s, err));
    OK(pdi_store_begin(s, PDI_STORE_WRITE, err));
    OK(pdi_store_clear(s, "m", err));
    OK(pdi_store_put_number(s, "m", "n", 3, err));
    OK(pdi_store_commit(s, err));
    OK(life_print(s, &before, err));
    int64_t bytes = pdi_store_bytes(s);
    OK(pdi_store_compact(s, err));
    assert_true(bytes > 200000 && pdi_store_bytes(s) < 100000);
    OK(life_print(s, &after, err));
    assert_true(before == after);
    pdi_store_close(s);
    OK(life_print_file(path, PDI_STORE_READ, NULL, &after, err));
    assert_true(before == after);
}

/* ---- memory
 * ---------------------------------------------------------------------------------------- */

static disk torture_disk;

static pdr_rc whole_life(const pdr_alloc *alloc, pdr_error *err)
{
    pdi_store_options how = {.alloc = alloc, .vfs = "disk"};
    int done;
    uint64_t print;
    disk_put(&torture_disk, "/a", NULL, 0);
    pdr_rc rc = life_run("/a", &how, 0, LIFE_STEPS, &done, err);
    return rc ? rc : life_print_file("/a", PDI_STORE_READ, &how, &print, err);
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    disk_start(&torture_disk);
    assert_true(t_torture(whole_life) > 20);
    disk_stop(&torture_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),
        cmocka_unit_test(every_type_and_length_comes_back),
        cmocka_unit_test(items_are_listed_in_the_order_of_their_bytes),
        cmocka_unit_test(an_item_is_replaced_and_a_section_cleared),
        cmocka_unit_test(equal_states_have_equal_sums),
        cmocka_unit_test(what_did_not_change_is_stored_once),
        cmocka_unit_test(a_wrong_name_shape_or_kind_is_refused),
        cmocka_unit_test(calls_out_of_turn_are_refused),
        cmocka_unit_test(what_is_cancelled_never_was),
        cmocka_unit_test(a_creation_that_was_not_committed_can_be_repeated),
        cmocka_unit_test(a_closed_store_is_one_plain_file),
        cmocka_unit_test(a_snapshot_is_gone_back_to_bit_by_bit),
        cmocka_unit_test(entries_are_numbered_kept_and_trimmed),
        cmocka_unit_test(a_second_writer_is_told_who_the_first_is),
        cmocka_unit_test(a_lock_ends_with_its_process),
        cmocka_unit_test(readers_see_whole_transactions_beside_a_writer),
        cmocka_unit_test(a_file_of_another_kind_is_refused_and_left_alone),
        cmocka_unit_test(rows_changed_by_hand_are_refused),
        cmocka_unit_test(bytes_changed_by_hand_are_not_handed_out),
        cmocka_unit_test(the_check_counts_what_is_there),
        cmocka_unit_test(compaction_gives_space_back_and_changes_nothing),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, t_make_folder, t_remove_folder);
}
