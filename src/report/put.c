/* report/put.c -- appending to a page: text made safe, numbers made readable. */
#include "report/put.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define PUT_UNKNOWN "\xEF\xBF\xBD" /* U+FFFD, replacement character */
#define PUT_MINUS   "\xE2\x88\x92" /* U+2212, minus sign */
#define PUT_DASH    "\xE2\x80\x93" /* U+2013, en dash */
#define PUT_DOTS    "\xE2\x80\xA6" /* U+2026, ellipsis */
#define PUT_THIN    "\xE2\x80\xAF" /* U+202F, narrow no-break space */

size_t pdi_utf8_count(const char *s, size_t max)
{
    size_t n = 0;
    for (size_t size; *s && n < max; s += size ? size : 1, n++) (void)pdi_utf8_at(s, &size);
    return n;
}

void pdi_put(pdi_text *t, const char *markup) { pdi_text_bytes(t, markup, strlen(markup)); }

void pdi_put_utf8(pdi_text *t, const char *s)
{
    for (size_t size; s && *s; s += size ? size : 1) {
        (void)pdi_utf8_at(s, &size);
        pdi_text_bytes(t, size ? s : PUT_UNKNOWN, size ? size : 3);
    }
}

/* One character of safe text; its size in s. */
static size_t put_one(pdi_text *t, const char *s)
{
    size_t size;
    uint32_t c = pdi_utf8_at(s, &size);
    switch (*s) {
    case '&': pdi_put(t, "&amp;"); return 1;
    case '<': pdi_put(t, "&lt;"); return 1;
    case '>': pdi_put(t, "&gt;"); return 1;
    case '"': pdi_put(t, "&quot;"); return 1;
    case '\'': pdi_put(t, "&#39;"); return 1;
    case '\n':
    case '\t': pdi_text_bytes(t, s, 1); return 1;
    default: break;
    }
    /* C0 and C1 controls and DEL mean nothing in HTML. */
    bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    if (!size || is_control)
        pdi_put(t, PUT_UNKNOWN);
    else
        pdi_text_bytes(t, s, size);
    return size ? size : 1;
}

void pdi_put_safe(pdi_text *t, const char *s)
{
    while (s && *s) s += put_one(t, s);
}

void pdi_put_cut(pdi_text *t, const char *s, size_t max)
{
    if (!s) return;
    bool is_long = pdi_utf8_count(s, max + 1) > max;
    for (size_t n = 0; *s && n < max - is_long; n++) s += put_one(t, s);
    if (is_long) pdi_put(t, PUT_DOTS);
}

/* Append what printf made of a finite number, with '.' for the locale's point.  Numbers
 * are short: the callers keep them below 1e9 or use an exponent. */
static void put_digits(pdi_text *t, const char *s, const char *minus)
{
    for (bool in_point = false; *s; s++) {
        bool is_plain = (*s >= '0' && *s <= '9') || *s == 'e' || *s == '+';
        if (*s == '-')
            pdi_put(t, minus);
        else if (is_plain)
            pdi_text_bytes(t, s, 1);
        else if (!in_point)
            pdi_put(t, ".");
        in_point = !is_plain && *s != '-';
    }
}

void pdi_put_xy(pdi_text *t, double x)
{
    char s[32];
    x = isnan(x) ? 0 : fmin(fmax(x, -100000), 100000);
    snprintf(s, sizeof s, "%.2f", x + 0.0); /* no "-0.00" from -0 */
    put_digits(t, s, "-");
}

void pdi_put_number(pdi_text *t, int decimals, double x)
{
    char s[64];
    if (!isfinite(x)) {
        pdi_put(t, PUT_DASH);
        return;
    }
    if (fabs(x) < 0.5 * pow(10, -decimals)) x = 0; /* no minus before a zero */
    snprintf(s, sizeof s, fabs(x) < 1e9 ? "%.*f" : "%.*e", decimals, x);
    put_digits(t, s, PUT_MINUS);
}

void pdi_put_short(pdi_text *t, int digits, double x)
{
    char s[64];
    if (!isfinite(x)) {
        pdi_put(t, PUT_DASH);
        return;
    }
    snprintf(s, sizeof s, "%.*g", digits, x + 0.0);
    put_digits(t, s, PUT_MINUS);
}

void pdi_put_count(pdi_text *t, uint64_t n)
{
    char s[32];
    int size = snprintf(s, sizeof s, "%" PRIu64, n);
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0 && size > 4) pdi_put(t, PUT_THIN);
        pdi_text_bytes(t, s + i, 1);
    }
}

void pdi_put_duration(pdi_text *t, double seconds)
{
    if (!isfinite(seconds) || seconds < 99.95) {
        pdi_put_number(t, seconds < 9.995 ? 2 : 1, seconds);
        pdi_put(t, PUT_THIN "s");
        return;
    }
    uint64_t whole = (uint64_t)fmin(seconds + 0.5, 1e15);
    uint64_t big = whole < 3600 ? whole / 60 : whole / 3600;
    uint64_t rest = whole < 3600 ? whole % 60 : whole % 3600 / 60;
    pdi_put_count(t, big);
    pdi_text_add(t,
                 whole < 3600 ? PUT_THIN "min %02d" PUT_THIN "s" : PUT_THIN "h %02d" PUT_THIN "min",
                 (int)rest);
}

void pdi_put_bytes(pdi_text *t, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double x = (double)bytes;
    size_t k = 0;
    for (; x >= 999.5 && k + 1 < sizeof units / sizeof units[0]; k++) x /= 1000;
    pdi_put_number(t, k && x < 99.95 ? 1 : 0, x);
    pdi_put(t, PUT_THIN);
    pdi_put(t, units[k]);
}

void pdi_put_score(pdi_text *t, bool is_percent, double x)
{
    pdi_put_number(t, is_percent ? 1 : 3, is_percent ? 100 * x : x);
}
