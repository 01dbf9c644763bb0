/* test_model.c -- models: what they declare, compute, remember and refuse. */
#include "layers.h"
#include "op_row.h"

/* ---- what a model declares --------------------------------------------------------------------
 */

static int64_t numbers(const pdr_model *m)
{
    int64_t n = 0;
    for (size_t i = 0; i < pdr_model_params(m); i++)
        n += pdr_shape_size(&pdr_model_param(m, i)->shape);
    return n;
}

static void an_mlp_declares_478410_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {"0.dense.weight", "0.dense.bias",  "2.dense.weight",
                                        "2.dense.bias",   "output.weight", "output.bias"};
    static const pdr_shape shapes[] = {OP_SHAPE(400, 784), OP_SHAPE(400),     OP_SHAPE(400, 400),
                                       OP_SHAPE(400),      OP_SHAPE(10, 400), OP_SHAPE(10)};
    pdr_model *m = model("dense units=400 | relu | dense units=400 | relu", PDR_SHAPE(1, 28, 28),
                         10);
    assert_int_equal(pdr_model_params(m), COUNT(names));
    assert_int_equal(pdr_model_buffers(m), 0);
    assert_int_equal(numbers(m), 478410);
    for (size_t i = 0; i < COUNT(names); i++) {
        const pdr_param *p = pdr_model_param(m, i);
        assert_string_equal(p->name, names[i]);
        assert_true(pdr_shape_equal(&p->shape, &shapes[i]));
        assert_int_equal(p->is_weight, i % 2 == 0);
    }
    assert_int_equal(pdr_model_param(m, 0)->init, PDR_INIT_HE_NORMAL);
    assert_int_equal(pdr_model_param(m, 1)->init, PDR_INIT_ZERO);
    assert_int_equal(pdr_model_param(m, 4)->init, PDR_INIT_FAN_IN_UNIFORM);
    assert_int_equal(pdr_model_param(m, 5)->init, PDR_INIT_FAN_IN_UNIFORM);
    assert_true(pdr_model_param(m, 5)->fan_in == 400);
    pdr_model_free(m);
}

static void a_convolutional_model_declares_filters_and_buffers(void **state)
{
    (void)state;
    pdr_model *m = model("conv2d filters=8 size=5 init=fan-in-uniform | batch_norm | relu | "
                         "max_pool | layer_norm | dense units=20 init=glorot-normal bias=false",
                         PDR_SHAPE(3, 8, 8), 4);
    static const char *const names[] = {
        "0.conv2d.weight",   "0.conv2d.bias",     "1.batch_norm.gain",
        "1.batch_norm.bias", "4.layer_norm.gain", "4.layer_norm.bias",
        "5.dense.weight",    "output.weight",     "output.bias"};
    assert_int_equal(pdr_model_params(m), COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(pdr_model_param(m, i)->name, names[i]);
    const pdr_param *f = pdr_model_param(m, 0), *w = pdr_model_param(m, 6);
    assert_true(pdr_shape_equal(&f->shape, &PDR_SHAPE(8, 5, 5, 3)));
    assert_true(f->fan_in == 75 && f->fan_out == 200 && f->is_weight);
    assert_int_equal(pdr_model_param(m, 1)->init, PDR_INIT_FAN_IN_UNIFORM);
    assert_true(pdr_model_param(m, 1)->fan_in == 75);
    assert_true(pdr_shape_equal(&w->shape, &PDR_SHAPE(20, 8 * 4 * 4)));
    assert_int_equal(w->init, PDR_INIT_GLOROT_NORMAL);
    assert_int_equal(pdr_model_param(m, 2)->init, PDR_INIT_ONE);
    assert_false(pdr_model_param(m, 2)->is_weight);
    assert_int_equal(pdr_model_buffers(m), 2);
    assert_string_equal(pdr_model_buffer(m, 0)->name, "1.batch_norm.mean");
    assert_string_equal(pdr_model_buffer(m, 1)->name, "1.batch_norm.variance");
    assert_int_equal(pdr_model_buffer(m, 0)->init, PDR_INIT_ZERO);
    assert_int_equal(pdr_model_buffer(m, 1)->init, PDR_INIT_ONE);
    pdr_model_free(m);
}

static void features_are_what_enters_the_output_layer(void **state)
{
    (void)state;
    pdr_model *m = model("conv2d filters=3 | relu", PDR_SHAPE(2, 4, 4), 5);
    applied p = apply(m, PDR_SHAPE(2, 2, 4, 4), false);
    pdr_node again = pdr_dense(p.s->g, p.a.features, p.param[2], p.param[3]);
    assert_int_equal(again.id, p.y.id);
    pdr_shape f = pdr_node_shape(p.s->g, p.a.features);
    assert_true(pdr_shape_equal(&f, &PDR_SHAPE(2, 48)));
    oracle_free(p.s);
    pdr_model_free(m);
}

static void statistics_of_the_batch_at_hand_mix_examples(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        bool mixes;
    } cases[] = {{"dense units=3 | relu", false},
                 {"batch_norm", false},
                 {"dense units=3 | layer_norm", false},
                 {"dense units=3 | batch_norm running=false | relu", true}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        pdr_model *m = model(cases[i].layers, PDR_SHAPE(4), 2);
        assert_int_equal(pdr_model_mixes(m), cases[i].mixes);
        pdr_model_free(m);
    }
}

