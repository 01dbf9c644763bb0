/* test_drawing.c -- Omniglot as its home serves it: archives, and the drawings in them. */
#include "data/drawing.h"

#include <math.h>
#include <perdure/rng.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "data/zip.h"
#include "t_data.h"

/* ---- making archives and images ---- */

static void put_u16(uint8_t **p, unsigned v)
{
    *(*p)++ = (uint8_t)v;
    *(*p)++ = (uint8_t)(v >> 8);
}

static void put_u32(uint8_t **p, unsigned long v)
{
    put_u16(p, (unsigned)v & 0xffff);
    put_u16(p, (unsigned)(v >> 16) & 0xffff);
}

static void put_bytes(uint8_t **p, const void *from, size_t n)
{
    memcpy(*p, from, n);
    *p += n;
}

/* A file for a zip archive. */
typedef struct packed {
    const char *name;
    const uint8_t *bytes;
    size_t n;
    bool deflated;
} packed;

/* An archive of files as APPNOTE has it; returns its size. */
static size_t zip_of(const packed file[], size_t files, uint8_t *out)
{
    static uint8_t small[1 << 16];
    uint8_t *p = out, directory[4096], *d = directory;
    for (size_t k = 0; k < files; k++) {
        const packed *f = &file[k];
        unsigned long crc = crc32(0, f->bytes, (unsigned)f->n);
        size_t name = strlen(f->name), at = (size_t)(p - out), n = f->n;
        memcpy(small, f->bytes, n);
        if (f->deflated) {
            z_stream z = {.next_in = (Bytef *)(uintptr_t)f->bytes,
                          .avail_in = (uInt)f->n,
                          .next_out = small,
                          .avail_out = sizeof small};
            deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
            assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
            n = z.total_out;
            deflateEnd(&z);
        }
        for (int where = 0; where < 2; where++) {
            uint8_t **to = where ? &d : &p;
            put_u32(to, where ? 0x02014b50 : 0x04034b50);
            if (where) put_u16(to, 20);
            put_u16(to, 20);
            put_u16(to, 0);
            put_u16(to, f->deflated ? 8 : 0);
            put_u32(to, 0);
            put_u32(to, crc);
            put_u32(to, n);
            put_u32(to, f->n);
            put_u16(to, (unsigned)name);
            put_u16(to, 0);
            for (int k16 = 0; where && k16 < 5; k16++) put_u16(to, 0);
            if (where) put_u32(to, at);
            put_bytes(to, f->name, name);
        }
        put_bytes(&p, small, n);
    }
    size_t at = (size_t)(p - out), size = (size_t)(d - directory);
    put_bytes(&p, directory, size);
    put_u32(&p, 0x06054b50);
    put_u32(&p, 0);
    put_u16(&p, (unsigned)files);
    put_u16(&p, (unsigned)files);
    put_u32(&p, size);
    put_u32(&p, at);
    put_u16(&p, 0);
    return (size_t)(p - out);
}

enum { DRAWN_ROW = 14, DRAWN_RAW = 105 * 15 };

static void put_chunk(uint8_t **p, const char *name, const void *body, size_t n)
{
    const uint8_t big[4] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};
    put_bytes(p, big, 4);
    put_bytes(p, name, 4);
    put_bytes(p, body, n);
    put_bytes(p, "crc?", 4); /* the archive has a sum already */
}

/* A PNG image of 105x105 bits, rows of DRAWN_ROW bytes, filtered by rows in turn. */
static size_t png_of(const uint8_t row[105][DRAWN_ROW], uint8_t *out)
{
    static const uint8_t head[13] = {0, 0, 0, 105, 0, 0, 0, 105, 1, 0, 0, 0, 0};
    uint8_t raw[DRAWN_RAW], body[DRAWN_RAW + 100], *p = out;
    unsigned long n = sizeof body;
    for (int r = 0; r < 105; r++) {
        raw[r * 15] = (uint8_t)(r % 5);
        for (int k = 0; k < DRAWN_ROW; k++) {
            int a = k ? row[r][k - 1] : 0, b = r ? row[r - 1][k] : 0,
                c = k && r ? row[r - 1][k - 1] : 0, e = a + b - c;
            int paeth = abs(e - a) <= abs(e - b) && abs(e - a) <= abs(e - c) ? a
                        : abs(e - b) <= abs(e - c)                           ? b
                                                                             : c;
            const int from[5] = {0, a, b, (a + b) / 2, paeth};
            raw[r * 15 + 1 + k] = (uint8_t)(row[r][k] - from[r % 5]);
        }
    }
    assert_int_equal(compress(body, &n, raw, sizeof raw), Z_OK);
    put_bytes(&p, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&p, "IHDR", head, sizeof head);
    put_chunk(&p, "tIME", head, 7);
    put_chunk(&p, "IDAT", body, n / 2); /* pixels may come in pieces */
    put_chunk(&p, "IDAT", body + n / 2, n - n / 2);
    put_chunk(&p, "IEND", "", 0);
    return (size_t)(p - out);
}

