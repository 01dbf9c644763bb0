/* experiment/order.c -- in which order examples are learned. */
#include "experiment/order.h"

#include <math.h>
#include <perdure/rng.h>
#include <stdlib.h>

#include "base/alloc.h"

static void order_permute(uint64_t seed, uint32_t phase, uint64_t epoch, size_t n, uint32_t index[])
{
    pdr_rng r = {.seed = seed,
                 .stream = PDR_STREAM_SHUFFLE,
                 .sub = phase,
                 .counter = epoch << 40}; /* room for 2^40 draws an epoch */
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    pdr_rng_shuffle(&r, n, index);
}

static void order_shuffle(pdi_order *o)
{
    order_permute(o->seed, o->phase, o->epoch, o->n, o->index);
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
    pdi_free(o->alloc, o->mixed);
    pdi_free(o->alloc, o->fresh);
}

size_t pdi_order_batch(const pdi_order *o) { return o->batch < o->n ? o->batch : o->n; }

/* Examples learned in an epoch of a task of n. */
static size_t order_epoch(const pdi_order *o, size_t n)
{
    size_t batch = o->batch < n ? o->batch : n;
    return o->whole ? n / batch * batch : n;
}

/* The next batch of a blurred order: where epochs end, batches do, as without blur. */
static int32_t order_next_mixed(pdi_order *o, const pdi_order_item **item, uint64_t *epoch)
{
    size_t each = order_epoch(o, o->n), left = each - o->at % each, batch = pdi_order_batch(o);
    *item = o->mixed + o->at;
    *epoch = o->at / each;
    o->begin = o->at;
    o->at += left < batch ? left : batch;
    return (int32_t)(o->at - o->begin);
}

