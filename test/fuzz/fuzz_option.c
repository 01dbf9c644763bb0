/* fuzz/fuzz_option.c -- any text as an option's value.
 *
 * The first byte picks the option, the rest is the value.  What is refused leaves the
 * field as it was and is explained in one line; what is taken reads back the same. */
#include <perdure/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct sample {
    double rate;
    int64_t count;
    bool flag;
    int choice;
} sample;

static const char *const choices[] = {"first", "second", NULL};
static const pdr_option table[] = {
    PDR_OPTION_REAL(sample, rate, 0.5, -1e300, 1e300, "a rate"),
    PDR_OPTION_COUNT(sample, count, 10, -1e15, 1e15, "a count"),
    PDR_OPTION_FLAG(sample, flag, true, "a flag"),
    PDR_OPTION_CHOICE(sample, choice, choices, 1, "a choice"),
    PDR_OPTION_END,
};

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_option: %s\n", what);
    abort();
}

static void fuzz_value(const pdr_option *row, const char *value)
{
    sample s, before, again;
    pdr_error err = PDR_NO_ERROR;
    char text[PDR_OPTION_TEXT_MAX];
    memset(&s, 0, sizeof s);
    pdr_option_defaults(table, &s);
    memcpy(&before, &s, sizeof s);
    memcpy(&again, &s, sizeof s);
    if (pdr_option_set(row, &s, value, &err)) {
        fuzz_must(!memcmp(&s, &before, sizeof s), "a refused value changed the field");
        fuzz_must(*err.text && !strpbrk(err.text, "\n\r"), "a refusal is one line of text");
        return;
    }
    pdr_option_get(row, &s, text);
    fuzz_must(!pdr_option_set(row, &again, text, &err), "what was written is refused");
    fuzz_must(!memcmp(&s, &again, sizeof s), "what was written reads back differently");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t rows = sizeof table / sizeof table[0] - 1;
    char *value = size ? malloc(size) : NULL;
    if (!value) return 0;
    memcpy(value, data + 1, size - 1);
    value[size - 1] = 0;
    fuzz_value(&table[data[0] % rows], value);
    free(value);
    return 0;
}
