/* test_opt.c -- optimisers, clipping, schedules, and a network that learns. */
#include <perdure/nn.h>
#include <perdure/opt.h>
#include <perdure/plan.h>
#include <stdio.h>

#include "nn/layers.h"
#include "op_row.h"
#include "opt/optimizers.h"
#include "oracle.h"

/* ---- choosing an optimiser ---------------------------------------------------------- */

enum { SELF = 64 };

static pdr_choice choose(const char *name, const char *set, double self[SELF / 8])
{
    pdr_error err = PDR_NO_ERROR;
    for (size_t k = 0; pdi_optimizers[k]; k++) {
        const pdr_kind *kind = &pdi_optimizers[k]->kind;
        if (strcmp(kind->name, name)) continue;
        assert_true(kind->self_size <= SELF);
        pdr_option_defaults(kind->options, self);
        for (size_t n; *set; set += n + strspn(set + n, " ")) {
            char word[64];
            n = strcspn(set, " ");
            snprintf(word, sizeof word, "%.*s", (int)n, set);
            char *value = strchr(word, '=');
            *value++ = 0;
            if (pdr_option_set(pdr_option_find(kind->options, word), self, value, &err))
                fail_msg("%s", err.text);
        }
        return (pdr_choice){kind, self};
    }
    fail_msg("there is no optimiser '%s'", name);
    return (pdr_choice){NULL, NULL};
}

/* ---- the rules, written again by hand ---------------------------------------------------- */

enum { PARAMS = 2, SIZE = 6, STEPS = 50 };

/* Two parameters of SIZE numbers, the first a weight, the second not. */
typedef struct hand {
    double theta[PARAMS][SIZE], m[PARAMS][SIZE], v[PARAMS][SIZE];
    int t;
} hand;

typedef void (*hand_step)(hand *h, int p, int i, double g, double rate);

static void hand_sgd(hand *h, int p, int i, double g, double rate) { h->theta[p][i] -= rate * g; }

static void hand_sgd_decay(hand *h, int p, int i, double g, double rate)
{
    h->theta[p][i] -= rate * (g + (p ? 0 : 0.1 * h->theta[p][i]));
}

static void hand_momentum(hand *h, int p, int i, double g, double rate)
{
    h->v[p][i] = 0.9 * h->v[p][i] + g;
    h->theta[p][i] -= rate * h->v[p][i];
}

static void hand_nesterov(hand *h, int p, int i, double g, double rate)
{
    h->v[p][i] = 0.9 * h->v[p][i] + g;
    h->theta[p][i] -= rate * (g + 0.9 * h->v[p][i]);
}

/* Algorithm 1 of the paper, with its two bias-corrected moments. */
static void hand_adam_with(hand *h, int p, int i, double g, double rate, double b1, double b2,
                           double epsilon)
{
    h->m[p][i] = b1 * h->m[p][i] + (1 - b1) * g;
    h->v[p][i] = b2 * h->v[p][i] + (1 - b2) * g * g;
    double mean = h->m[p][i] / (1 - pow(b1, h->t)), square = h->v[p][i] / (1 - pow(b2, h->t));
    h->theta[p][i] -= rate * mean / (sqrt(square) + epsilon);
}

static void hand_adam(hand *h, int p, int i, double g, double rate)
{
    hand_adam_with(h, p, i, g, rate, 0.9, 0.999, 1e-8);
}

static void hand_adam_other(hand *h, int p, int i, double g, double rate)
{
    hand_adam_with(h, p, i, g + (p ? 0 : 0.2 * h->theta[p][i]), rate, 0.5, 0.8, 0.1);
}

static void hand_adamw(hand *h, int p, int i, double g, double rate)
{
    if (p == 0) h->theta[p][i] -= rate * 0.01 * h->theta[p][i];
    hand_adam_with(h, p, i, g, rate, 0.9, 0.999, 1e-8);
}

static const struct rule {
    const char *name, *set;
    hand_step by_hand;
    size_t states;
} rules[] = {
    {"sgd", "", hand_sgd, 0},
    {"sgd", "weight_decay=0.1", hand_sgd_decay, 0},
    {"sgd", "momentum=0.9", hand_momentum, PARAMS},
    {"sgd", "momentum=0.9 nesterov=true", hand_nesterov, PARAMS},
    {"adam", "", hand_adam, 2 + 2 * PARAMS},
    {"adam", "beta1=0.5 beta2=0.8 epsilon=0.1 weight_decay=0.2", hand_adam_other, 2 + 2 * PARAMS},
    {"adamw", "", hand_adamw, 2 + 2 * PARAMS},
};

