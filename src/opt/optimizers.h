/* opt/optimizers.h -- the list of optimisers that a recipe can name. */
#ifndef PDI_OPT_OPTIMIZERS_H
#define PDI_OPT_OPTIMIZERS_H

#include <perdure/opt.h>

#define OPTIMIZER(name) extern const pdr_optimizer_kind pdi_optimizer_##name;
#include "opt/optimizers.def"
#undef OPTIMIZER

/* All of optimizers.def, NULL-terminated. */
extern const pdr_optimizer_kind *const pdi_optimizers[];

#endif
