/* graph/up.c -- a room that reaches for the floors above. */
#include "base/error.h"
#include "graph/node.h"
#include "ops/op.h"
#include "plan/plan.h"
#include "local.h"
#include <perdure/graph.h>
#include <perdure/recipe.h>
#include <perdure/nowhere.h>
