/* report/loss.c -- loss over iterations: a line a seed, a mark where a task begins. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/chart.h"
#include "report/section.h"

enum {
    LOSS_HEIGHT = 180, /* px */
    LOSS_POINTS = 600, /* of a line; more are averaged, since no screen shows them */
    LOSS_WORDS = 12,   /* tasks up to which each mark carries its number */
    LOSS_MARKS = 25    /* and up to which each task has a mark */
};

/* A line: n points of the mean loss. */
typedef struct loss_line {
    size_t n;
    double *x, *y;
} loss_line;

/* Average runs of neighbouring points that belong to one task. */
static void loss_thin(const pdr_result *r, loss_line *line)
{
    size_t size = r->losses / LOSS_POINTS + 1;
    line->n = 0;
    for (size_t k = 0, n; k < r->losses; k += n) {
        double x = 0, y = 0;
        for (n = 0; n < size && k + n < r->losses && r->loss[k + n].task == r->loss[k].task; n++) {
            x += (double)r->loss[k + n].iteration;
            y += r->loss[k + n].loss;
        }
        line->x[line->n] = x / (double)n;
        line->y[line->n++] = y / (double)n;
    }
}

/* Each change of task may close a run early, and a record may change as often as it
 * likes, so the room is for as many points as the record has. */
static bool loss_open(const pdi_groups *g, const pdr_result *r, loss_line *line)
{
    line->x = pdi_new(g->alloc, 2 * r->losses, sizeof *line->x);
    if (!line->x) return false;
    line->y = line->x + r->losses;
    loss_thin(r, line);
    return true;
}

static int loss_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The y axis for all lines.  A few values far above all others, as when learning
 * diverges, are left to the edge: false when there are such. */
static bool loss_range(size_t n, double y[], pdi_axes *a)
{
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
        if (isfinite(y[k])) y[m++] = y[k];
    a->y0 = 0;
    a->y1 = 1;
    if (!m) return true;
    qsort(y, m, sizeof *y, loss_compare);
    double most = y[m - 1], usual = y[(m - 1) * 99 / 100];
    bool is_whole = !(usual > 0) || most <= 8 * usual;
    a->y1 = is_whole ? most : 2 * usual;
    if (y[0] < 0) a->y0 = y[0];
    if (!(a->y1 > a->y0)) a->y1 = a->y0 + 1;
    return is_whole;
}

static size_t loss_count_group(const pdi_group *g)
{
    size_t n = 0;
    for (size_t m = 0; m < g->runs; m++) n += g->run[m]->losses;
    return n;
}

static size_t loss_count(const pdi_groups *g)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n; k++) n += loss_count_group(&g->group[k]);
    return n;
}

/* Axes that hold every run. */
static bool loss_axes(pdi_text *t, const pdi_groups *g, pdi_axes *a)
{
    bool is_whole = true;
    size_t n = 0;
    double *all = pdi_new(g->alloc, loss_count(g), sizeof *all);
    if (!all) t->failed = true;
    for (size_t k = 0; k < g->n && all; k++)
        for (size_t m = 0; m < g->group[k].runs; m++) {
            const pdr_result *r = g->group[k].run[m];
            loss_line line = {0};
            if (!loss_open(g, r, &line)) {
                t->failed = true;
                break;
            }
            for (size_t i = 0; i < line.n; i++) all[n++] = line.y[i];
            for (size_t i = 0; i < r->losses; i++)
                a->x1 = fmax(a->x1, (double)r->loss[i].iteration);
            pdi_free(g->alloc, line.x);
        }
    if (!t->failed) is_whole = loss_range(n, all, a);
    pdi_free(g->alloc, all);
    return is_whole;
}

static void loss_marks(pdi_text *t, const pdi_axes *a, const pdr_result *r)
{
    char word[16];
    if (r->tasks < 2 || !r->losses) return;
    for (size_t k = 0; k < r->losses; k++) {
        if (k && r->loss[k].task == r->loss[k - 1].task) continue;
        int32_t number = r->loss[k].task + 1;
        bool is_named = r->tasks <= LOSS_WORDS || number % 10 == 0;
        if (r->tasks > LOSS_MARKS && !is_named) continue;
        snprintf(word, sizeof word, "%" PRId32, number);
        pdi_chart_mark(t, a, k ? (double)r->loss[k - 1].iteration : 0, is_named ? word : "");
    }
}

