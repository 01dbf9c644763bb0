/* kern/odometer.h -- going through axes in row-major order, an address at a time. */
#ifndef PDI_KERN_ODOMETER_H
#define PDI_KERN_ODOMETER_H

#include "kern/kern.h"

typedef struct odometer {
    const pdi_axes *axes;
    int64_t at, index[PDR_MAX_RANK];
} odometer;

/* At element i of the first n axes. */
static inline odometer odometer_start(const pdi_axes *axes, int n, int64_t i)
{
    odometer o = {.axes = axes};
    for (int k = n; k-- > 0; i /= axes->dim[k]) {
        o.index[k] = i % axes->dim[k];
        o.at += o.index[k] * axes->stride[k];
    }
    return o;
}

/* Advance axis n-1 by one, carrying outward. */
static inline void odometer_next(odometer *o, int n)
{
    for (int k = n; k-- > 0;) {
        o->at += o->axes->stride[k];
        if (++o->index[k] < o->axes->dim[k]) return;
        o->at -= o->axes->stride[k] * o->axes->dim[k];
        o->index[k] = 0;
    }
}

static inline int64_t odometer_count(const pdi_axes *a)
{
    int64_t n = 1;
    for (int k = 0; k < a->n; k++) n *= a->dim[k];
    return n;
}

#endif
