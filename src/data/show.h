/* data/show.h -- foreign text inside a one-line message. */
#ifndef PDI_DATA_SHOW_H
#define PDI_DATA_SHOW_H

#include <stddef.h>

#define PDI_SHOW 64

/* s as it may stand in a message: control characters and broken UTF-8 become "\xNN",
 * what is too long is cut and ends in "...".  Returns out. */
const char *pdi_show(char out[PDI_SHOW], const char *s);

#endif
