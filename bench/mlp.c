/* bench/mlp.c -- milliseconds a training step of an MLP: 784-400-400-10, batch 128, Adam.
 *
 *     bench-mlp [THREADS [STEPS]]     time STEPS steps on THREADS threads
 *     bench-mlp plan [STEPS]          print the plan, with each step's time
 *
 * One step is forward, cross-entropy, backward and the Adam update, as one plan
 * that writes parameters and state in place. */
#include <perdure/nn.h>
#include <perdure/plan.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nn/layers.h"
#include "opt/optimizers.h"

enum { BATCH = 128, PARAMS = 6, STATES = 2 + 2 * PARAMS, INPUTS = 3 + PARAMS + STATES };

typedef struct dense_options {
    int64_t units;
    int init;
    bool bias;
} dense_options;

typedef struct bench {
    pdr_graph *g;
    size_t n_in, n_out;
    pdr_node in[INPUTS], out[INPUTS];
    int32_t over[INPUTS];
    void *in_at[INPUTS], *out_at[INPUTS];
} bench;

static pdr_node bench_input(bench *b, pdr_type type, pdr_shape shape, const float *start)
{
    size_t bytes = 4 * (size_t)pdr_shape_size(&shape);
    b->in_at[b->n_in] = calloc(bytes, 1);
    if (start) memcpy(b->in_at[b->n_in], start, bytes);
    return b->in[b->n_in++] = pdr_input(b->g, type, shape);
}

/* An output in the place of input `over`; its own place for -1. */
static void bench_output(bench *b, pdr_node x, int32_t over)
{
    b->over[b->n_out] = over;
    b->out_at[b->n_out] = over < 0 ? calloc(1, 4) : b->in_at[over];
    b->out[b->n_out++] = x;
}

static pdr_model *bench_model(void)
{
    dense_options dense = {400, PDR_INIT_HE_NORMAL, true};
    pdr_choice units = {&pdi_layer_dense.kind, &dense}, relu = {&pdi_layer_relu.kind, NULL};
    pdr_error err = PDR_NO_ERROR;
    pdr_model *m;
    if (pdr_model_new(NULL, 4, (pdr_choice[]){units, relu, units, relu}, PDR_SHAPE(784), 10, &m,
                      &err))
        fprintf(stderr, "%s\n", err.text);
    return m;
}

static float *bench_start(const pdr_param *p, uint32_t i)
{
    float *v = calloc((size_t)pdr_shape_size(&p->shape), sizeof *v);
    pdr_param_init(p, 1, i, v);
    return v;
}

static void bench_build(bench *b, const pdr_model *m)
{
    double adam[5];
    pdr_choice o = {&pdi_optimizer_adam.kind, adam};
    pdr_node theta[PARAMS], grad[PARAMS], next[PARAMS], state[STATES], state_next[STATES];
    pdr_shape shape[PARAMS];
    pdr_option_defaults(pdi_optimizer_adam.kind.options, adam);
    pdr_node x = bench_input(b, PDR_F32, PDR_SHAPE(BATCH, 784), NULL);
    pdr_node y = bench_input(b, PDR_I32, PDR_SHAPE(BATCH), NULL);
    float rate = 1e-3f;
    pdr_node rate_in = bench_input(b, PDR_F32, PDR_SCALAR, &rate);
    for (uint32_t i = 0; i < PARAMS; i++) {
        const pdr_param *p = pdr_model_param(m, i);
        float *start = bench_start(p, i);
        theta[i] = bench_input(b, PDR_F32, shape[i] = p->shape, start);
        free(start);
    }
    for (size_t i = 0; i < STATES; i++) {
        float start;
        pdr_shape s = pdr_optimizer_state(&o, PARAMS, shape, i, &start);
        state[i] = bench_input(b, PDR_F32, s, i < 2 ? &start : NULL);
    }
    pdr_apply a = {.param = theta, .training = true};
    pdr_node logits = pdr_model_apply(m, b->g, &a, x);
    pdr_node loss = pdr_mean_all(b->g, pdr_cross_entropy(b->g, logits, y));
    pdr_grad(b->g, loss, PARAMS, theta, grad);
    pdr_graph_label(b->g, "adam");
    pdr_optimizer_update(&o, b->g, PARAMS, theta, grad, NULL, rate_in, state, next, state_next);
    bench_output(b, loss, -1);
    for (size_t i = 0; i < PARAMS; i++) bench_output(b, next[i], (int32_t)(3 + i));
    for (size_t i = 0; i < STATES; i++) bench_output(b, state_next[i], (int32_t)(3 + PARAMS + i));
}

static void bench_examples(bench *b)
{
    pdr_rng r = {.seed = 1, .stream = PDR_STREAM_TEST};
    for (int i = 0; i < BATCH * 784; i++) ((float *)b->in_at[0])[i] = pdr_rng_uniform(&r);
    for (int i = 0; i < BATCH; i++) ((int32_t *)b->in_at[1])[i] = i % 10;
}

static double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The best of five runs of `steps` steps each. */
static void bench_time(bench *b, pdr_plan *plan, int threads, int steps)
{
    double best = 0, flops = pdr_plan_measure(plan).flops;
    for (int run = 0; run < 5; run++) {
        double start = bench_seconds();
        for (int i = 0; i < steps; i++)
            pdr_plan_run(plan, (const void *const *)b->in_at, b->out_at);
        double took = (bench_seconds() - start) / steps;
        if (run == 0 || took < best) best = took;
    }
    printf("%d threads: %.3f ms a step, %.1f Gflop/s, loss %.4f\n", threads, 1e3 * best,
           1e-9 * flops / best, (double)*(float *)b->out_at[0]);
}

static int bench_run(bench *b, const char *command, int steps)
{
    bool prints = !strcmp(command, "plan");
    pdr_error err = PDR_NO_ERROR;
    pdr_pool *pool = pdr_pool_new(NULL, prints ? 1 : (int)strtol(command, NULL, 10));
    pdr_plan *plan = NULL;
    if (pdr_plan_new(b->g, pool, b->n_in, b->in, b->n_out, b->out, b->over, &plan, &err)) {
        fprintf(stderr, "%s\n", err.text);
    } else if (prints) {
        bench_time(b, plan, 1, steps);
        pdr_plan_time(plan, true);
        for (int i = 0; i < steps; i++)
            pdr_plan_run(plan, (const void *const *)b->in_at, b->out_at);
        char *text = pdr_plan_print(plan);
        if (text) fputs(text, stdout);
        free(text);
    } else {
        bench_time(b, plan, pdr_pool_threads(pool), steps);
    }
    pdr_plan_free(plan);
    pdr_pool_free(pool);
    return err.rc ? 1 : 0;
}

int main(int argc, char **argv)
{
    bench b = {.g = pdr_graph_new(NULL)};
    pdr_model *m = bench_model();
    if (!m || !b.g) return 1;
    bench_build(&b, m);
    bench_examples(&b);
    int status = bench_run(&b, argc > 1 ? argv[1] : "1",
                           argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100);
    pdr_model_free(m);
    pdr_graph_free(b.g);
    free(b.out_at[0]);
    for (size_t i = 0; i < b.n_in; i++) free(b.in_at[i]);
    return status;
}
