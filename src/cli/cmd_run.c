/* cli/cmd_run.c -- `perdure run`: experiments, and what they found.
 *
 * Everything that can be wrong is looked at before the first step: all recipes are
 * read, all folders made.  What is finished is written at once, so that neither a
 * Ctrl-C nor a failure of a later run loses it. */
#include <inttypes.h>
#include <perdure/experiment.h>
#include <perdure/pool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/download.h"
#include "cli/folder.h"
#include "cli/machine.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/stop.h"

const char pdi_about_run[] =
    "Runs every recipe with every seed and writes what they found into a folder: result.json for "
    "each run, and report.html, one page about all of them that opens offline.\n"
    "One run writes DIR/result.json. Several seeds write DIR/seed-N/result.json, several recipes "
    "DIR/RECIPE/seed-N/result.json. The result depends on the recipe and the seed alone, never on "
    "the number of threads.\n"
    "Ctrl-C ends cleanly and keeps what is finished; a second one ends at once. A run that was "
    "stopped is kept beside its result, in run.perdure: the same command goes on from there, and "
    "comes to the same result to the bit.\n";

const pdi_flag pdi_flags_run[] = {
    {"seed", "N", "the seed, instead of the recipe's"},
    {"seeds", "A..B", "run with every seed from A to B; means and standard errors are shown"},
    {"set", "PATH=VALUE", "change a key of the recipe (method.memory=500); may be repeated"},
    {"threads", "N", "threads to use (default: as many as there are processors)"},
    {"minutes", "N", "stop learning after so long, test, and keep the run to go on with"},
    {"out", "DIR", "where results go (default: out/RECIPE)"},
    {"watched", NULL, NULL}, /* by perdure compare: a line of progress now and then */
    PDI_FLAG_END,
};

enum { RUN_PATH = PDI_FOLDER_PATH, RUN_SETS = 256, RUN_KEEP_SECONDS = 30 };

static const uint64_t run_seed_max = (uint64_t)1 << 53;

typedef struct run_plan {
    const pdr_alloc *alloc;
    const pdi_args *args;
    size_t recipes, sets;
    pdr_recipe *recipe;
    const char *set[RUN_SETS];
    uint64_t from, to;
    bool is_seeded; /* on the command line */
    int threads;
    uint64_t minutes; /* 0: as long as it takes */
    char out[RUN_PATH];
    bool is_kept;   /* a run to go on with */
    uint64_t begun; /* runs */
    size_t results; /* finished, or stopped with something to show */
    pdr_result *result;
} run_plan;

static uint64_t cmd_run_seeds(const run_plan *p) { return p->to - p->from + 1; }

/* ---- what is asked for ------------------------------------------------------------ */

static pdr_rc cmd_run_flags(run_plan *p, pdr_error *err)
{
    const pdi_args *a = p->args;
    uint64_t threads = 0;
    size_t at = 0;
    const char *set;
    if (pdi_args_get(a, "seed") && pdi_args_get(a, "seeds"))
        return pdi_fail(err, PDR_USAGE, "--seed and --seeds exclude each other; give one of them");
    p->is_seeded = pdi_args_get(a, "seed") || pdi_args_get(a, "seeds");
    pdr_rc rc = pdi_args_count(a, "seed", 0, run_seed_max, &p->from, err);
    p->to = p->from;
    if (!rc) rc = pdi_args_range(a, "seeds", 0, run_seed_max, &p->from, &p->to, err);
    if (!rc) rc = pdi_args_count(a, "threads", 1, PDR_MAX_THREADS, &threads, err);
    if (!rc) rc = pdi_args_count(a, "minutes", 1, 1000000, &p->minutes, err);
    if (rc) return rc;
    if (cmd_run_seeds(p) > 10000)
        return pdi_fail(err, PDR_USAGE, "--seeds: more than 10000 seeds; give a shorter range");
    p->threads = (int)threads;
    while ((set = pdi_args_next(a, "set", &at)) != NULL) {
        if (p->sets == RUN_SETS) return pdi_fail(err, PDR_USAGE, "--set: at most %d", RUN_SETS);
        p->set[p->sets++] = set;
    }
    return PDR_OK;
}

static pdr_rc cmd_run_recipes(run_plan *p, pdr_error *err)
{
    const pdi_args *a = p->args;
    p->recipe = pdi_new(p->alloc, a->operands, sizeof *p->recipe);
    p->result = pdi_new(p->alloc, a->operands * (size_t)cmd_run_seeds(p), sizeof *p->result);
    if (!p->recipe || !p->result) return pdi_nomem(err);
    for (size_t i = 0; i < a->operands; i++) {
        pdr_rc rc = pdr_recipe_read(p->alloc, a->operand[i], p->sets, p->set, &p->recipe[i], err);
        if (rc) return rc;
        p->recipes++;
        for (size_t k = 0; k < i; k++)
            if (!strcmp(p->recipe[k].name, p->recipe[i].name))
                return pdi_fail(err, PDR_USAGE,
                                "%s: a recipe called '%s' is given already; their results would "
                                "share a folder, so rename one",
                                a->operand[i], p->recipe[i].name);
    }
    return PDR_OK;
}

