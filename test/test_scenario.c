/* test_scenario.c -- streams of tasks: who is in them, what they mean, what cannot be. */
#include <math.h>
#include <perdure/rng.h>
#include <perdure/scenario.h>

#include "base/alloc.h"
#include "data/transform.h"
#include "t_data.h"

enum { CLASSES = 10, SIDE = 5, PIXELS = SIDE * SIDE, N_TRAIN = 120, N_TEST = 40 };

/* Images whose first pixel is the example's number and whose others are random, but
 * for example 0, whose pixel k is k.  Labels are i % 10. */
static pdr_dataset make_images(size_t n)
{
    pdr_dataset d = {.examples = n,
                     .shape = PDR_SHAPE(1, SIDE, SIDE),
                     .storage = PDR_BYTES,
                     .x = malloc(n * PIXELS),
                     .classes = CLASSES,
                     .label = malloc(n * sizeof(int32_t))};
    pdr_rng r = {.seed = n, .stream = PDR_STREAM_TEST};
    for (size_t i = 0; i < n; i++) {
        d.label[i] = (int32_t)(i % CLASSES);
        for (size_t k = 0; k < PIXELS; k++)
            ((uint8_t *)d.x)[i * PIXELS + k] = (uint8_t)(k ? pdr_rng_below(&r, 256) : i);
    }
    for (size_t k = 0; k < PIXELS; k++) ((uint8_t *)d.x)[k] = (uint8_t)k;
    return d;
}

static pdr_data data;

static int make_data(void **state)
{
    (void)state;
    data = (pdr_data){.train = make_images(N_TRAIN), .test = make_images(N_TEST)};
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    free(data.train.x);
    free(data.train.label);
    free(data.test.x);
    free(data.test.label);
    return 0;
}

static pdr_scenario scenario(int type, int split, int64_t tasks)
{
    pdr_scenario s;
    pdr_option_defaults(pdr_scenario_option_table, &s);
    s.type = type;
    s.split = split;
    s.tasks = tasks;
    return s;
}

static pdr_stream *stream(const pdr_scenario *s, uint64_t seed)
{
    pdr_stream *out;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = pdr_stream_new(NULL, &data, s, seed, &out, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, PDR_OK);
    return out;
}

/* The number of example i, which untransformed images carry in their first pixel. */
static size_t number(const pdr_stream *s, pdr_part part, int32_t task, size_t i, int32_t *label)
{
    float x[PIXELS];
    pdr_stream_read(s, part, task, i, x, label, NULL);
    return (size_t)lroundf(x[0] * 255);
}

/* Example 0 has pixel k at k, so that what becomes of it is the permutation. */
static void read_permutation(const pdr_stream *t, int32_t task, size_t from[PIXELS])
{
    float x[PIXELS];
    int32_t label;
    pdr_stream_read(t, PDR_TRAIN, task, 0, x, &label, NULL);
    for (size_t k = 0; k < PIXELS; k++) from[k] = (size_t)lroundf(x[k] * 255);
}

/* ---- splitting classes ---- */

static void the_default_is_ordinary_supervised_learning(void **state)
{
    (void)state;
    pdr_scenario s;
    float mask[CLASSES], x[PIXELS], want[PIXELS];
    int32_t label;
    pdr_option_defaults(pdr_scenario_option_table, &s);
    pdr_stream *t = stream(&s, 1);
    assert_true(pdr_stream_tasks(t) == 1 && pdr_stream_outputs(t) == CLASSES);
    assert_true(!pdr_stream_is_masked(t) && !pdr_stream_is_regression(t));
    assert_int_equal(pdr_stream_size(t, PDR_TRAIN, 0), N_TRAIN);
    assert_int_equal(pdr_stream_size(t, PDR_VALIDATION, 0), 0);
    assert_int_equal(pdr_stream_size(t, PDR_TEST, 0), N_TEST);
    pdr_stream_mask(t, 0, mask);
    for (int c = 0; c < CLASSES; c++) assert_true(mask[c] == 1);
    pdr_stream_read(t, PDR_TEST, 0, 17, x, &label, NULL);
    pdr_dataset_read(&data.test, 17, want);
    assert_memory_equal(x, want, sizeof x);
    assert_int_equal(label, 7);
    pdr_stream_free(t);
}

