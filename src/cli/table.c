/* cli/table.c -- aligned columns of text. */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { TABLE_GAP = 2, TABLE_WRAPPED = 24, TABLE_BELOW = 4 };

void pdi_table_add(pdi_table *t, const char *fmt, ...)
{
    char cell[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cell, sizeof cell, fmt, ap);
    va_end(ap);
    pdi_text_bytes(&t->cells, cell, strlen(cell) + 1);
    t->bold.alloc = t->cells.alloc;
    pdi_text_bytes(&t->bold, "-", 1);
    t->n++;
}

void pdi_table_embolden(pdi_table *t)
{
    if (t->bold.n && !t->bold.failed) t->bold.s[t->bold.n - 1] = 'b';
}

static void table_spaces(pdi_text *out, size_t n) { pdi_text_add(out, "%*s", (int)n, ""); }

/* Bytes of text that make up to width characters and end at a word's end; at
 * least one word, however long. */
static size_t table_line(const char *text, size_t width)
{
    size_t best = 0, at = 0, characters = 0;
    while (text[at]) {
        size_t word = strcspn(text + at, " ");
        char piece[1024];
        snprintf(piece, sizeof piece, "%.*s", (int)word, text + at);
        characters += pdi_utf8_length(piece);
        if (best && characters > width) return best;
        best = at + word;
        at = best + strspn(text + best, " ");
        characters += at - best;
    }
    return best;
}

void pdi_table_wrap(const char *text, size_t at, size_t width, pdi_text *out)
{
    size_t room = width > at + TABLE_WRAPPED ? width - at : TABLE_WRAPPED;
    while (*text) {
        size_t n = table_line(text, room);
        pdi_text_bytes(out, text, n);
        text += n;
        text += strspn(text, " ");
        if (!*text) return;
        pdi_text_add(out, "\n");
        table_spaces(out, at);
    }
}

/* How a table is laid out. */
typedef struct table_shape {
    size_t columns, widest[PDI_TABLE_COLUMNS];
    size_t wrap_at, width; /* where the wrapped column begins; of a line */
    bool is_below;         /* the wrapped column stands below the row */
} table_shape;

static table_shape table_measure(const pdi_table *t, const char *indent, size_t width)
{
    table_shape s = {.columns = strlen(t->align), .width = width, .wrap_at = strlen(indent)};
    const char *cell = t->cells.s;
    for (size_t i = 0; i < t->n; i++, cell += strlen(cell) + 1) {
        size_t n = pdi_utf8_length(cell), c = i % s.columns;
        if (n > s.widest[c]) s.widest[c] = n;
    }
    for (size_t c = 0; c + 1 < s.columns; c++) s.wrap_at += s.widest[c] + TABLE_GAP;
    s.is_below = s.wrap_at + TABLE_WRAPPED > width;
    if (s.is_below) s.wrap_at = strlen(indent) + TABLE_BELOW;
    return s;
}

/* Drop what stands at the end of a line only to align what does not follow. */
static void table_trim(pdi_text *out)
{
    while (out->n && out->s[out->n - 1] == ' ') out->s[--out->n] = 0;
}

static void table_wrapped(const table_shape *s, const char *cell, pdi_text *out)
{
    if (s->is_below && *cell) {
        table_trim(out);
        pdi_text_add(out, "\n");
        table_spaces(out, s->wrap_at);
    }
    pdi_table_wrap(cell, s->wrap_at, s->width, out);
}

static void table_cell(const pdi_table *t, const table_shape *s, size_t i, const char *cell,
                       pdi_text *out)
{
    size_t c = i % s->columns;
    size_t pad = s->widest[c] - pdi_utf8_length(cell);
    if (t->align[c] == 'w') {
        table_wrapped(s, cell, out);
        return;
    }
    if (t->align[c] == 'r') table_spaces(out, pad);
    pdi_text_add(out, t->bold.s[i] == 'b' ? "\033[1m%s\033[0m" : "%s", cell);
    if (t->align[c] == 'l') table_spaces(out, pad);
    table_spaces(out, TABLE_GAP);
}

static void table_rows(const pdi_table *t, const char *indent, size_t width, pdi_text *out)
{
    table_shape s = table_measure(t, indent, width);
    const char *cell = t->cells.s;
    for (size_t i = 0; i < t->n; i++, cell += strlen(cell) + 1) {
        size_t c = i % s.columns;
        if (c == 0) pdi_text_add(out, "%s", indent);
        table_cell(t, &s, i, cell, out);
        if (c + 1 < s.columns) continue;
        table_trim(out);
        pdi_text_add(out, "\n");
    }
}

void pdi_table_write(pdi_table *t, const char *indent, size_t width, pdi_text *out)
{
    if (t->cells.failed || t->bold.failed)
        out->failed = true;
    else if (t->n)
        table_rows(t, indent, width, out);
    pdi_text_close(&t->cells);
    pdi_text_close(&t->bold);
    t->n = 0;
}
