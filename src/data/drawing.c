/* data/drawing.c -- Omniglot as its home serves it: drawings in zip archives. */
#include "data/drawing.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"
#include "data/show.h"
#include "data/zip.h"

/* ---- one drawing ---- */

/* A PNG of one-bit pixels: rows of a filter's number and 14 bytes. */
enum { DRAWING_ROW = (PDI_DRAWN + 7) / 8, DRAWING_RAW = PDI_DRAWN * (1 + DRAWING_ROW) };
enum { DRAWING_BYTES = 1 << 16 }; /* no drawing's file is longer */

static uint32_t drawing_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Width, height, bit depth 1, grey, deflate, the usual filters, not interlaced. */
static bool drawing_is_ours(const uint8_t *head)
{
    static const uint8_t kind[5] = {1, 0, 0, 0, 0};
    return drawing_u32(head) == PDI_DRAWN && drawing_u32(head + 4) == PDI_DRAWN &&
           !memcmp(head + 8, kind, sizeof kind);
}

/* Walk the chunks, and inflate those that hold pixels into raw. */
static bool drawing_chunks(const uint8_t *png, size_t n, z_stream *s)
{
    bool seen = false;
    for (size_t at = 8; at + 12 <= n;) {
        size_t size = drawing_u32(png + at);
        const uint8_t *name = png + at + 4, *body = png + at + 8;
        if (size > n - at - 12) return false;
        if (!memcmp(name, "IHDR", 4)) seen = size == 13 && drawing_is_ours(body);
        if (!memcmp(name, "IDAT", 4) && seen) {
            s->next_in = (Bytef *)(uintptr_t)body;
            s->avail_in = (uInt)size;
            int got = inflate(s, Z_NO_FLUSH);
            if (got == Z_STREAM_END) return s->avail_out == 0;
            if (got != Z_OK && got != Z_BUF_ERROR) return false;
        }
        at += 12 + size;
    }
    return false;
}

/* PNG's fifth filter: of left, above and above left the one nearest to left + above - above
 * left. */
static int drawing_paeth(int a, int b, int c)
{
    int to_a = abs(b - c), to_b = abs(a - c), to_c = abs(a + b - 2 * c);
    return to_a <= to_b && to_a <= to_c ? a : to_b <= to_c ? b : c;
}

static bool drawing_unfilter(const uint8_t raw[DRAWING_RAW], uint8_t row[PDI_DRAWN][DRAWING_ROW])
{
    static const uint8_t none[DRAWING_ROW];
    for (int r = 0; r < PDI_DRAWN; r++, raw += 1 + DRAWING_ROW) {
        const uint8_t *above = r ? row[r - 1] : none;
        for (int k = 0; k < DRAWING_ROW; k++) {
            int a = k ? row[r][k - 1] : 0, b = above[k], c = k ? above[k - 1] : 0;
            const int predicted[5] = {0, a, b, (a + b) / 2, drawing_paeth(a, b, c)};
            if (raw[0] > 4) return false;
            row[r][k] = (uint8_t)(raw[1 + k] + predicted[raw[0]]);
        }
    }
    return true;
}

bool pdi_drawing_ink(const uint8_t *png, size_t n, uint8_t ink[PDI_DRAWN * PDI_DRAWN])
{
    uint8_t raw[DRAWING_RAW], row[PDI_DRAWN][DRAWING_ROW];
    z_stream s = {.next_out = raw, .avail_out = sizeof raw};
    if (n < 8 || memcmp(png, "\x89PNG\r\n\x1a\n", 8) != 0) return false;
    if (inflateInit(&s) != Z_OK) return false;
    bool whole = drawing_chunks(png, n, &s);
    inflateEnd(&s);
    if (!whole || !drawing_unfilter(raw, row)) return false;
    for (int r = 0; r < PDI_DRAWN; r++)
        for (int c = 0; c < PDI_DRAWN; c++) *ink++ = !(row[r][c / 8] >> (7 - c % 8) & 1);
    return true;
}

/* ---- smaller ---- */