int32_t pdi_order_next(pdi_order *o, const pdi_order_item **item, uint64_t *epoch)
{
    if (o->mixed) return order_next_mixed(o, item, epoch);
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

bool pdi_order_is_first(const pdi_order *o, int32_t k)
{
    return o->mixed ? o->fresh[o->begin + (size_t)k] : o->epoch == 0;
}

/* ---- blur ----------------------------------------------------------------------------------- */

/* A task beside the boundary: how it is learned without blur. */
typedef struct order_task {
    int32_t task;
    size_t n, all; /* examples; learned, repeats counted */
} order_task;

static order_task order_task_of(const pdi_order *o, const pdr_stream *s, int32_t task,
                                uint64_t iterations, uint64_t epochs)
{
    size_t n = pdr_stream_size(s, PDR_TRAIN, task), batch = o->batch < n ? o->batch : n;
    return (order_task){task, n, iterations ? (size_t)iterations * batch : (size_t)epochs * n};
}

/* Half of the window that two tasks share. */
static size_t order_half_window(const pdr_stream *s, const order_task *a, const order_task *b)
{
    size_t least = a->all < b->all ? a->all : b->all;
    return (size_t)floor(pdr_stream_blur(s) * (double)least / 2);
}

/* Example number from, from + 1, ... of what a task learns without blur. */
static bool order_unblurred(const pdi_order *o, const order_task *t, size_t from, size_t count,
                            pdi_order_item item[], bool fresh[])
{
    size_t each = order_epoch(o, t->n);
    uint32_t *index = pdi_new(o->alloc, t->n, sizeof *index);
    for (size_t p = from; index && p < from + count; p++, item++, fresh++) {
        if (p == from || p % each == 0)
            order_permute(o->seed, (uint32_t)t->task, p / each, t->n, index);
        *item = (pdi_order_item){t->task, index[p % each]};
        *fresh = p < each;
    }
    pdi_free(o->alloc, index);
    return index != NULL;
}

typedef struct order_key {
    double at; /* in the window, 0 to 1 */
    bool next; /* an example of the next task */
} order_key;

static int order_compare(const void *a, const void *b)
{
    const order_key *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (int)x->next - (int)y->next;
}

/* key[k].next: whether place k of the window after `task` is the next task's, for w of 2w.
 * Examples of the task fall into the window with density 2(1 - x), those of the next with
 * 2x, so that at x the share of the next is 2x / (2x + 2(1 - x)) = x. */
static void order_window(const pdi_order *o, int32_t task, size_t w, order_key key[])
{
    pdr_rng r = {.seed = o->seed, .stream = PDR_STREAM_BLUR, .sub = (uint32_t)task};
    for (size_t k = 0; k < 2 * w; k++) {
        double root = sqrt((double)pdr_rng_uniform(&r));
        key[k] = (order_key){k < w ? 1 - root : root, k >= w};
    }
    qsort(key, 2 * w, sizeof *key, order_compare);
}

/* One end of a task's place: w places, of which some belong to the task beside it. */
typedef struct order_end {
    order_task beside;
    size_t w, others;     /* places of the end; of them the other task's */
    order_key *key;       /* [2w] the window; the end is its second half, or its first */
    pdi_order_item *item; /* [others] */
    bool *fresh;          /* [others] */
} order_end;

/* The head (to the task before) or the tail (to the task after). */
static bool order_end_open(const pdi_order *o, const pdr_stream *s, const order_task *t,
                           const order_task *beside, order_end *e)
{
    bool head = beside->task < t->task;
    *e = (order_end){.beside = *beside, .w = order_half_window(s, t, beside)};
    e->key = pdi_new(o->alloc, 2 * e->w, sizeof *e->key);
    e->item = pdi_new(o->alloc, e->w, sizeof *e->item);
    e->fresh = pdi_new(o->alloc, e->w, sizeof *e->fresh);
    if (!e->key || !e->item || !e->fresh) return false;
    order_window(o, head ? beside->task : t->task, e->w, e->key);
    /* As many of the next come early, in the first half, as of the task come late. */
    for (size_t k = 0; k < e->w; k++) e->others += e->key[k].next;
    return order_unblurred(o, beside, head ? beside->all - e->others : 0, e->others, e->item,
                           e->fresh);
}

static void order_end_close(const pdi_order *o, order_end *e)
{
    pdi_free(o->alloc, e->key);
    pdi_free(o->alloc, e->item);
    pdi_free(o->alloc, e->fresh);
}

/* Put the other task's examples where the window has them; `from` is the end's first place.
 * At the head, the window's second half, they are those that are not the next's; at the
 * tail, its first half, those that are. */
static void order_end_put(pdi_order *o, const order_end *e, bool head, size_t from, bool taken[])
{
    for (size_t k = 0, i = 0; k < e->w; k++) {
        if (e->key[head ? e->w + k : k].next == head) continue;
        o->mixed[from + k] = e->item[i];
        o->fresh[from + k] = e->fresh[i++];
        taken[from + k] = true;
    }
}

/* The task's own examples, in their order, where no other is: all but those that the
 * tasks beside it have in their places. */
static bool order_put_own(pdi_order *o, const order_task *t, size_t from, size_t count,
                          const bool taken[])
{
    pdi_order_item *item = pdi_new(o->alloc, count, sizeof *item);
    bool *fresh = pdi_new(o->alloc, count, sizeof *fresh);
    bool ok = item && fresh && order_unblurred(o, t, from, count, item, fresh);
    for (size_t k = 0, i = 0; ok && k < t->all; k++) {
        if (taken[k]) continue;
        o->mixed[k] = item[i];
        o->fresh[k] = fresh[i++];
    }
    pdi_free(o->alloc, item);
    pdi_free(o->alloc, fresh);
    return ok;
}

static bool order_mix(pdi_order *o, const order_task *t, const order_end *head,
                      const order_end *tail)
{
    bool *taken = pdi_new(o->alloc, t->all, sizeof *taken), ok = false;
    o->mixed = pdi_new(o->alloc, t->all, sizeof *o->mixed);
    o->fresh = pdi_new(o->alloc, t->all, sizeof *o->fresh);
    if (taken && o->mixed && o->fresh) {
        order_end_put(o, head, true, 0, taken);
        order_end_put(o, tail, false, t->all - tail->w, taken);
        ok = order_put_own(o, t, head->others, t->all - head->others - tail->others, taken);
    }
    pdi_free(o->alloc, taken);
    return ok;
}

bool pdi_order_blur(pdi_order *o, const pdr_stream *s, int32_t task, uint64_t iterations,
                    uint64_t epochs)
{
    order_end head = {0}, tail = {0};
    order_task t = order_task_of(o, s, task, iterations, epochs), beside;
    bool ok = true;
    if (!(pdr_stream_blur(s) > 0)) return true;
    if (task > 0) {
        beside = order_task_of(o, s, task - 1, iterations, epochs);
        ok = order_end_open(o, s, &t, &beside, &head);
    }
    if (ok && task + 1 < pdr_stream_tasks(s)) {
        beside = order_task_of(o, s, task + 1, iterations, epochs);
        ok = order_end_open(o, s, &t, &beside, &tail);
    }
    ok = ok && order_mix(o, &t, &head, &tail);
    order_end_close(o, &head);
    order_end_close(o, &tail);
    return ok;
}
