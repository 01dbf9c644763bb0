/* learner/form.c -- what an example looks like, and the names of things.
 *
 * Classes and tasks are numbered as they come: a class that the data at the start names is known
 * once an example of it has been learned.  A class may be the answer for the tasks in
 * which it was seen; task 0 is the one without a name, for which every known class may be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "learner/learner.h"

/* ---- names ------------------------------------------------------------------------------- */

int32_t pdi_names_find(const pdi_names *names, const char *name)
{
    for (int32_t i = 0; i < names->n; i++)
        if (!strcmp(names->v[i], name)) return i;
    return -1;
}

static pdr_rc form_names_open(const pdr_learner *l, pdi_names *names, int32_t most, pdr_error *err)
{
    names->v = pdi_new(l->alloc, (size_t)most + 1, sizeof *names->v);
    names->most = most;
    return names->v ? PDR_OK : pdi_nomem(err);
}

bool pdi_names_room(const pdr_learner *l, pdi_names *names, int32_t most)
{
    char **more = pdi_resize(l->alloc, names->v, (size_t)most + 1, sizeof *more);
    if (!more) return false;
    names->v = more;
    names->most = most;
    return true;
}

static pdr_rc form_name_add(const pdr_learner *l, pdi_names *names, const char *name,
                            pdr_error *err)
{
    char *copy = pdi_strdup(l->alloc, name);
    if (!copy) return pdi_nomem(err);
    names->v[names->n++] = copy;
    return PDR_OK;
}

static void form_names_close(const pdr_learner *l, pdi_names *names)
{
    for (int32_t i = 0; names->v && i < names->n; i++) pdi_free(l->alloc, names->v[i]);
    pdi_free(l->alloc, names->v);
    *names = (pdi_names){0};
}

static bool form_is_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= PDI_NAME_MAX;
}

int32_t pdi_form_task(pdr_learner *l, const char *name, pdr_error *err)
{
    pdi_names *names = &l->form.task;
    if (!name) return 0;
    int32_t at = pdi_names_find(names, name);
    if (at > 0) return at;
    if (!form_is_name(name) || names->n == names->most) {
        pdi_fail(err, PDR_INPUT,
                 "%s: task '%.80s': there is room for %d tasks with names of 1 to 255 bytes",
                 pdi_store_path(l->store), name, names->most - 1);
        return -1;
    }
    return form_name_add(l, names, name, err) ? -1 : names->n - 1;
}

int32_t pdi_form_class(pdr_learner *l, int32_t task, const char *name, pdr_error *err)
{
    pdi_names *names = &l->form.class;
    int32_t at = pdi_names_find(names, name), outputs = l->form.outputs;
    if (at < 0 && (!form_is_name(name) || names->n == names->most)) {
        pdi_fail(err, PDR_INPUT,
                 "%s: class '%.80s': all %d outputs have a class, or the name is not of 1 to 255 "
                 "bytes",
                 pdi_store_path(l->store), name, names->most);
        return -1;
    }
    if (at < 0) {
        if (form_name_add(l, names, name, err)) return -1;
        at = names->n - 1;
    }
    l->mask[at] = 1;
    l->mask[task * outputs + at] = 1;
    return at;
}

/* ---- missing values ---------------------------------------------------------------------- */

static bool form_fills(const pdr_learner *l)
{
    int missing = l->recipe.data.missing;
    return missing == PDR_MISSING_ZERO || missing == PDR_MISSING_MEAN;
}

bool pdi_form_takes(const pdr_learner *l, float x)
{
    return isfinite(x) || (isnan(x) && form_fills(l));
}

void pdi_form_fill(const pdr_learner *l, float x[])
{
    bool mean = l->recipe.data.missing == PDR_MISSING_MEAN && l->mean;
    for (size_t i = 0; form_fills(l) && i < l->form.width; i++)
        if (isnan(x[i])) x[i] = mean ? (float)l->mean[i] : 0;
}

/* ---- making, writing, reading --------------------------------------------------------------- */

/* Outputs: as many as the recipe says, or as there are classes, and never fewer. */
static int32_t form_outputs(const pdr_learner *l, int32_t classes)
{
    int64_t most = l->recipe.learner.classes;
    return most > classes ? (int32_t)most : classes > 0 ? classes : 1;
}

