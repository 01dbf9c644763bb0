/* lifelong/trainer.h -- a model being taught: its state, and the programs that
 * change it.
 *
 * All state is declared: tensors by name (parameters, buffers, optimiser and
 * method state), the replay memory, two counters.  Whoever saves those has saved
 * the trainer; whoever hashes them has hashed it.  A program is a graph built by
 * the method, planned once, with every input and output tied to memory.
 *
 *     pdi_trainer_task(t, k, ...)       build the step's program for task k
 *     pdi_trainer_step(t, ...)          fill the batch, run the program   (many times)
 *     pdi_trainer_pass(t, ...)          the method's pass over the task's examples
 *     pdi_trainer_task_end(t)           the method's last word on the task
 *     pdi_trainer_predict(t, ...)       outputs for examples
 */
#ifndef PDI_LIFELONG_TRAINER_H
#define PDI_LIFELONG_TRAINER_H

#include <perdure/method.h>
#include <perdure/opt.h>
#include <perdure/plan.h>
#include <perdure/rng.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- named tensors ----------------------------------------------------------- */

typedef struct pdi_tensor {
    char name[96]; /* "param/0.dense.weight", "fisher/0.dense.weight", "optimizer/3" */
    pdr_shape shape;
    float *value;
} pdi_tensor;

typedef struct pdi_state {
    const pdr_alloc *alloc;
    pdi_tensor *v;
    size_t n, cap;
} pdi_state;

/* The tensor called name, made (filled with start) if it is not there.  NULL when
 * out of memory. */
pdi_tensor *pdi_state_get(pdi_state *s, const char *name, const pdr_shape *shape, float start);
void pdi_state_close(pdi_state *s);

/* ---- replay memory -------------------------------------------------------------- */

/* One example as the trainer passes it about. */
typedef struct pdi_example {
    const float *x;
    int32_t label, task;
    const float *target;
} pdi_example;

typedef struct pdi_memory {
    const pdr_alloc *alloc;
    pdr_memory_spec spec;
    bool used;
    size_t width, targets;
    int32_t classes, groups; /* of a task; samples there are: balanced, one a task and class */
    size_t held, room;       /* examples held and allocated */
    float *x, *target;       /* [room, width], [room, targets] */
    int32_t *label, *task;
    uint64_t *offered; /* [groups] offered so far */
    uint32_t *slot;    /* [groups, spec.size] where each is held */
    pdr_rng rng;       /* which stay, and which are drawn */
} pdi_memory;

bool pdi_memory_open(pdi_memory *m, const pdr_alloc *alloc, const pdr_memory_spec *spec,
                     size_t width, size_t targets, int32_t tasks, int32_t classes, uint64_t seed);
void pdi_memory_close(pdi_memory *m);

/* Offer an example; the policy decides.  False when out of memory. */
bool pdi_memory_offer(pdi_memory *m, const pdi_example *e);

/* Draw n different examples, or with replacement when it holds fewer. */
void pdi_memory_draw(pdi_memory *m, size_t n, uint32_t index[]);

/* ---- batches in host memory ---------------------------------------------------------- */

typedef struct pdi_host_batch {
    int32_t size;
    float *x, *target, *mask; /* mask NULL unless outputs are masked */
    int32_t *label;
} pdi_host_batch;

/* ---- programs --------------------------------------------------------------------------- */

typedef enum pdi_phase {
    PDI_PHASE_STEP,
    PDI_PHASE_PASS,
    PDI_PHASE_END,
    PDI_PHASE_PREDICT
} pdi_phase;

typedef struct pdi_program {
    pdr_plan *plan;
    size_t n_in, n_out;
    const void **in;
    void **out;
    int32_t size;   /* examples a run */
    int32_t replay; /* examples drawn from memory a run */
} pdi_program;

/* What a model is taught with, and the numbers it is taught by. */
typedef struct pdi_trainer_spec {
    pdr_choice method, optimizer;
    const pdr_model *model;
    int loss; /* pdr_loss_kind of recipe.h, never auto */
    double l2, clip_norm, clip_value;
    pdr_shape example;
    int32_t outputs, targets, classes; /* targets 0: classification */
    int32_t tasks;
    const float *mask; /* [tasks, outputs], or NULL */
    uint64_t seed;
} pdi_trainer_spec;

enum { PDI_KEYS = 8 }; /* applications of the model with randomness, a step */

typedef struct pdi_trainer {
    const pdr_alloc *alloc;
    pdr_pool *pool;
    pdi_trainer_spec spec;
    const pdr_method *method;
    pdi_state store;
    pdi_memory memory;
    uint64_t steps;            /* taken so far, over all tasks */
    uint64_t passed;           /* examples of the pass so far */
    int32_t task;              /* being learned */
    pdi_program program[4][2]; /* by phase; [1] is for a last, smaller batch */
    pdi_host_batch batch, drawn;
    uint32_t *drawn_index;
    float rate, have, loss;
    float *output; /* of predict: [size, outputs] */
    int32_t key[PDI_KEYS][4];
} pdi_trainer;

pdr_rc pdi_trainer_new(const pdr_alloc *alloc, const pdi_trainer_spec *spec, pdr_pool *pool,
                       int32_t batch, pdi_trainer **out, pdr_error *err);
void pdi_trainer_free(pdi_trainer *t);

/* Start on a task: from here on programs are built for it. */
void pdi_trainer_task(pdi_trainer *t, int32_t task);

/* The batch to fill before a step, a pass or a prediction: up to n examples. */
void pdi_trainer_put(pdi_trainer *t, int32_t i, const pdi_example *e);
float *pdi_trainer_row(pdi_trainer *t, int32_t i); /* where example i's features go */

/* One step on the n examples put.  *loss is the batch's. */
pdr_rc pdi_trainer_step(pdi_trainer *t, int32_t n, float rate, double *loss, pdr_error *err);

/* One batch of the method's pass, and its end of task.  Nothing when the method has none. */
pdr_rc pdi_trainer_pass(pdi_trainer *t, int32_t n, pdr_error *err);
pdr_rc pdi_trainer_task_end(pdi_trainer *t, pdr_error *err);

/* Outputs (logits, masked) for the n examples put: [n, outputs]. */
pdr_rc pdi_trainer_predict(pdi_trainer *t, int32_t n, const float **outputs, pdr_error *err);

/* Make optimiser state as it was at the start. */
void pdi_trainer_reset_optimizer(pdi_trainer *t);

/* Of all state. */
uint64_t pdi_trainer_hash(const pdi_trainer *t);

uint64_t pdi_trainer_parameters(const pdi_trainer *t);

/* build.c: build and plan the program of a phase for n examples. */
pdr_rc pdi_program_build(pdi_trainer *t, pdi_phase phase, int32_t n, pdi_program *p,
                         pdr_error *err);
void pdi_program_close(const pdr_alloc *alloc, pdi_program *p);

#endif
