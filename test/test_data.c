/* test_data.c -- IDX, splits, standardising, the registry and downloads. */
#include <math.h>
#include <sha2.h>
#include <sys/stat.h>

#include "data/dataset.h"
#include "data/fetch.h"
#include "data/idx.h"
#include "data/registry.h"
#include "t_data.h"

/* ---- IDX ---- */

/* Two images of 2x3 and two labels. */
static const uint8_t images[] = {0, 0, 8, 3,  0, 0, 0, 2, 0, 0, 0,   2,   0, 0,
                                 0, 3, 0, 51, 9, 8, 7, 6, 1, 2, 255, 254, 3, 4};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 4};

static pdr_rc idx_bytes(const pdr_alloc *alloc, const uint8_t *x, size_t nx, const uint8_t *y,
                        size_t ny, int32_t classes, pdr_dataset *out, pdr_error *err)
{
    pdi_reader rx = {0}, ry = {0};
    pdr_rc rc = pdi_reader_memory(&rx, alloc, "x", x, nx, err);
    if (!rc) rc = pdi_reader_memory(&ry, alloc, "y", y, ny, err);
    if (!rc) rc = pdi_idx_read(alloc, &rx, &ry, classes, out, err);
    pdi_reader_close(&rx);
    pdi_reader_close(&ry);
    return rc;
}

static void idx_reads_bytes_and_labels(void **state)
{
    (void)state;
    const char *x[] = {t_write("x", images, sizeof images),
                       t_write_gz("x.gz", images, sizeof images)};
    const char *y = t_write("y", labels, sizeof labels);
    for (size_t k = 0; k < COUNT(x); k++) {
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(pdr_dataset_idx(NULL, x[k], y, &d, &err), PDR_OK);
        pdr_shape shape = PDR_SHAPE(1, 2, 3);
        assert_true(pdr_shape_equal(&d.shape, &shape) && d.storage == PDR_BYTES);
        assert_memory_equal(d.x, images + 16, 12);
        assert_true(d.examples == 2 && d.classes == 5 && d.label[0] == 1 && d.label[1] == 4);
        assert_true(!d.target && !d.targets);
        pdr_dataset_close(&d);
    }
}

static void idx_ranks_become_shapes(void **state)
{
    (void)state;
    static const uint8_t rank2[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    static const uint8_t rank4[] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 3, 0,
                                    0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6};
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR;
    pdr_shape vector = PDR_SHAPE(3), colour = PDR_SHAPE(3, 1, 1);
    assert_int_equal(idx_bytes(NULL, rank2, sizeof rank2, labels, sizeof labels, 0, &d, &err), 0);
    assert_true(pdr_shape_equal(&d.shape, &vector));
    pdr_dataset_close(&d);
    assert_int_equal(idx_bytes(NULL, rank4, sizeof rank4, labels, sizeof labels, 0, &d, &err), 0);
    assert_true(pdr_shape_equal(&d.shape, &colour));
    pdr_dataset_close(&d);
}

static void idx_says_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        int file, at, value; /* change byte at of images (0) or labels (1) */
        const char *says;
    } rows[] = {
        {0, 0, 1, "x: byte 0: not an IDX file; one begins with the bytes 00 00 08"},
        {0, 2, 13, "x: byte 2: elements of type 0x0d; only unsigned bytes (0x08) are read"},
        {0, 3, 1, "x: byte 3: rank 1; images have rank 2, 3 or 4; is this the file of labels?"},
        {1, 3, 2, "y: byte 3: rank 2; labels have rank 1; is this the file of images?"},
        {0, 7, 3, "y: byte 4: 2 labels, but x has 3 images; give as many"},
        {1, 7, 1, "y: byte 4: 1 labels, but x has 2 images; give as many"},
        {0, 11, 0,
         "x: byte 8: axis 1 has size 0; sizes are at least 1 and their product at most 2^40"},
        {0, 12, 255,
         "x: byte 12: axis 2 has size 4278190083; sizes are at least 1 and their product at most "
         "2^40"},
        {0, 15, 4,
         "x: byte 28: the file ends here; its header promises 2 records in 32 bytes; get the whole "
         "file"},
        {0, 15, 2, "x: byte 24: more bytes after the last of 2 records"},
        {1, 9, 200, "y: byte 9: record 2 has label 200, but there are 5 classes (0 to 4)"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        uint8_t x[sizeof images], y[sizeof labels];
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        memcpy(x, images, sizeof x);
        memcpy(y, labels, sizeof y);
        (rows[k].file ? y : x)[rows[k].at] = (uint8_t)rows[k].value;
        assert_int_equal(idx_bytes(NULL, x, sizeof x, y, sizeof y, 5, &d, &err), PDR_INPUT);
        assert_string_equal(err.text, rows[k].says);
        assert_null(d.x);
    }
}

