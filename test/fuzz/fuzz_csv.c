/* fuzz/fuzz_csv.c -- any bytes as a table, and as a second one read like the first.
 *
 * The first byte is options: two bits of missing, a target for a label, no category,
 * no column to ignore.  The tables follow, parted by a line of "%%".  What is taken is
 * finite and consistent, what is refused leaves nothing and is explained in one line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"
#include "data/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_csv: %s\n", what);
    abort();
}

static void fuzz_taken(const pdr_dataset *d, const pdr_dataset *like)
{
    size_t n = pdi_dataset_size(d);
    fuzz_must(d->examples > 0 && d->x && !d->label == !d->classes && !d->target == !d->targets,
              "a set without content");
    for (size_t i = 0; i < d->examples * n; i++)
        fuzz_must(isfinite(((const float *)d->x)[i]), "a feature that is not finite");
    for (size_t i = 0; i < d->examples; i++) {
        if (d->label) fuzz_must(d->label[i] >= 0 && d->label[i] < d->classes, "a label off range");
        if (d->target) fuzz_must(isfinite(d->target[i]), "a target that is not finite");
    }
    fuzz_must(d->feature_name && !d->classes == !d->class_name, "no names");
    for (size_t k = 0; k < n; k++) fuzz_must(d->feature_name[k], "a feature without a name");
    if (!like) return;
    fuzz_must(pdr_shape_equal(&d->shape, &like->shape) && d->classes == like->classes,
              "a second table of another shape");
    for (size_t k = 0; k < n; k++)
        fuzz_must(!strcmp(d->feature_name[k], like->feature_name[k]), "features in another order");
}

static pdr_rc fuzz_table(const uint8_t *text, size_t size, const pdi_csv_form *form,
                         const pdr_dataset *like, pdr_dataset *out)
{
    pdi_reader r = {0};
    pdr_error err = PDR_NO_ERROR;
    *out = (pdr_dataset){0};
    pdr_rc rc = pdi_reader_memory(&r, NULL, "table", text, size, &err);
    if (!rc) rc = pdi_csv_read(NULL, &r, form, like, out, &err);
    if (rc) fuzz_must(!out->x && !out->feature_name, "a refusal leaves nothing");
    if (!rc && (rc = pdi_dataset_fill(out, like, form->missing, "table", &err)))
        pdr_dataset_close(out);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT || rc == PDR_NOMEM, "an unexpected return code");
    if (rc)
        fuzz_must(*err.text && !strpbrk(err.text, "\n\r"), "a refusal is one line of text");
    else
        fuzz_taken(out, like);
    pdi_reader_close(&r);
    return rc;
}

/* The end of the first table; *next is where the second begins. */
static size_t fuzz_part(const uint8_t *text, size_t size, size_t *next)
{
    static const char mark[] = "\n%%\n";
    for (size_t i = 0; i + 4 <= size; i++)
        if (!memcmp(text + i, mark, 4)) {
            *next = i + 4;
            return i + 1;
        }
    return *next = size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_dataset train, test;
    if (size < 1) return 0;
    unsigned o = data[0];
    pdi_csv_form form = {.missing = o & 3,
                         .label = o & 4 ? NULL : "y",
                         .target = o & 4 ? "y" : NULL,
                         .categorical = o & 8 ? NULL : "c",
                         .ignore = o & 16 ? NULL : "i"};
    if (o & 32) form = (pdi_csv_form){.features_only = true, .header = "p*2,q", .sep = ' '};
    size_t next, first = fuzz_part(data + 1, size - 1, &next);
    if (!fuzz_table(data + 1, first, &form, NULL, &train) && next < size - 1) {
        fuzz_table(data + 1 + next, size - 1 - next, &form, &train, &test);
        pdr_dataset_close(&test);
    }
    pdr_dataset_close(&train);
    return 0;
}
