/* learner/rows.h -- examples from a file or a pipe, one after the other, for one learner.
 *
 * A table (CSV, TSV), JSON lines, or IDX; gzip or plain; told by the first bytes.  Columns are
 * matched by name, so their order does not matter and those that the learner does not know are
 * passed over.  Memory does not grow with the stream. */
#ifndef PDI_LEARNER_ROWS_H
#define PDI_LEARNER_ROWS_H

#include <perdure/learner.h>

#include "data/csv.h"

/* What a row has besides features. */
typedef struct pdi_rows_form {
    const char *label;  /* column of the label or target; NULL: as the recipe says, or "label" */
    const char *task;   /* column of the task's name; NULL: none */
    const char *labels; /* IDX: the file of labels; NULL: none */
    bool wants_label;   /* a row without one is refused */
} pdi_rows_form;

typedef struct pdi_rows pdi_rows;

typedef struct pdi_rows_kind {
    pdr_rc (*open)(pdi_rows *r, pdr_error *err);
    /* The next row into x, label, target and task; *more false at the end. */
    pdr_rc (*next)(pdi_rows *r, bool *more, pdr_error *err);
    void (*close)(pdi_rows *r);
} pdi_rows_kind;

struct pdi_rows {
    const pdr_alloc *alloc;
    const pdr_learner *l;
    pdi_rows_form form;
    const char *name; /* of the file, for messages */
    const pdi_rows_kind *kind;
    void *state; /* the kind's own */
    pdi_reader in;
    size_t width, targets;
    int missing;          /* as pdr_data_options.missing */
    uint64_t passed_over; /* columns that the learner does not know */
    float *x, *target;    /* the row being read */
    char label[256], task[256];
    bool has_label;
};

extern const pdi_rows_kind pdi_rows_csv, pdi_rows_json, pdi_rows_idx;

/* path "-" is standard input.  The learner is borrowed. */
pdr_rc pdi_rows_open(const pdr_learner *l, const char *path, const pdi_rows_form *form,
                     pdi_rows **out, pdr_error *err);

/* The same of n bytes of memory, which are borrowed; the name is for messages. */
pdr_rc pdi_rows_memory(const pdr_learner *l, const char *name, const uint8_t *bytes, size_t n,
                       const pdi_rows_form *form, pdi_rows **out, pdr_error *err);

void pdi_rows_close(pdi_rows *r);

/* The next row; what e points to is good until the row after it is read. */
pdr_rc pdi_rows_next(pdi_rows *r, pdr_example *e, bool *more, pdr_error *err);

/* ---- for the kinds ---- */

/* The learner's feature called name, or -1; its features have no names: "0", "1", ... */
int64_t pdi_rows_feature(const pdi_rows *r, const char *name);

/* Names of features that have no value yet, cut short; returns how many. */
size_t pdi_rows_lacking(const pdi_rows *r, const bool has[], char text[200]);

/* What an empty or absent feature counts as, where the recipe lets it: 0 or its running mean. */
bool pdi_rows_fill(const pdi_rows *r, size_t feature, float *x);

const char *pdi_rows_label_name(const pdi_rows *r);

#endif