static void idx_cut_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t packed[128];
    FILE *f = fopen(t_write_gz("cut.gz", images, sizeof images), "rb");
    size_t n = fread(packed, 1, sizeof packed, f);
    fclose(f);
    for (size_t cut = 0; cut < sizeof images + n; cut++) {
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        bool gz = cut >= sizeof images;
        pdr_rc rc = idx_bytes(NULL, gz ? packed : images, gz ? cut - sizeof images : cut, labels,
                              sizeof labels, 0, &d, &err);
        assert_int_equal(rc, PDR_INPUT);
        t_one_line(&err);
    }
}

static void a_header_alone_takes_no_memory(void **state)
{
    (void)state;
    static const uint8_t huge[] = {0, 0, 8, 3, 0, 0, 0x40, 0, 0, 0, 0x20, 0, 0, 0, 0x20, 0, 1};
    static const uint8_t many[] = {0, 0, 8, 1, 0, 0, 0x40, 0, 1};
    t_memory memory = {.left = -1};
    pdr_alloc alloc = {t_memory_fn, &memory};
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(idx_bytes(&alloc, huge, sizeof huge, many, sizeof many, 0, &d, &err),
                     PDR_INPUT);
    assert_true(memory.peak < 1 << 18 && memory.blocks == 0);
}

/* ---- bytes, splits, standardising ---- */

static void a_byte_is_read_as_its_share_of_255(void **state)
{
    (void)state;
    uint8_t all[256];
    float x[256];
    for (int p = 0; p < 256; p++) all[p] = (uint8_t)p;
    pdr_dataset d = {.examples = 1, .shape = PDR_SHAPE(256), .storage = PDR_BYTES, .x = all};
    pdr_dataset_read(&d, 0, x);
    for (int p = 0; p < 256; p++) {
        assert_true(x[p] == (float)p * (1.0f / 255.0f));
        assert_true(fabs((double)x[p] - p / 255.0) < 1e-7);
    }
    assert_true(x[0] == 0 && x[255] == 1);
}

/* Open a table of n rows i, 10 i with label i % 2; values tell rows apart. */
static void open_rows(size_t n, uint64_t seed, double fraction, bool standardise, pdr_data *data)
{
    pdr_data_options o = t_columns("y", NULL);
    pdr_error err = PDR_NO_ERROR;
    FILE *f = fopen(t_path("rows.csv"), "w");
    fprintf(f, "x,ten,one,y\n");
    for (size_t i = 0; i < n; i++) fprintf(f, "%zu,%zu,0.1,%zu\n", i, 10 * i, i % 2);
    fclose(f);
    o.train = t_path("rows.csv");
    o.test_fraction = fraction;
    o.standardise = standardise;
    assert_int_equal(pdr_data_open(NULL, &o, seed, data, &err), PDR_OK);
}

