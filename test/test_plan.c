/* test_plan.c -- plans: any graph, any outputs, outputs over inputs, and refusals.
 *
 *     test-plan --any FIRST COUNT      random graphs by seed; prints what is broken */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_graph.h"
#include "bound.h"
#include "exec/exec.h"
#include "meter.h"
#include "op_run.h"
#include "plan_check.h"
#include "t.h"
#include "xform/eval.h"

static pdr_pool *pools[4]; /* with 1, 2, 3, 8 threads */

static int pools_open(void **state)
{
    static const int threads[] = {1, 2, 3, 8};
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++) pools[i] = pdr_pool_new(NULL, threads[i]);
    return 0;
}

static int pools_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pools); i++) pdr_pool_free(pools[i]);
    return 0;
}

/* ---- random graphs ------------------------------------------------------------------ */

static char any_said[PDR_ERROR_MAX + 200];

static const char *any_say(const char *what, const char *detail)
{
    snprintf(any_said, sizeof any_said, "%s: %s", what, detail);
    return any_said;
}

static int64_t any_elements(const any_graph *a, pdr_node x)
{
    pdr_shape s = pdr_node_shape(a->g, x);
    return pdr_shape_size(&s);
}

/* Elements of the outputs that a comparison in doubt does not spoil. */
static size_t any_judged;

static const char *any_near(const any_graph *a, float *const got[])
{
    const char *bad = NULL;
    double **v = pdi_eval(a->g, a->n_in, a->in, a->value, a->n_out, a->out);
    double **e = bound_of(a->g, v);
    for (size_t j = 0; !bad && j < a->n_out; j++) {
        const double *want = v[a->out[j].id], *bound = e[a->out[j].id];
        bool whole = pdr_node_type(a->g, a->out[j]) == PDR_I32;
        for (int64_t i = 0, n = any_elements(a, a->out[j]); !bad && i < n; i++) {
            int32_t k;
            memcpy(&k, &got[j][i], 4);
            double x = whole ? k : (double)got[j][i];
            if (!isfinite(bound[i])) continue;
            any_judged++;
            if (fabs(x - want[i]) <= bound[i]) continue;
            char where[160];
            snprintf(where, sizeof where, "output %zu (%%%u), element %lld: %.9g, not %.9g +- %.2g",
                     j, a->out[j].id, (long long)i, x, want[i], bound[i]);
            bad = any_say("f32 is far from f64", where);
        }
    }
    pdi_eval_free(a->g, v);
    pdi_eval_free(a->g, e);
    return bad;
}

static const char *any_compare(const op_job *job, const char *name, const char *value,
                               const char *what, float *const want[])
{
    float *got[ANY_OUTPUTS];
    int64_t at = 0;
    const char *harm = name ? op_run_with(name, value, job, got) : op_run(job, got);
    if (harm) return any_say(what, harm);
    int j = op_differ(job, want, got, &at);
    op_free(job->n_out, got);
    if (j < 0) return NULL;
    char where[64];
    snprintf(where, sizeof where, "output %d, element %lld has other bits", j, (long long)at);
    return any_say(what, where);
}

static const char *any_everywhere(const op_job *job, const any_graph *a, float *const want[])
{
    op_job other = *job;
    const char *bad = any_compare(&other, "PERDURE_PLAN", "plain", "plain", want);
    if (!bad) bad = any_compare(&other, "PERDURE_PLAN", "fine", "fine", want);
    other.eager = true;
    other.pool = pools[2];
    if (!bad) bad = any_compare(&other, NULL, NULL, "3 threads", want);
    other.pool = pools[3];
    if (!bad) bad = any_compare(&other, "PERDURE_PLAN", "plain", "plain, 8 threads", want);
    other.pool = pools[1];
    if (!bad) bad = any_compare(&other, "PERDURE_ISA", "ref", "ref", want);
    other.over = a->over;
    if (!bad) bad = any_compare(&other, NULL, NULL, "outputs over inputs, 2 threads", want);
    other.pool = pools[0];
    if (!bad) bad = any_compare(&other, NULL, NULL, "outputs over inputs", want);
    other.apart = true;
    if (!bad) bad = any_compare(&other, NULL, NULL, "over, but apart", want);
    return bad;
}