enum { STATES = 2 + 2 * PARAMS };

/* One step as a graph.  Inputs: rate, parameters, gradients, state. */
typedef struct stepper {
    oracle *s;
    size_t states;
    pdr_node next[PARAMS + STATES]; /* parameters, then state */
} stepper;

static stepper stepper_new(const struct rule *r)
{
    static const bool is_weight[PARAMS] = {true, false};
    double self[SELF / 8];
    pdr_choice o = choose(r->name, r->set, self);
    pdr_shape shape[PARAMS] = {PDR_SHAPE(SIZE), PDR_SHAPE(SIZE)};
    stepper p = {.s = oracle_new(1), .states = pdr_optimizer_states(&o, PARAMS)};
    assert_int_equal(p.states, r->states);
    pdr_node rate = oracle_input(p.s, PDR_F32, PDR_SCALAR, 0, 0);
    for (int k = 0; k < 2 * PARAMS; k++) oracle_input(p.s, PDR_F32, PDR_SHAPE(SIZE), -1, 1);
    const pdr_node *theta = p.s->in + 1, *grad = theta + PARAMS, *state = grad + PARAMS;
    for (size_t k = 0; k < p.states; k++) {
        float start;
        pdr_shape of = pdr_optimizer_state(&o, PARAMS, shape, k, &start);
        assert_true(start == (of.rank == 0 ? 1.0f : 0.0f));
        oracle_input(p.s, PDR_F32, of, (double)start, (double)start);
    }
    pdr_optimizer_update(&o, p.s->g, PARAMS, theta, grad, is_weight, rate, state, p.next,
                         p.next + PARAMS);
    assert_null(pdr_graph_error(p.s->g));
    return p;
}

/* Fresh gradients, and a rate that changes. */
static void stepper_draw(stepper *p, int t)
{
    oracle *s = p->s;
    s->val[0][0] = (double)(0.01f * (float)(1 + t % 3));
    for (int k = 1 + PARAMS; k < 1 + 2 * PARAMS; k++)
        for (int i = 0; i < SIZE; i++) s->val[k][i] = (double)(2 * pdr_rng_uniform(&s->rng) - 1);
}

/* Input k in f32. */
static float *stepper_floats(const stepper *p, size_t k)
{
    pdr_shape shape = pdr_node_shape(p->s->g, p->s->in[k]);
    int64_t n = pdr_shape_size(&shape);
    float *v = oracle_array(n, sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = (float)p->s->val[k][i];
    return v;
}

/* The input that output k of next[] replaces. */
static size_t stepper_place(size_t k) { return k < PARAMS ? 1 + k : 1 + PARAMS + k; }

static void optimisers_follow_the_rules_for_50_steps(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT(rules); r++) {
        stepper p = stepper_new(&rules[r]);
        oracle *s = p.s;
        hand h = {.t = 0};
        for (int k = 0; k < PARAMS; k++) memcpy(h.theta[k], s->val[1 + k], sizeof h.theta[k]);
        while (h.t++ < STEPS) {
            double *next[PARAMS + STATES];
            stepper_draw(&p, h.t);
            for (int k = 0; k < PARAMS; k++)
                for (int i = 0; i < SIZE; i++)
                    rules[r].by_hand(&h, k, i, s->val[1 + PARAMS + k][i], s->val[0][0]);
            for (size_t k = 0; k < PARAMS + p.states; k++) next[k] = oracle_eval(s, p.next[k]);
            for (size_t k = 0; k < PARAMS + p.states; k++) {
                free(s->val[stepper_place(k)]);
                s->val[stepper_place(k)] = next[k];
            }
        }
        for (int k = 0; k < PARAMS; k++)
            for (int i = 0; i < SIZE; i++)
                if (!(fabs(s->val[1 + k][i] - h.theta[k][i]) < 1e-12))
                    fail_msg("%s %s: theta[%d][%d] is %.15g, by hand %.15g", rules[r].name,
                             rules[r].set, k, i, s->val[1 + k][i], h.theta[k][i]);
        oracle_free(s);
    }
}

