/* report/cost.c -- what a score costs: score against memory, and against time.
 *
 * A dot a group, over a logarithmic axis: methods differ in cost by factors. */
#include <math.h>
#include <string.h>

#include "report/chart.h"
#include "report/section.h"

enum { COST_HEIGHT = 220, COST_TEN = 65, COST_NAME = 22 }; /* px, px, characters */

typedef struct cost_kind {
    size_t at; /* of a pdi_stat in pdi_group */
    const char *name, *note, *title;
    void (*put)(pdi_text *t, double x);
} cost_kind;

/* Ticks are round, so they have no decimals: "50 MB", "200 s". */
static void cost_put_bytes(pdi_text *t, double x)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t k = 0;
    for (; x >= 999.5 && k + 1 < sizeof units / sizeof units[0]; k++) x /= 1000;
    pdi_put_short(t, 3, x);
    pdi_put(t, "\xE2\x80\xAF");
    pdi_put(t, units[k]);
}

static void cost_put_seconds(pdi_text *t, double x)
{
    pdi_put_short(t, 6, x);
    pdi_put(t, "\xE2\x80\xAFs");
}

static const cost_kind cost_kinds[] = {
    {offsetof(pdi_group, memory), "Against memory",
     "all state that learning keeps: parameters, optimizer, method, stored examples",
     "Score by the memory that learning keeps; the numbers are in the first table", cost_put_bytes},
    {offsetof(pdi_group, seconds), "Against time", "training alone, a run",
     "Score by training time; the numbers are in the first table", cost_put_seconds},
};

static double cost_of(const pdi_group *g, const cost_kind *kind)
{
    return ((const pdi_stat *)(const void *)((const char *)g + kind->at))->mean;
}

/* A dot has its place: something was scored, and the cost is known. */
static bool cost_is_in(const pdi_group *g, const cost_kind *kind)
{
    double x = cost_of(g, kind);
    return !g->is_empty && isfinite(g->acc.mean) && x > 0 && x < 1e18;
}

/* The next of 1, 2 and 5 times powers of ten from x on, down or up: where an axis may end. */
static double cost_round(double x, bool is_up)
{
    static const double lead[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(x)));
    int k = is_up ? 0 : 3;
    while (is_up ? k < 3 && lead[k] * power < x : k > 0 && lead[k] * power > x) k += is_up ? 1 : -1;
    return lead[k] * power;
}

/* Axes that hold all dots with room around them, and end at ticks; false when fewer than two are
 * in. */
static bool cost_axes(const pdi_groups *g, const cost_kind *kind, pdi_axes *a)
{
    size_t n = 0, longest = 0;
    double most = 0;
    for (size_t k = 0; k < g->n; k++) {
        const pdi_group *group = &g->group[k];
        double x = cost_of(group, kind);
        if (!cost_is_in(group, kind)) continue;
        a->x0 = n ? fmin(a->x0, x) : x;
        a->x1 = n++ ? fmax(a->x1, x) : x;
        most = fmax(most, group->acc.mean);
        size_t length = pdi_utf8_count(group->name, COST_NAME);
        if (length > longest) longest = length;
    }
    a->x0 = n ? cost_round(a->x0 / 1.1, false) : 1;
    a->x1 = n ? cost_round(a->x1 * 1.1, true) : 10;
    a->tag_width = 20 + COST_TEN * (int)longest / 10;
    pdi_score_range(g, a->is_percent, &a->y0, &a->y1);
    if (g->group[0].is_loss) a->y1 = most > 0 ? 1.1 * most : 1;
    return n > 1;
}

static void cost_dot(pdi_text *t, const pdi_axes *a, const pdi_group *g, const cost_kind *kind,
                     const char *class)
{
    const double x[] = {cost_of(g, kind), cost_of(g, kind)};
    const double y[] = {g->acc.mean - g->acc.se, g->acc.mean + g->acc.se};
    if (pdi_group_has_spread(g) && isfinite(g->acc.se))
        pdi_chart_line(t, a, 2, x, y, class, g->name);
    pdi_chart_reach(t, a, x[0], g->acc.mean, class);
    pdi_chart_dot(t, a, x[0], g->acc.mean, class);
}

static void cost_dots(pdi_text *t, const pdi_groups *g, const cost_kind *kind, const pdi_axes *a)
{
    size_t m = 0;
    pdi_tag *tags = pdi_new(g->alloc, g->n, sizeof *tags);
    if (!tags) t->failed = true;
    pdi_chart_open(t, a);
    for (size_t k = 0; k < g->n && !t->failed; k++) {
        const pdi_group *group = &g->group[k];
        pdi_text name = {.alloc = g->alloc};
        if (!cost_is_in(group, kind)) continue;
        pdi_group_class(k, tags[m].class);
        cost_dot(t, a, group, kind, tags[m].class);
        pdi_put_cut(&name, group->name, COST_NAME);
        if (name.failed) t->failed = true;
        tags[m].y = group->acc.mean;
        tags[m].order = k;
        tags[m++].text = pdi_text_take(&name);
    }
    if (!t->failed) pdi_chart_close(t, a, m, tags);
    for (size_t k = 0; tags && k < m; k++) pdi_free(g->alloc, tags[k].text);
    pdi_free(g->alloc, tags);
}

void pdi_section_cost(pdi_text *t, const pdi_groups *g)
{
    bool is_open = false;
    if (g->n < 2 || !g->is_comparable) return;
    for (size_t c = 0; c < sizeof cost_kinds / sizeof cost_kinds[0]; c++) {
        const cost_kind *kind = &cost_kinds[c];
        pdi_axes a = {.height = COST_HEIGHT,
                      .is_percent = g->group[0].is_percent,
                      .x_is_log = true,
                      .put_x = kind->put,
                      .title = kind->title};
        if (!cost_axes(g, kind, &a)) continue;
        if (!is_open)
            pdi_text_add(t,
                         "<section><h2>What it costs</h2>\n<p class=\"note\">The score at the end "
                         "against what it took%s. Each step to the right is a factor.</p>\n"
                         "<div class=\"multiples wide\">\n",
                         g->group[0].is_loss ? "; lower is better" : "");
        is_open = true;
        pdi_text_add(t, "<figure><figcaption>%s<small>%s</small></figcaption>\n", kind->name,
                     kind->note);
        cost_dots(t, g, kind, &a);
        pdi_put(t, "</figure>\n");
    }
    if (is_open) pdi_put(t, "</div></section>\n");
}
