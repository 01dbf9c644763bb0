/* recipe/bind.h -- giving the values of a tree to a recipe, through the tables. */
#ifndef PDI_RECIPE_BIND_H
#define PDI_RECIPE_BIND_H

#include "recipe/recipe.h"
#include "recipe/tree.h"

enum { PDI_PATH_MAX = 32 };

typedef struct pdi_binder {
    pdr_recipe *out;
    const char *file;
    const char *set; /* the assignment in hand; NULL while the file is read */
    pdi_kind_find_fn *find;
    pdi_kind_at_fn *at;
    pdi_mark data_at; /* where the data section stands, for what is found out late */
    pdr_error *err;
} pdi_binder;

/* Something with options: "training", "method", "model.3". */
typedef struct pdi_target {
    char path[PDI_PATH_MAX];
    const pdr_option *table; /* fixed sections */
    void *self;
    pdr_choice *choice; /* sections that name a kind; else NULL */
    pdr_kind_group group;
} pdi_target;

/* Record "FILE:LINE:COLUMN: path.key: ..." or "--set ...: path.key: ..." on one
 * line.  path may be "", key NULL.  Returns PDR_INPUT. */
pdr_rc pdi_bind_fail(const pdi_binder *b, pdi_mark at, const char *path, const char *key,
                     const char *fmt, ...) PDI_PRINTF(5, 6);

/* Every section of the file. */
pdr_rc pdi_bind_file(pdi_binder *b, const pdi_tree *root);

/* The section that node->key names. */
pdr_rc pdi_bind_section(pdi_binder *b, const pdi_tree *node);

/* The option that node->key names, in a target; `name` or `layer` picks the kind. */
pdr_rc pdi_bind_entry(pdi_binder *b, const pdi_target *t, const pdi_tree *node);

/* Pick a kind, by a bare name or by a mapping. */
pdr_rc pdi_bind_choice(pdi_binder *b, const pdi_target *t, const pdi_tree *node);

/* The target that a section is, and layer i of the model.  False when the
 * section has no keys (or there is none so called, or no such layer). */
bool pdi_bind_target(pdi_binder *b, const char *section, pdi_target *t);
bool pdi_bind_layer(pdi_binder *b, size_t i, pdi_target *t);

/* Apply one assignment "path=value". */
pdr_rc pdi_bind_set(pdi_binder *b, const char *assignment);

/* What can only be judged when everything has been read. */
pdr_rc pdi_bind_complete(pdi_binder *b);

#endif
