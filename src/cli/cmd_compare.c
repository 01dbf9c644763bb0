/* cli/cmd_compare.c -- `perdure compare`: methods and seeds side by side.
 *
 * Every run is this program again (child.h), so a run that fails, or takes all the memory,
 * takes nothing with it.  What is finished is known by its result.json alone: the same recipe
 * as it would run now, the same seed and version, complete. */
#include <inttypes.h>
#include <perdure/experiment.h>
#include <perdure/pool.h>
#include <perdure/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/board.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/download.h"
#include "cli/folder.h"
#include "cli/ledger.h"
#include "cli/machine.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "report/group.h"

const char pdi_about_compare[] =
    "Runs recipes, or one recipe with several methods, with several seeds, as many at once as "
    "there "
    "are processors, and shows them in one table and on one page: accuracy over time, heat maps, "
    "score against memory and against time.\n"
    "A run's files go to DIR/RECIPE/seed-N, with --methods to DIR/RECIPE/METHOD/seed-N, and the "
    "page is DIR/report.html. What is finished in DIR is kept when the command is given again: the "
    "same recipe, seed and version give the same result. A run that fails is reported and the "
    "others go on.\n"
    "Ctrl-C ends cleanly; a second one ends at once.\n";

const pdi_flag pdi_flags_compare[] = {
    {"methods", "A,B,...", "run each recipe with each of these methods, not with its own"},
    {"seeds", "A..B", "run with every seed from A to B (default: the recipe's)"},
    {"set", "PATH=VALUE", "change a key of the recipes (training.batch=64); may be repeated"},
    {"jobs", "N", "runs at once (default: as many as there are processors for their threads)"},
    {"threads", "N", "threads of each run (default: 1)"},
    {"out", "DIR", "where results go (default: out/compare)"},
    {"finished", NULL, "run nothing: show what is finished"},
    {"page", "FILE", "bring the recipes' rows in this Markdown page's table up to date"},
    PDI_FLAG_END,
};

enum { COMPARE_SETS = 256, COMPARE_METHODS = 64, COMPARE_RUNS = 10000, COMPARE_JOBS = 512 };

static const uint64_t compare_seed_max = (uint64_t)1 << 53;

/* A recipe with one method. */
typedef struct compare_variant {
    const char *path, *method; /* method: NULL for the recipe's own */
    pdr_recipe recipe;
    char *text; /* as it would run now */
} compare_variant;

typedef enum compare_state {
    COMPARE_WAITS,
    COMPARE_RUNS_NOW,
    COMPARE_IS_DONE,
    COMPARE_FAILED
} compare_state;

typedef struct compare_run {
    const compare_variant *variant;
    uint64_t seed;
    compare_state state;
    pdi_child child;
    pdr_result result; /* when it is done */
} compare_run;

typedef struct compare_plan {
    const pdr_alloc *alloc;
    const pdi_args *args;
    const char *set[COMPARE_SETS], *method[COMPARE_METHODS];
    size_t sets, methods, variants, runs;
    char *names; /* of methods, cut at the commas */
    compare_variant *variant;
    compare_run *run;    /* all of a variant together */
    compare_run **order; /* [runs]: seed by seed, so that means come early */
    uint64_t from, to, jobs, threads;
    bool is_seeded;
    char path[PDI_FOLDER_PATH];
    pdi_board board;
    double started;   /* seconds */
    bool is_stopping; /* runs are asked to end: that they do is no failure of theirs */
    size_t kept, done, failed, running;
} compare_plan;

/* ---- what is asked for -------------------------------------------------------------------- */