/* ---- folders -------------------------------------------------------------------------- */

/* Where run (recipe, seed) puts its result. */
static void cmd_run_folder(const run_plan *p, size_t recipe, uint64_t seed,
                           char folder[RUN_PATH + 512])
{
    size_t n = (size_t)snprintf(folder, RUN_PATH, "%s", p->out);
    if (p->recipes > 1) n += (size_t)snprintf(folder + n, 256, "/%.200s", p->recipe[recipe].name);
    if (p->recipes > 1 || cmd_run_seeds(p) > 1) snprintf(folder + n, 64, "/seed-%" PRIu64, seed);
}

static uint64_t cmd_run_seed(const run_plan *p, size_t recipe, uint64_t i)
{
    return p->is_seeded ? p->from + i : p->recipe[recipe].seed;
}

/* All folders, and proof that files can be made in them. */
static pdr_rc cmd_run_folders(run_plan *p, pdr_error *err)
{
    pdr_rc rc = pdi_folder_out(pdi_args_get(p->args, "out"), p->recipe[0].name, p->out, err);
    for (size_t r = 0; !rc && r < p->recipes; r++)
        for (uint64_t i = 0; !rc && i < cmd_run_seeds(p); i++) {
            char folder[RUN_PATH + 512];
            cmd_run_folder(p, r, cmd_run_seed(p, r, i), folder);
            rc = pdi_folder_make(folder, err);
        }
    return rc;
}

/* Folders in which no result came to stand are not left behind; --out itself stays. */
static void cmd_run_sweep(const run_plan *p)
{
    char folder[RUN_PATH + 512];
    for (size_t r = 0; r < p->recipes; r++) {
        for (uint64_t i = 0; i < cmd_run_seeds(p); i++) {
            cmd_run_folder(p, r, cmd_run_seed(p, r, i), folder);
            if (strcmp(folder, p->out) != 0) rmdir(folder); /* fails where something is in it */
        }
        snprintf(folder, sizeof folder, "%s/%.200s", p->out, p->recipe[r].name);
        if (p->recipes > 1) rmdir(folder);
    }
}

/* ---- one run ------------------------------------------------------------------------------ */

typedef struct run_watch {
    const run_plan *plan;
    const char *recipe;
    pdi_progress progress;
    int32_t done;        /* tasks whose end was shown */
    double task_started; /* seconds */
} run_watch;

static bool cmd_run_progress(void *ctx, const pdr_progress *now)
{
    run_watch *w = ctx;
    w->progress.now = *now;
    w->progress.metric = now->metric;
    if (now->learned > w->done) {
        double t = pdi_machine_seconds();
        pdi_progress_task_done(&w->progress, now->task_name, t - w->task_started);
        w->done = now->learned;
        w->task_started = t;
    } else {
        pdi_progress_step(&w->progress);
    }
    return !pdi_stop_wanted();
}

/* Whether an earlier run of the recipe gave this note. */
static bool cmd_run_is_known(const run_watch *w, const char *text)
{
    for (size_t i = 0; i < w->plan->results; i++) {
        const pdr_result *r = &w->plan->result[i];
        for (size_t k = 0; k < r->notes && !strcmp(r->recipe, w->recipe); k++)
            if (!strcmp(r->note[k], text)) return true;
    }
    return false;
}

/* Here alone, before time is spent on what the note warns of: the page and result.json have it
 * beside the numbers. */
static void cmd_run_note(void *ctx, const char *text)
{
    run_watch *w = ctx;
    if (!cmd_run_is_known(w, text)) pdi_progress_note(&w->progress, text);
}

static void cmd_run_announce(run_plan *p, const char *label)
{
    uint64_t all = p->recipes * cmd_run_seeds(p);
    fprintf(stderr, "%s (%" PRIu64 " of %" PRIu64 ")\n", label, ++p->begun, all);
}

