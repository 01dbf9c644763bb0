/* test_episode.c -- few-shot tasks: what is in them, what they depend on, what cannot be. */
#include <math.h>
#include <perdure/episode.h>
#include <perdure/rng.h>

#include "t_data.h"

/* ---- a set whose images say what they are ---- */

/* Example k of class c has pixel 0 = c, pixel 1 = k and three corners that tell how it is
 * turned.  The first KEPT examples of a class are in the training part, the others in
 * the test part. */
enum { CLASSES = 30, EXAMPLES = 12, KEPT = 8, SIDE = 4, PIXELS = SIDE * SIDE };

static pdr_data data;

static pdr_dataset make_part(int from, int to)
{
    size_t n = (size_t)(to - from) * CLASSES;
    pdr_dataset d = {.examples = n,
                     .shape = PDR_SHAPE(1, SIDE, SIDE),
                     .storage = PDR_BYTES,
                     .x = calloc(n, PIXELS),
                     .classes = CLASSES,
                     .label = malloc(n * sizeof(int32_t))};
    uint8_t *x = d.x;
    for (size_t i = 0; i < n; i++, x += PIXELS) {
        d.label[i] = (int32_t)(i % CLASSES);
        x[0] = (uint8_t)(i % CLASSES);
        x[1] = (uint8_t)(from + (int)(i / CLASSES));
        x[SIDE - 1] = 253;
        x[PIXELS - SIDE] = 252;
        x[PIXELS - 1] = 251;
    }
    return d;
}

