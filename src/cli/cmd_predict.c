/* cli/cmd_predict.c -- `perdure predict`: answers, a line an example. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "cli/stop.h"

const char pdi_about_predict[] =
    "Answers examples, in order, a line of CSV each: the class and its probability, or the target. "
    "Input is as for learn, without labels; nothing is learned. Memory does not grow with the "
    "stream.\n";

const pdi_flag pdi_flags_predict[] = {
    {"scores", NULL, "the probability of every class instead"},
    PDI_INTAKE_FLAGS,
    PDI_FLAG_END,
};

enum { PREDICT_BLOCK = 256 };

/* A cell of CSV. */
static void cmd_predict_cell(pdi_text *out, const char *s)
{
    bool quoted = strpbrk(s, ",\"\n\r") != NULL;
    if (quoted) pdi_text_add(out, "\"");
    for (; *s; s++) pdi_text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    if (quoted) pdi_text_add(out, "\"");
}

static void cmd_predict_head(const pdr_learner *l, bool scores, pdi_text *out)
{
    if (pdr_learner_is_regression(l)) {
        for (int32_t k = 0; k < pdr_learner_outputs(l); k++)
            pdi_text_add(out, k ? ",target%d" : "target", k + 1);
    } else if (scores) {
        for (int32_t c = 0; c < pdr_learner_classes(l); c++) {
            if (c) pdi_text_add(out, ",");
            cmd_predict_cell(out, pdr_learner_class(l, c));
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
        cmd_predict_cell(out, pdr_learner_class(l, best));
        pdi_text_add(out, ",%.9g", (double)y[best]);
    }
    pdi_text_add(out, "\n");
}

static pdr_rc cmd_predict_all(pdi_intake *in, bool scores, float *y, pdr_error *err)
{
    pdi_text out = {0};
    size_t outputs = (size_t)pdr_learner_outputs(in->l);
    cmd_predict_head(in->l, scores, &out);
    for (;;) {
        pdr_rc rc = pdi_intake_next(in, err);
        const char *task = in->n ? in->block[0].task : NULL;
        if (!rc && in->n) rc = pdr_learner_predict(in->l, in->n, in->x, task, y, err);
        for (size_t i = 0; !rc && i < in->n; i++)
            cmd_predict_row(in->l, scores, y + i * outputs, &out);
        if (out.failed) rc = pdi_nomem(err);
        if (!rc && out.n && fwrite(out.s, 1, out.n, stdout) != out.n)
            rc = pdi_fail(err, PDR_IO, "standard output cannot be written: %s", strerror(errno));
        bool more = in->n > 0 && !pdi_stop_wanted();
        pdi_text_close(&out);
        out = (pdi_text){0};
        if (rc || !more) return rc;
    }
}

pdr_rc pdi_cmd_predict(const pdi_args *args, pdr_error *err)
{
    pdi_intake in;
    size_t block = pdi_args_get(args, "task-column") ? 1 : PREDICT_BLOCK;
    pdr_rc rc = pdi_intake_open(args, true, false, block, &in, err);
    if (rc) return rc;
    size_t outputs = (size_t)pdr_learner_outputs(in.l);
    float *y = pdi_new(&pdi_malloc, in.most * outputs, sizeof *y);
    rc = y ? cmd_predict_all(&in, pdi_args_get(args, "scores") != NULL, y, err) : pdi_nomem(err);
    pdi_free(&pdi_malloc, y);
    return pdi_intake_close(&in, rc, err);
}
