/* experiment/order.c -- in which order examples are learned. */
#include "experiment/order.h"

#include <perdure/rng.h>

#include "base/alloc.h"

static void order_shuffle(pdi_order *o)
{
    pdr_rng r = {.seed = o->seed,
                 .stream = PDR_STREAM_SHUFFLE,
                 .sub = o->phase,
                 .counter = o->epoch << 40}; /* room for 2^40 draws an epoch */
    for (size_t i = 0; i < o->n; i++) o->index[i] = (uint32_t)i;
    pdr_rng_shuffle(&r, o->n, o->index);
    for (size_t i = 0; i < o->n; i++) o->now[i] = o->all[o->index[i]];
    o->at = 0;
}

bool pdi_order_open(pdi_order *o, const pdr_alloc *alloc, const pdr_stream *s, int32_t task,
                    size_t held, int32_t phase, int64_t batch, bool whole, uint64_t seed)
{
    int32_t first = task < 0 ? 0 : task, end = task < 0 ? pdr_stream_tasks(s) : task + 1;
    *o = (pdi_order){.alloc = alloc,
                     .batch = (size_t)batch,
                     .whole = whole,
                     .seed = seed,
                     .phase = (uint32_t)phase};
    o->n = held;
    for (int32_t t = first; t < end; t++) o->n += pdr_stream_size(s, PDR_TRAIN, t);
    o->all = pdi_new(alloc, o->n, sizeof *o->all);
    o->now = pdi_new(alloc, o->n, sizeof *o->now);
    o->index = pdi_new(alloc, o->n, sizeof *o->index);
    if (!o->all || !o->now || !o->index) {
        pdi_order_close(o);
        return false;
    }
    size_t k = 0;
    for (int32_t t = first; t < end; t++)
        for (size_t i = 0; i < pdr_stream_size(s, PDR_TRAIN, t); i++)
            o->all[k++] = (pdi_order_item){t, (uint32_t)i};
    for (size_t i = 0; i < held; i++) o->all[k++] = (pdi_order_item){-1, (uint32_t)i};
    order_shuffle(o);
    return true;
}

void pdi_order_close(pdi_order *o)
{
    pdi_free(o->alloc, o->all);
    pdi_free(o->alloc, o->now);
    pdi_free(o->alloc, o->index);
}

size_t pdi_order_batch(const pdi_order *o) { return o->batch < o->n ? o->batch : o->n; }

int32_t pdi_order_next(pdi_order *o, const pdi_order_item **item, uint64_t *epoch)
{
    size_t batch = pdi_order_batch(o), left = o->n - o->at;
    if (left == 0 || (o->whole && left < batch)) {
        o->epoch++;
        order_shuffle(o);
        left = o->n;
    }
    size_t n = left < batch ? left : batch;
    *item = o->now + o->at;
    *epoch = o->epoch;
    o->at += n;
    return (int32_t)n;
}
