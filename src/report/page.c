/* report/page.c -- report.html: one page, nothing fetched, nothing run. */
#include <math.h>
#include <stdio.h>

#include "report/ramp.h"
#include "report/replace.h"
#include "report/section.h"

extern const char pdi_report_style[]; /* style.css, embedded by the build */

const char *pdi_group_class(size_t k, char class[PDI_CLASS_SIZE])
{
    snprintf(class, PDI_CLASS_SIZE, "c%d", (int)(k % PDI_GROUP_COLOURS));
    return class;
}

void pdi_put_caption(pdi_text *t, const pdi_groups *g, size_t k, const char *of, size_t seeds)
{
    char class[PDI_CLASS_SIZE];
    const pdi_group *group = &g->group[k];
    pdi_text_add(t, "<figcaption><i class=\"swatch %s\"></i>", pdi_group_class(k, class));
    pdi_put_safe(t, group->name);
    pdi_put(t, "<small>");
    pdi_put_safe(t, pdi_group_note(group));
    if (group->is_bound) pdi_put(t, ", upper bound");
    if (seeds > 1) pdi_text_add(t, ", %s%zu seeds", of, seeds);
    pdi_put(t, "</small></figcaption>\n");
}

void pdi_put_numbered(pdi_text *t, const pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (g->group[k].numbered) {
            pdi_put(t, " What a task holds (its classes) was drawn by seed, so tasks are numbers "
                       "here; What ran lists them for each run.");
            return;
        }
}

char *pdi_task_tag(pdi_text *t, const pdi_groups *g, const pdi_group *group, int32_t j)
{
    pdi_text tag = {.alloc = g->alloc};
    pdi_text_add(&tag, "%d", (int)j + 1);
    if (group->learned <= 12 && *pdi_group_task_short(group, j)) {
        pdi_put(&tag, " ");
        pdi_put_cut(&tag, pdi_group_task_short(group, j), 15);
    }
    char *s = pdi_text_take(&tag);
    if (!s) t->failed = true;
    return s;
}

void pdi_score_range(const pdi_groups *g, bool is_percent, double *lo, double *hi)
{
    *lo = 0;
    *hi = 1;
    for (size_t k = 0; k < g->n && !is_percent; k++) {
        const pdi_group *group = &g->group[k];
        for (int32_t i = -1; i < group->learned && !group->is_percent; i++)
            for (int32_t j = 0; j < group->tasks; j++) {
                double x = pdi_group_at(group, i, j);
                if (isfinite(x)) *lo = fmin(*lo, x);
                if (isfinite(x) && !group->is_regression) *hi = fmax(*hi, x);
            }
    }
    /* R^2 has no lower bound, and what is below -1 is only useless by another measure. */
    if (*lo < -1) *lo = -1;
    if (*lo < 0) *lo = floor(*lo * 4) / 4;
}

static void page_head(pdi_text *t, const pdi_groups *g)
{
    const pdr_result *r = g->group[0].run[0];
    pdi_put(t,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'\"/>\n<title>");
    pdi_put_safe(t, g->n == 1          ? g->group[0].label
                    : g->is_comparable ? r->data
                                       : "Recipes compared");
    pdi_put(t, " - perdure report</title>\n<style>\n");
    pdi_put(t, pdi_report_style);
    pdi_ramp_style(t);
    pdi_put(t, "</style>\n</head>\n<body>\n<main>\n");
}

static void page_write(pdi_text *t, const pdi_groups *g)
{
    const char *version = g->group[0].run[0]->version;
    page_head(t, g);
    pdi_section_headline(t, g);
    pdi_section_notices(t, g);
    pdi_section_summary(t, g);
    pdi_section_episodes(t, g);
    pdi_section_time(t, g);
    pdi_section_matrix(t, g);
    pdi_section_cost(t, g);
    pdi_section_loss(t, g);
    pdi_section_ran(t, g);
    pdi_put(t, "</main>\n<footer>perdure ");
    pdi_put_safe(t, version);
    pdi_put(t, ". This page is one file: keep it, send it, print it.</footer>\n</body>\n</html>\n");
}

pdr_rc pdi_report_put(size_t n, const pdr_result *const runs[], pdi_text *text, pdr_error *err)
{
    pdi_groups g;
    pdr_rc rc = pdi_groups_open(&g, pdi_alloc_or_default(text->alloc), n, runs, err);
    if (rc) return rc;
    page_write(text, &g);
    pdi_groups_close(&g);
    return text->failed ? pdi_nomem(err) : PDR_OK;
}

pdr_rc pdr_report_write(size_t n, const pdr_result *const runs[], const char *path, pdr_error *err)
{
    if (!n) return pdi_fail(err, PDR_USAGE, "%s: a report needs at least one run; give one", path);
    pdi_text t = {.alloc = pdi_alloc_or_default(runs[0]->alloc)};
    pdr_rc rc = pdi_report_put(n, runs, &t, err);
    if (!rc) rc = pdi_file_replace(t.alloc, path, &t, err);
    pdi_text_close(&t);
    return rc;
}
