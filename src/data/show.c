/* data/show.c -- foreign text inside a one-line message. */
#include "data/show.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Bytes of the printable character at s, or 0 when it is none. */
static size_t show_char(const char *s)
{
    size_t n;
    uint32_t c = pdi_utf8_at(s, &n);
    return c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0 : n;
}

const char *pdi_show(char out[PDI_SHOW], const char *s)
{
    size_t at = 0;
    while (*s) {
        size_t n = show_char(s), width = n ? n : 4;
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
