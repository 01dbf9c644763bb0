/* learner/entry.c -- examples as an entry of the journal, and back.
 *
 *     u32 kind, u32 n, i64 number (a skip's entry, else 0)
 *     n times: u32 lengths of task, label and id (0: none), u32 what follows: 1 features,
 *              2 targets; task, label, id, zeros to a multiple of 4; features; targets
 *
 * Numbers are little-endian, features and targets IEEE floats. */
#include <math.h>
#include <string.h>

#include "learner/learner.h"

enum { ENTRY_HEAD = 16, ENTRY_LENGTHS = 16, ENTRY_FEATURES = 1, ENTRY_TARGETS = 2 };

static size_t entry_padded(size_t n) { return (n + 3) & ~(size_t)3; }

static uint32_t entry_length(const char *name) { return name ? (uint32_t)strlen(name) : 0; }

static size_t entry_numbers(const pdr_learner *l, uint32_t what)
{
    return (what & ENTRY_FEATURES ? l->form.width : 0) +
           (what & ENTRY_TARGETS ? (size_t)l->form.targets : 0);
}

static uint32_t entry_what(const pdr_learner *l, const pdr_example *e)
{
    return (e->x ? (uint32_t)ENTRY_FEATURES : 0) |
           (l->form.targets && e->target ? (uint32_t)ENTRY_TARGETS : 0);
}

/* A label says nothing where targets are learned. */
static uint32_t entry_label(const pdr_learner *l, const pdr_example *e)
{
    return l->form.targets ? 0 : entry_length(e->label);
}

static size_t entry_size(const pdr_learner *l, const pdr_example *e)
{
    size_t names = (size_t)entry_length(e->task) + entry_label(l, e) + entry_length(e->id);
    return ENTRY_LENGTHS + entry_padded(names) + entry_numbers(l, entry_what(l, e)) * sizeof(float);
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
    uint32_t what = entry_what(l, e),
             length[] = {entry_length(e->task), entry_label(l, e), entry_length(e->id), what};
    at = entry_put(at, length, sizeof length);
    at = entry_put(at, e->task, length[0]);
    at = entry_put(at, e->label, length[1]);
    at = entry_put(at, e->id, length[2]);
    at = start + ENTRY_LENGTHS + entry_padded((size_t)length[0] + length[1] + length[2]);
    if (what & ENTRY_FEATURES) at = entry_put(at, e->x, l->form.width * sizeof(float));
    if (what & ENTRY_TARGETS)
        at = entry_put(at, e->target, (size_t)l->form.targets * sizeof(float));
    return at;
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
    bool has_examples = head[0] == PDI_ENTRY_LEARN || head[0] == PDI_ENTRY_ADAPT ||
                        head[0] == PDI_ENTRY_ASK;
    return head[0] >= PDI_ENTRY_LEARN && head[0] <= PDI_ENTRY_ASK && has_examples == (r->n > 0) &&
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

/* An example to learn has an answer, one to ask about an id; each what it is known by. */
static bool entry_is_whole(const pdi_entry_reader *r, const pdr_example *e)
{
    if (r->kind == PDI_ENTRY_ASK) return e->x && e->id;
    return (e->x || e->id) && (r->l->form.targets ? e->target != NULL : e->label != NULL);
}

bool pdi_entry_next(pdi_entry_reader *r, pdr_example *e)
{
    uint32_t length[4];
    size_t start = r->at, left = r->size - r->at;
    if (left < ENTRY_LENGTHS) return false;
    memcpy(length, r->bytes + r->at, sizeof length);
    if (length[0] > PDI_NAME_MAX || length[1] > PDI_NAME_MAX || length[2] > PDI_ID_MAX)
        return false;
    size_t head = ENTRY_LENGTHS + entry_padded((size_t)length[0] + length[1] + length[2]);
    size_t numbers = entry_numbers(r->l, length[3]);
    if (left < head || (left - head) / sizeof(float) < numbers) return false;
    r->at += ENTRY_LENGTHS;
    bool task = entry_name(r, r->task, length[0], &e->task);
    bool label = entry_name(r, r->label, length[1], &e->label);
    if (!entry_name(r, r->id, length[2], &e->id) || !task || !label) return false;
    const float *number = (const float *)(const void *)(r->bytes + start + head);
    r->at = start + head + numbers * sizeof(float);
    e->x = length[3] & ENTRY_FEATURES ? number : NULL;
    e->target = length[3] & ENTRY_TARGETS ? number + entry_numbers(r->l, ENTRY_FEATURES & length[3])
                                          : NULL;
    for (size_t i = 0; e->x && i < r->l->form.width; i++)
        if (!pdi_form_takes(r->l, e->x[i])) return false;
    for (int32_t k = 0; e->target && k < r->l->form.targets; k++)
        if (!isfinite(e->target[k])) return false;
    return entry_is_whole(r, e);
}
