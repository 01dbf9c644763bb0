/* xform/grad.c -- reverse-mode differentiation, graph to graph.
 *
 * Walk back from the loss; every node hands its adjoint to its operands by its
 * operator's one rule.  The rules are written in the same operators, so what is
 * appended can be differentiated again, to any order. */
#include "graph/graph.h"

typedef struct grad_work {
    unsigned char *live; /* depends on some wrt */
    pdr_node *adjoint;   /* d(loss)/d(node) so far */
} grad_work;

/* Only nodes between the wrt and the loss take part. */
static void grad_mark_live(const pdr_graph *g, pdr_node loss, size_t n, const pdr_node wrt[],
                           unsigned char *live)
{
    for (size_t i = 0; i < n; i++)
        if (wrt[i].id <= loss.id) live[wrt[i].id] = 1;
    live[0] = 0;
    for (size_t i = 1; i <= loss.id; i++)
        for (int k = 0; k < g->v[i].nin; k++) live[i] |= live[g->v[i].in[k].id];
}

static void grad_hand_down(pdr_graph *g, pdr_node x, const grad_work *w)
{
    pdr_node d[PDI_MAX_IN] = {{0}};
    const pdi_node nd = *pdi_node_at(g, x); /* a copy: the rule may move the list */
    if (!pdi_op_rules[nd.op]->vjp) return;
    pdi_op_rules[nd.op]->vjp(g, x, w->adjoint[x.id], d);
    for (int k = 0; k < nd.nin; k++) {
        pdr_node *to = &w->adjoint[nd.in[k].id];
        if (pdi_is_null(d[k]) || !w->live[nd.in[k].id]) continue;
        *to = pdi_is_null(*to) ? d[k] : pdr_add(g, *to, d[k]);
    }
}

/* From the loss down, in list order: the same order of addition every time. */
static void grad_walk(pdr_graph *g, pdr_node loss, size_t n, const pdr_node wrt[], pdr_node out[],
                      const grad_work *w)
{
    grad_mark_live(g, loss, n, wrt, w->live);
    w->adjoint[loss.id] = pdr_like(g, loss, 1);
    for (uint32_t i = loss.id; i > 0; i--)
        if (w->live[i] && !pdi_is_null(w->adjoint[i])) grad_hand_down(g, (pdr_node){i}, w);
    for (size_t i = 0; i < n; i++) {
        out[i] = wrt[i].id <= loss.id ? w->adjoint[wrt[i].id] : (pdr_node){0};
        if (pdi_is_null(out[i])) out[i] = pdr_like(g, wrt[i], 0);
    }
}

bool pdr_grad(pdr_graph *g, pdr_node loss, size_t n, const pdr_node wrt[], pdr_node out[])
{
    bool null = pdi_is_null(loss);
    for (size_t i = 0; i < n; i++) null = null || pdi_is_null(wrt[i]);
    for (size_t i = 0; i < n; i++) out[i] = (pdr_node){0};
    if (null) return false;
    if (pdi_shape_at(g, loss)->rank != 0) {
        char s[PDR_SHAPE_TEXT];
        pdi_graph_fail(g, PDR_USAGE, "grad: the loss has shape %s; reduce it to a scalar first",
                       pdr_shape_text(pdi_shape_at(g, loss), s));
        return false;
    }
    grad_work w = {pdi_new(g->alloc, loss.id + 1u, 1),
                   pdi_new(g->alloc, loss.id + 1u, sizeof(pdr_node))};
    if (w.live && w.adjoint)
        grad_walk(g, loss, n, wrt, out, &w);
    else
        pdi_graph_fail(g, PDR_NOMEM, "out of memory");
    pdi_free(g->alloc, w.live);
    pdi_free(g->alloc, w.adjoint);
    pdi_check(g, "grad");
    if (!g->err.rc) return true;
    for (size_t i = 0; i < n; i++) out[i] = (pdr_node){0};
    return false;
}
