/* test_keep.c -- a run that was stopped and gone on with ends where one ends that never was. */
#include <perdure/experiment.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t.h"

enum { ROWS = 240, FEATURES = 6, CLASSES = 6 };

static char folder[128], csv[160], keep[160];

/* Six classes around six corners, apart but for some noise. */
static int make_data(void **state)
{
    (void)state;
    const char *home = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.90s/perdure-keep-XXXXXX", home ? home : ".");
    if (!mkdtemp(folder)) return -1;
    snprintf(csv, sizeof csv, "%s/train.csv", folder);
    snprintf(keep, sizeof keep, "%s/run.perdure", folder);
    FILE *f = fopen(csv, "w");
    if (!f) return -1;
    fprintf(f, "a,b,c,d,e,f,class\n");
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < FEATURES; k++)
            fprintf(f, "%g,", (k == i % CLASSES) + 0.01 * (i * 37 % 50 + k));
        fprintf(f, "%d\n", i % CLASSES);
    }
    return fclose(f);
}

static int remove_data(void **state)
{
    (void)state;
    remove(csv);
    return rmdir(folder);
}

static void read_recipe(pdr_recipe *r, const char *method, const char *rest)
{
    char text[1000];
    pdr_error err = PDR_NO_ERROR;
    snprintf(text, sizeof text,
             "data: {train: '%s', label: class, test_fraction: 0.2}\n"
             "scenario: {type: task-incremental, split: classes, tasks: 3}\n"
             "model: [{layer: dense, units: 8}, {layer: relu}]\n"
             "method: {name: '%s'}\noptimizer: {name: adam}\n"
             "training: {batch: 8, iterations: 12}\n%s",
             csv, method, rest);
    if (pdr_recipe_parse(NULL, "keep.yaml", text, strlen(text), 0, NULL, r, &err))
        fail_msg("%s", err.text);
}

typedef struct watch {
    int32_t stop_at; /* tasks learned, or iterations of episodes */
    bool went_on;
} watch;

static bool stop_there(void *ctx, const pdr_progress *p)
{
    const watch *w = ctx;
    return !w->stop_at || p->learned < w->stop_at;
}

static void hear(void *ctx, const char *text)
{
    watch *w = ctx;
    w->went_on = w->went_on || strstr(text, "going on");
}

static pdr_rc run(const pdr_recipe *r, watch *w, pdr_result *result)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_experiment e = {.seed = 4,
                        .threads = 1 + (w->stop_at & 1),
                        .keep = keep,
                        .progress = stop_there,
                        .note = hear,
                        .ctx = w};
    pdr_rc rc = pdr_experiment_run(NULL, r, &e, result, &err);
    if (rc && rc != PDR_STOPPED) fail_msg("%s", err.text);
    return rc;
}

static void a_stream_goes_on_to_the_bit(const char *method)
{
    pdr_recipe r;
    pdr_result whole, part;
    watch never = {0};
    read_recipe(&r, method, "");
    assert_int_equal(run(&r, &never, &whole), PDR_OK);
    assert_false(never.went_on);
    assert_int_not_equal(access(keep, F_OK), 0);
    for (int32_t stop = 1; stop < 3; stop++) {
        watch first = {.stop_at = stop + 1}, second = {0};
        assert_int_equal(run(&r, &first, &part), PDR_STOPPED);
        pdr_result_close(&part);
        assert_int_equal(access(keep, F_OK), 0);
        assert_int_equal(run(&r, &second, &part), PDR_OK);
        assert_true(second.went_on);
        assert_true(part.complete);
        if (part.state_hash != whole.state_hash) fail_msg("%s, after task %d", method, stop);
        assert_int_equal(part.examples, whole.examples);
        assert_int_equal(part.losses, whole.losses);
        assert_memory_equal(part.loss, whole.loss, whole.losses * sizeof *whole.loss);
        assert_memory_equal(part.matrix, whole.matrix, 4 * 3 * sizeof(double));
        pdr_result_close(&part);
    }
    pdr_result_close(&whole);
    pdr_recipe_close(&r);
}

static void every_method_of_streams_goes_on_to_the_bit(void **state)
{
    (void)state;
    const pdr_kind *k;
    for (size_t i = 0; (k = pdr_kind_at(PDR_KIND_METHOD, i)) != NULL; i++)
        if (((const pdr_method *)(const void *)k)->data != PDR_DATA_EPISODES)
            a_stream_goes_on_to_the_bit(k->name);
}

static void another_run_is_begun_anew(void **state)
{
    (void)state;
    pdr_recipe r;
    pdr_result part;
    watch first = {.stop_at = 2}, second = {0};
    read_recipe(&r, "finetune", "");
    assert_int_equal(run(&r, &first, &part), PDR_STOPPED);
    pdr_result_close(&part);
    pdr_recipe_close(&r);
    read_recipe(&r, "er", "");
    assert_int_equal(run(&r, &second, &part), PDR_OK);
    assert_false(second.went_on);
    pdr_result_close(&part);
    pdr_recipe_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_of_streams_goes_on_to_the_bit),
        cmocka_unit_test(another_run_is_begun_anew),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
