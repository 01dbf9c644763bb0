/* learner/learner.c -- the life of a learner: made, opened, written, closed.  What must hold
 * is at the head of learner.h. */
#include "learner/learner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LEARNER_WIDE = 1 << 24, LEARNER_FEW = 16 };

/* ---- making it in memory -------------------------------------------------------------------- */

static const pdr_method *learner_method(const pdr_learner *l)
{
    return (const pdr_method *)(const void *)l->recipe.method.kind;
}

/* A learner sees an example once and keeps what its method's memory keeps. */
static pdr_rc learner_fits(const pdr_learner *l, pdr_error *err)
{
    const pdr_method *m = learner_method(l);
    const char *why = m->data != PDR_DATA_CURRENT ? "needs more than the examples that come"
                      : m->task_pass || m->select ? "goes over a task's examples again at its end"
                      : m->phase                  ? "learns a task in several phases"
                      : l->form.targets && m->needs & PDR_NEEDS_CLASSES ? "needs classes"
                                                                        : NULL;
    if (!why) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s: method: %s %s, which a learner cannot give; take finetune, er or der++",
                    l->recipe.name, m->kind.name, why);
}

static int learner_loss(const pdr_learner *l)
{
    int loss = l->recipe.training.loss;
    if (loss != PDR_LOSS_AUTO) return loss;
    return l->form.targets ? PDR_LOSS_MSE : PDR_LOSS_CROSS_ENTROPY;
}

pdr_setting pdi_learner_setting(const pdr_learner *l)
{
    const pdi_form *f = &l->form;
    return (pdr_setting){.tasks = f->task.most,
                         .outputs = f->outputs,
                         .classes = f->targets ? 0 : f->outputs,
                         .has_boundaries = true};
}

static pdr_rc learner_trainer(pdr_learner *l, pdr_error *err)
{
    const pdr_training *o = &l->recipe.training;
    const pdi_form *f = &l->form;
    pdi_trainer_spec s = {
        .method = l->recipe.method,
        .optimizer = l->recipe.optimizer,
        .model = l->model,
        .loss = learner_loss(l),
        .l2 = o->l2,
        .clip_norm = o->clip_norm,
        .clip_value = o->clip_value,
        .example = f->shape,
        .outputs = f->outputs,
        .targets = f->targets,
        .setting = pdi_learner_setting(l),
        .mask = f->targets ? NULL : l->mask,
        .normalises = l->recipe.learner.normalise,
        .seed = l->seed,
    };
    return pdi_trainer_new(l->alloc, &s, l->pool, l->most, &l->trainer, err);
}

static bool learner_rooms(pdr_learner *l)
{
    size_t most = (size_t)l->most, width = l->form.width;
    bool normalises = l->recipe.learner.normalise;
    l->wait_x = pdi_new(l->alloc, most * width, sizeof(float));
    l->wait_target = pdi_new(l->alloc, most * (size_t)l->form.targets + 1, sizeof(float));
    l->wait_label = pdi_new(l->alloc, most, sizeof(int32_t));
    l->wait_task = pdi_new(l->alloc, most, sizeof(int32_t));
    l->wait_y = pdi_new(l->alloc, most * (size_t)l->form.outputs, sizeof(float));
    l->wait_is = pdi_new(l->alloc, most, 1);
    l->asked.most = l->recipe.learner.asked;
    if (normalises) l->mean = pdi_new(l->alloc, width, sizeof(double));
    if (normalises) l->m2 = pdi_new(l->alloc, width, sizeof(double));
    return l->wait_x && l->wait_target && l->wait_label && l->wait_task && l->wait_y &&
           l->wait_is && (!normalises || (l->mean && l->m2)) &&
           pdi_tally_open(l, &l->tally, l->recipe.learner.window);
}

/* Examples that there is room for: batches, and fewer answers at once where one is wide. */
static int32_t learner_most(const pdr_learner *l)
{
    int32_t batch = (int32_t)l->recipe.training.batch, most = LEARNER_WIDE / (int32_t)l->form.width;
    if (most > PDI_LEARNER_BATCH) most = PDI_LEARNER_BATCH;
    if (most < LEARNER_FEW) most = LEARNER_FEW;
    return batch > most ? batch : most;
}

