/* plan/plan.h -- a graph lowered to steps over buffers.
 *
 * A value is a view: a buffer, an offset and a stride for each axis of the node.
 * Permutations, broadcasts, slices, windows and most reshapes only make another
 * view; constants are views too (one number with strides 0, one ramp).  What
 * computes is a step: a fused loop of scalar maps, or one kernel.  Steps run in
 * order.
 *
 * Invariants after lowering:
 *   1. A buffer is written by exactly one step, densely.
 *   2. A step reads only buffers born in earlier steps, inputs and constants; an
 *      entry of a loop also reads what earlier entries of that loop made.
 *   3. Buffers whose lifetimes overlap do not overlap in the arena. */
#ifndef PDI_PLAN_PLAN_H
#define PDI_PLAN_PLAN_H

#include <perdure/plan.h>

#include "ops/ops.h"

typedef enum pdi_place {
    PDI_AT_ARENA,
    PDI_AT_LOCAL, /* of a region: size and at are those of one task */
    PDI_AT_CHAIN, /* of a chain: size and at are those of one row */
    PDI_AT_INPUT,
    PDI_AT_OUTPUT,
    PDI_AT_CONST
} pdi_place;

typedef struct pdi_buffer {
    pdi_place place;
    int32_t index;      /* input or output number */
    int64_t size;       /* elements of four bytes */
    int64_t at;         /* element offset in the arena or among the constants */
    int32_t born, dies; /* first and last step that touch it */
    bool escapes;       /* read outside the loop that makes it */
} pdi_buffer;

typedef struct pdi_view {
    int32_t buffer;
    int64_t offset;
    pdr_shape shape;
    int64_t stride[PDR_MAX_RANK];
} pdi_view;

/* ---- fused loops ------------------------------------------------------------ */

/* Elements that one pass of a loop handles: small enough that a dozen temporaries stay
 * in the first-level cache. */
enum { PDI_STRIP = 512 };

/* One of the values that a join puts among zeros: its element 0 goes to lo. */
typedef struct pdi_piece {
    pdi_view view;
    pdi_axes axes; /* of the view */
    bool is_dense;
    int64_t lo[PDR_MAX_RANK];
} pdi_piece;

/* Pieces that do not overlap, and zeros where there is none. */
typedef struct pdi_join {
    pdr_shape shape;
    int32_t piece, pieces; /* the first among the plan's, how many */
    int32_t axis;          /* innermost one along which a piece is shorter than the whole */
    int64_t inner, row;    /* elements that an element of it stands for; from it on, all */
} pdi_join;

/* One scalar map (or a copy, PDI_stop, or a join, PDI_pad) of a loop, before registers. */
typedef struct pdi_entry {
    int32_t step;
    pdi_opcode op;
    int nin;
    pdi_view in[PDI_MAX_IN];
    pdi_join join;
    int32_t out; /* buffer */
} pdi_entry;

typedef enum pdi_reg_kind {
    PDI_REG_DENSE,  /* lies in memory in loop order: element i at offset + i */
    PDI_REG_SCALAR, /* one number, spread over a strip before the loop */
    PDI_REG_LOAD,   /* gathered into a strip through axes */
    PDI_REG_STRIP   /* lives in a strip only */
} pdi_reg_kind;

typedef struct pdi_reg {
    pdi_reg_kind kind;
    int32_t buffer; /* DENSE, SCALAR, LOAD */
    int64_t offset;
    int32_t slot;  /* SCALAR, LOAD, STRIP: which strip */
    pdi_axes axes; /* LOAD */
    /* LOAD: each `block` elements are so many copies of their first `period`; strips of a
     * block are equal, when strips are periods long.  0: not so, or not worth it. */
    int64_t period, block;
} pdi_reg;

typedef struct pdi_instr {
    pdi_opcode op; /* PDI_input: fill register out, which is a LOAD; PDI_pad: a join */
    int32_t out, in[PDI_MAX_IN];
    pdi_join join;
    pdi_pair pair; /* op is done together with another map, before it, which makes .. */
    int side;      /* .. this operand of it */
    pdi_opcode before;
} pdi_instr;

/* A loop takes at most this many entries, so its places fit a small array. */
enum { PDI_LOOP_ENTRIES = 64, PDI_LOOP_REGS = PDI_LOOP_ENTRIES * (PDI_MAX_IN + 1) };

typedef struct pdi_loop {
    int64_t n, strip; /* elements; at most PDI_STRIP of them at a time */
    int32_t entries;
    int32_t regs, instrs, slots;
    pdi_reg *reg;
    pdi_instr *instr;
} pdi_loop;

/* ---- steps --------------------------------------------------------------------- */

/* Two steps do what is no operator by itself, and go by the name of one that is never a
 * step: a loop is PDI_stop; this is a copy of a product's second operand, see pack.c. */
#define PDI_STEP_PACK PDI_permute

typedef struct pdi_step {
    pdi_opcode op;
    uint32_t node;
    const char *label; /* owned by the plan */
    int32_t out;
    pdr_shape shape; /* of the result */
    pdi_attr attr;
    int nin;
    pdi_view in[2];
    int32_t batch, terms[2]; /* dot: batch axes; where the axes of each operand's terms begin */
    bool is_packed;          /* dot: in[1] is what a pack made; its strides are 0 */
    pdi_loop loop;
    double flops;
    uint64_t ns; /* of timed runs, all together */
} pdi_step;

/* Steps first .. end-1, run for `chunk` rows of the first at a time: see chain.c. */
typedef struct pdi_chain {
    int32_t first, end;
    int64_t rows, chunk;
    int64_t local; /* elements a row of values that are the chain's alone */
    double flops;  /* of all its steps */
} pdi_chain;

