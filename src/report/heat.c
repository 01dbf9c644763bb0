/* report/heat.c -- the accuracy matrix as a heat map.
 *
 * Up to HEAT_TABLE tasks it is a table whose cells are painted, so it can be read aloud,
 * copied and searched.  Larger ones are a drawing, one path a colour, with a table of the
 * figures that matter for each task behind it. */
#include <inttypes.h>
#include <math.h>

#include "report/ramp.h"
#include "report/section.h"

enum {
    HEAT_NAMES = 10, /* tasks up to which columns carry names */
    HEAT_TABLE = 25  /* tasks up to which cells carry values */
};

static void heat_range(const pdi_groups *g, const pdi_group *group, double *lo, double *hi)
{
    pdi_score_range(g, group->is_percent, lo, hi);
}

/* ---- the table ---- */

static void heat_value(pdi_text *t, const pdi_group *g, double x)
{
    bool is_wide = g->tasks <= HEAT_NAMES;
    if (g->is_percent)
        pdi_put_number(t, is_wide ? 1 : 0, 100 * x);
    else
        pdi_put_number(t, is_wide ? 3 : 2, x);
}

static void heat_cell(pdi_text *t, const pdi_group *g, int32_t i, int32_t j, double lo, double hi)
{
    double x = pdi_group_at(g, i, j);
    int step = isfinite(x) ? pdi_ramp_step(x, lo, hi) : -1;
    if (step < 0)
        pdi_put(t, "<td class=\"odd\">");
    else
        pdi_text_add(t, "<td class=\"%sh%d\">", i == j ? "now " : "", step);
    heat_value(t, g, x);
    pdi_put(t, "</td>");
}

static void heat_head(pdi_text *t, const pdi_group *g, int32_t j)
{
    pdi_put(t, "<th scope=\"col\" title=\"");
    pdi_put_safe(t, pdi_group_task(g, j));
    pdi_text_add(t, "\">%" PRId32, j + 1);
    if (g->tasks <= HEAT_NAMES) {
        pdi_put(t, "<small>");
        pdi_put_safe(t, pdi_group_task_short(g, j));
        pdi_put(t, "</small>");
    }
    pdi_put(t, "</th>");
}

static void heat_row_head(pdi_text *t, const pdi_group *g, int32_t i)
{
    pdi_put(t, "<th scope=\"row\" title=\"");
    if (i >= 0) {
        pdi_put_safe(t, pdi_group_task(g, i));
        pdi_text_add(t, "\">%" PRId32 "<small>", i + 1);
        pdi_put_safe(t, pdi_group_task_short(g, i));
        pdi_put(t, "</small></th>");
    } else {
        pdi_put(t, "before the first task\">before</th>");
    }
}

static void heat_row(pdi_text *t, const pdi_group *g, int32_t i, double lo, double hi)
{
    pdi_put(t, "<tr>");
    heat_row_head(t, g, i);
    for (int32_t j = 0; j < g->tasks; j++) heat_cell(t, g, i, j, lo, hi);
    pdi_put(t, "</tr>\n");
}

static void heat_table(pdi_text *t, const pdi_groups *all, const pdi_group *g)
{
    double lo, hi;
    heat_range(all, g, &lo, &hi);
    pdi_text_add(t,
                 "<div class=\"scroll\" tabindex=\"0\"><table class=\"heat %s\">\n<caption class="
                 "\"hidden\">",
                 g->tasks <= HEAT_NAMES ? "wide" : "narrow");
    pdi_put_safe(t, g->name);
    pdi_put(t, ": score on each task (columns) after learning each task (rows)</caption>\n<thead>"
               "<tr><td class=\"corner\"><span>tested on \xE2\x86\x92</span><span>learned "
               "\xE2\x86\x93</span></td>");
    for (int32_t j = 0; j < g->tasks; j++) heat_head(t, g, j);
    pdi_put(t, "</tr></thead>\n<tbody class=\"before\">");
    heat_row(t, g, -1, lo, hi);
    pdi_put(t, "</tbody>\n<tbody>");
    for (int32_t i = 0; i < g->learned; i++) heat_row(t, g, i, lo, hi);
    pdi_put(t, "</tbody></table></div>\n");
}

/* ---- the drawing ---- */

/* Where row i of the matrix stands in a drawing one unit a cell: the row before learning
 * is twice as high and set apart, so that it can be seen at all. */
