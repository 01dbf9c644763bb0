/* html_check.c -- a strict reader of pages. */
#include "html_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { HTML_DEPTH = 64, HTML_NAME = 32 };

typedef struct html {
    const char *start, *s;
    char open[HTML_DEPTH][HTML_NAME];
    size_t depth;
    char *why; /* T_HTML_WHY */
} html;

static bool html_fail(html *h, const char *what)
{
    snprintf(h->why, T_HTML_WHY, "%s at byte %td: %.60s", what, h->s - h->start, h->s);
    return false;
}

static bool html_name(html *h, char name[HTML_NAME])
{
    size_t n = strspn(h->s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (!n || n >= HTML_NAME) return html_fail(h, "no name");
    memcpy(name, h->s, n);
    name[n] = 0;
    h->s += n;
    return true;
}

/* Text up to the character end, which is not consumed. */
static bool html_text(html *h, char end)
{
    for (; *h->s && *h->s != end; h->s++) {
        unsigned char c = (unsigned char)*h->s;
        size_t n = strcspn(h->s, ";");
        bool is_entity = h->s[n] && n > 2 && n < 7 &&
                         (h->s[1] == '#' || isalpha((unsigned char)h->s[1]));
        if (c == '<' || c == '>') return html_fail(h, "bare bracket");
        if (c == '&' && !is_entity) return html_fail(h, "bare ampersand");
        if (c < 0x20 && c != '\n' && c != '\t') return html_fail(h, "control character");
        size_t size;
        (void)pdi_utf8_at(h->s, &size);
        if (!size && (c & 0xC0) != 0x80) return html_fail(h, "not UTF-8");
    }
    return true;
}

/* Attributes up to > or />. */
static bool html_attributes(html *h)
{
    char seen[16][HTML_NAME];
    size_t n = 0;
    while (*h->s == ' ') {
        h->s++;
        if (n == 16 || !html_name(h, seen[n])) return html_fail(h, "bad attribute");
        for (size_t k = 0; k < n; k++)
            if (!strcmp(seen[k], seen[n])) return html_fail(h, "attribute given twice");
        if (!strncmp(seen[n], "on", 2) || !strcmp(seen[n], "src") || !strcmp(seen[n], "href"))
            return html_fail(h, "attribute that fetches or runs something");
        if (strncmp(h->s, "=\"", 2) != 0) return html_fail(h, "value without quotes");
        h->s += 2;
        if (!html_text(h, '"') || !*h->s) return false;
        h->s++;
        n++;
    }
    return true;
}

static bool html_close(html *h)
{
    char name[HTML_NAME];
    h->s += 2;
    if (!html_name(h, name)) return false;
    if (!h->depth || strcmp(name, h->open[h->depth - 1]) != 0) return html_fail(h, "wrong end tag");
    h->depth--;
    return *h->s == '>' ? (h->s++, true) : html_fail(h, "bad end tag");
}

static bool html_is_banned(const char *name)
{
    return !strcmp(name, "script") || !strcmp(name, "link") || !strcmp(name, "img") ||
           !strcmp(name, "iframe") || !strcmp(name, "a") || !strcmp(name, "image");
}

static bool html_open(html *h)
{
    if (h->depth == HTML_DEPTH) return html_fail(h, "too deep");
    h->s++;
    char *name = h->open[h->depth++];
    if (!html_name(h, name)) return false;
    if (html_is_banned(name)) return html_fail(h, "element that fetches or runs something");
    if (!html_attributes(h)) return false;
    if (!strncmp(h->s, "/>", 2)) {
        h->depth--;
        h->s += 2;
        return true;
    }
    return *h->s == '>' ? (h->s++, true) : html_fail(h, "bad tag");
}

bool t_html_check(const char *page, char why[T_HTML_WHY])
{
    const char *doctype = "<!doctype html>\n";
    html reader = {.start = page, .s = page, .why = why}, *h = &reader;
    why[0] = 0;
    if (strncmp(page, doctype, strlen(doctype)) != 0) return html_fail(h, "no doctype");
    for (h->s += strlen(doctype); *h->s;) {
        bool ok = *h->s != '<' ? html_text(h, '<') : h->s[1] == '/' ? html_close(h) : html_open(h);
        if (!ok) return false;
    }
    return h->depth ? html_fail(h, "an element is not closed") : true;
}