static void loss_figure(pdi_text *t, const pdi_groups *g, size_t k, const pdi_axes *a)
{
    const pdi_group *group = &g->group[k];
    char class[PDI_CLASS_SIZE];
    if (!loss_count_group(group)) return;
    pdi_put(t, "<figure>");
    pdi_put_caption(t, g, k, "", group->runs);
    pdi_chart_open(t, a);
    loss_marks(t, a, group->run[0]);
    for (size_t m = 0; m < group->runs; m++) {
        char hint[64];
        loss_line line = {0};
        if (!loss_open(g, group->run[m], &line)) {
            t->failed = true;
            break;
        }
        snprintf(hint, sizeof hint, "seed %" PRIu64, group->run[m]->seed);
        pdi_chart_line(t, a, line.n, line.x, line.y, pdi_group_class(k, class), hint);
        pdi_free(g->alloc, line.x);
    }
    pdi_chart_close(t, a, 0, NULL);
    pdi_put(t, "</figure>\n");
}

/* ---- the numbers behind it ---- */

/* Episodes are one task here. */
static int32_t loss_tasks(const pdi_group *g) { return g->is_meta ? 1 : g->tasks; }

/* The last loss of a task, a mean over the group's counted runs. */
static double loss_last(const pdi_group *g, int32_t task)
{
    double sum = 0;
    for (size_t m = 0; m < g->counted; m++) {
        double last = (double)NAN;
        for (size_t k = 0; k < g->run[m]->losses; k++)
            if (g->run[m]->loss[k].task == task) last = g->run[m]->loss[k].loss;
        sum += last;
    }
    return sum / (double)g->counted;
}

static void loss_table(pdi_text *t, const pdi_groups *g)
{
    int32_t most = 0;
    pdi_put(t, "<details><summary>The numbers</summary><div class=\"scroll\" tabindex=\"0\"><table>"
               "<caption>Loss at the end of each task</caption>\n<thead><tr><th scope=\"col\">Task"
               "</th>");
    for (size_t k = 0; k < g->n; k++) {
        if (loss_tasks(&g->group[k]) > most) most = loss_tasks(&g->group[k]);
        pdi_put(t, "<th scope=\"col\">");
        pdi_put_safe(t, g->group[k].name);
        pdi_put(t, "</th>");
    }
    pdi_put(t, "</tr></thead>\n<tbody>");
    for (int32_t j = 0; j < most; j++) {
        pdi_text_add(t, "<tr><th scope=\"row\">%" PRId32 "</th>", j + 1);
        for (size_t k = 0; k < g->n; k++) {
            pdi_put(t, "<td>");
            if (j < loss_tasks(&g->group[k])) pdi_put_short(t, 4, loss_last(&g->group[k], j));
            pdi_put(t, "</td>");
        }
        pdi_put(t, "</tr>\n");
    }
    pdi_put(t, "</tbody></table></div></details>\n");
}

void pdi_section_loss(pdi_text *t, const pdi_groups *g)
{
    pdi_axes a = {.height = LOSS_HEIGHT,
                  .tag_width = 12,
                  .x_name = "iteration",
                  .title = "Loss over iterations; the numbers are in the table below"};
    if (!loss_count(g)) return;
    bool is_whole = loss_axes(t, g, &a);
    pdi_put(t,
            "<section><h2>Loss</h2>\n<p class=\"note\">What training makes small, on the examples "
            "it learns from. ");
    pdi_put(t, g->is_one_task ? "One line a seed."
                              : "One line a seed; a task begins at each upright "
                                "line.");
    if (!is_whole) pdi_put(t, " A few values far above the others are drawn at the upper edge.");
    pdi_put(t, "</p>\n<div class=\"multiples\">\n");
    for (size_t k = 0; k < g->n && !t->failed; k++) loss_figure(t, g, k, &a);
    pdi_put(t, "</div>\n");
    loss_table(t, g);
    pdi_put(t, "</section>\n");
}
