/* graph/attr.c -- attributes: selecting, batching. */
#include <math.h>
#include <string.h>

#include "graph/graph.h"

void pdi_attr_only(pdi_attr *only, const pdi_attr *at, unsigned set)
{
    memset(only, 0, sizeof *only);
#define ATTR(field, type, text, batching)                                                          \
    if (set & PDI_HAS_##field) memcpy(&only->field, &at->field, sizeof only->field);
#include "graph/attr.def"
#undef ATTR
    for (int k = PDR_MAX_RANK; k-- > 0 && k >= only->shape.rank;) only->shape.dim[k] = 0;
    if (isnan(only->value)) only->value = (double)NAN;
}

pdr_shape pdi_shape_lead(const pdr_shape *s, int32_t size)
{
    pdr_shape led = {.rank = s->rank + 1, .dim = {size}};
    for (int k = 0; k + 1 < PDR_MAX_RANK; k++) led.dim[k + 1] = s->dim[k];
    return led;
}

/* What one more leading axis does to an attribute: attr.def names these. */

static void attr_lead(pdr_shape *s, int32_t size) { *s = pdi_shape_lead(s, size); }

static void attr_shl(uint32_t *bits, int32_t size)
{
    (void)size;
    *bits <<= 1;
}

static void attr_inc(int32_t *axis, int32_t size)
{
    (void)size;
    ++*axis;
}

static void attr_perm(pdi_perm *p, int32_t size)
{
    (void)size;
    for (int k = PDR_MAX_RANK - 1; k > 0; k--) p->at[k] = p->at[k - 1] + 1;
    p->at[0] = 0;
}

#define attr_none(field, size) ((void)(field), (void)(size))

void pdi_attr_lead(pdi_attr *at, unsigned set, int32_t size)
{
#define ATTR(field, type, text, batching)                                                          \
    if (set & PDI_HAS_##field) attr_##batching(&at->field, size);
#include "graph/attr.def"
#undef ATTR
}
