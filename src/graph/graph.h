/* graph/graph.h -- the node list, as the rooms above see it.
 *
 * Invariants, checked by pdr_graph_verify():
 *   1. Node 0 is the null node.  Operands have smaller numbers than their users.
 *   2. A node never changes after it was pushed.
 *   3. Two nodes other than inputs are never equal in operator, operands,
 *      attributes, shape and type (interning), so equal sub-expressions are one.
 *   4. Attributes that the operator does not use are zero bytes.
 */
#ifndef PDI_GRAPH_GRAPH_H
#define PDI_GRAPH_GRAPH_H

#include <perdure/graph.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum { PDI_MAX_IN = 3, PDI_LABEL_MAX = 256 };

typedef struct pdi_perm {
    int32_t at[PDR_MAX_RANK];
} pdi_perm;

typedef struct pdi_attr {
#define ATTR(field, type, text, batching) type field;
#include "graph/attr.def"
#undef ATTR
} pdi_attr;

enum {
#define ATTR(field, type, text, batching) PDI_ATTR_INDEX_##field,
#include "graph/attr.def"
#undef ATTR
    PDI_ATTRS
};

/* One bit an attribute: sets of attributes, as op.def states them. */
enum {
    PDI_none = 0,
#define ATTR(field, type, text, batching) PDI_HAS_##field = 1 << PDI_ATTR_INDEX_##field,
#include "graph/attr.def"
#undef ATTR
    PDI_SLICE = PDI_HAS_axis | PDI_HAS_lo | PDI_HAS_count | PDI_HAS_step,
    PDI_WINDOW = PDI_HAS_axis | PDI_HAS_taps | PDI_HAS_step | PDI_HAS_dilation
};

typedef enum pdi_opcode {
#define OP(name, family, nin, adjoint, attrs, help) PDI_##name,
#include "ops/op.def"
#undef OP
    PDI_OPS
} pdi_opcode;

typedef enum pdi_family {
    PDI_LEAF,
    PDI_MAP,      /* element by element */
    PDI_WALK,     /* affine walks over one operand */
    PDI_INDEX,    /* rows by index */
    PDI_SELECT,   /* along one axis */
    PDI_CONTRACT, /* dot */
    PDI_RANDOM
} pdi_family;

typedef struct pdi_node {
    pdi_opcode op;
    pdr_type type;
    int nin;
    pdr_node in[PDI_MAX_IN];
    pdr_shape shape;
    pdi_attr attr;
    uint32_t label; /* not part of what makes nodes equal */
} pdi_node;

struct pdr_graph {
    const pdr_alloc *alloc;
    pdi_node *v;
    size_t n, cap;
    uint32_t *intern; /* open-addressing table of node numbers, 0 = empty */
    size_t slots;     /* a power of two, at most half full */
    char **label;     /* label[0] is "" */
    size_t labels, label_cap;
    uint32_t label_now;
    pdr_error err;
};

/* An operator's rules.  op.def names them; a missing one fails to link. */
typedef struct pdi_op {
    /* Set type and shape from operands and attributes; NULL, or why not. */
    const char *(*infer)(const pdr_graph *g, pdi_node *nd);
    /* Append d(loss)/d(operand i) to the graph as d[i], given up = d(loss)/d(nd).
     * A null d[i] means none.  NULL: piecewise constant. */
    void (*vjp)(pdr_graph *g, pdr_node nd, pdr_node up, pdr_node d[PDI_MAX_IN]);
    /* The definition, in double (integers are stored as exact doubles).  Every
     * kernel is tested against it. */
    void (*eval)(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[PDI_MAX_IN]);
} pdi_op;

typedef struct pdi_op_info {
    const char *name;
    pdi_family family;
    int nin;
    pdi_opcode adjoint; /* error: none */
    unsigned attrs;
    const char *help;
} pdi_op_info;

extern const pdi_op_info pdi_op_table[PDI_OPS];
extern const pdi_op *const pdi_op_rules[PDI_OPS];

static inline const pdi_node *pdi_node_at(const pdr_graph *g, pdr_node x) { return &g->v[x.id]; }

static inline const pdr_shape *pdi_shape_at(const pdr_graph *g, pdr_node x)
{
    return &g->v[x.id].shape;
}

static inline bool pdi_is_null(pdr_node x) { return x.id == 0; }

/* Add a node, or find the equal one that is there.  Any null operand gives the
 * null node.  attr may be NULL; fields the operator does not use are ignored. */
pdr_node pdi_push(pdr_graph *g, pdi_opcode op, const pdr_node in[], const pdi_attr *attr);

/* Record the first error (rc PDR_USAGE or PDR_NOMEM); the null node. */
pdr_node pdi_graph_fail(pdr_graph *g, pdr_rc rc, const char *fmt, ...) PDI_PRINTF(3, 4);

/* Everything about nd but its label, hashed and compared as bytes. */
uint64_t pdi_node_hash(const pdi_node *nd);
bool pdi_node_same(const pdi_node *a, const pdi_node *b);

/* The node equal to nd, or the null node. */
pdr_node pdi_node_find(const pdr_graph *g, const pdi_node *nd);

/* nd's attributes as text, " axis=1 lo=0"; the shape is not among them. */
void pdi_attr_print(pdi_text *t, const pdi_node *nd);

/* Copy the attributes in set, zero the rest, padding too; one form for each shape
 * and for NaN.  Written where it is kept: returning a struct may lose padding. */
void pdi_attr_only(pdi_attr *only, const pdi_attr *at, unsigned set);

/* The attributes of the same operator on operands with one more leading axis. */
void pdi_attr_lead(pdi_attr *at, unsigned set, int32_t size);

/* shape with one more leading axis. */
pdr_shape pdi_shape_lead(const pdr_shape *s, int32_t size);

/* need[i] = 1 for the nodes that out[] depends on, themselves included; need
 * has g->n zeroed bytes. */
void pdi_mark_needed(const pdr_graph *g, size_t n_out, const pdr_node out[], unsigned char *need);

/* In debug builds, verify the graph after a transformation called pass. */
void pdi_check(pdr_graph *g, const char *pass);

#endif
