/* cli/folder.c -- folders for what runs find. */
#include "cli/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

pdr_rc pdi_folder_make(const char *path, pdr_error *err)
{
    char part[PDI_FOLDER_PATH + 1024], probe[PDI_FOLDER_PATH + 1024];
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] && path[i] != '/') continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (mkdir(part, 0777) == 0 || errno == EEXIST) continue;
        return pdi_fail(err, PDR_INPUT, "%.400s: cannot make this folder: %s; choose another --out",
                        part, strerror(errno));
    }
    snprintf(probe, sizeof probe, "%s/.perdure-probe", path);
    FILE *f = fopen(probe, "w");
    if (!f)
        return pdi_fail(err, PDR_INPUT, "%.400s: cannot write here: %s; choose another --out", path,
                        strerror(errno));
    fclose(f);
    remove(probe);
    return PDR_OK;
}

pdr_rc pdi_folder_out(const char *given, const char *name, char path[PDI_FOLDER_PATH],
                      pdr_error *err)
{
    if (given && (strlen(given) >= PDI_FOLDER_PATH - 512 || !*given))
        return pdi_fail(err, PDR_USAGE, "--out: this path is empty or too long");
    snprintf(path, PDI_FOLDER_PATH, given ? "%s" : "out/%.200s", given ? given : name);
    return PDR_OK;
}
