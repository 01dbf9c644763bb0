/* test_outcome.c -- the tables that a run ends with. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/outcome.h"
#include "sample_result.h"
#include "t.h"

/* Two runs of three tasks, the second one worse by 2 points. */
static char *three_names[] = {"task 1: caf\xC3\xA9, tea", "task 2: milk, water", "task 3"};
static double first[] = {0.1, 0.1, 0.1, 0.99, 0.2, 0.1, 0.5, 0.97, 0.2, 0.25, 0.75, 0.95};
static double second[] = {0.1, 0.1, 0.1, 0.97, 0.2, 0.1, 0.48, 0.95, 0.2, 0.23, 0.73, 0.93};
static char recipe[] = "er", title[] = "Experience replay", text[] = "a: 1\n",
            metric[] = "accuracy";

static pdr_result three_tasks(double *matrix, uint64_t seed)
{
    return (pdr_result){.alloc = &pdi_malloc,
                        .recipe = recipe,
                        .recipe_text = text,
                        .method = recipe,
                        .method_title = title,
                        .metric = metric,
                        .seed = seed,
                        .complete = true,
                        .tasks = 3,
                        .learned = 3,
                        .task_name = three_names,
                        .train_seconds = 12.34,
                        .matrix = matrix};
}

static pdi_groups gathered(size_t n, const pdr_result *const runs[])
{
    pdi_groups g;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_groups_open(&g, &pdi_malloc, n, runs, &err), PDR_OK);
    return g;
}

static void same_text(pdi_text *t, const char *want)
{
    assert_false(t->failed);
    assert_string_equal(t->s, want);
    pdi_text_close(t);
}

static void the_matrix_shows_what_was_learned_when(void **state)
{
    (void)state;
    pdr_result a = three_tasks(first, 1), b = three_tasks(second, 2);
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_matrix(&g.group[0], 80, &out);
    same_text(&out, "Experience replay: accuracy in percent, mean of 2 runs\n"
                    "  on task                  1     2     3  mean\n"
                    "  after 1: caf\xC3\xA9, tea    98.0              98.0\n"
                    "  after 2: milk, water  49.0  96.0        72.5\n"
                    "  after 3               24.0  74.0  94.0  64.0\n");
    pdi_outcome_summary(&g, true, &out);
    same_text(&out, "recipe  runs  accuracy %  forgetting     backward     forward  training\n"
                    "er         2  64.0 \xC2\xB1 1.0  48.0 \xC2\xB1 0.0  -48.0 \xC2\xB1 0.0  10.0 "
                    "\xC2\xB1 0.0    12.3 s\n");
    pdi_groups_close(&g);
}

static void an_upper_bound_is_called_one_and_forgets_nothing(void **state)
{
    (void)state;
    pdr_result a = three_tasks(first, 1), b = three_tasks(first, 1);
    char joint[] = "joint";
    b.recipe = b.method = b.method_title = joint;
    b.is_bound = true;
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_summary(&g, true, &out);
    same_text(&out,
              "recipe               runs  accuracy %  forgetting  backward  forward  training\n"
              "er                      1        65.0        48.0     -48.0     10.0    12.3 s\n"
              "joint (upper bound)     1        65.0           -         -        -    12.3 s\n");
    pdi_outcome_matrix(&g.group[1], 80, &out);
    assert_memory_equal(out.s, "joint, an upper bound: accuracy in percent\n", 43);
    pdi_text_close(&out);
    pdi_groups_close(&g);
}

static void tasks_that_differ_between_seeds_have_no_names(void **state)
{
    (void)state;
    char *other_names[] = {three_names[0], three_names[0], three_names[2]};
    pdr_result a = three_tasks(first, 1), b = three_tasks(second, 2);
    b.task_name = other_names;
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_matrix(&g.group[0], 80, &out);
    same_text(&out, "Experience replay: accuracy in percent, mean of 2 runs\n"
                    "  (which classes a task holds depends on the seed: see the report)\n"
                    "  on task                1     2     3  mean\n"
                    "  after 1: caf\xC3\xA9, tea  98.0              98.0\n"
                    "  after 2             49.0  96.0        72.5\n"
                    "  after 3             24.0  74.0  94.0  64.0\n");
    pdi_groups_close(&g);
}