/* ---- initial numbers
 * ----------------------------------------------------------------------------- */

enum { DRAWS = 60000 };

/* Initial numbers of p: of the seed, or drawn by a node from a key. */
static double *initial_numbers(const pdr_param *p, bool as_node)
{
    if (as_node) {
        oracle *o = oracle_new(4);
        pdr_node key = oracle_input(o, PDR_I32, PDR_SHAPE(4), 0, 1 << 20);
        double *v = oracle_eval(o, pdr_param_draw(o->g, p, key, 1000));
        oracle_free(o);
        return v;
    }
    float *f = oracle_array(DRAWS, sizeof *f);
    double *v = oracle_array(DRAWS, sizeof *v);
    pdr_param_init(p, 9, 3, f);
    for (int i = 0; i < DRAWS; i++) v[i] = (double)f[i];
    free(f);
    return v;
}

/* bound 0: a normal law. */
static void assert_moments(const double *v, double variance, double bound)
{
    double mean = 0, square = 0, fourth = 0, most = 0, kurtosis = bound > 0 ? 1.8 : 3;
    for (int i = 0; i < DRAWS; i++) {
        mean += v[i] / DRAWS;
        square += v[i] * v[i] / DRAWS;
        fourth += v[i] * v[i] * v[i] * v[i] / DRAWS;
        most = fmax(most, fabs(v[i]));
    }
    assert_true(fabs(mean) < 4 * sqrt(variance / DRAWS));
    assert_true(fabs(square / variance - 1) < 4 * sqrt((kurtosis - 1) / DRAWS));
    assert_true(fabs(fourth / (square * square) - kurtosis) < 0.15);
    if (bound > 0) assert_true(most <= bound * 1.000001 && most > bound * 0.999);
}

static void initial_numbers_have_the_moments_they_promise(void **state)
{
    (void)state;
    const double in = 50, out = 20;
    const struct {
        pdr_init init;
        double variance, bound;
    } law[] = {
        {PDR_INIT_HE_NORMAL, 2 / in, 0},
        {PDR_INIT_HE_UNIFORM, 2 / in, sqrt(6 / in)},
        {PDR_INIT_GLOROT_NORMAL, 2 / (in + out), 0},
        {PDR_INIT_GLOROT_UNIFORM, 2 / (in + out), sqrt(6 / (in + out))},
        {PDR_INIT_LECUN_NORMAL, 1 / in, 0},
        {PDR_INIT_LECUN_UNIFORM, 1 / in, sqrt(3 / in)},
        {PDR_INIT_FAN_IN_UNIFORM, 1 / (3 * in), 1 / sqrt(in)},
        {PDR_INIT_SMALL_NORMAL, 1e-4, 0},
    };
    for (size_t k = 0; k < 2 * COUNT(law); k++) {
        pdr_param p = {
            .shape = PDR_SHAPE(DRAWS), .init = law[k / 2].init, .fan_in = in, .fan_out = out};
        double *v = initial_numbers(&p, k % 2);
        assert_moments(v, law[k / 2].variance, law[k / 2].bound);
        free(v);
    }
}

