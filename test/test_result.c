/* test_result.c -- the figures of a run, result.json, and files that appear whole. */
#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "report/read.h"
#include "sample_result.h"
#include "t.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-12)

/* ---- figures ---- */

/* Four tasks.  Task 0 peaks after task 1, task 2 before it is learned. */
static double four_matrix[] = {
    0.10, 0.20, 0.30, 0.40, /* before */
    0.90, 0.25, 0.35, 0.10, /* after task 0 */
    0.95, 0.80, 0.85, 0.50, /* 1 */
    0.60, 0.70, 0.75, 0.55, /* 2 */
    0.50, 0.75, 0.65, 0.90, /* 3 */
};

static pdr_result four(int32_t learned)
{
    return (pdr_result){.tasks = 4, .learned = learned, .matrix = four_matrix};
}

static void average_is_the_mean_of_the_last_row(void **state)
{
    (void)state;
    pdr_result r = four(4);
    NEAR(pdr_result_average(&r), (0.50 + 0.75 + 0.65 + 0.90) / 4);
}

static void forgetting_is_best_ever_minus_final(void **state)
{
    (void)state;
    pdr_result r = four(4);
    /* bests of tasks 0 to 2 over rows 0 to 2: 0.95, 0.80, 0.85 */
    NEAR(pdr_result_forgetting(&r), ((0.95 - 0.50) + (0.80 - 0.75) + (0.85 - 0.65)) / 3);
}

static void forgetting_is_below_zero_when_the_last_task_helped(void **state)
{
    (void)state;
    double matrix[] = {0.1, 0.1, 0.6, 0.2, 0.7, 0.8};
    pdr_result r = {.tasks = 2, .learned = 2, .matrix = matrix};
    NEAR(pdr_result_forgetting(&r), 0.6 - 0.7);
}

static void backward_transfer_compares_with_the_diagonal(void **state)
{
    (void)state;
    pdr_result r = four(4);
    NEAR(pdr_result_bwt(&r), ((0.50 - 0.90) + (0.75 - 0.80) + (0.65 - 0.75)) / 3);
}

static void forward_transfer_compares_with_before_learning(void **state)
{
    (void)state;
    pdr_result r = four(4);
    NEAR(pdr_result_fwt(&r), ((0.25 - 0.20) + (0.85 - 0.30) + (0.55 - 0.40)) / 3);
}

static void figures_of_a_stopped_run_are_over_the_tasks_learned(void **state)
{
    (void)state;
    pdr_result r = four(2);
    NEAR(pdr_result_average(&r), (0.95 + 0.80) / 2);
    NEAR(pdr_result_forgetting(&r), 0.90 - 0.95);
    NEAR(pdr_result_bwt(&r), 0.95 - 0.90);
    NEAR(pdr_result_fwt(&r), 0.25 - 0.20);
}

static void one_task_has_nothing_to_forget_or_transfer(void **state)
{
    (void)state;
    pdr_result r = four(1);
    NEAR(pdr_result_average(&r), 0.90);
    NEAR(pdr_result_forgetting(&r), 0);
    NEAR(pdr_result_bwt(&r), 0);
    NEAR(pdr_result_fwt(&r), 0);
}

static void no_task_has_no_average(void **state)
{
    (void)state;
    pdr_result r = four(0);
    assert_true(isnan(pdr_result_average(&r)));
    NEAR(pdr_result_forgetting(&r), 0);
}

static void at_knows_the_row_before_learning_and_no_other_place(void **state)
{
    (void)state;
    pdr_result r = four(2);
    NEAR(pdr_result_at(&r, -1, 3), 0.40);
    NEAR(pdr_result_at(&r, 1, 0), 0.95);
    assert_true(isnan(pdr_result_at(&r, 2, 0)));
    assert_true(isnan(pdr_result_at(&r, -2, 0)));
    assert_true(isnan(pdr_result_at(&r, 0, 4)));
    assert_true(isnan(pdr_result_at(&r, 0, -1)));
    r.matrix = NULL;
    assert_true(isnan(pdr_result_at(&r, 0, 0)));
}

/* A best that skips over NaN would hide that a run went wrong. */
static void a_score_that_is_not_a_number_spoils_its_figures(void **state)
{
    (void)state;
    double matrix[COUNT(four_matrix)];
    for (size_t k = 4; k < COUNT(four_matrix); k++) {
        memcpy(matrix, four_matrix, sizeof matrix);
        matrix[k] = (double)NAN;
        pdr_result r = {.tasks = 4, .learned = 4, .matrix = matrix};
        size_t i = k / 4 - 1, j = k % 4;
        assert_int_equal(isnan(pdr_result_average(&r)) != 0, i == 3);
        assert_int_equal(isnan(pdr_result_forgetting(&r)) != 0, j < 3);
        assert_int_equal(isnan(pdr_result_bwt(&r)) != 0, j < 3 && (i == 3 || i == j));
        assert_int_equal(isnan(pdr_result_fwt(&r)) != 0, j == i + 1);
    }
}

