/* ops/table.c -- the table that op.def describes.  A missing rule fails to link. */
#include "ops/ops.h"

const pdi_op_info pdi_op_table[PDI_OPS] = {
#define OP(name, family, nin, adjoint, attrs, help)                                                \
    {#name, PDI_##family, nin, PDI_##adjoint, attrs, help},
#include "ops/op.def"
#undef OP
};

const pdi_op *const pdi_op_rules[PDI_OPS] = {
#define OP(name, family, nin, adjoint, attrs, help) &pdi_op_##name,
#include "ops/op.def"
#undef OP
};
