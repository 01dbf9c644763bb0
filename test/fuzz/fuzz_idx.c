/* fuzz/fuzz_idx.c -- any bytes as an IDX file of images and one of labels.
 *
 * Three bytes: the size of the images' file (two, little-endian), then the number of
 * classes, 0 for unknown.  The files follow.  What is taken is consistent, what is
 * refused leaves nothing and is explained in one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_idx: %s\n", what);
    abort();
}

static void fuzz_taken(const pdr_dataset *d, int32_t classes)
{
    size_t n = pdi_dataset_size(d);
    float *x = malloc(n * sizeof *x);
    fuzz_must(d->examples > 0 && d->classes > 0 && d->x && d->label, "a set without content");
    fuzz_must(!classes || d->classes == classes, "not the classes that were given");
    for (size_t i = 0; i < d->examples; i++) {
        fuzz_must(d->label[i] >= 0 && d->label[i] < d->classes, "a label that is no class");
        if (x) pdr_dataset_read(d, i, x);
        for (size_t k = 0; x && k < n; k++) fuzz_must(x[k] >= 0 && x[k] <= 1, "a pixel off [0,1]");
    }
    free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdi_reader images = {0}, labels = {0};
    pdr_dataset d = {0};
    pdr_error err = PDR_NO_ERROR;
    if (size < 3) return 0;
    size_t n = data[0] | (size_t)data[1] << 8;
    if (n > size - 3) n = size - 3;
    pdr_rc rc = pdi_reader_memory(&images, NULL, "images", data + 3, n, &err);
    if (!rc) rc = pdi_reader_memory(&labels, NULL, "labels", data + 3 + n, size - 3 - n, &err);
    if (!rc) rc = pdi_idx_read(NULL, &images, &labels, data[2], &d, &err);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT || rc == PDR_NOMEM, "an unexpected return code");
    if (rc)
        fuzz_must(!d.x && !d.label && *err.text && !strpbrk(err.text, "\n\r"),
                  "a refusal leaves nothing and is one line of text");
    else
        fuzz_taken(&d, data[2]);
    pdr_dataset_close(&d);
    pdi_reader_close(&images);
    pdi_reader_close(&labels);
    return 0;
}
