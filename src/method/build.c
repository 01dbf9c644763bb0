/* method/build.c -- building a program: what a method's nodes stand on.
 *
 * Every input of the graph is tied to a place in the trainer as it is made, every
 * output to the place it goes; what remains is to plan. */
#include "method/build.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* ---- memory of the build ------------------------------------------------------------ */

void *pdi_build_room(pdr_build *b, size_t count, size_t size)
{
    void *p = pdi_new(b->t->alloc, count, size);
    if (p && pdi_grow(b->t->alloc, (void **)&b->room, b->rooms, &b->room_cap, sizeof *b->room)) {
        b->room[b->rooms++] = p;
        return p;
    }
    pdi_free(b->t->alloc, p);
    b->failed = true;
    return NULL;
}

pdr_node pdi_build_input(pdr_build *b, pdr_type type, pdr_shape shape, const void *host)
{
    for (size_t i = 0; i < b->ties; i++)
        if (b->tie[i].host == host) return b->tie[i].node;
    pdr_node x = pdr_input(b->g, type, shape);
    if (pdi_grow(b->t->alloc, (void **)&b->tie, b->ties, &b->tie_cap, sizeof *b->tie))
        b->tie[b->ties++] = (pdi_tie){x, host};
    else
        b->failed = true;
    return x;
}

void pdi_build_output(pdr_build *b, pdr_node x, void *host)
{
    for (size_t i = 0; i < b->sets; i++)
        if (b->set[i].host == host) { /* set twice: the last one holds */
            b->set[i].node = x;
            return;
        }
    if (pdi_grow(b->t->alloc, (void **)&b->set, b->sets, &b->set_cap, sizeof *b->set))
        b->set[b->sets++] = (pdi_set){x, host};
    else
        b->failed = true;
}

pdr_shape pdi_build_lead(const pdr_shape *s, int32_t size)
{
    pdr_shape led = {.rank = s->rank + 1, .dim = {size}};
    for (int k = 0; k < s->rank && k + 1 < PDR_MAX_RANK; k++) led.dim[k + 1] = s->dim[k];
    return led;
}

/* ---- facts ------------------------------------------------------------------------------ */

pdr_graph *pdr_build_graph(pdr_build *b) { return b->g; }

const pdr_setting *pdr_build_setting(const pdr_build *b) { return &b->t->spec.setting; }

int32_t pdr_build_task(const pdr_build *b)
{
    bool known = b->run == PDI_RUN_PREDICT && b->task >= 0 && b->task < b->t->task;
    return known ? b->task : b->t->task;
}

int32_t pdr_build_learned(const pdr_build *b) { return b->t->learned; }

int32_t pdr_build_phase(const pdr_build *b) { return b->t->phase; }

int32_t pdr_build_outputs(const pdr_build *b) { return b->t->spec.outputs; }

size_t pdr_build_buffers(const pdr_build *b) { return pdr_model_buffers(b->t->spec.model); }

const pdr_choice *pdr_build_optimizer(const pdr_build *b) { return &b->t->spec.optimizer; }

uint64_t pdr_build_passed(const pdr_build *b) { return b->t->passed; }

bool pdr_build_is_masked(const pdr_build *b) { return b->t->spec.mask != NULL; }

pdr_node pdr_build_task_mask(pdr_build *b, int32_t task)
{
    const float *mask = b->t->spec.mask + (size_t)task * (size_t)b->t->spec.outputs;
    return pdi_build_input(b, PDR_F32, PDR_SHAPE(b->t->spec.outputs), mask);
}

bool pdr_build_allows(const pdr_build *b, int32_t y)
{
    const pdi_trainer_spec *s = &b->t->spec;
    return !s->mask || s->mask[(size_t)b->t->task * (size_t)s->outputs + (size_t)y] > 0;
}

int32_t pdr_build_first_task(const pdr_build *b, int32_t y)
{
    return b->t->spec.first_task ? b->t->spec.first_task[y] : 0;
}

bool pdi_build_has_episodes(const pdr_build *b) { return b->t->spec.episode.support > 0; }

int32_t pdr_build_episodes(const pdr_build *b) { return pdi_build_has_episodes(b) ? b->size : 0; }

int32_t pdr_build_steps(const pdr_build *b, int64_t option)
{
    return b->run == PDI_RUN_PREDICT && b->steps >= 0 ? b->steps : (int32_t)option;
}