static int make_data(void **state)
{
    (void)state;
    data = (pdr_data){.train = make_part(0, KEPT), .test = make_part(KEPT, EXAMPLES)};
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

typedef struct image {
    int class, example, turn;
} image;

/* What an image says.  A counter-clockwise quarter brings to row r, column c what was at row
 * c, column SIDE - 1 - r; so the corner 252, bottom left, tells the turn. */
static image decode(const float *x)
{
    static const int corner[4] = {PIXELS - SIDE, PIXELS - 1, SIDE - 1, 0};
    int turn = 0, at[PIXELS];
    while (lroundf(x[corner[turn]] * 255) != 252) assert_true(++turn < 4);
    for (int k = 0; k < PIXELS; k++) at[k] = k;
    for (int t = 0; t < turn; t++) {
        int next[PIXELS];
        for (int r = 0; r < SIDE; r++)
            for (int c = 0; c < SIDE; c++) next[r * SIDE + c] = at[c * SIDE + SIDE - 1 - r];
        memcpy(at, next, sizeof at);
    }
    int plain[PIXELS];
    for (int k = 0; k < PIXELS; k++) plain[at[k]] = (int)lroundf(x[k] * 255);
    assert_true(plain[SIDE - 1] == 253 && plain[PIXELS - 1] == 251);
    for (int k = 2; k < SIDE - 1; k++) assert_int_equal(plain[k], 0);
    return (image){plain[0], plain[1], turn};
}

/* ---- drawing ---- */

enum { ROWS = 200 };

typedef struct drawn {
    float x[2][ROWS * PIXELS], target[2][ROWS];
    int32_t label[2][ROWS];
} drawn;

static pdr_episode_options options(void)
{
    pdr_episode_options o;
    pdr_option_defaults(pdr_episode_option_table, &o);
    return o;
}

static pdr_episode_options ranges(double amplitude, double phase)
{
    pdr_episode_options o = options();
    o.family = PDR_EPISODE_SINUSOID;
    o.amplitude_lo = o.amplitude_hi = amplitude;
    o.phase_lo = o.phase_hi = phase;
    return o;
}

static pdr_episodes *open_with(const pdr_data *from, const pdr_episode_options *o, uint64_t seed)
{
    pdr_episodes *e;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = pdr_episodes_new(NULL, o->family == PDR_EPISODE_CLASSES ? from : NULL, o, seed, &e,
                                 &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, PDR_OK);
    return e;
}

static pdr_episodes *episodes(const pdr_episode_options *o, uint64_t seed)
{
    return open_with(&data, o, seed);
}

static void draw(const pdr_episodes *e, pdr_part part, uint64_t i, drawn *d)
{
    memset(d, 0, sizeof *d);
    const pdr_episode_room room = {d->x[0],     d->x[1],      d->label[0],
                                   d->label[1], d->target[0], d->target[1]};
    assert_true(pdr_episodes_support(e, part) <= ROWS && pdr_episodes_query(e, part) <= ROWS);
    pdr_episodes_draw(e, part, i, &room);
}

/* A figure that is below limit for all but 3 in 10^7 uniform samples of that many cells. */
static void assert_uniform(const int count[], int cells, int total)
{
    double want = (double)total / cells, chi2 = 0, free_cells = cells - 1;
    for (int k = 0; k < cells; k++) chi2 += (count[k] - want) * (count[k] - want) / want;
    assert_true(chi2 < free_cells + 5 * sqrt(2 * free_cells) + 10);
}

/* ---- what is in an episode ---- */

static void an_episode_has_distinct_classes_and_distinct_examples(void **state)
{
    (void)state;
    static drawn d;
    pdr_episode_options o = options();
    o.shot = 3;
    o.query = 9; /* all examples of a class */
    o.train_way = 12;
    o.train_shot = 2;
    o.train_query = 4;
    o.validation = 0.25;
    pdr_episodes *e = episodes(&o, 3);
    for (pdr_part part = PDR_TRAIN; part <= PDR_TEST; part++) {
        int way = part == PDR_TRAIN ? 12 : 5,
            n[2] = {part == PDR_TRAIN ? 2 : 3, part == PDR_TRAIN ? 4 : 9};
        assert_int_equal(pdr_episodes_way(e, part), way);
        assert_int_equal(pdr_episodes_support(e, part), way * n[0]);
        assert_int_equal(pdr_episodes_query(e, part), way * n[1]);
        for (uint64_t i = 0; i < 50; i++) {
            int class_of[12], seen[CLASSES] = {0};
            bool used[CLASSES][EXAMPLES] = {{false}};
            draw(e, part, i, &d);
            for (int set = 0; set < 2; set++)
                for (int row = 0; row < way * n[set]; row++) {
                    image m = decode(d.x[set] + row * PIXELS);
                    int label = d.label[set][row];
                    assert_int_equal(label, row / n[set]);
                    if (set == 0 && row % n[0] == 0) {
                        class_of[label] = m.class;
                        assert_int_equal(seen[m.class]++, 0);
                    }
                    assert_int_equal(m.class, class_of[label]);
                    assert_int_equal(m.turn, 0);
                    assert_false(used[m.class][m.example]);
                    used[m.class][m.example] = true;
                }
        }
    }
    assert_false(pdr_episodes_is_regression(e));
    pdr_shape shape = pdr_episodes_shape(e);
    assert_true(pdr_shape_equal(&shape, &data.train.shape));
    pdr_episodes_free(e);
}

static void classes_labels_and_examples_are_uniform(void **state)
{
    (void)state;
    static drawn d;
    enum { N = 20000, WAY = 3 };
    int of_label[WAY][CLASSES] = {{0}}, example[2][EXAMPLES] = {{0}}, slot[CLASSES], n = 0;
    pdr_episode_options o = options();
    o.way = WAY;
    o.query = 1;
    o.test_fraction = 0.5;
    pdr_episodes *e = episodes(&o, 9);
    memset(slot, -1, sizeof slot);
    for (uint64_t i = 0; i < N; i++) {
        draw(e, PDR_TEST, i, &d);
        for (int c = 0; c < WAY; c++) {
            image s = decode(d.x[0] + c * PIXELS), q = decode(d.x[1] + c * PIXELS);
            if (slot[s.class] < 0) slot[s.class] = n++;
            of_label[c][slot[s.class]]++;
            example[0][s.example]++;
            example[1][q.example]++;
        }
    }
    assert_int_equal(n, CLASSES / 2);
    for (int c = 0; c < WAY; c++) assert_uniform(of_label[c], CLASSES / 2, N);
    assert_uniform(example[0], EXAMPLES, N * WAY);
    assert_uniform(example[1], EXAMPLES, N * WAY);
    pdr_episodes_free(e);
}

static void a_turned_class_is_a_class_of_its_own(void **state)
{
    (void)state;
    static drawn d;
    int turns[4] = {0}, beside = 0;
    pdr_episode_options o = options();
    o.way = 3;
    o.train_way = 20;
    o.shot = 2;
    o.rotations = true;
    pdr_episodes *plain, *e = episodes(&o, 4);
    o.rotations = false;
    plain = episodes(&o, 4);
    assert_int_equal(pdr_episodes_classes(e, PDR_TRAIN),
                     4 * pdr_episodes_classes(plain, PDR_TRAIN));
    assert_int_equal(pdr_episodes_classes(e, PDR_TEST), pdr_episodes_classes(plain, PDR_TEST));
    for (uint64_t i = 0; i < 500; i++) {
        bool seen[CLASSES][4] = {{false}};
        draw(e, PDR_TRAIN, i, &d);
        for (int c = 0; c < 20; c++) {
            image first = decode(d.x[0] + c * 2 * PIXELS);
            for (int set = 0; set < 2; set++)
                for (int k = 0; k < (set ? 5 : 2); k++) {
                    image m = decode(d.x[set] + (c * (set ? 5 : 2) + k) * PIXELS);
                    assert_true(m.class == first.class && m.turn == first.turn);
                }
            assert_false(seen[first.class][first.turn]);
            for (int t = 0; t < 4; t++) beside += seen[first.class][t];
            seen[first.class][first.turn] = true;
            turns[first.turn]++;
        }
        draw(e, PDR_TEST, i, &d);
        for (int row = 0; row < 6; row++) assert_int_equal(decode(d.x[0] + row * PIXELS).turn, 0);
    }
    assert_uniform(turns, 4, 500 * 20);
    assert_true(beside > 500); /* a character stands beside itself turned */
    pdr_episodes_free(e);
    pdr_episodes_free(plain);
}

static void tests_are_turned_when_they_are_asked_to_be(void **state)
{
    (void)state;
    static drawn d;
    int turns[4] = {0};
    pdr_episode_options o = options();
    o.test_rotations = true;
    o.validation = 0.25;
    pdr_episodes *e = episodes(&o, 4);
    assert_int_equal(pdr_episodes_classes(e, PDR_TRAIN), 16);
    assert_int_equal(pdr_episodes_classes(e, PDR_VALIDATION), 4 * 6);
    assert_int_equal(pdr_episodes_classes(e, PDR_TEST), 4 * 8);
    for (uint64_t i = 0; i < 400; i++) {
        draw(e, PDR_TRAIN, i, &d);
        assert_int_equal(decode(d.x[0]).turn, 0);
        draw(e, i % 2 ? PDR_TEST : PDR_VALIDATION, i, &d);
        turns[decode(d.x[0]).turn]++;
    }
    assert_uniform(turns, 4, 400);
    pdr_episodes_free(e);
}

static void inverting_is_exact_and_turning_moves_pixels_alone(void **state)
{
    (void)state;
    static drawn a, b;
    for (int kind = 0; kind < 2; kind++) {
        pdr_episode_options o = options();
        o.rotations = kind;
        pdr_episodes *plain = episodes(&o, 5), *inverted;
        o.invert = true;
        inverted = episodes(&o, 5);
        for (uint64_t i = 0; i < 20; i++) {
            draw(plain, PDR_TRAIN, i, &a);
            draw(inverted, PDR_TRAIN, i, &b);
            for (int set = 0; set < 2; set++)
                for (int k = 0; k < 5 * (set ? 5 : 1) * PIXELS; k++) {
                    int p = (int)lroundf(a.x[set][k] * 255);
                    assert_true(a.x[set][k] == (float)p * 0x1.010102p-8f);
                    assert_true(b.x[set][k] == (float)(255 - p) * 0x1.010102p-8f);
                }
        }
        pdr_episodes_free(plain);
        pdr_episodes_free(inverted);
    }
}

/* ---- what it depends on ---- */

static void an_episode_is_a_function_of_seed_part_and_number(void **state)
{
    (void)state;
    static drawn a, b;
    for (int family = PDR_EPISODE_CLASSES; family <= PDR_EPISODE_SINUSOID; family++) {
        pdr_episode_options o = options();
        o.family = family;
        o.rotations = true;
        o.noise = 0.1;
        o.validation = 0.25;
        pdr_episodes *e = episodes(&o, 5), *again = episodes(&o, 5), *other = episodes(&o, 6);
        int differ = 0;
        for (uint64_t i = 0; i < 40; i++) { /* forwards here, backwards there */
            uint64_t number = i < 20 ? i : ((uint64_t)1 << 40) - i;
            draw(e, PDR_TRAIN, number, &a);
            for (uint64_t k = 40; k-- > i;)
                draw(again, PDR_TRAIN, k < 20 ? k : (1ull << 40) - k, &b);
            assert_memory_equal(&a, &b, sizeof a);
            draw(other, PDR_TRAIN, number, &b);
            differ += memcmp(&a, &b, sizeof a) != 0;
            draw(e, PDR_TRAIN, number + 1, &b);
            differ += memcmp(&a, &b, sizeof a) != 0;
            draw(e, PDR_VALIDATION, number, &b);
            differ += memcmp(a.x, b.x, sizeof a.x) != 0;
            draw(e, PDR_TEST, number, &a);
            differ += memcmp(a.x, b.x, sizeof a.x) != 0;
        }
        assert_int_equal(differ, 160);
        pdr_episodes_free(e);
        pdr_episodes_free(again);
        pdr_episodes_free(other);
    }
}

static void what_is_not_wanted_changes_nothing_else(void **state)
{
    (void)state;
    static drawn a;
    for (int family = PDR_EPISODE_CLASSES; family <= PDR_EPISODE_SINUSOID; family++) {
        pdr_episode_options o = options();
        o.family = family;
        pdr_episodes *e = episodes(&o, 5);
        float query_x[25 * PIXELS], query_y[25];
        int32_t label[25];
        const pdr_episode_room room = {
            .query_x = query_x, .query_label = label, .query_target = query_y};
        size_t n = (size_t)pdr_episodes_query(e, PDR_TRAIN);
        draw(e, PDR_TRAIN, 8, &a);
        pdr_episodes_draw(e, PDR_TRAIN, 8, &room);
        assert_memory_equal(query_x, a.x[1], n * sizeof(float) * (family ? 1 : PIXELS));
        if (family)
            assert_memory_equal(query_y, a.target[1], n * sizeof(float));
        else
            assert_memory_equal(label, a.label[1], n * sizeof(int32_t));
        pdr_episodes_draw(e, PDR_TRAIN, 8, &(pdr_episode_room){0});
        pdr_episodes_free(e);
    }
}

/* What a seed gives is part of every published result.  The values were worked out by a
 * second implementation. */
static void a_seed_means_the_same_everywhere(void **state)
{
    (void)state;
    static drawn d;
    static const image want[] = {{27, 8, 0}, {27, 1, 0}, {27, 9, 0},  {27, 4, 2}, {27, 9, 2},
                                 {27, 0, 2}, {18, 4, 1}, {18, 1, 1},  {18, 5, 1}, {11, 10, 1},
                                 {11, 7, 1}, {11, 5, 1}, {11, 11, 3}, {11, 0, 3}, {11, 4, 3}};
    pdr_episode_options o = options();
    o.query = 2;
    o.validation = 0.25;
    o.rotations = true;
    pdr_episodes *e = episodes(&o, 1);
    draw(e, PDR_TRAIN, 12345, &d);
    for (int row = 0; row < 15; row++) {
        const float *x = row % 3 ? d.x[1] + (row / 3 * 2 + row % 3 - 1) * PIXELS
                                 : d.x[0] + row / 3 * PIXELS;
        image m = decode(x);
        assert_int_equal(m.class, want[row].class);
        assert_int_equal(m.example, want[row].example);
        assert_int_equal(m.turn, want[row].turn);
    }
    pdr_episodes_free(e);
    o.family = PDR_EPISODE_SINUSOID;
    e = episodes(&o, 1);
    draw(e, PDR_TEST, 12345, &d);
    assert_true(fabs((double)d.x[0][0] - 3.186865448951721) < 1e-6);
    assert_true(fabs((double)d.target[0][0] - 0.29021922263071853) < 1e-6);
    assert_true(fabs((double)d.x[1][0] - 1.1485737562179565) < 1e-6);
    assert_true(fabs((double)d.target[1][0] + 4.19376873351359) < 1e-6);
    pdr_episodes_free(e);
}

static void a_finite_set_comes_round_whole_in_ever_new_order(void **state)
{
    (void)state;
    static drawn a, b;
    enum { FINITE = 50, PASSES = 6 };
    for (int family = PDR_EPISODE_CLASSES; family <= PDR_EPISODE_SINUSOID; family++) {
        pdr_episode_options o = options();
        static drawn all[FINITE];
        int order[PASSES][FINITE], same = 0;
        o.family = family;
        o.noise = 0.1;
        pdr_episodes *endless = episodes(&o, 2), *e;
        o.finite = FINITE;
        e = episodes(&o, 2);
        for (uint64_t i = 0; i < FINITE; i++) draw(endless, PDR_TRAIN, i, &all[i]);
        for (int pass = 0; pass < PASSES; pass++) {
            bool seen[FINITE] = {false};
            for (int i = 0; i < FINITE; i++) {
                int k = 0;
                draw(e, PDR_TRAIN, (uint64_t)(pass * FINITE + i), &a);
                while (k < FINITE && memcmp(&a, &all[k], sizeof a) != 0) k++;
                assert_true(k < FINITE && !seen[k]);
                seen[k] = true;
                order[pass][i] = k;
            }
            for (int before = 0; before < pass; before++)
                same += !memcmp(order[before], order[pass], sizeof order[pass]);
        }
        assert_int_equal(same, 0);
        for (uint64_t i = 0; i < 3 * FINITE; i++) {
            draw(endless, PDR_TEST, i, &a);
            draw(e, PDR_TEST, i, &b);
            assert_memory_equal(&a, &b, sizeof a);
        }
        pdr_episodes_free(e);
        pdr_episodes_free(endless);
    }
}

/* Every small number of episodes, and where each of three stands in a pass. */
static void the_order_of_a_finite_set_is_fair(void **state)
{
    (void)state;
    int place[3][3] = {{0}};
    for (int finite = 1; finite <= 40; finite++) {
        pdr_episode_options o = ranges(1, 0);
        o.finite = finite;
        o.amplitude_hi = 2;
        pdr_episodes *e = episodes(&o, 7);
        double number[40];
        for (int i = 0; i < finite; i++)
            number[i] = pdr_episodes_sinusoid(e, PDR_TRAIN, (uint64_t)i).amplitude;
        for (int i = 0; i < finite; i++)
            for (int k = 0; k < i; k++) assert_true(number[i] != number[k]);
        for (int pass = 1; finite == 3 && pass <= 3000; pass++)
            for (int i = 0; i < 3; i++) {
                double a = pdr_episodes_sinusoid(e, PDR_TRAIN, (uint64_t)(3 * pass + i)).amplitude;
                for (int k = 0; k < 3; k++) place[i][k] += a == number[k];
            }
        pdr_episodes_free(e);
    }
    for (int i = 0; i < 3; i++) assert_uniform(place[i], 3, 3000);
}

/* ---- the sinusoid ---- */

static void points_lie_on_the_curve(void **state)
{
    (void)state;
    static drawn d;
    pdr_episode_options o = options();
    o.family = PDR_EPISODE_SINUSOID;
    o.shot = 5;
    o.train_shot = 10;
    o.query = 100;
    o.frequency_lo = 0.5;
    o.frequency_hi = 2;
    pdr_episodes *e = episodes(&o, 8);
    assert_true(pdr_episodes_is_regression(e));
    assert_int_equal(pdr_episodes_shape(e).dim[0], 1);
    assert_int_equal(pdr_episodes_way(e, PDR_TRAIN), 1);
    assert_int_equal(pdr_episodes_support(e, PDR_TRAIN), 10);
    assert_int_equal(pdr_episodes_support(e, PDR_TEST), 5);
    assert_int_equal(pdr_episodes_query(e, PDR_TEST), 100);
    assert_int_equal(pdr_episodes_classes(e, PDR_TRAIN), 0);
    for (uint64_t i = 0; i < 100; i++) {
        pdr_sinusoid s = pdr_episodes_sinusoid(e, PDR_TRAIN, i);
        draw(e, PDR_TRAIN, i, &d);
        for (int set = 0; set < 2; set++)
            for (int k = 0; k < (set ? 100 : 10); k++) {
                double y = s.amplitude * sin(s.frequency * (double)d.x[set][k] - s.phase);
                assert_true(d.target[set][k] == (float)y);
            }
        for (int k = 0; k < 10; k++) assert_true(d.x[0][k] != d.x[1][k]);
    }
    pdr_episodes_free(e);
}

static void curves_and_points_fill_their_ranges_evenly(void **state)
{
    (void)state;
    static drawn d;
    enum { N = 20000, CELLS = 20 };
    int cell[4][CELLS] = {{0}};
    pdr_episode_options o = options();
    o.family = PDR_EPISODE_SINUSOID;
    o.frequency_lo = 0.5;
    o.frequency_hi = 2;
    pdr_episodes *e = episodes(&o, 8);
    for (uint64_t i = 0; i < N; i++) {
        pdr_sinusoid s = pdr_episodes_sinusoid(e, PDR_TEST, i);
        draw(e, PDR_TEST, i, &d);
        double share[4] = {(s.amplitude - 0.1) / 4.9, s.phase / acos(-1), (s.frequency - 0.5) / 1.5,
                           ((double)d.x[0][0] + 5) / 10};
        for (int k = 0; k < 4; k++) {
            assert_true(share[k] >= 0 && share[k] < 1);
            cell[k][(int)(share[k] * CELLS)]++;
        }
    }
    for (int k = 0; k < 4; k++) assert_uniform(cell[k], CELLS, N);
    pdr_episodes_free(e);
}

static void noise_is_a_share_of_the_amplitude_and_never_judges(void **state)
{
    (void)state;
    static drawn d;
    pdr_episode_options o = ranges(3, 0.5);
    o.shot = o.query = 50;
    o.noise = 0.01;
    pdr_episodes *e = episodes(&o, 8);
    for (pdr_part part = PDR_TRAIN; part <= PDR_TEST; part++)
        for (int set = 0; set < 2; set++) {
            double sum = 0, squares = 0, n = 0;
            for (uint64_t i = 0; i < 200; i++) {
                draw(e, part, i, &d);
                for (int k = 0; k < 50; k++, n++) {
                    double r = (double)d.target[set][k] - 3 * sin((double)d.x[set][k] - 0.5);
                    sum += r;
                    squares += r * r;
                }
            }
            if (part != PDR_TRAIN && set == 1) {
                assert_true(squares < 1e-9);
                continue;
            }
            assert_true(fabs(sum / n) < 0.03 * 4 / sqrt(n));
            assert_true(fabs(sqrt(squares / n) / 0.03 - 1) < 0.03); /* four standard errors */
        }
    pdr_episodes_free(e);
}

/* ---- which classes ---- */

/* What Omniglot's classes are: as many of each alphabet, in the set's order. */
static const struct {
    const char *name;
    int classes;
} alphabets[] = {
    {"Alphabet_of_the_Magi", 20},
    {"Anglo-Saxon_Futhorc", 29},
    {"Arcadian", 26},
    {"Armenian", 41},
    {"Asomtavruli_(Georgian)", 40},
    {"Balinese", 24},
    {"Bengali", 46},
    {"Blackfoot_(Canadian_Aboriginal_Syllabics)", 14},
    {"Braille", 26},
    {"Burmese_(Myanmar)", 34},
    {"Cyrillic", 33},
    {"Early_Aramaic", 22},
    {"Futurama", 26},
    {"Grantha", 43},
    {"Greek", 24},
    {"Gujarati", 48},
    {"Hebrew", 22},
    {"Inuktitut_(Canadian_Aboriginal_Syllabics)", 16},
    {"Japanese_(hiragana)", 52},
    {"Japanese_(katakana)", 47},
    {"Korean", 40},
    {"Latin", 26},
    {"Malay_(Jawi_-_Arabic)", 40},
    {"Mkhedruli_(Georgian)", 41},
    {"N_Ko", 33},
    {"Ojibwe_(Canadian_Aboriginal_Syllabics)", 14},
    {"Sanskrit", 42},
    {"Syriac_(Estrangelo)", 23},
    {"Tagalog", 17},
    {"Tifinagh", 55},
    {"Angelic", 20},
    {"Atemayar_Qelisayer", 26},
    {"Atlantean", 26},
    {"Aurek-Besh", 26},
    {"Avesta", 26},
    {"Ge_ez", 26},
    {"Glagolitic", 45},
    {"Gurmukhi", 45},
    {"Kannada", 41},
    {"Keble", 26},
    {"Malayalam", 47},
    {"Manipuri", 40},
    {"Mongolian", 30},
    {"Old_Church_Slavonic_(Cyrillic)", 45},
    {"Oriya", 46},
    {"Sylheti", 28},
    {"Syriac_(Serto)", 23},
    {"Tengwar", 25},
    {"Tibetan", 42},
    {"ULOG", 26},
};

enum { OMNIGLOT = 1623, BACKGROUND = 30 };

typedef struct omniglot {
    pdr_data data;
    int32_t label[2 * OMNIGLOT], part[OMNIGLOT];
    float x[2 * OMNIGLOT];
    char *group[OMNIGLOT];
} omniglot;

/* All classes, with two examples of one number, the class's, each. */
static void make_omniglot(omniglot *o)
{
    int32_t c = 0;
    *o = (omniglot){0};
    for (size_t a = 0; a < COUNT(alphabets); a++)
        for (int k = 0; k < alphabets[a].classes; k++, c++) {
            o->group[c] = (char *)(uintptr_t)alphabets[a].name;
            o->part[c] = a < BACKGROUND ? PDR_TRAIN : PDR_TEST;
            o->label[2 * c] = o->label[2 * c + 1] = c;
            o->x[2 * c] = o->x[2 * c + 1] = (float)c;
        }
    assert_int_equal(c, OMNIGLOT);
    o->data.train = (pdr_dataset){.examples = 2 * OMNIGLOT,
                                  .shape = PDR_SHAPE(1),
                                  .storage = PDR_FLOATS,
                                  .x = o->x,
                                  .classes = OMNIGLOT,
                                  .label = o->label,
                                  .class_group = o->group,
                                  .class_part = o->part};
}

/* part_of[c], from what is drawn: every class of a part at once. */
static void classes_by_part(omniglot *set, int split, double validation, uint64_t seed,
                            int part_of[OMNIGLOT], int n[3])
{
    pdr_episode_options o = options();
    o.way = 5;
    o.query = 1;
    o.split = split;
    o.validation = validation;
    pdr_episodes *e = open_with(&set->data, &o, seed);
    memset(part_of, -1, OMNIGLOT * sizeof *part_of);
    for (pdr_part part = PDR_TRAIN; part <= PDR_TEST; part++) {
        float x[5], q[5];
        int32_t label[5];
        n[part] = pdr_episodes_classes(e, part);
        for (uint64_t i = 0; n[part] && i < 4000; i++) {
            const pdr_episode_room room = {.support_x = x, .query_x = q, .support_label = label};
            pdr_episodes_draw(e, part, i, &room);
            for (int k = 0; k < 5; k++) {
                int c = (int)x[k];
                assert_true(q[k] == x[k] && (part_of[c] < 0 || part_of[c] == (int)part));
                part_of[c] = (int)part;
            }
        }
    }
    for (int c = 0; c < OMNIGLOT; c++) assert_true(part_of[c] >= 0);
    assert_int_equal(n[0] + n[1] + n[2], OMNIGLOT);
    pdr_episodes_free(e);
}

static void the_random_split_is_mamls(void **state)
{
    (void)state;
    static omniglot set;
    int a[OMNIGLOT], b[OMNIGLOT], c[OMNIGLOT], n[3];
    make_omniglot(&set);
    classes_by_part(&set, PDR_CLASSES_RANDOM, 0, 1, a, n);
    assert_true(n[0] == 1200 && n[1] == 0 && n[2] == 423);
    classes_by_part(&set, PDR_CLASSES_RANDOM, 0.0833, 1, b, n);
    assert_true(n[0] == 1100 && n[1] == 100 && n[2] == 423);
    classes_by_part(&set, PDR_CLASSES_RANDOM, 0, 2, c, n);
    int moved = 0;
    for (int k = 0; k < OMNIGLOT; k++) {
        assert_true((a[k] == PDR_TEST) == (b[k] == PDR_TEST)); /* tests stay tests */
        moved += a[k] != c[k];
    }
    assert_true(moved > 400);
}

static void the_makers_split_is_kept(void **state)
{
    (void)state;
    static omniglot set;
    int part[OMNIGLOT], n[3];
    make_omniglot(&set);
    classes_by_part(&set, PDR_CLASSES_BACKGROUND, 0, 1, part, n);
    assert_true(n[0] == 964 && n[1] == 0 && n[2] == 659);
    for (int c = 0; c < OMNIGLOT; c++) assert_int_equal(part[c], set.part[c]);
    classes_by_part(&set, PDR_CLASSES_BACKGROUND, 0.25, 1, part, n);
    assert_true(n[0] == 723 && n[1] == 241 && n[2] == 659);
    for (int c = 0; c < OMNIGLOT; c++)
        assert_true((part[c] == PDR_TEST) == (set.part[c] == PDR_TEST));
}

static void alphabets_are_not_cut(void **state)
{
    (void)state;
    static omniglot set;
    int part[2][OMNIGLOT], n[3], groups[3] = {0};
    make_omniglot(&set);
    for (uint64_t seed = 0; seed < 2; seed++) {
        classes_by_part(&set, PDR_CLASSES_ALPHABETS, 0.1, seed, part[seed], n);
        assert_true(n[2] >= 423 && n[2] < 423 + 55 && n[1] >= 114 && n[1] < 120 + 55);
        for (int c = 1; c < OMNIGLOT; c++) {
            bool same = set.group[c] == set.group[c - 1];
            if (same) assert_int_equal(part[seed][c], part[seed][c - 1]);
            groups[part[seed][c]] += !same;
        }
    }
    assert_true(groups[0] > 40 && groups[1] > 4 && groups[2] > 16);
    assert_memory_not_equal(part[0], part[1], sizeof part[0]);
}

static void the_vinyals_split_has_its_classes(void **state)
{
    (void)state;
    static omniglot set;
    int part[OMNIGLOT], n[3], gurmukhi = 0;
    make_omniglot(&set);
    classes_by_part(&set, PDR_CLASSES_VINYALS, 0.1, 1, part, n);
    assert_true(n[0] == 1028 && n[1] == 172 && n[2] == 423);
    for (int c = 0; c < OMNIGLOT; c++) {
        if (!strcmp(set.group[c], "Gurmukhi")) gurmukhi += part[c] == PDR_TEST;
        if (!strcmp(set.group[c], "Bengali")) assert_int_equal(part[c], PDR_VALIDATION);
        if (!strcmp(set.group[c], "Glagolitic")) assert_int_equal(part[c], PDR_TRAIN);
        if (!strcmp(set.group[c], "Kannada")) assert_int_equal(part[c], PDR_TEST);
    }
    assert_int_equal(gurmukhi, 4);
    classes_by_part(&set, PDR_CLASSES_VINYALS, 0, 1, part, n);
    assert_true(n[0] == 1200 && n[1] == 0 && n[2] == 423);
}

static void a_small_set_is_split_alike(void **state)
{
    (void)state;
    pdr_episode_options o = options();
    pdr_episodes *e = episodes(&o, 1);
    assert_true(pdr_episodes_classes(e, PDR_TRAIN) == 22 && pdr_episodes_classes(e, PDR_TEST) == 8);
    pdr_episodes_free(e);
    o.test_fraction = 0.5;
    o.validation = 1.0 / 3;
    e = episodes(&o, 1);
    assert_true(pdr_episodes_classes(e, PDR_TRAIN) == 10);
    assert_true(pdr_episodes_classes(e, PDR_VALIDATION) == 5);
    assert_true(pdr_episodes_classes(e, PDR_TEST) == 15);
    pdr_episodes_free(e);
}

/* ---- names ---- */

static void labels_and_episodes_have_names(void **state)
{
    (void)state;
    static drawn d;
    static char *names[CLASSES];
    char text[100], want[100], space[CLASSES][8];
    pdr_episode_options o = options();
    o.test_rotations = true;
    o.validation = 0.25;
    for (int c = 0; c < CLASSES; c++) {
        snprintf(space[c], sizeof space[c], "x/%d", c);
        names[c] = space[c];
    }
    data.train.class_name = names;
    pdr_episodes *e = episodes(&o, 1);
    for (uint64_t i = 0; i < 20; i++) {
        draw(e, PDR_TEST, i, &d);
        for (int c = 0; c < 5; c++) {
            image m = decode(d.x[0] + c * PIXELS);
            snprintf(want, sizeof want, m.turn ? "x/%d, turned by %d degrees" : "x/%d", m.class,
                     90 * m.turn);
            pdr_episodes_label_name(e, PDR_TEST, i, c, text, sizeof text);
            assert_string_equal(text, want);
        }
    }
    pdr_episodes_label_name(e, PDR_TEST, 0, 0, text, 3);
    assert_string_equal(text, "x/");
    pdr_episodes_describe(e, text, sizeof text);
    assert_string_equal(text, "5-way 1-shot, 16 classes to learn from, 24 held out, 32 to test on");
    pdr_sinusoid none = pdr_episodes_sinusoid(e, PDR_TEST, 0);
    assert_true(none.amplitude == 0 && none.frequency == 0);
    pdr_episodes_free(e);
    data.train.class_name = NULL;
    o = ranges(2, -0.5);
    e = episodes(&o, 1);
    pdr_episodes_label_name(e, PDR_TEST, 3, 0, text, sizeof text);
    assert_string_equal(text, "2.00 sin(1.00 x + 0.50)");
    pdr_episodes_describe(e, text, sizeof text);
    assert_string_equal(text, "sinusoid, 1 points to adapt to, 5 to judge by");
    pdr_episodes_free(e);
}

/* ---- what cannot be ---- */

static void assert_refused(const pdr_data *from, const pdr_episode_options *o, const char *says)
{
    pdr_episodes *e;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdr_episodes_new(NULL, from, o, 1, &e, &err), PDR_INPUT);
    assert_string_equal(err.text, says);
    assert_null(e);
}