static pdr_rc cmd_run_one(run_plan *p, size_t recipe, uint64_t seed, pdr_error *err)
{
    const pdr_recipe *r = &p->recipe[recipe];
    char label[300], folder[RUN_PATH + 512], path[RUN_PATH + 600], machine[256];
    pdr_result *result = &p->result[p->results];
    bool several = p->recipes > 1 || cmd_run_seeds(p) > 1;
    snprintf(label, sizeof label, "%.200s, seed %" PRIu64, r->name, seed);
    run_watch w = {.plan = p, .recipe = r->name, .progress = {.label = several ? label : NULL}};
    if (several) cmd_run_announce(p, label);
    cmd_run_folder(p, recipe, seed, folder);
    snprintf(path, sizeof path, "%s/run.perdure", folder);
    pdr_experiment e = {.seed = seed,
                        .threads = p->threads,
                        .keep = path,
                        .keep_seconds = RUN_KEEP_SECONDS,
                        .seconds = 60.0 * (double)p->minutes,
                        .progress = cmd_run_progress,
                        .note = cmd_run_note,
                        .ctx = &w};
    w.task_started = pdi_machine_seconds();
    w.progress.is_watched = pdi_args_get(p->args, "watched");
    pdi_progress_start(&w.progress, stderr);
    pdr_rc rc = pdr_experiment_run(p->alloc, r, &e, result, err);
    pdi_progress_stop(&w.progress);
    p->is_kept = p->is_kept || access(path, F_OK) == 0;
    if (rc && !result->learned && !result->meta.score) {
        pdr_result_close(result);
        return rc;
    }
    p->results++;
    pdi_machine_describe(machine, sizeof machine);
    result->machine = pdi_strdup(p->alloc, machine);
    result->peak_memory = pdi_machine_peak_memory();
    snprintf(path, sizeof path, "%s/result.json", folder);
    pdr_rc wrote = pdr_result_write_json(result, path, rc ? NULL : err);
    return rc ? rc : wrote;
}

/* ---- what they found --------------------------------------------------------------------------
 */

static pdr_rc cmd_run_show(const run_plan *p, const pdr_result *const *runs, pdr_error *err)
{
    pdi_groups groups = {0};
    pdi_text out = {0};
    size_t width = pdi_command_width();
    pdr_rc rc = pdi_groups_open(&groups, p->alloc, p->results, runs, err);
    for (size_t i = 0; !rc && i < groups.n; i++) {
        const pdi_group *g = &groups.group[i];
        if (g->is_meta)
            pdi_outcome_steps(g, pdi_terminal_is_utf8(), &out);
        else if (pdi_group_is_continual(g))
            pdi_outcome_matrix(g, width, &out);
        if (g->is_meta || pdi_group_is_continual(g)) pdi_text_add(&out, "\n");
    }
    if (!rc)
        pdi_outcome_summary(&groups, pdi_terminal_is_utf8(), pdi_terminal_has_colour(stdout), &out);
    pdi_text_add(&out, "\n%s/report.html\n", p->out);
    pdi_groups_close(&groups);
    if (rc) pdi_text_close(&out);
    return rc ? rc : pdi_command_print(&out, err);
}

static pdr_rc cmd_run_report(const run_plan *p, pdr_error *err)
{
    char path[RUN_PATH + 32];
    const pdr_result **runs = pdi_new(p->alloc, p->results, sizeof *runs);
    if (!runs) return pdi_nomem(err);
    for (size_t i = 0; i < p->results; i++) runs[i] = &p->result[i];
    snprintf(path, sizeof path, "%s/report.html", p->out);
    pdr_rc rc = pdr_report_write(p->results, runs, path, err);
    if (!rc) rc = cmd_run_show(p, runs, err);
    pdi_free(p->alloc, runs);
    return rc;
}

/* What is missing, once a set: before the first step, and not out of the user's sight. */
static pdr_rc cmd_run_download(const run_plan *p, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < p->recipes; i++)
        rc = pdi_download_missing(p->recipe[i].data.name, err);
    return rc;
}

static pdr_rc cmd_run_all(run_plan *p, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (size_t r = 0; !rc && r < p->recipes; r++)
        for (uint64_t i = 0; !rc && i < cmd_run_seeds(p); i++)
            rc = cmd_run_one(p, r, cmd_run_seed(p, r, i), err);
    if (rc) cmd_run_sweep(p);
    pdr_rc reported = p->results ? cmd_run_report(p, rc ? NULL : err) : PDR_OK;
    if (rc != PDR_STOPPED) return rc ? rc : reported;
    *err = (pdr_error)PDR_NO_ERROR; /* "stopped", and by then no news */
    if (p->is_kept)
        return pdi_fail(err, rc, "stopped; the same command goes on from there (kept in %s)",
                        p->out);
    return p->results ? pdi_fail(err, rc, "stopped; what is finished is kept in %s", p->out)
                      : pdi_fail(err, rc, "stopped before a task was learned; nothing is kept");
}

static void cmd_run_close(run_plan *p)
{
    for (size_t i = 0; i < p->results; i++) pdr_result_close(&p->result[i]);
    for (size_t i = 0; i < p->recipes; i++) pdr_recipe_close(&p->recipe[i]);
    pdi_free(p->alloc, p->result);
    pdi_free(p->alloc, p->recipe);
}

pdr_rc pdi_cmd_run(const pdi_args *args, pdr_error *err)
{
    run_plan p = {.alloc = &pdi_malloc, .args = args};
    pdr_rc rc = pdi_args_operands(args, 1, 1000, "RECIPE", err);
    if (!rc) rc = cmd_run_flags(&p, err);
    if (!rc) rc = cmd_run_recipes(&p, err);
    if (!rc) rc = cmd_run_folders(&p, err);
    if (!rc) rc = cmd_run_download(&p, err);
    if (!rc) rc = cmd_run_all(&p, err);
    cmd_run_close(&p);
    return rc;
}