static void the_split_depends_on_the_seed_alone(void **state)
{
    (void)state;
    pdr_data a, b, c;
    uint8_t seen[100] = {0};
    open_rows(100, 7, 0.25, false, &a);
    open_rows(100, 7, 0.25, false, &b);
    open_rows(100, 8, 0.25, false, &c);
    assert_true(a.train.examples == 75 && a.test.examples == 25);
    assert_memory_equal(a.test.x, b.test.x, 25 * 3 * sizeof(float));
    assert_memory_not_equal(a.test.x, c.test.x, 25 * 3 * sizeof(float));
    const pdr_dataset *part[] = {&a.train, &a.test};
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < part[p]->examples; i++) {
            const float *x = (const float *)part[p]->x + 3 * i;
            seen[(int)x[0]]++;
            assert_true(x[1] == 10 * x[0] && part[p]->label[i] == (int)x[0] % 2);
            assert_true(i == 0 || x[0] > x[-3]); /* in the file's order */
        }
    for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
    static const float first[] = {1, 13, 14, 16, 17, 19}; /* by a second implementation */
    for (size_t i = 0; i < COUNT(first); i++)
        assert_true(((const float *)a.test.x)[3 * i] == first[i]);
    assert_string_equal(a.test.feature_name[1], "ten");
    assert_string_equal(a.test.class_name[1], "1");
    assert_string_equal(a.name, "rows.csv");
    pdr_data_close(&a);
    pdr_data_close(&b);
    pdr_data_close(&c);
}

static void standardising_uses_the_training_part_alone(void **state)
{
    (void)state;
    pdr_data raw, data;
    open_rows(50, 3, 0.3, false, &raw);
    open_rows(50, 3, 0.3, true, &data);
    const float *x = raw.train.x;
    double n = (double)raw.train.examples, mean = 0, square = 0;
    for (size_t i = 0; i < raw.train.examples; i++) mean += (double)x[3 * i] / n;
    for (size_t i = 0; i < raw.train.examples; i++) square += pow((double)x[3 * i] - mean, 2) / n;
    const pdr_dataset *from[] = {&raw.train, &raw.test}, *to[] = {&data.train, &data.test};
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < from[p]->examples; i++) {
            const float *u = (const float *)from[p]->x + 3 * i,
                        *v = (const float *)to[p]->x + 3 * i;
            assert_true(fabs((double)v[0] - ((double)u[0] - mean) / sqrt(square)) < 1e-6);
            assert_true(fabs((double)(v[0] - v[1])) < 1e-6);
            assert_true(v[2] == 0); /* constant: variance 1 */
        }
    pdr_data_close(&raw);
    pdr_data_close(&data);
}

static void missing_cells_are_filled_from_the_training_part_alone(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    double sum = 0;
    int n = 0, filled = 0;
    FILE *f = fopen(t_path("holes.csv"), "w");
    fprintf(f, "id,x,y\n");
    for (int i = 0; i < 60; i++)
        if (i % 3)
            fprintf(f, "%d,%d,%d\n", i, i * i, i % 2);
        else
            fprintf(f, "%d,,%d\n", i, i % 2);
    fclose(f);
    o.train = t_path("holes.csv");
    o.missing = PDR_MISSING_MEAN;
    assert_int_equal(pdr_data_open(NULL, &o, 5, &data, &err), PDR_OK);
    const pdr_dataset *part[] = {&data.train, &data.test};
    for (size_t i = 0; i < data.train.examples; i++) {
        const float *x = (const float *)data.train.x + 2 * i;
        if ((int)x[0] % 3) sum += (double)x[1];
        n += (int)x[0] % 3 != 0;
    }
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < part[p]->examples; i++) {
            const float *x = (const float *)part[p]->x + 2 * i;
            double want = (int)x[0] % 3 ? (double)(x[0] * x[0]) : sum / n;
            assert_true(fabs((double)x[1] - want) < 1e-3);
            filled += p == 1 && (int)x[0] % 3 == 0;
        }
    assert_true(filled > 0); /* the test part had some */
    pdr_data_close(&data);
}

static void images_become_floats_when_standardised(void **state)
{
    (void)state;
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.train = t_write("ix", images, sizeof images);
    o.train_labels = t_write("iy", labels, sizeof labels);
    o.test = o.train;
    o.test_labels = o.train_labels;
    o.standardise = true;
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_OK);
    assert_true(data.train.storage == PDR_FLOATS && data.test.storage == PDR_FLOATS);
    t_floats(&data.train, 12, (float[]){-1, 1, -1, -1, 1, 1, 1, -1, 1, 1, -1, -1});
    pdr_data_close(&data);
}

