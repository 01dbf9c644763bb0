/* graph/verify.c -- the invariants of graph.h, checked on a whole graph. */
#include <string.h>

#include "base/error.h"
#include "graph/graph.h"

static const char *verify_node(const pdr_graph *g, size_t i)
{
    const pdi_node *nd = &g->v[i];
    if (nd->op <= PDI_error || nd->op >= PDI_OPS) return "no such operator";
    const pdi_op_info *op = &pdi_op_table[nd->op];
    if (nd->nin != op->nin) return "wrong number of operands";
    for (int k = 0; k < nd->nin; k++)
        if (nd->in[k].id == 0 || nd->in[k].id >= i) return "an operand is not older than its user";
    pdi_attr only;
    pdi_attr_only(&only, &nd->attr, op->attrs);
    if (memcmp(&only, &nd->attr, sizeof only) != 0) return "an attribute it does not use is set";
    if (nd->op == PDI_input) return NULL;

    pdi_node again;
    memcpy(&again, nd, sizeof again);
    memset(&again.shape, 0, sizeof again.shape);
    again.type = PDR_F32;
    const char *why = pdi_op_rules[nd->op]->infer(g, &again);
    if (why) return why;
    if (!pdi_node_same(&again, nd)) return "type or shape is not what its operands give";
    if (pdi_node_find(g, nd).id != i) return "an equal node is in the list already";
    return NULL;
}

pdr_rc pdr_graph_verify(const pdr_graph *g, pdr_error *err)
{
    for (size_t i = 1; i < g->n; i++) {
        const char *why = verify_node(g, i);
        if (why)
            return pdi_fail(err, PDR_INTERNAL, "node %%%zu (%s): %s", i,
                            pdi_op_table[g->v[i].op < PDI_OPS ? g->v[i].op : 0].name, why);
    }
    return PDR_OK;
}

void pdi_check(pdr_graph *g, const char *pass)
{
#ifdef NDEBUG
    (void)g, (void)pass;
#else
    pdr_error err = PDR_NO_ERROR;
    if (pdr_graph_verify(g, &err)) pdi_graph_fail(g, PDR_INTERNAL, "after %s: %s", pass, err.text);
#endif
}
