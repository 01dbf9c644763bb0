/* test_worked.c -- the method that docs/adding-a-method.md builds, taken from the page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "method/methods.h"
#include "method/trainer.h"
#include "state.h"
#include "t.h"

extern const pdr_method pdi_method_l2; /* the page's */

enum { CLASSES = 3, WIDTH = 4, EXAMPLES = 3 };

static const float xs[EXAMPLES][WIDTH] = {
    {0.5f, -1.0f, 0.25f, 2.0f}, {1.5f, 0.5f, -0.75f, 0.0f}, {-0.5f, 1.0f, 1.0f, -1.0f}};

typedef struct fixture {
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *t;
    double l2[8], sgd[8]; /* options */
} fixture;

static void open_fixture(fixture *f, const char *lambda)
{
    pdr_error err = PDR_NO_ERROR;
    const pdr_kind *k = &pdi_method_l2.kind, *o = pdr_kind_find(PDR_KIND_OPTIMIZER, "sgd");
    const pdr_option *row = pdr_option_find(k->options, "lambda");
    memset(f, 0, sizeof *f);
    assert_true(k->self_size <= sizeof f->l2 && o->self_size <= sizeof f->sgd);
    pdr_option_defaults(k->options, f->l2);
    pdr_option_defaults(o->options, f->sgd);
    assert_int_equal(pdr_option_set(row, f->l2, lambda, &err), PDR_OK);
    f->pool = pdr_pool_new(NULL, 1);
    pdr_rc rc = pdr_model_new(&pdi_malloc, 0, NULL, PDR_SHAPE(WIDTH), CLASSES, &f->model, &err);
    assert_int_equal(rc, PDR_OK);
    pdi_trainer_spec s = {.method = {k, f->l2},
                          .optimizer = {o, f->sgd},
                          .model = f->model,
                          .loss = PDR_LOSS_CROSS_ENTROPY,
                          .example = PDR_SHAPE(WIDTH),
                          .outputs = CLASSES,
                          .setting = {.tasks = 2, .outputs = CLASSES, .classes = CLASSES},
                          .seed = 5};
    assert_int_equal(pdi_trainer_new(&pdi_malloc, &s, f->pool, EXAMPLES, &f->t, &err), PDR_OK);
}

static void close_fixture(fixture *f)
{
    pdi_trainer_free(f->t);
    pdr_model_free(f->model);
    pdr_pool_free(f->pool);
}

static double step(fixture *f, int32_t task)
{
    double loss = NAN;
    pdr_error err = PDR_NO_ERROR;
    for (int32_t i = 0; i < EXAMPLES; i++) {
        pdi_example e = {.x = xs[i], .label = i, .task = task};
        pdi_trainer_put(f->t, i, &e);
    }
    assert_int_equal(pdi_trainer_step(f->t, EXAMPLES, 0.5f, &loss, &err), PDR_OK);
    return loss;
}

/* Sum of (theta - start)^2. */
static double distance_of(const fixture *f)
{
    double sum = 0;
    for (size_t i = 0; i < 2; i++)
        for (int k = 0; k < (i ? CLASSES : CLASSES * WIDTH); k++) {
            double d = (double)state_of(f->t, "param", i)[k] -
                       (double)state_of(f->t, "start", i)[k];
            sum += d * d;
        }
    return sum;
}

/* Learn a task, end it, begin the next one and take its first step, which starts where the
 * pull is nothing. */
static void begin_second_task(fixture *f)
{
    pdr_error err = PDR_NO_ERROR;
    for (int i = 0; i < 3; i++) step(f, 0);
    assert_int_equal(pdi_trainer_task_end(f->t, &err), PDR_OK);
    assert_true(distance_of(f) == 0);
    pdi_trainer_task(f->t, 1, 0);
    step(f, 1);
}

static void the_page_s_method_pulls_as_its_equation_says(void **state)
{
    (void)state;
    fixture free, pulled;
    open_fixture(&free, "0");
    open_fixture(&pulled, "3");
    begin_second_task(&free);
    begin_second_task(&pulled);
    double d = distance_of(&pulled), more = 3.0 / 2 * d;
    assert_true(d > 1e-3 && d == distance_of(&free));
    more -= step(&pulled, 1) - step(&free, 1);
    if (!(fabs(more) < 1e-6)) fail_msg("the pull is off by %g", more);
    close_fixture(&free);
    close_fixture(&pulled);
}

static void its_options_are_refused_as_the_page_says(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    double self[8];
    const pdr_option *row = pdr_option_find(pdi_method_l2.kind.options, "lambda");
    assert_int_equal(pdr_option_set(row, self, "-1", &err), PDR_INPUT);
    assert_string_equal(err.text, "lambda: -1 is out of range; give 0 to 1000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_s_method_pulls_as_its_equation_says),
        cmocka_unit_test(its_options_are_refused_as_the_page_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
