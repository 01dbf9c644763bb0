/* perdure/learner.h -- a model that goes on learning, in one file.
 *
 * A learner is a file, name.perdure: recipe, what an example looks like, all learned
 * state, replay memory, metrics, snapshots, and a journal of the examples that came since
 * the state was last written.  It is a deterministic state machine: same build, same
 * examples, same bits.  So opening it after a crash replays the journal and stands, to the
 * bit, where a learner stands that never crashed; and examples learned one by one leave what
 * the same examples leave when learned in bulk.
 *
 *     pdr_learner *l = NULL;
 *     pdr_error err = PDR_NO_ERROR;
 *     float x[2] = {0.5f, 1.5f}, score[16];
 *     pdr_example e = {.x = x, .label = "up"};
 *     if (pdr_learner_open("a.perdure", NULL, &l, &err) ||
 *         pdr_learner_learn(l, 1, &e, &err) ||
 *         pdr_learner_predict(l, 1, x, NULL, score, &err))
 *         fprintf(stderr, "%s\n", err.text);
 *     pdr_learner_close(l, &err);
 *
 * EXAMPLES  Features are floats in the order of pdr_learner_feature(); images lie as in
 *           perdure/data.h.  A label is the name of a class; one that is new takes the
 *           next free output, and where none is free the network gets more (twice as many,
 *           up to learner.most_classes of the recipe), with all that belongs to them.  A
 *           task has a name, known by whoever asks: its classes are then the only answers.
 *           NULL: one task for all.  A feature that is NAN is missing: allowed where the
 *           recipe's data.missing is zero or mean (of what was learned before it).
 * LABELS    that come later: pdr_learner_ask() answers an example and keeps it under an id,
 *           in the file; an example of that id with a label and no features is then learned
 *           as if it had come whole, and counts in the score with the answer that was given.
 * DURABLE   Examples are acknowledged when pdr_learner_learn() returns PDR_OK: their rows
 *           of the journal are on the disk.  All examples of one call share a commit.
 * ERRORS    PDR_INPUT: a damaged file, or none of ours; a value that is not finite; more
 *           classes or tasks than there may be; an id that does not wait.  PDR_IO: the disk is
 * full, read-only or failing, or another process writes to the file.  A call that fails leaves the
 *           file as it was, and the learner usable, but after PDR_IO and PDR_NOMEM: then
 *           close it and open it again.
 * OWNERSHIP The caller closes what it opened and supplies all buffers.  Names handed out
 *           are the learner's and live until it is closed.
 * THREADS   A learner belongs to one thread at a time; it has its own pool.  Several may
 *           be open in one process, and several processes may read while one writes.
 */
#ifndef PERDURE_LEARNER_H
#define PERDURE_LEARNER_H

#include <perdure/data.h>
#include <perdure/recipe.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_learner pdr_learner;

typedef struct pdr_learner_how {
    const pdr_alloc *alloc; /* NULL: malloc */
    int threads;            /* 0: as many as there are processors */
    bool reads_only;        /* asks, and changes nothing */
} pdr_learner_how;

/* ---- life ------------------------------------------------------------------------------ */

/* Make a file.  What an example looks like (shape, names of features, room for classes, or
 * targets) is taken from `like`, which may hold no examples.  A class is known once an
 * example of it has been learned.  The
 * recipe's method must learn a stream and need no pass over a task's examples.  What exists
 * is refused. */
pdr_rc pdr_learner_create(const char *path, const pdr_recipe *recipe, const pdr_dataset *like,
                          uint64_t seed, const pdr_learner_how *how, pdr_learner **out,
                          pdr_error *err);

/* Open a file, and learn what its journal holds.  how may be NULL. */
pdr_rc pdr_learner_open(const char *path, const pdr_learner_how *how, pdr_learner **out,
                        pdr_error *err);

/* Write the state, and close.  The learner is gone whatever is returned; what was
 * acknowledged is on the disk in either case.  NULL is allowed. */
pdr_rc pdr_learner_close(pdr_learner *l, pdr_error *err);

/* Write the state now and empty the journal; it happens by itself when the journal has
 * grown to what the recipe says. */
pdr_rc pdr_learner_checkpoint(pdr_learner *l, pdr_error *err);

/* ---- what it is -------------------------------------------------------------------------- */

const pdr_recipe *pdr_learner_recipe(const pdr_learner *l);
pdr_shape pdr_learner_shape(const pdr_learner *l);               /* of one example */
const char *pdr_learner_feature(const pdr_learner *l, size_t i); /* NULL past the last */
bool pdr_learner_is_regression(const pdr_learner *l);
int32_t pdr_learner_outputs(const pdr_learner *l); /* there is room for now; targets */
int32_t pdr_learner_classes(const pdr_learner *l); /* known so far */
const char *pdr_learner_class(const pdr_learner *l, int32_t c);
int32_t pdr_learner_tasks(const pdr_learner *l); /* named so far */
const char *pdr_learner_task(const pdr_learner *l, int32_t t);
uint64_t pdr_learner_examples(const pdr_learner *l); /* acknowledged */
uint64_t
pdr_learner_waiting(const pdr_learner *l); /* of these, not learned yet: fewer than a batch */
uint64_t pdr_learner_parameters(const pdr_learner *l);
uint64_t pdr_learner_bytes(const pdr_learner *l); /* of all state */

/* Of all state: parameters, optimiser, method, memory, normaliser, metrics, names, counters,
 * and the examples waiting. */
uint64_t pdr_learner_state_hash(const pdr_learner *l);

