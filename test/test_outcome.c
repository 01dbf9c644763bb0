/* test_outcome.c -- the tables that a run ends with. */
#include <math.h>
#include <stddef.h>
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
    pdi_outcome_summary(&g, true, false, &out);
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
    pdi_outcome_summary(&g, true, false, &out);
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
    pdi_outcome_summary(&g, false, false, &out);
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
    pdi_outcome_summary(&g, false, false, &out);
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
    pdi_outcome_summary(&g, false, false, &out);
    same_text(&out, "recipe  runs              r2            rmse             mae  training\n"
                    "er         2  0.812 +- 0.000  0.500 +- 0.000  0.500 +- 0.250    12.3 s\n");
    pdi_groups_close(&g);
}

/* A run of episodes of that many steps; text goes with it. */
static pdr_result episodes(bool is_loss, int32_t steps, uint64_t seed)
{
    pdr_result r;
    t_sample s = {"5w1s", "maml", "MAML", "episodes", "omniglot", steps,
                  steps,  seed,   0.5,    is_loss,    NULL};
    assert_true(t_sample_meta(&pdi_malloc, &s, &r));
    for (int32_t i = 0; i <= steps; i++) {
        r.meta.score[i] = (double)(is_loss ? 4 - i : i + 1) / 8 + (seed == 2 ? 0.01 : 0);
        r.meta.ci95[i] = 0.004;
        r.meta.median[i] = is_loss && i == 2 ? (double)INFINITY : r.meta.score[i];
    }
    r.train_seconds = 9;
    r.memory = 123456;
    return r;
}

static void episodes_are_shown_by_step(void **state)
{
    (void)state;
    pdr_result a = episodes(false, 2, 1), b = episodes(false, 2, 2);
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(1, runs);
    pdi_text out = {0};
    pdi_outcome_steps(&g.group[0], true, &out);
    same_text(&out, "MAML: accuracy in percent on 100 new tasks, 5-way 1-shot\n"
                    "  steps          mean  median\n"
                    "      0    12.5 \xC2\xB1 0.4    12.5\n"
                    "      1 *  25.0 \xC2\xB1 0.4    25.0\n"
                    "      2    37.5 \xC2\xB1 0.4    37.5\n");
    pdi_outcome_summary(&g, true, false, &out);
    same_text(&out, "recipe  runs  accuracy %  training  memory\n"
                    "5w1s       1  25.0 \xC2\xB1 0.4     9.0 s  123 kB\n");
    pdi_groups_close(&g);
    g = gathered(2, runs);
    pdi_outcome_steps(&g.group[0], false, &out);
    assert_non_null(strstr(out.s, ", mean of 2 runs +- standard error\n"));
    assert_non_null(strstr(out.s, "1 *  25.5 +- 0.5    25.5\n"));
    pdi_text_close(&out);
    pdi_groups_close(&g);
    pdr_result_close(&a);
    pdr_result_close(&b);
}

static void losses_of_episodes_count_those_that_diverged(void **state)
{
    (void)state;
    pdr_result a = episodes(true, 2, 1);
    const pdr_result *runs[] = {&a};
    a.meta.diverged[2] = 51;
    pdi_groups g = gathered(1, runs);
    pdi_text out = {0};
    pdi_outcome_steps(&g.group[0], false, &out);
    same_text(&out, "MAML: mse on 100 new tasks\n"
                    "  steps              mean  median  diverged\n"
                    "      0    0.500 +- 0.004   0.500         0\n"
                    "      1 *  0.375 +- 0.004   0.375         0\n"
                    "      2    0.250 +- 0.004       -        51\n");
    pdi_groups_close(&g);
    pdr_result_close(&a);
}

static void the_best_is_bold_where_that_is_wanted(void **state)
{
    (void)state;
    pdr_result a = three_tasks(first, 1), b = three_tasks(second, 1), c = three_tasks(first, 1);
    char worse[] = "worse", joint[] = "joint";
    b.recipe = b.method = worse;
    c.recipe = c.method = joint;
    c.is_bound = true;
    const pdr_result *runs[] = {&a, &b, &c};
    pdi_groups g = gathered(3, runs);
    pdi_text out = {0};
    pdi_outcome_summary(&g, true, true, &out);
    assert_non_null(strstr(out.s, "       \033[1m65.0\033[0m "));
    assert_non_null(strstr(out.s, "\nworse                   1        63.0 "));
    assert_non_null(strstr(out.s, "\njoint (upper bound)     1        65.0 "));
    pdi_text_close(&out);
    pdi_groups_close(&g);
}

/* Of losses the lowest one is best. */
static void the_best_loss_is_the_lowest(void **state)
{
    (void)state;
    pdr_result a = episodes(true, 2, 1), b = episodes(true, 2, 2);
    memcpy(b.recipe, "best", 4);
    for (int i = 0; i < 3; i++) b.meta.score[i] = 0.125;
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    assert_int_equal(g.n, 2);
    assert_false(pdi_groups_is_best(&g, 0, offsetof(pdi_group, acc), 1));
    assert_true(pdi_groups_is_best(&g, 1, offsetof(pdi_group, acc), 1));
    b.meta.iterations = 7; /* stopped: it does not compete */
    pdi_groups_close(&g);
    g = gathered(2, runs);
    assert_false(pdi_groups_is_best(&g, 1, offsetof(pdi_group, acc), 1));
    pdi_groups_close(&g);
    pdr_result_close(&a);
    pdr_result_close(&b);
}

static void warnings_are_said_once_a_recipe(void **state)
{
    (void)state;
    pdr_result a = three_tasks(first, 1), b = three_tasks(second, 2);
    char warning[] = "EWC cannot work here", other[] = "the loss was not finite";
    char *one[] = {warning}, *two[] = {other, warning};
    a.note = one;
    a.notes = 1;
    b.note = two;
    b.notes = 2;
    const pdr_result *runs[] = {&a, &b};
    pdi_groups g = gathered(2, runs);
    pdi_text out = {0};
    pdi_outcome_notes(&g, &out);
    same_text(&out, "\ner, seed 1: EWC cannot work here\n"
                    "er, seed 2: the loss was not finite\n");
    pdi_groups_close(&g);
}

static void many_steps_are_shown_in_a_few_lines(void **state)
{
    (void)state;
    static const int32_t shown[] = {0, 1, 2, 5, 7, 10, 20, 50, 100, 130};
    pdi_group g = {.steps = 130, .scored = 7};
    size_t k = 0;
    for (int32_t s = 0; s <= 130; s++)
        if (pdi_group_shows_step(&g, s)) assert_int_equal(s, shown[k++]);
    assert_int_equal(k, COUNT(shown));
    g.steps = 12;
    for (int32_t s = 0; s <= 12; s++) assert_true(pdi_group_shows_step(&g, s));
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
        pdi_outcome_summary(&g, true, true, &out);
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
        cmocka_unit_test(episodes_are_shown_by_step),
        cmocka_unit_test(losses_of_episodes_count_those_that_diverged),
        cmocka_unit_test(the_best_is_bold_where_that_is_wanted),
        cmocka_unit_test(the_best_loss_is_the_lowest),
        cmocka_unit_test(warnings_are_said_once_a_recipe),
        cmocka_unit_test(many_steps_are_shown_in_a_few_lines),
        cmocka_unit_test(many_tasks_keep_to_the_width),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
