/* perdure/method.h -- what a method of lifelong or meta-learning is made of.
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
 * Lifelong and meta-learning methods differ in what a step sees: a batch of a
 * stream (pdr_build_batch), or a set of episodes (pdr_build_episode).  All else is
 * shared.
 *
 * A run of a stream, for each task:      A run of episodes:
 *
 *     for each phase of the task             for each iteration
 *         for each batch                         step on pdr_build_episodes() episodes
 *             step: loss, gradient, update   for each test episode
 *         phase_end                              predict, after 0, 1, 2, ... steps
 *     pass over the task's examples
 *     the memory takes examples (select)
 *     task_end
 *     predict, for the tests
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

/* Nodes side by side.  Of a network: one for each parameter, in the model's order,
 * and where the set is a whole network of its own, one for each of its buffers too. */
typedef struct pdr_tensors {
    size_t n;
    pdr_node *v;
    pdr_node *buffer; /* NULL: the model's own */
} pdr_tensors;

enum { PDR_COLUMNS = 4 };

/* Examples side by side. */
typedef struct pdr_batch {
    int32_t size;
    pdr_node x;      /* [size, example...] */
    pdr_node label;  /* i32[size]; null for regression */
    pdr_node target; /* [size, targets]; for classes null, or a method's own: probabilities of
                        outputs, which the loss then takes instead of labels */
    pdr_node mask;   /* [size, outputs], 1 where an output may be the answer; null: all may */
    pdr_node column[PDR_COLUMNS]; /* from memory: [size, width], what was kept beside them */
} pdr_batch;

/* A few-shot task: classes 0 .. way-1, or a function (way 1).  Rows go by class. */
typedef struct pdr_episode {
    pdr_batch support, query;
    int32_t way;
} pdr_episode;

/* ---- facts about the run ---------------------------------------------------------- */

typedef struct pdr_setting {
    int32_t tasks;             /* of the stream; 1 for episodes */
    int32_t outputs;           /* width of the output layer */
    int32_t classes;           /* 0: regression */
    bool has_boundaries;       /* the method is told when a task ends */
    bool has_masks;            /* a head a task: the task is known at test time */
    bool is_class_incremental; /* tasks bring new classes, all of which may be the answer */
    int32_t features;          /* width of what enters the output layer */
    int32_t way, shot;         /* of training episodes */
    int64_t iterations;        /* steps a task, or in all */
} pdr_setting;

const pdr_setting *pdr_build_setting(const pdr_build *b);

pdr_graph *pdr_build_graph(pdr_build *b);

/* The task being learned, from 0; while predicting, the task that the examples are of
 * where that is known and has begun, else the newest.  Tasks learned to their end so far. */
int32_t pdr_build_task(const pdr_build *b);
int32_t pdr_build_learned(const pdr_build *b);

/* The phase of the task's learning, from 0. */
int32_t pdr_build_phase(const pdr_build *b);

/* ---- tensors that are kept ------------------------------------------------------------
 *
 * State is kept between steps and tasks, and saved.  A tensor begins to exist when
 * it is first asked for; a name always means the same tensor. */

/* The model's parameters, as they are at this step. */
pdr_tensors pdr_build_params(pdr_build *b);

/* How many of them, the last ones, are the output layer's. */
size_t pdr_build_head(const pdr_build *b);

/* Another network like the model, begun as the model was but from random numbers of
 * its own, with its own buffers; and `count` of them at once, on a leading axis. */
pdr_tensors pdr_build_net(pdr_build *b, const char *name);
pdr_tensors pdr_build_nets(pdr_build *b, const char *name, int32_t count);

/* A copy of the model for later (its parameters and buffers), zero until it is set. */
pdr_tensors pdr_build_copy(pdr_build *b, const char *name);

/* One tensor shaped like each parameter, starting at `start`. */
pdr_tensors pdr_build_state(pdr_build *b, const char *name);
pdr_tensors pdr_build_state_at(pdr_build *b, const char *name, double start);

/* A network like the model begun afresh at every run: nodes, not state.  As the model
 * began, but from the random numbers of key, i32[4]. */
pdr_tensors pdr_build_fresh(pdr_build *b, pdr_node key);

/* One tensor of any shape: starting at a number, or as a weight of a network does. */
pdr_node pdr_build_tensor(pdr_build *b, const char *name, pdr_shape shape, double start);
pdr_node pdr_build_weight(pdr_build *b, const char *name, pdr_shape shape, pdr_init init,
                          double fan_in, double fan_out);

/* A dense layer of a network of the method's own, "net.weight" and "net.bias" with
 * fan-in-uniform values: x [..., n, f] -> [..., n, units].  What it declared is added to
 * *into (which may be NULL), for pdr_build_train and pdr_build_set. */
pdr_node pdr_build_dense(pdr_build *b, const char *net, pdr_node x, int32_t units,
                         pdr_tensors *into);

