/* report/group.c -- runs gathered into the rows of a page. */
#include "report/group.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- which runs belong together ---- */

static bool group_same(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

/* The rest of the text from its next line that does not set the seed. */
static const char *group_line(const char *text)
{
    while (text && !strncmp(text, "seed:", 5)) {
        text = strchr(text, '\n');
        if (text) text++;
    }
    return text && *text ? text : NULL;
}

/* Whether two recipes differ in nothing but the line of the seed. */
static bool group_same_recipe(const char *a, const char *b)
{
    for (a = group_line(a), b = group_line(b); a && b; a = group_line(a), b = group_line(b)) {
        size_t n = strcspn(a, "\n");
        if (n != strcspn(b, "\n") || memcmp(a, b, n)) return false;
        a += n + (a[n] != 0);
        b += n + (b[n] != 0);
    }
    return !a && !b;
}

static bool group_same_problem(const pdr_result *a, const pdr_result *b)
{
    return a->tasks == b->tasks && a->is_regression == b->is_regression &&
           a->is_meta == b->is_meta && a->meta.test_way == b->meta.test_way &&
           a->meta.test_shot == b->meta.test_shot && group_same(a->data, b->data) &&
           group_same(a->scenario, b->scenario) && group_same(a->metric, b->metric);
}

static bool group_takes(const pdi_group *g, const pdr_result *r)
{
    const pdr_result *a = g->run[0];
    return group_same(a->recipe, r->recipe) && group_same(a->method, r->method) &&
           group_same_problem(a, r) && group_same_recipe(a->recipe_text, r->recipe_text);
}

static pdi_group *group_find(pdi_groups *g, const pdr_result *r)
{
    for (size_t k = 0; k < g->n; k++)
        if (group_takes(&g->group[k], r)) return &g->group[k];
    return NULL;
}

/* Add a run to its group; each group's array has room for all of them. */
static bool group_add(pdi_groups *g, const pdr_result *r, size_t room)
{
    pdi_group *to = group_find(g, r);
    if (!to) {
        to = &g->group[g->n];
        to->run = pdi_new(g->alloc, room, sizeof *to->run);
        if (!to->run) return false;
        g->n++;
    }
    to->run[to->runs++] = r;
    return true;
}

/* ---- what a group is called ---- */

/* The groups that share the recipe's name with group k (and its method, if asked), before
 * k, and in all. */
static size_t group_twins(const pdi_groups *g, size_t k, bool with_method, size_t *all)
{
    const pdr_result *a = g->group[k].run[0];
    size_t before = 0;
    *all = 0;
    for (size_t m = 0; m < g->n; m++) {
        const pdr_result *b = g->group[m].run[0];
        bool is_twin = group_same(a->recipe, b->recipe) &&
                       (!with_method || group_same(a->method, b->method));
        before += is_twin && m < k;
        *all += is_twin;
    }
    return before;
}

static char *group_label(const pdi_groups *g, size_t k)
{
    const pdr_result *r = g->group[k].run[0];
    pdi_text t = {.alloc = g->alloc};
    size_t same_recipe, same_method;
    (void)group_twins(g, k, false, &same_recipe);
    size_t before = group_twins(g, k, true, &same_method);
    pdi_text_add(&t, "%s", r->recipe && *r->recipe ? r->recipe : "(no name)");
    if (same_recipe > same_method) pdi_text_add(&t, ", %s", r->method ? r->method : "");
    if (same_method > 1) pdi_text_add(&t, " #%zu", before + 1);
    return pdi_text_take(&t);
}

static const char *group_title(const pdr_result *r)
{
    if (r->method_title && *r->method_title) return r->method_title;
    return r->method && *r->method ? r->method : r->recipe;
}

/* The method's title, with the label behind it where other groups use that method too; or
 * the label. */
static char *group_name(const pdi_groups *g, size_t k)
{
    pdi_text t = {.alloc = g->alloc};
    const char *title = group_title(g->group[k].run[0]);
    bool is_unique = true;
    for (size_t m = 0; m < g->n; m++)
        if (m != k && group_same(title, group_title(g->group[m].run[0]))) is_unique = false;
    if (!title || !*title || g->group[k].tasks == 1)
        pdi_text_add(&t, "%s", g->group[k].label);
    else
        pdi_text_add(&t, is_unique ? "%s" : "%s (%s)", title, g->group[k].label);
    return pdi_text_take(&t);
}

/* ---- its figures ---- */

/* How far a run came: tasks learned, or outer steps done. */
static uint64_t group_progress(const pdr_result *r)
{
    if (r->is_meta) return r->meta.iterations;
    return (uint64_t)(r->learned < r->tasks ? r->learned : r->tasks);
}

static void group_count(pdi_group *g)
{
    const pdr_result *first = g->run[0];
    uint64_t furthest = 0;
    g->tasks = first->tasks;
    g->is_meta = first->is_meta;
    for (size_t k = 0; k < g->runs; k++)
        if (group_progress(g->run[k]) > furthest) furthest = group_progress(g->run[k]);
    if (!g->is_meta) g->learned = (int32_t)furthest;
    g->is_whole = g->is_meta ? furthest >= first->meta.planned : g->learned == g->tasks;
    g->is_empty = g->is_meta ? !first->meta.score : !g->learned;
    for (size_t k = 0; k < g->runs; k++) { /* stable: counted runs first, in their order */
        const pdr_result *r = g->run[k];
        if (group_progress(r) < furthest) continue;
        memmove(g->run + g->counted + 1, g->run + g->counted, (k - g->counted) * sizeof *g->run);
        g->run[g->counted++] = r;
    }
}

static pdi_stat group_stat(const pdi_group *g, double figure(const pdr_result *), double x[])
{
    pdi_stat s;
    for (size_t k = 0; k < g->counted; k++) x[k] = figure(g->run[k]);
    pdr_mean_se(g->counted, x, &s.mean, &s.se);
    return s;
}

static size_t group_cell(const pdi_group *g, int32_t i, int32_t j)
{
    return (size_t)(i + 1) * (size_t)g->tasks + (size_t)j;
}

static double group_seconds(const pdr_result *r) { return r->train_seconds; }
static double group_rmse(const pdr_result *r) { return r->rmse; }
static double group_mae(const pdr_result *r) { return r->mae; }
static double group_memory(const pdr_result *r) { return (double)r->memory; }

static void group_matrix(pdi_group *g, double x[])
{
    double se;
    for (int32_t i = -1; i < g->learned; i++)
        for (int32_t j = 0; j < g->tasks; j++) {
            for (size_t k = 0; k < g->counted; k++) x[k] = pdr_result_at(g->run[k], i, j);
            pdr_mean_se(g->counted, x, &g->matrix[group_cell(g, i, j)], &se);
        }
}

static void group_average(pdi_group *g, double x[])
{
    for (int32_t i = 0; i < g->learned; i++) {
        for (size_t k = 0; k < g->counted; k++) {
            x[k] = 0;
            for (int32_t j = 0; j <= i; j++) x[k] += pdr_result_at(g->run[k], i, j) / (i + 1);
        }
        pdr_mean_se(g->counted, x, &g->average[i].mean, &g->average[i].se);
    }
}

/* ---- episodes ---- */

static bool group_is_scored(const pdr_result *r)
{
    const pdr_meta_result *m = &r->meta;
    return m->score && m->ci95 && m->median && m->diverged && m->steps >= 0;
}

static void group_step(pdi_group *g, int32_t s, double x[])
{
    pdi_step *to = &g->step[s];
    double se;
    for (size_t k = 0; k < g->counted; k++) x[k] = g->run[k]->meta.median[s];
    pdr_mean_se(g->counted, x, &to->median, &se);
    for (size_t k = 0; k < g->counted; k++) x[k] = g->run[k]->meta.score[s];
    pdr_mean_se(g->counted, x, &to->score.mean, &to->score.se);
    if (g->counted == 1) to->score.se = g->run[0]->meta.ci95[s];
    for (size_t k = 0; k < g->counted; k++) to->diverged += g->run[k]->meta.diverged[s];
}

/* By adaptation step, as far as all counted runs went. */
static bool group_steps(const pdr_alloc *alloc, pdi_group *g, double x[])
{
    const pdr_meta_result *m = &g->run[0]->meta;
    if (!g->is_meta) return true;
    for (size_t k = 0; k < g->counted; k++)
        if (!group_is_scored(g->run[k])) g->is_empty = true;
    if (g->is_empty) return true;
    g->steps = m->steps;
    g->scored = m->scored;
    g->episodes = m->episodes;
    for (size_t k = 1; k < g->counted; k++)
        if (g->run[k]->meta.steps < g->steps) g->steps = g->run[k]->meta.steps;
    g->step = pdi_new(alloc, (size_t)g->steps + 1, sizeof *g->step);
    for (int32_t s = 0; g->step && s <= g->steps; s++) group_step(g, s, x);
    if (g->step && g->counted == 1 && g->scored >= 0 && g->scored <= g->steps)
        g->acc.se = g->step[g->scored].score.se;
    return g->step;
}

/* ---- tasks ---- */

static bool group_agrees(const pdi_group *g, int32_t j)
{
    for (size_t k = 1; k < g->counted; k++)
        if (!group_same(pdi_run_task(g->run[0], j), pdi_run_task(g->run[k], j))) return false;
    return true;
}

/* Numbers in place of names, if there is a task on whose name the counted runs differ. */
static bool group_number(const pdr_alloc *alloc, pdi_group *g)
{
    int32_t agreed = 0;
    while (agreed < g->tasks && group_agrees(g, agreed)) agreed++;
    if (agreed == g->tasks) return true;
    g->numbered = pdi_new(alloc, (size_t)g->tasks, PDI_TASK_NUMBERED);
    for (int32_t j = 0; g->numbered && j < g->tasks; j++)
        snprintf(g->numbered + (size_t)j * PDI_TASK_NUMBERED, PDI_TASK_NUMBERED, "task %" PRId32,
                 j + 1);
    return g->numbered;
}

/* x: room for one number a run. */
static bool group_figure(const pdr_alloc *alloc, pdi_group *g, double x[])
{
    group_count(g);
    size_t tasks = (size_t)g->tasks;
    g->matrix = pdi_new(alloc, (tasks + 1) * tasks, sizeof *g->matrix);
    g->average = pdi_new(alloc, tasks, sizeof *g->average);
    if (!g->matrix || !g->average || !group_number(alloc, g)) return false;
    const char *metric = g->run[0]->metric;
    g->is_regression = g->run[0]->is_regression && !g->run[0]->is_meta; /* the stream's r2 */
    g->is_bound = g->run[0]->is_bound && g->tasks > 1;                  /* one task is all tasks */
    g->is_percent = !g->is_regression && (!metric || group_same(metric, "accuracy"));
    g->is_loss = pdr_result_is_loss(g->run[0]);
    g->acc = group_stat(g, pdr_result_score, x);
    g->forgetting = group_stat(g, pdr_result_forgetting, x);
    g->bwt = group_stat(g, pdr_result_bwt, x);
    g->fwt = group_stat(g, pdr_result_fwt, x);
    g->rmse = group_stat(g, group_rmse, x);
    g->mae = group_stat(g, group_mae, x);
    g->seconds = group_stat(g, group_seconds, x);
    g->memory = group_stat(g, group_memory, x);
    group_matrix(g, x);
    group_average(g, x);
    return group_steps(alloc, g, x);
}

static bool group_fill(pdi_groups *g, size_t n, const pdr_result *const runs[])
{
    bool ok = false;
    double *x = pdi_new(g->alloc, n, sizeof *x);
    g->group = pdi_new(g->alloc, n, sizeof *g->group);
    if (!x || !g->group) goto done;
    for (size_t k = 0; k < n; k++)
        if (!group_add(g, runs[k], n)) goto done;
    for (size_t k = 0; k < g->n; k++) {
        if (!group_figure(g->alloc, &g->group[k], x)) goto done;
        if (!(g->group[k].label = group_label(g, k))) goto done;
        if (!(g->group[k].name = group_name(g, k))) goto done;
    }
    ok = true;
done:
    pdi_free(g->alloc, x);
    return ok;
}

/* ---- the room's interface ---- */

pdr_rc pdi_groups_open(pdi_groups *g, const pdr_alloc *alloc, size_t n,
                       const pdr_result *const runs[], pdr_error *err)
{
    *g = (pdi_groups){
        .alloc = alloc, .is_one_task = true, .is_episodes = true, .is_comparable = true};
    for (size_t k = 0; k < n; k++)
        if (runs[k]->tasks < !runs[k]->is_meta || runs[k]->learned < 0)
            return pdi_fail(err, PDR_USAGE,
                            "report: run %zu has %d tasks and learned %d; give at "
                            "least one task and none or more learned",
                            k, (int)runs[k]->tasks, (int)runs[k]->learned);
    if (!group_fill(g, n, runs)) {
        pdi_groups_close(g);
        return pdi_nomem(err);
    }
    for (size_t k = 0; k < g->n; k++) {
        if (g->group[k].tasks > 1) g->is_one_task = false;
        if (!g->group[k].is_meta) g->is_episodes = false;
        if (!group_same_problem(g->group[0].run[0], g->group[k].run[0])) g->is_comparable = false;
    }
    return PDR_OK;
}

void pdi_groups_close(pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++) {
        pdi_free(g->alloc, g->group[k].run);
        pdi_free(g->alloc, g->group[k].matrix);
        pdi_free(g->alloc, g->group[k].average);
        pdi_free(g->alloc, g->group[k].step);
        pdi_free(g->alloc, g->group[k].numbered);
        pdi_free(g->alloc, g->group[k].label);
        pdi_free(g->alloc, g->group[k].name);
    }
    pdi_free(g->alloc, g->group);
    *g = (pdi_groups){.alloc = g->alloc};
}

