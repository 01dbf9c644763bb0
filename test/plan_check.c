/* plan_check.c -- the promises that plan/plan.h makes about a lowered plan.
 *
 * Lifetimes are worked out again from what steps read and write; nothing that the
 * planner noted about them is believed. */
#include "plan_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "exec/exec.h"

typedef struct check_life {
    int32_t written, last; /* step that makes it; last step that touches it */
    size_t writers;
} check_life;

typedef struct check {
    const pdi_lowered *l;
    check_life *life; /* of each buffer */
    const char *broken;
} check;

static char check_said[256];

static bool check_in_region(const pdi_lowered *l, int32_t s)
{
    return s >= l->region_first && s < l->region_end;
}

static void check_fail(check *c, const char *what, int32_t step, int32_t buffer)
{
    if (c->broken) return;
    snprintf(check_said, sizeof check_said, "step %d, buffer %d: %s", step, buffer, what);
    c->broken = check_said;
}

/* Elements of a buffer, all tasks and all rows together. */
static int64_t check_size(const check *c, int32_t buffer)
{
    const pdi_buffer *b = &c->l->buffer[buffer];
    const pdi_chain *chain = b->place == PDI_AT_CHAIN ? pdi_chain_of(c->l, b->born) : NULL;
    if (chain) return b->size * chain->rows;
    return b->place == PDI_AT_LOCAL ? b->size * c->l->tasks : b->size;
}

static void check_view(check *c, int32_t step, const pdi_view *v)
{
    int64_t lo = v->offset, hi = v->offset;
    for (int k = 0; k < v->shape.rank; k++) {
        int64_t span = (v->shape.dim[k] - 1) * v->stride[k];
        *(span < 0 ? &lo : &hi) += span;
    }
    if (lo < 0 || hi >= check_size(c, v->buffer))
        check_fail(c, "a view leaves its buffer", step, v->buffer);
}

static void check_write(check *c, int32_t step, int32_t buffer)
{
    check_life *life = &c->life[buffer];
    if (life->writers++) check_fail(c, "written by two steps", step, buffer);
    life->written = life->last = step;
}

static void check_read(check *c, int32_t step, const pdi_view *v)
{
    const pdi_buffer *b = &c->l->buffer[v->buffer];
    check_life *life = &c->life[v->buffer];
    bool given = b->place == PDI_AT_INPUT || b->place == PDI_AT_CONST;
    check_view(c, step, v);
    if (!given && !life->writers) check_fail(c, "read before it is written", step, v->buffer);
    if (!given && life->written != step && !b->escapes)
        check_fail(c, "read outside its loop and has no memory", step, v->buffer);
    if (life->last < step) life->last = step;
}

static void check_steps(check *c)
{
    const pdi_lowered *l = c->l;
    for (int32_t s = 0; s < (int32_t)l->steps; s++) {
        const pdi_step *p = &l->step[s];
        for (int k = 0; k < p->nin; k++) check_read(c, s, &p->in[k]);
        for (size_t e = 0; p->op == PDI_stop && e < l->entries; e++) {
            const pdi_entry *x = &l->entry[e];
            for (int k = 0; x->step == s && k < pdi_entry_views(x); k++)
                check_read(c, s, pdi_entry_view(l, x, k));
            if (x->step == s) check_write(c, s, x->out);
        }
        if (p->op != PDI_stop) check_write(c, s, p->out);
    }
}

/* Outputs, copied or not, are alive when the run ends. */
static void check_ends(check *c)
{
    const pdi_lowered *l = c->l;
    for (size_t k = 0; k < l->copies; k++) {
        const pdi_copy *copy = &l->copy[k];
        c->life[copy->buffer].last = (int32_t)l->steps;
        if (copy->offset < 0 || copy->offset + copy->size > check_size(c, copy->buffer))
            check_fail(c, "an output is copied from outside", (int32_t)l->steps, copy->buffer);
    }
}

/* What touches the region and is not local lives through all of it: tasks run apart. */
static void check_regions(check *c)
{
    const pdi_lowered *l = c->l;
    for (size_t i = 0; i < l->buffers; i++) {
        check_life *life = &c->life[i];
        if (l->buffer[i].place == PDI_AT_CHAIN) continue;
        if (l->buffer[i].place == PDI_AT_LOCAL) {
            if (!check_in_region(l, life->written) || !check_in_region(l, life->last))
                check_fail(c, "local memory outside the region", life->written, (int32_t)i);
            continue;
        }
        if (check_in_region(l, life->written)) life->written = l->region_first;
        if (check_in_region(l, life->last)) life->last = l->region_end - 1;
    }
}