/* The same through a plan that writes parameters and state where they are. */
static void optimisers_in_place_stay_near_the_rules(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT(rules); r++) {
        stepper p = stepper_new(&rules[r]);
        oracle *s = p.s;
        hand h = {.t = 0};
        pdr_error err = PDR_NO_ERROR;
        pdr_pool *pool = pdr_pool_new(NULL, 1);
        pdr_plan *plan;
        int32_t over[PARAMS + STATES];
        void *value[ORACLE_IN], *out[PARAMS + STATES];
        for (size_t k = 0; k < s->n; k++) value[k] = stepper_floats(&p, k);
        for (size_t k = 0; k < PARAMS + p.states; k++) {
            over[k] = (int32_t)stepper_place(k);
            out[k] = value[over[k]];
        }
        if (pdr_plan_new(s->g, pool, s->n, s->in, PARAMS + p.states, p.next, over, &plan, &err))
            fail_msg("%s", err.text);
        for (int k = 0; k < PARAMS; k++) memcpy(h.theta[k], s->val[1 + k], sizeof h.theta[k]);
        while (h.t++ < STEPS) {
            stepper_draw(&p, h.t);
            *(float *)value[0] = (float)s->val[0][0];
            for (int k = 0; k < PARAMS; k++)
                for (int i = 0; i < SIZE; i++) {
                    double g = s->val[1 + PARAMS + k][i];
                    ((float *)value[1 + PARAMS + k])[i] = (float)g;
                    rules[r].by_hand(&h, k, i, g, s->val[0][0]);
                }
            pdr_plan_run(plan, (const void *const *)value, out);
        }
        for (int k = 0; k < PARAMS; k++)
            for (int i = 0; i < SIZE; i++)
                assert_true(fabs((double)((float *)value[1 + k])[i] - h.theta[k][i]) < 2e-5);
        pdr_plan_free(plan);
        pdr_pool_free(pool);
        for (size_t k = 0; k < s->n; k++) free(value[k]);
        oracle_free(s);
    }
}

static void options_give_the_base_rate(void **state)
{
    (void)state;
    double self[SELF / 8];
    pdr_choice o = choose("sgd", "", self);
    assert_true(pdr_optimizer_rate(&o) == 0.01);
    o = choose("adam", "rate=0.25", self);
    assert_true(pdr_optimizer_rate(&o) == 0.25);
    for (size_t k = 0; pdi_optimizers[k]; k++) {
        const pdr_option *row = pdr_option_find(pdi_optimizers[k]->kind.options, "rate");
        assert_non_null(row);
        assert_true(row->type == PDR_REAL && row->at == 0);
    }
}

static void a_gradient_of_another_shape_is_refused(void **state)
{
    (void)state;
    double self[SELF / 8];
    pdr_choice o = choose("sgd", "", self);
    pdr_graph *g = pdr_graph_new(NULL);
    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(3, 2)), d = pdr_input(g, PDR_F32, PDR_SHAPE(2));
    pdr_node rate = pdr_scalar(g, 1), next;
    pdr_optimizer_update(&o, g, 1, &x, &d, NULL, rate, NULL, &next, NULL);
    assert_int_equal(next.id, 0);
    assert_string_equal(pdr_graph_error(g), "optimizer: parameter 0 is [3,2], its gradient [2]");
    pdr_graph_free(g);
}

/* ---- updates and clipping are functions, and keep every promise of one ---------------------- */

/* with: the optimiser.  x: theta, data, rate, and where it starts with one, the slot.
 * Two steps on a loss of theta: what learning to learn differentiates. */
static pdr_node make_steps(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    const struct rule *rule = row->with;
    double self[SELF / 8];
    pdr_choice o = choose(rule->name, rule->set, self);
    pdr_node theta = x[0], next, d, state[2][4];
    pdr_shape shape = row->in[0].shape;
    for (size_t k = 0; k < pdr_optimizer_states(&o, 1); k++) {
        float start;
        pdr_shape of = pdr_optimizer_state(&o, 1, &shape, k, &start);
        state[0][k] = of.rank ? x[3] : pdr_fill(g, of, (double)start);
    }
    for (int t = 0; t < 2; t++) {
        pdr_node loss = pdr_sum_all(g, pdr_sin(g, pdr_mul(g, theta, x[1])));
        pdr_grad(g, loss, 1, &theta, &d);
        pdr_optimizer_update(&o, g, 1, &theta, &d, NULL, x[2], state[t], &next, state[!t]);
        theta = next;
    }
    return theta;
}

