/* perdure/scenario.h -- a labelled set as a stream of tasks.
 *
 * The three scenarios of van de Ven, Tuytelaars & Tolias, "Three types of
 * incremental learning", Nature Machine Intelligence 4, 2022:
 *
 *   task-incremental    the task is known at test time: one head a task
 *   domain-incremental  same outputs for every task, the task is unknown
 *   class-incremental   every class has its output, the task is unknown
 *
 * and two ways to make tasks: split the classes into equal groups, or keep all
 * classes and transform the images (one fixed permutation, or one rotation, a
 * task).  With one task a scenario is ordinary supervised learning.  Real targets
 * are learned in one task, or in several of a domain-incremental stream.
 *
 *                       split: classes           split: permutation, rotation, none
 *   outputs, task/class all classes              tasks x classes
 *   outputs, domain     classes / tasks          classes
 *
 * Task follows task.  Where boundaries are hidden, a method is not told when one ends
 * and the next begins; where they are blurred besides, the examples of two tasks mix
 * for a while, fewer and fewer of the one and more and more of the other.  Tests are
 * the same in every case, and so is what is learned from: each example as often.
 *
 * Everything random is a function of the seed alone: class order, permutations and
 * angles of PDR_STREAM_SCENARIO, held-out and limited examples of PDR_STREAM_SPLIT.
 * Permutation and angle of a task depend neither on first_plain nor, but for an angle of
 * bins, on the number of tasks.  With transformed images the same examples are held out for every
 * task.
 *
 *     pdr_scenario s;
 *     pdr_stream *stream;
 *     pdr_option_defaults(pdr_scenario_option_table, &s);
 *     s.split = PDR_SPLIT_CLASSES;
 *     s.tasks = 5;
 *     if (pdr_stream_new(NULL, &data, &s, 1, &stream, &err)) fputs(err.text, stderr);
 *     pdr_stream_free(stream);
 *
 * ERRORS    An impossible split (10 classes into 3 tasks, a rotation of things
 *           that are not images, no example of a class, a task with nothing to tell
 *           apart) is PDR_INPUT.
 * OWNERSHIP A stream borrows its pdr_data, which must outlive it.
 * THREADS   A finished stream is read-only and may be shared.
 */
#ifndef PERDURE_SCENARIO_H
#define PERDURE_SCENARIO_H

#include <perdure/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_scenario_type { PDR_TASK_IL, PDR_DOMAIN_IL, PDR_CLASS_IL } pdr_scenario_type;
typedef enum pdr_split {
    PDR_SPLIT_CLASSES,
    PDR_SPLIT_PERMUTATION,
    PDR_SPLIT_ROTATION,
    PDR_SPLIT_NONE
} pdr_split;

/* How the angles of PDR_SPLIT_ROTATION are drawn, of n tasks below max_rotation: each
 * uniform on [0, max), or task t's, from 0, on [t, t + 1) max / n, so that they rise
 * (Lopez-Paz & Ranzato, "Gradient episodic memory", NeurIPS 2017, and La-MAML). */
typedef enum pdr_angles { PDR_ANGLES_UNIFORM, PDR_ANGLES_BINS } pdr_angles;

typedef enum pdr_boundaries { PDR_BOUNDARIES_VISIBLE, PDR_BOUNDARIES_HIDDEN } pdr_boundaries;

/* The recipe's `scenario:` section. */
typedef struct pdr_scenario {
    int type;  /* pdr_scenario_type */
    int split; /* pdr_split; PDR_SPLIT_NONE makes one task */
    int64_t tasks;
    bool shuffle_classes; /* split classes: random assignment by seed, or 0,1 / 2,3 / ... */
    bool first_plain;     /* permutation, rotation: the first task keeps its images as they are */
    double max_rotation;  /* degrees counter-clockwise; angles are below it */
    int angles;           /* pdr_angles */
    int boundaries;       /* pdr_boundaries; hidden does not go with task-incremental */
    double blur;          /* share of a task's steps in which its examples mix with those of
                             the tasks beside it; above 0 only where boundaries are hidden */
    double validation;    /* fraction of every task's training part held out */
    int64_t limit;        /* training examples a task, drawn at random; 0 for all */
} pdr_scenario;

extern const pdr_option pdr_scenario_option_table[];

typedef struct pdr_stream pdr_stream;

pdr_rc pdr_stream_new(const pdr_alloc *alloc, const pdr_data *data, const pdr_scenario *s,
                      uint64_t seed, pdr_stream **out, pdr_error *err);
void pdr_stream_free(pdr_stream *s);

int32_t pdr_stream_tasks(const pdr_stream *s);
pdr_shape pdr_stream_shape(const pdr_stream *s); /* of one example's features */
int32_t pdr_stream_outputs(const pdr_stream *s); /* width of the output layer */
bool pdr_stream_is_regression(const pdr_stream *s);
double pdr_stream_target_unit(const pdr_stream *s); /* multiply errors by it */
size_t pdr_stream_size(const pdr_stream *s, pdr_part part, int32_t task);

/* Whether a method is told when a task ends, and how far tasks mix: see pdr_scenario.
 * How mixing changes the order of examples is said in src/experiment/order.h. */
bool pdr_stream_has_boundaries(const pdr_stream *s);
double pdr_stream_blur(const pdr_stream *s);

/* mask[c] = 1 when output c may be the answer for task, else 0.  Only
 * task-incremental streams have zeros. */
void pdr_stream_mask(const pdr_stream *s, int32_t task, float mask[]);

/* Whether any mask has a zero. */
bool pdr_stream_is_masked(const pdr_stream *s);

/* first[c] = the first task in which output c appears. */
void pdr_stream_first_task(const pdr_stream *s, int32_t first[]);

/* Example i of a part of a task: features, and either its output index (label)
 * or its real targets (target, NULL otherwise).  A rotated image is interpolated
 * between four pixels about its centre; what comes from outside is 0. */
void pdr_stream_read(const pdr_stream *s, pdr_part part, int32_t task, size_t i, float x[],
                     int32_t *label, float target[]);

/* What output c of a task means ("Sneaker"), or task's own name ("task 2: Coat, Bag").
 * Written to text, cut to size. */
void pdr_stream_output_name(const pdr_stream *s, int32_t task, int32_t c, char text[], size_t size);
void pdr_stream_task_name(const pdr_stream *s, int32_t task, char text[], size_t size);

#ifdef __cplusplus
}
#endif
#endif
