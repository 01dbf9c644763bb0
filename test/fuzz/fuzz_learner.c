/* fuzz/fuzz_learner.c -- learner files with right sums and wrong contents.
 *
 * A healthy learner, with a snapshot and entries in its journal, is put on a disk in memory.  The
 * input is a list of changes to it, made through the store, so that all sums are right and what
 * reads the contents is reached: a byte that chooses a change, then what with.
 *
 *     0  a number of the recipe becomes another        4  bytes of an item
 *     1  the recipe, to a zero byte                    5  an item's shape
 *     2  an entry of the journal, as it stands         6  a section is emptied
 *     3  bytes of the journal's last entry             7  a value
 *
 * What is opened afterwards is a learner or refused in one line.  A learner answers, learns, keeps
 * a snapshot, and is found as it was left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../disk.h"
#include "../learner_life.h"
#include "learner/learner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH "/fuzz"

enum { FUZZ_CHANGES = 16, FUZZ_TEXT = 8192, FUZZ_BYTES = 1 << 20, FUZZ_MOST = 1 << 28 };

static disk d;
static const pdi_store_options how = {.vfs = "disk", .wait_ms = -1};
static uint8_t *whole;
static size_t whole_size;

typedef struct input {
    const uint8_t *p;
    size_t n;
} input;

static uint64_t take(input *in, size_t bytes)
{
    uint64_t x = 0;
    for (; bytes && in->n; bytes--, in->n--) x = x << 8 | *in->p++;
    return x;
}

static void fuzz_must(bool holds, const char *what, const pdr_error *err)
{
    if (holds) return;
    fprintf(stderr, "fuzz_learner: %s: %s\n", what, err->text);
    abort();
}

/* ---- the healthy one ------------------------------------------------------------------------- */

/* The entries stay in the journal: a closed learner would have learned them. */
static pdr_rc fuzz_journal(pdr_error *err)
{
    const learner_home home = {.path = PATH, .vfs = "disk"};
    static float x[3] = {1, 2, 3};
    const pdr_example e[2] = {{.x = x, .label = "red", .task = "warm"}, {.x = x, .label = "blue"}};
    pdr_learner *l = NULL;
    void *bytes = NULL;
    size_t n;
    pdr_rc rc = learner_open(&home, false, &l, err);
    if (!rc) rc = pdi_entry_write(l, PDI_ENTRY_LEARN, 2, e, &bytes, &n, err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_WRITE, err);
    if (!rc) rc = pdi_store_append(l->store, bytes, n, NULL, err);
    if (!rc) rc = pdi_store_commit(l->store, err);
    if (l) pdi_free(l->alloc, bytes);
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : closed;
}

static void fuzz_start(void)
{
    const learner_home home = {.path = PATH, .vfs = "disk"};
    int done;
    pdr_error err = PDR_NO_ERROR;
    disk_start(&d);
    pdr_rc rc = learner_run(&home, 0, LEARNER_STEPS - 1, &done, &err);
    if (!rc) rc = fuzz_journal(&err);
    fuzz_must(rc == PDR_OK, "a healthy learner", &err);
    const uint8_t *bytes = disk_bytes(&d, PATH, &whole_size);
    whole = malloc(whole_size);
    fuzz_must(whole != NULL, "memory", &err);
    memcpy(whole, bytes, whole_size);
}

/* ---- changes ------------------------------------------------------------------------------------
 */

/* The number with the given place among those of the text becomes x. */
static void fuzz_number(char text[FUZZ_TEXT], size_t place, uint64_t x)
{
    char rest[FUZZ_TEXT];
    char *p = text;
    for (;; p++) {
        p += strcspn(p, "0123456789");
        if (!*p) return;
        size_t digits = strspn(p, "0123456789");
        if (place-- == 0) {
            snprintf(rest, sizeof rest, "%s", p + digits);
            snprintf(p, FUZZ_TEXT - (size_t)(p - text), "%llu%s", (unsigned long long)x, rest);
            return;
        }
        p += digits;
    }
}

static pdr_rc change_recipe(pdi_store *s, input *in, bool all, pdr_error *err)
{
    char text[FUZZ_TEXT] = "", *now = NULL;
    pdr_rc rc = pdi_store_get_text(s, "learner", "recipe", &now, NULL, err);
    if (rc) return rc;
    snprintf(text, sizeof text, "%s", now);
    free(now);
    if (all) {
        const uint8_t *end = in->n ? memchr(in->p, 0, in->n) : NULL;
        size_t n = end ? (size_t)(end - in->p) : in->n;
        snprintf(text, sizeof text, "%.*s", (int)(n < FUZZ_TEXT ? n : FUZZ_TEXT - 1),
                 n ? (const char *)in->p : "");
        take(in, end ? n + 1 : n);
    } else {
        size_t place = take(in, 1);
        fuzz_number(text, place, take(in, 1 + take(in, 1) % 6));
    }
    return pdi_store_put_text(s, "learner", "recipe", text, err);
}

