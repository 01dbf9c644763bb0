/* report/curve.c -- accuracy over time, on average and task by task. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/chart.h"
#include "report/ramp.h"
#include "report/section.h"

enum {
    CURVE_HEIGHT = 260, /* px of the chart of averages */
    CURVE_SMALL = 180,  /* px of one small multiple */
    CURVE_TAG = 15,     /* characters of a task's name beside its line */
    CURVE_NAMES = 12,   /* with more tasks than that, lines carry numbers alone */
    CURVE_TEN = 65      /* px of ten characters of a name, generous */
};

/* x, and as many y, for a line: one allocation, freed by the caller. */
static double *curve_points(pdi_text *t, const pdi_groups *g, size_t n)
{
    double *x = pdi_new(g->alloc, 4 * (n + 1), sizeof *x);
    if (!x) t->failed = true;
    return x;
}

static void curve_free_tags(const pdi_groups *g, pdi_tag *tags, size_t n)
{
    for (size_t k = 0; tags && k < n; k++) pdi_free(g->alloc, tags[k].text);
    pdi_free(g->alloc, tags);
}

static const char *curve_measure(bool is_percent, bool is_regression)
{
    return is_percent ? "accuracy" : is_regression ? "R\xC2\xB2" : "score";
}

/* ---- task by task ---- */

/* Which of the line ramp's steps stands for task j of n: in order, all along it. */
static const char *curve_task_class(const pdi_group *g, int32_t j, char class[PDI_CLASS_SIZE])
{
    int step = g->tasks > 1 ? (int)((PDI_RAMP_STEPS - 1.0) * j / (g->tasks - 1) + 0.5) : 0;
    snprintf(class, PDI_CLASS_SIZE, "k%d", step);
    return class;
}

static int curve_tag_width(const pdi_group *g)
{
    size_t longest = 0;
    for (int32_t j = 0; j < g->learned && g->learned <= CURVE_NAMES; j++) {
        size_t n = pdi_utf8_count(pdi_group_task_short(g, j), CURVE_TAG);
        if (n > longest) longest = n;
    }
    return 34 + CURVE_TEN * (int)longest / 10;
}

/* Task j from when it was learned. */
static void curve_task(pdi_text *t, const pdi_axes *a, const pdi_group *g, int32_t j, double x[],
                       double y[])
{
    char class[PDI_CLASS_SIZE];
    size_t n = 0;
    for (int32_t i = j; i < g->learned; i++, n++) {
        x[n] = i + 1;
        y[n] = pdi_group_at(g, i, j);
    }
    curve_task_class(g, j, class);
    pdi_chart_line(t, a, n, x, y, class, pdi_group_task(g, j));
    if (g->learned <= 2 * CURVE_NAMES) pdi_chart_dot(t, a, x[0], y[0], class);
}

static void curve_tasks(pdi_text *t, const pdi_groups *g, const pdi_group *group, const pdi_axes *a)
{
    size_t n = (size_t)group->learned;
    double *x = curve_points(t, g, n);
    pdi_tag *tags = pdi_new(g->alloc, n, sizeof *tags);
    if (!tags) t->failed = true;
    if (!x || !tags) goto done;
    pdi_chart_open(t, a);
    for (int32_t j = 0; j < group->learned; j++) {
        curve_task(t, a, group, j, x, x + n);
        tags[j].y = pdi_group_at(group, group->learned - 1, j);
        tags[j].order = (size_t)j;
        tags[j].text = pdi_task_tag(t, g, group, j);
        curve_task_class(group, j, tags[j].class);
    }
    if (!t->failed) pdi_chart_close(t, a, n, tags);
done:
    curve_free_tags(g, tags, n);
    pdi_free(g->alloc, x);
}

static void curve_multiple(pdi_text *t, const pdi_groups *g, size_t k)
{
    const pdi_group *group = &g->group[k];
    pdi_text title = {.alloc = g->alloc};
    pdi_axes a = {.x0 = 1,
                  .x1 = group->learned > 1 ? group->learned : group->tasks,
                  .height = CURVE_SMALL,
                  .x_is_count = true,
                  .tag_width = curve_tag_width(group),
                  .is_percent = group->is_percent,
                  .x_name = "after learning task"};
    pdi_score_range(g, group->is_percent, &a.y0, &a.y1);
    pdi_text_add(&title,
                 "%s: %s of each task after learning each task; the numbers are in the "
                 "matrix below",
                 group->name, curve_measure(a.is_percent, group->is_regression));
    a.title = title.failed ? "" : title.s;
    if (title.failed) t->failed = true;
    pdi_put(t, "<figure>");
    pdi_put_caption(t, g, k, "mean of ", group->counted);
    curve_tasks(t, g, group, &a);
    pdi_put(t, "</figure>\n");
    pdi_text_close(&title);
}

/* ---- on average ---- */

static bool curve_is_in(const pdi_group *g, bool is_percent)
{
    return pdi_group_is_continual(g) && g->learned && g->is_percent == is_percent;
}

static void curve_average(pdi_text *t, const pdi_axes *a, const pdi_group *g, const char *class,
                          double x[])
{
    size_t n = (size_t)g->learned;
    double *y = x + n, *lo = y + n, *hi = lo + n;
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
        y[i] = g->average[i].mean;
        lo[i] = y[i] - g->average[i].se;
        hi[i] = y[i] + g->average[i].se;
    }
    if (g->counted > 1) pdi_chart_band(t, a, n, x, lo, hi, class);
    pdi_chart_line(t, a, n, x, y, class, g->name);
    if (x[n - 1] < a->x1) pdi_chart_reach(t, a, x[n - 1], y[n - 1], class);
    for (size_t i = 0; i < n && n <= 2 * CURVE_NAMES; i++) pdi_chart_dot(t, a, x[i], y[i], class);
}

