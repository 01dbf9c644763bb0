/* data/episode.c -- few-shot tasks as a function of their number.
 *
 * Episode i of a part owns 2^24 places of its part's stream of random numbers, from
 * i * 2^24 on.  Classes take the first of them, in the order of the labels, then the
 * examples of each class, or the curve and its points. */
#include "data/episode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/dataset.h"
#include "data/show.h"

static const char *const episode_families[] = {"classes", "sinusoid", NULL};
static const char *const episode_splits[] = {"random", "background", "alphabets", "vinyals", NULL};

static const char *const episode_normalisations[] = {"transductive", "inductive", NULL};

#define EPISODE_PI 3.14159265358979323846

/* The sinusoid's ranges are those of MAML. */
const pdr_option pdr_episode_option_table[] = {
    PDR_OPTION_CHOICE(pdr_episode_options, family, episode_families, PDR_EPISODE_CLASSES,
                      "what a task is: classes of the data, or a curve"),
    PDR_OPTION_COUNT(pdr_episode_options, way, 5, 1, PDR_EPISODE_WAY, "classes an episode"),
    PDR_OPTION_COUNT(pdr_episode_options, shot, 1, 1, PDR_EPISODE_WAY,
                     "support examples a class; sinusoid: points"),
    PDR_OPTION_COUNT(pdr_episode_options, query, 5, 1, PDR_EPISODE_WAY,
                     "query examples a class; sinusoid: points"),
    PDR_OPTION_COUNT(pdr_episode_options, train_way, 0, 0, PDR_EPISODE_WAY,
                     "way in training; 0 for the same"),
    PDR_OPTION_COUNT(pdr_episode_options, train_shot, 0, 0, PDR_EPISODE_WAY,
                     "shot in training; 0 for the same"),
    PDR_OPTION_COUNT(pdr_episode_options, train_query, 0, 0, PDR_EPISODE_WAY,
                     "query in training; 0 for the same"),
    PDR_OPTION_COUNT(pdr_episode_options, tasks, 16, 1, 1e6, "episodes a training step"),
    PDR_OPTION_COUNT(pdr_episode_options, finite, 0, 0, 1e9,
                     "training episodes there are; 0 for new ones without end"),
    PDR_OPTION_CHOICE(pdr_episode_options, split, episode_splits, PDR_CLASSES_RANDOM,
                      "which classes are learned from, held out and tested on"),
    PDR_OPTION_REAL(pdr_episode_options, test_fraction, 0.2606, 0, 1,
                    "share of the classes that is tested on"),
    PDR_OPTION_REAL(pdr_episode_options, validation, 0, 0, 1,
                    "share of the other classes that is held out"),
    PDR_OPTION_FLAG(pdr_episode_options, rotations, false,
                    "turn every class by 0, 90, 180 and 270 degrees into four, to learn from"),
    PDR_OPTION_FLAG(pdr_episode_options, test_rotations, false,
                    "the same for held-out and tested classes"),
    PDR_OPTION_FLAG(pdr_episode_options, invert, false, "white for black"),
    PDR_OPTION_COUNT(pdr_episode_options, test_episodes, 600, 1, 1e6, "episodes to test on"),
    PDR_OPTION_COUNT(pdr_episode_options, test_steps, 0, 0, 1e5,
                     "steps of adaptation to report at test; 0 as in training"),
    PDR_OPTION_COUNT(pdr_episode_options, scored_step, -1, -1, 1e5,
                     "the number of steps whose score is the run's; -1 for test_steps"),
    PDR_OPTION_CHOICE(pdr_episode_options, normalisation, episode_normalisations,
                      PDR_NORMALISATION_TRANSDUCTIVE,
                      "answer a test's queries together, or each alone beside the support set"),
    PDR_OPTION_REAL(pdr_episode_options, diverged, 50, 0, 1e30,
                    "real targets: a loss above this is a diverged episode; 0 for none"),
    PDR_OPTION_REAL(pdr_episode_options, amplitude_lo, 0.1, -1e6, 1e6, "sinusoid: least amplitude"),
    PDR_OPTION_REAL(pdr_episode_options, amplitude_hi, 5, -1e6, 1e6, "sinusoid: most"),
    PDR_OPTION_REAL(pdr_episode_options, phase_lo, 0, -1e6, 1e6, "sinusoid: least phase"),
    PDR_OPTION_REAL(pdr_episode_options, phase_hi, EPISODE_PI, -1e6, 1e6, "sinusoid: most"),
    PDR_OPTION_REAL(pdr_episode_options, frequency_lo, 1, -1e6, 1e6, "sinusoid: least frequency"),
    PDR_OPTION_REAL(pdr_episode_options, frequency_hi, 1, -1e6, 1e6, "sinusoid: most"),
    PDR_OPTION_REAL(pdr_episode_options, x_lo, -5, -1e6, 1e6, "sinusoid: least x"),
    PDR_OPTION_REAL(pdr_episode_options, x_hi, 5, -1e6, 1e6, "sinusoid: most"),
    PDR_OPTION_REAL(pdr_episode_options, noise, 0, 0, 1e6,
                    "sinusoid: spread of y's error as a share of the amplitude"),
    PDR_OPTION_END,
};

