/* cli/cmd_methods.c -- `perdure methods`: what there is to choose from. */
#include "cli/command.h"
#include "cli/explain.h"

const char pdi_about_methods[] =
    "Without a name, lists the methods, optimizers and layers that a recipe can name. With one, "
    "says what it is, where it comes from, what it costs and which options it has.\n";

const pdi_flag pdi_flags_methods[] = {PDI_FLAG_END};

pdr_rc pdi_cmd_methods(const pdi_args *args, pdr_error *err)
{
    pdi_text out = {0};
    size_t width = pdi_command_width();
    pdr_rc rc = pdi_args_operands(args, 0, 1, "NAME", err);
    if (rc) return rc;
    if (!args->operands)
        pdi_explain_list(pdr_kind_at, width, &out);
    else
        rc = pdi_explain_name(pdr_kind_at, args->operand[0], width, &out, err);
    if (rc) pdi_text_close(&out);
    return rc ? rc : pdi_command_print(&out, err);
}
