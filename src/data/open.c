/* data/open.c -- pdr_data_open(): a set by name or by files, ready to learn from. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/classes.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/drawing.h"
#include "data/idx.h"
#include "data/registry.h"

static const char *const open_missing[] = {"error", "mean", "zero", "drop", NULL};

const pdr_option pdr_data_option_table[] = {
    PDR_OPTION_TEXT(pdr_data_options, name, NULL, "a registered data set (perdure data list)"),
    PDR_OPTION_TEXT(pdr_data_options, train, NULL, "a CSV or TSV file, or an IDX file of images"),
    PDR_OPTION_TEXT(pdr_data_options, train_labels, NULL, "the IDX file of labels for train"),
    PDR_OPTION_TEXT(pdr_data_options, test, NULL, "the test part, like train"),
    PDR_OPTION_TEXT(pdr_data_options, test_labels, NULL, "the IDX file of labels for test"),
    PDR_OPTION_TEXT(pdr_data_options, label, NULL, "CSV: the column of the class"),
    PDR_OPTION_TEXT(pdr_data_options, target, NULL, "CSV: the column of the number to predict"),
    PDR_OPTION_TEXT(pdr_data_options, categorical, NULL,
                    "CSV: columns of categories, separated by commas"),
    PDR_OPTION_TEXT(pdr_data_options, ignore, NULL,
                    "CSV: columns to leave out, separated by commas"),
    PDR_OPTION_CHOICE(pdr_data_options, missing, open_missing, PDR_MISSING_ERROR,
                      "CSV: what an empty cell becomes"),
    PDR_OPTION_FLAG(pdr_data_options, standardise, false,
                    "zero mean and unit variance by the training part's figures"),
    PDR_OPTION_REAL(pdr_data_options, test_fraction, 0.2, 0.0, 0.9,
                    "share of the examples to test on when there is no test part"),
    PDR_OPTION_END,
};

/* What to read: a registered set and its folder, or files. */
typedef struct open_plan {
    const pdi_set *set; /* NULL: files */
    char folder[PDI_PATH], path[PDI_SET_FILES][PDI_PATH];
    const char *train, *train_labels, *test, *test_labels; /* the last three may be NULL */
    pdi_loader loader;
    pdi_csv_form form;
} open_plan;

/* ---- files ---- */

static pdr_rc open_refuse_columns(const pdr_data_options *o, const char *what, pdr_error *err)
{
    if (!o->label && !o->target && !o->categorical && !o->ignore) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s is IDX images, which have no columns; leave out data.label, data.target, "
                    "data.categorical and data.ignore",
                    what);
}

static pdr_rc open_check_files(const pdr_data_options *o, bool is_idx, pdr_error *err)
{
    if (!is_idx && (o->train_labels || o->test_labels))
        return pdi_fail(err, PDR_INPUT,
                        "%s: not an IDX file of images, which data.%s_labels would go with",
                        o->train, o->train_labels ? "train" : "test");
    if (!is_idx) return PDR_OK;
    if (!o->train_labels)
        return pdi_fail(err, PDR_INPUT, "%s is IDX images; give their labels as data.train_labels",
                        o->train);
    if (!o->test != !o->test_labels)
        return pdi_fail(err, PDR_INPUT, "data.test and data.test_labels go together; %s is missing",
                        o->test ? "data.test_labels" : "data.test");
    return open_refuse_columns(o, o->train, err);
}

static pdr_rc open_plan_files(const pdr_alloc *alloc, const pdr_data_options *o, open_plan *p,
                              pdr_error *err)
{
    pdi_reader r = {0};
    bool is_idx = false;
    pdr_rc rc = pdi_reader_open(&r, alloc, o->train, err);
    if (!rc) rc = pdi_idx_sniff(&r, &is_idx, err);
    pdi_reader_close(&r);
    if (!rc) rc = open_check_files(o, is_idx, err);
    p->train = o->train;
    p->train_labels = o->train_labels;
    p->test = o->test;
    p->test_labels = o->test_labels;
    p->loader = is_idx ? PDI_LOAD_IDX : PDI_LOAD_CSV;
    p->form = pdi_csv_form_of(o);
    return rc;
}

/* ---- registered sets ---- */

/* The registry's columns, except where the caller gave his own. */
static pdi_csv_form open_form(const pdi_set *s, const pdr_data_options *o)
{
    pdi_csv_form f = s->form;
    if (o->label || o->target) {
        f.label = o->label;
        f.target = o->target;
    }
    if (o->categorical) f.categorical = o->categorical;
    if (o->ignore) f.ignore = o->ignore;
    f.missing = o->missing;
    return f;
}