/* Draws an episode may take, as a power of two: 16 for each of PDR_EPISODE_ROWS. */
enum { EPISODE_DRAWS = 24 };

/* Sub-streams of PDR_STREAM_EPISODE: a part's number, or this for passes. */
enum { EPISODE_PASSES = 3 };

typedef struct episode_part {
    int32_t way, shot, query;
    int32_t n, turns; /* classes as the set has them, and turns of each */
    int32_t *class;   /* [n] */
} episode_part;

struct pdr_episodes {
    const pdr_alloc *alloc;
    const pdr_data *data; /* NULL: sinusoid */
    pdr_episode_options how;
    uint64_t seed;
    episode_part part[3];
    uint8_t *split;    /* [classes] pdr_part */
    uint32_t *first;   /* [classes + 1] where a class begins in example */
    uint32_t *example; /* of the training part, then those of the test part */
};

static const char *const episode_part_name[] = {"training", "validation", "test"};

/* ---- what cannot be ---- */

/* Every option within its row's range, as the recipe's reader sees to. */
static pdr_rc episode_check_ranges(const pdr_episode_options *o, pdr_error *err)
{
    pdr_episode_options copy;
    if (o->family < 0 || o->family > PDR_EPISODE_SINUSOID || o->split < 0 ||
        o->split > PDR_CLASSES_VINYALS)
        return pdi_fail(err, PDR_USAGE, "episodes: there is no such family or split");
    for (const pdr_option *row = pdr_episode_option_table; row->name; row++) {
        char text[PDR_OPTION_TEXT_MAX];
        pdr_error why = PDR_NO_ERROR;
        pdr_option_get(row, o, text);
        if (pdr_option_set(row, &copy, text, &why))
            return pdi_fail(err, PDR_INPUT, "episodes.%s", why.text);
    }
    return PDR_OK;
}

static pdr_rc episode_check_data(const pdr_data *data, const pdr_episode_options *o, pdr_error *err)
{
    const pdr_dataset *d = &data->train;
    char shape[PDR_SHAPE_TEXT];
    pdr_rc rc = pdi_dataset_check(d, d, "training", err);
    if (!rc && data->test.examples) rc = pdi_dataset_check(&data->test, d, "test", err);
    if (rc) return rc;
    if (!d->classes)
        return pdi_fail(err, PDR_INPUT,
                        "episodes.family: the set has real targets and no classes; give a set "
                        "with classes, or take the family sinusoid");
    if ((o->rotations || o->test_rotations) &&
        (d->shape.rank != 3 || d->shape.dim[1] != d->shape.dim[2]))
        return pdi_fail(err, PDR_INPUT,
                        "episodes.rotations: examples of shape %s are not square images and "
                        "cannot be turned; leave out rotations and test_rotations",
                        pdr_shape_text(&d->shape, shape));
    if (o->invert && d->storage != PDR_BYTES)
        return pdi_fail(err, PDR_INPUT,
                        "episodes.invert: the examples are not images of bytes; leave it out, and "
                        "data.standardise with images");
    if ((uint64_t)d->examples + data->test.examples > UINT32_MAX)
        return pdi_fail(err, PDR_INPUT, "episodes: the set has 2^32 examples or more");
    return PDR_OK;
}

static const char *episode_class_name(const pdr_episodes *e, int32_t c, char show[PDI_SHOW])
{
    char *const *name = e->data->train.class_name;
    if (name) return pdi_show(show, name[c]);
    snprintf(show, PDI_SHOW, "%" PRId32, c);
    return show;
}