static void a_value_beyond_floats_is_refused_after_standardising(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.train = t_write_text("small.csv", "x,y\n1e-30,0\n2e-30,1\n");
    o.test = t_write_text("big.csv", "x,y\n1e30,0\n");
    o.standardise = true;
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
    assert_string_equal(err.text, "data.standardise: example 1, feature 1 (x): not finite after "
                                  "standardising; it is too far from the training part");
    assert_null(data.train.x);
}

/* ---- opening ---- */

static void opening_says_what_does_not_go_together(void **state)
{
    (void)state;
    pdr_data_options none = t_columns(NULL, NULL), both = none, labels_csv = none, bare = none,
                     half = none, label = none, gone = none;
    const char *x = t_write("ox", images, sizeof images), *y = t_write("oy", labels, sizeof labels);
    both.name = "iris";
    both.train = x;
    labels_csv.train = t_write_text("o.csv", "x,y\n1,2\n");
    labels_csv.train_labels = y;
    bare.train = half.train = label.train = x;
    half.train_labels = label.train_labels = y;
    half.test = x;
    label.label = "y";
    gone.train = "nowhere.csv";
    const struct {
        const pdr_data_options *o;
        const char *says;
    } rows[] = {
        {&none, "data: give a registered set as data.name or a file as data.train"},
        {&both, "data: give data.name or data.train, not both"},
        {&labels_csv, ": not an IDX file of images, which data.train_labels would go with"},
        {&bare, " is IDX images; give their labels as data.train_labels"},
        {&half, "data.test and data.test_labels go together; data.test_labels is missing"},
        {&label, " is IDX images, which have no columns; leave out data.label"},
        {&gone,
         "nowhere.csv: cannot be opened: No such file or directory; name a file that can be read"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_data data;
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(pdr_data_open(NULL, rows[k].o, 1, &data, &err), PDR_INPUT);
        assert_non_null(strstr(err.text, rows[k].says));
        t_one_line(&err);
        assert_true(!data.train.x && !data.name);
    }
}

static void an_empty_option_is_not_given(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", "");
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.name = o.train_labels = o.test = o.test_labels = o.categorical = o.ignore = "";
    o.train = t_write_text("given.csv", "x,y\n1,2\n2,3\n");
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_OK);
    pdr_data_close(&data);
    assert_int_equal(pdr_dataset_csv(NULL, o.train, &o, NULL, &data.train, &err), PDR_OK);
    pdr_data_close(&data);
}

static void a_folder_is_not_a_file(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.train = t_folder;
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_IO);
    assert_non_null(strstr(err.text, "Is a directory"));
}

static void the_test_part_has_the_training_parts_shape_and_classes(void **state)
{
    (void)state;
    static const uint8_t wide[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0,
                                   0, 2, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6};
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.train = t_write("sx", images, sizeof images);
    o.train_labels = o.test_labels = t_write("sy", labels, sizeof labels);
    o.test = t_write("sw", wide, sizeof wide);
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "byte 8: images of [1,3,2], but those of "));
    uint8_t more[sizeof labels];
    pdr_error off = PDR_NO_ERROR;
    memcpy(more, labels, sizeof more);
    more[8] = 5;
    o.test = o.train;
    o.test_labels = t_write("sz", more, sizeof more);
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &off), PDR_INPUT);
    assert_non_null(
        strstr(off.text, "byte 8: record 1 has label 5, but there are 5 classes (0 to 4)"));
}

/* ---- the registry ---- */

static void the_registry_is_complete(void **state)
{
    (void)state;
    const pdr_registry_row *row;
    for (size_t i = 0; (row = pdr_registry_at(i)); i++) {
        const pdi_set *s = pdi_set_find(row->name, NULL);
        const pdi_set_file *f;
        size_t k = 0;
        assert_true(s && &s->row == row && *row->title && *row->licence && row->train);
        assert_int_equal(strncmp(row->home, "http", 4), 0);
        assert_null(strpbrk(row->name, "/."));
        for (; (f = pdi_set_file_at(s, k)); k++) {
            assert_int_equal(strspn(f->sha256, "0123456789abcdef"), 64);
            assert_int_equal(strlen(f->sha256), 64);
            assert_true(f->size > 0 && !strncmp(f->url, "https://", 8) && !strchr(f->name, '/'));
        }
        assert_int_equal(k, s->loader == PDI_LOAD_IDX ? 4 : s->loader == PDI_LOAD_CSV ? 1 : 2);
    }
}

