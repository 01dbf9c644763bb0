/* method/piece.c -- all of a trainer's state, piece by piece: to save, to load, to hash. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "method/trainer.h"

/* ---- walking through it --------------------------------------------------------------- */

typedef struct piece_walk {
    pdi_piece_fn *visit;
    void *ctx;
    pdr_rc rc;
} piece_walk;

/* Rows of `width` words of 4 bytes. */
static void piece_show(piece_walk *w, const char *section, const char *name, void *data,
                       size_t rows, size_t width)
{
    pdi_piece p = {section, name, PDR_SHAPE((int32_t)rows, (int32_t)width), data, rows * width * 4};
    if (!w->rc) w->rc = w->visit(w->ctx, &p);
}

static void piece_counters(piece_walk *w, pdi_trainer *t)
{
    piece_show(w, "counter", "steps", &t->steps, 1, 2);
    piece_show(w, "counter", "task", &t->task, 1, 1);
    piece_show(w, "counter", "phase", &t->phase, 1, 1);
    piece_show(w, "counter", "learned", &t->learned, 1, 1);
}

static void piece_tensors(piece_walk *w, pdi_trainer *t)
{
    for (size_t i = 0; i < t->store.n && !w->rc; i++) {
        pdi_tensor *v = &t->store.v[i];
        pdi_piece p = {"tensor", v->name, v->shape, v->value,
                       (size_t)pdr_shape_size(&v->shape) * sizeof *v->value};
        w->rc = w->visit(w->ctx, &p);
    }
}

/* How many it holds is among the counters, which come first: reading back makes room. */
static void piece_memory(piece_walk *w, pdi_memory *m)
{
    if (!m->used) return;
    uint64_t held = m->held;
    size_t groups = (size_t)m->groups, slots = groups * (size_t)m->spec.size;
    piece_show(w, "counter", "memory.held", &held, 1, 2);
    piece_show(w, "counter", "memory.random", &m->rng.counter, 1, 2);
    piece_show(w, "memory", "offered", m->offered, groups, 2);
    piece_show(w, "memory", "slot", m->slot, slots, 1);
    piece_show(w, "memory", "x", m->x, m->held, m->width);
    if (m->targets) piece_show(w, "memory", "target", m->target, m->held, m->targets);
    piece_show(w, "memory", "label", m->label, m->held, 1);
    piece_show(w, "memory", "task", m->task, m->held, 1);
    for (size_t k = 0; k < m->spec.columns; k++)
        if (!m->spec.column[k].is_scratch)
            piece_show(w, "memory", m->spec.column[k].name, m->column[k], m->held,
                       (size_t)m->spec.column[k].width);
}

pdr_rc pdi_trainer_each(pdi_trainer *t, pdi_piece_fn *visit, void *ctx)
{
    piece_walk w = {.visit = visit, .ctx = ctx};
    piece_counters(&w, t);
    piece_memory(&w, &t->memory);
    piece_tensors(&w, t);
    return w.rc;
}

/* ---- hash and size ----------------------------------------------------------------------- */

static pdr_rc piece_hash(void *ctx, const pdi_piece *p)
{
    uint64_t *h = ctx;
    *h = pdi_hash(*h, p->section, strlen(p->section));
    *h = pdi_hash(*h, p->name, strlen(p->name));
    *h = pdi_hash(*h, p->data, p->bytes);
    return PDR_OK;
}

uint64_t pdi_trainer_hash(pdi_trainer *t)
{
    uint64_t h = 0;
    pdi_trainer_each(t, piece_hash, &h);
    return h;
}

static pdr_rc piece_bytes(void *ctx, const pdi_piece *p)
{
    *(uint64_t *)ctx += p->bytes;
    return PDR_OK;
}

uint64_t pdi_trainer_bytes(pdi_trainer *t)
{
    uint64_t n = 0;
    pdi_trainer_each(t, piece_bytes, &n);
    return n;
}

uint64_t pdi_trainer_parameters(const pdi_trainer *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < pdr_model_params(t->spec.model); i++)
        n += (uint64_t)pdr_shape_size(&pdr_model_param(t->spec.model, i)->shape);
    return n;
}

/* ---- taking it back ------------------------------------------------------------------------- */

typedef struct piece_place {
    const pdi_piece *from;
    bool found;
} piece_place;

static pdr_rc piece_copy(void *ctx, const pdi_piece *p)
{
    piece_place *place = ctx;
    const pdi_piece *from = place->from;
    if (strcmp(p->section, from->section) || strcmp(p->name, from->name)) return PDR_OK;
    if (p->bytes != from->bytes) return PDR_INPUT;
    if (p->bytes) memcpy(p->data, from->data, p->bytes);
    place->found = true;
    return PDR_OK;
}

/* What may not be there yet: a tensor, room in the memory. */
static pdr_rc piece_prepare(pdi_trainer *t, const pdi_piece *p, pdr_error *err)
{
    if (!strcmp(p->section, "tensor")) {
        bool is_new;
        if (!pdi_state_get(&t->store, p->name, &p->shape, 0, &is_new)) return pdi_nomem(err);
    } else if (!strcmp(p->name, "memory.held")) {
        uint64_t held = 0;
        if (p->bytes == sizeof held) memcpy(&held, p->data, sizeof held);
        if (!t->memory.used || held > (uint64_t)t->memory.groups * (uint64_t)t->memory.spec.size)
            return pdi_fail(err, PDR_INPUT,
                            "the saved memory holds %llu examples, more than the recipe's method "
                            "keeps; use the recipe that it was saved with",
                            (unsigned long long)held);
        if (!pdi_memory_resize(&t->memory, (size_t)held)) return pdi_nomem(err);
    }
    return PDR_OK;
}

pdr_rc pdi_trainer_restore(pdi_trainer *t, const pdi_piece *piece, pdr_error *err)
{
    piece_place place = {.from = piece};
    pdr_rc rc = piece_prepare(t, piece, err);
    if (rc) return rc;
    rc = pdi_trainer_each(t, piece_copy, &place);
    if (rc || !place.found)
        return pdi_fail(err, PDR_INPUT,
                        "saved state '%s/%s' does not fit this recipe's model and method; use the "
                        "recipe that it was saved with",
                        piece->section, piece->name);
    pdi_trainer_task(t, t->task, t->phase); /* programs are of the old state */
    t->memory.changes++;
    return PDR_OK;
}
