/* data/number.c -- decimal numbers, strictly. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "data/csv.h"

static const char *number_digits(const char *s)
{
    while (*s >= '0' && *s <= '9') s++;
    return s;
}

/* Whether s is [+-] digits [. digits] [e [+-] digits], with a digit before e. */
static bool number_is_decimal(const char *s)
{
    if (*s == '+' || *s == '-') s++;
    const char *whole = s;
    s = number_digits(s);
    size_t digits = (size_t)(s - whole);
    if (*s == '.') {
        const char *part = s + 1;
        s = number_digits(part);
        digits += (size_t)(s - part);
    }
    if (!digits) return false;
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '+' || s[1] == '-' ? 2 : 1;
        const char *exponent = s;
        s = number_digits(s);
        if (s == exponent) return false;
    }
    return !*s;
}

static bool number_is_word(const char *s)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    if (*s == '+' || *s == '-') s++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcasecmp(s, words[i])) return true;
    return false;
}

pdi_number_rc pdi_number(const char *s, double *x)
{
    if (!number_is_decimal(s)) return number_is_word(s) ? PDI_NOT_FINITE : PDI_NOT_NUMBER;
    *x = strtod(s, NULL);
    return isfinite((float)*x) ? PDI_NUMBER : PDI_NOT_FINITE;
}
