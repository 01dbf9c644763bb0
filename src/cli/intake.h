/* cli/intake.h -- a learner and rows for it: what learn, predict, eval and adapt share. */
#ifndef PDI_CLI_INTAKE_H
#define PDI_CLI_INTAKE_H

#include <perdure/learner.h>

#include "cli/args.h"
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
    char (*label)[256], (*names)[256];
    uint64_t read, limit; /* rows let through so far; at most; 0: all */
} pdi_intake;

/* The flags that all of them take. */
#define PDI_INTAKE_FLAGS                                                                           \
    {"label", "COLUMN", "the column to learn or compare with (default: the recipe's)"},            \
        {"labels", "FILE", "labels of IDX images"},                                                \
        {"task", "NAME", "the task that all examples are of"},                                     \
        {"task-column", "COLUMN", "the column that names each example's task"},                    \
        {"only", "CLASS,CLASS", "pass over examples of other classes"},                            \
        {"limit", "N", "at most so many examples"},                                                \
    {                                                                                              \
        "threads", "N", "threads to use (default: as many as there are processors)"                \
    }

/* Open the learner (operand 0) and the rows (operand 1, or standard input); blocks of most. */
pdr_rc pdi_intake_open(const pdi_args *args, bool reads_only, bool wants_label, size_t most,
                       pdi_intake *in, pdr_error *err);

/* The next block: in->block, in->n; n is 0 at the end. */
pdr_rc pdi_intake_next(pdi_intake *in, pdr_error *err);

/* Close the rows and, its state written, the learner; rc is what the work came to. */
pdr_rc pdi_intake_close(pdi_intake *in, pdr_rc rc, pdr_error *err);

/* Open a learner alone: operand 0. */
pdr_rc pdi_intake_learner(const pdi_args *args, bool reads_only, pdr_learner **l, pdr_error *err);

#endif
