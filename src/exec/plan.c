/* exec/plan.c -- making, measuring, printing and running plans. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "exec/exec.h"

enum { PLAN_LINE = 64 }; /* bytes: cache lines, and the widest vectors */

/* bytes of memory, as it comes, at a multiple of PLAN_LINE inside *block. */
static float *plan_aligned(const pdr_alloc *alloc, size_t bytes, void **block)
{
    *block = pdi_resize(alloc, NULL, bytes + PLAN_LINE, 1);
    if (!*block) return NULL;
    uintptr_t at = ((uintptr_t)*block + PLAN_LINE - 1) / PLAN_LINE * PLAN_LINE;
    return (float *)at;
}

static bool plan_needs_packing(const pdi_lowered *l)
{
    for (size_t s = 0; s < l->steps; s++)
        if (l->step[s].op == PDI_dot) return true;
    return false;
}

static pdr_rc plan_allocate(pdr_plan *p, pdr_error *err)
{
    size_t arena = (size_t)p->low.arena * sizeof(float);
    p->scratch_each = (size_t)p->low.slots * PDI_STRIP;
    if (plan_needs_packing(&p->low) && p->scratch_each < PDI_PACK) p->scratch_each = PDI_PACK;
    p->arena = plan_aligned(p->alloc, arena, &p->arena_block);
    p->scratch = plan_aligned(p->alloc, p->scratch_each * (size_t)p->threads * sizeof(float),
                              &p->scratch_block);
    pdi_exec_region_size(p);
    p->local_each = (size_t)(p->low.local * p->chunk);
    p->local = plan_aligned(p->alloc, p->local_each * (size_t)p->threads * sizeof(float),
                            &p->local_block);
    pdi_exec_chain_size(p);
    p->chain = plan_aligned(p->alloc, p->chain_each * (size_t)p->threads * sizeof(float),
                            &p->chain_block);
    p->ready = pdi_new(p->alloc, p->low.steps, sizeof *p->ready);
    if (p->arena && p->scratch && p->local && p->chain && p->ready) return PDR_OK;
    return pdi_fail(err, PDR_NOMEM, "out of memory: the plan's arena takes %zu bytes", arena);
}

static void plan_ready_chain(pdr_plan *p, pdi_chain *c)
{
    for (int32_t s = c->first; s < c->end; s++) c->flops += p->low.step[s].flops;
    p->ready[c->first].chain = c;
}

static pdr_rc plan_lower(pdr_plan *p, const pdi_request *r, pdr_error *err)
{
    pdr_rc rc = pdi_lower(r, &p->low, err);
    if (rc) return rc;
    if (!r->plain && !(pdi_region_form(&p->low) && pdi_chains_form(&p->low, r)))
        return pdi_nomem(err);
    pdi_region_place(&p->low);
    pdi_chains_place(&p->low);
    if (!pdi_loops_build(&p->low)) return pdi_nomem(err);
    if (!r->plain) pdi_outputs_place(r, &p->low);
    if (!pdi_memory_place(&p->low)) return pdi_nomem(err);
    rc = plan_allocate(p, err);
    for (size_t i = 0; !rc && i < p->low.steps; i++) pdi_exec_ready(&p->low.step[i], &p->ready[i]);
    for (size_t c = 0; !rc && c < p->low.chains; c++) plan_ready_chain(p, &p->low.chain[c]);
    return rc;
}

/* Output j replaces input over[j]: is there one, of its size, and nobody else's? */
static pdr_rc plan_check_over(const pdi_request *r, size_t j, pdr_error *err)
{
    int32_t i = r->over[j];
    if (i < -1 || (i >= 0 && (size_t)i >= r->n_in))
        return pdi_fail(err, PDR_USAGE, "plan: over[%zu] is %d; give an input, 0 to %zu, or -1", j,
                        i, r->n_in - 1);
    if (i < 0) return PDR_OK;
    for (size_t k = 0; k < j; k++)
        if (r->over[k] == i)
            return pdi_fail(err, PDR_USAGE, "plan: out[%zu] and out[%zu] both replace in[%d]", k, j,
                            i);
    const pdr_shape *x = pdi_shape_at(r->g, r->in[i]), *y = pdi_shape_at(r->g, r->out[j]);
    char from[PDR_SHAPE_TEXT], to[PDR_SHAPE_TEXT];
    if (pdr_shape_size(x) == pdr_shape_size(y)) return PDR_OK;
    return pdi_fail(err, PDR_USAGE, "plan: out[%zu] of shape %s cannot replace in[%d] of shape %s",
                    j, pdr_shape_text(y, to), i, pdr_shape_text(x, from));
}