/* The key that says how many: in training its own, where it is given. */
static const char *episode_key(const pdr_episodes *e, pdr_part part, const char *key)
{
    char own[32];
    snprintf(own, sizeof own, "train_%s", key);
    const pdr_option *row = pdr_option_find(pdr_episode_option_table, own);
    int64_t given = *(const int64_t *)(const void *)((const char *)&e->how + row->at);
    return part == PDR_TRAIN && given ? row->name : key;
}

static pdr_rc episode_check_way(const pdr_episodes *e, pdr_part part, pdr_error *err)
{
    const episode_part *p = &e->part[part];
    int32_t n = p->n * p->turns;
    if (p->way <= n || (part == PDR_VALIDATION && !n)) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "episodes.%s: %" PRId32 " classes an episode, but the %s part has %" PRId32
                    "%s; give at most that, or divide the classes otherwise (split, "
                    "test_fraction, validation)",
                    episode_key(e, part, "way"), p->way, episode_part_name[part], n,
                    p->turns > 1 ? ", turned ones counted" : "");
}

static pdr_rc episode_check_shot(const pdr_episodes *e, pdr_part part, pdr_error *err)
{
    const episode_part *p = &e->part[part];
    char show[PDI_SHOW];
    for (int32_t k = 0; k < p->n; k++) {
        int32_t c = p->class[k];
        uint32_t n = e->first[c + 1] - e->first[c];
        if (n < (uint32_t)(p->shot + p->query))
            return pdi_fail(
                err, PDR_INPUT,
                "episodes.%s: class %s of the %s part has %" PRIu32 " examples; %" PRId32
                " to adapt to and %" PRId32 " to judge by are more; give fewer",
                episode_key(e, part, p->shot > p->query ? "shot" : "query"),
                episode_class_name(e, c, show), episode_part_name[part], n, p->shot, p->query);
    }
    return PDR_OK;
}

static pdr_rc episode_check_parts(const pdr_episodes *e, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (pdr_part part = PDR_TRAIN; !rc && part <= PDR_TEST; part++) {
        const episode_part *p = &e->part[part];
        int64_t rows = (int64_t)p->way * (p->shot + p->query);
        if (rows > PDR_EPISODE_ROWS)
            rc = pdi_fail(err, PDR_INPUT,
                          "episodes.%s: %" PRId32 " classes of %" PRId32
                          " examples are too many for an episode; give at most %d in all",
                          episode_key(e, part, "way"), p->way, p->shot + p->query,
                          PDR_EPISODE_ROWS);
        if (!rc && e->data) rc = episode_check_way(e, part, err);
        if (!rc && e->data) rc = episode_check_shot(e, part, err);
    }
    return rc;
}

/* ---- making and freeing ---- */

static void episode_sizes(pdr_episodes *e)
{
    const pdr_episode_options *o = &e->how;
    bool curve = o->family == PDR_EPISODE_SINUSOID;
    for (int part = PDR_TRAIN; part <= PDR_TEST; part++) {
        episode_part *p = &e->part[part];
        bool train = part == PDR_TRAIN;
        p->way = curve ? 1 : (int32_t)(train && o->train_way ? o->train_way : o->way);
        p->shot = (int32_t)(train && o->train_shot ? o->train_shot : o->shot);
        p->query = (int32_t)(train && o->train_query ? o->train_query : o->query);
        p->turns = (train ? o->rotations : o->test_rotations) ? 4 : 1;
    }
}

static const int32_t *episode_labels(const pdr_data *data, int which, size_t *n)
{
    const pdr_dataset *d = which ? &data->test : &data->train;
    *n = d->examples;
    return d->label;
}

/* The examples of both parts of the set, listed by class. */
static pdr_rc episode_list(pdr_episodes *e, pdr_error *err)
{
    size_t classes = (size_t)e->data->train.classes, n;
    e->first = pdi_new(e->alloc, classes + 1, sizeof *e->first);
    e->example = pdi_new(e->alloc, e->data->train.examples + e->data->test.examples,
                         sizeof *e->example);
    uint32_t *next = pdi_new(e->alloc, classes, sizeof *next), at = 0;
    pdr_rc rc = e->first && e->example && next ? PDR_OK : pdi_nomem(err);
    for (int which = 0; !rc && which < 2; which++) {
        const int32_t *label = episode_labels(e->data, which, &n);
        for (size_t i = 0; i < n; i++) e->first[label[i] + 1]++;
    }
    for (size_t c = 0; !rc && c < classes; c++) next[c] = e->first[c + 1] += e->first[c];
    for (size_t c = 0; !rc && c < classes; c++) next[c] = e->first[c];
    for (int which = 0; !rc && which < 2; which++) {
        const int32_t *label = episode_labels(e->data, which, &n);
        for (size_t i = 0; i < n; i++) e->example[next[label[i]]++] = at++;
    }
    pdi_free(e->alloc, next);
    return rc;
}