/* --methods a,b,c: each one once. */
static pdr_rc cmd_compare_methods(compare_plan *p, pdr_error *err)
{
    const char *given = pdi_args_get(p->args, "methods");
    if (!given) return PDR_OK;
    p->names = pdi_strdup(p->alloc, given);
    if (!p->names) return pdi_nomem(err);
    for (char *s = p->names; s; p->methods++) {
        char *comma = strchr(s, ',');
        if (comma) *comma++ = 0;
        if (p->methods == COMPARE_METHODS)
            return pdi_fail(err, PDR_USAGE, "--methods: at most %d", COMPARE_METHODS);
        for (size_t i = 0; i < p->methods; i++)
            if (!strcmp(p->method[i], s))
                return pdi_fail(err, PDR_USAGE, "--methods: '%.60s' stands there twice", s);
        p->method[p->methods] = s;
        s = comma;
    }
    return PDR_OK;
}

static pdr_rc cmd_compare_flags(compare_plan *p, pdr_error *err)
{
    const pdi_args *a = p->args;
    const char *set;
    size_t at = 0;
    p->threads = 1;
    p->is_seeded = pdi_args_get(a, "seeds");
    pdr_rc rc = pdi_args_range(a, "seeds", 0, compare_seed_max, &p->from, &p->to, err);
    if (!rc) rc = pdi_args_count(a, "threads", 1, PDR_MAX_THREADS, &p->threads, err);
    p->jobs = (uint64_t)pdi_machine_cores() / p->threads;
    if (!p->jobs) p->jobs = 1;
    if (p->jobs > COMPARE_JOBS) p->jobs = COMPARE_JOBS;
    if (!rc) rc = pdi_args_count(a, "jobs", 1, COMPARE_JOBS, &p->jobs, err);
    if (!rc) rc = cmd_compare_methods(p, err);
    if (rc) return rc;
    if (p->methods && pdi_args_get(a, "page"))
        return pdi_fail(err, PDR_USAGE,
                        "--page and --methods exclude each other: a page has a row a recipe");
    while ((set = pdi_args_next(a, "set", &at)) != NULL) {
        if (p->sets == COMPARE_SETS)
            return pdi_fail(err, PDR_USAGE, "--set: at most %d", COMPARE_SETS);
        p->set[p->sets++] = set;
    }
    return PDR_OK;
}

/* The assignments for a variant: the method first, since others may be to its options.  A
 * recipe whose own method it is keeps that with its options. */
static size_t cmd_compare_sets(const compare_plan *p, const compare_variant *v, bool is_own,
                               char method[80], const char *set[COMPARE_SETS + 1])
{
    size_t n = 0;
    snprintf(method, 80, "method=%.60s", v->method ? v->method : "");
    if (v->method && !is_own) set[n++] = method;
    for (size_t i = 0; i < p->sets; i++) set[n++] = p->set[i];
    return n;
}

static bool cmd_compare_is_own(const pdr_alloc *alloc, const compare_variant *v)
{
    pdr_recipe r;
    if (!v->method || pdr_recipe_read(alloc, v->path, 0, NULL, &r, NULL)) return false;
    bool is_own = !strcmp(r.method.kind->name, v->method);
    pdr_recipe_close(&r);
    return is_own;
}

static pdr_rc cmd_compare_variant(compare_plan *p, const char *path, const char *method,
                                  pdr_error *err)
{
    char named[80];
    const char *set[COMPARE_SETS + 1];
    compare_variant *v = &p->variant[p->variants++];
    *v = (compare_variant){.path = path, .method = method};
    size_t n = cmd_compare_sets(p, v, cmd_compare_is_own(p->alloc, v), named, set);
    pdr_rc rc = pdr_recipe_read(p->alloc, path, n, set, &v->recipe, err);
    if (rc) return rc;
    for (const compare_variant *u = p->variant; u < v; u++)
        if (!strcmp(u->recipe.name, v->recipe.name) && (u->path != path || !method))
            return pdi_fail(err, PDR_USAGE,
                            "%s: a recipe called '%s' is given already; their results would share "
                            "a folder, so rename one",
                            path, v->recipe.name);
    v->text = pdr_recipe_write(&v->recipe);
    return v->text ? PDR_OK : pdi_nomem(err);
}

