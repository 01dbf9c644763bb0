/* learner/keep.c -- all state as items of the store, and back.
 *
 *   counter, memory, tensor   the trainer's pieces
 *   form, feature, class, task   what an example looks like (form.c)
 *   waiting, asked            examples that came and are not learned yet
 *   learner                   the rest: counters, normaliser, tally */
#include <string.h>

#include "base/hash.h"
#include "learner/learner.h"
#include "learner/piece.h"

/* ---- the trainer ----------------------------------------------------------------------------- */

typedef struct keep_walk {
    pdr_learner *l;
    size_t pieces;  /* taken back; shown */
    uint64_t bytes; /* of them */
    pdr_error *err;
} keep_walk;

static pdr_rc keep_put(void *ctx, const pdi_piece *p)
{
    const keep_walk *w = ctx;
    pdi_item i = pdi_piece_item(p);
    return pdi_store_put(w->l->store, &i, w->err);
}

static pdr_rc keep_unfit(const pdr_learner *l, const char *section, const char *name,
                         pdr_error *err)
{
    return pdi_fail(err, PDR_INPUT,
                    "%s: '%s/%s' is not what this recipe's model and method have; the file was "
                    "changed by hand, restore it from a copy",
                    pdi_store_path(l->store), section, name);
}

static pdr_rc keep_get(void *ctx, const pdi_item *i, pdr_error *err)
{
    keep_walk *w = ctx;
    w->bytes += (uint64_t)pdi_item_size(i);
    if (!pdi_fit_bytes(w->l, w->bytes) || strlen(i->name) > PDI_PIECE_NAME)
        return keep_unfit(w->l, i->section, i->name, err);
    w->pieces++;
    return pdi_piece_take(w->l->store, i, w->l->trainer, err);
}

/* ---- the rest
 * ------------------------------------------------------------------------------------ */

enum { KEEP_COUNTS = 12, KEEP_SUMS = 3, KEEP_ITEMS = 20 };

/* Whole numbers and sums, on their way to the file and back. */
typedef struct keep_numbers {
    uint64_t count[KEEP_COUNTS];
    double sum[KEEP_SUMS];
} keep_numbers;

static keep_numbers keep_take(const pdr_learner *l)
{
    const pdi_tally *t = &l->tally;
    return (keep_numbers){{l->examples, l->seen, l->taken, (uint64_t)l->next, (uint64_t)l->waiting,
                           t->n, t->right, t->same, (uint64_t)t->in_window, (uint64_t)(t->last + 1),
                           l->asked.total, l->asked.forgotten},
                          {t->loss, t->error2, t->error1}};
}

static void keep_give(pdr_learner *l, const keep_numbers *k)
{
    pdi_tally *t = &l->tally;
    l->examples = k->count[0];
    l->seen = k->count[1];
    l->taken = k->count[2];
    l->next = (int64_t)k->count[3];
    l->waiting = (int32_t)k->count[4];
    t->n = k->count[5];
    t->right = k->count[6];
    t->same = k->count[7];
    t->in_window = (int64_t)k->count[8];
    t->last = (int32_t)k->count[9] - 1;
    l->asked.total = k->count[10];
    l->asked.forgotten = k->count[11];
    t->loss = k->sum[0];
    t->error2 = k->sum[1];
    t->error1 = k->sum[2];
}

static pdi_item keep_numbers_item(const keep_numbers *k, bool sums)
{
    return sums ? (pdi_item){"learner", "sums", PDI_F64, PDR_SHAPE(KEEP_SUMS), k->sum}
                : (pdi_item){"learner", "counts", PDI_U64, PDR_SHAPE(KEEP_COUNTS), k->count};
}

/* Arrays that are where they are. */
static size_t keep_arrays(const pdr_learner *l, pdi_item item[KEEP_ITEMS])
{
    const pdi_tally *t = &l->tally;
    const pdi_form *f = &l->form;
    const pdi_asked *a = &l->asked;
    int32_t width = (int32_t)f->width, outputs = f->outputs, n = l->waiting;
    int32_t slots = pdi_asked_slots(a);
    size_t k = 0;
    if (l->mean) item[k++] = (pdi_item){"learner", "mean", PDI_F64, PDR_SHAPE(width), l->mean};
    if (l->m2) item[k++] = (pdi_item){"learner", "m2", PDI_F64, PDR_SHAPE(width), l->m2};
    item[k++] = (pdi_item){"learner", "labels", PDI_U64, PDR_SHAPE(outputs), t->label};
    item[k++] = (pdi_item){"learner", "answers", PDI_U64, PDR_SHAPE(outputs), t->answer};
    item[k++] = (pdi_item){"learner", "window", PDI_U8, PDR_SHAPE((int32_t)t->size), t->window};
    item[k++] = (pdi_item){"waiting", "x", PDI_F32, PDR_SHAPE(n, width), l->wait_x};
    item[k++] = (pdi_item){"waiting", "target", PDI_F32, PDR_SHAPE(n, f->targets), l->wait_target};
    item[k++] = (pdi_item){"waiting", "label", PDI_I32, PDR_SHAPE(n), l->wait_label};
    item[k++] = (pdi_item){"waiting", "task", PDI_I32, PDR_SHAPE(n), l->wait_task};
    item[k++] = (pdi_item){"waiting", "answer", PDI_F32, PDR_SHAPE(n, outputs), l->wait_y};
    item[k++] = (pdi_item){"waiting", "asked", PDI_U8, PDR_SHAPE(n), l->wait_is};
    item[k++] = (pdi_item){"asked", "x", PDI_F32, PDR_SHAPE(slots, width), a->x};
    item[k++] = (pdi_item){"asked", "answer", PDI_F32, PDR_SHAPE(slots, outputs), a->y};
    item[k++] = (pdi_item){"asked", "task", PDI_I32, PDR_SHAPE(slots), a->task};
    item[k++] = (pdi_item){"asked", "id", PDI_U8, PDR_SHAPE(slots, PDI_ID_MAX + 1), a->id};
    return k;
}