static const char *any_text(const any_graph *a)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_graph_verify(a->g, &err)) return any_say("verify", err.text);
    char *text = pdr_graph_print(a->g);
    pdr_graph *again = pdr_graph_parse(a->g->alloc, text, &err);
    char *text_again = again ? pdr_graph_print(again) : NULL;
    const char *bad = !again                          ? any_say("text", err.text)
                      : strcmp(text, text_again) != 0 ? any_say("text", "prints differently")
                                                      : NULL;
    pdi_free(a->g->alloc, text);
    pdi_free(a->g->alloc, text_again);
    pdr_graph_free(again);
    return bad;
}

static const char *any_check(const any_graph *a)
{
    op_job job = {.g = a->g,
                  .pool = pools[0],
                  .n_in = a->n_in,
                  .n_out = a->n_out,
                  .in = a->in,
                  .out = a->out,
                  .value = a->value};
    float *got[ANY_OUTPUTS];
    if (pdr_graph_error(a->g)) return any_say("building", pdr_graph_error(a->g));
    const char *harm = op_run(&job, got);
    if (harm) return any_say("running", harm);
    const char *bad = any_near(a, got);
    if (!bad) bad = any_everywhere(&job, a, got);
    if (!bad) bad = any_text(a);
    op_free(a->n_out, got);
    return bad;
}

/* The number of graphs that break a promise. */
static int any_run(uint64_t first, uint64_t count, bool show)
{
    int broken = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        meter m;
        any_graph a;
        meter_start(&m);
        any_graph_open(&a, &m.alloc, seed);
        const char *bad = any_check(&a);
        char *text = bad && show ? pdr_graph_print(a.g) : NULL;
        if (text) printf("%s", text);
        pdi_free(&m.alloc, text);
        any_graph_close(&a);
        if (!bad) bad = meter_trouble(&m);
        if (bad) {
            printf("graph %llu: %s\n", (unsigned long long)seed, bad);
            broken++;
        }
    }
    return broken;
}

static void any_graph_keeps_every_promise(void **state)
{
    (void)state;
    any_judged = 0;
    assert_int_equal(any_run(1, 400, false), 0);
    assert_true(any_judged > 100000);
}

/* Random graphs are worth something only when they contain everything. */
static void random_graphs_draw_every_operator(void **state)
{
    (void)state;
    int seen[PDI_OPS] = {0};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        any_graph a;
        any_graph_open(&a, NULL, seed);
        for (size_t i = 1; i < pdr_graph_size(a.g); i++) seen[a.g->v[i].op]++;
        any_graph_close(&a);
    }
    for (int op = PDI_error + 1; op < PDI_OPS; op++)
        if (!seen[op]) fail_msg("%s is never drawn", pdi_op_table[op].name);
}

/* ---- outputs ---------------------------------------------------------------------------- */

static pdr_graph *g;

static int graph_open(void **state)
{
    (void)state;
    g = pdr_graph_new(NULL);
    return g ? 0 : -1;
}

static int graph_close(void **state)
{
    (void)state;
    pdr_graph_free(g);
    return 0;
}

static pdr_plan *plan_of(size_t n_in, const pdr_node in[], size_t n_out, const pdr_node out[],
                         const int32_t over[])
{
    pdr_plan *plan;
    pdr_error err = PDR_NO_ERROR;
    if (pdr_plan_new(g, pools[1], n_in, in, n_out, out, over, &plan, &err))
        fail_msg("%s", err.text);
    return plan;
}

static void outputs_may_be_inputs_constants_views_and_the_same(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(2, 3)), y = pdr_exp(g, x);
    const pdr_node out[] = {x,
                            x,
                            pdr_fill(g, PDR_SHAPE(2), 7),
                            pdr_iota(g, PDR_SHAPE(2, 2), 1),
                            pdr_swap_last(g, x),
                            pdr_slice(g, x, 0, 1, 1, 1),
                            pdr_scalar(g, 2),
                            y,
                            y,
                            pdr_broadcast(g, x, PDR_SHAPE(2, 2, 3), 2)};
    static const float want[][12] = {{1, 2, 3, 4, 5, 6},
                                     {1, 2, 3, 4, 5, 6},
                                     {7, 7},
                                     {0, 1, 0, 1},
                                     {1, 4, 2, 5, 3, 6},
                                     {4, 5, 6},
                                     {2},
                                     {0},
                                     {0},
                                     {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}};
    static const size_t sizes[] = {6, 6, 2, 4, 6, 3, 1, 0, 0, 12};
    const float in[] = {1, 2, 3, 4, 5, 6};
    float got[10][12];
    void *at[10];
    pdr_plan *plan = plan_of(1, &x, COUNT(out), out, NULL);
    for (size_t j = 0; j < COUNT(out); j++) at[j] = got[j];
    pdr_plan_run(plan, (const void *[]){in}, at);
    for (size_t j = 0; j < COUNT(out); j++)
        assert_memory_equal(got[j], want[j], sizes[j] * sizeof(float));
    assert_memory_equal(got[7], got[8], 6 * sizeof(float));
    pdr_plan_free(plan);
}