static pdr_rc cmd_compare_variants(compare_plan *p, pdr_error *err)
{
    size_t each = p->methods ? p->methods : 1;
    pdr_rc rc = PDR_OK;
    p->variant = pdi_new(p->alloc, p->args->operands * each, sizeof *p->variant);
    if (!p->variant) return pdi_nomem(err);
    for (size_t i = 0; i < p->args->operands; i++)
        for (size_t m = 0; !rc && m < each; m++)
            rc = cmd_compare_variant(p, p->args->operand[i], p->methods ? p->method[m] : NULL, err);
    return rc;
}

static pdr_rc cmd_compare_runs(compare_plan *p, pdr_error *err)
{
    uint64_t seeds = p->to - p->from + 1;
    if (seeds > COMPARE_RUNS / p->variants)
        return pdi_fail(err, PDR_USAGE, "that is more than %d runs; give fewer seeds",
                        COMPARE_RUNS);
    p->runs = p->variants * (size_t)seeds;
    p->run = pdi_new(p->alloc, p->runs, sizeof *p->run);
    p->order = pdi_new(p->alloc, p->runs, sizeof(compare_run *));
    if (!p->run || !p->order) return pdi_nomem(err);
    for (size_t i = 0; i < p->runs; i++) {
        size_t k = i / (size_t)seeds, s = i % (size_t)seeds;
        p->run[i].variant = &p->variant[k];
        p->run[i].seed = p->is_seeded ? p->from + s : p->variant[k].recipe.seed;
        p->order[s * p->variants + k] = &p->run[i];
    }
    return PDR_OK;
}

/* ---- one run ----------------------------------------------------------------------------------
 */

static void cmd_compare_folder(const compare_plan *p, const compare_run *r,
                               char folder[PDI_FOLDER_PATH + 512])
{
    const compare_variant *v = r->variant;
    snprintf(folder, PDI_FOLDER_PATH + 512, "%s/%.200s%s%.60s/seed-%" PRIu64, p->path,
             v->recipe.name, v->method ? "/" : "", v->method ? v->method : "", r->seed);
}

static void cmd_compare_label(const compare_run *r, char label[300])
{
    const compare_variant *v = r->variant;
    snprintf(label, 300, "%.150s%s%.60s, seed %" PRIu64, v->recipe.name, v->method ? ", " : "",
             v->method ? v->method : "", r->seed);
}

/* Take the result that is there, if it is this run's, whole. */
static bool cmd_compare_take(const compare_plan *p, compare_run *r, pdr_error *err)
{
    char folder[PDI_FOLDER_PATH + 512], path[PDI_FOLDER_PATH + 600];
    pdr_result *x = &r->result;
    cmd_compare_folder(p, r, folder);
    snprintf(path, sizeof path, "%s/result.json", folder);
    if (pdr_result_read_json(p->alloc, path, x, err)) return false;
    bool is_it = x->complete && x->seed == r->seed && x->recipe_text && x->version &&
                 !strcmp(x->recipe_text, r->variant->text) && !strcmp(x->version, pdr_version());
    if (is_it)
        r->state = COMPARE_IS_DONE;
    else
        pdr_result_close(x);
    return is_it;
}

/* The command line of a run, and the room for it. */
typedef struct compare_words {
    const char *word[2 * COMPARE_SETS + 16];
    size_t n;
    const char *set[COMPARE_SETS + 1];
    char method[80], seed[32], threads[32], folder[PDI_FOLDER_PATH + 512];
} compare_words;

