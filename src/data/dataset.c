/* data/dataset.c -- labelled sets in memory: reading, closing, splitting in two. */
#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <perdure/rng.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

size_t pdi_dataset_size(const pdr_dataset *d) { return (size_t)pdr_shape_size(&d->shape); }

void pdr_dataset_read(const pdr_dataset *d, size_t i, float x[])
{
    size_t n = pdi_dataset_size(d);
    if (d->storage == PDR_FLOATS) {
        memcpy(x, (const float *)d->x + i * n, n * sizeof *x);
        return;
    }
    const uint8_t *p = (const uint8_t *)d->x + i * n;
    for (size_t k = 0; k < n; k++) x[k] = (float)p[k] * 0x1.010102p-8f;
}

static void dataset_free_names(const pdr_alloc *a, char **name, size_t n)
{
    for (size_t i = 0; name && i < n; i++) pdi_free(a, name[i]);
    pdi_free(a, name);
}

void pdr_dataset_close(pdr_dataset *d)
{
    if (d->alloc) {
        dataset_free_names(d->alloc, d->class_name, (size_t)d->classes);
        dataset_free_names(d->alloc, d->class_group, (size_t)d->classes);
        dataset_free_names(d->alloc, d->feature_name, pdi_dataset_size(d));
        pdi_free(d->alloc, d->class_part);
        pdi_free(d->alloc, d->x);
        pdi_free(d->alloc, d->label);
        pdi_free(d->alloc, d->target);
    }
    *d = (pdr_dataset){0};
}

pdr_rc pdi_dataset_check(const pdr_dataset *d, const pdr_dataset *train, const char *what,
                         pdr_error *err)
{
    if (pdr_shape_size(&d->shape) < 1 || (d->classes ? !d->label : !d->target || d->targets < 1))
        return pdi_fail(err, PDR_USAGE,
                        "data: the %s part has no shape, or neither labels nor targets", what);
    if (!pdr_shape_equal(&train->shape, &d->shape) || train->classes != d->classes ||
        train->targets != d->targets || train->storage != d->storage)
        return pdi_fail(err, PDR_INPUT,
                        "data: the training and the test part differ in shape, storage, classes or "
                        "targets");
    for (size_t i = 0; d->classes && i < d->examples; i++)
        if (d->label[i] < 0 || d->label[i] >= d->classes)
            return pdi_fail(err, PDR_INPUT,
                            "data: %s example %zu has label %" PRId32 ", but there are %" PRId32
                            " classes",
                            what, i + 1, d->label[i], d->classes);
    return PDR_OK;
}

/* ---- splitting ---- */

static pdr_rc dataset_copy_names(const pdr_alloc *a, char *const *from, size_t n, char ***to,
                                 pdr_error *err)
{
    if (!from) return PDR_OK;
    *to = pdi_new(a, n, sizeof **to);
    if (!*to) return pdi_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!((*to)[i] = pdi_strdup(a, from[i]))) return pdi_nomem(err);
    return PDR_OK;
}

/* An array of the examples that move to test: [n, size] bytes from x.  Those that
 * stay close ranks in x. */
static void *dataset_part(const pdr_alloc *a, void *x, size_t size, size_t n, const uint8_t moves[],
                          size_t moving)
{
    uint8_t *from = x, *stay = x, *part = pdi_new(a, moving, size), *go = part;
    for (size_t i = 0; part && i < n; i++, from += size) {
        uint8_t **to = moves[i] ? &go : &stay;
        memmove(*to, from, size);
        *to += size;
    }
    return part;
}

/* What is known of classes and features. */
static pdr_rc dataset_copy_about(const pdr_dataset *from, pdr_dataset *to, pdr_error *err)
{
    const pdr_alloc *a = from->alloc;
    size_t n = (size_t)from->classes;
    pdr_rc rc = dataset_copy_names(a, from->class_name, n, &to->class_name, err);
    if (!rc) rc = dataset_copy_names(a, from->class_group, n, &to->class_group, err);
    if (!rc)
        rc = dataset_copy_names(a, from->feature_name, pdi_dataset_size(from), &to->feature_name,
                                err);
    if (rc || !from->class_part) return rc;
    to->class_part = pdi_new(a, n, sizeof *to->class_part);
    if (!to->class_part) return pdi_nomem(err);
    memcpy(to->class_part, from->class_part, n * sizeof *to->class_part);
    return PDR_OK;
}

static pdr_rc dataset_move(pdr_dataset *from, pdr_dataset *to, const uint8_t moves[], size_t moving,
                           pdr_error *err)
{
    const pdr_alloc *a = from->alloc;
    size_t n = from->examples, size = pdi_dataset_size(from);
    *to = *from;
    to->class_name = to->class_group = to->feature_name = NULL;
    to->class_part = NULL;
    to->x = dataset_part(a, from->x, size * (from->storage == PDR_BYTES ? 1 : sizeof(float)), n,
                         moves, moving);
    to->label = from->label ? dataset_part(a, from->label, sizeof(int32_t), n, moves, moving)
                            : NULL;
    to->target = from->target ? dataset_part(a, from->target, sizeof(float) * (size_t)from->targets,
                                             n, moves, moving)
                              : NULL;
    to->examples = moving;
    from->examples -= moving;
    if (!to->x || !to->label != !from->label || !to->target != !from->target) return pdi_nomem(err);
    return dataset_copy_about(from, to, err);
}

pdr_rc pdi_dataset_split(pdr_dataset *train, pdr_dataset *test, double fraction, uint64_t seed,
                         pdr_error *err)
{
    size_t n = train->examples, moving = (size_t)floor(fraction * (double)n + 0.5);
    if (moving < 1) moving = 1;
    if (moving >= n)
        return pdi_fail(err, PDR_INPUT,
                        "data.test_fraction: of %zu examples, %g leaves none to learn from", n,
                        fraction);
    uint32_t *order = pdi_new(train->alloc, n, sizeof *order);
    uint8_t *moves = pdi_new(train->alloc, n, 1);
    pdr_rc rc = order && moves ? PDR_OK : pdi_nomem(err);
    if (!rc) {
        pdr_rng rng = {.seed = seed, .stream = PDR_STREAM_SPLIT};
        for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
        pdr_rng_shuffle(&rng, n, order);
        for (size_t i = 0; i < moving; i++) moves[order[i]] = 1;
        rc = dataset_move(train, test, moves, moving, err);
    }
    pdi_free(train->alloc, order);
    pdi_free(train->alloc, moves);
    return rc;
}
