/* test_csv.c -- tables of text as data sets. */
#include "data/csv.h"
#include "data/dataset.h"
#include "data/show.h"
#include "t_data.h"

/* Read text as a file called f. */
static pdr_rc csv_text(const pdr_alloc *alloc, const char *text, const pdr_data_options *o,
                       const pdr_dataset *like, pdr_dataset *out, pdr_error *err)
{
    pdi_reader r;
    pdi_csv_form form = pdi_csv_form_of(o);
    pdr_rc rc = pdi_reader_memory(&r, alloc, "f", (const uint8_t *)text, strlen(text), err);
    *out = (pdr_dataset){0};
    if (!rc) rc = pdi_csv_read(alloc, &r, &form, like, out, err);
    if (!rc) rc = pdi_dataset_fill(out, like, o->missing, "f", err);
    if (rc) pdr_dataset_close(out);
    pdi_reader_close(&r);
    return rc;
}

static void a_table_is_read_as_rfc_4180_has_it(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf\"a,b\",\"say \"\"x\"\"\",kind\r\n"
                               "1,2,\"one\ntwo\"\r\n\r\n-3.5e-1,+.5,\"o,\"\"\"\r\n";
    pdr_data_options o = t_columns("kind", NULL);
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(csv_text(NULL, text, &o, NULL, &d, &err), PDR_OK);
    t_floats(&d, 4, (float[]){1, 2, -0.35f, 0.5f});
    assert_string_equal(d.feature_name[0], "a,b");
    assert_string_equal(d.feature_name[1], "say \"x\"");
    assert_string_equal(d.class_name[d.label[0]], "one\ntwo");
    assert_string_equal(d.class_name[d.label[1]], "o,\"");
    pdr_dataset_close(&d);
}

static void the_header_tells_the_separator(void **state)
{
    (void)state;
    static const char *const texts[] = {"a,b;c,y\n1,2,3\n", "a\tb,\ty\n1\t2\t3\n",
                                        "a;\"b,c,d\";y\n1;2;3", "a , b\t, y\n 1,\t2 , 3 \n"};
    for (size_t k = 0; k < COUNT(texts); k++) {
        pdr_data_options o = t_columns(NULL, "y");
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(csv_text(NULL, texts[k], &o, NULL, &d, &err), PDR_OK);
        t_floats(&d, 2, (float[]){1, 2});
        assert_true(d.target[0] == 3 && d.targets == 1 && d.classes == 0 && !d.label);
        pdr_dataset_close(&d);
    }
}

static void a_table_may_be_gzipped_in_members(void **state)
{
    (void)state;
    pdr_data_options o = t_columns(NULL, "y");
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR;
    const char *path = t_write_gz("two.gz", "x,y\n1,2\n", 8);
    gzFile f = gzopen(path, "ab");
    assert_int_equal(gzwrite(f, "3,4\n", 4), 4);
    gzclose(f);
    assert_int_equal(pdr_dataset_csv(NULL, path, &o, NULL, &d, &err), PDR_OK);
    t_floats(&d, 2, (float[]){1, 3});
    pdr_dataset_close(&d);
}

static void categories_keep_their_order_and_labels_are_sorted(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", NULL);
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR;
    o.categorical = "c, d";
    o.ignore = "skip";
    assert_int_equal(csv_text(NULL, "y,c,x,skip,d\n10,red,1,?,u\n9,blue,2,?,u\n-1,red,3,,v\n", &o,
                              NULL, &d, &err),
                     PDR_OK);
    static const char *const names[] = {"c=red", "c=blue", "x", "d=u", "d=v"};
    for (size_t k = 0; k < COUNT(names); k++) assert_string_equal(d.feature_name[k], names[k]);
    t_floats(&d, 15, (float[]){1, 0, 1, 1, 0, 0, 1, 2, 1, 0, 1, 0, 3, 0, 1});
    assert_true(d.label[0] == 2 && d.label[1] == 1 && d.label[2] == 0);
    assert_string_equal(d.class_name[0], "-1");
    pdr_dataset_close(&d);
    o = t_columns("y", NULL);
    assert_int_equal(csv_text(NULL, "x,y\n1,10\n1,9\n1,b\n", &o, NULL, &d, &err), PDR_OK);
    assert_true(d.label[0] == 0 && d.label[1] == 1 && d.label[2] == 2); /* as text, "10" < "9" */
    pdr_dataset_close(&d);
}

