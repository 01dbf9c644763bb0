/* data/episode.h -- the parts that episodes are made of. */
#ifndef PDI_DATA_EPISODE_H
#define PDI_DATA_EPISODE_H

#include <perdure/episode.h>
#include <perdure/rng.h>

/* part[c], a pdr_part, for every class of d. */
pdr_rc pdi_class_split(const pdr_alloc *alloc, const pdr_dataset *d, const pdr_episode_options *o,
                       uint64_t seed, uint8_t part[], pdr_error *err);

/* Refuse empty ranges. */
pdr_rc pdi_sinusoid_check(const pdr_episode_options *o, pdr_error *err);

/* Draw a curve.  Takes three numbers. */
pdr_sinusoid pdi_sinusoid_draw(const pdr_episode_options *o, pdr_rng *rng);

/* Draw n points of it.  Takes three numbers a point, noisy or not. */
void pdi_sinusoid_points(const pdr_episode_options *o, const pdr_sinusoid *s, bool noisy, int32_t n,
                         pdr_rng *rng, float x[], float y[]);

#endif
