/* method/state.c -- named tensors: all learned numbers are in one list. */
#include <stdio.h>
#include <string.h>

#include "method/trainer.h"

/* Where name is, or belongs: tensors are in order of their names, so that the order in
 * which they came to be asked for makes no difference. */
static size_t state_place(const pdi_state *s, const char *name, bool *found)
{
    size_t lo = 0, hi = s->n;
    *found = false;
    while (lo < hi && !*found) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(s->v[mid].name, name);
        *found = order == 0;
        if (order >= 0) hi = mid;
        if (order < 0) lo = mid + 1;
    }
    return *found ? hi : lo;
}

pdi_tensor *pdi_state_find(const pdi_state *s, const char *name)
{
    bool found;
    size_t at = state_place(s, name, &found);
    return found ? &s->v[at] : NULL;
}

pdi_tensor *pdi_state_get(pdi_state *s, const char *name, const pdr_shape *shape, float start,
                          bool *is_new)
{
    bool found;
    size_t at = state_place(s, name, &found), size = (size_t)pdr_shape_size(shape);
    *is_new = !found;
    if (found) return &s->v[at];
    float *value = pdi_new(s->alloc, size, sizeof *value);
    if (!value || !pdi_grow(s->alloc, (void **)&s->v, s->n, &s->cap, sizeof *s->v)) {
        pdi_free(s->alloc, value);
        return NULL;
    }
    for (size_t i = 0; start != 0 && i < size; i++) value[i] = start;
    pdi_tensor *t = &s->v[at];
    memmove(t + 1, t, (s->n - at) * sizeof *t);
    s->n++;
    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    t->shape = *shape;
    t->value = value;
    return t;
}

void pdi_state_close(pdi_state *s)
{
    for (size_t i = 0; i < s->n; i++) pdi_free(s->alloc, s->v[i].value);
    pdi_free(s->alloc, s->v);
    *s = (pdi_state){.alloc = s->alloc};
}