static void random_drawing(uint32_t seed, uint8_t row[105][DRAWN_ROW])
{
    pdr_rng r = {.seed = seed, .stream = PDR_STREAM_TEST};
    for (int k = 0; k < 105 * DRAWN_ROW; k++)
        row[k / DRAWN_ROW][k % DRAWN_ROW] = (uint8_t)pdr_rng_u32(&r);
}

/* ---- drawings ---- */

static void a_drawing_is_read_bit_by_bit_and_made_smaller(void **state)
{
    (void)state;
    uint8_t row[105][DRAWN_ROW], png[4096], ink[PDI_DRAWN * PDI_DRAWN],
        out[PDI_DRAWING * PDI_DRAWING];
    /* Places that hold three pixels, not four, each way; the others follow. */
    static const bool three[28] = {
        [2] = 1, [6] = 1, [10] = 1, [14] = 1, [18] = 1, [22] = 1, [26] = 1};
    random_drawing(3, row);
    size_t n = png_of((const uint8_t(*)[DRAWN_ROW])row, png);
    assert_true(pdi_drawing_ink(png, n, ink));
    for (int r = 0; r < 105; r++)
        for (int c = 0; c < 105; c++)
            assert_int_equal(ink[r * 105 + c], !(row[r][c / 8] >> (7 - c % 8) & 1));
    pdi_drawing_shrink(ink, out);
    for (int r = 0, from_r = 0; r < 28; from_r += 4 - three[r++])
        for (int c = 0, from_c = 0; c < 28; from_c += 4 - three[c++]) {
            int high = 4 - three[r], wide = 4 - three[c];
            double sum = 0;
            for (int y = 0; y < high; y++) {
                int dark = 0;
                for (int x = 0; x < wide; x++) dark += ink[(from_r + y) * 105 + from_c + x];
                sum += floor(255.0 * dark / wide + 0.5);
            }
            assert_int_equal(out[r * 28 + c], floor(sum / high + 0.5));
        }
    for (size_t cut = 0; cut < n - 12; cut += 7) assert_false(pdi_drawing_ink(png, cut, ink));
    png[8 + 8 + 8] = 2; /* two bits a pixel */
    assert_false(pdi_drawing_ink(png, n, ink));
}

/* Two archives in the folder of the registered set: what is drawn is the class. */
static void put_drawings(bool good)
{
    static uint8_t row[105][DRAWN_ROW], png[6][4096], archive[1 << 16];
    size_t n[6];
    for (unsigned k = 0; k < 6; k++) {
        memset(row, 0xff, sizeof row);
        memset(row[4 * k], 0, 4 * DRAWN_ROW);
        n[k] = png_of((const uint8_t(*)[DRAWN_ROW])row, png[k]);
    }
    if (!good) png[4][1] = 'p';
    const packed background[] = {
        {"images_background/", png[0], 0, false},
        {"images_background/Latin/character02/9_02.png", png[3], n[3], true},
        {"images_background/Latin/character02/9_01.png", png[2], n[2], false},
        {"images_background/Greek/character01/7_01.png", png[0], n[0], true},
        {"images_background/Greek/character10/8_01.png", png[1], n[1], true}};
    const packed evaluation[] = {
        {"images_evaluation/Angelic/character01/1_01.png", png[4], n[4], true},
        {"images_evaluation/Angelic/character01/1_02.png", png[5], n[5], true}};
    mkdir(t_path("home"), 0755);
    mkdir(t_path("home/perdure"), 0755);
    mkdir(t_path("home/perdure/omniglot"), 0755);
    t_write("home/perdure/omniglot/images_background.zip", archive, zip_of(background, 5, archive));
    t_write("home/perdure/omniglot/images_evaluation.zip", archive, zip_of(evaluation, 2, archive));
    setenv("PERDURE_DATA", t_path("nowhere"), 1);
    setenv("XDG_CACHE_HOME", t_path("home"), 1);
}