static void mean_and_standard_error_are_the_textbook_ones(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4};
    double mean, se;
    pdr_mean_se(4, x, &mean, &se);
    NEAR(mean, 2.5);
    NEAR(se, sqrt((2.25 + 0.25 + 0.25 + 2.25) / 3 / 4));
    pdr_mean_se(1, x + 2, &mean, &se);
    NEAR(mean, 3);
    NEAR(se, 0);
    pdr_mean_se(0, x, &mean, &se);
    assert_true(isnan(mean));
    NEAR(se, 0);
}

/* ---- episodes ---- */

static const double inf = (double)INFINITY, nan_value = (double)NAN;

static pdr_result episodes_of(char *metric, size_t n, int32_t steps, const double value[],
                              double limit)
{
    pdr_result r = {.is_meta = true, .metric = metric};
    assert_int_equal(pdr_result_set_episodes(&r, n, steps, steps > 0, limit, value, NULL), PDR_OK);
    return r;
}

static void episodes_close(pdr_result *r)
{
    r->metric = NULL; /* the test's */
    pdr_result_close(r);
}

static void episodes_have_mean_interval_and_median_by_step(void **state)
{
    (void)state;
    char metric[] = "accuracy";
    const double value[] = {0.2, 0.9, 0.3, 0.7, 0.1, 0.8, 0.2, 0.4};
    pdr_result r = episodes_of(metric, 4, 1, value, inf);
    NEAR(r.meta.score[0], 0.2);
    NEAR(r.meta.score[1], 0.7);
    NEAR(r.meta.ci95[1], 1.96 * sqrt((0.04 + 0 + 0.01 + 0.09) / 3) / 2);
    NEAR(r.meta.median[1], 0.75);
    NEAR(pdr_result_score(&r), 0.7);
    assert_int_equal(r.meta.diverged[1], 0);
    assert_int_equal(r.meta.episodes, 4);
    assert_false(pdr_result_is_loss(&r));
    episodes_close(&r);
}

/* Episode 1 passes the limit after step 1 and comes back, episode 3 ends as no number. */
static void diverged_episodes_are_counted_and_left_out_from_there_on(void **state)
{
    (void)state;
    char metric[] = "mse";
    const double value[] = {4, 2, 1, 5, 101, 1, 6, 4, 3, 7, 6, nan_value, 8, 8, 8};
    pdr_result r = episodes_of(metric, 5, 2, value, 100);
    assert_true(pdr_result_is_loss(&r));
    NEAR(r.meta.score[0], 6);
    NEAR(r.meta.score[1], 5);
    NEAR(r.meta.score[2], 4);
    NEAR(r.meta.median[1], 6); /* 2, 4, 6, 8, diverged */
    NEAR(r.meta.median[2], 8); /* 1, 3, 8, diverged, diverged */
    assert_int_equal(r.meta.diverged[0], 0);
    assert_int_equal(r.meta.diverged[1], 1);
    assert_int_equal(r.meta.diverged[2], 2);
    NEAR(r.meta.ci95[2], 1.96 * sqrt((9.0 + 1 + 16) / 2 / 3));
    episodes_close(&r);
}

static void a_diverged_accuracy_is_the_lowest(void **state)
{
    (void)state;
    char metric[] = "accuracy";
    const double value[] = {0.5, nan_value, 0.7, 0.6, 0.9};
    pdr_result r = episodes_of(metric, 5, 0, value, inf);
    NEAR(r.meta.score[0], (0.5 + 0.7 + 0.6 + 0.9) / 4);
    NEAR(r.meta.median[0], 0.6);
    episodes_close(&r);
    const double all[] = {inf, -inf};
    r = episodes_of(metric, 2, 0, all, inf);
    assert_true(isnan(r.meta.score[0]));
    assert_int_equal(isfinite(r.meta.median[0]) != 0, 0);
    episodes_close(&r);
}

static void episodes_are_counted_from_one_and_scored_at_a_step_that_is_there(void **state)
{
    (void)state;
    const double value[] = {1, 2};
    static const int32_t rows[][3] = {{0, 1, 0}, {1, -1, 0}, {1, 1, 2}, {1, 1, -1}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_result r = {0};
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(pdr_result_set_episodes(&r, (size_t)rows[k][0], rows[k][1], rows[k][2],
                                                 inf, value, &err),
                         PDR_USAGE);
        assert_non_null(strstr(err.text, "give at least one"));
        assert_null(r.meta.score);
    }
    pdr_result none = {.is_meta = true};
    assert_true(isnan(pdr_result_score(&none)));
}

static void a_note_is_kept_once(void **state)
{
    (void)state;
    pdr_result r = {0};
    assert_int_equal(pdr_result_add_note(&r, "seed 3 diverged", NULL), PDR_OK);
    assert_int_equal(pdr_result_add_note(&r, "another", NULL), PDR_OK);
    assert_int_equal(pdr_result_add_note(&r, "seed 3 diverged", NULL), PDR_OK);
    assert_int_equal(r.notes, 2);
    assert_string_equal(r.note[1], "another");
    pdr_result_close(&r);
    assert_int_equal(r.notes, 0);
}

