/* bound.c -- how far f32 may be from f64: a running error bound for any graph.
 *
 * First-order error analysis (Higham, "Accuracy and Stability of Numerical
 * Algorithms", chapter 3), except that slopes are taken over the whole interval
 * where they could be steep.  Linear operators hand on errors by their own
 * definition, applied to the errors. */
#include "bound.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "ops/ops.h"
#include "xform/eval.h"

static const double bound_unit = 0x1p-24;  /* half an ulp of 1 */
static const double bound_tiny = 0x1p-149; /* rounding among subnormals */

/* The most ulps that our exp, log, tanh, erf, sin and cos may be off. */
enum { BOUND_FUNCTION_ULPS = 4 };

static double bound_round(double r) { return fabs(r) * bound_unit + bound_tiny; }

/* One element: operands x[], their bounds e[], result r. */
static double bound_compare(const double *x, const double *e)
{
    if (e[0] + e[1] == 0) return 0;
    return fabs(x[0] - x[1]) > e[0] + e[1] ? 0 : INFINITY;
}

static double bound_where(const double *x, const double *e)
{
    bool sure = e[0] == 0 || fabs(x[0]) > e[0];
    return sure ? e[x[0] != 0 ? 1 : 2] : fabs(x[1] - x[2]) + fmax(e[1], e[2]);
}

/* Slopes are at their steepest at one end of the interval. */
static double bound_steep(pdi_opcode op, const double *x, const double *e, double r)
{
    double near = fabs(x[0]) - e[0], divisor = fabs(x[1]) - e[1];
    switch (op) {
    case PDI_exp: return r > 0 ? r * expm1(e[0]) : exp(x[0] + e[0]);
    case PDI_log: return near > 0 ? e[0] / near : INFINITY;
    case PDI_sqrt: return near > 0 ? e[0] / sqrt(near) : sqrt(2 * e[0]);
    case PDI_div: return divisor > 0 ? (e[0] + fabs(r) * e[1]) / divisor : INFINITY;
    default: return 0;
    }
}

static double bound_map(pdi_opcode op, const double *x, const double *e, double r)
{
    double function = BOUND_FUNCTION_ULPS * 2 * bound_round(r);
    switch (op) {
    case PDI_neg:
    case PDI_stop: return e[0];
    case PDI_lt:
    case PDI_eq: return bound_compare(x, e);
    case PDI_where: return bound_where(x, e);
    case PDI_cast: return fabs(r) <= 0x1p24 ? 0 : bound_round(r);
    case PDI_add:
    case PDI_sub: return e[0] + e[1] + bound_round(r);
    case PDI_mul: return fabs(x[0]) * e[1] + fabs(x[1]) * e[0] + e[0] * e[1] + bound_round(r);
    case PDI_sqrt:
    case PDI_div: return bound_steep(op, x, e, r) + bound_round(r);
    case PDI_exp:
    case PDI_log: return bound_steep(op, x, e, r) + function;
    case PDI_erf: return 1.13 * e[0] + function;
    default: return e[0] + function; /* tanh, sin, cos */
    }
}

typedef struct bound_work {
    const pdr_graph *g;
    double *const *value;
    double **bound;
} bound_work;

static int64_t bound_size(const bound_work *w, size_t i)
{
    return pdr_shape_size(&w->g->v[i].shape);
}

static void bound_maps(const bound_work *w, size_t i)
{
    const pdi_node *nd = &w->g->v[i];
    for (int64_t k = 0, n = bound_size(w, i); k < n; k++) {
        double x[PDI_MAX_IN] = {0}, e[PDI_MAX_IN] = {0};
        for (int j = 0; j < nd->nin; j++) {
            x[j] = w->value[nd->in[j].id][k];
            e[j] = w->bound[nd->in[j].id][k];
        }
        w->bound[i][k] = bound_map(nd->op, x, e, w->value[i][k]);
    }
}

/* bound[i] += factor * op(a, b), where op is node i's linear operator. */
static bool bound_apply(const bound_work *w, size_t i, double factor, double *a, double *b)
{
    const pdi_node *nd = &w->g->v[i];
    int64_t n = bound_size(w, i);
    double *r = pdi_new(w->g->alloc, (size_t)n, sizeof *r);
    if (!r) return false;
    pdi_op_rules[nd->op]->eval(w->g, nd, r, (double *[PDI_MAX_IN]){a, b});
    for (int64_t k = 0; k < n; k++) w->bound[i][k] += factor * r[k];
    pdi_free(w->g->alloc, r);
    return true;
}

static double *bound_absolute(const bound_work *w, size_t i)
{
    int64_t n = bound_size(w, i);
    double *a = pdi_new(w->g->alloc, (size_t)n, sizeof *a);
    for (int64_t k = 0; a && k < n; k++) a[k] = fabs(w->value[i][k]);
    return a;
}

