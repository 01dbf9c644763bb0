/* test_report.c -- report.html: whole, self-contained, escaped, and true to the numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html_check.h"
#include "report/chart.h"
#include "report/group.h"
#include "report/put.h"
#include "report/ramp.h"
#include "sample_result.h"
#include "t.h"

static void the_reader_of_pages_refuses_what_is_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "<p>x</p>",
        "<!doctype html>\n<p>x",
        "<!doctype html>\n<p>x</b></p>",
        "<!doctype html>\n<p>a < b</p>",
        "<!doctype html>\n<p>a & b</p>",
        "<!doctype html>\n<p class=x>a</p>",
        "<!doctype html>\n<p id=\"a\" id=\"b\">a</p>",
        "<!doctype html>\n<p title=\"a<b\">a</p>",
        "<!doctype html>\n<p onclick=\"x\">a</p>",
        "<!doctype html>\n<script>x</script>",
        "<!doctype html>\n<p>\xff</p>",
        "<!doctype html>\n<p>\x1b</p>",
    };
    char why[T_HTML_WHY];
    for (size_t k = 0; k < COUNT(wrong); k++) assert_false(t_html_check(wrong[k], why));
    assert_true(t_html_check("<!doctype html>\n<p id=\"a\">&lt;&#39;<br/>\xc3\xa9</p>\n", why));
}

/* ---- writing pages ---- */

enum { MOST = 12 };

/* The page about n runs, checked; the caller frees it. */
static char *page_of(const char *folder, size_t n, const pdr_result *const runs[])
{
    char path[T_PATH_MAX];
    char why[T_HTML_WHY];
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = pdr_report_write(n, runs, t_folder_path(folder, "report.html", path), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, PDR_OK);
    char *page = t_file_read(path);
    assert_non_null(page);
    bool is_well_formed = t_html_check(page, why);
    if (!is_well_formed) print_error("%s\n", why);
    assert_true(is_well_formed);
    assert_null(strstr(page, "url("));
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    return page;
}

static char *page_of_samples(const char *folder, size_t n, const t_sample s[])
{
    pdr_result run[MOST];
    const pdr_result *runs[MOST];
    assert_true(n <= MOST);
    for (size_t k = 0; k < n; k++) {
        assert_true(t_sample_run(NULL, &s[k], &run[k]));
        runs[k] = &run[k];
    }
    char *page = page_of(folder, n, runs);
    for (size_t k = 0; k < n; k++) pdr_result_close(&run[k]);
    return page;
}

static char *page_of_episodes(const char *folder, size_t n, const t_sample s[])
{
    pdr_result run[MOST];
    const pdr_result *runs[MOST];
    for (size_t k = 0; k < n; k++) {
        assert_true(t_sample_meta(NULL, &s[k], &run[k]));
        runs[k] = &run[k];
    }
    char *page = page_of(folder, n, runs);
    for (size_t k = 0; k < n; k++) pdr_result_close(&run[k]);
    return page;
}

#define SPLIT    "class-incremental", "fashion-mnist"
#define FINETUNE "finetune", "finetune", "Fine-tuning", SPLIT
#define ER       "er", "er", "Experience replay", SPLIT

static size_t occurrences(const char *page, const char *what)
{
    size_t n = 0;
    for (const char *s = page; (s = strstr(s, what)); s += strlen(what)) n++;
    return n;
}

static void assert_says(const char *page, const char *what)
{
    if (!strstr(page, what)) print_error("the page does not say: %s\n", what);
    assert_non_null(strstr(page, what));
}

static void pages_of_every_size_are_well_formed(void **state)
{
    static const int32_t tasks[] = {1, 2, 5, 10, 11, 25, 26, 100};
    for (size_t k = 0; k < COUNT(tasks); k++) {
        t_sample s[] = {{ER, tasks[k], tasks[k], 1, 0.9, false, NULL},
                        {FINETUNE, tasks[k], tasks[k] / 2, 1, 0.1, false, NULL}};
        for (size_t n = 1; n <= 2; n++) free(page_of_samples(*state, n, s));
    }
}

static void a_lay_reader_is_told_what_happened(void **state)
{
    const t_sample s[] = {{FINETUNE, 5, 5, 1, 0, false, NULL}, {ER, 5, 5, 1, 1, false, NULL}};
    char *page = page_of_samples(*state, 2, s);
    assert_says(page, "<b>Fine-tuning</b> ends at 19.");
    assert_says(page, ": it only remembers the last task. ");
    assert_says(page, "<b>Experience replay</b> ends at 9");
    assert_says(page, ": it keeps nearly all it learned. ");
    assert_says(page, " points above fine-tuning.");
    assert_says(page, "fashion-mnist as five tasks, one after another");
    free(page);
}

