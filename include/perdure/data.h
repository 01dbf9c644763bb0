/* perdure/data.h -- labelled sets in memory, and where they come from.
 *
 * A pdr_dataset is plain data: examples of one shape, each with a class or with
 * real targets.  Images stay bytes (a pixel p stands for p/255), so MNIST takes
 * 47 MB and not 188.  A pdr_data is a set with its training and test parts.
 *
 *     pdr_data data = {0};
 *     pdr_error err = PDR_NO_ERROR;
 *     pdr_data_options o;
 *     pdr_option_defaults(pdr_data_option_table, &o);
 *     o.name = "mnist";
 *     if (pdr_data_open(NULL, &o, 0, &data, &err)) fprintf(stderr, "%s\n", err.text);
 *     pdr_data_close(&data);
 *
 * A set is looked for in $PERDURE_DATA, then in the user's cache
 * ($XDG_CACHE_HOME/perdure or ~/.cache/perdure), then where Debian installs it
 * (/usr/share/datasets), each time in the folder called like the set
 * (sklearn-small for scikit-learn's small ones), and is downloaded from its home
 * last; a downloaded file appears in the cache whole and with the right SHA-256, or
 * not at all.  The first folder that holds all of the set's files is read; a
 * file may be gzipped there or not.
 *
 * ERRORS    One line: file, place (byte, line and column), cause, remedy.  On
 *           failure the output is left empty.
 * OWNERSHIP The caller closes what it opened.  Names are owned by the data.
 * THREADS   A finished set is read-only and may be shared.
 */
#ifndef PERDURE_DATA_H
#define PERDURE_DATA_H

#include <perdure/alloc.h>
#include <perdure/error.h>
#include <perdure/option.h>
#include <perdure/shape.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_storage { PDR_BYTES, PDR_FLOATS } pdr_storage;

/* What is learned from, held out, tested on. */
typedef enum pdr_part { PDR_TRAIN, PDR_VALIDATION, PDR_TEST } pdr_part;

typedef struct pdr_dataset {
    const pdr_alloc *alloc;
    size_t examples;
    pdr_shape shape;     /* of one example: [1,28,28] (channels, rows, columns) or [8] */
    pdr_storage storage; /* what x holds: uint8_t, standing for p/255, or float */
    void *x;             /* examples x size(shape), none of them NaN */
    int32_t classes;     /* 0 for regression */
    int32_t *label;      /* [examples], 0 .. classes-1; NULL for regression */
    int32_t targets;     /* real targets an example; 0 for classification */
    float *target;       /* [examples, targets]; NULL for classification */
    double target_unit;  /* what a target's 1 stands for: the standard deviation taken out; 0: 1 */
    char **class_name;   /* [classes], or NULL */
    char **class_group;  /* [classes] what a class is one of (an alphabet), or NULL */
    int32_t *class_part; /* [classes] pdr_part its maker meant it for, or NULL */
    char **feature_name; /* [size(shape)], or NULL */
} pdr_dataset;

typedef struct pdr_data {
    pdr_dataset train, test;
    char *name;   /* registry name, or the training file's name without folders */
    char *source; /* the folder (registry) or the training file it was read from */
} pdr_data;

/* The recipe's `data:` section.  name, or train and what goes with it; NULL and ""
 * are not given.  With a name, columns that are not given are those of the registry. */
typedef struct pdr_data_options {
    const char *name;         /* a registry name; NULL when files are given */
    const char *train;        /* a CSV/TSV file, or an IDX image file */
    const char *train_labels; /* IDX labels */
    const char *test, *test_labels;
    const char *label;       /* CSV: column of the class */
    const char *target;      /* CSV: column of the real target */
    const char *categorical; /* CSV: comma-separated names of categorical columns */
    const char *ignore;      /* CSV: comma-separated names of columns to leave out */
    int missing;             /* what to do with an empty cell: see below */
    bool standardise;     /* features and target: zero mean, unit variance by the training part */
    double test_fraction; /* split off at random when no test part is given; 0 for none */
} pdr_data_options;

