/* perdure/data.h -- a public header that reaches up. */
#include <perdure/alloc.h>
#include <perdure/recipe.h>