static void a_plan_without_inputs_or_outputs_runs(void **state)
{
    (void)state;
    pdr_node one = pdr_scalar(g, 1);
    float y;
    pdr_plan *plan = plan_of(0, NULL, 1, &one, NULL);
    pdr_plan_run(plan, NULL, (void *[]){&y});
    assert_true(y == 1);
    pdr_plan_free(plan);
    plan = plan_of(0, NULL, 0, NULL, NULL);
    pdr_plan_run(plan, NULL, NULL);
    pdr_plan_free(plan);
}

static void an_input_that_nothing_needs_may_be_listed(void **state)
{
    (void)state;
    const pdr_node in[] = {pdr_input(g, PDR_F32, PDR_SHAPE(3)),
                           pdr_input(g, PDR_F32, PDR_SHAPE(2))};
    pdr_node y = pdr_neg(g, in[1]);
    const float x[] = {1, 2};
    float out[2];
    pdr_plan *plan = plan_of(2, in, 1, &y, NULL);
    pdr_plan_run(plan, (const void *[]){NULL, x}, (void *[]){out});
    assert_true(out[0] == -1 && out[1] == -2);
    pdr_plan_free(plan);
}

/* x and y change places, z is passed round, w is updated from both. */
static void inputs_may_change_places(void **state)
{
    (void)state;
    enum { N = 70000 };
    const pdr_node in[] = {pdr_input(g, PDR_F32, PDR_SHAPE(N)), pdr_input(g, PDR_F32, PDR_SHAPE(N)),
                           pdr_input(g, PDR_F32, PDR_SHAPE(N)),
                           pdr_input(g, PDR_F32, PDR_SHAPE(N))};
    const pdr_node out[] = {in[1], in[2], pdr_flip(g, in[0], 0), pdr_add(g, in[3], in[0])};
    const int32_t over[] = {0, 1, 2, 3};
    float *v[4];
    for (int i = 0; i < 4; i++) v[i] = malloc(sizeof *v[i] * N);
    for (int p = 0; p < 4; p++) {
        pdr_plan *plan;
        assert_int_equal(pdr_plan_new(g, pools[p], 4, in, 4, out, over, &plan, NULL), PDR_OK);
        for (int i = 0; i < 4; i++)
            for (int e = 0; e < N; e++) v[i][e] = (float)(i * N + e);
        pdr_plan_run(plan, (const void *[]){v[0], v[1], v[2], v[3]},
                     (void *[]){v[0], v[1], v[2], v[3]});
        for (int e = 0; e < N; e++) {
            float want[] = {(float)(N + e), (float)(2 * N + e), (float)(N - 1 - e),
                            (float)(3 * N + e) + (float)e};
            for (int i = 0; i < 4; i++)
                if (v[i][e] != want[i]) fail_msg("input %d, element %d", i, e);
        }
        pdr_plan_free(plan);
    }
    for (int i = 0; i < 4; i++) free(v[i]);
}

/* An update in place must not cost a copy: most of a step's outputs are updates. */
static void an_update_is_written_in_place(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(1000)), d = pdr_input(g, PDR_F32, PDR_SHAPE(1000));
    pdr_node y = pdr_sub(g, x, pdr_scale(g, 0.1, d));
    const pdr_node in[] = {x, d};
    const int32_t over[] = {0};
    pdr_plan *plan = plan_of(2, in, 1, &y, over);
    if (!plan->low.plain) {
        assert_int_equal(plan->low.copies, 0);
        assert_int_equal(pdr_plan_measure(plan).arena_bytes, 0);
        assert_int_equal(pdr_plan_measure(plan).steps, 1);
    }
    pdr_plan_free(plan);
}

