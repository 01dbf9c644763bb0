/* data/csv_table.h -- a table while it is being read; shared by schema.c and csv.c. */
#ifndef PDI_DATA_CSV_TABLE_H
#define PDI_DATA_CSV_TABLE_H

#include "data/csv.h"
#include "data/dict.h"

typedef enum pdi_csv_role {
    PDI_CSV_NUMBER,
    PDI_CSV_CATEGORY,
    PDI_CSV_LABEL,
    PDI_CSV_TARGET,
    PDI_CSV_IGNORED
} pdi_csv_role;

typedef struct pdi_csv_column {
    pdi_csv_role role;
    bool known;      /* like has it */
    size_t slot;     /* its place in a raw row */
    size_t at;       /* its first feature */
    pdi_dict values; /* of a categorical column */
} pdi_csv_column;

/* A numeric cell (NaN: missing) or the number of a category (-1: missing). */
typedef union pdi_csv_slot {
    float number;
    int32_t category;
} pdi_csv_slot;

typedef struct pdi_csv_table {
    const pdr_alloc *alloc;
    const pdi_csv_form *form;
    const pdr_dataset *like;
    const char *file;
    pdr_error *err;
    pdi_csv scan;
    pdi_dict names;         /* of the columns */
    pdi_csv_column *column; /* [names.n] */
    size_t slots, features;
    pdi_dict classes;
    size_t seen; /* rows, dropped ones included */
    size_t rows, cap;
    pdi_csv_slot *slot; /* [rows, slots] */
    int32_t *label;     /* [rows], or NULL */
    float *target;      /* [rows], or NULL */
} pdi_csv_table;

/* Read the header and give every column its role, slot and, with like, feature. */
pdr_rc pdi_csv_schema(pdi_csv_table *t);

/* "a, b, c" cut short with "..."; returns out. */
#define PDI_CSV_LIST 200
const char *pdi_csv_list(char out[PDI_CSV_LIST], char *const word[], size_t n);

#endif
