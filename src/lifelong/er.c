/* lifelong/er.c -- experience replay.
 *
 * Chaudhry et al., "On tiny episodic memories in continual learning", 2019,
 * algorithm 1; the weighting by tasks is that of van de Ven, Tuytelaars & Tolias,
 * "Three types of incremental learning", Nature Machine Intelligence 4, 2022.
 *
 *     L(θ) = (1 − w) L_batch(θ) + w L_replay(θ)
 *     w = |replay| / (|batch| + |replay|)     weighting: equal
 *     w = 1 − 1/k  while learning task k      weighting: tasks
 *
 * State: the memory, a reservoir over the stream or a sample of each class. */
#include "method/methods.h"

typedef struct er {
    int64_t memory, per_class, batch;
    int weighting;
    bool while_learning;
} er;

static const char *const er_weightings[] = {"equal", "tasks", NULL};

static const pdr_option er_options[] = {
    PDR_OPTION_COUNT(er, memory, 200, 1, 1e8, "examples kept, a reservoir over the stream"),
    PDR_OPTION_COUNT(er, per_class, 0, 0, 1e8,
                     "examples kept of each class of each task instead; 0: use memory"),
    PDR_OPTION_COUNT(er, batch, 0, 0, 1e6, "replayed examples a step; 0: as many as new ones"),
    PDR_OPTION_CHOICE(er, weighting, er_weightings, 0, "weight of replay in the loss"),
    PDR_OPTION_FLAG(er, while_learning, true, "store while learning, or only when a task ends"),
    PDR_OPTION_END,
};

static bool er_memory(const void *self, const pdr_setting *setting, pdr_memory_spec *spec)
{
    const er *o = self;
    (void)setting;
    spec->policy = o->per_class ? PDR_MEMORY_BALANCED : PDR_MEMORY_RESERVOIR;
    spec->size = o->per_class ? o->per_class : o->memory;
    spec->while_learning = o->while_learning;
    return true;
}

static pdr_node er_loss(pdr_build *b, const void *self)
{
    const er *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b);
    pdr_batch now = pdr_build_batch(b), then;
    pdr_node loss = pdr_build_loss(b, theta, now), have;
    int32_t size = o->batch ? (int32_t)o->batch : now.size;

    if (!pdr_build_replay(b, size, &then, &have)) return loss;
    double w = o->weighting ? 1 - 1.0 / (1 + pdr_build_task(b)) : (double)size / (size + now.size);
    pdr_node share = pdr_scale(g, w, have); /* 0 while the memory is empty */
    pdr_node replay = pdr_build_loss(b, theta, then);
    return pdr_add(g, loss, pdr_mul(g, share, pdr_sub(g, replay, loss)));
}

const pdr_method pdi_method_er = {
    .kind =
        {
            .name = "er",
            .title = "Experience replay",
            .cite = "Chaudhry et al., On tiny episodic memories in continual learning, 2019",
            .equation = "L(θ) = (1 - w) L_batch(θ) + w L_replay(θ)",
            .cost = "memory: the examples kept; time: twice plain training",
            .self_size = sizeof(er),
            .options = er_options,
        },
    .memory = er_memory,
    .loss = er_loss,
};
