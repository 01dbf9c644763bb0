/* recipe/recipe.h -- reading recipes against any set of kinds.
 *
 * pdr_recipe_read() and pdr_recipe_parse() are these two with the kinds that
 * perdure has; tests bring their own. */
#ifndef PDI_RECIPE_RECIPE_H
#define PDI_RECIPE_RECIPE_H

#include <perdure/recipe.h>

#include "recipe/words.h"

enum { PDI_RECIPE_BYTES = 1 << 20, PDI_RECIPE_LAYERS = 1000 };

pdr_rc pdi_recipe_read(const pdr_alloc *alloc, const char *path, size_t n_set,
                       const char *const set[], pdi_kind_find_fn *find, pdi_kind_at_fn *at,
                       pdr_recipe *out, pdr_error *err);

pdr_rc pdi_recipe_parse(const pdr_alloc *alloc, const char *path, const char *text, size_t size,
                        size_t n_set, const char *const set[], pdi_kind_find_fn *find,
                        pdi_kind_at_fn *at, pdr_recipe *out, pdr_error *err);

#endif