/* Model, trainer and room, at the start of a life, or as a file wants them. */
static pdr_rc learner_begin(pdr_learner *l, bool of_file, pdr_error *err)
{
    const pdr_recipe *r = &l->recipe;
    l->most = learner_most(l);
    pdr_rc rc = learner_fits(l, err);
    if (!rc)
        rc = pdr_model_new(l->alloc, r->layers, r->layer, l->form.shape, l->form.outputs, &l->model,
                           err);
    if (!rc && of_file) rc = pdi_fit_recipe(l, err);
    if (!rc && !of_file) {
        pdr_setting setting = pdi_learner_setting(l);
        rc = pdi_memory_check(&r->method, &setting, r->name, err);
    }
    if (!rc && !learner_rooms(l)) rc = pdi_nomem(err);
    return rc ? rc : learner_trainer(l, err);
}

/* All of that away again. */
static void learner_end(pdr_learner *l)
{
    pdi_trainer_free(l->trainer);
    pdr_model_free(l->model);
    l->trainer = NULL;
    l->model = NULL;
    void **const rooms[] = {(void **)&l->wait_x,     (void **)&l->wait_target,
                            (void **)&l->wait_label, (void **)&l->wait_task,
                            (void **)&l->wait_y,     (void **)&l->wait_is,
                            (void **)&l->mean,       (void **)&l->m2};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        pdi_free(l->alloc, *rooms[i]);
        *rooms[i] = NULL;
    }
    pdi_tally_close(l, &l->tally);
    pdi_tally_close(l, &l->test);
    pdi_asked_close(l);
    pdi_form_close(l);
    l->form = (pdi_form){0};
    l->waiting = 0;
    l->did = 0;
    l->unwritten = 0;
    l->examples = l->seen = l->taken = 0;
}

static pdr_rc learner_free(pdr_learner *l)
{
    const pdr_alloc *alloc = l->alloc;
    learner_end(l);
    pdi_free(alloc, l->skip);
    pdr_pool_free(l->pool);
    pdi_store_close(l->store);
    pdr_recipe_close(&l->recipe);
    pdi_free(alloc, l);
    return PDR_OK;
}

static pdr_learner *learner_new(const pdr_learner_how *how, pdr_error *err)
{
    const pdr_alloc *alloc = pdi_alloc_or_default(how ? how->alloc : NULL);
    pdr_learner *l = pdi_new(alloc, 1, sizeof *l);
    if (l) {
        l->alloc = alloc;
        l->reads_only = how && how->reads_only;
        l->pool = pdr_pool_new(alloc, how ? how->threads : 0);
    }
    if (l && l->pool) return l;
    if (l) learner_free(l);
    pdi_nomem(err);
    return NULL;
}

pdr_rc pdi_learner_check(const pdr_learner *l, bool writes, pdr_error *err)
{
    if (l->is_lost)
        return pdi_fail(err, PDR_USAGE,
                        "%s: a call failed half-way; close the learner and open it again",
                        pdi_store_path(l->store));
    if (writes && l->reads_only)
        return pdi_fail(err, PDR_USAGE, "%s: is open for reading only", pdi_store_path(l->store));
    return PDR_OK;
}

/* ---- create
 * -------------------------------------------------------------------------------------- */

static pdr_rc learner_recipe(pdr_learner *l, const char *text, const char *name, pdr_error *err)
{
    pdr_error why = PDR_NO_ERROR;
    pdr_rc rc = pdr_recipe_parse(l->alloc, name, text, strlen(text), 0, NULL, &l->recipe, &why);
    return rc ? pdi_fail(err, rc, "the recipe in the learner: %s", why.text) : PDR_OK;
}

static pdr_rc learner_write_first(pdr_learner *l, const char *text, pdr_error *err)
{
    pdr_rc rc = pdi_store_put_text(l->store, "learner", "recipe", text, err);
    if (!rc) rc = pdi_store_put_text(l->store, "learner", "name", l->recipe.name, err);
    if (!rc) rc = pdi_store_put_number(l->store, "learner", "seed", (int64_t)l->seed, err);
    if (!rc) rc = pdi_learner_put(l, err);
    if (!rc) rc = pdi_log_add(l, "created", NULL, err);
    return rc ? rc : pdi_store_commit(l->store, err);
}

