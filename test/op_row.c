/* op_row.c -- one row states an operator instance; one call checks every promise.
 *
 * A rig is a row built: its inputs x, its node y, and a loss
 *     L = sum_i w_i sin(c y_i + 0.7)
 * with random weights w, so that a gradient depends on every element of y and a
 * second derivative is not trivial even for linear operators; c keeps the sine's
 * argument near 1.  What is compared throughout is y and dL/dx. */
#include "op_row.h"

#include <math.h>
#include <perdure/rng.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bound.h"
#include "kern/kern.h"
#include "meter.h"
#include "op_run.h"
#include "xform/eval.h"

enum { ROW_OUTS = OP_INPUTS + 1, ROW_ORDERS = 3, ROW_INNER = 2, ROW_OUTER = 3 };
enum { ROW_IN = OP_INPUTS + 1, ROW_ALL_IN = ROW_IN + ROW_ORDERS * OP_INPUTS };

typedef struct op_rig {
    const op_row *row;
    meter m;
    pdr_graph *g;
    size_t n;                /* inputs of the row */
    pdr_node in[ROW_ALL_IN]; /* the row's inputs, the weights, then directions */
    double *value[ROW_ALL_IN];
    size_t n_in;
    pdr_node loss; /* null where y is not real */
    size_t outs;   /* y, then the gradients */
    pdr_node out[ROW_OUTS];
    int gradient_of[ROW_OUTS]; /* which input; -1 for y */
    pdr_pool *pool;            /* one thread */
} op_rig;

int op_rows_seen[PDI_OPS];
static char row_said[1024];

static bool row_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(row_said, sizeof row_said, fmt, ap);
    va_end(ap);
    return false;
}

static int64_t row_size(const op_rig *r, pdr_node x)
{
    pdr_shape s = pdr_node_shape(r->g, x);
    return pdr_shape_size(&s);
}

/* Pools are kept: starting and ending threads takes long on a busy machine. */
static pdr_pool *row_pools[9];

static void row_pools_close(void)
{
    for (size_t i = 0; i < COUNT(row_pools); i++) pdr_pool_free(row_pools[i]);
}

static pdr_pool *row_pool(int threads)
{
    if (!row_pools[0]) {
        row_pools[0] = pdr_pool_new(NULL, 1);
        atexit(row_pools_close);
    }
    if (!row_pools[threads]) row_pools[threads] = pdr_pool_new(NULL, threads);
    return row_pools[threads];
}

/* ---- values -------------------------------------------------------------------- */

void op_place(const pdr_shape *s, int64_t flat, int32_t at[PDR_MAX_RANK])
{
    for (int k = s->rank - 1; k >= 0; k--) {
        at[k] = (int32_t)(flat % s->dim[k]);
        flat /= s->dim[k];
    }
}

int64_t op_flat(const pdr_shape *s, const int32_t at[PDR_MAX_RANK])
{
    int64_t flat = 0;
    for (int k = 0; k < s->rank; k++) flat = flat * s->dim[k] + at[k];
    return flat;
}

double op_aligned(const op_case *c, int k, int64_t flat)
{
    const pdr_shape *s = &c->in_shape[k];
    int32_t at[PDR_MAX_RANK], mine[PDR_MAX_RANK] = {0};
    op_place(&c->shape, flat, at);
    for (int j = 0; j < s->rank; j++)
        mine[j] = s->dim[j] == 1 ? 0 : at[j + c->shape.rank - s->rank];
    return c->in[k][op_flat(s, mine)];
}

