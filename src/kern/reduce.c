/* kern/reduce.c -- sums, maxima, random draws.
 *
 * The order of a sum of R elements is fixed by R: lane l of PDI_LANES adds
 * elements l, l + 16, ...; lanes are then folded in halves.  Both loops below
 * follow it, one for many outputs side by side, one for a single output. */
#include <string.h>

#include "base/philox.h"
#include "kern/odometer.h"
#include "kern/tile.h"

/* Where an inner function is expanded its number of vectors is a constant. */
#define REDUCE_EXPAND __attribute__((always_inline))

enum {
    SUM_VECS = 4,   /* vectors of outputs side by side */
    TURN_MOST = 64, /* rows longer than this are not worth turning */
};

typedef enum reduce_kind { REDUCE_SUM, REDUCE_MAX, REDUCE_ARGMAX } reduce_kind;

/* ---- many outputs side by side --------------------------------------------------------- */

static inline REDUCE_EXPAND vec reduce_load(const float *x, int j, int vecs, vec_part last)
{
    return j < vecs - 1 ? vec_load(x + j * VEC) : vec_load_part(x + j * VEC, last);
}

static inline REDUCE_EXPAND void reduce_store(float *out, const vec *v, int vecs, vec_part last)
{
    VEC_UNROLL
    for (int j = 0; j < vecs; j++)
        if (j < vecs - 1)
            vec_store(out + j * VEC, v[j]);
        else
            vec_store_part(out + j * VEC, last, v[j]);
}

/* Lanes l >= R do not exist; the fold adds those that do. */
static inline REDUCE_EXPAND void reduce_fold(vec lane[][SUM_VECS], int vecs, int64_t R)
{
    int64_t lanes = R < PDI_LANES ? R : PDI_LANES;
    for (int64_t half = PDI_LANES / 2; half > 0; half /= 2) {
        for (int64_t l = 0; l + half < lanes && l < half; l++) {
            VEC_UNROLL
            for (int j = 0; j < vecs; j++) lane[l][j] = vec_add(lane[l][j], lane[l + half][j]);
        }
        if (lanes > half) lanes = half;
    }
}

/* Columns of x, each its own sum.  The last vector has as many as `last` says. */
static inline REDUCE_EXPAND void reduce_sum_columns(float *out, const float *x,
                                                    const pdi_axes *over, int64_t R, int vecs,
                                                    vec_part last)
{
    vec lane[PDI_LANES][SUM_VECS];
    odometer o = {.axes = over};
    for (int64_t r = 0; r < R; r++, odometer_next(&o, over->n)) {
        vec *acc = lane[r % PDI_LANES], row[SUM_VECS];
        VEC_UNROLL
        for (int j = 0; j < vecs; j++) row[j] = reduce_load(x + o.at, j, vecs, last);
        VEC_UNROLL
        for (int j = 0; j < vecs; j++) acc[j] = r < PDI_LANES ? row[j] : vec_add(acc[j], row[j]);
    }
    reduce_fold(lane, vecs, R);
    reduce_store(out, lane[0], vecs, last);
}

/* The same for maxima. */
static inline REDUCE_EXPAND void reduce_select_columns(float *out, const float *x,
                                                       const pdi_axes *over, int64_t R, int vecs,
                                                       vec_part last, bool index)
{
    vec best[SUM_VECS], where[SUM_VECS];
    odometer o = {.axes = over};
    VEC_UNROLL
    for (int j = 0; j < vecs; j++) {
        best[j] = reduce_load(x, j, vecs, last);
        where[j] = vec_set(0);
    }
    for (int64_t r = 1; r < R; r++) {
        odometer_next(&o, over->n);
        VEC_UNROLL
        for (int j = 0; j < vecs; j++) {
            vec row = reduce_load(x + o.at, j, vecs, last);
            where[j] = vec_more(row, best[j], vec_set((float)r), where[j]);
            best[j] = vec_more(row, best[j], row, best[j]);
        }
    }
    reduce_store(out, index ? where : best, vecs, last);
}

static inline REDUCE_EXPAND void reduce_columns(reduce_kind kind, float *out, const float *x,
                                                const pdi_axes *over, int64_t R, int vecs,
                                                vec_part last)
{
    if (kind == REDUCE_SUM)
        reduce_sum_columns(out, x, over, R, vecs, last);
    else
        reduce_select_columns(out, x, over, R, vecs, last, kind == REDUCE_ARGMAX);
}

/* width neighbours in memory, at most SUM_VECS vectors of them. */
static inline REDUCE_EXPAND void reduce_side_by_side(reduce_kind kind, float *out, const float *x,
                                                     const pdi_axes *over, int64_t R, int64_t width)
{
    int vecs = (int)((width + VEC - 1) / VEC);
    vec_part last = vec_first(width - (vecs - 1) * VEC);
    switch (vecs) {
    case 1: reduce_columns(kind, out, x, over, R, 1, last); break;
    case 2: reduce_columns(kind, out, x, over, R, 2, last); break;
    case 3: reduce_columns(kind, out, x, over, R, 3, last); break;
    default: reduce_columns(kind, out, x, over, R, SUM_VECS, last);
    }
}

/* ---- one output at a time ------------------------------------------------------------- */

/* Add n elements, of which the first is element r of the sum, to their lanes. */
static void reduce_lanes(float lane[PDI_LANES], const float *x, int64_t r, int64_t n)
{
    int64_t i = 0;
    if (r == 0) { /* the first element of a lane is not added to a zero */
        i = n < PDI_LANES ? n : PDI_LANES;
        memcpy(lane, x, sizeof *lane * (size_t)i);
    }
    for (; i + PDI_LANES <= n; i += PDI_LANES)
        for (int l = 0; l < PDI_LANES; l++) lane[l] += x[i + l];
    for (int l = 0; i + l < n; l++) lane[l] += x[i + l];
}