pdr_rc pdi_learner_create(const char *path, const pdr_recipe *recipe, const pdr_dataset *like,
                          uint64_t seed, const pdr_learner_how *how, const char *vfs,
                          pdr_learner **out, pdr_error *err)
{
    *out = NULL;
    pdr_learner *l = learner_new(how, err);
    if (!l) return PDR_NOMEM;
    pdi_store_options with = {.alloc = l->alloc, .vfs = vfs};
    char *text = pdr_recipe_write(recipe);
    pdr_rc rc = text ? learner_recipe(l, text, recipe->name, err) : pdi_nomem(err);
    l->seed = seed;
    if (!rc) rc = pdi_form_open(l, like, err);
    if (!rc) rc = learner_begin(l, false, err);
    if (!rc) rc = pdi_store_create(path, &with, &l->store, err);
    if (!rc) l->next = pdi_store_journal(l->store).next;
    if (!rc) rc = learner_write_first(l, text, err);
    pdi_free(recipe->alloc, text);
    if (rc) {
        learner_free(l);
        return rc;
    }
    *out = l;
    return PDR_OK;
}

pdr_rc pdr_learner_create(const char *path, const pdr_recipe *recipe, const pdr_dataset *like,
                          uint64_t seed, const pdr_learner_how *how, pdr_learner **out,
                          pdr_error *err)
{
    return pdi_learner_create(path, recipe, like, seed, how, NULL, out, err);
}

/* ---- open
 * ----------------------------------------------------------------------------------------- */

static pdr_rc learner_read_recipe(pdr_learner *l, pdr_error *err)
{
    char *text = NULL, *name = NULL;
    int64_t seed = 0;
    pdr_rc rc = pdi_store_get_text(l->store, "learner", "recipe", &text, NULL, err);
    if (!rc) rc = pdi_store_get_text(l->store, "learner", "name", &name, NULL, err);
    if (!rc) rc = pdi_store_get_number(l->store, "learner", "seed", &seed, NULL, err);
    l->seed = (uint64_t)seed;
    if (!rc) rc = learner_recipe(l, text, name, err);
    pdi_free(l->alloc, text);
    pdi_free(l->alloc, name);
    return rc;
}

static pdr_rc learner_see_skip(void *ctx, const pdi_entry *e, pdr_error *err)
{
    return pdi_teach_note(ctx, e->bytes, e->n, err);
}

/* SQLite hands out bytes where they lie, which is no place for floats. */
static pdr_rc learner_see(void *ctx, const pdi_entry *e, pdr_error *err)
{
    pdr_learner *l = ctx;
    void *bytes = pdi_new(l->alloc, e->n, 1);
    if (!bytes) return pdi_nomem(err);
    if (e->n) memcpy(bytes, e->bytes, e->n);
    l->unwritten += (int64_t)e->n;
    pdr_rc rc = pdi_teach_entry(l, e->seq, bytes, e->n, err);
    pdi_free(l->alloc, bytes);
    return rc;
}

/* State, then what the journal has past it. */
static pdr_rc learner_read(pdr_learner *l, pdr_error *err)
{
    pdr_rc rc = learner_read_recipe(l, err);
    if (!rc) rc = pdi_form_get(l, err);
    if (!rc) rc = learner_begin(l, true, err);
    if (!rc) rc = pdi_learner_get(l, err);
    if (!rc) rc = pdi_fit_state(l, err);
    if (!rc && l->next < pdi_store_journal(l->store).first)
        l->next = pdi_store_journal(l->store).first; /* after a rollback */
    if (!rc) rc = pdi_store_read(l->store, l->next, learner_see_skip, l, err);
    if (!rc) rc = pdi_store_read(l->store, l->next, learner_see, l, err);
    return rc;
}