/* Where the set's files lie in the folder: those of its home, or those that do as well. */
static pdr_rc open_paths(open_plan *p, pdr_error *err)
{
    const char **role[PDI_SET_FILES] = {&p->train, &p->train_labels, &p->test, &p->test_labels};
    const pdi_set_file *f;
    p->loader = p->set->loader;
    if (pdi_set_ready(p->set, p->folder, p->path)) {
        p->loader = PDI_LOAD_CLASSES;
        p->train = p->path[0];
        p->train_labels = p->path[1];
        return PDR_OK;
    }
    for (size_t k = 0; k < PDI_SET_FILES && (f = pdi_set_file_at(p->set, k)); k++) {
        if (!pdi_set_path(p->folder, f->name, p->path[k]))
            return pdi_fail(err, PDR_IO, "%s/%s: not there any more", p->folder, f->name);
        *role[k] = p->path[k];
    }
    return PDR_OK;
}

static pdr_rc open_plan_set(const pdr_alloc *alloc, const pdr_data_options *o, open_plan *p,
                            pdr_error *err)
{
    p->set = pdi_set_find(o->name, err);
    if (!p->set) return PDR_INPUT;
    bool is_images = p->set->loader == PDI_LOAD_IDX || p->set->loader == PDI_LOAD_DRAWINGS;
    pdr_rc rc = is_images ? open_refuse_columns(o, o->name, err) : PDR_OK;
    if (p->set->loader == PDI_LOAD_PAIR && (o->label || o->target))
        rc = pdi_fail(err, PDR_INPUT,
                      "%s keeps its targets in a file of their own; leave out data.label and "
                      "data.target",
                      o->name);
    pdi_set_where(p->set, p->folder);
    if (!rc && !p->folder[0]) {
        rc = pdr_registry_fetch(alloc, o->name, NULL, NULL, err);
        pdi_set_where(p->set, p->folder);
    }
    p->form = open_form(p->set, o);
    return rc ? rc : open_paths(p, err);
}

/* ---- loading ---- */

static pdr_rc open_idx(const pdr_alloc *alloc, const open_plan *p, pdr_data *data, pdr_error *err)
{
    int32_t classes = p->set ? p->set->row.classes : 0;
    pdr_rc rc = pdi_idx_open(alloc, p->train, p->train_labels, classes, &data->train, err);
    if (rc || !p->test) return rc;
    rc = pdi_idx_open(alloc, p->test, p->test_labels, data->train.classes, &data->test, err);
    if (!rc && !pdr_shape_equal(&data->train.shape, &data->test.shape)) {
        char a[PDR_SHAPE_TEXT], b[PDR_SHAPE_TEXT];
        rc = pdi_fail(err, PDR_INPUT, "%s: byte 8: images of %s, but those of %s are %s", p->test,
                      pdr_shape_text(&data->test.shape, b), p->train,
                      pdr_shape_text(&data->train.shape, a));
    }
    return rc;
}

static pdr_rc open_csv(const pdr_alloc *alloc, const open_plan *p, pdr_data *data, pdr_error *err)
{
    pdr_rc rc = pdi_csv_open(alloc, p->train, &p->form, NULL, &data->train, err);
    if (rc || !p->test) return rc;
    return pdi_csv_open(alloc, p->test, &p->form, &data->train, &data->test, err);
}

/* Features from one file, targets from another; the second file is the set's labels. */
static pdr_rc open_pair(const pdr_alloc *alloc, const open_plan *p, pdr_data *data, pdr_error *err)
{
    pdi_csv_form x = p->form, y = {.header = p->form.target, .features_only = true};
    pdr_dataset target = {0}, *d = &data->train;
    x.target = x.label = NULL;
    x.features_only = true;
    pdr_rc rc = pdi_csv_open(alloc, p->train, &x, NULL, d, err);
    if (!rc) rc = pdi_csv_open(alloc, p->train_labels, &y, NULL, &target, err);
    if (!rc && target.examples != d->examples)
        rc = pdi_fail(err, PDR_INPUT, "%s: %zu targets for the %zu examples of %s", p->train_labels,
                      target.examples, d->examples, p->train);
    if (!rc) {
        d->target = target.x;
        d->targets = 1;
        target.x = NULL;
    }
    pdr_dataset_close(&target);
    return rc;
}

/* ---- names ---- */

/* Give d the n comma-separated class names, in place of those it has. */
static pdr_rc open_class_names(pdr_dataset *d, const char *names, pdr_error *err)
{
    char **list = pdi_new(d->alloc, (size_t)d->classes, sizeof *list);
    if (!list) return pdi_nomem(err);
    for (int32_t c = 0; c < d->classes; c++) {
        pdi_text t = {.alloc = d->alloc};
        size_t n = strcspn(names, ",");
        pdi_text_bytes(&t, names, n);
        list[c] = pdi_text_take(&t);
        names += n + (names[n] == ',');
        if (d->class_name) pdi_free(d->alloc, d->class_name[c]);
    }
    pdi_free(d->alloc, d->class_name);
    d->class_name = list;
    for (int32_t c = 0; c < d->classes; c++)
        if (!list[c]) return pdi_nomem(err);
    return PDR_OK;
}

