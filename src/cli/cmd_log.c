/* cli/cmd_log.c -- `perdure log`: what was learned when, and the snapshots. */
#include <inttypes.h>
#include <time.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "cli/table.h"

const char pdi_about_log[] =
    "A line for each time the state was written: when (UTC), examples learned so far, classes, "
    "tasks, how well examples were answered before they were learned (over all, of the last "
    "learner.window, and against the answer 'as the last one'), and what was done. Then the "
    "snapshots.\n";

const pdi_flag pdi_flags_log[] = {PDI_FLAG_END};

static void cmd_log_when(int64_t at, char text[32])
{
    struct tm utc;
    time_t when = (time_t)at;
    if (!gmtime_r(&when, &utc) || !strftime(text, 32, "%Y-%m-%d %H:%M:%S", &utc)) text[0] = 0;
}

static pdr_rc cmd_log_line(void *ctx, const pdr_log_entry *e)
{
    pdi_table *t = ctx;
    char when[32];
    cmd_log_when(e->when, when);
    pdi_table_add(t, "%s", when);
    pdi_table_add(t, "%" PRIu64, e->examples);
    pdi_table_add(t, "%d", e->classes);
    pdi_table_add(t, "%d", e->tasks);
    pdi_table_add(t, e->score == e->score ? "%.4f" : "-", e->score);
    pdi_table_add(t, e->recent == e->recent ? "%.4f" : "-", e->recent);
    pdi_table_add(t, e->kappa_temporal == e->kappa_temporal ? "%.4f" : "-", e->kappa_temporal);
    pdi_table_add(t, "%s", e->what);
    return PDR_OK;
}

static void cmd_log_snapshots(const pdr_learner *l, pdi_text *out)
{
    int64_t at;
    const char *name;
    pdi_table t = {.align = "ll"};
    for (size_t i = 0; (name = pdr_learner_snapshot_at(l, i, &at)) != NULL; i++) {
        char when[32];
        cmd_log_when(at, when);
        if (i == 0) pdi_text_add(out, "\n");
        pdi_table_add(&t, "snapshot %s", name);
        pdi_table_add(&t, "%s", when);
    }
    pdi_table_write(&t, "", pdi_command_width(), out);
}

pdr_rc pdi_cmd_log(const pdi_args *args, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdi_text out = {0};
    pdi_table t = {.align = "lrrrrrrl"};
    pdr_rc rc = pdi_args_operands(args, 1, 1, "FILE", err);
    if (!rc) rc = pdi_intake_learner(args, true, &l, err);
    if (rc) return rc;
    bool real = pdr_learner_is_regression(l);
    const char *const heads[] = {
        "when",   "examples", "classes", "tasks", real ? "rmse" : "accuracy",
        "recent", "kappa-T",  "what"};
    for (size_t i = 0; i < 8; i++) pdi_table_add(&t, "%s", heads[i]);
    rc = pdr_learner_log(l, cmd_log_line, &t, err);
    pdi_table_write(&t, "", pdi_command_width(), &out);
    cmd_log_snapshots(l, &out);
    pdr_learner_close(l, NULL);
    if (rc) pdi_text_close(&out);
    return rc ? rc : pdi_command_print(&out, err);
}
