/* perdure/episode.h -- few-shot tasks, drawn without end.
 *
 * An episode is a small task: a support set to adapt to and a query set to be judged
 * by.  Two families make them.
 *
 *   classes    way classes of a labelled set are drawn, then shot support and query
 *              query examples of each.  Classes, not examples, are divided into
 *              training, validation and test, so that a test asks for classes never
 *              seen; the examples of a set's two parts are pooled.
 *   sinusoid   y = A sin(f x - p).  Amplitude A, frequency f and phase p are drawn
 *              once an episode, x for every point; shot and query count points.
 *
 *     pdr_episode_options o;
 *     pdr_episodes *e;
 *     float x[5], y[5], query_x[10], query_y[10];
 *     pdr_episode_room room = {
 *         .support_x = x, .support_target = y, .query_x = query_x, .query_target = query_y};
 *     pdr_option_defaults(pdr_episode_option_table, &o);
 *     o.family = PDR_EPISODE_SINUSOID;
 *     o.shot = 5, o.query = 10;
 *     if (pdr_episodes_new(NULL, NULL, &o, 7, &e, &err)) fprintf(stderr, "%s\n", err.text);
 *     for (uint64_t i = 0; e && i < 1000; i++) pdr_episodes_draw(e, PDR_TRAIN, i, &room);
 *     pdr_episodes_free(e);
 *
 * Episode i of a part is a function of data, options, seed, part and i alone: any
 * number may be drawn, in any order, by any threads, and a run that is resumed draws
 * the same with nothing saved.  Which classes go to which part is a function of
 * data, options and seed (PDR_STREAM_EPISODE_SPLIT).
 *
 * ERRORS    What cannot be drawn (more ways than classes, more examples than a class
 *           has, an empty range) is PDR_INPUT when opened, with what would be right.
 *           Drawing cannot fail.
 * OWNERSHIP Episodes borrow their pdr_data, which must outlive them.
 * THREADS   Finished episodes are read-only and may be shared.
 */
#ifndef PERDURE_EPISODE_H
#define PERDURE_EPISODE_H

#include <perdure/data.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_episode_family { PDR_EPISODE_CLASSES, PDR_EPISODE_SINUSOID } pdr_episode_family;

/* Which classes are learned from, held out and tested on.  A class that is turned
 * stays in the part of the class it was made of.
 *
 *   random       test_fraction of all classes are tested on.  Omniglot by default: 423,
 *                and 1200 learned from; with validation 0.0833, 1100 and 100 held out,
 *                as MAML has it
 *   background   those the set's maker set apart for tests (class_part); Omniglot: 964
 *                to learn from, 659 to test on
 *   alphabets    whole groups (class_group), in random order, until test_fraction of the
 *                classes is reached
 *   vinyals      Omniglot as Vinyals et al. 2016 and Prototypical Networks have it:
 *                the last 423 classes are tested on, and with any validation five
 *                alphabets, 172 classes, are held out of the other 1200
 *
 * In random, background and alphabets, validation is a share of the classes not tested
 * on, taken at random, in alphabets by whole groups.  Shares are rounded to whole
 * classes. */
typedef enum pdr_class_split {
    PDR_CLASSES_RANDOM,
    PDR_CLASSES_BACKGROUND,
    PDR_CLASSES_ALPHABETS,
    PDR_CLASSES_VINYALS
} pdr_class_split;

/* Where a model normalises examples by the batch they are in, a test's queries are
 * answered together, which tells each something of the others, or each alone beside the
 * support set.  Published figures differ by more than two points between the two. */
typedef enum pdr_normalisation {
    PDR_NORMALISATION_TRANSDUCTIVE,
    PDR_NORMALISATION_INDUCTIVE
} pdr_normalisation;

/* The recipe's `episodes:` section.  In the sinusoid family way is taken as 1, and
 * split, shares, turns and invert mean nothing; in the classes family the ranges. */
