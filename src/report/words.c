/* report/words.c -- what was found, in sentences made from the numbers.
 *
 * They are for somebody who has never seen such a report, so they claim only what the
 * numbers show: how a method ends, and how much of what it had learned it kept. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/section.h"

enum { WORDS_GROUPS = 6 }; /* more sentences than that are not read */

/* ---- pieces ---- */

static const char *words_or(const char *s, const char *other) { return s && *s ? s : other; }

/* A title inside a sentence: "Experience replay" loses its capital, "EWC" keeps it. */
static void words_name(pdi_text *t, const char *name, bool starts_sentence)
{
    bool is_word = name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'a' && name[1] <= 'z';
    if (!starts_sentence && is_word) {
        char first[2] = {(char)(name[0] - 'A' + 'a'), 0};
        pdi_put(t, first);
        name++;
    }
    pdi_put_safe(t, name);
}

static void words_score(pdi_text *t, const pdi_group *g, double x)
{
    if (!g->is_percent) {
        pdi_put_safe(t, pdi_group_metric(g));
        pdi_put(t, "\xC2\xA0");
    }
    pdi_put_score(t, g->is_percent, x);
    if (g->is_percent) pdi_put(t, "\xE2\x80\xAF%");
}

static void words_count(pdi_text *t, int64_t n, bool starts_sentence)
{
    static const char *const small[] = {"no",   "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    static const char *const large[] = {"No",   "One", "Two",   "Three", "Four",
                                        "Five", "Six", "Seven", "Eight", "Nine"};
    if (n >= 0 && n < 10)
        pdi_put(t, starts_sentence ? large[n] : small[n]);
    else
        pdi_text_add(t, "%" PRId64, n);
}

/* Whether all groups learned everything, to ends that can be compared. */
static bool words_is_comparable(const pdi_groups *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (!isfinite(g->group[k].acc.mean) || !g->group[k].is_whole) return false;
    return g->n > 1 && g->is_comparable;
}

/* Whether a's score is better than b's. */
static bool words_beats(const pdi_group *a, const pdi_group *b)
{
    return a->is_loss ? a->acc.mean < b->acc.mean : a->acc.mean > b->acc.mean;
}

/* The groups that end best and worst, upper bounds left out; false when fewer than two
 * ends can be compared. */
static bool words_ends(const pdi_groups *g, const pdi_group **best, const pdi_group **worst)
{
    *best = *worst = NULL;
    for (size_t k = 0; k < g->n; k++) {
        const pdi_group *group = &g->group[k];
        if (group->is_bound) continue;
        if (!*best || words_beats(group, *best)) *best = group;
        if (!*worst || words_beats(*worst, group)) *worst = group;
    }
    return *best != *worst && words_is_comparable(g);
}

/* The highest upper bound, or NULL. */
static const pdi_group *words_bound(const pdi_groups *g)
{
    const pdi_group *bound = NULL;
    for (size_t k = 0; k < g->n; k++)
        if (g->group[k].is_bound && (!bound || g->group[k].acc.mean > bound->acc.mean))
            bound = &g->group[k];
    return bound;
}

/* ---- the headline ---- */

static void words_steps(pdi_text *t, const pdi_group *g)
{
    if (!g->steps) return;
    pdi_put(t, " after ");
    words_count(t, g->scored, false);
    pdi_put(t, g->scored == 1 ? " step" : " steps");
}

static void words_one(pdi_text *t, const pdi_group *g)
{
    bool is_known = isfinite(g->acc.mean);
    if (g->is_empty) {
        pdi_put(t, g->is_meta ? "Stopped before it was tested"
                              : "Stopped before the first task was learned");
    } else if (!is_known) {
        words_name(t, g->name, true);
        pdi_put(t, ": the result is not a number");
    } else if (g->is_meta) {
        words_name(t, g->name, true);
        pdi_put(t, " reaches ");
        words_score(t, g, g->acc.mean);
        pdi_put(t, " on new tasks");
        words_steps(t, g);
    } else if (g->tasks == 1) {
        words_score(t, g, g->acc.mean);
        pdi_put(t, g->is_percent ? " right on examples it has never seen"
                                 : " on examples it has never seen");
    } else {
        words_name(t, g->name, true);
        pdi_put(t, g->is_bound ? ", an upper bound, ends at " : " ends at ");
        words_score(t, g, g->acc.mean);
        pdi_put(t, " over ");
        words_count(t, g->learned, false);
        pdi_put(t, g->learned == 1 ? " task" : " tasks");
    }
}