static pdr_rc plan_check(const pdi_request *r, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (pdr_graph_error(r->g))
        return pdi_fail(err, pdr_graph_rc(r->g), "%s", pdr_graph_error(r->g));
    for (size_t i = 0; i < r->n_in; i++)
        if (pdi_is_null(r->in[i])) return pdi_fail(err, PDR_USAGE, "plan: in[%zu] is null", i);
    for (size_t j = 0; j < r->n_out; j++)
        if (pdi_is_null(r->out[j])) return pdi_fail(err, PDR_USAGE, "plan: out[%zu] is null", j);
    for (size_t j = 0; r->over && !rc && j < r->n_out; j++) rc = plan_check_over(r, j, err);
    return rc;
}

pdr_rc pdr_plan_new(const pdr_graph *g, pdr_pool *pool, size_t n_in, const pdr_node in[],
                    size_t n_out, const pdr_node out[], const int32_t over[], pdr_plan **plan,
                    pdr_error *err)
{
    *plan = NULL;
    if (!pool) return pdi_fail(err, PDR_USAGE, "plan: there is no pool");
    const char *how = getenv("PERDURE_PLAN");
    const pdi_kernels *kern = pdi_kernels_here();
    const pdi_request r = {.g = g,
                           .n_in = n_in,
                           .n_out = n_out,
                           .in = in,
                           .out = out,
                           .over = over,
                           .threads = pdr_pool_threads(pool),
                           .panel = kern->panel,
                           .fine = how && !strcmp(how, "fine"),
                           .plain = how && !strcmp(how, "plain")};
    pdr_rc rc = plan_check(&r, err);
    if (rc) return rc;
    pdr_plan *p = pdi_new(g->alloc, 1, sizeof *p);
    if (!p) return pdi_nomem(err);
    p->alloc = p->low.alloc = g->alloc;
    p->pool = pool;
    p->threads = r.threads;
    p->fine = r.fine;
    p->kern = kern;
    rc = plan_lower(p, &r, err);
    if (rc) {
        pdr_plan_free(p);
        return rc;
    }
    *plan = p;
    return PDR_OK;
}

void pdr_plan_free(pdr_plan *p)
{
    if (!p) return;
    pdi_lowered_close(&p->low);
    pdi_free(p->alloc, p->arena_block);
    pdi_free(p->alloc, p->scratch_block);
    pdi_free(p->alloc, p->local_block);
    pdi_free(p->alloc, p->chain_block);
    pdi_free(p->alloc, p->ready);
    pdi_free(p->alloc, p);
}

/* A region's value lies in its thread's local memory, where task part->lo comes first; an
 * address is that of task 0, which may not be there. */
static float *plan_local(const pdi_part *part, const pdi_buffer *b)
{
    uintptr_t first = (uintptr_t)(part->local + b->at * part->plan->chunk);
    return (float *)(first - (uintptr_t)(part->lo * b->size) * sizeof(float));
}

/* The same for a chain and its rows. */
static float *plan_chain(const pdi_part *part, const pdi_buffer *b)
{
    uintptr_t first = (uintptr_t)(part->chain + b->at * part->chunk);
    return (float *)(first - (uintptr_t)(part->row * b->size) * sizeof(float));
}

float *pdi_exec_address(const pdi_part *part, int32_t buffer)
{
    const pdr_plan *p = part->plan;
    const pdi_buffer *b = &p->low.buffer[buffer];
    switch (b->place) {
    case PDI_AT_ARENA: return p->arena + b->at;
    case PDI_AT_LOCAL: return plan_local(part, b);
    case PDI_AT_CHAIN: return plan_chain(part, b);
    case PDI_AT_CONST: return p->low.constant + b->at;
    case PDI_AT_OUTPUT: return p->out[b->index];
    case PDI_AT_INPUT: break;
    }
    return (float *)(uintptr_t)p->in[b->index]; /* read only: no step has it as its result */
}

uint64_t pdi_exec_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool plan_in_region(const pdr_plan *p, size_t s)
{
    return (int32_t)s >= p->low.region_first && (int32_t)s < p->low.region_end;
}

/* Run step s, or the chain that begins with it; the next one. */
static int32_t plan_run_step(pdr_plan *p, int32_t s)
{
    const pdi_chain *c = p->ready[s].chain;
    if (c) {
        pdi_exec_chain(p, c);
        return c->end;
    }
    uint64_t start = p->timed ? pdi_exec_now() : 0;
    pdi_exec_step(p, s);
    if (p->timed) p->low.step[s].ns += pdi_exec_now() - start;
    return s + 1;
}

void pdr_plan_time(pdr_plan *p, bool on)
{
    p->timed = on;
    p->timed_runs = 0;
    for (size_t s = 0; s < p->low.steps; s++) p->low.step[s].ns = 0;
}

