/* test_ledger.c -- published figures beside ours, and lines that are redrawn. */
#include "cli/ledger.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/board.h"
#include "cli/progress.h"
#include "sample_result.h"
#include "t.h"

/* ---- rows ------------------------------------------------------------------------------- */

static char figure[] = "88.8 \xC2\xB1 0.2 %", source[] = "A | B 2022", why[] = "theirs sees\nmore",
            version[] = "0.1.0", started[] = "2026-11-22T01:02:03Z", accuracy[] = "accuracy",
            r2[] = "r2", recipe[] = "er";

/* A run of one task with that score. */
static pdr_result run_of(double matrix[2], double score, uint64_t seed, char *metric)
{
    matrix[1] = score;
    return (pdr_result){.alloc = &pdi_malloc,
                        .recipe = recipe,
                        .metric = metric,
                        .version = version,
                        .started = started,
                        .train_seconds = 41.27,
                        .tasks = 1,
                        .learned = 1,
                        .complete = true,
                        .is_regression = metric == r2,
                        .seed = seed,
                        .matrix = matrix};
}

static void same_row(const pdr_published *p, size_t n, const pdr_result *const runs[],
                     const char *want)
{
    pdi_groups g;
    pdi_text out = {0};
    assert_int_equal(pdi_groups_open(&g, &pdi_malloc, n, runs, NULL), PDR_OK);
    pdi_ledger_row("split/er", p, &g.group[0], &out);
    assert_string_equal(out.s, want);
    pdi_text_close(&out);
    pdi_groups_close(&g);
}

static void a_row_sets_ours_beside_what_is_published(void **state)
{
    (void)state;
    double m[3][2] = {{0}};
    pdr_result run[3];
    const pdr_result *runs[3];
    for (size_t k = 0; k < 3; k++) {
        run[k] = run_of(m[k], 0.88 + 0.01 * (double)k, k + 1, accuracy);
        runs[k] = &run[k];
    }
    pdr_published p = {.figure = figure, .source = source, .least = 87.5, .why = why};
    same_row(&p, 3, runs,
             "| `split/er` | A \\| B 2022 | 88.8 \xC2\xB1 0.2 % | \xE2\x89\xA5 87.5 % | 89.00 "
             "\xC2\xB1 0.58 % | 1 to 3 | 41.3 s | holds | 0.1.0, 2026-11 |\n");
    p.least = 89.5;
    same_row(&p, 3, runs,
             "| `split/er` | A \\| B 2022 | 88.8 \xC2\xB1 0.2 % | \xE2\x89\xA5 89.5 % | 89.00 "
             "\xC2\xB1 0.58 % | 1 to 3 | 41.3 s | **missed**: theirs sees more | 0.1.0, 2026-11 "
             "|\n");
    p = (pdr_published){.least = 80, .most = 88};
    run[0].train_seconds = 200;
    same_row(&p, 1, runs,
             "| `split/er` |  | none | 80 to 88 % | 88.00 % | 1 | 3:20 | holds | 0.1.0, 2026-11 "
             "|\n");
    p = (pdr_published){.most = 87.9, .why = why};
    run[1].seed = 7;
    run[0].train_seconds = 41.27;
    same_row(
        &p, 2, runs,
        "| `split/er` |  | none | \xE2\x89\xA4 87.9 % | 88.50 \xC2\xB1 0.50 % | 1, 7 | 41.3 s | "
        "**missed**: theirs sees more | 0.1.0, 2026-11 |\n");
}

static void a_score_that_is_no_number_misses(void **state)
{
    (void)state;
    double m[2] = {0};
    pdr_result r = run_of(m, (double)NAN, 1, r2);
    const pdr_result *const runs[] = {&r};
    pdr_published p = {.most = 1};
    same_row(&p, 1, runs,
             "| `split/er` |  | none | \xE2\x89\xA4 1 | not a number | 1 | 41.3 s | **missed** | "
             "0.1.0, 2026-11 |\n");
    m[1] = 0.639;
    p.most = 0;
    same_row(&p, 1, runs,
             "| `split/er` |  | none |  | R\xC2\xB2 0.639 | 1 | 41.3 s |  | 0.1.0, 2026-11 |\n");
}

static void episodes_are_scored_after_their_steps(void **state)
{
    (void)state;
    pdr_result r;
    t_sample s = {"a", "maml", "MAML", "episodes", "sine", 10, 10, 1, 0.5, true, NULL};
    assert_true(t_sample_meta(NULL, &s, &r));
    r.meta.score[1] = 0.671;
    r.meta.ci95[1] = 0.012;
    r.meta.median[1] = 0.412;
    r.meta.diverged[1] = 3;
    r.train_seconds = 14.2;
    const pdr_result *const runs[] = {&r};
    pdr_published p = {.least = 0.6, .most = 0.72};
    same_row(&p, 1, runs,
             "| `split/er` |  | none | 0.6 to 0.72 | MSE 0.671 \xC2\xB1 0.012 after 1 step, median "
             "0.412, 3 diverged | 1 | 14.2 s | holds | 0.1.0, 2025-11 |\n");
    pdr_result_close(&r);
}

/* ---- the page --------------------------------------------------------------------------- */

static void a_recipe_is_known_by_its_place(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"recipes/split/er.yaml", "split/er"},
                                          {"/home/a/recipes/recipes/er.yaml", "er"},
                                          {"./er.yaml", "er"},
                                          {"my-recipes/er.yaml", "my-recipes/er"},
                                          {"x/er.yml", "x/er.yml"}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        char *key = pdi_ledger_key(&pdi_malloc, rows[k][0]);
        assert_string_equal(key, rows[k][1]);
        pdi_free(&pdi_malloc, key);
    }
}

