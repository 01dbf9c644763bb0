/* recipe/training.c -- the options of a recipe's `training:` and `published:` sections. */
#include <perdure/recipe.h>

static const char *const training_losses[] = {"auto", "cross-entropy", "binary", "mse", NULL};
static const char *const training_schedules[] = {"constant", "step",   "exponential",
                                                 "cosine",   "linear", NULL};

const pdr_option pdr_training_option_table[] = {
    PDR_OPTION_COUNT(pdr_training, batch, 128, 1, 1e6, "examples a step"),
    PDR_OPTION_COUNT(pdr_training, iterations, 0, 0, 1e9, "steps a task; 0 counts by epochs"),
    PDR_OPTION_COUNT(pdr_training, epochs, 1, 1, 1e6, "passes over a task when iterations is 0"),
    PDR_OPTION_COUNT(pdr_training, glances, 1, 1, 1e6, "steps on each batch before the next"),
    PDR_OPTION_CHOICE(pdr_training, loss, training_losses, PDR_LOSS_AUTO,
                      "what is minimised (auto: cross-entropy, or mse for real targets)"),
    PDR_OPTION_REAL(pdr_training, l2, 0, 0, 1e6,
                    "weight of half the squared norm of all weights in the loss"),
    PDR_OPTION_CHOICE(pdr_training, schedule, training_schedules, PDR_SCHEDULE_CONSTANT,
                      "how the learning rate moves over the steps of a task"),
    PDR_OPTION_COUNT(pdr_training, warmup, 0, 0, 1e9, "steps of linear rise of the learning rate"),
    PDR_OPTION_REAL(pdr_training, decay, 0.1, 0, 1, "step and exponential: factor"),
    PDR_OPTION_COUNT(pdr_training, decay_every, 1000, 1, 1e9,
                     "step and exponential: steps between factors"),
    PDR_OPTION_REAL(pdr_training, clip_norm, 0, 0, 1e9,
                    "bound on the norm of the whole gradient; 0 for none"),
    PDR_OPTION_REAL(pdr_training, clip_value, 0, 0, 1e9,
                    "bound on every entry of the gradient; 0 for none"),
    PDR_OPTION_FLAG(pdr_training, reset_optimizer, false,
                    "forget the optimizer's state when a task, or a phase of it, starts"),
    PDR_OPTION_END,
};

const pdr_option pdr_learner_option_table[] = {
    PDR_OPTION_COUNT(pdr_learner_options, classes, 16, 1, 1e5,
                     "classes there is room for at first, known or not"),
    PDR_OPTION_COUNT(pdr_learner_options, most_classes, 1000, 1, 1e5,
                     "classes there may be: room doubles when it is full"),
    PDR_OPTION_COUNT(pdr_learner_options, tasks, 16, 0, 1e5,
                     "named tasks there is room for at first"),
    PDR_OPTION_COUNT(pdr_learner_options, most_tasks, 1000, 0, 1e5, "named tasks there may be"),
    PDR_OPTION_FLAG(pdr_learner_options, normalise, true,
                    "centre and scale features by their running mean and variance"),
    PDR_OPTION_COUNT(pdr_learner_options, window, 1000, 0, 1e8,
                     "examples that the rolling accuracy is over"),
    PDR_OPTION_COUNT(pdr_learner_options, journal, 16777216, 0, 1e12,
                     "bytes of journal after which the state is written and the journal emptied"),
    PDR_OPTION_COUNT(pdr_learner_options, adapt_steps, 100, 1, 1e6,
                     "steps on the few examples of something new"),
    PDR_OPTION_REAL(pdr_learner_options, adapt_rate, 1, 1e-6, 1e3,
                    "learning rate of these steps, as a share of the optimizer's"),
    PDR_OPTION_COUNT(pdr_learner_options, asked, 1000, 0, 1e6,
                     "examples asked by id, the newest, that are kept until their labels come"),
    PDR_OPTION_END,
};

const pdr_option pdr_published_option_table[] = {
    PDR_OPTION_TEXT(pdr_published, figure, NULL, "what others report, as they write it"),
    PDR_OPTION_TEXT(pdr_published, source, NULL, "who reports it: authors and year"),
    PDR_OPTION_REAL(
        pdr_published, least, 0, 0, 1e9,
        "the least that a mean over seeds is held to (per cent of accuracy); 0 for none"),
    PDR_OPTION_REAL(pdr_published, most, 0, 0, 1e9, "the most, of an error; 0 for none"),
    PDR_OPTION_TEXT(pdr_published, why, NULL, "why that is missed, where it is"),
    PDR_OPTION_END,
};
