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
 * (/usr/share/datasets), and is downloaded from its official home last; a
 * downloaded file appears in the cache whole and with the right SHA-256, or not
 * at all.
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

typedef struct pdr_dataset {
    const pdr_alloc *alloc;
    size_t examples;
    pdr_shape shape;     /* of one example: [1,28,28] (channels, rows, columns) or [8] */
    pdr_storage storage; /* what x holds: uint8_t, standing for p/255, or float */
    void *x;             /* examples x size(shape) */
    int32_t classes;     /* 0 for regression */
    int32_t *label;      /* [examples], 0 .. classes-1; NULL for regression */
    int32_t targets;     /* real targets an example; 0 for classification */
    float *target;       /* [examples, targets]; NULL for classification */
    char **class_name;   /* [classes], or NULL */
    char **feature_name; /* [size(shape)], or NULL */
} pdr_dataset;

typedef struct pdr_data {
    pdr_dataset train, test;
    char *name;   /* registry name or file name */
    char *source; /* where it was found */
} pdr_data;

/* The recipe's `data:` section. */
typedef struct pdr_data_options {
    const char *name;         /* a registry name; NULL when files are given */
    const char *train;        /* a CSV/TSV file, or an IDX image file */
    const char *train_labels; /* IDX labels */
    const char *test, *test_labels;
    const char *label;       /* CSV: column of the class */
    const char *target;      /* CSV: column of the real target */
    const char *categorical; /* CSV: comma-separated names of categorical columns */
    const char *ignore;      /* CSV: comma-separated names of columns to leave out */
    int missing;             /* what to do with an empty cell */
    bool standardise;        /* zero mean, unit variance by the training part's figures */
    double test_fraction;    /* when no test part is given */
} pdr_data_options;

enum { PDR_MISSING_ERROR, PDR_MISSING_MEAN, PDR_MISSING_ZERO, PDR_MISSING_DROP };

extern const pdr_option pdr_data_option_table[];

/* Find, fetch if need be, and load.  seed decides the train/test split where
 * one has to be made. */
pdr_rc pdr_data_open(const pdr_alloc *alloc, const pdr_data_options *o, uint64_t seed,
                     pdr_data *data, pdr_error *err);
void pdr_data_close(pdr_data *data);

/* Example i as floats. */
void pdr_dataset_read(const pdr_dataset *d, size_t i, float x[]);
void pdr_dataset_close(pdr_dataset *d);

/* IDX (LeCun's format, unsigned bytes; gzip or plain).  Images get shape
 * [1,rows,columns]; labels must be as many. */
pdr_rc pdr_dataset_idx(const pdr_alloc *alloc, const char *images, const char *labels,
                       pdr_dataset *out, pdr_error *err);

/* CSV or TSV (by the header's separator; RFC 4180 quotes; gzip or plain), header
 * row required.  Every column that is not the label, the target, categorical or
 * ignored is numeric.  Categorical columns become one feature a value, in
 * order of first appearance; labels become classes in sorted order (numeric
 * if all are numbers).
 *
 * like, which may be NULL, is a set read before (the training part): columns
 * are matched by name and categories and classes keep their numbers; a value
 * that like has not is an error. */
pdr_rc pdr_dataset_csv(const pdr_alloc *alloc, const char *file, const pdr_data_options *o,
                       const pdr_dataset *like, pdr_dataset *out, pdr_error *err);

/* The registry: name, one line of description, home, licence. */
typedef struct pdr_registry_row {
    const char *name, *title, *home, *licence;
    size_t train, test; /* examples */
    int32_t classes;    /* 0: regression */
} pdr_registry_row;

/* Row i, or NULL past the end. */
const pdr_registry_row *pdr_registry_at(size_t i);

/* Where the set would be read from ("" when it has to be downloaded). */
void pdr_registry_where(const char *name, char path[], size_t size);

/* Bring a registered set into the cache.  progress (may be NULL) is told bytes
 * done and in total; returning false stops. */
typedef bool (*pdr_progress_fn)(void *ctx, const char *file, uint64_t done, uint64_t total);
pdr_rc pdr_registry_fetch(const pdr_alloc *alloc, const char *name, pdr_progress_fn progress,
                          void *ctx, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
