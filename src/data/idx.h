/* data/idx.h -- IDX from readers. */
#ifndef PDI_DATA_IDX_H
#define PDI_DATA_IDX_H

#include <perdure/data.h>

#include "data/read.h"

/* Whether the stream begins as IDX does.  Takes nothing from it. */
pdr_rc pdi_idx_sniff(pdi_reader *r, bool *is_idx, pdr_error *err);

/* Read images and as many labels.  classes is known beforehand, or 0: one more than the
 * largest label. */
pdr_rc pdi_idx_read(const pdr_alloc *alloc, pdi_reader *images, pdi_reader *labels, int32_t classes,
                    pdr_dataset *out, pdr_error *err);

/* The same from files. */
pdr_rc pdi_idx_open(const pdr_alloc *alloc, const char *images, const char *labels, int32_t classes,
                    pdr_dataset *out, pdr_error *err);

/* Images alone, from a file: a set that has no labels yet. */
pdr_rc pdi_idx_images(const pdr_alloc *alloc, const char *file, pdr_dataset *out, pdr_error *err);

#endif
