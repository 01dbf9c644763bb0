/* cli/cmd_show.c -- `perdure show`: what a learner is. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/intake.h"
#include "cli/table.h"

const char pdi_about_show[] =
    "Says what a learner is, in words and as a table of its tensors. --json prints one object: "
    "recipe, method, seed, examples, waiting, tasks, classes, parameters, bytes (of the file), "
    "state_bytes, state_hash, asked (ids that wait for their labels), forgotten (that were given "
    "up), and score.\n";

const pdi_flag pdi_flags_show[] = {{"json", NULL, "one JSON object"}, PDI_FLAG_END};

enum { SHOW_NAMES = 100, SHOW_INDENT = 13 };

/* Names after each other, on lines that fit. */
static void cmd_show_names(pdi_text *out, const pdr_learner *l, bool tasks)
{
    int32_t n = tasks ? pdr_learner_tasks(l) : pdr_learner_classes(l);
    size_t width = pdi_command_width(), used = width; /* the first begins a line */
    for (int32_t i = 0; i < n && i < SHOW_NAMES; i++) {
        const char *name = tasks ? pdr_learner_task(l, i) : pdr_learner_class(l, i);
        bool last = i + 1 == n, more = i + 1 == SHOW_NAMES && !last;
        size_t needs = pdi_utf8_length(name) + (more ? 5 : 2);
        if (used + needs > width) pdi_text_add(out, "\n%*s", SHOW_INDENT, "");
        used = used + needs > width ? SHOW_INDENT + needs : used + needs;
        pdi_text_add(out, "%s%s", name, more ? ", ..." : last ? "" : ", ");
    }
    pdi_text_add(out, "\n");
}

static void cmd_show_asked(const pdr_learner *l, pdi_text *out)
{
    uint64_t forgotten, n = pdr_learner_asked(l, &forgotten);
    if (!n && !forgotten) return;
    pdi_text_add(out, "labels       %" PRIu64 " to come, for the ids of the last %" PRId64 " asked",
                 n, pdr_learner_recipe(l)->learner.asked);
    if (forgotten) pdi_text_add(out, "; %" PRIu64 " given up", forgotten);
    pdi_text_add(out, "\n");
}

static void cmd_show_score(const pdr_learner *l, pdi_text *out)
{
    pdr_score s = pdr_learner_score(l);
    if (!s.n) return;
    if (pdr_learner_is_regression(l))
        pdi_text_add(out, "score        rmse %.6g, mae %.6g, before learning each example\n",
                     s.rmse, s.mae);
    else
        pdi_text_add(out, "score        accuracy %.4f, before learning each example\n", s.accuracy);
    if (s.recent == s.recent)
        pdi_text_add(out, "             accuracy %.4f of the last %" PRId64 "\n", s.recent,
                     s.window);
    if (s.kappa == s.kappa)
        pdi_text_add(out, "             kappa %.4f, kappa-T %.4f\n", s.kappa, s.kappa_temporal);
}

static pdr_rc cmd_show_tensor(void *ctx, const char *name, const pdr_shape *shape,
                              const float *value)
{
    pdi_table *t = ctx;
    char text[PDR_SHAPE_TEXT];
    double sum = 0, least = 0, most = 0;
    int64_t n = pdr_shape_size(shape);
    for (int64_t i = 0; i < n; i++) {
        double x = (double)value[i];
        sum += x;
        if (i == 0 || x < least) least = x;
        if (i == 0 || x > most) most = x;
    }
    pdi_table_add(t, "%s", name);
    pdi_table_add(t, "%s", pdr_shape_text(shape, text));
    pdi_table_add(t, "%.4g", sum / (double)n);
    pdi_table_add(t, "%.4g", least);
    pdi_table_add(t, "%.4g", most);
    return PDR_OK;
}

