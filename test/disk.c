/* disk.c -- a disk in memory for SQLite, on which anything can go wrong. */
#include "disk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { DISK_SECTOR = 512 };

typedef struct disk_handle {
    sqlite3_file base;
    disk *d;
    disk_file *f;
    bool flushes_folder; /* with its next flush */
    bool removed;        /* when closed */
} disk_handle;

/* ---- faults --------------------------------------------------------------------------- */

static bool disk_strikes(disk *d, size_t count)
{
    return d->at && (count == d->at || (d->and_later && count > d->at));
}

/* Whether the change must fail.  DISK_FULL is the write's own affair. */
static bool disk_change(disk *d)
{
    d->changes++;
    if (d->is_off) return true;
    if (d->fault != DISK_FAIL && d->fault != DISK_SHORT && d->fault != DISK_POWER) return false;
    if (!disk_strikes(d, d->changes)) return false;
    if (d->fault == DISK_POWER) d->is_off = true;
    return true;
}

static bool disk_refuses(disk *d)
{
    d->opens++;
    return d->fault == DISK_OPEN && disk_strikes(d, d->opens);
}

/* ---- files ----------------------------------------------------------------------------- */

static disk_file *disk_find(disk *d, const char *name)
{
    for (int i = 0; i < DISK_FILES; i++)
        if (!strcmp(d->file[i].name, name)) return &d->file[i];
    return NULL;
}