pdr_node pdr_build_key(pdr_build *b)
{
    if (b->keys >= PDI_KEYS)
        return pdr_graph_fail(b->g, "a run may ask for at most 1024 random keys");
    return pdi_build_input(b, PDR_I32, PDR_SHAPE(4), b->t->key[b->keys++]);
}

/* ---- tensors ------------------------------------------------------------------------------- */

/* n null nodes; where memory fails, those set aside for that: a method may write to
 * them and need not look. */
static pdr_node *build_nodes(pdr_build *b, size_t n)
{
    pdr_node *v = pdi_build_room(b, n ? n : 1, sizeof *v);
    return v ? v : b->spare;
}

pdr_tensors pdr_build_list(pdr_build *b, size_t n)
{
    pdr_tensors list = {.v = pdi_build_room(b, n ? n : 1, sizeof(pdr_node))};
    if (list.v) list.n = n;
    return list;
}

pdr_tensors pdr_build_tensors(pdr_build *b)
{
    size_t n = pdr_model_params(b->t->spec.model);
    return (pdr_tensors){.n = n, .v = build_nodes(b, n)};
}

pdr_tensors pdr_build_join(pdr_build *b, pdr_tensors x, pdr_tensors y)
{
    pdr_tensors all = pdr_build_list(b, x.n + y.n);
    for (size_t i = 0; i < all.n; i++) all.v[i] = i < x.n ? x.v[i] : y.v[i - x.n];
    return all;
}

/* A tensor of state as an input; where it is new, init (if any) says how it begins, for
 * each of count slices: random numbers that are a function of seed and name. */
static pdr_node build_kept(pdr_build *b, const char *name, pdr_shape shape, double start,
                           const pdr_param *init, int32_t count)
{
    bool is_new;
    pdi_tensor *t = pdi_state_get(&b->t->store, name, &shape, (float)start, &is_new);
    if (!t) {
        b->failed = true;
        return (pdr_node){0};
    }
    if (!pdr_shape_equal(&t->shape, &shape)) {
        char text[256];
        snprintf(text, sizeof text, "state '%s' is asked for with two shapes", name);
        return pdr_graph_fail(b->g, text);
    }
    uint64_t hash = pdi_hash(0, name, strlen(name));
    size_t each = init ? (size_t)pdr_shape_size(&init->shape) : 0;
    for (int32_t k = 0; is_new && init && k < count; k++)
        pdr_param_init(init, b->t->spec.seed, 0x80000000u | (uint32_t)(hash + (uint64_t)k),
                       t->value + (size_t)k * each);
    if (init) t->is_weight = init->is_weight;
    return pdi_build_input(b, PDR_F32, t->shape, t->value);
}

static pdr_node build_of_param(pdr_build *b, const char *group, const pdr_param *p, double start,
                               bool begins, int32_t count)
{
    char name[160];
    snprintf(name, sizeof name, "%s/%s", group, p->name);
    pdr_shape shape = count ? pdi_build_lead(&p->shape, count) : p->shape;
    return build_kept(b, name, shape, start, begins ? p : NULL, count ? count : 1);
}

pdr_tensors pdr_build_state_at(pdr_build *b, const char *name, double start)
{
    pdr_tensors s = pdr_build_tensors(b);
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = build_of_param(b, name, pdr_model_param(b->t->spec.model, i), start, false, 0);
    return s;
}

pdr_tensors pdr_build_state(pdr_build *b, const char *name)
{
    return pdr_build_state_at(b, name, 0);
}

pdr_tensors pdr_build_params(pdr_build *b) { return pdr_build_state(b, "param"); }

size_t pdr_build_head(const pdr_build *b)
{
    const pdr_model *m = b->t->spec.model;
    size_t n = 0, all = pdr_model_params(m);
    while (n < all && !strncmp(pdr_model_param(m, all - 1 - n)->name, "output.", 7)) n++;
    return n;
}

static pdr_tensors build_network(pdr_build *b, const char *name, bool begins, int32_t count)
{
    const pdr_model *m = b->t->spec.model;
    pdr_tensors s = pdr_build_tensors(b);
    size_t n = pdr_model_buffers(m);
    s.buffer = build_nodes(b, n);
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = build_of_param(b, name, pdr_model_param(m, i), 0, begins, count);
    for (size_t i = 0; i < n; i++)
        s.buffer[i] = build_of_param(b, name, pdr_model_buffer(m, i), 0, begins, count);
    return s;
}

pdr_tensors pdr_build_copy(pdr_build *b, const char *name)
{
    return build_network(b, name, false, 0);
}