/* An empty cell is refused, becomes its feature's mean over the training part,
 * becomes 0, or takes its whole row with it.  Empty is what is between two
 * separators when nothing is there; "NA" and "?" are not numbers.  An empty label or
 * target is refused unless its row is dropped. */
enum { PDR_MISSING_ERROR, PDR_MISSING_MEAN, PDR_MISSING_ZERO, PDR_MISSING_DROP };

extern const pdr_option pdr_data_option_table[];

/* Find, fetch if need be, and load.  seed decides the train/test split where
 * one has to be made.  Standardising turns bytes into floats and treats every
 * feature (every pixel) by itself: mean and variance (divided by n) in double over the
 * training part; a feature that is constant there keeps its variance as 1. */
pdr_rc pdr_data_open(const pdr_alloc *alloc, const pdr_data_options *o, uint64_t seed,
                     pdr_data *data, pdr_error *err);
void pdr_data_close(pdr_data *data);

/* Example i as floats.  A byte p is read as (float)p * 0x1.010102p-8f, the float
 * nearest to 1/255 times p, rounded once: 0 gives 0, 255 gives 1, and every
 * machine the same bits. */
void pdr_dataset_read(const pdr_dataset *d, size_t i, float x[]);
void pdr_dataset_close(pdr_dataset *d);

/* IDX (LeCun's format, unsigned bytes; gzip or plain).  Images of rank 3 get
 * shape [1,rows,columns], of rank 4 [channels,rows,columns], of rank 2 [features];
 * labels must be as many, and are 0 .. classes-1 where classes is one more than
 * the largest label. */
pdr_rc pdr_dataset_idx(const pdr_alloc *alloc, const char *images, const char *labels,
                       pdr_dataset *out, pdr_error *err);

/* CSV or TSV (tab, comma or semicolon, whichever the header has most of; RFC
 * 4180 quotes; LF or CRLF; gzip or plain; a UTF-8 byte order mark is skipped),
 * header row required.  Blank lines are skipped, blanks around unquoted cells
 * dropped.  A row may be 1 MiB long and have 65536 columns, a column's name 255
 * bytes; there may be 65536 features and as many classes.
 *
 * Every column that is not the label, the target, categorical or ignored is
 * numeric: finite decimal numbers with a point, whatever the locale.  A
 * categorical column c becomes one feature "c=value" a value, in order of first
 * appearance; labels become classes in sorted order (numeric if all are numbers).
 *
 * like, which may be NULL, is a set read before (the training part): columns
 * are matched by name and categories and classes keep their numbers; a value
 * that like has not is an error.  With PDR_MISSING_MEAN an empty cell becomes
 * the feature's mean in like (so like must not be standardised yet), else in
 * this file. */
pdr_rc pdr_dataset_csv(const pdr_alloc *alloc, const char *file, const pdr_data_options *o,
                       const pdr_dataset *like, pdr_dataset *out, pdr_error *err);

/* The registry: name, one line of description, home, licence. */
typedef struct pdr_registry_row {
    const char *name, *title, *home, *licence;
    size_t train, test; /* examples; test 0: the set has no test part of its own */
    int32_t classes;    /* 0: regression */
} pdr_registry_row;

/* Row i, or NULL past the end. */
const pdr_registry_row *pdr_registry_at(size_t i);

/* The folder the set would be read from ("" when it has to be downloaded, or
 * when the registry has no such name). */
void pdr_registry_where(const char *name, char path[], size_t size);

/* Bring a registered set into the cache, whatever other folders hold.  Files that
 * are there with the right SHA-256 stay.  progress (may be NULL) is told bytes
 * done and in total; returning false stops with PDR_STOPPED. */
typedef bool (*pdr_progress_fn)(void *ctx, const char *file, uint64_t done, uint64_t total);
pdr_rc pdr_registry_fetch(const pdr_alloc *alloc, const char *name, pdr_progress_fn progress,
                          void *ctx, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