static disk_file *disk_slot(disk *d, const char *name)
{
    disk_file *f = disk_find(d, name);
    if (f) return f;
    f = disk_find(d, "");
    if (!f || strlen(name) >= sizeof f->name) abort();
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

static void disk_resize(disk_file *f, size_t n)
{
    if (n > f->cap) {
        f->cap = n * 2;
        f->now = realloc(f->now, f->cap);
        if (!f->now) abort();
    }
    if (n > f->n) memset(f->now + f->n, 0, n - f->n);
    f->n = n;
}

static void disk_flush(disk_file *f)
{
    free(f->safe);
    f->safe = malloc(f->n + 1);
    if (!f->safe) abort();
    if (f->n) memcpy(f->safe, f->now, f->n);
    f->n_safe = f->n;
}

static void disk_drop_old(disk_file *f)
{
    free(f->old);
    f->old = NULL;
}

static void disk_flush_folder(disk *d)
{
    for (int i = 0; i < DISK_FILES; i++) {
        d->file[i].here_safe = d->file[i].here;
        disk_drop_old(&d->file[i]);
    }
}

/* The name is made: of another file than the one that was removed, if one was. */
static void disk_make(disk_file *f)
{
    if (f->here_safe && !f->old) {
        f->old = f->safe;
        f->n_old = f->n_safe;
        f->safe = NULL;
    }
    f->here = true;
    f->n = 0;
    disk_flush(f);
}

static void disk_forget_shared(disk_file *f)
{
    for (size_t i = 0; i < sizeof f->shared / sizeof f->shared[0]; i++) {
        free(f->shared[i]);
        f->shared[i] = NULL;
    }
}

uint8_t *disk_bytes(disk *d, const char *name, size_t *n)
{
    disk_file *f = disk_find(d, name);
    if (!f || !f->here) return NULL;
    *n = f->n;
    return f->now;
}

void disk_put(disk *d, const char *name, const void *bytes, size_t n)
{
    disk_file *f = disk_slot(d, name);
    disk_drop_old(f);
    f->n = 0;
    f->here = f->here_safe = bytes != NULL;
    disk_resize(f, n);
    if (n) memcpy(f->now, bytes, n);
    disk_flush(f);
}

/* ---- the power comes back ------------------------------------------------------------------ */

static bool disk_coin(uint64_t seed, size_t what) { return pdi_hash(seed, &what, sizeof what) & 1; }

static bool disk_kept(disk_loss loss, uint64_t seed, size_t what)
{
    return loss == DISK_KEPT || (loss == DISK_MIXED && disk_coin(seed, what));
}

static uint8_t disk_byte(const uint8_t *p, size_t n, size_t at) { return at < n ? p[at] : 0; }

static void disk_restart_file(disk_file *f, disk_loss loss, uint64_t seed)
{
    bool named = disk_kept(loss, seed, 2), is_old = f->old && !named;
    const uint8_t *safe = is_old ? f->old : f->safe;
    size_t n_safe = is_old ? f->n_old : f->n_safe;
    size_t n = !is_old && disk_kept(loss, seed, 1) ? f->n : n_safe;
    uint8_t *p = calloc(n + 1, 1);
    if (!p) abort();
    for (size_t at = 0; at < n; at++) {
        bool kept = !is_old && disk_kept(loss, seed, 16 + at / DISK_SECTOR);
        p[at] = kept ? disk_byte(f->now, f->n, at) : disk_byte(safe, n_safe, at);
    }
    f->here = f->here_safe = named ? f->here : f->here_safe;
    f->n = 0;
    disk_resize(f, n);
    if (n) memcpy(f->now, p, n);
    free(p);
    disk_flush(f);
    disk_drop_old(f);
}

void disk_restart(disk *d, disk_loss loss, uint64_t seed)
{
    for (int i = 0; i < DISK_FILES; i++) {
        disk_restart_file(&d->file[i], loss, seed + 1000 * (uint64_t)i);
        disk_forget_shared(&d->file[i]);
    }
    d->fault = DISK_NONE;
    d->at = d->changes = d->reads = d->opens = 0;
    d->and_later = d->is_off = false;
}

/* ---- what SQLite calls ----------------------------------------------------------------------- */

static disk_handle *disk_of(sqlite3_file *file) { return (disk_handle *)(void *)file; }

static int disk_close(sqlite3_file *file)
{
    disk_handle *h = disk_of(file);
    if (--h->f->users == 0) disk_forget_shared(h->f);
    if (h->removed) h->f->here = false;
    return SQLITE_OK;
}

static int disk_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    disk_handle *h = disk_of(file);
    size_t from = (size_t)at, want = (size_t)n;
    h->d->reads++;
    if (h->d->is_off) return SQLITE_IOERR_READ;
    if (h->d->fault == DISK_READ && disk_strikes(h->d, h->d->reads)) return SQLITE_IOERR_READ;
    size_t there = from < h->f->n ? h->f->n - from : 0;
    if (there > want) there = want;
    if (there) memcpy(to, h->f->now + from, there);
    memset((char *)to + there, 0, want - there);
    return there == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    disk_handle *h = disk_of(file);
    bool was_off = h->d->is_off, fails = disk_change(h->d);
    if (h->d->fault == DISK_FULL && disk_strikes(h->d, h->d->changes)) return SQLITE_FULL;
    if (fails && (was_off || h->d->fault == DISK_FAIL)) return SQLITE_IOERR_WRITE;
    size_t much = fails ? (size_t)n / 2 : (size_t)n, end = (size_t)at + much;
    if (end > h->f->n) disk_resize(h->f, end);
    memcpy(h->f->now + at, from, much);
    return fails ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 n)
{
    disk_handle *h = disk_of(file);
    if (disk_change(h->d)) return SQLITE_IOERR_TRUNCATE;
    disk_resize(h->f, (size_t)n);
    return SQLITE_OK;
}

static int disk_sync(sqlite3_file *file, int flags)
{
    disk_handle *h = disk_of(file);
    (void)flags;
    if (disk_change(h->d)) return SQLITE_IOERR_FSYNC;
    disk_flush(h->f);
    if (h->flushes_folder) disk_flush_folder(h->d);
    h->flushes_folder = false;
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *n)
{
    *n = (sqlite3_int64)disk_of(file)->f->n;
    return SQLITE_OK;
}

