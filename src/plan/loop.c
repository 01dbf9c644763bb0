/* plan/loop.c -- the entries of a fused loop as registers and instructions.
 *
 * A register is a place an instruction reads or writes, one strip at a time:
 * memory in loop order, one repeated number, a strided load, or a strip that
 * lives in cache.  Strips are shared by registers that are not alive together. */
#include <string.h>

#include "plan/plan.h"

typedef struct loop_build {
    pdi_lowered *l;
    pdi_loop *loop;
    int32_t *reg_of;  /* register that holds a buffer made in this loop, or -1 */
    pdi_view *viewed; /* the view behind each register that reads outside memory */
    int32_t *last;    /* last instruction that reads a register */
} loop_build;

static int32_t loop_reg(loop_build *b, pdi_reg_kind kind, int32_t buffer, int64_t offset)
{
    b->loop->reg[b->loop->regs] = (pdi_reg){
        .kind = kind, .buffer = buffer, .offset = offset, .slot = -1};
    return b->loop->regs++;
}

/* The outermost repetition whose repeated part fits a strip: a channel's gain, a row's mean. */
static void loop_period(pdi_reg *r)
{
    const pdi_axes *a = &r->axes;
    int64_t inner = 1;
    for (int k = a->n; k-- > 0; inner *= a->dim[k])
        if (a->stride[k] == 0 && inner <= PDI_STRIP) {
            r->period = inner;
            r->block = inner * a->dim[k];
        }
    if (r->block < 2 * PDI_STRIP) r->period = 0;
}

/* The register for reading v, shared by equal views. */
static int32_t loop_operand(loop_build *b, const pdi_view *v)
{
    int32_t here = b->reg_of[v->buffer];
    if (here >= 0) return here;
    for (int32_t r = 0; r < b->loop->regs; r++)
        if (b->viewed[r].buffer >= 0 && pdi_view_same(&b->viewed[r], v)) return r;
    pdi_reg_kind kind = pdi_view_is_dense(v)    ? PDI_REG_DENSE
                        : pdi_view_is_scalar(v) ? PDI_REG_SCALAR
                                                : PDI_REG_LOAD;
    if (kind == PDI_REG_DENSE && pdi_view_is_scalar(v) && b->loop->n > 1) kind = PDI_REG_SCALAR;
    int32_t r = loop_reg(b, kind, v->buffer, v->offset);
    b->viewed[r] = *v;
    if (kind == PDI_REG_LOAD) {
        b->loop->reg[r].axes = pdi_view_axes(v);
        loop_period(&b->loop->reg[r]);
        b->loop->instr[b->loop->instrs++] = (pdi_instr){.op = PDI_input, .out = r};
    }
    return r;
}

static void loop_entry(loop_build *b, const pdi_entry *e)
{
    pdi_instr i = {.op = e->op, .in = {-1, -1, -1}, .join = e->join};
    for (int k = 0; k < e->nin; k++) i.in[k] = loop_operand(b, &e->in[k]);
    bool kept = b->l->buffer[e->out].escapes;
    i.out = loop_reg(b, kept ? PDI_REG_DENSE : PDI_REG_STRIP, e->out, 0);
    b->viewed[i.out].buffer = -1;
    b->reg_of[e->out] = i.out;
    b->loop->instr[b->loop->instrs++] = i;
}

/* ---- pairs --------------------------------------------------------------------------- */

/* The only instruction that reads instruction i's result, and as which operand; -1: there are
 * others.  What lies in memory may be written over, so it cannot be read later than it was:
 * nothing between the two may write there. */
static int32_t loop_reader(const pdi_loop *p, int32_t i, int *side)
{
    int32_t reader = -1, last = i;
    if (p->reg[p->instr[i].out].kind != PDI_REG_STRIP) return -1;
    for (int32_t j = i + 1; j < p->instrs; j++)
        for (int k = 0; k < PDI_MAX_IN && p->instr[j].op != PDI_input; k++) {
            if (p->instr[j].in[k] != p->instr[i].out) continue;
            if (reader >= 0) return -1;
            reader = j;
            *side = k;
        }
    while (last + 1 < reader && p->reg[p->instr[last + 1].out].kind != PDI_REG_DENSE) last++;
    return last + 1 == reader ? reader : -1;
}

static int loop_operands(const pdi_instr *i)
{
    int n = 0;
    while (n < PDI_MAX_IN && i->in[n] >= 0) n++;
    return n;
}

