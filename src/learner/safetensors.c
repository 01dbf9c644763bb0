/* learner/safetensors.c -- the safetensors format, read strictly and written. */
#include "learner/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    uint64_t size;
} safetensors_types[] = {
#define SAFE_TYPE(name, size) {#name, size},
    PDI_SAFE_TYPES(SAFE_TYPE)
#undef SAFE_TYPE
};

const char *pdi_safe_word(pdi_safe_type t) { return safetensors_types[t].word; }

/* ---- a tensor's entry ------------------------------------------------------------------------ */

typedef struct safetensors_reader {
    const char *name; /* of the file */
    const unsigned char *data;
    uint64_t data_size;
    pdr_error *err;
} safetensors_reader;

static pdr_rc safetensors_bad(const safetensors_reader *r, const char *tensor, const char *why)
{
    return pdi_fail(r->err, PDR_INPUT, "%s: tensor '%.80s': %s", r->name, tensor, why);
}

static pdr_rc safetensors_read_type(const safetensors_reader *r, const json_t *entry,
                                    pdi_safe_tensor *t)
{
    const char *word = json_string_value(json_object_get(entry, "dtype"));
    for (int k = 0; word && k < PDI_SAFE_TYPE_COUNT; k++)
        if (!strcmp(word, safetensors_types[k].word)) {
            t->type = (pdi_safe_type)k;
            return PDR_OK;
        }
    return pdi_fail(r->err, PDR_INPUT,
                    "%s: tensor '%.80s': dtype is '%.20s'; the format has F64, F32, F16, BF16, I64 "
                    "and others",
                    r->name, t->name, word ? word : "no text");
}

static pdr_rc safetensors_read_shape(const safetensors_reader *r, const json_t *entry,
                                     pdi_safe_tensor *t)
{
    const json_t *shape = json_object_get(entry, "shape");
    size_t rank = json_array_size(shape);
    if (!json_is_array(shape) || rank > PDR_MAX_RANK)
        return safetensors_bad(r, t->name, "shape is no list of at most 10 lengths");
    t->shape.rank = (int32_t)rank;
    for (size_t k = 0; k < rank; k++) {
        const json_t *d = json_array_get(shape, k);
        json_int_t length = json_is_integer(d) ? json_integer_value(d) : -1;
        if (length < 0 || length > INT32_MAX)
            return safetensors_bad(r, t->name,
                                   "shape has a length that is not a whole number below 2^31");
        t->shape.dim[k] = (int32_t)length;
    }
    return PDR_OK;
}

/* Bytes that shape and type ask for; more than any file has, where it is more than that. */
static uint64_t safetensors_size(const pdi_safe_tensor *t)
{
    uint64_t n = safetensors_types[t->type].size;
    for (int k = 0; k < t->shape.rank; k++) {
        uint64_t d = (uint64_t)t->shape.dim[k];
        n = d && n > INT64_MAX / d ? INT64_MAX : n * d;
    }
    return n;
}

static pdr_rc safetensors_read_offsets(const safetensors_reader *r, const json_t *entry,
                                       pdi_safe_tensor *t)
{
    const json_t *pair = json_object_get(entry, "data_offsets"), *at[2];
    if (!json_is_array(pair) || json_array_size(pair) != 2)
        return safetensors_bad(r, t->name, "data_offsets is no list of two");
    for (size_t k = 0; k < 2; k++) {
        at[k] = json_array_get(pair, k);
        if (!json_is_integer(at[k]) || json_integer_value(at[k]) < 0)
            return safetensors_bad(r, t->name, "data_offsets are not whole numbers of 0 and above");
    }
    t->from = (uint64_t)json_integer_value(at[0]);
    t->to = (uint64_t)json_integer_value(at[1]);
    if (t->from > t->to || t->to > r->data_size)
        return pdi_fail(r->err, PDR_INPUT,
                        "%s: tensor '%.80s': data_offsets %" PRIu64 " to %" PRIu64
                        " are not within the %" PRIu64 " bytes of data",
                        r->name, t->name, t->from, t->to, r->data_size);
    if (t->to - t->from != safetensors_size(t)) {
        char text[PDR_SHAPE_TEXT];
        return pdi_fail(r->err, PDR_INPUT,
                        "%s: tensor '%.80s': data_offsets %" PRIu64 " to %" PRIu64 " are %" PRIu64
                        " bytes; %s %s has %" PRIu64,
                        r->name, t->name, t->from, t->to, t->to - t->from, pdi_safe_word(t->type),
                        pdr_shape_text(&t->shape, text), safetensors_size(t));
    }
    t->bytes = r->data + t->from;
    return PDR_OK;
}

static pdr_rc safetensors_read_tensor(const safetensors_reader *r, const char *name,
                                      const json_t *entry, pdi_safe_tensor *t)
{
    *t = (pdi_safe_tensor){.name = name};
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return safetensors_bad(r, name,
                               "is no object of dtype, shape and data_offsets, and nothing else");
    pdr_rc rc = safetensors_read_type(r, entry, t);
    if (!rc) rc = safetensors_read_shape(r, entry, t);
    return rc ? rc : safetensors_read_offsets(r, entry, t);
}

