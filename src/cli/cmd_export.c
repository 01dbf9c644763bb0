/* cli/cmd_export.c -- `perdure export` and `perdure import`: a learner and other programs. */
#include <errno.h>
#include <perdure/exchange.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "recipe/words.h"

const char pdi_about_export[] =
    "Writes what a learner holds for other programs, to a file that appears whole or not at all, "
    "or "
    "to standard output. The format is that of the file's name, or --format:\n"
    "safetensors: the parameters by name, and metadata that say what they are parameters of. "
    "onnx: the model as it answers, features as they come to classes, probabilities or targets. "
    "csv: with --what memory the examples that the method keeps, as a table that learn reads; with "
    "--what metrics the log with its scores. md: a model card.\n";

const pdi_flag pdi_flags_export[] = {
    {"format", "FORMAT", "safetensors, onnx, csv or md (default: what OUT's name ends in)"},
    {"what", "WHAT", "csv: memory or metrics"},
    {"task", "NAME", "onnx: the task that all examples are of (default: an input says)"},
    PDI_FLAG_END,
};

const char pdi_about_import[] =
    "Takes the parameters in a safetensors file ('-': standard input) in place of the learner's: "
    "all "
    "of them by name and shape, and no others. The state before is kept as a snapshot, so that "
    "rollback undoes it. The optimizer starts afresh; memory, metrics and examples waiting stay.\n";

const pdi_flag pdi_flags_import[] = {
    {"snapshot", "NAME",
     "keep the state before under this name (default: before-import-1, -2, ...)"},
    PDI_FLAG_END,
};

/* ---- export ------------------------------------------------------------------------------------
 */

static const struct {
    const char *format, *what; /* what: only for a format that has several */
    pdr_export_format is;
    bool is_binary;
} cmd_export_rows[] = {
    {"safetensors", NULL, PDR_EXPORT_SAFETENSORS, true},
    {"onnx", NULL, PDR_EXPORT_ONNX, true},
    {"csv", "memory", PDR_EXPORT_MEMORY, false},
    {"csv", "metrics", PDR_EXPORT_METRICS, false},
    {"md", NULL, PDR_EXPORT_CARD, false},
};

enum { EXPORT_ROWS = sizeof cmd_export_rows / sizeof cmd_export_rows[0] };

static pdr_rc cmd_export_unknown(const char *format, const char *to, pdr_error *err)
{
    char hint[PDI_HINT_MAX];
    static const pdi_words right = {4, {"safetensors", "onnx", "csv", "md"}};
    if (format)
        return pdi_fail(err, PDR_USAGE, "export: '%.40s' is no format; %s", format,
                        pdi_words_hint(&right, format, hint));
    return pdi_fail(
        err, PDR_USAGE,
        "export: %.200s does not say the format; give --format safetensors, onnx, csv or "
        "md",
        !strcmp(to, "-") ? "standard output" : to);
}

/* The row that format and what choose. */
static pdr_rc cmd_export_choose(const pdi_args *args, const char *to, size_t *row, pdr_error *err)
{
    const char *format = pdi_args_get(args, "format"), *what = pdi_args_get(args, "what");
    const char *dot = strrchr(to, '.'), *word = format ? format : dot ? dot + 1 : "";
    bool known = false;
    for (*row = 0; *row < EXPORT_ROWS; ++*row) {
        const char *needs = cmd_export_rows[*row].what;
        if (strcmp(cmd_export_rows[*row].format, word) != 0) continue;
        known = true;
        if (!needs == !what && (!needs || !strcmp(needs, what))) break;
    }
    if (!known) return cmd_export_unknown(format, to, err);
    if (*row == EXPORT_ROWS)
        return pdi_fail(err, PDR_USAGE, "export: %s",
                        strcmp(word, "csv") ? "--what goes with the format csv"
                                            : "csv needs --what memory or --what "
                                              "metrics");
    if (pdi_args_get(args, "task") && cmd_export_rows[*row].is != PDR_EXPORT_ONNX)
        return pdi_fail(err, PDR_USAGE, "export: --task goes with the format onnx");
    if (cmd_export_rows[*row].is_binary && !strcmp(to, "-") && isatty(STDOUT_FILENO))
        return pdi_fail(err, PDR_USAGE, "export: a terminal cannot show %s; name a file", word);
    return PDR_OK;
}

static pdr_rc cmd_export_put(void *ctx, const void *bytes, size_t n)
{
    pdr_error *err = ctx;
    if (fwrite(bytes, 1, n, stdout) == n && !fflush(stdout)) return PDR_OK;
    return pdi_fail(err, PDR_IO, "standard output cannot be written: %s", strerror(errno));
}

pdr_rc pdi_cmd_export(const pdi_args *args, pdr_error *err)
{
    size_t row = 0;
    pdr_learner *l = NULL;
    pdr_rc rc = pdi_args_operands(args, 1, 2, "FILE", err);
    const char *to = args->operands > 1 ? args->operand[1] : "-";
    if (!rc) rc = cmd_export_choose(args, to, &row, err);
    if (!rc) rc = pdi_intake_learner(args, true, &l, err);
    if (rc) return rc;
    pdr_export what = {cmd_export_rows[row].is, pdi_args_get(args, "task")};
    rc = strcmp(to, "-") ? pdr_learner_export_file(l, &what, to, err)
                         : pdr_learner_export(l, &what, cmd_export_put, err, err);
    pdr_learner_close(l, NULL);
    return rc;
}

/* ---- import ------------------------------------------------------------------------------------
 */

/* The first of before-import-1, -2, ... that no snapshot is called. */
static const char *cmd_export_keep(const pdr_learner *l, char name[32])
{
    bool taken = true;
    for (int k = 1; taken; k++) {
        const char *there;
        snprintf(name, 32, "before-import-%d", k);
        taken = false;
        for (size_t i = 0; !taken && (there = pdr_learner_snapshot_at(l, i, NULL)) != NULL; i++)
            taken = !strcmp(there, name);
    }
    return name;
}

pdr_rc pdi_cmd_import(const pdi_args *args, pdr_error *err)
{
    char name[32];
    pdr_learner *l = NULL;
    pdr_rc rc = pdi_args_operands(args, 2, 2, "FILE and IN", err);
    if (!rc) rc = pdi_intake_learner(args, false, &l, err);
    if (rc) return rc;
    const char *keep = pdi_args_get(args, "snapshot"), *from = args->operand[1];
    if (!keep) keep = cmd_export_keep(l, name);
    rc = pdr_learner_import_file(l, strcmp(from, "-") ? from : "/dev/stdin", keep, err);
    if (!rc)
        fprintf(stderr, "imported; 'perdure rollback %s %s' undoes it\n", args->operand[0], keep);
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : closed;
}
