/* kern/reduce.c -- sums, maxima, strided loads, random draws.
 *
 * The order of a sum of R elements is fixed by R: lane l of PDI_LANES adds
 * elements l, l + 16, ...; lanes are then folded in halves.  Both loops below
 * follow it, one for many outputs side by side, one for a single output. */
#include <string.h>

#include "base/philox.h"
#include "kern/body.h"

enum { SUM_WIDTH = 64 }; /* outputs side by side */

/* ---- an odometer over axes ----------------------------------------------------- */

typedef struct reduce_odometer {
    const pdi_axes *axes;
    int64_t at, index[PDR_MAX_RANK];
} reduce_odometer;

static reduce_odometer reduce_start(const pdi_axes *axes, int n, int64_t i)
{
    reduce_odometer o = {.axes = axes};
    for (int k = n; k-- > 0; i /= axes->dim[k]) {
        o.index[k] = i % axes->dim[k];
        o.at += o.index[k] * axes->stride[k];
    }
    return o;
}

/* Advance axis n-1 by one, carrying outward. */
static void reduce_next(reduce_odometer *o, int n)
{
    for (int k = n; k-- > 0;) {
        o->at += o->axes->stride[k];
        if (++o->index[k] < o->axes->dim[k]) return;
        o->at -= o->axes->stride[k] * o->axes->dim[k];
        o->index[k] = 0;
    }
}

static int64_t reduce_count(const pdi_axes *a)
{
    int64_t n = 1;
    for (int k = 0; k < a->n; k++) n *= a->dim[k];
    return n;
}

/* ---- strided loads ---------------------------------------------------------------- */

static void reduce_load_row(float *out, const float *x, int64_t stride, int64_t n)
{
    if (stride == 1) {
        memcpy(out, x, sizeof *out * (size_t)n);
    } else if (stride == 0) {
        for (int64_t i = 0; i < n; i++) out[i] = *x;
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = x[i * stride];
    }
}

void KERN(load)(float *out, const float *x, const pdi_axes *axes, int64_t lo, int64_t n)
{
    int last = axes->n - 1;
    if (last < 0) {
        reduce_load_row(out, x, 0, n);
        return;
    }
    int64_t width = axes->dim[last], stride = axes->stride[last], skip = lo % width;
    reduce_odometer o = reduce_start(axes, last, lo / width);
    while (n > 0) {
        int64_t m = width - skip < n ? width - skip : n;
        reduce_load_row(out, x + o.at + skip * stride, stride, m);
        out += m;
        n -= m;
        skip = 0;
        reduce_next(&o, last);
    }
}

/* ---- sums ---------------------------------------------------------------------------- */

/* Lanes l >= R do not exist; the fold adds those that do. */
static void reduce_fold(float *lane, int64_t width, int64_t R)
{
    int64_t lanes = R < PDI_LANES ? R : PDI_LANES;
    for (int64_t half = PDI_LANES / 2; half > 0; half /= 2) {
        for (int64_t l = 0; l + half < lanes && l < half; l++)
            for (int64_t j = 0; j < width; j++) lane[l * width + j] += lane[(l + half) * width + j];
        if (lanes > half) lanes = half;
    }
}

/* width neighbours in memory, each its own sum. */
static void reduce_side_by_side(float *out, const float *x, const pdi_axes *over, int64_t R,
                                int64_t width)
{
    float lane[PDI_LANES * SUM_WIDTH];
    reduce_odometer o = {.axes = over};
    for (int64_t r = 0; r < R; r++) {
        float *acc = lane + r % PDI_LANES * width;
        const float *row = x + o.at;
        if (r < PDI_LANES)
            memcpy(acc, row, sizeof *acc * (size_t)width);
        else
            for (int64_t j = 0; j < width; j++) acc[j] += row[j];
        reduce_next(&o, over->n);
    }
    reduce_fold(lane, width, R);
    memcpy(out, lane, sizeof *out * (size_t)width);
}

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

/* One output.  Elements that do not lie side by side are brought together first, a whole
 * number of rounds over the lanes at a time. */
static float reduce_alone(const float *x, const pdi_axes *over, int64_t R)
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
    reduce_fold(lane, 1, R);
    return lane[0];
}

void KERN(sum)(const pdi_sum *s, int64_t lo, int64_t hi)
{
    int last = s->kept.n - 1;
    int64_t R = reduce_count(&s->over);
    if (last < 0 || s->kept.stride[last] != 1) {
        reduce_odometer o = reduce_start(&s->kept, s->kept.n, lo);
        for (int64_t i = lo; i < hi; i++, reduce_next(&o, s->kept.n))
            s->out[i] = reduce_alone(s->x + o.at, &s->over, R);
        return;
    }
    int64_t row = s->kept.dim[last];
    while (lo < hi) {
        reduce_odometer o = reduce_start(&s->kept, s->kept.n, lo);
        int64_t width = row - lo % row;
        if (width > hi - lo) width = hi - lo;
        if (width > SUM_WIDTH) width = SUM_WIDTH;
        reduce_side_by_side(s->out + lo, s->x + o.at, &s->over, R, width);
        lo += width;
    }
}

/* ---- maxima ---------------------------------------------------------------------------- */

/* best and where[] over the middle axis, side by side along the inner one. */
static void reduce_select_rows(const float *x, int64_t n, int64_t inner, int64_t width, float *best,
                               float *where)
{
    memcpy(best, x, sizeof *best * (size_t)width);
    for (int64_t j = 0; j < width; j++) where[j] = 0;
    for (int64_t i = 1; i < n; i++) {
        const float *row = x + i * inner;
        KERN_INDEPENDENT
        for (int64_t j = 0; j < width; j++) {
            bool more = row[j] > best[j];
            best[j] = more ? row[j] : best[j];
            where[j] = more ? (float)i : where[j];
        }
    }
}

/* The same for a row that lies side by side. */
static float reduce_select_row(const float *x, int64_t n, bool index)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return index ? (float)best : x[best];
}

static void reduce_select_along(float *out, const float *x, int64_t outer, int64_t n, int64_t inner,
                                bool index)
{
    float best[SUM_WIDTH], where[SUM_WIDTH];
    if (inner == 1) {
        for (int64_t o = 0; o < outer; o++) out[o] = reduce_select_row(x + o * n, n, index);
        return;
    }
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j += SUM_WIDTH) {
            int64_t width = inner - j < SUM_WIDTH ? inner - j : SUM_WIDTH;
            reduce_select_rows(x + o * n * inner + j, n, inner, width, best, where);
            memcpy(out + o * inner + j, index ? where : best, sizeof *out * (size_t)width);
        }
}

void KERN(max)(float *out, const float *x, int64_t outer, int64_t n, int64_t inner)
{
    reduce_select_along(out, x, outer, n, inner, false);
}

void KERN(argmax)(float *out, const float *x, int64_t outer, int64_t n, int64_t inner)
{
    reduce_select_along(out, x, outer, n, inner, true);
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