/* Two tasks; the first is learned to 0.8 and ends at `end`. */
static void what_was_kept_is_said(void **state)
{
    static const struct {
        double learned, end;
        const char *says;
    } rows[] = {
        {0.8, 0.04, ": it only remembers the last task. "},
        {0.8, 0.20, ": of what it learned on earlier tasks, it keeps 25\xe2\x80\xaf%. "},
        {0.8, 0.76, ": of what it learned on earlier tasks, it keeps 95\xe2\x80\xaf%. "},
        {0.8, 0.79, ": it keeps nearly all it learned. "},
        {0.8, 0.85, ": later tasks even improved the earlier ones. "},
        {0.01, 0.0, ": it never learned the earlier tasks well. "},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        double matrix[] = {0, 0, rows[k].learned, 0, rows[k].end, 0.9};
        pdr_result r = {.tasks = 2, .learned = 2, .matrix = matrix, .complete = true};
        const pdr_result *const runs[] = {&r};
        char *page = page_of(*state, 1, runs);
        assert_says(page, rows[k].says);
        free(page);
    }
}

/* Three seeds whose accuracies are 0.5, 0.6 and 0.7: 60.0 +- 5.8. */
static void seeds_are_one_row_with_mean_and_standard_error(void **state)
{
    double matrix[3][2] = {{0.1, 0.5}, {0.1, 0.6}, {0.1, 0.7}};
    char recipe[] = "r";
    pdr_result run[3];
    const pdr_result *runs[3];
    for (int k = 0; k < 3; k++) {
        run[k] = (pdr_result){.recipe = recipe,
                              .tasks = 1,
                              .learned = 1,
                              .complete = true,
                              .matrix = matrix[k],
                              .seed = (uint64_t)k};
        runs[k] = &run[k];
    }
    char *page = page_of(*state, 3, runs);
    assert_says(page, "60.0<span class=\"se\"> \xc2\xb1 5.8</span>");
    assert_says(page, "<td>3</td></tr>");
    assert_int_equal(occurrences(page, "<article>"), 1);
    free(page);
}

static void the_best_of_comparable_methods_is_bold(void **state)
{
    const t_sample s[] = {{FINETUNE, 5, 5, 1, 0, false, NULL},
                          {ER, 5, 5, 1, 1, false, NULL},
                          {ER, 4, 4, 1, 1, false, NULL}};
    char *page = page_of_samples(*state, 2, s);
    assert_says(page, "<td><b>9"); /* accuracy of er */
    assert_null(strstr(page, "<td><b>19."));
    free(page);
    page = page_of_samples(*state, 3, s); /* other tasks: nothing to compare */
    assert_null(strstr(page, "<td><b>"));
    free(page);
    page = page_of_samples(*state, 1, s);
    assert_null(strstr(page, "<td><b>"));
    free(page);
}

#define JOINT "joint", "joint", "Joint training", SPLIT

static void an_upper_bound_does_not_compete(void **state)
{
    const t_sample s[] = {{JOINT, 5, 5, 1, 1, false, NULL},
                          {ER, 5, 5, 1, 0.9, false, NULL},
                          {FINETUNE, 5, 5, 1, 0, false, NULL}};
    char *page = page_of_samples(*state, 3, s);
    assert_says(page, "<h1>Experience replay ends at ");
    assert_says(page, "%, fine-tuning at ");
    assert_says(page, "<small>joint</small><small>upper bound</small>");
    assert_says(page, "<b>Joint training</b>, which sees all tasks at once, ends at 9");
    assert_says(page, ": an upper bound for the others. ");
    assert_says(page, " points above fine-tuning and ");
    assert_says(page, " below joint training.");
    assert_null(strstr(page, "<td><b>9"));
    assert_says(page, "<td><b>7"); /* er is the best of those that compete */
    assert_says(page, "line c0 bound");
    free(page);
    page = page_of_samples(*state, 2, s); /* one competitor: nothing is the best */
    assert_says(page, "<h1>Experience replay ends at ");
    assert_says(page, ", joint training, the upper bound, at 9");
    assert_null(strstr(page, "<td><b>"));
    free(page);
    page = page_of_samples(*state, 1, s); /* no word about forgetting what came at once */
    assert_says(page, "<h1>Joint training, an upper bound, ends at 9");
    assert_null(strstr(page, "Forgetting"));
    free(page);
    const t_sample one = {JOINT, 1, 1, 1, 1, false, NULL}; /* one task is all tasks */
    page = page_of_samples(*state, 1, &one);
    assert_null(strstr(page, "upper bound"));
    free(page);
}

/* Two runs that learned both tasks and a stopped one; what task 2 is called is given. */
static char *page_of_names(const char *folder, const char *a, const char *b, const char *stopped)
{
    double matrix[] = {0.1, 0.1, 0.6, 0.2, 0.7, 0.8};
    const char *const second[] = {a, b, stopped};
    char first[] = "task 1: Hat, Bag", name[3][32];
    char *names[3][2];
    pdr_result run[3];
    const pdr_result *runs[3];
    for (int k = 0; k < 3; k++) {
        snprintf(name[k], sizeof name[k], "%s", second[k]);
        names[k][0] = first;
        names[k][1] = name[k];
        run[k] = (pdr_result){.tasks = 2,
                              .learned = k < 2 ? 2 : 1,
                              .complete = k < 2,
                              .matrix = matrix,
                              .task_name = names[k],
                              .seed = (uint64_t)k};
        runs[k] = &run[k];
    }
    return page_of(folder, 3, runs);
}

