/* experiment/order.h -- in which order examples are learned. */
#ifndef PDI_EXPERIMENT_ORDER_H
#define PDI_EXPERIMENT_ORDER_H

#include <perdure/scenario.h>

/* Example `index` of a task's training part; of the memory, where task is -1. */
typedef struct pdi_order_item {
    int32_t task;
    uint32_t index;
} pdi_order_item;

/* Epoch after epoch, each in an order that depends on seed, phase and epoch alone.
 *
 * Where the stream is blurred, the order of one task is changed at both ends (pdi_order_blur).
 * Task t and the next, of m and n examples to be learned, repeats counted, share a window of
 * 2w places about their boundary, w = blur min(m, n) / 2: the last w of t and the first w
 * of t + 1.  They hold the last w examples of t and the first w of t + 1, each task's in
 * its own order; the share of t + 1 rises linearly from 0 to 1 over the window.  So
 * batches, steps and what is learned are those of the stream without blur, and with
 * blur 1 windows meet in the middle of a task. */
typedef struct pdi_order {
    const pdr_alloc *alloc;
    pdi_order_item *all, *now; /* in data order; in this epoch's order */
    uint32_t *index;
    size_t n, at, batch;
    bool whole; /* only whole batches: what is left of an epoch is not learned */
    uint64_t seed, epoch;
    uint32_t phase;
    pdi_order_item *mixed; /* blurred: all that is learned in this task's place; else NULL */
    bool *fresh;           /* [as many] for the first time */
    size_t begin;          /* of the last batch, in these */
} pdi_order;

/* The examples of one task, or of all (task -1), and `held` of the memory's.  False when
 * out of memory. */
bool pdi_order_open(pdi_order *o, const pdr_alloc *alloc, const pdr_stream *s, int32_t task,
                    size_t held, int32_t phase, int64_t batch, bool whole, uint64_t seed);
void pdi_order_close(pdi_order *o);

/* Blur an order of one task, of phase `task`, before its first batch: every task is learned
 * for so many batches, or epochs where iterations is 0.  More batches than that are then
 * not to be had.  Does nothing where the stream is not blurred.  False when out of memory. */
bool pdi_order_blur(pdi_order *o, const pdr_stream *s, int32_t task, uint64_t iterations,
                    uint64_t epochs);

/* Examples a step: the batch, or all there are when there are fewer. */
size_t pdi_order_batch(const pdi_order *o);

/* The next batch: its length, its items, and the epoch (from 0) it belongs to.  Items of a
 * blurred order are of any task, and may belong to other epochs. */
int32_t pdi_order_next(pdi_order *o, const pdi_order_item **item, uint64_t *epoch);

/* Whether item k of the batch is learned for the first time. */
bool pdi_order_is_first(const pdi_order *o, int32_t k);

#endif
