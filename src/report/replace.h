/* report/replace.h -- a file that appears whole or not at all. */
#ifndef PDI_REPORT_REPLACE_H
#define PDI_REPORT_REPLACE_H

#include "base/text.h"

/* Put the text into the file called path: written to a new name in the same folder,
 * flushed to the disk, renamed.  On failure path is as it was and the new name is gone.  What
 * is there and no file (a pipe, a device) stays and is written to. */
pdr_rc pdi_file_replace(const pdr_alloc *alloc, const char *path, const pdi_text *text,
                        pdr_error *err);

#endif
