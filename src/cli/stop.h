/* cli/stop.h -- Ctrl-C as a wish: the first one asks, the second one kills. */
#ifndef PDI_CLI_STOP_H
#define PDI_CLI_STOP_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM only sets a flag, so that a run can
 * end cleanly and keep what is finished; the next one ends the program. */
void pdi_stop_catch(void);

bool pdi_stop_wanted(void);

#endif