static void classes_are_split_without_overlap_or_loss(void **state)
{
    (void)state;
    for (int type = PDR_TASK_IL; type <= PDR_CLASS_IL; type++) {
        pdr_scenario s = scenario(type, PDR_SPLIT_CLASSES, 5);
        pdr_stream *t = stream(&s, 11);
        int seen[N_TRAIN] = {0}, task_of[CLASSES], outputs = type == PDR_DOMAIN_IL ? 2 : CLASSES;
        memset(task_of, -1, sizeof task_of);
        assert_int_equal(pdr_stream_outputs(t), outputs);
        for (int32_t k = 0; k < 5; k++)
            for (size_t i = 0; i < pdr_stream_size(t, PDR_TRAIN, k); i++) {
                int32_t label;
                size_t n = number(t, PDR_TRAIN, k, i, &label), class = n % CLASSES;
                char text[32], want[32];
                seen[n]++;
                assert_true(task_of[class] == -1 || task_of[class] == k);
                task_of[class] = k;
                assert_true(label >= 0 && label < outputs);
                if (type != PDR_DOMAIN_IL) assert_int_equal(label, class);
                pdr_stream_output_name(t, k, label, text, sizeof text);
                snprintf(want, sizeof want, "%zu", class);
                assert_string_equal(text, want);
            }
        for (int i = 0; i < N_TRAIN; i++) assert_int_equal(seen[i], 1);
        pdr_stream_free(t);
    }
}

static void unshuffled_classes_go_two_by_two(void **state)
{
    (void)state;
    static char *names[CLASSES] = {"zero", "one", "two",   "three", "four",
                                   "five", "six", "seven", "eight", "nine"};
    pdr_scenario s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_CLASSES, 5);
    char text[64];
    int32_t label, first[2];
    s.shuffle_classes = false;
    data.train.class_name = names;
    pdr_stream *t = stream(&s, 1);
    for (int32_t k = 0; k < 5; k++)
        for (size_t i = 0; i < pdr_stream_size(t, PDR_TEST, k); i++) {
            size_t n = number(t, PDR_TEST, k, i, &label);
            assert_true((int32_t)(n % CLASSES) == 2 * k + label);
        }
    pdr_stream_task_name(t, 1, text, sizeof text);
    assert_string_equal(text, "task 2: two, three");
    pdr_stream_task_name(t, 1, text, 14);
    assert_string_equal(text, "task 2: two, ");
    pdr_stream_task_name(t, 1, text, 4);
    assert_string_equal(text, "tas");
    pdr_stream_output_name(t, 4, 1, text, sizeof text);
    assert_string_equal(text, "nine");
    pdr_stream_first_task(t, first);
    assert_true(first[0] == 0 && first[1] == 0);
    pdr_stream_free(t);
    data.train.class_name = NULL;
}

static void only_task_incremental_streams_mask(void **state)
{
    (void)state;
    for (int split = PDR_SPLIT_CLASSES; split <= PDR_SPLIT_PERMUTATION; split++)
        for (int type = PDR_TASK_IL; type <= PDR_CLASS_IL; type++) {
            pdr_scenario s = scenario(type, split, 5);
            pdr_stream *t = stream(&s, 3);
            float mask[5 * CLASSES];
            int32_t first[5 * CLASSES], n = pdr_stream_outputs(t), per = split ? CLASSES : 2;
            assert_int_equal(n, type == PDR_DOMAIN_IL ? per : 5 * per);
            assert_true(pdr_stream_is_masked(t) == (type == PDR_TASK_IL));
            pdr_stream_first_task(t, first);
            for (int32_t k = 0; k < 5; k++) {
                int32_t open = 0;
                pdr_stream_mask(t, k, mask);
                for (int32_t o = 0; o < n; o++) {
                    open += mask[o] == 1;
                    assert_true(mask[o] == 0 || mask[o] == 1);
                    if (type == PDR_TASK_IL) assert_true((mask[o] == 1) == (first[o] == k));
                }
                assert_int_equal(open, type == PDR_TASK_IL ? per : n);
                for (size_t i = 0; i < pdr_stream_size(t, PDR_TEST, k); i++) {
                    int32_t label;
                    float x[PIXELS];
                    pdr_stream_read(t, PDR_TEST, k, i, x, &label, NULL);
                    assert_true(mask[label] == 1);
                    assert_int_equal(first[label], type == PDR_DOMAIN_IL ? 0 : k);
                }
            }
            pdr_stream_free(t);
        }
}