/* A product that is used after its operand has been written over is not left to its reader. */
static void a_pair_does_not_read_past_a_write(void **state)
{
    (void)state;
    enum { N = 100 };
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(N)), y = pdr_input(g, PDR_F32, PDR_SHAPE(N));
    pdr_node product = pdr_mul(g, x, y), next = pdr_add(g, x, y);
    const pdr_node in[] = {x, y}, out[] = {pdr_mul(g, pdr_add(g, product, y), next), next};
    const int32_t over[] = {-1, 0};
    pdr_plan *plan = plan_of(2, in, 2, out, over);
    float at_x[N], at_y[N], got[N];
    for (int i = 0; i < N; i++) {
        at_x[i] = (float)i;
        at_y[i] = 2;
    }
    pdr_plan_run(plan, (const void *const[]){at_x, at_y}, (void *const[]){got, at_x});
    for (int i = 0; i < N; i++) {
        assert_true(got[i] == (float)((2 * i + 2) * (i + 2)));
        assert_true(at_x[i] == (float)(i + 2));
    }
    if (!plan->low.plain) assert_int_equal(plan->low.copies, 0);
    pdr_plan_free(plan);
}

/* Four pieces of which two are asked for alone, a pad of a pad, pieces that overlap: one loop
 * each, whatever the order in which they are asked for, and zeros' signs as written. */
static void pieces_among_zeros_are_read_at_once(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(1, 2)), piece[4];
    for (int k = 0; k < 4; k++) piece[k] = pdr_pad(g, x, 1, 2 * k, 8, 1);
    pdr_node two = pdr_add(g, piece[0], piece[2]);
    pdr_node four = pdr_add(g, pdr_add(g, two, piece[1]), piece[3]);
    pdr_node border = pdr_pad(g, pdr_pad(g, x, 1, 1, 4, 1), 0, 1, 2, 1);
    pdr_node lapping = pdr_add(g, piece[0], pdr_pad(g, x, 1, 1, 8, 1));
    const pdr_node out[] = {pdr_mul(g, four, two), four, two, piece[3], border, lapping};
    static const float want[][8] = {{0, 9, 0, 0, 0, 9, 0, 0},     {0, 3, 0, 3, 0, 3, 0, 3},
                                    {0, 3, 0, 0, 0, 3, 0, 0},     {0, 0, 0, 0, 0, 0, -0.0f, 3},
                                    {0, 0, 0, 0, 0, -0.0f, 3, 0}, {0, 3, 3, 0, 0, 0, 0, 0}};
    const float in[] = {-0.0f, 3};
    float got[COUNT(want)][8];
    void *at[COUNT(want)];
    pdr_plan *plan = plan_of(1, &x, COUNT(out), out, NULL);
    if (plan_broken(plan)) fail_msg("%s", plan_broken(plan));
    if (!plan->low.plain) assert_int_equal(plan->low.steps, 1);
    for (size_t j = 0; j < COUNT(want); j++) at[j] = got[j];
    pdr_plan_run(plan, (const void *[]){in}, at);
    assert_memory_equal(got, want, sizeof want);
    pdr_plan_free(plan);
}

/* Half of x moves to where the other half was, in x itself. */
static void a_join_does_not_overwrite_what_it_reads(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(4));
    pdr_node y = pdr_pad(g, pdr_slice(g, x, 0, 0, 2, 1), 0, 2, 4, 1);
    float v[] = {1, 2, 3, 4};
    static const float want[] = {0, 0, 1, 2};
    pdr_plan *plan = plan_of(1, &x, 1, &y, (const int32_t[]){0});
    pdr_plan_run(plan, (const void *[]){v}, (void *[]){v});
    assert_memory_equal(v, want, sizeof want);
    pdr_plan_free(plan);
}

