/* data/stream.c -- scenarios: a labelled set as a stream of tasks.
 *
 * A task is three lists of examples of the set, one transform of the features and one
 * mapping from classes to outputs.  Lists keep the set's order; what is random is
 * only who is in them. */
#include <inttypes.h>
#include <math.h>
#include <perdure/rng.h>
#include <perdure/scenario.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/dataset.h"
#include "data/show.h"
#include "data/transform.h"

static const char *const stream_types[] = {"task-incremental", "domain-incremental",
                                           "class-incremental", NULL};
static const char *const stream_angles[] = {"uniform", "bins", NULL};
static const char *const stream_boundaries[] = {"visible", "hidden", NULL};
static const char *const stream_splits[] = {"classes", "permutation", "rotation", "none", NULL};

const pdr_option pdr_scenario_option_table[] = {
    PDR_OPTION_CHOICE(pdr_scenario, type, stream_types, PDR_CLASS_IL,
                      "what is known at test time, and how many outputs there are"),
    PDR_OPTION_CHOICE(pdr_scenario, split, stream_splits, PDR_SPLIT_NONE, "how tasks are made"),
    PDR_OPTION_COUNT(pdr_scenario, tasks, 1, 1, 10000, "tasks, learned one after the other"),
    PDR_OPTION_FLAG(pdr_scenario, shuffle_classes, true,
                    "split classes: assign classes to tasks at random, by seed"),
    PDR_OPTION_FLAG(pdr_scenario, first_plain, true,
                    "permutation, rotation: the first task's images stay as they are"),
    PDR_OPTION_REAL(pdr_scenario, max_rotation, 180.0, 0.0, 360.0,
                    "rotation: bound of the tasks' angles, degrees"),
    PDR_OPTION_CHOICE(pdr_scenario, angles, stream_angles, PDR_ANGLES_UNIFORM,
                      "rotation: anywhere below the bound, or rising, each in its equal share"),
    PDR_OPTION_CHOICE(pdr_scenario, boundaries, stream_boundaries, PDR_BOUNDARIES_VISIBLE,
                      "whether methods are told when a task ends"),
    PDR_OPTION_REAL(pdr_scenario, blur, 0.0, 0.0, 1.0,
                    "hidden boundaries: share of a task in which it mixes with those beside it"),
    PDR_OPTION_REAL(pdr_scenario, validation, 0.0, 0.0, 0.9,
                    "share of every task's training examples that is held out"),
    PDR_OPTION_COUNT(pdr_scenario, limit, 0, 0, 2147483647.0,
                     "training examples a task; 0 for all"),
    PDR_OPTION_END,
};

/* Taps of all tasks together; beyond it rotations are worked out while reading. */
#define STREAM_TAP_BYTES ((size_t)64 << 20)
#define STREAM_MAX       1000000 /* tasks, and outputs */

typedef struct stream_list {
    uint32_t *index; /* NULL: 0, 1, 2, ... */
    size_t n;
} stream_list;

typedef struct stream_task {
    stream_list part[3]; /* by pdr_part */
    pdi_transform transform;
} stream_task;

struct pdr_stream {
    const pdr_alloc *alloc;
    const pdr_data *data;
    pdr_scenario how;
    int32_t tasks, outputs, classes;
    int32_t group;  /* split classes: classes a task */
    int32_t *order; /* split classes: [classes] in order of tasks */
    int32_t *place; /* its inverse: class order[p] has place p */
    stream_task *task;
};

/* ---- what cannot be ---- */

static pdr_rc stream_check_data(const pdr_data *data, pdr_error *err)
{
    pdr_rc rc = pdi_dataset_check(&data->train, &data->train, "training", err);
    if (!rc && data->train.examples == 0)
        return pdi_fail(err, PDR_INPUT, "data: there is no training example");
    if (!rc && data->test.examples == 0)
        return pdi_fail(err, PDR_INPUT,
                        "data: there is no test example; give data.test or data.test_fraction");
    return rc ? rc : pdi_dataset_check(&data->test, &data->train, "test", err);
}

