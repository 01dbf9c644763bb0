/* report/put.h -- appending to a page: text made safe, numbers made readable.
 *
 * Nothing that a user, a file or a machine chose reaches a page but through
 * pdi_put_safe() or pdi_put_cut().  Numbers do not depend on the locale. */
#ifndef PDI_REPORT_PUT_H
#define PDI_REPORT_PUT_H

#include <stdint.h>

#include "base/text.h"

/* s with every byte that is not UTF-8 replaced by U+FFFD.  NULL stands for "". */
void pdi_put_utf8(pdi_text *t, const char *s);

/* Markup, as it is. */
void pdi_put(pdi_text *t, const char *markup);

/* s as text or as an attribute's value.  What could break out of either is escaped;
 * control characters but newline and tab, and bytes that are not UTF-8, are U+FFFD. */
void pdi_put_safe(pdi_text *t, const char *s);

/* The same, cut to max characters (the last one an ellipsis). */
void pdi_put_cut(pdi_text *t, const char *s, size_t max);

/* The characters of s, at most max. */
size_t pdi_utf8_count(const char *s, size_t max);

/* x for a coordinate: ASCII, two decimals, forced into +-100000; 0 for NaN. */
void pdi_put_xy(pdi_text *t, double x);

/* x for people: a real minus sign, a dash when it is not finite, and an exponent when it
 * is too large for its place. */
void pdi_put_number(pdi_text *t, int decimals, double x);

/* The same with significant digits in place of decimals: an axis. */
void pdi_put_short(pdi_text *t, int digits, double x);

/* 1234567 as 1 234 567 (thin spaces). */
void pdi_put_count(pdi_text *t, uint64_t n);

/* "0.41 s", "12.3 s", "4 min 05 s", "2 h 10 min". */
void pdi_put_duration(pdi_text *t, double seconds);

/* "38.2 MB" (powers of ten). */
void pdi_put_bytes(pdi_text *t, uint64_t bytes);

/* A score in its customary unit: accuracy in per cent with one decimal (without the
 * sign), anything else with three decimals. */
void pdi_put_score(pdi_text *t, bool is_percent, double x);

#endif