static void cmd_compare_words(const compare_plan *p, const compare_run *r, compare_words *w)
{
    const compare_variant *v = r->variant;
    bool is_own = cmd_compare_is_own(p->alloc, v);
    size_t sets = cmd_compare_sets(p, v, is_own, w->method, w->set);
    const char *const fixed[] = {"run",   "--watched", "--seed", w->seed, "--threads", w->threads,
                                 "--out", w->folder,   "--",     v->path, NULL};
    snprintf(w->seed, sizeof w->seed, "%" PRIu64, r->seed);
    snprintf(w->threads, sizeof w->threads, "%" PRIu64, p->threads);
    cmd_compare_folder(p, r, w->folder);
    w->n = 0;
    w->word[w->n++] = fixed[0];
    for (size_t i = 0; i < sets; i++) {
        w->word[w->n++] = "--set";
        w->word[w->n++] = w->set[i];
    }
    for (size_t i = 1; i < sizeof fixed / sizeof fixed[0]; i++) w->word[w->n++] = fixed[i];
}

/* Half-done results of earlier runs go first, so that what is there in the end is this run's. */
static pdr_rc cmd_compare_start(compare_plan *p, compare_run *r, pdr_error *err)
{
    compare_words w;
    char path[PDI_FOLDER_PATH + 600];
    cmd_compare_words(p, r, &w);
    pdr_rc rc = pdi_folder_make(w.folder, err);
    if (rc) return rc;
    snprintf(path, sizeof path, "%s/result.json", w.folder);
    remove(path);
    snprintf(path, sizeof path, "%s/report.html", w.folder);
    remove(path);
    rc = pdi_child_start(&r->child, w.word, err);
    if (rc) return rc;
    r->state = COMPARE_RUNS_NOW;
    p->running++;
    return PDR_OK;
}

static void cmd_compare_ended(compare_plan *p, compare_run *r)
{
    char label[300], metric[64] = "";
    pdr_error err = PDR_NO_ERROR;
    cmd_compare_label(r, label);
    p->running--;
    if (!r->child.status && cmd_compare_take(p, r, &err)) {
        const char *name = r->result.metric ? r->result.metric : "score";
        double x = pdr_result_score(&r->result);
        bool is_percent = !strcmp(name, "accuracy");
        snprintf(metric, sizeof metric, is_percent ? "%.40s %.1f%%" : "%.40s %.3f", name,
                 is_percent ? 100 * x : x);
        pdi_board_say(&p->board, "%s: %s, %.1f s (%zu of %zu)", label, metric,
                      r->child.ended - r->child.started, ++p->done + p->kept, p->runs);
        return;
    }
    r->state = COMPARE_FAILED;
    if (p->is_stopping) return;
    p->failed++;
    pdi_board_say(&p->board, "%s: failed: %s", label,
                  r->child.error[0] ? r->child.error
                  : err.rc          ? err.text
                                    : "it left no result that fits; please report this");
}

/* ---- all of them --------------------------------------------------------------------------------
 */

/* "3 of 30 done, 1 failed   1:23   about 4:10 left", and a line a run. */
static void cmd_compare_show(compare_plan *p)
{
    char label[300], time[24];
    int widest = 0;
    double now = pdi_machine_seconds(), left;
    size_t ended = p->done + p->failed, open = p->runs - p->kept - ended;
    pdi_text lines = {0};
    if (!pdi_board_is_due(&p->board)) return;
    pdi_progress_time(now - p->started, time);
    pdi_text_add(&lines, "%zu of %zu done", p->done + p->kept, p->runs);
    if (p->failed) pdi_text_add(&lines, ", %zu failed", p->failed);
    pdi_text_add(&lines, "   %s", time);
    left = ended ? (now - p->started) / (double)ended * (double)open : 0;
    pdi_progress_time(left, time);
    if (ended) pdi_text_add(&lines, "   about %s left", time);
    if (p->is_stopping) pdi_text_add(&lines, "   stopping");
    pdi_text_add(&lines, "\n");
    for (size_t i = 0; i < 2 * p->runs; i++) { /* once to measure, once to write */
        const compare_run *r = p->order[i % p->runs];
        if (r->state != COMPARE_RUNS_NOW) continue;
        cmd_compare_label(r, label);
        if (i < p->runs)
            widest = (int)strlen(label) > widest ? (int)strlen(label) : widest;
        else
            pdi_text_add(&lines, "  %-*s  %s\n", widest, label, r->child.last);
    }
    if (!lines.failed) pdi_board_show(&p->board, lines.s);
    pdi_text_close(&lines);
}

