/* method/memory.c -- replay memory: which examples stay, which are drawn.
 *
 * A reservoir (Vitter, "Random sampling with a reservoir", 1985, algorithm R):
 * after n offers each of them is held with probability size / n.  The memory is one
 * reservoir, or one for each task, or one for each class of each task: where tasks
 * share their outputs, the same output is another class in every task.  What a method
 * selects is offered best first and held as long as there is room. */
#include <string.h>

#include "method/trainer.h"

static int64_t memory_groups(const pdr_memory_spec *spec, int32_t tasks, int32_t classes)
{
    switch (spec->policy) {
    case PDR_MEMORY_TASKS: return tasks;
    case PDR_MEMORY_BALANCED:
    case PDR_MEMORY_SELECTED: return classes > 0 ? (int64_t)tasks * classes : tasks;
    default: return 1;
    }
}

int64_t pdi_memory_slots(const pdr_memory_spec *spec, int32_t tasks, int32_t classes)
{
    int64_t groups = memory_groups(spec, tasks, classes);
    return groups < 1 || spec->size > INT32_MAX / groups ? -1 : groups * spec->size;
}

pdr_rc pdi_memory_check(const pdr_choice *method, const pdr_setting *setting, const char *recipe,
                        pdr_error *err)
{
    const pdr_method *m = (const pdr_method *)(const void *)method->kind;
    pdr_memory_spec spec = {0};
    int32_t tasks = setting->tasks, classes = setting->classes;
    if (!m->memory || !m->memory(method->self, setting, &spec)) return PDR_OK;
    if (pdi_memory_slots(&spec, tasks, classes) >= 0) return PDR_OK;
    bool by_class = spec.policy == PDR_MEMORY_BALANCED || spec.policy == PDR_MEMORY_SELECTED;
    return pdi_fail(err, PDR_INPUT,
                    "%s: method.%s: %lld examples of each%s task (tasks: %d, classes: %d) are more "
                    "than the %d that a memory holds; give at most %lld",
                    recipe, by_class ? "per_class" : "memory", (long long)spec.size,
                    by_class && classes > 0 ? " class of each" : "", tasks, classes, INT32_MAX,
                    (long long)(INT32_MAX / memory_groups(&spec, tasks, classes)));
}

bool pdi_memory_open(pdi_memory *m, const pdr_alloc *alloc, const pdr_memory_spec *spec,
                     size_t width, size_t targets, int32_t tasks, int32_t classes, uint64_t seed)
{
    *m = (pdi_memory){
        .alloc = alloc, .spec = *spec, .used = true, .width = width, .targets = targets};
    m->classes = classes > 0 ? classes : 1;
    int64_t slots = pdi_memory_slots(spec, tasks, classes);
    if (slots < 0) return false; /* pdi_memory_check() tells */
    m->groups = (int32_t)memory_groups(spec, tasks, classes);
    m->rng = (pdr_rng){.seed = seed, .stream = PDR_STREAM_MEMORY};
    m->offered = pdi_new(alloc, (size_t)m->groups, sizeof *m->offered);
    m->slot = pdi_new(alloc, (size_t)slots, sizeof *m->slot);
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
    for (size_t k = 0; k < PDR_COLUMNS; k++) pdi_free(m->alloc, m->column[k]);
    m->used = false;
}

/* ---- room ------------------------------------------------------------------------------ */

static bool memory_column(pdi_memory *m, void *column, size_t room, size_t each)
{
    void **p = column;
    if (!each) return true;
    void *more = pdi_resize(m->alloc, *p, room, each);
    if (more) *p = more;
    return more != NULL;
}

static bool memory_grow(pdi_memory *m, size_t room)
{
    if (room <= m->room) return true;
    bool ok = memory_column(m, &m->x, room, m->width * sizeof(float)) &&
              memory_column(m, &m->target, room, m->targets * sizeof(float)) &&
              memory_column(m, &m->label, room, sizeof(int32_t)) &&
              memory_column(m, &m->task, room, sizeof(int32_t));
    for (size_t k = 0; ok && k < m->spec.columns; k++)
        ok = m->spec.column[k].is_scratch ||
             memory_column(m, &m->column[k], room, (size_t)m->spec.column[k].width * sizeof(float));
    if (ok) m->room = room;
    return ok;
}

