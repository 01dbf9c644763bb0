/* report/episodes.c -- methods of episodes: scores by adaptation step, and while training. */
#include <inttypes.h>
#include <math.h>

#include "report/chart.h"
#include "report/section.h"

enum { EPISODES_HEIGHT = 220, EPISODES_TEN = 65, EPISODES_NAME = 22 }; /* px, px, characters */

/* A group that belongs to one chart: an accuracy, or a loss of one name. */
static bool episodes_is_in(const pdi_group *g, bool is_percent)
{
    return g->is_meta && !g->is_empty && g->is_percent == is_percent;
}

/* ---- by step, the table ---- */

static void episodes_spread(pdi_text *t, const pdi_group *g, const pdi_step *s)
{
    pdi_put_score(t, g->is_percent, s->score.mean);
    if (!isfinite(s->score.se)) return;
    pdi_put(t, "<span class=\"se\"> \xC2\xB1 ");
    pdi_put_score(t, g->is_percent, s->score.se);
    pdi_put(t, "</span>");
}

static void episodes_row(pdi_text *t, const pdi_group *g, int32_t step)
{
    const pdi_step *s = &g->step[step];
    pdi_text_add(t, "<tr><th scope=\"row\">%" PRId32 "</th><td>", step);
    pdi_put(t, step == g->scored ? "<b>" : "");
    episodes_spread(t, g, s);
    pdi_put(t, step == g->scored ? "</b></td><td>" : "</td><td>");
    pdi_put_score(t, g->is_percent, s->median);
    pdi_put(t, "</td><td>");
    pdi_put_count(t, s->diverged);
    pdi_put(t, "</td></tr>\n");
}

/* "600 episodes of 5 classes, 1 example of each; batch normalisation: transductive" */
static void episodes_setting(pdi_text *t, const pdi_group *g)
{
    const pdr_meta_result *m = &g->run[0]->meta;
    pdi_put(t, "<p class=\"note\">");
    pdi_put_count(t, g->episodes);
    pdi_put(t, " test tasks");
    if (m->test_way)
        pdi_text_add(t, ", %" PRId32 "-way %" PRId32 "-shot", m->test_way, m->test_shot);
    if (!m->test_way) pdi_text_add(t, ", %" PRId32 " examples to adapt to", m->test_shot);
    if (m->test_way && (m->train_way != m->test_way || m->train_shot != m->test_shot))
        pdi_text_add(t, " (trained %" PRId32 "-way %" PRId32 "-shot)", m->train_way, m->train_shot);
    pdi_put(t, "; ");
    pdi_put_count(t, m->iterations);
    pdi_put(t, " iterations of ");
    pdi_put_short(t, 3, 1000 * m->seconds_per_iteration);
    pdi_put(t, "\xE2\x80\xAFms");
    if (m->normalisation) {
        pdi_put(t, "; batch normalisation at test: ");
        pdi_put_safe(t, m->normalisation);
    }
    pdi_put(t, ".</p>\n");
}

static void episodes_table(pdi_text *t, const pdi_groups *g, size_t k)
{
    const pdi_group *group = &g->group[k];
    if (!group->is_meta || group->is_empty) return;
    pdi_put(t, "<figure>");
    pdi_put_caption(t, g, k, "mean of ", group->counted);
    episodes_setting(t, group);
    pdi_put(t, "<div class=\"scroll\" tabindex=\"0\"><table class=\"steps\"><caption class="
               "\"hidden\">By adaptation step</caption>\n<thead><tr><th scope=\"col\">Steps</th>"
               "<th scope=\"col\">");
    pdi_put_safe(t, group->is_percent ? "Accuracy, %" : pdi_group_metric(group));
    pdi_put(t, "</th><th scope=\"col\">Median</th><th scope=\"col\">Diverged</th></tr></thead>\n"
               "<tbody>");
    for (int32_t s = 0; s <= group->steps; s++)
        if (pdi_group_shows_step(group, s)) episodes_row(t, group, s);
    pdi_put(t, "</tbody></table></div></figure>\n");
}

/* ---- charts ---- */

/* Room for names at the right, and how far the axes go; false when nothing is in. */
static bool episodes_axes(const pdi_groups *g, pdi_axes *a, bool is_validation)
{
    size_t longest = 0;
    a->y0 = 0;
    a->y1 = a->is_percent ? 1 : 0;
    for (size_t k = 0; k < g->n; k++) {
        const pdi_group *group = &g->group[k];
        if (!episodes_is_in(group, a->is_percent)) continue;
        size_t before = longest, n = pdi_utf8_count(group->name, EPISODES_NAME);
        if (n > longest) longest = n;
        if (!is_validation && !group->steps) longest = before;
        for (int32_t s = 0; !is_validation && s <= group->steps; s++)
            if (isfinite(group->step[s].score.mean)) a->y1 = fmax(a->y1, group->step[s].score.mean);
        if (!is_validation) a->x1 = fmax(a->x1, group->steps);
        for (size_t m = 0; is_validation && m < group->runs; m++) {
            const pdr_meta_result *r = &group->run[m]->meta;
            for (size_t i = 0; i < r->points; i++) {
                a->x1 = fmax(a->x1, (double)r->validation[i].iteration);
                if (isfinite(r->validation[i].score)) a->y1 = fmax(a->y1, r->validation[i].score);
            }
        }
    }
    if (!(a->y1 > 0)) a->y1 = 1;
    a->tag_width = 20 + EPISODES_TEN * (int)longest / 10;
    return longest && a->x1 > 0;
}

