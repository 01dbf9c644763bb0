/* method/trainer.h -- a model being taught: its state, and the programs that
 * change it.
 *
 * All state is declared: tensors by name (parameters, buffers, optimiser and
 * method state), the replay memory, counters.  pdi_trainer_each() walks through it;
 * whoever saves what it shows has saved the trainer, and the hash is made of nothing
 * else.  A program is a graph built by the method, planned once, with every input and
 * output tied to memory.
 *
 *     pdi_trainer_task(t, k, ...)       build the step's program for task k
 *     pdi_trainer_step(t, ...)          fill the batch, run the program   (many times)
 *     pdi_trainer_phase_end(t, ...)     the method's word between phases of a task
 *     pdi_trainer_pass(t, ...)          the method's pass over the task's examples
 *     pdi_trainer_task_end(t)           the memory is filled, the method concludes
 *     pdi_trainer_predict(t, ...)       outputs for examples, or for episodes */
#ifndef PDI_METHOD_TRAINER_H
#define PDI_METHOD_TRAINER_H

#include <perdure/method.h>
#include <perdure/opt.h>
#include <perdure/plan.h>
#include <perdure/rng.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- named tensors ----------------------------------------------------------- */

enum { PDI_PIECE_NAME = 127 };

typedef struct pdi_tensor {
    char name[PDI_PIECE_NAME + 1]; /* "param/0.dense.weight", "fisher/0.dense.weight" */
    pdr_shape shape;
    float *value;
    bool is_weight; /* subject to weight decay and L2 */
} pdi_tensor;

typedef struct pdi_state {
    const pdr_alloc *alloc;
    pdi_tensor *v;
    size_t n, cap;
} pdi_state;

/* The tensor called name, or NULL. */
pdi_tensor *pdi_state_find(const pdi_state *s, const char *name);

/* The same, made (filled with start) if it is not there; *is_new says which.  NULL when
 * out of memory. */
pdi_tensor *pdi_state_get(pdi_state *s, const char *name, const pdr_shape *shape, float start,
                          bool *is_new);
void pdi_state_close(pdi_state *s);

/* ---- replay memory -------------------------------------------------------------- */

/* One example as the trainer passes it about. */
typedef struct pdi_example {
    const float *x;
    int32_t label, task;
    const float *target;
    const float *column[PDR_COLUMNS]; /* what is kept beside it */
} pdi_example;

typedef struct pdi_memory {
    const pdr_alloc *alloc;
    pdr_memory_spec spec;
    bool used;
    size_t width, targets;
    int32_t classes,
        groups;        /* of a task; samples there are: one in all, a task, or a task and class */
    size_t held, room; /* examples held and allocated */
    float *x, *target; /* [room, width], [room, targets] */
    float *column[PDR_COLUMNS]; /* [room, width of the column] */
    int32_t *label, *task;
    uint64_t *offered; /* [groups] offered so far */
    uint32_t *slot;    /* [groups, spec.size] where each is held */
    pdr_rng rng;       /* which stay, and which are drawn */
    uint64_t changes;  /* of what is held, since it was opened; not state */
} pdi_memory;

bool pdi_memory_open(pdi_memory *m, const pdr_alloc *alloc, const pdr_memory_spec *spec,
                     size_t width, size_t targets, int32_t tasks, int32_t classes, uint64_t seed);
void pdi_memory_close(pdi_memory *m);

/* Hold one more example, whatever the policy.  False when out of memory. */
bool pdi_memory_append(pdi_memory *m, const pdi_example *e);

/* Examples that it may hold; -1: more than INT32_MAX, which no memory does. */
int64_t pdi_memory_slots(const pdr_memory_spec *spec, int32_t tasks, int32_t classes);

/* Whether the method's memory, if it has one, may hold what its options ask for; recipe is what
 * the error names. */
pdr_rc pdi_memory_check(const pdr_choice *method, const pdr_setting *setting, const char *recipe,
                        pdr_error *err);

/* Offer an example; the policy decides.  False when out of memory. */
bool pdi_memory_offer(pdi_memory *m, const pdi_example *e);

/* Draw n different examples, or with replacement when it holds fewer. */
void pdi_memory_draw(pdi_memory *m, size_t n, uint32_t index[]);

