/* base/utf8.h -- reading UTF-8 one character at a time. */
#ifndef PDI_BASE_UTF8_H
#define PDI_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at s (NUL-terminated) and its length in bytes; length 0 where
 * the bytes are not UTF-8. */
uint32_t pdi_utf8_at(const char *s, size_t *length);

bool pdi_utf8_valid(const char *s);

/* How many characters s has; a byte that is not UTF-8 counts as one. */
size_t pdi_utf8_length(const char *s);

#endif