/* The process may have ended between an entry and the note that a batch of it diverged. */
static pdr_rc learner_read_on(pdr_learner *l, pdr_error *err)
{
    pdr_error why = PDR_NO_ERROR;
    pdr_rc rc = learner_read(l, &why);
    while (rc == PDR_DIVERGED && !pdi_teach_is_skipped(l)) {
        if (!pdi_teach_skip(l, l->taken)) return pdi_nomem(err);
        learner_end(l);
        pdr_recipe_close(&l->recipe);
        why = (pdr_error)PDR_NO_ERROR;
        rc = learner_read(l, &why);
    }
    return rc ? pdi_fail(err, rc, "%s", why.text) : PDR_OK;
}

pdr_rc pdi_learner_reload(pdr_learner *l, pdr_error *err)
{
    learner_end(l);
    pdr_recipe_close(&l->recipe);
    l->skips = 0;
    pdr_rc rc = pdi_store_begin(l->store, PDI_STORE_READ, err);
    if (!rc) rc = learner_read_on(l, err);
    pdi_store_cancel(l->store);
    l->is_lost = rc != PDR_OK;
    return rc;
}

pdr_rc pdi_learner_open(const char *path, const pdr_learner_how *how, const char *vfs,
                        pdr_learner **out, pdr_error *err)
{
    *out = NULL;
    pdr_learner *l = learner_new(how, err);
    if (!l) return PDR_NOMEM;
    pdi_store_options with = {.alloc = l->alloc, .vfs = vfs};
    pdi_store_mode mode = l->reads_only ? PDI_STORE_READ : PDI_STORE_WRITE;
    pdr_rc rc = pdi_store_open(path, mode, &with, &l->store, err);
    if (!rc) rc = pdi_learner_reload(l, err);
    if (rc) {
        learner_free(l);
        return rc;
    }
    *out = l;
    return PDR_OK;
}

pdr_rc pdr_learner_open(const char *path, const pdr_learner_how *how, pdr_learner **out,
                        pdr_error *err)
{
    return pdi_learner_open(path, how, NULL, out, err);
}

/* ---- write, close
 * --------------------------------------------------------------------------------- */

/* "learned, adapted": what the journal holds. */
static const char *learner_did(const pdr_learner *l, char text[64])
{
    static const struct {
        pdi_entry_kind kind;
        const char *word;
    } words[] = {{PDI_ENTRY_LEARN, "learned"},
                 {PDI_ENTRY_ADAPT, "adapted"},
                 {PDI_ENTRY_TASK_END, "ended a task"},
                 {PDI_ENTRY_ASK, "asked"}};
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (l->did & 1u << words[i].kind)
            n += (size_t)snprintf(text + n, 64 - n, "%s%s", n ? ", " : "", words[i].word);
    return n ? text : "nothing";
}

pdr_rc pdr_learner_checkpoint(pdr_learner *l, pdr_error *err)
{
    char did[64];
    pdr_rc rc = pdi_learner_check(l, true, err);
    if (rc || !l->unwritten) return rc;
    rc = pdi_store_begin(l->store, PDI_STORE_WRITE, err);
    if (rc) return rc;
    rc = pdi_learner_put(l, err);
    if (!rc) rc = pdi_log_add(l, learner_did(l, did), NULL, err);
    if (!rc) rc = pdi_store_trim(l->store, l->next, err);
    if (!rc) rc = pdi_store_commit(l->store, err);
    if (rc)
        pdi_store_cancel(l->store);
    else
        l->unwritten = l->did = 0;
    return rc;
}

pdr_rc pdr_learner_close(pdr_learner *l, pdr_error *err)
{
    if (!l) return PDR_OK;
    pdr_rc rc = l->is_lost || l->reads_only ? PDR_OK : pdr_learner_checkpoint(l, err);
    learner_free(l);
    return rc;
}

/* ---- learning, as far as the file goes
 * ------------------------------------------------------------ */