/* Score over steps with its band; the last value is where the name goes. */
static double episodes_step_line(pdi_text *t, const pdi_groups *g, const pdi_group *group,
                                 const pdi_axes *a, const char *class)
{
    size_t n = (size_t)group->steps + 1;
    double *x = pdi_new(g->alloc, 4 * n, sizeof *x), *y = x + n, *lo = y + n, *hi = lo + n, last;
    if (!x) {
        t->failed = true;
        return 0;
    }
    for (size_t s = 0; s < n; s++) {
        x[s] = (double)s;
        y[s] = group->step[s].score.mean;
        lo[s] = y[s] - group->step[s].score.se;
        hi[s] = y[s] + group->step[s].score.se;
    }
    pdi_chart_band(t, a, n, x, lo, hi, class);
    pdi_chart_line(t, a, n, x, y, class, group->name);
    for (size_t s = 0; s < n && n <= 24; s++) pdi_chart_dot(t, a, x[s], y[s], class);
    last = y[n - 1];
    if (x[n - 1] < a->x1) pdi_chart_reach(t, a, x[n - 1], last, class);
    pdi_free(g->alloc, x);
    return last;
}

/* A line a seed; the mean of their ends is where the name goes. */
static double episodes_validation_line(pdi_text *t, const pdi_groups *g, const pdi_group *group,
                                       const pdi_axes *a, const char *class)
{
    double sum = 0;
    size_t lines = 0;
    for (size_t m = 0; m < group->runs; m++) {
        const pdr_meta_result *r = &group->run[m]->meta;
        double *x = pdi_new(g->alloc, 2 * r->points, sizeof *x);
        if (!x) t->failed = true;
        for (size_t i = 0; x && i < r->points; i++) {
            x[i] = (double)r->validation[i].iteration;
            x[r->points + i] = r->validation[i].score;
        }
        if (x && r->points) {
            pdi_chart_line(t, a, r->points, x, x + r->points, class, group->name);
            sum += x[2 * r->points - 1];
            lines++;
        }
        pdi_free(g->alloc, x);
    }
    return lines ? sum / (double)lines : (double)NAN;
}

static void episodes_lines(pdi_text *t, const pdi_groups *g, const pdi_axes *a, bool is_validation)
{
    size_t m = 0;
    pdi_tag *tags = pdi_new(g->alloc, g->n, sizeof *tags);
    if (!tags) t->failed = true;
    pdi_chart_open(t, a);
    for (size_t k = 0; k < g->n && !t->failed; k++) {
        const pdi_group *group = &g->group[k];
        pdi_text name = {.alloc = g->alloc};
        if (!episodes_is_in(group, a->is_percent)) continue;
        pdi_group_class(k, tags[m].class);
        tags[m].order = k;
        tags[m].y = (is_validation ? episodes_validation_line : episodes_step_line)(t, g, group, a,
                                                                                    tags[m].class);
        pdi_put_cut(&name, group->name, EPISODES_NAME);
        if (name.failed) t->failed = true;
        tags[m++].text = pdi_text_take(&name);
    }
    if (!t->failed) pdi_chart_close(t, a, m, tags);
    for (size_t k = 0; tags && k < m; k++) pdi_free(g->alloc, tags[k].text);
    pdi_free(g->alloc, tags);
}

static void episodes_chart(pdi_text *t, const pdi_groups *g, bool is_percent, bool is_validation)
{
    pdi_axes a = {.height = EPISODES_HEIGHT,
                  .is_percent = is_percent,
                  .x_is_count = !is_validation,
                  .x_name = is_validation ? "iteration" : "adaptation steps",
                  .title = is_validation ? "Score on validation tasks by iteration"
                                         : "Score by adaptation steps; the numbers are in the "
                                           "tables below"};
    if (!episodes_axes(g, &a, is_validation)) return;
    pdi_put(t, is_validation ? "<figure><figcaption>While training<small>on validation tasks; a "
                               "line a seed</small></figcaption>\n"
                             : "<figure><figcaption>By adaptation step<small>on test tasks"
                               "</small></figcaption>\n");
    episodes_lines(t, g, &a, is_validation);
    pdi_put(t, "</figure>\n");
}

void pdi_section_episodes(pdi_text *t, const pdi_groups *g)
{
    bool has_any = false;
    for (size_t k = 0; k < g->n; k++) has_any = has_any || g->group[k].is_meta;
    if (!has_any) return;
    pdi_put(t,
            "<section><h2>Learning new tasks</h2>\n<p class=\"note\">Each test task is new to "
            "the model: it adapts to a few examples, step by step, and is scored on others. "
            "Diverged are tasks whose score stopped being a number; means leave them out, medians "
            "count them as the worst.</p>\n<div class=\"multiples wide\">\n");
    for (int is_loss = 0; is_loss < 2; is_loss++)
        for (int is_validation = 0; is_validation < 2; is_validation++)
            episodes_chart(t, g, !is_loss, is_validation);
    pdi_put(t, "</div>\n<div class=\"multiples wide\">\n");
    for (size_t k = 0; k < g->n; k++) episodes_table(t, g, k);
    pdi_put(t, "</div></section>\n");
}
