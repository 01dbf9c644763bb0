/* base/version.c -- the version, from the build. */
#include <perdure/version.h>

const char *pdr_version(void) { return PERDURE_VERSION; }