/* The pixels whose centres lie in place k of 28: from *lo, three or four. */
static int drawing_span(int k, int *lo)
{
    /* Edges at 3.75 k and 3.75 (k + 1), in quarters; the centre of pixel i is at 4 i + 2. */
    int from = (15 * k + 2) / 4, to = (15 * (k + 1) + 2) / 4;
    *lo = from;
    return to - from;
}

static uint8_t drawing_mean(int sum, int n) { return (uint8_t)((2 * sum + n) / (2 * n)); }

void pdi_drawing_shrink(const uint8_t ink[PDI_DRAWN * PDI_DRAWN],
                        uint8_t out[PDI_DRAWING * PDI_DRAWING])
{
    uint8_t half[PDI_DRAWN][PDI_DRAWING];
    int lo;
    for (int r = 0; r < PDI_DRAWN; r++)
        for (int c = 0; c < PDI_DRAWING; c++) {
            int n = drawing_span(c, &lo), sum = 0;
            for (int k = 0; k < n; k++) sum += 255 * ink[r * PDI_DRAWN + lo + k];
            half[r][c] = drawing_mean(sum, n);
        }
    for (int r = 0; r < PDI_DRAWING; r++)
        for (int c = 0; c < PDI_DRAWING; c++) {
            int n = drawing_span(r, &lo), sum = 0;
            for (int k = 0; k < n; k++) sum += half[lo + k][c];
            *out++ = drawing_mean(sum, n);
        }
}

/* ---- many ---- */

/* "PART/GROUP/CHARACTER/DRAWING.png" as a text of its own. */
typedef struct drawing_path {
    char *text;
    const pdi_zip *zip;
    const pdi_zip_entry *entry;
    int32_t part;
} drawing_path;

typedef struct drawing_set {
    pdi_zip zip[2];
    drawing_path *path;
    size_t n;
} drawing_set;

static bool drawing_is_image(const pdi_zip_entry *e)
{
    size_t slashes = 0;
    for (size_t k = 0; k < e->name_size; k++) slashes += e->name[k] == '/';
    return slashes == 3 && e->name_size > 4 && !memchr(e->name, 0, e->name_size) &&
           !memcmp(e->name + e->name_size - 4, ".png", 4);
}

/* By part, then by name. */
static int drawing_compare(const void *a, const void *b)
{
    const drawing_path *x = a, *y = b;
    return x->part != y->part ? (x->part < y->part ? -1 : 1) : strcmp(x->text, y->text);
}

static pdr_rc drawing_list(drawing_set *set, const pdr_alloc *a, pdr_error *err)
{
    set->path = pdi_new(a, set->zip[0].entries + set->zip[1].entries, sizeof *set->path);
    if (!set->path) return pdi_nomem(err);
    for (int z = 0; z < 2; z++)
        for (size_t k = 0; k < set->zip[z].entries; k++) {
            const pdi_zip_entry *e = &set->zip[z].entry[k];
            pdi_text text = {.alloc = a};
            if (!drawing_is_image(e)) continue;
            pdi_text_bytes(&text, e->name, e->name_size);
            drawing_path *p = &set->path[set->n++];
            *p = (drawing_path){pdi_text_take(&text), &set->zip[z], e, z ? PDR_TEST : PDR_TRAIN};
            if (!p->text) return pdi_nomem(err);
        }
    if (!set->n)
        return pdi_fail(err, PDR_INPUT,
                        "%s: there is no image in it; one is PART/ALPHABET/CHARACTER/NAME.png",
                        set->zip[0].path);
    qsort(set->path, set->n, sizeof *set->path, drawing_compare);
    return PDR_OK;
}

static pdr_rc drawing_image(const drawing_path *p, uint8_t out[PDI_DRAWING * PDI_DRAWING],
                            uint8_t room[DRAWING_BYTES], pdr_error *err)
{
    uint8_t ink[PDI_DRAWN * PDI_DRAWN];
    char show[PDI_SHOW];
    pdr_rc rc = p->entry->size <= DRAWING_BYTES ? pdi_zip_read(p->zip, p->entry, room, err)
                                                : PDR_OK;
    if (rc) return rc;
    if (p->entry->size > DRAWING_BYTES || !pdi_drawing_ink(room, p->entry->size, ink))
        return pdi_fail(err, PDR_INPUT, "%s: %s: not a PNG image of 105x105 one-bit grey pixels",
                        p->zip->path, pdi_show(show, p->text));
    pdi_drawing_shrink(ink, out);
    return PDR_OK;
}

