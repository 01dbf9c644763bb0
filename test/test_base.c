/* test_base.c -- the ground floor: options, shapes, random numbers, text. */
#include <math.h>
#include <perdure/option.h>
#include <perdure/rng.h>
#include <perdure/shape.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "t.h"

/* The known-answer vectors published with Random123 (Salmon et al. 2011). */
static void philox_matches_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t c[4], k[2], want[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t out[4];
        pdr_philox(rows[i].k, rows[i].c, out);
        assert_memory_equal(out, rows[i].want, sizeof out);
    }
}

static void the_first_error_is_the_one_that_is_told(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_fail(&err, PDR_INPUT, "first, line %d", 3), PDR_INPUT);
    assert_int_equal(pdi_fail(&err, PDR_IO, "second"), PDR_IO);
    assert_int_equal(err.rc, PDR_INPUT);
    assert_string_equal(err.text, "first, line 3");
    assert_int_equal(pdi_fail(NULL, PDR_IO, "nobody listens"), PDR_IO);
}

static void draws_below_n_are_uniform(void **state)
{
    (void)state;
    pdr_rng r = {.seed = 3, .stream = PDR_STREAM_TEST};
    int count[7] = {0};
    for (int i = 0; i < 70000; i++) count[pdr_rng_below(&r, 7)]++;
    double chi2 = 0;
    for (int k = 0; k < 7; k++) chi2 += pow(count[k] - 10000.0, 2) / 10000.0;
    assert_true(chi2 < 22.5); /* 6 degrees of freedom, p = 0.001 */
}

static void normal_draws_have_unit_moments(void **state)
{
    (void)state;
    pdr_rng r = {.seed = 4, .stream = PDR_STREAM_TEST};
    double s = 0, s2 = 0, n = 100000;
    for (int i = 0; i < (int)n; i++) {
        double x = (double)pdr_rng_normal(&r);
        s += x;
        s2 += x * x;
    }
    assert_true(fabs(s / n) < 0.01);
    assert_true(fabs(s2 / n - 1) < 0.02);
}

/* The number of the permutation p of four things, 0 to 23. */
static int rank_of_four(const uint32_t p[4])
{
    int rank = 0;
    for (int i = 0; i < 4; i++) {
        int smaller = 0;
        for (int k = i + 1; k < 4; k++) smaller += p[k] < p[i];
        rank = rank * (4 - i) + smaller;
    }
    return rank;
}

static void every_shuffle_is_as_likely(void **state)
{
    (void)state;
    pdr_rng r = {.seed = 5, .stream = PDR_STREAM_TEST};
    int count[24] = {0};
    for (int i = 0; i < 24000; i++) {
        uint32_t p[4] = {0, 1, 2, 3};
        pdr_rng_shuffle(&r, 4, p);
        count[rank_of_four(p)]++;
    }
    double chi2 = 0;
    for (int k = 0; k < 24; k++) chi2 += pow(count[k] - 1000.0, 2) / 1000.0;
    assert_true(chi2 < 49.7); /* 23 degrees of freedom, p = 0.001 */
}

typedef struct {
    double rate;
    int64_t n;
    bool on;
    int kind;
    const char *name;
} sample;

static const char *const kinds[] = {"first", "second", NULL};
static const pdr_option sample_options[] = {
    PDR_OPTION_REAL(sample, rate, 0.5, 0.0, 1.0, "a rate"),
    PDR_OPTION_COUNT(sample, n, 10, 1, 100, "a count"),
    PDR_OPTION_FLAG(sample, on, true, "a flag"),
    PDR_OPTION_CHOICE(sample, kind, kinds, 1, "a kind"),
    PDR_OPTION_TEXT(sample, name, "x", "a name"),
    PDR_OPTION_END,
};

static void options_read_back_what_was_set(void **state)
{
    (void)state;
    static const char *const set[][2] = {
        {"rate", "0.25"}, {"n", "1e2"}, {"on", "no"}, {"kind", "first"}, {"name", "y"}};
    sample s;
    pdr_option_defaults(sample_options, &s);
    assert_true(s.on && s.kind == 1 && s.n == 10);
    for (size_t i = 0; i < COUNT(set); i++) {
        pdr_error err = PDR_NO_ERROR;
        const pdr_option *row = pdr_option_find(sample_options, set[i][0]);
        assert_int_equal(pdr_option_set(row, &s, set[i][1], &err), PDR_OK);
    }
    assert_true(s.rate == 0.25 && s.n == 100 && !s.on && s.kind == 0 && !strcmp(s.name, "y"));
    char text[PDR_OPTION_TEXT_MAX];
    pdr_option_get(&sample_options[1], &s, text);
    assert_string_equal(text, "100");
}

static void options_say_what_would_be_right(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"rate", "2", "rate: 2 is out of range; give 0 to 1"},
        {"rate", "nan", "rate: nan is out of range; give 0 to 1"},
        {"rate", "fast", "rate: 'fast' is not a number; give 0 to 1"},
        {"n", "1.5", "n: '1.5' is not a whole number; give 1 to 100"},
        {"on", "maybe", "on: 'maybe' is neither true nor false; give one of them"},
        {"kind", "third", "kind: there is no 'third'; choose from first, second"},
        {"on", "a\nb\x1b[1m\x7f", "on: 'a?b?[1m?' is neither true nor false; give one of them"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sample s;
        memset(&s, 0, sizeof s); /* compared as bytes, padding too */
        pdr_error err = PDR_NO_ERROR;
        pdr_option_defaults(sample_options, &s);
        sample before = s;
        assert_int_equal(
            pdr_option_set(pdr_option_find(sample_options, rows[i][0]), &s, rows[i][1], &err),
            PDR_INPUT);
        assert_string_equal(err.text, rows[i][2]);
        assert_memory_equal(&s, &before, sizeof s);
    }
}