static int disk_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int disk_reserved(sqlite3_file *file, int *taken)
{
    (void)file;
    *taken = 0;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *file, int op, void *arg)
{
    (void)file, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int disk_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **p)
{
    disk_file *f = disk_of(file)->f;
    if (page >= (int)(sizeof f->shared / sizeof f->shared[0])) return SQLITE_IOERR_SHMMAP;
    if (disk_refuses(disk_of(file)->d)) return SQLITE_IOERR_SHMMAP;
    if (!f->shared[page] && extend) f->shared[page] = calloc((size_t)size, 1);
    *p = f->shared[page];
    return SQLITE_OK;
}

static int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    (void)file, (void)offset, (void)n, (void)flags;
    return SQLITE_OK;
}

static void disk_shm_barrier(sqlite3_file *file) { (void)file; }

static int disk_shm_unmap(sqlite3_file *file, int delete)
{
    if (delete) disk_forget_shared(disk_of(file)->f);
    return SQLITE_OK;
}

#define DISK_METHODS                                                                               \
    disk_close, disk_read, disk_write, disk_truncate, disk_sync, disk_size, disk_lock, disk_lock,  \
        disk_reserved, disk_control, disk_sector, disk_traits

static const sqlite3_io_methods disk_plain = {1, DISK_METHODS, NULL, NULL, NULL, NULL, NULL, NULL};
static const sqlite3_io_methods disk_shared = {
    2, DISK_METHODS, disk_shm_map, disk_shm_lock, disk_shm_barrier, disk_shm_unmap, NULL, NULL};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    disk *d = vfs->pAppData;
    disk_handle *h = disk_of(file);
    disk_file *f = name ? disk_find(d, name) : NULL;
    bool makes = !f || !f->here;
    *h = (disk_handle){0};
    if (makes && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    if (d->is_off || disk_refuses(d) || (makes && disk_change(d))) return SQLITE_CANTOPEN;
    if (!f) f = disk_slot(d, name ? name : "temporary");
    if (makes) disk_make(f);
    h->d = d;
    h->f = f;
    h->flushes_folder = makes && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL));
    h->removed = !name || (flags & SQLITE_OPEN_DELETEONCLOSE);
    h->base.pMethods = d->no_log ? &disk_plain : &disk_shared;
    f->users++;
    if (out) *out = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int flush)
{
    disk *d = vfs->pAppData;
    disk_file *f = disk_find(d, name);
    if (!f || !f->here) return SQLITE_IOERR_DELETE_NOENT;
    if (disk_change(d)) return SQLITE_IOERR_DELETE;
    f->here = false;
    if (flush) disk_flush_folder(d);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *yes)
{
    disk *d = vfs->pAppData;
    disk_file *f = disk_find(d, name);
    (void)flags;
    if (d->is_off) return SQLITE_IOERR_ACCESS;
    *yes = f && f->here && (flags != SQLITE_ACCESS_EXISTS || f->n > 0);
    return SQLITE_OK;
}

static int disk_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)n, "%s", name);
    return SQLITE_OK;
}

static int disk_random(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    memset(out, 7, (size_t)n);
    return n;
}

static int disk_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int disk_time(sqlite3_vfs *vfs, double *day)
{
    (void)vfs;
    *day = 2461000;
    return SQLITE_OK;
}

static int disk_last(sqlite3_vfs *vfs, int n, char *text)
{
    (void)vfs, (void)n, (void)text;
    return 0;
}

static sqlite3_vfs disk_vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(disk_handle),
    .mxPathname = 60,
    .zName = "disk",
    .xOpen = disk_open,
    .xDelete = disk_delete,
    .xAccess = disk_access,
    .xFullPathname = disk_path,
    .xRandomness = disk_random,
    .xSleep = disk_sleep,
    .xCurrentTime = disk_time,
    .xGetLastError = disk_last,
};

void disk_start(disk *d)
{
    *d = (disk){0};
    disk_vfs.pAppData = d;
    if (sqlite3_vfs_register(&disk_vfs, 0)) abort();
}

void disk_stop(disk *d)
{
    sqlite3_vfs_unregister(&disk_vfs);
    for (int i = 0; i < DISK_FILES; i++) {
        disk_forget_shared(&d->file[i]);
        free(d->file[i].now);
        free(d->file[i].safe);
        free(d->file[i].old);
    }
}
