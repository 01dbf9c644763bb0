/* kern/isa.c -- the table of one instruction set. */
#include "kern/tile.h"

#define ISA_TEXT2(isa) #isa
#define ISA_TEXT(isa)  ISA_TEXT2(isa)

const pdi_kernels KERN(table) = {
    .name = ISA_TEXT(PDI_ISA),
    .map = KERN(maps),
    .pair = KERN(pairs),
    .gemm = KERN(gemm),
    .panel = TILE_VECS * VEC,
    .pack = KERN(pack),
    .sum = KERN(sum),
    .load = KERN(load),
    .max = KERN(max),
    .argmax = KERN(argmax),
    .rand = KERN(rand),
    .peak = KERN(peak),
};
