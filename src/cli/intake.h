/* cli/intake.h -- a learner and rows for it: what learn, predict, eval and adapt share. */
#ifndef PDI_CLI_INTAKE_H
#define PDI_CLI_INTAKE_H

#include <perdure/learner.h>

#include "cli/args.h"
#include "data/dict.h"
#include "learner/rows.h"

enum { PDI_INTAKE_MOST = 65536, PDI_INTAKE_ONLY = 64 };

/* Rows in blocks, copied, so that a block may be learned at once. */
typedef struct pdi_intake {
    pdr_learner *l;
    pdi_rows *rows;
    const char *task; /* of all rows; NULL: as the rows say */
    char only[4096];  /* "A\0B\0": classes that are let through */
    size_t onlys;
    pdr_example *block;
    size_t most, n;
    float *x, *target; /* [most, ...] */
    char (*label)[256], (*names)[256], (*ids)[256];
    pdi_dict in_block;    /* ids of the block */
    uint64_t strays;      /* labels of ids that do not wait, passed over */
    char stray[256];      /* the first of them */
    bool told;            /* about columns that are passed over */
    uint64_t read, limit; /* rows let through so far; at most; 0: all */
} pdi_intake;

/* The flags that all of them take. */
#define PDI_INTAKE_FLAGS                                                                           \
    {"label", "COLUMN", "the column to learn or compare with (default: the recipe's)"},            \
        {"labels", "FILE", "labels of IDX images"},                                                \
        {"task", "NAME", "the task that all examples are of"},                                     \
        {"task-column", "COLUMN", "the column that names each example's task (default: task)"},    \
        {"id", "COLUMN", "the column of ids (default: id; '' for none)"},                          \
        {"only", "CLASS,CLASS", "pass over examples of other classes"},                            \
        {"limit", "N", "at most so many examples"},                                                \
    {                                                                                              \
        "threads", "N", "threads to use (default: as many as there are processors)"                \
    }

/* What a command does with the rows: labels are compared with, or learned. */
typedef enum pdi_intake_use {
    PDI_INTAKE_PREDICTS,
    PDI_INTAKE_COMPARES,
    PDI_INTAKE_LEARNS
} pdi_intake_use;

/* Open the learner (operand 0) and the rows (operand 1, or standard input); blocks of most.  Only
 * who learns opens it for writing. */
pdr_rc pdi_intake_open(const pdi_args *args, pdi_intake_use use, size_t most, pdi_intake *in,
                       pdr_error *err);

/* Go on with the learner open for writing. */
pdr_rc pdi_intake_write(const pdi_args *args, pdi_intake *in, pdr_error *err);

/* The next block: in->block, in->n; n is 0 at the end.  Labels of ids that do not wait are
 * passed over, and counted. */
pdr_rc pdi_intake_next(pdi_intake *in, pdr_error *err);

/* Close the rows and, its state written, the learner; rc is what the work came to. */
pdr_rc pdi_intake_close(pdi_intake *in, pdr_rc rc, pdr_error *err);

/* Open a learner alone: operand 0. */
pdr_rc pdi_intake_learner(const pdi_args *args, bool reads_only, pdr_learner **l, pdr_error *err);

#endif