typedef struct bad_table {
    const char *text, *label, *target, *categorical, *ignore, *says;
} bad_table;

static const bad_table bad_tables[] = {
    {"", "y", NULL, NULL, NULL, "f:1: the file is empty; it must begin with a row of column names"},
    {"\n\r\n", "y", NULL, NULL, NULL,
     "f:1: the file is empty; it must begin with a row of column names"},
    {"x,y\n", "y", NULL, NULL, NULL, "f:2: no rows of data"},
    {"x,y\n1,2\n1,2,3\n", "y", NULL, NULL, NULL,
     "f:3: 3 cells, but there are 2 columns; give each row a cell for every column"},
    {"x,y\n1\n", "y", NULL, NULL, NULL,
     "f:2: 1 cell, but there are 2 columns; give each row a cell for every column"},
    {"x,z,y\n1,\"\n\",2\nabc,0,2\n", "y", NULL, "z", NULL,
     "f:4: column 'x': 'abc' is not a number; mend it, or name the column in data.categorical or "
     "data.ignore"},
    {"z,x,y\n\"\n\",abc,2\n", "y", NULL, "z", NULL,
     "f:3: column 'x': 'abc' is not a number; mend it, or name the column in data.categorical or "
     "data.ignore"},
    {"x,y\n0x10,2\n", "y", NULL, NULL, NULL,
     "f:2: column 'x': '0x10' is not a number; mend it, or name the column in data.categorical or "
     "data.ignore"},
    {"x,y\n1,2\nnan,2\n", "y", NULL, NULL, NULL,
     "f:3: column 'x': 'nan' is not a finite 32-bit number; mend it, or leave the cell empty and "
     "set data.missing"},
    {"x,y\n-Infinity,2\n", "y", NULL, NULL, NULL,
     "f:2: column 'x': '-Infinity' is not a finite 32-bit number; mend it, or leave the cell empty "
     "and set data.missing"},
    {"x,y\n1e39,2\n", "y", NULL, NULL, NULL,
     "f:2: column 'x': '1e39' is not a finite 32-bit number; mend it, or leave the cell empty and "
     "set data.missing"},
    {"x,y\n1,inf\n", NULL, "y", NULL, NULL,
     "f:2: column 'y': 'inf' is not a finite 32-bit number; mend it, or leave the cell empty and "
     "set data.missing"},
    {"x,y\n1,2\n,2\n", "y", NULL, NULL, NULL,
     "f:3: column 'x' is empty; data.missing may be mean, zero or drop"},
    {"x,y\n1,\"\"\n", "y", NULL, NULL, NULL, "f:2: column 'y' is empty; data.missing may be drop"},
    {"a,b\n1,2\n", "y", NULL, NULL, NULL,
     "f:1: there is no column 'y' (data.label); the columns are a, b"},
    {"a,y\n1,2\n", "y", NULL, "c", NULL,
     "f:1: there is no column 'c' (data.categorical); the columns are a, y"},
    {"a,y\n1,2\n", "y", NULL, NULL, "y",
     "f:1: column 'y' is named in data.label and again in data.ignore"},
    {"a,y,a\n1,2,3\n", "y", NULL, NULL, NULL, "f:1: columns 1 and 3 are both called 'a'"},
    {"a,y\n1,2\n", NULL, NULL, NULL, NULL,
     "f:1: give the column of the class as data.label or that of a real target as data.target"},
    {"a,y\n1,2\n", "y", "a", NULL, NULL,
     "f:1: give the column of the class as data.label or that of a real target as data.target, "
     "not both"},
    {"a,y\n1,2\n", "y", NULL, NULL, "a", "f:1: no column is left to learn from"},
    {"c,c=1,y\n1,2,3\n", "y", NULL, "c", NULL,
     "f:1: column 'c=1' is called like a value of a categorical column; rename it"},
    {"x,y\n1,2\n1,2.0\n", "y", NULL, NULL, NULL,
     "f: column 'y': '2' and '2.0' are the same number; write it one way"},
    {"x,y\n1,\"2\n", "y", NULL, NULL, NULL, "f:2: a quote is opened and never closed"},
    {"x,y\n1,\"2\"3\n", "y", NULL, NULL, NULL,
     "f:2: column 2: text after the closing quote; write a quote inside a cell twice"},
    {"x,y\n1,5\" pipe\n2,3\n", "y", NULL, NULL, NULL,
     "f:2: column 2: a quote inside an unquoted cell; quote the cell and write the quote twice"},
};

