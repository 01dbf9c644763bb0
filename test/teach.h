/* teach.h -- a small model taught by a method, for the tests of methods. */
#ifndef TEACH_H
#define TEACH_H

#include "method/methods.h"
#include "method/trainer.h"

enum { TEACH_BATCH = 16, TEACH_LAYERS = 6, TEACH_SET = 9 };

/* A kind by name and "key", "value" pairs of its options, NULL-terminated. */
typedef struct teach_choice {
    const char *name;
    const char *set[TEACH_SET];
} teach_choice;

typedef struct teach_how {
    teach_choice method, optimizer, layer[TEACH_LAYERS];
    pdr_shape example;
    int32_t outputs, tasks;
    bool masked;            /* outputs / tasks of them for each task, and the task is known */
    bool class_incremental; /* the same outputs, but all may be the answer */
    double l2, clip_norm;
    uint64_t seed;
} teach_how;

typedef struct teach {
    const teach_how *how;
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *t;
    void *option[2 + TEACH_LAYERS];
    float *mask;
    int32_t *first_task;
} teach;

/* The whole fixture; it fails the test where it cannot be had. */
void teach_open(teach *f, const teach_how *how, int threads);
void teach_close(teach *f);

/* Only the trainer anew, on another allocator (NULL: the usual one). */
pdr_rc teach_again(teach *f, const pdr_alloc *alloc);

/* Example i of a task: features in 0 .. 1, and a label that is one of the task's. */
void teach_example(const teach_how *how, int32_t task, int32_t i, float x[], int32_t *label);

/* Examples first .. first + n - 1 of a task where a run takes them from. */
void teach_put(teach *f, int32_t task, int32_t first, int32_t n);

double teach_step(teach *f, int32_t n, float rate);

/* The tensor of state called so; it fails the test where there is none. */
const pdi_tensor *teach_tensor(const teach *f, const char *name);
float teach_value(const teach *f, const char *name, size_t i);

/* A task learned from start to end: all its phases (a few steps each), the pass over n
 * examples, what the memory takes, the end. */
pdr_rc teach_task(teach *f, int32_t task, int32_t n, pdr_error *err);

/* Every task in turn, all tested after each if tests is set; after task `stop` (-1: never)
 * what pdi_trainer_each() shows is taken back by a fresh trainer, which goes on. */
uint64_t teach_life(const teach_how *how, int threads, bool tests, int32_t stop);

/* What every method must do: the same bits for any number of threads, tested or not,
 * stopped after any task or not; no allocation refused is one too many. */
void teach_promises(const teach_how *how);

/* Within tolerance of want, or the test fails. */
void teach_near(double x, double want, double tolerance);

#endif