/* ---- learning ----------------------------------------------------------------------------- */

typedef struct pdr_example {
    const float *x;      /* the features; NULL: those that wait under id */
    const char *label;   /* name of the class; NULL for regression */
    const float *target; /* the targets; NULL for classification */
    const char *task;    /* NULL: one for all */
    const char *id;      /* of what was asked; NULL: none */
} pdr_example;

/* Learn n examples, in order; each is a step's batch when as many as training.batch have
 * come.  Every example is answered before it is learned (see pdr_score).
 *
 * Where an id waits, it does so no longer: x may be NULL, and where it is not, it is what is
 * learned.  Without a task, the example's is the one it was asked with.  An id that does not
 * wait (never asked, learned already, given up) is PDR_INPUT when x is NULL and means nothing
 * otherwise; so is the second of two labels for one id. */
pdr_rc pdr_learner_learn(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err);

/* Learn n examples of something new from a few: the examples waiting are learned first, then
 * these as one batch, learner.adapt_steps times at learner.adapt_rate of the optimizer's rate,
 * beside what the method replays.  Few steps and a memory that replays more examples a step
 * than are new keep what was learned. */
pdr_rc pdr_learner_adapt(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err);

/* Tell that a task has ended, to methods that want to know. */
pdr_rc pdr_learner_end_task(pdr_learner *l, pdr_error *err);

/* ---- answering ------------------------------------------------------------------------------ */

/* Answers for n examples: score[n][outputs], probabilities of the classes (0 for outputs
 * that no class has), or the targets.  A task that is not known is an error. */
pdr_rc pdr_learner_predict(pdr_learner *l, size_t n, const float x[], const char *task,
                           float score[], pdr_error *err);

/* The same, and keep each example under its id (1 to 127 bytes; label and target mean
 * nothing) until pdr_learner_learn() or _adapt() brings the label.  The examples are on the
 * disk when this returns PDR_OK.  learner.asked of the recipe says how many are kept: when so
 * many have been asked after it, an id is given up.  An id that waits already is asked anew:
 * features, answer and place in the line are the new ones. */
pdr_rc pdr_learner_ask(pdr_learner *l, size_t n, const pdr_example e[], float score[],
                       pdr_error *err);

/* Does an id wait for its label?  How many do; of all that were asked, how many were given
 * up for newer ones (forgotten may be NULL). */
bool pdr_learner_awaits(const pdr_learner *l, const char *id);
uint64_t pdr_learner_asked(const pdr_learner *l, uint64_t *forgotten);

/* Test, then train (prequential): how the answers given before each example was learned compared
 * with it.  NaN is what there is nothing to tell from: all before the first example; both kappas
 * while all labels are of one class.  docs/learners.md has the equations. */
typedef struct pdr_score {
    uint64_t n;
    double accuracy, recent; /* over all, and over the last `window` examples */
    double kappa;            /* Cohen's, against chance by the frequencies of both */
    double kappa_temporal;   /* against the answer "as the last one": Zliobaite et al. 2015 */
    double loss;             /* mean: -log p of the label, or squared error */
    double rmse, mae;        /* regression */
    int64_t window;
} pdr_score;
pdr_score pdr_learner_score(const pdr_learner *l);

/* The same of answers to examples that are not learned, with no window; goes_on: and of
 * those of the calls before. */
pdr_rc pdr_learner_evaluate(pdr_learner *l, size_t n, const pdr_example e[], bool goes_on,
                            pdr_score *score, pdr_error *err);

/* ---- what happened ------------------------------------------------------------------------- */

/* One time the state was written: "created"; "learned", "adapted", "ended a task", "asked", or
 * several of these; "snapshot NAME", "rollback NAME", "imported NAME". */
typedef struct pdr_log_entry {
    int64_t when; /* seconds since 1970 */
    uint64_t examples;
    int32_t classes, tasks;
    double score, recent, loss; /* as in pdr_score; score is the accuracy, or the rmse */
    double kappa, kappa_temporal;
    const char *what;
} pdr_log_entry;

/* Show all, oldest first; what show returns other than PDR_OK ends it. */
typedef pdr_rc pdr_log_fn(void *ctx, const pdr_log_entry *e);
pdr_rc pdr_learner_log(pdr_learner *l, pdr_log_fn *show, void *ctx, pdr_error *err);

/* Snapshot i in the order they were made, or NULL: its name, and when. */
const char *pdr_learner_snapshot_at(const pdr_learner *l, size_t i, int64_t *when);

/* ---- upkeep ---------------------------------------------------------------------------------- */

/* Read the whole file and compare every sum; give free space back to the disk. */
pdr_rc pdr_learner_check(pdr_learner *l, pdr_error *err);
pdr_rc pdr_learner_compact(pdr_learner *l, pdr_error *err);
int64_t pdr_learner_file_bytes(const pdr_learner *l);

/* Every tensor that is kept: name, shape, numbers, in order of name. */
typedef pdr_rc pdr_tensor_fn(void *ctx, const char *name, const pdr_shape *shape,
                             const float *value);
pdr_rc pdr_learner_tensors(pdr_learner *l, pdr_tensor_fn *show, void *ctx);

/* ---- going back ------------------------------------------------------------------------------ */

/* Keep the state as it is under a name that no snapshot has; return to one, to the bit.
 * Snapshots share what is equal in them. */
pdr_rc pdr_learner_snapshot(pdr_learner *l, const char *name, pdr_error *err);
pdr_rc pdr_learner_rollback(pdr_learner *l, const char *name, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