static void a_table_says_where_it_is_wrong(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(bad_tables); k++) {
        const bad_table *b = &bad_tables[k];
        pdr_data_options o = t_columns(b->label, b->target);
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        o.categorical = b->categorical;
        o.ignore = b->ignore;
        pdr_rc rc = csv_text(NULL, b->text, &o, NULL, &d, &err);
        assert_string_equal(err.text, b->says);
        assert_int_equal(rc, PDR_INPUT);
        assert_null(d.x);
    }
}

static void a_row_and_its_columns_are_bounded(void **state)
{
    (void)state;
    size_t n = (size_t)3 << 20;
    char *text = malloc(n + 1);
    pdr_data_options o = t_columns("y", NULL);
    pdr_dataset d;
    pdr_error err = PDR_NO_ERROR, err2 = PDR_NO_ERROR, err3 = PDR_NO_ERROR;
    t_memory memory = {.left = -1};
    pdr_alloc alloc = {t_memory_fn, &memory};
    memset(text, 'a', n);
    text[n] = 0;
    assert_int_equal(csv_text(&alloc, text, &o, NULL, &d, &err), PDR_INPUT);
    assert_string_equal(err.text, "f:1: a row of more than 1 MiB; is a quote not closed?");
    assert_true(memory.peak < (size_t)4 << 20);
    memset(text, ',', 70000);
    text[70000] = 0;
    assert_int_equal(csv_text(NULL, text, &o, NULL, &d, &err2), PDR_INPUT);
    assert_string_equal(err2.text, "f:1: more than 65536 columns");
    memset(text, '=', 256);
    text[256] = 0;
    assert_int_equal(csv_text(NULL, text, &o, NULL, &d, &err3), PDR_INPUT);
    assert_non_null(strstr(err3.text, "f:1: column 1 has a name of more than 255 bytes: '==="));
    free(text);
}

static void numbers_are_decimal_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        pdi_number_rc rc;
        double x;
    } rows[] = {
        {"0", PDI_NUMBER, 0},           {"-12.50", PDI_NUMBER, -12.5},
        {"+.5e2", PDI_NUMBER, 50},      {"5.", PDI_NUMBER, 5},
        {"1E-3", PDI_NUMBER, 0.001},    {"1e-400", PDI_NUMBER, 0},
        {"", PDI_NOT_NUMBER, 0},        {".", PDI_NOT_NUMBER, 0},
        {"1,5", PDI_NOT_NUMBER, 0},     {"1 2", PDI_NOT_NUMBER, 0},
        {"--1", PDI_NOT_NUMBER, 0},     {"1e", PDI_NOT_NUMBER, 0},
        {"0x1p3", PDI_NOT_NUMBER, 0},   {"1_000", PDI_NOT_NUMBER, 0},
        {"NA", PDI_NOT_NUMBER, 0},      {"NaN", PDI_NOT_FINITE, 0},
        {"-inf", PDI_NOT_FINITE, 0},    {"1e400", PDI_NOT_FINITE, 0},
        {"3.4e38", PDI_NUMBER, 3.4e38}, {"3.5e38", PDI_NOT_FINITE, 0},
        {"infinit", PDI_NOT_NUMBER, 0},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        double x = 0;
        assert_int_equal(pdi_number(rows[k].s, &x), rows[k].rc);
        if (rows[k].rc == PDI_NUMBER) assert_true(x == rows[k].x);
    }
}

