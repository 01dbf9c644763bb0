/* xform/vmap.c -- batching, graph to graph.
 *
 * Every node between the mapped inputs and the requested outputs is pushed
 * again with one more leading axis on its operands; its attributes move by the
 * one rule of attr.def.  What depends on no mapped input is shared, and gets a
 * repeated leading axis only where a mapped node uses it. */
#include "graph/graph.h"

static pdr_node vmap_lead(pdr_graph *g, pdr_node x, int32_t size)
{
    return pdr_broadcast(g, x, pdi_shape_lead(pdi_shape_at(g, x), size), 1u);
}

static pdr_node vmap_push(pdr_graph *g, const pdi_node *nd, int32_t size, const pdr_node *to)
{
    pdr_node in[PDI_MAX_IN] = {{0}};
    pdi_attr at = nd->attr;
    for (int k = 0; k < nd->nin; k++) {
        pdr_node led = to[nd->in[k].id];
        in[k] = pdi_is_null(led) ? vmap_lead(g, nd->in[k], size) : led;
    }
    pdi_attr_lead(&at, pdi_op_table[nd->op].attrs, size);
    return pdi_push(g, nd->op, in, &at);
}

static bool vmap_is_mapped(const pdi_node *nd, const pdr_node *to)
{
    for (int k = 0; k < nd->nin; k++)
        if (!pdi_is_null(to[nd->in[k].id])) return true;
    return false;
}

/* to[i]: the batched copy of node i, or null; need and to have `top` entries. */
static void vmap_walk(pdr_graph *g, int32_t size, size_t top, const unsigned char *need,
                      pdr_node *to)
{
    for (size_t i = 1; i < top && !g->err.rc; i++) {
        const pdi_node nd = g->v[i]; /* a copy: pushing may move the list */
        if (need[i] && pdi_is_null(to[i]) && vmap_is_mapped(&nd, to))
            to[i] = vmap_push(g, &nd, size, to);
    }
}

/* The input that replaces x: the caller's, or a new one. */
static pdr_node vmap_input(pdr_graph *g, int32_t size, pdr_node x, pdr_node given)
{
    const pdi_node *nd = pdi_node_at(g, x);
    pdr_shape led = pdi_shape_lead(&nd->shape, size);
    if (nd->op != PDI_input) return pdr_graph_fail(g, "vmap: only inputs can be mapped");
    if (nd->shape.rank == PDR_MAX_RANK)
        return pdr_graph_fail(g, "vmap: an input has too many axes already");
    if (pdi_is_null(given)) return pdr_input(g, nd->type, led);
    if (pdr_node_type(g, given) != nd->type || !pdr_shape_equal(pdi_shape_at(g, given), &led))
        return pdr_graph_fail(g,
                              "vmap: the input given is not the mapped one with an axis in front");
    return given;
}

static bool vmap_has_null(size_t n, const pdr_node x[])
{
    for (size_t i = 0; i < n; i++)
        if (pdi_is_null(x[i])) return true;
    return false;
}

bool pdr_vmap(pdr_graph *g, int32_t size, size_t n_in, const pdr_node in[], pdr_node in_new[],
              size_t n_out, const pdr_node out[], pdr_node out_new[])
{
    size_t top = g->n;
    if (vmap_has_null(n_in, in) || vmap_has_null(n_out, out)) {
        for (size_t i = 0; i < n_out; i++) out_new[i] = (pdr_node){0};
        return false;
    }
    unsigned char *need = pdi_new(g->alloc, top, 1);
    pdr_node *to = pdi_new(g->alloc, top, sizeof *to);
    if (need && to) {
        pdi_mark_needed(g, n_out, out, need);
        for (size_t i = 0; i < n_in; i++)
            to[in[i].id] = in_new[i] = vmap_input(g, size, in[i], in_new[i]);
        vmap_walk(g, size, top, need, to);
        for (size_t i = 0; i < n_out; i++)
            out_new[i] = pdi_is_null(to[out[i].id]) ? vmap_lead(g, out[i], size) : to[out[i].id];
    } else {
        pdi_graph_fail(g, PDR_NOMEM, "out of memory");
    }
    pdi_free(g->alloc, need);
    pdi_free(g->alloc, to);
    pdi_check(g, "vmap");
    for (size_t i = 0; g->err.rc && i < n_out; i++) out_new[i] = (pdr_node){0};
    return !g->err.rc;
}
