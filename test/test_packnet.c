/* test_packnet.c -- PackNet: what is frozen never moves, what is pruned is the smallest. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "teach.h"

/* All that could move a parameter: momentum, decay, a penalty, clipping, statistics. */
static const teach_how images = {
    .method = {"packnet", {"prune", "0.6", "retrain", "0.5"}},
    .optimizer = {"adam", {"weight_decay", "0.1"}},
    .layer = {{"conv2d", {"filters", "3"}},
              {"batch_norm", {NULL}},
              {"relu", {NULL}},
              {"dense", {"units", "7"}},
              {"relu", {NULL}}},
    .example = {.rank = 3, .dim = {1, 4, 4}},
    .outputs = 6,
    .tasks = 3,
    .masked = true,
    .l2 = 0.01,
    .clip_norm = 1,
    .seed = 2,
};

static const pdi_tensor *owner_of(const teach *f, const char *param)
{
    char name[160];
    snprintf(name, sizeof name, "owner/%s", strchr(param, '/') + 1);
    return teach_tensor(f, name);
}

/* ---- frozen ---------------------------------------------------------------------------------- */

/* Parameters (and buffers) as they were, to compare. */
typedef struct snapshot {
    size_t n;
    char name[32][128];
    float *value[32];
} snapshot;

static void snapshot_take(const teach *f, snapshot *s)
{
    s->n = 0;
    for (size_t i = 0; i < f->t->store.n; i++) {
        const pdi_tensor *t = &f->t->store.v[i];
        if (strncmp(t->name, "param/", 6)) continue;
        size_t bytes = (size_t)pdr_shape_size(&t->shape) * sizeof(float);
        assert_true(s->n < COUNT(s->name));
        snprintf(s->name[s->n], sizeof s->name[0], "%s", t->name);
        s->value[s->n++] = memcpy(test_malloc(bytes), t->value, bytes);
    }
}

static void snapshot_drop(snapshot *s)
{
    while (s->n) test_free(s->value[--s->n]);
}

static bool is_buffer(const teach *f, const char *name)
{
    for (size_t i = 0; i < pdr_model_buffers(f->model); i++)
        if (!strcmp(name + 6, pdr_model_buffer(f->model, i)->name)) return true;
    return false;
}

/* What belongs to a task before `task`, and every buffer, has the bits of the snapshot;
 * returns how many of the others moved. */
static size_t expect_frozen(const teach *f, const snapshot *s, int32_t task)
{
    size_t moved = 0;
    for (size_t i = 0; i < s->n; i++) {
        const pdi_tensor *t = teach_tensor(f, s->name[i]);
        bool buffer = is_buffer(f, t->name);
        const float *owner = buffer ? NULL : owner_of(f, t->name)->value;
        for (size_t k = 0; k < (size_t)pdr_shape_size(&t->shape); k++) {
            bool frozen = buffer || (owner[k] > 0 && owner[k] <= (float)task);
            bool same = !memcmp(&t->value[k], &s->value[i][k], sizeof(float));
            if (frozen && !same) fail_msg("%s[%zu] moved in task %d", t->name, k, task + 1);
            moved += !same;
        }
    }
    return moved;
}

static void learn_phase(teach *f, const snapshot *s, int32_t task, int32_t phase)
{
    pdr_error err = PDR_NO_ERROR;
    pdi_trainer_task(f->t, task, phase);
    for (int32_t i = 0; i < 12; i++) {
        teach_put(f, task, 5 * i, 10);
        teach_step(f, 10, 0.05f);
        if (task > 0) assert_true(expect_frozen(f, s, task) > 0);
    }
    assert_int_equal(pdi_trainer_phase_end(f->t, &err), PDR_OK);
    if (task > 0) expect_frozen(f, s, task);
}

static void predict_into(teach *f, int32_t task, float out[30])
{
    const float *y;
    pdr_error err = PDR_NO_ERROR;
    teach_put(f, task, 200, 5);
    assert_int_equal(pdi_trainer_predict(f->t, 5, task, &y, &err), PDR_OK);
    memcpy(out, y, 30 * sizeof *y);
}