/* Bytes of a path up to its last slash: the class; and of "PART/". */
static size_t drawing_class(const char *text) { return (size_t)(strrchr(text, '/') - text); }
static size_t drawing_part(const char *text) { return strcspn(text, "/") + 1; }

/* A class for every run of paths with the same folder. */
static int32_t drawing_label(const drawing_set *set, int32_t label[])
{
    int32_t classes = 0;
    for (size_t i = 0; i < set->n; i++) {
        const char *text = set->path[i].text, *last = i ? set->path[i - 1].text : NULL;
        size_t n = drawing_class(text);
        if (!last || drawing_class(last) != n || memcmp(last, text, n) != 0) classes++;
        label[i] = classes - 1;
    }
    return classes;
}

static char *drawing_copy(const pdr_alloc *a, const char *s, size_t n)
{
    pdi_text t = {.alloc = a};
    pdi_text_bytes(&t, s, n);
    return pdi_text_take(&t);
}

static pdr_rc drawing_names(const drawing_set *set, pdr_dataset *d, pdr_error *err)
{
    size_t n = (size_t)d->classes;
    d->class_name = pdi_new(d->alloc, n, sizeof *d->class_name);
    d->class_group = pdi_new(d->alloc, n, sizeof *d->class_group);
    d->class_part = pdi_new(d->alloc, n, sizeof *d->class_part);
    if (!d->class_name || !d->class_group || !d->class_part) return pdi_nomem(err);
    for (size_t i = 0; i < set->n; i++) {
        int32_t c = d->label[i];
        const char *name = set->path[i].text + drawing_part(set->path[i].text);
        size_t size = drawing_class(name);
        if (d->class_name[c]) continue;
        d->class_part[c] = set->path[i].part;
        d->class_name[c] = drawing_copy(d->alloc, name, size);
        d->class_group[c] = drawing_copy(d->alloc, name, strcspn(name, "/"));
        if (!d->class_name[c] || !d->class_group[c]) return pdi_nomem(err);
    }
    return PDR_OK;
}

static pdr_rc drawing_fill(const drawing_set *set, pdr_dataset *d, pdr_error *err)
{
    enum { SIZE = PDI_DRAWING * PDI_DRAWING };
    d->examples = set->n;
    d->x = pdi_new(d->alloc, set->n, SIZE);
    d->label = pdi_new(d->alloc, set->n, sizeof *d->label);
    uint8_t *room = pdi_new(d->alloc, DRAWING_BYTES, 1);
    pdr_rc rc = d->x && d->label && room ? PDR_OK : pdi_nomem(err);
    for (size_t i = 0; !rc && i < set->n; i++)
        rc = drawing_image(&set->path[i], (uint8_t *)d->x + i * SIZE, room, err);
    pdi_free(d->alloc, room);
    if (rc) return rc;
    d->classes = drawing_label(set, d->label);
    return drawing_names(set, d, err);
}

pdr_rc pdi_drawing_open(const pdr_alloc *alloc, const char *const zip[2], pdr_dataset *out,
                        pdr_error *err)
{
    drawing_set set = {0};
    *out = (pdr_dataset){.alloc = pdi_alloc_or_default(alloc),
                         .storage = PDR_BYTES,
                         .shape = PDR_SHAPE(1, PDI_DRAWING, PDI_DRAWING)};
    pdr_rc rc = pdi_zip_open(&set.zip[0], out->alloc, zip[0], err);
    if (!rc) rc = pdi_zip_open(&set.zip[1], out->alloc, zip[1], err);
    if (!rc) rc = drawing_list(&set, out->alloc, err);
    if (!rc) rc = drawing_fill(&set, out, err);
    for (size_t i = 0; i < set.n; i++) pdi_free(out->alloc, set.path[i].text);
    pdi_free(out->alloc, set.path);
    pdi_zip_close(&set.zip[0]);
    pdi_zip_close(&set.zip[1]);
    if (rc) pdr_dataset_close(out);
    return rc;
}