/* "1, 2, 5 or 10" */
static const char *stream_divisors(int32_t n, char out[128])
{
    size_t at = 0;
    for (int32_t d = 1; d <= n && at < 100; d++)
        if (n % d == 0)
            at += (size_t)snprintf(out + at, 128 - at, "%s%" PRId32,
                                   d == 1   ? ""
                                   : d == n ? " or "
                                            : ", ",
                                   d);
    return out;
}

static pdr_rc stream_check_classes(const pdr_dataset *d, int64_t tasks, pdr_error *err)
{
    char list[128];
    if (!d->classes)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.split: classes cannot be split where real targets are learned; "
                        "choose none, permutation or rotation");
    if (d->classes % tasks)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.tasks: %" PRId32 " classes do not split into %" PRId64
                        " equal tasks; choose %s",
                        d->classes, tasks, stream_divisors(d->classes, list));
    return PDR_OK;
}

/* Where only a task's own outputs count, a task of one class is always right. */
static pdr_rc stream_check_one_class(const pdr_dataset *d, const pdr_scenario *s, pdr_error *err)
{
    if (d->classes == 1)
        return pdi_fail(err, PDR_INPUT,
                        "data: the set has one class alone, which there is nothing to tell from");
    if (s->split != PDR_SPLIT_CLASSES || d->classes != s->tasks || s->type == PDR_CLASS_IL)
        return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "scenario.tasks: %" PRId64 " tasks of one class each have nothing to tell "
                    "apart; choose fewer, or type class-incremental",
                    s->tasks);
}

static pdr_rc stream_check_boundaries(const pdr_scenario *s, pdr_error *err)
{
    bool hidden = s->boundaries == PDR_BOUNDARIES_HIDDEN;
    if (!(s->blur >= 0 && s->blur <= 1))
        return pdi_fail(err, PDR_INPUT, "scenario.blur: %g is out of range; give 0 to 1", s->blur);
    if (s->blur > 0 && !hidden)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.blur: tasks that mix have no boundary to be seen; set "
                        "scenario.boundaries to hidden, or blur to 0");
    if (hidden && s->type == PDR_TASK_IL)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.boundaries: task-incremental tells the task of every example, so "
                        "boundaries cannot be hidden; choose another scenario.type");
    return PDR_OK;
}

static pdr_rc stream_check_split(const pdr_dataset *d, const pdr_scenario *s, pdr_error *err)
{
    char shape[PDR_SHAPE_TEXT];
    switch (s->split) {
    case PDR_SPLIT_CLASSES: return stream_check_classes(d, s->tasks, err);
    case PDR_SPLIT_PERMUTATION:
        if (pdi_dataset_size(d) > 1) return PDR_OK;
        return pdi_fail(err, PDR_INPUT,
                        "scenario.split: one feature alone cannot be permuted; choose none");
    case PDR_SPLIT_ROTATION:
        if (d->shape.rank == 3) return PDR_OK;
        return pdi_fail(err, PDR_INPUT,
                        "scenario.split: examples of shape %s are not images and cannot be "
                        "rotated; choose classes, permutation or none",
                        pdr_shape_text(&d->shape, shape));
    default:
        if (s->tasks == 1) return PDR_OK;
        return pdi_fail(err, PDR_INPUT,
                        "scenario.split: none makes one task, not %" PRId64
                        "; choose classes, permutation or rotation, or set scenario.tasks to 1",
                        s->tasks);
    }
}