/* The classes of every part, in the set's order. */
static pdr_rc episode_deal(pdr_episodes *e, pdr_error *err)
{
    int32_t classes = e->data->train.classes;
    for (int32_t c = 0; c < classes; c++) e->part[e->split[c]].n++;
    for (int part = PDR_TRAIN; part <= PDR_TEST; part++) {
        episode_part *p = &e->part[part];
        p->class = pdi_new(e->alloc, (size_t)p->n, sizeof *p->class);
        if (!p->class) return pdi_nomem(err);
        int32_t k = 0;
        for (int32_t c = 0; c < classes; c++)
            if (e->split[c] == part) p->class[k++] = c;
    }
    return PDR_OK;
}

static pdr_rc episode_fill(pdr_episodes *e, pdr_error *err)
{
    episode_sizes(e);
    if (!e->data) return episode_check_parts(e, err);
    e->split = pdi_new(e->alloc, (size_t)e->data->train.classes, sizeof *e->split);
    if (!e->split) return pdi_nomem(err);
    pdr_rc rc = pdi_class_split(e->alloc, &e->data->train, &e->how, e->seed, e->split, err);
    if (!rc) rc = episode_deal(e, err);
    if (!rc) rc = episode_list(e, err);
    return rc ? rc : episode_check_parts(e, err);
}

static pdr_rc episode_check(const pdr_data *data, const pdr_episode_options *o, pdr_error *err)
{
    pdr_rc rc = episode_check_ranges(o, err);
    if (rc) return rc;
    if (o->family == PDR_EPISODE_SINUSOID) return pdi_sinusoid_check(o, err);
    if (!data) return pdi_fail(err, PDR_INPUT, "episodes.family: classes needs data; give a set");
    return episode_check_data(data, o, err);
}

pdr_rc pdr_episodes_new(const pdr_alloc *alloc, const pdr_data *data, const pdr_episode_options *o,
                        uint64_t seed, pdr_episodes **out, pdr_error *err)
{
    *out = NULL;
    pdr_rc rc = episode_check(data, o, err);
    if (rc) return rc;
    alloc = pdi_alloc_or_default(alloc);
    pdr_episodes *e = pdi_new(alloc, 1, sizeof *e);
    if (!e) return pdi_nomem(err);
    e->alloc = alloc;
    e->data = o->family == PDR_EPISODE_CLASSES ? data : NULL;
    e->how = *o;
    e->seed = seed;
    rc = episode_fill(e, err);
    if (rc)
        pdr_episodes_free(e);
    else
        *out = e;
    return rc;
}

void pdr_episodes_free(pdr_episodes *e)
{
    if (!e) return;
    for (int part = PDR_TRAIN; part <= PDR_TEST; part++) pdi_free(e->alloc, e->part[part].class);
    pdi_free(e->alloc, e->split);
    pdi_free(e->alloc, e->first);
    pdi_free(e->alloc, e->example);
    pdi_free(e->alloc, e);
}

/* ---- asking ---- */

bool pdr_episodes_is_regression(const pdr_episodes *e) { return !e->data; }

pdr_shape pdr_episodes_shape(const pdr_episodes *e)
{
    return e->data ? e->data->train.shape : PDR_SHAPE(1);
}

int32_t pdr_episodes_way(const pdr_episodes *e, pdr_part part) { return e->part[part].way; }

int32_t pdr_episodes_support(const pdr_episodes *e, pdr_part part)
{
    return e->part[part].way * e->part[part].shot;
}

int32_t pdr_episodes_query(const pdr_episodes *e, pdr_part part)
{
    return e->part[part].way * e->part[part].query;
}

int32_t pdr_episodes_classes(const pdr_episodes *e, pdr_part part)
{
    return e->part[part].n * e->part[part].turns;
}

/* ---- which episode ---- */

/* Place of p among n under a permutation of its own for every pass: four rounds of a
 * Feistel network over the next power of four, walked until it is below n (Black &
 * Rogaway, "Ciphers with arbitrary finite domains", 2002).  Nothing is kept. */