static void the_seed_decides_the_order_of_classes(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 5);
    int32_t a[CLASSES], b[CLASSES], differ = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        pdr_stream *t = stream(&s, 0), *u = stream(&s, seed), *v = stream(&s, seed);
        int32_t again[CLASSES];
        pdr_stream_first_task(t, a);
        pdr_stream_first_task(u, b);
        pdr_stream_first_task(v, again);
        assert_memory_equal(b, again, sizeof b);
        differ += memcmp(a, b, sizeof a) != 0;
        pdr_stream_free(t);
        pdr_stream_free(u);
        pdr_stream_free(v);
    }
    assert_true(differ >= 6);
}

/* What a seed gives is part of every published result.  The values were worked out by
 * a second implementation. */
static void a_seed_means_the_same_everywhere(void **state)
{
    (void)state;
    static const int32_t order[CLASSES] = {0, 3, 1, 0, 4, 2, 3, 1, 2, 4};
    static const size_t permutation[PIXELS] = {6,  13, 5,  2,  12, 22, 10, 16, 7, 0,  24, 9, 1,
                                               14, 8,  15, 23, 18, 20, 17, 19, 4, 21, 3,  11};
    pdr_scenario classes = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 5),
                 permuted = scenario(PDR_CLASS_IL, PDR_SPLIT_PERMUTATION, 2),
                 rotated = scenario(PDR_CLASS_IL, PDR_SPLIT_ROTATION, 2);
    int32_t first[CLASSES];
    size_t from[PIXELS];
    char text[64];
    pdr_stream *a = stream(&classes, 1), *b = stream(&permuted, 1), *c = stream(&rotated, 1);
    pdr_stream_first_task(a, first);
    assert_memory_equal(first, order, sizeof order);
    read_permutation(b, 1, from);
    assert_memory_equal(from, permutation, sizeof permutation);
    pdr_stream_task_name(c, 1, text, sizeof text);
    assert_string_equal(text, "task 2: rotated by 8.4 degrees");
    pdr_stream_free(a);
    pdr_stream_free(b);
    pdr_stream_free(c);
}

/* ---- holding out, limits ---- */

static void held_out_examples_are_never_trained_on(void **state)
{
    (void)state;
    for (int split = PDR_SPLIT_CLASSES; split <= PDR_SPLIT_NONE; split++) {
        if (split == PDR_SPLIT_PERMUTATION) continue; /* moves the pixel that tells examples */
        pdr_scenario s = scenario(PDR_CLASS_IL, split, split == PDR_SPLIT_NONE ? 1 : 5);
        size_t all = split == PDR_SPLIT_CLASSES ? N_TRAIN / 5 : N_TRAIN;
        s.validation = 0.25;
        s.limit = 7;
        s.max_rotation = 0;
        pdr_stream *t = stream(&s, 5);
        for (int32_t k = 0; k < pdr_stream_tasks(t); k++) {
            uint8_t seen[N_TRAIN] = {0};
            int32_t label;
            assert_int_equal(pdr_stream_size(t, PDR_VALIDATION, k), all / 4);
            assert_int_equal(pdr_stream_size(t, PDR_TRAIN, k), 7);
            for (size_t i = 0; i < all / 4; i++) seen[number(t, PDR_VALIDATION, k, i, &label)]++;
            for (size_t i = 0; i < 7; i++) seen[number(t, PDR_TRAIN, k, i, &label)]++;
            for (size_t i = 0; i < N_TRAIN; i++) assert_true(seen[i] <= 1);
        }
        pdr_stream_free(t);
    }
}

static void transformed_tasks_hold_out_the_same_examples(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_ROTATION, 3);
    int32_t label;
    s.validation = 0.2;
    s.limit = 50;
    s.max_rotation = 0;
    pdr_stream *t = stream(&s, 5);
    bool differ = false;
    for (size_t i = 0; i < pdr_stream_size(t, PDR_VALIDATION, 0); i++)
        assert_int_equal(number(t, PDR_VALIDATION, 0, i, &label),
                         number(t, PDR_VALIDATION, 2, i, &label));
    for (size_t i = 0; i < 50; i++)
        differ |= number(t, PDR_TRAIN, 0, i, &label) != number(t, PDR_TRAIN, 2, i, &label);
    assert_true(differ); /* the limit draws anew for every task */
    pdr_stream_free(t);
}

/* ---- permutation ---- */

