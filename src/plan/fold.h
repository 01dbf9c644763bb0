/* plan/fold.h -- views whose axes stand for several axes in memory each. */
#ifndef PDI_PLAN_FOLD_H
#define PDI_PLAN_FOLD_H

#include "plan/plan.h"

typedef struct pdi_fold {
    pdi_view view;
    int rank;
    int group[PDR_MAX_RANK + 1]; /* axis k stands for the next group[k] axes of the view */
} pdi_fold;

pdi_fold pdi_fold_of(const pdi_view *v);

/* False where the result would have too many axes, or cuts one where it cannot be cut. */
bool pdi_fold_permute(const pdi_fold *f, const int32_t perm[], pdi_fold *out);
bool pdi_fold_reshape(const pdi_fold *f, const pdr_shape *to, pdi_fold *out);

#endif
