/* learner/safetensors.h -- tensors by name in one file, as the safetensors format has them.
 *
 *     bytes 0 .. 7    length of the header, little-endian
 *     then            the header, JSON: {"NAME": {"dtype": "F32", "shape": [2,3],
 *                     "data_offsets": [0,24]}, ..., "__metadata__": {"KEY": "TEXT", ...}}
 *     then            the data, little-endian, last axis fastest
 *
 * The reader takes what the format's description allows, and nothing else: every name once,
 * every byte of the data in exactly one tensor, as many bytes as shape and type say.  Files come
 * from anywhere: what the header claims is checked before it is used, no memory is asked for
 * that the file's own length does not warrant, and errors are one line that names the file and
 * the byte or the tensor. */
#ifndef PDI_LEARNER_SAFETENSORS_H
#define PDI_LEARNER_SAFETENSORS_H

#include <jansson.h>
#include <perdure/shape.h>

#include "base/text.h"

/* A tree of JSON takes up to forty times the memory of its text: this bounds that at 160 MB. */
enum { PDI_SAFE_HEADER_MAX = 1 << 22, PDI_SAFE_START = 8 };

/* Types of elements: name, bytes. */
#define PDI_SAFE_TYPES(X)                                                                          \
    X(F64, 8)                                                                                      \
    X(F32, 4)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I64, 8)                                                                                      \
    X(I32, 4)                                                                                      \
    X(I16, 2) X(I8, 1) X(U64, 8) X(U32, 4) X(U16, 2) X(U8, 1) X(BOOL, 1) X(F8_E4M3, 1) X(F8_E5M2, 1)

typedef enum pdi_safe_type {
#define PDI_SAFE_NAME(name, size) PDI_SAFE_##name,
    PDI_SAFE_TYPES(PDI_SAFE_NAME)
#undef PDI_SAFE_NAME
        PDI_SAFE_TYPE_COUNT
} pdi_safe_type;

const char *pdi_safe_word(pdi_safe_type t);

/* Unlike elsewhere an axis may be 0. */
typedef struct pdi_safe_tensor {
    const char *name;
    pdi_safe_type type;
    pdr_shape shape;
    const unsigned char *bytes;
    uint64_t from, to; /* bytes of the data */
} pdi_safe_tensor;

typedef struct pdi_safe {
    const pdr_alloc *alloc;
    json_t *header; /* owns the names */
    pdi_safe_tensor *v;
    size_t n; /* in order of their bytes */
} pdi_safe;

/* Read n bytes, which must outlive *out; name is the file's.  On failure *out is empty. */
pdr_rc pdi_safe_read(const pdr_alloc *alloc, const char *name, const void *bytes, size_t n,
                     pdi_safe *out, pdr_error *err);
void pdi_safe_close(pdi_safe *s);

const pdi_safe_tensor *pdi_safe_find(const pdi_safe *s, const char *name);

/* The text under a key of the metadata, or NULL. */
const char *pdi_safe_fact(const pdi_safe *s, const char *key);

/* Element i of a tensor of type F64, F32, F16 or BF16, exactly. */
bool pdi_safe_is_real(pdi_safe_type t);
double pdi_safe_number(const pdi_safe_tensor *t, size_t i);

/* Append n tensors (name, type, shape, bytes) in the order given, with facts, an object of
 * texts, as metadata. */
pdr_rc pdi_safe_write(size_t n, const pdi_safe_tensor v[], json_t *facts, pdi_text *out,
                      pdr_error *err);

#endif