static pdr_node make_clip_norm(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node grad[2] = {x[0], x[1]};
    pdr_clip_norm(g, 2, grad, row->p[0]);
    return pdr_concat(g, grad[0], grad[1], 0);
}

static void want_clip_norm(const op_case *c)
{
    int32_t n = c->in_shape[0].dim[0], m = c->in_shape[1].dim[0];
    double square = 0, bound = c->row->p[0];
    for (int32_t i = 0; i < n + m; i++) c->out[i] = i < n ? c->in[0][i] : c->in[1][i - n];
    for (int32_t i = 0; i < n + m; i++) square += c->out[i] * c->out[i];
    for (int32_t i = 0; i < n + m && sqrt(square) > bound; i++) c->out[i] *= bound / sqrt(square);
}

static pdr_node make_clip_value(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node grad = x[0];
    pdr_clip_value(g, 1, &grad, row->p[0] + 0.5);
    return grad;
}

static void want_clip_value(const op_case *c)
{
    double bound = c->row->p[0] + 0.5;
    for (int64_t i = 0; i < pdr_shape_size(&c->shape); i++)
        c->out[i] = fmin(fmax(c->in[0][i], -bound), bound);
}

static const struct rule plain = {"sgd", "weight_decay=0.1", NULL, 0},
                         nesterov = {"sgd", "momentum=0.9 nesterov=true", NULL, 0},
                         adam = {"adam", "epsilon=0.1", NULL, 0},
                         adamw = {"adamw", "epsilon=0.1", NULL, 0};

static const op_row rows[] = {
    OP_ROW_UNTOLD("sgd", steps, IN(NORMAL(5), NORMAL(5), SCALAR(POSITIVE)), .with = &plain,
                  .flags = OP_THIRD),
    OP_ROW_UNTOLD("nesterov", steps, IN(NORMAL(5), NORMAL(5), SCALAR(POSITIVE), NORMAL(5)),
                  .with = &nesterov),
    OP_ROW_UNTOLD("adam", steps, IN(NORMAL(5), NORMAL(5), SCALAR(POSITIVE), POSITIVE(5)),
                  .with = &adam),
    OP_ROW_UNTOLD("adamw", steps, IN(NORMAL(5), NORMAL(5), SCALAR(POSITIVE), POSITIVE(5)),
                  .with = &adamw),
    OP_ROW("clip_norm, beyond the bound", clip_norm, IN(DISTINCT(9), DISTINCT(12)), .p = {1},
           .flags = OP_THIRD),
    OP_ROW("clip_norm, within the bound", clip_norm, IN(DISTINCT(9), DISTINCT(12)), .p = {1000}),
    OP_ROW("clip_value", clip_value, IN(DISTINCT(40)), .p = {1}),
};

static void updates_and_clipping_keep_every_promise(void **state)
{
    (void)state;
    OP_ROWS_KEEP(rows);
}

static void clipping_keeps_the_bits_of_what_is_within_the_bound(void **state)
{
    (void)state;
    oracle *s = oracle_new(1);
    pdr_node x = oracle_input(s, PDR_F32, PDR_SHAPE(40), -1, 1), norm = x, value = x;
    pdr_clip_norm(s->g, 1, &norm, 40.1);
    pdr_clip_value(s->g, 1, &value, 1.1);
    double *a = oracle_eval(s, norm), *b = oracle_eval(s, value);
    assert_memory_equal(a, s->val[0], 40 * sizeof *a);
    assert_memory_equal(b, s->val[0], 40 * sizeof *b);
    free(a);
    free(b);
    oracle_free(s);
}

static void clipping_hides_no_nan_and_is_smooth_at_zero(void **state)
{
    (void)state;
    oracle *s = oracle_new(1);
    pdr_node x = oracle_input(s, PDR_F32, PDR_SHAPE(3), 0, 0), norm = x, value = x, d;
    pdr_clip_norm(s->g, 1, &norm, 2);
    pdr_clip_value(s->g, 1, &value, 2);
    pdr_grad(s->g, pdr_sum_all(s->g, norm), 1, &x, &d);
    double *slope = oracle_eval(s, d);
    for (int i = 0; i < 3; i++) assert_true(slope[i] == 1);
    s->val[0][1] = NAN;
    double *a = oracle_eval(s, norm), *b = oracle_eval(s, value);
    assert_true(isnan(a[1]) && isnan(b[1]) && b[0] == 0);
    free(slope);
    free(a);
    free(b);
    oracle_free(s);
}

