/* test_tally.c -- prequential figures, against figures worked out by hand. */
#include <math.h>

#include "learner/learner.h"
#include "t.h"

enum { CLASSES = 3, ANSWERS = 8 };

/* label    0 0 1 1 1 2 0 0      as before   . = . = = . . =   4 of 8
 * answer   0 1 1 1 2 2 0 1      right       y n y y n y y n   5 of 8
 *
 * Labels come 4, 3, 1 times, answers 2, 4, 2 times: by chance (4*2 + 3*4 + 1*2) / 64 = 22/64. */
static const int32_t labels[ANSWERS] = {0, 0, 1, 1, 1, 2, 0, 0};
static const int32_t answers[ANSWERS] = {0, 1, 1, 1, 2, 2, 0, 1};

static pdr_learner with(int32_t outputs)
{
    return (pdr_learner){.alloc = pdi_alloc_or_default(NULL), .form = {.outputs = outputs}};
}

static void near(double x, double y) { assert_true(fabs(x - y) < 1e-9); }

/* An answer has probability 1/2, the others 1/4 each. */
static void answer(pdi_tally *t, int i)
{
    static const float mask[CLASSES] = {1, 1, 1};
    float y[CLASSES] = {0, 0, 0};
    y[answers[i]] = logf(2);
    pdi_tally_class(t, CLASSES, y, i % 2 ? mask : NULL, labels[i]);
}

static void kappas_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    pdi_tally t;
    pdr_learner l = with(CLASSES);
    assert_true(pdi_tally_open(&l, &t, 4));
    for (int i = 0; i < ANSWERS; i++) answer(&t, i);
    pdr_score s = pdi_tally_score(&t, CLASSES, 0);
    assert_int_equal(s.n, 8);
    near(s.accuracy, 5 / 8.0);
    near(s.recent, 2 / 4.0); /* the last four: n y y n */
    near(s.kappa, (5 / 8.0 - 22 / 64.0) / (1 - 22 / 64.0));
    near(s.kappa_temporal, (5 / 8.0 - 4 / 8.0) / (1 - 4 / 8.0));
    assert_true(fabs(s.loss - (5 * log(2) + 3 * log(4)) / 8) < 1e-6);
    pdi_tally_close(&l, &t);
}

static void one_class_alone_says_nothing(void **state)
{
    (void)state;
    pdi_tally t;
    pdr_learner l = with(CLASSES);
    assert_true(pdi_tally_open(&l, &t, 4));
    pdr_score s = pdi_tally_score(&t, CLASSES, 0);
    assert_true(isnan(s.accuracy) && isnan(s.kappa) && isnan(s.recent));
    answer(&t, 0);
    answer(&t, 1); /* both of class 0, one answered right */
    s = pdi_tally_score(&t, CLASSES, 0);
    near(s.accuracy, 0.5);
    near(s.recent, 0.5); /* over what there is of the window */
    assert_true(isnan(s.kappa) && isnan(s.kappa_temporal));
    pdi_tally_close(&l, &t);
}

/* What may not be the answer has no probability; a label among those costs a guess. */
static void what_may_not_be_answered_is_not(void **state)
{
    (void)state;
    static const float mask[CLASSES] = {1, 0, 1}, y[CLASSES] = {0, 9, 0};
    static const float barred[CLASSES] = {0, -INFINITY, 0};
    pdi_tally t[2];
    pdr_learner l = with(CLASSES);
    for (int k = 0; k < 2; k++) {
        assert_true(pdi_tally_open(&l, &t[k], 4));
        for (int32_t c = 0; c < CLASSES; c++)
            pdi_tally_class(&t[k], CLASSES, k ? barred : y, k ? NULL : mask, c);
        pdr_score s = pdi_tally_score(&t[k], CLASSES, 0);
        near(s.accuracy, 1 / 3.0);
        near(s.loss, (2 * log(2) + log(3)) / 3);
        pdi_tally_close(&l, &t[k]);
    }
}

static void errors_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    pdi_tally t;
    pdr_learner l = with(2);
    assert_true(pdi_tally_open(&l, &t, 0));
    pdi_tally_target(&t, 2, (float[]){1, 2}, (float[]){0, 4});
    pdi_tally_target(&t, 2, (float[]){3, 3}, (float[]){3, 0});
    pdr_score s = pdi_tally_score(&t, 2, 2);
    near(s.rmse, sqrt((1 + 4 + 0 + 9) / 4.0));
    near(s.mae, (1 + 2 + 0 + 3) / 4.0);
    near(s.loss, (2.5 + 4.5) / 2); /* squared error, a mean over targets */
    assert_true(isnan(s.accuracy) && isnan(s.recent));
    pdi_tally_close(&l, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kappas_are_those_worked_out_by_hand),
        cmocka_unit_test(one_class_alone_says_nothing),
        cmocka_unit_test(what_may_not_be_answered_is_not),
        cmocka_unit_test(errors_are_those_worked_out_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