static pdr_rc safetensors_read_facts(const safetensors_reader *r, json_t *facts)
{
    const char *key;
    json_t *value;
    if (!json_is_object(facts))
        return pdi_fail(r->err, PDR_INPUT, "%s: __metadata__ is no object of texts", r->name);
    json_object_foreach(facts, key, value)
    {
        if (!json_is_string(value))
            return pdi_fail(r->err, PDR_INPUT, "%s: __metadata__: '%.80s' is no text", r->name,
                            key);
    }
    return PDR_OK;
}

/* ---- the whole file ----------------------------------------------------------------------------
 */

static int safetensors_order(const void *x, const void *y)
{
    const pdi_safe_tensor *a = x, *b = y;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return a->to < b->to ? -1 : a->to > b->to;
}

static pdr_rc safetensors_hole(const safetensors_reader *r, uint64_t from, uint64_t to)
{
    return pdi_fail(r->err, PDR_INPUT,
                    "%s: bytes %" PRIu64 " to %" PRIu64 " of the data belong to no tensor", r->name,
                    from, to);
}

/* One after the other, from the first byte to the last. */
static pdr_rc safetensors_check_places(const safetensors_reader *r, const pdi_safe *s)
{
    uint64_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        const pdi_safe_tensor *t = &s->v[i];
        if (t->from < at)
            return pdi_fail(r->err, PDR_INPUT,
                            "%s: tensor '%.80s': its bytes, from %" PRIu64
                            " on, overlap those of '%.80s'",
                            r->name, t->name, t->from, s->v[i - 1].name);
        if (t->from > at) return safetensors_hole(r, at, t->from);
        at = t->to;
    }
    return at < r->data_size ? safetensors_hole(r, at, r->data_size) : PDR_OK;
}

static pdr_rc safetensors_read_header(const safetensors_reader *r, pdi_safe *s)
{
    const char *name;
    json_t *entry;
    s->v = pdi_new(s->alloc, json_object_size(s->header), sizeof *s->v);
    if (!s->v) return pdi_nomem(r->err);
    json_object_foreach(s->header, name, entry)
    {
        pdr_rc rc = !strcmp(name, "__metadata__")
                        ? safetensors_read_facts(r, entry)
                        : safetensors_read_tensor(r, name, entry, &s->v[s->n++]);
        if (rc) return rc;
    }
    qsort(s->v, s->n, sizeof *s->v, safetensors_order);
    return safetensors_check_places(r, s);
}

static pdr_rc safetensors_no_json(const safetensors_reader *r, const json_error_t *why)
{
    if (json_error_code(why) == json_error_out_of_memory) return pdi_nomem(r->err);
    return pdi_fail(r->err, PDR_INPUT, "%s:byte %d: the header is not JSON as it should be: %s",
                    r->name, PDI_SAFE_START + why->position, why->text);
}

/* The length of the header, which must be there and be one that a header can have. */
static pdr_rc safetensors_head(const char *name, const unsigned char *p, size_t n, uint64_t *length,
                               pdr_error *err)
{
    *length = 0;
    if (n < PDI_SAFE_START)
        return pdi_fail(err, PDR_INPUT,
                        "%s: is %zu bytes long; a safetensors file begins with 8 bytes of length",
                        name, n);
    for (int k = 7; k >= 0; k--) *length = *length << 8 | p[k];
    if (*length > PDI_SAFE_HEADER_MAX || *length < 2)
        return pdi_fail(err, PDR_INPUT,
                        "%s:byte 0: a header of %" PRIu64 " bytes; 2 to %d can be (is this a "
                        "safetensors file?)",
                        name, *length, PDI_SAFE_HEADER_MAX);
    if (*length > n - PDI_SAFE_START)
        return pdi_fail(err, PDR_INPUT,
                        "%s:byte 0: a header of %" PRIu64 " bytes, and the file ends after %zu",
                        name, *length, n - PDI_SAFE_START);
    return PDR_OK;
}

pdr_rc pdi_safe_read(const pdr_alloc *alloc, const char *name, const void *bytes, size_t n,
                     pdi_safe *out, pdr_error *err)
{
    const unsigned char *p = bytes;
    uint64_t length;
    json_error_t why;
    *out = (pdi_safe){.alloc = pdi_alloc_or_default(alloc)};
    pdr_rc rc = safetensors_head(name, p, n, &length, err);
    if (rc) return rc;
    safetensors_reader r = {name, p + PDI_SAFE_START + length, n - PDI_SAFE_START - length, err};
    if (p[PDI_SAFE_START] != '{')
        return pdi_fail(err, PDR_INPUT, "%s:byte %d: a header begins with '{'", name,
                        PDI_SAFE_START);
    out->header = json_loadb((const char *)p + PDI_SAFE_START, (size_t)length,
                             JSON_REJECT_DUPLICATES, &why);
    rc = out->header ? safetensors_read_header(&r, out) : safetensors_no_json(&r, &why);
    if (rc) pdi_safe_close(out);
    return rc;
}