static void impossible_episodes_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *says;
    } rows[] = {
        {"way", "0", "episodes.way: 0 is out of range; give 1 to 2048"},
        {"shot", "-1", "episodes.shot: -1 is out of range; give 1 to 2048"},
        {"test_fraction", "nan", "episodes.test_fraction: nan is out of range; give 0 to 1"},
        {"way", "9",
         "episodes.way: 9 classes an episode, but the test part has 8; give at most that, or "
         "divide the classes otherwise (split, test_fraction, validation)"},
        {"train_way", "23",
         "episodes.train_way: 23 classes an episode, but the training part has 22; give at most "
         "that, or divide the classes otherwise (split, test_fraction, validation)"},
        {"validation", "0.1",
         "episodes.way: 5 classes an episode, but the validation part has 2; give at most that, or "
         "divide the classes otherwise (split, test_fraction, validation)"},
        {"test_fraction", "1",
         "episodes.way: 5 classes an episode, but the training part has 0; give at most that, or "
         "divide the classes otherwise (split, test_fraction, validation)"},
        {"shot", "8",
         "episodes.shot: class 0 of the training part has 12 examples; 8 to adapt to and 5 to "
         "judge by are more; give fewer"},
        {"train_query", "12",
         "episodes.train_query: class 0 of the training part has 12 examples; 1 to adapt to and "
         "12 to judge by are more; give fewer"},
        {"split", "background",
         "episodes.split: background needs a set whose maker set classes apart for tests, as "
         "omniglot's did; choose random"},
        {"split", "alphabets",
         "episodes.split: alphabets needs a set whose classes are grouped, as omniglot's are; "
         "choose random"},
        {"split", "vinyals",
         "episodes.split: vinyals divides the 1623 classes of omniglot, and this set has 30 "
         "without groups; choose random"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_episode_options o = options();
        const pdr_option *row = pdr_option_find(pdr_episode_option_table, rows[k].key);
        if (pdr_option_set(row, &o, rows[k].value, NULL)) { /* as only a program can ask */
            if (row->type == PDR_COUNT)
                *(int64_t *)(void *)((char *)&o + row->at) = strtoll(rows[k].value, NULL, 10);
            else
                *(double *)(void *)((char *)&o + row->at) = NAN;
        }
        assert_refused(&data, &o, rows[k].says);
    }
    pdr_episode_options o = options();
    assert_refused(NULL, &o, "episodes.family: classes needs data; give a set");
    o.way = o.shot = 1024;
    assert_refused(&data, &o,
                   "episodes.way: 1024 classes of 1029 examples are too many for an episode; give "
                   "at most 1048576 in all");
}

