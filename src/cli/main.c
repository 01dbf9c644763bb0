/* cli/main.c -- the program perdure. */
#include <stdio.h>

#include "cli/command.h"

int main(int argc, char **argv)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = pdi_command_run(argc - 1, (const char *const *)argv + 1, &err);
    if (rc) fprintf(stderr, "perdure: %s\n", err.rc ? err.text : pdr_rc_text(rc));
    return pdr_rc_status(rc);
}
