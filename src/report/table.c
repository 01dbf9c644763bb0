/* report/table.c -- the summary: a row a group, the best in bold, and what the words mean. */
#include <inttypes.h>
#include <math.h>

#include "report/section.h"

typedef enum table_unit {
    TABLE_SCORE,
    TABLE_DIFFERENCE,
    TABLE_PLAIN,
    TABLE_SECONDS,
    TABLE_BYTES
} table_unit;

typedef struct table_column {
    const char *head, *sub; /* text; markup */
    size_t at;              /* offset of a pdi_stat in pdi_group */
    table_unit unit;
    int better;               /* 1: high is good, -1: low is good */
    bool in_turn, regression; /* makes sense for these only: pdi_group_is_in_turn() */
} table_column;

#define AT(field) offsetof(pdi_group, field)

static const table_column table_columns[] = {
    {"Final score", "mean over tasks", AT(acc), TABLE_SCORE, 1, false, false},
    {"RMSE", "test", AT(rmse), TABLE_PLAIN, -1, false, true},
    {"MAE", "test", AT(mae), TABLE_PLAIN, -1, false, true},
    {"Forgetting", "lost since best", AT(forgetting), TABLE_DIFFERENCE, -1, true, false},
    {"Backward", "transfer, BWT", AT(bwt), TABLE_DIFFERENCE, 1, true, false},
    {"Forward", "transfer, FWT", AT(fwt), TABLE_DIFFERENCE, 1, true, false},
    {"Training", "time a run", AT(seconds), TABLE_SECONDS, -1, false, false},
    {"Memory", "what it keeps", AT(memory), TABLE_BYTES, -1, false, false},
};

enum { TABLE_COLUMNS = sizeof table_columns / sizeof table_columns[0] };

static const pdi_stat *table_stat(const pdi_group *g, const table_column *c)
{
    return (const pdi_stat *)(const void *)((const char *)g + c->at);
}

static bool table_applies(const pdi_group *g, const table_column *c)
{
    if (c->in_turn && !pdi_group_is_in_turn(g)) return false;
    if (c->unit == TABLE_BYTES && !(g->memory.mean > 0)) return false;
    return !c->regression || g->is_regression;
}

static bool table_is_shown(const pdi_groups *g, const table_column *c)
{
    for (size_t k = 0; k < g->n; k++)
        if (table_applies(&g->group[k], c)) return true;
    return false;
}

static bool table_all_percent(const pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (!g->group[k].is_percent) return false;
    return true;
}

static bool table_all_regression(const pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (!g->group[k].is_regression) return false;
    return true;
}

static void table_number(pdi_text *t, const pdi_group *g, table_unit unit, double x)
{
    switch (unit) {
    case TABLE_SCORE:
    case TABLE_DIFFERENCE: pdi_put_score(t, g->is_percent, x); break;
    case TABLE_PLAIN: pdi_put_short(t, 4, x); break;
    case TABLE_SECONDS: pdi_put_duration(t, x); break;
    case TABLE_BYTES: pdi_put_bytes(t, (uint64_t)fmin(fmax(x, 0), 1e18)); break;
    }
}

static void table_bar(pdi_text *t, const pdi_group *g, size_t k, double x)
{
    char class[PDI_CLASS_SIZE];
    if (!g->is_percent || !isfinite(x)) return;
    pdi_text_add(t, "<span class=\"bar %s\"><i style=\"width:", pdi_group_class(k, class));
    pdi_put_xy(t, 100 * fmin(fmax(x, 0), 1));
    pdi_put(t, "%\"></i></span>");
}

static void table_cell(pdi_text *t, const pdi_groups *g, size_t k, const table_column *c)
{
    const pdi_group *group = &g->group[k];
    const pdi_stat *s = table_stat(group, c);
    bool is_best = pdi_groups_is_best(g, k, c->at, c->better);
    bool has_spread = c->at == AT(acc) ? pdi_group_has_spread(group) : group->counted > 1;
    pdi_put(t, "<td>");
    if (table_applies(group, c) && !group->is_empty) {
        pdi_put(t, is_best ? "<b>" : "");
        table_number(t, group, c->unit, s->mean);
        pdi_put(t, is_best ? "</b>" : "");
        if (has_spread && isfinite(s->se) && c->unit < TABLE_SECONDS) {
            pdi_put(t, "<span class=\"se\"> \xC2\xB1 ");
            if (c->unit == TABLE_PLAIN)
                pdi_put_short(t, 2, s->se);
            else
                table_number(t, group, c->unit, s->se);
            pdi_put(t, "</span>");
        }
        if (c->unit == TABLE_SCORE) table_bar(t, group, k, s->mean);
    } else {
        pdi_put(t, "<span class=\"none\">\xE2\x80\x93</span>");
    }
    pdi_put(t, "</td>");
}

