/* test_bench.c -- what is timed is the work it claims to be, with the same bits everywhere. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "kern/kern.h"
#include "meter.h"
#include "program.h"
#include "t.h"

/* A work of every family, small enough for the reference kernels. */
static const pdi_bench_row small[] = {
    {"gemm", "", pdi_bench_product, {10, 40, 40, 5}, 1},
    {"gemm", "", pdi_bench_product, {31, 65, 300, 0}, 1},
    {"sinusoid", "", pdi_bench_sinusoid, {5, 10, 40, 1}, 3},
    {"sinusoid", "", pdi_bench_sinusoid, {5, 10, 40, 0}, 3},
    {"mlp", "", pdi_bench_mlp, {10, 50, 40, 30, 10}, 6},
    {"mlp", "", pdi_bench_mlp_sgd, {1, 6, 32, 2}, 50},
    {"conv4-maml", "", pdi_bench_conv_maml, {2, 3, 8, 12}, 2},
    {"lstm", "", pdi_bench_lstm, {3, 4, 5, 6}, 3},
    {"attention", "", pdi_bench_attention, {2, 5, 16, 2, 2}, 3},
    {"map", "", pdi_bench_map, {6, 1000}, 1},
    {"sum", "", pdi_bench_sum, {37, 53, 1}, 1},
};

typedef struct trial {
    pdr_pool *pool;
    pdr_plan *plan;
    pdi_work *work;
} trial;

static trial trial_open(const pdi_bench_row *row, int threads)
{
    pdr_error why = PDR_NO_ERROR;
    trial t = {pdr_pool_new(NULL, threads), NULL, calloc(1, sizeof *t.work)};
    assert_true(t.pool && t.work && pdi_work_open(t.work, NULL));
    row->build(t.work, row->dim);
    if (pdi_work_plan(t.work, t.pool, &t.plan, &why)) fail_msg("%s: %s", row->name, why.text);
    assert_true(pdi_work_place(t.work));
    return t;
}

static void trial_close(trial *t)
{
    pdr_plan_free(t->plan);
    pdi_work_close(t->work);
    pdr_pool_free(t->pool);
    free(t->work);
}

static uint64_t trial_hash(trial *t, const pdi_bench_row *row)
{
    pdi_work_run(t->work, t->plan, row->steps);
    return pdi_work_hash(t->work);
}

static uint64_t hash_of(const pdi_bench_row *row, int threads, const char *isa)
{
    setenv("PERDURE_ISA", isa, 1);
    trial t = trial_open(row, threads);
    uint64_t h = trial_hash(&t, row);
    trial_close(&t);
    unsetenv("PERDURE_ISA");
    return h;
}

static void the_hash_is_the_same_on_any_threads_and_instruction_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(small); i++) {
        uint64_t want = hash_of(&small[i], 1, "ref");
        for (int k = 0; pdi_kernels_at(k); k++)
            if (hash_of(&small[i], 3 - k % 2, pdi_kernels_at(k)->name) != want)
                fail_msg("row %zu, %s: %s on %d threads differs", i, small[i].name,
                         pdi_kernels_at(k)->name, 3 - k % 2);
    }
}

static void a_restart_puts_the_state_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(small); i++) {
        trial t = trial_open(&small[i], 1);
        uint64_t first = trial_hash(&t, &small[i]), second;
        pdi_work_restart(t.work);
        second = trial_hash(&t, &small[i]);
        trial_close(&t);
        if (first != second) fail_msg("row %zu, %s", i, small[i].name);
    }
}

/* The loss, over the sets of data, after so many more steps. */
static double loss_after(trial *t, int64_t steps)
{
    double sum = 0;
    pdi_work_run(t->work, t->plan, steps);
    for (int set = 0; set < PDI_WORK_SETS; set++) {
        pdr_plan_run(t->plan, t->work->in_at[set], t->work->out_at);
        sum += (double)*(const float *)t->work->out_at[0];
    }
    return sum / PDI_WORK_SETS;
}

static void training_steps_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(small); i++) {
        trial t = trial_open(&small[i], 1);
        if (t.work->params) {
            double before = loss_after(&t, 0), after = loss_after(&t, 40);
            if (!(after < before)) fail_msg("%s: %g, then %g", small[i].name, before, after);
        }
        trial_close(&t);
    }
}

static double flops_of(const char *name)
{
    const pdi_bench_row *row;
    size_t i = 0;
    while ((row = pdi_bench_at(i)) != NULL && strcmp(row->name, name) != 0) i++;
    assert_non_null(row);
    pdi_work *w = calloc(1, sizeof *w);
    assert_true(w && pdi_work_open(w, NULL));
    row->build(w, row->dim);
    assert_null(pdr_graph_error(w->g));
    double flops = w->flops;
    pdi_work_close(w);
    free(w);
    return flops;
}

static void flops_are_those_of_the_definition(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double flops;
    } rows[] = {
        {"gemm/256x256x256", 33554432},
        {"gemm/25x40x40x25", 2000000},
        /* 199 200 multiply-adds a task */
        {"sinusoid-maml/exact", 2.0 * 25 * 199200},
        {"sinusoid-maml/first-order", 2.0 * 25 * 100000},
        {"mlp/784-400-400-10/10", 2.0 * 10 * (2 * 313600 + 3 * 164000)},
        /* 2 258 304 multiply-adds an image forward, 107 584 of them in the first layer */
        {"conv4-maml/5w1s", 2.0 * 32 * 5 * (2 * 6667328.0 + 13119488.0)},
        /* 32 sequences, 20 inputs, 19 states, 512 gates; 10 classes */
        {"lstm/128", 2.0 * 32 * (2 * 20 * 512 * 128 + 3 * 19 * 512 * 128 + 3 * 1280)},
        /* 640 positions, 2 blocks, 12 products of 128 x 128 and 2 with 20 positions */
        {"attention/2x128", 6.0 * (640 * 2 * (12 * 16384 + 2 * 20 * 128) + 32 * 1280)},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (flops_of(rows[i].name) != rows[i].flops)
            fail_msg("%s: %.17g, not %.17g", rows[i].name, flops_of(rows[i].name), rows[i].flops);
}

