/* method/state.c -- named tensors: all learned numbers are in one list. */
#include <stdio.h>
#include <string.h>

#include "method/trainer.h"

pdi_tensor *pdi_state_find(const pdi_state *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->v[i].name, name)) return &s->v[i];
    return NULL;
}

pdi_tensor *pdi_state_get(pdi_state *s, const char *name, const pdr_shape *shape, float start,
                          bool *is_new)
{
    pdi_tensor *t = pdi_state_find(s, name);
    *is_new = !t;
    if (t) return t;
    size_t size = (size_t)pdr_shape_size(shape);
    float *value = pdi_new(s->alloc, size, sizeof *value);
    if (!value || !pdi_grow(s->alloc, (void **)&s->v, s->n, &s->cap, sizeof *s->v)) {
        pdi_free(s->alloc, value);
        return NULL;
    }
    for (size_t i = 0; start != 0 && i < size; i++) value[i] = start;
    t = &s->v[s->n++];
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