static void table_row(pdi_text *t, const pdi_groups *g, size_t k)
{
    const pdi_group *group = &g->group[k];
    char class[PDI_CLASS_SIZE];
    pdi_text_add(t, "<tr><th scope=\"row\"><i class=\"swatch %s\"></i>", pdi_group_class(k, class));
    pdi_put_safe(t, group->name);
    pdi_put(t, "<small>");
    pdi_put_safe(t, pdi_group_note(group));
    pdi_put(t, "</small>");
    if (group->is_bound) pdi_put(t, "<small>upper bound</small>");
    if (group->is_meta && !group->is_whole)
        pdi_put(t, "<small>stopped early</small>");
    else if (group->learned < group->tasks)
        pdi_text_add(t, "<small>stopped after %" PRId32 " of %" PRId32 "</small>", group->learned,
                     group->tasks);
    pdi_put(t, g->is_comparable ? "</th><td class=\"left same\">" : "</th><td class=\"left\">");
    pdi_put_safe(t, group->run[0]->scenario);
    pdi_put(t, "</td>");
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        if (table_is_shown(g, &table_columns[c])) table_cell(t, g, k, &table_columns[c]);
    pdi_text_add(t, "<td>%zu</td></tr>\n", group->counted);
}

static void table_head(pdi_text *t, const pdi_groups *g, const table_column *c)
{
    const char *head = c->head, *sub = c->sub;
    bool is_percent = table_all_percent(g);
    if (c->unit == TABLE_SCORE && is_percent) head = "Accuracy, %";
    if (c->unit == TABLE_SCORE && table_all_regression(g)) head = "R\xC2\xB2";
    if (c->unit == TABLE_SCORE && g->is_comparable && g->group[0].is_loss)
        head = pdi_group_metric(&g->group[0]);
    if (c->unit == TABLE_SCORE)
        sub = g->is_episodes ? "on new tasks" : g->is_one_task ? "test" : "at the end, ACC";
    pdi_put(t, "<th scope=\"col\">");
    pdi_put_safe(t, head);
    pdi_text_add(t, "<small>%s</small></th>", sub);
}

/* Whether forgetting and transfer are shown. */
static bool table_has_turns(const pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (pdi_group_is_in_turn(&g->group[k])) return true;
    return false;
}

static void table_terms(pdi_text *t, const pdi_groups *g)
{
    bool is_percent = table_all_percent(g);
    const char *score = is_percent ? "accuracy (the share of test examples answered right)"
                                   : "score (accuracy in per cent, or R\xC2\xB2 for real targets)";
    if (!table_has_turns(g)) return;
    pdi_put(t, "<dl class=\"terms\">\n");
    pdi_text_add(t,
                 "<div><dt>At the end, ACC</dt><dd>Mean %s over all tasks, after the last was "
                 "learned.</dd></div>\n",
                 score);
    pdi_put(t, "<div><dt>Forgetting</dt><dd>How far each earlier task has fallen from its best, on "
               "average. Lower is better.</dd></div>\n"
               "<div><dt>Backward transfer, BWT</dt><dd>What learning later tasks did to earlier "
               "ones; below zero means it hurt them.</dd></div>\n"
               "<div><dt>Forward transfer, FWT</dt><dd>What earlier tasks gave to the next one "
               "before it was learned, against an untrained model.</dd></div>\n</dl>\n");
}

static void table_note(pdi_text *t, const pdi_groups *g)
{
    bool has_seeds = false, has_bound = false, has_interval = false,
         is_percent = table_all_percent(g);
    size_t competing = 0;
    for (size_t k = 0; k < g->n; k++) {
        if (g->group[k].counted > 1) has_seeds = true;
        if (g->group[k].is_bound) has_bound = true;
        competing += pdi_group_competes(&g->group[k]);
        if (g->group[k].is_meta && g->group[k].counted == 1) has_interval = true;
    }
    pdi_put(t, "<p class=\"note\">");
    if (has_seeds) pdi_put(t, "Means over the seeds, \xC2\xB1 one standard error. ");
    if (has_interval)
        pdi_put(t, has_seeds ? "Of a single run, \xC2\xB1 is the 95\xE2\x80\xAF% confidence "
                               "interval over its test tasks. "
                             : "\xC2\xB1 is the 95\xE2\x80\xAF% confidence interval over test "
                               "tasks. ");
    if (is_percent && table_has_turns(g))
        pdi_put(t, "Forgetting and transfer are in percentage points. ");
    if (competing > 1 && g->is_comparable) pdi_put(t, "The best of each column is in bold. ");
    if (has_bound)
        pdi_put(t, "An upper bound comes from seeing all tasks at once: it does not compete, and "
                   "has nothing to forget or to transfer. ");
    if (g->n > 1 && !g->is_comparable)
        pdi_put(t, "The rows are of different problems, so none is marked as the best.");
    pdi_put(t, "</p>\n");
}

void pdi_section_summary(pdi_text *t, const pdi_groups *g)
{
    pdi_put(t, "<section aria-label=\"Results\"><div class=\"scroll\" tabindex=\"0\">"
               "<table class=\"summary\">\n<caption class=\"hidden\">Results by method</caption>\n"
               "<thead><tr><th scope=\"col\">");
    pdi_put(t, g->is_one_task && !g->is_episodes ? "Recipe<small>method" : "Method<small>recipe");
    pdi_put(t, "</small></th><th scope=\"col\"");
    pdi_put(t, g->is_comparable ? " class=\"left same\">Scenario</th>"
                                : " class=\"left\">Scenario</th>");
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        if (table_is_shown(g, &table_columns[c])) table_head(t, g, &table_columns[c]);
    pdi_put(t, "<th scope=\"col\">Seeds</th></tr></thead>\n<tbody>\n");
    for (size_t k = 0; k < g->n; k++) table_row(t, g, k);
    pdi_put(t, "</tbody></table></div>\n");
    table_note(t, g);
    table_terms(t, g);
    pdi_put(t, "</section>\n");
}