const char *pdi_group_note(const pdi_group *g)
{
    return g->tasks == 1 ? group_title(g->run[0]) : g->label;
}

double pdi_group_at(const pdi_group *g, int32_t i, int32_t j)
{
    return i < g->learned ? g->matrix[group_cell(g, i, j)] : (double)NAN;
}

const char *pdi_run_task(const pdr_result *r, int32_t j)
{
    char *const *names = r->task_name;
    return names && names[j] && *names[j] ? names[j] : "(no name)";
}

const char *pdi_group_task(const pdi_group *g, int32_t j)
{
    if (!g->numbered || group_agrees(g, j)) return pdi_run_task(g->run[0], j);
    return g->numbered + (size_t)j * PDI_TASK_NUMBERED;
}

const char *pdi_group_task_short(const pdi_group *g, int32_t j)
{
    const char *name = pdi_group_task(g, j), *s = name;
    if (strncmp(s, "task ", 5)) return name;
    s += 5 + strspn(s + 5, "0123456789");
    if (s[0] == 0) return s;
    return s[0] == ':' && s[1] == ' ' && s[2] ? s + 2 : name;
}

const char *pdi_group_metric(const pdi_group *g)
{
    const char *metric = g->run[0]->metric;
    if (g->is_percent) return "accuracy";
    if (g->is_regression || group_same(metric, "r2")) return "R\xC2\xB2";
    if (group_same(metric, "mse")) return "MSE";
    return metric && *metric ? metric : "score";
}