/* Inputs never meet each other's values either. */
static void row_distinct(pdr_rng *rng, size_t input, int64_t n, double *v)
{
    uint32_t *order = malloc(sizeof *order * (size_t)n);
    for (int64_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    pdr_rng_shuffle(rng, (size_t)n, order);
    for (int64_t i = 0; i < n; i++)
        v[i] = ((double)order[i] - (double)(n / 2)) / 8 + (1 + 2 * (double)input) / 64;
    free(order);
}

static double row_draw(pdr_rng *rng, const op_input *in)
{
    switch (in->draw) {
    case OP_POSITIVE: return (double)(float)(0.5 + 1.5 * (double)pdr_rng_uniform(rng));
    case OP_WHOLE: return (double)pdr_rng_below(rng, 5) - 2;
    case OP_INDEX: return (double)pdr_rng_below(rng, (uint32_t)in->below + 2) - 1;
    case OP_KEY: return (double)(int32_t)pdr_rng_u32(rng);
    default: return (double)pdr_rng_normal(rng);
    }
}

/* Values of input k of a row; each replica has its own.  n elements to v. */
static void row_values(const op_row *row, size_t k, uint32_t replica, double *v)
{
    uint64_t seed = pdi_hash(k, row->label, strlen(row->label));
    pdr_rng rng = {.seed = seed, .stream = PDR_STREAM_TEST, .sub = replica};
    int64_t n = pdr_shape_size(&row->in[k].shape);
    if (row->in[k].draw == OP_DISTINCT)
        row_distinct(&rng, k, n, v);
    else
        for (int64_t i = 0; i < n; i++) v[i] = row_draw(&rng, &row->in[k]);
}

static double *row_doubles(int64_t n) { return malloc(sizeof(double) * (size_t)n); }

/* ---- building -------------------------------------------------------------------- */

static pdr_node rig_input(op_rig *r, pdr_type type, pdr_shape shape)
{
    pdr_node x = pdr_input(r->g, type, shape);
    r->in[r->n_in] = x;
    r->value[r->n_in++] = row_doubles(row_size(r, x));
    return x;
}

static void rig_inputs(op_rig *r)
{
    const op_row *row = r->row;
    for (; r->n < OP_INPUTS && row->in[r->n].draw; r->n++) {
        op_draw draw = row->in[r->n].draw;
        pdr_type type = draw == OP_INDEX || draw == OP_KEY ? PDR_I32 : PDR_F32;
        rig_input(r, type, row->in[r->n].shape);
        row_values(row, r->n, 0, r->value[r->n]);
    }
}

/* 1 / (1 + root mean square of y). */
static double rig_scale(const op_rig *r, pdr_node y)
{
    int64_t n = row_size(r, y);
    double s = 0, **v = pdi_eval(r->g, r->n_in, r->in, r->value, 1, &y);
    for (int64_t i = 0; i < n; i++) s += v[y.id][i] * v[y.id][i];
    pdi_eval_free(r->g, v);
    return 1 / (1 + sqrt(s / (double)n));
}

static void rig_loss(op_rig *r, pdr_node y)
{
    pdr_graph *g = r->g;
    double c = rig_scale(r, y);
    pdr_node w = rig_input(r, PDR_F32, pdr_node_shape(g, y)), d[OP_INPUTS], x[OP_INPUTS];
    pdr_rng rng = {.seed = 11, .stream = PDR_STREAM_TEST};
    for (int64_t i = 0, n = row_size(r, w); i < n; i++)
        r->value[r->n][i] = (double)pdr_rng_normal(&rng);
    r->loss = pdr_sum_all(g, pdr_mul(g, w, pdr_sin(g, pdr_shift(g, 0.7, pdr_scale(g, c, y)))));
    size_t reals = 0;
    for (size_t k = 0; k < r->n; k++)
        if (pdr_node_type(g, r->in[k]) == PDR_F32) {
            r->gradient_of[r->outs + reals] = (int)k;
            x[reals++] = r->in[k];
        }
    pdr_grad(g, r->loss, reals, x, d);
    for (size_t k = 0; k < reals; k++) r->out[r->outs++] = d[k];
}

static bool rig_error(const op_rig *r, const char *when)
{
    return pdr_graph_error(r->g) ? row_say("%s: %s", when, pdr_graph_error(r->g)) : true;
}

static bool rig_build(op_rig *r)
{
    meter_start(&r->m);
    r->g = pdr_graph_new(&r->m.alloc);
    r->pool = row_pool(1);
    pdr_graph_label(r->g, "row");
    rig_inputs(r);
    pdr_node y = r->row->make(r->g, r->row, r->in);
    r->out[r->outs] = y;
    r->gradient_of[r->outs++] = -1;
    if (!rig_error(r, "building")) return false;
    if (y.id == 0) return row_say("building: the null node without an error");
    if (pdr_node_type(r->g, y) == PDR_F32) rig_loss(r, y);
    return rig_error(r, "gradient");
}

static void rig_close(op_rig *r)
{
    for (size_t i = 0; i < r->n_in; i++) free(r->value[i]);
    pdr_graph_free(r->g);
}

static const char *rig_out_name(const op_rig *r, size_t j)
{
    static char name[32];
    if (r->gradient_of[j] < 0) return "value";
    snprintf(name, sizeof name, "gradient of input %d", r->gradient_of[j]);
    return name;
}

static op_job rig_job(const op_rig *r)
{
    return (op_job){.g = r->g,
                    .pool = r->pool,
                    .n_in = r->n_in,
                    .n_out = r->outs,
                    .in = r->in,
                    .out = r->out,
                    .value = r->value};
}

/* ---- oracle ------------------------------------------------------------------------ */

static bool rig_wanted(const op_rig *r, double *const *v)
{
    op_case c = {.row = r->row, .shape = pdr_node_shape(r->g, r->out[0])};
    int64_t n = row_size(r, r->out[0]);
    if (!r->row->want) return true;
    for (size_t k = 0; k < r->n; k++) {
        c.in[k] = r->value[k];
        c.in_shape[k] = pdr_node_shape(r->g, r->in[k]);
    }
    c.out = row_doubles(n);
    r->row->want(&c);
    bool ok = true;
    for (int64_t i = 0; ok && i < n; i++) {
        double got = v[r->out[0].id][i], want = c.out[i];
        if (!(fabs(got - want) <= 1e-12 * (1 + fabs(want))))
            ok = row_say("oracle: f64 element %lld is %.17g, not %.17g", (long long)i, got, want);
    }
    free(c.out);
    return ok;
}

static bool rig_near(const op_rig *r, size_t j, const double *want, const double *bound,
                     const float *got)
{
    for (int64_t i = 0, n = row_size(r, r->out[j]); i < n; i++) {
        double x = (double)got[i];
        if (pdr_node_type(r->g, r->out[j]) == PDR_I32) {
            int32_t k;
            memcpy(&k, &got[i], 4);
            x = k;
        }
        if (!isfinite(bound[i]))
            return row_say("oracle: %s, element %lld cannot be judged", rig_out_name(r, j),
                           (long long)i);
        if (!(fabs(x - want[i]) <= bound[i]))
            return row_say("oracle: %s, element %lld: f32 is %.9g, f64 %.17g, bound %.3g",
                           rig_out_name(r, j), (long long)i, x, want[i], bound[i]);
    }
    return true;
}

static bool rig_oracle(op_rig *r)
{
    op_job job = rig_job(r);
    float *got[ROW_OUTS];
    const char *harm = op_run(&job, got);
    if (harm) return row_say("oracle: %s", harm);
    double **v = pdi_eval(r->g, r->n_in, r->in, r->value, r->outs, r->out);
    double **e = bound_of(r->g, v);
    bool ok = rig_wanted(r, v);
    for (size_t j = 0; ok && j < r->outs; j++)
        ok = rig_near(r, j, v[r->out[j].id], e[r->out[j].id], got[j]);
    pdi_eval_free(r->g, v);
    pdi_eval_free(r->g, e);
    op_free(r->outs, got);
    return ok;
}

/* ---- slopes ------------------------------------------------------------------------- */

/* f(x + t dir), where dir are the inputs numbered from `dirs`. */
static double rig_at(const op_rig *r, pdr_node f, size_t dirs, double t)
{
    double *moved[ROW_ALL_IN];
    memcpy(moved, r->value, sizeof moved);
    for (size_t k = 0; k < r->n; k++) {
        int64_t n = row_size(r, r->in[k]);
        moved[k] = row_doubles(n);
        for (int64_t i = 0; i < n; i++) moved[k][i] = r->value[k][i] + t * r->value[dirs + k][i];
    }
    double **v = pdi_eval(r->g, r->n_in, r->in, moved, 1, &f), y = v[f.id][0];
    pdi_eval_free(r->g, v);
    for (size_t k = 0; k < r->n; k++) free(moved[k]);
    return y;
}

/* Central differences with steps h, h/2, h/4, extrapolated twice (Richardson): the
 * error is of order h^6. */
static double rig_slope(const op_rig *r, pdr_node f, size_t dirs)
{
    double d[3], h = 0x1p-7;
    for (int k = 0; k < 3; k++, h /= 2)
        d[k] = (rig_at(r, f, dirs, h) - rig_at(r, f, dirs, -h)) / (2 * h);
    double one = (4 * d[1] - d[0]) / 3, two = (4 * d[2] - d[1]) / 3;
    return (16 * two - one) / 15;
}

/* A direction for each input, as inputs of the graph: integers do not move. */
static size_t rig_directions(op_rig *r, int order)
{
    size_t dirs = r->n_in;
    pdr_rng rng = {.seed = 12, .stream = PDR_STREAM_TEST, .sub = (uint32_t)order};
    for (size_t k = 0; k < r->n; k++) {
        bool real = pdr_node_type(r->g, r->in[k]) == PDR_F32;
        pdr_node v = rig_input(r, PDR_F32, pdr_node_shape(r->g, r->in[k]));
        for (int64_t i = 0, n = row_size(r, v); i < n; i++)
            r->value[dirs + k][i] = real ? 2 * (double)pdr_rng_uniform(&rng) - 1 : 0;
    }
    return dirs;
}

static double rig_norm(const op_rig *r, double *const *v, const pdr_node d[])
{
    double s = 0;
    for (size_t k = 0; k < r->n; k++)
        for (int64_t i = 0, n = row_size(r, d[k]); i < n; i++) s += v[d[k].id][i] * v[d[k].id][i];
    return sqrt(s);
}

/* *f becomes <df/dx, dir>; compared with differences of the old *f. */
static bool rig_derivative(op_rig *r, int order, pdr_node *f)
{
    pdr_graph *g = r->g;
    size_t dirs = rig_directions(r, order);
    pdr_node d[OP_INPUTS + 1], s = pdr_scalar(g, 0);
    if (!pdr_grad(g, *f, r->n, r->in, d)) return rig_error(r, "slopes");
    for (size_t k = 0; k < r->n; k++)
        s = pdr_add(g, s, pdr_sum_all(g, pdr_mul(g, d[k], r->in[dirs + k])));
    if (!rig_error(r, "slopes")) return false;
    d[r->n] = s;
    double **v = pdi_eval(g, r->n_in, r->in, r->value, r->n + 1, d);
    double got = v[s.id][0], want = rig_slope(r, *f, dirs), norm = rig_norm(r, v, d);
    double scale = fmax(fmax(fabs(got), fabs(want)), 0.1 * norm);
    pdi_eval_free(g, v);
    *f = s;
    if (fabs(got - want) <= 1e-6 * scale + 1e-10) return true;
    return row_say(
        "slopes: derivative %d along a random direction is %.15g, differences give %.15g", order,
        got, want);
}

static bool rig_slopes(op_rig *r)
{
    int orders = r->row->flags & (OP_KINKED | OP_LARGE) ? 0 : r->row->flags & OP_THIRD ? 3 : 2;
    pdr_node f = r->loss;
    size_t n_in = r->n_in;
    if (!r->loss.id || !r->n) return true;
    bool ok = true;
    for (int order = 1; ok && order <= orders; order++) ok = rig_derivative(r, order, &f);
    while (r->n_in > n_in) free(r->value[--r->n_in]); /* directions are no inputs of what follows */
    return ok;
}

/* ---- vmap ------------------------------------------------------------------------------ */

/* A batch of the rig: the row's inputs in `inner` mapped, then those in `outer`. */
typedef struct rig_batch {
    unsigned inner, outer; /* sets of inputs, as bits */
    int32_t sizes[2];      /* of the inner and the outer batch; 1: not batched */
    pdr_node in[ROW_IN], out[ROW_OUTS];
    double *value[ROW_IN];
} rig_batch;

static bool batch_map(op_rig *r, rig_batch *b, unsigned set, int32_t size)
{
    pdr_node from[ROW_IN], to[ROW_IN] = {{0}}, out[ROW_OUTS];
    size_t n = 0;
    for (size_t k = 0; k < r->n; k++)
        if (set >> k & 1) from[n++] = b->in[k];
    memcpy(out, b->out, sizeof out);
    if (!pdr_vmap(r->g, size, n, from, to, r->outs, out, b->out)) return rig_error(r, "vmap");
    n = 0;
    for (size_t k = 0; k < r->n; k++)
        if (set >> k & 1) b->in[k] = to[n++];
    return true;
}

/* Which values input k has in item (o, i) of the batch. */
static uint32_t batch_replica(const rig_batch *b, size_t k, int32_t o, int32_t i)
{
    int32_t inner = b->inner >> k & 1 ? i : 0, outer = b->outer >> k & 1 ? o : 0;
    return (uint32_t)(outer * b->sizes[0] + inner);
}

static void batch_values(const op_rig *r, rig_batch *b)
{
    for (size_t k = 0; k < r->n_in; k++) {
        int64_t each = row_size(r, r->in[k]), n = row_size(r, b->in[k]);
        b->value[k] = row_doubles(n);
        int32_t inner = b->inner >> k & 1 ? b->sizes[0] : 1;
        for (int64_t c = 0; c < n / each; c++) {
            double *to = b->value[k] + c * each;
            if (k < r->n)
                row_values(r->row, k,
                           batch_replica(b, k, (int32_t)(c / inner), (int32_t)(c % inner)), to);
            else
                memcpy(to, r->value[k], sizeof *to * (size_t)each);
        }
    }
}

static bool batch_open(op_rig *r, rig_batch *b)
{
    memcpy(b->in, r->in, sizeof b->in);
    memcpy(b->out, r->out, sizeof b->out);
    if (b->inner && !batch_map(r, b, b->inner, b->sizes[0])) return false;
    if (b->outer && !batch_map(r, b, b->outer, b->sizes[1])) return false;
    batch_values(r, b);
    return true;
}

static void batch_close(const op_rig *r, rig_batch *b)
{
    for (size_t k = 0; k < r->n_in; k++) {
        free(b->value[k]);
        b->value[k] = NULL;
    }
}

static bool batch_differs(const op_rig *r, const rig_batch *b, const char *how, size_t j, int32_t o,
                          int32_t i)
{
    return row_say("vmap: %s, inputs %#x mapped by %d, then %#x by %d: %s of item (%d,%d) is not "
                   "what the loop gives",
                   how, b->inner, b->sizes[0], b->outer, b->sizes[1], rig_out_name(r, j), o, i);
}

/* The inputs' values in item (o, i), in value[]; those of the row are new. */
static void batch_item(const op_rig *r, const rig_batch *b, int32_t o, int32_t i, double *value[])
{
    for (size_t k = 0; k < r->n_in; k++) {
        value[k] = r->value[k];
        if (k >= r->n) continue;
        value[k] = row_doubles(row_size(r, r->in[k]));
        row_values(r->row, k, batch_replica(b, k, o, i), value[k]);
    }
}

static bool batch_item_f64(const op_rig *r, const rig_batch *b, double *const *all, int32_t o,
                           int32_t i, double *const value[])
{
    bool ok = true;
    double **one = pdi_eval(r->g, r->n_in, r->in, value, r->outs, r->out);
    for (size_t j = 0; ok && j < r->outs; j++) {
        int64_t n = row_size(r, r->out[j]);
        const double *item = all[b->out[j].id] + (o * b->sizes[0] + i) * n;
        if (memcmp(item, one[r->out[j].id], sizeof *item * (size_t)n) != 0)
            ok = batch_differs(r, b, "f64", j, o, i);
    }
    pdi_eval_free(r->g, one);
    return ok;
}

static bool batch_item_f32(const op_rig *r, const rig_batch *b, float *const all[], int32_t o,
                           int32_t i, double *const value[])
{
    bool ok = true;
    float *one[ROW_OUTS];
    op_job job = rig_job(r);
    job.value = value;
    job.once = true;
    const char *harm = op_run(&job, one);
    if (harm) return row_say("vmap: %s", harm);
    for (size_t j = 0; ok && j < r->outs; j++) {
        int64_t n = row_size(r, r->out[j]);
        const float *item = all[j] + (o * b->sizes[0] + i) * n;
        if (memcmp(item, one[j], sizeof *item * (size_t)n) != 0)
            ok = batch_differs(r, b, "f32", j, o, i);
    }
    op_free(r->outs, one);
    return ok;
}

static bool batch_items(const op_rig *r, const rig_batch *b, double *const *f64, float *const f32[])
{
    bool ok = true;
    for (int32_t o = 0; o < b->sizes[1]; o++)
        for (int32_t i = 0; ok && i < b->sizes[0]; i++) {
            double *value[ROW_IN];
            batch_item(r, b, o, i, value);
            ok = batch_item_f64(r, b, f64, o, i, value) && batch_item_f32(r, b, f32, o, i, value);
            for (size_t k = 0; k < r->n; k++) free(value[k]);
        }
    return ok;
}

static bool rig_batched(op_rig *r, unsigned inner, unsigned outer)
{
    rig_batch b = {.inner = inner, .outer = outer};
    float *f32[ROW_OUTS];
    b.sizes[0] = ROW_INNER;
    b.sizes[1] = outer ? ROW_OUTER : 1;
    if (!batch_open(r, &b)) return false;
    op_job job = rig_job(r);
    job.in = b.in;
    job.out = b.out;
    job.value = b.value;
    const char *harm = op_run(&job, f32);
    bool ok = harm ? row_say("vmap: %s", harm) : true;
    if (ok) {
        double **f64 = pdi_eval(r->g, r->n_in, b.in, b.value, r->outs, b.out);
        ok = batch_items(r, &b, f64, f32);
        pdi_eval_free(r->g, f64);
        op_free(r->outs, f32);
    }
    batch_close(r, &b);
    return ok;
}

/* Every set of inputs alone; then batched again by the same set and by the next. */
static bool rig_vmap(op_rig *r)
{
    unsigned sets = 1u << r->n;
    bool nested = !(r->row->flags & OP_LARGE), ok = true;
    for (unsigned s = 1; ok && s < sets; s++) {
        unsigned next = s + 1 < sets ? s + 1 : 1;
        ok = rig_batched(r, s, 0);
        if (ok && nested) ok = rig_batched(r, s, s);
        if (ok && nested && next != s) ok = rig_batched(r, s, next);
    }
    return ok;
}

/* ---- threads and instruction sets ----------------------------------------------------------- */

/* Once more as a batch, so that there is something to share and, where products are in
 * it, a region (plan/region.c). */
static int32_t threads_batch(const op_rig *r)
{
    int64_t most = 1;
    for (size_t k = 0; k < r->n_in; k++)
        if (row_size(r, r->in[k]) > most) most = row_size(r, r->in[k]);
    int64_t size = 6000 / most;
    return (int32_t)(size < 2 ? 2 : size > 50 ? 50 : size);
}

static bool threads_same(const op_job *first, int threads, const char *name, const char *value,
                         float *const want[])
{
    op_job job = *first;
    float *got[ROW_OUTS];
    int64_t at = 0;
    job.once = true;
    job.eager = true;
    job.pool = row_pool(threads);
    const char *harm = op_run_with(name, value, &job, got);
    if (harm) return row_say("threads: %d, %s=%s: %s", threads, name, value, harm);
    int j = op_differ(&job, want, got, &at);
    bool ok = j < 0 ? true
                    : row_say("threads: %d, %s=%s: output %d, element %lld is %.9g, not %.9g",
                              threads, name, value, j, (long long)at, (double)got[j][at],
                              (double)want[j][at]);
    op_free(job.n_out, got);
    return ok;
}

static bool threads_all(const op_job *job, size_t n, const int counts[])
{
    float *want[ROW_OUTS];
    const char *harm = op_run(job, want);
    if (harm) return row_say("threads: %s", harm);
    const char *isa = "PERDURE_ISA", *best = pdi_kernels_here()->name;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) ok = threads_same(job, counts[i], isa, best, want);
    for (int i = 0; ok && pdi_kernels_at(i); i++)
        ok = threads_same(job, 1, isa, pdi_kernels_at(i)->name, want);
    ok = ok && threads_same(job, 1, "PERDURE_PLAN", "plain", want);
    ok = ok && threads_same(job, 2, "PERDURE_PLAN", "fine", want);
    op_free(job->n_out, want);
    return ok;
}