/* How many examples of a task (-1: of all) it holds, and which, in order. */
size_t pdi_memory_count(const pdi_memory *m, int32_t task);
void pdi_memory_of_task(const pdi_memory *m, int32_t task, size_t n, uint32_t index[]);

/* Example i as it was offered. */
pdi_example pdi_memory_example(const pdi_memory *m, size_t i);

/* Make room for n examples, all held: for reading a saved memory back. */
bool pdi_memory_resize(pdi_memory *m, size_t n);

/* ---- batches in host memory ---------------------------------------------------------- */

typedef struct pdi_host_batch {
    int32_t size;
    float *x, *target, *mask; /* mask NULL unless outputs are masked */
    int32_t *label;
    float *column[PDR_COLUMNS];
} pdi_host_batch;

/* ---- programs --------------------------------------------------------------------------- */

typedef enum pdi_run {
    PDI_RUN_STEP,
    PDI_RUN_PHASE_END,
    PDI_RUN_PASS,
    PDI_RUN_TASK_END,
    PDI_RUN_PREDICT
} pdi_run;

/* Examples that a program takes from memory before it runs. */
typedef struct pdi_draw {
    pdi_host_batch batch;
    uint32_t *index;
    bool is_random;
    int32_t task;     /* whose examples, where they are not drawn at random; -1: all tasks' */
    uint64_t changes; /* the memory's, when this was filled */
} pdi_draw;

typedef struct pdi_program {
    pdr_plan *plan;
    pdi_run run;
    int32_t size, task; /* examples or episodes a run; the task it predicts */
    size_t n_in, n_out;
    const void **in;
    void **out;
    size_t keys;
    pdi_draw *draw;
    size_t draws, draw_cap;
} pdi_program;

/* The episodes of a run: how many examples one has, in training and in a test. */
typedef struct pdi_episode_sizes {
    int32_t support, query;           /* of a training episode; 0: this is a stream */
    int32_t test_support, test_query; /* of a test episode */
    int32_t at_once;                  /* episodes a step */
    int32_t test_at_once, test_steps; /* episodes a prediction; steps reported, 0 .. test_steps */
    bool queries_alone; /* where the model mixes examples, a query is beside the support alone */
} pdi_episode_sizes;

/* What a model is taught with, and the numbers it is taught by. */
typedef struct pdi_trainer_spec {
    pdr_choice method, optimizer;
    const pdr_model *model;
    int loss; /* pdr_loss_kind of recipe.h, never auto */
    double l2, clip_norm, clip_value;
    pdr_shape example;
    int32_t outputs, targets; /* outputs: of a prediction; targets 0: classification */
    pdr_setting setting;
    pdi_episode_sizes episode;
    const float *mask;         /* [tasks, outputs], or NULL */
    const int32_t *first_task; /* [outputs]; NULL: 0 for all */
    bool normalises;           /* features are centred and scaled before the model: centre, scale */
    uint64_t seed;
} pdi_trainer_spec;

enum { PDI_KEYS = 1024, PDI_PROGRAMS = 16 };

typedef struct pdi_trainer {
    const pdr_alloc *alloc;
    pdr_pool *pool;
    pdi_trainer_spec spec;
    const pdr_method *method;
    pdi_state store;
    pdi_memory memory;
    uint64_t steps;                    /* taken so far, over all tasks */
    int32_t task, phase, learned;      /* being learned; its phase; learned to their end */
    uint64_t passed;                   /* examples of the pass so far */
    float *passed_column[PDR_COLUMNS]; /* what the pass keeps of them, [passed, width] */
    pdi_program program[PDI_PROGRAMS];
    size_t programs, oldest;       /* the next to be replaced where all are taken */
    pdi_host_batch batch;          /* of a stream */
    pdi_host_batch support, query; /* of episodes: one after the other */
    uint64_t first;                /* the number of the first of them, for random keys */
    int32_t (*episode_key)[4];
    float *centre, *scale; /* [example], state; NULL unless the spec normalises */
    float rate, loss;
    float have;    /* 1 while the memory holds something */
    float *output; /* of predict: [size, outputs], or [episodes, steps + 1, query, outputs] */
    int32_t key[PDI_KEYS][4];
} pdi_trainer;

/* batch: the most examples a run of a stream has. */
pdr_rc pdi_trainer_new(const pdr_alloc *alloc, const pdi_trainer_spec *spec, pdr_pool *pool,
                       int32_t batch, pdi_trainer **out, pdr_error *err);
