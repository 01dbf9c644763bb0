/* data/scan.c -- records of CSV or TSV, as RFC 4180 has them.
 *
 * A record is first gathered, up to the line end that is not inside quotes, then
 * split in place: unquoting only ever shortens.  A quote opens a cell or is
 * an error, so a stray one cannot swallow the rest of the file. */
#include <inttypes.h>
#include <string.h>

#include "data/csv.h"

static const char scan_separators[] = {'\t', ',', ';'};

static bool scan_is_separator(const pdi_csv *c, char ch)
{
    return c->sep ? ch == c->sep : ch && memchr(scan_separators, ch, sizeof scan_separators);
}

/* Room for n more bytes, and the NUL after the last cell. */
static pdr_rc scan_room(pdi_csv *c, size_t n, pdr_error *err)
{
    if (c->n + n > PDI_CSV_LINE)
        return pdi_fail(err, PDR_INPUT,
                        "%s:%" PRIu64 ": a row of more than 1 MiB; is a quote not closed?",
                        c->r->name, c->first);
    size_t cap = c->cap ? c->cap : 256;
    while (cap < c->n + n + 1) cap *= 2;
    if (cap == c->cap) return PDR_OK;
    char *text = pdi_resize(c->alloc, c->text, cap, 1);
    if (!text) return pdi_nomem(err);
    c->text = text;
    c->cap = cap;
    return PDR_OK;
}

/* What is ready and cannot end the record or begin or end a quote, at once; how many bytes. */
static pdr_rc scan_run(pdi_csv *c, size_t *n, pdr_error *err)
{
    const uint8_t *p = c->r->p, *q = p, *end = c->r->end;
    while (q < end && *q != '\n' && *q != '"' && *q) q++;
    *n = (size_t)(q - p);
    if (!*n) return PDR_OK;
    pdr_rc rc = scan_room(c, *n, err);
    if (rc) return rc;
    memcpy(c->text + c->n, p, *n);
    c->n += *n;
    c->r->p = q;
    return PDR_OK;
}

/* Drop a byte order mark from the start of the file. */
static void scan_mark(pdi_csv *c)
{
    if (c->n < 3) return;
    c->begun = true;
    if (!memcmp(c->text, "\xef\xbb\xbf", 3)) c->n = 0;
}

/* Gather one line's worth of bytes, without its end.  *end: the file ends here. */
static pdr_rc scan_gather(pdi_csv *c, bool *end, pdr_error *err)
{
    bool quoted = false, closed = false; /* closed: the byte before was a closing quote */
    bool start = true;                   /* a cell begins here */
    c->n = 0;
    c->first = c->line;
    for (;;) {
        size_t run = 0;
        pdr_rc rc = c->r->p < c->r->end ? PDR_OK : pdi_reader_fill(c->r, err);
        if (!rc && c->begun && !quoted) rc = scan_run(c, &run, err);
        if (rc) return rc;
        if (run) {
            closed = false;
            start = scan_is_separator(c, c->text[c->n - 1]);
            continue;
        }
        *end = c->r->p == c->r->end;
        if (*end && quoted)
            return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": a quote is opened and never closed",
                            c->r->name, c->first);
        if (*end) return PDR_OK;
        char ch = (char)*c->r->p++;
        if (!ch)
            return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": a zero byte; this is not text",
                            c->r->name, c->line);
        if (ch == '\n') c->line++;
        if (ch == '\n' && !quoted) return PDR_OK;
        if ((rc = scan_room(c, 1, err))) return rc;
        c->text[c->n++] = ch;
        bool reopen = closed || start;
        closed = ch == '"' && quoted;
        if (ch == '"') quoted = !quoted && reopen;
        start = !quoted && scan_is_separator(c, ch);
        if (!c->begun) {
            scan_mark(c);
            start |= c->n == 0;
        }
    }
}

