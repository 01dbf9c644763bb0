/* cli/outcome.c -- what runs found, as tables for the terminal. */
#include "cli/outcome.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/table.h"

enum { OUTCOME_TASKS = 20, OUTCOME_LABEL = 30, OUTCOME_NUMBER = 48 };

/* ---- numbers ---------------------------------------------------------------- */

/* "97.9" or "0.812"; "-" for what is not a number. */
static void outcome_number(double x, bool is_percent, char text[OUTCOME_NUMBER])
{
    if (!isfinite(x))
        snprintf(text, OUTCOME_NUMBER, "-");
    else
        snprintf(text, OUTCOME_NUMBER, "%.*f", is_percent ? 1 : 3, is_percent ? 100 * x : x);
}

/* ---- the matrix ------------------------------------------------------------- */

/* "after 3: Coat, Bag", cut where it would be too long. */
static void outcome_label(const pdi_group *g, const char *before, int32_t task,
                          char label[4 * OUTCOME_LABEL + 8])
{
    const char *name = pdi_group_task_short(g, task);
    size_t size = 4 * OUTCOME_LABEL, n, characters = 0;
    char *s = label;
    snprintf(label, size, "%s%" PRId32 "%s%s", before, task + 1, *name ? ": " : "", name);
    for (; *s && characters < OUTCOME_LABEL; s += n ? n : 1, characters++) pdi_utf8_at(s, &n);
    if (*s) snprintf(s, 4, "...");
}

static size_t outcome_label_width(const pdi_group *g)
{
    size_t widest = 0;
    for (int32_t i = 0; i < g->learned; i++) {
        char label[4 * OUTCOME_LABEL + 8];
        outcome_label(g, "after ", i, label);
        size_t n = pdi_utf8_length(label);
        if (n > widest) widest = n;
    }
    return widest;
}

/* Columns of text that a number takes, with the gap before it. */
static size_t outcome_cell_width(const pdi_group *g)
{
    size_t widest = strlen("mean");
    for (int32_t i = 0; i < g->learned; i++)
        for (int32_t j = 0; j <= i; j++) {
            char text[OUTCOME_NUMBER];
            outcome_number(pdi_group_at(g, i, j), g->is_percent, text);
            if (strlen(text) > widest) widest = strlen(text);
        }
    return widest + 2;
}

/* Columns first .. end-1 of the matrix, column g->learned being the mean. */
static void outcome_block(const pdi_group *g, int32_t first, int32_t end, pdi_text *out)
{
    char align[PDI_TABLE_COLUMNS] = "l", text[OUTCOME_NUMBER], label[4 * OUTCOME_LABEL + 8];
    memset(align + 1, 'r', (size_t)(end - first));
    pdi_table t = {.align = align, .cells.alloc = out->alloc};
    pdi_table_add(&t, "on task");
    for (int32_t j = first; j < end; j++)
        if (j < g->learned)
            pdi_table_add(&t, "%" PRId32, j + 1);
        else
            pdi_table_add(&t, "mean");
    for (int32_t i = 0; i < g->learned; i++) {
        outcome_label(g, "after ", i, label);
        pdi_table_add(&t, "%s", label);
        for (int32_t j = first; j < end; j++) {
            double x = j < g->learned ? pdi_group_at(g, i, j) : g->average[i].mean;
            outcome_number(x, g->is_percent, text);
            pdi_table_add(&t, "%s", j <= i || j == g->learned ? text : "");
        }
    }
    pdi_table_write(&t, "  ", 0, out);
}

static void outcome_list(const pdi_group *g, pdi_text *out)
{
    char first[OUTCOME_NUMBER], last[OUTCOME_NUMBER], label[4 * OUTCOME_LABEL + 8];
    pdi_table t = {.align = "lrr", .cells.alloc = out->alloc};
    pdi_table_add(&t, "task");
    pdi_table_add(&t, "when learned");
    pdi_table_add(&t, "at the end");
    for (int32_t j = 0; j < g->learned; j++) {
        outcome_label(g, "", j, label);
        outcome_number(pdi_group_at(g, j, j), g->is_percent, first);
        outcome_number(pdi_group_at(g, g->learned - 1, j), g->is_percent, last);
        pdi_table_add(&t, "%s", label);
        pdi_table_add(&t, "%s", first);
        pdi_table_add(&t, "%s", last);
    }
    pdi_table_write(&t, "  ", 0, out);
}

