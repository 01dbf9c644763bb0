/* experiment/order.h -- in which order examples are learned. */
#ifndef PDI_EXPERIMENT_ORDER_H
#define PDI_EXPERIMENT_ORDER_H

#include <perdure/scenario.h>

/* Example `index` of a task's training part; of the memory, where task is -1. */
typedef struct pdi_order_item {
    int32_t task;
    uint32_t index;
} pdi_order_item;

/* Epoch after epoch, each in an order that depends on seed, phase and epoch alone. */
typedef struct pdi_order {
    const pdr_alloc *alloc;
    pdi_order_item *all, *now; /* in data order; in this epoch's order */
    uint32_t *index;
    size_t n, at, batch;
    bool whole; /* only whole batches: what is left of an epoch is not learned */
    uint64_t seed, epoch;
    uint32_t phase;
} pdi_order;

/* The examples of one task, or of all (task -1), and `held` of the memory's.  False when
 * out of memory. */
bool pdi_order_open(pdi_order *o, const pdr_alloc *alloc, const pdr_stream *s, int32_t task,
                    size_t held, int32_t phase, int64_t batch, bool whole, uint64_t seed);
void pdi_order_close(pdi_order *o);

/* Examples a step: the batch, or all there are when there are fewer. */
size_t pdi_order_batch(const pdi_order *o);

/* The next batch: its length, its items, and the epoch (from 0) it belongs to. */
int32_t pdi_order_next(pdi_order *o, const pdi_order_item **item, uint64_t *epoch);

#endif
