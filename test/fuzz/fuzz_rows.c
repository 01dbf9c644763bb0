/* fuzz/fuzz_rows.c -- any bytes as rows for a learner: tables, JSON lines, IDX.
 *
 * The first byte is options: two bits choose the learner (missing features refused, zero, or
 * their mean; targets), then: a column for the task, a label is wanted, another label's name,
 * labels may come by id alone.
 * What is taken is finite, has the names it needs and comes back from a journal entry as it went
 * in; what is refused is explained in one line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../disk.h"
#include "learner/learner.h"
#include "learner/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_LEARNERS = 4, ROWS_MOST = 4096 };

static disk d;
static pdr_learner *learners[ROWS_LEARNERS];

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_rows: %s\n", what);
    abort();
}

static pdr_learner *fuzz_create(int k)
{
    static char *features[] = {"a", "b", "c=red", "c=blue"}, *classes[] = {"up", "down"};
    static const char *const missing[] = {"error", "zero", "mean", "zero"};
    char text[400], path[8];
    pdr_dataset like = {.shape = PDR_SHAPE(4), .feature_name = features};
    pdr_learner_how how = {.threads = 1};
    pdr_learner *l = NULL;
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    if (k == 3) like.targets = 2;
    if (k < 2) like.class_name = classes, like.classes = 2;
    snprintf(path, sizeof path, "/%d", k);
    snprintf(text, sizeof text,
             "data: {train: none.csv, missing: %s, %s: y}\nmethod: finetune\n"
             "learner: {classes: 4, tasks: 2}\n",
             missing[k], k == 3 ? "target" : "label");
    pdr_rc rc = pdr_recipe_parse(NULL, "rows", text, strlen(text), 0, NULL, &r, &err);
    if (!rc) rc = pdi_learner_create(path, &r, &like, 1, &how, "disk", &l, &err);
    fuzz_must(rc == PDR_OK, err.text);
    pdr_recipe_close(&r);
    return l;
}

/* As a learner takes it: names that are names, numbers that are finite. */
static void fuzz_taken(const pdr_learner *l, const pdr_example *e, bool wants_label)
{
    size_t targets = (size_t)l->form.targets;
    fuzz_must(e->x || e->id, "neither features nor an id");
    for (size_t i = 0; e->x && i < l->form.width; i++)
        fuzz_must(pdi_form_takes(l, e->x[i]), "a feature that is not finite");
    for (size_t i = 0; e->target && i < targets; i++)
        fuzz_must(isfinite(e->target[i]), "a target that is not finite");
    if (wants_label) fuzz_must(targets ? e->target != NULL : e->label != NULL, "no label");
    fuzz_must(!e->label || strlen(e->label) <= 255, "a label that is too long");
    fuzz_must(!e->task || (*e->task && strlen(e->task) <= 255), "a task without a name");
}

static void fuzz_round(const pdr_learner *l, const pdr_example *e)
{
    pdi_entry_reader r;
    pdr_example back;
    void *bytes = NULL;
    size_t size, width = l->form.width * sizeof(float);
    pdr_error err = PDR_NO_ERROR;
    if (l->form.targets ? !e->target : !e->label || !*e->label) return;
    if (e->id && strlen(e->id) > PDI_ID_MAX) return; /* refused before it is written */
    fuzz_must(!pdi_entry_write(l, PDI_ENTRY_LEARN, 1, e, &bytes, &size, &err), "no entry");
    fuzz_must(pdi_entry_open(&r, l, bytes, size) && pdi_entry_next(&r, &back) && pdi_entry_ends(&r),
              "an entry that is none");
    fuzz_must(!e->x == !back.x && (!e->x || !memcmp(back.x, e->x, width)), "other features");
    fuzz_must(!e->id == !back.id && (!e->id || !strcmp(e->id, back.id)), "another id");
    fuzz_must(!e->task == !back.task && (!e->task || !strcmp(e->task, back.task)), "another task");
    if (!l->form.targets) fuzz_must(!strcmp(e->label, back.label), "another label");
    pdi_free(l->alloc, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!learners[0]) disk_start(&d);
    for (int k = 0; k < ROWS_LEARNERS && !learners[k]; k++) learners[k] = fuzz_create(k);
    if (size < 1) return 0;
    unsigned o = data[0];
    const pdr_learner *l = learners[o & 3];
    pdi_rows_form form = {.task = o & 4 ? "t" : NULL,
                          .wants_label = o & 8,
                          .label = o & 16 ? "other" : NULL,
                          .by_id = o & 32};
    pdi_rows *r = NULL;
    pdr_error err = PDR_NO_ERROR;
    bool more = true;
    pdr_rc rc = pdi_rows_memory(l, "rows", data + 1, size - 1, &form, &r, &err);
    fuzz_must((r == NULL) == (rc != PDR_OK), "rows and an error");
    for (int n = 0; !rc && more && n < ROWS_MOST; n++) {
        pdr_example e;
        rc = pdi_rows_next(r, &e, &more, &err);
        if (rc || !more) break;
        fuzz_taken(l, &e, form.wants_label);
        fuzz_round(l, &e);
    }
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT || rc == PDR_NOMEM, "an unexpected return code");
    fuzz_must(!rc || (*err.text && !strpbrk(err.text, "\n\r")), "a refusal is one line of text");
    pdi_rows_close(r);
    return 0;
}