void pdi_trainer_free(pdi_trainer *t);

/* grow.c: a trainer of a larger spec (more outputs, classes, tasks) that has learned what t
 * has.  t is left alone. */
pdr_rc pdi_trainer_grow(const pdi_trainer *t, const pdi_trainer_spec *spec, pdi_trainer **out,
                        pdr_error *err);

/* Start on a task, or on a phase of it: from here on programs are built for it. */
void pdi_trainer_task(pdi_trainer *t, int32_t task, int32_t phase);

/* The batch to fill before a step, a pass or a prediction: up to n examples. */
void pdi_trainer_put(pdi_trainer *t, int32_t i, const pdi_example *e);
float *pdi_trainer_row(pdi_trainer *t, int32_t i); /* where example i's features go */

/* One step on the n examples put (or episodes, in support and query).  *loss is the
 * batch's. */
pdr_rc pdi_trainer_step(pdi_trainer *t, int32_t n, float rate, double *loss, pdr_error *err);

/* Offer example i of the last step to the memory, with what the step kept of it. */
pdr_rc pdi_trainer_offer(pdi_trainer *t, int32_t i, const pdi_example *e, pdr_error *err);

pdr_rc pdi_trainer_phase_end(pdi_trainer *t, pdr_error *err);

/* One batch of the method's pass; nothing when the method has none. */
pdr_rc pdi_trainer_pass(pdi_trainer *t, int32_t n, pdr_error *err);

/* The memory is offered example i of the pass; or, where the method selects, chooses
 * among n examples of one class (index[]: which of the pass they are; e[]: them). */
pdr_rc pdi_trainer_offer_passed(pdi_trainer *t, size_t i, const pdi_example *e, pdr_error *err);
bool pdi_trainer_selects(const pdi_trainer *t);
pdr_rc pdi_trainer_select(pdi_trainer *t, size_t n, const uint32_t index[], uint32_t chosen[],
                          size_t *kept, pdr_error *err);

/* The method's last word on the task. */
pdr_rc pdi_trainer_task_end(pdi_trainer *t, pdr_error *err);

/* Outputs (logits, masked) for the n examples put, [n, outputs], which are of `task`
 * (-1: not known); or for n episodes, [n, test_steps + 1, query, outputs]. */
pdr_rc pdi_trainer_predict(pdi_trainer *t, int32_t n, int32_t task, const float **outputs,
                           pdr_error *err);

/* Make optimiser state as it was at the start. */
void pdi_trainer_reset_optimizer(pdi_trainer *t);

/* ---- all state ------------------------------------------------------------------------- */

/* One piece: bytes under a name that is unique in its section.  shape is a tensor's; all else
 * is rows of 32-bit words. */
typedef struct pdi_piece {
    const char *section; /* "tensor", "memory", "counter" */
    const char *name;
    pdr_shape shape;
    void *data;
    size_t bytes;
} pdi_piece;

/* Show every piece in a fixed order; what visit returns ends it when it is not PDR_OK. */
typedef pdr_rc pdi_piece_fn(void *ctx, const pdi_piece *piece);
pdr_rc pdi_trainer_each(pdi_trainer *t, pdi_piece_fn *visit, void *ctx);

/* Take back a piece that pdi_trainer_each() showed of a trainer of the same spec: counters
 * first, the rest in any order.  Programs are built anew. */
pdr_rc pdi_trainer_restore(pdi_trainer *t, const pdi_piece *piece, pdr_error *err);

uint64_t pdi_trainer_hash(pdi_trainer *t);  /* of all state */
uint64_t pdi_trainer_bytes(pdi_trainer *t); /* of all state */
uint64_t pdi_trainer_parameters(const pdi_trainer *t);

/* program.c: build and plan the program of a run for n examples or episodes. */
pdr_rc pdi_program_build(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdi_program *p,
                         pdr_error *err);
void pdi_program_close(const pdr_alloc *alloc, pdi_program *p);

/* batch.c: room for n examples; example e as row i. */
bool pdi_batch_open(pdi_trainer *t, pdi_host_batch *h, int32_t n);
void pdi_batch_close(const pdr_alloc *alloc, pdi_host_batch *h);
void pdi_batch_put(const pdi_trainer *t, pdi_host_batch *h, int32_t i, const pdi_example *e);

#endif
