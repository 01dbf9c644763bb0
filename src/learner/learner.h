/* learner/learner.h -- a learner at work, as the files of this room see it.
 *
 *     form.c     what an example looks like: names of features, classes, tasks
 *     accept.c   is what came fit to be learned?
 *     entry.c    examples to journal entries, and back
 *     keep.c     state to items of the store, and back
 *     fit.c      whether what a file holds makes a learner
 *     tally.c    answers compared with what came
 *     teach.c    learning: journal, batch, step
 *     answer.c   predictions
 *     asked.c    what was answered and waits for its label, by id
 *     grow.c     room for more classes and tasks
 *     log.c      its history
 *     exchange.c, export*.c, import.c   for other programs, and from them
 *     learner.c  life: create, open, checkpoint, close, snapshots
 *
 * What must hold
 *
 *  1. State is what keep.c writes, and nothing else: what it writes and the journal after it
 *     give the learner back, to the bit.
 *  2. `next` is the entry of the journal after those that are in the state.  Examples that wait
 *     (fewer than a batch) are state.
 *  3. An example is in the journal before it is learned.
 *  4. Learning an example depends on the state and the example alone: not on how many came
 *     with it, not on when the state was written.
 *
 *     created --commit--> open --learn: append, commit, learn--> open --checkpoint--> open
 *        closed --open: state, then what the journal has from next on--> open */
#ifndef PDI_LEARNER_LEARNER_H
#define PDI_LEARNER_LEARNER_H

#include <perdure/learner.h>

#include "learner/store.h"
#include "method/trainer.h"

enum { PDI_LEARNER_BATCH = 256 }; /* examples answered at once */

/* Names in the order in which they came. */
typedef struct pdi_names {
    char **v;
    int32_t n, most;
} pdi_names;

typedef struct pdi_form {
    pdr_shape shape;
    size_t width;    /* features of an example */
    int32_t outputs; /* there is room for; targets */
    int32_t targets; /* 0: classification */
    pdi_names feature, class, task;
    pdi_names given; /* what labels that are numbers stand for, as the data at the start had it */
} pdi_form;

typedef enum pdi_entry_kind {
    PDI_ENTRY_LEARN = 1,
    PDI_ENTRY_ADAPT,
    PDI_ENTRY_TASK_END,
    PDI_ENTRY_SKIP, /* a batch that diverged: not to be learned again */
    PDI_ENTRY_ASK   /* answered, kept until the label comes */
} pdi_entry_kind;

/* Everything that answers were compared with. */
typedef struct pdi_tally {
    uint64_t n, right, same;     /* answers; right; labels like the one before */
    double loss, error2, error1; /* sums; of regression over all targets */
    uint64_t *label, *answer;    /* [outputs] how often each came, was given */
    uint8_t *window;             /* [window] was it right? */
    int64_t size, in_window;     /* of the window; right ones in it */
    int32_t last;                /* label before; -1 at first */
} pdi_tally;

enum { PDI_ID_MAX = 127 };

/* What was answered and waits for its label (asked.c). */
typedef struct pdi_asked {
    int64_t most;              /* slots there may be */
    uint64_t total, forgotten; /* asked by id so far; of these, given up for newer ones */
    int32_t room, waiting;     /* slots allocated; in use */
    float *x, *y;              /* [room, width], [room, outputs] */
    int32_t *task;
    char (*id)[PDI_ID_MAX + 1]; /* "": the slot is free */
    bool *mark;                 /* while examples are looked at */
    int32_t *head, *next;       /* chains of slots, from 1, by hash of id */
} pdi_asked;

