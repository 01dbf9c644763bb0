/* cli/page.c -- one text, for the terminal or as a manual page. */
#include "cli/page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/words.h"

static const char page_indent[] = "  ";

/* man(7): a backslash and a dash are written \e and \-, and no line of text
 * begins with a point or a quote, which would be a request. */
static void page_escaped(pdi_page *p, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_first = i == 0 || s[i - 1] == '\n';
        if (is_first && (s[i] == '.' || s[i] == '\'')) pdi_text_add(p->out, "\\&");
        if (s[i] == '\\')
            pdi_text_add(p->out, "\\e");
        else if (s[i] == '-')
            pdi_text_add(p->out, "\\-");
        else
            pdi_text_bytes(p->out, s + i, 1);
    }
}

static void page_request(pdi_page *p, const char *request, const char *text)
{
    pdi_text_add(p->out, ".%s ", request);
    page_escaped(p, text, strlen(text));
    pdi_text_add(p->out, "\n");
}

static void page_flush(pdi_page *p) { pdi_table_write(&p->rows, page_indent, p->width, p->out); }

static void page_blank(pdi_page *p)
{
    page_flush(p);
    if (p->out->n) pdi_text_add(p->out, "\n");
}

void pdi_page_heading(pdi_page *p, const char *text)
{
    if (p->is_manual) {
        pdi_text_add(p->out, ".SH ");
        for (const char *s = text; *s; s++) pdi_text_add(p->out, "%c", toupper((unsigned char)*s));
        pdi_text_add(p->out, "\n");
        return;
    }
    page_blank(p);
    pdi_text_add(p->out, "%s\n", text);
}

void pdi_page_subheading(pdi_page *p, const char *text)
{
    if (p->is_manual) {
        page_request(p, "SS", text);
        return;
    }
    page_blank(p);
    pdi_text_add(p->out, "%s\n", text);
}

static void page_paragraph(pdi_page *p, const char *text, size_t n)
{
    char line[2048];
    snprintf(line, sizeof line, "%.*s", (int)n, text);
    if (p->is_manual) {
        pdi_text_add(p->out, ".PP\n");
        page_escaped(p, line, strlen(line));
    } else {
        page_blank(p);
        pdi_table_wrap(line, 0, p->width, p->out);
    }
    pdi_text_add(p->out, "\n");
}

void pdi_page_note(pdi_page *p, const char *text)
{
    if (p->is_manual) {
        page_paragraph(p, text, strlen(text));
        return;
    }
    pdi_text_add(p->out, "%s", page_indent);
    pdi_table_wrap(text, strlen(page_indent), p->width, p->out);
    pdi_text_add(p->out, "\n");
}

void pdi_page_prose(pdi_page *p, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        page_paragraph(p, text, n);
        text += n + (text[n] == '\n');
    }
}

void pdi_page_lines(pdi_page *p, const char *text)
{
    if (p->is_manual) pdi_text_add(p->out, ".PP\n.nf\n");
    page_flush(p);
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (p->is_manual)
            page_escaped(p, text, n);
        else
            pdi_text_add(p->out, "%s%.*s", n ? page_indent : "", (int)n, text);
        pdi_text_add(p->out, "\n");
        text += n + (text[n] == '\n');
    }
    if (p->is_manual) pdi_text_add(p->out, ".fi\n");
}

/* Start a table, or go on with the one that waits. */
static void page_table(pdi_page *p, const char *align)
{
    if (p->rows.n && strcmp(p->rows.align, align) != 0) page_flush(p);
    p->rows.align = align;
    p->rows.cells.alloc = p->out->alloc;
}

void pdi_page_item(pdi_page *p, const char *term, const char *text)
{
    if (p->is_manual) {
        page_request(p, "TP\n.B", term);
        page_escaped(p, text, strlen(text));
        pdi_text_add(p->out, "\n");
        return;
    }
    page_table(p, "lw");
    pdi_table_add(&p->rows, "%s", term);
    pdi_table_add(&p->rows, "%s", text);
}