static void empty_ranges_say_why(void **state)
{
    (void)state;
    pdr_episode_options o = ranges(1, 0), amplitude = o, x = o;
    amplitude.amplitude_lo = 2;
    assert_refused(NULL, &amplitude,
                   "episodes.amplitude_lo: nothing lies between 2 and 1; give a amplitude_hi that "
                   "is not below it");
    x.x_lo = 6;
    assert_refused(NULL, &x,
                   "episodes.x_lo: nothing lies between 6 and 5; give a x_hi that is not below it");
    pdr_episodes_free(episodes(&o, 1)); /* a single value is a range */
}

static void impossible_sets_say_why(void **state)
{
    (void)state;
    float x[8] = {0}, y[8] = {0};
    int32_t label[8] = {0, 0, 1, 1, 2, 2, 3, 9};
    pdr_dataset d = {.examples = 8, .shape = PDR_SHAPE(1), .storage = PDR_FLOATS, .x = x};
    pdr_data set = {.train = d};
    pdr_episode_options o = options();
    o.way = o.query = 1;
    set.train.targets = 1;
    set.train.target = y;
    assert_refused(&set, &o,
                   "episodes.family: the set has real targets and no classes; give a set with "
                   "classes, or take the family sinusoid");
    set.train = d;
    set.train.classes = 4;
    set.train.label = label;
    assert_refused(&set, &o, "data: training example 8 has label 9, but there are 4 classes");
    label[7] = 2;
    o.test_fraction = 0.5;
    pdr_error err = PDR_NO_ERROR;
    pdr_episodes *e;
    assert_int_equal(pdr_episodes_new(NULL, &set, &o, 1, &e, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "class 3 of the "));
    assert_non_null(strstr(err.text, " part has 1 examples; 1 to adapt to and 1 to judge by"));
    label[7] = 3;
    o.rotations = true;
    assert_refused(&set, &o,
                   "episodes.rotations: examples of shape [1] are not square images and cannot be "
                   "turned; leave out rotations and test_rotations");
    o.rotations = false;
    o.invert = true;
    assert_refused(&set, &o,
                   "episodes.invert: the examples are not images of bytes; leave it out, and "
                   "data.standardise with images");
    o.invert = false;
    pdr_episodes_free(open_with(&set, &o, 1));
}

