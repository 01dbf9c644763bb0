/* test_safetensors.c -- the reader of safetensors: what it takes, and all that it refuses. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner/safetensors.h"
#include "t.h"
#include "t_data.h"

static unsigned char file[1 << 16];

/* A file of a header and so many bytes of data, 0, 1, 2, ... */
static size_t make(const char *header, size_t data)
{
    size_t n = strlen(header);
    assert_true(PDI_SAFE_START + n + data <= sizeof file);
    for (int k = 0; k < PDI_SAFE_START; k++) file[k] = (unsigned char)(n >> 8 * k);
    memcpy(file + PDI_SAFE_START, header, n);
    for (size_t i = 0; i < data; i++) file[PDI_SAFE_START + n + i] = (unsigned char)i;
    return PDI_SAFE_START + n + data;
}

/* ---- what it takes --------------------------------------------------------------------------- */

static void names_shapes_and_numbers_come_back(void **state)
{
    (void)state;
    static const float a[6] = {1, -2.5f, 3e38f, 1e-40f, -0.0f, 0.1f};
    static const double b[2] = {1.0 / 3, -1e300};
    pdi_safe_tensor v[3] = {{.name = "b", .type = PDI_SAFE_F64, .shape = PDR_SHAPE(2)},
                            {.name = "a \"q\" \xc3\xa9", .type = PDI_SAFE_F32},
                            {.name = "none", .type = PDI_SAFE_F32, .shape = PDR_SCALAR}};
    v[0].bytes = (const void *)b;
    v[1].bytes = (const void *)a;
    v[1].shape = PDR_SHAPE(2, 3);
    v[2].bytes = (const void *)(a + 5);
    json_t *facts = json_pack("{s:s, s:s}", "format", "x", "two", "lines\nof it");
    pdi_text out = {0};
    pdi_safe s;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_safe_write(3, v, facts, &out, &err), PDR_OK);
    json_decref(facts);
    if (pdi_safe_read(NULL, "a.safetensors", out.s, out.n, &s, &err)) fail_msg("%s", err.text);
    assert_int_equal(s.n, 3);
    for (size_t i = 0; i < 3; i++) {
        const pdi_safe_tensor *t = pdi_safe_find(&s, v[i].name);
        assert_non_null(t);
        assert_int_equal(t->type, v[i].type);
        assert_true(pdr_shape_equal(&t->shape, &v[i].shape));
        assert_int_equal((t->bytes - (const unsigned char *)out.s) % 4, 0);
        assert_memory_equal(t->bytes, v[i].bytes, t->to - t->from);
    }
    assert_true(pdi_safe_number(pdi_safe_find(&s, "b"), 0) == b[0]);
    assert_true(pdi_safe_number(pdi_safe_find(&s, v[1].name), 3) == (double)1e-40f);
    assert_string_equal(pdi_safe_fact(&s, "two"), "lines\nof it");
    assert_null(pdi_safe_fact(&s, "three"));
    assert_null(pdi_safe_find(&s, "c"));
    pdi_safe_close(&s);
    pdi_text_close(&out);
}

static void short_floats_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        uint16_t half;
        double value;
    } halves[] = {{0x0000, 0},        {0x3c00, 1},         {0xc000, -2},      {0x7bff, 65504},
                  {0x0001, 0x1p-24},  {0x03ff, 0x3ffp-24}, {0x0400, 0x1p-14}, {0x3555, 0x1.554p-2},
                  {0x7c00, INFINITY}, {0xfc00, -INFINITY}},
      brains[] = {{0x3f80, 1}, {0xc0a0, -5}, {0x7f7f, 0x1.fep127}, {0x0001, 0x1p-133}};
    pdi_safe_tensor t = {.type = PDI_SAFE_F16};
    for (size_t i = 0; i < COUNT(halves); i++) {
        t.bytes = (const void *)&halves[i].half;
        assert_true(pdi_safe_number(&t, 0) == halves[i].value);
    }
    t.bytes = (const void *)&(uint16_t){0x7e00};
    assert_true(isnan(pdi_safe_number(&t, 0)));
    t.type = PDI_SAFE_BF16;
    for (size_t i = 0; i < COUNT(brains); i++) {
        t.bytes = (const void *)&brains[i].half;
        assert_true(pdi_safe_number(&t, 0) == brains[i].value);
    }
}

