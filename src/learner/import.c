/* learner/import.c -- parameters from elsewhere, all of them or none.
 *
 * The file is read and compared with the learner's tensors, and its numbers are converted, before
 * anything changes; then state and file change within one transaction. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "learner/exchange.h"
#include "learner/safetensors.h"

typedef struct import {
    pdr_learner *l;
    const char *name; /* of the file */
    pdr_error *err;
    pdi_safe file;
    pdi_exchange x; /* where the numbers go */
    double **value; /* [x.n] what goes there */
} import;

static size_t import_size(const pdi_exchanged *to) { return (size_t)pdr_shape_size(&to->shape); }

/* ---- is it ours? -------------------------------------------------------------------------------
 */

static pdr_rc import_missing(const import *m, const pdi_exchanged *to)
{
    char shape[PDR_SHAPE_TEXT];
    bool is_normaliser = to->wide != NULL;
    return pdi_fail(m->err, PDR_INPUT, "%s: there is no tensor '%s', %s; %s", m->name, to->name,
                    pdr_shape_text(&to->shape, shape),
                    is_normaliser ? "add it, or take a learner with learner.normalise: false"
                                  : "add it, or take parameters of the same model ('perdure show' "
                                    "lists its tensors)");
}

static pdr_rc import_fits(const import *m, const pdi_exchanged *to, const pdi_safe_tensor *from)
{
    char is[PDR_SHAPE_TEXT], needs[PDR_SHAPE_TEXT];
    if (!from) return import_missing(m, to);
    if (!pdr_shape_equal(&from->shape, &to->shape))
        return pdi_fail(m->err, PDR_INPUT,
                        "%s: tensor '%s' is %s, and the learner's is %s; take parameters of the "
                        "same model, features and number of outputs",
                        m->name, to->name, pdr_shape_text(&from->shape, is),
                        pdr_shape_text(&to->shape, needs));
    if (pdi_safe_is_real(from->type)) return PDR_OK;
    return pdi_fail(m->err, PDR_INPUT,
                    "%s: tensor '%s' is of type %s; make it F32 (F64, F16 and BF16 are read, too)",
                    m->name, to->name, pdi_safe_word(from->type));
}

/* Every tensor of the file is one of the learner's. */
static pdr_rc import_known(const import *m)
{
    for (size_t i = 0; i < m->file.n; i++) {
        bool known = false;
        for (size_t k = 0; !known && k < m->x.n; k++)
            known = !strcmp(m->file.v[i].name, m->x.v[k].name);
        if (!known)
            return pdi_fail(m->err, PDR_INPUT,
                            "%s: tensor '%.80s' is none of the learner's; leave it out ('perdure "
                            "show' lists those there are)",
                            m->name, m->file.v[i].name);
    }
    return PDR_OK;
}

/* ---- numbers
 * ------------------------------------------------------------------------------------- */

static pdr_rc import_bad(const import *m, const char *name, size_t i, double x, const char *why)
{
    return pdi_fail(m->err, PDR_INPUT, "%s: tensor '%s': element %zu, %g, %s", m->name, name, i, x,
                    why);
}

static pdr_rc import_convert(const import *m, const pdi_exchanged *to, const pdi_safe_tensor *from,
                             double *value)
{
    size_t n = import_size(to);
    for (size_t i = 0; i < n; i++) {
        double x = pdi_safe_number(from, i);
        if (!isfinite(x)) return import_bad(m, to->name, i, x, "is not finite");
        if (to->narrow && !isfinite((float)x))
            return import_bad(m, to->name, i, x, "is too large for 32 bits");
        value[i] = x;
    }
    return PDR_OK;
}

/* What moments must be: a count; squares; nothing before the first example. */
static pdr_rc import_moments(const import *m)
{
    if (!m->l->mean) return PDR_OK;
    double count = m->value[0][0];
    size_t n = import_size(&m->x.v[1]);
    if (count < 0 || count > 0x1p53 || count != floor(count))
        return import_bad(m, m->x.v[0].name, 0, count, "is no count of examples");
    for (size_t i = 0; i < n; i++) {
        if (m->value[2][i] < 0)
            return import_bad(m, m->x.v[2].name, i, m->value[2][i], "is no sum of squares");
        if (count == 0 && (m->value[1][i] != 0 || m->value[2][i] != 0))
            return import_bad(m, m->x.v[0].name, 0, count,
                              "says that no example was seen, and the moments are not 0");
    }
    return PDR_OK;
}

static pdr_rc import_read(import *m, const void *bytes, size_t n)
{
    pdr_rc rc = pdi_safe_read(m->l->alloc, m->name, bytes, n, &m->file, m->err);
    m->value = rc ? NULL : pdi_new(m->l->alloc, m->x.n, sizeof *m->value);
    if (!rc && !m->value) rc = pdi_nomem(m->err);
    for (size_t i = 0; !rc && i < m->x.n; i++) {
        const pdi_exchanged *to = &m->x.v[i];
        const pdi_safe_tensor *from = pdi_safe_find(&m->file, to->name);
        rc = import_fits(m, to, from);
        if (rc) break;
        m->value[i] = pdi_new(m->l->alloc, import_size(to), sizeof **m->value);
        rc = m->value[i] ? import_convert(m, to, from, m->value[i]) : pdi_nomem(m->err);
    }
    if (!rc) rc = import_known(m);
    return rc ? rc : import_moments(m);
}

