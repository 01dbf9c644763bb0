/* emit/wire.c -- protobuf's wire format: a key (field number, kind), then the value. */
#include "emit/wire.h"

#include <string.h>

enum { WIRE_VARINT, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void wire_varint(pdi_text *t, uint64_t x)
{
    char bytes[10];
    size_t n = 0;
    for (; x >= 0x80; x >>= 7) bytes[n++] = (char)(x | 0x80);
    bytes[n++] = (char)x;
    pdi_text_bytes(t, bytes, n);
}

static void wire_key(pdi_text *t, uint32_t field, uint32_t kind)
{
    wire_varint(t, field << 3 | kind);
}

void pdi_wire_int(pdi_text *t, uint32_t field, int64_t value)
{
    wire_key(t, field, WIRE_VARINT);
    wire_varint(t, (uint64_t)value);
}

void pdi_wire_float(pdi_text *t, uint32_t field, float value)
{
    char bytes[4];
    memcpy(bytes, &value, sizeof bytes); /* little-endian, like everything on a wire or a disk */
    wire_key(t, field, WIRE_FIXED32);
    pdi_text_bytes(t, bytes, sizeof bytes);
}

void pdi_wire_bytes(pdi_text *t, uint32_t field, const void *bytes, size_t n)
{
    wire_key(t, field, WIRE_BYTES);
    wire_varint(t, n);
    if (n) pdi_text_bytes(t, bytes, n);
}

void pdi_wire_text(pdi_text *t, uint32_t field, const char *text)
{
    pdi_wire_bytes(t, field, text, strlen(text));
}

void pdi_wire_message(pdi_text *t, uint32_t field, pdi_text *message)
{
    if (message->failed) t->failed = true;
    pdi_wire_bytes(t, field, message->s, message->n);
    pdi_text_close(message);
}
