/* ops/pair.c -- which maps go together. */
#include "ops/ops.h"

static const struct {
    pdi_opcode first, second;
} pair_table[PDI_PAIRS] = {
#define PAIR(first, nin, second) [PDI_PAIR_##first##_##second] = {PDI_##first, PDI_##second},
#include "ops/pair.def"
#undef PAIR
};

pdi_pair pdi_pair_of(pdi_opcode first, pdi_opcode second)
{
    for (int i = PDI_PAIR_NONE + 1; i < PDI_PAIRS; i++)
        if (pair_table[i].first == first && pair_table[i].second == second) return (pdi_pair)i;
    return PDI_PAIR_NONE;
}