/* Room for one node a parameter; for n nodes; the nodes of two lists as one. */
pdr_tensors pdr_build_tensors(pdr_build *b);
pdr_tensors pdr_build_list(pdr_build *b, size_t n);
pdr_tensors pdr_build_join(pdr_build *b, pdr_tensors x, pdr_tensors y);

/* What a step trains by the loss's gradient: every list given while the loss is built;
 * none given: the model's parameters. */
void pdr_build_train(pdr_build *b, pdr_tensors tensors);

/* After this run, state becomes value. */
void pdr_build_set(pdr_build *b, pdr_tensors state, pdr_tensors value);
void pdr_build_set_node(pdr_build *b, pdr_node state, pdr_node value);

/* The same for a copy: it becomes the model as it is now. */
void pdr_build_set_copy(pdr_build *b, pdr_tensors copy);

/* Random key of this run, i32[4], another one each call; streams below 1000 belong to
 * layers. */
pdr_node pdr_build_key(pdr_build *b);

/* The recipe's optimiser, for a method with an inner loop that uses it (perdure/opt.h). */
const pdr_choice *pdr_build_optimizer(const pdr_build *b);

/* ---- examples ----------------------------------------------------------------------------- */

/* The examples of this step. */
pdr_batch pdr_build_batch(pdr_build *b);

/* Examples drawn from the method's memory at this step, other ones each call, with
 * replacement where it holds fewer than size.  have is 1, or 0 while the memory is empty
 * (x is then zeros).  False when there is nothing to draw from in this task. */
bool pdr_build_replay(pdr_build *b, int32_t size, pdr_batch *out, pdr_node *have);

/* All examples of a task that the memory holds (task -1: of all tasks), as many as it
 * held when this program was built.  False when it holds none. */
bool pdr_build_recall(pdr_build *b, int32_t task, pdr_batch *out);

/* Keep row i of node beside example i of the batch, where the memory takes it: column k
 * of the memory's columns.  In a step, or in the pass for a memory that is filled then. */
void pdr_build_keep(pdr_build *b, size_t k, pdr_node node);

/* count rows of a batch, from row lo on. */
pdr_batch pdr_build_rows(pdr_build *b, pdr_batch batch, int32_t lo, int32_t count);

/* Part k of parts: rows k, k + parts, ...  Rows of an episode go by class, so each part has
 * as many of every class as can be. */
pdr_batch pdr_build_part(pdr_build *b, pdr_batch batch, int32_t k, int32_t parts);

/* A batch of one example of this step, for pdr_build_map: gradients of single examples. */
pdr_batch pdr_build_example(pdr_build *b);

/* In task_end: how many examples task_pass has seen. */
uint64_t pdr_build_passed(const pdr_build *b);

/* ---- episodes ------------------------------------------------------------------------------- */

/* One of this run's episodes, for pdr_build_map. */
pdr_episode pdr_build_episode(pdr_build *b);

/* How many there are in a run. */
int32_t pdr_build_episodes(const pdr_build *b);

/* Random key of one episode, i32[4], the same each call: a function of the seed, of whether
 * this is a test, and of the episode's number.  Streams below 1000 belong to layers. */
pdr_node pdr_build_episode_key(pdr_build *b);

/* Steps of adaptation to take: those of the method's option, or while predicting as
 * many as the test asks for. */
int32_t pdr_build_steps(const pdr_build *b, int64_t option);

/* One slice of `all` along its leading axis (examples or episodes of this run), for
 * pdr_build_map. */
pdr_node pdr_build_unit(pdr_build *b, pdr_node all);

/* ---- mapping --------------------------------------------------------------------------------- */

/* Nodes built on the one example, the one episode or the units, for all of them: out[i]
 * has one more leading axis. */
void pdr_build_map(pdr_build *b, size_t n, const pdr_node each[], pdr_node out[]);

/* The mean of a node over the episodes. */
pdr_node pdr_build_mean(pdr_build *b, pdr_node each);

/* ---- the model ----------------------------------------------------------------------------------
 */

/* Outputs of the model under theta, masked where the batch is.  A network of its own
 * (theta.buffer) is applied as in evaluation unless it is trained; the model itself as in
 * training. */
pdr_node pdr_build_logits(pdr_build *b, pdr_tensors theta, pdr_batch batch);

/* What enters the output layer, [size, features]; the outputs where there is none. */
pdr_node pdr_build_features(pdr_build *b, pdr_tensors theta, pdr_batch batch);

/* The same walk, with a word on the way: after each layer that has weights (the output
 * layer too; not norms) visit sees what entered it and what came out, and returns what
 * goes on. */
typedef pdr_node pdr_visit_fn(void *ctx, size_t layer, pdr_node in, pdr_node out);
pdr_node pdr_build_visit(pdr_build *b, pdr_tensors theta, pdr_batch batch, pdr_visit_fn *visit,
                         void *ctx);

/* The recipe's loss, a mean over the batch; of the model under theta, or of given outputs. */
pdr_node pdr_build_loss(pdr_build *b, pdr_tensors theta, pdr_batch batch);
pdr_node pdr_build_loss_of(pdr_build *b, pdr_node outputs, pdr_batch batch);