typedef struct pdr_episode_options {
    int family;                                 /* pdr_episode_family */
    int64_t way, shot, query;                   /* classes; support and query examples of each */
    int64_t train_way, train_shot, train_query; /* in training; 0: as way, shot, query */
    int64_t tasks;                              /* episodes a training step: the meta-batch */
    int64_t finite;       /* training episodes there are; 0: without end.  See below */
    int split;            /* pdr_class_split */
    double test_fraction; /* share of all classes that is tested on */
    double validation;    /* share of the others that is held out */
    bool rotations;       /* training: turned by 0, 90, 180, 270 degrees a class is four */
    bool test_rotations;  /* the same in validation and test */
    bool invert;          /* a pixel p of an image of bytes becomes 1 - p */
    int64_t test_episodes;
    int64_t test_steps;  /* steps of adaptation told at test: 0 .. test_steps; 0: as trained */
    int64_t scored_step; /* the number of steps whose score is the run's; -1: test_steps */
    int normalisation;   /* pdr_normalisation, in a test */
    double diverged;     /* a loss above this counts as diverged, and not in the mean; 0: none */
    double amplitude_lo, amplitude_hi;
    double phase_lo, phase_hi;
    double frequency_lo, frequency_hi;
    double x_lo, x_hi;
    double noise; /* standard deviation of y's error, as a share of the amplitude */
} pdr_episode_options;

extern const pdr_option pdr_episode_option_table[];

/* With finite, the training part has that many episodes, number 0 to finite - 1 of
 * what it would be without end, the same to the bit whenever they come round: every
 * one once in a pass, each pass in an order of its own. */

/* The largest way, shot and query, and the most examples an episode may have. */
#define PDR_EPISODE_WAY  2048
#define PDR_EPISODE_ROWS 1048576

typedef struct pdr_episodes pdr_episodes;

/* data is NULL for the sinusoid family, and may be for no other. */
pdr_rc pdr_episodes_new(const pdr_alloc *alloc, const pdr_data *data, const pdr_episode_options *o,
                        uint64_t seed, pdr_episodes **out, pdr_error *err);
void pdr_episodes_free(pdr_episodes *e);

bool pdr_episodes_is_regression(const pdr_episodes *e);
pdr_shape pdr_episodes_shape(const pdr_episodes *e); /* of one example; sinusoid: [1] */

/* Outputs, which is the labels of an episode; 1 for the sinusoid family. */
int32_t pdr_episodes_way(const pdr_episodes *e, pdr_part part);

/* Examples in a support and in a query set: way times shot, way times query. */
int32_t pdr_episodes_support(const pdr_episodes *e, pdr_part part);
int32_t pdr_episodes_query(const pdr_episodes *e, pdr_part part);

/* Classes of a part, turned ones counted; 0 for the sinusoid family.  A validation part
 * with no class has no episode either. */
int32_t pdr_episodes_classes(const pdr_episodes *e, pdr_part part);

/* Where an episode goes.  x is [examples, size(shape)]; label (classes) or target
 * (sinusoid) is [examples], and the other is left alone.  NULL is not wanted. */
typedef struct pdr_episode_room {
    float *support_x, *query_x;
    int32_t *support_label, *query_label;
    float *support_target, *query_target;
} pdr_episode_room;

/* Write episode i, below 2^40, of a part.
 *
 * classes: the classes are different ones, in random order, which is that of their
 * labels 0 .. way-1; the examples of a class are different ones, so support and query
 * share none.  Rows go by label: all of label 0, then all of label 1.
 *
 * sinusoid: y has noise, but for the query set of validation and test, which judges
 * and so is exact. */
void pdr_episodes_draw(const pdr_episodes *e, pdr_part part, uint64_t i,
                       const pdr_episode_room *to);

/* The curve of episode i: y = amplitude sin(frequency x - phase).  All 0 for classes. */
typedef struct pdr_sinusoid {
    double amplitude, frequency, phase;
} pdr_sinusoid;
pdr_sinusoid pdr_episodes_sinusoid(const pdr_episodes *e, pdr_part part, uint64_t i);

/* What label c of episode i is: "Greek/character07, turned by 90 degrees", or
 * "3.14 sin(1.00 x - 0.50)".  Written to text, cut to size. */
void pdr_episodes_label_name(const pdr_episodes *e, pdr_part part, uint64_t i, int32_t c,
                             char text[], size_t size);

/* One line for reports: "5-way 1-shot, 1100 classes to learn from, 100 held out, 423 to
 * test on". */
void pdr_episodes_describe(const pdr_episodes *e, char text[], size_t size);

#ifdef __cplusplus
}
#endif
#endif