/* ---- result.json ---- */

static const t_sample sample = {
    "er", "er", "Experience replay", "class-incremental", "fashion", 5, 5, 3, 0.9, false, NULL};

/* Write r and read it back, strictly. */
static json_t *written(const char *folder, const pdr_result *r)
{
    char path[T_PATH_MAX];
    pdr_error err = PDR_NO_ERROR;
    json_error_t e;
    pdr_rc rc = pdr_result_write_json(r, t_folder_path(folder, "result.json", path), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, PDR_OK);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!root) print_error("%s:%d:%d: %s\n", path, e.line, e.column, e.text);
    assert_non_null(root);
    return root;
}

static void assert_real(const json_t *object, const char *key, double want)
{
    const json_t *v = json_object_get(object, key);
    assert_true(json_is_real(v));
    double x = json_real_value(v);
    assert_memory_equal(&x, &want, sizeof want);
}

static void assert_text(const json_t *object, const char *key, const char *want)
{
    const json_t *v = json_object_get(object, key);
    assert_true(json_is_string(v));
    assert_string_equal(json_string_value(v), want);
}

static void json_holds_the_contract(void **state)
{
    pdr_result r;
    assert_true(t_sample_run(NULL, &sample, &r));
    json_t *root = written(*state, &r), *c = json_object_get(root, "continual");
    assert_text(root, "recipe", "er");
    assert_text(root, "method", "er");
    assert_text(root, "scenario", "class-incremental");
    assert_text(root, "state_hash", "0f00ba4c0ffee003");
    assert_int_equal(json_integer_value(json_object_get(root, "seed")), 3);
    assert_int_equal(json_integer_value(json_object_get(root, "threads")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "examples")), 1280000);
    assert_int_equal(json_integer_value(json_object_get(root, "peak_memory_bytes")), 187654321);
    assert_real(root, "train_seconds", r.train_seconds);
    assert_real(root, "eval_seconds", r.eval_seconds);
    assert_true(json_is_true(json_object_get(root, "complete")));
    assert_text(c, "metric", "accuracy");
    assert_real(c, "average_accuracy", pdr_result_average(&r));
    assert_real(c, "forgetting", pdr_result_forgetting(&r));
    assert_real(c, "bwt", pdr_result_bwt(&r));
    assert_real(c, "fwt", pdr_result_fwt(&r));
    assert_null(json_object_get(root, "null_because"));
    assert_null(json_object_get(root, "test"));
    json_decref(root);
    pdr_result_close(&r);
}

static void json_holds_the_contract_of_episodes(void **state)
{
    static const t_sample s = {"a", "maml", "MAML", "episodes", "omniglot", 5,
                               5,   3,      0.9,    false,      NULL};
    pdr_result r;
    assert_true(t_sample_meta(NULL, &s, &r));
    assert_int_equal(pdr_result_add_note(&r, "a \"warning\"", NULL), PDR_OK);
    json_t *root = written(*state, &r), *meta = json_object_get(root, "meta");
    json_t *test = json_object_get(meta, "test");
    assert_null(json_object_get(root, "continual"));
    assert_int_equal(json_array_size(json_object_get(root, "tasks")), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "notes"), 0)),
                        "a \"warning\"");
    assert_int_equal(json_integer_value(json_object_get(root, "memory_bytes")), 21345678);
    assert_int_equal(json_integer_value(json_object_get(meta, "iterations")), 60000);
    assert_text(meta, "normalisation", "transductive");
    assert_real(meta, "seconds_per_iteration", r.meta.seconds_per_iteration);
    assert_int_equal(json_integer_value(json_object_get(test, "episodes")), 100);
    assert_int_equal(json_integer_value(json_object_get(test, "way")), 5);
    assert_real(test, "accuracy", r.meta.score[1]);
    assert_real(test, "ci95", r.meta.ci95[1]);
    const json_t *by_step = json_object_get(test, "accuracy_by_step");
    assert_int_equal(json_array_size(by_step), 6);
    assert_true(json_real_value(json_array_get(by_step, 5)) >= r.meta.score[5]);
    assert_int_equal(json_array_size(json_object_get(meta, "validation")), 30);
    json_decref(root);
    pdr_result_close(&r);
}

