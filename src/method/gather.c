/* method/gather.c -- examples and episodes as nodes, and mapping over them. */
#include "method/build.h"

static pdr_batch gather_batch(pdr_build *b, const pdi_host_batch *h, int32_t size)
{
    const pdi_trainer_spec *s = &b->t->spec;
    pdr_batch batch = {.size = size};
    batch.x = pdi_build_input(b, PDR_F32, pdi_build_lead(&s->example, size), h->x);
    if (s->targets)
        batch.target = pdi_build_input(b, PDR_F32, PDR_SHAPE(size, s->targets), h->target);
    else
        batch.label = pdi_build_input(b, PDR_I32, PDR_SHAPE(size), h->label);
    if (s->mask) batch.mask = pdi_build_input(b, PDR_F32, PDR_SHAPE(size, s->outputs), h->mask);
    return batch;
}

pdr_batch pdr_build_batch(pdr_build *b) { return gather_batch(b, &b->t->batch, b->size); }

static pdr_node gather_rows(pdr_build *b, pdr_node x, int32_t lo, int32_t count)
{
    return x.id ? pdr_slice(b->g, x, 0, lo, count, 1) : x;
}

pdr_batch pdr_build_rows(pdr_build *b, pdr_batch batch, int32_t lo, int32_t count)
{
    pdr_batch rows = {.size = count,
                      .x = gather_rows(b, batch.x, lo, count),
                      .label = gather_rows(b, batch.label, lo, count),
                      .target = gather_rows(b, batch.target, lo, count),
                      .mask = gather_rows(b, batch.mask, lo, count)};
    for (size_t k = 0; k < PDR_COLUMNS; k++)
        rows.column[k] = gather_rows(b, batch.column[k], lo, count);
    return rows;
}

/* ---- memory --------------------------------------------------------------------------------- */

static bool gather_draw(pdr_build *b, int32_t size, bool is_random, int32_t task, pdr_batch *out)
{
    const pdr_memory_spec *spec = &b->t->memory.spec;
    pdi_program *p = b->program;
    pdi_draw d = {.is_random = is_random, .task = task, .changes = UINT64_MAX};
    d.index = pdi_new(b->t->alloc, (size_t)size, sizeof *d.index);
    if (!d.index || !pdi_batch_open(b->t, &d.batch, size) ||
        !pdi_grow(b->t->alloc, (void **)&p->draw, p->draws, &p->draw_cap, sizeof *p->draw)) {
        pdi_free(b->t->alloc, d.index);
        pdi_batch_close(b->t->alloc, &d.batch);
        b->failed = true;
        return false;
    }
    p->draw[p->draws++] = d;
    *out = gather_batch(b, &d.batch, size);
    for (size_t k = 0; k < spec->columns; k++)
        if (!spec->column[k].is_scratch)
            out->column[k] = pdi_build_input(b, PDR_F32, PDR_SHAPE(size, spec->column[k].width),
                                             d.batch.column[k]);
    return true;
}

bool pdr_build_replay(pdr_build *b, int32_t size, pdr_batch *out, pdr_node *have)
{
    pdi_memory *m = &b->t->memory;
    if (!m->used || (!m->held && !m->spec.while_learning)) return false;
    if (!gather_draw(b, size, true, -1, out)) return false;
    *have = pdi_build_input(b, PDR_F32, PDR_SCALAR, &b->t->have);
    return true;
}

bool pdr_build_recall(pdr_build *b, int32_t task, pdr_batch *out)
{
    size_t n = pdi_memory_count(&b->t->memory, task);
    return n && gather_draw(b, (int32_t)n, false, task, out);
}

void pdr_build_keep(pdr_build *b, size_t k, pdr_node node)
{
    const pdr_memory_spec *spec = &b->t->memory.spec;
    if (!b->t->memory.used || k >= spec->columns) {
        pdr_graph_fail(b->g, "the method's memory has no such column to keep");
        return;
    }
    pdr_shape s = pdr_node_shape(b->g, node), want = PDR_SHAPE(b->size, spec->column[k].width);
    if (node.id && !pdr_shape_equal(&s, &want))
        pdr_graph_fail(b->g, "what is kept beside examples needs a row an example, of the "
                             "column's width");
    else
        pdi_build_output(b, node, b->t->batch.column[k]);
}

/* ---- one of many ----------------------------------------------------------------------------- */

