/* recipe/tree.h -- YAML text as a tree that knows where everything stood. */
#ifndef PDI_RECIPE_TREE_H
#define PDI_RECIPE_TREE_H

#include <perdure/alloc.h>
#include <perdure/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct pdi_mark {
    size_t line, column; /* from 1; columns count characters */
} pdi_mark;

typedef enum pdi_tree_type { PDI_TREE_SCALAR, PDI_TREE_LIST, PDI_TREE_MAP } pdi_tree_type;

typedef struct pdi_tree {
    pdi_tree_type type;
    bool is_plain;       /* a scalar without quotes, so that null means nothing */
    const char *text;    /* of a scalar; else NULL */
    const char *key;     /* in a mapping; else NULL */
    pdi_mark at, key_at; /* where the value and its key begin */
    size_t count;        /* entries of a list or mapping */
    struct pdi_tree *child, *next;
} pdi_tree;

/* An empty value, `~` or `null`, unquoted. */
bool pdi_tree_is_null(const pdi_tree *t);

/* The entry of a mapping, or NULL. */
const pdi_tree *pdi_tree_get(const pdi_tree *map, const char *key);

/* Read one document; *root is NULL for a text without any.  Nodes are taken from
 * *nodes and strings from *texts (recipe/arena.h), which the caller closes, also
 * after a failure. */
pdr_rc pdi_tree_read(const pdr_alloc *alloc, const char *file, const char *text, size_t size,
                     void **nodes, void **texts, pdi_tree **root, pdr_error *err);

#endif