/* The separator that the header has most of outside quotes; a comma when none. */
static char scan_detect(const pdi_csv *c)
{
    size_t count[sizeof scan_separators] = {0}, best = 1;
    bool quoted = false;
    for (size_t i = 0; i < c->n; i++) {
        quoted ^= c->text[i] == '"';
        for (size_t k = 0; k < sizeof scan_separators && !quoted; k++)
            count[k] += c->text[i] == scan_separators[k];
    }
    for (size_t k = 0; k < sizeof scan_separators; k++)
        if (count[k] > count[best]) best = k;
    return scan_separators[best];
}

static pdr_rc scan_cell(pdi_csv *c, char *s, uint64_t line, pdr_error *err)
{
    if (c->cells == PDI_CSV_COLUMNS)
        return pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": more than %d columns", c->r->name,
                        c->first, PDI_CSV_COLUMNS);
    void *cell = c->cell;
    bool room = pdi_grow(c->alloc, &cell, c->cells, &c->cell_cap, sizeof *c->cell);
    c->cell = cell;
    if (!room) return pdi_nomem(err);
    c->cell[c->cells++] = (pdi_cell){s, line};
    return PDR_OK;
}

/* Unquote from *in (past the opening quote) to *out. */
static pdr_rc scan_quoted(pdi_csv *c, const char **in, char **out, uint64_t *line, pdr_error *err)
{
    const char *stop = c->text + c->n;
    for (; *in < stop; (*in)++) {
        if (**in == '"') {
            (*in)++;
            if (*in == stop || **in != '"') break; /* else the first of two */
        }
        *line += **in == '\n';
        *(*out)++ = **in;
    }
    if (*in < stop && **in != c->sep)
        return pdi_fail(err, PDR_INPUT,
                        "%s:%" PRIu64 ": column %zu: text after the closing quote; write a quote "
                        "inside a cell twice",
                        c->r->name, *line, c->cells);
    return PDR_OK;
}

static bool scan_is_blank(const pdi_csv *c, char ch)
{
    return (ch == ' ' || ch == '\t') && ch != c->sep;
}

/* Copy an unquoted cell without the blanks around it. */
static pdr_rc scan_plain(pdi_csv *c, const char **in, char **out, uint64_t line, pdr_error *err)
{
    const char *stop = c->text + c->n, *from = *in;
    while (*in < stop && **in != c->sep) {
        if (**in == '"')
            return pdi_fail(err, PDR_INPUT,
                            "%s:%" PRIu64 ": column %zu: a quote inside an unquoted cell; quote "
                            "the cell and write the quote twice",
                            c->r->name, line, c->cells);
        (*in)++;
    }
    const char *to = *in;
    while (from < to && scan_is_blank(c, *from)) from++;
    while (from < to && scan_is_blank(c, to[-1])) to--;
    memmove(*out, from, (size_t)(to - from));
    *out += to - from;
    return PDR_OK;
}

static pdr_rc scan_split(pdi_csv *c, pdr_error *err)
{
    const char *in = c->text, *stop = c->text + c->n;
    char *out = c->text;
    uint64_t line = c->first;
    c->cells = 0;
    for (;;) {
        pdr_rc rc = scan_cell(c, out, line, err);
        bool quoted = in < stop && *in == '"';
        if (quoted) in++;
        if (!rc)
            rc = quoted ? scan_quoted(c, &in, &out, &line, err)
                        : scan_plain(c, &in, &out, line, err);
        if (rc) return rc;
        bool last = in == stop;
        if (!last) in++; /* past the separator, where the NUL may go */
        *out++ = 0;
        if (last) return PDR_OK;
    }
}

pdr_rc pdi_csv_next(pdi_csv *c, bool *more, pdr_error *err)
{
    bool end = false;
    if (!c->line) c->line = 1;
    do {
        pdr_rc rc = scan_gather(c, &end, err);
        if (rc) return rc;
        c->begun = true;
        if (c->n && c->text[c->n - 1] == '\r') c->n--;
        *more = c->n > 0;
    } while (!*more && !end);
    if (!*more) return PDR_OK;
    if (!c->sep) c->sep = scan_detect(c);
    return scan_split(c, err);
}

void pdi_csv_close(pdi_csv *c)
{
    if (!c->alloc) return;
    pdi_free(c->alloc, c->text);
    pdi_free(c->alloc, c->cell);
    *c = (pdi_csv){0};
}