static void constant_initial_numbers_are_drawn_so_too(void **state)
{
    (void)state;
    for (int one = 0; one < 2; one++) {
        pdr_param p = {.shape = PDR_SHAPE(3), .init = one ? PDR_INIT_ONE : PDR_INIT_ZERO};
        double *v = initial_numbers(&p, true);
        for (int i = 0; i < 3; i++) assert_true(v[i] == one);
        free(v);
    }
}

static void initial_numbers_depend_on_seed_and_index_alone(void **state)
{
    (void)state;
    enum { N = 64 };
    pdr_param p = {.shape = PDR_SHAPE(N), .init = PDR_INIT_HE_UNIFORM, .fan_in = 4, .fan_out = 4};
    float a[N], b[N], one[N], zero[N];
    pdr_param_init(&p, 1, 2, a);
    pdr_param_init(&p, 1, 2, b);
    assert_memory_equal(a, b, sizeof a);
    pdr_param_init(&p, 1, 3, b);
    assert_memory_not_equal(a, b, sizeof a);
    pdr_param_init(&p, 2, 2, b);
    assert_memory_not_equal(a, b, sizeof a);
    p.init = PDR_INIT_ONE;
    pdr_param_init(&p, 1, 2, one);
    p.init = PDR_INIT_ZERO;
    pdr_param_init(&p, 1, 2, zero);
    for (int i = 0; i < N; i++) assert_true(one[i] == 1 && zero[i] == 0);
}

/* ---- batch norm
 * ------------------------------------------------------------------------------------ */

/* Over b, h, w of channel c: n values, their mean, and their unbiased variance. */
static void channel_moments(const double *x, int c, double *mean, double *unbiased)
{
    enum { B = 3, C = 2, P = 4, N = B * P };
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) sum += x[(i / P * C + c) * P + i % P];
    for (int i = 0; i < N; i++) {
        double d = x[(i / P * C + c) * P + i % P] - sum / N;
        square += d * d;
    }
    *mean = sum / N;
    *unbiased = square / (N - 1);
}

static void batch_norm_tracks_mean_and_unbiased_variance(void **state)
{
    (void)state;
    pdr_model *m = model("batch_norm momentum=0.25", PDR_SHAPE(2, 2, 2), 0);
    applied p = apply(m, PDR_SHAPE(3, 2, 2, 2), true);
    double *mean = oracle_eval(p.s, p.buffer_new[0]), *var = oracle_eval(p.s, p.buffer_new[1]);
    const double *old_mean = p.s->val[p.first_buffer], *old_var = p.s->val[p.first_buffer + 1];
    for (int c = 0; c < 2; c++) {
        double now, unbiased;
        channel_moments(p.s->val[0], c, &now, &unbiased);
        assert_true(fabs(mean[c] - (0.75 * old_mean[c] + 0.25 * now)) < 1e-12);
        assert_true(fabs(var[c] - (0.75 * old_var[c] + 0.25 * unbiased)) < 1e-12);
    }
    free(mean);
    free(var);
    oracle_free(p.s);
    pdr_model_free(m);
}

static void batch_norm_evaluates_with_running_statistics(void **state)
{
    (void)state;
    pdr_model *m = model("batch_norm epsilon=0.01", PDR_SHAPE(2, 2, 2), 0);
    applied p = apply(m, PDR_SHAPE(3, 2, 2, 2), false);
    double *y = oracle_eval(p.s, p.y), *const *v = p.s->val;
    for (int i = 0; i < 24; i++) {
        int c = i / 4 % 2;
        double want = (v[0][i] - v[p.first_buffer][c]) / sqrt(v[p.first_buffer + 1][c] + 0.01);
        want = want * v[p.first_param][c] + v[p.first_param + 1][c];
        assert_true(fabs(y[i] - want) < 1e-12);
    }
    for (int i = 0; i < 2; i++) assert_int_equal(p.buffer_new[i].id, p.buffer[i].id);
    free(y);
    oracle_free(p.s);
    pdr_model_free(m);
}