/* Short numbers are not given to strtod: they must be what it makes of them, to the bit. */
static void numbers_are_rounded_as_strtod_rounds(void **state)
{
    (void)state;
    uint64_t u = 88172645463325252u;
    for (int k = 0; k < 200000; k++) {
        char s[64];
        double x, want;
        u ^= u << 13, u ^= u >> 7, u ^= u << 17;
        uint64_t mantissa = u >> (k % 60);
        int point = (int)(u % 23), e = (int)(u >> 32) % 60 - 30;
        switch (k % 4) {
        case 0:
            snprintf(s, sizeof s, "%llu.%0*d", (unsigned long long)mantissa, 1 + point, e + 30);
            break;
        case 1: snprintf(s, sizeof s, "-%llue%d", (unsigned long long)mantissa, e); break;
        case 2: snprintf(s, sizeof s, "0.%0*llu", 1 + point, (unsigned long long)mantissa); break;
        default: snprintf(s, sizeof s, "%.*g", 1 + point % 17, (double)mantissa / 1e6); break;
        }
        want = strtod(s, NULL);
        if (pdi_number(s, &x) != PDI_NUMBER) continue;
        if (memcmp(&x, &want, sizeof x) != 0) fail_msg("%s: %a, not %a", s, x, want);
    }
}

static void a_test_table_is_read_like_the_training_table(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"y,z,x,c\nb,4,,blue\na,5,3,red\n", NULL},
        {"y,z,x,c\nb,4,1,green\n",
         "f:2: column 'c': 'green' is not in the training part, which has red, blue"},
        {"y,z,x,c\nd,4,1,red\n",
         "f:2: column 'y': 'd' is not in the training part, which has a, b"},
        {"y,x,c\nb,4,red\n", "f:1: there is no column for the training part's feature 'z'"},
        {"y,z,x,c,new\nb,4,1,red,2\n",
         "f:1: the training part has no column 'new'; name it in data.ignore"},
    };
    pdr_data_options o = t_columns("y", NULL);
    pdr_dataset train, d;
    pdr_error err = PDR_NO_ERROR;
    o.categorical = "c";
    o.missing = PDR_MISSING_MEAN;
    assert_int_equal(csv_text(NULL, "c,x,z,y\nred,1,2,b\nblue,2,7,a\n", &o, NULL, &train, &err), 0);
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_error e = PDR_NO_ERROR;
        pdr_rc rc = csv_text(NULL, rows[k].text, &o, &train, &d, &e);
        assert_string_equal(e.text, rows[k].says ? rows[k].says : "");
        assert_int_equal(rc, rows[k].says ? PDR_INPUT : PDR_OK);
        if (!rc) {
            t_floats(&d, 8, (float[]){0, 1, 1.5f, 4, 1, 0, 3, 5});
            assert_true(d.label[0] == 1 && d.label[1] == 0 && d.classes == 2);
            assert_string_equal(d.feature_name[1], "c=blue");
        }
        pdr_dataset_close(&d);
    }
    pdr_dataset_close(&train);
}

static void missing_cells_become_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        int missing;
        size_t examples;
        float x[12];
    } rows[] = {
        {PDR_MISSING_MEAN, 4, {1, 1, 0, 2, 0.5f, 0.5f, 6, 0, 1, 3, 0.5f, 0.5f}},
        {PDR_MISSING_ZERO, 4, {1, 1, 0, 2, 0, 0, 6, 0, 1, 0, 0, 0}},
        {PDR_MISSING_DROP, 2, {1, 1, 0, 6, 0, 1}},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        pdr_data_options o = t_columns("y", NULL);
        pdr_dataset d;
        pdr_error err = PDR_NO_ERROR;
        o.categorical = "c";
        o.missing = rows[k].missing;
        assert_int_equal(csv_text(NULL, "x,c,y\n1,u,0\n2,,1\n6,v,1\n,,0\n", &o, NULL, &d, &err), 0);
        assert_int_equal(d.examples, rows[k].examples);
        t_floats(&d, 3 * d.examples, rows[k].x);
        pdr_dataset_close(&d);
    }
}

