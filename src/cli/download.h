/* cli/download.h -- bringing a registered data set here, in sight. */
#ifndef PDI_CLI_DOWNLOAD_H
#define PDI_CLI_DOWNLOAD_H

#include <perdure/data.h>

/* The set called name, or NULL. */
const pdr_registry_row *pdi_download_find(const char *name);

/* Download a registered set into the cache, whatever other folders hold: a redrawn line a
 * file on standard error where that is a terminal.  Ctrl-C ends it: PDR_STOPPED. */
pdr_rc pdi_download(const char *name, pdr_error *err);

/* The same, after a line that says so, for a registered set that is nowhere yet; nothing for
 * all others, and for NULL. */
pdr_rc pdi_download_missing(const char *name, pdr_error *err);

#endif
