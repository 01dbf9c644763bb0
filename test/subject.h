/* test/subject.h -- a built expression, and the promises that any of them must keep.
 *
 * A subject is a graph with inputs, their values and a result y.  subject_seal()
 * adds the scalar  sum(w sin(y))  with random weights w, themselves an input, so
 * that even a linear y has derivatives of every order. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <math.h>
#include <perdure/plan.h>
#include <perdure/rng.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "xform/eval.h"

enum { SUBJECT_IN = 48, SUBJECT_LANES = 3 };

typedef struct subject {
    const char *name;
    pdr_graph *g;
    size_t n;
    pdr_node in[SUBJECT_IN];
    double *val[SUBJECT_IN]; /* exact in f32 or i32 */
    size_t reals;            /* the inputs with a gradient, as indices of in[] */
    size_t real[SUBJECT_IN];
    pdr_node y, loss;
    pdr_rng rng;
} subject;

static inline int64_t subject_size(const subject *s, pdr_node x)
{
    pdr_shape shape = pdr_node_shape(s->g, x);
    return pdr_shape_size(&shape);
}

static inline void *subject_array(int64_t n, size_t size)
{
    void *p = calloc((size_t)n, size);
    assert_non_null(p);
    return p;
}

static inline subject *subject_new(const char *name, uint64_t seed)
{
    subject *s = subject_array(1, sizeof *s);
    s->name = name;
    s->g = pdr_graph_new(NULL);
    s->rng = (pdr_rng){.seed = seed, .stream = PDR_STREAM_TEST};
    return s;
}

static inline void subject_free(subject *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->val[i]);
    pdr_graph_free(s->g);
    free(s);
}

/* An input with values in [lo, hi): whole numbers when its type is. */
static inline pdr_node subject_input(subject *s, pdr_type type, pdr_shape shape, double lo,
                                     double hi)
{
    int64_t n = pdr_shape_size(&shape);
    assert_true(s->n < SUBJECT_IN && n > 0);
    double *v = s->val[s->n] = subject_array(n, sizeof *v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (double)(float)(lo + (hi - lo) * pdr_rng_uniform(&s->rng));
        if (type == PDR_I32) v[i] = floor(v[i]);
    }
    return s->in[s->n++] = pdr_input(s->g, type, shape);
}

/* The result.  Every real input so far takes part in derivatives. */
static inline void subject_seal(subject *s, pdr_node y)
{
    if (pdr_graph_error(s->g)) fail_msg("%s: %s", s->name, pdr_graph_error(s->g));
    pdr_node w = subject_input(s, PDR_F32, pdr_node_shape(s->g, y), -1, 1);
    s->y = y;
    s->loss = pdr_sum_all(s->g, pdr_mul(s->g, w, pdr_sin(s->g, y)));
    for (size_t i = 0; i < s->n; i++)
        if (pdr_node_type(s->g, s->in[i]) == PDR_F32) s->real[s->reals++] = i;
}

/* ---- in double ------------------------------------------------------------------- */

/* Node x, evaluated in double; the caller frees it. */
static inline double *subject_eval(const subject *s, pdr_node x)
{
    double **v = pdi_eval(s->g, s->n, s->in, s->val, 1, &x);
    assert_non_null(v);
    double *out = v[x.id];
    v[x.id] = NULL;
    pdi_eval_free(s->g, v);
    return out;
}

static inline double subject_number(const subject *s, pdr_node x)
{
    double *v = subject_eval(s, x), number = v[0];
    free(v);
    return number;
}

/* ---- derivatives: to 1e-6 of central differences ----------------------------------- */

/* The slope of f along a random direction in the space of all real inputs:
 * sum_i <df/dx_i, d_i>.  The directions become the inputs from s->n on. */
static inline pdr_node subject_slope(subject *s, pdr_node f)
{
    pdr_node wrt[SUBJECT_IN], grad[SUBJECT_IN], total = pdr_scalar(s->g, 0);
    for (size_t i = 0; i < s->reals; i++) wrt[i] = s->in[s->real[i]];
    assert_true(pdr_grad(s->g, f, s->reals, wrt, grad));
    for (size_t i = 0; i < s->reals; i++) {
        pdr_node d = subject_input(s, PDR_F32, pdr_node_shape(s->g, wrt[i]), -1, 1);
        total = pdr_add(s->g, total, pdr_sum_all(s->g, pdr_mul(s->g, grad[i], d)));
    }
    return total;
}

