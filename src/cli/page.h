/* cli/page.h -- one text, for the terminal or as a manual page.
 *
 * Headings, paragraphs, items and examples are written once and come out either
 * as plain text wrapped to a width or in man(7)'s macros. */
#ifndef PDI_CLI_PAGE_H
#define PDI_CLI_PAGE_H

#include <perdure/option.h>

#include "cli/table.h"

typedef struct pdi_page {
    pdi_text *out;
    size_t width;   /* of plain text */
    bool is_manual; /* man(7) instead */
    pdi_table rows; /* items that wait to be aligned */
} pdi_page;

void pdi_page_heading(pdi_page *p, const char *text);
void pdi_page_subheading(pdi_page *p, const char *text);

/* Paragraphs, parted by "\n". */
void pdi_page_prose(pdi_page *p, const char *text);

/* One paragraph right under a heading, indented. */
void pdi_page_note(pdi_page *p, const char *text);

/* Lines that are not to be broken, each ending in "\n". */
void pdi_page_lines(pdi_page *p, const char *text);

/* A term and what it means; terms that follow each other are aligned. */
void pdi_page_item(pdi_page *p, const char *term, const char *text);

/* An option table: name, type, default, range, help. */
void pdi_page_options(pdi_page *p, const pdr_option *table);

/* Write what waits.  The page is done. */
void pdi_page_end(pdi_page *p);

#endif