static pdr_rc form_room(pdr_learner *l, pdr_error *err)
{
    pdi_form *f = &l->form;
    int32_t tasks = f->task.most;
    f->width = (size_t)pdr_shape_size(&f->shape);
    l->mask = pdi_new(l->alloc, (size_t)tasks * (size_t)f->outputs, sizeof *l->mask);
    pdr_rc rc = l->mask ? PDR_OK : pdi_nomem(err);
    if (!rc) rc = form_names_open(l, &f->feature, (int32_t)f->width, err);
    if (!rc) rc = form_names_open(l, &f->class, f->targets ? 0 : f->outputs, err);
    if (!rc) rc = form_names_open(l, &f->given, f->given.most, err);
    if (!rc) rc = form_names_open(l, &f->task, tasks, err);
    return rc;
}

pdr_rc pdi_form_open(pdr_learner *l, const pdr_dataset *like, pdr_error *err)
{
    pdi_form *f = &l->form;
    f->shape = like->shape;
    f->targets = like->targets;
    f->given.most = like->classes;
    f->outputs = f->targets ? f->targets : form_outputs(l, like->classes);
    f->task.most = 1 + (int32_t)l->recipe.learner.tasks;
    pdr_rc rc = form_room(l, err);
    if (!rc) rc = form_name_add(l, &f->task, "", err);
    for (size_t i = 0; !rc && like->feature_name && i < f->width; i++)
        rc = form_name_add(l, &f->feature, like->feature_name[i], err);
    for (int32_t c = 0; !rc && like->class_name && c < like->classes; c++)
        rc = form_is_name(like->class_name[c])
                 ? form_name_add(l, &f->given, like->class_name[c], err)
                 : pdi_fail(err, PDR_INPUT, "a class's name has 1 to 255 bytes");
    return rc;
}

void pdi_form_close(pdr_learner *l)
{
    form_names_close(l, &l->form.feature);
    form_names_close(l, &l->form.class);
    form_names_close(l, &l->form.task);
    form_names_close(l, &l->form.given);
    pdi_free(l->alloc, l->mask);
    l->mask = NULL;
}

static pdr_rc form_put_names(pdr_learner *l, const char *section, const pdi_names *names,
                             pdr_error *err)
{
    pdr_rc rc = pdi_store_clear(l->store, section, err);
    for (int32_t i = 0; !rc && i < names->n; i++) {
        char number[16];
        snprintf(number, sizeof number, "%08d", i);
        rc = pdi_store_put_text(l->store, section, number, names->v[i], err);
    }
    return rc;
}

typedef struct form_names {
    pdr_learner *l;
    pdi_names *names;
} form_names;

static pdr_rc form_get_name(void *ctx, const pdi_value *v, pdr_error *err)
{
    form_names *into = ctx;
    char number[16];
    snprintf(number, sizeof number, "%08d", into->names->n);
    if (!v->is_text || into->names->n == into->names->most || strcmp(v->name, number))
        return pdi_fail(err, PDR_INPUT,
                        "%s: the names in '%s' are not those of this learner's recipe; the file "
                        "was changed by hand",
                        pdi_store_path(into->l->store), v->section);
    return form_name_add(into->l, into->names, v->text, err);
}

static pdr_rc form_get_names(pdr_learner *l, const char *section, pdi_names *names, pdr_error *err)
{
    form_names into = {l, names};
    return pdi_store_values(l->store, section, form_get_name, &into, err);
}

enum { FORM_COUNTS = 5, FORM_DIMS = FORM_COUNTS + PDR_MAX_RANK };

/* Outputs, targets, names given, tasks there is room for; rank and sizes of an example. */
static pdi_item form_shape_item(const int32_t dim[FORM_DIMS])
{
    return (pdi_item){"form", "shape", PDI_I32, PDR_SHAPE(FORM_DIMS), dim};
}

