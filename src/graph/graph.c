/* graph/graph.c -- the node list: pushing, interning, labels, errors. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum { GRAPH_FIRST = 256 };

pdr_graph *pdr_graph_new(const pdr_alloc *alloc)
{
    alloc = pdi_alloc_or_default(alloc);
    pdr_graph *g = pdi_new(alloc, 1, sizeof *g);
    if (!g) return NULL;
    g->alloc = alloc;
    g->cap = GRAPH_FIRST;
    g->slots = 2 * GRAPH_FIRST;
    g->v = pdi_new(alloc, g->cap, sizeof *g->v);
    g->intern = pdi_new(alloc, g->slots, sizeof *g->intern);
    if (!g->v || !g->intern) {
        pdr_graph_free(g);
        return NULL;
    }
    g->n = 1; /* the null node: PDI_error, rank 0 */
    return g;
}

void pdr_graph_free(pdr_graph *g)
{
    if (!g) return;
    for (size_t i = 0; i < g->labels; i++) pdi_free(g->alloc, g->label[i]);
    pdi_free(g->alloc, g->label);
    pdi_free(g->alloc, g->intern);
    pdi_free(g->alloc, g->v);
    pdi_free(g->alloc, g);
}

const char *pdr_graph_error(const pdr_graph *g) { return g->err.rc ? g->err.text : NULL; }

pdr_rc pdr_graph_rc(const pdr_graph *g) { return g->err.rc; }

size_t pdr_graph_size(const pdr_graph *g) { return g->n; }

pdr_shape pdr_node_shape(const pdr_graph *g, pdr_node x) { return g->v[x.id].shape; }

pdr_type pdr_node_type(const pdr_graph *g, pdr_node x) { return g->v[x.id].type; }

/* ---- labels and errors ----------------------------------------------------- */

static const char *graph_label_text(const pdr_graph *g, uint32_t label)
{
    return label ? g->label[label - 1] : "";
}

/* A label is one line of at most PDI_LABEL_MAX - 1 bytes: the graph's text is read
 * back line by line. */
static void graph_label_plain(const char *label, char plain[PDI_LABEL_MAX])
{
    size_t n = 0;
    for (; label[n] && n + 1 < PDI_LABEL_MAX; n++)
        plain[n] = (unsigned char)label[n] < ' ' || label[n] == 0x7f ? '?' : label[n];
    plain[n] = 0;
}

void pdr_graph_label(pdr_graph *g, const char *label)
{
    char plain[PDI_LABEL_MAX];
    g->label_now = 0;
    if (!label || !*label) return;
    graph_label_plain(label, plain);
    for (size_t i = g->labels; i-- > 0;)
        if (!strcmp(g->label[i], plain)) {
            g->label_now = (uint32_t)i + 1;
            return;
        }
    char *copy = pdi_strdup(g->alloc, plain);
    if (!copy ||
        !pdi_grow(g->alloc, (void **)&g->label, g->labels, &g->label_cap, sizeof *g->label)) {
        pdi_free(g->alloc, copy);
        pdi_graph_fail(g, PDR_NOMEM, "out of memory");
        return;
    }
    g->label[g->labels++] = copy;
    g->label_now = (uint32_t)g->labels;
}

