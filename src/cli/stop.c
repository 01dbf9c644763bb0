/* cli/stop.c -- Ctrl-C as a wish: the first one asks, the second one kills. */
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_wanted;

/* Only what POSIX allows in a handler: a flag, and sigaction. */
static void stop_handle(int signal_number)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    (void)signal_number;
    stop_wanted = 1;
    sigaction(SIGINT, &by_default, NULL);
    sigaction(SIGTERM, &by_default, NULL);
}

void pdi_stop_catch(void)
{
    /* Reads and writes go on where they were: a file is not to be cut short. */
    struct sigaction catch = {.sa_handler = stop_handle, .sa_flags = SA_RESTART};
    sigemptyset(&catch.sa_mask);
    stop_wanted = 0;
    sigaction(SIGINT, &catch, NULL);
    sigaction(SIGTERM, &catch, NULL);
}

bool pdi_stop_wanted(void) { return stop_wanted; }