/* Zeros in front of all tasks' products: what a task reads is not its own then. */
static void a_join_along_tasks_is_no_task(void **state)
{
    (void)state;
    enum { TASKS = 4, EACH = 64 };
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(TASKS, 8, 8));
    pdr_node y = pdr_neg(g, pdr_pad(g, pdr_dot(g, x, x), 0, TASKS, 2 * TASKS, 1));
    float in[TASKS * EACH], got[2 * TASKS * EACH];
    for (int i = 0; i < TASKS * EACH; i++) in[i] = (float)(1 + i / EACH);
    pdr_plan *plan = plan_of(1, &x, 1, &y, NULL);
    if (plan_broken(plan)) fail_msg("%s", plan_broken(plan));
    pdr_plan_run(plan, (const void *[]){in}, (void *[]){got});
    for (int i = 0; i < 2 * TASKS * EACH; i++) {
        int task = i / EACH - TASKS;
        float want = task < 0 ? 0 : (float)(-8 * (task + 1) * (task + 1));
        if (got[i] != want) fail_msg("element %d is %g, not %g", i, (double)got[i], (double)want);
    }
    pdr_plan_free(plan);
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

static void assert_refused(pdr_pool *pool, size_t n_in, const pdr_node in[], size_t n_out,
                           const pdr_node out[], const int32_t over[], const char *says)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan = (pdr_plan *)(uintptr_t)8;
    assert_int_equal(pdr_plan_new(g, pool, n_in, in, n_out, out, over, &plan, &err), PDR_USAGE);
    assert_null(plan);
    assert_string_equal(err.text, says);
    assert_int_equal(err.rc, PDR_USAGE);
}

static void a_plan_says_what_it_refuses(void **state)
{
    (void)state;
    const pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(3)), y = pdr_exp(g, x), none = {0};
    const pdr_node twice[] = {x, x}, with_null[] = {x, none}, two[] = {y, pdr_log(g, x)};
    const int32_t far[] = {1}, low[] = {-2}, both[] = {0, 0};
    const pdr_node one = pdr_scalar(g, 1);
    assert_refused(NULL, 1, &x, 1, &y, NULL, "plan: there is no pool");
    assert_refused(pools[0], 1, &y, 1, &y, NULL, "plan: in[0] is not an input");
    assert_refused(pools[0], 2, with_null, 1, &y, NULL, "plan: in[1] is null");
    assert_refused(pools[0], 2, twice, 1, &y, NULL, "plan: in[1] is listed twice");
    assert_refused(pools[0], 0, NULL, 1, &y, NULL, "plan: input %1 is needed and not listed");
    assert_refused(pools[0], 1, &x, 2, with_null, NULL, "plan: out[1] is null");
    assert_refused(pools[0], 1, &x, 1, &y, far, "plan: over[0] is 1; give an input, 0 to 0, or -1");
    assert_refused(pools[0], 1, &x, 1, &y, low,
                   "plan: over[0] is -2; give an input, 0 to 0, or -1");
    assert_refused(pools[0], 1, &x, 2, two, both, "plan: out[0] and out[1] both replace in[0]");
    assert_refused(pools[0], 1, &x, 1, &one, both,
                   "plan: out[0] of shape [] cannot replace in[0] of shape [3]");
}

static void a_plan_passes_on_the_graphs_error(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(3)), y = pdr_exp(g, x);
    pdr_graph_fail(g, "the first thing that went wrong");
    assert_refused(pools[0], 1, &x, 1, &y, NULL, "the first thing that went wrong");
}

/* ---- running and printing
 * ------------------------------------------------------------------------- */

static void running_allocates_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        meter m;
        any_graph a;
        pdr_plan *plan;
        const void *in[ANY_INPUTS];
        void *out[ANY_OUTPUTS];
        meter_start(&m);
        any_graph_open(&a, &m.alloc, seed);
        assert_int_equal(
            pdr_plan_new(a.g, pools[2], a.n_in, a.in, a.n_out, a.out, NULL, &plan, NULL), PDR_OK);
        for (size_t i = 0; i < a.n_in; i++) in[i] = calloc((size_t)any_elements(&a, a.in[i]), 4);
        for (size_t j = 0; j < a.n_out; j++) out[j] = calloc((size_t)any_elements(&a, a.out[j]), 4);
        size_t before = m.requests;
        for (int run = 0; run < 3; run++) pdr_plan_run(plan, in, out);
        assert_int_equal(m.requests, before);
        for (size_t i = 0; i < a.n_in; i++) free((void *)(uintptr_t)in[i]);
        for (size_t j = 0; j < a.n_out; j++) free(out[j]);
        pdr_plan_free(plan);
        any_graph_close(&a);
        assert_null(meter_trouble(&m));
    }
}