pdr_node pdr_build_unit(pdr_build *b, pdr_node all)
{
    for (size_t i = 0; i < b->units; i++)
        if (b->unit[i].all.id == all.id) return b->unit[i].one;
    pdr_shape s = pdr_node_shape(b->g, all), each = {.rank = s.rank - 1};
    if (!all.id) return all;
    if (!s.rank || s.dim[0] != b->size)
        return pdr_graph_fail(b->g, "a unit is a slice of what has a row for each example or "
                                    "episode of the run");
    for (int k = 0; k < each.rank; k++) each.dim[k] = s.dim[k + 1];
    pdr_node one = pdr_input(b->g, pdr_node_type(b->g, all), each);
    if (pdi_grow(b->t->alloc, (void **)&b->unit, b->units, &b->unit_cap, sizeof *b->unit))
        b->unit[b->units++] = (pdi_unit){one, all};
    else
        b->failed = true;
    return one;
}

/* Rows k, k + parts, k + 2 parts, ... of x. */
static pdr_node gather_part(pdr_build *b, pdr_node x, int32_t k, int32_t parts)
{
    int32_t n = pdr_node_shape(b->g, x).dim[0];
    return x.id ? pdr_slice(b->g, x, 0, k, (n - k + parts - 1) / parts, parts) : x;
}

pdr_batch pdr_build_part(pdr_build *b, pdr_batch batch, int32_t k, int32_t parts)
{
    pdr_batch part = {.size = (batch.size - k + parts - 1) / parts,
                      .x = gather_part(b, batch.x, k, parts),
                      .label = gather_part(b, batch.label, k, parts),
                      .target = gather_part(b, batch.target, k, parts),
                      .mask = gather_part(b, batch.mask, k, parts)};
    for (size_t i = 0; i < PDR_COLUMNS; i++)
        part.column[i] = gather_part(b, batch.column[i], k, parts);
    return parts == 1 ? batch : part;
}

/* Row by row of x [n, ...]: one of [1, ...]. */
static pdr_node gather_row(pdr_build *b, pdr_node x)
{
    pdr_shape s = pdr_node_shape(b->g, x), led = {.rank = s.rank + 1, .dim = {b->size, 1}};
    if (!x.id) return x;
    for (int k = 1; k < s.rank; k++) led.dim[k + 1] = s.dim[k];
    return pdr_build_unit(b, pdr_reshape(b->g, x, led));
}

pdr_batch pdr_build_example(pdr_build *b)
{
    pdr_batch all = pdr_build_batch(b);
    return (pdr_batch){.size = 1,
                       .x = gather_row(b, all.x),
                       .label = gather_row(b, all.label),
                       .target = gather_row(b, all.target),
                       .mask = gather_row(b, all.mask)};
}

/* The b->size episodes' examples, `size` of each. */
static pdr_batch gather_episodes(pdr_build *b, const pdi_host_batch *h, int32_t size)
{
    const pdi_trainer_spec *s = &b->t->spec;
    pdr_shape each = pdi_build_lead(&s->example, size);
    pdr_batch one = {.size = size};
    one.x = pdr_build_unit(b, pdi_build_input(b, PDR_F32, pdi_build_lead(&each, b->size), h->x));
    if (s->targets)
        one.target = pdr_build_unit(
            b, pdi_build_input(b, PDR_F32, PDR_SHAPE(b->size, size, s->targets), h->target));
    else
        one.label = pdr_build_unit(b,
                                   pdi_build_input(b, PDR_I32, PDR_SHAPE(b->size, size), h->label));
    return one;
}

pdr_node pdr_build_episode_key(pdr_build *b)
{
    if (!pdi_build_has_episodes(b)) return pdr_graph_fail(b->g, "this run has no episodes");
    pdr_shape all = PDR_SHAPE(b->size, 4);
    return pdr_build_unit(b, pdi_build_input(b, PDR_I32, all, b->t->episode_key));
}

pdr_episode pdr_build_episode(pdr_build *b)
{
    const pdi_episode_sizes *s = &b->t->spec.episode;
    bool tests = b->run == PDI_RUN_PREDICT;
    if (!pdi_build_has_episodes(b)) {
        pdr_graph_fail(b->g, "this run has no episodes");
        return (pdr_episode){0};
    }
    return (pdr_episode){
        .support = gather_episodes(b, &b->t->support, tests ? s->test_support : s->support),
        .query = gather_episodes(b, &b->t->query, tests ? s->test_query : s->query),
        .way = tests ? b->t->spec.outputs : b->t->spec.setting.way};
}

void pdr_build_map(pdr_build *b, size_t n, const pdr_node each[], pdr_node out[])
{
    pdr_node *one = pdi_build_room(b, 2 * b->units + 1, sizeof *one), *all = one + b->units;
    for (size_t i = 0; one && i < b->units; i++) {
        one[i] = b->unit[i].one;
        all[i] = b->unit[i].all;
    }
    if (one) pdr_vmap(b->g, b->size, b->units, one, all, n, each, out);
}

pdr_node pdr_build_mean(pdr_build *b, pdr_node each)
{
    pdr_node all = {0};
    pdr_build_map(b, 1, &each, &all);
    return pdr_mean(b->g, all, 1u);
}
