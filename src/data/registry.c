/* data/registry.c -- registered data sets: which there are, and where their files lie.
 *
 * A name is only ever compared with registry.def; no path is made of what a caller
 * gave. */
#include "data/registry.h"

#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "data/fetch.h"
#include "data/show.h"

static const pdi_set registry_sets[] = {
#define SET(id, how, n_train, n_test, n_classes, about, where, terms, ...)                         \
    {.row = {.name = id,                                                                           \
             .title = about,                                                                       \
             .home = where,                                                                        \
             .licence = terms,                                                                     \
             .train = n_train,                                                                     \
             .test = n_test,                                                                       \
             .classes = n_classes},                                                                \
     .loader = PDI_LOAD_##how,                                                                     \
     __VA_ARGS__},
#define FILE(...)
#include "data/registry.def"
#undef SET
#undef FILE
};

static const pdi_set_file registry_files[] = {
#define SET(...)
#define FILE(id, file, bytes, sum, address) {id, file, bytes, sum, address},
#include "data/registry.def"
#undef SET
#undef FILE
};

enum {
    REGISTRY_SETS = sizeof registry_sets / sizeof registry_sets[0],
    REGISTRY_FILES = sizeof registry_files / sizeof registry_files[0]
};

const pdr_registry_row *pdr_registry_at(size_t i)
{
    return i < REGISTRY_SETS ? &registry_sets[i].row : NULL;
}

const pdi_set *pdi_set_find(const char *name, pdr_error *err)
{
    char list[PDR_ERROR_MAX] = "", show[PDI_SHOW];
    size_t at = 0;
    for (size_t i = 0; i < REGISTRY_SETS; i++) {
        if (!strcmp(registry_sets[i].row.name, name)) return &registry_sets[i];
        at += (size_t)snprintf(list + at, sizeof list - at, i ? ", %s" : "%s",
                               registry_sets[i].row.name);
    }
    pdi_fail(err, PDR_INPUT, "data.name: there is no data set '%s'; choose from %s",
             pdi_show(show, name), list);
    return NULL;
}

const pdi_set_file *pdi_set_file_at(const pdi_set *s, size_t k)
{
    for (size_t i = 0; i < REGISTRY_FILES; i++)
        if (!strcmp(registry_files[i].set, s->row.name) && k-- == 0) return &registry_files[i];
    return NULL;
}

/* ---- folders ---- */

/* Compose a path; false when it does not fit. */
static bool registry_path(char path[PDI_PATH], const char *fmt, ...) PDI_PRINTF(2, 3);
static bool registry_path(char path[PDI_PATH], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(path, PDI_PATH, fmt, ap);
    va_end(ap);
    return n > 0 && n < PDI_PATH;
}

static const char *registry_folder(const pdi_set *s) { return s->folder ? s->folder : s->row.name; }

/* The set's folder in the user's cache; false when there is no cache. */
static bool registry_cache(const pdi_set *s, char folder[PDI_PATH])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/') /* the XDG specification: ignore relative ones */
        return registry_path(folder, "%s/perdure/%s", cache, registry_folder(s));
    if (home && *home)
        return registry_path(folder, "%s/.cache/perdure/%s", home, registry_folder(s));
    return false;
}

/* Place i where the set may be, in the order of looking. */
static bool registry_place(const pdi_set *s, int i, char folder[PDI_PATH])
{
    const char *mirror = getenv("PERDURE_DATA");
    if (i == 0)
        return mirror && *mirror && registry_path(folder, "%s/%s", mirror, registry_folder(s));
    if (i == 1) return registry_cache(s, folder);
    return registry_path(folder, "/usr/share/datasets/%s", registry_folder(s));
}

bool pdi_set_path(const char *folder, const char *name, char path[PDI_PATH])
{
    size_t n = strlen(name), bare = n > 3 && !strcmp(name + n - 3, ".gz") ? n - 3 : n;
    if (registry_path(path, "%s/%s", folder, name) && !access(path, R_OK)) return true;
    return registry_path(path, "%s/%.*s%s", folder, (int)bare, name, bare == n ? ".gz" : "") &&
           !access(path, R_OK);
}

bool pdi_set_ready(const pdi_set *s, const char *folder, char path[2][PDI_PATH])
{
    return s->ready[0] && pdi_set_path(folder, s->ready[0], path[0]) &&
           pdi_set_path(folder, s->ready[1], path[1]);
}

void pdi_set_where(const pdi_set *s, char folder[PDI_PATH])
{
    for (int i = 0; i < 3; i++) {
        const pdi_set_file *f;
        char path[2][PDI_PATH];
        size_t k = 0;
        if (!registry_place(s, i, folder)) continue;
        while ((f = pdi_set_file_at(s, k)) && pdi_set_path(folder, f->name, path[0])) k++;
        if (!f || pdi_set_ready(s, folder, path)) return;
    }
    folder[0] = 0;
}

void pdr_registry_where(const char *name, char path[], size_t size)
{
    char folder[PDI_PATH] = "";
    const pdi_set *s = pdi_set_find(name, NULL);
    if (s) pdi_set_where(s, folder);
    if (size) snprintf(path, size, "%s", folder);
}

/* ---- downloads ---- */

static bool registry_is_cached(const char *path, const char *sha256)
{
    char sum[SHA256_DIGEST_STRING_LENGTH];
    return !access(path, R_OK) && SHA256File(path, sum) && !strcmp(sum, sha256);
}

static pdr_rc registry_fetch_file(const pdr_alloc *alloc, const pdi_set *s, const pdi_set_file *f,
                                  const char *folder, pdr_progress_fn progress, void *ctx,
                                  pdr_error *err)
{
    char path[PDI_PATH], remedy[PDR_ERROR_MAX];
    if (!registry_path(path, "%s/%s", folder, f->name))
        return pdi_fail(err, PDR_INPUT, "%s: the path is too long", folder);
    if (registry_is_cached(path, f->sha256)) return PDR_OK;
    snprintf(remedy, sizeof remedy,
             "put the file at %.300s, or set PERDURE_DATA to a folder that has %s/%s", path,
             registry_folder(s), f->name);
    pdi_download d = {.url = f->url,
                      .protocols = "https", /* every home has it */
                      .path = path,
                      .size = f->size,
                      .sha256 = f->sha256,
                      .remedy = remedy};
    return pdi_fetch(alloc, &d, progress, ctx, err);
}

pdr_rc pdr_registry_fetch(const pdr_alloc *alloc, const char *name, pdr_progress_fn progress,
                          void *ctx, pdr_error *err)
{
    char folder[PDI_PATH];
    const pdi_set_file *f;
    const pdi_set *s = pdi_set_find(name, err);
    if (!s) return PDR_INPUT;
    if (!registry_cache(s, folder))
        return pdi_fail(err, PDR_INPUT,
                        "%s: no cache to download to; set HOME or XDG_CACHE_HOME, or set "
                        "PERDURE_DATA to a folder that has %s",
                        name, registry_folder(s));
    for (size_t k = 0; (f = pdi_set_file_at(s, k)); k++) {
        pdr_rc rc = registry_fetch_file(alloc, s, f, folder, progress, ctx, err);
        if (rc) return rc;
    }
    return PDR_OK;
}
