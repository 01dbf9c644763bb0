/* cli/cmd_check.c -- `perdure check` and `perdure compact`. */
#include <inttypes.h>

#include "cli/command.h"
#include "cli/intake.h"

const char pdi_about_check[] =
    "Reads every page, row and byte of a learner file, snapshots and journal included, and "
    "compares "
    "every sum. Exit status 0 and the word 'whole', or what is damaged.\n";

const pdi_flag pdi_flags_check[] = {PDI_FLAG_END};

const char pdi_about_compact[] =
    "Writes the state, empties the journal and gives free space back to the disk. Needs room for a "
    "second file while it works.\n";

const pdi_flag pdi_flags_compact[] = {PDI_FLAG_END};

pdr_rc pdi_cmd_check(const pdi_args *args, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdi_text out = {0};
    pdr_rc rc = pdi_args_operands(args, 1, 1, "FILE", err);
    if (!rc) rc = pdi_intake_learner(args, true, &l, err);
    if (rc) return rc;
    rc = pdr_learner_check(l, err);
    if (!rc)
        pdi_text_add(&out, "%s: whole, %" PRId64 " bytes\n", args->operand[0],
                     pdr_learner_file_bytes(l));
    pdr_learner_close(l, NULL);
    return rc ? rc : pdi_command_print(&out, err);
}

pdr_rc pdi_cmd_compact(const pdi_args *args, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdi_text out = {0};
    pdr_rc rc = pdi_args_operands(args, 1, 1, "FILE", err);
    if (!rc) rc = pdi_intake_learner(args, false, &l, err);
    if (rc) return rc;
    int64_t before = pdr_learner_file_bytes(l);
    rc = pdr_learner_compact(l, err);
    if (!rc)
        pdi_text_add(&out, "%s: %" PRId64 " bytes, before %" PRId64 "\n", args->operand[0],
                     pdr_learner_file_bytes(l), before);
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    if (rc || closed) pdi_text_close(&out);
    return rc ? rc : closed ? closed : pdi_command_print(&out, err);
}
