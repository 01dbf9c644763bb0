/* cli/help.h -- what help and the manual page say. */
#ifndef PDI_CLI_HELP_H
#define PDI_CLI_HELP_H

#include "cli/command.h"

void pdi_help_program(size_t width, pdi_text *out);
void pdi_help_command(const pdi_command *c, size_t width, pdi_text *out);

/* The sections of a recipe and their keys. */
void pdi_help_recipe(size_t width, pdi_text *out);

/* The manual page, perdure(1). */
void pdi_help_manual(pdi_text *out);

#endif
