/* store_life.c -- the life of a store in steps, for tests that disturb it. */
#include "store_life.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { LIFE_LARGE = 17000 };

/* ---- the steps ------------------------------------------------------------------------ */

static pdr_rc life_put(pdi_store *s, const char *section, const char *name, pdi_type type,
                       pdr_shape shape, const void *bytes, pdr_error *err)
{
    pdi_item i = {section, name, type, shape, bytes};
    return pdi_store_put(s, &i, err);
}

/* Two pieces; later steps change a number in one of them. */
static pdr_rc life_put_large(pdi_store *s, const char *section, int step, pdr_error *err)
{
    static int32_t x[LIFE_LARGE];
    for (int i = 0; i < LIFE_LARGE; i++) x[i] = i * 3;
    if (step >= 5) x[LIFE_LARGE - 1] = -1;
    return life_put(s, section, "large", PDI_I32, PDR_SHAPE(4, LIFE_LARGE / 4), x, err);
}

static pdr_rc life_put_state(pdi_store *s, int step, pdr_error *err)
{
    float w[12];
    for (int i = 0; i < 12; i++) w[i] = (float)(step * 100 + i) / 7;
    pdr_rc rc = life_put(s, "param", "0.weight", PDI_F32, PDR_SHAPE(3, 4), w, err);
    if (!rc) rc = life_put(s, "param", "0.bias", PDI_F32, PDR_SHAPE(4), w, err);
    if (!rc) rc = life_put(s, "memory", "x", PDI_F32, PDR_SHAPE(0, 5), NULL, err);
    if (!rc) rc = life_put_large(s, "memory", step, err);
    if (!rc) rc = pdi_store_put_number(s, "counter", "steps", step - 1000, err);
    if (!rc) rc = pdi_store_put_text(s, "recipe", "text", "method: {name: er}\n", err);
    return rc;
}

static pdr_rc life_append(pdi_store *s, int n, size_t length, pdr_error *err)
{
    uint8_t bytes[512];
    pdr_rc rc = PDR_OK;
    for (int i = 0; !rc && i < n; i++) {
        int64_t seq = pdi_store_journal(s).next;
        memset(bytes, (int)(seq * 31), sizeof bytes);
        rc = pdi_store_append(s, bytes, length, NULL, err);
    }
    return rc;
}

static pdr_rc life_checkpoint(pdi_store *s, int step, int64_t before, pdr_error *err)
{
    pdr_rc rc = life_put_state(s, step, err);
    return rc ? rc : pdi_store_trim(s, before, err);
}

static pdr_rc life_clear(pdi_store *s, int step, pdr_error *err)
{
    pdr_rc rc = pdi_store_snapshot(s, "two", 2000, err);
    if (!rc) rc = pdi_store_clear(s, "memory", err);
    if (!rc) rc = life_put_large(s, "param", step, err);
    return rc;
}

static pdr_rc life_back(pdi_store *s, pdr_error *err)
{
    pdr_rc rc = pdi_store_rollback(s, "one", err);
    return rc ? rc : pdi_store_trim(s, pdi_store_journal(s).next, err);
}

static pdr_rc life_anew(pdi_store *s, int step, pdr_error *err)
{
    pdr_rc rc = pdi_store_clear(s, NULL, err);
    return rc ? rc : life_put_state(s, step, err);
}

static pdr_rc life_write(pdi_store *s, int step, pdr_error *err)
{
    switch (step) {
    case 0: return life_put_state(s, step, err);
    case 1: return life_append(s, 3, 10, err);
    case 2: return life_append(s, 1, 0, err);
    case 3: return pdi_store_snapshot(s, "one", 1000, err);
    case 4: return life_append(s, 40, 300, err);
    case 5: return life_checkpoint(s, step, 30, err);
    case 6: return life_append(s, 2, 512, err);
    case 7: return life_clear(s, step, err);
    case 8: return life_back(s, err);
    case 9: return pdi_store_forget(s, "two", err);
    default: return life_anew(s, step, err);
    }
}

/* ---- taking them ------------------------------------------------------------------------ */

pdr_rc life_step(pdi_store *s, int step, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    if (step == LIFE_STEPS - 2) return pdi_store_compact(s, err);
    if (step > 0) rc = pdi_store_begin(s, PDI_STORE_WRITE, err); /* creation has begun one */
    if (!rc) rc = life_write(s, step, err);
    if (rc) {
        pdi_store_cancel(s);
        return rc;
    }
    return pdi_store_commit(s, err);
}