static void frozen_weights_never_move_by_a_bit(void **state)
{
    (void)state;
    teach f;
    snapshot s = {0};
    float before[3][30], now[30];
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 3; task++) {
        learn_phase(&f, &s, task, 0);
        learn_phase(&f, &s, task, 1);
        assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
        predict_into(&f, task, before[task]);
        for (int32_t t = 0; t <= task; t++) { /* nor do answers */
            predict_into(&f, t, now);
            assert_memory_equal(now, before[t], sizeof now);
        }
        snapshot_drop(&s);
        snapshot_take(&f, &s);
    }
    snapshot_drop(&s);
    teach_close(&f);
}

/* ---- pruned -----------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    float x = fabsf(*(const float *)a), y = fabsf(*(const float *)b);
    return (x > y) - (x < y);
}

/* Free before: those of owner 0.  Exactly ceil(part n) of n are pruned, the smallest. */
static void the_smallest_part_of_each_layer_is_pruned(void **state)
{
    (void)state;
    static const char *const layer[] = {"param/0.conv2d.weight", "param/3.dense.weight"};
    teach f;
    snapshot s = {0};
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 3; task++) {
        pdi_trainer_task(f.t, task, 0);
        teach_put(&f, task, 0, 10);
        for (int32_t i = 0; i < 3; i++) teach_step(&f, 10, 0.05f);
        snapshot_take(&f, &s);
        float free_size[2][400];
        size_t n[2] = {0, 0};
        for (size_t i = 0; i < 2; i++) {
            const pdi_tensor *t = teach_tensor(&f, layer[i]);
            for (size_t k = 0; k < (size_t)pdr_shape_size(&t->shape); k++)
                if (owner_of(&f, layer[i])->value[k] == 0) free_size[i][n[i]++] = t->value[k];
            qsort(free_size[i], n[i], sizeof(float), by_size);
        }
        assert_int_equal(pdi_trainer_phase_end(f.t, &err), PDR_OK);
        for (size_t i = 0; i < 2; i++) {
            const pdi_tensor *t = teach_tensor(&f, layer[i]), *o = owner_of(&f, layer[i]);
            size_t pruned = (size_t)ceil(0.6 * (double)n[i]), seen = 0;
            float limit = fabsf(free_size[i][pruned]);
            for (size_t k = 0; k < (size_t)pdr_shape_size(&t->shape); k++) {
                if (o->value[k] == (float)(task + 1)) assert_true(fabsf(t->value[k]) >= limit);
                if (o->value[k] == 0) assert_true(t->value[k] == 0);
                seen += o->value[k] == 0;
            }
            assert_int_equal(seen, pruned);
        }
        snapshot_drop(&s);
        assert_int_equal(pdi_trainer_task_end(f.t, &err), PDR_OK);
    }
    teach_close(&f);
}

static void what_is_pruned_stays_zero_while_the_rest_learns_again(void **state)
{
    (void)state;
    teach f;
    snapshot s = {0};
    teach_open(&f, &images, 1);
    learn_phase(&f, &s, 0, 0);
    snapshot_take(&f, &s);
    learn_phase(&f, &s, 0, 1);
    size_t moved = 0, zeros = 0;
    for (size_t i = 0; i < s.n; i++) {
        const pdi_tensor *t = teach_tensor(&f, s.name[i]);
        if (is_buffer(&f, t->name)) continue;
        for (size_t k = 0; k < (size_t)pdr_shape_size(&t->shape); k++) {
            bool is_free = owner_of(&f, t->name)->value[k] == 0;
            zeros += t->value[k] == 0;
            if (is_free) assert_memory_equal(&t->value[k], &s.value[i][k], sizeof(float));
            moved += memcmp(&t->value[k], &s.value[i][k], sizeof(float)) != 0;
        }
    }
    assert_true(moved > 0 && zeros > 100);
    snapshot_drop(&s);
    teach_close(&f);
}

