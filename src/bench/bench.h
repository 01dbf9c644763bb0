/* bench/bench.h -- workloads that are timed, and how.
 *
 * A workload is a graph, what goes in and what comes out.  What it reads comes from
 * pdr_rng, so every machine times the same numbers; its flops are those of the
 * definition of the work, whatever the plan does to get there.
 *
 * A training step writes parameters and optimiser state in place.  Its data changes
 * from step to step (PDI_WORK_SETS sets in a ring), and its state is put back to the
 * start before each block of steps that is timed. */
#ifndef PDI_BENCH_BENCH_H
#define PDI_BENCH_BENCH_H

#include <perdure/plan.h>
#include <perdure/rng.h>

enum { PDI_WORK_PLACES = 128, PDI_WORK_PARAMS = 40, PDI_WORK_SETS = 4, PDI_WORK_DIMS = 6 };

typedef struct pdi_work pdi_work;

/* Fill data set `set` of input i.  Inputs are filled in the order they were made, so
 * an input may be made from one before it. */
typedef void (*pdi_fill_fn)(pdi_work *w, size_t i, int set, pdr_rng *r);

/* An input or an output. */
typedef struct pdi_place_of {
    pdr_node node;
    int64_t size; /* elements of four bytes */
    pdi_fill_fn fill;
    double lo, hi; /* for fill */
    bool is_data;  /* another set every step */
    int32_t over;  /* an output: the input that it replaces, or -1 */
    void *at[PDI_WORK_SETS];
} pdi_place_of;

struct pdi_work {
    const pdr_alloc *alloc;
    pdr_graph *g;
    size_t n_in, n_out, params;
    pdi_place_of in[PDI_WORK_PLACES], out[PDI_WORK_PLACES];
    size_t param[PDI_WORK_PARAMS]; /* which inputs are learned */
    double flops;                  /* a run, by definition; 0: not counted */
    const void *in_at[PDI_WORK_SETS][PDI_WORK_PLACES];
    void *out_at[PDI_WORK_PLACES];
    char *memory, *start; /* values; those that steps change, as they were */
};

/* ---- work.c: making and running --------------------------------------------------- */

bool pdi_work_open(pdi_work *w, const pdr_alloc *alloc);
void pdi_work_close(pdi_work *w);

/* Data: another set every step.  A constant or a parameter: one value, which a step may
 * replace. */
pdr_node pdi_work_data(pdi_work *w, pdr_type type, pdr_shape shape, pdi_fill_fn fill, double lo,
                       double hi);
pdr_node pdi_work_value(pdi_work *w, pdr_shape shape, pdi_fill_fn fill, double lo, double hi);

/* An output; over is the number of the input that it replaces, or -1. */
void pdi_work_output(pdi_work *w, pdr_node x, int32_t over);

void pdi_fill_uniform(pdi_work *w, size_t i, int set, pdr_rng *r); /* on [lo, hi) */
void pdi_fill_normal(pdi_work *w, size_t i, int set, pdr_rng *r);  /* mean lo, deviation hi */
void pdi_fill_label(pdi_work *w, size_t i, int set, pdr_rng *r);   /* i32 below hi */

pdr_rc pdi_work_plan(const pdi_work *w, pdr_pool *pool, pdr_plan **plan, pdr_error *err);

/* Place and fill every value; put what steps changed back. */
bool pdi_work_place(pdi_work *w);
void pdi_work_restart(pdi_work *w);

/* Steps 0 .. n-1 of the plan. */
void pdi_work_run(pdi_work *w, pdr_plan *plan, int64_t n);

uint64_t pdi_work_hash(const pdi_work *w); /* of all outputs */
double pdi_work_bytes(const pdi_work *w);  /* inputs and outputs of a step, each once */

/* ---- train.c: parameters and their optimiser ---------------------------------------- */

/* A weight [out, in] of He et al. 2015; a parameter that starts at one value. */
pdr_node pdi_work_weight(pdi_work *w, pdr_shape shape, int32_t fan_in);
pdr_node pdi_work_start(pdi_work *w, pdr_shape shape, double value);

/* loss, its gradient, and the update of every parameter by an optimizer ("adam") at its
 * defaults but for the rate; all of them outputs. */
void pdi_work_train(pdi_work *w, pdr_node loss, const char *optimizer, double rate);

/* ---- rows.c: what there is ------------------------------------------------------------ */

typedef struct pdi_bench_row {
    const char *name, *shape;
    void (*build)(pdi_work *w, const int32_t dim[]);
    int32_t dim[PDI_WORK_DIMS];
    int32_t steps; /* before the hash; 0: building and planning is what is timed */
} pdi_bench_row;

/* Row i, or NULL past the end. */
const pdi_bench_row *pdi_bench_at(size_t i);

void pdi_bench_product(pdi_work *w, const int32_t dim[]);   /* m, n, k, batch */
void pdi_bench_mlp(pdi_work *w, const int32_t dim[]);       /* batch, in, hidden, .., out, 0 */
void pdi_bench_mlp_sgd(pdi_work *w, const int32_t dim[]);   /* the same */
void pdi_bench_sinusoid(pdi_work *w, const int32_t dim[]);  /* tasks, points, width, exact */
void pdi_bench_conv_maml(pdi_work *w, const int32_t dim[]); /* tasks, ways, channels, side */
void pdi_bench_lstm(pdi_work *w, const int32_t dim[]);      /* batch, length, input, width */
void pdi_bench_attention(pdi_work *w,
                         const int32_t dim[]);        /* batch, length, width, heads, blocks */
void pdi_bench_map(pdi_work *w, const int32_t dim[]); /* which, elements */
void pdi_bench_sum(pdi_work *w, const int32_t dim[]); /* rows, columns, axes */

/* ---- measure.c: how long it takes ------------------------------------------------------- */

typedef struct pdi_bench_result {
    const char *name, *shape;
    int threads;
    double ns;       /* a run: the median of several blocks */
    double gbytes_s; /* inputs and outputs, each counted once; NaN where there are none */
    double gflops;   /* NaN where none are counted */
    double fraction; /* of the machine's peak; NaN likewise */
    uint64_t hash;
} pdi_bench_result;

/* Gflop/s of fused multiply-adds that stay in registers, on all threads of the pool. */
double pdi_bench_peak(pdr_pool *pool, double seconds);

pdr_rc pdi_bench_measure(const pdr_alloc *alloc, const pdi_bench_row *row, pdr_pool *pool,
                         double seconds, double peak, pdi_bench_result *out, pdr_error *err);

#endif