static pdr_rc cmd_show_words(pdr_learner *l, const char *path, pdi_text *out)
{
    static const char *const heads[] = {"tensor", "shape", "mean", "least", "most"};
    pdi_table t = {.align = "llrrr"};
    char text[PDR_SHAPE_TEXT];
    pdr_shape shape = pdr_learner_shape(l);
    const pdr_recipe *r = pdr_learner_recipe(l);
    pdi_text_add(out, "learner      %s, of recipe %s\n", path, r->name);
    pdi_text_add(out, "method       %s: %s\n", r->method.kind->name, r->method.kind->title);
    pdi_text_add(out, "an example   %s, to %s\n", pdr_shape_text(&shape, text),
                 pdr_learner_is_regression(l) ? "real targets" : "a class");
    if (!pdr_learner_is_regression(l)) {
        pdi_text_add(out, "classes      %d, with room for %d", pdr_learner_classes(l),
                     pdr_learner_outputs(l));
        cmd_show_names(out, l, false);
    }
    if (pdr_learner_tasks(l)) {
        pdi_text_add(out, "tasks        %d", pdr_learner_tasks(l));
        cmd_show_names(out, l, true);
    }
    pdi_text_add(out, "examples     %" PRIu64 " (%" PRIu64 " of them wait for a whole batch)\n",
                 pdr_learner_examples(l), pdr_learner_waiting(l));
    cmd_show_asked(l, out);
    cmd_show_score(l, out);
    pdi_text_add(out,
                 "size         %" PRIu64 " parameters, %" PRIu64 " bytes of state, %" PRId64
                 " bytes of file\n",
                 pdr_learner_parameters(l), pdr_learner_bytes(l), pdr_learner_file_bytes(l));
    pdi_text_add(out, "state        %016" PRIx64 "\n\n", pdr_learner_state_hash(l));
    for (size_t i = 0; i < 5; i++) pdi_table_add(&t, "%s", heads[i]);
    pdr_rc rc = pdr_learner_tensors(l, cmd_show_tensor, &t);
    pdi_table_write(&t, "", pdi_command_width(), out);
    return rc;
}

static json_t *cmd_show_real(double x) { return x == x ? json_real(x) : json_null(); }

static int cmd_show_put(const char *text, size_t n, void *out)
{
    pdi_text_bytes(out, text, n);
    return 0;
}

static pdr_rc cmd_show_json(pdr_learner *l, pdi_text *out)
{
    char hash[20];
    const pdr_recipe *r = pdr_learner_recipe(l);
    pdr_score s = pdr_learner_score(l);
    uint64_t forgotten, asked = pdr_learner_asked(l, &forgotten);
    snprintf(hash, sizeof hash, "%016" PRIx64, pdr_learner_state_hash(l));
    json_t *score = json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "examples",
                              (json_int_t)s.n, "window", (json_int_t)s.window, "accuracy",
                              cmd_show_real(s.accuracy), "recent", cmd_show_real(s.recent), "kappa",
                              cmd_show_real(s.kappa), "kappa_temporal",
                              cmd_show_real(s.kappa_temporal), "loss", cmd_show_real(s.loss),
                              "rmse", cmd_show_real(s.rmse), "mae", cmd_show_real(s.mae));
    json_t *all = json_pack(
        "{s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:s, s:I, s:I, s:o}", "recipe", r->name,
        "method", r->method.kind->name, "examples", (json_int_t)pdr_learner_examples(l), "waiting",
        (json_int_t)pdr_learner_waiting(l), "tasks", (int)pdr_learner_tasks(l), "classes",
        (int)pdr_learner_classes(l), "parameters", (json_int_t)pdr_learner_parameters(l), "bytes",
        (json_int_t)pdr_learner_file_bytes(l), "state_bytes", (json_int_t)pdr_learner_bytes(l),
        "state_hash", hash, "asked", (json_int_t)asked, "forgotten", (json_int_t)forgotten, "score",
        score);
    bool ok = all && !json_dump_callback(all, cmd_show_put, out, JSON_INDENT(2));
    pdi_text_add(out, "\n");
    json_decref(all);
    return ok && !out->failed ? PDR_OK : PDR_NOMEM;
}

pdr_rc pdi_cmd_show(const pdi_args *args, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdi_text out = {0};
    pdr_rc rc = pdi_args_operands(args, 1, 1, "FILE", err);
    if (!rc) rc = pdi_intake_learner(args, true, &l, err);
    if (rc) return rc;
    rc = pdi_args_get(args, "json") ? cmd_show_json(l, &out)
                                    : cmd_show_words(l, args->operand[0], &out);
    if (rc == PDR_NOMEM) pdi_nomem(err);
    pdr_learner_close(l, NULL);
    if (rc) pdi_text_close(&out);
    return rc ? rc : pdi_command_print(&out, err);
}
