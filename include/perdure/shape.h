/* perdure/shape.h -- the axes of a tensor.
 *
 * Ten axes: four for data, two for convolution windows, the rest for nested
 * batching (pdr_vmap).  A shape of rank 0 is a scalar.  Elements are stored
 * densely, last axis fastest.
 *
 *     pdr_shape s = PDR_SHAPE(32, 784);
 *     int64_t   n = pdr_shape_size(&s);
 *
 * ERRORS    pdr_shape_size() is -1 for a shape that is not usable: a negative
 *           rank, more than PDR_MAX_RANK axes, an axis below 1, or more than
 *           PDR_MAX_ELEMENTS elements.
 */
#ifndef PERDURE_SHAPE_H
#define PERDURE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PDR_MAX_RANK     10
#define PDR_MAX_ELEMENTS ((int64_t)1 << 40)

typedef struct pdr_shape {
    int32_t rank;
    int32_t dim[PDR_MAX_RANK]; /* entries from rank on are 0 */
} pdr_shape;

#ifndef __cplusplus
/* A shape from its axes; PDR_SCALAR for none. */
#define PDR_SHAPE(...)                                                                             \
    ((pdr_shape){(int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), {__VA_ARGS__}})
#define PDR_SCALAR ((pdr_shape){0, {0}})
#endif

/* The number of elements, or -1. */
int64_t pdr_shape_size(const pdr_shape *s);

bool pdr_shape_equal(const pdr_shape *a, const pdr_shape *b);

/* Write "[32,784]" to text, cut to size.  Returns text. */
#define PDR_SHAPE_TEXT 128
const char *pdr_shape_text(const pdr_shape *s, char text[PDR_SHAPE_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