struct pdr_learner {
    const pdr_alloc *alloc;
    pdr_recipe recipe;
    pdi_store *store;
    bool reads_only, is_lost; /* lost: a write failed half-way, open it again */
    uint64_t seed, examples;  /* acknowledged */
    pdi_form form;
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *trainer;
    float *mask;           /* [tasks, outputs] */
    double *mean, *m2;     /* running moments of features; NULL: not normalised */
    uint64_t seen;         /* by the normaliser */
    pdi_tally tally, test; /* of what was learned; of the evaluation under way */
    int64_t next;
    uint64_t taken;        /* examples that went into batches, diverged ones among them */
    int32_t waiting, most; /* examples that wait; there is room for */
    float *wait_x, *wait_target;
    int32_t *wait_label, *wait_task;
    float *wait_y;    /* [most, outputs], answers given when they were asked by id */
    uint8_t *wait_is; /* [most] whether there is one */
    pdi_asked asked;
    uint64_t *skip; /* batches that diverged, by what was taken before them */
    size_t skips, skip_cap;
    int64_t unwritten; /* bytes of journal since the last checkpoint */
    unsigned did;      /* 1 << kind of every entry among them */
};

/* ---- form.c -------------------------------------------------------------------------------- */

pdr_rc pdi_form_open(pdr_learner *l, const pdr_dataset *like, pdr_error *err);
void pdi_form_close(pdr_learner *l);
pdr_rc pdi_form_put(pdr_learner *l, pdr_error *err);
pdr_rc pdi_form_get(pdr_learner *l, pdr_error *err);

/* The number of a class or task by name, made when it is new; -1 and an error when there is
 * no room.  find: -1 when it is not there. */
int32_t pdi_form_class(pdr_learner *l, int32_t task, const char *name, pdr_error *err);
int32_t pdi_form_task(pdr_learner *l, const char *name, pdr_error *err);
int32_t pdi_names_find(const pdi_names *names, const char *name);

/* May a feature be x?  It is finite; or NAN, which stands for a value that is missing, where
 * data.missing is zero or mean.  Such become 0, or the running mean of what was learned so far
 * (0 where features are not normalised). */
bool pdi_form_takes(const pdr_learner *l, float x);
void pdi_form_fill(const pdr_learner *l, float x[]);
bool pdi_names_room(const pdr_learner *l, pdi_names *names, int32_t most);

/* ---- accept.c, grow.c ------------------------------------------------------------------------ */

pdr_rc pdi_accept_learn(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err);
pdr_rc pdi_accept_ask(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err);

/* Whether there can be room for so many classes and tasks: replay memory grows with them. */
pdr_rc pdi_grow_check(const pdr_learner *l, int64_t classes, int64_t tasks, pdr_error *err);

/* Have room for a class and a task of these names (either may be NULL). */
pdr_rc pdi_grow_for(pdr_learner *l, const char *class, const char *task, pdr_error *err);

/* ---- asked.c -----------------------------------------------------------------------------------
 */

/* The slot of an id, or -1; slots used so far. */
int32_t pdi_asked_find(const pdi_asked *a, const char *id);
int32_t pdi_asked_slots(const pdi_asked *a);

/* An example's slot, all but the answer filled in; -1 when out of memory. */
int32_t pdi_asked_add(pdr_learner *l, const pdr_example *e, int32_t task);
void pdi_asked_let_go(pdr_learner *l, int32_t slot);

/* Room for reading that many slots from the file, and whether they are sound. */
bool pdi_asked_room(pdr_learner *l, int32_t slots);
bool pdi_asked_is_usable(pdr_learner *l);
void pdi_asked_close(pdr_learner *l);

/* ---- entry.c --------------------------------------------------------------------------------- */

/* n examples as bytes, in memory that the caller frees. */
pdr_rc pdi_entry_write(const pdr_learner *l, pdi_entry_kind kind, size_t n, const pdr_example e[],
                       void **bytes, size_t *size, pdr_error *err);

/* The kind of an entry and how many examples it has; example after example. */
typedef struct pdi_entry_reader {
    const pdr_learner *l;
    const unsigned char *bytes;
    size_t size, at;
    pdi_entry_kind kind;
    uint32_t n;
    int64_t number; /* a skip's entry */
    /* Of the example read last: */
    char task[PDI_NAME_MAX + 1], label[PDI_NAME_MAX + 1], id[PDI_ID_MAX + 1];
} pdi_entry_reader;
bool pdi_entry_open(pdi_entry_reader *r, const pdr_learner *l, const void *bytes, size_t size);
bool pdi_entry_next(pdi_entry_reader *r, pdr_example *e);
bool pdi_entry_ends(const pdi_entry_reader *r);