static void json_has_losses_of_episodes_by_step(void **state)
{
    static const t_sample s = {"a", "maml", "MAML", "episodes", "sine", 10, 10, 3, 0.6, true, NULL};
    pdr_result r;
    assert_true(t_sample_meta(NULL, &s, &r));
    r.meta.median[7] = inf;
    json_t *root = written(*state, &r);
    json_t *test = json_object_get(json_object_get(root, "meta"), "test");
    assert_int_equal(json_array_size(json_object_get(test, "mse")), 11);
    assert_int_equal(json_array_size(json_object_get(test, "median")), 11);
    assert_true(json_is_null(json_array_get(json_object_get(test, "median"), 7)));
    assert_text(json_object_get(root, "null_because"), "meta.test.median",
                "after step 7 it is infinite");
    assert_int_equal(json_integer_value(json_object_get(test, "diverged")), 2);
    assert_int_equal(json_integer_value(json_object_get(test, "tasks")), 100);
    assert_null(json_object_get(test, "way"));
    json_decref(root);
    pdr_result_close(&r);
}

static void a_short_hash_keeps_its_leading_zeros(void **state)
{
    pdr_result r = four(4);
    r.state_hash = 0xabc;
    json_t *root = written(*state, &r);
    assert_text(root, "state_hash", "0000000000000abc");
    json_decref(root);
}

static void matrix_and_losses_read_back_the_same(void **state)
{
    pdr_result r;
    assert_true(t_sample_run(NULL, &sample, &r));
    json_t *root = written(*state, &r), *c = json_object_get(root, "continual");
    json_t *matrix = json_object_get(c, "accuracy_matrix"), *before = json_object_get(c, "before");
    assert_int_equal(json_array_size(matrix), 5);
    for (int32_t i = -1; i < 5; i++) {
        const json_t *row = i < 0 ? before : json_array_get(matrix, (size_t)i);
        assert_int_equal(json_array_size(row), 5);
        for (int32_t j = 0; j < 5; j++) {
            double x = json_real_value(json_array_get(row, (size_t)j));
            double want = pdr_result_at(&r, i, j);
            assert_memory_equal(&x, &want, sizeof x);
        }
    }
    const json_t *losses = json_object_get(root, "losses"), *last = json_array_get(losses, 499);
    assert_int_equal(json_array_size(losses), 500);
    assert_int_equal(json_integer_value(json_object_get(last, "task")), 4);
    assert_int_equal(json_integer_value(json_object_get(last, "iteration")), 10000);
    assert_real(last, "loss", r.loss[499].loss);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "tasks"), 2)),
                        "task 3: Coat, Sandal");
    json_decref(root);
    pdr_result_close(&r);
}

static void doubles_round_trip(void **state)
{
    double x[] = {0.1, 1.0 / 3, 0.1 + 0.2,          1e-300, DBL_MIN, DBL_MAX,  5e-324, -2.5e-17,
                  0.0, -0.0,    9007199254740993.0, 1.0,    0.76123, 123456.5, 1e21,   1e22};
    for (size_t k = 0; k < COUNT(x); k++) {
        pdr_result r = {.tasks = 1, .train_seconds = x[k]};
        json_t *root = written(*state, &r);
        assert_real(root, "train_seconds", x[k]);
        json_decref(root);
    }
}

static void a_double_is_as_short_as_it_can_be(void **state)
{
    char path[T_PATH_MAX];
    pdr_result r = four(4);
    r.train_seconds = 0.1;
    r.eval_seconds = 2.17 / 3;
    json_decref(written(*state, &r));
    char *text = t_file_read(t_folder_path(*state, "result.json", path));
    assert_non_null(strstr(text, "\"train_seconds\": 0.1,"));
    assert_non_null(strstr(text, "\"eval_seconds\": 0.7233333333333333,")); /* 16 digits */
    assert_non_null(strstr(text, "\n      [0.9, 0.25, 0.35, 0.1],\n"));
    free(text);
}

static void what_is_not_a_number_is_null_and_says_why(void **state)
{
    double matrix[] = {0.1, 0.2, 0.9, (double)NAN, (double)INFINITY, 0.8};
    pdr_loss_point loss[] = {{0, 10, 0.5}, {0, 20, (double)INFINITY}, {0, 30, (double)NAN}};
    pdr_result r = {.tasks = 2,
                    .learned = 2,
                    .matrix = matrix,
                    .losses = 3,
                    .loss = loss,
                    .train_seconds = (double)NAN};
    json_t *root = written(*state, &r), *c = json_object_get(root, "continual");
    const json_t *why = json_object_get(root, "null_because");
    assert_true(json_is_null(json_object_get(root, "train_seconds")));
    assert_true(json_is_null(json_object_get(c, "average_accuracy")));
    assert_true(json_is_null(json_object_get(c, "fwt")));
    const json_t *row = json_array_get(json_object_get(c, "accuracy_matrix"), 0);
    assert_true(json_is_null(json_array_get(row, 1)));
    assert_text(why, "train_seconds", "not a number");
    assert_text(why, "continual.fwt", "after learning task 0, task 1 is not a number");
    assert_text(why, "losses", "at iteration 20 the loss is infinite");
    json_decref(root);
}

static void no_average_says_that_nothing_was_learned(void **state)
{
    pdr_result r = four(0);
    json_t *root = written(*state, &r), *c = json_object_get(root, "continual");
    assert_true(json_is_null(json_object_get(c, "average_accuracy")));
    assert_text(json_object_get(root, "null_because"), "continual.average_accuracy",
                "no task was learned");
    json_decref(root);
}