/* Wait for the runs that are going, and take note of those that ended. */
static void cmd_compare_watch(compare_plan *p)
{
    pdi_child *child[COMPARE_JOBS] = {NULL};
    compare_run *of[COMPARE_JOBS] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < p->runs && n < COMPARE_JOBS; i++)
        if (p->order[i]->state == COMPARE_RUNS_NOW) {
            of[n] = p->order[i];
            child[n] = &p->order[i]->child;
            n++;
        }
    pdi_child_wait(n, child, 0.1);
    for (size_t i = 0; i < n; i++)
        if (!child[i]->is_running) cmd_compare_ended(p, of[i]);
    cmd_compare_show(p);
}

static void cmd_compare_stop(compare_plan *p)
{
    p->is_stopping = true;
    for (size_t i = 0; i < p->runs; i++)
        if (p->run[i].state == COMPARE_RUNS_NOW) pdi_child_stop(&p->run[i].child);
    while (p->running) cmd_compare_watch(p);
}

static pdr_rc cmd_compare_all(compare_plan *p, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    p->started = pdi_machine_seconds();
    for (size_t i = 0; !rc && !pdi_stop_wanted() && (i < p->runs || p->running);) {
        if (i < p->runs && p->order[i]->state != COMPARE_WAITS)
            i++;
        else if (i < p->runs && p->running < p->jobs)
            rc = cmd_compare_start(p, p->order[i++], err);
        else
            cmd_compare_watch(p);
    }
    cmd_compare_stop(p);
    pdi_board_clear(&p->board);
    return rc;
}

/* What is finished already, and what is missing of data, before the first run. */
static pdr_rc cmd_compare_prepare(compare_plan *p, pdr_error *err)
{
    bool only_finished = pdi_args_get(p->args, "finished");
    pdr_rc rc = only_finished ? PDR_OK : pdi_folder_make(p->path, err);
    for (size_t i = 0; !rc && i < p->runs; i++) p->kept += cmd_compare_take(p, &p->run[i], NULL);
    if (!rc && p->kept && !only_finished)
        pdi_board_say(&p->board, "%zu of %zu runs are finished already", p->kept, p->runs);
    for (size_t k = 0; !rc && !only_finished && p->kept < p->runs && k < p->variants; k++)
        rc = pdi_download_missing(p->variant[k].recipe.data.name, err);
    return rc;
}

/* ---- what they found --------------------------------------------------------------------------
 */

static pdr_rc cmd_compare_table(const compare_plan *p, size_t n, const pdr_result *const runs[],
                                pdr_error *err)
{
    pdi_groups groups = {0};
    pdi_text out = {0};
    pdr_rc rc = pdi_groups_open(&groups, p->alloc, n, runs, err);
    if (rc) return rc;
    pdi_outcome_summary(&groups, pdi_terminal_is_utf8(), pdi_terminal_has_colour(stdout), &out);
    pdi_outcome_notes(&groups, &out);
    pdi_text_add(&out, "\n%s/report.html\n", p->path);
    pdi_groups_close(&groups);
    return pdi_command_print(&out, err);
}

/* The row of variant k, whose runs are next to each other. */
static pdr_rc cmd_compare_row(const compare_plan *p, size_t k, const char *page, pdr_error *err)
{
    size_t n = 0, seeds = p->runs / p->variants;
    const compare_variant *v = &p->variant[k];
    pdi_groups groups = {0};
    pdi_text row = {0};
    const pdr_result **runs = pdi_new(p->alloc, seeds, sizeof *runs);
    char *key = pdi_ledger_key(p->alloc, v->path);
    pdr_rc rc = runs && key ? PDR_OK : pdi_nomem(err);
    for (size_t s = 0; !rc && s < seeds; s++)
        if (p->run[k * seeds + s].state == COMPARE_IS_DONE)
            runs[n++] = &p->run[k * seeds + s].result;
    if (!rc && n) rc = pdi_groups_open(&groups, p->alloc, n, runs, err);
    if (!rc && n) {
        pdi_ledger_row(key, &v->recipe.published, &groups.group[0], &row);
        pdi_groups_close(&groups);
        rc = row.failed ? pdi_nomem(err) : pdi_ledger_put(p->alloc, page, key, row.s, err);
    }
    pdi_text_close(&row);
    pdi_free(p->alloc, key);
    pdi_free(p->alloc, runs);
    return rc;
}

