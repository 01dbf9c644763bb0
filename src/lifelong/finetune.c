/* lifelong/finetune.c -- plain training on one task after the other.
 *
 *     L(θ) = L_task(θ)
 *
 * The lower bound: nothing is done against forgetting (McCloskey & Cohen,
 * "Catastrophic interference in connectionist networks", 1989). */
#include "method/methods.h"

const pdr_method pdi_method_finetune = {
    .kind =
        {
            .name = "finetune",
            .title = "Fine-tuning",
            .cite = "McCloskey & Cohen, Catastrophic interference in connectionist networks, 1989",
            .equation = "L(θ) = L_task(θ)",
            .cost = "none beside plain training: a lower bound for the others",
            .options = pdi_no_options,
        },
};