static void archives_of_drawings_are_classes_in_order_of_name(void **state)
{
    (void)state;
    static const char *const names[] = {"Greek/character01", "Greek/character10",
                                        "Latin/character02", "Angelic/character01"};
    static const int32_t labels_wanted[] = {0, 1, 2, 2, 3, 3};
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    put_drawings(true);
    o.name = "omniglot";
    o.test_fraction = 0;
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_OK);
    pdr_dataset *d = &data.train;
    pdr_shape shape = PDR_SHAPE(1, 28, 28);
    assert_true(d->examples == 6 && d->classes == 4 && pdr_shape_equal(&d->shape, &shape));
    for (int i = 0; i < 6; i++) {
        const uint8_t *x = (const uint8_t *)d->x + 784 * i;
        assert_int_equal(d->label[i], labels_wanted[i]);
        int dark = 0; /* rows 4 i to 4 i + 3 are ink: about row i */
        for (int r = 0; r < 28; r++) dark = x[28 * r + 5] > x[28 * dark + 5] ? r : dark;
        assert_true(dark == i || dark == i + 1);
    }
    for (int c = 0; c < 4; c++) {
        assert_string_equal(d->class_name[c], names[c]);
        assert_int_equal(d->class_part[c], c < 3 ? PDR_TRAIN : PDR_TEST);
    }
    assert_string_equal(d->class_group[1], "Greek");
    pdr_data_close(&data);
    put_drawings(false);
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "images_evaluation.zip: "
                                     "images_evaluation/Angelic/character01/1_01.png: not a PNG "
                                     "image of 105x105 one-bit grey pixels"));
    t_one_line(&err);
}

/* ---- archives ---- */

static void damaged_archives_are_refused(void **state)
{
    (void)state;
    static uint8_t archive[1 << 12], out[1 << 12];
    static const uint8_t text[] = "some text that some text is about, which is some text";
    const packed files[] = {{"a/stored", text, sizeof text, false},
                            {"b/deflated", text, sizeof text, true}};
    size_t n = zip_of(files, 2, archive), refused = 0;
    for (size_t at = 0; at <= 2 * n; at++) { /* cut, or one byte changed */
        pdi_zip z;
        pdr_error err = PDR_NO_ERROR;
        uint8_t *bytes = pdi_new(&pdi_malloc, n, 1);
        memcpy(bytes, archive, n);
        if (at > n) bytes[at - n - 1] ^= 0x55;
        pdr_rc rc = pdi_zip_take(&z, &pdi_malloc, "z.zip", bytes, at < n ? at : n, &err);
        for (size_t k = 0; !rc && k < z.entries; k++)
            rc = z.entry[k].size > sizeof out ? PDR_INPUT
                                              : pdi_zip_read(&z, &z.entry[k], out, &err);
        if (at == n) assert_int_equal(rc, PDR_OK);
        if (at < n) assert_int_equal(rc, PDR_INPUT);
        if (rc && err.text[0]) {
            t_one_line(&err);
            assert_int_equal(strncmp(err.text, "z.zip: byte ", 12), 0);
        }
        refused += rc != 0;
        if (z.alloc) pdi_zip_close(&z);
    }
    assert_true(refused > n + n / 2); /* names and dates may be anything */
}

/* ---- memory ---- */

static pdr_rc torture_drawings(const pdr_alloc *alloc, pdr_error *err)
{
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    o.name = "omniglot";
    pdr_rc rc = pdr_data_open(alloc, &o, 1, &data, err);
    pdr_data_close(&data);
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    put_drawings(true);
    assert_true(t_torture(torture_drawings) > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawing_is_read_bit_by_bit_and_made_smaller),
        cmocka_unit_test(archives_of_drawings_are_classes_in_order_of_name),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, t_make_folder, t_remove_folder);
}
