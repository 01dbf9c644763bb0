/* data/zip.c -- the files in a zip archive (APPNOTE 6.3: stored or deflated, no zip64).
 *
 * What the archive says of itself is believed only as far as its bytes reach. */
#include "data/zip.h"

#include <inttypes.h>
#include <string.h>

#include "data/read.h"
#include "data/show.h"

enum { ZIP_END = 22, ZIP_COMMENT = 65535, ZIP_ENTRY = 46, ZIP_LOCAL = 30, ZIP_CHUNK = 1 << 16 };

static uint32_t zip_u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t zip_u32(const uint8_t *p) { return zip_u16(p) | zip_u16(p + 2) << 16; }

static bool zip_is(const pdi_zip *z, size_t at, size_t size, const char *sign)
{
    return at <= z->n && size <= z->n - at && !memcmp(z->bytes + at, sign, 4);
}

static pdr_rc zip_damaged(const pdi_zip *z, size_t at, const char *what, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT, "%s: byte %zu: %s; get the whole file again", z->path, at,
                    what);
}

static pdr_rc zip_load(pdi_zip *z, pdr_error *err)
{
    pdi_reader r = {0};
    size_t cap = 0, got = 1;
    pdr_rc rc = pdi_reader_open(&r, z->alloc, z->path, err);
    while (!rc && got) {
        if (z->n == cap) {
            uint8_t *more = pdi_resize(z->alloc, z->bytes, cap = cap ? 2 * cap : ZIP_CHUNK, 1);
            if (!more) {
                rc = pdi_nomem(err);
                break;
            }
            z->bytes = more;
        }
        rc = pdi_reader_take(&r, z->bytes + z->n, cap - z->n, &got, err);
        z->n += got;
    }
    pdi_reader_close(&r);
    return rc;
}

/* The record at the archive's end; only a comment follows it. */
static bool zip_find_end(const pdi_zip *z, size_t *at)
{
    for (size_t back = ZIP_END; back <= z->n && back <= ZIP_END + ZIP_COMMENT; back++)
        if (zip_is(z, z->n - back, ZIP_END, "PK\5\6")) {
            *at = z->n - back;
            return true;
        }
    return false;
}

static pdr_rc zip_list(pdi_zip *z, pdr_error *err)
{
    size_t end, count;
    if (!zip_find_end(z, &end)) return zip_damaged(z, z->n, "not a zip archive, or cut off", err);
    count = zip_u16(z->bytes + end + 10);
    size_t at = zip_u32(z->bytes + end + 16);
    z->entry = pdi_new(z->alloc, count, sizeof *z->entry);
    if (!z->entry) return pdi_nomem(err);
    for (; z->entries < count; z->entries++) {
        if (!zip_is(z, at, ZIP_ENTRY, "PK\1\2"))
            return zip_damaged(z, at, "no entry of the archive's directory", err);
        const uint8_t *p = z->bytes + at;
        size_t name = zip_u16(p + 28);
        if (name > z->n - at - ZIP_ENTRY) return zip_damaged(z, at, "a name is cut off", err);
        z->entry[z->entries] = (pdi_zip_entry){.name = (const char *)p + ZIP_ENTRY,
                                               .name_size = name,
                                               .method = zip_u16(p + 10),
                                               .crc = zip_u32(p + 16),
                                               .packed = zip_u32(p + 20),
                                               .size = zip_u32(p + 24),
                                               .at = zip_u32(p + 42)};
        at += ZIP_ENTRY + name + zip_u16(p + 30) + zip_u16(p + 32);
    }
    return PDR_OK;
}

pdr_rc pdi_zip_take(pdi_zip *z, const pdr_alloc *alloc, const char *path, uint8_t *bytes, size_t n,
                    pdr_error *err)
{
    *z = (pdi_zip){.alloc = alloc, .path = path, .bytes = bytes, .n = n};
    pdr_rc rc = zip_list(z, err);
    if (rc) pdi_zip_close(z);
    return rc;
}

pdr_rc pdi_zip_open(pdi_zip *z, const pdr_alloc *alloc, const char *path, pdr_error *err)
{
    *z = (pdi_zip){.alloc = pdi_alloc_or_default(alloc), .path = path};
    pdr_rc rc = zip_load(z, err);
    if (!rc) rc = zip_list(z, err);
    if (rc) pdi_zip_close(z);
    return rc;
}

void pdi_zip_close(pdi_zip *z)
{
    if (z->alloc) {
        pdi_free(z->alloc, z->bytes);
        pdi_free(z->alloc, z->entry);
    }
    *z = (pdi_zip){0};
}

/* Raw deflate of `from` into exactly e->size bytes. */
static bool zip_inflate(const pdi_zip_entry *e, const uint8_t *from, uint8_t out[], pdr_error *err,
                        pdr_rc *rc)
{
    z_stream s = {.next_in = (Bytef *)(uintptr_t)from,
                  .avail_in = e->packed,
                  .next_out = out,
                  .avail_out = e->size};
    int got = inflateInit2(&s, -MAX_WBITS);
    if (got == Z_OK) got = inflate(&s, Z_FINISH);
    bool whole = got == Z_STREAM_END && s.avail_out == 0;
    if (got == Z_MEM_ERROR) *rc = pdi_nomem(err);
    inflateEnd(&s);
    return whole;
}

pdr_rc pdi_zip_read(const pdi_zip *z, const pdi_zip_entry *e, uint8_t out[], pdr_error *err)
{
    size_t at = e->at;
    pdr_rc rc = PDR_OK;
    if (!zip_is(z, at, ZIP_LOCAL, "PK\3\4")) return zip_damaged(z, at, "no entry begins here", err);
    at += ZIP_LOCAL + zip_u16(z->bytes + at + 26) + zip_u16(z->bytes + at + 28);
    if (at > z->n || e->packed > z->n - at)
        return zip_damaged(z, e->at, "an entry is cut off", err);
    const uint8_t *from = z->bytes + at;
    bool whole = false;
    if (e->method == 0 && e->packed == e->size) {
        memcpy(out, from, e->size);
        whole = true;
    } else if (e->method == 8)
        whole = zip_inflate(e, from, out, err, &rc);
    if (rc) return rc;
    if (!whole || (uint32_t)crc32(0, out, e->size) != e->crc)
        return zip_damaged(z, e->at, "an entry is damaged, or packed in an unknown way", err);
    return PDR_OK;
}