static const char *page_type(const pdr_option *row)
{
    static const char *const words[] = {"number", "count", "flag", "choice", "text"};
    return words[row->type];
}

/* "0.5", "1000", "1e9": large round numbers are written short. */
static void page_number(double x, char text[32])
{
    char digits[32];
    snprintf(text, 32, "%.10g", x);
    snprintf(digits, sizeof digits, "%.2e", x);
    double mantissa = strtod(digits, NULL);
    if (x < 1e6 || mantissa > x || mantissa < x) return;
    size_t n = strcspn(digits, "e");
    int exponent = (int)strtol(digits + n + 1, NULL, 10);
    while (n && digits[n - 1] == '0') n--;
    if (n && digits[n - 1] == '.') n--;
    snprintf(text, 32, "%.*se%d", (int)n, digits, exponent);
}

/* What an option is when nobody sets it. */
static void page_default(const pdr_option *row, char text[64])
{
    switch (row->type) {
    case PDR_REAL:
    case PDR_COUNT: page_number(row->def, text); return;
    case PDR_FLAG: snprintf(text, 64, "%s", row->def > 0 ? "true" : "false"); return;
    case PDR_CHOICE: snprintf(text, 64, "%s", row->choices[(int)row->def]); return;
    case PDR_TEXT: snprintf(text, 64, "%s", row->text ? row->text : "none");
    }
}

static void page_range(const pdr_option *row, char text[72])
{
    char lo[32], hi[32];
    page_number(row->lo, lo);
    page_number(row->hi, hi);
    snprintf(text, 72, "%s to %s", lo, hi);
}

/* The help of an option, with the words of a choice. */
static void page_meaning(const pdr_option *row, pdi_text *out)
{
    pdi_text_add(out, "%s", row->help);
    if (row->type != PDR_CHOICE) return;
    pdi_text_add(out, "; one of ");
    pdi_option_values(row, out);
}

static void page_option_manual(pdi_page *p, const pdr_option *row, const char *by_default,
                               const char *range, const char *meaning)
{
    pdi_text all = {.alloc = p->out->alloc};
    pdi_text_add(&all, "%s (%s%s%s; default %s)", meaning, page_type(row), *range ? ", " : "",
                 range, by_default);
    if (all.failed)
        p->out->failed = true;
    else
        pdi_page_item(p, row->name, all.s);
    pdi_text_close(&all);
}

static void page_option(pdi_page *p, const pdr_option *row)
{
    char by_default[64], range[72] = "";
    pdi_text meaning = {.alloc = p->out->alloc};
    page_meaning(row, &meaning);
    page_default(row, by_default);
    bool is_number = row->type == PDR_REAL || row->type == PDR_COUNT;
    if (is_number) page_range(row, range);
    if (meaning.failed) {
        p->out->failed = true;
    } else if (p->is_manual) {
        page_option_manual(p, row, by_default, range, meaning.s);
    } else {
        pdi_table_add(&p->rows, "%s", row->name);
        pdi_table_add(&p->rows, "%s", page_type(row));
        pdi_table_add(&p->rows, "%s", by_default);
        pdi_table_add(&p->rows, "%s", range);
        pdi_table_add(&p->rows, "%s", meaning.s);
    }
    pdi_text_close(&meaning);
}

void pdi_page_options(pdi_page *p, const pdr_option *table)
{
    static const char *const heads[] = {"option", "type", "default", "range", "meaning"};
    if (!p->is_manual && table->name) {
        page_flush(p);
        page_table(p, "llllw");
        for (size_t i = 0; i < 5; i++) pdi_table_add(&p->rows, "%s", heads[i]);
    }
    for (const pdr_option *row = table; row->name; row++) page_option(p, row);
}

void pdi_page_end(pdi_page *p) { page_flush(p); }