static void new_buffers_may_take_the_place_of_the_old(void **state)
{
    (void)state;
    pdr_model *m = model("batch_norm | dense units=3 | batch_norm", PDR_SHAPE(4), 0);
    applied p = apply(m, PDR_SHAPE(5, 4), true);
    pdr_node live[4];
    memcpy(live, p.buffer, sizeof live);
    pdr_apply a = {
        .param = p.param, .buffer = live, .buffer_new = live, .training = true, .key = p.a.key};
    pdr_node y = pdr_model_apply(m, p.s->g, &a, p.x);
    assert_int_equal(y.id, p.y.id);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(live[i].id, p.buffer_new[i].id);
        assert_int_not_equal(live[i].id, p.buffer[i].id);
    }
    oracle_free(p.s);
    pdr_model_free(m);
}

/* ---- dropout
 * ----------------------------------------------------------------------------------------- */

static void two_dropout_layers_draw_different_masks(void **state)
{
    (void)state;
    pdr_model *m = model("dropout | dropout", PDR_SHAPE(64), 0);
    applied p = apply(m, PDR_SHAPE(8, 64), true);
    pdr_apply a = {.training = false};
    assert_int_equal(pdr_model_apply(m, p.s->g, &a, p.x).id, p.x.id);
    double *y = oracle_eval(p.s, p.y), kept = 0;
    for (int i = 0; i < 512; i++) {
        assert_true(y[i] == 0 || fabs(y[i] - 4 * p.s->val[0][i]) < 1e-12);
        kept += y[i] != 0;
    }
    assert_true(fabs(kept / 512 - 0.25) < 4 * sqrt(0.25 * 0.75 / 512));
    free(y);
    oracle_free(p.s);
    pdr_model_free(m);
}

/* ---- what does not fit
 * ---------------------------------------------------------------------------------- */

static void layers_that_do_not_fit_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        pdr_shape input;
        const char *says;
    } wrong[] = {
        {"relu | conv2d size=5 padding=0", OP_SHAPE(1, 4, 4),
         "1.conv2d: a window of 5x5 does not fit an image of 4x4 with 0 of padding"},
        {"dense units=3 | relu | tanh | conv2d", OP_SHAPE(7),
         "3.conv2d: an example is [3]; needs an image, [channels, height, width]"},
        {"max_pool size=9", OP_SHAPE(1, 8, 10),
         "0.max_pool: a window of 9x9 does not fit an image of 8x10 with 0 of padding"},
        {"relu | avg_pool", OP_SHAPE(12),
         "1.avg_pool: an example is [12]; needs an image, [channels, height, width]"},
        {"batch_norm", {0, {0}}, "0.batch_norm: needs a channel axis; an example is one number"},
        {"layer_norm", {0, {0}}, "0.layer_norm: needs several features; an example is one number"},
        {"relu | dense units=1000000", OP_SHAPE(2000000),
         "1.dense: input: to [1000000,2000000]: the shape is too large, or an axis is below 1"},
        {"", OP_SHAPE(3, 0), "model: an example of shape [3,0]; give at most 9 axes of 1 or more"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        pdr_error err = PDR_NO_ERROR;
        pdr_model *m;
        assert_int_equal(try_model(wrong[i].layers, wrong[i].input, 2, &m, &err), PDR_USAGE);
        assert_null(m);
        assert_string_equal(err.text, wrong[i].says);
    }
}

