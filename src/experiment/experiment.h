/* experiment/experiment.h -- a run under way, as the files of this room see it. */
#ifndef PDI_EXPERIMENT_EXPERIMENT_H
#define PDI_EXPERIMENT_EXPERIMENT_H

#include <perdure/experiment.h>

#include "experiment/order.h"
#include "method/trainer.h"

enum { PDI_TEST_BATCH = 256, PDI_LOSS_POINTS = 240, PDI_VALIDATIONS = 21 };

typedef struct pdi_experiment {
    const pdr_alloc *alloc;
    const pdr_recipe *recipe;
    const pdr_experiment *e;
    pdr_error *err;
    pdr_result *result;
    pdr_data data;
    pdr_stream *stream; /* one of these two */
    pdr_episodes *episodes;
    pdr_setting setting;
    pdr_shape example;
    bool is_regression;
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *trainer;
    float *mask;         /* [tasks, outputs], or NULL */
    int32_t *first_task; /* [outputs] */
    float *target;       /* room for one example's targets */
    pdr_progress progress;
    double loss_sum, shown_sum; /* since the last loss point, since the last progress */
    uint64_t loss_count, shown_count, loss_every;
    double shown_at, started_at;
    struct pdi_store *store; /* where the run is kept; NULL until it first is */
    double kept_at;
    uint64_t kept_learned;
} pdi_experiment;

/* open.c: all but the result. */
pdr_rc pdi_experiment_open(pdi_experiment *x);
void pdi_experiment_close(pdi_experiment *x);

double pdi_experiment_now(void); /* seconds, of a clock that only goes forward */

/* Tell of progress: about twenty times a second, or now. */
pdr_rc pdi_experiment_show(pdi_experiment *x, bool now);

/* A step's loss goes into the curve and to who watches. */
void pdi_experiment_note_loss(pdi_experiment *x, double loss, bool last);

/* The recipe's name, and the section's, before what a room said that knows of no recipe. */
pdr_rc pdi_experiment_blame(const pdi_experiment *x, const char *section, pdr_rc rc);

/* Points that the loss curve has room for. */
size_t pdi_experiment_loss_room(const pdi_experiment *x);

/* Is the time over that the caller gave for learning? */
bool pdi_experiment_is_over(const pdi_experiment *x);

/* keep.c: go on with the run that the file holds, if it does; write it, now or when it is
 * time; end keeping it. */
pdr_rc pdi_keep_open(pdi_experiment *x);
pdr_rc pdi_keep_save(pdi_experiment *x, bool now);
void pdi_keep_remove(pdi_experiment *x);

/* continual.c: learn a stream task by task, and test all tasks after each. */
pdr_rc pdi_continual_learn(pdi_experiment *x);
/* One example of the training part where row `to` of the batch is. */
void pdi_continual_put(pdi_experiment *x, pdr_part part, pdi_order_item item, int32_t to);

/* episodes.c: learn from episodes, and test on new ones; what the trainer and the result are
 * told of them. */
pdr_rc pdi_episodes_learn(pdi_experiment *x);
int32_t pdi_episodes_fill(pdi_experiment *x, uint64_t i); /* with those of step i; how many */
pdi_episode_sizes pdi_episodes_sizes(const pdi_experiment *x);
bool pdi_episodes_describe(pdi_experiment *x);

#endif