static bool rig_threads(op_rig *r)
{
    rig_batch b = {.inner = (1u << r->n) - 1, .sizes = {threads_batch(r), 1}};
    static const int counts[] = {2, 8}, batched[] = {3};
    op_job job = rig_job(r);
    if (!threads_all(&job, COUNT(counts), counts)) return false;
    if (!r->n) return true;
    if (!batch_open(r, &b)) return false;
    job.in = b.in;
    job.out = b.out;
    job.value = b.value;
    bool ok = threads_all(&job, COUNT(batched), batched);
    batch_close(r, &b);
    return ok;
}

/* ---- outputs that replace inputs ----------------------------------------------------------------
 */

static bool over_same(op_job job, const int32_t over[], const char *what)
{
    float *want[ROW_OUTS], *got[ROW_OUTS];
    int64_t at = 0;
    const char *harm = op_run(&job, want);
    if (harm) return row_say("over: %s", harm);
    job.over = over;
    harm = op_run(&job, got);
    int j = harm ? -1 : op_differ(&job, want, got, &at);
    op_free(job.n_out, want);
    if (harm) return row_say("over: %s: %s", what, harm);
    op_free(job.n_out, got);
    if (j < 0) return true;
    return row_say("over: %s: output %d, element %lld has other bits", what, j, (long long)at);
}

