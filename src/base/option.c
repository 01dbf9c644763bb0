/* base/option.c -- reading and writing fields through a table. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <perdure/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define FIELD(type, self, row)    ((type *)(void *)((char *)(self) + (row)->at))
#define FIELD_OF(type, self, row) ((type const *)(const void *)((const char *)(self) + (row)->at))

void pdr_option_defaults(const pdr_option *table, void *self)
{
    for (const pdr_option *row = table; row->name; row++) switch (row->type) {
        case PDR_REAL: *FIELD(double, self, row) = row->def; break;
        case PDR_COUNT: *FIELD(int64_t, self, row) = (int64_t)row->def; break;
        case PDR_FLAG: *FIELD(bool, self, row) = row->def > 0; break;
        case PDR_CHOICE: *FIELD(int, self, row) = (int)row->def; break;
        case PDR_TEXT: *FIELD(const char *, self, row) = row->text; break;
        }
}

const pdr_option *pdr_option_find(const pdr_option *table, const char *name)
{
    for (const pdr_option *row = table; row->name; row++)
        if (!strcmp(row->name, name)) return row;
    return NULL;
}

static pdr_rc option_range(const pdr_option *row, const char *value, pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT, "%s: %s is out of range; give %.10g to %.10g", row->name, value,
                    row->lo, row->hi);
}

static pdr_rc option_real(const pdr_option *row, void *self, const char *value, pdr_error *err)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end)
        return pdi_fail(err, PDR_INPUT, "%s: '%s' is not a number; give %.10g to %.10g", row->name,
                        value, row->lo, row->hi);
    if (!(x >= row->lo && x <= row->hi)) return option_range(row, value, err);
    *FIELD(double, self, row) = x;
    return PDR_OK;
}

static pdr_rc option_count(const pdr_option *row, void *self, const char *value, pdr_error *err)
{
    char *end;
    double x = strtod(value, &end); /* so that 1e6 and 2000 both read */
    if (end == value || *end || x != floor(x) || fabs(x) > 9007199254740992.0)
        return pdi_fail(err, PDR_INPUT, "%s: '%s' is not a whole number; give %.10g to %.10g",
                        row->name, value, row->lo, row->hi);
    if (!(x >= row->lo && x <= row->hi)) return option_range(row, value, err);
    *FIELD(int64_t, self, row) = (int64_t)x;
    return PDR_OK;
}

static pdr_rc option_flag(const pdr_option *row, void *self, const char *value, pdr_error *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i], value)) {
            *FIELD(bool, self, row) = i & 1;
            return PDR_OK;
        }
    return pdi_fail(err, PDR_INPUT, "%s: '%s' is neither true nor false; give one of them",
                    row->name, value);
}

static pdr_rc option_choice(const pdr_option *row, void *self, const char *value, pdr_error *err)
{
    char all[PDR_OPTION_TEXT_MAX] = "";
    size_t n = 0;
    for (int i = 0; row->choices[i]; i++) {
        if (!strcmp(row->choices[i], value)) {
            *FIELD(int, self, row) = i;
            return PDR_OK;
        }
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, i ? ", %s" : "%s", row->choices[i]);
    }
    return pdi_fail(err, PDR_INPUT, "%s: there is no '%s'; choose from %s", row->name, value, all);
}

pdr_rc pdr_option_set(const pdr_option *row, void *self, const char *value, pdr_error *err)
{
    switch (row->type) {
    case PDR_REAL: return option_real(row, self, value, err);
    case PDR_COUNT: return option_count(row, self, value, err);
    case PDR_FLAG: return option_flag(row, self, value, err);
    case PDR_CHOICE: return option_choice(row, self, value, err);
    case PDR_TEXT: *FIELD(const char *, self, row) = value; return PDR_OK;
    }
    return pdi_fail(err, PDR_INTERNAL, "%s: an option of unknown type", row->name);
}

/* The shortest of the usual forms that reads back as x. */
static void option_put_real(double x, char text[PDR_OPTION_TEXT_MAX])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, PDR_OPTION_TEXT_MAX, "%.*g", digits, x);
        if (strtod(text, NULL) == x) return;
    }
}

void pdr_option_get(const pdr_option *row, const void *self, char text[PDR_OPTION_TEXT_MAX])
{
    const char *s = "";
    text[0] = 0;
    switch (row->type) {
    case PDR_REAL: option_put_real(*FIELD_OF(double, self, row), text); return;
    case PDR_COUNT:
        snprintf(text, PDR_OPTION_TEXT_MAX, "%" PRId64, *FIELD_OF(int64_t, self, row));
        return;
    case PDR_FLAG: s = *FIELD_OF(bool, self, row) ? "true" : "false"; break;
    case PDR_CHOICE: s = row->choices[*FIELD_OF(int, self, row)]; break;
    case PDR_TEXT: s = *FIELD_OF(const char *, self, row); break;
    }
    snprintf(text, PDR_OPTION_TEXT_MAX, "%s", s ? s : "");
}