static void words_headline(pdi_text *t, const pdi_groups *g)
{
    const pdi_group *best, *worst, *bound = words_bound(g);
    bool are_two = words_ends(g, &best, &worst);
    if (g->n == 1) {
        words_one(t, &g->group[0]);
    } else if (are_two || (bound && best && words_is_comparable(g))) {
        const pdi_group *other = are_two ? worst : bound;
        words_name(t, best->name, true);
        pdi_put(t, " ends at ");
        words_score(t, best, best->acc.mean);
        pdi_put(t, ", ");
        words_name(t, other->name, false);
        pdi_put(t, other == bound ? ", the upper bound, at " : " at ");
        words_score(t, other, other->acc.mean);
    } else {
        words_count(t, (int64_t)g->n, true);
        pdi_put(t, " recipes side by side");
    }
}

/* ---- the lede ---- */

/* What was kept of what had been gained on the earlier tasks, as a fraction: 0 is where
 * the network stood before learning, 1 where it stood right after each task.  NaN when
 * there was no gain to keep. */
static double words_kept(const pdi_group *g)
{
    double gained = 0, kept = 0;
    for (int32_t j = 0; j < g->learned - 1; j++) {
        double before = pdi_group_at(g, -1, j);
        gained += pdi_group_at(g, j, j) - before;
        kept += pdi_group_at(g, g->learned - 1, j) - before;
    }
    return gained > 0.05 * (g->learned - 1) ? kept / gained : (double)NAN;
}

/* Whether next to nothing is left of every earlier task, not only on average. */
static bool words_only_last(const pdi_group *g)
{
    for (int32_t j = 0; j < g->learned - 1; j++) {
        double before = pdi_group_at(g, -1, j), gained = pdi_group_at(g, j, j) - before;
        if (!(pdi_group_at(g, g->learned - 1, j) - before <= 0.25 * fabs(gained))) return false;
    }
    return true;
}

static void words_memory(pdi_text *t, const pdi_group *g)
{
    double kept = words_kept(g);
    if (g->learned < 2) return;
    if (!g->is_percent) {
        pdi_put(t, "; the earlier tasks lost ");
        pdi_put_score(t, false, g->forgetting.mean);
        pdi_put(t, " since their best");
    } else if (isnan(kept)) {
        pdi_put(t, ": it never learned the earlier tasks well");
    } else if (kept < 0.1 && words_only_last(g)) {
        pdi_put(t, ": it only remembers the last task");
    } else if (kept > 1.02) {
        pdi_put(t, ": later tasks even improved the earlier ones");
    } else if (kept >= 0.97) {
        pdi_put(t, ": it keeps nearly all it learned");
    } else {
        pdi_put(t, ": of what it learned on earlier tasks, it keeps ");
        pdi_put_number(t, 0, 100 * kept);
        pdi_put(t, "\xE2\x80\xAF%");
    }
}

static void words_end(pdi_text *t, const pdi_group *g)
{
    pdi_put(t, "<b>");
    words_name(t, g->name, true);
    pdi_put(t, g->is_bound ? "</b>, which sees all tasks at once, " : "</b> ");
    if (g->is_empty) {
        pdi_put(t, "learned no task. ");
        return;
    }
    if (!isfinite(g->acc.mean)) {
        pdi_put(t, "has no result that is a number. ");
        return;
    }
    pdi_put(t, g->learned < g->tasks ? "stands at " : "ends at ");
    words_score(t, g, g->acc.mean);
    if (g->is_bound)
        pdi_put(t, ": an upper bound for the others");
    else
        words_memory(t, g);
    pdi_put(t, ". ");
}

static void words_regression(pdi_text *t, const pdi_group *g)
{
    pdi_put(t, " is off by ");
    pdi_put_short(t, 3, g->mae.mean);
    if (g->acc.mean > 0) {
        pdi_put(t, " on average and explains ");
        pdi_put_number(t, 1, 100 * g->acc.mean);
        pdi_put(t, "\xE2\x80\xAF% of the variance. ");
    } else {
        pdi_put(t, " on average, no better than always answering with the mean. ");
    }
}

