/* data/show.c -- foreign text inside a one-line message. */
#include "data/show.h"

#include <stdio.h>
#include <string.h>

/* Bytes of the printable UTF-8 character at s, or 0 when it is none.  Overlong
 * forms and surrogates pass: they do no harm in a message. */
static size_t show_char(const unsigned char *s)
{
    if (s[0] < 0x80) return s[0] >= 0x20 && s[0] != 0x7f;
    size_t n = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] >= 0xf8 || (s[0] == 0xc2 && s[1] < 0xa0)) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

const char *pdi_show(char out[PDI_SHOW], const char *s)
{
    size_t at = 0;
    while (*s) {
        size_t n = show_char((const unsigned char *)s), width = n ? n : 4;
        if (at + width + sizeof "..." > PDI_SHOW) {
            memcpy(out + at, "...", 3);
            at += 3;
            break;
        }
        if (n)
            memcpy(out + at, s, n);
        else
            snprintf(out + at, 5, "\\x%02x", (unsigned)(unsigned char)*s);
        at += width;
        s += n ? n : 1;
    }
    out[at] = 0;
    return out;
}