static void a_permutation_is_one_for_all_examples_of_a_task(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_PERMUTATION, 4);
    pdr_stream *t = stream(&s, 9);
    for (int32_t k = 0; k < 4; k++) {
        size_t from[PIXELS], seen[PIXELS] = {0}, moved = 0;
        read_permutation(t, k, from);
        for (size_t j = 0; j < PIXELS; j++) {
            seen[from[j]]++;
            moved += from[j] != j;
        }
        for (size_t j = 0; j < PIXELS; j++) assert_int_equal(seen[j], 1);
        assert_true(k ? moved > PIXELS / 2 : moved == 0); /* the first task is plain */
        for (size_t i = 0; i < N_TEST; i++) {
            float x[PIXELS], plain[PIXELS];
            int32_t label;
            pdr_stream_read(t, PDR_TEST, k, i, x, &label, NULL);
            pdr_dataset_read(&data.test, i, plain);
            for (size_t j = 0; j < PIXELS; j++) assert_true(x[j] == plain[from[j]]);
            assert_int_equal(label, i % CLASSES);
        }
    }
    pdr_stream_free(t);
}

static void a_tasks_permutation_is_its_own(void **state)
{
    (void)state;
    pdr_scenario few = scenario(PDR_CLASS_IL, PDR_SPLIT_PERMUTATION, 2), all = few;
    size_t a[PIXELS], b[PIXELS], c[PIXELS], d[PIXELS];
    all.tasks = 6;
    all.first_plain = false;
    pdr_stream *t = stream(&few, 9), *u = stream(&all, 9), *v = stream(&all, 10);
    read_permutation(t, 1, a);
    read_permutation(u, 1, b);
    read_permutation(v, 1, c);
    read_permutation(u, 0, d);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    assert_memory_not_equal(b, d, sizeof a);
    bool plain = true;
    for (size_t k = 0; k < PIXELS; k++) plain &= d[k] == k;
    assert_false(plain);
    char text[64];
    pdr_stream_task_name(t, 0, text, sizeof text);
    assert_string_equal(text, "task 1: as is");
    pdr_stream_task_name(t, 1, text, sizeof text);
    assert_string_equal(text, "task 2: permuted");
    pdr_stream_output_name(t, 1, 13, text, sizeof text);
    assert_string_equal(text, "3");
    pdr_stream_free(t);
    pdr_stream_free(u);
    pdr_stream_free(v);
}

/* ---- rotation ---- */

static void a_quarter_turn_is_counter_clockwise_and_exact(void **state)
{
    (void)state;
    const pdi_transform quarter = {.kind = PDI_ROTATED, .degrees = 90, .cos = 0, .sin = 1};
    const pdi_transform none = {.kind = PDI_ROTATED, .degrees = 0, .cos = 1, .sin = 0};
    float x[PIXELS], plain[PIXELS];
    for (size_t i = 0; i < N_TEST; i++) {
        pdr_dataset_read(&data.test, i, plain);
        pdi_transform_read(&none, &data.test, i, x);
        assert_memory_equal(x, plain, sizeof x);
        pdi_transform_read(&quarter, &data.test, i, x);
        for (int r = 0; r < SIDE; r++)
            for (int c = 0; c < SIDE; c++)
                assert_true(x[r * SIDE + c] == plain[c * SIDE + SIDE - 1 - r]);
    }
}

/* A pixel of a plane, 0 outside. */
static double pixel(const float *plane, int rows, int columns, int r, int c)
{
    return r < 0 || c < 0 || r >= rows || c >= columns ? 0 : (double)plane[r * columns + c];
}

/* The same by the book: with y upwards, the point that a turn by a brings to (x, y) was
 * (x cos a + y sin a, y cos a - x sin a). */
static double by_the_book(const float *plane, int rows, int columns, double degrees, int r, int c)
{
    double a = degrees * acos(-1) / 180, x = c - (columns - 1) / 2.0, y = (rows - 1) / 2.0 - r;
    double sc = x * cos(a) + y * sin(a) + (columns - 1) / 2.0;
    double sr = (rows - 1) / 2.0 - (y * cos(a) - x * sin(a));
    int r0 = (int)floor(sr), c0 = (int)floor(sc);
    double top = pixel(plane, rows, columns, r0, c0) * (c0 + 1 - sc) +
                 pixel(plane, rows, columns, r0, c0 + 1) * (sc - c0);
    double bottom = pixel(plane, rows, columns, r0 + 1, c0) * (c0 + 1 - sc) +
                    pixel(plane, rows, columns, r0 + 1, c0 + 1) * (sc - c0);
    return top * (r0 + 1 - sr) + bottom * (sr - r0);
}

