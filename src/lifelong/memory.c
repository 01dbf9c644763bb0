/* lifelong/memory.c -- replay memory: which examples stay, which are drawn.
 *
 * A reservoir (Vitter, "Random sampling with a reservoir", 1985, algorithm R):
 * after n offers each of them is held with probability size / n.  Balanced keeps
 * one reservoir for each class of each task: where tasks share their outputs, the same
 * output is another class in every task. */
#include <string.h>

#include "lifelong/trainer.h"

bool pdi_memory_open(pdi_memory *m, const pdr_alloc *alloc, const pdr_memory_spec *spec,
                     size_t width, size_t targets, int32_t tasks, int32_t classes, uint64_t seed)
{
    bool balanced = spec->policy == PDR_MEMORY_BALANCED;
    *m = (pdi_memory){
        .alloc = alloc, .spec = *spec, .used = true, .width = width, .targets = targets};
    m->classes = classes;
    m->groups = balanced && classes > 0 ? tasks * classes : 1;
    m->rng = (pdr_rng){.seed = seed, .stream = PDR_STREAM_MEMORY};
    m->offered = pdi_new(alloc, (size_t)m->groups, sizeof *m->offered);
    m->slot = pdi_new(alloc, (size_t)m->groups * (size_t)spec->size, sizeof *m->slot);
    return m->offered && m->slot;
}

void pdi_memory_close(pdi_memory *m)
{
    if (!m->used) return;
    pdi_free(m->alloc, m->x);
    pdi_free(m->alloc, m->target);
    pdi_free(m->alloc, m->label);
    pdi_free(m->alloc, m->task);
    pdi_free(m->alloc, m->offered);
    pdi_free(m->alloc, m->slot);
    m->used = false;
}

static bool memory_column(pdi_memory *m, void *column, size_t room, size_t each)
{
    void **p = column;
    void *more = pdi_resize(m->alloc, *p, room, each);
    if (more) *p = more;
    return more != NULL;
}

/* Room for one more: doubled, but never past what the policy can hold. */
static bool memory_room(pdi_memory *m)
{
    if (m->held < m->room) return true;
    size_t most = (size_t)m->groups * (size_t)m->spec.size, room = m->room ? 2 * m->room : 64;
    if (room > most) room = most;
    if (!memory_column(m, &m->x, room, m->width * sizeof(float)) ||
        !memory_column(m, &m->target, room, m->targets * sizeof(float)) ||
        !memory_column(m, &m->label, room, sizeof(int32_t)) ||
        !memory_column(m, &m->task, room, sizeof(int32_t)))
        return false;
    m->room = room;
    return true;
}

static void memory_keep(pdi_memory *m, size_t at, const pdi_example *e)
{
    memcpy(m->x + at * m->width, e->x, m->width * sizeof *m->x);
    if (m->targets) memcpy(m->target + at * m->targets, e->target, m->targets * sizeof *m->target);
    m->label[at] = e->label;
    m->task[at] = e->task;
}

bool pdi_memory_offer(pdi_memory *m, const pdi_example *e)
{
    size_t group = m->groups > 1 ? (size_t)e->task * (size_t)m->classes + (size_t)e->label : 0;
    size_t size = (size_t)m->spec.size;
    uint64_t n = m->offered[group]++;
    uint32_t *slot = m->slot + group * size;
    if (n < size) {
        if (!memory_room(m)) return false;
        slot[n] = (uint32_t)m->held;
        memory_keep(m, m->held++, e);
        return true;
    }
    uint64_t most = n < UINT32_MAX - 1 ? n : UINT32_MAX - 1;
    uint32_t k = pdr_rng_below(&m->rng, (uint32_t)most + 1);
    if (k < size) memory_keep(m, slot[k], e);
    return true;
}

void pdi_memory_draw(pdi_memory *m, size_t n, uint32_t index[])
{
    uint32_t held = (uint32_t)m->held;
    for (size_t i = 0; i < n; i++) {
        bool again;
        do {
            index[i] = pdr_rng_below(&m->rng, held);
            again = false;
            for (size_t j = 0; n <= held && j < i && !again; j++) again = index[j] == index[i];
        } while (again);
    }
}