static pdr_rc stream_check(const pdr_data *data, const pdr_scenario *s, pdr_error *err)
{
    const pdr_dataset *d = &data->train;
    pdr_rc rc = stream_check_data(data, err);
    if (rc) return rc;
    if (s->type < PDR_TASK_IL || s->type > PDR_CLASS_IL || s->split < PDR_SPLIT_CLASSES ||
        s->split > PDR_SPLIT_NONE || s->angles < 0 || s->angles > PDR_ANGLES_BINS ||
        s->boundaries < 0 || s->boundaries > PDR_BOUNDARIES_HIDDEN)
        return pdi_fail(err, PDR_USAGE,
                        "scenario: there is no such type, split, angles or boundaries");
    if (s->tasks < 1 || s->tasks > STREAM_MAX || s->tasks * d->classes > STREAM_MAX)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.tasks: %" PRId64 " is out of range; give at least 1, and at most "
                        "%d over all classes",
                        s->tasks, STREAM_MAX);
    if (!(s->validation >= 0 && s->validation < 1))
        return pdi_fail(err, PDR_INPUT, "scenario.validation: %g is out of range; give 0 to 0.9",
                        s->validation);
    if (s->limit < 0 || !(s->max_rotation >= 0 && s->max_rotation <= 360))
        return pdi_fail(err, PDR_INPUT,
                        "scenario: limit is at least 0 and max_rotation 0 to 360 degrees");
    rc = stream_check_split(d, s, err);
    if (!rc) rc = stream_check_one_class(d, s, err);
    if (!rc) rc = stream_check_boundaries(s, err);
    if (!rc && !d->classes && s->tasks > 1 && s->type != PDR_DOMAIN_IL)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.type: real targets over several tasks are domain-incremental, "
                        "not %s",
                        stream_types[s->type]);
    return rc;
}

/* ---- outputs ---- */

static bool stream_is_split(const pdr_stream *s) { return s->how.split == PDR_SPLIT_CLASSES; }

static int32_t stream_count_outputs(const pdr_stream *s)
{
    if (!s->classes) return s->data->train.targets;
    if (s->how.type == PDR_DOMAIN_IL) return s->group;
    return stream_is_split(s) ? s->classes : s->tasks * s->classes;
}

/* The output that stands for class c in a task. */
static int32_t stream_output(const pdr_stream *s, int32_t task, int32_t c)
{
    if (stream_is_split(s)) return s->how.type == PDR_DOMAIN_IL ? s->place[c] % s->group : c;
    return s->how.type == PDR_DOMAIN_IL ? c : task * s->classes + c;
}

/* The class that output o stands for in a task. */
static int32_t stream_class(const pdr_stream *s, int32_t task, int32_t o)
{
    if (!stream_is_split(s)) return o % s->classes;
    return s->how.type == PDR_DOMAIN_IL ? s->order[task * s->group + o] : o;
}

/* The task that output o belongs to in task- and class-incremental streams. */
static int32_t stream_owner(const pdr_stream *s, int32_t o)
{
    return stream_is_split(s) ? s->place[o] / s->group : o / s->classes;
}

static pdr_rc stream_order(pdr_stream *s, uint64_t seed, pdr_error *err)
{
    size_t n = (size_t)s->classes;
    s->group = stream_is_split(s) ? s->classes / s->tasks : s->classes;
    if (!stream_is_split(s)) return PDR_OK;
    uint32_t *order = pdi_new(s->alloc, n, sizeof *order);
    s->order = pdi_new(s->alloc, n, sizeof *s->order);
    s->place = pdi_new(s->alloc, n, sizeof *s->place);
    pdr_rc rc = order && s->order && s->place ? PDR_OK : pdi_nomem(err);
    if (!rc) {
        pdr_rng rng = {.seed = seed, .stream = PDR_STREAM_SCENARIO};
        for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
        if (s->how.shuffle_classes) pdr_rng_shuffle(&rng, n, order);
        for (size_t i = 0; i < n; i++) {
            s->order[i] = (int32_t)order[i];
            s->place[order[i]] = (int32_t)i;
        }
    }
    pdi_free(s->alloc, order);
    return rc;
}

/* ---- lists of examples ---- */

static pdr_rc stream_new_list(const pdr_stream *s, stream_list *l, size_t n, pdr_error *err)
{
    *l = (stream_list){pdi_new(s->alloc, n, sizeof *l->index), 0};
    return l->index ? PDR_OK : pdi_nomem(err);
}

static const char *stream_class_name(const pdr_stream *s, int32_t c, char show[PDI_SHOW])
{
    char *const *name = s->data->train.class_name;
    if (name) return pdi_show(show, name[c]);
    snprintf(show, PDI_SHOW, "%" PRId32, c);
    return show;
}