static void a_stopped_run_has_only_the_rows_learned(void **state)
{
    pdr_result r = four(2);
    json_t *root = written(*state, &r), *c = json_object_get(root, "continual");
    assert_true(json_is_false(json_object_get(root, "complete")));
    assert_int_equal(json_array_size(json_object_get(c, "accuracy_matrix")), 2);
    assert_int_equal(json_array_size(json_object_get(c, "before")), 4);
    json_decref(root);
}

static void regression_has_its_test_errors(void **state)
{
    double matrix[] = {-0.5, 0.61};
    pdr_result r = {.tasks = 1,
                    .learned = 1,
                    .matrix = matrix,
                    .is_regression = true,
                    .rmse = 0.73,
                    .mae = 0.53};
    json_t *root = written(*state, &r), *test = json_object_get(root, "test");
    assert_real(test, "rmse", 0.73);
    assert_real(test, "mae", 0.53);
    assert_real(test, "r2", 0.61);
    json_decref(root);
}

static void a_seed_beyond_json_integers_keeps_all_digits(void **state)
{
    pdr_result r = four(4);
    r.seed = UINT64_MAX;
    json_t *root = written(*state, &r);
    assert_text(root, "seed", "18446744073709551615");
    json_decref(root);
}

static void strings_may_hold_any_bytes(void **state)
{
    t_sample s = sample;
    pdr_result r;
    s.hostile = "a\"b\\c\n\x01 \xff\xc3\xa9 \xed\xa0\x80 </script>";
    assert_true(t_sample_run(NULL, &s, &r));
    json_t *root = written(*state, &r);
    assert_text(
        root, "machine",
        "a\"b\\c\n\x01 \xef\xbf\xbd\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd </script>");
    json_decref(root);
    pdr_result_close(&r);
}

static void an_unknown_string_is_null(void **state)
{
    pdr_result r = four(4);
    json_t *root = written(*state, &r);
    assert_true(json_is_null(json_object_get(root, "machine")));
    assert_true(json_is_null(json_array_get(json_object_get(root, "tasks"), 0)));
    json_decref(root);
}

/* ---- result.json, read back ---- */

/* r as it is written. */
static char *text_of(const pdr_result *r)
{
    pdi_text t = {0};
    assert_int_equal(pdi_result_put_json(r, &t, NULL), PDR_OK);
    return pdi_text_take(&t);
}

static void a_result_reads_back_the_same(void **state)
{
    static const struct {
        t_sample sample;
        bool is_meta;
    } rows[] = {
        {{"er", "er", "Replay", "class-incremental", "fashion", 5, 5, 3, 0.9, false, NULL}, false},
        {{"er", "er", "Replay", "class-incremental", "fashion", 5, 2, 3, 0.9, false, NULL}, false},
        {{"er", "joint", "Joint", "class-incremental", "mnist", 1, 1, 3, 0.9, true, NULL}, false},
        {{"", "", "", "", "", 3, 3, 0, 0.9, false, "\"</script>\n\x01 \xc3\xa9"}, false},
        {{"maml", "maml", "MAML", "episodes", "omniglot", 5, 5, 3, 0.9, false, NULL}, true},
        {{"maml", "maml", "MAML", "episodes", "omniglot", 0, 0, 3, 0.9, false, NULL}, true},
        {{"maml", "maml", "MAML", "episodes", "sine", 10, 4, 3, 0.9, true, NULL}, true},
    };
    char path[T_PATH_MAX];
    t_folder_path(*state, "result.json", path);
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_result r, back;
        pdr_error e = PDR_NO_ERROR;
        assert_true((rows[k].is_meta ? t_sample_meta : t_sample_run)(NULL, &rows[k].sample, &r));
        if (k == 2) r.seed = UINT64_MAX;
        assert_int_equal(pdr_result_add_note(&r, "a warning", NULL), PDR_OK);
        assert_int_equal(pdr_result_write_json(&r, path, NULL), PDR_OK);
        assert_int_equal(pdr_result_read_json(NULL, path, &back, &e), PDR_OK);
        char *a = text_of(&r), *b = text_of(&back);
        assert_string_equal(a, b);
        assert_int_equal(back.is_regression, k == 2);
        assert_int_equal(back.is_bound, k == 2);
        assert_int_equal(back.complete, k != 1 && k != 6);
        free(a);
        free(b);
        pdr_result_close(&r);
        pdr_result_close(&back);
    }
}