/* How many roundings one result of a linear operator may see. */
static double bound_depth(const pdr_graph *g, const pdi_node *nd)
{
    const pdr_shape *x = pdi_shape_at(g, nd->in[0]);
    double summands = (double)pdr_shape_size(x) / (double)pdr_shape_size(&nd->shape);
    switch (nd->op) {
    case PDI_sum: return summands / 16 + 5; /* lanes, then the fold */
    case PDI_dot: return x->dim[x->rank - 1];
    case PDI_unwindow: return nd->attr.taps;
    case PDI_scatter: return x->dim[nd->attr.batch];
    default: return 0;
    }
}

static bool bound_linear(const bound_work *w, size_t i)
{
    const pdi_node *nd = &w->g->v[i];
    size_t x = nd->in[0].id, y = nd->in[1].id;
    double depth = bound_depth(w->g, nd) * bound_unit;
    bool two = nd->op == PDI_dot;
    double *ax = bound_absolute(w, x), *ay = two ? bound_absolute(w, y) : NULL;
    double *other = nd->nin == 1 ? NULL : two ? ay : w->value[y];
    bool ok = ax && (ay || !two);
    ok = ok && bound_apply(w, i, 1, w->bound[x], other);
    if (depth > 0) ok = ok && bound_apply(w, i, depth, ax, other);
    if (two) {
        ok = ok && bound_apply(w, i, 1, ax, w->bound[y]);
        ok = ok && bound_apply(w, i, 1, w->bound[x], w->bound[y]);
    }
    for (int64_t k = 0, n = bound_size(w, i); ok && depth > 0 && k < n; k++)
        w->bound[i][k] += depth / bound_unit * bound_tiny;
    pdi_free(w->g->alloc, ax);
    pdi_free(w->g->alloc, ay);
    return ok;
}

/* A maximum moves no more than its operands; where it stands may change when
 * another element comes within reach. */
static void bound_select(const bound_work *w, size_t i)
{
    const pdi_node *nd = &w->g->v[i];
    size_t x = nd->in[0].id;
    pdi_along a = pdi_along_axis(&w->g->v[x].shape, nd->attr.axis);
    for (int64_t k = 0; k < a.outer * a.inner; k++) {
        int64_t from = k / a.inner * a.n * a.inner + k % a.inner, best = 0;
        const double *v = w->value[x] + from, *e = w->bound[x] + from;
        double worst = 0;
        bool sure = true;
        for (int64_t j = 1; j < a.n; j++)
            if (v[j * a.inner] > v[best * a.inner]) best = j;
        for (int64_t j = 0; j < a.n; j++) {
            double reach = e[j * a.inner] + e[best * a.inner];
            if (j != best && reach > 0 && v[best * a.inner] - v[j * a.inner] <= reach) sure = false;
            worst = fmax(worst, e[j * a.inner]);
        }
        w->bound[i][k] = nd->op == PDI_max ? worst : sure ? 0 : INFINITY;
    }
}

static void bound_fill(const bound_work *w, size_t i)
{
    for (int64_t k = 0, n = bound_size(w, i); k < n; k++) {
        double v = w->value[i][k];
        w->bound[i][k] = isfinite(v) ? fabs(v - (double)(float)v) : 0;
    }
}

/* Out of f32's range nothing can be said; NaN has no bound either. */
static void bound_beyond(const bound_work *w, size_t i)
{
    for (int64_t k = 0, n = bound_size(w, i); k < n; k++)
        if (!(fabs(w->value[i][k]) + w->bound[i][k] < (double)FLT_MAX)) w->bound[i][k] = INFINITY;
}

static bool bound_node(const bound_work *w, size_t i)
{
    const pdi_node *nd = &w->g->v[i];
    w->bound[i] = pdi_new(w->g->alloc, (size_t)bound_size(w, i), sizeof(double));
    if (!w->bound[i]) return false;
    bool ok = true;
    switch (pdi_op_table[nd->op].family) {
    case PDI_LEAF: bound_fill(w, i); break;
    case PDI_MAP: bound_maps(w, i); break;
    case PDI_SELECT: bound_select(w, i); break;
    case PDI_WALK:
    case PDI_INDEX:
    case PDI_CONTRACT: ok = bound_linear(w, i); break;
    case PDI_RANDOM: break;
    }
    if (nd->op != PDI_input) bound_beyond(w, i);
    return ok;
}

double **bound_of(const pdr_graph *g, double *const *value)
{
    bound_work w = {g, value, pdi_new(g->alloc, g->n, sizeof(double *))};
    for (size_t i = 1; w.bound && i < g->n; i++)
        if (value[i] && !bound_node(&w, i)) {
            pdi_eval_free(g, w.bound);
            return NULL;
        }
    return w.bound;
}