void pdi_outcome_matrix(const pdi_group *g, size_t width, pdi_text *out)
{
    const char *metric = g->run[0]->metric;
    pdi_text_add(out, "%s%s: %s%s", g->name, g->is_bound ? ", an upper bound" : "",
                 metric ? metric : "score", g->is_percent ? " in percent" : "");
    if (g->counted > 1) pdi_text_add(out, ", mean of %zu runs", g->counted);
    pdi_text_add(out, g->learned ? "\n" : ": no task was learned\n");
    if (g->learned && g->numbered)
        pdi_text_add(out, "  (which classes a task holds depends on the seed: see the report)\n");
    if (g->tasks > OUTCOME_TASKS) {
        outcome_list(g, out);
        return;
    }
    size_t used = outcome_label_width(g) + 2, room = width > used ? width - used : 0;
    int32_t columns = g->learned + 1, step = (int32_t)(room / outcome_cell_width(g));
    if (step < 4) step = 4;
    for (int32_t first = 0; g->learned && first < columns; first += step) {
        int32_t end = first + step < columns ? first + step : columns;
        if (first) pdi_text_add(out, "\n");
        outcome_block(g, first, end, out);
    }
}

/* ---- episodes --------------------------------------------------------------- */

/* Means as in the summary, medians, and where any there are, diverged tasks. */
static void outcome_step(const pdi_group *g, int32_t s, const char *plus_minus, bool has_diverged,
                         pdi_table *t)
{
    const pdi_step *step = &g->step[s];
    char mean[OUTCOME_NUMBER], se[OUTCOME_NUMBER], median[OUTCOME_NUMBER];
    outcome_number(step->score.mean, g->is_percent, mean);
    outcome_number(step->score.se, g->is_percent, se);
    outcome_number(step->median, g->is_percent, median);
    pdi_table_add(t, "%" PRId32 "%s", s, s == g->scored ? " *" : "  ");
    pdi_table_add(t, "%s %s %s", mean, plus_minus, se);
    pdi_table_add(t, "%s", median);
    if (has_diverged) pdi_table_add(t, "%" PRIu64, step->diverged);
}

void pdi_outcome_steps(const pdi_group *g, bool is_unicode, pdi_text *out)
{
    bool has_diverged = !g->is_empty && g->step[g->steps].diverged;
    pdi_table t = {.align = has_diverged ? "rrrr" : "rrr", .cells.alloc = out->alloc};
    pdi_text_add(out, "%s: %s%s on %" PRIu64 " new tasks", g->name, g->run[0]->metric,
                 g->is_percent ? " in percent" : "", g->episodes);
    if (g->run[0]->meta.test_way)
        pdi_text_add(out, ", %" PRId32 "-way %" PRId32 "-shot", g->run[0]->meta.test_way,
                     g->run[0]->meta.test_shot);
    if (g->counted > 1)
        pdi_text_add(out, ", mean of %zu runs %s standard error", g->counted,
                     is_unicode ? "\xC2\xB1" : "+-");
    pdi_text_add(out, g->is_empty ? ": not tested\n" : "\n");
    if (g->is_empty) return;
    pdi_table_add(&t, "steps  ");
    pdi_table_add(&t, "mean");
    pdi_table_add(&t, "median");
    if (has_diverged) pdi_table_add(&t, "diverged");
    for (int32_t s = 0; s <= g->steps; s++)
        if (pdi_group_shows_step(g, s))
            outcome_step(g, s, is_unicode ? "\xC2\xB1" : "+-", has_diverged, &t);
    pdi_table_write(&t, "  ", 0, out);
}

/* ---- warnings --------------------------------------------------------------- */

void pdi_outcome_notes(const pdi_groups *groups, pdi_text *out)
{
    const char *gap = "\n";
    for (size_t k = 0; k < groups->n; k++)
        for (size_t m = 0; m < groups->group[k].runs; m++)
            for (size_t i = 0; i < groups->group[k].run[m]->notes; i++) {
                const pdi_group *g = &groups->group[k];
                if (pdi_group_knows_note(g, m, i)) continue;
                pdi_text_add(out, "%s%s, seed %" PRIu64 ": %s\n", gap, g->label, g->run[m]->seed,
                             g->run[m]->note[i]);
                gap = "";
            }
}

/* ---- the summary ------------------------------------------------------------ */

typedef enum outcome_when { OUTCOME_ALWAYS, OUTCOME_IN_TURN, OUTCOME_REGRESSION } outcome_when;

static const struct outcome_column {
    const char *head;
    size_t at; /* of a pdi_stat in pdi_group */
    outcome_when when;
    bool is_score; /* in percent where the metric is */
    int better;    /* 1: high is good, -1: low is */
} outcome_columns[] = {
    {"score", offsetof(pdi_group, acc), OUTCOME_ALWAYS, true, 1},
    {"rmse", offsetof(pdi_group, rmse), OUTCOME_REGRESSION, false, -1},
    {"mae", offsetof(pdi_group, mae), OUTCOME_REGRESSION, false, -1},
    {"forgetting", offsetof(pdi_group, forgetting), OUTCOME_IN_TURN, true, -1},
    {"backward", offsetof(pdi_group, bwt), OUTCOME_IN_TURN, true, 1},
    {"forward", offsetof(pdi_group, fwt), OUTCOME_IN_TURN, true, 1},
};

enum { OUTCOME_COLUMNS = sizeof outcome_columns / sizeof outcome_columns[0] };