void pdr_plan_run(pdr_plan *p, const void *const in[], void *const out[])
{
    const pdi_lowered *l = &p->low;
    p->in = in;
    p->out = out;
    p->timed_runs += p->timed;
    for (int32_t s = 0; s < l->region_first;) s = plan_run_step(p, s);
    if (l->region_first < l->region_end) pdi_exec_region(p);
    for (int32_t s = l->region_end; s < (int32_t)l->steps;) s = plan_run_step(p, s);
    for (size_t c = 0; c < l->copies; c++) {
        const pdi_copy *copy = &l->copy[c];
        const pdi_part part = {.plan = p};
        memmove(out[copy->output], pdi_exec_address(&part, copy->buffer) + copy->offset,
                sizeof(float) * (size_t)copy->size);
    }
}

pdr_plan_stats pdr_plan_measure(const pdr_plan *p)
{
    pdr_plan_stats s = {.steps = p->low.steps, .arena_bytes = (size_t)p->low.arena * 4};
    for (size_t i = 0; i < p->low.buffers; i++)
        if (p->low.buffer[i].place == PDI_AT_ARENA && p->low.buffer[i].escapes)
            s.values_bytes += (size_t)p->low.buffer[i].size * 4;
    s.arena_bytes += (size_t)p->threads * (p->local_each + p->chain_each) * 4;
    for (size_t i = 0; i < p->low.steps; i++) s.flops += p->low.step[i].flops;
    return s;
}

/* "  12.3 us  45.6 gflop/s" a run, after timed runs. */
static void plan_print_time(pdi_text *t, const pdr_plan *p, uint64_t ns, double flops)
{
    if (!p->timed_runs) return;
    double each = (double)ns / (double)p->timed_runs;
    pdi_text_add(t, "%9.1f us %6.1f Gflop/s  ", each * 1e-3, each > 0 ? flops / each : 0);
}

static void plan_print_instr(pdi_text *t, const pdi_instr *i)
{
    pdi_text_add(t, " ");
    if (i->pair) pdi_text_add(t, "%s+", pdi_op_table[i->before].name);
    pdi_text_add(t, "%s",
                 i->op == PDI_input  ? "load"
                 : i->op == PDI_stop ? "copy"
                                     : pdi_op_table[i->op].name);
}

static void plan_print_step(pdi_text *t, const pdr_plan *p, size_t i)
{
    const pdi_step *s = &p->low.step[i];
    char shape[PDR_SHAPE_TEXT];
    pdi_text_add(t, "%4zu%c%c", i, plan_in_region(p, i) ? '|' : ' ',
                 pdi_chain_of(&p->low, (int32_t)i) ? ':' : ' ');
    plan_print_time(t, p, s->ns, s->flops);
    if (s->op == PDI_stop) {
        pdi_text_add(t, "loop     %12lld ", (long long)s->loop.n);
        for (int32_t k = 0; k < s->loop.instrs; k++) plan_print_instr(t, &s->loop.instr[k]);
    } else {
        const pdi_buffer *b = &p->low.buffer[s->out];
        const char *name = s->op == PDI_STEP_PACK ? "pack" : pdi_op_table[s->op].name;
        pdi_text_add(t, "%-8s %12s  ", name, pdr_shape_text(&s->shape, shape));
        for (int k = 0; k < s->nin; k++)
            pdi_text_add(t, k ? " x %s" : "%s", pdr_shape_text(&s->in[k].shape, shape));
        if (b->place == PDI_AT_ARENA) pdi_text_add(t, "  @%lld", (long long)b->at * 4);
    }
    pdi_text_add(t, "  %.4g flop%s%s\n", s->flops, *s->label ? "  ; " : "", s->label);
}

char *pdr_plan_print(const pdr_plan *p)
{
    pdi_text t = {.alloc = p->alloc};
    pdr_plan_stats s = pdr_plan_measure(p);
    pdi_text_add(&t, "%zu steps, %.4g flop a run, arena %zu bytes (%zu unshared), kernels %s\n",
                 s.steps, s.flops, s.arena_bytes, s.values_bytes, p->kern->name);
    if (p->low.region_first < p->low.region_end)
        pdi_text_add(
            &t, "steps marked | run task by task: %lld tasks, %lld at a time, %lld bytes each\n",
            (long long)p->low.tasks, (long long)p->chunk, (long long)p->low.local * 4);
    if (p->low.chains) pdi_text_add(&t, "steps marked : run a few rows at a time\n");
    uint64_t ns = 0;
    for (size_t i = 0; i < p->low.steps; i++) ns += p->low.step[i].ns;
    plan_print_time(&t, p, ns, s.flops);
    if (p->timed_runs) pdi_text_add(&t, "a run, %llu runs\n", (unsigned long long)p->timed_runs);
    for (size_t i = 0; i < p->low.steps; i++) plan_print_step(&t, p, i);
    return pdi_text_take(&t);
}