static void what_was_not_a_number_reads_back_as_none(void **state)
{
    double matrix[] = {0.1, 0.2, 0.9, nan_value, inf, 0.8};
    pdr_result r = {.tasks = 2, .learned = 2, .matrix = matrix, .train_seconds = inf}, back;
    char path[T_PATH_MAX];
    json_decref(written(*state, &r));
    assert_int_equal(
        pdr_result_read_json(NULL, t_folder_path(*state, "result.json", path), &back, NULL),
        PDR_OK);
    assert_true(isnan(pdr_result_at(&back, 0, 1)) && isnan(pdr_result_at(&back, 1, 0)));
    assert_true(isnan(back.train_seconds));
    NEAR(pdr_result_at(&back, 1, 1), 0.8);
    pdr_result_close(&back);
}

#define START "{\"seed\": 1, \"state_hash\": \"ab\", "
#define META                                                                                       \
    START "\"metric\": \"accuracy\", \"meta\": {\"train\": {}, \"test\": {\"episodes\": 9, "

/* What perdure 0.1.0 wrote, cut short, with a key that a later version may add. */
static void earlier_and_later_results_are_read(void **state)
{
    (void)state;
    static const char text[] = START
        "\"recipe\": \"er\", \"tasks\": [\"task 1\", null], \"complete\": false, \"new\": {}, "
        "\"continual\": {\"before\": [0, 0.5], \"accuracy_matrix\": [[1, null]]}}";
    pdr_result r;
    pdr_error e = PDR_NO_ERROR;
    assert_int_equal(pdi_result_parse_json(NULL, "r", text, strlen(text), &r, &e), PDR_OK);
    assert_string_equal(r.task_name[0], "task 1");
    assert_null(r.task_name[1]);
    assert_int_equal(r.state_hash, 0xab);
    assert_int_equal(r.learned, 1);
    assert_int_equal(r.memory, 0);
    NEAR(pdr_result_at(&r, -1, 1), 0.5);
    NEAR(pdr_result_average(&r), 1);
    pdr_result_close(&r);
}

static void wrong_results_are_refused_with_their_place(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\n\"seed\": 1,\n}", "r:3:1: this is no JSON: "},
        {"", "r:1:0: this is no JSON: "},
        {"[]", "r: result: give an object"},
        {"{\"seed\": 1, \"seed\": 2}", "this is no JSON: duplicate object key"},
        {"{\"seed\": -1}", "r: seed: this is not usable; give a whole number from 0 to "},
        {"{\"seed\": \"12x\"}", "r: seed: give a whole number, or a string of its digits"},
        {"{\"seed\": \"18446744073709551616\"}", "r: seed: give a whole number, or"},
        {"{\"tasks\": []}", "r: seed: give a whole number, or a string of its digits"},
        {"{\"seed\": 1, \"state_hash\": 3}", "r: state_hash: give a string of 16 hex"},
        {START "\"tasks\": 3}", "r: tasks: give an array"},
        {START "\"recipe\": 3}", "r: recipe: this is no text; give a string or null"},
        {START "\"threads\": 1.5}", "r: threads: this is not usable; give a whole number from 0"},
        {START "\"threads\": 3000000000}", "from 0 to 2147483647"},
        {START "\"complete\": 1}", "r: complete: give true or false"},
        {START "\"notes\": [\"a\", null]}", "r: notes[1]: give a string"},
        {START "\"x\": 1}", "r: continual: this is missing"},
        {START "\"continual\": {}}", "r: tasks: give at least one task, or 'meta'"},
        {START "\"tasks\": [\"a\"], \"continual\": {\"before\": [1, 2]}}",
         "r: continual.before: give an array of 1 numbers"},
        {START "\"tasks\": [\"a\"], \"continual\": {\"before\": [true]}}",
         "r: continual.before[0]: this is no number; give a number or null"},
        {START "\"tasks\": [\"a\"], \"continual\": {\"before\": [1], \"accuracy_matrix\": "
               "[[1], [2]]}}",
         "r: continual.accuracy_matrix: this array is too long"},
        {START "\"tasks\": [\"a\"], \"continual\": {\"before\": [1], \"accuracy_matrix\": [7]}}",
         "r: continual.accuracy_matrix[0]: give an array of 1 numbers"},
        {START "\"tasks\": [\"a\"], \"continual\": {\"before\": [1]}, \"losses\": [{}]}",
         "r: losses[0].loss: this is missing"},
        {START "\"tasks\": [\"a\"], \"meta\": {\"train\": {}, \"test\": {}}}",
         "r: tasks: give none beside 'meta'"},
        {START "\"meta\": {\"train\": {}}}", "r: meta.test: this is missing"},
        {META "\"accuracy_by_step\": [1], \"step\": 1}}}",
         "r: meta.test.step: there are not so many steps"},
        {META "\"accuracy_by_step\": [1], \"ci95_by_step\": [1]}}}",
         "r: meta.test.median_by_step: give an array of 1 numbers"},
        {META "\"accuracy_by_step\": [1], \"ci95_by_step\": [1], \"median_by_step\": [1]}}}",
         "r: meta.test.diverged_by_step: give one number for each step"},
        {META "\"accuracy_by_step\": [1], \"ci95_by_step\": [1], \"median_by_step\": [1], "
              "\"diverged_by_step\": [10]}}}",
         "r: meta.test.diverged_by_step[0]: this is not usable; give a whole number from 0 to 9"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_result r;
        pdr_error e = PDR_NO_ERROR;
        assert_int_equal(pdi_result_parse_json(NULL, "r", rows[k][0], strlen(rows[k][0]), &r, &e),
                         PDR_INPUT);
        if (!strstr(e.text, rows[k][1])) fail_msg("%s: %s", rows[k][0], e.text);
        assert_null(strchr(e.text, '\n'));
        assert_null(r.recipe);
    }
}