static void a_head_belongs_to_its_task_whole(void **state)
{
    (void)state;
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 3; task++) {
        assert_int_equal(teach_task(&f, task, 8, &err), PDR_OK);
        for (int32_t y = 0; y < 6; y++) {
            float want = y / 2 <= task ? (float)(y / 2 + 1) : 0;
            assert_true(teach_value(&f, "owner/output.bias", (size_t)y) == want);
            for (size_t k = 0; k < 7; k++)
                assert_true(teach_value(&f, "owner/output.weight", (size_t)y * 7 + k) == want);
        }
        for (size_t k = 0; k < 7; k++) assert_true(teach_value(&f, "owner/3.dense.bias", k) == 1);
    }
    teach_close(&f);
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static void an_answer_uses_the_weights_of_its_task_and_earlier(void **state)
{
    (void)state;
    teach f;
    float before[30], now[30];
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, &images, 1);
    for (int32_t task = 0; task < 2; task++)
        assert_int_equal(teach_task(&f, task, 8, &err), PDR_OK);
    const pdi_tensor *w = teach_tensor(&f, "param/3.dense.weight"),
                     *o = teach_tensor(&f, "owner/3.dense.weight");
    for (int32_t task = 0; task < 2; task++) {
        predict_into(&f, task, before);
        for (size_t k = 0; k < (size_t)pdr_shape_size(&w->shape); k++)
            if (o->value[k] == 0 || o->value[k] > (float)(task + 1)) w->value[k] += 0.5f;
        predict_into(&f, task, now);
        assert_memory_equal(now, before, sizeof now);
        for (size_t k = 0; k < (size_t)pdr_shape_size(&w->shape); k++)
            if (o->value[k] == (float)(task + 1)) w->value[k] += 0.5f;
        predict_into(&f, task, now);
        assert_memory_not_equal(now, before, sizeof now);
    }
    teach_close(&f);
}

static void without_retraining_a_task_has_one_phase(void **state)
{
    (void)state;
    teach f;
    teach_how how = images;
    how.method = (teach_choice){"packnet", {"retrain", "0"}};
    teach_open(&f, &how, 1);
    const pdr_setting *s = &f.t->spec.setting;
    assert_true(pdi_method_packnet.phase(f.option[0], s, 0) == 1);
    assert_true(pdi_method_packnet.phase(f.option[0], s, 1) == 0);
    teach_close(&f);
    assert_true(teach_life(&how, 1, true, -1) != 0);
}

static void a_run_with_nothing_left_for_its_last_task_is_cautioned(void **state)
{
    (void)state;
    static const struct {
        double prune;
        int32_t tasks;
        bool warned;
    } row[] = {{0.75, 5, false}, {0.75, 20, false}, {0.5, 20, true}, {0, 2, true}, {0, 1, false}};
    for (size_t i = 0; i < COUNT(row); i++) {
        double options[2] = {row[i].prune, 0.5};
        const char *text = pdi_method_packnet.caution(options,
                                                      &(pdr_setting){.tasks = row[i].tasks});
        assert_true((text != NULL) == row[i].warned);
    }
}

static void options_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *method, *option, *value;
    } row[] = {{"packnet", "prune", "1"},     {"packnet", "prune", "-0.1"},
               {"packnet", "retrain", "-1"},  {"icarl", "per_class", "0"},
               {"icarl", "temperature", "0"}, {"dgr", "hidden", "0"},
               {"dgr", "latent", "0"},        {"dgr", "batch", "-1"}};
    for (size_t i = 0; i < COUNT(row); i++) {
        double options[8];
        pdr_error err = PDR_NO_ERROR;
        const pdr_kind *k = pdr_kind_find(PDR_KIND_METHOD, row[i].method);
        const pdr_option *o = pdr_option_find(k->options, row[i].option);
        assert_int_equal(pdr_option_set(o, options, row[i].value, &err), PDR_INPUT);
        assert_non_null(strstr(err.text, "out of range"));
    }
}

static void every_promise_is_kept(void **state)
{
    (void)state;
    teach_promises(&images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_weights_never_move_by_a_bit),
        cmocka_unit_test(the_smallest_part_of_each_layer_is_pruned),
        cmocka_unit_test(what_is_pruned_stays_zero_while_the_rest_learns_again),
        cmocka_unit_test(a_head_belongs_to_its_task_whole),
        cmocka_unit_test(an_answer_uses_the_weights_of_its_task_and_earlier),
        cmocka_unit_test(without_retraining_a_task_has_one_phase),
        cmocka_unit_test(a_run_with_nothing_left_for_its_last_task_is_cautioned),
        cmocka_unit_test(options_that_cannot_be_are_refused),
        cmocka_unit_test(every_promise_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