/* An upper bound's line is dashed. */
static void curve_average_class(const pdi_groups *g, size_t k, char class[PDI_CLASS_SIZE])
{
    size_t n = strlen(pdi_group_class(k, class));
    if (g->group[k].is_bound) snprintf(class + n, PDI_CLASS_SIZE - n, " bound");
}

static void curve_averages(pdi_text *t, const pdi_groups *g, const pdi_axes *a)
{
    size_t m = 0;
    pdi_tag *tags = pdi_new(g->alloc, g->n, sizeof *tags);
    if (!tags) t->failed = true;
    pdi_chart_open(t, a);
    for (size_t k = 0; k < g->n && !t->failed; k++) {
        const pdi_group *group = &g->group[k];
        if (!curve_is_in(group, a->is_percent)) continue;
        double *x = curve_points(t, g, (size_t)group->learned);
        pdi_text name = {.alloc = g->alloc};
        tags[m].y = group->average[group->learned - 1].mean;
        pdi_put_cut(&name, group->name, 22);
        if (name.failed) t->failed = true;
        tags[m].order = k;
        curve_average_class(g, k, tags[m].class);
        if (x) curve_average(t, a, group, tags[m].class, x);
        tags[m++].text = pdi_text_take(&name);
        pdi_free(g->alloc, x);
    }
    if (!t->failed) pdi_chart_close(t, a, m, tags);
    curve_free_tags(g, tags, m);
}

static void curve_average_cell(pdi_text *t, const pdi_group *g, int32_t i)
{
    pdi_put(t, "<td>");
    if (i < g->learned) {
        pdi_put_score(t, g->is_percent, g->average[i].mean);
        if (g->counted > 1 && isfinite(g->average[i].se)) {
            pdi_put(t, "<span class=\"se\"> \xC2\xB1 ");
            pdi_put_score(t, g->is_percent, g->average[i].se);
            pdi_put(t, "</span>");
        }
    }
    pdi_put(t, "</td>");
}

/* The same numbers as a table: a row a task, a column a group. */
static void curve_average_table(pdi_text *t, const pdi_groups *g, const pdi_axes *a)
{
    pdi_put(t, "<details><summary>The numbers</summary><div class=\"scroll\" tabindex=\"0\">"
               "<table><caption>Mean over the tasks learned so far</caption>\n"
               "<thead><tr><th scope=\"col\">After task</th>");
    for (size_t k = 0; k < g->n; k++) {
        if (!curve_is_in(&g->group[k], a->is_percent)) continue;
        pdi_put(t, "<th scope=\"col\">");
        pdi_put_safe(t, g->group[k].name);
        pdi_put(t, "</th>");
    }
    pdi_put(t, "</tr></thead>\n<tbody>");
    for (int32_t i = 0; i < (int32_t)a->x1; i++) {
        pdi_text_add(t, "<tr><th scope=\"row\">%d</th>", (int)i + 1);
        for (size_t k = 0; k < g->n; k++)
            if (curve_is_in(&g->group[k], a->is_percent)) curve_average_cell(t, &g->group[k], i);
        pdi_put(t, "</tr>\n");
    }
    pdi_put(t, "</tbody></table></div></details>\n");
}

/* One chart for the groups whose score is a percentage, or for the others. */
static void curve_chart(pdi_text *t, const pdi_groups *g, bool is_percent)
{
    pdi_axes a = {
        .x0 = 1,
        .height = CURVE_HEIGHT,
        .is_percent = is_percent,
        .x_is_count = true,
        .title = "Mean score over the tasks learned so far, by method; the numbers are in "
                 "the table below",
        .x_name = "after learning task"};
    size_t longest = 0;
    bool has_bound = false;
    for (size_t k = 0; k < g->n; k++) {
        if (!curve_is_in(&g->group[k], is_percent)) continue;
        has_bound = has_bound || g->group[k].is_bound;
        size_t n = pdi_utf8_count(g->group[k].name, 22);
        if (n > longest) longest = n;
        if (g->group[k].tasks > a.x1) a.x1 = g->group[k].tasks;
    }
    if (!longest) return;
    a.tag_width = 20 + CURVE_TEN * (int)longest / 10;
    pdi_score_range(g, is_percent, &a.y0, &a.y1);
    pdi_text_add(t,
                 "<figure><figcaption>Average %s<small>over the tasks learned so far%s</small>"
                 "</figcaption>",
                 is_percent ? "accuracy" : "score", has_bound ? "; dashed: an upper bound" : "");
    curve_averages(t, g, &a);
    curve_average_table(t, g, &a);
    pdi_put(t, "</figure>\n");
}

void pdi_section_time(pdi_text *t, const pdi_groups *g)
{
    if (g->is_one_task) return;
    pdi_put(t,
            "<section><h2>Over time</h2>\n"
            "<p class=\"note\">The model is tested after every task. A line that falls is a task "
            "being forgotten.</p>\n");
    curve_chart(t, g, true);
    curve_chart(t, g, false);
    pdi_put(t, "<h3>Task by task</h3>\n<p class=\"note\">One line a task, from the moment it was "
               "learned.");
    pdi_put_numbered(t, g);
    pdi_put(t, "</p>\n<div class=\"multiples\">\n");
    for (size_t k = 0; k < g->n; k++)
        if (pdi_group_is_continual(&g->group[k]) && g->group[k].learned) curve_multiple(t, g, k);
    pdi_put(t, "</div></section>\n");
}
