/* method/build.h -- a build in progress. */
#ifndef PDI_METHOD_BUILD_H
#define PDI_METHOD_BUILD_H

#include "method/trainer.h"

/* An input, and where its numbers are. */
typedef struct pdi_tie {
    pdr_node node;
    const void *host;
} pdi_tie;

/* An output, and where its numbers go. */
typedef struct pdi_set {
    pdr_node node;
    void *host;
} pdi_set;

/* One slice of a node, for mapping. */
typedef struct pdi_unit {
    pdr_node one, all;
} pdi_unit;

/* The model applied to examples under parameters. */
typedef struct pdi_applied {
    const pdr_node *theta;
    size_t n;
    uint32_t x;
    pdr_node features, logits;
} pdi_applied;

struct pdr_build {
    pdi_trainer *t;
    pdr_graph *g;
    pdi_program *program; /* being built */
    pdi_run run;
    int32_t size;        /* examples or episodes of a run */
    int32_t task, steps; /* predicted; steps of adaptation asked for, or -1 */
    size_t keys;
    bool failed;                   /* out of memory */
    pdr_node *spare;               /* null nodes, as many as the model has tensors */
    pdr_node *buffer, *buffer_now; /* the model's buffers before and after this run */
    pdr_tensors trained;
    bool has_episode;
    pdr_episode episode;
    pdr_batch one; /* an example */
    pdi_applied *apply;
    size_t applied, apply_cap;
    pdi_unit *unit;
    size_t units, unit_cap;
    pdi_tie *tie;
    size_t ties, tie_cap;
    pdi_set *set;
    size_t sets, set_cap;
    void **room;
    size_t rooms, room_cap;
};

/* Zeroed memory until the build ends. */
void *pdi_build_room(pdr_build *b, size_t count, size_t size);

/* The input whose numbers are at host: one input a place. */
pdr_node pdi_build_input(pdr_build *b, pdr_type type, pdr_shape shape, const void *host);
void pdi_build_output(pdr_build *b, pdr_node x, void *host);

/* The tensor behind a node of state, or NULL. */
pdi_tensor *pdi_build_tensor_of(const pdr_build *b, pdr_node state);

/* Is this node among what the step trains? */
bool pdi_build_is_trained(const pdr_build *b, pdr_node x);

/* Whether this run is of episodes. */
bool pdi_build_has_episodes(const pdr_build *b);

/* The nodes of a run, handed to `use` before they are freed: the trainer plans them, a test
 * evaluates them in double. */
typedef pdr_rc pdi_build_fn(pdr_build *b, void *ctx, pdr_error *err);
pdr_rc pdi_build_nodes(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdi_program *p,
                       pdi_build_fn *use, void *ctx, pdr_error *err);

/* s with one more leading axis. */
pdr_shape pdi_build_lead(const pdr_shape *s, int32_t size);

#endif
