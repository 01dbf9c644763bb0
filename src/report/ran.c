/* report/ran.c -- what ran: enough to run it again and to see whether it is the same. */
#include <inttypes.h>
#include <string.h>

#include "report/section.h"

static const char *ran_data(const pdr_result *r) { return r->data; }
static const char *ran_method(const pdr_result *r) { return r->method; }
static const char *ran_scenario(const pdr_result *r) { return r->scenario; }
static const char *ran_version(const pdr_result *r) { return r->version; }
static const char *ran_machine(const pdr_result *r) { return r->machine; }

static const struct {
    const char *name;
    const char *(*get)(const pdr_result *);
} ran_facts[] = {
    {"Method", ran_method},   {"Data", ran_data},       {"Scenario", ran_scenario},
    {"Version", ran_version}, {"Machine", ran_machine},
};

/* What the runs say, each answer once. */
static void ran_fact(pdi_text *t, const pdi_group *g, const char *get(const pdr_result *))
{
    bool is_first = true;
    for (size_t m = 0; m < g->runs; m++) {
        const char *s = get(g->run[m]);
        bool is_known = !s || !*s;
        for (size_t before = 0; before < m && !is_known; before++) {
            const char *earlier = get(g->run[before]);
            is_known = earlier && !strcmp(earlier, s);
        }
        if (is_known) continue;
        if (!is_first) pdi_put(t, "; ");
        is_first = false;
        pdi_put_safe(t, s);
    }
    if (is_first) pdi_put(t, "not recorded");
}

static void ran_number(pdi_text *t, const char *unit, bool is_known, uint64_t n)
{
    pdi_put(t, "<td>");
    if (is_known)
        pdi_put_count(t, n);
    else
        pdi_put(t, "<span class=\"none\">\xE2\x80\x93</span>");
    pdi_put(t, unit);
    pdi_put(t, "</td>");
}

static void ran_row(pdi_text *t, const pdi_group *g, const pdr_result *r)
{
    double rate = r->train_seconds > 0 ? (double)r->examples / r->train_seconds : 0;
    pdi_text_add(t, "<tr><th scope=\"row\">%" PRIu64 "</th><td>", r->seed);
    pdi_put_score(t, g->is_percent, pdr_result_score(r));
    pdi_put(t, "</td><td>");
    pdi_put_duration(t, r->train_seconds);
    pdi_put(t, "</td><td>");
    pdi_put_duration(t, r->eval_seconds);
    pdi_put(t, "</td>");
    ran_number(t, "", r->examples > 0, r->examples);
    ran_number(t, "", rate > 0 && rate < 1e18, rate < 1e18 ? (uint64_t)(rate + 0.5) : 0);
    pdi_text_add(t, "<td>%" PRId32 "</td><td>", r->threads);
    pdi_put_bytes(t, r->peak_memory);
    pdi_put(t, "</td><td class=\"left\">");
    pdi_put_safe(t, r->started);
    if (r->is_meta && r->meta.iterations < r->meta.planned) {
        pdi_put(t, "<small>stopped after iteration ");
        pdi_put_count(t, r->meta.iterations);
        pdi_put(t, "</small>");
    }
    if (r->learned < r->tasks)
        pdi_text_add(t, "<small>stopped after task %" PRId32 " of %" PRId32 "</small>", r->learned,
                     r->tasks);
    pdi_text_add(t, "</td><td class=\"left\"><code>%016" PRIx64 "</code></td></tr>\n",
                 r->state_hash);
}

static void ran_table(pdi_text *t, const pdi_group *g)
{
    static const char *const heads[] = {"Seed",     NULL,         "Training", "Testing",
                                        "Examples", "Examples/s", "Threads",  "Peak memory"};
    pdi_put(t,
            "<div class=\"scroll\" tabindex=\"0\"><table class=\"runs\"><caption class=\"hidden\">"
            "Runs</caption>\n<thead><tr>");
    for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++) {
        pdi_put(t, "<th scope=\"col\">");
        if (heads[k] || g->is_percent)
            pdi_put(t, heads[k] ? heads[k] : g->is_meta ? "Accuracy, %" : "ACC, %");
        else
            pdi_put_safe(t, pdi_group_metric(g));
        pdi_put(t, "</th>");
    }
    pdi_put(t,
            "<th scope=\"col\" class=\"left\">Started</th><th scope=\"col\" class=\"left\">State "
            "hash</th></tr></thead>\n<tbody>");
    for (size_t m = 0; m < g->runs; m++) ran_row(t, g, g->run[m]);
    pdi_put(t, "</tbody></table></div>\n");
}

/* What each run's tasks are called, where runs differ in it. */
static void ran_tasks(pdi_text *t, const pdi_group *g)
{
    if (!g->numbered) return;
    pdi_put(t, "<details><summary>The tasks of each run</summary><div class=\"scroll\" "
               "tabindex=\"0\"><table class=\"runs\"><caption class=\"hidden\">Tasks</caption>\n"
               "<thead><tr><th scope=\"col\">Seed</th><th scope=\"col\" class=\"left\">Tasks</th>"
               "</tr></thead>\n<tbody>");
    for (size_t m = 0; m < g->runs; m++) {
        pdi_text_add(t, "<tr><th scope=\"row\">%" PRIu64 "</th><td class=\"left\">",
                     g->run[m]->seed);
        for (int32_t j = 0; j < g->tasks; j++) {
            pdi_put(t, j ? "<br/>" : "");
            pdi_put_safe(t, pdi_run_task(g->run[m], j));
        }
        pdi_put(t, "</td></tr>\n");
    }
    pdi_put(t, "</tbody></table></div></details>\n");
}

static void ran_group(pdi_text *t, const pdi_groups *g, size_t k)
{
    const pdi_group *group = &g->group[k];
    const pdr_result *r = group->run[0];
    pdi_put(t, "<article><h3>");
    pdi_put_safe(t, group->label);
    pdi_put(t, "</h3>\n<dl class=\"facts\">");
    for (size_t f = 0; f < sizeof ran_facts / sizeof ran_facts[0]; f++) {
        pdi_text_add(t, "<div><dt>%s</dt><dd>", ran_facts[f].name);
        ran_fact(t, group, ran_facts[f].get);
        pdi_put(t, "</dd></div>");
    }
    pdi_put(t, "<div><dt>Parameters</dt><dd>");
    pdi_put_count(t, r->parameters);
    if (r->memory) {
        pdi_put(t, "</dd></div><div><dt>Memory</dt><dd>");
        pdi_put_bytes(t, r->memory);
    }
    pdi_put(t, "</dd></div></dl>\n");
    ran_table(t, group);
    ran_tasks(t, group);
    if (r->recipe_text && *r->recipe_text) {
        pdi_text_add(t, "<details><summary>The recipe as it ran%s</summary><pre tabindex=\"0\">",
                     group->runs > 1 ? ", first seed" : "");
        pdi_put_safe(t, r->recipe_text);
        pdi_put(t, "</pre></details>\n");
    }
    pdi_put(t, "</article>\n");
}

void pdi_section_ran(pdi_text *t, const pdi_groups *g)
{
    pdi_put(t,
            "<section><h2>What ran</h2>\n<p class=\"note\">The same version, recipe and seed give "
            "the same state hash, on any number of threads.</p>\n");
    for (size_t k = 0; k < g->n; k++) ran_group(t, g, k);
    pdi_put(t, "</section>\n");
}
