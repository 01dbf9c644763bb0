/* data/read.c -- a stream of bytes from a file or from memory, gzip or plain. */
#include "data/read.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { READ_CHUNK = 1 << 16, READ_TELLS = 4 /* bytes that tell what it is */ };

static void *read_zalloc(void *alloc, unsigned count, unsigned size)
{
    return pdi_new(alloc, count, size);
}

static void read_zfree(void *alloc, void *p) { pdi_free(alloc, p); }

/* Have raw bytes in z.next_in, unless the file is at its end. */
static pdr_rc read_raw(pdi_reader *r, pdr_error *err)
{
    if (r->z.avail_in || !r->file) return PDR_OK;
    size_t n = 0, enough = r->z.next_in ? 1 : READ_TELLS;
    ssize_t got = 1;
    /* What is there is taken: whoever feeds a pipe may be waiting for an answer to it. */
    for (; got > 0 && n<enough; n += got> 0 ? (size_t)got : 0)
        got = read(fileno(r->file), r->raw + n, READ_CHUNK - n);
    if (got < 0)
        return pdi_fail(err, PDR_IO, "%s: reading failed after byte %" PRIu64 ": %s%s", r->name,
                        r->before_end, strerror(errno), errno == EISDIR ? "; name a file" : "");
    r->z.next_in = r->raw;
    r->z.avail_in = (unsigned)n;
    return PDR_OK;
}

static pdr_rc read_start(pdi_reader *r, pdr_error *err)
{
    pdr_rc rc = read_raw(r, err);
    if (rc) return rc;
    const uint8_t *in = r->z.next_in;
    if (r->z.avail_in < 2 || in[0] != 0x1f || in[1] != 0x8b) return PDR_OK;
    r->out = pdi_new(r->alloc, READ_CHUNK, 1);
    r->z.zalloc = read_zalloc;
    r->z.zfree = read_zfree;
    r->z.opaque = (void *)r->alloc;
    if (!r->out || inflateInit2(&r->z, 15 + 16) != Z_OK) return pdi_nomem(err);
    r->gzip = r->in_member = true;
    return PDR_OK;
}

pdr_rc pdi_reader_open(pdi_reader *r, const pdr_alloc *alloc, const char *path, pdr_error *err)
{
    *r = (pdi_reader){.alloc = pdi_alloc_or_default(alloc), .name = path};
    r->raw = pdi_new(r->alloc, READ_CHUNK, 1);
    if (!r->raw) return pdi_nomem(err);
    r->file = fopen(path, "rb");
    pdr_rc rc = r->file ? read_start(r, err)
                        : pdi_fail(err, PDR_INPUT,
                                   "%s: cannot be opened: %s; name a file that can be read", path,
                                   strerror(errno));
    if (rc) pdi_reader_close(r);
    return rc;
}

pdr_rc pdi_reader_memory(pdi_reader *r, const pdr_alloc *alloc, const char *name,
                         const uint8_t *bytes, size_t n, pdr_error *err)
{
    *r = (pdi_reader){.alloc = pdi_alloc_or_default(alloc), .name = name};
    r->z.next_in = (uint8_t *)bytes; /* zlib reads it only */
    r->z.avail_in = (unsigned)n;
    pdr_rc rc = read_start(r, err);
    if (rc) pdi_reader_close(r);
    return rc;
}

static pdr_rc read_damaged(const pdi_reader *r, pdr_error *err, const char *why)
{
    return pdi_fail(err, PDR_INPUT, "%s: byte %" PRIu64 " of the content: the gzip data %s",
                    r->name, r->before_end, why);
}

/* Unpack until there is something.  Members may follow each other; other bytes may not. */
static pdr_rc read_inflate(pdi_reader *r, pdr_error *err)
{
    r->z.next_out = r->out;
    r->z.avail_out = READ_CHUNK;
    while (r->z.avail_out == READ_CHUNK) {
        pdr_rc rc = read_raw(r, err);
        if (rc) return rc;
        if (!r->z.avail_in) {
            if (r->in_member) return read_damaged(r, err, "ends early; the file is cut short");
            break;
        }
        if (!r->in_member) inflateReset(&r->z);
        r->in_member = true;
        int z = inflate(&r->z, Z_NO_FLUSH);
        if (z == Z_MEM_ERROR) return pdi_nomem(err);
        if (z != Z_OK && z != Z_STREAM_END) return read_damaged(r, err, "is damaged");
        r->in_member = z != Z_STREAM_END;
    }
    r->p = r->out;
    r->end = r->z.next_out;
    return PDR_OK;
}

pdr_rc pdi_reader_fill(pdi_reader *r, pdr_error *err)
{
    if (r->p < r->end) return PDR_OK;
    pdr_rc rc = r->gzip ? read_inflate(r, err) : read_raw(r, err);
    if (rc) return rc;
    if (!r->gzip && r->z.avail_in) {
        r->p = r->z.next_in;
        r->end = r->p + r->z.avail_in;
        r->z.avail_in = 0;
    }
    r->before_end += (uint64_t)(r->end - r->p);
    return PDR_OK;
}

bool pdi_reader_is_ready(const pdi_reader *r)
{
    if (r->p < r->end || r->z.avail_in || !r->file) return true;
    struct pollfd p = {.fd = fileno(r->file), .events = POLLIN};
    return poll(&p, 1, 0) != 0;
}

pdr_rc pdi_reader_take(pdi_reader *r, void *to, size_t n, size_t *got, pdr_error *err)
{
    *got = 0;
    while (*got < n) {
        pdr_rc rc = pdi_reader_fill(r, err);
        if (rc) return rc;
        size_t ready = (size_t)(r->end - r->p);
        if (!ready) break;
        if (ready > n - *got) ready = n - *got;
        memcpy((uint8_t *)to + *got, r->p, ready);
        r->p += ready;
        *got += ready;
    }
    return PDR_OK;
}

uint64_t pdi_reader_at(const pdi_reader *r) { return r->before_end - (uint64_t)(r->end - r->p); }

void pdi_reader_close(pdi_reader *r)
{
    if (r->gzip) inflateEnd(&r->z);
    if (r->file) fclose(r->file);
    if (r->alloc) {
        pdi_free(r->alloc, r->raw);
        pdi_free(r->alloc, r->out);
    }
    *r = (pdi_reader){0};
}