enum { ROWS = 6, COLUMNS = 9, PLANE = ROWS * COLUMNS };

static void rotation_is_bilinear_about_the_centre(void **state)
{
    (void)state;
    float image[2 * PLANE], kept[2 * PLANE], fresh[2 * PLANE];
    pdr_rng rng = {.seed = 2, .stream = PDR_STREAM_TEST};
    pdr_dataset d = {
        .examples = 1, .shape = PDR_SHAPE(2, ROWS, COLUMNS), .storage = PDR_FLOATS, .x = image};
    for (int k = 0; k < 2 * PLANE; k++) image[k] = pdr_rng_normal(&rng);
    for (int32_t task = 0; task < 20; task++) {
        pdi_transform t, u;
        t_memory memory = {.left = -1};
        pdr_alloc alloc = {t_memory_fn, &memory};
        assert_int_equal(pdi_transform_rotate(&alloc, &d.shape, 0, 360, 4, task, true, &t, NULL),
                         0);
        assert_int_equal(pdi_transform_rotate(&alloc, &d.shape, 0, 360, 4, task, false, &u, NULL),
                         0);
        assert_true(t.tap && !u.tap && t.degrees == u.degrees);
        pdi_transform_read(&t, &d, 0, kept);
        pdi_transform_read(&u, &d, 0, fresh);
        assert_memory_equal(kept, fresh, sizeof kept);
        for (int k = 0; k < 2 * PLANE; k++) {
            double want = by_the_book(image + k / PLANE * PLANE, ROWS, COLUMNS, t.degrees,
                                      k % PLANE / COLUMNS, k % COLUMNS);
            assert_true(fabs((double)kept[k] - want) < 1e-5);
        }
        pdi_transform_close(&alloc, &t);
        assert_int_equal(memory.blocks, 0);
    }
}

/* -0 times a weight is -0; so is what is below 0 and too small for a product of its own. */
static void a_turned_pixel_is_never_minus_zero(void **state)
{
    (void)state;
    static const float below[] = {-0.0f, -0x1p-149f, -1};
    float image[3 * PLANE], kept[3 * PLANE], fresh[3 * PLANE];
    pdr_rng rng = {.seed = 3, .stream = PDR_STREAM_TEST};
    pdr_dataset d = {
        .examples = 1, .shape = PDR_SHAPE(3, ROWS, COLUMNS), .storage = PDR_FLOATS, .x = image};
    for (int k = 0; k < 3 * PLANE; k++)
        image[k] = below[pdr_rng_below(&rng, (uint32_t)(1 + k / PLANE))];
    for (int32_t task = 0; task < 20; task++) {
        pdi_transform t;
        assert_int_equal(
            pdi_transform_rotate(&pdi_malloc, &d.shape, 0, 360, 4, task, true, &t, NULL), 0);
        pdi_transform found = t;
        found.tap = NULL;
        pdi_transform_read(&t, &d, 0, kept);
        pdi_transform_read(&found, &d, 0, fresh);
        assert_memory_equal(kept, fresh, sizeof kept);
        for (int k = 0; k < 3 * PLANE; k++) assert_true(kept[k] != 0 || !signbit(kept[k]));
        pdi_transform_close(&pdi_malloc, &t);
    }
}

static void angles_are_uniform_below_their_bound(void **state)
{
    (void)state;
    pdr_shape shape = PDR_SHAPE(1, 2, 2);
    double sum = 0, least = 360, most = 0;
    for (int32_t task = 0; task < 1000; task++) {
        pdi_transform t;
        assert_int_equal(pdi_transform_rotate(NULL, &shape, 0, 90, 1, task, false, &t, NULL), 0);
        sum += t.degrees;
        least = fmin(least, t.degrees);
        most = fmax(most, t.degrees);
    }
    assert_true(least >= 0 && least < 1 && most > 89 && most < 90);
    assert_true(fabs(sum / 1000 - 45) < 3); /* 3.6 standard errors */
}

static double angle_of(const pdr_stream *t, int32_t task)
{
    char text[64], *end;
    pdr_stream_task_name(t, task, text, sizeof text);
    char *by = strstr(text, "rotated by ");
    assert_non_null(by);
    double angle = strtod(by + 11, &end);
    assert_string_equal(end, " degrees");
    return angle;
}

