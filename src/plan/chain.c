/* plan/chain.c -- steps that can run row by row.
 *
 * A product's rows go on as rows of the maps and reductions after it: a bias, an activation,
 * a row's mean, the update of a parameter whose gradient the product is.  Run step by step,
 * each of these reads from far away what the one before has written there.  A chain is such a
 * product and those steps, run for a few rows at a time, all of them in a row: a value is
 * still in a near cache when it is read, one that nobody else reads never leaves it, and
 * threads, each with its share of the rows, meet once.
 *
 * Steps are put side by side for this: one that follows moves up to its product.  Nothing
 * about the arithmetic changes, only its order among outputs. */
#include "plan/plan.h"

/* What is touched for the rows that go together should stay in the second-level cache, beside
 * the product's second operand. */
enum {
    CHAIN_BYTES = 128 * 1024,
    CHAIN_LEAST = 28, /* rows: with fewer the product takes too long over its second operand */
};

/* Outside a region: rows a thread; products with fewer are divided by columns, unless so few
 * operations are not divided at all. */
enum { CHAIN_ROWS = 16, CHAIN_ALONE = 50000 };

/* Loops over so few elements go as early as they can: an optimiser's corrections would keep
 * its update away from the gradient. */
enum { CHAIN_EARLY = 64 };

typedef struct chain_form {
    pdi_lowered *l;
    const pdi_request *r;
    int32_t *order, n;     /* steps as they are to be run */
    int32_t *at;           /* where a step is among them; -1: not yet */
    int32_t *entry, *next; /* the first entry of a loop, the next one of the same; -1: none */
    int32_t first;         /* where the chain under way begins */
    int64_t rows;
} chain_form;

/* ---- what keeps to its rows ---------------------------------------------------------- */

/* Does reading through axes k .., element by element in that order, in so many equal parts
 * keep part i within elements i * each .. of the buffer? */
static bool chain_is_local(const pdi_axes *a, int k, int64_t offset, int64_t parts, int64_t each)
{
    int64_t lo = offset, hi = offset;
    if (parts > 1) {
        if (k == a->n) return false;
        int64_t dim = a->dim[k], stride = a->stride[k];
        if (parts % dim == 0)
            return stride == each * (parts / dim) &&
                   chain_is_local(a, k + 1, offset, parts / dim, each);
        if (dim % parts || stride * (dim / parts) != each) return false;
        hi += (dim / parts - 1) * stride;
        k++;
    }
    for (; k < a->n; k++) {
        int64_t span = (a->dim[k] - 1) * a->stride[k];
        *(span < 0 ? &lo : &hi) += span;
    }
    return lo >= 0 && hi < each;
}

static bool chain_reads_locally(const chain_form *f, const pdi_view *v)
{
    int64_t size = f->l->buffer[v->buffer].size;
    pdi_axes a = pdi_view_axes(v);
    return size % f->rows == 0 && chain_is_local(&a, 0, v->offset, f->rows, size / f->rows);
}

/* A reduction's operand with its kept axes first. */
static pdi_view chain_kept_first(const pdi_step *s)
{
    int32_t order[PDR_MAX_RANK], n = 0;
    for (uint32_t over = 0; over < 2; over++)
        for (int k = 0; k < s->in[0].shape.rank; k++)
            if ((s->attr.axes >> k & 1) == over) order[n++] = k;
    return pdi_view_permute(&s->in[0], order);
}

static bool chain_reduces(const pdi_step *s)
{
    return s->op == PDI_sum || s->op == PDI_max || s->op == PDI_argmax;
}

/* A join's piece is its own rows' when it is as long as the whole along the axes that rows
 * are counted by. */
static bool chain_is_aligned(const chain_form *f, const pdi_join *j, const pdi_view *v)
{
    int64_t n = 1;
    int k = 0;
    for (; k < j->shape.rank && n < f->rows; k++) {
        if (v->shape.dim[k] != j->shape.dim[k]) return false;
        n *= j->shape.dim[k];
    }
    return n == f->rows;
}

/* ---- who follows ---------------------------------------------------------------------- */

static bool chain_has(const chain_form *f, int32_t step) { return f->at[step] >= f->first; }

typedef enum chain_link { CHAIN_NO, CHAIN_FREE, CHAIN_LINKED } chain_link;

/* What reading v says about a step that might follow: it cannot, it may, it should. */
static chain_link chain_reading(const chain_form *f, const pdi_view *v, const pdi_view *in_rows)
{
    int32_t born = f->l->buffer[v->buffer].born;
    if (born < 0) return CHAIN_FREE;
    if (f->at[born] < 0) return CHAIN_NO;
    if (!chain_has(f, born)) return CHAIN_FREE;
    return chain_reads_locally(f, in_rows) ? CHAIN_LINKED : CHAIN_NO;
}