static void tasks_have_names_where_all_counted_runs_agree(void **state)
{
    char *page = page_of_names(*state, "task 2: Coat", "task 2: Coat", "task 2: Shoe");
    assert_says(page, "title=\"task 2: Coat\">2<small>Coat</small>");
    assert_null(strstr(page, "drawn by seed"));
    assert_null(strstr(page, "Shoe"));
    free(page);
    page = page_of_names(*state, "task 2: Coat", "task 2: Shoe", "task 2: Coat");
    assert_says(page, "title=\"task 2\">2<small></small>");
    assert_says(page, "title=\"task 1: Hat, Bag\">1<small>Hat, Bag</small>");
    assert_int_equal(occurrences(page, "was drawn by seed"), 2); /* lines and matrix */
    assert_says(page, "<th scope=\"row\">0</th><td class=\"left\">task 1: Hat, Bag<br/>"
                      "task 2: Coat</td>");
    assert_says(page, "<th scope=\"row\">1</th><td class=\"left\">task 1: Hat, Bag<br/>"
                      "task 2: Shoe</td>");
    assert_int_equal(occurrences(page, "Shoe"), 1);
    free(page);
}

#define MAML  "maml", "maml", "MAML", "episodes", "omniglot"
#define PROTO "proto", "protonet", "Prototypes", "episodes", "omniglot"

static void episodes_are_about_new_tasks(void **state)
{
    const t_sample s[] = {{MAML, 5, 5, 1, 0.9, false, NULL}, {PROTO, 0, 0, 1, 0.95, false, NULL}};
    char *page = page_of_episodes(*state, 2, s);
    assert_says(page, "learn from omniglot, and was tested on 100 new tasks of five classes, from "
                      "one example of each. ");
    assert_says(page, "after one step; before adapting it stood at 20.");
    assert_says(page, "<h2>Learning new tasks</h2>");
    assert_says(page, "100 test tasks, 5-way 1-shot; ");
    assert_says(page, "batch normalisation at test: transductive.");
    assert_says(page, "<figcaption>By adaptation step");
    assert_says(page, "<figcaption>While training");
    assert_says(page, "is the 95\xe2\x80\xaf% confidence interval");
    assert_int_equal(occurrences(page, "<th scope=\"row\">5</th>"), 1);
    assert_null(strstr(page, "orget"));
    assert_null(strstr(page, "atrix"));
    free(page);
    page = page_of_episodes(*state, 1, s + 1); /* no steps, so no chart of them */
    assert_null(strstr(page, "<figcaption>By adaptation step"));
    assert_says(page, "<h1>Prototypes reaches 7");
    free(page);
}

static void the_lowest_loss_on_new_tasks_is_the_best(void **state)
{
    const t_sample s[] = {{MAML, 10, 10, 1, 0.5, true, NULL}, {PROTO, 10, 10, 1, 0.9, true, NULL}};
    char *page = page_of_episodes(*state, 2, s);
    assert_says(page, "<h1>Prototypes ends at MSE\xc2\xa0");
    assert_says(page, "MSE<small>on new tasks</small>");
    assert_says(page, "lower is better. Each step");
    assert_says(page, "<td>2</td></tr>"); /* diverged */
    free(page);
}

static void stopped_training_of_episodes_is_said(void **state)
{
    const t_sample s[] = {{MAML, 5, 5, 1, 0.9, false, NULL}, {MAML, 5, 3, 2, 0.9, false, NULL}};
    char *page = page_of_episodes(*state, 2, s);
    assert_says(page, "seed 2, was stopped: it did 20\xe2\x80\xaf"
                      "000 of 60\xe2\x80\xaf"
                      "000 iterations. It does not count");
    free(page);
    page = page_of_episodes(*state, 1, s + 1);
    assert_says(page, "Its figures are those it had then.");
    assert_says(page, "<small>stopped early</small>");
    free(page);
}

static void episodes_and_streams_share_a_page(void **state)
{
    const t_sample a = {MAML, 5, 5, 1, 0.9, false, NULL}, b = {ER, 5, 5, 1, 0.9, false, NULL};
    pdr_result run[2];
    const pdr_result *const runs[] = {&run[0], &run[1]};
    assert_true(t_sample_meta(NULL, &a, &run[0]) && t_sample_run(NULL, &b, &run[1]));
    char *page = page_of(*state, 2, runs);
    assert_says(page, "<h2>Learning new tasks</h2>");
    assert_says(page, "<h2>Accuracy matrix</h2>");
    assert_null(strstr(page, "What it costs")); /* different problems */
    free(page);
    pdr_result_close(&run[0]);
    pdr_result_close(&run[1]);
}