/* Room for one more: doubled, but never past what the policy can hold. */
static bool memory_room(pdi_memory *m)
{
    if (m->held < m->room) return true;
    size_t most = (size_t)m->groups * (size_t)m->spec.size, room = m->room ? 2 * m->room : 64;
    return memory_grow(m, room < most ? room : most);
}

bool pdi_memory_resize(pdi_memory *m, size_t n)
{
    if (n > (size_t)m->groups * (size_t)m->spec.size || !memory_grow(m, n)) return false;
    m->held = n;
    m->changes++;
    return true;
}

/* ---- in --------------------------------------------------------------------------------- */

static void memory_keep(pdi_memory *m, size_t at, const pdi_example *e)
{
    memcpy(m->x + at * m->width, e->x, m->width * sizeof *m->x);
    if (m->targets) memcpy(m->target + at * m->targets, e->target, m->targets * sizeof *m->target);
    m->label[at] = e->label;
    m->task[at] = e->task;
    for (size_t k = 0; k < m->spec.columns; k++) {
        size_t width = (size_t)m->spec.column[k].width;
        float *kept = m->column[k] ? m->column[k] + at * width : NULL;
        if (kept && e->column[k])
            memcpy(kept, e->column[k], width * sizeof *kept);
        else if (kept)
            memset(kept, 0, width * sizeof *kept);
    }
    m->changes++;
}

static size_t memory_group(const pdi_memory *m, const pdi_example *e)
{
    if (m->groups == 1 || m->spec.policy == PDR_MEMORY_RESERVOIR) return 0;
    if (m->spec.policy == PDR_MEMORY_TASKS) return (size_t)e->task;
    return (size_t)e->task * (size_t)m->classes + (size_t)e->label;
}

bool pdi_memory_append(pdi_memory *m, const pdi_example *e)
{
    if (!memory_room(m)) return false;
    memory_keep(m, m->held++, e);
    return true;
}

bool pdi_memory_offer(pdi_memory *m, const pdi_example *e)
{
    size_t group = memory_group(m, e), size = (size_t)m->spec.size;
    uint64_t n = m->offered[group]++;
    uint32_t *slot = m->slot + group * size;
    if (n < size) {
        slot[n] = (uint32_t)m->held;
        return pdi_memory_append(m, e);
    }
    if (m->spec.policy == PDR_MEMORY_SELECTED) return true;
    uint64_t most = n < UINT32_MAX - 1 ? n : UINT32_MAX - 1;
    uint32_t k = pdr_rng_below(&m->rng, (uint32_t)most + 1);
    if (k < size) memory_keep(m, slot[k], e);
    return true;
}

/* ---- out -------------------------------------------------------------------------------- */

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

size_t pdi_memory_count(const pdi_memory *m, int32_t task)
{
    size_t n = 0;
    for (size_t i = 0; m->used && i < m->held; i++) n += task < 0 || m->task[i] == task;
    return n;
}

void pdi_memory_of_task(const pdi_memory *m, int32_t task, size_t n, uint32_t index[])
{
    size_t k = 0;
    for (size_t i = 0; k < n && i < m->held; i++)
        if (task < 0 || m->task[i] == task) index[k++] = (uint32_t)i;
}

pdi_example pdi_memory_example(const pdi_memory *m, size_t i)
{
    pdi_example e = {.x = m->x + i * m->width,
                     .label = m->label[i],
                     .task = m->task[i],
                     .target = m->targets ? m->target + i * m->targets : NULL};
    for (size_t k = 0; k < m->spec.columns; k++)
        if (m->column[k]) e.column[k] = m->column[k] + i * (size_t)m->spec.column[k].width;
    return e;
}