/* ---- into the learner ---------------------------------------------------------------------------
 */

static void import_apply(import *m)
{
    for (size_t i = 0; i < m->x.n; i++) {
        const pdi_exchanged *to = &m->x.v[i];
        for (size_t k = 0; k < import_size(to); k++) {
            if (to->wide) to->wide[k] = m->value[i][k];
            if (to->narrow) to->narrow[k] = (float)m->value[i][k];
        }
    }
    if (m->l->mean) m->l->seen = (uint64_t)m->x.seen;
    pdi_teach_scale(m->l);
    pdi_trainer_reset_optimizer(m->l->trainer);
}

/* "new.safetensors" of "/home/a/new.safetensors". */
static const char *import_stem(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash && slash[1] ? slash + 1 : name;
}

static pdr_rc import_keep(import *m, const char *keep)
{
    pdr_rc rc = keep ? pdi_log_add(m->l, "snapshot", keep, m->err) : PDR_OK;
    if (!rc && keep) rc = pdi_store_snapshot(m->l->store, keep, (int64_t)time(NULL), m->err);
    return rc;
}

static pdr_rc import_write(import *m, const char *keep)
{
    pdr_learner *l = m->l;
    pdr_rc rc = pdr_learner_checkpoint(l, m->err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_WRITE, m->err);
    if (rc) return rc;
    rc = import_keep(m, keep);
    if (!rc) import_apply(m);
    if (!rc) rc = pdi_learner_put(l, m->err);
    if (!rc) rc = pdi_log_add(l, "imported", import_stem(m->name), m->err);
    if (!rc) rc = pdi_store_commit(l->store, m->err);
    if (!rc) return PDR_OK;
    pdi_store_cancel(l->store);
    pdi_learner_reload(l, NULL); /* where that fails, the learner says so from now on */
    return rc;
}

static void import_close(import *m)
{
    for (size_t i = 0; m->value && i < m->x.n; i++) pdi_free(m->l->alloc, m->value[i]);
    pdi_free(m->l->alloc, m->value);
    pdi_safe_close(&m->file);
    pdi_exchange_close(&m->x);
}

pdr_rc pdr_learner_import(pdr_learner *l, const char *name, const void *bytes, size_t n,
                          const char *keep, pdr_error *err)
{
import m = {.l = l, .name = name, .err = err };
    pdr_rc rc = pdi_learner_check(l, true, err);
    if (!rc) rc = pdi_exchange_open(l, &m.x, err);
    if (!rc) rc = import_read(&m, bytes, n);
    if (!rc) rc = import_write(&m, keep);
    import_close(&m);
    return rc;
}

/* ---- from a file
 * ---------------------------------------------------------------------------------- */

/* No longer than a header and all numbers in eight bytes each. */
static pdr_rc import_limit(pdr_learner *l, size_t *most, pdr_error *err)
{
    pdi_exchange x;
    pdr_rc rc = pdi_exchange_open(l, &x, err);
    *most = PDI_SAFE_START + PDI_SAFE_HEADER_MAX;
    for (size_t i = 0; !rc && i < x.n; i++) *most += 8 * import_size(&x.v[i]);
    pdi_exchange_close(&x);
    return rc;
}

static pdr_rc import_load(FILE *f, const char *path, size_t most, pdi_text *bytes, pdr_error *err)
{
    char some[1 << 16];
    size_t n;
    while (!bytes->failed && bytes->n <= most && (n = fread(some, 1, sizeof some, f)) > 0)
        pdi_text_bytes(bytes, some, n);
    if (ferror(f)) return pdi_fail(err, PDR_IO, "%s: cannot read: %s", path, strerror(errno));
    if (bytes->failed) return pdi_nomem(err);
    if (bytes->n <= most) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s: is longer than the %zu bytes that this learner's parameters can take",
                    path, most);
}

pdr_rc pdr_learner_import_file(pdr_learner *l, const char *path, const char *keep, pdr_error *err)
{
    pdi_text bytes = {.alloc = l->alloc};
    size_t most;
    pdr_rc rc = pdi_learner_check(l, true, err);
    if (!rc) rc = import_limit(l, &most, err);
    if (rc) return rc;
    FILE *f = fopen(path, "rb");
    if (!f)
        return pdi_fail(err, PDR_INPUT, "%s: cannot open: %s; name a safetensors file", path,
                        strerror(errno));
    rc = import_load(f, path, most, &bytes, err);
    fclose(f);
    if (!rc) rc = pdr_learner_import(l, path, bytes.s ? bytes.s : "", bytes.n, keep, err);
    pdi_text_close(&bytes);
    return rc;
}