static void what_cannot_be_filled_is_refused(void **state)
{
    (void)state;
    pdr_data_options o = t_columns("y", NULL);
    pdr_dataset d;
    pdr_error mean = PDR_NO_ERROR, drop = PDR_NO_ERROR, label = PDR_NO_ERROR;
    o.missing = PDR_MISSING_MEAN;
    assert_int_equal(csv_text(NULL, "x,z,y\n1,,0\n2,,1\n", &o, NULL, &d, &mean), PDR_INPUT);
    assert_string_equal(mean.text,
                        "f: feature 'z' is empty in every training row; leave its column "
                        "out with data.ignore");
    o.missing = PDR_MISSING_DROP;
    assert_int_equal(csv_text(NULL, "x,z,y\n1,,0\n2,,1\n", &o, NULL, &d, &drop), PDR_INPUT);
    o.missing = PDR_MISSING_ZERO;
    assert_int_equal(csv_text(NULL, "x,y\n1,\n", &o, NULL, &d, &label), PDR_INPUT);
    assert_string_equal(label.text, "f:2: column 'y' is empty; data.missing may be drop");
    assert_string_equal(drop.text,
                        "f: every one of its 2 rows has an empty cell, and data.missing is drop");
}

static void foreign_text_stays_on_one_line(void **state)
{
    (void)state;
    char show[PDI_SHOW], lone[8] = "a\n\x1b\xffz";
    assert_string_equal(pdi_show(show, lone), "a\\x0a\\x1b\\xffz");
    assert_string_equal(pdi_show(show, "na\xc3\xafve \xe2\x82\xac"), "na\xc3\xafve \xe2\x82\xac");
    char flood[200];
    memset(flood, '\n', sizeof flood - 1);
    flood[sizeof flood - 1] = 0;
    pdi_show(show, flood);
    assert_string_equal(show + strlen(show) - 3, "...");
}

static const char torture_table[] = "c,x,skip,y\nred,1,,b\nblue,,,a\ngreen,3,,b\nred,4,,c\n";

static pdr_rc torture_csv(const pdr_alloc *alloc, pdr_error *err)
{
    pdr_data_options o = t_columns("y", NULL);
    pdr_dataset train, test = {0};
    o.categorical = "c";
    o.ignore = "skip";
    o.missing = PDR_MISSING_MEAN;
    pdr_rc rc = csv_text(alloc, torture_table, &o, NULL, &train, err);
    o.ignore = NULL;
    if (!rc) rc = csv_text(alloc, "y,x,c\na,,red\n", &o, &train, &test, err);
    pdr_dataset_close(&test);
    pdr_dataset_close(&train);
    return rc;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    assert_true(t_torture(torture_csv) > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_read_as_rfc_4180_has_it),
        cmocka_unit_test(the_header_tells_the_separator),
        cmocka_unit_test(a_table_may_be_gzipped_in_members),
        cmocka_unit_test(categories_keep_their_order_and_labels_are_sorted),
        cmocka_unit_test(a_table_says_where_it_is_wrong),
        cmocka_unit_test(a_row_and_its_columns_are_bounded),
        cmocka_unit_test(numbers_are_decimal_and_nothing_else),
        cmocka_unit_test(numbers_are_rounded_as_strtod_rounds),
        cmocka_unit_test(a_test_table_is_read_like_the_training_table),
        cmocka_unit_test(missing_cells_become_what_was_asked),
        cmocka_unit_test(what_cannot_be_filled_is_refused),
        cmocka_unit_test(foreign_text_stays_on_one_line),
        cmocka_unit_test(every_refused_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, t_make_folder, t_remove_folder);
}