static chain_link chain_entry(const chain_form *f, const pdi_entry *e)
{
    chain_link all = CHAIN_FREE;
    for (int k = 0; k < pdi_entry_views(e); k++) {
        const pdi_view *v = pdi_entry_view(f->l, e, k);
        if (f->l->buffer[v->buffer].born == e->step) continue;
        chain_link one = chain_reading(f, v, v);
        if (one == CHAIN_LINKED && k >= e->nin && !chain_is_aligned(f, &e->join, v)) one = CHAIN_NO;
        if (one == CHAIN_NO) return CHAIN_NO;
        if (one > all) all = one;
    }
    return all;
}

static bool chain_step_reads(const chain_form *f, int32_t s, int32_t buffer)
{
    for (int k = 0; k < f->l->step[s].nin; k++)
        if (f->l->step[s].in[k].buffer == buffer) return true;
    for (int32_t e = f->entry[s]; e >= 0; e = f->next[e])
        for (int k = 0; k < pdi_entry_views(&f->l->entry[e]); k++)
            if (pdi_entry_view(f->l, &f->l->entry[e], k)->buffer == buffer) return true;
    return false;
}

/* Would loop s, which may write over an input that it reads, move up past another reader? */
static bool chain_overtakes(const chain_form *f, int32_t s)
{
    for (int32_t e = f->entry[s]; e >= 0; e = f->next[e])
        for (int k = 0; k < f->l->entry[e].nin; k++) {
            const pdi_view *v = &f->l->entry[e].in[k];
            if (f->l->buffer[v->buffer].place != PDI_AT_INPUT || !pdi_view_is_dense(v)) continue;
            for (int32_t t = f->order[f->first] + 1; t < s; t++)
                if (f->at[t] < 0 && chain_step_reads(f, t, v->buffer)) return true;
        }
    return false;
}

static bool chain_follows(const chain_form *f, int32_t s)
{
    const pdi_step *p = &f->l->step[s];
    if (chain_reduces(p)) {
        pdi_view v = chain_kept_first(p);
        return pdr_shape_size(&p->shape) % f->rows == 0 &&
               chain_reading(f, &p->in[0], &v) == CHAIN_LINKED;
    }
    chain_link all = CHAIN_FREE;
    if (p->op != PDI_stop || p->loop.n % f->rows) return false;
    for (int32_t e = f->entry[s]; e >= 0; e = f->next[e]) {
        chain_link one = chain_entry(f, &f->l->entry[e]);
        if (one == CHAIN_NO) return false;
        if (one > all) all = one;
    }
    return all == CHAIN_LINKED && !chain_overtakes(f, s);
}

/* ---- heads ------------------------------------------------------------------------------ */

/* Can rows of product s be made a few at a time without copying the second operand each
 * time, and are there enough for all threads?  Within a region there need not be. */
static bool chain_is_head(const chain_form *f, const pdi_step *s, bool in_region)
{
    if (s->op != PDI_dot) return false;
    const pdi_view *a = &s->in[0], *b = &s->in[1];
    int64_t rows = pdr_shape_size(&s->shape) / s->shape.dim[s->shape.rank - 1];
    if (!in_region && rows < CHAIN_ROWS * f->r->threads && s->flops > CHAIN_ALONE) return false;
    if (s->is_packed) return true;
    if (a->shape.rank != s->batch + 2 || b->shape.rank != s->batch + 2) return false;
    const int64_t *stride = b->stride + s->batch;
    return !pdi_dot_copies(stride[0], stride[1], b->shape.dim[s->batch + 1]);
}

/* ---- the new order ---------------------------------------------------------------------- */

static void chain_emit(chain_form *f, int32_t s)
{
    f->at[s] = f->n;
    f->order[f->n++] = s;
}

static bool chain_is_early(const chain_form *f, int32_t s)
{
    const pdi_step *p = &f->l->step[s];
    if (p->op != PDI_stop || p->loop.n > CHAIN_EARLY) return false;
    for (int32_t e = f->entry[s]; e >= 0; e = f->next[e]) {
        const pdi_entry *x = &f->l->entry[e];
        for (int k = 0; k < pdi_entry_views(x); k++) {
            int32_t born = f->l->buffer[pdi_entry_view(f->l, x, k)->buffer].born;
            if (born >= 0 && born != s && f->at[born] < 0) return false;
        }
    }
    return true;
}