/* Every gradient over its input, then every updated input over itself. */
static bool over_gradients(op_rig *r)
{
    int32_t over[ROW_OUTS];
    pdr_node moved[ROW_OUTS];
    op_job job = rig_job(r);
    for (size_t j = 0; j < r->outs; j++) {
        over[j] = r->gradient_of[j];
        moved[j] = r->out[j];
        if (over[j] >= 0) moved[j] = pdr_sub(r->g, r->in[over[j]], pdr_scale(r->g, 0.1, r->out[j]));
    }
    if (!over_same(job, over, "gradients replace inputs")) return false;
    job.out = moved;
    return over_same(job, over, "updates replace inputs");
}

/* The value over each input of its size. */
static bool over_value(op_rig *r)
{
    op_job job = rig_job(r);
    pdr_shape y = pdr_node_shape(r->g, r->out[0]);
    bool ok = true;
    for (size_t k = 0; ok && k < r->n; k++) {
        int32_t over[ROW_OUTS] = {(int32_t)k, -1, -1, -1, -1};
        pdr_shape x = pdr_node_shape(r->g, r->in[k]);
        bool fits = pdr_shape_size(&x) == pdr_shape_size(&y) &&
                    pdr_node_type(r->g, r->in[k]) == pdr_node_type(r->g, r->out[0]);
        if (fits) ok = over_same(job, over, "the value replaces an input");
    }
    return ok;
}

