/* perdure/version.h -- which version of the library runs.
 *
 *     printf("perdure %s\n", pdr_version());
 */
#ifndef PERDURE_VERSION_H
#define PERDURE_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": the library's own, not that of the headers compiled against. */
const char *pdr_version(void);

#ifdef __cplusplus
}
#endif
#endif