static void clipping_to_nothing_is_refused(void **state)
{
    (void)state;
    pdr_graph *g = pdr_graph_new(NULL), *h = pdr_graph_new(NULL);
    pdr_clip_norm(g, 0, NULL, 0);
    pdr_clip_value(h, 0, NULL, -1);
    assert_string_equal(pdr_graph_error(g), "clip_norm: the bound must be above 0");
    assert_string_equal(pdr_graph_error(h), "clip_value: the bound must be above 0");
    pdr_graph_free(g);
    pdr_graph_free(h);
}

/* ---- schedules ------------------------------------------------------------------------------- */

static void schedules_have_their_closed_forms(void **state)
{
    (void)state;
    enum { W = 10, TOTAL = 110 };
    for (int kind = PDR_SCHEDULE_CONSTANT; kind <= PDR_SCHEDULE_LINEAR; kind++) {
        pdr_schedule c = {kind, W, 0.5, 20};
        for (int64_t step = 0; step < TOTAL + 5; step++) {
            double s = (double)(step - W), want = 1, got = pdr_schedule_factor(&c, step, TOTAL);
            double part = s / (TOTAL - W) < 1 ? s / (TOTAL - W) : 1;
            if (kind == PDR_SCHEDULE_STEP) want = pow(0.5, floor(s / 20));
            if (kind == PDR_SCHEDULE_EXPONENTIAL) want = exp(log(0.5) * s / 20);
            if (kind == PDR_SCHEDULE_COSINE) want = pow(cos(acos(-1.0) * part / 2), 2);
            if (kind == PDR_SCHEDULE_LINEAR) want = (100 - s) / 100 > 0 ? (100 - s) / 100 : 0;
            if (step < W) want = (double)(step + 1) / W;
            assert_true(fabs(got - want) < 1e-12);
        }
    }
}

static void schedules_start_full_and_end_at_zero(void **state)
{
    (void)state;
    for (int kind = PDR_SCHEDULE_CONSTANT; kind <= PDR_SCHEDULE_LINEAR; kind++) {
        pdr_schedule c = {kind, 0, 0.1, 0};
        assert_true(pdr_schedule_factor(&c, 0, 100) == 1);
        double end = pdr_schedule_factor(&c, 100, 100);
        if (kind >= PDR_SCHEDULE_COSINE) assert_true(fabs(end) < 1e-15);
        if (kind == PDR_SCHEDULE_CONSTANT) assert_true(end == 1);
        c.warmup = 200; /* longer than the run */
        assert_true(pdr_schedule_factor(&c, 99, 100) == 0.5);
    }
}

/* ---- a network that learns ----------------------------------------------------------------------
 */

enum {
    BATCH = 64,
    TENSORS = 6,                      /* of the model 2-32-32-2 */
    HELD = TENSORS + 2 + 2 * TENSORS, /* with Adam's state: what a step replaces */
    FIRST = 3,                        /* inputs before them: x, label, rate */
    INPUTS = FIRST + HELD
};

typedef struct training {
    pdr_graph *g;
    pdr_node in[INPUTS], out[HELD + 1]; /* the last output is the loss */
    float *value[INPUTS];
} training;

static void training_input(training *t, int i, pdr_type type, pdr_shape shape)
{
    t->value[i] = oracle_array(pdr_shape_size(&shape), 4);
    t->in[i] = pdr_input(t->g, type, shape);
}

/* Points of the square, labelled by the sign of x y. */
static void training_data(training *t)
{
    pdr_rng r = {.seed = 4, .stream = PDR_STREAM_TEST};
    training_input(t, 0, PDR_F32, PDR_SHAPE(BATCH, 2));
    training_input(t, 1, PDR_I32, PDR_SHAPE(BATCH));
    training_input(t, 2, PDR_F32, PDR_SCALAR);
    for (int i = 0; i < 2 * BATCH; i++) t->value[0][i] = 2 * pdr_rng_uniform(&r) - 1;
    for (int i = 0; i < BATCH; i++)
        ((int32_t *)(void *)t->value[1])[i] = t->value[0][2 * i] * t->value[0][2 * i + 1] > 0;
    *t->value[2] = 0.01f;
}

