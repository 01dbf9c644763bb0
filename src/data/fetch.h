/* data/fetch.h -- one file from the network, whole and right or not at all. */
#ifndef PDI_DATA_FETCH_H
#define PDI_DATA_FETCH_H

#include <perdure/data.h>

typedef struct pdi_download {
    const char *url;
    const char *protocols; /* allowed for url and redirects: "https"; tests use "file" */
    const char *path;      /* where it goes; missing folders are made */
    uint64_t size;
    const char *sha256; /* lower-case hex */
    const char *remedy; /* what else the user can do: ends the message of a failure */
} pdi_download;

/* Download beside path under a temporary name, compare size and SHA-256, rename.
 * Nothing stays behind on failure. */
pdr_rc pdi_fetch(const pdr_alloc *alloc, const pdi_download *d, pdr_progress_fn progress, void *ctx,
                 pdr_error *err);

#endif
