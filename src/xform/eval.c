/* xform/eval.c -- the oracle: a graph evaluated node by node, in double. */
#include "xform/eval.h"

#include <string.h>

static bool eval_input(const pdr_graph *g, size_t x, size_t n_in, const pdr_node in[],
                       double *const val[], double *to)
{
    for (size_t k = 0; k < n_in; k++)
        if (in[k].id == x) {
            memcpy(to, val[k], sizeof *to * (size_t)pdr_shape_size(&g->v[x].shape));
            return true;
        }
    return false;
}

static bool eval_node(const pdr_graph *g, size_t i, size_t n_in, const pdr_node in[],
                      double *const val[], double **v)
{
    const pdi_node *nd = &g->v[i];
    double *arg[PDI_MAX_IN] = {0};
    v[i] = pdi_new(g->alloc, (size_t)pdr_shape_size(&nd->shape), sizeof(double));
    if (!v[i]) return false;
    if (nd->op == PDI_input) return eval_input(g, i, n_in, in, val, v[i]);
    for (int k = 0; k < nd->nin; k++) arg[k] = v[nd->in[k].id];
    pdi_op_rules[nd->op]->eval(g, nd, v[i], arg);
    return true;
}

double **pdi_eval(const pdr_graph *g, size_t n_in, const pdr_node in[], double *const val[],
                  size_t n_out, const pdr_node out[])
{
    double **v = pdi_new(g->alloc, g->n, sizeof *v);
    unsigned char *need = pdi_new(g->alloc, g->n, 1);
    bool ok = v && need;
    if (ok) pdi_mark_needed(g, n_out, out, need);
    for (size_t i = 1; ok && i < g->n; i++)
        if (need[i]) ok = eval_node(g, i, n_in, in, val, v);
    pdi_free(g->alloc, need);
    if (ok) return v;
    pdi_eval_free(g, v);
    return NULL;
}

void pdi_eval_free(const pdr_graph *g, double **values)
{
    for (size_t i = 0; values && i < g->n; i++) pdi_free(g->alloc, values[i]);
    pdi_free(g->alloc, values);
}