static void what_the_format_allows_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data, n;
    } rows[] = {
        {"{}", 0, 0},
        {"{\"__metadata__\":{}}   ", 0, 0},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, 1},
        {"{\"z\":{\"dtype\":\"F32\",\"shape\":[2,0,99999999],\"data_offsets\":[0,0]}}", 0, 1},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[3,7],\"dtype\":\"F16\"},"
         "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]},"
         "\"e\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[3,3]}}",
         7, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_safe s;
        pdr_error err = PDR_NO_ERROR;
        size_t n = make(rows[i].header, rows[i].data);
        if (pdi_safe_read(NULL, "a", file, n, &s, &err)) fail_msg("%zu: %s", i, err.text);
        assert_int_equal(s.n, rows[i].n);
        pdi_safe_close(&s);
    }
}

/* ---- what it refuses
 * ----------------------------------------------------------------------------- */

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    const char *why;
} hostile[] = {
    {"[1]", 0, "f:byte 8: a header begins with '{'"},
    {" {}", 0, "f:byte 8: a header begins with '{'"},
    {"{\"a\":}", 0, "the header is not JSON as it should be"},
    {"{} x", 0, "the header is not JSON as it should be"},
    {"{\"a\":1}", 0, "tensor 'a': is no object of dtype, shape and data_offsets"},
    {"{\"a\":{}}", 0, "tensor 'a': is no object"},
    {"{\"\":[]}", 0, "tensor '': is no object"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
     "nothing else"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
     2, "duplicate object key"},
    {ONE("\"F31\"", "[1]", "[0,4]"), 4, "dtype is 'F31'; the format has F64"},
    {ONE("\"f32\"", "[1]", "[0,4]"), 4, "dtype is 'f32'"},
    {ONE("32", "[1]", "[0,4]"), 4, "dtype is 'no text'"},
    {ONE("\"F32\"", "1", "[0,4]"), 4, "shape is no list"},
    {ONE("\"U8\"", "[1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, "shape is no list of at most 10"},
    {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "shape has a length that is not a whole number"},
    {ONE("\"F32\"", "[1.0]", "[0,4]"), 4, "shape has a length that is not a whole number"},
    {ONE("\"F32\"", "[4294967296]", "[0,4]"), 4, "shape has a length"},
    {ONE("\"F32\"", "[1]", "[0]"), 4, "data_offsets is no list of two"},
    {ONE("\"F32\"", "[1]", "[0,4,8]"), 4, "data_offsets is no list of two"},
    {ONE("\"F32\"", "[1]", "[-4,0]"), 4, "data_offsets are not whole numbers"},
    {ONE("\"F32\"", "[1]", "[0,\"4\"]"), 4, "data_offsets are not whole numbers"},
    {ONE("\"F32\"", "[1]", "[4,0]"), 4, "data_offsets 4 to 0 are not within the 4 bytes"},
    {ONE("\"F32\"", "[1]", "[0,8]"), 4, "data_offsets 0 to 8 are not within the 4 bytes"},
    {ONE("\"F32\"", "[1]", "[9223372036854775804,9223372036854775807]"), 4, "not within the 4"},
    {ONE("\"F32\"", "[1]", "[0,18446744073709551616]"), 4, "too big integer"},
    {ONE("\"F32\"", "[2]", "[0,4]"), 4, "data_offsets 0 to 4 are 4 bytes; F32 [2] has 8"},
    {ONE("\"F32\"", "[2147483647,2147483647,4,4]", "[0,4]"), 4, "are 4 bytes; F32"},
    {ONE("\"F64\"", "[2147483647,2147483647,2147483647,2147483647]", "[0,0]"), 0, "are 0 bytes"},
    {ONE("\"F32\"", "[1073741824,1073741824,16]", "[0,0]"), 0, "are 0 bytes"}, /* 2^66 */
    {ONE("\"U8\"", "[1]", "[0,1]"), 2, "bytes 1 to 2 of the data belong to no tensor"},
    {ONE("\"U8\"", "[1]", "[1,2]"), 2, "bytes 0 to 1 of the data belong to no tensor"},
    {"{}", 3, "bytes 0 to 3 of the data belong to no tensor"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
     3, "tensor 'b': its bytes, from 1 on, overlap those of 'a'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
     2, "overlap those of"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
     3, "bytes 1 to 2 of the data belong to no tensor"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is no object of texts"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "__metadata__: 'k' is no text"},
    {"{\"a\\u0000b\":1}", 0, "the header is not JSON as it should be"},
    {"{\"\xff\":1}", 0, "the header is not JSON as it should be"},
};

static void refuse(size_t n, const char *why)
{
    pdi_safe s;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_safe_read(NULL, "f", file, n, &s, &err), PDR_INPUT);
    t_one_line(&err);
    assert_memory_equal(err.text, "f:", 2);
    if (!strstr(err.text, why)) fail_msg("%s\nis not: %s", err.text, why);
    assert_null(s.v);
    assert_null(s.header);
}

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        refuse(make(hostile[i].header, hostile[i].data), hostile[i].why);
}

static void lengths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    memset(file, 0, sizeof file);
    refuse(0, "is 0 bytes long");
    refuse(7, "is 7 bytes long");
    refuse(8, "a header of 0 bytes; 2 to 4194304 can be");
    file[0] = 10;
    refuse(12, "a header of 10 bytes, and the file ends after 4");
    file[3] = 2; /* 2^25 */
    refuse(100, "a header of 33554442 bytes; 2 to");
    memset(file, 255, 8);
    refuse(sizeof file, "a header of 18446744073709551615 bytes");
}

