/* test_order.c -- in which order examples are learned, and how tasks without boundaries mix. */
#include "experiment/order.h"

#include <math.h>
#include <perdure/rng.h>

#include "base/alloc.h"
#include "t_data.h"

/* Three tasks of two classes each; class c has 10 + 3c examples. */
enum { TASKS = 3, CLASSES = 6, EXAMPLES = 6 * 10 + 3 * 15, BATCH = 7 };

static float x[EXAMPLES];
static int32_t label[EXAMPLES];
static pdr_data data;

static int make_data(void **state)
{
    (void)state;
    size_t n = 0;
    for (int c = 0; c < CLASSES; c++)
        for (int k = 0; k < 10 + 3 * c; k++) label[n++] = c;
    assert_int_equal(n, EXAMPLES);
    data.train = data.test = (pdr_dataset){.examples = EXAMPLES,
                                           .shape = PDR_SHAPE(1),
                                           .storage = PDR_FLOATS,
                                           .x = x,
                                           .classes = CLASSES,
                                           .label = label};
    return 0;
}

static pdr_stream *stream(double blur)
{
    pdr_scenario s;
    pdr_stream *t;
    pdr_error err = PDR_NO_ERROR;
    pdr_option_defaults(pdr_scenario_option_table, &s);
    s.split = PDR_SPLIT_CLASSES;
    s.tasks = TASKS;
    s.shuffle_classes = false;
    s.boundaries = PDR_BOUNDARIES_HIDDEN;
    s.blur = blur;
    assert_int_equal(pdr_stream_new(NULL, &data, &s, 1, &t, &err), PDR_OK);
    return t;
}

/* ---- a stream as it is learned ---- */

enum { MOST = 1000 };

typedef struct learned {
    size_t n, begin[TASKS + 1]; /* begin[t]: of task t's place */
    pdi_order_item item[MOST];
    bool first[MOST];
    size_t batches;
    int32_t batch[MOST];
} learned;

typedef struct plan {
    uint64_t iterations, epochs, seed;
} plan;

static size_t place(const pdr_stream *s, const plan *p, int32_t task)
{
    size_t n = pdr_stream_size(s, PDR_TRAIN, task);
    return (size_t)(p->iterations ? p->iterations * BATCH : p->epochs * n);
}

static void learn_task(const pdr_stream *s, const plan *p, int32_t task, learned *l)
{
    pdi_order o;
    assert_true(
        pdi_order_open(&o, &pdi_malloc, s, task, 0, task, BATCH, p->iterations > 0, p->seed));
    assert_true(pdi_order_blur(&o, s, task, p->iterations, p->epochs));
    l->begin[task] = l->n;
    for (size_t end = l->n + place(s, p, task); l->n < end;) {
        const pdi_order_item *item;
        uint64_t epoch;
        int32_t n = pdi_order_next(&o, &item, &epoch);
        assert_true(n > 0 && l->n + (size_t)n <= MOST);
        for (int32_t k = 0; k < n; k++) {
            l->first[l->n] = pdi_order_is_first(&o, k);
            l->item[l->n++] = item[k];
        }
        l->batch[l->batches++] = n;
    }
    l->begin[task + 1] = l->n;
    pdi_order_close(&o);
}

static void learn(const pdr_stream *s, const plan *p, learned *l)
{
    *l = (learned){0};
    for (int32_t t = 0; t < TASKS; t++) learn_task(s, p, t, l);
}

static const plan plans[] = {{0, 1, 4}, {0, 3, 4}, {5, 1, 4}, {40, 1, 4}};

/* ---- what blur changes ---- */

static void without_blur_the_order_is_task_by_task(void **state)
{
    (void)state;
    static learned l;
    pdr_stream *s = stream(0);
    for (size_t k = 0; k < COUNT(plans); k++) {
        learn(s, &plans[k], &l);
        for (int32_t t = 0; t < TASKS; t++) {
            pdi_order o;
            assert_true(
                pdi_order_open(&o, &pdi_malloc, s, t, 0, t, BATCH, plans[k].iterations > 0, 4));
            for (size_t i = l.begin[t]; i < l.begin[t + 1];) {
                const pdi_order_item *item;
                uint64_t epoch;
                int32_t n = pdi_order_next(&o, &item, &epoch);
                assert_memory_equal(item, l.item + i, (size_t)n * sizeof *item);
                for (int32_t b = 0; b < n; b++) assert_true(l.first[i + (size_t)b] == (epoch == 0));
                i += (size_t)n;
            }
            pdi_order_close(&o);
        }
    }
    pdr_stream_free(s);
}

/* Steps, sizes of batches, how often an example is learned, and the order of a task's own
 * are those without blur. */
