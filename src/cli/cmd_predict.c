/* cli/cmd_predict.c -- `perdure predict`: answers, a line an example. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "cli/stop.h"

const char pdi_about_predict[] =
    "Answers examples, in order, a line of CSV each: the class and its probability, or the target. "
    "Input is as for learn, without labels; nothing is learned. Memory does not grow with the "
    "stream.\n"
    "Rows with an id (a column or key of that name, or --id) are kept in the learner, features and "
    "answer, until learn brings id and label: as many of the newest as the recipe's learner.asked "
    "says. The file is then written to; --id '' keeps nothing.\n";

const pdi_flag pdi_flags_predict[] = {
    {"scores", NULL, "the probability of every class instead"},
    PDI_INTAKE_FLAGS,
    PDI_FLAG_END,
};

enum { PREDICT_BLOCK = 256 };

static void cmd_predict_head(const pdr_learner *l, bool scores, bool ids, pdi_text *out)
{
    if (ids) pdi_text_add(out, "id,");
    if (pdr_learner_is_regression(l)) {
        for (int32_t k = 0; k < pdr_learner_outputs(l); k++)
            pdi_text_add(out, k ? ",target%d" : "target", k + 1);
    } else if (scores) {
        for (int32_t c = 0; c < pdr_learner_classes(l); c++) {
            if (c) pdi_text_add(out, ",");
            pdi_text_cell(out, pdr_learner_class(l, c));
        }
    } else {
        pdi_text_add(out, "class,probability");
    }
    pdi_text_add(out, "\n");
}

static void cmd_predict_row(const pdr_learner *l, bool scores, const float *y, pdi_text *out)
{
    int32_t n = pdr_learner_is_regression(l) ? pdr_learner_outputs(l) : pdr_learner_classes(l);
    int32_t best = 0;
    for (int32_t c = 1; c < n; c++)
        if (y[c] > y[best]) best = c;
    if (scores || pdr_learner_is_regression(l)) {
        for (int32_t c = 0; c < n; c++) pdi_text_add(out, c ? ",%.9g" : "%.9g", (double)y[c]);
    } else if (n) {
        pdi_text_cell(out, pdr_learner_class(l, best));
        pdi_text_add(out, ",%.9g", (double)y[best]);
    } else {
        pdi_text_add(out, ",0"); /* no class is known yet */
    }
    pdi_text_add(out, "\n");
}

/* Rows from `at` on that one call can answer: all asked by id, or all of one task. */
static size_t cmd_predict_run(const pdi_intake *in, size_t at, size_t most, bool keeps)
{
    const pdr_example *e = in->block;
    size_t n = 1;
    for (bool same = true; same && at + n < in->n; n += same) {
        const char *task = e[at].task, *next = e[at + n].task;
        bool asked = keeps && e[at].id, too = keeps && e[at + n].id;
        bool of_task = !task == !next && (!task || !strcmp(task, next));
        same = asked == too && (asked ? n < most : of_task);
    }
    return n;
}

static pdr_rc cmd_predict_block(const pdi_intake *in, float *y, pdr_error *err)
{
    size_t outputs = (size_t)pdr_learner_outputs(in->l);
    size_t most = (size_t)pdr_learner_recipe(in->l)->learner.asked;
    pdr_rc rc = PDR_OK;
    for (size_t at = 0, n; !rc && at < in->n; at += n) {
        const pdr_example *e = in->block + at;
        n = cmd_predict_run(in, at, most, most > 0);
        rc = e->id && most > 0
                 ? pdr_learner_ask(in->l, n, e, y + at * outputs, err)
                 : pdr_learner_predict(in->l, n, e->x, e->task, y + at * outputs, err);
    }
    return rc;
}

static bool cmd_predict_has_ids(const pdi_intake *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (in->block[i].id) return true;
    return false;
}

typedef struct predict_work {
    const pdi_args *args;
    pdi_intake in;
    bool scores, ids, writes, begun; /* ids: the answers are told with them */
    float *y;
    pdi_text out;
} predict_work;

/* Ids are what the learner must be written to for. */
static pdr_rc cmd_predict_open(predict_work *w, pdr_error *err)
{
    bool ids = cmd_predict_has_ids(&w->in);
    if (!w->begun) w->ids = ids;
    if (!ids || w->writes || !pdr_learner_recipe(w->in.l)->learner.asked) return PDR_OK;
    w->writes = true;
    return pdi_intake_write(w->args, &w->in, err);
}

static pdr_rc cmd_predict_answer(predict_work *w, pdr_error *err)
{
    pdi_intake *in = &w->in;
    pdr_rc rc = cmd_predict_open(w, err);
    if (rc) return rc;
    size_t outputs = (size_t)pdr_learner_outputs(in->l);
    float *y = pdi_resize(&pdi_malloc, w->y, in->most * outputs, sizeof *y);
    if (!y) return pdi_nomem(err);
    w->y = y;
    rc = cmd_predict_block(in, y, err);
    if (!w->begun) cmd_predict_head(in->l, w->scores, w->ids, &w->out);
    w->begun = true;
    for (size_t i = 0; !rc && i < in->n; i++) {
        if (w->ids) pdi_text_cell(&w->out, in->block[i].id ? in->block[i].id : "");
        if (w->ids) pdi_text_add(&w->out, ",");
        cmd_predict_row(in->l, w->scores, y + i * outputs, &w->out);
    }
    return rc;
}

/* Answers are out before more is read: whoever feeds a pipe may wait for them. */
static pdr_rc cmd_predict_all(predict_work *w, pdr_error *err)
{
    for (;;) {
        pdr_rc rc = pdi_intake_next(&w->in, err);
        if (!rc) rc = cmd_predict_answer(w, err);
        if (w->out.failed) rc = pdi_nomem(err);
        bool more = w->in.n > 0 && !pdi_stop_wanted();
        pdr_rc told = w->out.n ? pdi_command_print(&w->out, err) : PDR_OK;
        if (!rc) rc = told;
        pdi_text_close(&w->out);
        w->out = (pdi_text){0};
        if (rc || !more) return rc;
    }
}

pdr_rc pdi_cmd_predict(const pdi_args *args, pdr_error *err)
{
    predict_work w = {.args = args, .scores = pdi_args_get(args, "scores") != NULL};
    pdr_rc rc = pdi_intake_open(args, PDI_INTAKE_PREDICTS, PREDICT_BLOCK, &w.in, err);
    if (rc) return rc;
    rc = cmd_predict_all(&w, err);
    pdi_free(&pdi_malloc, w.y);
    return pdi_intake_close(&w.in, rc, err);
}
