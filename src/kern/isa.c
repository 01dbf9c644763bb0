/* kern/isa.c -- the table of one instruction set. */
#include "kern/body.h"

#define ISA_TEXT2(isa) #isa
#define ISA_TEXT(isa)  ISA_TEXT2(isa)

const pdi_kernels KERN(table) = {
    .name = ISA_TEXT(PDI_ISA),
    .map = KERN(maps),
    .pair = KERN(pairs),
    .gemm = KERN(gemm),
    .sum = KERN(sum),
    .load = KERN(load),
    .max = KERN(max),
    .argmax = KERN(argmax),
    .rand = KERN(rand),
    .peak = KERN(peak),
};