/* The protocol of GEM, MER and La-MAML: 20 tasks, a few examples of each, angles that rise. */
static void binned_angles_rise_each_in_its_own_bin(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_ROTATION, 20);
    double offset = 0, least = 9, most = 0;
    s.angles = PDR_ANGLES_BINS;
    s.first_plain = false;
    s.limit = 50;
    for (uint64_t seed = 0; seed < 50; seed++) {
        pdr_stream *t = stream(&s, seed);
        for (int32_t k = 0; k < 20; k++) {
            double in = angle_of(t, k) - 9 * k; /* to a tenth of a degree */
            assert_true(in >= 0 && in < 9.06);
            offset += in / 1000;
            least = fmin(least, in);
            most = fmax(most, in);
            assert_int_equal(pdr_stream_size(t, PDR_TRAIN, k), 50);
            assert_int_equal(pdr_stream_size(t, PDR_TEST, k), N_TEST);
        }
        pdr_stream_free(t);
    }
    assert_true(fabs(offset - 4.5) < 0.3 && least < 0.2 && most > 8.8);
    s.angles = PDR_ANGLES_UNIFORM;
    pdr_stream *t = stream(&s, 1);
    double fell = 0;
    for (int32_t k = 1; k < 20; k++) fell += angle_of(t, k) < angle_of(t, k - 1);
    assert_true(fell > 3);
    pdr_stream_free(t);
}

/* ---- boundaries ---- */

static void a_stream_tells_what_is_known_of_boundaries(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 5);
    pdr_stream *t = stream(&s, 1);
    assert_true(pdr_stream_has_boundaries(t) && pdr_stream_blur(t) == 0);
    pdr_stream_free(t);
    s.boundaries = PDR_BOUNDARIES_HIDDEN;
    s.blur = 0.25;
    t = stream(&s, 1);
    assert_true(!pdr_stream_has_boundaries(t) && pdr_stream_blur(t) == 0.25);
    pdr_stream_free(t);
}

static void a_class_a_task_is_a_class_incremental_stream(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 10);
    pdr_stream *t = stream(&s, 1);
    assert_true(pdr_stream_tasks(t) == 10 && pdr_stream_outputs(t) == 10);
    pdr_stream_free(t);
}

/* ---- real targets ---- */

static void real_targets_pass_unchanged(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4, 5, 6}, y[] = {10, 20, 30, 40, 50, 60}, got[2], target[2];
    pdr_dataset d = {.examples = 3,
                     .shape = PDR_SHAPE(2),
                     .storage = PDR_FLOATS,
                     .x = x,
                     .targets = 2,
                     .target = y};
    pdr_data real = {.train = d, .test = d};
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_NONE, 1);
    pdr_stream *t;
    pdr_error err = PDR_NO_ERROR;
    char text[32];
    float mask[2];
    int32_t first[2];
    assert_int_equal(pdr_stream_new(NULL, &real, &s, 1, &t, &err), PDR_OK);
    assert_true(pdr_stream_is_regression(t) && pdr_stream_outputs(t) == 2);
    pdr_stream_read(t, PDR_TRAIN, 0, 2, got, NULL, target);
    assert_true(got[0] == 5 && got[1] == 6 && target[0] == 50 && target[1] == 60);
    pdr_stream_mask(t, 0, mask);
    pdr_stream_first_task(t, first);
    assert_true(mask[0] == 1 && mask[1] == 1 && first[1] == 0);
    pdr_stream_output_name(t, 0, 1, text, sizeof text);
    assert_string_equal(text, "target 2");
    pdr_stream_task_name(t, 0, text, sizeof text);
    assert_string_equal(text, "task 1");
    pdr_stream_free(t);
    s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_PERMUTATION, 3);
    assert_int_equal(pdr_stream_new(NULL, &real, &s, 1, &t, &err), PDR_OK);
    assert_int_equal(pdr_stream_outputs(t), 2);
    pdr_stream_free(t);
}

/* ---- what cannot be ---- */

static void assert_refused(const pdr_data *from, const pdr_scenario *s, const char *says)
{
    pdr_stream *t;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdr_stream_new(NULL, from, s, 1, &t, &err), PDR_INPUT);
    assert_string_equal(err.text, says);
    assert_null(t);
}