static void odd_episodes_are_dashes(void **state)
{
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300};
    for (size_t k = 0; k < 4 * COUNT(odd); k++) {
        t_sample s = {MAML, 5, 5, 1, 0.9, k % 2 == 0, k % 4 ? NULL : "</title><b>\" &"};
        pdr_result r;
        const pdr_result *const runs[] = {&r};
        assert_true(t_sample_meta(NULL, &s, &r));
        for (int32_t i = k % 4 > 1; i < 6; i++)
            r.meta.score[i] = r.meta.ci95[i] = r.meta.median[i] = odd[k / 4];
        r.meta.validation[0].score = r.meta.validation[29].score = odd[k / 4];
        r.meta.seconds_per_iteration = odd[k / 4];
        char *page = page_of(*state, 1, runs);
        assert_null(strstr(page, ">nan"));
        assert_null(strstr(page, "inf<"));
        assert_null(strstr(page, "\"nan"));
        free(page);
        pdr_result_close(&r);
    }
    char metric[] = "accuracy"; /* and nothing else */
    pdr_result none = {.is_meta = true, .metric = metric};
    const pdr_result *const runs[] = {&none};
    char *page = page_of(*state, 1, runs);
    assert_says(page, "<h1>Stopped before it was tested</h1>");
    free(page);
}

static void warnings_come_first(void **state)
{
    char text[] = "EWC cannot work in <this> scenario";
    char *note[] = {text};
    double matrix[] = {0, 0, 0.9, 0, 0.1, 0.9};
    pdr_result r = {.tasks = 2, .learned = 2, .matrix = matrix, .complete = true};
    const pdr_result *const runs[] = {&r, &r};
    char *page = page_of(*state, 2, runs);
    assert_null(strstr(page, "Read this first"));
    free(page);
    r.note = note;
    r.notes = 1;
    page = page_of(*state, 2, runs);
    assert_says(page, "Read this first");
    assert_int_equal(occurrences(page, "EWC cannot work in &lt;this&gt; scenario</li>"), 1);
    free(page);
}

static void costs_are_shown_where_methods_compare(void **state)
{
    const t_sample s[] = {{FINETUNE, 5, 5, 1, 0, false, NULL}, {ER, 5, 5, 1, 1, false, NULL}};
    char *page = page_of_samples(*state, 2, s);
    assert_says(page, "<h2>What it costs</h2>");
    assert_says(page, "<figcaption>Against memory");
    assert_says(page, "<figcaption>Against time");
    assert_says(page, ">10\xe2\x80\xafMB</text>");
    assert_says(page, ">50\xe2\x80\xafMB</text>");
    assert_says(page, "<b>12.3\xe2\x80\xafMB</b>"); /* in the table: the least is best */
    free(page);
    page = page_of_samples(*state, 1, s);
    assert_null(strstr(page, "What it costs"));
    free(page);
}

static void one_task_is_not_about_forgetting(void **state)
{
    const t_sample s[] = {{FINETUNE, 1, 1, 1, 0.9, false, NULL}};
    char *page = page_of_samples(*state, 1, s);
    assert_null(strstr(page, "orget"));
    assert_null(strstr(page, "atrix"));
    assert_null(strstr(page, "Over time"));
    assert_says(page, " right on examples it has never seen</h1>");
    assert_says(page, "<h2>Loss</h2>");
    free(page);
}

static void regression_shows_its_errors(void **state)
{
    const t_sample s[] = {{FINETUNE, 1, 1, 1, 0.9, true, NULL}};
    char *page = page_of_samples(*state, 1, s);
    assert_says(page, "<h1>R\xc2\xb2\xc2\xa0");
    assert_says(page, "RMSE");
    assert_says(page, "It is off by 0.53");
    assert_says(page, "of the variance");
    assert_null(strstr(page, "ccuracy"));
    free(page);
}

static void a_stopped_run_is_said_and_not_counted(void **state)
{
    const t_sample s[] = {{ER, 5, 5, 1, 0.9, false, NULL}, {ER, 5, 3, 2, 0.9, false, NULL}};
    char *page = page_of_samples(*state, 2, s);
    assert_says(page, "seed 2, was stopped: it learned 3 of 5 tasks. It does not count");
    assert_says(page, "<td>1</td></tr>");
    free(page);
    page = page_of_samples(*state, 1, s + 1);
    assert_says(page, "Its figures are over the tasks it learned.");
    assert_says(page, "stopped after 3 of 5");
    free(page);
}

