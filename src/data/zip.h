/* data/zip.h -- the files in a zip archive. */
#ifndef PDI_DATA_ZIP_H
#define PDI_DATA_ZIP_H

#include <perdure/data.h>

typedef struct pdi_zip_entry {
    const char *name; /* with folders; not NUL-terminated */
    size_t name_size;
    uint32_t method, crc, packed, size, at; /* at: of the local header */
} pdi_zip_entry;

/* An archive in memory. */
typedef struct pdi_zip {
    const pdr_alloc *alloc;
    const char *path; /* borrowed */
    uint8_t *bytes;
    size_t n;
    pdi_zip_entry *entry; /* as the archive's directory lists them */
    size_t entries;
} pdi_zip;

pdr_rc pdi_zip_open(pdi_zip *z, const pdr_alloc *alloc, const char *path, pdr_error *err);

/* The same from bytes, which the archive takes over: they come from alloc, which is not NULL. */
pdr_rc pdi_zip_take(pdi_zip *z, const pdr_alloc *alloc, const char *path, uint8_t *bytes, size_t n,
                    pdr_error *err);

/* Unpack entry e, e->size bytes, and check its sum. */
pdr_rc pdi_zip_read(const pdi_zip *z, const pdi_zip_entry *e, uint8_t out[], pdr_error *err);

/* Legal after a failed open. */
void pdi_zip_close(pdi_zip *z);

#endif