/* Cut at any byte it is another file, and none that could be read. */
static void a_file_cut_short_is_refused(void **state)
{
    (void)state;
    size_t n = make(ONE("\"F32\"", "[2,3]", "[0,24]"), 24);
    pdi_safe s;
    for (size_t k = 0; k < n; k++)
        assert_int_equal(pdi_safe_read(NULL, "f", file, k, &s, NULL), PDR_INPUT);
    assert_int_equal(pdi_safe_read(NULL, "f", file, n, &s, NULL), PDR_OK);
    pdi_safe_close(&s);
}

/* A header of a thousand nested lists, or of a tensor that claims an exabyte. */
static void a_header_takes_no_more_than_its_length(void **state)
{
    (void)state;
    static char deep[9000];
    t_memory memory = {.left = -1};
    pdr_alloc alloc = {t_memory_fn, &memory};
    pdi_safe s;
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"a\":", 5);
    assert_int_equal(pdi_safe_read(&alloc, "f", file, make(deep, 0), &s, NULL), PDR_INPUT);
    size_t n = make(ONE("\"F32\"", "[2147483647,2147483647]", "[0,4]"), 4);
    assert_int_equal(pdi_safe_read(&alloc, "f", file, n, &s, NULL), PDR_INPUT);
    assert_true(memory.peak < 4096);
    assert_int_equal(memory.blocks, 0);
}

/* What is written can be read: a header too long for the reader is not written. */
static void a_header_too_long_is_not_written(void **state)
{
    (void)state;
    char *text = calloc(PDI_SAFE_HEADER_MAX, 1);
    pdi_text out = {0};
    pdr_error err = PDR_NO_ERROR;
    assert_non_null(text);
    memset(text, 'x', PDI_SAFE_HEADER_MAX - 1);
    json_t *facts = json_pack("{s:s}", "names", text);
    assert_int_equal(pdi_safe_write(0, NULL, facts, &out, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "names and metadata take 4194336 bytes"));
    json_decref(facts);
    pdi_text_close(&out);
    free(text);
}

static pdr_rc read_it(const pdr_alloc *alloc, pdr_error *err)
{
    pdi_safe s;
    pdr_rc rc = pdi_safe_read(alloc, "f", file, make(ONE("\"F32\"", "[1]", "[0,4]"), 4), &s, err);
    if (!rc) pdi_safe_close(&s);
    return rc;
}

static void memory_that_runs_out_is_said(void **state)
{
    (void)state;
    assert_true(t_torture(read_it) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_shapes_and_numbers_come_back),
        cmocka_unit_test(short_floats_are_read_exactly),
        cmocka_unit_test(what_the_format_allows_is_taken),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(lengths_that_cannot_be_are_refused),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(a_header_takes_no_more_than_its_length),
        cmocka_unit_test(a_header_too_long_is_not_written),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