typedef struct last {
    uint8_t bytes[4096];
    size_t n;
} last;

static pdr_rc fuzz_last(void *ctx, const pdi_entry *e, pdr_error *err)
{
    last *l = ctx;
    (void)err;
    l->n = e->n < sizeof l->bytes ? e->n : sizeof l->bytes;
    if (l->n) memcpy(l->bytes, e->bytes, l->n);
    return PDR_OK;
}

static pdr_rc change_journal(pdi_store *s, input *in, bool whole_entry, pdr_error *err)
{
    last l = {.n = 0};
    if (whole_entry) {
        l.n = take(in, 2) % 400;
        if (l.n > in->n) l.n = in->n;
        if (l.n) memcpy(l.bytes, in->p, l.n);
        take(in, l.n);
        return pdi_store_append(s, l.bytes, l.n, NULL, err);
    }
    pdr_rc rc = pdi_store_read(s, 0, fuzz_last, &l, err);
    size_t at = take(in, 1), n = take(in, 1) % 8 + 1;
    for (; n && at < l.n; n--) l.bytes[at++] = (uint8_t)take(in, 1);
    return rc ? rc : pdi_store_append(s, l.bytes, l.n, NULL, err);
}

/* The item with a number, as it is in the file. */
typedef struct pick {
    size_t left;
    bool found;
    pdi_item item;
    char section[64], name[256];
} pick;

static pdr_rc fuzz_pick(void *ctx, const pdi_item *i, pdr_error *err)
{
    pick *p = ctx;
    (void)err;
    if (p->found || p->left--) return PDR_OK;
    p->found = true;
    p->item = *i;
    snprintf(p->section, sizeof p->section, "%s", i->section);
    snprintf(p->name, sizeof p->name, "%s", i->name);
    p->item.section = p->section;
    p->item.name = p->name;
    return PDR_OK;
}

static void fuzz_reshape(pdi_item *i, input *in)
{
    i->shape = (pdr_shape){.rank = (int)take(in, 1) % 4};
    for (int k = 0; k < i->shape.rank; k++) i->shape.dim[k] = (int32_t)(take(in, 3) & 0x7FFFFF);
    i->type = (pdi_type)(take(in, 1) % 7);
}

static pdr_rc change_item(pdi_store *s, input *in, bool shape, pdr_error *err)
{
    static uint8_t bytes[FUZZ_BYTES];
    pick p = {.left = take(in, 1) % 40};
    pdr_rc rc = pdi_store_items(s, NULL, fuzz_pick, &p, err);
    if (rc || !p.found) return rc;
    memset(bytes, 0, sizeof bytes);
    int64_t size = pdi_item_size(&p.item);
    if (size < 0 || size > FUZZ_BYTES) return PDR_OK;
    rc = pdi_store_get(s, &p.item, bytes, err);
    if (rc) return rc;
    if (shape) {
        fuzz_reshape(&p.item, in);
    } else {
        size_t at = take(in, 2) % (size_t)(size + 1), n = take(in, 1) % 9;
        for (; n && at < (size_t)size; n--) bytes[at++] = (uint8_t)take(in, 1);
    }
    size = pdi_item_size(&p.item);
    if (size < 0 || size > FUZZ_BYTES) return PDR_OK;
    p.item.bytes = bytes;
    return pdi_store_put(s, &p.item, err);
}

static const char *const sections[] = {"learner", "form",    "feature", "class",  "task",
                                       "waiting", "counter", "memory",  "tensor", "log"};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static pdr_rc change_value(pdi_store *s, input *in, pdr_error *err)
{
    char name[32], text[32];
    const char *section = sections[take(in, 1) % SECTIONS];
    uint64_t what = take(in, 1);
    snprintf(name, sizeof name, "%08d", (int)(what % 8));
    if (what & 16) snprintf(name, sizeof name, "%s", what & 32 ? "seed" : "name");
    if (what & 64) return pdi_store_put_number(s, section, name, (int64_t)take(in, 8), err);
    snprintf(text, sizeof text, "%c%c", (int)(take(in, 1) % 26 + 'a'), (int)take(in, 1) % 26 + 'a');
    return pdi_store_put_text(s, section, name, text, err);
}

static pdr_rc fuzz_change(pdi_store *s, input *in, pdr_error *err)
{
    uint64_t what = take(in, 1) % 8;
    switch (what) {
    case 0:
    case 1: return change_recipe(s, in, what == 1, err);
    case 2:
    case 3: return change_journal(s, in, what == 2, err);
    case 4:
    case 5: return change_item(s, in, what == 5, err);
    case 6: return pdi_store_clear(s, sections[take(in, 1) % SECTIONS], err);
    default: return change_value(s, in, err);
    }
}

