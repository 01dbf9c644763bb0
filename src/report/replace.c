/* report/replace.c -- a file that appears whole or not at all. */
#include "report/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { REPLACE_TRIES = 100 }; /* names left over from killed writers, or other writers' */

static const char *replace_remedy(int cause)
{
    switch (cause) {
    case ENOENT: return "make that folder first, or name another";
    case ENOTDIR: return "a part of the path is a file; name a folder";
    case EISDIR: return "that is a folder; name a file";
    case EACCES:
    case EPERM:
    case EROFS: return "name a folder that you may write to";
    case ENAMETOOLONG: return "give it a shorter name";
    case ENOSPC:
    case EDQUOT: return "free some space, or name a folder on another disk";
    default: return "name another place";
    }
}

static pdr_rc replace_fail(pdr_rc rc, const char *path, int cause, pdr_error *err)
{
    return pdi_fail(err, rc, "%s: cannot write: %s; %s", path, strerror(cause),
                    replace_remedy(cause));
}

/* A new file beside path, its name in temp; -1 and errno when there can be none. */
static int replace_open(const char *path, char *temp, size_t size)
{
    int fd = -1;
    errno = EEXIST;
    for (int k = 0; fd < 0 && errno == EEXIST && k < REPLACE_TRIES; k++) {
        snprintf(temp, size, "%s.%ld-%d.new", path, (long)getpid(), k);
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return fd;
}

static bool replace_fill(int fd, const pdi_text *text)
{
    size_t done = 0;
    while (done < text->n) {
        ssize_t n = write(fd, text->s + done, text->n - done);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) done += (size_t)n;
    }
    return true;
}

/* A pipe or a device (/dev/stdout) is written to: nothing may take its name. */
static pdr_rc replace_nothing(const char *path, const pdi_text *text, pdr_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return replace_fail(PDR_INPUT, path, errno, err);
    bool ok = replace_fill(fd, text);
    int cause = errno;
    if (close(fd) && ok) {
        ok = false;
        cause = errno;
    }
    return ok ? PDR_OK : replace_fail(PDR_IO, path, cause, err);
}

/* Flush the new name itself.  The file is whole in any case, and some file systems
 * refuse to flush a folder, so a failure here is not one of the caller's. */
static void replace_flush_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash) slash[slash == path] = 0;
    int fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

pdr_rc pdi_file_replace(const pdr_alloc *alloc, const char *path, const pdi_text *text,
                        pdr_error *err)
{
    struct stat old;
    bool is_there = !stat(path, &old), is_folder = is_there && S_ISDIR(old.st_mode);
    if (is_there && !is_folder && !S_ISREG(old.st_mode)) return replace_nothing(path, text, err);
    size_t size = strlen(path) + 48;
    char *temp = pdi_new(alloc, size, 1);
    if (!temp) return pdi_nomem(err);
    pdr_rc rc = PDR_OK;
    int fd = is_folder ? -1 : replace_open(path, temp, size);
    if (fd < 0) {
        rc = replace_fail(PDR_INPUT, path, is_folder ? EISDIR : errno, err);
        goto done;
    }
    bool ok = replace_fill(fd, text) && !fsync(fd);
    int cause = errno;
    if (close(fd) && ok) {
        ok = false;
        cause = errno;
    }
    if (ok && rename(temp, path)) {
        ok = false;
        cause = errno;
    }
    if (ok) {
        replace_flush_folder(temp);
    } else {
        (void)unlink(temp);
        rc = replace_fail(PDR_IO, path, cause, err);
    }
done:
    pdi_free(alloc, temp);
    return rc;
}