/* A run of one task: is_only when there is nothing to tell it from. */
static void words_one_task(pdi_text *t, const pdi_group *g, bool is_only)
{
    double before = pdi_group_at(g, -1, 0);
    if (!g->learned || !isfinite(g->acc.mean)) return;
    pdi_put(t, is_only ? "It" : "<b>");
    if (!is_only) pdi_put_safe(t, g->name);
    if (!is_only) pdi_put(t, "</b>");
    if (g->is_regression) {
        words_regression(t, g);
        return;
    }
    pdi_put(t, " reaches ");
    words_score(t, g, g->acc.mean);
    if (isfinite(before)) {
        pdi_put(t, "; before learning it stood at ");
        words_score(t, g, before);
    }
    pdi_put(t, ". ");
}

/* "600 tasks of five classes, with one example of each" */
static void words_episodes(pdi_text *t, const pdi_group *g)
{
    const pdr_meta_result *m = &g->run[0]->meta;
    pdi_put_count(t, g->episodes);
    pdi_put(t, " new tasks");
    if (m->test_way) {
        pdi_put(t, " of ");
        words_count(t, m->test_way, false);
        pdi_put(t, " classes");
    }
    pdi_put(t, ", from ");
    words_count(t, m->test_shot, false);
    pdi_put(t, m->test_shot == 1 ? " example" : " examples");
    pdi_put(t, m->test_way ? " of each. " : ". ");
}

/* A method of episodes: how it does on new tasks, and where it stood before adapting. */
static void words_meta(pdi_text *t, const pdi_group *g)
{
    pdi_put(t, "<b>");
    words_name(t, g->name, true);
    pdi_put(t, "</b> ");
    if (g->is_empty || !isfinite(g->acc.mean)) {
        pdi_put(t, g->is_empty ? "was not tested. " : "has no result that is a number. ");
        return;
    }
    pdi_put(t, "reaches ");
    words_score(t, g, g->acc.mean);
    words_steps(t, g);
    if (g->scored > 0 && isfinite(g->step[0].score.mean)) {
        pdi_put(t, "; before adapting it stood at ");
        words_score(t, g, g->step[0].score.mean);
    }
    pdi_put(t, ". ");
}

static void words_setting(pdi_text *t, const pdi_groups *g)
{
    const pdi_group *a = &g->group[0];
    if (g->is_episodes) {
        pdi_put(t, "A model learned how to learn from ");
        if (g->is_comparable) pdi_put_safe(t, words_or(a->run[0]->data, "a data set"));
        pdi_put(t, g->is_comparable ? ", and was tested on " : "several problems. ");
        if (g->is_comparable) words_episodes(t, a);
        return;
    }
    pdi_put(t, "A model learned ");
    if (g->is_comparable)
        pdi_put_safe(t, words_or(a->run[0]->data, "a data set"));
    else
        pdi_put(t, "several problems");
    if (g->is_one_task) {
        pdi_put(t, " and was tested on examples kept apart. ");
    } else if (g->is_comparable) {
        pdi_put(t, " as ");
        words_count(t, a->tasks, false);
        pdi_put(t, " tasks, one after another. After each it was tested on all of them. ");
    } else {
        pdi_put(t, ", task by task. After each task it was tested on all of them. ");
    }
}

/* A share as it is shown, in per cent with one decimal, so that sums on the page add up. */
static double words_shown(double x) { return floor(1000 * x + 0.5) / 10; }

/* a is how many points above b; negative when it is below. */
static double words_above(const pdi_group *a, const pdi_group *b)
{
    return words_shown(a->acc.mean) - words_shown(b->acc.mean);
}

/* How the best one compares with the worst, and with the upper bound. */
static void words_distances(pdi_text *t, const pdi_groups *g)
{
    const pdi_group *best, *worst, *bound = words_bound(g);
    if (!words_ends(g, &best, &worst) || !best->is_percent) return;
    pdi_put(t, "That puts ");
    words_name(t, best->name, false);
    pdi_put(t, " ");
    pdi_put_number(t, 1, words_above(best, worst));
    pdi_put(t, " points above ");
    words_name(t, worst->name, false);
    if (bound && words_above(bound, best) > 0) {
        pdi_put(t, " and ");
        pdi_put_number(t, 1, words_above(bound, best));
        pdi_put(t, " below ");
        words_name(t, bound->name, false);
    }
    pdi_put(t, ".");
}

static void words_lede(pdi_text *t, const pdi_groups *g)
{
    words_setting(t, g);
    for (size_t k = 0; k < g->n && k < WORDS_GROUPS; k++)
        if (g->group[k].is_meta)
            words_meta(t, &g->group[k]);
        else if (g->group[k].tasks == 1)
            words_one_task(t, &g->group[k], g->n == 1);
        else
            words_end(t, &g->group[k]);
    words_distances(t, g);
}

