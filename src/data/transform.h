/* data/transform.h -- one fixed change to every example of a task. */
#ifndef PDI_DATA_TRANSFORM_H
#define PDI_DATA_TRANSFORM_H

#include <perdure/data.h>

/* Where one pixel of a rotated image comes from: four neighbours of the same channel and
 * their weights.  at is the place of the upper left one in a plane of [rows + 2, columns + 2]:
 * the channel with zeros all around it. */
typedef struct pdi_tap {
    int32_t at;
    float weight[4];
} pdi_tap;

typedef enum pdi_transform_kind { PDI_AS_IS, PDI_PERMUTED, PDI_ROTATED } pdi_transform_kind;

typedef struct pdi_transform {
    pdi_transform_kind kind;
    uint32_t *from;  /* permuted: feature k is feature from[k] of the set */
    double degrees;  /* rotated: counter-clockwise */
    double cos, sin; /* of the angle */
    pdi_tap *tap;    /* [rows * columns], or NULL: worked out while reading */
} pdi_transform;

/* Permutation of n features for a task; a function of seed and task. */
pdr_rc pdi_transform_permute(const pdr_alloc *alloc, size_t n, uint64_t seed, int32_t task,
                             pdi_transform *out, pdr_error *err);

/* Rotation of images of shape [channels, rows, columns] by an angle on [lo, hi), degrees,
 * whose place between them is a function of seed and task.  keep_taps: work out the taps now,
 * unless the images are large. */
pdr_rc pdi_transform_rotate(const pdr_alloc *alloc, const pdr_shape *shape, double lo, double hi,
                            uint64_t seed, int32_t task, bool keep_taps, pdi_transform *out,
                            pdr_error *err);

/* Example i of d, transformed. */
void pdi_transform_read(const pdi_transform *t, const pdr_dataset *d, size_t i, float x[]);

void pdi_transform_close(const pdr_alloc *alloc, pdi_transform *t);

#endif