static void impossible_scenarios_say_why(void **state)
{
    (void)state;
    static const struct {
        int split, type;
        int64_t tasks, limit;
        double validation, rotation;
        const char *says;
    } rows[] = {
        {PDR_SPLIT_CLASSES, PDR_CLASS_IL, 3, 0, 0, 1,
         "scenario.tasks: 10 classes do not split into 3 equal tasks; choose 1, 2, 5 or 10"},
        {PDR_SPLIT_CLASSES, PDR_CLASS_IL, 0, 0, 0, 1,
         "scenario.tasks: 0 is out of range; give at least 1, and at most 1000000 over all "
         "classes"},
        {PDR_SPLIT_PERMUTATION, PDR_CLASS_IL, 200000, 0, 0, 1,
         "scenario.tasks: 200000 is out of range; give at least 1, and at most 1000000 over all "
         "classes"},
        {PDR_SPLIT_NONE, PDR_CLASS_IL, 5, 0, 0, 1,
         "scenario.split: none makes one task, not 5; choose classes, permutation or rotation, or "
         "set scenario.tasks to 1"},
        {PDR_SPLIT_CLASSES, PDR_CLASS_IL, 5, 0, 0.99, 1,
         "scenario.validation: task 1 has 24 training examples; holding out 24 of them leaves "
         "none"},
        {PDR_SPLIT_CLASSES, PDR_CLASS_IL, 5, 0, 1.5, 1,
         "scenario.validation: 1.5 is out of range; give 0 to 0.9"},
        {PDR_SPLIT_CLASSES, PDR_CLASS_IL, 5, -1, 0, 1,
         "scenario: limit is at least 0 and max_rotation 0 to 360 degrees"},
        {PDR_SPLIT_ROTATION, PDR_CLASS_IL, 5, 0, 0, 361,
         "scenario: limit is at least 0 and max_rotation 0 to 360 degrees"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_scenario s = scenario(rows[k].type, rows[k].split, rows[k].tasks);
        s.validation = rows[k].validation;
        s.limit = rows[k].limit;
        s.max_rotation = rows[k].rotation;
        assert_refused(&data, &s, rows[k].says);
    }
}

static void boundaries_that_cannot_be_say_why(void **state)
{
    (void)state;
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 5);
    s.blur = 0.1;
    assert_refused(&data, &s,
                   "scenario.blur: tasks that mix have no boundary to be seen; set "
                   "scenario.boundaries to hidden, or blur to 0");
    s.boundaries = PDR_BOUNDARIES_HIDDEN;
    s.blur = NAN;
    assert_refused(&data, &s, "scenario.blur: nan is out of range; give 0 to 1");
    s.blur = 0;
    s.type = PDR_TASK_IL;
    assert_refused(&data, &s,
                   "scenario.boundaries: task-incremental tells the task of every example, so "
                   "boundaries cannot be hidden; choose another scenario.type");
}

static void a_task_with_nothing_to_tell_apart_is_refused(void **state)
{
    (void)state;
    for (int type = PDR_TASK_IL; type <= PDR_DOMAIN_IL; type++) {
        pdr_scenario s = scenario(type, PDR_SPLIT_CLASSES, 10);
        assert_refused(&data, &s,
                       "scenario.tasks: 10 tasks of one class each have nothing to tell apart; "
                       "choose fewer, or type class-incremental");
    }
    float x[4] = {0};
    int32_t label[2] = {0};
    pdr_dataset d = {.examples = 2,
                     .shape = PDR_SHAPE(2),
                     .storage = PDR_FLOATS,
                     .x = x,
                     .classes = 1,
                     .label = label};
    pdr_data set = {.train = d, .test = d};
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_NONE, 1);
    assert_refused(&set, &s,
                   "data: the set has one class alone, which there is nothing to tell from");
}