static void a_plan_outlives_its_graph(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(2, 2));
    pdr_graph_label(g, "square");
    pdr_node y = pdr_tanh(g, pdr_dot(g, x, x));
    const float v[] = {1, 0, 0, 0.5f};
    float out[4];
    pdr_plan *plan = plan_of(1, &x, 1, &y, NULL);
    pdr_graph_free(g);
    g = pdr_graph_new(NULL);
    pdr_plan_run(plan, (const void *[]){v}, (void *[]){out});
    assert_true(out[1] == 0 && fabsf(out[0] - tanhf(1)) < 1e-6f);
    char *text = pdr_plan_print(plan);
    assert_non_null(strstr(text, "; square"));
    pdi_free(&pdi_malloc, text);
    pdr_plan_free(plan);
}

static void a_plan_prints_as_a_table(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(32, 784)),
             w = pdr_input(g, PDR_F32, PDR_SHAPE(10, 784));
    const pdr_node in[] = {x, w};
    pdr_graph_label(g, "head");
    pdr_node y = pdr_sum(g, pdr_tanh(g, pdr_dot(g, x, w)), 1);
    setenv("PERDURE_ISA", "ref", 1);
    pdr_plan *plan = plan_of(2, in, 1, &y, NULL);
    unsetenv("PERDURE_ISA");
    char *text = pdr_plan_print(plan);
    if (!plan->low.plain)
        assert_string_equal(
            text, "3 steps, 5.024e+05 flop a run, arena 2560 bytes (2560 unshared), kernels ref\n"
                  "   0  dot           [32,10]  [32,784] x [10,784]  @0  5.018e+05 flop  ; head\n"
                  "   1  loop              320  tanh  320 flop  ; head\n"
                  "   2  sum              [10]  [32,10]  320 flop  ; head\n");
    pdi_free(&pdi_malloc, text);
    pdr_plan_free(plan);
}

static void the_arena_is_shared(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(64, 64)), y = x;
    for (int k = 0; k < 20; k++) y = pdr_dot(g, y, x);
    y = pdr_sum_all(g, y);
    pdr_plan *plan = plan_of(1, &x, 1, &y, NULL);
    pdr_plan_stats s = pdr_plan_measure(plan);
    if (!plan->low.plain) { /* which makes the output there too */
        assert_int_equal(s.values_bytes, (20 + 1) * 64 * 64 * 4);
        assert_int_equal(s.arena_bytes, 3 * 64 * 64 * 4); /* one read, one written; x, packed */
    }
    pdr_plan_free(plan);
}

/* ---- chains ------------------------------------------------------------------------ */

/* The place of what step s makes: of a loop, the last of it. */
static pdi_place chain_place_of(const pdr_plan *p, int32_t s)
{
    int32_t out = p->low.step[s].out;
    for (size_t e = 0; e < p->low.entries; e++)
        if (p->low.entry[e].step == s) out = p->low.entry[e].out;
    return p->low.buffer[out].place;
}

static void rows_of_a_product_go_on_as_a_chain(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(64, 48)),
             w = pdr_input(g, PDR_F32, PDR_SHAPE(40, 48));
    const pdr_node in[] = {x, w};
    pdr_node y = pdr_sum(g, pdr_tanh(g, pdr_dot(g, x, w)), 2); /* along rows */
    pdr_plan *plan = plan_of(2, in, 1, &y, NULL);
    if (!plan->low.plain) {
        assert_int_equal(plan->low.chains, 1); /* pack | product, tanh, sum */
        const pdi_chain *c = plan->low.chain;
        assert_true(c->first == 1 && c->end == 4 && c->rows == 64);
        assert_int_equal(chain_place_of(plan, 1), PDI_AT_CHAIN);
        assert_int_equal(chain_place_of(plan, 2), PDI_AT_CHAIN);
        assert_int_equal(chain_place_of(plan, 3), PDI_AT_OUTPUT);
    }
    pdr_plan_free(plan);
}

