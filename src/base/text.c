/* base/text.c -- a string that grows. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool text_room(pdi_text *t, size_t more)
{
    if (t->failed) return false;
    t->alloc = pdi_alloc_or_default(t->alloc);
    if (t->n + more + 1 <= t->cap) return true;
    size_t cap = t->cap ? t->cap : 64;
    while (cap < t->n + more + 1) cap *= 2;
    char *s = pdi_resize(t->alloc, t->s, cap, 1);
    t->failed = !s;
    if (s) {
        t->s = s;
        t->cap = cap;
    }
    return s != NULL;
}

void pdi_text_bytes(pdi_text *t, const char *s, size_t n)
{
    if (!text_room(t, n)) return;
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = 0;
}

void pdi_text_add(pdi_text *t, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && text_room(t, (size_t)n)) {
        vsnprintf(t->s + t->n, (size_t)n + 1, fmt, again);
        t->n += (size_t)n;
    }
    va_end(again);
}

/* What parts cells, whichever sign does, and blanks at the ends, which a reader takes off. */
static bool text_needs_quotes(const char *s)
{
    size_t n = strlen(s);
    return strpbrk(s, ",;\t\"\n\r") || (n && (s[0] == ' ' || s[n - 1] == ' '));
}

void pdi_text_cell(pdi_text *t, const char *s)
{
    bool quoted = text_needs_quotes(s);
    if (quoted) pdi_text_bytes(t, "\"", 1);
    for (; *s; s++) {
        if (*s == '"') pdi_text_bytes(t, "\"", 1);
        pdi_text_bytes(t, s, 1);
    }
    if (quoted) pdi_text_bytes(t, "\"", 1);
}

char *pdi_text_take(pdi_text *t)
{
    if (!t->s) pdi_text_bytes(t, "", 0);
    char *s = t->failed ? NULL : t->s;
    if (!s) pdi_text_close(t);
    *t = (pdi_text){.alloc = t->alloc};
    return s;
}

void pdi_text_close(pdi_text *t)
{
    if (t->alloc) pdi_free(t->alloc, t->s);
    *t = (pdi_text){.alloc = t->alloc};
}
