/* data/read.h -- a stream of bytes from a file or from memory, gzip or plain.
 *
 * Gzip is told by its first two bytes, not by the file's name.  A reader holds two
 * buffers of 64 KiB however long the stream is.  Positions count the bytes of the
 * content, after unpacking. */
#ifndef PDI_DATA_READ_H
#define PDI_DATA_READ_H

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct pdi_reader {
    const pdr_alloc *alloc;
    const char *name;       /* for messages; borrowed */
    const uint8_t *p, *end; /* bytes that are ready; take them by moving p */
    uint64_t before_end;    /* position of end */
    FILE *file;             /* NULL when reading memory */
    uint8_t *raw, *out;     /* as in the file; unpacked */
    z_stream z;             /* next_in, avail_in: the raw bytes not yet used */
    bool gzip, in_member;   /* in_member: a gzip member has begun and not ended */
} pdi_reader;

/* Open a file.  What cannot be opened is PDR_INPUT: the name was wrong. */
pdr_rc pdi_reader_open(pdi_reader *r, const pdr_alloc *alloc, const char *path, pdr_error *err);

/* Read n (below 4 GiB) bytes of memory, which the reader borrows. */
pdr_rc pdi_reader_memory(pdi_reader *r, const pdr_alloc *alloc, const char *name,
                         const uint8_t *bytes, size_t n, pdr_error *err);

/* Make p < end, or leave p == end at the end of the stream. */
pdr_rc pdi_reader_fill(pdi_reader *r, pdr_error *err);

/* False: there is nothing yet, and whoever asks for it must wait. */
bool pdi_reader_is_ready(const pdi_reader *r);

/* Take n bytes; *got is less at the end of the stream. */
pdr_rc pdi_reader_take(pdi_reader *r, void *to, size_t n, size_t *got, pdr_error *err);

/* Position of the next byte. */
uint64_t pdi_reader_at(const pdi_reader *r);

/* Legal on a zeroed reader and after a failed open. */
void pdi_reader_close(pdi_reader *r);

#endif