/* A batch diverged: note it in the journal, and be as before it. */
static pdr_rc learner_skip(pdr_learner *l, pdr_error *err)
{
    pdr_error why = PDR_NO_ERROR;
    unsigned char bytes[16] = {PDI_ENTRY_SKIP};
    uint64_t from = l->taken;
    int32_t n = l->waiting;
    memcpy(bytes + 8, &from, sizeof from);
    pdr_rc rc = pdi_store_begin(l->store, PDI_STORE_WRITE, &why);
    if (!rc) rc = pdi_store_append(l->store, bytes, sizeof bytes, NULL, &why);
    if (!rc) rc = pdi_store_commit(l->store, &why);
    if (!rc) rc = pdi_learner_reload(l, &why);
    if (!rc) return PDR_DIVERGED;
    l->is_lost = true;
    if (err) *err = (pdr_error)PDR_NO_ERROR;
    return pdi_fail(err, rc, "%d examples diverged, and: %s", n, why.text);
}

/* Before examples come that would make the journal longer still: what fails afterwards would
 * fail a call whose examples are kept. */
static pdr_rc learner_make_room(pdr_learner *l, pdr_error *err)
{
    pdr_error why = PDR_NO_ERROR;
    if (l->unwritten <= l->recipe.learner.journal) return PDR_OK;
    pdr_rc rc = pdr_learner_checkpoint(l, &why);
    return rc ? pdi_fail(err, rc, "the journal is full, and the state cannot be written: %s",
                         why.text)
              : PDR_OK;
}

/* A commit that failed may have come to the disk all the same: only the file knows. */
static pdr_rc learner_append(pdr_learner *l, const void *bytes, size_t size, pdr_error *err)
{
    int64_t seq = 0;
    pdr_rc rc = learner_make_room(l, err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_WRITE, err);
    if (rc) return rc;
    rc = pdi_store_append(l->store, bytes, size, &seq, err);
    if (!rc) {
        rc = pdi_store_commit(l->store, err);
        l->is_lost = rc != PDR_OK;
    }
    if (rc) {
        pdi_store_cancel(l->store);
        return rc;
    }
    l->unwritten += (int64_t)size;
    rc = pdi_teach_entry(l, seq, bytes, size, err);
    if (rc == PDR_DIVERGED) return learner_skip(l, err);
    l->is_lost = rc != PDR_OK;
    return rc;
}

static pdr_rc learner_entry(pdr_learner *l, pdi_entry_kind kind, size_t n, const pdr_example e[],
                            pdr_error *err)
{
    void *bytes = NULL;
    size_t size;
    pdr_rc rc = pdi_learner_check(l, true, err);
    if (!rc && kind == PDI_ENTRY_ASK) rc = pdi_accept_ask(l, n, e, err);
    if (!rc && kind != PDI_ENTRY_ASK) rc = pdi_accept_learn(l, n, e, err);
    if (!rc) rc = pdi_entry_write(l, kind, n, e, &bytes, &size, err);
    if (!rc) rc = learner_append(l, bytes, size, err);
    pdi_free(l->alloc, bytes);
    return rc;
}

pdr_rc pdr_learner_learn(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err)
{
    return n ? learner_entry(l, PDI_ENTRY_LEARN, n, e, err) : PDR_OK;
}

pdr_rc pdr_learner_adapt(pdr_learner *l, size_t n, const pdr_example e[], pdr_error *err)
{
    if (n > (size_t)l->most || !n)
        return pdi_fail(err, PDR_INPUT, "%zu examples to adapt to; give 1 to %d", n, l->most);
    return learner_entry(l, PDI_ENTRY_ADAPT, n, e, err);
}

/* An example whose id came again in the same call waits no longer: it is answered anew. */
pdr_rc pdr_learner_ask(pdr_learner *l, size_t n, const pdr_example e[], float score[],
                       pdr_error *err)
{
    const pdi_asked *a = &l->asked;
    size_t outputs = (size_t)l->form.outputs;
    pdr_rc rc = n ? learner_entry(l, PDI_ENTRY_ASK, n, e, err) : PDR_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        size_t slot = (size_t)((a->total - n + i) % (uint64_t)a->most);
        if (!strcmp(a->id[slot], e[i].id))
            pdi_answer_scores(l, a->y + slot * outputs, score + i * outputs);
        else
            rc = pdr_learner_predict(l, 1, e[i].x, e[i].task, score + i * outputs, err);
    }
    return rc;
}

pdr_rc pdr_learner_end_task(pdr_learner *l, pdr_error *err)
{
    return learner_entry(l, PDI_ENTRY_TASK_END, 0, NULL, err);
}