static uint64_t episode_shuffled(uint64_t seed, uint64_t pass, uint64_t n, uint64_t p)
{
    int half = 1;
    while (((uint64_t)1 << (2 * half)) < n) half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t left = p >> half, right = p & mask;
            pdr_rng rng = {.seed = seed,
                           .stream = PDR_STREAM_EPISODE,
                           .sub = EPISODE_PASSES,
                           .counter = (pass * 4 + round) << 20 | right};
            p = right << half | (left ^ (pdr_rng_u32(&rng) & mask));
        }
    } while (p >= n);
    return p;
}

/* The first random number of an episode. */
static pdr_rng episode_rng(const pdr_episodes *e, pdr_part part, uint64_t i)
{
    uint64_t n = (uint64_t)e->how.finite;
    if (n && part == PDR_TRAIN) i = episode_shuffled(e->seed, i / n, n, i % n);
    return (pdr_rng){.seed = e->seed,
                     .stream = PDR_STREAM_EPISODE,
                     .sub = (uint32_t)part,
                     .counter = i << EPISODE_DRAWS};
}

/* n different numbers below from, in random order.  The k-th is uniform among those
 * that are left; sorted keeps those that are taken. */
static void episode_pick(pdr_rng *rng, uint32_t from, uint32_t n, uint32_t out[], uint32_t sorted[])
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = pdr_rng_below(rng, from - k), at = 0;
        for (; at < k && sorted[at] <= v; at++) v++;
        memmove(sorted + at + 1, sorted + at, (k - at) * sizeof *sorted);
        sorted[at] = v;
        out[k] = v;
    }
}

/* ---- drawing classes ---- */

/* Where the pixels of an image turned counter-clockwise come from: pixel (r, c) of side s
 * is number from + r down + c right. */
typedef struct episode_walk {
    ptrdiff_t from, down, right;
} episode_walk;

static episode_walk episode_turn(int32_t turn, ptrdiff_t s)
{
    switch (turn) {
    case 1: return (episode_walk){s - 1, -1, s};
    case 2: return (episode_walk){s * s - 1, -s, -1};
    case 3: return (episode_walk){s * (s - 1), 1, -s};
    default: return (episode_walk){0, s, 1};
    }
}

/* An example of bytes inverted, or of floats, turned.  bytes is a constant wherever
 * this is inlined. */
static inline float episode_pixel(bool bytes, int flip, const void *x, ptrdiff_t k)
{
    return bytes ? (float)(((const uint8_t *)x)[k] ^ flip) * 0x1.010102p-8f : ((const float *)x)[k];
}

static inline void episode_plane(bool bytes, int flip, const void *from, episode_walk w, int32_t s,
                                 float x[])
{
    for (int32_t r = 0; r < s; r++)
        for (int32_t c = 0; c < s; c++)
            *x++ = episode_pixel(bytes, flip, from, w.from + r * w.down + c * w.right);
}

static void episode_turned(const pdr_dataset *d, size_t at, int32_t turn, int flip, float x[])
{
    int32_t s = d->shape.dim[1];
    size_t plane = (size_t)s * (size_t)s, channels = (size_t)d->shape.dim[0];
    episode_walk w = episode_turn(turn, s);
    for (size_t k = 0; k < channels; k++, x += plane) {
        size_t from = (at * channels + k) * plane;
        if (d->storage == PDR_BYTES)
            episode_plane(true, flip, (const uint8_t *)d->x + from, w, s, x);
        else
            episode_plane(false, 0, (const float *)d->x + from, w, s, x);
    }
}

/* Pooled example `at`, turned and inverted. */
static void episode_example(const pdr_episodes *e, uint32_t at, int32_t turn, float x[])
{
    bool is_test = at >= e->data->train.examples;
    const pdr_dataset *d = is_test ? &e->data->test : &e->data->train;
    size_t i = is_test ? at - e->data->train.examples : at, n = pdi_dataset_size(d);
    int flip = e->how.invert ? 255 : 0;
    if (turn)
        episode_turned(d, i, turn, flip, x);
    else if (flip)
        for (size_t k = 0; k < n; k++)
            x[k] = episode_pixel(true, flip, (const uint8_t *)d->x + i * n, (ptrdiff_t)k);
    else
        pdr_dataset_read(d, i, x);
}