static void a_name_is_no_path(void **state)
{
    (void)state;
    static const char *const names[] = {"../iris", "iris/../iris", "/etc", "nosuch\nset"};
    char where[64];
    for (size_t k = 0; k < COUNT(names); k++) {
        pdr_data_options o = t_columns(NULL, NULL);
        pdr_data data;
        pdr_error err = PDR_NO_ERROR;
        o.name = names[k];
        assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
        assert_non_null(strstr(err.text, "there is no data set '"));
        assert_non_null(strstr(err.text, "choose from mnist, fashion-mnist, "));
        t_one_line(&err);
        pdr_registry_where(names[k], where, sizeof where);
        assert_string_equal(where, "");
        assert_int_equal(pdr_registry_fetch(NULL, names[k], NULL, NULL, NULL), PDR_INPUT);
    }
}

static void put(const char *folder, const char *file, const char *text, bool gz)
{
    char name[200];
    mkdir(t_path(folder), 0755);
    snprintf(name, sizeof name, "%s/%s", folder, file);
    if (gz)
        t_write_gz(name, text, strlen(text));
    else
        t_write_text(name, text);
}

static void sets_are_looked_for_in_the_mirror_then_in_the_cache(void **state)
{
    (void)state;
    char where[512], mirror[512], cache[512];
    mkdir(t_path("mirror"), 0755);
    mkdir(t_path("home"), 0755);
    mkdir(t_path("home/perdure"), 0755);
    snprintf(mirror, sizeof mirror, "%s", t_path("mirror/electricity"));
    snprintf(cache, sizeof cache, "%s", t_path("home/perdure/electricity"));
    setenv("PERDURE_DATA", t_path("mirror"), 1);
    setenv("XDG_CACHE_HOME", t_path("home"), 1);
    pdr_registry_where("electricity", where, sizeof where);
    assert_string_equal(where, "");
    put("home/perdure/electricity", "electricity.csv", "x,class\n1,0\n2,1\n3,0\n4,1\n5,1\n", false);
    pdr_registry_where("electricity", where, sizeof where);
    assert_string_equal(where, cache);
    put("mirror/electricity", "electricity.csv.gz", "x,class\n7,0\n7,1\n7,0\n7,1\n7,1\n", true);
    pdr_registry_where("electricity", where, sizeof where);
    assert_string_equal(where, mirror);
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    o.name = "electricity";
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_OK);
    assert_true(*(float *)data.train.x == 7 && data.train.examples == 4);
    assert_string_equal(data.train.class_name[1], "UP");
    assert_string_equal(data.source, mirror);
    pdr_data_close(&data);
}

/* Open a set from the mirror under t_folder. */
static void open_set(const char *name, pdr_data *data)
{
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_error err = PDR_NO_ERROR;
    setenv("PERDURE_DATA", t_path("mirror"), 1);
    o.name = name;
    o.test_fraction = 0.4;
    assert_int_equal(pdr_data_open(NULL, &o, 1, data, &err), PDR_OK);
}

