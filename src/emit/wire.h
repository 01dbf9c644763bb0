/* emit/wire.h -- protobuf's wire format, as far as a writer needs it.
 *
 * A message is its fields, one after the other, each a number and a value; a message within
 * a message is a field of bytes.  So a writer needs no description of messages and no library:
 * field numbers stand where fields are written.  Running out of memory sticks to the text. */
#ifndef PDI_EMIT_WIRE_H
#define PDI_EMIT_WIRE_H

#include <stdint.h>

#include "base/text.h"

void pdi_wire_int(pdi_text *t, uint32_t field, int64_t value);
void pdi_wire_float(pdi_text *t, uint32_t field, float value);
void pdi_wire_bytes(pdi_text *t, uint32_t field, const void *bytes, size_t n);
void pdi_wire_text(pdi_text *t, uint32_t field, const char *text);

/* A message as a field; it is closed. */
void pdi_wire_message(pdi_text *t, uint32_t field, pdi_text *message);

#endif
