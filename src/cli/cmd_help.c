/* cli/cmd_help.c -- `perdure help`: the program, a command, the recipe, the manual page. */
#include <string.h>

#include "cli/command.h"
#include "cli/help.h"

const char pdi_about_help[] = "Without an operand, lists the commands.\n";

const pdi_flag pdi_flags_help[] = {
    {"man", NULL, NULL}, /* for the build, which makes perdure(1) with it */
    PDI_FLAG_END,
};

pdr_rc pdi_cmd_help(const pdi_args *args, pdr_error *err)
{
    pdi_text out = {0};
    size_t width = pdi_command_width();
    const char *topic = args->operands ? args->operand[0] : NULL;
    const pdi_command *c = topic ? pdi_command_find(topic) : NULL;
    pdr_rc rc = pdi_args_operands(args, 0, 1, "COMMAND", err);
    if (rc) return rc;
    if (pdi_args_get(args, "man"))
        pdi_help_manual(&out);
    else if (!topic)
        pdi_help_program(width, &out);
    else if (!strcmp(topic, "recipe"))
        pdi_help_recipe(width, &out);
    else if (c)
        pdi_help_command(c, width, &out);
    else
        return pdi_command_unknown(topic, err);
    return pdi_command_print(&out, err);
}