/* How many tensors the model keeps without training them (running statistics). */
size_t pdr_build_buffers(const pdr_build *b);

/* Width of the output layer.  Is every output allowed for every example?  If not,
 * pdr_build_task_mask gives f32[outputs], 1 for the outputs of one task. */
int32_t pdr_build_outputs(const pdr_build *b);
bool pdr_build_is_masked(const pdr_build *b);
pdr_node pdr_build_task_mask(pdr_build *b, int32_t task);

/* May output y be the answer in the task being learned? */
bool pdr_build_allows(const pdr_build *b, int32_t y);

/* The first task in which output y is an answer. */
int32_t pdr_build_first_task(const pdr_build *b, int32_t y);

/* ---- methods ------------------------------------------------------------------------ */

/* What a step sees. */
typedef enum pdr_data_use {
    PDR_DATA_CURRENT,            /* the examples of the task being learned */
    PDR_DATA_CURRENT_AND_MEMORY, /* those and the ones in memory, as one set */
    PDR_DATA_ALL,                /* those of all tasks, from the start: an upper bound */
    PDR_DATA_EPISODES            /* few-shot tasks */
} pdr_data_use;

/* What a method cannot do without; a run that lacks it is refused, with the names of
 * methods that need it not. */
enum {
    PDR_NEEDS_BOUNDARIES = 1, /* to be told when a task ends */
    PDR_NEEDS_TASK = 2,       /* to know at test time which task an example is of */
    PDR_NEEDS_CLASSES = 4     /* labels, not real targets */
};

typedef enum pdr_memory_policy {
    PDR_MEMORY_RESERVOIR, /* a uniform sample of all examples offered; Vitter 1985 */
    PDR_MEMORY_BALANCED,  /* a uniform sample of every class of every task, equally many */
    PDR_MEMORY_TASKS,     /* a uniform sample of every task, equally many */
    PDR_MEMORY_SELECTED   /* what the method selects of every class of every task */
} pdr_memory_policy;

typedef struct pdr_column {
    const char *name;
    int32_t width;
    bool is_scratch; /* for select alone: not kept */
} pdr_column;

/* What a method keeps of the examples it has seen: at most INT32_MAX of them in all. */
typedef struct pdr_memory_spec {
    pdr_memory_policy policy;
    int64_t size;        /* examples; balanced, selected: of each class; tasks: of each task */
    bool while_learning; /* offered as they are learned for the first time, or when a task ends */
    size_t columns;      /* kept beside each example: pdr_build_keep */
    pdr_column column[PDR_COLUMNS];
} pdr_memory_spec;

/* A class of a task at its end, to select from: n examples, and what was kept of each. */
typedef struct pdr_selection {
    size_t n;
    const float *column[PDR_COLUMNS]; /* [n, width] */
    size_t width[PDR_COLUMNS];
    size_t most;      /* at most so many are kept */
    uint32_t *chosen; /* filled with indices, best first */
    double *room;     /* to work in: n and twice the widest column, zeros */
} pdr_selection;

typedef struct pdr_method {
    pdr_kind kind;
    pdr_data_use data;
    unsigned needs;       /* PDR_NEEDS_..., together */
    bool no_output_layer; /* the model ends with its last layer: an embedding */
    /* Why this method cannot do well in this setting, in a sentence; NULL: nothing to say. */
    const char *(*caution)(const void *self, const pdr_setting *s);
    /* Whether the method keeps examples, and which. */
    bool (*memory)(const void *self, const pdr_setting *s, pdr_memory_spec *spec);
    /* How long phase k of a task is, in units of the recipe's iterations (or epochs);
     * 0 past the last one.  NULL: one phase, of 1. */
    double (*phase)(const void *self, const pdr_setting *s, int32_t k);
    /* The loss of a step.  NULL: pdr_build_loss of the batch. */
    pdr_node (*loss)(pdr_build *b, const void *self);
    /* Change the gradients of what is trained, before clipping and the optimiser. */
    void (*gradient)(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad);
    /* Change what the optimiser made of them: next[i] is what theta[i] is about to become. */
    void (*update)(pdr_build *b, const void *self, pdr_tensors theta, pdr_tensors grad,
                   pdr_tensors next);
    /* Run once when a phase ends. */
    void (*phase_end)(pdr_build *b, const void *self);
    /* Run once for every batch of the task's examples when the task ends. */
    void (*task_pass)(pdr_build *b, const void *self);
    int64_t (*pass_examples)(const void *self); /* at most so many of them; NULL or 0: all */
    /* Choose at most s->most of a class's examples; returns how many.  PDR_MEMORY_SELECTED. */
    size_t (*select)(const void *self, const pdr_selection *s);
    /* Run once after that. */
    void (*task_end)(pdr_build *b, const void *self);
    /* Outputs for a batch (for episodes: for the query).  NULL: pdr_build_logits. */
    pdr_node (*predict)(pdr_build *b, const void *self, pdr_batch batch);
} pdr_method;

#ifdef __cplusplus
}
#endif
#endif