static void shapes_are_counted_and_refused(void **state)
{
    (void)state;
    char text[PDR_SHAPE_TEXT];
    pdr_shape s = PDR_SHAPE(2, 3, 4), zero = PDR_SHAPE(2, 0), scalar = PDR_SCALAR;
    pdr_shape huge = PDR_SHAPE(INT32_MAX, INT32_MAX), wraps = PDR_SHAPE(1 << 20, 1 << 20, 1 << 30);
    assert_int_equal(pdr_shape_size(&s), 24);
    assert_int_equal(pdr_shape_size(&scalar), 1);
    assert_int_equal(pdr_shape_size(&zero), -1);
    assert_int_equal(pdr_shape_size(&huge), -1);
    assert_int_equal(pdr_shape_size(&wraps), -1); /* 2^70, which is 0 in 64 bits */
    assert_string_equal(pdr_shape_text(&s, text), "[2,3,4]");
    assert_string_equal(pdr_shape_text(&scalar, text), "[]");
}

static void *no_memory(void *ctx, void *old, size_t size)
{
    (void)ctx, (void)old, (void)size;
    return NULL;
}

static void text_out_of_memory_sticks(void **state)
{
    (void)state;
    const pdr_alloc none = {no_memory, NULL};
    pdi_text t = {.alloc = &none};
    pdi_text_add(&t, "%d", 42);
    assert_null(pdi_text_take(&t));
    pdi_text ok = {0};
    pdi_text_add(&ok, "%d-%s", 42, "x");
    char *s = pdi_text_take(&ok);
    assert_string_equal(s, "42-x");
    pdi_free(&pdi_malloc, s);
}

/* An allocator that serves so many calls and refuses the rest. */
static void *few(void *ctx, void *old, size_t size)
{
    int *left = ctx;
    return (*left)-- > 0 ? pdi_malloc.fn(NULL, old, size) : NULL;
}

static void a_cell_is_quoted_where_it_must_be(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"plain", "plain"},
                                          {"two words", "two words"},
                                          {" left", "\" left\""},
                                          {"right ", "\"right \""},
                                          {"a,b", "\"a,b\""},
                                          {"a;b", "\"a;b\""},
                                          {"a\tb", "\"a\tb\""},
                                          {"a\nb", "\"a\nb\""},
                                          {"\"", "\"\"\"\""},
                                          {"a\"b", "\"a\"\"b\""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_text t = {0};
        pdi_text_cell(&t, rows[i][0]);
        char *s = pdi_text_take(&t);
        assert_string_equal(s, rows[i][1]);
        pdi_free(t.alloc, s);
    }
}

static void text_that_could_not_grow_is_not_half_a_text(void **state)
{
    (void)state;
    int left = 1;
    const pdr_alloc alloc = {few, &left};
    pdi_text t = {.alloc = &alloc};
    pdi_text_add(&t, "short");
    pdi_text_add(&t, "%200s", "long");
    pdi_text_add(&t, "short");
    assert_true(t.failed);
    left = 1; /* for the freeing */
    char *s = pdi_text_take(&t);
    assert_null(s);
}

static void hash_tells_neighbours_apart(void **state)
{
    (void)state;
    unsigned char a[24] = {0};
    uint64_t h[25];
    for (size_t n = 0; n <= sizeof a; n++) {
        h[n] = pdi_hash(0, a, n);
        for (size_t k = 0; k < n; k++) assert_true(h[n] != h[k]);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            a[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(pdi_hash(0, a, n) != h[n]);
            a[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

static void only_utf8_is_taken_for_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t size;
    } rows[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xe0\xa0\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80", 0},
        {"\xc1\xbf", 0},
        {"\xc2", 0},
        {"\xc2g", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xed\xa0\x80", 0},
        {"\xe2\x82", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        size_t size;
        pdi_utf8_at(rows[k].s, &size);
        assert_int_equal(size, rows[k].size);
        assert_int_equal(pdi_utf8_valid(rows[k].s), rows[k].size > 0);
    }
    assert_int_equal(pdi_utf8_at("\xE2\x82\xAC", &(size_t){0}), 0x20AC);
    assert_true(pdi_utf8_valid(""));
    assert_false(pdi_utf8_valid("a\xFF"));
    assert_int_equal(pdi_utf8_length("caf\xC3\xA9\xFF"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_matches_the_published_vectors),
        cmocka_unit_test(the_first_error_is_the_one_that_is_told),
        cmocka_unit_test(draws_below_n_are_uniform),
        cmocka_unit_test(normal_draws_have_unit_moments),
        cmocka_unit_test(every_shuffle_is_as_likely),
        cmocka_unit_test(options_read_back_what_was_set),
        cmocka_unit_test(options_say_what_would_be_right),
        cmocka_unit_test(shapes_are_counted_and_refused),
        cmocka_unit_test(text_out_of_memory_sticks),
        cmocka_unit_test(a_cell_is_quoted_where_it_must_be),
        cmocka_unit_test(text_that_could_not_grow_is_not_half_a_text),
        cmocka_unit_test(hash_tells_neighbours_apart),
        cmocka_unit_test(only_utf8_is_taken_for_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
