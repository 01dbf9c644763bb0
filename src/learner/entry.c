/* learner/entry.c -- examples as an entry of the journal, and back.
 *
 *     u32 kind, u32 n, i64 number (a skip's entry, else 0)
 *     n times: u32 length of task (0: none), u32 length of label (0: none),
 *              task, label, zeros to a multiple of 4, features, targets
 *
 * Numbers are little-endian, features and targets IEEE floats. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

enum { ENTRY_HEAD = 16, ENTRY_NAMES = 8 };

static size_t entry_padded(size_t n) { return (n + 3) & ~(size_t)3; }

/* A label says nothing where targets are learned. */
static uint32_t entry_label(const pdr_learner *l, const pdr_example *e)
{
    return e->label && !l->form.targets ? (uint32_t)strlen(e->label) : 0;
}

static size_t entry_size(const pdr_learner *l, const pdr_example *e)
{
    size_t names = (e->task ? strlen(e->task) : 0) + entry_label(l, e);
    return ENTRY_NAMES + entry_padded(names) +
           (l->form.width + (size_t)l->form.targets) * sizeof(float);
}

static unsigned char *entry_put(unsigned char *at, const void *bytes, size_t n)
{
    if (n) memcpy(at, bytes, n);
    return at + n;
}

static unsigned char *entry_put_example(const pdr_learner *l, unsigned char *at,
                                        const pdr_example *e)
{
    unsigned char *start = at;
    uint32_t length[2] = {e->task ? (uint32_t)strlen(e->task) : 0, entry_label(l, e)};
    at = entry_put(at, length, sizeof length);
    at = entry_put(at, e->task, length[0]);
    at = entry_put(at, e->label, length[1]);
    at = start + ENTRY_NAMES + entry_padded((size_t)length[0] + length[1]);
    at = entry_put(at, e->x, l->form.width * sizeof(float));
    return entry_put(at, e->target, (size_t)l->form.targets * sizeof(float));
}

pdr_rc pdi_entry_write(const pdr_learner *l, pdi_entry_kind kind, size_t n, const pdr_example e[],
                       void **bytes, size_t *size, pdr_error *err)
{
    uint32_t head[2] = {(uint32_t)kind, (uint32_t)n};
    *size = ENTRY_HEAD;
    for (size_t i = 0; i < n; i++) *size += entry_size(l, &e[i]);
    if (*size > PDI_ENTRY_MAX)
        return pdi_fail(err, PDR_USAGE,
                        "%zu examples are more than 16 MiB in one call; learn fewer at a time", n);
    unsigned char *at = pdi_new(l->alloc, *size, 1);
    *bytes = at;
    if (!at) return pdi_nomem(err);
    entry_put(at, head, sizeof head);
    at += ENTRY_HEAD;
    for (size_t i = 0; i < n; i++) at = entry_put_example(l, at, &e[i]);
    return PDR_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

bool pdi_entry_open(pdi_entry_reader *r, const pdr_learner *l, const void *bytes, size_t size)
{
    uint32_t head[2];
    *r = (pdi_entry_reader){.l = l, .bytes = bytes, .size = size, .at = ENTRY_HEAD};
    if (size < ENTRY_HEAD) return false;
    memcpy(head, r->bytes, sizeof head);
    memcpy(&r->number, r->bytes + sizeof head, sizeof r->number);
    r->kind = (pdi_entry_kind)head[0];
    r->n = head[1];
    bool has_examples = head[0] == PDI_ENTRY_LEARN || head[0] == PDI_ENTRY_ADAPT;
    return head[0] >= PDI_ENTRY_LEARN && head[0] <= PDI_ENTRY_SKIP && has_examples == (r->n > 0) &&
           (has_examples || size == ENTRY_HEAD);
}

bool pdi_entry_ends(const pdi_entry_reader *r) { return r->at == r->size; }

/* A name of the entry, ended with a zero in memory of the reader's; NULL for none. */
static bool entry_name(pdi_entry_reader *r, char *into, uint32_t n, const char **name)
{
    memcpy(into, r->bytes + r->at, n);
    into[n] = 0;
    r->at += n;
    *name = n ? into : NULL;
    return strlen(into) == n;
}

bool pdi_entry_next(pdi_entry_reader *r, pdr_example *e)
{
    const pdi_form *f = &r->l->form;
    uint32_t length[2];
    size_t numbers = (f->width + (size_t)f->targets) * sizeof(float), start = r->at;
    if (r->size - r->at < ENTRY_NAMES) return false;
    memcpy(length, r->bytes + r->at, sizeof length);
    if (length[0] > PDI_NAME_MAX || length[1] > PDI_NAME_MAX) return false;
    size_t names = entry_padded((size_t)length[0] + length[1]);
    if (r->size - r->at < ENTRY_NAMES + names + numbers) return false;
    r->at += ENTRY_NAMES;
    bool named = entry_name(r, r->task, length[0], &e->task);
    if (!entry_name(r, r->label, length[1], &e->label) || !named) return false;
    r->at = start + ENTRY_NAMES + names;
    e->x = (const float *)(const void *)(r->bytes + r->at);
    e->target = f->targets ? e->x + f->width : NULL;
    r->at += numbers;
    for (size_t i = 0; i < f->width + (size_t)f->targets; i++)
        if (!isfinite(e->x[i])) return false;
    return f->targets ? true : e->label != NULL;
}
