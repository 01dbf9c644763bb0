/* test/oracle.h -- a graph with values for its inputs, evaluated in double. */
#ifndef ORACLE_H
#define ORACLE_H

#include <math.h>
#include <perdure/graph.h>
#include <perdure/rng.h>
#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "xform/eval.h"

enum { ORACLE_IN = 32 };

typedef struct oracle {
    pdr_graph *g;
    size_t n;
    pdr_node in[ORACLE_IN];
    double *val[ORACLE_IN]; /* exact in f32 or i32 */
    pdr_rng rng;
} oracle;

static inline void *oracle_array(int64_t n, size_t size)
{
    void *p = calloc((size_t)n, size);
    assert_non_null(p);
    return p;
}

static inline oracle *oracle_new(uint64_t seed)
{
    oracle *o = oracle_array(1, sizeof *o);
    o->g = pdr_graph_new(NULL);
    o->rng = (pdr_rng){.seed = seed, .stream = PDR_STREAM_TEST};
    return o;
}

static inline void oracle_free(oracle *o)
{
    for (size_t i = 0; i < o->n; i++) free(o->val[i]);
    pdr_graph_free(o->g);
    free(o);
}

/* An input with values in [lo, hi): whole numbers when its type is. */
static inline pdr_node oracle_input(oracle *o, pdr_type type, pdr_shape shape, double lo, double hi)
{
    int64_t n = pdr_shape_size(&shape);
    assert_true(o->n < ORACLE_IN && n > 0);
    double *v = o->val[o->n] = oracle_array(n, sizeof *v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = (double)(float)(lo + (hi - lo) * (double)pdr_rng_uniform(&o->rng));
        if (type == PDR_I32) v[i] = floor(v[i]);
    }
    return o->in[o->n++] = pdr_input(o->g, type, shape);
}

/* The values of node x; the caller frees them. */
static inline double *oracle_eval(const oracle *o, pdr_node x)
{
    if (pdr_graph_error(o->g)) fail_msg("%s", pdr_graph_error(o->g));
    double **v = pdi_eval(o->g, o->n, o->in, o->val, 1, &x);
    assert_non_null(v);
    double *out = v[x.id];
    v[x.id] = NULL;
    pdi_eval_free(o->g, v);
    return out;
}

/* The first of them. */
static inline double oracle_number(const oracle *o, pdr_node x)
{
    double *v = oracle_eval(o, x), number = v[0];
    free(v);
    return number;
}

#endif
