/* plan/join.h -- which nodes are pads, or sums of pads that do not overlap. */
#ifndef PDI_PLAN_JOIN_H
#define PDI_PLAN_JOIN_H

#include "plan/plan.h"

enum { PDI_JOIN_PIECES = 32 };

typedef struct pdi_join_request {
    const pdr_graph *g;
    bool (*is_made)(const void *ctx, uint32_t node); /* has a value already */
    const void *ctx;
} pdi_join_request;

typedef struct pdi_join_found {
    size_t n;
    uint32_t from[PDI_JOIN_PIECES];            /* nodes whose values are the pieces */
    int64_t lo[PDI_JOIN_PIECES][PDR_MAX_RANK]; /* where each begins */
} pdi_join_found;

/* Is node, which is not made yet, such a sum?  If not, f->n is 0. */
bool pdi_join_find(const pdi_join_request *r, uint32_t node, pdi_join_found *f);

#endif