void pdi_section_headline(pdi_text *t, const pdi_groups *g)
{
    const pdr_result *r = g->group[0].run[0];
    pdi_put(t, "<header><p class=\"eyebrow\">");
    if (g->is_comparable) {
        pdi_put_safe(t, words_or(r->data, "data"));
        pdi_put(t, " <span>\xC2\xB7</span> ");
        pdi_put_safe(t, words_or(r->scenario, "scenario"));
        pdi_put(t, " <span>\xC2\xB7</span> ");
    }
    if (g->is_comparable && !g->is_one_task)
        pdi_text_add(t, "%" PRId32 " tasks <span>\xC2\xB7</span> ", r->tasks);
    pdi_put(t, "perdure report</p>\n<h1>");
    words_headline(t, g);
    pdi_put(t, "</h1>\n<p class=\"lede\">");
    words_lede(t, g);
    pdi_put(t, "</p></header>\n");
}

/* ---- what went wrong ---- */

/* "label, seed 3" and what to say about it */
static void words_about(pdi_text *t, const pdi_group *g, const pdr_result *r, const char *markup)
{
    pdi_put(t, "<li><b>");
    pdi_put_safe(t, g->label);
    pdi_text_add(t, "</b>, seed %" PRIu64, r->seed);
    pdi_put(t, markup);
}

static void words_stopped(pdi_text *t, const pdi_group *g, const pdr_result *r)
{
    bool is_counted = false;
    for (size_t m = 0; m < g->counted; m++) is_counted = is_counted || g->run[m] == r;
    words_about(t, g, r, ", was stopped: it ");
    if (r->is_meta) {
        pdi_put(t, "did ");
        pdi_put_count(t, r->meta.iterations);
        pdi_put(t, " of ");
        pdi_put_count(t, r->meta.planned);
        pdi_put(t, " iterations. ");
    } else {
        pdi_text_add(t, "learned %" PRId32 " of %" PRId32 " tasks. ", r->learned, r->tasks);
    }
    if (!is_counted)
        pdi_put(t, "It does not count in the figures below.");
    else if (r->is_meta)
        pdi_put(t, "Its figures are those it had then.");
    else if (r->learned)
        pdi_put(t, "Its figures are over the tasks it learned.");
    else
        pdi_put(t, "It has no figures.");
    pdi_put(t, "</li>\n");
}

static bool words_is_finite(const pdr_result *r)
{
    if (r->is_meta && r->meta.score && !isfinite(pdr_result_score(r))) return false;
    for (int32_t i = -1; i < r->learned; i++)
        for (int32_t j = 0; j < r->tasks; j++)
            if (!isfinite(pdr_result_at(r, i, j))) return false;
    for (size_t k = 0; k < r->losses; k++)
        if (!isfinite(r->loss[k].loss)) return false;
    return !r->is_regression || (isfinite(r->rmse) && isfinite(r->mae));
}

static void words_not_finite(pdi_text *t, const pdi_group *g, const pdr_result *r)
{
    words_about(t, g, r,
                ", has values that are not numbers, perhaps because learning diverged. They are "
                "shown as a dash, and so is every figure that rests on them.</li>\n");
}

/* Its own warnings, but those that the group's earlier runs gave too. */
static void words_notes(pdi_text *t, const pdi_group *g, size_t m)
{
    const pdr_result *r = g->run[m];
    for (size_t k = 0; k < r->notes; k++) {
        if (pdi_group_knows_note(g, m, k)) continue;
        words_about(t, g, r, ": ");
        pdi_put_safe(t, r->note[k]);
        pdi_put(t, "</li>\n");
    }
}

void pdi_section_notices(pdi_text *t, const pdi_groups *g)
{
    bool is_first = true;
    for (size_t k = 0; k < g->n; k++)
        for (size_t m = 0; m < g->group[k].runs; m++) {
            const pdr_result *r = g->group[k].run[m];
            bool is_whole = r->complete && r->learned >= r->tasks, is_finite = words_is_finite(r);
            if (is_whole && is_finite && !r->notes) continue;
            if (is_first) pdi_put(t, "<aside><h2>Read this first</h2>\n<ul>\n");
            is_first = false;
            if (!is_whole) words_stopped(t, &g->group[k], r);
            if (!is_finite) words_not_finite(t, &g->group[k], r);
            words_notes(t, &g->group[k], m);
        }
    if (!is_first) pdi_put(t, "</ul></aside>\n");
}