static float reduce_fold_alone(float lane[PDI_LANES], int64_t R)
{
    int64_t lanes = R < PDI_LANES ? R : PDI_LANES;
    for (int64_t half = PDI_LANES / 2; half > 0; half /= 2) {
        for (int64_t l = 0; l + half < lanes && l < half; l++) lane[l] += lane[l + half];
        lanes = lanes < half ? lanes : half;
    }
    return lane[0];
}

/* One output.  Elements that do not lie side by side are brought together first, a whole
 * number of rounds over the lanes at a time. */
static float reduce_sum_alone(const float *x, const pdi_axes *over, int64_t R)
{
    float lane[PDI_LANES] = {0}, some[16 * PDI_LANES];
    enum { SOME = sizeof some / sizeof some[0] };
    if (over->n == 1 && over->stride[0] == 1) {
        reduce_lanes(lane, x, 0, R);
    } else {
        for (int64_t r = 0; r < R; r += SOME) {
            int64_t n = R - r < SOME ? R - r : SOME;
            KERN(load)(some, x, over, r, n);
            reduce_lanes(lane, some, r, n);
        }
    }
    return reduce_fold_alone(lane, R);
}

static float reduce_select_alone(const float *x, const pdi_axes *over, int64_t R, bool index)
{
    odometer o = {.axes = over};
    float best = x[0], where = 0;
    for (int64_t r = 0; r < R; r++, odometer_next(&o, over->n))
        if (x[o.at] > best) {
            best = x[o.at];
            where = (float)r;
        }
    return index ? where : best;
}

static inline REDUCE_EXPAND float reduce_alone(reduce_kind kind, const float *x,
                                               const pdi_axes *over, int64_t R)
{
    return kind == REDUCE_SUM ? reduce_sum_alone(x, over, R)
                              : reduce_select_alone(x, over, R, kind == REDUCE_ARGMAX);
}

/* ---- rows turned into columns ---------------------------------------------------------- */

/* Are there rows enough, next to each other in memory, of a length that turning pays? */
static bool reduce_turns(int64_t rows, int64_t length)
{
    return VEC > 1 && rows > 1 && length >= VEC_COLUMNS && length <= TURN_MOST;
}

/* `rows` rows of R elements side by side, at most a vector of rows. */
static inline REDUCE_EXPAND void reduce_rows(reduce_kind kind, float *out, const float *x,
                                             int64_t stride, int64_t rows, int64_t R)
{
    float column[TURN_MOST * VEC];
    pdi_axes over = {.n = 1, .dim = {R}, .stride = {VEC}};
    KERN(pack)(column, VEC, x, stride, 1, rows, R);
    reduce_side_by_side(kind, out, column, &over, R, rows);
}

/* ---- any of them ------------------------------------------------------------------------ */

/* How many outputs from lo on lie along the last kept axis, at most `most` and hi - lo. */
static int64_t reduce_run(const pdi_reduction *s, int64_t lo, int64_t hi, int64_t most)
{
    int last = s->kept.n - 1;
    int64_t run = last < 0 ? 1 : s->kept.dim[last] - lo % s->kept.dim[last];
    if (run > hi - lo) run = hi - lo;
    return run < most ? run : most;
}

static bool reduce_is_row(const pdi_axes *over) { return over->n == 1 && over->stride[0] == 1; }

static inline REDUCE_EXPAND void reduce_some(reduce_kind kind, const pdi_reduction *s, int64_t lo,
                                             int64_t hi)
{
    int64_t R = odometer_count(&s->over), run;
    int64_t beside = s->kept.n ? s->kept.stride[s->kept.n - 1] : 0;
    for (; lo < hi; lo += run) {
        odometer o = odometer_start(&s->kept, s->kept.n, lo);
        run = reduce_run(s, lo, hi, beside == 1 ? SUM_VECS * VEC : VEC);
        if (beside == 1) {
            reduce_side_by_side(kind, s->out + lo, s->x + o.at, &s->over, R, run);
        } else if (reduce_is_row(&s->over) && reduce_turns(run, R)) {
            reduce_rows(kind, s->out + lo, s->x + o.at, beside, run, R);
        } else {
            for (int64_t i = 0; i < run; i++)
                s->out[lo + i] = reduce_alone(kind, s->x + o.at + i * beside, &s->over, R);
        }
    }
}

void KERN(sum)(const pdi_reduction *s, int64_t lo, int64_t hi)
{
    reduce_some(REDUCE_SUM, s, lo, hi);
}

void KERN(max)(const pdi_reduction *s, int64_t lo, int64_t hi)
{
    reduce_some(REDUCE_MAX, s, lo, hi);
}

void KERN(argmax)(const pdi_reduction *s, int64_t lo, int64_t hi)
{
    reduce_some(REDUCE_ARGMAX, s, lo, hi);
}

/* ---- random draws ------------------------------------------------------------------------ */

void KERN(rand)(float *out, const int32_t *key, uint32_t stream, int64_t lo, int64_t n)
{
    uint32_t k[2] = {(uint32_t)key[0], (uint32_t)key[1]}, block[4];
    for (int64_t i = lo; i < lo + n; i++) {
        if (i == lo || i % 4 == 0) {
            uint32_t c[4] = {(uint32_t)(i / 4), stream, (uint32_t)key[2], (uint32_t)key[3]};
            pdi_philox(k, c, block);
        }
        out[i - lo] = (float)(block[i % 4] >> 8) * 0x1p-24f;
    }
}
