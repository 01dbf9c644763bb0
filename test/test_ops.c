/* test_ops.c -- every operator keeps every promise, on shapes chosen to hurt. */
#include "graph/graph.h"
#include "ops_rows.h"

#define OPS_TEST(family)                                                                           \
    static void family##_rows_keep_every_promise(void **state)                                     \
    {                                                                                              \
        (void)state;                                                                               \
        op_rows_keep(ops_##family##_count, ops_##family##_rows);                                   \
    }
OPS_FAMILIES(OPS_TEST)

/* Runs last: the others count what they saw. */
static void no_operator_lacks_a_row(void **state)
{
    (void)state;
    int missing = 0;
    for (int op = PDI_error + 1; op < PDI_OPS; op++)
        if (!op_rows_seen[op]) {
            print_error("%s has no row\n", pdi_op_table[op].name);
            missing++;
        }
    assert_int_equal(missing, 0);
}

int main(void)
{
#define OPS_ENTRY(family) cmocka_unit_test(family##_rows_keep_every_promise),
    const struct CMUnitTest tests[] = {
        OPS_FAMILIES(OPS_ENTRY) cmocka_unit_test(no_operator_lacks_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
