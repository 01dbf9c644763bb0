/* fuzz/fuzz_safetensors.c -- the reader of safetensors, which files from anywhere reach.
 *
 * Whatever the bytes: they are read or refused in one line, and memory is no more than their
 * own length warrants.  What was read tiles the data, every number can be had, and written
 * again it reads the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz_memory {
    size_t limit; /* bytes at once */
} fuzz_memory;

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_safetensors: %s\n", what);
    abort();
}

static void *fuzz_alloc(void *ctx, void *old, size_t size)
{
    const fuzz_memory *m = ctx;
    if (size) fuzz_must(size <= m->limit, "more memory than the file warrants");
    if (size) return realloc(old, size);
    free(old);
    return NULL;
}

static void fuzz_tensors(const pdi_safe *s, const uint8_t *end)
{
    const unsigned char *at = s->n ? s->v[0].bytes : end;
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        const pdi_safe_tensor *t = &s->v[i];
        size_t n = 1;
        fuzz_must(t->bytes == at, "a hole or an overlap");
        for (int k = 0; k < t->shape.rank; k++) n *= (size_t)t->shape.dim[k];
        for (size_t k = 0; pdi_safe_is_real(t->type) && k < n; k++) sum += pdi_safe_number(t, k);
        fuzz_must(pdi_safe_find(s, t->name) != NULL, "a name that is not found");
        at += t->to - t->from;
    }
    fuzz_must(at == end, "data that no tensor has");
    (void)sum;
}

static void fuzz_again(const pdi_safe *s)
{
    pdi_safe again;
    pdi_text out = {0};
    json_t *facts = json_object_get(s->header, "__metadata__");
    json_t *none = json_object();
    pdr_rc rc = pdi_safe_write(s->n, s->v, facts ? facts : none, &out, NULL);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT, "no second file"); /* escapes lengthen a header */
    if (!rc) {
        fuzz_must(!pdi_safe_read(NULL, "again", out.s, out.n, &again, NULL), "is not read again");
        fuzz_must(again.n == s->n, "other tensors");
        for (size_t i = 0; i < s->n; i++)
            fuzz_must(!memcmp(pdi_safe_find(&again, s->v[i].name)->bytes, s->v[i].bytes,
                              (size_t)(s->v[i].to - s->v[i].from)),
                      "other bytes");
        pdi_safe_close(&again);
    }
    json_decref(none);
    pdi_text_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory m = {.limit = 64 * size + 4096};
    pdr_alloc alloc = {fuzz_alloc, &m};
    pdr_error err = PDR_NO_ERROR;
    pdi_safe s;
    pdr_rc rc = pdi_safe_read(&alloc, "input", data, size, &s, &err);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT, "is neither read nor refused");
    fuzz_must((rc == PDR_OK) == !err.text[0], "an error without words, or words without one");
    fuzz_must(!strpbrk(err.text, "\n\r"), "an error of two lines");
    if (rc) return 0;
    fuzz_tensors(&s, data + size);
    fuzz_again(&s);
    pdi_safe_close(&s);
    return 0;
}
