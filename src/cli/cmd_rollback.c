/* cli/cmd_rollback.c -- `perdure snapshot` and `perdure rollback`. */
#include "cli/command.h"
#include "cli/intake.h"

const char pdi_about_snapshot[] =
    "Keeps the state as it is under a name. Snapshots share what is equal in them, so one costs "
    "what has changed since the last.\n";

const pdi_flag pdi_flags_snapshot[] = {PDI_FLAG_END};

const char pdi_about_rollback[] =
    "Returns to the state of a snapshot, to the bit; what was learned since is no more, the "
    "snapshot stays.\n";

const pdi_flag pdi_flags_rollback[] = {PDI_FLAG_END};

typedef pdr_rc rollback_fn(pdr_learner *l, const char *name, pdr_error *err);

static pdr_rc cmd_rollback_do(const pdi_args *args, rollback_fn *act, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdr_rc rc = pdi_args_operands(args, 2, 2, "FILE and NAME", err);
    if (!rc) rc = pdi_intake_learner(args, false, &l, err);
    if (rc) return rc;
    rc = act(l, args->operand[1], err);
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : closed;
}

pdr_rc pdi_cmd_snapshot(const pdi_args *args, pdr_error *err)
{
    return cmd_rollback_do(args, pdr_learner_snapshot, err);
}

pdr_rc pdi_cmd_rollback(const pdi_args *args, pdr_error *err)
{
    return cmd_rollback_do(args, pdr_learner_rollback, err);
}
