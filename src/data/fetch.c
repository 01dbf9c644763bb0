/* data/fetch.c -- one file from the network, whole and right or not at all. */
#include "data/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

typedef struct fetch_job {
    const pdi_download *d;
    pdr_progress_fn progress;
    void *ctx;
    const char *file; /* d->path without folders */
    char *part;       /* the temporary name; NULL when there is no such file */
    FILE *out;
    uint64_t done;
    SHA2_CTX sum;
    bool stopped;    /* by progress */
    int write_errno; /* why the disk refused */
    char why[CURL_ERROR_SIZE];
} fetch_job;

static pdr_rc fetch_refused(const fetch_job *j, pdr_error *err, const char *path, int error)
{
    return pdi_fail(err, PDR_IO, "%s: cannot be written: %s; %s", path, strerror(error),
                    j->d->remedy);
}

/* Make every folder above path.  path is changed for the while. */
static bool fetch_folders(char *path)
{
    for (char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
        *s = 0;
        bool made = !mkdir(path, 0777) || errno == EEXIST;
        *s = '/';
        if (!made) return false;
    }
    return true;
}

static pdr_rc fetch_create(fetch_job *j, const pdr_alloc *alloc, pdr_error *err)
{
    pdi_text t = {.alloc = alloc};
    pdi_text_add(&t, "%.*s.%s.XXXXXX", (int)(j->file - j->d->path), j->d->path, j->file);
    char *part = pdi_text_take(&t);
    if (!part) return pdi_nomem(err);
    int fd = fetch_folders(part) ? mkstemp(part) : -1;
    if (fd < 0) {
        pdr_rc rc = fetch_refused(j, err, j->d->path, errno);
        pdi_free(alloc, part);
        return rc;
    }
    j->part = part;
    j->out = fchmod(fd, 0644) ? NULL : fdopen(fd, "wb");
    if (j->out) return PDR_OK;
    pdr_rc rc = fetch_refused(j, err, j->d->path, errno);
    close(fd);
    return rc;
}

/* Returning less than it was given makes libcurl stop. */
static size_t fetch_write(char *bytes, size_t one, size_t n, void *job)
{
    fetch_job *j = job;
    (void)one; /* always 1 */
    j->done += n;
    if (j->done > j->d->size) return 0;
    SHA256Update(&j->sum, (const uint8_t *)bytes, n);
    size_t written = fwrite(bytes, 1, n, j->out);
    if (written < n) j->write_errno = errno;
    return written;
}

static int fetch_progress(void *job, curl_off_t total, curl_off_t now, curl_off_t up_total,
                          curl_off_t up)
{
    fetch_job *j = job;
    (void)total, (void)now, (void)up_total, (void)up;
    uint64_t done = j->done < j->d->size ? j->done : j->d->size;
    if (j->progress && !j->progress(j->ctx, j->file, done, j->d->size)) j->stopped = true;
    return j->stopped;
}

static CURLcode fetch_options(CURL *c, fetch_job *j)
{
    CURLcode bad = CURLE_OK;
#define SET(option, value) bad = bad ? bad : curl_easy_setopt(c, option, value)
    SET(CURLOPT_URL, j->d->url);
    SET(CURLOPT_PROTOCOLS_STR, j->d->protocols);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, j->d->protocols);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 10L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, 30L);
    SET(CURLOPT_LOW_SPEED_LIMIT, 100L); /* bytes a second ... */
    SET(CURLOPT_LOW_SPEED_TIME, 60L);   /* ... for so many seconds */
    SET(CURLOPT_USERAGENT, "perdure");
    SET(CURLOPT_ERRORBUFFER, j->why);
    SET(CURLOPT_WRITEFUNCTION, fetch_write);
    SET(CURLOPT_WRITEDATA, j);
    SET(CURLOPT_XFERINFOFUNCTION, fetch_progress);
    SET(CURLOPT_XFERINFODATA, j);
    SET(CURLOPT_NOPROGRESS, 0L);
#undef SET
    return bad;
}

static pdr_rc fetch_transfer(fetch_job *j, pdr_error *err)
{
    CURL *c = curl_easy_init();
    if (!c) return pdi_nomem(err);
    CURLcode bad = fetch_options(c, j);
    SHA256Init(&j->sum);
    if (!bad) bad = curl_easy_perform(c);
    curl_easy_cleanup(c);
    if (j->stopped) return pdi_fail(err, PDR_STOPPED, "%s: the download was stopped", j->file);
    if (j->write_errno) return fetch_refused(j, err, j->d->path, j->write_errno);
    if (bad && j->done <= j->d->size)
        return pdi_fail(err, bad == CURLE_OUT_OF_MEMORY ? PDR_NOMEM : PDR_IO, "%s: %s; %s",
                        j->d->url, j->why[0] ? j->why : curl_easy_strerror(bad), j->d->remedy);
    return PDR_OK;
}

static pdr_rc fetch_check(fetch_job *j, pdr_error *err)
{
    char sum[SHA256_DIGEST_STRING_LENGTH] = "";
    if (j->done != j->d->size)
        return pdi_fail(
            err, PDR_IO, "%s: %s%" PRIu64 " bytes came, not the %" PRIu64 " of the set; %s",
            j->d->url, j->done > j->d->size ? "at least " : "", j->done, j->d->size, j->d->remedy);
    SHA256End(&j->sum, sum);
    if (strcmp(sum, j->d->sha256))
        return pdi_fail(err, PDR_IO, "%s: SHA-256 is %s, not that of the set (%.12s...); %s",
                        j->d->url, sum, j->d->sha256, j->d->remedy);
    return PDR_OK;
}

/* Make the folder's entry last.  Not every file system can; the file itself is safe. */
static void fetch_sync_folder(const fetch_job *j)
{
    char *slash = strrchr(j->part, '/');
    if (!slash) return;
    slash[1] = 0;
    int fd = open(j->part, O_RDONLY);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static pdr_rc fetch_land(fetch_job *j, pdr_error *err)
{
    bool ok = !fflush(j->out) && !fsync(fileno(j->out));
    int error = errno;
    if (fclose(j->out) && ok) {
        ok = false;
        error = errno;
    }
    j->out = NULL;
    if (!ok) return fetch_refused(j, err, j->d->path, error);
    if (rename(j->part, j->d->path)) return fetch_refused(j, err, j->d->path, errno);
    fetch_sync_folder(j);
    return PDR_OK;
}

pdr_rc pdi_fetch(const pdr_alloc *alloc, const pdi_download *d, pdr_progress_fn progress, void *ctx,
                 pdr_error *err)
{
    const char *slash = strrchr(d->path, '/');
    fetch_job j = {.d = d, .progress = progress, .ctx = ctx, .file = slash ? slash + 1 : d->path};
    alloc = pdi_alloc_or_default(alloc);
    pdr_rc rc = fetch_create(&j, alloc, err);
    if (!rc) rc = fetch_transfer(&j, err);
    if (!rc) rc = fetch_check(&j, err);
    if (!rc) rc = fetch_land(&j, err);
    if (j.out) fclose(j.out);
    if (rc && j.part) unlink(j.part);
    pdi_free(alloc, j.part);
    return rc;
}
