/* cli/table.h -- aligned columns of text.
 *
 *     pdi_table t = {.align = "lrw"};
 *     pdi_table_add(&t, "batch");
 *     pdi_table_add(&t, "%d", 128);
 *     pdi_table_add(&t, "examples a step");
 *     pdi_table_write(&t, "  ", 80, &out);
 *
 * Out of memory sticks, in the table and in the text that it is written to. */
#ifndef PDI_CLI_TABLE_H
#define PDI_CLI_TABLE_H

#include "base/text.h"

typedef struct pdi_table {
    const char *align; /* a letter a column: l left, r right, w left and wrapped (last only) */
    pdi_text cells;    /* each with its NUL */
    pdi_text bold;     /* a byte a cell */
    size_t n;
} pdi_table;

enum { PDI_TABLE_COLUMNS = 64 };

/* The next cell, row by row. */
void pdi_table_add(pdi_table *t, const char *fmt, ...) PDI_PRINTF(2, 3);

/* The cell added last is to be written in the terminal's bold. */
void pdi_table_embolden(pdi_table *t);

/* Append the table to out, two spaces between columns, each line behind indent,
 * and empty the table.  A wrapped column takes what width leaves; where that is
 * little it moves to lines of its own below the row. */
void pdi_table_write(pdi_table *t, const char *indent, size_t width, pdi_text *out);

/* Append text broken at spaces into lines of at most width characters; the first
 * line begins at column `at`, the others behind at spaces. */
void pdi_table_wrap(const char *text, size_t at, size_t width, pdi_text *out);

#endif