static void values_that_are_not_finite_are_dashes(void **state)
{
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300};
    for (size_t k = 0; k < 4 * COUNT(odd); k++) {
        t_sample s = {ER, 5, 5, 1, 0.9, k % 4 == 3, NULL};
        pdr_result r;
        const pdr_result *const runs[] = {&r};
        assert_true(t_sample_run(NULL, &s, &r));
        r.matrix[k % 4 == 0 ? 3 : 5 * (k % 4) + 2] = odd[k / 4];
        r.loss[40].loss = r.loss[499].loss = odd[k / 4];
        r.train_seconds = r.eval_seconds = r.rmse = r.mae = odd[k / 4];
        char *page = page_of(*state, 1, runs);
        assert_null(strstr(page, "NaN"));
        assert_null(strstr(page, ">nan"));
        assert_null(strstr(page, "inf<"));
        assert_null(strstr(page, "\"nan"));
        assert_null(strstr(page, "\"inf"));
        if (k < 12) assert_says(page, "has values that are not numbers");
        if (k < 12) assert_says(page, "<td class=\"odd\">\xe2\x80\x93</td>");
        free(page);
        pdr_result_close(&r);
    }
}

static void hostile_strings_stay_text(void **state)
{
    static const char *const hostile[] = {
        "</title></style></pre><script>alert(1)</script>",
        "\" onload=\"x\" '><b>",
        "&amp;<!--&",
        "]]>\xff\xfe\xc0\x80\xed\xa0\x80\xf8\x01\x1b[31m\x7f\xc2\x9b",
        "\xc3",
        "task 1: ",
        "%s%n%d",
    };
    for (size_t k = 0; k < COUNT(hostile); k++) {
        for (int32_t tasks = 1; tasks <= 31; tasks += 5) {
            t_sample s = {ER, tasks, tasks, 1, 0.9, k % 2 == 1, hostile[k]};
            free(page_of_samples(*state, 1, &s));
        }
    }
    t_sample s = {ER, 6, 6, 1, 0.9, false, hostile[0]};
    char *page = page_of_samples(*state, 1, &s);
    assert_says(page,
                "&lt;/title&gt;&lt;/style&gt;&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_int_equal(occurrences(page, "</title>\n<style>"), 1);
    free(page);
}

static void strings_may_be_missing(void **state)
{
    double matrix[] = {0.1, 0.1, 0.6, 0.2, 0.7, 0.8};
    pdr_result r = {.tasks = 2, .learned = 2, .matrix = matrix, .complete = true};
    const pdr_result *const runs[] = {&r};
    free(page_of(*state, 1, runs));
    r.matrix = NULL;
    free(page_of(*state, 1, runs));
}

static void the_same_runs_give_the_same_page(void **state)
{
    const t_sample s[] = {{FINETUNE, 5, 5, 1, 0, false, NULL}, {ER, 5, 5, 1, 1, false, NULL}};
    char *a = page_of_samples(*state, 2, s), *b = page_of_samples(*state, 2, s);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void what_ran_is_there(void **state)
{
    const t_sample s[] = {{ER, 5, 5, 9, 0.9, false, NULL}};
    char *page = page_of_samples(*state, 1, s);
    assert_says(page, "<code>0f00ba4c0ffee009</code>");
    assert_says(page, "method:    {name: er}\n");
    assert_says(page, "188\xe2\x80\xafMB");
    assert_says(page, "1\xe2\x80\xaf"
                      "280\xe2\x80\xaf"
                      "000");
    assert_says(page, "Intel Xeon (2 cores)");
    free(page);
}

static void no_runs_make_no_page(void **state)
{
    char path[T_PATH_MAX];
    pdr_error err = PDR_NO_ERROR;
    t_folder_path(*state, "report.html", path);
    assert_int_equal(pdr_report_write(0, NULL, path, &err), PDR_USAGE);
    assert_non_null(strstr(err.text, "at least one run"));
    pdr_result r = {.tasks = 0};
    const pdr_result *const runs[] = {&r};
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdr_report_write(1, runs, path, &err), PDR_USAGE);
    assert_int_equal(t_folder_count(*state), 0);
}

static void every_refused_allocation_is_reported_and_nothing_is_left(void **state)
{
    const t_sample s[] = {{FINETUNE, 3, 3, 1, 0, false, NULL},
                          {ER, 3, 2, 1, 0.9, false, NULL},
                          {ER, 30, 30, 2, 0.9, true, NULL},
                          {MAML, 5, 5, 1, 0.9, false, NULL}};
    char path[T_PATH_MAX];
    t_memory m = {.left = SIZE_MAX};
    pdr_alloc alloc = {t_memory_fn, &m};
    pdr_result run[COUNT(s)];
    const pdr_result *const runs[COUNT(s)] = {&run[0], &run[1], &run[2], &run[3]};
    for (size_t k = 0; k < COUNT(s); k++)
        assert_true((k < 3 ? t_sample_run : t_sample_meta)(&alloc, &s[k], &run[k]));
    size_t live = m.live, n = 0;
    t_folder_path(*state, "report.html", path);
    for (int once = 0; once < 2; once++) {
        size_t all = n; /* requests: a refusal that went unnoticed would end the count early */
        n = 0;
        m.once = once;
        for (pdr_rc rc = PDR_NOMEM; rc; n++) {
            pdr_error err = PDR_NO_ERROR;
            m.left = n;
            rc = pdr_report_write(COUNT(s), runs, path, &err);
            assert_int_equal(m.live, live);
            assert_true(!rc || rc == PDR_NOMEM);
            assert_int_equal(t_folder_count(*state), rc ? 0 : 1);
        }
        assert_int_equal(remove(path), 0);
        if (once) assert_int_equal(n, all);
    }
    assert_true(n > 60);
    for (size_t k = 0; k < COUNT(s); k++) pdr_result_close(&run[k]);
    assert_int_equal(m.live, 0);
}

/* ---- groups ---- */

static double group_matrix[] = {0.1, 0.5};

static pdr_result group_run(const char *recipe, const char *method, const char *text)
{
    /* the report never writes to a run's strings */
    return (pdr_result){.recipe = (char *)(uintptr_t)recipe,
                        .method = (char *)(uintptr_t)method,
                        .recipe_text = (char *)(uintptr_t)text,
                        .tasks = 1,
                        .learned = 1,
                        .complete = true,
                        .matrix = group_matrix};
}

static void groups_hold_what_differs_in_the_seed_alone(void **state)
{
    (void)state;
    pdr_result run[] = {
        group_run("b", "er", "method: er\nseed: 1\n"),
        group_run("a", "er", "method: er\nseed: 1\n"),
        group_run("b", "er", "method: er\nseed: 23\n"),
        group_run("b", "ewc", "method: ewc\nseed: 1\n"),
        group_run("b", "er", "method: er\nsize: 9\nseed: 1\n"),
        group_run("a", "er", "seed: 2\nmethod: er"),
    };
    const pdr_result *runs[COUNT(run)];
    for (size_t k = 0; k < COUNT(run); k++) runs[k] = &run[k];
    pdi_groups g;
    assert_int_equal(pdi_groups_open(&g, &pdi_malloc, COUNT(run), runs, NULL), PDR_OK);
    assert_int_equal(g.n, 4);
    assert_string_equal(g.group[0].label, "b, er #1");
    assert_string_equal(g.group[1].label, "a");
    assert_string_equal(g.group[2].label, "b, ewc");
    assert_string_equal(g.group[3].label, "b, er #2");
    assert_int_equal(g.group[0].runs, 2);
    assert_ptr_equal(g.group[0].run[1], &run[2]);
    assert_int_equal(g.group[1].runs, 2);
    pdi_groups_close(&g);
}

static void counted_runs_are_those_that_got_furthest(void **state)
{
    (void)state;
    double short_one[] = {0, 0, 0.2, 0, 0, 0}, whole[] = {0.1, 0.1, 0.6, 0.2, 0.7, 0.8};
    pdr_result run[] = {
        {.tasks = 2, .learned = 1, .matrix = short_one},
        {.tasks = 2, .learned = 2, .matrix = whole},
        {.tasks = 2, .learned = 0, .matrix = short_one},
        {.tasks = 2, .learned = 2, .matrix = whole},
    };
    const pdr_result *const runs[] = {&run[0], &run[1], &run[2], &run[3]};
    pdi_groups g;
    assert_int_equal(pdi_groups_open(&g, &pdi_malloc, 4, runs, NULL), PDR_OK);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.group[0].counted, 2);
    assert_int_equal(g.group[0].learned, 2);
    assert_ptr_equal(g.group[0].run[0], &run[1]);
    assert_ptr_equal(g.group[0].run[1], &run[3]);
    assert_ptr_equal(g.group[0].run[2], &run[0]);
    assert_ptr_equal(g.group[0].run[3], &run[2]);
    assert_true(fabs(g.group[0].acc.mean - 0.75) < 1e-12);
    assert_true(fabs(g.group[0].average[0].mean - 0.6) < 1e-12);
    assert_true(fabs(pdi_group_at(&g.group[0], -1, 1) - 0.1) < 1e-12);
    pdi_groups_close(&g);
}

