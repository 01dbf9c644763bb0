/* learner/rows.h -- examples from a file or a pipe, one after the other, for one learner.
 *
 * A table (CSV, TSV), JSON lines, or IDX; gzip or plain; told by the first bytes.  Memory does not
 * grow with the stream.  Columns, and the keys of JSON, are matched by name:
 *
 *     label or target   the name given, the recipe's, or "label" ("target")
 *     task, id          the names given; or "task" and "id", where no feature is called so
 *     a feature         its name; without names its number, from 0
 *     a category        "colour" where the learner has features "colour=red", ...
 *     anything else     passed over; whoever reads is told which
 *
 * So their order does not matter.  A feature without a value (no column, an empty cell, null) is
 * what the recipe's data.missing says: an error; NAN, which the learner makes 0 or the running
 * mean; or the row is passed over.  A row of an id and a label, and of no feature at all, is the
 * label of what was asked. */
#ifndef PDI_LEARNER_ROWS_H
#define PDI_LEARNER_ROWS_H

#include <perdure/learner.h>

#include "data/csv.h"

/* What a row has besides features. */
typedef struct pdi_rows_form {
    const char *label;  /* column of the label or target; NULL: as the recipe says, or "label" */
    const char *task;   /* column of the task's name; NULL: "task"; "": none */
    const char *id;     /* column of ids; NULL: "id"; "": none */
    const char *labels; /* IDX: the file of labels; NULL: none */
    bool wants_label;   /* a row without one is refused */
    bool by_id;         /* labels may come without features */
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
    char *found[2];   /* files of a registered set: examples, labels */
    const pdi_rows_kind *kind;
    void *state; /* the kind's own */
    pdi_reader in;
    size_t width, targets;
    int missing;        /* as pdr_data_options.missing */
    char passed[4][64]; /* names passed over, the first ones */
    size_t passed_over; /* how many there are, 5 for more */
    uint64_t dropped;   /* rows passed over: a value is missing, and data.missing is drop */
    float *x, *target;  /* the row being read */
    char label[256], task[256], id[256];
    bool has_label, has_x, lacks;
};

extern const pdi_rows_kind pdi_rows_csv, pdi_rows_json, pdi_rows_idx;

/* path "-" is standard input; where there is no such file, "NAME" and "NAME:test" are the parts of
 * a registered data set.  The learner is borrowed. */
pdr_rc pdi_rows_open(const pdr_learner *l, const char *path, const pdi_rows_form *form,
                     pdi_rows **out, pdr_error *err);

/* The same of n bytes of memory, which are borrowed; the name is for messages. */
pdr_rc pdi_rows_memory(const pdr_learner *l, const char *name, const uint8_t *bytes, size_t n,
                       const pdi_rows_form *form, pdi_rows **out, pdr_error *err);

void pdi_rows_close(pdi_rows *r);

/* The next row; what e points to is good until the row after it is read. */
pdr_rc pdi_rows_next(pdi_rows *r, pdr_example *e, bool *more, pdr_error *err);

/* ---- for the kinds ---- */

/* What a column or key of that name is; *feature for PDI_ROLE_FEATURE. */
typedef enum pdi_role {
    PDI_ROLE_OTHER,
    PDI_ROLE_FEATURE,
    PDI_ROLE_CATEGORY,
    PDI_ROLE_LABEL,
    PDI_ROLE_TASK,
    PDI_ROLE_ID
} pdi_role;
pdi_role pdi_rows_role(const pdi_rows *r, const char *name, size_t *feature);

/* The learner's feature called name, or -1; its features have no names: "0", "1", ... */
int64_t pdi_rows_feature(const pdi_rows *r, const char *name);

/* Feature i is one of those that category `name` became, "name=value". */
bool pdi_rows_is_of(const pdi_rows *r, size_t i, const char *name);

/* Take a value of category `name`: one feature is 1, the others 0.  False: there is none for it,
 * and the recipe does not let it be missing. */
bool pdi_rows_category(pdi_rows *r, const char *name, const char *value);

/* Note a name that is passed over. */
void pdi_rows_pass(pdi_rows *r, const char *name);

/* Names of features that have no value yet, cut short; returns how many. */
size_t pdi_rows_lacking(const pdi_rows *r, const bool has[], char text[200]);

/* Feature i has no value.  False: the recipe wants one. */
bool pdi_rows_lack(pdi_rows *r, size_t i);

const char *pdi_rows_label_name(const pdi_rows *r);

#endif
