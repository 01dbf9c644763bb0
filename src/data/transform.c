/* data/transform.c -- permuted and rotated examples. */
#include "data/transform.h"

#include <math.h>
#include <perdure/rng.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/dataset.h"

/* Images whose planes are larger have their taps worked out while reading. */
enum { TRANSFORM_PLANE = 68 * 68 };

/* Sub-stream 0 is the order of the classes. */
static pdr_rng transform_rng(uint64_t seed, int32_t task)
{
    return (pdr_rng){.seed = seed, .stream = PDR_STREAM_SCENARIO, .sub = 1 + (uint32_t)task};
}

pdr_rc pdi_transform_permute(const pdr_alloc *alloc, size_t n, uint64_t seed, int32_t task,
                             pdi_transform *out, pdr_error *err)
{
    pdr_rng rng = transform_rng(seed, task);
    *out = (pdi_transform){.kind = PDI_PERMUTED, .from = pdi_new(alloc, n, sizeof *out->from)};
    if (!out->from) return pdi_nomem(err);
    for (size_t k = 0; k < n; k++) out->from[k] = (uint32_t)k;
    pdr_rng_shuffle(&rng, n, out->from);
    return PDR_OK;
}

/* Rows count downwards, so a counter-clockwise turn by a brings to (r, c), measured from
 * the centre, what was at (c sin a + r cos a, c cos a - r sin a). */
static pdi_tap transform_tap(const pdi_transform *t, int32_t rows, int32_t columns, int32_t r,
                             int32_t c)
{
    double mid_r = (rows - 1) / 2.0, mid_c = (columns - 1) / 2.0, dr = r - mid_r, dc = c - mid_c;
    double sr = mid_r + (dc * t->sin + dr * t->cos), sc = mid_c + (dc * t->cos - dr * t->sin);
    double r0 = floor(sr), c0 = floor(sc), fr = sr - r0, fc = sc - c0;
    pdi_tap tap = {0};
    if (r0 < -1 || c0 < -1 || r0 >= rows || c0 >= columns) return tap;
    tap.at = ((int32_t)r0 + 1) * (columns + 2) + (int32_t)c0 + 1;
    for (int q = 0; q < 4; q++)
        tap.weight[q] = (float)((q >> 1 ? fr : 1 - fr) * (q & 1 ? fc : 1 - fc));
    return tap;
}

pdr_rc pdi_transform_rotate(const pdr_alloc *alloc, const pdr_shape *shape, double lo, double hi,
                            uint64_t seed, int32_t task, bool keep_taps, pdi_transform *out,
                            pdr_error *err)
{
    pdr_rng rng = transform_rng(seed, task);
    double degrees = lo + (hi - lo) * (double)pdr_rng_uniform(&rng),
           angle = degrees * 3.14159265358979323846 / 180;
    int32_t rows = shape->dim[1], columns = shape->dim[2];
    *out = (pdi_transform){
        .kind = PDI_ROTATED, .degrees = degrees, .cos = cos(angle), .sin = sin(angle)};
    if (!keep_taps || (size_t)(rows + 2) * (size_t)(columns + 2) > TRANSFORM_PLANE) return PDR_OK;
    out->tap = pdi_new(alloc, (size_t)rows * (size_t)columns, sizeof *out->tap);
    if (!out->tap) return pdi_nomem(err);
    pdi_tap *tap = out->tap;
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < columns; c++) *tap++ = transform_tap(out, rows, columns, r, c);
    return PDR_OK;
}

/* Element k of an example as a float.  bytes is a constant wherever this is inlined. */
static inline float transform_element(bool bytes, const void *x, size_t k)
{
    return bytes ? (float)((const uint8_t *)x)[k] * 0x1.010102p-8f : ((const float *)x)[k];
}

static inline void transform_permuted(const pdi_transform *t, bool bytes, const void *from,
                                      size_t n, float x[])
{
    for (size_t k = 0; k < n; k++) x[k] = transform_element(bytes, from, t->from[k]);
}

