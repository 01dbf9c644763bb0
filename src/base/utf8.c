/* base/utf8.c -- reading UTF-8 one character at a time (RFC 3629). */
#include "base/utf8.h"

uint32_t pdi_utf8_at(const char *s, size_t *length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    *length = 0;
    if (n == 0 || p[0] > 0xF4) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (c < least[n] || c > 0x10FFFF || is_surrogate) return 0;
    *length = n;
    return c;
}

bool pdi_utf8_valid(const char *s)
{
    size_t n = 1;
    for (; *s && n; s += n) (void)pdi_utf8_at(s, &n);
    return n > 0;
}

size_t pdi_utf8_length(const char *s)
{
    size_t count = 0, n;
    for (; *s; s += n ? n : 1, count++) (void)pdi_utf8_at(s, &n);
    return count;
}
