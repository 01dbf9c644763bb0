/* fuzz_recipe.c -- any bytes as a recipe.
 *
 * Comment lines "#set path=value" are given as assignments too.  What is refused
 * must be explained in one line; what is read must be written and read back to the same
 * text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../recipe_kinds.h"
#include "base/alloc.h"
#include "recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_SETS = 8, FUZZ_SET_BYTES = 256 };

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_recipe: %s\n", what);
    abort();
}

/* The assignments at the head of the text. */
static size_t fuzz_sets(const char *text, char set[FUZZ_SETS][FUZZ_SET_BYTES])
{
    size_t n = 0;
    while (n < FUZZ_SETS && !strncmp(text, "#set ", 5)) {
        size_t length = strcspn(text, "\n");
        snprintf(set[n++], FUZZ_SET_BYTES, "%.*s", (int)(length - 5), text + 5);
        text += length + (text[length] != 0);
    }
    return n;
}

static void fuzz_round_trip(const pdr_recipe *r)
{
    pdr_recipe again;
    pdr_error err = PDR_NO_ERROR;
    char *text = pdr_recipe_write(r);
    fuzz_must(text != NULL, "nothing was written");
    pdr_rc rc = pdi_recipe_parse(NULL, "fuzz.yaml", text, strlen(text), 0, NULL, kinds_find,
                                 kinds_at, &again, &err);
    fuzz_must(!rc || strlen(text) > PDI_RECIPE_BYTES, err.text);
    char *same = rc ? NULL : pdr_recipe_write(&again);
    fuzz_must(!same || !strcmp(text, same), "what was written reads back differently");
    pdi_free(&pdi_malloc, text);
    pdi_free(&pdi_malloc, same);
    pdr_recipe_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    char set[FUZZ_SETS][FUZZ_SET_BYTES];
    const char *sets[FUZZ_SETS];
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    size_t n = fuzz_sets(text, set);
    for (size_t i = 0; i < n; i++) sets[i] = set[i];
    pdr_rc rc = pdi_recipe_parse(NULL, "fuzz.yaml", text, size, n, sets, kinds_find, kinds_at, &r,
                                 &err);
    fuzz_must(!rc == !*err.text && !strchr(err.text, '\n'), "a refusal is one line of text");
    fuzz_must(!rc || rc == PDR_INPUT, "only the input can be at fault");
    if (!rc) fuzz_round_trip(&r);
    pdr_recipe_close(&r);
    free(text);
    return 0;
}
