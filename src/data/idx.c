/* data/idx.c -- IDX: LeCun's format for images and labels, unsigned bytes.
 *
 *     0  two zero bytes
 *     2  type of the elements: 0x08 for unsigned bytes
 *     3  rank
 *     4  one big-endian 32-bit size an axis, then the elements, last axis fastest
 *
 * The header may lie, so memory grows only as bytes arrive. */
#include "data/idx.h"

#include <inttypes.h>
#include <string.h>

enum { IDX_RANK = 4, IDX_FIRST_CHUNK = 1 << 16 };

typedef struct idx_head {
    int32_t rank, dim[IDX_RANK];
    uint64_t bytes; /* of all elements */
} idx_head;

pdr_rc pdi_idx_sniff(pdi_reader *r, bool *is_idx, pdr_error *err)
{
    pdr_rc rc = pdi_reader_fill(r, err);
    *is_idx = !rc && r->end - r->p >= 2 && r->p[0] == 0 && r->p[1] == 0;
    return rc;
}

/* The four bytes before the sizes. */
static pdr_rc idx_magic(pdi_reader *r, int32_t lo, int32_t hi, idx_head *h, pdr_error *err)
{
    uint8_t b[4] = {0};
    size_t got;
    pdr_rc rc = pdi_reader_take(r, b, sizeof b, &got, err);
    if (rc) return rc;
    if (got < 2 || b[0] || b[1])
        return pdi_fail(err, PDR_INPUT,
                        "%s: byte 0: not an IDX file; one begins with the bytes 00 00 08", r->name);
    if (got < sizeof b)
        return pdi_fail(err, PDR_INPUT,
                        "%s: byte %zu: the file ends inside its header; get the whole file",
                        r->name, got);
    if (b[2] != 0x08)
        return pdi_fail(err, PDR_INPUT,
                        "%s: byte 2: elements of type 0x%02x; only unsigned bytes (0x08) are read",
                        r->name, (unsigned)b[2]);
    if (b[3] < lo || b[3] > hi)
        return pdi_fail(err, PDR_INPUT, "%s: byte 3: rank %d; %s", r->name, (int)b[3],
                        hi == 1 ? "labels have rank 1; is this the file of images?"
                                : "images have rank 2, 3 or 4; is this the file of labels?");
    h->rank = b[3];
    return PDR_OK;
}

static pdr_rc idx_header(pdi_reader *r, int32_t lo, int32_t hi, idx_head *h, pdr_error *err)
{
    pdr_rc rc = idx_magic(r, lo, hi, h, err);
    h->bytes = 1;
    for (int k = 0; !rc && k < h->rank; k++) {
        uint8_t b[4];
        size_t got;
        rc = pdi_reader_take(r, b, sizeof b, &got, err);
        if (rc) return rc;
        if (got < sizeof b)
            return pdi_fail(err, PDR_INPUT, "%s: byte %" PRIu64 ": the file ends inside its header",
                            r->name, pdi_reader_at(r));
        uint32_t dim = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (!dim || dim > INT32_MAX || dim > (uint64_t)PDR_MAX_ELEMENTS / h->bytes)
            return pdi_fail(err, PDR_INPUT,
                            "%s: byte %d: axis %d has size %" PRIu32
                            "; sizes are at least 1 and their product at most 2^40",
                            r->name, 4 + 4 * k, k, dim);
        h->dim[k] = (int32_t)dim;
        h->bytes *= dim;
    }
    return rc;
}

/* The elements, and nothing after them. */
static pdr_rc idx_body(const pdr_alloc *alloc, pdi_reader *r, const idx_head *h, uint8_t **out,
                       pdr_error *err)
{
    size_t n = 0, cap = 0, got;
    while (n < h->bytes) {
        cap = n ? 2 * n : IDX_FIRST_CHUNK;
        if (cap > h->bytes) cap = (size_t)h->bytes;
        uint8_t *more = pdi_resize(alloc, *out, cap, 1);
        if (!more) return pdi_nomem(err);
        *out = more;
        pdr_rc rc = pdi_reader_take(r, *out + n, cap - n, &got, err);
        if (rc) return rc;
        n += got;
        if (n < cap)
            return pdi_fail(err, PDR_INPUT,
                            "%s: byte %" PRIu64 ": the file ends here; its header promises %" PRId32
                            " records in %" PRIu64 " bytes; get the whole file",
                            r->name, pdi_reader_at(r), h->dim[0],
                            h->bytes + 4 + 4 * (uint64_t)h->rank);
    }
    pdr_rc rc = pdi_reader_fill(r, err);
    if (!rc && r->p < r->end)
        return pdi_fail(err, PDR_INPUT,
                        "%s: byte %" PRIu64 ": more bytes after the last of %" PRId32 " records",
                        r->name, pdi_reader_at(r), h->dim[0]);
    return rc;
}

