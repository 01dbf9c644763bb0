/* opt/optimizers.c -- the list of optimisers that a recipe can name. */
#include "opt/optimizers.h"

const pdr_optimizer_kind *const pdi_optimizers[] = {
#define OPTIMIZER(name) &pdi_optimizer_##name,
#include "opt/optimizers.def"
#undef OPTIMIZER
    NULL,
};
