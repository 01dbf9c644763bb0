/* data/csv.h -- tables of text: records, numbers, and the table as a data set. */
#ifndef PDI_DATA_CSV_H
#define PDI_DATA_CSV_H

#include <perdure/data.h>

#include "data/read.h"

enum { PDI_CSV_LINE = 1 << 20, PDI_CSV_COLUMNS = 65536 };

/* ---- records (scan.c) ---- */

typedef struct pdi_cell {
    char *s;       /* unquoted, NUL-terminated; valid until the next record */
    uint64_t line; /* where it begins, from 1 */
} pdi_cell;

typedef struct pdi_csv {
    const pdr_alloc *alloc;
    pdi_reader *r;
    char sep;      /* 0: to be told by the first record */
    uint64_t line; /* of the next byte */
    bool begun;    /* past the byte order mark */
    char *text;    /* the record */
    size_t n, cap;
    pdi_cell *cell;
    size_t cells, cell_cap;
    uint64_t first; /* line where the record begins */
} pdi_csv;

/* The next record that is not a blank line; *more is false at the end. */
pdr_rc pdi_csv_next(pdi_csv *c, bool *more, pdr_error *err);
void pdi_csv_close(pdi_csv *c);

/* ---- numbers (number.c) ---- */

typedef enum pdi_number_rc { PDI_NUMBER, PDI_NOT_NUMBER, PDI_NOT_FINITE } pdi_number_rc;

/* A decimal number and nothing else: [+-] digits [. digits] [e [+-] digits], finite as a
 * float.  The caller has entered the C locale. */
pdi_number_rc pdi_number(const char *s, double *x);

/* ---- data sets (csv.c) ---- */

/* How to read one table. */
typedef struct pdi_csv_form {
    const char *label, *target, *categorical, *ignore;
    int missing;
    char sep;           /* 0: as the header tells */
    const char *header; /* the columns' names when the file has none ("a,b,pixel*64"); or NULL */
    bool skip_first;    /* with header: the first row is neither names nor data */
    bool features_only; /* neither label nor target is wanted */
} pdi_csv_form;

pdi_csv_form pdi_csv_form_of(const pdr_data_options *o);

/* Read a table.  Empty cells that missing fills later are NaN. */
pdr_rc pdi_csv_read(const pdr_alloc *alloc, pdi_reader *r, const pdi_csv_form *form,
                    const pdr_dataset *like, pdr_dataset *out, pdr_error *err);
pdr_rc pdi_csv_open(const pdr_alloc *alloc, const char *file, const pdi_csv_form *form,
                    const pdr_dataset *like, pdr_dataset *out, pdr_error *err);

#endif