/* ---- colours ---- */

static void the_ramps_are_even_and_legible(void **state)
{
    (void)state;
    static const pdi_colour paper[] = {{0xfc, 0xfc, 0xfa}, {0x16, 0x18, 0x1b}};
    for (int is_dark = 0; is_dark < 2; is_dark++)
        for (int k = 0; k < PDI_RAMP_STEPS; k++) {
            pdi_colour c = pdi_ramp_colour(PDI_RAMP_HEAT, is_dark, k);
            pdi_colour line = pdi_ramp_colour(PDI_RAMP_LINE, is_dark, k);
            assert_true(pdi_contrast(c, pdi_ramp_text(c)) >= 4.5);
            assert_true(pdi_contrast(line, paper[is_dark]) >= 4.5);
            if (!k) continue;
            pdi_colour before = pdi_ramp_colour(PDI_RAMP_HEAT, is_dark, k - 1);
            /* steps of CIE lightness, 116 Y^(1/3) */
            double step = 116 * (cbrt(pdi_luminance(c)) - cbrt(pdi_luminance(before)));
            double want = (is_dark ? 1 : -1) * (is_dark ? 72.0 : 71.0) / (PDI_RAMP_STEPS - 1);
            assert_true(step / want > 0.6 && step / want < 1.4);
        }
}