static pdr_shape idx_shape(const idx_head *h)
{
    pdr_shape s = {.rank = h->rank == 2 ? 1 : 3};
    for (int k = 1; k < h->rank; k++) s.dim[s.rank - h->rank + k] = h->dim[k];
    if (h->rank == 3) s.dim[0] = 1;
    return s;
}

/* Turn bytes into labels and count or check the classes. */
static pdr_rc idx_labels(pdi_reader *r, const uint8_t *byte, int32_t classes, pdr_dataset *out,
                         pdr_error *err)
{
    out->label = pdi_new(out->alloc, out->examples, sizeof *out->label);
    if (!out->label) return pdi_nomem(err);
    for (size_t i = 0; i < out->examples; i++) {
        out->label[i] = byte[i];
        if (classes && byte[i] >= classes)
            return pdi_fail(err, PDR_INPUT,
                            "%s: byte %zu: record %zu has label %d, but there are %" PRId32
                            " classes (0 to %" PRId32 ")",
                            r->name, i + 8, i + 1, (int)byte[i], classes, classes - 1);
        if (out->classes <= byte[i]) out->classes = byte[i] + 1;
    }
    if (classes) out->classes = classes;
    return PDR_OK;
}

pdr_rc pdi_idx_read(const pdr_alloc *alloc, pdi_reader *images, pdi_reader *labels, int32_t classes,
                    pdr_dataset *out, pdr_error *err)
{
    idx_head x = {0}, y = {0};
    uint8_t *pixels = NULL, *byte = NULL;
    *out = (pdr_dataset){.alloc = pdi_alloc_or_default(alloc), .storage = PDR_BYTES};
    pdr_rc rc = idx_header(images, 2, IDX_RANK, &x, err);
    if (!rc) rc = idx_header(labels, 1, 1, &y, err);
    if (!rc && x.dim[0] != y.dim[0])
        rc = pdi_fail(err, PDR_INPUT,
                      "%s: byte 4: %" PRId32 " labels, but %s has %" PRId32 " images; give as many",
                      labels->name, y.dim[0], images->name, x.dim[0]);
    if (!rc) rc = idx_body(out->alloc, images, &x, &pixels, err);
    if (!rc) rc = idx_body(out->alloc, labels, &y, &byte, err);
    out->x = pixels;
    out->shape = idx_shape(&x);
    out->examples = (size_t)x.dim[0];
    if (!rc) rc = idx_labels(labels, byte, classes, out, err);
    pdi_free(out->alloc, byte);
    if (rc) pdr_dataset_close(out);
    return rc;
}

pdr_rc pdi_idx_images(const pdr_alloc *alloc, const char *file, pdr_dataset *out, pdr_error *err)
{
    pdi_reader r = {0};
    idx_head h = {0};
    uint8_t *pixels = NULL;
    *out = (pdr_dataset){.alloc = pdi_alloc_or_default(alloc), .storage = PDR_BYTES};
    pdr_rc rc = pdi_reader_open(&r, alloc, file, err);
    if (!rc) rc = idx_header(&r, 2, IDX_RANK, &h, err);
    if (!rc) rc = idx_body(out->alloc, &r, &h, &pixels, err);
    pdi_reader_close(&r);
    out->x = pixels;
    out->shape = idx_shape(&h);
    out->examples = (size_t)h.dim[0];
    if (rc) pdr_dataset_close(out);
    return rc;
}

pdr_rc pdi_idx_open(const pdr_alloc *alloc, const char *images, const char *labels, int32_t classes,
                    pdr_dataset *out, pdr_error *err)
{
    pdi_reader x = {0}, y = {0};
    *out = (pdr_dataset){0};
    pdr_rc rc = pdi_reader_open(&x, alloc, images, err);
    if (!rc) rc = pdi_reader_open(&y, alloc, labels, err);
    if (!rc) rc = pdi_idx_read(alloc, &x, &y, classes, out, err);
    pdi_reader_close(&x);
    pdi_reader_close(&y);
    return rc;
}

pdr_rc pdr_dataset_idx(const pdr_alloc *alloc, const char *images, const char *labels,
                       pdr_dataset *out, pdr_error *err)
{
    return pdi_idx_open(alloc, images, labels, 0, out, err);
}