static void a_file_that_is_no_result_is_refused(void **state)
{
    char path[T_PATH_MAX];
    pdr_result r;
    pdr_error e = PDR_NO_ERROR;
    t_folder_path(*state, "none.json", path);
    assert_int_equal(pdr_result_read_json(NULL, path, &r, &e), PDR_INPUT);
    assert_non_null(strstr(e.text, "none.json"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int k = 0; k < 65 << 8; k++) fprintf(f, "%4096s", "");
    fclose(f);
    e = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdr_result_read_json(NULL, path, &r, &e), PDR_INPUT);
    assert_non_null(strstr(e.text, "longer than a result can be: more than 64 MiB"));
}

static void every_refused_allocation_of_reading_is_reported(void **state)
{
    static const t_sample meta = {"a", "maml", "M", "e", "o", 2, 2, 3, 0.9, false, NULL};
    char path[T_PATH_MAX];
    t_folder_path(*state, "result.json", path);
    for (int is_meta = 0; is_meta < 2; is_meta++) {
        t_memory m = {.left = SIZE_MAX};
        pdr_alloc alloc = {t_memory_fn, &m};
        pdr_result r;
        assert_true(is_meta ? t_sample_meta(NULL, &meta, &r) : t_sample_run(NULL, &sample, &r));
        assert_int_equal(pdr_result_add_note(&r, "a", NULL), PDR_OK);
        assert_int_equal(pdr_result_write_json(&r, path, NULL), PDR_OK);
        pdr_result_close(&r);
        size_t n = 0;
        for (pdr_rc rc = PDR_NOMEM; rc; n++) {
            pdr_error e = PDR_NO_ERROR;
            m.left = n;
            rc = pdr_result_read_json(&alloc, path, &r, &e);
            assert_true(!rc || rc == PDR_NOMEM);
            pdr_result_close(&r);
            assert_int_equal(m.live, 0);
        }
        assert_true(n > 15);
    }
}

/* ---- files ---- */