static void contrast_is_that_of_wcag(void **state)
{
    (void)state;
    const pdi_colour black = {0, 0, 0}, white = {255, 255, 255}, grey = {0x77, 0x77, 0x77};
    assert_true(fabs(pdi_contrast(black, white) - 21) < 1e-9);
    assert_true(fabs(pdi_contrast(white, grey) - 4.48) < 0.005); /* the well-known near miss */
}

static void steps_of_the_ramp_keep_to_its_ends(void **state)
{
    (void)state;
    assert_int_equal(pdi_ramp_step(0, 0, 1), 0);
    assert_int_equal(pdi_ramp_step(0.5, 0, 1), 12);
    assert_int_equal(pdi_ramp_step(1, 0, 1), 24);
    assert_int_equal(pdi_ramp_step(-7, 0, 1), 0);
    assert_int_equal(pdi_ramp_step((double)INFINITY, 0, 1), 24);
    assert_int_equal(pdi_ramp_step((double)NAN, 0, 1), -1);
}

/* ---- charts ---- */

static void names_are_moved_apart_and_stay_inside(void **state)
{
    (void)state;
    double rows[][4] = {
        {50, 50, 50, 50}, {0, 1, 2, 3}, {97, 98, 99, 100}, {0, 40, 41, 100}, {0, 30, 60, 90}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdi_chart_spread(4, rows[k], 10, 0, 100);
        for (int i = 0; i < 4; i++) {
            assert_true(rows[k][i] >= 0 && rows[k][i] <= 100);
            if (i) assert_true(rows[k][i] - rows[k][i - 1] >= 10 - 1e-9);
        }
    }
    assert_true(fabs(rows[4][1] - 30) < 1e-9); /* what is apart already stays */
}

static void a_line_breaks_where_it_is_not_finite(void **state)
{
    (void)state;
    const pdi_axes a = {.x0 = 0, .x1 = 4, .y0 = 0, .y1 = 1, .height = 100};
    const double x[] = {0, 1, 2, 3, 4}, y[] = {0, 1, (double)NAN, 0.5, 7};
    pdi_text text = {0};
    pdi_chart_line(&text, &a, COUNT(x), x, y, "c0", "a < b");
    assert_non_null(strstr(text.s, "d=\"M0.00 114.00L250.00 14.00M750.00 64.00L1000.00 14.00\""));
    assert_non_null(strstr(text.s, "<title>a &lt; b</title>"));
    pdi_text_close(&text);
}

static void a_line_that_ends_nowhere_has_no_name(void **state)
{
    (void)state;
    const pdi_axes a = {.x0 = 0, .x1 = 4, .y0 = 0, .y1 = 1, .height = 100};
    char one[] = "one", two[] = "two";
    pdi_tag tags[] = {{(double)NAN, 0, one, "c0"}, {0.5, 1, two, "c1"}};
    pdi_text text = {0};
    pdi_chart_open(&text, &a);
    pdi_chart_close(&text, &a, COUNT(tags), tags);
    assert_null(strstr(text.s, "one"));
    assert_non_null(strstr(text.s, ">two</text>"));
    pdi_text_close(&text);
}

static void steps_of_an_axis_are_round(void **state)
{
    (void)state;
    static const struct {
        double span;
        int n;
        double want;
    } rows[] = {{1, 4, 0.25},      {2.4, 4, 1}, {10000, 5, 2000}, {7, 5, 2},
                {0.003, 4, 0.001}, {0, 4, 1},   {1.3e9, 5, 5e8}};
    for (size_t k = 0; k < COUNT(rows); k++)
        assert_true(fabs(pdi_chart_step(rows[k].span, rows[k].n) / rows[k].want - 1) < 1e-9);
    assert_true(pdi_chart_step((double)INFINITY, 4) > 0);
}

/* ---- text ---- */

/* What a function of put.h appends, in a buffer that lives until the next call. */
#define PUT(call)                                                                                  \
    do {                                                                                           \
        pdi_text_close(&text);                                                                     \
        call;                                                                                      \
    } while (0)