/* ---- memory ---- */

static pdr_rc torture_episodes(const pdr_alloc *alloc, pdr_error *err)
{
    static omniglot set;
    pdr_rc rc = PDR_OK;
    make_omniglot(&set);
    for (int split = PDR_CLASSES_RANDOM; !rc && split <= PDR_CLASSES_VINYALS; split++) {
        pdr_episode_options o = options();
        pdr_episodes *e;
        o.split = split;
        o.query = 1;
        o.validation = 0.1;
        rc = pdr_episodes_new(alloc, &set.data, &o, 1, &e, err);
        pdr_episodes_free(e);
    }
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    assert_true(t_torture(torture_episodes) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_episode_has_distinct_classes_and_distinct_examples),
        cmocka_unit_test(classes_labels_and_examples_are_uniform),
        cmocka_unit_test(a_turned_class_is_a_class_of_its_own),
        cmocka_unit_test(tests_are_turned_when_they_are_asked_to_be),
        cmocka_unit_test(inverting_is_exact_and_turning_moves_pixels_alone),
        cmocka_unit_test(an_episode_is_a_function_of_seed_part_and_number),
        cmocka_unit_test(what_is_not_wanted_changes_nothing_else),
        cmocka_unit_test(a_seed_means_the_same_everywhere),
        cmocka_unit_test(a_finite_set_comes_round_whole_in_ever_new_order),
        cmocka_unit_test(the_order_of_a_finite_set_is_fair),
        cmocka_unit_test(points_lie_on_the_curve),
        cmocka_unit_test(curves_and_points_fill_their_ranges_evenly),
        cmocka_unit_test(noise_is_a_share_of_the_amplitude_and_never_judges),
        cmocka_unit_test(the_random_split_is_mamls),
        cmocka_unit_test(the_makers_split_is_kept),
        cmocka_unit_test(alphabets_are_not_cut),
        cmocka_unit_test(the_vinyals_split_has_its_classes),
        cmocka_unit_test(a_small_set_is_split_alike),
        cmocka_unit_test(labels_and_episodes_have_names),
        cmocka_unit_test(impossible_episodes_say_why),
        cmocka_unit_test(empty_ranges_say_why),
        cmocka_unit_test(impossible_sets_say_why),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