static void training_build(training *t, const pdr_model *m)
{
    double self[SELF / 8];
    pdr_choice o = choose("adam", "", self);
    pdr_shape shape[TENSORS];
    pdr_node *theta = t->in + FIRST, *state = theta + TENSORS, grad[TENSORS];
    for (int i = 0; i < TENSORS; i++) {
        const pdr_param *p = pdr_model_param(m, (size_t)i);
        training_input(t, FIRST + i, PDR_F32, shape[i] = p->shape);
        pdr_param_init(p, 5, (uint32_t)i, t->value[FIRST + i]);
    }
    for (int i = TENSORS; i < HELD; i++) {
        float start;
        pdr_shape s = pdr_optimizer_state(&o, TENSORS, shape, (size_t)(i - TENSORS), &start);
        training_input(t, FIRST + i, PDR_F32, s);
        t->value[FIRST + i][0] = start;
    }
    pdr_apply a = {.param = theta, .training = true};
    pdr_node logits = pdr_model_apply(m, t->g, &a, t->in[0]);
    t->out[HELD] = pdr_mean_all(t->g, pdr_cross_entropy(t->g, logits, t->in[1]));
    pdr_grad(t->g, t->out[HELD], TENSORS, theta, grad);
    pdr_clip_norm(t->g, TENSORS, grad, 5);
    pdr_optimizer_update(&o, t->g, TENSORS, theta, grad, NULL, t->in[2], state, t->out,
                         t->out + TENSORS);
}

/* Train; the parameters and the state stay in t.  The last loss. */
static double training_run(training *t, const pdr_model *m, int threads, int steps, double *first)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_pool *pool = pdr_pool_new(NULL, threads);
    pdr_plan *plan;
    int32_t over[HELD + 1];
    void *out[HELD + 1];
    float loss = 0;
    *t = (training){.g = pdr_graph_new(NULL)};
    training_data(t);
    training_build(t, m);
    for (int i = 0; i < HELD; i++) {
        over[i] = FIRST + i;
        out[i] = t->value[FIRST + i];
    }
    over[HELD] = -1;
    out[HELD] = &loss;
    if (pdr_plan_new(t->g, pool, INPUTS, t->in, HELD + 1, t->out, over, &plan, &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < steps; i++) {
        pdr_plan_run(plan, (const void *const *)t->value, out);
        if (i == 0) *first = (double)loss;
    }
    pdr_plan_free(plan);
    pdr_pool_free(pool);
    return (double)loss;
}

static void training_free(training *t)
{
    for (int i = 0; i < INPUTS; i++) free(t->value[i]);
    pdr_graph_free(t->g);
}

static pdr_model *training_model(void)
{
    struct {
        int64_t units;
        int init;
        bool bias;
    } dense = {32, PDR_INIT_GLOROT_UNIFORM, true};
    const pdr_choice wide = {&pdi_layer_dense.kind, &dense}, tanh = {&pdi_layer_tanh.kind, NULL};
    pdr_error err = PDR_NO_ERROR;
    pdr_model *m;
    if (pdr_model_new(NULL, 4, (pdr_choice[]){wide, tanh, wide, tanh}, PDR_SHAPE(2), 2, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static void a_network_learns_exclusive_or_on_any_number_of_threads(void **state)
{
    (void)state;
    pdr_model *m = training_model();
    training t[3];
    for (int k = 0; k < 3; k++) {
        double first, last = training_run(&t[k], m, k + 1, 200, &first);
        assert_true(first > 0.5 && last < 0.05);
        for (int i = FIRST; i < INPUTS; i++) {
            pdr_shape s = pdr_node_shape(t[k].g, t[k].in[i]);
            assert_memory_equal(t[0].value[i], t[k].value[i], 4 * (size_t)pdr_shape_size(&s));
        }
    }
    for (int k = 0; k < 3; k++) training_free(&t[k]);
    pdr_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimisers_follow_the_rules_for_50_steps),
        cmocka_unit_test(optimisers_in_place_stay_near_the_rules),
        cmocka_unit_test(options_give_the_base_rate),
        cmocka_unit_test(a_gradient_of_another_shape_is_refused),
        cmocka_unit_test(updates_and_clipping_keep_every_promise),
        cmocka_unit_test(clipping_keeps_the_bits_of_what_is_within_the_bound),
        cmocka_unit_test(clipping_hides_no_nan_and_is_smooth_at_zero),
        cmocka_unit_test(clipping_to_nothing_is_refused),
        cmocka_unit_test(schedules_have_their_closed_forms),
        cmocka_unit_test(schedules_start_full_and_end_at_zero),
        cmocka_unit_test(a_network_learns_exclusive_or_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
