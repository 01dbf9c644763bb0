/* recipe/read.c -- reading recipes with the kinds that perdure has. */
#include "recipe/recipe.h"

pdr_rc pdr_recipe_read(const pdr_alloc *alloc, const char *path, size_t n_set,
                       const char *const set[], pdr_recipe *out, pdr_error *err)
{
    return pdi_recipe_read(alloc, path, n_set, set, pdr_kind_find, pdr_kind_at, out, err);
}

pdr_rc pdr_recipe_parse(const pdr_alloc *alloc, const char *path, const char *text, size_t size,
                        size_t n_set, const char *const set[], pdr_recipe *out, pdr_error *err)
{
    return pdi_recipe_parse(alloc, path, text, size, n_set, set, pdr_kind_find, pdr_kind_at, out,
                            err);
}