static void tables_without_a_header_get_the_registrys(void **state)
{
    (void)state;
    pdr_data data;
    char digits[2000] = "";
    mkdir(t_path("mirror"), 0755);
    put("mirror/sklearn-small", "iris.csv",
        "3,4,setosa,versicolor,virginica\n1,2,3,4,0\n"
        "1,2,3,4,1\n1,2,3,4,2\n",
        false);
    open_set("iris", &data);
    assert_true(data.train.examples == 2 && data.test.examples == 1);
    assert_string_equal(data.train.feature_name[3], "petal width");
    assert_string_equal(data.test.class_name[2], "virginica");
    pdr_data_close(&data);
    for (int row = 0, at = 0; row < 10; row++)
        for (int k = 0; k < 65; k++)
            at += snprintf(digits + at, sizeof digits - (size_t)at, k < 64 ? "%d," : "%d\n",
                           k < 64 ? k % 8 : row);
    put("mirror/sklearn-small", "digits.csv.gz", digits, true);
    open_set("digits", &data);
    pdr_shape image = PDR_SHAPE(1, 8, 8);
    assert_true(pdr_shape_equal(&data.train.shape, &image) && data.train.classes == 10);
    assert_string_equal(data.train.feature_name[63], "pixel63");
    assert_true(((float *)data.train.x)[63] == 7);
    pdr_data_close(&data);
}

static void a_pair_of_tables_is_joined_by_row(void **state)
{
    (void)state;
    pdr_data data;
    mkdir(t_path("mirror"), 0755);
    put("mirror/sklearn-small", "diabetes_data_raw.csv.gz",
        "1 2 3 4 5 6 7 8 9 10\n2 2 3 4 5 6 7 8 9 10\n3 2 3 4 5 6 7 8 9 10\n", true);
    put("mirror/sklearn-small", "diabetes_target.csv", "1.5e+01\n2.5e+01\n3.5e+01\n", false);
    open_set("diabetes", &data);
    assert_true(data.train.examples == 2 && data.train.targets == 1 && !data.train.classes);
    const float *x = data.train.x;
    for (size_t i = 0; i < 2; i++) assert_true(data.train.target[i] == 10 * x[10 * i] + 5);
    assert_string_equal(data.train.feature_name[2], "bmi");
    pdr_data_close(&data);
    put("mirror/sklearn-small", "diabetes_target.csv", "1.5e+01\n", false);
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_error err = PDR_NO_ERROR;
    o.name = "diabetes";
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "diabetes_target.csv: 1 targets for the 3 examples of "));
}

/* Three classes of two images of 1x2 pixels, in the folder of the registered set. */
static void put_omniglot(const char *table)
{
    static const uint8_t idx[] = {0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 1,  0,  0,
                                  0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    mkdir(t_path("mirror"), 0755);
    put("mirror/omniglot", "classes.tsv", table, false);
    t_write_gz("mirror/omniglot/omniglot28-images-idx3-ubyte.gz", idx, sizeof idx);
}

#define OMNIGLOT_TABLE                                                                             \
    "0\timages_background\tGreek\tcharacter01\t1\n"                                                \
    "1\timages_background\tGreek\tcharacter02\t2\n"                                                \
    "2\timages_evaluation\tULOG\tcharacter01\t3\n"

static void a_table_of_classes_names_groups_and_parts(void **state)
{
    (void)state;
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    pdr_error err = PDR_NO_ERROR;
    put_omniglot(OMNIGLOT_TABLE);
    setenv("PERDURE_DATA", t_path("mirror"), 1);
    o.name = "omniglot";
    o.test_fraction = 0;
    assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_OK);
    pdr_dataset *d = &data.train;
    pdr_shape shape = PDR_SHAPE(1, 1, 2);
    assert_true(d->examples == 6 && d->classes == 3 && !data.test.examples);
    assert_true(pdr_shape_equal(&d->shape, &shape) && d->storage == PDR_BYTES);
    for (int i = 0; i < 6; i++) assert_int_equal(d->label[i], i / 2);
    assert_string_equal(d->class_name[1], "Greek/character02");
    assert_string_equal(d->class_group[1], "Greek");
    assert_string_equal(d->class_group[2], "ULOG");
    assert_true(d->class_part[1] == PDR_TRAIN && d->class_part[2] == PDR_TEST);
    pdr_data_close(&data);
    open_set("omniglot", &data); /* with a test part: it knows of the classes what train knows */
    assert_true(data.train.examples == 4 && data.test.examples == 2);
    assert_string_equal(data.test.class_name[2], "ULOG/character01");
    assert_string_equal(data.test.class_group[0], "Greek");
    assert_true(data.test.class_part[0] == PDR_TRAIN && data.test.class_part[2] == PDR_TEST);
    pdr_data_close(&data);
}