pdr_rc pdi_form_put(pdr_learner *l, pdr_error *err)
{
    const pdi_form *f = &l->form;
    int32_t dim[FORM_DIMS] = {f->outputs, f->targets, f->given.most, f->task.most, f->shape.rank};
    for (int k = 0; k < f->shape.rank; k++) dim[FORM_COUNTS + k] = f->shape.dim[k];
    pdi_item shape = form_shape_item(dim);
    pdi_item mask = {"form", "mask", PDI_F32, PDR_SHAPE(f->task.most, f->outputs), l->mask};
    pdr_rc rc = pdi_store_put(l->store, &shape, err);
    if (!rc) rc = pdi_store_put(l->store, &mask, err);
    if (!rc) rc = form_put_names(l, "feature", &f->feature, err);
    if (!rc) rc = form_put_names(l, "class", &f->class, err);
    if (!rc) rc = form_put_names(l, "given", &f->given, err);
    return rc ? rc : form_put_names(l, "task", &f->task, err);
}

static bool form_is_usable(const pdi_form *f)
{
    int64_t size = f->shape.rank >= 0 && f->shape.rank < PDR_MAX_RANK ? pdr_shape_size(&f->shape)
                                                                      : -1;
    return size > 0 && size <= 1 << 24 && f->outputs > 0 && f->outputs <= 1 << 20 &&
           (f->targets == 0 || f->targets == f->outputs) && f->task.most > 0 &&
           f->task.most <= 1 << 20 && f->given.most >= 0 && f->given.most <= 1 << 20;
}

static pdr_rc form_find_mask(const pdr_learner *l, pdi_item mask, pdr_error *err)
{
    pdr_shape want = mask.shape;
    pdr_rc rc = pdi_store_find(l->store, &mask, NULL, err);
    if (rc) return rc;
    if (pdr_shape_equal(&mask.shape, &want) && pdi_fit_bytes(l, (uint64_t)pdi_item_size(&mask)))
        return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s: its classes and tasks are not those of its recipe; the file was changed "
                    "by hand",
                    pdi_store_path(l->store));
}

pdr_rc pdi_form_get(pdr_learner *l, pdr_error *err)
{
    pdi_form *f = &l->form;
    int32_t dim[FORM_DIMS] = {0};
    pdi_item shape = form_shape_item(NULL);
    pdr_rc rc = pdi_store_get(l->store, &shape, dim, err);
    if (rc) return rc;
    f->outputs = dim[0];
    f->targets = dim[1];
    f->given.most = dim[2];
    f->task.most = dim[3];
    f->shape.rank = dim[4];
    for (int k = 0; k < PDR_MAX_RANK && k < dim[4]; k++) f->shape.dim[k] = dim[FORM_COUNTS + k];
    if (!form_is_usable(f))
        return pdi_fail(err, PDR_INPUT,
                        "%s: no example looks like that; the file was changed by "
                        "hand",
                        pdi_store_path(l->store));
    /* That the mask is there, so large, bounds the memory asked for. */
    pdi_item mask = {"form", "mask", PDI_F32, PDR_SHAPE(f->task.most, f->outputs), NULL};
    rc = form_find_mask(l, mask, err);
    if (!rc) rc = form_room(l, err);
    if (!rc) rc = pdi_store_get(l->store, &mask, l->mask, err);
    if (!rc) rc = form_get_names(l, "feature", &f->feature, err);
    if (!rc) rc = form_get_names(l, "class", &f->class, err);
    if (!rc) rc = form_get_names(l, "given", &f->given, err);
    return rc ? rc : form_get_names(l, "task", &f->task, err);
}

static void form_hash_names(const pdi_names *names, uint64_t *h)
{
    *h = pdi_hash(*h, &names->n, sizeof names->n);
    for (int32_t i = 0; i < names->n; i++) *h = pdi_hash(*h, names->v[i], strlen(names->v[i]));
}

void pdi_form_hash(const pdr_learner *l, uint64_t *h)
{
    const pdi_form *f = &l->form;
    size_t mask = (size_t)f->task.most * (size_t)f->outputs;
    *h = pdi_hash(*h, l->mask, mask * sizeof *l->mask);
    form_hash_names(&f->feature, h);
    form_hash_names(&f->class, h);
    form_hash_names(&f->given, h);
    form_hash_names(&f->task, h);
}
