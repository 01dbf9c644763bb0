/* lifelong/joint.c -- all tasks at once.
 *
 *     L(θ) = L_{task 1 ∪ ... ∪ task T}(θ)
 *
 * The upper bound: every phase sees the examples of all tasks, as if there were
 * no stream. */
#include "method/methods.h"

const pdr_method pdi_method_joint = {
    .kind =
        {
            .name = "joint",
            .title = "Joint training",
            .equation = "L(θ) = L_{task 1 ∪ ... ∪ task T}(θ)",
            .cost = "keeps every example of every task: an upper bound for the others",
            .options = pdi_no_options,
        },
    .data = PDR_DATA_ALL,
};