static bool outcome_applies(const pdi_group *g, const struct outcome_column *c)
{
    return c->when == OUTCOME_ALWAYS || (c->when == OUTCOME_IN_TURN && pdi_group_is_in_turn(g)) ||
           (c->when == OUTCOME_REGRESSION && g->is_regression);
}

static bool outcome_is_shown(const pdi_groups *groups, const struct outcome_column *c)
{
    for (size_t k = 0; k < groups->n; k++)
        if (outcome_applies(&groups->group[k], c)) return true;
    return false;
}

static void outcome_stat(const pdi_groups *groups, size_t k, const struct outcome_column *c,
                         const char *plus_minus, bool is_bold, pdi_table *t)
{
    const pdi_group *g = &groups->group[k];
    const pdi_stat *s = (const pdi_stat *)(const void *)((const char *)g + c->at);
    bool is_percent = c->is_score && g->is_percent;
    bool has_spread = c->at == offsetof(pdi_group, acc) ? pdi_group_has_spread(g) : g->counted > 1;
    char mean[OUTCOME_NUMBER], se[OUTCOME_NUMBER];
    outcome_number(s->mean, is_percent, mean);
    outcome_number(s->se, is_percent, se);
    if (!outcome_applies(g, c) || !isfinite(s->mean))
        pdi_table_add(t, "-");
    else if (has_spread)
        pdi_table_add(t, "%s %s %s", mean, plus_minus, se);
    else
        pdi_table_add(t, "%s", mean);
    if (is_bold && outcome_applies(g, c) && pdi_groups_is_best(groups, k, c->at, c->better))
        pdi_table_embolden(t);
}

/* The metric's name where all groups have the same. */
static void outcome_score_head(const pdi_groups *groups, pdi_table *t)
{
    const pdi_group *g = &groups->group[0];
    const char *metric = g->run[0]->metric;
    for (size_t k = 1; k < groups->n && metric; k++) {
        const char *other = groups->group[k].run[0]->metric;
        if (!other || strcmp(other, metric) != 0) metric = NULL;
    }
    pdi_table_add(t, "%s%s", metric ? metric : "score", metric && g->is_percent ? " %" : "");
}

static bool outcome_has_memory(const pdi_groups *groups)
{
    for (size_t k = 0; k < groups->n; k++)
        if (groups->group[k].memory.mean > 0) return true;
    return false;
}

/* "38.2 MB" */
static void outcome_memory(double bytes, pdi_table *t)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t k = 0;
    for (; bytes >= 999.5 && k + 1 < sizeof units / sizeof units[0]; k++) bytes /= 1000;
    if (bytes > 0)
        pdi_table_add(t, "%.*f %s", k && bytes < 99.95 ? 1 : 0, bytes, units[k]);
    else
        pdi_table_add(t, "-");
}

static void outcome_heads(const pdi_groups *groups, pdi_table *t)
{
    pdi_table_add(t, "recipe");
    pdi_table_add(t, "runs");
    for (size_t c = 0; c < OUTCOME_COLUMNS; c++)
        if (outcome_columns[c].when == OUTCOME_ALWAYS)
            outcome_score_head(groups, t);
        else if (outcome_is_shown(groups, &outcome_columns[c]))
            pdi_table_add(t, "%s", outcome_columns[c].head);
    pdi_table_add(t, "training");
    if (outcome_has_memory(groups)) pdi_table_add(t, "memory");
}

void pdi_outcome_summary(const pdi_groups *groups, bool is_unicode, bool is_bold, pdi_text *out)
{
    char align[PDI_TABLE_COLUMNS] = "lr";
    pdi_table t = {.align = align, .cells.alloc = out->alloc};
    for (size_t c = 0; c < OUTCOME_COLUMNS; c++)
        if (outcome_is_shown(groups, &outcome_columns[c])) align[strlen(align)] = 'r';
    align[strlen(align)] = 'r';
    bool has_memory = outcome_has_memory(groups);
    if (has_memory) align[strlen(align)] = 'r';
    outcome_heads(groups, &t);
    for (size_t k = 0; k < groups->n; k++) {
        const pdi_group *g = &groups->group[k];
        pdi_table_add(&t, g->is_bound ? "%s (upper bound)" : "%s", g->label);
        if (g->counted == g->runs)
            pdi_table_add(&t, "%zu", g->runs);
        else
            pdi_table_add(&t, "%zu of %zu", g->counted, g->runs);
        for (size_t c = 0; c < OUTCOME_COLUMNS; c++)
            if (outcome_is_shown(groups, &outcome_columns[c]))
                outcome_stat(groups, k, &outcome_columns[c], is_unicode ? "\xC2\xB1" : "+-",
                             is_bold, &t);
        pdi_table_add(&t, "%.1f s", g->seconds.mean);
        if (has_memory) outcome_memory(g->memory.mean, &t);
    }
    pdi_table_write(&t, "", 0, out);
}