static void a_wrong_table_of_classes_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *table, *says;
    } rows[] = {
        {"0\timages_background\tGreek\n",
         "classes.tsv:1: 3 columns; a class has 4 or more: number, part, group, name"},
        {"0\timages_background\tGreek\tx\n2\timages_background\tGreek\ty\n",
         "classes.tsv:2: class '2' stands where class 1 belongs; number them from 0 in order"},
        {"0\ttrain\tGreek\tx\n",
         "classes.tsv:1: there is no part 'train'; give images_background or images_evaluation"},
        {OMNIGLOT_TABLE "3\timages_background\tGreek\tx\n",
         "ubyte.gz: 6 images do not divide into the 4 classes of "},
        {"", "ubyte.gz: 6 images do not divide into the 0 classes of "},
    };
    setenv("PERDURE_DATA", t_path("mirror"), 1);
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_data_options o = t_columns(NULL, NULL);
        pdr_data data;
        pdr_error err = PDR_NO_ERROR;
        put_omniglot(rows[k].table);
        o.name = "omniglot";
        assert_int_equal(pdr_data_open(NULL, &o, 1, &data, &err), PDR_INPUT);
        assert_non_null(strstr(err.text, rows[k].says));
        t_one_line(&err);
        assert_null(data.train.x);
    }
}

/* ---- downloads ---- */

