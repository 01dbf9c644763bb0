/* learner/grow.c -- room for more classes and tasks than there was at the start.
 *
 * Room doubles when it is full, up to learner.most_classes and learner.most_tasks.  It is a
 * function of the names that came, and so of the examples alone.  Everything that is as wide
 * as the outputs is made anew and filled from the old; only then are they exchanged. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

/* A learner's parts that are as wide as its outputs, or as high as its tasks. */
typedef struct grow_parts {
    int32_t outputs, tasks; /* the new widths */
    float *mask, *wait_y, *asked_y;
    uint64_t *label, *answer;
    pdr_model *model;
    pdi_trainer *trainer;
} grow_parts;

/* rows of `from` numbers, as rows of `to`. */
static float *grow_rows(const pdr_learner *l, const float *x, size_t rows, size_t room, size_t to,
                        float fill)
{
    size_t from = (size_t)l->form.outputs;
    float *y = pdi_new(l->alloc, room * to + 1, sizeof *y);
    for (size_t i = 0; y && i < rows; i++) {
        memcpy(y + i * to, x + i * from, from * sizeof *y);
        for (size_t k = from; k < to; k++) y[i * to + k] = fill;
    }
    return y;
}

static uint64_t *grow_counts(const pdr_learner *l, const uint64_t *n, size_t to)
{
    uint64_t *y = pdi_new(l->alloc, to, sizeof *y);
    if (y) memcpy(y, n, (size_t)l->form.outputs * sizeof *y);
    return y;
}

static bool grow_make(const pdr_learner *l, grow_parts *p)
{
    size_t to = (size_t)p->outputs, most = (size_t)l->most, asked = (size_t)l->asked.room;
    p->mask = grow_rows(l, l->mask, (size_t)l->form.task.most, (size_t)p->tasks, to, 0);
    p->wait_y = grow_rows(l, l->wait_y, most, most, to, -INFINITY);
    p->asked_y = grow_rows(l, l->asked.y, asked, asked, to, -INFINITY);
    p->label = grow_counts(l, l->tally.label, to);
    p->answer = grow_counts(l, l->tally.answer, to);
    return p->mask && p->wait_y && p->asked_y && p->label && p->answer;
}

static pdr_rc grow_trainer(pdr_learner *l, grow_parts *p, pdr_error *err)
{
    const pdr_recipe *r = &l->recipe;
    pdi_trainer_spec s = l->trainer->spec;
    pdr_rc rc = pdr_model_new(l->alloc, r->layers, r->layer, l->form.shape, p->outputs, &p->model,
                              err);
    s.model = p->model;
    s.outputs = p->outputs;
    s.mask = s.mask ? p->mask : NULL;
    s.setting.tasks = p->tasks;
    s.setting.outputs = p->outputs;
    s.setting.classes = l->form.targets ? 0 : p->outputs;
    return rc ? rc : pdi_trainer_grow(l->trainer, &s, &p->trainer, err);
}

static void grow_free(const pdr_learner *l, grow_parts *p)
{
    void *const all[] = {p->mask, p->wait_y, p->asked_y, p->label, p->answer};
    pdi_trainer_free(p->trainer);
    pdr_model_free(p->model);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) pdi_free(l->alloc, all[i]);
}

/* x and y point to pointers. */
static void grow_swap(void *x, void *y)
{
    void *of_x, *of_y;
    memcpy(&of_x, x, sizeof of_x);
    memcpy(&of_y, y, sizeof of_y);
    memcpy(x, &of_y, sizeof of_y);
    memcpy(y, &of_x, sizeof of_x);
}

/* What the learner has is what is freed afterwards. */
static void grow_exchange(pdr_learner *l, grow_parts *p)
{
    grow_swap(&l->mask, &p->mask);
    grow_swap(&l->wait_y, &p->wait_y);
    grow_swap(&l->asked.y, &p->asked_y);
    grow_swap(&l->tally.label, &p->label);
    grow_swap(&l->tally.answer, &p->answer);
    grow_swap(&l->model, &p->model);
    grow_swap(&l->trainer, &p->trainer);
    l->form.outputs = p->outputs;
    pdi_tally_close(l, &l->test);
}

static pdr_rc grow_to(pdr_learner *l, int32_t outputs, int32_t tasks, pdr_error *err)
{
    grow_parts p = {.outputs = outputs, .tasks = tasks};
    pdr_rc rc = grow_make(l, &p) ? grow_trainer(l, &p, err) : pdi_nomem(err);
    if (!rc && !l->form.targets && !pdi_names_room(l, &l->form.class, outputs)) rc = pdi_nomem(err);
    if (!rc && !pdi_names_room(l, &l->form.task, tasks)) rc = pdi_nomem(err);
    if (!rc) grow_exchange(l, &p);
    grow_free(l, &p);
    return rc;
}

static int32_t grow_next(int32_t now, int64_t most)
{
    int64_t next = 2 * (int64_t)now;
    return next < most ? (int32_t)next : (int32_t)most;
}

/* Twice as large until it is large enough, as pdi_grow_for() makes it. */
static int32_t grow_until(int32_t now, int64_t wanted, int64_t most)
{
    while (now < wanted && now < most) now = grow_next(now, most);
    return now;
}

pdr_rc pdi_grow_check(const pdr_learner *l, int64_t classes, int64_t tasks, pdr_error *err)
{
    const pdi_form *f = &l->form;
    const pdr_learner_options *o = &l->recipe.learner;
    pdr_setting s = pdi_learner_setting(l);
    if (!f->targets) s.classes = s.outputs = grow_until(s.outputs, classes, o->most_classes);
    s.tasks = grow_until(s.tasks, tasks, o->most_tasks + 1);
    return pdi_memory_check(&l->recipe.method, &s, pdi_store_path(l->store), err);
}

pdr_rc pdi_grow_for(pdr_learner *l, const char *class, const char *task, pdr_error *err)
{
    pdi_form *f = &l->form;
    bool wider = class && f->class.n == f->class.most && pdi_names_find(&f->class, class) < 0;
    bool higher = task && f->task.n == f->task.most && pdi_names_find(&f->task, task) < 0;
    if (!wider && !higher) return PDR_OK;
    const pdr_learner_options *o = &l->recipe.learner;
    return grow_to(l, wider ? grow_next(f->outputs, o->most_classes) : f->outputs,
                   higher ? grow_next(f->task.most, o->most_tasks + 1) : f->task.most, err);
}
