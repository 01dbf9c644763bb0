/* base/hash.h -- a 64-bit hash of bytes: interning, state_hash.
 *
 * Not cryptographic.  Downloads are checked with SHA-256, from a library. */
#ifndef PDI_BASE_HASH_H
#define PDI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Fold n bytes into h.  The same bytes in one call or several calls need not
 * give the same hash; the same calls always do, on any little-endian machine. */
uint64_t pdi_hash(uint64_t h, const void *bytes, size_t n);

#endif
