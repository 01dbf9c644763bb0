/* learner/asked.c -- examples that were answered and wait for their labels, by id.
 *
 * A ring: ask number k is in slot k mod learner.asked, so an id waits until as many more have
 * been asked.  A slot holds the features, the task and the answer as it was given: raw
 * outputs, -INFINITY where there could be none.  All of it is state.  A slot that is let go
 * is zeroed; where an id is, is told by chains that are made anew when the ring is read. */
#include <string.h>

#include "base/hash.h"
#include "learner/learner.h"

enum { ASKED_FIRST = 64 };

static uint32_t asked_bucket(const pdi_asked *a, const char *id)
{
    return (uint32_t)(pdi_hash(0, id, strlen(id)) % (uint64_t)a->room);
}

static void asked_chain(pdi_asked *a, int32_t slot)
{
    uint32_t b = asked_bucket(a, a->id[slot]);
    a->next[slot] = a->head[b];
    a->head[b] = slot + 1;
}

static void asked_unchain(pdi_asked *a, int32_t slot)
{
    int32_t *at = &a->head[asked_bucket(a, a->id[slot])];
    while (*at != slot + 1) at = &a->next[*at - 1];
    *at = a->next[slot];
}

static void asked_chain_all(pdi_asked *a)
{
    memset(a->head, 0, (size_t)a->room * sizeof *a->head);
    a->waiting = 0;
    for (int32_t i = 0; i < a->room; i++)
        if (a->id[i][0]) {
            asked_chain(a, i);
            a->waiting++;
        }
}

int32_t pdi_asked_find(const pdi_asked *a, const char *id)
{
    if (!a->room) return -1;
    for (int32_t i = a->head[asked_bucket(a, id)]; i; i = a->next[i - 1])
        if (!strcmp(a->id[i - 1], id)) return i - 1;
    return -1;
}

/* ---- room -------------------------------------------------------------------------------- */

int32_t pdi_asked_slots(const pdi_asked *a)
{
    return a->total < (uint64_t)a->most ? (int32_t)a->total : (int32_t)a->most;
}

static bool asked_more(const pdr_alloc *alloc, void *array, size_t old, size_t room, size_t each)
{
    void **p = array;
    char *more = pdi_resize(alloc, *p, room, each);
    if (!more) return false;
    memset(more + old * each, 0, (room - old) * each);
    *p = more;
    return true;
}

bool pdi_asked_room(pdr_learner *l, int32_t slots)
{
    pdi_asked *a = &l->asked;
    size_t old = (size_t)a->room, room = old ? old : ASKED_FIRST;
    if (slots <= a->room) return true;
    while (room < (size_t)slots) room *= 2;
    if (room > (size_t)a->most) room = (size_t)a->most;
    if (!asked_more(l->alloc, &a->x, old, room, l->form.width * sizeof(float)) ||
        !asked_more(l->alloc, &a->y, old, room, (size_t)l->form.outputs * sizeof(float)) ||
        !asked_more(l->alloc, &a->task, old, room, sizeof *a->task) ||
        !asked_more(l->alloc, &a->id, old, room, sizeof *a->id) ||
        !asked_more(l->alloc, &a->mark, old, room, sizeof *a->mark) ||
        !asked_more(l->alloc, &a->head, old, room, sizeof *a->head) ||
        !asked_more(l->alloc, &a->next, old, room, sizeof *a->next))
        return false;
    a->room = (int32_t)room;
    asked_chain_all(a);
    return true;
}

void pdi_asked_close(pdr_learner *l)
{
    void *const all[] = {l->asked.x,    l->asked.y,    l->asked.task, l->asked.id,
                         l->asked.mark, l->asked.head, l->asked.next};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) pdi_free(l->alloc, all[i]);
    l->asked = (pdi_asked){0};
}

/* ---- in and out ------------------------------------------------------------------------------ */

void pdi_asked_let_go(pdr_learner *l, int32_t slot)
{
    pdi_asked *a = &l->asked;
    size_t width = l->form.width, outputs = (size_t)l->form.outputs;
    asked_unchain(a, slot);
    memset(a->x + (size_t)slot * width, 0, width * sizeof *a->x);
    memset(a->y + (size_t)slot * outputs, 0, outputs * sizeof *a->y);
    memset(a->id[slot], 0, sizeof a->id[slot]);
    a->task[slot] = 0;
    a->waiting--;
}

/* An id that waits already waits anew. */
int32_t pdi_asked_add(pdr_learner *l, const pdr_example *e, int32_t task)
{
    pdi_asked *a = &l->asked;
    int32_t slot = (int32_t)(a->total % (uint64_t)a->most), before;
    if (!pdi_asked_room(l, slot + 1)) return -1;
    before = pdi_asked_find(a, e->id);
    if (before >= 0) pdi_asked_let_go(l, before);
    if (a->id[slot][0]) {
        pdi_asked_let_go(l, slot);
        a->forgotten++;
    }
    memcpy(a->x + (size_t)slot * l->form.width, e->x, l->form.width * sizeof *a->x);
    memcpy(a->id[slot], e->id, strlen(e->id));
    a->task[slot] = task;
    asked_chain(a, slot);
    a->waiting++;
    a->total++;
    return slot;
}

/* What the file holds: are these slots that could have been written? */
bool pdi_asked_is_usable(pdr_learner *l)
{
    pdi_asked *a = &l->asked;
    for (int32_t i = 0, n = pdi_asked_slots(a); i < n; i++) {
        const float *x = a->x + (size_t)i * l->form.width;
        if (a->id[i][PDI_ID_MAX] || a->task[i] < 0 || a->task[i] >= l->form.task.n) return false;
        for (size_t k = 0; k < l->form.width; k++)
            if (!pdi_form_takes(l, x[k])) return false;
        if (a->id[i][0] && pdi_asked_find(a, a->id[i]) >= 0) return false;
        if (a->id[i][0]) asked_chain(a, i);
    }
    if (a->room) asked_chain_all(a);
    return true;
}

bool pdr_learner_awaits(const pdr_learner *l, const char *id)
{
    return pdi_asked_find(&l->asked, id) >= 0;
}

uint64_t pdr_learner_asked(const pdr_learner *l, uint64_t *forgotten)
{
    if (forgotten) *forgotten = l->asked.forgotten;
    return (uint64_t)l->asked.waiting;
}