static void numbers_read_well(void **state)
{
    (void)state;
    static const struct {
        int decimals;
        double x;
        const char *want;
    } rows[] = {
        {1, 76.123, "76.1"},
        {1, -0.04, "0.0"},
        {1, -2.25,
         "\xe2\x88\x92"
         "2.2"},
        {0, 99.6, "100"},
        {2, 1e12, "1.00e+12"},
        {1, (double)NAN, "\xe2\x80\x93"},
        {3, (double)INFINITY, "\xe2\x80\x93"},
    };
    pdi_text text = {0};
    for (size_t k = 0; k < COUNT(rows); k++) {
        PUT(pdi_put_number(&text, rows[k].decimals, rows[k].x));
        assert_string_equal(text.s, rows[k].want);
    }
    pdi_text_close(&text);
}

static void times_counts_and_sizes_read_well(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *want;
    } rows[] = {{0.4123, "0.41\xe2\x80\xafs"},
                {12.34, "12.3\xe2\x80\xafs"},
                {99.97, "1\xe2\x80\xafmin 40\xe2\x80\xafs"},
                {245, "4\xe2\x80\xafmin 05\xe2\x80\xafs"},
                {7800, "2\xe2\x80\xafh 10\xe2\x80\xafmin"}};
    pdi_text text = {0};
    for (size_t k = 0; k < COUNT(rows); k++) {
        PUT(pdi_put_duration(&text, rows[k].seconds));
        assert_string_equal(text.s, rows[k].want);
    }
    PUT(pdi_put_count(&text, 9999));
    assert_string_equal(text.s, "9999");
    PUT(pdi_put_count(&text, 1234567));
    assert_string_equal(text.s, "1\xe2\x80\xaf"
                                "234\xe2\x80\xaf"
                                "567");
    PUT(pdi_put_bytes(&text, 38200000));
    assert_string_equal(text.s, "38.2\xe2\x80\xafMB");
    PUT(pdi_put_bytes(&text, UINT64_MAX));
    assert_string_equal(text.s, "18447\xe2\x80\xafPB");
    pdi_text_close(&text);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    pdi_text text = {0};
    PUT(pdi_put_cut(&text, "\xc3\xa9t\xc3\xa9 & co", 5));
    assert_string_equal(text.s, "\xc3\xa9t\xc3\xa9 \xe2\x80\xa6");
    PUT(pdi_put_cut(&text, "a & b", 5));
    assert_string_equal(text.s, "a &amp; b");
    pdi_text_close(&text);
}

/* ---- */

static int folder_open(void **state)
{
    static char path[T_PATH_MAX];
    t_folder_new(path);
    *state = path;
    return path[0] ? 0 : -1;
}

static int folder_close(void **state)
{
    t_folder_remove(*state);
    return 0;
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_of_pages_refuses_what_is_wrong),
        WITH_FOLDER(pages_of_every_size_are_well_formed),
        WITH_FOLDER(a_lay_reader_is_told_what_happened),
        WITH_FOLDER(what_was_kept_is_said),
        WITH_FOLDER(seeds_are_one_row_with_mean_and_standard_error),
        WITH_FOLDER(the_best_of_comparable_methods_is_bold),
        WITH_FOLDER(an_upper_bound_does_not_compete),
        WITH_FOLDER(tasks_have_names_where_all_counted_runs_agree),
        WITH_FOLDER(episodes_are_about_new_tasks),
        WITH_FOLDER(the_lowest_loss_on_new_tasks_is_the_best),
        WITH_FOLDER(stopped_training_of_episodes_is_said),
        WITH_FOLDER(episodes_and_streams_share_a_page),
        WITH_FOLDER(odd_episodes_are_dashes),
        WITH_FOLDER(warnings_come_first),
        WITH_FOLDER(costs_are_shown_where_methods_compare),
        WITH_FOLDER(one_task_is_not_about_forgetting),
        WITH_FOLDER(regression_shows_its_errors),
        WITH_FOLDER(a_stopped_run_is_said_and_not_counted),
        WITH_FOLDER(values_that_are_not_finite_are_dashes),
        WITH_FOLDER(hostile_strings_stay_text),
        WITH_FOLDER(strings_may_be_missing),
        WITH_FOLDER(the_same_runs_give_the_same_page),
        WITH_FOLDER(what_ran_is_there),
        WITH_FOLDER(no_runs_make_no_page),
        WITH_FOLDER(every_refused_allocation_is_reported_and_nothing_is_left),
        cmocka_unit_test(groups_hold_what_differs_in_the_seed_alone),
        cmocka_unit_test(counted_runs_are_those_that_got_furthest),
        cmocka_unit_test(the_ramps_are_even_and_legible),
        cmocka_unit_test(contrast_is_that_of_wcag),
        cmocka_unit_test(steps_of_the_ramp_keep_to_its_ends),
        cmocka_unit_test(names_are_moved_apart_and_stay_inside),
        cmocka_unit_test(a_line_breaks_where_it_is_not_finite),
        cmocka_unit_test(a_line_that_ends_nowhere_has_no_name),
        cmocka_unit_test(steps_of_an_axis_are_round),
        cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(times_counts_and_sizes_read_well),
        cmocka_unit_test(text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
