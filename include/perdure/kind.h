/* perdure/kind.h -- a named thing with options: a method, an optimiser, a layer.
 *
 * Methods, optimisers and layers are each kept in one list of kinds.  A recipe
 * picks a kind by name and fills its options through the table, so adding one
 * adds its recipe keys, its checks and its manual page with it.
 *
 *     const pdr_kind *k = pdr_kind_find(PDR_KIND_OPTIMIZER, "adam");
 *
 * OWNERSHIP Kinds are static.
 */
#ifndef PERDURE_KIND_H
#define PERDURE_KIND_H

#include <perdure/option.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_kind_group { PDR_KIND_METHOD, PDR_KIND_OPTIMIZER, PDR_KIND_LAYER } pdr_kind_group;

typedef struct pdr_kind {
    const char *name;     /* as written in a recipe: "er" */
    const char *title;    /* "Experience replay" */
    const char *cite;     /* "Chaudhry et al., On tiny episodic memories ..., 2019"; may be NULL */
    const char *equation; /* the rule, in a line or several; may be NULL */
    const char *cost;     /* memory and time beside plain training; may be NULL */
    size_t self_size;     /* of the struct that options fill; 0 when there are none */
    const pdr_option *options; /* never NULL */
} pdr_kind;

/* A kind and its options, filled in. */
typedef struct pdr_choice {
    const pdr_kind *kind;
    void *self;
} pdr_choice;

/* Kind i of a group, or NULL past the end. */
const pdr_kind *pdr_kind_at(pdr_kind_group group, size_t i);

/* The kind called name, or NULL. */
const pdr_kind *pdr_kind_find(pdr_kind_group group, const char *name);

#ifdef __cplusplus
}
#endif
#endif