/* One channel as a plane with zeros all around it; from is its first element. */
static inline void transform_pad(bool bytes, const void *from, int32_t rows, int32_t columns,
                                 float plane[])
{
    size_t width = (size_t)columns + 2, k = 0;
    memset(plane, 0, sizeof *plane * width * ((size_t)rows + 2));
    for (int32_t r = 0; r < rows; r++) {
        float *to = plane + ((size_t)r + 1) * width + 1;
        for (int32_t c = 0; c < columns; c++) to[c] = transform_element(bytes, from, k++);
    }
}

static inline void transform_kept(const pdi_transform *t, bool bytes, const void *from,
                                  int32_t rows, int32_t columns, float x[])
{
    float plane[TRANSFORM_PLANE];
    int32_t pixels = rows * columns, below = columns + 2;
    transform_pad(bytes, from, rows, columns, plane);
    for (int32_t k = 0; k < pixels; k++) {
        const pdi_tap *tap = &t->tap[k];
        const float *at = plane + tap->at, *w = tap->weight;
        /* From 0 on, as without kept taps: a sum of -0 is 0. */
        x[k] = 0 + w[0] * at[0] + w[1] * at[1] + w[2] * at[below] + w[3] * at[below + 1];
    }
}

/* The same without kept taps: the image may be large, and is read where it lies. */
static inline void transform_found(const pdi_transform *t, bool bytes, const void *from,
                                   int32_t rows, int32_t columns, float x[])
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < columns; c++) {
            pdi_tap tap = transform_tap(t, rows, columns, r, c);
            int32_t up = tap.at / (columns + 2) - 1, left = tap.at % (columns + 2) - 1;
            float sum = 0;
            for (int q = 0; q < 4; q++) {
                int32_t qr = up + (q >> 1), qc = left + (q & 1);
                if (qr < 0 || qc < 0 || qr >= rows || qc >= columns) continue;
                sum += tap.weight[q] * transform_element(bytes, from, (size_t)(qr * columns + qc));
            }
            *x++ = sum;
        }
}

/* One channel. */
static inline void transform_plane(const pdi_transform *t, bool bytes, const void *from,
                                   int32_t rows, int32_t columns, float x[])
{
    if (t->tap)
        transform_kept(t, bytes, from, rows, columns, x);
    else
        transform_found(t, bytes, from, rows, columns, x);
}

static void transform_rotated(const pdi_transform *t, const pdr_dataset *d, const uint8_t *from,
                              float x[])
{
    int32_t rows = d->shape.dim[1], columns = d->shape.dim[2];
    size_t pixels = (size_t)rows * (size_t)columns;
    for (int32_t channel = 0; channel < d->shape.dim[0]; channel++, x += pixels)
        if (d->storage == PDR_BYTES) {
            transform_plane(t, true, from, rows, columns, x);
            from += pixels;
        } else {
            transform_plane(t, false, from, rows, columns, x);
            from += pixels * sizeof(float);
        }
}

void pdi_transform_read(const pdi_transform *t, const pdr_dataset *d, size_t i, float x[])
{
    bool bytes = d->storage == PDR_BYTES;
    size_t n = pdi_dataset_size(d);
    const uint8_t *from = (const uint8_t *)d->x + i * n * (bytes ? 1 : sizeof(float));
    switch (t->kind) {
    case PDI_AS_IS: pdr_dataset_read(d, i, x); return;
    case PDI_ROTATED: transform_rotated(t, d, from, x); return;
    case PDI_PERMUTED:
        if (bytes)
            transform_permuted(t, true, from, n, x);
        else
            transform_permuted(t, false, from, n, x);
        return;
    }
}

void pdi_transform_close(const pdr_alloc *alloc, pdi_transform *t)
{
    pdi_free(alloc, t->from);
    pdi_free(alloc, t->tap);
    *t = (pdi_transform){0};
}
