/* perdure/method.h -- what a lifelong-learning method is made of.
 *
 * A method does not run code per step.  It adds nodes to the step's graph and
 * names its state; the trainer plans the whole step (forward, backward, update)
 * as one program.  The graph is built again at the start of every task, so a
 * method may read the task's number and build something else each time.
 *
 *     static pdr_node l2_to_start(pdr_build *b, const void *self)
 *     {
 *         (void)self;
 *         pdr_graph  *g = pdr_build_graph(b);
 *         pdr_tensors theta = pdr_build_params(b), start = pdr_build_state(b, "start");
 *         pdr_node    loss = pdr_build_loss(b, theta, pdr_build_batch(b));
 *         for (size_t i = 0; i < theta.n; i++) {
 *             pdr_node d = pdr_sub(g, theta.v[i], start.v[i]);
 *             loss = pdr_add(g, loss, pdr_sum_all(g, pdr_square(g, d)));
 *         }
 *         return loss;
 *     }
 *
 * ERRORS    As in perdure/graph.h: they stick to the graph, and the trainer
 *           reports them.
 * OWNERSHIP Everything that pdr_build_* returns belongs to the build.
 */
#ifndef PERDURE_METHOD_H
#define PERDURE_METHOD_H

#include <perdure/kind.h>
#include <perdure/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_build pdr_build;

/* What is minimised; auto: cross-entropy for classes, mse for real targets. */
typedef enum pdr_loss_kind {
    PDR_LOSS_AUTO,
    PDR_LOSS_CROSS_ENTROPY,
    PDR_LOSS_BINARY,
    PDR_LOSS_MSE
} pdr_loss_kind;

/* One node for each parameter of the model, in the model's order, and where the
 * set is a copy of the whole model, one for each of its buffers too. */
typedef struct pdr_tensors {
    size_t n;
    pdr_node *v;
    pdr_node *buffer; /* NULL: the model's own */
} pdr_tensors;

/* Examples side by side. */
typedef struct pdr_batch {
    int32_t size;
    pdr_node x;      /* [size, example...] */
    pdr_node label;  /* i32[size]; null for regression */
    pdr_node target; /* [size, targets]; null for classification */
    pdr_node mask;   /* [size, outputs], 1 where an output may be the answer; null: all may */
} pdr_batch;

/* ---- what a method builds with ------------------------------------------------ */

pdr_graph *pdr_build_graph(pdr_build *b);

/* The task being learned, from 0. */
int32_t pdr_build_task(const pdr_build *b);

/* Width of the output layer. */
int32_t pdr_build_outputs(const pdr_build *b);

/* The model's parameters, as they are at this step. */
pdr_tensors pdr_build_params(pdr_build *b);

/* The examples of this step. */
pdr_batch pdr_build_batch(pdr_build *b);

/* Examples drawn from the method's memory at this step, with replacement where
 * it holds fewer than size.  have is 1, or 0 while the memory is empty (x is then
 * zeros).  False when there is nothing to draw from in this task. */
bool pdr_build_replay(pdr_build *b, int32_t size, pdr_batch *out, pdr_node *have);

/* Outputs of the model under theta, masked where the batch is.  A copy of the
 * model is applied as in evaluation; the model itself as in training. */
pdr_node pdr_build_logits(pdr_build *b, pdr_tensors theta, pdr_batch batch);

/* The recipe's loss, a mean over the batch. */
pdr_node pdr_build_loss(pdr_build *b, pdr_tensors theta, pdr_batch batch);

/* Is every output allowed for every example?  If not, pdr_build_task_mask gives
 * f32[outputs], 1 for the outputs of one task. */
bool pdr_build_is_masked(const pdr_build *b);
pdr_node pdr_build_task_mask(pdr_build *b, int32_t task);

/* May output y be the answer in the task being learned? */
bool pdr_build_allows(const pdr_build *b, int32_t y);

/* State that is kept between steps and tasks, and saved: one tensor shaped like
 * each parameter, starting at zero; or a copy of the whole model. */
pdr_tensors pdr_build_state(pdr_build *b, const char *name);
pdr_tensors pdr_build_copy(pdr_build *b, const char *name);

/* After this step (or task), state becomes value. */
void pdr_build_set(pdr_build *b, pdr_tensors state, pdr_tensors value);

/* The same for a copy: it becomes the model as it is now. */
void pdr_build_set_copy(pdr_build *b, pdr_tensors copy);

/* Room for one node a parameter. */
pdr_tensors pdr_build_tensors(pdr_build *b);

/* A batch of one example of this step, and nodes built on it evaluated for every
 * example: out[i] has one more leading axis, the batch.  For gradients of single
 * examples. */
pdr_batch pdr_build_example(pdr_build *b);
void pdr_build_map_examples(pdr_build *b, size_t n, const pdr_node each[], pdr_node out[]);

/* In task_end: how many examples task_pass has seen. */
uint64_t pdr_build_passed(const pdr_build *b);

/* Random key of this step, i32[4]; streams below 1000 belong to layers. */
pdr_node pdr_build_key(pdr_build *b);

/* ---- methods ------------------------------------------------------------------------ */

/* Which tasks' examples a step sees. */
typedef enum pdr_data_use {
    PDR_DATA_CURRENT, /* those of the task being learned */
    PDR_DATA_ALL      /* those of all tasks, from the start: an upper bound */
} pdr_data_use;

typedef enum pdr_memory_policy {
    PDR_MEMORY_RESERVOIR, /* a uniform sample of all examples offered; Vitter 1985 */
    PDR_MEMORY_BALANCED   /* a uniform sample of every class of every task, equally many */
} pdr_memory_policy;

/* What a method keeps of the examples it has seen. */
typedef struct pdr_memory_spec {
    pdr_memory_policy policy;
    int64_t size;        /* examples; balanced: examples a class */
    bool while_learning; /* offered as they are learned for the first time, or when a task ends */
} pdr_memory_spec;

typedef struct pdr_method {
    pdr_kind kind;
    pdr_data_use data;
    /* Whether the method keeps examples, and which. May be NULL. */
    bool (*memory)(const void *self, pdr_memory_spec *spec);
    /* The loss of a step.  NULL: pdr_build_loss of the batch. */
    pdr_node (*loss)(pdr_build *b, const void *self);
    /* Run once for every batch of the task's examples when the task ends. */
    void (*task_pass)(pdr_build *b, const void *self);
    int64_t (*pass_examples)(const void *self); /* at most so many of them; NULL or 0: all */
    /* Run once after that. */
    void (*task_end)(pdr_build *b, const void *self);
} pdr_method;

#ifdef __cplusplus
}
#endif
#endif
