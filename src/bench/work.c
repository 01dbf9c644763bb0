/* bench/work.c -- a workload's values: where they lie, what they are, what became of them. */
#include <perdure/graph.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "bench/bench.h"

enum { WORK_LINE = 64 }; /* bytes: every value begins at a cache line */

bool pdi_work_open(pdi_work *w, const pdr_alloc *alloc)
{
    *w = (pdi_work){.alloc = pdi_alloc_or_default(alloc), .g = pdr_graph_new(alloc)};
    return w->g != NULL;
}

void pdi_work_close(pdi_work *w)
{
    pdr_graph_free(w->g);
    pdi_free(w->alloc, w->memory);
    pdi_free(w->alloc, w->start);
}

/* ---- declaring ------------------------------------------------------------------------ */

static pdr_node work_input(pdi_work *w, pdr_type type, pdr_shape shape, pdi_place_of place)
{
    if (w->n_in == PDI_WORK_PLACES) return pdr_graph_fail(w->g, "bench: too many inputs");
    place.node = pdr_input(w->g, type, shape);
    place.size = pdr_shape_size(&shape);
    w->in[w->n_in++] = place;
    return place.node;
}

pdr_node pdi_work_data(pdi_work *w, pdr_type type, pdr_shape shape, pdi_fill_fn fill, double lo,
                       double hi)
{
    return work_input(w, type, shape,
                      (pdi_place_of){.fill = fill, .lo = lo, .hi = hi, .is_data = true});
}

pdr_node pdi_work_value(pdi_work *w, pdr_shape shape, pdi_fill_fn fill, double lo, double hi)
{
    return work_input(w, PDR_F32, shape, (pdi_place_of){.fill = fill, .lo = lo, .hi = hi});
}

void pdi_work_output(pdi_work *w, pdr_node x, int32_t over)
{
    pdr_shape s = pdr_node_shape(w->g, x);
    if (w->n_out == PDI_WORK_PLACES)
        pdr_graph_fail(w->g, "bench: too many outputs");
    else
        w->out[w->n_out++] = (pdi_place_of){.node = x, .size = pdr_shape_size(&s), .over = over};
}

/* ---- filling -------------------------------------------------------------------------- */

void pdi_fill_uniform(pdi_work *w, size_t i, int set, pdr_rng *r)
{
    const pdi_place_of *p = &w->in[i];
    float *x = p->at[set], lo = (float)p->lo, range = (float)(p->hi - p->lo);
    for (int64_t k = 0; k < p->size; k++) x[k] = lo + range * pdr_rng_uniform(r);
}

void pdi_fill_normal(pdi_work *w, size_t i, int set, pdr_rng *r)
{
    const pdi_place_of *p = &w->in[i];
    float *x = p->at[set], mean = (float)p->lo, deviation = (float)p->hi;
    for (int64_t k = 0; k < p->size; k++) x[k] = mean + deviation * pdr_rng_normal(r);
}

void pdi_fill_label(pdi_work *w, size_t i, int set, pdr_rng *r)
{
    const pdi_place_of *p = &w->in[i];
    int32_t *x = p->at[set];
    for (int64_t k = 0; k < p->size; k++) x[k] = (int32_t)pdr_rng_below(r, (uint32_t)p->hi);
}

/* ---- placing --------------------------------------------------------------------------- */

static size_t work_bytes(const pdi_place_of *p)
{
    return ((size_t)p->size * sizeof(float) + WORK_LINE - 1) / WORK_LINE * WORK_LINE;
}

/* Give every value its address from base on; returns the bytes that takes. */
static size_t work_addresses(pdi_work *w, char *base)
{
    size_t at = 0;
    for (size_t i = 0; i < w->n_in; i++)
        for (int set = 0; set < PDI_WORK_SETS; set++) {
            if (set && !w->in[i].is_data) {
                w->in[i].at[set] = w->in[i].at[0];
                continue;
            }
            w->in[i].at[set] = base + at;
            at += work_bytes(&w->in[i]);
        }
    for (size_t j = 0; j < w->n_out; j++) {
        pdi_place_of *p = &w->out[j];
        p->at[0] = p->over < 0 ? base + at : w->in[p->over].at[0];
        if (p->over < 0) at += work_bytes(p);
    }
    return at;
}

static void work_fill(pdi_work *w)
{
    for (size_t i = 0; i < w->n_in; i++)
        for (int set = 0; set < (w->in[i].is_data ? PDI_WORK_SETS : 1); set++) {
            pdr_rng r = {.seed = 1, .stream = PDR_STREAM_TEST, .sub = (uint32_t)i};
            r.counter = (uint64_t)set << 40; /* sets share no number */
            w->in[i].fill(w, i, set, &r);
        }
}

/* Copy what steps change to start, or back. */
static size_t work_changed(pdi_work *w, char *start, bool is_back)
{
    size_t at = 0;
    for (size_t j = 0; j < w->n_out; j++) {
        const pdi_place_of *p = &w->out[j];
        size_t bytes = (size_t)p->size * sizeof(float);
        if (p->over < 0) continue;
        if (start && is_back) memcpy(p->at[0], start + at, bytes);
        if (start && !is_back) memcpy(start + at, p->at[0], bytes);
        at += bytes;
    }
    return at;
}

bool pdi_work_place(pdi_work *w)
{
    w->memory = pdi_new(w->alloc, work_addresses(w, NULL) + WORK_LINE, 1);
    w->start = pdi_new(w->alloc, work_changed(w, NULL, false), 1);
    if (!w->memory || !w->start) return false;
    work_addresses(w, w->memory + (WORK_LINE - (uintptr_t)w->memory % WORK_LINE));
    for (int set = 0; set < PDI_WORK_SETS; set++)
        for (size_t i = 0; i < w->n_in; i++) w->in_at[set][i] = w->in[i].at[set];
    for (size_t j = 0; j < w->n_out; j++) w->out_at[j] = w->out[j].at[0];
    work_fill(w);
    work_changed(w, w->start, false);
    return true;
}

void pdi_work_restart(pdi_work *w) { work_changed(w, w->start, true); }

/* ---- running ---------------------------------------------------------------------------- */

pdr_rc pdi_work_plan(const pdi_work *w, pdr_pool *pool, pdr_plan **plan, pdr_error *err)
{
    pdr_node in[PDI_WORK_PLACES], out[PDI_WORK_PLACES];
    int32_t over[PDI_WORK_PLACES];
    for (size_t i = 0; i < w->n_in; i++) in[i] = w->in[i].node;
    for (size_t j = 0; j < w->n_out; j++) {
        out[j] = w->out[j].node;
        over[j] = w->out[j].over;
    }
    return pdr_plan_new(w->g, pool, w->n_in, in, w->n_out, out, over, plan, err);
}

void pdi_work_run(pdi_work *w, pdr_plan *plan, int64_t n)
{
    for (int64_t s = 0; s < n; s++) pdr_plan_run(plan, w->in_at[s % PDI_WORK_SETS], w->out_at);
}

uint64_t pdi_work_hash(const pdi_work *w)
{
    uint64_t h = 0;
    for (size_t j = 0; j < w->n_out; j++)
        h = pdi_hash(h, w->out_at[j], (size_t)w->out[j].size * sizeof(float));
    return h;
}

double pdi_work_bytes(const pdi_work *w)
{
    int64_t size = 0;
    for (size_t i = 0; i < w->n_in; i++) size += w->in[i].size;
    for (size_t j = 0; j < w->n_out; j++) size += w->out[j].size;
    return (double)size * sizeof(float);
}