/* Deal the examples of d to the tasks of their classes. */
static pdr_rc stream_deal(pdr_stream *s, const pdr_dataset *d, pdr_part part, size_t count[],
                          pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    memset(count, 0, (size_t)s->classes * sizeof *count);
    for (size_t i = 0; i < d->examples; i++) count[d->label[i]]++;
    for (int32_t t = 0; !rc && t < s->tasks; t++) {
        size_t n = 0;
        for (int32_t k = 0; k < s->group; k++) n += count[s->order[t * s->group + k]];
        if (!n)
            return pdi_fail(err, PDR_INPUT, "scenario: task %" PRId32 " has no %s example", t + 1,
                            part == PDR_TRAIN ? "training" : "test");
        rc = stream_new_list(s, &s->task[t].part[part], n, err);
    }
    for (size_t i = 0; !rc && i < d->examples; i++) {
        stream_list *l = &s->task[s->place[d->label[i]] / s->group].part[part];
        l->index[l->n++] = (uint32_t)i;
    }
    return rc;
}

static pdr_rc stream_deal_both(pdr_stream *s, pdr_error *err)
{
    char show[PDI_SHOW];
    size_t *count = pdi_new(s->alloc, (size_t)s->classes, sizeof *count);
    if (!count) return pdi_nomem(err);
    pdr_rc rc = stream_deal(s, &s->data->train, PDR_TRAIN, count, err);
    for (int32_t c = 0; !rc && c < s->classes; c++)
        if (!count[c])
            rc = pdi_fail(err, PDR_INPUT, "scenario: class %s has no training example",
                          stream_class_name(s, c, show));
    if (!rc) rc = stream_deal(s, &s->data->test, PDR_TEST, count, err);
    pdi_free(s->alloc, count);
    return rc;
}

static uint32_t stream_at(const stream_list *l, size_t i)
{
    return l->index ? l->index[i] : (uint32_t)i;
}

/* Choose k of the examples that mark has as from, at random, and mark them as to. */
static void stream_choose(pdr_rng rng, uint8_t mark[], size_t n, uint8_t from, uint8_t to, size_t k,
                          uint32_t order[])
{
    size_t free = 0;
    for (size_t i = 0; i < n; i++)
        if (mark[i] == from) order[free++] = (uint32_t)i;
    pdr_rng_shuffle(&rng, free, order);
    for (size_t i = 0; i < k && i < free; i++) mark[order[i]] = to;
}

enum { STREAM_FREE, STREAM_HELD, STREAM_USED };

/* The examples of a list that mark has as what, as a list of their own. */
static pdr_rc stream_pick(const pdr_stream *s, const stream_list *from, const uint8_t mark[],
                          uint8_t what, size_t n, stream_list *to, pdr_error *err)
{
    pdr_rc rc = stream_new_list(s, to, n, err);
    for (size_t i = 0; !rc && i < from->n; i++)
        if (mark[i] == what) to->index[to->n++] = stream_at(from, i);
    return rc;
}

/* Hold out a validation part and cut the rest to the limit.  Sub-stream 0 of
 * PDR_STREAM_SPLIT is the test split; odd ones hold out, even ones cut. */
static pdr_rc stream_hold(pdr_stream *s, int32_t task, uint64_t seed, pdr_error *err)
{
    stream_list all = s->task[task].part[PDR_TRAIN], kept = {NULL, 0};
    size_t held = (size_t)floor(s->how.validation * (double)all.n + 0.5), limit = all.n - held;
    if (held >= all.n)
        return pdi_fail(err, PDR_INPUT,
                        "scenario.validation: task %" PRId32 " has %zu training examples; holding "
                        "out %zu of them leaves none",
                        task + 1, all.n, held);
    if (s->how.limit && (uint64_t)s->how.limit < limit) limit = (size_t)s->how.limit;
    if (!held && limit == all.n) return PDR_OK;
    uint32_t turn = stream_is_split(s) ? 2 * (uint32_t)task : 0;
    pdr_rng hold = {.seed = seed, .stream = PDR_STREAM_SPLIT, .sub = 1 + turn};
    pdr_rng cut = {.seed = seed, .stream = PDR_STREAM_SPLIT, .sub = 2 + 2 * (uint32_t)task};
    uint32_t *order = pdi_new(s->alloc, all.n, sizeof *order);
    uint8_t *mark = pdi_new(s->alloc, all.n, 1);
    pdr_rc rc = order && mark ? PDR_OK : pdi_nomem(err);
    if (!rc) {
        stream_choose(hold, mark, all.n, STREAM_FREE, STREAM_HELD, held, order);
        stream_choose(cut, mark, all.n, STREAM_FREE, STREAM_USED, limit, order);
        rc = stream_pick(s, &all, mark, STREAM_HELD, held, &s->task[task].part[PDR_VALIDATION],
                         err);
    }
    if (!rc) rc = stream_pick(s, &all, mark, STREAM_USED, limit, &kept, err);
    pdi_free(s->alloc, order);
    pdi_free(s->alloc, mark);
    if (rc) {
        pdi_free(s->alloc, kept.index);
        return rc;
    }
    pdi_free(s->alloc, all.index);
    s->task[task].part[PDR_TRAIN] = kept;
    return PDR_OK;
}