/* Have the reader of i's result do i too, where there is a kernel for both. */
static void loop_pair(pdi_loop *p, int32_t i)
{
    pdi_instr *first = &p->instr[i];
    int side = 0;
    int32_t j = first->pair || first->op == PDI_input ? -1 : loop_reader(p, i, &side);
    pdi_instr *second = j < 0 ? NULL : &p->instr[j];
    if (!second || second->pair) return;
    pdi_pair pair = pdi_pair_of(first->op, second->op);
    if (!pair) return;
    int32_t other = second->in[!side];
    second->pair = pair;
    second->side = side;
    second->before = first->op;
    memcpy(second->in, first->in, sizeof second->in);
    second->in[loop_operands(first)] = other;
    memmove(first, first + 1, (size_t)(p->instrs - i - 1) * sizeof *first);
    p->instrs--;
}

static void loop_pairs(pdi_loop *p)
{
    for (int32_t i = 0; i < p->instrs; i++) {
        int32_t before = p->instrs;
        loop_pair(p, i);
        if (p->instrs < before) i--;
    }
}

/* ---- strips -------------------------------------------------------------------------- */

/* Strips by linear scan: a register's strip is free again after its last read. */
static void loop_slots(loop_build *b)
{
    pdi_loop *p = b->loop;
    for (int32_t r = 0; r < p->regs; r++) {
        b->last[r] = -1;
        bool stays = p->reg[r].kind == PDI_REG_SCALAR || p->reg[r].period > 0;
        if (stays) p->reg[r].slot = p->slots++; /* for the whole loop */
    }
    for (int32_t i = 0; i < p->instrs; i++)
        for (int k = 0; k < PDI_MAX_IN && p->instr[i].op != PDI_input; k++)
            if (p->instr[i].in[k] >= 0) b->last[p->instr[i].in[k]] = i;
    int32_t *free_slot = b->reg_of; /* done with it: reuse as the stack of free strips */
    int32_t free_slots = 0;
    for (int32_t i = 0; i < p->instrs; i++) {
        const pdi_instr *in = &p->instr[i];
        for (int k = 0; k < PDI_MAX_IN && in->op != PDI_input; k++) {
            int32_t r = in->in[k];
            bool again = (k > 0 && r == in->in[0]) || (k > 1 && r == in->in[1]);
            if (r < 0 || again || b->last[r] != i) continue;
            bool passes = p->reg[r].kind == PDI_REG_LOAD && !p->reg[r].period;
            if (passes || p->reg[r].kind == PDI_REG_STRIP) free_slot[free_slots++] = p->reg[r].slot;
        }
        pdi_reg *out = &p->reg[in->out];
        if (out->kind == PDI_REG_DENSE || out->slot >= 0) continue;
        out->slot = free_slots ? free_slot[--free_slots] : p->slots++;
    }
}

static int64_t loop_gcd(int64_t x, int64_t y) { return y ? loop_gcd(y, x % y) : x; }

/* A strip is as long as may be, and a whole number of every period: where they do not go
 * together, of the first ones. */
static void loop_strip(pdi_loop *p)
{
    int64_t all = 1;
    for (int32_t r = 0; r < p->regs; r++) {
        pdi_reg *g = &p->reg[r];
        int64_t both = g->period ? all / loop_gcd(all, g->period) * g->period : all;
        if (both > PDI_STRIP)
            g->period = 0;
        else
            all = both;
    }
    p->strip = PDI_STRIP / all * all;
}

static bool loop_build_one(pdi_lowered *l, int32_t step)
{
    pdi_loop *p = &l->step[step].loop;
    size_t most = (size_t)p->entries * (PDI_MAX_IN + 1);
    loop_build b = {.l = l, .loop = p};
    size_t table = l->buffers > most ? l->buffers : most;
    p->reg = pdi_new(l->alloc, most, sizeof *p->reg);
    p->instr = pdi_new(l->alloc, most, sizeof *p->instr);
    b.reg_of = pdi_new(l->alloc, table, sizeof *b.reg_of);
    b.viewed = pdi_new(l->alloc, most, sizeof *b.viewed);
    b.last = pdi_new(l->alloc, most, sizeof *b.last);
    bool ok = p->reg && p->instr && b.reg_of && b.viewed && b.last;
    if (ok) {
        memset(b.reg_of, 0xff, table * sizeof *b.reg_of); /* -1 */
        for (size_t e = 0; e < l->entries; e++)
            if (l->entry[e].step == step) loop_entry(&b, &l->entry[e]);
        l->step[step].flops = (double)p->n * p->instrs;
        if (!l->plain) loop_pairs(p);
        loop_strip(p);
        loop_slots(&b);
        if (p->slots > l->slots) l->slots = p->slots;
    }
    pdi_free(l->alloc, b.reg_of);
    pdi_free(l->alloc, b.viewed);
    pdi_free(l->alloc, b.last);
    return ok;
}

bool pdi_loops_build(pdi_lowered *l)
{
    for (size_t s = 0; s < l->steps; s++)
        if (l->step[s].op == PDI_stop && !loop_build_one(l, (int32_t)s)) return false;
    return true;
}
