/* test_torture.c -- the n-th allocation is refused, for every n.
 *
 * Whatever is under way then ends with PDR_NOMEM or NULL, gives everything back and
 * writes nothing beside its memory; with enough memory the same calls succeed. */
#include <perdure/plan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_graph.h"
#include "base/alloc.h"
#include "meter.h"
#include "t.h"
#include "xform/eval.h"

static pdr_pool *pool;

static int pool_open(void **state)
{
    (void)state;
    pool = pdr_pool_new(NULL, 2);
    return pool ? 0 : -1;
}

static int pool_close(void **state)
{
    (void)state;
    pdr_pool_free(pool);
    return 0;
}

/* What is tortured: PDR_OK, or PDR_NOMEM. */
typedef pdr_rc (*torture_fn)(const pdr_alloc *alloc, uint64_t seed);

static void torture_one(torture_fn fn, uint64_t seed, size_t n, bool and_later, bool *served)
{
    meter m;
    meter_start(&m);
    m.refuse_at = n;
    m.and_later = and_later;
    pdr_rc rc = fn(&m.alloc, seed);
    const char *trouble = meter_trouble(&m);
    *served = m.requests < n;
    if (trouble) fail_msg("seed %d, request %zu refused: %s", (int)seed, n, trouble);
    if (rc != (*served ? PDR_OK : PDR_NOMEM))
        fail_msg("seed %d, request %zu of %zu refused: %s", (int)seed, n, m.requests,
                 pdr_rc_text(rc));
}

/* The n-th alone, then the n-th and all that follow. */
static void torture(torture_fn fn, uint64_t seed)
{
    for (int and_later = 0; and_later < 2; and_later++) {
        bool served = false;
        for (size_t n = 1; !served; n++) torture_one(fn, seed, n, and_later, &served);
    }
}

/* ---- a whole life: built, differentiated, batched, planned, run, printed ---------------- */

static void *zeros(const pdr_graph *g, pdr_node x)
{
    pdr_shape s = pdr_node_shape(g, x);
    return calloc((size_t)pdr_shape_size(&s), 4);
}

static pdr_rc life_run(const any_graph *a, pdr_plan *plan)
{
    void *in[ANY_INPUTS], *out[ANY_OUTPUTS];
    const void *from[ANY_INPUTS];
    for (size_t i = 0; i < a->n_in; i++) from[i] = in[i] = zeros(a->g, a->in[i]);
    for (size_t j = 0; j < a->n_out; j++) out[j] = zeros(a->g, a->out[j]);
    pdr_plan_run(plan, from, out);
    for (size_t i = 0; i < a->n_in; i++) free(in[i]);
    for (size_t j = 0; j < a->n_out; j++) free(out[j]);
    char *text = pdr_plan_print(plan);
    bool printed = text != NULL;
    pdi_free(a->g->alloc, text);
    return printed ? PDR_OK : PDR_NOMEM;
}

static pdr_rc life(const pdr_alloc *alloc, uint64_t seed)
{
    any_graph a;
    pdr_plan *plan = NULL;
    pdr_error err = PDR_NO_ERROR;
    any_graph_open(&a, alloc, seed);
    pdr_rc rc = a.g ? pdr_graph_rc(a.g) : PDR_NOMEM;
    if (a.g && rc) assert_string_equal(pdr_graph_error(a.g), "out of memory");
    if (!rc) {
        rc = pdr_plan_new(a.g, pool, a.n_in, a.in, a.n_out, a.out, a.over, &plan, &err);
        assert_int_equal(rc, err.rc);
        assert_int_equal(plan == NULL, rc != PDR_OK);
    }
    if (!rc) rc = life_run(&a, plan);
    pdr_plan_free(plan);
    any_graph_close(&a);
    return rc;
}

static void a_whole_life_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 80; seed++) torture(life, seed);
}

/* ---- text, the oracle, refusals ----------------------------------------------------------- */

static char *torture_text;

static pdr_rc read_text(const pdr_alloc *alloc, uint64_t seed)
{
    (void)seed;
    pdr_error err = PDR_NO_ERROR;
    pdr_graph *g = pdr_graph_parse(alloc, torture_text, &err);
    char *again = g ? pdr_graph_print(g) : NULL;
    pdr_rc rc = again ? PDR_OK : g ? PDR_NOMEM : err.rc;
    if (rc == PDR_OK) assert_string_equal(again, torture_text);
    pdi_free(alloc, again);
    pdr_graph_free(g);
    return rc;
}

static void reading_and_printing_survive(void **state)
{
    (void)state;
    any_graph a;
    any_graph_open(&a, NULL, 4);
    for (int k = 0; k < 40; k++) {
        char label[24];
        snprintf(label, sizeof label, "layer %d", k);
        pdr_graph_label(a.g, label);
        pdr_scalar(a.g, 1000 + k);
    }
    torture_text = pdr_graph_print(a.g);
    torture(read_text, 0);
    pdi_free(a.g->alloc, torture_text);
    any_graph_close(&a);
}

static pdr_rc evaluate(const pdr_alloc *alloc, uint64_t seed)
{
    any_graph a;
    any_graph_open(&a, alloc, seed);
    pdr_rc rc = a.g ? pdr_graph_rc(a.g) : PDR_NOMEM;
    double **v = rc ? NULL : pdi_eval(a.g, a.n_in, a.in, a.value, a.n_out, a.out);
    if (!rc && !v) rc = PDR_NOMEM;
    if (a.g) pdi_eval_free(a.g, v);
    any_graph_close(&a);
    return rc;
}

static void evaluation_survives(void **state)
{
    (void)state;
    torture(evaluate, 9);
}

/* A refusal needs memory for its text. */
static pdr_rc refuse(const pdr_alloc *alloc, uint64_t seed)
{
    (void)seed;
    pdr_graph *g = pdr_graph_new(alloc);
    if (!g) return PDR_NOMEM;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(3));
    assert_int_equal(pdr_flip(g, x, 7).id, 0);
    pdr_rc rc = pdr_graph_rc(g);
    pdr_graph_free(g);
    return rc == PDR_USAGE ? PDR_OK : rc;
}

static void refusals_survive(void **state)
{
    (void)state;
    torture(refuse, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_life_survives),
        cmocka_unit_test(reading_and_printing_survive),
        cmocka_unit_test(evaluation_survives),
        cmocka_unit_test(refusals_survive),
    };
    return cmocka_run_group_tests(tests, pool_open, pool_close);
}