static double heat_top(const pdi_group *g, int32_t i)
{
    return i < 0 ? 0 : i + 2 + g->tasks / 50.0;
}

static int heat_step(const pdi_group *g, int32_t i, int32_t j, double lo, double hi)
{
    double x = pdi_group_at(g, i, j);
    return isfinite(x) ? pdi_ramp_step(x, lo, hi) : -1;
}

/* The cells of one colour, neighbours in a row joined. */
static void heat_paint(pdi_text *t, const pdi_group *g, int step, double lo, double hi)
{
    if (step < 0)
        pdi_put(t, "<path class=\"odd\" d=\"");
    else
        pdi_text_add(t, "<path class=\"h%d\" d=\"", step);
    for (int32_t i = -1; i < g->learned; i++)
        for (int32_t j = 0, n; j < g->tasks; j += n) {
            bool is_in = heat_step(g, i, j, lo, hi) == step;
            for (n = 1; j + n < g->tasks; n++)
                if ((heat_step(g, i, j + n, lo, hi) == step) != is_in) break;
            if (!is_in) continue;
            pdi_text_add(t, "M%" PRId32 " ", j);
            pdi_put_xy(t, heat_top(g, i));
            pdi_text_add(t, "h%" PRId32 "v%dh-%" PRId32 "z", n, i < 0 ? 2 : 1, n);
        }
    pdi_put(t, "\"/>\n");
}

/* Task numbers along a side: the first, and every tenth (or hundredth). */
static void heat_scale(pdi_text *t, const pdi_group *g, bool is_across)
{
    int32_t step = g->tasks > 500 ? 100 : 10;
    double height = heat_top(g, g->tasks);
    pdi_put(t, is_across ? "<svg class=\"across\">" : "<svg class=\"down\">");
    if (!is_across) {
        pdi_put(t, "<text x=\"100%\" dx=\"-6\" dy=\"4\" text-anchor=\"end\" y=\"");
        pdi_put_xy(t, 100 / height);
        pdi_put(t, "%\">before</text>");
    }
    for (int32_t j = is_across ? 0 : step - 1; j < g->tasks; j = j ? j + step : step - 1) {
        double at = is_across ? (j + 0.5) / g->tasks : (heat_top(g, j) + 0.5) / height;
        pdi_put(t, is_across ? "<text y=\"14\" text-anchor=\"middle\" x=\""
                             : "<text x=\"100%\" dx=\"-6\" dy=\"4\" text-anchor=\"end\" y=\"");
        pdi_put_xy(t, 100 * at);
        pdi_text_add(t, "%%\">%" PRId32 "</text>", j + 1);
    }
    pdi_put(t, "</svg>\n");
}

static void heat_drawing(pdi_text *t, const pdi_groups *all, const pdi_group *g)
{
    double lo, hi;
    heat_range(all, g, &lo, &hi);
    pdi_put(t, "<div class=\"heatmap\" role=\"img\" aria-label=\"");
    pdi_put_safe(t, g->name);
    pdi_put(t, ": score on each task (columns) after learning each task (rows); the figures of "
               "each task are in the table below\">\n");
    heat_scale(t, g, false);
    pdi_text_add(t, "<svg class=\"cells\" preserveAspectRatio=\"none\" viewBox=\"0 0 %" PRId32 " ",
                 g->tasks);
    pdi_put_xy(t, heat_top(g, g->tasks));
    pdi_put(t, "\">\n");
    for (int step = -1; step < PDI_RAMP_STEPS; step++) heat_paint(t, g, step, lo, hi);
    pdi_put(t, "</svg>\n");
    heat_scale(t, g, true);
    pdi_put(t, "</div>\n");
}

static double heat_best(const pdi_group *g, int32_t j)
{
    double best = pdi_group_at(g, 0, j);
    for (int32_t i = 1; i < g->learned; i++) best = fmax(best, pdi_group_at(g, i, j));
    return best;
}