/* An output that is not written by its step directly: copied at the end. */
typedef struct pdi_copy {
    int32_t output, buffer;
    int64_t offset, size;
} pdi_copy;

typedef struct pdi_lowered {
    const pdr_alloc *alloc;
    pdi_buffer *buffer;
    size_t buffers, buffer_cap;
    pdi_step *step;
    size_t steps, step_cap;
    pdi_entry *entry;
    size_t entries, entry_cap;
    pdi_piece *piece; /* of all joins */
    size_t pieces, piece_cap;
    pdi_copy *copy;
    size_t copies, copy_cap;
    pdi_chain *chain; /* in order, each all inside the region or all outside */
    size_t chains, chain_cap;
    float *constant; /* numbers and ramps */
    size_t constants, constant_cap;
    char **label;
    size_t labels;
    int64_t arena;                    /* elements */
    int32_t region_first, region_end; /* steps that run task by task; equal: none */
    int64_t tasks, local;             /* of the region: tasks, elements a task */
    int32_t slots;                    /* the most strips a loop needs */
    bool failed;                      /* out of memory */
    int32_t panel;                    /* as requested */
    bool plain;
} pdi_lowered;

/* What a plan is made from. */
typedef struct pdi_request {
    const pdr_graph *g;
    size_t n_in, n_out;
    const pdr_node *in, *out;
    const int32_t *over;
    int threads;
    int32_t panel; /* columns of a packed panel, as the kernels want */
    bool fine;     /* chains go row by row, a region task by task */
    bool plain;    /* no fusion, no views kept, no packs, regions or chains, all outputs copied */
} pdi_request;

/* lower.c: nodes to steps and views. */
pdr_rc pdi_lower(const pdi_request *r, pdi_lowered *l, pdr_error *err);
void pdi_lowered_close(pdi_lowered *l);

/* region.c: put the steps that can run task by task side by side. */
bool pdi_region_form(pdi_lowered *l);

/* chain.c: put steps that can run row by row side by side. */
bool pdi_chains_form(pdi_lowered *l, const pdi_request *r);

/* Once no step moves any more: what is local to a region, to a chain. */
void pdi_region_place(pdi_lowered *l);
void pdi_chains_place(pdi_lowered *l);

/* order.c: step order[i] becomes step i.  False: out of memory, nothing has changed. */
bool pdi_steps_reorder(pdi_lowered *l, const int32_t order[]);

/* pack.c: should the second operand of product s be copied beforehand, and what of it as a
 * matrix?  The buffer of the copy of v that an earlier step makes; -1: there is none. */
bool pdi_pack_pays(const pdi_step *s, const pdr_shape *result);
pdi_view pdi_pack_view(const pdi_step *s);
int32_t pdi_pack_find(const pdi_lowered *l, const pdi_view *v);

/* The chain that a step belongs to; NULL: none. */
static inline const pdi_chain *pdi_chain_of(const pdi_lowered *l, int32_t step)
{
    for (size_t c = 0; c < l->chains; c++)
        if (step >= l->chain[c].first && step < l->chain[c].end) return &l->chain[c];
    return NULL;
}

/* The views that an entry reads: its operands, then its join's pieces. */
static inline int pdi_entry_views(const pdi_entry *e) { return e->nin + e->join.pieces; }

static inline const pdi_view *pdi_entry_view(const pdi_lowered *l, const pdi_entry *e, int k)
{
    return k < e->nin ? &e->in[k] : &l->piece[e->join.piece + k - e->nin].view;
}

/* loop.c: entries to registers and instructions, for every loop of l. */
bool pdi_loops_build(pdi_lowered *l);

/* outputs.c: which outputs their steps may write directly. */
void pdi_outputs_place(const pdi_request *r, pdi_lowered *l);

/* memory.c: offsets in the arena and in the region's local memory. */
bool pdi_memory_place(pdi_lowered *l);

/* view.c */
pdi_view pdi_view_dense(int32_t buffer, const pdr_shape *s);
bool pdi_view_is_dense(const pdi_view *v);
bool pdi_view_is_scalar(const pdi_view *v);
bool pdi_view_same(const pdi_view *a, const pdi_view *b);
pdi_view pdi_view_walk(const pdi_view *x, const pdi_walk *w, const pdr_shape *x_shape);
bool pdi_view_reshape(const pdi_view *x, const pdr_shape *to, pdi_view *out);
/* The axes of v by falling stride, outermost first; those that do not move stay where they
 * are.  True when v is dense in that order. */
bool pdi_view_order(const pdi_view *v, int32_t order[PDR_MAX_RANK]);
/* The same in blocks, so that v, laid in that order, can be given the shape `to`. */
void pdi_view_order_for(const pdi_view *v, const pdr_shape *to, int32_t order[PDR_MAX_RANK]);
/* How many elements there are in memory, repeated ones once. */
int64_t pdi_view_distinct(const pdi_view *v);
/* Axis k of the result is axis order[k] of v. */
pdi_view pdi_view_permute(const pdi_view *v, const int32_t order[]);
/* A whole buffer of shape s whose axes lie in memory in that order. */
pdi_view pdi_view_laid(int32_t buffer, const pdr_shape *s, const int32_t order[]);
/* The axes of v, neighbours joined where one stride covers both; those of them from .. to-1. */
pdi_axes pdi_view_axes(const pdi_view *v);
pdi_axes pdi_view_some_axes(const pdi_view *v, int from, int to);

#endif