/* ---- transforms ---- */

static pdr_rc stream_transform(pdr_stream *s, int32_t task, uint64_t seed, pdr_error *err)
{
    const pdr_dataset *d = &s->data->train;
    pdi_transform *t = &s->task[task].transform;
    if (task == 0 && s->how.first_plain) return PDR_OK;
    if (s->how.split == PDR_SPLIT_PERMUTATION)
        return pdi_transform_permute(s->alloc, pdi_dataset_size(d), seed, task, t, err);
    if (s->how.split != PDR_SPLIT_ROTATION) return PDR_OK;
    size_t taps = pdi_dataset_size(d) / (size_t)d->shape.dim[0] * (size_t)s->tasks;
    double lo = 0, hi = s->how.max_rotation, bin = hi / s->tasks;
    if (s->how.angles == PDR_ANGLES_BINS) {
        lo = task * bin;
        hi = lo + bin;
    }
    return pdi_transform_rotate(s->alloc, &d->shape, lo, hi, seed, task,
                                taps <= STREAM_TAP_BYTES / sizeof(pdi_tap), t, err);
}

/* ---- making and freeing ---- */

static pdr_rc stream_fill(pdr_stream *s, uint64_t seed, pdr_error *err)
{
    pdr_rc rc = stream_order(s, seed, err);
    s->outputs = rc ? 0 : stream_count_outputs(s);
    for (int32_t t = 0; t < s->tasks; t++) {
        s->task[t].part[PDR_TRAIN].n = stream_is_split(s) ? 0 : s->data->train.examples;
        s->task[t].part[PDR_TEST].n = stream_is_split(s) ? 0 : s->data->test.examples;
    }
    if (!rc && stream_is_split(s)) rc = stream_deal_both(s, err);
    for (int32_t t = 0; !rc && t < s->tasks; t++) {
        rc = stream_hold(s, t, seed, err);
        if (!rc) rc = stream_transform(s, t, seed, err);
    }
    return rc;
}

pdr_rc pdr_stream_new(const pdr_alloc *alloc, const pdr_data *data, const pdr_scenario *s,
                      uint64_t seed, pdr_stream **out, pdr_error *err)
{
    *out = NULL;
    pdr_rc rc = stream_check(data, s, err);
    if (rc) return rc;
    alloc = pdi_alloc_or_default(alloc);
    pdr_stream *stream = pdi_new(alloc, 1, sizeof *stream);
    if (!stream) return pdi_nomem(err);
    stream->alloc = alloc;
    stream->data = data;
    stream->how = *s;
    stream->tasks = (int32_t)s->tasks;
    stream->classes = data->train.classes;
    stream->task = pdi_new(alloc, (size_t)s->tasks, sizeof *stream->task);
    rc = stream->task ? stream_fill(stream, seed, err) : pdi_nomem(err);
    if (rc)
        pdr_stream_free(stream);
    else
        *out = stream;
    return rc;
}

void pdr_stream_free(pdr_stream *s)
{
    if (!s) return;
    for (int32_t t = 0; s->task && t < s->tasks; t++) {
        for (int p = 0; p < 3; p++) pdi_free(s->alloc, s->task[t].part[p].index);
        pdi_transform_close(s->alloc, &s->task[t].transform);
    }
    pdi_free(s->alloc, s->task);
    pdi_free(s->alloc, s->order);
    pdi_free(s->alloc, s->place);
    pdi_free(s->alloc, s);
}