static void heat_figures(pdi_text *t, const pdi_group *g)
{
    pdi_put(t,
            "<details><summary>Task by task</summary><div class=\"scroll\" tabindex=\"0\"><table>"
            "<caption>Scores of each task</caption>\n<thead><tr><th scope=\"col\">Task</th>"
            "<th scope=\"col\">Before</th><th scope=\"col\">When learned</th>"
            "<th scope=\"col\">Best</th><th scope=\"col\">At the end</th></tr></thead>\n<tbody>");
    for (int32_t j = 0; j < g->tasks; j++) {
        double row[] = {pdi_group_at(g, -1, j), pdi_group_at(g, j, j), heat_best(g, j),
                        pdi_group_at(g, g->learned - 1, j)};
        pdi_text_add(t, "<tr><th scope=\"row\">%" PRId32 " ", j + 1);
        pdi_put_safe(t, pdi_group_task_short(g, j));
        pdi_put(t, "</th>");
        for (size_t c = 0; c < sizeof row / sizeof row[0]; c++) {
            pdi_put(t, "<td>");
            pdi_put_score(t, g->is_percent, row[c]);
            pdi_put(t, "</td>");
        }
        pdi_put(t, "</tr>\n");
    }
    pdi_put(t, "</tbody></table></div></details>\n");
}

/* ---- the section ---- */

static void heat_legend(pdi_text *t, const pdi_groups *g, bool is_percent)
{
    double lo, hi;
    pdi_score_range(g, is_percent, &lo, &hi);
    pdi_put(t, "<p class=\"legend\" aria-hidden=\"true\"><span>");
    pdi_put_short(t, 3, is_percent ? 100 * lo : lo);
    pdi_put(t, is_percent ? "\xE2\x80\xAF%</span>" : "</span>");
    for (int k = 0; k < PDI_RAMP_STEPS; k++) pdi_text_add(t, "<i class=\"h%d\"></i>", k);
    pdi_put(t, "<span>");
    pdi_put_short(t, 3, is_percent ? 100 * hi : hi);
    pdi_put(t, is_percent ? "\xE2\x80\xAF%</span></p>\n" : "</span></p>\n");
}

static void heat_figure(pdi_text *t, const pdi_groups *g, size_t k)
{
    const pdi_group *group = &g->group[k];
    pdi_put(t, "<figure>");
    pdi_put_caption(t, g, k, "mean of ", group->counted);
    if (group->tasks <= HEAT_TABLE) {
        heat_table(t, g, group);
    } else {
        heat_drawing(t, g, group);
        heat_figures(t, group);
    }
    if (!group->learned)
        pdi_put(t, "<p class=\"note\">Stopped before the first task was learned.</p>\n");
    else if (group->learned < group->tasks)
        pdi_text_add(t, "<p class=\"note\">Stopped after task %" PRId32 " of %" PRId32 ".</p>\n",
                     group->learned, group->tasks);
    pdi_put(t, "</figure>\n");
}

/* Room for a figure: side by side where two fit, and never wider than it needs. */
static int heat_width(const pdi_groups *g)
{
    int32_t most = 0;
    for (size_t k = 0; k < g->n; k++)
        if (g->group[k].tasks > most) most = g->group[k].tasks;
    if (most > HEAT_TABLE) return 420;
    return most <= HEAT_NAMES ? 110 + 56 * (int)most : 110 + 32 * (int)most;
}

static bool heat_has(const pdi_groups *g, bool is_percent)
{
    for (size_t k = 0; k < g->n; k++)
        if (pdi_group_is_continual(&g->group[k]) && g->group[k].is_percent == is_percent)
            return true;
    return false;
}

void pdi_section_matrix(pdi_text *t, const pdi_groups *g)
{
    if (g->is_one_task) return;
    bool is_percent = heat_has(g, true);
    pdi_put(t, is_percent ? "<section><h2>Accuracy matrix</h2>\n"
                          : "<section><h2>Score matrix</h2>\n");
    pdi_put(t, "<p class=\"note\">Each row is a test of every task after one more was learned; the "
               "outlined cell is the task just learned. To its left are the tasks learned earlier: "
               "what fades there is being forgotten.");
    pdi_put_numbered(t, g);
    pdi_put(t, "</p>\n");
    if (is_percent) heat_legend(t, g, true);
    if (heat_has(g, false)) heat_legend(t, g, false);
    pdi_text_add(t, "<div class=\"maps\" style=\"--map:%dpx\">\n", heat_width(g));
    for (size_t k = 0; k < g->n; k++)
        if (pdi_group_is_continual(&g->group[k])) heat_figure(t, g, k);
    pdi_put(t, "</div></section>\n");
}
