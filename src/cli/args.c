/* cli/args.c -- the command line, read through one table a command. */
#include "cli/args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "recipe/words.h"

static const pdi_flag *args_find(const pdi_flag *table, const char *name, size_t n)
{
    for (; table->name; table++)
        if (strlen(table->name) == n && !memcmp(table->name, name, n)) return table;
    return NULL;
}

static pdr_rc args_unknown(const pdi_flag *table, const char *name, size_t n, pdr_error *err)
{
    char wrong[64];
    pdi_words right = {0};
    snprintf(wrong, sizeof wrong, "%.*s", (int)n, name);
    for (; table->name; table++)
        if (table->help) pdi_words_add(&right, table->name);
    pdi_words_add(&right, "help");
    const char *near = pdi_words_nearest(&right, wrong);
    return pdi_fail(err, PDR_USAGE, "--%s: there is no such option%s%s%s", wrong,
                    near ? "; did you mean '--" : "; see --help", near ? near : "",
                    near ? "'?" : "");
}

/* One flag at argv[*i]; its value may be the next argument. */
static pdr_rc args_flag(pdi_args *a, const pdi_flag *table, int argc, const char *const argv[],
                        int *i, pdr_error *err)
{
    const char *name = argv[*i] + 2, *value = strchr(name, '=');
    size_t n = value ? (size_t)(value - name) : strlen(name);
    const pdi_flag *flag = args_find(table, name, n);
    if (!flag) return args_unknown(table, name, n, err);
    if (value && !flag->value)
        return pdi_fail(err, PDR_USAGE, "--%s: the option takes no value", flag->name);
    bool has_next = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0;
    if (flag->value && !value && !has_next)
        return pdi_fail(err, PDR_USAGE, "--%s: the value is missing; give --%s %s", flag->name,
                        flag->name, flag->value);
    const char *given = value ? value + 1 : flag->value ? argv[++*i] : "";
    a->flag[a->flags++] = (pdi_given){flag, given};
    return PDR_OK;
}

static pdr_rc args_read(pdi_args *a, const pdi_flag *table, int argc, const char *const argv[],
                        pdr_error *err)
{
    bool is_open = true; /* until `--` */
    for (int i = 0; i < argc; i++) {
        bool is_flag = is_open && argv[i][0] == '-' && argv[i][1];
        pdr_rc rc = PDR_OK;
        if (is_flag && !strcmp(argv[i], "--"))
            is_open = false;
        else if (!is_flag)
            a->operand[a->operands++] = argv[i];
        else if (argv[i][1] == '-')
            rc = args_flag(a, table, argc, argv, &i, err);
        else
            rc = pdi_fail(err, PDR_USAGE,
                          "%.60s: options begin with two dashes; see --help, or write -- before a "
                          "name that begins with a dash",
                          argv[i]);
        if (rc) return rc;
    }
    return PDR_OK;
}

pdr_rc pdi_args_parse(const pdr_alloc *alloc, const pdi_flag *table, int argc,
                      const char *const argv[], pdi_args *out, pdr_error *err)
{
    *out = (pdi_args){.alloc = pdi_alloc_or_default(alloc)};
    out->operand = pdi_new(out->alloc, (size_t)argc, sizeof *out->operand);
    out->flag = pdi_new(out->alloc, (size_t)argc, sizeof *out->flag);
    pdr_rc rc = out->operand && out->flag ? PDR_OK : pdi_nomem(err);
    if (!rc) rc = args_read(out, table, argc, argv, err);
    if (rc) pdi_args_close(out);
    return rc;
}

void pdi_args_close(pdi_args *a)
{
    if (!a->alloc) return;
    pdi_free(a->alloc, a->operand);
    pdi_free(a->alloc, a->flag);
    *a = (pdi_args){0};
}

const char *pdi_args_next(const pdi_args *a, const char *name, size_t *at)
{
    while (*at < a->flags) {
        const pdi_given *g = &a->flag[(*at)++];
        if (!strcmp(g->flag->name, name)) return g->value;
    }
    return NULL;
}

const char *pdi_args_get(const pdi_args *a, const char *name)
{
    const char *found = NULL, *value;
    for (size_t at = 0; (value = pdi_args_next(a, name, &at)) != NULL;) found = value;
    return found;
}

/* Digits at *s, which moves behind them; false for none or for too many. */
static bool args_digits(const char **s, uint64_t *out)
{
    const char *start = *s;
    uint64_t x = 0;
    for (; **s >= '0' && **s <= '9'; ++*s) {
        uint64_t digit = (uint64_t)(**s - '0');
        if (x > (UINT64_MAX - digit) / 10) return false;
        x = x * 10 + digit;
    }
    *out = x;
    return *s > start;
}

pdr_rc pdi_args_count(const pdi_args *a, const char *name, uint64_t lo, uint64_t hi, uint64_t *out,
                      pdr_error *err)
{
    const char *value = pdi_args_get(a, name), *s = value;
    uint64_t x;
    if (!value) return PDR_OK;
    if (!args_digits(&s, &x) || *s || x < lo || x > hi)
        return pdi_fail(err, PDR_USAGE,
                        "--%s: '%.40s' is not usable; give a whole number from %" PRIu64
                        " to %" PRIu64,
                        name, value, lo, hi);
    *out = x;
    return PDR_OK;
}

pdr_rc pdi_args_range(const pdi_args *a, const char *name, uint64_t lo, uint64_t hi, uint64_t *from,
                      uint64_t *to, pdr_error *err)
{
    const char *value = pdi_args_get(a, name), *s = value;
    uint64_t x, y;
    if (!value) return PDR_OK;
    bool is_read = args_digits(&s, &x);
    y = x;
    if (is_read && !strncmp(s, "..", 2)) {
        s += 2;
        is_read = args_digits(&s, &y);
    }
    if (!is_read || *s || x < lo || y > hi || x > y)
        return pdi_fail(err, PDR_USAGE,
                        "--%s: '%.40s' is not usable; give A..B, whole numbers from %" PRIu64
                        " to %" PRIu64 ", the smaller first",
                        name, value, lo, hi);
    *from = x;
    *to = y;
    return PDR_OK;
}

pdr_rc pdi_args_operands(const pdi_args *a, size_t least, size_t most, const char *what,
                         pdr_error *err)
{
    if (a->operands < least) return pdi_fail(err, PDR_USAGE, "%s is missing; see --help", what);
    if (a->operands > most)
        return pdi_fail(err, PDR_USAGE, "'%.60s' is one operand too many; see --help",
                        a->operand[most]);
    return PDR_OK;
}
