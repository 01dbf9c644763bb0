/* lifelong/build.h -- a build in progress. */
#ifndef PDI_LIFELONG_BUILD_H
#define PDI_LIFELONG_BUILD_H

#include "lifelong/trainer.h"

typedef struct pdi_tie {
    pdr_node node;
    const void *host; /* where the input's numbers are */
} pdi_tie;

typedef struct pdi_set {
    pdr_node node;
    void *host; /* where the output's numbers go */
} pdi_set;

typedef struct pdi_applied {
    uint32_t theta, x;
    pdr_node logits;
} pdi_applied;

enum { PDI_APPLIED = 32 };

struct pdr_build {
    pdi_trainer *t;
    pdr_graph *g;
    pdi_phase phase;
    int32_t size, replay;
    size_t keys;
    bool failed;                   /* out of memory */
    pdr_node *spare;               /* null nodes, as many as the model has tensors */
    pdr_node *buffer, *buffer_now; /* the model's buffers before and after this run */
    pdr_batch one;
    pdr_node mapped[4]; /* its x, label, target and mask, for the whole batch */
    pdi_applied apply[PDI_APPLIED];
    size_t applied;
    pdi_tie *tie;
    size_t ties, tie_cap;
    pdi_set *set;
    size_t sets, set_cap;
    void **room;
    size_t rooms, room_cap;
};

void *pdi_build_room(pdr_build *b, size_t count, size_t size);
pdr_node pdi_build_input(pdr_build *b, pdr_type type, pdr_shape shape, const void *host);
void pdi_build_tie(pdr_build *b, pdr_node input, const void *host);
void pdi_build_output(pdr_build *b, pdr_node x, void *host);

/* trainer.c: room for n examples in a host batch. */
bool pdi_batch_reserve(pdi_trainer *t, pdi_host_batch *h, int32_t n);

#endif