static void rows_find_their_places(void **state)
{
    static const struct {
        const char *key, *before, *after; /* the rows of the table */
    } rows[] = {
        {"a/er", "", "| `a/er` | new |\n"},
        {"a/er", "| `a/er` | old |\n| `b/er` |\n", "| `a/er` | new |\n| `b/er` |\n"},
        {"a/er", "| `a/ewc` |\n| `b/er` |\n", "| `a/ewc` |\n| `a/er` | new |\n| `b/er` |\n"},
        {"a/er", "| `a/er2` |\n| `b/er` |\n", "| `a/er2` |\n| `a/er` | new |\n| `b/er` |\n"},
        {"a/er", "| `a/b/er` |\n| `c/er` |\n", "| `a/b/er` |\n| `c/er` |\n| `a/er` | new |\n"},
        {"er", "| `a/er` |\n| `lwf` |\n| `b/x` |\n",
         "| `a/er` |\n| `lwf` |\n| `er` | new |\n| `b/x` |\n"},
    };
    char path[T_PATH_MAX], text[1024], row[64];
    t_folder_path(*state, "page.md", path);
    for (size_t k = 0; k < 2 * COUNT(rows); k++) {
        const char *end = k % 2 ? "\nand on\n" : ""; /* the table may be the last thing */
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "head\n\n%s\n|---|\n%s%s", pdi_ledger_head, rows[k / 2].before, end);
        fclose(f);
        snprintf(row, sizeof row, "| `%s` | new |\n", rows[k / 2].key);
        assert_int_equal(pdi_ledger_put(&pdi_malloc, path, rows[k / 2].key, row, NULL), PDR_OK);
        snprintf(text, sizeof text, "head\n\n%s\n|---|\n%s%s", pdi_ledger_head, rows[k / 2].after,
                 end);
        char *now = t_file_read(path);
        assert_string_equal(now, text);
        free(now);
    }
}

static void a_page_without_the_table_stays_as_it_is(void **state)
{
    char path[T_PATH_MAX];
    pdr_error err = PDR_NO_ERROR;
    t_folder_path(*state, "page.md", path);
    assert_int_equal(pdi_ledger_put(&pdi_malloc, path, "er", "x\n", &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "cannot be opened"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "| recipe | other |\n");
    fclose(f);
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdi_ledger_put(&pdi_malloc, path, "er", "x\n", &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "there is no table that begins with '| recipe | source |"));
    char *now = t_file_read(path);
    assert_string_equal(now, "| recipe | other |\n");
    free(now);
}

/* ---- the board -------------------------------------------------------------------------- */

static void written(FILE *f, char text[2048])
{
    rewind(f);
    text[fread(text, 1, 2047, f)] = 0;
    fclose(f);
}

static void without_a_terminal_only_what_stays_is_written(void **state)
{
    (void)state;
    char text[2048];
    FILE *f = tmpfile();
    pdi_board b;
    assert_non_null(f);
    pdi_board_open(&b, f);
    assert_false(pdi_board_is_due(&b));
    pdi_board_show(&b, "one\ntwo\n");
    pdi_board_say(&b, "%s done", "er");
    pdi_board_clear(&b);
    written(f, text);
    assert_string_equal(text, "er done\n");
}

static void lines_are_redrawn_in_place_and_cut(void **state)
{
    (void)state;
    char text[2048], line[200], want[2048];
    FILE *f = tmpfile();
    assert_non_null(f);
    pdi_board b = {.out = f, .is_live = true};
    for (size_t i = 0; i < 100; i++) memcpy(line + 2 * i, "\xC3\xA9", 2);
    line[198] = '\n';
    line[199] = 0;
    pdi_board_show(&b, line);
    assert_false(pdi_board_is_due(&b)); /* so soon */
    pdi_board_show(&b, "a\nb\n");
    pdi_board_say(&b, "stays");
    written(f, text);
    snprintf(want, sizeof want,
             "%.158s\033[K\n\033[J\033[1A\ra\033[K\nb\033[K\n\033[J\033[2A\r\033[Jstays\n", line);
    assert_string_equal(text, want);
}

static void a_watched_run_tells_how_far_it_is(void **state)
{
    (void)state;
    char text[2048];
    FILE *f = tmpfile();
    assert_non_null(f);
    pdi_progress p = {.is_watched = true, .now = {.tasks = 2, .iteration = 5, .iterations = 10}};
    pdi_progress_start(&p, f);
    pdi_progress_step(&p); /* too soon */
    p.drawn -= 1;
    pdi_progress_step(&p);
    pdi_progress_stop(&p);
    written(f, text);
    assert_int_equal(text[0], '\t');
    assert_non_null(strstr(text, "task 1/2"));
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_sets_ours_beside_what_is_published),
        cmocka_unit_test(a_score_that_is_no_number_misses),
        cmocka_unit_test(episodes_are_scored_after_their_steps),
        cmocka_unit_test(a_recipe_is_known_by_its_place),
        cmocka_unit_test_setup_teardown(rows_find_their_places, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(a_page_without_the_table_stays_as_it_is, folder_open,
                                        folder_close),
        cmocka_unit_test(without_a_terminal_only_what_stays_is_written),
        cmocka_unit_test(lines_are_redrawn_in_place_and_cut),
        cmocka_unit_test(a_watched_run_tells_how_far_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