/* f after moving `far` along the directions that start at input `first`. */
static inline double subject_moved(subject *s, pdr_node f, size_t first, double far)
{
    double number = 0, *kept[SUBJECT_IN];
    for (size_t i = 0; i < s->reals; i++) {
        int64_t n = subject_size(s, s->in[s->real[i]]);
        double *from = kept[i] = s->val[s->real[i]], *to = subject_array(n, sizeof *to);
        for (int64_t e = 0; e < n; e++) to[e] = from[e] + far * s->val[first + i][e];
        s->val[s->real[i]] = to;
    }
    number = subject_number(s, f);
    for (size_t i = 0; i < s->reals; i++) {
        free(s->val[s->real[i]]);
        s->val[s->real[i]] = kept[i];
    }
    return number;
}

/* Five-point differences: the error is of the fourth order in the step. */
static inline double subject_difference(subject *s, pdr_node f, size_t first)
{
    double square = 0;
    for (size_t i = 0; i < s->reals; i++)
        for (int64_t e = 0; e < subject_size(s, s->in[s->real[i]]); e++)
            square += s->val[first + i][e] * s->val[first + i][e];
    double h = 2e-4 / sqrt(square);
    double near = subject_moved(s, f, first, h) - subject_moved(s, f, first, -h);
    double wide = subject_moved(s, f, first, 2 * h) - subject_moved(s, f, first, -2 * h);
    return (8 * near - wide) / (12 * h);
}

static inline void subject_check_derivatives(subject *s, int order)
{
    pdr_node f = s->loss;
    for (int k = 1; k <= order; k++) {
        size_t first = s->n;
        pdr_node slope = subject_slope(s, f);
        double got = subject_number(s, slope), want = subject_difference(s, f, first);
        if (!(fabs(got - want) <= 1e-6 * fabs(want) + 1e-8))
            fail_msg("%s: derivative %d is %.12g, by differences %.12g", s->name, k, got, want);
        f = slope;
    }
}

/* ---- in f32 --------------------------------------------------------------------------- */

enum { SUBJECT_OUT = SUBJECT_IN + 1 };

/* Four-byte numbers: the inputs or outputs of a plan. */
typedef struct subject_run {
    void *in[SUBJECT_IN], *out[SUBJECT_OUT];
    size_t n_out;
    size_t size[SUBJECT_OUT];
} subject_run;

static inline void *subject_narrow(const double *v, int64_t n, pdr_type type)
{
    void *p = subject_array(n, 4);
    for (int64_t i = 0; i < n; i++)
        if (type == PDR_F32)
            ((float *)p)[i] = (float)v[i];
        else
            ((int32_t *)p)[i] = (int32_t)(uint32_t)(int64_t)v[i];
    return p;
}

static inline void subject_run_plan(const subject *s, const pdr_node in[], int threads,
                                    subject_run *r, const pdr_node out[])
{
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan;
    pdr_pool *pool = pdr_pool_new(NULL, threads);
    for (size_t j = 0; j < r->n_out; j++) {
        r->size[j] = 4 * (size_t)subject_size(s, out[j]);
        r->out[j] = subject_array((int64_t)r->size[j], 1);
    }
    if (pdr_plan_new(s->g, pool, s->n, in, r->n_out, out, NULL, &plan, &err))
        fail_msg("%s: %s", s->name, err.text);
    pdr_plan_run(plan, (const void *const *)r->in, r->out);
    pdr_plan_free(plan);
    pdr_pool_free(pool);
}

static inline void subject_run_free(subject_run *r)
{
    for (size_t i = 0; i < SUBJECT_IN; i++) free(r->in[i]);
    for (size_t i = 0; i < SUBJECT_OUT; i++) free(r->out[i]);
}

/* y and the gradients of the loss. */
static inline size_t subject_outputs(subject *s, pdr_node out[SUBJECT_OUT])
{
    pdr_node wrt[SUBJECT_IN];
    for (size_t i = 0; i < s->reals; i++) wrt[i] = s->in[s->real[i]];
    assert_true(pdr_grad(s->g, s->loss, s->reals, wrt, out + 1));
    out[0] = s->y;
    return s->reals + 1;
}

static inline void subject_check_threads(subject *s)
{
    pdr_node out[SUBJECT_OUT];
    subject_run r[3] = {0};
    for (int t = 0; t < 3; t++) {
        r[t].n_out = subject_outputs(s, out);
        for (size_t i = 0; i < s->n; i++)
            r[t].in[i] = subject_narrow(s->val[i], subject_size(s, s->in[i]),
                                        pdr_node_type(s->g, s->in[i]));
        subject_run_plan(s, s->in, t + 1, &r[t], out);
        for (size_t j = 0; j < r[t].n_out; j++)
            if (memcmp(r[0].out[j], r[t].out[j], r[t].size[j]))
                fail_msg("%s: output %zu differs with %d threads", s->name, j, t + 1);
    }
    for (int t = 0; t < 3; t++) subject_run_free(&r[t]);
}

