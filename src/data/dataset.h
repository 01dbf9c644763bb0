/* data/dataset.h -- what is done to sets between reading and use. */
#ifndef PDI_DATA_DATASET_H
#define PDI_DATA_DATASET_H

#include <perdure/data.h>

/* Elements of one example. */
size_t pdi_dataset_size(const pdr_dataset *d);

/* Refuse a set without shape or answers, unlike train (which may be d), or with labels
 * that are no classes.  what is the part, for messages. */
pdr_rc pdi_dataset_check(const pdr_dataset *d, const pdr_dataset *train, const char *what,
                         pdr_error *err);

/* Fill what is missing (NaN) as the enum PDR_MISSING_ says, with means of like, or of
 * d itself when like is NULL.  file is for messages. */
pdr_rc pdi_dataset_fill(pdr_dataset *d, const pdr_dataset *like, int missing, const char *file,
                        pdr_error *err);

/* Move a random fraction of train, at least one example, to test, which is empty.  Both keep
 * the order that train has. */
pdr_rc pdi_dataset_split(pdr_dataset *train, pdr_dataset *test, double fraction, uint64_t seed,
                         pdr_error *err);

/* Zero mean and unit variance by train's figures; both sets become floats. */
pdr_rc pdi_dataset_standardise(pdr_dataset *train, pdr_dataset *test, pdr_error *err);

#endif