/* ---- the others
 * ---------------------------------------------------------------------------------- */

pdr_rc pdi_learner_put(pdr_learner *l, pdr_error *err); /* keep.c: within a transaction */
pdr_rc pdi_learner_get(pdr_learner *l, pdr_error *err);
void pdi_form_hash(const pdr_learner *l, uint64_t *h);

bool pdi_tally_open(const pdr_learner *l, pdi_tally *t, int64_t window);
void pdi_tally_close(const pdr_learner *l, pdi_tally *t);
/* An answer of the mask's outputs (NULL: of those above -INFINITY). */
void pdi_tally_class(pdi_tally *t, int32_t outputs, const float *logits, const float *mask,
                     int32_t label);
void pdi_tally_target(pdi_tally *t, int32_t targets, const float *y, const float *target);
pdr_score pdi_tally_score(const pdi_tally *t, int32_t outputs, int32_t targets);

/* answer.c: the number of a task that is known (NULL: 0); raw outputs with -INFINITY where
 * the mask allows no answer, in place; those as probabilities. */
pdr_rc pdi_answer_task(const pdr_learner *l, const char *task, int32_t *at, pdr_error *err);
void pdi_answer_bar(const pdr_learner *l, int32_t task, float *y);
void pdi_answer_scores(const pdr_learner *l, const float *y, float *score);

/* teach.c: the batch after so many examples is not to be learned (false: no memory); is it the
 * next one?  Note what an entry says of that; learn what an entry holds. */
bool pdi_teach_skip(pdr_learner *l, uint64_t taken);
bool pdi_teach_is_skipped(const pdr_learner *l);
pdr_rc pdi_teach_note(pdr_learner *l, const void *bytes, size_t n, pdr_error *err);
pdr_rc pdi_teach_entry(pdr_learner *l, int64_t seq, const void *bytes, size_t n, pdr_error *err);

/* teach.c: centre and scale of features, from their moments. */
void pdi_teach_scale(pdr_learner *l);

/* rows.c: the column of the label or target, where nobody says another. */
const char *pdi_learner_label_name(const pdr_learner *l);

/* log.c: a line of the log, within a transaction. */
pdr_rc pdi_log_add(pdr_learner *l, const char *what, const char *name, pdr_error *err);

/* fit.c: whether what a file holds makes a learner: before memory is asked for, and once the
 * state has been read. */
pdr_rc pdi_fit_recipe(const pdr_learner *l, pdr_error *err);
pdr_rc pdi_fit_state(const pdr_learner *l, pdr_error *err);
bool pdi_fit_bytes(const pdr_learner *l, uint64_t bytes); /* may the file stand for so many? */

/* learner.c: as in perdure/learner.h, with the files of a file system that SQLite knows by name
 * (NULL: the machine's). */
pdr_rc pdi_learner_create(const char *path, const pdr_recipe *recipe, const pdr_dataset *like,
                          uint64_t seed, const pdr_learner_how *how, const char *vfs,
                          pdr_learner **out, pdr_error *err);
pdr_rc pdi_learner_open(const char *path, const pdr_learner_how *how, const char *vfs,
                        pdr_learner **out, pdr_error *err);
/* log.c: the state of a snapshot, but the log as it is, and a line more. */
pdr_rc pdi_log_rollback(pdr_learner *l, const char *name, pdr_error *err);

/* learner.c: forget all state in memory, and take it from the file. */
pdr_rc pdi_learner_reload(pdr_learner *l, pdr_error *err);

/* What a method is told of the stream. */
pdr_setting pdi_learner_setting(const pdr_learner *l);

/* Whether a call may go on: the learner is not lost, and may be written to. */
pdr_rc pdi_learner_check(const pdr_learner *l, bool writes, pdr_error *err);

#endif