bool pdi_group_shows_step(const pdi_group *g, int32_t step)
{
    int32_t lead = step;
    if (g->steps <= 12 || step == g->scored || step == g->steps || !step) return true;
    while (lead % 10 == 0) lead /= 10;
    return lead == 1 || lead == 2 || lead == 5;
}

bool pdi_group_knows_note(const pdi_group *g, size_t m, size_t i)
{
    for (size_t e = 0; e < m; e++)
        for (size_t k = 0; k < g->run[e]->notes; k++)
            if (!strcmp(g->run[e]->note[k], g->run[m]->note[i])) return true;
    return false;
}

bool pdi_group_has_spread(const pdi_group *g) { return g->counted > 1 || g->is_meta; }

bool pdi_group_competes(const pdi_group *g) { return g->is_whole && !g->is_bound; }

static double group_figure_at(const pdi_group *g, size_t at)
{
    return ((const pdi_stat *)(const void *)((const char *)g + at))->mean;
}

bool pdi_groups_is_best(const pdi_groups *g, size_t k, size_t at, int better)
{
    double x = group_figure_at(&g->group[k], at);
    if (g->n < 2 || !g->is_comparable || !isfinite(x)) return false;
    bool is_better = false; /* than somebody: where all are the same, none is the best */
    for (size_t m = 0; m < g->n; m++) {
        const pdi_group *other = &g->group[m];
        int sign = other->is_loss && at == offsetof(pdi_group, acc) ? -better : better;
        if (m == k || !pdi_group_competes(other)) continue;
        if (group_figure_at(other, at) * sign > x * sign) return false;
        is_better = is_better || group_figure_at(other, at) * sign < x * sign;
    }
    return is_better && pdi_group_competes(&g->group[k]);
}

bool pdi_group_is_continual(const pdi_group *g) { return g->tasks > 1; }

bool pdi_group_is_in_turn(const pdi_group *g) { return g->tasks > 1 && !g->is_bound; }