/* What the registry knows and the files do not say. */
static pdr_rc open_dress(const open_plan *p, pdr_dataset *d, pdr_error *err)
{
    const pdi_set *s = p->set;
    if (!s || !d->examples) return PDR_OK;
    bool as_registered = p->form.label == s->form.label && d->classes == s->row.classes;
    if (s->rows && pdi_dataset_size(d) == (size_t)(s->rows * s->columns))
        d->shape = PDR_SHAPE(1, s->rows, s->columns);
    return s->names && as_registered ? open_class_names(d, s->names, err) : PDR_OK;
}

static pdr_rc open_names(const open_plan *p, pdr_data *data, pdr_error *err)
{
    const pdr_alloc *a = data->train.alloc;
    const char *slash = strrchr(p->train, '/');
    data->name = pdi_strdup(a, p->set ? p->set->row.name : slash ? slash + 1 : p->train);
    data->source = pdi_strdup(a, p->set ? p->folder : p->train);
    return data->name && data->source ? PDR_OK : pdi_nomem(err);
}

/* ---- all of it ---- */

static pdr_rc open_load(const pdr_alloc *alloc, const open_plan *p, pdr_data *data, pdr_error *err)
{
    pdr_rc rc = PDR_INTERNAL;
    switch (p->loader) {
    case PDI_LOAD_IDX: rc = open_idx(alloc, p, data, err); break;
    case PDI_LOAD_CSV: rc = open_csv(alloc, p, data, err); break;
    case PDI_LOAD_PAIR: rc = open_pair(alloc, p, data, err); break;
    case PDI_LOAD_DRAWINGS:
        rc = pdi_drawing_open(alloc, (const char *const[2]){p->train, p->train_labels},
                              &data->train, err);
        break;
    case PDI_LOAD_CLASSES:
        rc = pdi_classes_open(alloc, p->train, p->train_labels, &data->train, err);
        break;
    }
    if (!rc) rc = open_dress(p, &data->train, err);
    if (!rc) rc = open_dress(p, &data->test, err);
    return rc ? rc : open_names(p, data, err);
}

/* Order matters: what is missing is filled, and scaled, by what is left to train on. */
static pdr_rc open_prepare(const open_plan *p, const pdr_data_options *o, uint64_t seed,
                           pdr_data *data, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (!data->test.examples && o->test_fraction > 0)
        rc = pdi_dataset_split(&data->train, &data->test, o->test_fraction, seed, err);
    if (!rc) rc = pdi_dataset_fill(&data->train, NULL, o->missing, p->train, err);
    if (!rc && data->test.examples)
        rc = pdi_dataset_fill(&data->test, &data->train, o->missing, p->test ? p->test : p->train,
                              err);
    if (!rc && o->standardise) rc = pdi_dataset_standardise(&data->train, &data->test, err);
    return rc;
}

static pdr_rc open_check(const pdr_data_options *o, pdr_error *err)
{
    bool by_name = o->name;
    if (by_name == (o->train != NULL))
        return pdi_fail(err, PDR_INPUT,
                        by_name ? "data: give data.name or data.train, not both"
                                : "data: give a registered set as data.name or a file as "
                                  "data.train");
    if (by_name && (o->train_labels || o->test || o->test_labels))
        return pdi_fail(err, PDR_INPUT,
                        "data: data.train_labels, data.test and data.test_labels do not go with "
                        "data.name");
    if (!(o->test_fraction >= 0 && o->test_fraction <= 0.9))
        return pdi_fail(err, PDR_INPUT, "data.test_fraction: %g is out of range; give 0 to 0.9",
                        o->test_fraction);
    return PDR_OK;
}

/* An empty text is one that was not given. */
static pdr_data_options open_given(const pdr_data_options *o)
{
    pdr_data_options given = *o;
    for (const pdr_option *row = pdr_data_option_table; row->name; row++) {
        if (row->type != PDR_TEXT) continue;
        const char **text = (const char **)(void *)((char *)&given + row->at);
        if (*text && !**text) *text = NULL;
    }
    return given;
}

pdr_rc pdr_data_open(const pdr_alloc *alloc, const pdr_data_options *options, uint64_t seed,
                     pdr_data *data, pdr_error *err)
{
    const pdr_data_options given = open_given(options), *o = &given;
    alloc = pdi_alloc_or_default(alloc);
    *data = (pdr_data){0};
    pdr_rc rc = open_check(o, err);
    if (rc) return rc;
    open_plan *p = pdi_new(alloc, 1, sizeof *p); /* five paths are much for a stack */
    if (!p) return pdi_nomem(err);
    rc = o->name ? open_plan_set(alloc, o, p, err) : open_plan_files(alloc, o, p, err);
    if (!rc) rc = open_load(alloc, p, data, err);
    if (!rc) rc = open_prepare(p, o, seed, data, err);
    pdi_free(alloc, p);
    if (rc) pdr_data_close(data);
    return rc;
}

void pdr_data_close(pdr_data *data)
{
    const pdr_alloc *a = data->train.alloc;
    if (a) {
        pdi_free(a, data->name);
        pdi_free(a, data->source);
    }
    pdr_dataset_close(&data->train);
    pdr_dataset_close(&data->test);
    *data = (pdr_data){0};
}
