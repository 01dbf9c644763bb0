/* perdure/perdure.h -- all public headers.
 *
 *     printf("perdure %s\n", pdr_version());
 */
#ifndef PERDURE_PERDURE_H
#define PERDURE_PERDURE_H

#include <perdure/alloc.h>
#include <perdure/data.h>
#include <perdure/episode.h>
#include <perdure/error.h>
#include <perdure/exchange.h>
#include <perdure/experiment.h>
#include <perdure/graph.h>
#include <perdure/kind.h>
#include <perdure/learner.h>
#include <perdure/method.h>
#include <perdure/nn.h>
#include <perdure/opt.h>
#include <perdure/option.h>
#include <perdure/plan.h>
#include <perdure/pool.h>
#include <perdure/recipe.h>
#include <perdure/result.h>
#include <perdure/rng.h>
#include <perdure/scenario.h>
#include <perdure/shape.h>
#include <perdure/version.h>

#endif