static void an_unusable_path_is_refused_with_a_remedy(void **state)
{
    char file[T_PATH_MAX], under[T_PATH_MAX];
    pdr_result r = four(4);
    json_decref(written(*state, &r));
    size_t before = t_folder_count(*state);
    t_folder_path(*state, "result.json", file);
    const struct {
        const char *path, *remedy;
    } rows[] = {
        {t_folder_path(file, "result.json", under), "a part of the path is a file; name a folder"},
        {"no-such-folder/result.json", "make that folder first, or name another"},
        {*state, "that is a folder; name a file"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        const pdr_result *const runs[] = {&r};
        for (int is_page = 0; is_page < 2; is_page++) {
            pdr_error err = PDR_NO_ERROR;
            pdr_rc rc = is_page ? pdr_report_write(1, runs, rows[k].path, &err)
                                : pdr_result_write_json(&r, rows[k].path, &err);
            assert_int_equal(rc, PDR_INPUT);
            assert_int_equal(strncmp(err.text, rows[k].path, strlen(rows[k].path)), 0);
            assert_non_null(strstr(err.text, rows[k].remedy));
            assert_null(strchr(err.text, '\n'));
        }
    }
    assert_int_equal(t_folder_count(*state), before);
}

/* A limit on the size of files stands for a full disk. */
static void a_write_that_fails_leaves_the_old_file_and_nothing_else(void **state)
{
    char path[T_PATH_MAX];
    struct rlimit old;
    pdr_error err = PDR_NO_ERROR;
    pdr_result r = four(4);
    json_decref(written(*state, &r));
    char *before = t_file_read(t_folder_path(*state, "result.json", path));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit tight = {.rlim_cur = 100, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    r.seed = 77;
    pdr_rc rc = pdr_result_write_json(&r, path, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(rc, PDR_IO);
    assert_non_null(strstr(err.text, strerror(EFBIG)));
    char *after = t_file_read(path);
    assert_string_equal(after, before);
    assert_int_equal(t_folder_count(*state), 1);
    free(before);
    free(after);
}

static void an_old_file_is_replaced(void **state)
{
    pdr_result r = four(4);
    json_decref(written(*state, &r));
    r.seed = 12;
    json_t *root = written(*state, &r);
    assert_int_equal(json_integer_value(json_object_get(root, "seed")), 12);
    assert_int_equal(t_folder_count(*state), 1);
    json_decref(root);
}

static void a_new_file_obeys_the_mask(void **state)
{
    char path[T_PATH_MAX];
    struct stat s;
    pdr_result r = four(4);
    mode_t old = umask(027);
    json_decref(written(*state, &r));
    (void)umask(old);
    assert_int_equal(stat(t_folder_path(*state, "result.json", path), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
}

/* ---- memory ---- */

static void every_refused_allocation_is_reported_and_nothing_is_left(void **state)
{
    char path[T_PATH_MAX];
    t_memory m = {.left = SIZE_MAX};
    pdr_alloc alloc = {t_memory_fn, &m};
    pdr_result r;
    assert_true(t_sample_run(&alloc, &sample, &r));
    size_t live = m.live, n = 0;
    t_folder_path(*state, "result.json", path);
    for (int once = 0; once < 2; once++) {
        size_t all = n; /* requests: a refusal that went unnoticed would end the count early */
        n = 0;
        m.once = once;
        for (pdr_rc rc = PDR_NOMEM; rc; n++) {
            pdr_error err = PDR_NO_ERROR;
            m.left = n;
            rc = pdr_result_write_json(&r, path, &err);
            assert_int_equal(m.live, live);
            assert_true(!rc || rc == PDR_NOMEM);
            assert_int_equal(t_folder_count(*state), rc ? 0 : 1);
        }
        assert_int_equal(remove(path), 0);
        if (once) assert_int_equal(n, all);
    }
    assert_true(n > 10);
    m.left = 0;
    pdr_result_close(&r);
    assert_int_equal(m.live, 0);
}

static void closing_twice_is_harmless(void **state)
{
    (void)state;
    pdr_result r;
    assert_true(t_sample_run(NULL, &sample, &r));
    pdr_result_close(&r);
    assert_null(r.recipe);
    assert_int_equal(r.tasks, 0);
    pdr_result_close(&r);
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

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average_is_the_mean_of_the_last_row),
        cmocka_unit_test(forgetting_is_best_ever_minus_final),
        cmocka_unit_test(forgetting_is_below_zero_when_the_last_task_helped),
        cmocka_unit_test(backward_transfer_compares_with_the_diagonal),
        cmocka_unit_test(forward_transfer_compares_with_before_learning),
        cmocka_unit_test(figures_of_a_stopped_run_are_over_the_tasks_learned),
        cmocka_unit_test(one_task_has_nothing_to_forget_or_transfer),
        cmocka_unit_test(no_task_has_no_average),
        cmocka_unit_test(at_knows_the_row_before_learning_and_no_other_place),
        cmocka_unit_test(a_score_that_is_not_a_number_spoils_its_figures),
        cmocka_unit_test(mean_and_standard_error_are_the_textbook_ones),
        cmocka_unit_test(episodes_have_mean_interval_and_median_by_step),
        cmocka_unit_test(diverged_episodes_are_counted_and_left_out_from_there_on),
        cmocka_unit_test(a_diverged_accuracy_is_the_lowest),
        cmocka_unit_test(episodes_are_counted_from_one_and_scored_at_a_step_that_is_there),
        cmocka_unit_test(a_note_is_kept_once),
        WITH_FOLDER(json_holds_the_contract),
        WITH_FOLDER(json_holds_the_contract_of_episodes),
        WITH_FOLDER(json_has_losses_of_episodes_by_step),
        WITH_FOLDER(a_short_hash_keeps_its_leading_zeros),
        WITH_FOLDER(matrix_and_losses_read_back_the_same),
        WITH_FOLDER(doubles_round_trip),
        WITH_FOLDER(a_double_is_as_short_as_it_can_be),
        WITH_FOLDER(what_is_not_a_number_is_null_and_says_why),
        WITH_FOLDER(no_average_says_that_nothing_was_learned),
        WITH_FOLDER(a_stopped_run_has_only_the_rows_learned),
        WITH_FOLDER(regression_has_its_test_errors),
        WITH_FOLDER(a_seed_beyond_json_integers_keeps_all_digits),
        WITH_FOLDER(strings_may_hold_any_bytes),
        WITH_FOLDER(an_unknown_string_is_null),
        WITH_FOLDER(a_result_reads_back_the_same),
        WITH_FOLDER(what_was_not_a_number_reads_back_as_none),
        cmocka_unit_test(earlier_and_later_results_are_read),
        cmocka_unit_test(wrong_results_are_refused_with_their_place),
        WITH_FOLDER(a_file_that_is_no_result_is_refused),
        WITH_FOLDER(every_refused_allocation_of_reading_is_reported),
        WITH_FOLDER(an_unusable_path_is_refused_with_a_remedy),
        WITH_FOLDER(a_write_that_fails_leaves_the_old_file_and_nothing_else),
        WITH_FOLDER(an_old_file_is_replaced),
        WITH_FOLDER(a_new_file_obeys_the_mask),
        WITH_FOLDER(every_refused_allocation_is_reported_and_nothing_is_left),
        cmocka_unit_test(closing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
