/* base/text.h -- a string that grows.
 *
 * Running out of memory sticks: later appends do nothing, and pdi_text_take()
 * returns NULL.  So a writer composes freely and checks once. */
#ifndef PDI_BASE_TEXT_H
#define PDI_BASE_TEXT_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct pdi_text {
    const pdr_alloc *alloc; /* NULL means the default */
    char *s;                /* NUL-terminated once anything was appended */
    size_t n, cap;
    bool failed;
} pdi_text;

void pdi_text_add(pdi_text *t, const char *fmt, ...) PDI_PRINTF(2, 3);
void pdi_text_bytes(pdi_text *t, const char *s, size_t n);

/* s as a cell of CSV (RFC 4180): in quotes where it could be read as anything else. */
void pdi_text_cell(pdi_text *t, const char *s);

/* The string (never NULL unless memory failed); the caller owns it and frees
 * it through the same allocator.  *t is empty afterwards. */
char *pdi_text_take(pdi_text *t);
void pdi_text_close(pdi_text *t);

#endif