pdr_node pdi_graph_fail(pdr_graph *g, pdr_rc rc, const char *fmt, ...)
{
    if (!g->err.rc) { /* the first failure is the story */
        char text[PDR_ERROR_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        const char *at = graph_label_text(g, g->label_now);
        pdi_fail(&g->err, rc, "%.400s%s%.80s", text, *at ? "; in " : "", at);
    }
    return (pdr_node){0};
}

pdr_node pdr_graph_fail(pdr_graph *g, const char *message)
{
    return pdi_graph_fail(g, PDR_USAGE, "%s", message);
}

/* "dot: [3,4] and [5,6]: inner axes differ", "flip: [7] axis=1: no such axis" */
static pdr_node graph_refuse(pdr_graph *g, const pdi_node *nd, const char *why)
{
    const pdi_op_info *op = &pdi_op_table[nd->op];
    pdi_text t = {.alloc = g->alloc};
    char text[PDR_SHAPE_TEXT];
    pdi_text_add(&t, "%s:", op->name);
    for (int k = 0; k < nd->nin; k++)
        pdi_text_add(&t, k ? " and %s" : " %s", pdr_shape_text(pdi_shape_at(g, nd->in[k]), text));
    if (op->attrs & PDI_HAS_shape)
        pdi_text_add(&t, " to %s", pdr_shape_text(&nd->attr.shape, text));
    pdi_attr_print(&t, nd);
    char *call = pdi_text_take(&t);
    if (call)
        pdi_graph_fail(g, PDR_USAGE, "%s: %s", call, why);
    else
        pdi_graph_fail(g, PDR_NOMEM, "out of memory");
    pdi_free(g->alloc, call);
    return (pdr_node){0};
}

/* ---- interning ---------------------------------------------------------------- */

/* The bytes that make two nodes equal; label comes after them. */
enum { GRAPH_KEY = offsetof(pdi_node, label) };

uint64_t pdi_node_hash(const pdi_node *nd) { return pdi_hash(0, nd, GRAPH_KEY); }

bool pdi_node_same(const pdi_node *a, const pdi_node *b) { return !memcmp(a, b, GRAPH_KEY); }

/* The slot that holds a node equal to nd, or the empty one where it belongs. */
static size_t graph_slot(const pdr_graph *g, const pdi_node *nd)
{
    size_t mask = g->slots - 1, i = (size_t)pdi_node_hash(nd) & mask;
    while (g->intern[i] && !pdi_node_same(&g->v[g->intern[i]], nd)) i = (i + 1) & mask;
    return i;
}

pdr_node pdi_node_find(const pdr_graph *g, const pdi_node *nd)
{
    return (pdr_node){g->intern[graph_slot(g, nd)]};
}

static bool graph_room(pdr_graph *g)
{
    if (!pdi_grow(g->alloc, (void **)&g->v, g->n, &g->cap, sizeof *g->v)) return false;
    if (2 * g->n < g->slots) return true;
    uint32_t *old = g->intern, *more = pdi_new(g->alloc, 2 * g->slots, sizeof *more);
    if (!more) return false;
    g->intern = more;
    g->slots *= 2;
    for (size_t i = 1; i < g->n; i++)
        if (g->v[i].op != PDI_input) g->intern[graph_slot(g, &g->v[i])] = (uint32_t)i;
    pdi_free(g->alloc, old);
    return true;
}

/* Set nd's type and shape; NULL, or why it cannot be. */
static const char *graph_infer(const pdr_graph *g, pdi_node *nd)
{
    if (pdr_shape_size(&nd->attr.shape) < 0) return "the shape is too large, or an axis is below 1";
    const char *why = pdi_op_rules[nd->op]->infer(g, nd);
    if (!why && pdr_shape_size(&nd->shape) < 0) return "the result is too large";
    return why;
}

pdr_node pdi_push(pdr_graph *g, pdi_opcode op, const pdr_node in[], const pdi_attr *attr)
{
    pdi_node nd;
    memset(&nd, 0, sizeof nd); /* padding too: nodes are compared as bytes */
    nd.op = op;
    nd.nin = pdi_op_table[op].nin;
    for (int k = 0; k < nd.nin; k++) {
        if (pdi_is_null(in[k])) return (pdr_node){0};
        nd.in[k] = in[k];
    }
    if (g->err.rc) return (pdr_node){0};
    if (attr) pdi_attr_only(&nd.attr, attr, pdi_op_table[op].attrs);
    const char *why = graph_infer(g, &nd);
    if (why) return graph_refuse(g, &nd, why);

    if (!graph_room(g)) return pdi_graph_fail(g, PDR_NOMEM, "out of memory");
    size_t slot = op == PDI_input ? 0 : graph_slot(g, &nd);
    if (op != PDI_input && g->intern[slot]) return (pdr_node){g->intern[slot]};
    if (op != PDI_input) g->intern[slot] = (uint32_t)g->n;
    nd.label = g->label_now;
    memcpy(&g->v[g->n], &nd, sizeof nd);
    return (pdr_node){(uint32_t)g->n++};
}

void pdi_mark_needed(const pdr_graph *g, size_t n_out, const pdr_node out[], unsigned char *need)
{
    for (size_t i = 0; i < n_out; i++) need[out[i].id] = 1;
    for (size_t i = g->n; i-- > 1;)
        for (int k = 0; need[i] && k < g->v[i].nin; k++) need[g->v[i].in[k].id] = 1;
}
