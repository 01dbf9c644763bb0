/* learner/rows.c -- rows of whatever kind, made examples. */
#include "learner/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

bool pdi_rows_lack(pdi_rows *r, size_t i)
{
    r->x[i] = NAN;
    r->lacks = true;
    return r->missing != PDR_MISSING_ERROR &&
           (r->missing != PDR_MISSING_DROP || r->form.wants_label);
}

bool pdi_rows_is_of(const pdi_rows *r, size_t i, const char *name)
{
    const char *f = pdr_learner_feature(r->l, i);
    size_t n = strlen(name);
    return f && !strncmp(f, name, n) && f[n] == '=';
}

bool pdi_rows_category(pdi_rows *r, const char *name, const char *value)
{
    bool found = false;
    size_t n = strlen(name);
    for (size_t i = 0; i < r->width; i++) {
        if (!pdi_rows_is_of(r, i, name)) continue;
        bool is = !strcmp(pdr_learner_feature(r->l, i) + n + 1, value);
        r->x[i] = is ? 1 : 0;
        found = found || is;
    }
    return found || r->missing != PDR_MISSING_ERROR;
}

void pdi_rows_pass(pdi_rows *r, const char *name)
{
    size_t most = sizeof r->passed / sizeof r->passed[0];
    for (size_t i = 0; i < r->passed_over && i < most; i++)
        if (!strncmp(r->passed[i], name, sizeof r->passed[i] - 1)) return;
    if (r->passed_over < most)
        snprintf(r->passed[r->passed_over], sizeof r->passed[0], "%.63s", name);
    if (r->passed_over <= most) r->passed_over++;
}

/* Does the column have the name given, or when none was given the usual one? */
static bool rows_is(const char *given, const char *usual, bool explicit, const char *name)
{
    return explicit ? given && *given && !strcmp(given, name) : !given && !strcmp(usual, name);
}

pdi_role pdi_rows_role(const pdi_rows *r, const char *name, size_t *feature)
{
    int64_t at = pdi_rows_feature(r, name);
    if (!strcmp(name, pdi_rows_label_name(r))) return PDI_ROLE_LABEL;
    if (rows_is(r->form.task, NULL, true, name)) return PDI_ROLE_TASK;
    if (rows_is(r->form.id, NULL, true, name)) return PDI_ROLE_ID;
    if (at >= 0) *feature = (size_t)at;
    if (at >= 0) return PDI_ROLE_FEATURE;
    for (size_t i = 0; i < r->width; i++)
        if (pdi_rows_is_of(r, i, name)) return PDI_ROLE_CATEGORY;
    if (rows_is(r->form.task, "task", false, name)) return PDI_ROLE_TASK;
    return rows_is(r->form.id, "id", false, name) ? PDI_ROLE_ID : PDI_ROLE_OTHER;
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

static pdr_rc rows_file(pdi_rows *r, const pdi_set *set, const char *folder, size_t k, char **out,
                        pdr_error *err)
{
    char path[PDI_PATH];
    const pdi_set_file *f = pdi_set_file_at(set, k);
    if (!f || !pdi_set_path(folder, f->name, path))
        return pdi_fail(err, PDR_INPUT, "%s: the data set has no such part", set->row.name);
    *out = pdi_strdup(r->alloc, path);
    return *out ? PDR_OK : pdi_nomem(err);
}

/* The files of a part of a set: examples, and for images their labels. */
static pdr_rc rows_set(pdi_rows *r, const pdi_set *set, bool test, pdr_error *err)
{
    char folder[PDI_PATH];
    bool idx = set->loader == PDI_LOAD_IDX;
    if (!idx && set->loader != PDI_LOAD_CSV)
        return pdi_fail(err, PDR_INPUT,
                        "%s: a data set of this kind cannot be streamed; name a file",
                        set->row.name);
    pdi_set_where(set, folder);
    if (!folder[0])
        return pdi_fail(
            err, PDR_INPUT,
            "%s: the data set is not on this machine; 'perdure data fetch %s' brings it",
            set->row.name, set->row.name);
    pdr_rc rc = rows_file(r, set, folder, test ? 2 : 0, &r->found[0], err);
    if (rc || !idx || r->form.labels) return rc;
    rc = rows_file(r, set, folder, test ? 3 : 1, &r->found[1], err);
    r->form.labels = r->found[1];
    return rc;
}

/* A registered set is meant where no file has the name. */
static pdr_rc rows_find(pdi_rows *r, const char **path, pdr_error *err)
{
    char name[64];
    const char *colon = strrchr(*path, ':');
    bool test = colon && !strcmp(colon, ":test");
    snprintf(name, sizeof name, "%.*s", (int)(test ? colon - *path : 63), *path);
    struct stat file;
    bool is_file = !stat(*path, &file) && !S_ISDIR(file.st_mode);
    const pdi_set *set = is_file ? NULL : pdi_set_find(name, NULL);
    if (!set || strlen(name) + (test ? 5 : 0) != strlen(*path)) return PDR_OK;
    pdr_rc rc = rows_set(r, set, test, err);
    if (!rc) r->name = *path = r->found[0];
    return rc;
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
    if (!rc && !pipe) rc = rows_find(*out, &path, err);
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
    pdi_free(r->alloc, r->found[0]);
    pdi_free(r->alloc, r->found[1]);
    pdi_free(r->alloc, r->x);
    pdi_free(r->alloc, r->target);
    pdi_free(r->alloc, r);
}

/* ---- a row ------------------------------------------------------------------------------------
 */

/* A label that is a number, and no class's name, where the data at the start had names for them. */
static const char *rows_label(const pdi_rows *r)
{
    char *end;
    if (!r->has_label || pdi_names_find(&r->l->form.class, r->label) >= 0) return r->label;
    unsigned long long c = strtoull(r->label, &end, 10);
    bool number = r->label[0] >= '0' && r->label[0] <= '9' && !*end;
    return number && c < (unsigned long long)r->l->form.given.n ? r->l->form.given.v[c] : r->label;
}

pdr_rc pdi_rows_next(pdi_rows *r, pdr_example *e, bool *more, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    *more = true;
    for (bool drop = true; !rc && *more && drop; r->dropped += drop) {
        r->label[0] = r->task[0] = r->id[0] = 0;
        r->has_label = r->lacks = false;
        r->has_x = true;
        rc = r->kind->next(r, more, err);
        drop = !rc && *more && r->has_x && r->lacks && r->missing == PDR_MISSING_DROP;
    }
    if (rc || !*more) return rc;
    *e = (pdr_example){.x = r->has_x ? r->x : NULL,
                       .task = r->task[0] ? r->task : NULL,
                       .id = r->id[0] ? r->id : NULL};
    if (r->has_label && r->targets) e->target = r->target;
    if (r->has_label && !r->targets) e->label = rows_label(r);
    return PDR_OK;
}