/* Rows k of label c: some examples of a class. */
static void episode_rows(const pdr_episodes *e, int32_t class, int32_t turn, const uint32_t pick[],
                         int32_t n, int32_t c, float *x, int32_t *label)
{
    size_t size = pdi_dataset_size(&e->data->train), row = (size_t)c * (size_t)n;
    for (int32_t k = 0; k < n; k++, row++) {
        if (label) label[row] = c;
        if (x) episode_example(e, e->example[e->first[class] + pick[k]], turn, x + row * size);
    }
}

static void episode_classes(const pdr_episodes *e, const episode_part *p, pdr_rng *rng,
                            const pdr_episode_room *to)
{
    uint32_t class[PDR_EPISODE_WAY], pick[2 * PDR_EPISODE_WAY], sorted[2 * PDR_EPISODE_WAY];
    episode_pick(rng, (uint32_t)(p->n * p->turns), (uint32_t)p->way, class, sorted);
    for (int32_t c = 0; c < p->way; c++) {
        int32_t k = p->class[class[c] % (uint32_t)p->n],
                turn = (int32_t)(class[c] / (uint32_t)p->n);
        episode_pick(rng, e->first[k + 1] - e->first[k], (uint32_t)(p->shot + p->query), pick,
                     sorted);
        episode_rows(e, k, turn, pick, p->shot, c, to->support_x, to->support_label);
        episode_rows(e, k, turn, pick + p->shot, p->query, c, to->query_x, to->query_label);
    }
}

void pdr_episodes_draw(const pdr_episodes *e, pdr_part part, uint64_t i, const pdr_episode_room *to)
{
    const episode_part *p = &e->part[part];
    pdr_rng rng = episode_rng(e, part, i);
    if (e->data) {
        episode_classes(e, p, &rng, to);
        return;
    }
    pdr_sinusoid s = pdi_sinusoid_draw(&e->how, &rng);
    pdi_sinusoid_points(&e->how, &s, true, p->shot, &rng, to->support_x, to->support_target);
    pdi_sinusoid_points(&e->how, &s, part == PDR_TRAIN, p->query, &rng, to->query_x,
                        to->query_target);
}

/* ---- names ---- */

pdr_sinusoid pdr_episodes_sinusoid(const pdr_episodes *e, pdr_part part, uint64_t i)
{
    pdr_rng rng = episode_rng(e, part, i);
    return e->data ? (pdr_sinusoid){0} : pdi_sinusoid_draw(&e->how, &rng);
}

void pdr_episodes_label_name(const pdr_episodes *e, pdr_part part, uint64_t i, int32_t c,
                             char text[], size_t size)
{
    const episode_part *p = &e->part[part];
    uint32_t class[PDR_EPISODE_WAY], sorted[PDR_EPISODE_WAY];
    char show[PDI_SHOW];
    pdr_rng rng = episode_rng(e, part, i);
    if (!e->data) {
        pdr_sinusoid s = pdi_sinusoid_draw(&e->how, &rng);
        snprintf(text, size, "%.2f sin(%.2f x %c %.2f)", s.amplitude, s.frequency,
                 s.phase < 0 ? '+' : '-', s.phase < 0 ? -s.phase : s.phase);
        return;
    }
    episode_pick(&rng, (uint32_t)(p->n * p->turns), (uint32_t)p->way, class, sorted);
    int32_t n = p->n, turn = (int32_t) class[c] / n;
    episode_class_name(e, p->class[(int32_t) class[c] % n], show);
    if (turn)
        snprintf(text, size, "%s, turned by %" PRId32 " degrees", show, 90 * turn);
    else
        snprintf(text, size, "%s", show);
}

void pdr_episodes_describe(const pdr_episodes *e, char text[], size_t size)
{
    const episode_part *p = &e->part[PDR_TEST];
    char held[48] = "";
    if (!e->data) {
        snprintf(text, size, "sinusoid, %" PRId32 " points to adapt to, %" PRId32 " to judge by",
                 p->shot, p->query);
        return;
    }
    if (e->part[PDR_VALIDATION].n)
        snprintf(held, sizeof held, " %" PRId32 " held out,",
                 pdr_episodes_classes(e, PDR_VALIDATION));
    snprintf(text, size,
             "%" PRId32 "-way %" PRId32 "-shot, %" PRId32 " classes to learn from,%s %" PRId32
             " to test on",
             p->way, p->shot, pdr_episodes_classes(e, PDR_TRAIN), held,
             pdr_episodes_classes(e, PDR_TEST));
}
