/* plan_check.h -- the promises that plan/plan.h makes about a lowered plan. */
#ifndef PLAN_CHECK_H
#define PLAN_CHECK_H

#include <perdure/plan.h>

/* NULL, or which invariant does not hold: one line, valid until the next call. */
const char *plan_broken(const pdr_plan *plan);

#endif
