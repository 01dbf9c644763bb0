/* state.h -- a trainer's state by name. */
#ifndef STATE_H
#define STATE_H

#include <stdio.h>

#include "method/trainer.h"
#include "t.h"

/* The tensor called so; it fails the test where there is none. */
static inline const pdi_tensor *state_tensor(const pdi_trainer *t, const char *name)
{
    const pdi_tensor *found = pdi_state_find(&t->store, name);
    if (!found) fail_msg("no state called %s", name);
    return found;
}

/* What a group of state ("param", a method's own) has for parameter i of the model. */
static inline const float *state_of(const pdi_trainer *t, const char *group, size_t i)
{
    char name[96];
    snprintf(name, sizeof name, "%s/%s", group, pdr_model_param(t->spec.model, i)->name);
    return state_tensor(t, name)->value;
}

#endif