static void names_are_unique_and_begin_with_their_family(void **state)
{
    (void)state;
    const pdi_bench_row *row, *other;
    for (size_t i = 0; (row = pdi_bench_at(i)) != NULL; i++) {
        assert_non_null(strchr(row->name, '/'));
        for (size_t k = 0; k < i && (other = pdi_bench_at(k)) != NULL; k++)
            assert_string_not_equal(row->name, other->name);
    }
}

static void a_measurement_is_what_it_says(void **state)
{
    (void)state;
    pdr_error why = PDR_NO_ERROR;
    pdr_pool *pool = pdr_pool_new(NULL, 2);
    pdi_bench_result r;
    double peak = pdi_bench_peak(pool, 0.01);
    assert_true(peak > 0.01);
    assert_int_equal(pdi_bench_measure(NULL, &small[0], pool, 0.01, peak, &r, &why), PDR_OK);
    assert_int_equal(r.threads, 2);
    assert_true(r.ns > 0);
    double flops = 2.0 * 5 * 10 * 40 * 40, bytes = 4.0 * 5 * (10 * 40 + 40 * 40 + 10 * 40);
    assert_true(fabs(r.gflops * r.ns / flops - 1) < 1e-9);
    assert_true(fabs(r.gbytes_s * r.ns / bytes - 1) < 1e-9);
    assert_true(fabs(r.fraction * peak / r.gflops - 1) < 1e-9);
    assert_true(r.hash == hash_of(&small[0], 1, "ref"));
    pdr_pool_free(pool);
}

static void refused_memory_is_survived(void **state)
{
    (void)state;
    static const pdi_bench_row rows[] = {
        {"mlp", "", pdi_bench_mlp_sgd, {1, 6, 32, 2}, 1},
        {"plan", "", pdi_bench_mlp_sgd, {1, 6, 32, 2}, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdr_rc rc = PDR_NOMEM;
        for (size_t at = 1; rc != PDR_OK; at++) {
            meter m;
            pdr_error why = PDR_NO_ERROR;
            pdr_pool *pool = pdr_pool_new(NULL, 1);
            pdi_bench_result r;
            meter_start(&m);
            m.refuse_at = at;
            rc = pdi_bench_measure(&m.alloc, &rows[i], pool, 0, 1, &r, &why);
            assert_true(rc == PDR_OK || rc == PDR_NOMEM);
            assert_true(rc == PDR_OK || *why.text);
            assert_null(meter_trouble(&m));
            pdr_pool_free(pool);
        }
    }
}

static void json_has_what_it_promises(void **state)
{
    (void)state;
    static const char *const reals[] = {"ns", "gbytes_s", "gflops", "fraction"};
    json_error_t error;
    assert_int_equal(
        run("bench --json --threads 2 --seconds 0.001 --filter gemm/25x --filter gemm/10x"), 0);
    json_t *root = json_loads(out, JSON_REJECT_DUPLICATES, &error), *rows, *row;
    assert_non_null(root);
    assert_true(json_real_value(json_object_get(root, "peak_gflops")) > 0);
    rows = json_object_get(root, "rows");
    assert_int_equal(json_array_size(rows), 2);
    row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "gemm/10x40x40x25");
    assert_int_equal(json_integer_value(json_object_get(row, "threads")), 2);
    assert_int_equal(strlen(json_string_value(json_object_get(row, "hash"))), 16);
    assert_non_null(json_string_value(json_object_get(row, "shape")));
    for (size_t i = 0; i < COUNT(reals); i++)
        assert_true(json_real_value(json_object_get(row, reals[i])) > 0);
    json_decref(root);
}

static void the_table_has_a_line_a_row(void **state)
{
    (void)state;
    assert_int_equal(run("bench --threads 1 --seconds 0.001 --filter map/e --filter mlp/6"), 0);
    const char *head = strstr(out, "\nname  "), *at = strstr(out, "\nmlp/6-32-2/1  ");
    assert_true(head && at);
    assert_non_null(strstr(at, "\nmap/exp/16384  "));
    assert_non_null(strstr(at, "\nmap/erf/16384  "));
    assert_null(strstr(out, "gemm"));
    assert_string_equal(err, "");
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"bench --filter gem --filter nope", "perdure: --filter: no row begins with 'nope'; "},
        {"bench --seconds 0", "perdure: seconds: 0 is out of range"},
        {"bench --threads 0", "perdure: --threads: "},
        {"bench gemm", "perdure: 'gemm' is one operand too many; "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(run(rows[i][0]), 2);
        if (strncmp(err, rows[i][1], strlen(rows[i][1])) != 0) fail_msg("%s", err);
        assert_string_equal(out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_the_same_on_any_threads_and_instruction_set),
        cmocka_unit_test(a_restart_puts_the_state_back),
        cmocka_unit_test(training_steps_learn),
        cmocka_unit_test(flops_are_those_of_the_definition),
        cmocka_unit_test(names_are_unique_and_begin_with_their_family),
        cmocka_unit_test(a_measurement_is_what_it_says),
        cmocka_unit_test(refused_memory_is_survived),
        cmocka_unit_test(json_has_what_it_promises),
        cmocka_unit_test(the_table_has_a_line_a_row),
        cmocka_unit_test(what_cannot_be_asked_for_is_refused),
    };
    return cmocka_run_group_tests(tests, program_enter, program_leave);
}
