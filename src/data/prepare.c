/* data/prepare.c -- missing values and standardising, by the training part's figures. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/dataset.h"
#include "data/show.h"

static const char *prepare_name(const pdr_dataset *d, size_t k, char show[PDI_SHOW])
{
    return d->feature_name ? pdi_show(show, d->feature_name[k]) : "(an image's)";
}

static bool prepare_has_nan(const pdr_dataset *d)
{
    size_t n = d->examples * pdi_dataset_size(d);
    const float *x = d->x;
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i])) return true;
    return false;
}

/* mean[k] of what feature k has in d; NaN when it has nothing. */
static void prepare_mean(const pdr_dataset *d, double mean[], size_t count[])
{
    size_t n = pdi_dataset_size(d);
    const float *x = d->x;
    for (size_t i = 0; i < d->examples; i++)
        for (size_t k = 0; k < n; k++, x++)
            if (!isnan(*x)) {
                mean[k] += (double)*x;
                count[k]++;
            }
    for (size_t k = 0; k < n; k++) mean[k] = count[k] ? mean[k] / (double)count[k] : NAN;
}

static pdr_rc prepare_fill(pdr_dataset *d, const double mean[], const char *file, pdr_error *err)
{
    size_t n = pdi_dataset_size(d);
    float *x = d->x;
    for (size_t i = 0; i < d->examples; i++)
        for (size_t k = 0; k < n; k++, x++) {
            char show[PDI_SHOW];
            if (!isnan(*x)) continue;
            if (isnan(mean[k]))
                return pdi_fail(err, PDR_INPUT,
                                "%s: feature '%s' is empty in every training row; leave its column "
                                "out with data.ignore",
                                file, prepare_name(d, k, show));
            *x = (float)mean[k];
        }
    return PDR_OK;
}

pdr_rc pdi_dataset_fill(pdr_dataset *d, const pdr_dataset *like, int missing, const char *file,
                        pdr_error *err)
{
    size_t n = pdi_dataset_size(d);
    if (d->storage != PDR_FLOATS || !prepare_has_nan(d)) return PDR_OK;
    double *mean = pdi_new(d->alloc, n, sizeof *mean);
    size_t *count = pdi_new(d->alloc, n, sizeof *count);
    pdr_rc rc = mean && count ? PDR_OK : pdi_nomem(err);
    if (!rc && missing == PDR_MISSING_MEAN) prepare_mean(like ? like : d, mean, count);
    if (!rc) rc = prepare_fill(d, mean, file, err);
    pdi_free(d->alloc, mean);
    pdi_free(d->alloc, count);
    return rc;
}

/* ---- standardising ---- */

static pdr_rc prepare_floats(pdr_dataset *d, pdr_error *err)
{
    size_t n = pdi_dataset_size(d);
    if (d->storage == PDR_FLOATS) return PDR_OK;
    float *x = pdi_new(d->alloc, d->examples, n * sizeof *x);
    if (!x) return pdi_nomem(err);
    for (size_t i = 0; i < d->examples; i++) pdr_dataset_read(d, i, x + i * n);
    pdi_free(d->alloc, d->x);
    d->x = x;
    d->storage = PDR_FLOATS;
    return PDR_OK;
}

typedef struct prepare_figure {
    double mean, scale; /* scale: 1 / standard deviation */
    bool varies;        /* a rounded mean can give a constant some variance */
} prepare_figure;

/* Rows of n numbers: the features, or the targets. */
typedef struct prepare_columns {
    float *x;
    size_t rows, n;
} prepare_columns;

static prepare_columns prepare_features(const pdr_dataset *d)
{
    return (prepare_columns){d->x, d->examples, pdi_dataset_size(d)};
}

static prepare_columns prepare_targets(const pdr_dataset *d)
{
    return (prepare_columns){d->target, d->examples, (size_t)d->targets};
}

/* Two passes over the rows: sums, then squares about the mean, each in the rows' order. */
static void prepare_figures(prepare_columns c, prepare_figure f[])
{
    const float *x = c.x;
    for (size_t i = 0; i < c.rows; i++)
        for (size_t k = 0; k < c.n; k++, x++) {
            f[k].mean += (double)*x;
            f[k].varies |= *x != c.x[k];
        }
    for (size_t k = 0; k < c.n; k++)
        f[k].mean = f[k].varies ? f[k].mean / (double)c.rows : (double)c.x[k];
    x = c.x;
    for (size_t i = 0; i < c.rows; i++)
        for (size_t k = 0; k < c.n; k++, x++) {
            double e = (double)*x - f[k].mean;
            f[k].scale += e * e;
        }
    for (size_t k = 0; k < c.n; k++)
        f[k].scale = f[k].varies ? 1 / sqrt(f[k].scale / (double)c.rows) : 1;
}

/* The first number that is not finite afterwards, counted from 1; 0 for none. */
static size_t prepare_apply(prepare_columns c, const prepare_figure f[])
{
    size_t bad = 0;
    for (size_t i = 0; i < c.rows * c.n; i++) {
        const prepare_figure *k = &f[i % c.n];
        c.x[i] = (float)(((double)c.x[i] - k->mean) * k->scale);
        if (!bad && !isfinite(c.x[i])) bad = i + 1;
    }
    return bad;
}

static pdr_rc prepare_apply_features(pdr_dataset *d, const prepare_figure f[], pdr_error *err)
{
    char show[PDI_SHOW];
    size_t n = pdi_dataset_size(d), bad = prepare_apply(prepare_features(d), f);
    if (!bad) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "data.standardise: example %zu, feature %zu (%s): not finite after "
                    "standardising; it is too far from the training part",
                    (bad - 1) / n + 1, (bad - 1) % n + 1, prepare_name(d, (bad - 1) % n, show));
}

static pdr_rc prepare_standardise_features(pdr_dataset *train, pdr_dataset *test, pdr_error *err)
{
    prepare_figure *f = pdi_new(train->alloc, pdi_dataset_size(train), sizeof *f);
    pdr_rc rc = f ? prepare_floats(train, err) : pdi_nomem(err);
    if (!rc && test->examples) rc = prepare_floats(test, err);
    if (!rc) prepare_figures(prepare_features(train), f);
    if (!rc) rc = prepare_apply_features(train, f, err);
    if (!rc && test->examples) rc = prepare_apply_features(test, f, err);
    pdi_free(train->alloc, f);
    return rc;
}

/* One target column: what it was divided by is kept, so that errors can be told in the
 * unit of the file. */
static pdr_rc prepare_standardise_target(pdr_dataset *train, pdr_dataset *test, pdr_error *err)
{
    prepare_figure f = {0};
    prepare_figures(prepare_targets(train), &f);
    if (prepare_apply(prepare_targets(train), &f) ||
        (test->examples && prepare_apply(prepare_targets(test), &f)))
        return pdi_fail(err, PDR_INPUT,
                        "data.standardise: a target is not finite after standardising; it is too "
                        "far from the training part");
    train->target_unit = test->target_unit = 1 / f.scale;
    return PDR_OK;
}

pdr_rc pdi_dataset_standardise(pdr_dataset *train, pdr_dataset *test, pdr_error *err)
{
    pdr_rc rc = prepare_standardise_features(train, test, err);
    return rc || train->targets != 1 ? rc : prepare_standardise_target(train, test, err);
}
