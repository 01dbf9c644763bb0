/* t_data.h -- what the tests of data sets and scenarios share: files, and memory that fails. */
#ifndef T_DATA_H
#define T_DATA_H

#include <perdure/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "t.h"

/* ---- a folder of one's own, below the current one ---- */

static char t_folder[256];

/* t_folder/name.  Valid until the fourth call after. */
static inline const char *t_path(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", t_folder, name);
    return path[turn];
}

static inline int t_make_folder(void **state)
{
    char here[200];
    (void)state;
    if (!getcwd(here, sizeof here)) return -1;
    snprintf(t_folder, sizeof t_folder, "%s/data-XXXXXX", here);
    return mkdtemp(t_folder) ? 0 : -1;
}

static inline int t_remove_folder(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", t_folder);
    return system(command);
}

static inline const char *t_write(const char *name, const void *bytes, size_t n)
{
    const char *path = t_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *t_write_text(const char *name, const char *text)
{
    return t_write(name, text, strlen(text));
}

static inline const char *t_write_gz(const char *name, const void *bytes, size_t n)
{
    const char *path = t_path(name);
    gzFile f = gzopen(path, "wb9");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bytes, (unsigned)n), (int)n);
    assert_int_equal(gzclose(f), Z_OK);
    return path;
}

/* ---- memory that fails and counts ---- */

typedef struct t_memory {
    long left;        /* calls that will be served; negative: all */
    long blocks;      /* not freed yet */
    size_t now, peak; /* bytes */
} t_memory;

/* Every block carries its size in front. */
static inline void *t_memory_fn(void *ctx, void *old, size_t size)
{
    t_memory *m = ctx;
    size_t *block = old ? (size_t *)old - 2 : NULL, was = block ? *block : 0;
    if (size == 0) {
        m->blocks -= block != NULL;
        m->now -= was;
        free(block);
        return NULL;
    }
    if (m->left == 0) return NULL;
    if (m->left > 0) m->left--;
    size_t *more = realloc(block, size + 2 * sizeof *block);
    assert_non_null(more);
    *more = size;
    m->blocks += block == NULL;
    m->now += size - was;
    if (m->now > m->peak) m->peak = m->now;
    return more + 2;
}

/* Run what with memory that fails at call 0, 1, 2, ... until it succeeds.  Each
 * failure must be PDR_NOMEM and leak nothing.  Returns the number of failures. */
static inline long t_torture(pdr_rc (*what)(const pdr_alloc *alloc, pdr_error *err))
{
    for (long n = 0;; n++) {
        t_memory memory = {.left = n};
        pdr_alloc alloc = {t_memory_fn, &memory};
        pdr_error err = PDR_NO_ERROR;
        pdr_rc rc = what(&alloc, &err);
        assert_int_equal(memory.blocks, 0);
        if (!rc) return n;
        assert_int_equal(rc, PDR_NOMEM);
        assert_int_equal(err.rc, PDR_NOMEM);
        assert_true(n < 10000);
    }
}

/* ---- expectations ---- */

/* Default options with the column of the answer. */
static inline pdr_data_options t_columns(const char *label, const char *target)
{
    pdr_data_options o;
    pdr_option_defaults(pdr_data_option_table, &o);
    o.label = label;
    o.target = target;
    return o;
}

static inline void t_floats(const pdr_dataset *d, size_t n, const float want[])
{
    assert_int_equal(d->examples * (size_t)pdr_shape_size(&d->shape), n);
    for (size_t i = 0; i < n; i++) assert_true(((const float *)d->x)[i] == want[i]);
}

static inline void t_one_line(const pdr_error *err)
{
    assert_true(err->text[0]);
    assert_null(strpbrk(err->text, "\n\r"));
}

#endif