/* p <- p - a b^T as the product makes its rows; but not before c p^T has read p. */
static void a_parameter_is_updated_where_its_gradient_is_made(void **state)
{
    (void)state;
    pdr_node p = pdr_input(g, PDR_F32, PDR_SHAPE(64, 32)),
             a = pdr_input(g, PDR_F32, PDR_SHAPE(8, 64)),
             b = pdr_input(g, PDR_F32, PDR_SHAPE(8, 32)),
             c = pdr_input(g, PDR_F32, PDR_SHAPE(20, 32));
    const pdr_node in[] = {p, a, b, c};
    pdr_node d = pdr_dot(g, pdr_swap_last(g, a), pdr_swap_last(g, b));
    pdr_node late = pdr_dot(g, c, p);
    const pdr_node out[] = {pdr_sub(g, p, d), late};
    const int32_t over[] = {0, -1}, alone[] = {0};
    pdr_plan *plan = plan_of(3, in, 1, out, alone);
    if (!plan->low.plain) assert_true(plan->low.chains == 1 && plan->low.copies == 0);
    pdr_plan_free(plan);
    plan = plan_of(4, in, 2, out, over);
    if (!plan->low.plain) assert_true(plan->low.chains == 0 && plan->low.copies == 0);
    pdr_plan_free(plan);
}

/* Two products with the same second operand read one copy of it. */
static void a_second_operand_is_packed_once(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(64, 48)),
             w = pdr_input(g, PDR_F32, PDR_SHAPE(40, 48));
    const pdr_node in[] = {x, w};
    const pdr_node out[] = {pdr_dot(g, x, w), pdr_dot(g, pdr_neg(g, x), w)};
    pdr_plan *plan = plan_of(2, in, 2, out, NULL);
    int packs = 0;
    for (size_t s = 0; s < plan->low.steps; s++) packs += plan->low.step[s].op == PDI_STEP_PACK;
    assert_int_equal(packs, plan->low.plain ? 0 : 1);
    pdr_plan_free(plan);
}

/* The gradient of a weight that is used in twenty places takes the memory of a few. */
static void many_products_are_added_up_as_they_come(void **state)
{
    (void)state;
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(8, 64)), sum = {0};
    for (int k = 0; k < 20; k++) {
        pdr_node xk = pdr_swap_last(g, pdr_scale(g, k + 1, x)), d = pdr_dot(g, xk, xk);
        sum = k ? pdr_add(g, sum, d) : d;
    }
    pdr_plan *plan = plan_of(1, &x, 1, &sum, NULL);
    size_t each = 64 * 64 * 4;
    if (!plan->low.plain) assert_true(pdr_plan_measure(plan).arena_bytes < 6 * each);
    pdr_plan_free(plan);
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, graph_open, graph_close)

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--any")) {
        pools_open(NULL);
        int broken = any_run(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
                             !strcmp(argv[3], "1"));
        pools_close(NULL);
        return broken != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_graph_keeps_every_promise),
        cmocka_unit_test(random_graphs_draw_every_operator),
        PLAN_TEST(outputs_may_be_inputs_constants_views_and_the_same),
        PLAN_TEST(a_plan_without_inputs_or_outputs_runs),
        PLAN_TEST(an_input_that_nothing_needs_may_be_listed),
        PLAN_TEST(inputs_may_change_places),
        PLAN_TEST(an_update_is_written_in_place),
        PLAN_TEST(a_pair_does_not_read_past_a_write),
        PLAN_TEST(pieces_among_zeros_are_read_at_once),
        PLAN_TEST(a_join_does_not_overwrite_what_it_reads),
        PLAN_TEST(a_join_along_tasks_is_no_task),
        PLAN_TEST(a_plan_says_what_it_refuses),
        PLAN_TEST(a_plan_passes_on_the_graphs_error),
        PLAN_TEST(running_allocates_nothing),
        PLAN_TEST(a_plan_outlives_its_graph),
        PLAN_TEST(a_plan_prints_as_a_table),
        PLAN_TEST(the_arena_is_shared),
        PLAN_TEST(rows_of_a_product_go_on_as_a_chain),
        PLAN_TEST(a_parameter_is_updated_where_its_gradient_is_made),
        PLAN_TEST(a_second_operand_is_packed_once),
        PLAN_TEST(many_products_are_added_up_as_they_come),
    };
    return cmocka_run_group_tests(tests, pools_open, pools_close);
}