static int files_in(const char *folder)
{
    char command[600];
    int n = -1;
    snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null | wc -l", t_path(folder));
    FILE *p = popen(command, "r");
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

typedef struct watch {
    uint64_t done;
    bool stop;
} watch;

static bool watch_progress(void *ctx, const char *file, uint64_t done, uint64_t total)
{
    watch *w = ctx;
    assert_string_equal(file, "got");
    assert_true(done <= total && done >= w->done);
    w->done = done;
    return !w->stop;
}

static void a_download_lands_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char text[] = "twenty bytes of data";
    char url[600], sum[SHA256_DIGEST_STRING_LENGTH], gone[620];
    SHA256Data((const uint8_t *)text, sizeof text - 1, sum);
    snprintf(url, sizeof url, "file://%s", t_write_text("served", text));
    snprintf(gone, sizeof gone, "%s.gone", url);
    const struct {
        const char *url, *sum, *protocols;
        uint64_t size;
        bool stop;
        pdr_rc rc;
        const char *says;
    } rows[] = {
        {url, sum, "file", 20, false, PDR_OK, ""},
        {url, "00", "file", 20, false, PDR_IO, ", not that of the set (00...); do this instead"},
        {url, sum, "file", 21, false, PDR_IO, ": 20 bytes came, not the 21 of the set; do this"},
        {url, sum, "file", 19, false, PDR_IO, " bytes came, not the 19 of the set; do this"},
        {url, sum, "file", 20, true, PDR_STOPPED, "got: the download was stopped"},
        {url, sum, "https,http", 20, false, PDR_IO, "Protocol \"file\" not supported"},
        {gone, sum, "file", 20, false, PDR_IO, ".gone: Couldn't open file"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        char folder[32], path[64];
        watch w = {0, rows[k].stop};
        pdr_error err = PDR_NO_ERROR;
        snprintf(folder, sizeof folder, "down%zu", k);
        snprintf(path, sizeof path, "down%zu/got", k);
        pdi_download d = {rows[k].url,  rows[k].protocols, t_path(path),
                          rows[k].size, rows[k].sum,       "do this instead"};
        assert_int_equal(pdi_fetch(NULL, &d, watch_progress, &w, &err), rows[k].rc);
        assert_non_null(strstr(err.text, rows[k].says));
        assert_int_equal(files_in(folder), rows[k].rc ? 0 : 1);
        if (!rows[k].rc) assert_int_equal(w.done, 20);
    }
}

static void a_download_says_when_it_cannot_be_written(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    t_write_text("file", "");
    pdi_download d = {"file:///dev/null", "file", t_path("file/below/got"), 1, "", "try elsewhere"};
    assert_int_equal(pdi_fetch(NULL, &d, NULL, NULL, &err), PDR_IO);
    assert_non_null(
        strstr(err.text, "file/below/got: cannot be written: Not a directory; try else"));
}

/* ---- memory ---- */

static pdr_rc torture_idx(const pdr_alloc *alloc, pdr_error *err)
{
    pdr_dataset d;
    pdr_rc rc = pdr_dataset_idx(alloc, t_path("tx.gz"), t_path("ty"), &d, err);
    pdr_dataset_close(&d);
    return rc;
}

static pdr_rc torture_open(const pdr_alloc *alloc, pdr_error *err)
{
    pdr_data_options o = t_columns(NULL, NULL);
    pdr_data data;
    o.name = "diabetes";
    o.standardise = true;
    pdr_rc rc = pdr_data_open(alloc, &o, 1, &data, err);
    pdr_data_close(&data);
    if (rc) return rc;
    o = t_columns("y", NULL);
    o.train = t_path("torture.csv");
    o.missing = PDR_MISSING_DROP;
    o.ignore = "skip";
    o.categorical = "c";
    rc = pdr_data_open(alloc, &o, 1, &data, err);
    pdr_data_close(&data);
    if (rc) return rc;
    o = t_columns(NULL, NULL);
    o.name = "omniglot";
    rc = pdr_data_open(alloc, &o, 1, &data, err);
    pdr_data_close(&data);
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    t_write_gz("tx.gz", images, sizeof images);
    t_write("ty", labels, sizeof labels);
    t_write_text("torture.csv", "c,x,skip,y\nred,1,,b\nblue,,,a\ngreen,3,,b\nred,4,,c\n");
    mkdir(t_path("mirror"), 0755);
    put("mirror/sklearn-small", "diabetes_data_raw.csv.gz",
        "1 2 3 4 5 6 7 8 9 10\n2 2 3 4 5 6 7 8 9 10\n3 2 3 4 5 6 7 8 9 10\n", true);
    put("mirror/sklearn-small", "diabetes_target.csv", "1.5e+01\n2.5e+01\n3.5e+01\n", false);
    put_omniglot(OMNIGLOT_TABLE);
    setenv("PERDURE_DATA", t_path("mirror"), 1);
    assert_true(t_torture(torture_idx) > 5);
    assert_true(t_torture(torture_open) > 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_reads_bytes_and_labels),
        cmocka_unit_test(idx_ranks_become_shapes),
        cmocka_unit_test(idx_says_where_it_is_wrong),
        cmocka_unit_test(idx_cut_anywhere_is_refused),
        cmocka_unit_test(a_header_alone_takes_no_memory),
        cmocka_unit_test(a_byte_is_read_as_its_share_of_255),
        cmocka_unit_test(the_split_depends_on_the_seed_alone),
        cmocka_unit_test(standardising_uses_the_training_part_alone),
        cmocka_unit_test(missing_cells_are_filled_from_the_training_part_alone),
        cmocka_unit_test(images_become_floats_when_standardised),
        cmocka_unit_test(a_value_beyond_floats_is_refused_after_standardising),
        cmocka_unit_test(opening_says_what_does_not_go_together),
        cmocka_unit_test(an_empty_option_is_not_given),
        cmocka_unit_test(a_folder_is_not_a_file),
        cmocka_unit_test(the_test_part_has_the_training_parts_shape_and_classes),
        cmocka_unit_test(the_registry_is_complete),
        cmocka_unit_test(a_name_is_no_path),
        cmocka_unit_test(sets_are_looked_for_in_the_mirror_then_in_the_cache),
        cmocka_unit_test(tables_without_a_header_get_the_registrys),
        cmocka_unit_test(a_pair_of_tables_is_joined_by_row),
        cmocka_unit_test(a_table_of_classes_names_groups_and_parts),
        cmocka_unit_test(a_wrong_table_of_classes_says_where),
        cmocka_unit_test(a_download_lands_whole_or_not_at_all),
        cmocka_unit_test(a_download_says_when_it_cannot_be_written),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, t_make_folder, t_remove_folder);
}
