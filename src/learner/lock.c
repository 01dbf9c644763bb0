/* learner/lock.c -- one writer at a time, who it is, and how far it got. */
#include "learner/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { LOCK_WHO = 400, LOCK_COUNT = 20 };

/* "process 4711 on host since 2026-01-31 12:00:00 UTC", after the line of the count. */
static void lock_sign(int fd)
{
    char host[200] = "?", since[32] = "?", who[LOCK_WHO];
    struct tm tm;
    time_t now = time(NULL);
    if (gethostname(host, sizeof host)) host[0] = '?';
    host[sizeof host - 1] = 0;
    if (gmtime_r(&now, &tm)) strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &tm);
    int n = snprintf(who, sizeof who, "process %ld on %s since %s\n", (long)getpid(), host, since);
    /* A lock without its line still locks. */
    if (pwrite(fd, who, (size_t)n, LOCK_COUNT + 1) == n && ftruncate(fd, LOCK_COUNT + 1 + n))
        return;
}

static int64_t lock_count(int fd)
{
    char text[LOCK_COUNT + 1];
    ssize_t n = pread(fd, text, LOCK_COUNT, 0);
    text[n > 0 ? n : 0] = 0;
    return strtoll(text, NULL, 10);
}

static pdr_rc lock_held(int fd, const char *file, pdr_error *err)
{
    char who[LOCK_WHO];
    ssize_t n = pread(fd, who, sizeof who - 1, LOCK_COUNT + 1);
    who[n > 0 ? n : 0] = 0;
    who[strcspn(who, "\n")] = 0;
    return pdi_fail(err, PDR_IO,
                    "%s: %s has it open for writing; wait until it ends, or open it for reading",
                    file, *who ? who : "another process");
}

/* Whether the locked file still has its name: its last holder may have removed it. */
static bool lock_is_current(const pdi_lock *l)
{
    struct stat here, there;
    return !fstat(l->fd, &here) && !stat(l->path, &there) && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

static pdr_rc lock_try(pdi_lock *l, const char *file, bool *taken, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    *taken = false;
    l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (l->fd < 0)
        return pdi_fail(err, PDR_IO, "%s: cannot be opened for writing: %s: %s", file, l->path,
                        strerror(errno));
    if (!flock(l->fd, LOCK_EX | LOCK_NB))
        *taken = lock_is_current(l);
    else if (errno == EWOULDBLOCK)
        rc = lock_held(l->fd, file, err);
    else
        rc = pdi_fail(err, PDR_IO, "%s: cannot be locked: %s; put it on a disk that has locks",
                      file, strerror(errno));
    if (!*taken) close(l->fd);
    return rc;
}

static char *lock_path(const pdr_alloc *alloc, const char *file)
{
    pdi_text path = {.alloc = alloc};
    pdi_text_add(&path, "%s-lock", file);
    return pdi_text_take(&path);
}

pdr_rc pdi_lock_take(pdi_lock *l, const pdr_alloc *alloc, const char *file, int64_t *commits,
                     pdr_error *err)
{
    bool taken = false;
    pdr_rc rc = PDR_OK;
    l->alloc = alloc;
    l->path = lock_path(alloc, file);
    if (!l->path) return pdi_nomem(err);
    while (!rc && !taken) rc = lock_try(l, file, &taken, err);
    if (taken) {
        *commits = lock_count(l->fd);
        lock_sign(l->fd);
        return PDR_OK;
    }
    pdi_free(alloc, l->path);
    l->path = NULL;
    return rc;
}

pdr_rc pdi_lock_look(const pdr_alloc *alloc, const char *file, int64_t *commits, pdr_error *err)
{
    char *path = lock_path(alloc, file);
    if (!path) return pdi_nomem(err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *commits = fd < 0 ? 0 : lock_count(fd);
    if (fd >= 0) close(fd);
    pdi_free(alloc, path);
    return PDR_OK;
}

/* Not flushed: after the loss of power an older count, or none, serves as well. */
void pdi_lock_note(const pdi_lock *l, int64_t commits)
{
    char text[LOCK_COUNT + 2];
    if (!l->path) return;
    snprintf(text, sizeof text, "%0*lld\n", LOCK_COUNT, (long long)commits);
    if (pwrite(l->fd, text, LOCK_COUNT + 1, 0) < 0) return;
}

/* Removed while it is still locked, so that nobody's lock is removed. */
void pdi_lock_free(pdi_lock *l, bool keep)
{
    if (!l->path) return;
    if (!keep) unlink(l->path);
    close(l->fd);
    pdi_free(l->alloc, l->path);
    l->path = NULL;
}
