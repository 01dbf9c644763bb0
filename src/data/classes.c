/* data/classes.c -- images of many classes, as many of each, and a table of the classes. */
#include "data/classes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/csv.h"
#include "data/idx.h"
#include "data/show.h"

enum { CLASSES_COLUMNS = 4, CLASSES_MOST = 65536 };

static const char *const classes_part[] = {"images_background", NULL, "images_evaluation"};

/* The part called s, or -1. */
static int32_t classes_part_of(const char *s)
{
    for (int32_t p = PDR_TRAIN; p <= PDR_TEST; p++)
        if (classes_part[p] && !strcmp(classes_part[p], s)) return p;
    return -1;
}

static pdr_rc classes_row_check(const pdi_csv *c, int32_t n, pdr_error *err)
{
    char number[16], show[PDI_SHOW];
    if (c->cells < CLASSES_COLUMNS)
        return pdi_fail(err, PDR_INPUT,
                        "%s:%" PRIu64 ": %zu columns; a class has %d or more: number, part, "
                        "group, name",
                        c->r->name, c->first, c->cells, CLASSES_COLUMNS);
    snprintf(number, sizeof number, "%" PRId32, n);
    if (strcmp(c->cell[0].s, number) != 0)
        return pdi_fail(err, PDR_INPUT,
                        "%s:%" PRIu64 ": class '%s' stands where class %s belongs; number them "
                        "from 0 in order",
                        c->r->name, c->first, pdi_show(show, c->cell[0].s), number);
    if (classes_part_of(c->cell[1].s) < 0)
        return pdi_fail(err, PDR_INPUT,
                        "%s:%" PRIu64 ": there is no part '%s'; give images_background or "
                        "images_evaluation",
                        c->r->name, c->first, pdi_show(show, c->cell[1].s));
    return PDR_OK;
}

/* Room for class n in a table of *cap, in the three arrays that go by class. */
static bool classes_grow(pdr_dataset *d, size_t n, size_t *cap)
{
    size_t to = n < *cap ? *cap : *cap ? 2 * *cap : 64;
    if (to == *cap) return true;
    char **name = pdi_resize(d->alloc, d->class_name, to, sizeof *name);
    if (name) d->class_name = name;
    char **group = pdi_resize(d->alloc, d->class_group, to, sizeof *group);
    if (group) d->class_group = group;
    int32_t *part = pdi_resize(d->alloc, d->class_part, to, sizeof *part);
    if (part) d->class_part = part;
    *cap = to;
    return name && group && part;
}

static pdr_rc classes_row(const pdi_csv *c, pdr_dataset *d, size_t *cap, pdr_error *err)
{
    size_t n = (size_t)d->classes;
    pdi_text name = {.alloc = d->alloc};
    if (!classes_grow(d, n, cap)) return pdi_nomem(err);
    pdi_text_add(&name, "%s/%s", c->cell[2].s, c->cell[3].s);
    d->class_part[n] = classes_part_of(c->cell[1].s);
    d->class_group[n] = pdi_strdup(d->alloc, c->cell[2].s);
    d->class_name[n] = pdi_text_take(&name);
    d->classes++;
    return d->class_group[n] && d->class_name[n] ? PDR_OK : pdi_nomem(err);
}

static pdr_rc classes_table(const char *file, pdr_dataset *d, pdr_error *err)
{
    pdi_reader r = {0};
    pdi_csv c = {.alloc = d->alloc, .r = &r, .sep = '\t', .line = 1};
    size_t cap = 0;
    bool more = false;
    pdr_rc rc = pdi_reader_open(&r, d->alloc, file, err);
    if (!rc) rc = pdi_csv_next(&c, &more, err);
    while (!rc && more) {
        if (d->classes == CLASSES_MOST)
            rc = pdi_fail(err, PDR_INPUT, "%s:%" PRIu64 ": more than %d classes", file, c.first,
                          CLASSES_MOST);
        if (!rc) rc = classes_row_check(&c, d->classes, err);
        if (!rc) rc = classes_row(&c, d, &cap, err);
        if (!rc) rc = pdi_csv_next(&c, &more, err);
    }
    pdi_csv_close(&c);
    pdi_reader_close(&r);
    return rc;
}

static pdr_rc classes_label(const char *images, const char *table, pdr_dataset *d, pdr_error *err)
{
    size_t n = (size_t)d->classes;
    if (!n || d->examples % n)
        return pdi_fail(err, PDR_INPUT,
                        "%s: %zu images do not divide into the %zu classes of %s, as many each",
                        images, d->examples, n, table);
    d->label = pdi_new(d->alloc, d->examples, sizeof *d->label);
    if (!d->label) return pdi_nomem(err);
    for (size_t i = 0; i < d->examples; i++) d->label[i] = (int32_t)(i / (d->examples / n));
    return PDR_OK;
}

pdr_rc pdi_classes_open(const pdr_alloc *alloc, const char *images, const char *table,
                        pdr_dataset *out, pdr_error *err)
{
    pdr_rc rc = pdi_idx_images(alloc, images, out, err);
    if (rc) return rc;
    rc = classes_table(table, out, err);
    if (!rc) rc = classes_label(images, table, out, err);
    if (rc) pdr_dataset_close(out);
    return rc;
}
