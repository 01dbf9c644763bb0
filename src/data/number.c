/* data/number.c -- decimal numbers, strictly. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "data/csv.h"

/* A number as it is written: mantissa * 10^exponent. */
typedef struct number_text {
    bool minus;
    uint64_t mantissa; /* of the first digits, up to 19; no double is so exact */
    int digits;        /* of the mantissa, without zeros before it */
    int64_t exponent;
} number_text;

enum { NUMBER_DIGITS = 19, NUMBER_EXPONENT = 100000 };

/* The digits at s; part: each makes the exponent one less. */
static const char *number_digits(const char *s, bool part, number_text *t)
{
    for (; *s >= '0' && *s <= '9'; s++) {
        if (t->digits == NUMBER_DIGITS) continue;
        t->mantissa = t->mantissa * 10 + (uint64_t)(*s - '0');
        t->digits += t->mantissa != 0;
        t->exponent -= part;
    }
    return s;
}

static const char *number_exponent(const char *s, number_text *t)
{
    int64_t x = 0;
    bool minus = *s == '-';
    if (*s == '+' || *s == '-') s++;
    const char *start = s;
    for (; *s >= '0' && *s <= '9'; s++)
        if (x < NUMBER_EXPONENT) x = x * 10 + (*s - '0');
    t->exponent += minus ? -x : x;
    return s == start ? NULL : s;
}

/* Whether s is [+-] digits [. digits] [e [+-] digits], with a digit before e; taken apart. */
static bool number_is_decimal(const char *s, number_text *t)
{
    *t = (number_text){.minus = *s == '-'};
    if (*s == '+' || *s == '-') s++;
    const char *whole = s;
    s = number_digits(s, false, t);
    size_t digits = (size_t)(s - whole);
    if (*s == '.') {
        const char *part = s + 1;
        s = number_digits(part, true, t);
        digits += (size_t)(s - part);
    }
    if (!digits) return false;
    if (*s == 'e' || *s == 'E') s = number_exponent(s + 1, t);
    return s && !*s;
}

/* Both are doubles without error, so that their product or quotient is rounded once, as strtod
 * rounds: Clinger, "How to read floating point numbers accurately", 1990. */
static bool number_is_short(const number_text *t, double *x)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (FLT_EVAL_METHOD != 0 || t->mantissa > (uint64_t)1 << DBL_MANT_DIG || t->exponent < -22 ||
        t->exponent > 22)
        return false;
    double m = t->minus ? -(double)t->mantissa : (double)t->mantissa;
    *x = t->exponent < 0 ? m / ten[-t->exponent] : m * ten[t->exponent];
    return true;
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
    number_text t;
    if (!number_is_decimal(s, &t)) return number_is_word(s) ? PDI_NOT_FINITE : PDI_NOT_NUMBER;
    if (!number_is_short(&t, x)) *x = strtod(s, NULL);
    return isfinite((float)*x) ? PDI_NUMBER : PDI_NOT_FINITE;
}