pdr_rc life_run(const char *path, const pdi_store_options *how, int from, int to, int *done,
                pdr_error *err)
{
    pdi_store *s = NULL;
    pdr_rc rc = PDR_OK;
    *done = 0;
    for (int step = from; !rc && step < to; step++) {
        if (!s) {
            rc = step ? pdi_store_open(path, PDI_STORE_WRITE, how, &s, err)
                      : pdi_store_create(path, how, &s, err);
        }
        if (!rc) rc = life_step(s, step, err);
        if (!rc) ++*done;
        if (step == 2 || step == 6) {
            pdi_store_close(s);
            s = NULL;
        }
    }
    pdi_store_close(s);
    return rc;
}

/* ---- what there is to read ----------------------------------------------------------------- */

typedef struct life_hash {
    pdi_store *s;
    uint64_t h;
} life_hash;

static void life_add(life_hash *p, const void *bytes, size_t n) { p->h = pdi_hash(p->h, bytes, n); }

static void life_add_text(life_hash *p, const char *text) { life_add(p, text, strlen(text)); }

static pdr_rc life_item(void *ctx, const pdi_item *i, pdr_error *err)
{
    life_hash *p = ctx;
    size_t n = (size_t)pdi_item_size(i);
    char shape[PDR_SHAPE_TEXT], *bytes = malloc(n + 1);
    if (!bytes) return pdi_nomem(err);
    pdr_rc rc = pdi_store_get(p->s, i, bytes, err);
    life_add_text(p, i->section);
    life_add_text(p, i->name);
    life_add_text(p, pdi_type_word(i->type));
    life_add_text(p, pdr_shape_text(&i->shape, shape));
    if (!rc) life_add(p, bytes, n);
    free(bytes);
    return rc;
}

static pdr_rc life_value(void *ctx, const pdi_value *v, pdr_error *err)
{
    life_hash *p = ctx;
    (void)err;
    life_add_text(p, v->section);
    life_add_text(p, v->name);
    life_add(p, &v->number, sizeof v->number);
    life_add_text(p, v->is_text ? v->text : "");
    return PDR_OK;
}

static pdr_rc life_entry(void *ctx, const pdi_entry *e, pdr_error *err)
{
    (void)err;
    life_add(ctx, &e->seq, sizeof e->seq);
    life_add(ctx, e->bytes, e->n);
    return PDR_OK;
}

static pdr_rc life_view(pdi_store *s, const char *name, life_hash *p, pdr_error *err)
{
    pdr_rc rc = pdi_store_view(s, name, err);
    if (!rc) rc = pdi_store_items(s, NULL, life_item, p, err);
    if (!rc) rc = pdi_store_values(s, NULL, life_value, p, err);
    pdi_sum sum = pdi_store_state_sum(s);
    life_add(p, &sum, sizeof sum);
    return rc;
}

static pdr_rc life_all(pdi_store *s, life_hash *p, pdr_error *err)
{
    pdi_snapshot snapshot;
    pdi_journal j = pdi_store_journal(s);
    pdr_rc rc = life_view(s, NULL, p, err);
    for (size_t at = 0; !rc && pdi_store_snapshot_at(s, at, &snapshot); at++) {
        life_add_text(p, snapshot.name);
        life_add(p, &snapshot.made, sizeof snapshot.made);
        rc = life_view(s, snapshot.name, p, err);
    }
    life_add(p, &j, sizeof j);
    return rc ? rc : pdi_store_read(s, 0, life_entry, p, err);
}

pdr_rc life_print(pdi_store *s, uint64_t *print, pdr_error *err)
{
    life_hash p = {.s = s};
    pdr_rc rc = pdi_store_begin(s, PDI_STORE_READ, err);
    if (rc) return rc;
    rc = life_all(s, &p, err);
    *print = p.h;
    pdi_store_cancel(s);
    return rc;
}

pdr_rc life_print_file(const char *path, pdi_store_mode mode, const pdi_store_options *how,
                       uint64_t *print, pdr_error *err)
{
    pdi_store *s = NULL;
    pdr_rc rc = pdi_store_open(path, mode, how, &s, err);
    if (!rc) rc = life_print(s, print, err);
    pdi_store_close(s);
    return rc;
}