static void stopped_and_odd_runs_are_shown_as_such(void **state)
{
    (void)state;
    double odd[12];
    memcpy(odd, first, sizeof odd);
    odd[9] = NAN;
    pdr_result a = three_tasks(odd, 1), b = three_tasks(second, 2);
    b.learned = 0;
    b.complete = false;
    const pdr_result *runs[] = {&a, &b}, *none[] = {&b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_summary(&g, false, &out);
    same_text(&out, "recipe    runs  accuracy %  forgetting  backward  forward  training\n"
                    "er      1 of 2           -           -         -     10.0    12.3 s\n");
    pdi_groups_close(&g);
    b.learned = 2;
    g = gathered(1, none);
    pdi_outcome_matrix(&g.group[0], 80, &out);
    same_text(&out, "Experience replay: accuracy in percent\n"
                    "  on task                  1     2  mean\n"
                    "  after 1: caf\xC3\xA9, tea    97.0        97.0\n"
                    "  after 2: milk, water  48.0  95.0  71.5\n");
    pdi_groups_close(&g);
    b.learned = 0;
    g = gathered(1, none);
    pdi_outcome_matrix(&g.group[0], 80, &out);
    same_text(&out, "Experience replay: accuracy in percent: no task was learned\n");
    pdi_outcome_summary(&g, false, &out);
    pdi_text_close(&out);
    pdi_groups_close(&g);
}

static void regression_has_errors_instead_of_forgetting(void **state)
{
    (void)state;
    double r2[] = {-0.5, 0.8125};
    char name[] = "r2";
    pdr_result a = three_tasks(r2, 1), b = three_tasks(r2, 2);
    a.tasks = a.learned = b.tasks = b.learned = 1;
    a.metric = b.metric = name;
    a.is_regression = b.is_regression = true;
    a.rmse = b.rmse = 0.5;
    a.mae = 0.25;
    b.mae = 0.75;
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_summary(&g, false, &out);
    same_text(&out, "recipe  runs              r2            rmse             mae  training\n"
                    "er         2  0.812 +- 0.000  0.500 +- 0.000  0.500 +- 0.250    12.3 s\n");
    pdi_groups_close(&g);
}

static void many_tasks_keep_to_the_width(void **state)
{
    (void)state;
    for (int32_t tasks = 1; tasks <= 40; tasks += 3) {
        pdr_result r;
        pdi_text out = {0};
        t_sample s = {"x", "er",  "Replay", "class-incremental", "mnist", tasks, tasks, 1,
                      0.5, false, NULL};
        assert_true(t_sample_run(&pdi_malloc, &s, &r));
        const pdr_result *runs[] = {&r};
        pdi_groups g = gathered(1, runs);
        for (size_t width = 70; width < 200; width += 10) {
            pdi_outcome_matrix(&g.group[0], width, &out);
            for (const char *line = out.s; *line; line += strcspn(line, "\n") + 1)
                assert_true(strcspn(line, "\n") <= width); /* the sample's names are ASCII */
            pdi_text_close(&out);
        }
        pdi_groups_close(&g);
        pdr_result_close(&r);
    }
}

static void refused_memory_is_survived(void **state)
{
    (void)state;
    pdr_result a = three_tasks(first, 1);
    const pdr_result *runs[] = {&a};
    pdi_groups g = gathered(1, runs);
    bool is_done = false;
    for (size_t n = 0; !is_done; n++) {
        t_memory memory = {.left = n};
        const pdr_alloc limited = {t_memory_fn, &memory};
        pdi_text out = {.alloc = &limited};
        pdi_outcome_matrix(&g.group[0], 80, &out);
        pdi_outcome_summary(&g, true, &out);
        is_done = !out.failed;
        assert_true(!is_done || n > 3);
        pdi_text_close(&out);
        assert_int_equal(memory.live, 0);
    }
    pdi_groups_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matrix_shows_what_was_learned_when),
        cmocka_unit_test(an_upper_bound_is_called_one_and_forgets_nothing),
        cmocka_unit_test(tasks_that_differ_between_seeds_have_no_names),
        cmocka_unit_test(stopped_and_odd_runs_are_shown_as_such),
        cmocka_unit_test(regression_has_errors_instead_of_forgetting),
        cmocka_unit_test(many_tasks_keep_to_the_width),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