static void a_model_refuses_nodes_it_did_not_declare(void **state)
{
    (void)state;
    static const char *const says[] = {
        "model: x is [2,4]; needs a batch axis and then [5]",
        "model: output.weight is [5]; needs [3,5]",
        "0.dropout: training needs a random key",
    };
    pdr_model *m = model("dropout", PDR_SHAPE(5), 3);
    for (size_t i = 0; i < COUNT(says); i++) {
        pdr_graph *g = pdr_graph_new(NULL);
        pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(2, i == 0 ? 4 : 5));
        pdr_node b = pdr_input(g, PDR_F32, PDR_SHAPE(3)), w = pdr_input(g, PDR_F32, PDR_SHAPE(5));
        if (i != 1) w = pdr_input(g, PDR_F32, PDR_SHAPE(3, 5));
        pdr_apply a = {.param = (pdr_node[]){w, b}, .training = true};
        assert_int_equal(pdr_model_apply(m, g, &a, x).id, 0);
        assert_int_equal(a.features.id, 0);
        assert_string_equal(pdr_graph_error(g), says[i]);
        pdr_graph_free(g);
    }
    pdr_model_free(m);
}

static void batch_statistics_of_one_value_are_refused(void **state)
{
    (void)state;
    pdr_model *m = model("relu | batch_norm", PDR_SHAPE(5), 0);
    applied p = apply(m, PDR_SHAPE(1, 5), true);
    assert_string_equal(pdr_graph_error(p.s->g),
                        "1.batch_norm: a batch of one value a channel has no variance; give two "
                        "examples or more, or use layer_norm");
    oracle_free(p.s);
    p = apply(m, PDR_SHAPE(1, 5), false); /* running statistics do */
    assert_null(pdr_graph_error(p.s->g));
    oracle_free(p.s);
    pdr_model_free(m);
}

/* ---- memory
 * ------------------------------------------------------------------------------------------------
 */

typedef struct budget {
    long left, held;
} budget;

static void *budget_alloc(void *ctx, void *old, size_t bytes)
{
    budget *b = ctx;
    if (bytes == 0) {
        b->held--;
        free(old);
        return NULL;
    }
    if (b->left-- <= 0) return NULL;
    void *p = realloc(old, bytes);
    if (p && !old) b->held++;
    return p;
}

static void a_model_survives_every_failing_allocation(void **state)
{
    (void)state;
    listing l = listing_read("conv2d | batch_norm | relu | dense | dropout");
    long n = 0;
    for (bool done = false; !done; n++) {
        budget b = {n, 0};
        pdr_alloc alloc = {budget_alloc, &b};
        pdr_error err = PDR_NO_ERROR;
        pdr_model *m;
        pdr_rc rc = pdr_model_new(&alloc, l.n, l.v, PDR_SHAPE(1, 6, 6), 3, &m, &err);
        done = rc == PDR_OK;
        if (!done) assert_int_equal(rc, PDR_NOMEM);
        if (!done) assert_string_equal(err.text, "out of memory");
        assert_true(done == (m != NULL));
        pdr_model_free(m);
        assert_int_equal(b.held, 0);
    }
    assert_true(n > 10);
    listing_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mlp_declares_478410_numbers),
        cmocka_unit_test(a_convolutional_model_declares_filters_and_buffers),
        cmocka_unit_test(features_are_what_enters_the_output_layer),
        cmocka_unit_test(statistics_of_the_batch_at_hand_mix_examples),
        cmocka_unit_test(initial_numbers_have_the_moments_they_promise),
        cmocka_unit_test(constant_initial_numbers_are_drawn_so_too),
        cmocka_unit_test(initial_numbers_depend_on_seed_and_index_alone),
        cmocka_unit_test(batch_norm_tracks_mean_and_unbiased_variance),
        cmocka_unit_test(batch_norm_evaluates_with_running_statistics),
        cmocka_unit_test(new_buffers_may_take_the_place_of_the_old),
        cmocka_unit_test(two_dropout_layers_draw_different_masks),
        cmocka_unit_test(layers_that_do_not_fit_are_named),
        cmocka_unit_test(a_model_refuses_nodes_it_did_not_declare),
        cmocka_unit_test(batch_statistics_of_one_value_are_refused),
        cmocka_unit_test(a_model_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
