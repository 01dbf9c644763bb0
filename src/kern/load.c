/* kern/load.c -- elements read through axes, brought side by side.
 *
 * Rows are short as a rule (a bias, a channel's gain), so they are copied by vectors here:
 * a call of memcpy would take longer than the copy. */
#include "kern/body.h"
#include "kern/odometer.h"
#include "kern/vec.h"

static inline void load_side_by_side(float *out, const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(out + i, vec_load(x + i));
    if (i == n) return;
    vec_part rest = vec_first(n - i);
    vec_store_part(out + i, rest, vec_load_part(x + i, rest));
}

static inline void load_repeated(float *out, float x, int64_t n)
{
    vec all = vec_set(x);
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(out + i, all);
    if (i < n) vec_store_part(out + i, vec_first(n - i), all);
}

static inline void load_row(float *out, const float *x, int64_t stride, int64_t n)
{
    if (stride == 1)
        load_side_by_side(out, x, n);
    else if (stride == 0)
        load_repeated(out, *x, n);
    else
        for (int64_t i = 0; i < n; i++) out[i] = x[i * stride];
}

void KERN(load)(float *out, const float *x, const pdi_axes *axes, int64_t lo, int64_t n)
{
    int last = axes->n - 1;
    if (last < 0) {
        load_row(out, x, 0, n);
        return;
    }
    int64_t width = axes->dim[last], stride = axes->stride[last], skip = lo % width;
    odometer o = odometer_start(axes, last, lo / width);
    while (n > 0) {
        int64_t m = width - skip < n ? width - skip : n;
        load_row(out, x + o.at + skip * stride, stride, m);
        out += m;
        n -= m;
        skip = 0;
        odometer_next(&o, last);
    }
}
