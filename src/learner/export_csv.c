/* learner/export_csv.c -- replay memory and metrics as tables (RFC 4180).
 *
 * The memory's table is one that `perdure learn` reads: features, then label or target, then the
 * task where there are named ones, then what the method keeps beside each example. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "learner/exchange.h"

/* ---- cells ----------------------------------------------------------------------------------- */

/* Digits that read back as the same number; nothing where there is none. */
static void export_csv_number(pdi_text *out, double x, int digits)
{
    if (isfinite(x)) pdi_text_add(out, "%.*g", digits, x);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* The task's column: no feature or label has its name. */
static const char *export_csv_task(const pdr_learner *l, char name[64])
{
    snprintf(name, 64, "task");
    while (strlen(name) < 60 && (pdi_names_find(&l->form.feature, name) >= 0 ||
                                 !strcmp(pdi_learner_label_name(l), name)))
        memcpy(name + strlen(name), "_", 2);
    return name;
}

static void export_csv_head(const pdr_learner *l, pdi_text *out)
{
    const pdi_memory *m = &l->trainer->memory;
    char name[64];
    for (size_t i = 0; i < l->form.width; i++) {
        const char *feature = pdr_learner_feature(l, i);
        if (feature)
            pdi_text_cell(out, feature);
        else
            pdi_text_add(out, "%zu", i);
        pdi_text_add(out, ",");
    }
    pdi_text_cell(out, pdi_learner_label_name(l));
    for (int32_t k = 1; k < l->form.targets; k++) pdi_text_add(out, ",target%d", k + 1);
    if (pdr_learner_tasks(l)) pdi_text_add(out, ",%s", export_csv_task(l, name));
    for (size_t k = 0; k < m->spec.columns; k++)
        for (int32_t i = 0; !m->spec.column[k].is_scratch && i < m->spec.column[k].width; i++)
            pdi_text_add(out, ",%s.%d", m->spec.column[k].name, i);
    pdi_text_add(out, "\n");
}

static void export_csv_example(const pdr_learner *l, const pdi_example *e, pdi_text *out)
{
    const pdi_memory *m = &l->trainer->memory;
    for (size_t i = 0; i < l->form.width; i++) {
        export_csv_number(out, (double)e->x[i], 9);
        pdi_text_add(out, ",");
    }
    if (!l->form.targets) pdi_text_cell(out, pdr_learner_class(l, e->label));
    for (int32_t k = 0; k < l->form.targets; k++) {
        if (k) pdi_text_add(out, ",");
        export_csv_number(out, (double)e->target[k], 9);
    }
    if (pdr_learner_tasks(l)) {
        pdi_text_add(out, ",");
        pdi_text_cell(out, l->form.task.v[e->task]);
    }
    for (size_t k = 0; k < m->spec.columns; k++)
        for (int32_t i = 0; !m->spec.column[k].is_scratch && i < m->spec.column[k].width; i++) {
            pdi_text_add(out, ",");
            export_csv_number(out, (double)e->column[k][i], 9);
        }
    pdi_text_add(out, "\n");
}

static bool export_csv_knows(const pdr_learner *l, const pdi_example *e)
{
    return e->task >= 0 && e->task < l->form.task.n &&
           (l->form.targets || (e->label >= 0 && e->label < l->form.class.n));
}

pdr_rc pdi_export_memory(const pdr_learner *l, pdi_text *out, pdr_error *err)
{
    const pdi_memory *m = &l->trainer->memory;
    if (!m->used)
        return pdi_fail(err, PDR_INPUT,
                        "%s: method %s keeps no examples; a memory is what er and der++ have",
                        pdi_store_path(l->store), l->recipe.method.kind->name);
    export_csv_head(l, out);
    for (size_t i = 0; i < m->held; i++) {
        pdi_example e = pdi_memory_example(m, i);
        if (!export_csv_knows(l, &e))
            return pdi_fail(err, PDR_INPUT,
                            "%s: example %zu of the memory is of no class or task that there is; "
                            "the file was changed by hand",
                            pdi_store_path(l->store), i);
        export_csv_example(l, &e, out);
    }
    return out->failed ? pdi_nomem(err) : PDR_OK;
}

/* ---- metrics ------------------------------------------------------------------------------------
 */

static pdr_rc export_csv_entry(void *ctx, const pdr_log_entry *e)
{
    pdi_text *out = ctx;
    struct tm utc;
    time_t when = (time_t)e->when;
    char text[32];
    if (!gmtime_r(&when, &utc) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        text[0] = 0;
    pdi_text_add(out, "%s,%" PRIu64 ",%d,%d,", text, e->examples, e->classes, e->tasks);
    export_csv_number(out, e->score, 17);
    pdi_text_add(out, ",");
    export_csv_number(out, e->recent, 17);
    pdi_text_add(out, ",");
    export_csv_number(out, e->loss, 17);
    pdi_text_add(out, ",");
    pdi_text_cell(out, e->what);
    pdi_text_add(out, "\n");
    return PDR_OK;
}

pdr_rc pdi_export_metrics(pdr_learner *l, pdi_text *out, pdr_error *err)
{
    pdi_text_add(out, "when,examples,classes,tasks,%s,recent,loss,what\n",
                 l->form.targets ? "rmse" : "accuracy");
    pdr_rc rc = pdr_learner_log(l, export_csv_entry, out, err);
    return !rc && out->failed ? pdi_nomem(err) : rc;
}