/* ---- asking ---- */

int32_t pdr_stream_tasks(const pdr_stream *s) { return s->tasks; }
pdr_shape pdr_stream_shape(const pdr_stream *s) { return s->data->train.shape; }
int32_t pdr_stream_outputs(const pdr_stream *s) { return s->outputs; }
bool pdr_stream_is_regression(const pdr_stream *s) { return !s->classes; }

double pdr_stream_target_unit(const pdr_stream *s)
{
    double unit = s->data->train.target_unit;
    return unit > 0 ? unit : 1;
}

size_t pdr_stream_size(const pdr_stream *s, pdr_part part, int32_t task)
{
    return s->task[task].part[part].n;
}

bool pdr_stream_has_boundaries(const pdr_stream *s)
{
    return s->how.boundaries == PDR_BOUNDARIES_VISIBLE;
}

double pdr_stream_blur(const pdr_stream *s) { return s->how.blur; }

bool pdr_stream_is_masked(const pdr_stream *s)
{
    return s->how.type == PDR_TASK_IL && s->tasks > 1 && s->classes;
}

void pdr_stream_mask(const pdr_stream *s, int32_t task, float mask[])
{
    bool masked = pdr_stream_is_masked(s);
    for (int32_t o = 0; o < s->outputs; o++) mask[o] = !masked || stream_owner(s, o) == task;
}

void pdr_stream_first_task(const pdr_stream *s, int32_t first[])
{
    bool shared = !s->classes || s->how.type == PDR_DOMAIN_IL;
    for (int32_t o = 0; o < s->outputs; o++) first[o] = shared ? 0 : stream_owner(s, o);
}

void pdr_stream_read(const pdr_stream *s, pdr_part part, int32_t task, size_t i, float x[],
                     int32_t *label, float target[])
{
    const pdr_dataset *d = part == PDR_TEST ? &s->data->test : &s->data->train;
    uint32_t at = stream_at(&s->task[task].part[part], i);
    pdi_transform_read(&s->task[task].transform, d, at, x);
    if (s->classes) {
        *label = stream_output(s, task, d->label[at]);
        return;
    }
    memcpy(target, d->target + (size_t)at * (size_t)d->targets,
           (size_t)d->targets * sizeof *target);
}

/* ---- names ---- */

void pdr_stream_output_name(const pdr_stream *s, int32_t task, int32_t c, char text[], size_t size)
{
    char show[PDI_SHOW];
    if (s->classes)
        snprintf(text, size, "%s", stream_class_name(s, stream_class(s, task, c), show));
    else
        snprintf(text, size, "target %" PRId32, c + 1);
}

/* Append to text of size; *at is where, and stays within. */
static void stream_add(char text[], size_t size, size_t *at, const char *between, const char *s)
{
    if (*at >= size) return;
    int n = snprintf(text + *at, size - *at, "%s%s", between, s);
    *at = n < 0 || (size_t)n >= size - *at ? size : *at + (size_t)n;
}

void pdr_stream_task_name(const pdr_stream *s, int32_t task, char text[], size_t size)
{
    const pdi_transform *t = &s->task[task].transform;
    char show[PDI_SHOW];
    size_t at = 0;
    snprintf(show, sizeof show, "task %" PRId32, task + 1);
    stream_add(text, size, &at, "", show);
    for (int32_t k = 0; stream_is_split(s) && k < s->group; k++)
        stream_add(text, size, &at, k ? ", " : ": ",
                   stream_class_name(s, s->order[task * s->group + k], show));
    if (s->how.split != PDR_SPLIT_PERMUTATION && s->how.split != PDR_SPLIT_ROTATION) return;
    if (t->kind == PDI_ROTATED) snprintf(show, sizeof show, "rotated by %.1f degrees", t->degrees);
    stream_add(text, size, &at, ": ",
               t->kind == PDI_ROTATED    ? show
               : t->kind == PDI_PERMUTED ? "permuted"
                                         : "as is");
}