pdr_tensors pdr_build_net(pdr_build *b, const char *name)
{
    return build_network(b, name, true, 0);
}

pdr_tensors pdr_build_nets(pdr_build *b, const char *name, int32_t count)
{
    return build_network(b, name, true, count);
}

/* Two streams a parameter, past those of layers. */
pdr_tensors pdr_build_fresh(pdr_build *b, pdr_node key)
{
    const pdr_model *m = b->t->spec.model;
    pdr_tensors s = pdr_build_tensors(b);
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = pdr_param_draw(b->g, pdr_model_param(m, i), key, 1000u + 2u * (uint32_t)i);
    return s;
}

pdr_node pdr_build_tensor(pdr_build *b, const char *name, pdr_shape shape, double start)
{
    return build_kept(b, name, shape, start, NULL, 1);
}

pdr_node pdr_build_weight(pdr_build *b, const char *name, pdr_shape shape, pdr_init init,
                          double fan_in, double fan_out)
{
    pdr_param p = {.shape = shape,
                   .init = init,
                   .fan_in = fan_in,
                   .fan_out = fan_out,
                   .is_weight = shape.rank > 1};
    return build_kept(b, name, shape, 0, &p, 1);
}

pdr_node pdr_build_dense(pdr_build *b, const char *net, pdr_node x, int32_t units,
                         pdr_tensors *into)
{
    pdr_shape s = pdr_node_shape(b->g, x);
    if (!x.id || !s.rank) return (pdr_node){0};
    int32_t fan_in = s.dim[s.rank - 1];
    char name[2][128];
    snprintf(name[0], sizeof name[0], "%s.weight", net);
    snprintf(name[1], sizeof name[1], "%s.bias", net);
    pdr_tensors own = pdr_build_list(b, 2);
    if (!own.n) return (pdr_node){0};
    own.v[0] = pdr_build_weight(b, name[0], PDR_SHAPE(units, fan_in), PDR_INIT_FAN_IN_UNIFORM,
                                fan_in, units);
    own.v[1] = pdr_build_weight(b, name[1], PDR_SHAPE(units), PDR_INIT_FAN_IN_UNIFORM, fan_in,
                                units);
    if (into) *into = pdr_build_join(b, *into, own);
    pdr_node rows = pdr_reshape(b->g, x, PDR_SHAPE((int32_t)(pdr_shape_size(&s) / fan_in), fan_in));
    pdr_node y = pdr_add(b->g, pdr_dot(b->g, rows, own.v[0]), own.v[1]);
    s.dim[s.rank - 1] = units;
    return pdr_reshape(b->g, y, s);
}

/* ---- what is trained, and what is set ------------------------------------------------------- */

void pdr_build_train(pdr_build *b, pdr_tensors tensors)
{
    b->trained = b->trained.n ? pdr_build_join(b, b->trained, tensors) : tensors;
    b->trained.buffer = NULL;
}

bool pdi_build_is_trained(const pdr_build *b, pdr_node x)
{
    for (size_t i = 0; i < b->trained.n; i++)
        if (b->trained.v[i].id == x.id) return true;
    return false;
}

pdi_tensor *pdi_build_tensor_of(const pdr_build *b, pdr_node state)
{
    for (size_t i = 0; i < b->ties; i++) {
        if (b->tie[i].node.id != state.id) continue;
        for (size_t k = 0; k < b->t->store.n; k++)
            if (b->t->store.v[k].value == b->tie[i].host) return &b->t->store.v[k];
    }
    return NULL;
}

void pdr_build_set_node(pdr_build *b, pdr_node state, pdr_node value)
{
    pdi_tensor *t = pdi_build_tensor_of(b, state);
    if (t)
        pdi_build_output(b, value, t->value);
    else if (state.id)
        pdr_graph_fail(b->g, "what is set is not a tensor of state");
}

void pdr_build_set(pdr_build *b, pdr_tensors state, pdr_tensors value)
{
    for (size_t i = 0; i < state.n && i < value.n; i++)
        pdr_build_set_node(b, state.v[i], value.v[i]);
}

void pdr_build_set_copy(pdr_build *b, pdr_tensors copy)
{
    pdr_build_set(b, copy, pdr_build_params(b));
    for (size_t i = 0; i < pdr_model_buffers(b->t->spec.model); i++)
        pdr_build_set_node(b, copy.buffer[i], b->buffer[i]);
}
