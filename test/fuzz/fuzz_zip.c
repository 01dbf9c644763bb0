/* fuzz/fuzz_zip.c -- any bytes as a zip archive of drawings, and as one drawing.
 *
 * What is listed lies within the archive, what is refused leaves nothing and is explained
 * in one line, and a drawing that is read is made of ink and paper. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "data/drawing.h"
#include "data/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ENTRY = 1 << 16 };

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_zip: %s\n", what);
    abort();
}

static void fuzz_drawing(const uint8_t *bytes, size_t n)
{
    static uint8_t ink[PDI_DRAWN * PDI_DRAWN], out[PDI_DRAWING * PDI_DRAWING];
    if (!pdi_drawing_ink(bytes, n, ink)) return;
    for (size_t k = 0; k < sizeof ink; k++) fuzz_must(ink[k] <= 1, "neither ink nor paper");
    pdi_drawing_shrink(ink, out);
}

static void fuzz_entry(const pdi_zip *z, const pdi_zip_entry *e)
{
    pdr_error err = PDR_NO_ERROR;
    if (e->size > FUZZ_ENTRY) return;
    uint8_t *out = malloc(e->size + 1);
    if (!out) return;
    pdr_rc rc = pdi_zip_read(z, e, out, &err);
    fuzz_must(!rc == !*err.text && !strpbrk(err.text, "\n\r"), "a refusal is one line of text");
    if (!rc) fuzz_drawing(out, e->size);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdi_zip z;
    pdr_error err = PDR_NO_ERROR;
    fuzz_drawing(data, size);
    uint8_t *bytes = pdi_new(&pdi_malloc, size, 1);
    if (!bytes) return 0;
    if (size) memcpy(bytes, data, size);
    pdr_rc rc = pdi_zip_take(&z, &pdi_malloc, "zip", bytes, size, &err);
    if (rc)
        fuzz_must(!z.bytes && !z.entry && *err.text && !strpbrk(err.text, "\n\r"),
                  "a refusal leaves nothing and is one line of text");
    for (size_t k = 0; !rc && k < z.entries; k++) {
        const char *name = z.entry[k].name;
        fuzz_must(name >= (const char *)z.bytes &&
                      z.entry[k].name_size <= z.n - (size_t)(name - (const char *)z.bytes),
                  "a name outside the archive");
        if (k < 16) fuzz_entry(&z, &z.entry[k]);
    }
    pdi_zip_close(&z);
    return 0;
}
