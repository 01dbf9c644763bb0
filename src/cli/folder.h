/* cli/folder.h -- folders for what runs find. */
#ifndef PDI_CLI_FOLDER_H
#define PDI_CLI_FOLDER_H

#include <perdure/error.h>

enum { PDI_FOLDER_PATH = 3072 };

/* Make path and the folders above it, and prove that files can be made in it. */
pdr_rc pdi_folder_make(const char *path, pdr_error *err);

/* The value of --out, or out/NAME without one; PDR_USAGE when it is empty or too long. */
pdr_rc pdi_folder_out(const char *given, const char *name, char path[PDI_FOLDER_PATH],
                      pdr_error *err);

#endif
