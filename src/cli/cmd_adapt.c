/* cli/cmd_adapt.c -- `perdure adapt`: something new, from a few examples. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/intake.h"

const char pdi_about_adapt[] =
    "Learns a new class, or a new task, from a few labelled examples, and keeps it: they are "
    "learned together, for as many steps as the recipe's learner.adapt_steps says, beside what the "
    "method replays. Input is as for learn.\n";

const pdi_flag pdi_flags_adapt[] = {PDI_INTAKE_FLAGS, PDI_FLAG_END};

enum { ADAPT_MOST = 256 };

pdr_rc pdi_cmd_adapt(const pdi_args *args, pdr_error *err)
{
    pdi_intake in;
    pdr_rc rc = pdi_intake_open(args, PDI_INTAKE_LEARNS, ADAPT_MOST + 1, &in, err);
    if (rc) return rc;
    rc = pdi_intake_next(&in, err);
    if (!rc && in.n > ADAPT_MOST)
        rc = pdi_fail(err, PDR_INPUT,
                      "there are more than %d examples; adapt is for a few (--limit N takes the "
                      "first), learn for many",
                      ADAPT_MOST);
    if (!rc && !in.n) rc = pdi_fail(err, PDR_INPUT, "there is no example to adapt to");
    if (!rc) rc = pdr_learner_adapt(in.l, in.n, in.block, err);
    if (!rc)
        fprintf(stderr, "adapted to %zu examples; %d classes, %d tasks\n", in.n,
                pdr_learner_classes(in.l), pdr_learner_tasks(in.l));
    return pdi_intake_close(&in, rc, err);
}