/* y in f32 is near y in double. */
static inline void subject_check_single(subject *s)
{
    pdr_node out[SUBJECT_OUT];
    subject_run r = {.n_out = subject_outputs(s, out)};
    for (size_t i = 0; i < s->n; i++)
        r.in[i] = subject_narrow(s->val[i], subject_size(s, s->in[i]),
                                 pdr_node_type(s->g, s->in[i]));
    subject_run_plan(s, s->in, 1, &r, out);
    for (size_t j = 0; j < r.n_out; j++) {
        double *want = subject_eval(s, out[j]);
        for (int64_t e = 0; e < subject_size(s, out[j]); e++) {
            double got = (double)((float *)r.out[j])[e];
            if (!(fabs(got - want[e]) <= 2e-5 * (1 + fabs(want[e]))))
                fail_msg("%s: output %zu[%lld] is %.9g, in double %.9g", s->name, j, (long long)e,
                         got, want[e]);
        }
        free(want);
    }
    subject_run_free(&r);
}

/* ---- vmap equals the loop, bit for bit -------------------------------------------------- */

/* Lane `lane` of input i: its own values, moved a little when it is mapped. */
static inline void *subject_lane(const subject *s, size_t i, int lane)
{
    int64_t n = subject_size(s, s->in[i]);
    pdr_type type = pdr_node_type(s->g, s->in[i]);
    void *p = subject_narrow(s->val[i], n, type);
    for (int64_t e = 0; e < n; e++)
        if (type == PDR_F32)
            ((float *)p)[e] += 0.125f * (float)lane;
        else
            ((int32_t *)p)[e] ^= lane & 1;
    return p;
}

/* The inputs whose bit is set in mapped get lanes. */
static inline void subject_check_lanes(subject *s, uint64_t mapped, size_t n_out,
                                       const pdr_node out[])
{
    pdr_node in[SUBJECT_IN], led[SUBJECT_IN], picked[SUBJECT_IN], out_led[SUBJECT_OUT];
    subject_run all = {.n_out = n_out};
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!(mapped >> i & 1)) continue;
        pdr_shape shape = pdr_node_shape(s->g, s->in[i]), wide = {.rank = shape.rank + 1};
        wide.dim[0] = SUBJECT_LANES;
        for (int k = 0; k < shape.rank; k++) wide.dim[k + 1] = shape.dim[k];
        picked[n] = s->in[i];
        led[n++] = pdr_input(s->g, pdr_node_type(s->g, s->in[i]), wide);
    }
    if (!pdr_vmap(s->g, SUBJECT_LANES, n, picked, led, n_out, out, out_led))
        fail_msg("%s: %s", s->name, pdr_graph_error(s->g));
    for (size_t i = 0, k = 0; i < s->n; i++) {
        bool on = mapped >> i & 1;
        size_t bytes = 4 * (size_t)subject_size(s, s->in[i]);
        in[i] = on ? led[k++] : s->in[i];
        all.in[i] = subject_array(SUBJECT_LANES, bytes);
        for (int lane = 0; lane < (on ? SUBJECT_LANES : 1); lane++) {
            void *one = subject_lane(s, i, lane);
            memcpy((char *)all.in[i] + (size_t)lane * bytes, one, bytes);
            free(one);
        }
    }
    subject_run_plan(s, in, 1, &all, out_led);
    for (int lane = 0; lane < SUBJECT_LANES; lane++) {
        subject_run one = {.n_out = n_out};
        for (size_t i = 0; i < s->n; i++)
            one.in[i] = subject_lane(s, i, mapped >> i & 1 ? lane : 0);
        subject_run_plan(s, s->in, 1, &one, out);
        for (size_t j = 0; j < n_out; j++)
            if (memcmp(one.out[j], (char *)all.out[j] + (size_t)lane * one.size[j], one.size[j]))
                fail_msg("%s: output %zu, lane %d of vmap over inputs %llx differs", s->name, j,
                         lane, (unsigned long long)mapped);
        subject_run_free(&one);
    }
    subject_run_free(&all);
}

/* Each input alone, then all together. */
static inline void subject_check_vmap(subject *s)
{
    pdr_node out[SUBJECT_OUT];
    size_t n_out = subject_outputs(s, out);
    for (size_t i = 0; i < s->n; i++) subject_check_lanes(s, UINT64_C(1) << i, n_out, out);
    subject_check_lanes(s, (UINT64_C(1) << s->n) - 1, n_out, out);
}

#endif
