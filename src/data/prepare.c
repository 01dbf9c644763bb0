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

/* Two passes over the rows: sums, then squares about the mean, each in the rows' order. */
static void prepare_figures(const pdr_dataset *d, prepare_figure f[])
{
    size_t n = pdi_dataset_size(d);
    const float *first = d->x, *x = first;
    for (size_t i = 0; i < d->examples; i++)
        for (size_t k = 0; k < n; k++, x++) {
            f[k].mean += (double)*x;
            f[k].varies |= *x != first[k];
        }
    for (size_t k = 0; k < n; k++)
        f[k].mean = f[k].varies ? f[k].mean / (double)d->examples : (double)first[k];
    x = first;
    for (size_t i = 0; i < d->examples; i++)
        for (size_t k = 0; k < n; k++, x++) {
            double e = (double)*x - f[k].mean;
            f[k].scale += e * e;
        }
    for (size_t k = 0; k < n; k++)
        f[k].scale = f[k].varies ? 1 / sqrt(f[k].scale / (double)d->examples) : 1;
}

static pdr_rc prepare_apply(pdr_dataset *d, const prepare_figure f[], pdr_error *err)
{
    size_t n = pdi_dataset_size(d);
    float *x = d->x;
    for (size_t i = 0; i < d->examples; i++)
        for (size_t k = 0; k < n; k++, x++) {
            char show[PDI_SHOW];
            *x = (float)(((double)*x - f[k].mean) * f[k].scale);
            if (!isfinite(*x))
                return pdi_fail(err, PDR_INPUT,
                                "data.standardise: example %zu, feature %zu (%s): not finite after "
                                "standardising; it is too far from the training part",
                                i + 1, k + 1, prepare_name(d, k, show));
        }
    return PDR_OK;
}

pdr_rc pdi_dataset_standardise(pdr_dataset *train, pdr_dataset *test, pdr_error *err)
{
    prepare_figure *f = pdi_new(train->alloc, pdi_dataset_size(train), sizeof *f);
    pdr_rc rc = f ? prepare_floats(train, err) : pdi_nomem(err);
    if (!rc && test->examples) rc = prepare_floats(test, err);
    if (!rc) prepare_figures(train, f);
    if (!rc) rc = prepare_apply(train, f, err);
    if (!rc && test->examples) rc = prepare_apply(test, f, err);
    pdi_free(train->alloc, f);
    return rc;
}
