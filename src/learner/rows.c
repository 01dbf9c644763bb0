/* learner/rows.c -- rows of whatever kind, made examples. */
#include "learner/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/registry.h"
#include "learner/learner.h"

/* ---- names ----------------------------------------------------------------------------------- */

int64_t pdi_rows_feature(const pdi_rows *r, const char *name)
{
    const pdi_names *names = &r->l->form.feature;
    if (names->n) return pdi_names_find(names, name);
    char *end;
    unsigned long long i = strtoull(name, &end, 10);
    return *name >= '0' && *name <= '9' && !*end && i < r->width ? (int64_t)i : -1;
}

size_t pdi_rows_lacking(const pdi_rows *r, const bool has[], char text[200])
{
    size_t lacks = 0, n = 0;
    text[0] = 0;
    for (size_t i = 0; i < r->width; i++) {
        const char *name = pdr_learner_feature(r->l, i);
        if (has[i]) continue;
        if (lacks < 4) {
            char number[24];
            snprintf(number, sizeof number, "%zu", i);
            n += (size_t)snprintf(text + n, 48, "%s%.40s", lacks ? ", " : "", name ? name : number);
        } else if (lacks == 4) {
            snprintf(text + n, 8, ", ...");
        }
        lacks++;
    }
    return lacks;
}

bool pdi_rows_fill(const pdi_rows *r, size_t feature, float *x)
{
    if (r->missing == PDR_MISSING_ZERO) *x = 0;
    if (r->missing == PDR_MISSING_MEAN) *x = r->l->mean ? (float)r->l->mean[feature] : 0;
    return r->missing == PDR_MISSING_ZERO || r->missing == PDR_MISSING_MEAN;
}

const char *pdi_learner_label_name(const pdr_learner *l)
{
    const pdr_data_options *d = &l->recipe.data;
    bool real = l->form.targets > 0;
    const char *own = real ? d->target : d->label;
    if (own && *own) return own;
    const pdi_set *set = d->name && *d->name ? pdi_set_find(d->name, NULL) : NULL;
    own = !set ? NULL : real ? set->form.target : set->form.label;
    if (own) return own;
    return real ? "target" : "label";
}

const char *pdi_rows_label_name(const pdi_rows *r)
{
    return r->form.label ? r->form.label : pdi_learner_label_name(r->l);
}

/* ---- open -------------------------------------------------------------------------------------
 */

static const pdi_rows_kind *rows_kind(const pdi_reader *in)
{
    const uint8_t *p = in->p;
    if (in->end - p >= 4 && p[0] == 0 && p[1] == 0 && p[2] == 8) return &pdi_rows_idx;
    while (p < in->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p < in->end && *p == '{' ? &pdi_rows_json : &pdi_rows_csv;
}

static pdr_rc rows_new(const pdr_learner *l, const char *name, const pdi_rows_form *form,
                       pdi_rows **out, pdr_error *err)
{
    pdi_rows *r = *out = pdi_new(l->alloc, 1, sizeof *r);
    if (!r) return pdi_nomem(err);
    r->alloc = l->alloc;
    r->l = l;
    r->form = *form;
    r->name = name;
    r->width = l->form.width;
    r->targets = (size_t)l->form.targets;
    r->missing = l->recipe.data.missing;
    r->x = pdi_new(r->alloc, r->width, sizeof *r->x);
    r->target = pdi_new(r->alloc, r->targets + 1, sizeof *r->target);
    return r->x && r->target ? PDR_OK : pdi_nomem(err);
}

/* The bytes can be read: what are they? */
static pdr_rc rows_begin(pdi_rows *r, pdr_error *err)
{
    pdr_rc rc = pdi_reader_fill(&r->in, err);
    if (rc) return rc;
    r->in.name = r->name;
    r->kind = rows_kind(&r->in);
    return r->kind->open(r, err);
}

pdr_rc pdi_rows_open(const pdr_learner *l, const char *path, const pdi_rows_form *form,
                     pdi_rows **out, pdr_error *err)
{
    bool pipe = !strcmp(path, "-");
    pdr_rc rc = rows_new(l, pipe ? "standard input" : path, form, out, err);
    if (!rc) rc = pdi_reader_open(&(*out)->in, l->alloc, pipe ? "/dev/stdin" : path, err);
    if (!rc) rc = rows_begin(*out, err);
    if (!rc) return PDR_OK;
    pdi_rows_close(*out);
    *out = NULL;
    return rc;
}

pdr_rc pdi_rows_memory(const pdr_learner *l, const char *name, const uint8_t *bytes, size_t n,
                       const pdi_rows_form *form, pdi_rows **out, pdr_error *err)
{
    pdr_rc rc = rows_new(l, name, form, out, err);
    if (!rc) rc = pdi_reader_memory(&(*out)->in, l->alloc, name, bytes, n, err);
    if (!rc) rc = rows_begin(*out, err);
    if (!rc) return PDR_OK;
    pdi_rows_close(*out);
    *out = NULL;
    return rc;
}

void pdi_rows_close(pdi_rows *r)
{
    if (!r) return;
    if (r->kind) r->kind->close(r);
    pdi_reader_close(&r->in);
    pdi_free(r->alloc, r->x);
    pdi_free(r->alloc, r->target);
    pdi_free(r->alloc, r);
}

/* ---- a row ------------------------------------------------------------------------------------
 */

/* A label that is no class's name, but the number of one that was known from the start. */
static const char *rows_label(const pdi_rows *r)
{
    char *end;
    if (!r->has_label || pdi_names_find(&r->l->form.class, r->label) >= 0) return r->label;
    unsigned long long c = strtoull(r->label, &end, 10);
    bool number = r->label[0] >= '0' && r->label[0] <= '9' && !*end;
    return number && c < (unsigned long long)r->l->form.given ? pdr_learner_class(r->l, (int32_t)c)
                                                              : r->label;
}

pdr_rc pdi_rows_next(pdi_rows *r, pdr_example *e, bool *more, pdr_error *err)
{
    r->label[0] = r->task[0] = 0;
    r->has_label = false;
    pdr_rc rc = r->kind->next(r, more, err);
    if (rc || !*more) return rc;
    *e = (pdr_example){.x = r->x, .task = r->task[0] ? r->task : NULL};
    if (r->has_label && r->targets) e->target = r->target;
    if (r->has_label && !r->targets) e->label = rows_label(r);
    return PDR_OK;
}