static void impossible_sets_say_why(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4}, y[] = {1, 2, 3, 4};
    pdr_dataset real = {.examples = 4,
                        .shape = PDR_SHAPE(1),
                        .storage = PDR_FLOATS,
                        .x = x,
                        .targets = 1,
                        .target = y};
    pdr_data set = {.train = real, .test = real};
    pdr_scenario classes = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 2), s = classes;
    assert_refused(&set, &s,
                   "scenario.split: classes cannot be split where real targets are "
                   "learned; choose none, permutation or rotation");
    s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_PERMUTATION, 2);
    assert_refused(&set, &s, "scenario.split: one feature alone cannot be permuted; choose none");
    s = scenario(PDR_DOMAIN_IL, PDR_SPLIT_ROTATION, 2);
    assert_refused(&set, &s,
                   "scenario.split: examples of shape [1] are not images and cannot be "
                   "rotated; choose classes, permutation or none");
    set.train.shape = set.test.shape = PDR_SHAPE(4);
    set.train.examples = set.test.examples = 1;
    s = scenario(PDR_TASK_IL, PDR_SPLIT_PERMUTATION, 2);
    assert_refused(&set, &s,
                   "scenario.type: real targets over several tasks are "
                   "domain-incremental, not task-incremental");
    set.test.examples = 0;
    assert_refused(&set, &s,
                   "data: there is no test example; give data.test or data.test_fraction");
    set.train.examples = 0;
    assert_refused(&set, &s, "data: there is no training example");
}

static void missing_classes_say_which(void **state)
{
    (void)state;
    float x[4] = {0};
    int32_t train[] = {0, 1, 2, 3}, test[] = {0, 1, 0, 1};
    static char *names[] = {"a", "b", "c", "d"};
    pdr_dataset d = {.examples = 4,
                     .shape = PDR_SHAPE(1),
                     .storage = PDR_FLOATS,
                     .x = x,
                     .classes = 4,
                     .label = train,
                     .class_name = names};
    pdr_data set = {.train = d, .test = d};
    pdr_scenario s = scenario(PDR_CLASS_IL, PDR_SPLIT_CLASSES, 2);
    s.shuffle_classes = false;
    set.test.label = test;
    assert_refused(&set, &s, "scenario: task 2 has no test example");
    train[2] = 3;
    assert_refused(&set, &s, "scenario: class c has no training example");
    train[3] = train[2] = 0;
    assert_refused(&set, &s, "scenario: task 2 has no training example");
    train[1] = 4;
    assert_refused(&set, &s, "data: training example 2 has label 4, but there are 4 classes");
    train[1] = 1;
    set.test.classes = 5;
    assert_refused(&set, &s,
                   "data: the training and the test part differ in shape, storage, "
                   "classes or targets");
}

/* ---- memory ---- */

static pdr_rc torture_streams(const pdr_alloc *alloc, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (int split = PDR_SPLIT_CLASSES; !rc && split <= PDR_SPLIT_NONE; split++) {
        pdr_scenario s = scenario(PDR_CLASS_IL, split, split == PDR_SPLIT_NONE ? 1 : 2);
        pdr_stream *t;
        s.validation = 0.1;
        rc = pdr_stream_new(alloc, &data, &s, 1, &t, err);
        pdr_stream_free(t);
    }
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    assert_true(t_torture(torture_streams) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_ordinary_supervised_learning),
        cmocka_unit_test(classes_are_split_without_overlap_or_loss),
        cmocka_unit_test(unshuffled_classes_go_two_by_two),
        cmocka_unit_test(only_task_incremental_streams_mask),
        cmocka_unit_test(the_seed_decides_the_order_of_classes),
        cmocka_unit_test(a_seed_means_the_same_everywhere),
        cmocka_unit_test(held_out_examples_are_never_trained_on),
        cmocka_unit_test(transformed_tasks_hold_out_the_same_examples),
        cmocka_unit_test(a_permutation_is_one_for_all_examples_of_a_task),
        cmocka_unit_test(a_tasks_permutation_is_its_own),
        cmocka_unit_test(a_quarter_turn_is_counter_clockwise_and_exact),
        cmocka_unit_test(rotation_is_bilinear_about_the_centre),
        cmocka_unit_test(a_turned_pixel_is_never_minus_zero),
        cmocka_unit_test(angles_are_uniform_below_their_bound),
        cmocka_unit_test(binned_angles_rise_each_in_its_own_bin),
        cmocka_unit_test(a_stream_tells_what_is_known_of_boundaries),
        cmocka_unit_test(a_class_a_task_is_a_class_incremental_stream),
        cmocka_unit_test(real_targets_pass_unchanged),
        cmocka_unit_test(impossible_scenarios_say_why),
        cmocka_unit_test(boundaries_that_cannot_be_say_why),
        cmocka_unit_test(a_task_with_nothing_to_tell_apart_is_refused),
        cmocka_unit_test(impossible_sets_say_why),
        cmocka_unit_test(missing_classes_say_which),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