/* ---- snapshots
 * -------------------------------------------------------------------------------------- */

pdr_rc pdr_learner_snapshot(pdr_learner *l, const char *name, pdr_error *err)
{
    pdr_rc rc = pdr_learner_checkpoint(l, err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_WRITE, err);
    if (rc) return rc;
    rc = pdi_log_add(l, "snapshot", name, err);
    if (!rc) rc = pdi_store_snapshot(l->store, name, (int64_t)time(NULL), err);
    if (!rc) rc = pdi_store_commit(l->store, err);
    if (rc) pdi_store_cancel(l->store);
    return rc;
}

/* What the journal has is of a state that is no more. */
pdr_rc pdr_learner_rollback(pdr_learner *l, const char *name, pdr_error *err)
{
    pdr_rc rc = pdi_learner_check(l, true, err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_WRITE, err);
    if (rc) return rc;
    rc = pdi_log_rollback(l, name, err);
    if (!rc) rc = pdi_store_trim(l->store, pdi_store_journal(l->store).next, err);
    if (!rc) rc = pdi_store_commit(l->store, err);
    if (rc) {
        pdi_store_cancel(l->store);
        return rc;
    }
    return pdi_learner_reload(l, err);
}

const char *pdr_learner_snapshot_at(const pdr_learner *l, size_t i, int64_t *when)
{
    pdi_snapshot s;
    if (!pdi_store_snapshot_at(l->store, i, &s)) return NULL;
    if (when) *when = s.made;
    return s.name;
}

/* ---- upkeep ------------------------------------------------------------------------------ */

pdr_rc pdr_learner_check(pdr_learner *l, pdr_error *err)
{
    pdi_store_health health;
    return pdi_store_check(l->store, &health, err);
}

pdr_rc pdr_learner_compact(pdr_learner *l, pdr_error *err)
{
    pdr_rc rc = pdr_learner_checkpoint(l, err);
    return rc ? rc : pdi_store_compact(l->store, err);
}

int64_t pdr_learner_file_bytes(const pdr_learner *l) { return pdi_store_bytes(l->store); }

pdr_rc pdr_learner_tensors(pdr_learner *l, pdr_tensor_fn *show, void *ctx)
{
    const pdi_state *s = &l->trainer->store;
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && i < s->n; i++)
        rc = show(ctx, s->v[i].name, &s->v[i].shape, s->v[i].value);
    return rc;
}

/* ---- what it is
 * -------------------------------------------------------------------------------------- */

static const char *learner_name(const pdi_names *names, int32_t i)
{
    return i >= 0 && i < names->n ? names->v[i] : NULL;
}

const pdr_recipe *pdr_learner_recipe(const pdr_learner *l) { return &l->recipe; }
pdr_shape pdr_learner_shape(const pdr_learner *l) { return l->form.shape; }
bool pdr_learner_is_regression(const pdr_learner *l) { return l->form.targets > 0; }
int32_t pdr_learner_outputs(const pdr_learner *l) { return l->form.outputs; }
int32_t pdr_learner_classes(const pdr_learner *l) { return l->form.class.n; }
int32_t pdr_learner_tasks(const pdr_learner *l) { return l->form.task.n - 1; }
uint64_t pdr_learner_examples(const pdr_learner *l) { return l->examples; }
uint64_t pdr_learner_waiting(const pdr_learner *l) { return (uint64_t)l->waiting; }
uint64_t pdr_learner_bytes(const pdr_learner *l) { return pdi_trainer_bytes(l->trainer); }

const char *pdr_learner_feature(const pdr_learner *l, size_t i)
{
    return i < l->form.width ? learner_name(&l->form.feature, (int32_t)i) : NULL;
}

const char *pdr_learner_class(const pdr_learner *l, int32_t c)
{
    return learner_name(&l->form.class, c);
}

const char *pdr_learner_task(const pdr_learner *l, int32_t t)
{
    return t >= 0 ? learner_name(&l->form.task, t + 1) : NULL;
}

uint64_t pdr_learner_parameters(const pdr_learner *l) { return pdi_trainer_parameters(l->trainer); }