pdr_rc pdi_learner_put(pdr_learner *l, pdr_error *err)
{
    keep_walk w = {.l = l, .err = err};
    keep_numbers k = keep_take(l);
    pdi_item count = keep_numbers_item(&k, false), sum = keep_numbers_item(&k, true);
    pdi_item item[KEEP_ITEMS];
    size_t n = keep_arrays(l, item);
    pdr_rc rc = pdi_store_put(l->store, &count, err);
    if (!rc) rc = pdi_store_put(l->store, &sum, err);
    for (size_t i = 0; !rc && i < n; i++) rc = pdi_store_put(l->store, &item[i], err);
    if (!rc) rc = pdi_form_put(l, err);
    if (!rc) rc = pdi_store_clear(l->store, "tensor", err);
    return rc ? rc : pdi_trainer_each(l->trainer, keep_put, &w);
}

/* Room for what was asked, which the file must have in that many slots. */
static pdr_rc keep_asked_room(pdr_learner *l, pdr_error *err)
{
    pdi_item i = {.section = "asked", .name = "x"};
    int32_t slots = pdi_asked_slots(&l->asked);
    pdr_shape wanted = PDR_SHAPE(slots, (int32_t)l->form.width);
    pdr_rc rc = pdi_store_find(l->store, &i, NULL, err);
    if (rc || !slots) return rc;
    if (!pdr_shape_equal(&i.shape, &wanted)) return keep_unfit(l, "asked", "x", err);
    uint64_t each = (l->form.width + (uint64_t)l->form.outputs) * sizeof(float);
    if (!pdi_fit_bytes(l, (uint64_t)slots * each)) return keep_unfit(l, "asked", "x", err);
    return pdi_asked_room(l, slots) ? PDR_OK : pdi_nomem(err);
}

static pdr_rc keep_get_arrays(pdr_learner *l, pdr_error *err)
{
    pdi_item item[KEEP_ITEMS];
    size_t n = keep_arrays(l, item);
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < n; i++)
        rc = pdi_store_get(l->store, &item[i], (void *)(uintptr_t)item[i].bytes, err);
    return rc;
}

static pdr_rc keep_count(void *ctx, const pdi_piece *p)
{
    keep_walk *w = ctx;
    (void)p;
    w->pieces--;
    return PDR_OK;
}

/* All pieces of the trainer: counters first.  There must be each that it has. */
static pdr_rc keep_get_pieces(pdr_learner *l, pdr_error *err)
{
    static const char *const sections[] = {"counter", "memory", "tensor"};
    keep_walk w = {.l = l, .err = err};
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < 3; i++)
        rc = pdi_store_items(l->store, sections[i], keep_get, &w, err);
    if (!rc) rc = pdi_trainer_each(l->trainer, keep_count, &w);
    return !rc && w.pieces ? keep_unfit(l, "tensor", "*", err) : rc;
}

pdr_rc pdi_learner_get(pdr_learner *l, pdr_error *err)
{
    keep_numbers k;
    pdi_item count = keep_numbers_item(&k, false), sum = keep_numbers_item(&k, true);
    pdr_rc rc = pdi_store_get(l->store, &count, k.count, err);
    if (!rc) rc = pdi_store_get(l->store, &sum, k.sum, err);
    if (rc) return rc;
    keep_give(l, &k);
    if (l->waiting < 0 || l->waiting >= l->recipe.training.batch)
        return keep_unfit(l, "learner", "counts", err);
    rc = keep_asked_room(l, err);
    if (!rc) rc = keep_get_arrays(l, err);
    if (!rc && !pdi_asked_is_usable(l)) return keep_unfit(l, "asked", "id", err);
    return rc ? rc : keep_get_pieces(l, err);
}

/* ---- hash --------------------------------------------------------------------------------------
 */

uint64_t pdr_learner_state_hash(const pdr_learner *l)
{
    keep_numbers k = keep_take(l);
    pdi_item item[KEEP_ITEMS];
    size_t n = keep_arrays(l, item);
    uint64_t h = pdi_trainer_hash(l->trainer);
    k.count[3] = 0; /* where the journal is does not matter */
    h = pdi_hash(h, k.count, sizeof k.count);
    h = pdi_hash(h, k.sum, sizeof k.sum);
    for (size_t i = 0; i < n; i++) {
        h = pdi_hash(h, item[i].name, strlen(item[i].name));
        h = pdi_hash(h, item[i].bytes, (size_t)pdi_item_size(&item[i]));
    }
    pdi_form_hash(l, &h);
    return h;
}