void pdi_safe_close(pdi_safe *s)
{
    json_decref(s->header);
    if (s->alloc) pdi_free(s->alloc, s->v);
    *s = (pdi_safe){0};
}

const pdi_safe_tensor *pdi_safe_find(const pdi_safe *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->v[i].name, name)) return &s->v[i];
    return NULL;
}

const char *pdi_safe_fact(const pdi_safe *s, const char *key)
{
    return json_string_value(json_object_get(json_object_get(s->header, "__metadata__"), key));
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

bool pdi_safe_is_real(pdi_safe_type t)
{
    return t == PDI_SAFE_F64 || t == PDI_SAFE_F32 || t == PDI_SAFE_F16 || t == PDI_SAFE_BF16;
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static double safetensors_half(uint16_t x)
{
    int exponent = x >> 10 & 31, fraction = x & 1023;
    double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                   : exponent     ? ldexp(fraction + 1024, exponent - 25)
                                  : ldexp(fraction, -24);
    return x >> 15 ? -value : value;
}

double pdi_safe_number(const pdi_safe_tensor *t, size_t i)
{
    const unsigned char *p = t->bytes + i * safetensors_types[t->type].size;
    double wide;
    float narrow;
    uint16_t half;
    uint32_t bits;
    switch (t->type) {
    case PDI_SAFE_F64: memcpy(&wide, p, sizeof wide); return wide;
    case PDI_SAFE_F32: memcpy(&narrow, p, sizeof narrow); return (double)narrow;
    case PDI_SAFE_F16: memcpy(&half, p, sizeof half); return safetensors_half(half);
    case PDI_SAFE_BF16: /* the upper half of an F32 */
        memcpy(&half, p, sizeof half);
        bits = (uint32_t)half << 16;
        memcpy(&narrow, &bits, sizeof narrow);
        return (double)narrow;
    default: return NAN;
    }
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static json_t *safetensors_entry(const pdi_safe_tensor *t, uint64_t from)
{
    json_t *shape = json_array();
    for (int k = 0; k < t->shape.rank; k++)
        json_array_append_new(shape, json_integer(t->shape.dim[k]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", pdi_safe_word(t->type), "shape",
                              shape, "data_offsets", (json_int_t)from,
                              (json_int_t)(from + safetensors_size(t)));
    bool whole = entry && json_array_size(shape) == (size_t)t->shape.rank;
    if (whole) return entry;
    json_decref(entry);
    return NULL;
}

static int safetensors_append(const char *text, size_t n, void *out)
{
    pdi_text_bytes(out, text, n);
    return 0;
}

/* Spaces behind the header let the data begin at a multiple of eight. */
static pdr_rc safetensors_put_header(const json_t *header, pdi_text *out, pdr_error *err)
{
    pdi_text text = {.alloc = out->alloc};
    unsigned char length[PDI_SAFE_START];
    if (json_dump_callback(header, safetensors_append, &text, JSON_COMPACT)) text.failed = true;
    size_t padded = (text.n + 7) / 8 * 8;
    pdr_rc rc = text.failed ? pdi_nomem(err) : PDR_OK;
    if (!rc && padded > PDI_SAFE_HEADER_MAX)
        rc = pdi_fail(
            err, PDR_INPUT,
            "names and metadata take %zu bytes, and a safetensors header here has at most "
            "%d; shorten the names of classes and features, or export ONNX",
            padded, PDI_SAFE_HEADER_MAX);
    for (int k = 0; k < PDI_SAFE_START; k++) length[k] = (unsigned char)(padded >> 8 * k);
    if (!rc) {
        pdi_text_bytes(out, (const char *)length, sizeof length);
        pdi_text_bytes(out, text.s, text.n);
        pdi_text_bytes(out, "       ", padded - text.n);
    }
    pdi_text_close(&text);
    return rc;
}

pdr_rc pdi_safe_write(size_t n, const pdi_safe_tensor v[], json_t *facts, pdi_text *out,
                      pdr_error *err)
{
    uint64_t at = 0;
    json_t *header = json_object();
    bool whole = header && !json_object_set(header, "__metadata__", facts);
    for (size_t i = 0; whole && i < n; i++) {
        whole = !json_object_set_new(header, v[i].name, safetensors_entry(&v[i], at));
        at += safetensors_size(&v[i]);
    }
    pdr_rc rc = whole ? safetensors_put_header(header, out, err) : pdi_nomem(err);
    json_decref(header);
    for (size_t i = 0; !rc && i < n; i++)
        pdi_text_bytes(out, (const char *)v[i].bytes, (size_t)safetensors_size(&v[i]));
    return !rc && out->failed ? pdi_nomem(err) : rc;
}