static pdr_rc cmd_compare_report(const compare_plan *p, pdr_error *err)
{
    char path[PDI_FOLDER_PATH + 32];
    const char *page = pdi_args_get(p->args, "page");
    size_t n = 0;
    const pdr_result **runs = pdi_new(p->alloc, p->runs, sizeof *runs);
    pdr_rc rc = runs ? PDR_OK : pdi_nomem(err);
    for (size_t i = 0; !rc && i < p->runs; i++)
        if (p->run[i].state == COMPARE_IS_DONE) runs[n++] = &p->run[i].result;
    snprintf(path, sizeof path, "%s/report.html", p->path);
    if (!rc && n) rc = pdr_report_write(n, runs, path, err);
    if (!rc && n) rc = cmd_compare_table(p, n, runs, err);
    for (size_t k = 0; !rc && page && k < p->variants; k++) rc = cmd_compare_row(p, k, page, err);
    pdi_free(p->alloc, runs);
    return rc;
}

static pdr_rc cmd_compare_verdict(const compare_plan *p, pdr_error *err)
{
    if (pdi_stop_wanted())
        return pdi_fail(err, PDR_STOPPED,
                        "stopped; %zu of %zu runs are finished in %.300s, and the same command "
                        "goes on from there",
                        p->done + p->kept, p->runs, p->path);
    if (p->failed)
        return pdi_fail(err, PDR_IO, "%zu of %zu runs failed; %s%.300s", p->failed, p->runs,
                        p->done + p->kept ? "the others are in " : "nothing is in ", p->path);
    if (!p->done && !p->kept)
        return pdi_fail(err, PDR_INPUT,
                        "%.300s: none of the %zu runs is finished there; leave out --finished",
                        p->path, p->runs);
    return PDR_OK;
}

static void cmd_compare_close(compare_plan *p)
{
    for (size_t i = 0; p->run && i < p->runs; i++) pdr_result_close(&p->run[i].result);
    for (size_t k = 0; k < p->variants; k++) {
        pdr_recipe_close(&p->variant[k].recipe);
        pdi_free(p->alloc, p->variant[k].text);
    }
    pdi_free(p->alloc, p->variant);
    pdi_free(p->alloc, p->order);
    pdi_free(p->alloc, p->run);
    pdi_free(p->alloc, p->names);
}

pdr_rc pdi_cmd_compare(const pdi_args *args, pdr_error *err)
{
    compare_plan p = {.alloc = &pdi_malloc, .args = args};
    pdi_board_open(&p.board, stderr);
    pdr_rc rc = pdi_args_operands(args, 1, 1000, "RECIPE", err);
    if (!rc) rc = cmd_compare_flags(&p, err);
    if (!rc) rc = pdi_folder_out(pdi_args_get(args, "out"), "compare", p.path, err);
    if (!rc) rc = cmd_compare_variants(&p, err);
    if (!rc) rc = cmd_compare_runs(&p, err);
    if (!rc) rc = cmd_compare_prepare(&p, err);
    if (!rc && !pdi_args_get(args, "finished")) rc = cmd_compare_all(&p, err);
    pdr_rc reported = p.run ? cmd_compare_report(&p, rc ? NULL : err) : PDR_OK;
    if (!rc) rc = reported;
    if (!rc) rc = cmd_compare_verdict(&p, err);
    cmd_compare_close(&p);
    return rc;
}