/* A recipe may ask for much work; that is its owner's business, and not looked at here. */
static bool fuzz_is_lazy(pdi_store *s)
{
    char *text = NULL;
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    if (pdi_store_get_text(s, "learner", "recipe", &text, NULL, &err)) return true;
    pdr_rc rc = pdr_recipe_parse(NULL, "fuzz", text, strlen(text), 0, NULL, &r, &err);
    free(text);
    if (rc) return true;
    bool lazy = r.training.glances < 10 && r.learner.adapt_steps < 100 && r.training.batch < 2000;
    pdr_recipe_close(&r);
    return lazy;
}

static bool fuzz_prepare(input *in)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = pdi_store_open(PATH, PDI_STORE_WRITE, &how, &s, &err);
    if (!rc) rc = pdi_store_begin(s, PDI_STORE_WRITE, &err);
    fuzz_must(rc == PDR_OK, "the healthy learner", &err);
    for (int k = 0; !rc && in->n && k < FUZZ_CHANGES; k++) rc = fuzz_change(s, in, &err);
    bool lazy = !rc && fuzz_is_lazy(s);
    if (!rc) rc = pdi_store_commit(s, &err);
    pdi_store_close(s);
    return !rc && lazy;
}

/* ---- what is made of it
 * --------------------------------------------------------------------------- */

static size_t fuzz_now;

static void *fuzz_memory(void *ctx, void *old, size_t size)
{
    size_t *block = old ? (size_t *)old - 2 : NULL, had = block ? *block : 0;
    (void)ctx;
    if (size > FUZZ_MOST || fuzz_now - had + size > FUZZ_MOST) return NULL;
    fuzz_now = fuzz_now - had + size;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof *block);
    if (!block) abort();
    *block = size;
    return block + 2;
}

static void fuzz_refusal(pdr_rc rc, const pdr_error *err)
{
    fuzz_must(rc != PDR_INTERNAL, "an unexpected code", err);
    fuzz_must(!rc || (*err->text && !strpbrk(err->text, "\n\r")), "not one line", err);
}

static pdr_rc fuzz_use(pdr_learner *l, uint64_t *print, pdr_error *err)
{
    float x[64] = {1, 2, 3};
    pdr_shape shape = pdr_learner_shape(l);
    const pdr_example e = {.x = x, .label = "red", .target = x, .task = "warm"};
    pdr_rc rc = PDR_OK;
    *print = pdr_learner_state_hash(l);
    if (pdr_shape_size(&shape) > 64 || pdr_learner_outputs(l) > 64) return rc;
    for (int k = 0; !rc && k < 4; k++) rc = pdr_learner_learn(l, 1, &e, err);
    if (rc == PDR_DIVERGED || rc == PDR_INPUT) rc = PDR_OK;
    if (!rc) rc = pdr_learner_adapt(l, 1, &e, err);
    if (rc == PDR_DIVERGED || rc == PDR_INPUT) rc = PDR_OK;
    if (!rc) rc = pdr_learner_snapshot(l, "fuzz", err);
    *print = pdr_learner_state_hash(l);
    return rc;
}

static void fuzz_open(void)
{
    const pdr_alloc alloc = {fuzz_memory, NULL};
    const learner_home home = {.path = PATH, .vfs = "disk", .alloc = &alloc};
    float score[64], x[64] = {0};
    uint64_t print = 0;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = learner_open(&home, true, &l, &err);
    fuzz_refusal(rc, &err);
    if (rc) fuzz_must(l == NULL && fuzz_now == 0, "memory is left", &err);
    if (rc) return;
    pdr_shape shape = pdr_learner_shape(l);
    if (pdr_shape_size(&shape) <= 64 && pdr_learner_outputs(l) <= 64)
        fuzz_refusal(pdr_learner_predict(l, 1, x, NULL, score, &err), &err);
    pdr_learner_close(l, NULL);
    err = (pdr_error)PDR_NO_ERROR;
    rc = learner_open(&home, false, &l, &err);
    if (!rc) rc = fuzz_use(l, &print, &err);
    fuzz_refusal(rc, &err);
    pdr_rc closed = pdr_learner_close(l, NULL);
    fuzz_must(fuzz_now == 0, "memory is left", &err);
    if (rc || closed) return;
    rc = learner_open(&home, true, &l, &err);
    fuzz_must(rc == PDR_OK, "what was left whole cannot be opened", &err);
    fuzz_must(pdr_learner_state_hash(l) == print, "it is not as it was left", &err);
    pdr_learner_close(l, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    if (!whole) fuzz_start();
    disk_restart(&d, DISK_DROPPED, 0);
    disk_put(&d, PATH, whole, whole_size);
    disk_put(&d, PATH "-wal", NULL, 0);
    disk_put(&d, PATH "-journal", NULL, 0);
    if (fuzz_prepare(&in)) fuzz_open();
    return 0;
}