static bool rig_over(op_rig *r) { return over_gradients(r) && over_value(r); }

/* ---- text
 * ------------------------------------------------------------------------------------------ */

static bool text_same(const op_rig *r, const char *text)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_graph *again = pdr_graph_parse(&r->m.alloc, text, &err);
    if (!again) return row_say("text: what was printed is refused: %s", err.text);
    char *text_again = pdr_graph_print(again);
    bool ok = !strcmp(text, text_again);
    if (!ok) row_say("text: what was parsed prints differently");
    if (ok && pdr_graph_verify(again, &err)) ok = row_say("text: parsed: %s", err.text);
    pdi_free(&r->m.alloc, text_again);
    pdr_graph_free(again);
    return ok;
}

static bool rig_text(op_rig *r)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_graph_verify(r->g, &err)) return row_say("text: %s", err.text);
    char *text = pdr_graph_print(r->g);
    bool ok = text_same(r, text);
    pdi_free(&r->m.alloc, text);
    return ok;
}

/* ---- all of them
 * ------------------------------------------------------------------------------------- */

const char *op_row_broken(const op_row *row, int *op)
{
    op_rig r = {.row = row};
    bool ok = rig_build(&r);
    if (ok && op) *op = (int)pdi_node_at(r.g, r.out[0])->op;
    ok = ok && rig_oracle(&r) && rig_slopes(&r) && rig_vmap(&r) && rig_threads(&r) &&
         rig_over(&r) && rig_text(&r);
    rig_close(&r);
    const char *trouble = meter_trouble(&r.m);
    if (ok && trouble) ok = row_say("memory: %s", trouble);
    return ok ? NULL : row_said;
}

void op_rows_keep(size_t n, const op_row rows[])
{
    int broken = 0;
    for (size_t i = 0; i < n; i++) {
        int op = 0;
        const char *why = op_row_broken(&rows[i], &op);
        op_rows_seen[op]++;
        if (!why) continue;
        print_error("%s: %s\n", rows[i].label, why);
        broken++;
    }
    assert_int_equal(broken, 0);
}