static void blur_moves_examples_and_changes_nothing_else(void **state)
{
    (void)state;
    static learned plain, mixed;
    pdr_stream *s = stream(0), *blurred = stream(0.6);
    for (size_t k = 0; k < COUNT(plans); k++) {
        learn(s, &plans[k], &plain);
        learn(blurred, &plans[k], &mixed);
        assert_int_equal(plain.n, mixed.n);
        assert_memory_equal(plain.begin, mixed.begin, sizeof plain.begin);
        assert_int_equal(plain.batches, mixed.batches);
        assert_memory_equal(plain.batch, mixed.batch, sizeof plain.batch);
        assert_memory_not_equal(plain.item, mixed.item, sizeof plain.item);
        for (int32_t t = 0; t < TASKS; t++) {
            size_t at = plain.begin[t];
            for (size_t i = 0; i < mixed.n; i++) {
                if (mixed.item[i].task != t) continue;
                assert_memory_equal(&mixed.item[i], &plain.item[at], sizeof(pdi_order_item));
                assert_true(mixed.first[i] == plain.first[at]);
                at++;
            }
            assert_int_equal(at, plain.begin[t + 1]);
        }
    }
    pdr_stream_free(s);
    pdr_stream_free(blurred);
}

static void the_next_tasks_share_rises_linearly(void **state)
{
    (void)state;
    static learned l;
    enum { SEEDS = 4000 };
    static const double blurs[] = {1, 0.5};
    for (size_t b = 0; b < COUNT(blurs); b++) {
        pdr_stream *s = stream(blurs[b]);
        size_t all = place(s, &plans[0], 0), w = (size_t)(blurs[b] * (double)all / 2);
        static int next[MOST];
        memset(next, 0, sizeof next);
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            learn(s, &(plan){0, 1, seed}, &l);
            for (size_t i = 0; i < l.n; i++) {
                bool in = i + w >= l.begin[1] && i < l.begin[1] + w;
                if (in) next[i] += l.item[i].task == 1;
                if (i < l.begin[1] - w) assert_int_equal(l.item[i].task, 0);
                if (in) assert_true(l.item[i].task <= 1);
            }
        }
        for (size_t k = 0; k < 2 * w; k++) {
            double want = ((double)k + 0.5) / (2 * (double)w);
            double share = (double)next[l.begin[1] - w + k] / SEEDS;
            assert_true(fabs(share - want) < 0.5 / (double)w + 5 * sqrt(0.25 / SEEDS));
        }
        pdr_stream_free(s);
    }
}

static void an_example_is_new_once(void **state)
{
    (void)state;
    static learned l;
    pdr_stream *s = stream(1);
    int seen[TASKS][EXAMPLES] = {{0}};
    learn(s, &plans[1], &l);
    for (size_t i = 0; i < l.n; i++) {
        int *times = &seen[l.item[i].task][l.item[i].index];
        assert_true(l.first[i] == (*times == 0));
        ++*times;
    }
    for (int32_t t = 0; t < TASKS; t++)
        for (size_t i = 0; i < pdr_stream_size(s, PDR_TRAIN, t); i++)
            assert_int_equal(seen[t][i], 3);
    pdr_stream_free(s);
}

static void a_place_does_not_depend_on_what_came_before(void **state)
{
    (void)state;
    static learned whole, alone;
    pdr_stream *s = stream(0.8);
    learn(s, &plans[1], &whole);
    alone = (learned){0};
    learn_task(s, &plans[1], 1, &alone);
    assert_memory_equal(alone.item, whole.item + whole.begin[1], alone.n * sizeof(pdi_order_item));
    pdr_stream_free(s);
}

/* ---- memory ---- */

static pdr_stream *tortured;

static pdr_rc torture_order(const pdr_alloc *alloc, pdr_error *err)
{
    pdi_order o = {.alloc = alloc};
    bool ok = pdi_order_open(&o, alloc, tortured, 1, 0, 1, BATCH, false, 1);
    if (ok) {
        ok = pdi_order_blur(&o, tortured, 1, 0, 2);
        pdi_order_close(&o);
    }
    if (!ok) err->rc = PDR_NOMEM;
    return ok ? PDR_OK : PDR_NOMEM;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    tortured = stream(0.5);
    assert_true(t_torture(torture_order) > 10);
    pdr_stream_free(tortured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_blur_the_order_is_task_by_task),
        cmocka_unit_test(blur_moves_examples_and_changes_nothing_else),
        cmocka_unit_test(the_next_tasks_share_rises_linearly),
        cmocka_unit_test(an_example_is_new_once),
        cmocka_unit_test(a_place_does_not_depend_on_what_came_before),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