/* Elements that the chain under way makes and reads again. */
static int64_t chain_elements(const chain_form *f)
{
    int64_t n = 0;
    for (size_t b = 0; b < f->l->buffers; b++) {
        const pdi_buffer *x = &f->l->buffer[b];
        if (x->born < 0 || !x->escapes || !chain_has(f, x->born)) continue;
        for (int32_t i = f->at[x->born] + 1; i < f->n; i++)
            if (chain_step_reads(f, f->order[i], (int32_t)b)) {
                n += x->size;
                break;
            }
    }
    return n;
}

static bool chain_close(chain_form *f)
{
    pdi_lowered *l = f->l;
    if (f->n - f->first < 2) return true;
    if (!pdi_grow(l->alloc, (void **)&l->chain, l->chains, &l->chain_cap, sizeof *l->chain))
        return false;
    int64_t bytes = chain_elements(f) / f->rows * (int64_t)sizeof(float);
    int64_t chunk = bytes ? CHAIN_BYTES / bytes : f->rows;
    if (chunk < CHAIN_LEAST) chunk = CHAIN_LEAST;
    if (chunk > f->rows) chunk = f->rows;
    if (f->r->fine) chunk = 1;
    l->chain[l->chains++] = (pdi_chain){
        .first = f->first, .end = f->n, .rows = f->rows, .chunk = chunk};
    return true;
}

/* Steps from .. to-1, each product followed by what follows it. */
static bool chain_section(chain_form *f, int32_t from, int32_t to, bool in_region)
{
    for (int32_t s = from; s < to; s++) {
        if (f->at[s] >= 0) continue;
        const pdi_step *p = &f->l->step[s];
        bool heads = chain_is_head(f, p, in_region);
        for (int32_t t = s + 1; heads && t < to; t++)
            if (f->at[t] < 0 && chain_is_early(f, t)) chain_emit(f, t);
        f->first = f->n;
        chain_emit(f, s);
        if (!heads) continue;
        f->rows = pdr_shape_size(&p->shape) / p->shape.dim[p->shape.rank - 1];
        for (int32_t t = s + 1; t < to; t++)
            if (f->at[t] < 0 && chain_follows(f, t)) chain_emit(f, t);
        if (!chain_close(f)) return false;
    }
    return true;
}

static bool chain_open(chain_form *f)
{
    pdi_lowered *l = f->l;
    f->order = pdi_new(l->alloc, l->steps, sizeof *f->order);
    f->at = pdi_new(l->alloc, l->steps, sizeof *f->at);
    f->entry = pdi_new(l->alloc, l->steps, sizeof *f->entry);
    f->next = pdi_new(l->alloc, l->entries, sizeof *f->next);
    if (!f->order || !f->at || !f->entry || !f->next) return false;
    for (size_t s = 0; s < l->steps; s++) f->at[s] = f->entry[s] = -1;
    for (size_t e = l->entries; e-- > 0;) {
        f->next[e] = f->entry[l->entry[e].step];
        f->entry[l->entry[e].step] = (int32_t)e;
    }
    return true;
}

bool pdi_chains_form(pdi_lowered *l, const pdi_request *r)
{
    chain_form f = {.l = l, .r = r};
    int32_t cut[] = {0, l->region_first, l->region_end, (int32_t)l->steps};
    bool ok = chain_open(&f);
    for (int i = 0; ok && i < 3; i++) ok = chain_section(&f, cut[i], cut[i + 1], i == 1);
    ok = ok && pdi_steps_reorder(l, f.order);
    pdi_free(l->alloc, f.order);
    pdi_free(l->alloc, f.at);
    pdi_free(l->alloc, f.entry);
    pdi_free(l->alloc, f.next);
    return ok;
}

/* ---- places -------------------------------------------------------------------------------- */

/* Values of a chain alone are local to it: their size is that of a row.  Others that it reads
 * last live to its end, because its rows are not at the same step. */
static void chain_place(pdi_lowered *l, pdi_chain *c, pdi_buffer *b)
{
    bool born = b->born >= c->first && b->born < c->end;
    bool dies = b->dies >= c->first && b->dies < c->end;
    bool placed = b->place == PDI_AT_ARENA || b->place == PDI_AT_LOCAL;
    if (!placed || !b->escapes) return;
    if (born && dies) {
        b->size /= b->place == PDI_AT_LOCAL ? c->rows / l->tasks : c->rows;
        b->place = PDI_AT_CHAIN;
    } else if (dies) {
        b->dies = c->end - 1;
    }
}

void pdi_chains_place(pdi_lowered *l)
{
    for (size_t c = 0; c < l->chains; c++)
        for (size_t b = 0; b < l->buffers; b++) chain_place(l, &l->chain[c], &l->buffer[b]);
}