/* The same for chains: rows run apart. */
static void check_chains(check *c)
{
    const pdi_lowered *l = c->l;
    for (size_t i = 0; i < l->buffers; i++) {
        check_life *life = &c->life[i];
        const pdi_chain *from = pdi_chain_of(l, life->written), *to = pdi_chain_of(l, life->last);
        if (l->buffer[i].place == PDI_AT_CHAIN) {
            if (!from || from != to)
                check_fail(c, "memory of a chain outside it", life->written, (int32_t)i);
            continue;
        }
        if (from && from->first < life->written) life->written = from->first;
        if (to && to->end - 1 > life->last) life->last = to->end - 1;
    }
}

static void check_apart(check *c, size_t i, size_t j)
{
    const pdi_buffer *a = &c->l->buffer[i], *b = &c->l->buffer[j];
    const check_life *x = &c->life[i], *y = &c->life[j];
    bool together = x->written <= y->last && y->written <= x->last;
    if (together && a->at < b->at + b->size && b->at < a->at + a->size)
        check_fail(c, "two values that live together share memory", x->written, (int32_t)i);
}

static void check_memory(check *c)
{
    const pdi_lowered *l = c->l;
    for (size_t i = 0; i < l->buffers; i++) {
        const pdi_buffer *a = &l->buffer[i];
        const pdi_chain *chain = pdi_chain_of(l, c->life[i].written);
        int64_t room = a->place == PDI_AT_ARENA   ? l->arena
                       : a->place == PDI_AT_LOCAL ? l->local
                       : a->place == PDI_AT_CHAIN ? chain->local
                                                  : -1;
        if (room < 0 || !a->escapes) continue;
        if (a->at < 0 || a->at + a->size > room)
            check_fail(c, "does not fit its memory", c->life[i].written, (int32_t)i);
        for (size_t j = 0; j < i; j++)
            if (l->buffer[j].place == a->place && l->buffer[j].escapes) check_apart(c, i, j);
    }
}

/* Registers of a loop that are alive together have strips of their own. */
static void check_strips(check *c, int32_t step)
{
    const pdi_loop *p = &c->l->step[step].loop;
    int32_t *holds = malloc(sizeof *holds * (size_t)(p->slots + 1));
    for (int32_t k = 0; k <= p->slots; k++) holds[k] = -1;
    for (int32_t r = 0; r < p->regs; r++)
        if (p->reg[r].kind == PDI_REG_SCALAR) holds[p->reg[r].slot] = r;
    for (int32_t i = 0; i < p->instrs; i++) {
        const pdi_instr *in = &p->instr[i];
        for (int k = 0; in->op != PDI_input && k < PDI_MAX_IN; k++) {
            const pdi_reg *g = in->in[k] >= 0 ? &p->reg[in->in[k]] : NULL;
            if (g && g->kind != PDI_REG_DENSE && holds[g->slot] != in->in[k])
                check_fail(c, "a strip was reused too early", step, g->buffer);
        }
        const pdi_reg *out = &p->reg[in->out];
        if (out->kind == PDI_REG_DENSE) continue;
        bool shared = holds[out->slot] >= 0 && holds[out->slot] != in->out;
        if (shared && (out->period || p->reg[holds[out->slot]].period))
            check_fail(c, "a strip that stays was reused", step, out->buffer);
        if (out->slot < 0 || out->slot >= p->slots || p->slots > c->l->slots)
            check_fail(c, "a strip does not exist", step, out->buffer);
        else
            holds[out->slot] = in->out;
    }
    free(holds);
}

const char *plan_broken(const pdr_plan *plan)
{
    check c = {.l = &plan->low};
    c.life = calloc(plan->low.buffers + 1, sizeof *c.life);
    check_steps(&c);
    check_ends(&c);
    check_chains(&c);
    check_regions(&c);
    check_memory(&c);
    for (int32_t s = 0; s < (int32_t)plan->low.steps; s++)
        if (plan->low.step[s].op == PDI_stop) check_strips(&c, s);
    free(c.life);
    return c.broken;
}
