/* test_interchange.c -- `perdure export` and `perdure import`, on the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"
#include "t.h"

static int enter(void **state)
{
    char recipe[1000];
    static char rows[PROGRAM_TEXT];
    size_t n = (size_t)snprintf(rows, sizeof rows, "x,y,kind\n");
    if (program_enter(state)) return 1;
    for (int i = 0; i < 120; i++)
        n += (size_t)snprintf(rows + n, sizeof rows - n, "%d.25,%d,%s\n", i % 3 * 5 + i % 2, i % 7,
                              i % 3 == 0   ? "red"
                              : i % 3 == 1 ? "green"
                                           : "\"blue, \"\"dark\"\"\"");
    put_text("rows.csv", rows);
    snprintf(recipe, sizeof recipe,
             "data: {train: %s/rows.csv, label: kind, test_fraction: 0}\n"
             "model: [{layer: dense, units: 8}, {layer: relu}]\nmethod: {name: er, memory: 20}\n"
             "optimizer: {name: sgd, rate: 0.1}\ntraining: {batch: 1}\nlearner: {classes: 4}\n",
             folder);
    put_text("clusters.yaml", recipe);
    return 0;
}

static void init(const char *name)
{
    remove(at(name));
    runf(0, "init %s %s", at(name), at("clusters.yaml"));
}

static void get_hash(const char *name, char hash[17])
{
    runf(0, "show %s --json", at(name));
    const char *p = strstr(out, "\"state_hash\": \"");
    assert_non_null(p);
    snprintf(hash, 17, "%.16s", p + strlen("\"state_hash\": \""));
}

static size_t get_bytes(const char *name, char bytes[PROGRAM_TEXT])
{
    FILE *f = fopen(at(name), "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, PROGRAM_TEXT, f);
    fclose(f);
    return n;
}

/* ---- out ------------------------------------------------------------------------------------- */

static void the_name_says_the_format_or_format_does(void **state)
{
    (void)state;
    static const struct {
        const char *name, *format, *begin;
        size_t n; /* bytes of begin */
    } rows[] = {
        {"a.safetensors", "safetensors", NULL, 0},
        {"a.onnx", "onnx", "\x08\x08\x12\x07perdure", 11},
        {"a.md", "md", "# clusters\n", 11},
    };
    static char file[PROGRAM_TEXT], piped[PROGRAM_TEXT];
    init("a.perdure");
    runf(0, "learn %s %s", at("a.perdure"), at("rows.csv"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        runf(0, "export %s %s", at("a.perdure"), at(rows[i].name));
        assert_string_equal(out, "");
        runf(0, "export %s --format %s", at("a.perdure"), rows[i].format);
        size_t n = get_bytes(rows[i].name, file);
        assert_int_equal(get_bytes("out", piped), n);
        assert_memory_equal(file, piped, n);
        if (rows[i].n) assert_memory_equal(file, rows[i].begin, rows[i].n);
        runf(0, "export %s %s --format %s", at("a.perdure"), at("other"), rows[i].format);
        assert_int_equal(get_bytes("other", piped), n);
        assert_memory_equal(file, piped, n);
    }
}

/* Nothing takes the name of a pipe or a device: it is written to. */
static void a_pipe_is_written_to(void **state)
{
    (void)state;
    static char file[PROGRAM_TEXT], piped[PROGRAM_TEXT];
    struct stat is;
    init("a.perdure");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    runf(0, "export %s %s --format md & cat %s >%s && wait $!", at("a.perdure"), at("pipe"),
         at("pipe"), at("piped"));
    assert_int_equal(stat(at("pipe"), &is), 0);
    assert_true(S_ISFIFO(is.st_mode));
    runf(0, "export %s %s", at("a.perdure"), at("a.md"));
    size_t n = get_bytes("a.md", file);
    assert_int_equal(get_bytes("piped", piped), n);
    assert_memory_equal(piped, file, n);
}

/* What the memory's table says can be learned by another. */
static void the_memory_can_be_learned(void **state)
{
    (void)state;
    init("a.perdure");
    runf(0, "learn %s %s", at("a.perdure"), at("rows.csv"));
    runf(0, "export %s %s --what memory", at("a.perdure"), at("memory.csv"));
    init("b.perdure");
    runf(0, "learn %s %s", at("b.perdure"), at("memory.csv"));
    runf(0, "show %s --json", at("b.perdure"));
    assert_non_null(strstr(out, "\"examples\": 20,"));
    assert_non_null(strstr(out, "\"classes\": 3,"));
    runf(0, "export %s - --format csv --what metrics", at("a.perdure"));
    assert_memory_equal(out, "when,examples,classes,tasks,accuracy,recent,loss,what\n", 54);
    assert_non_null(strstr(out, ",created\n"));
    assert_non_null(strstr(out, "Z,120,3,0,"));
}

static void what_cannot_be_exported_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *why;
    } rows[] = {
        {"", "export: standard output does not say the format; give --format safetensors, onnx"},
        {"x.txt", "export: x.txt does not say the format"},
        {"x.onnx --format onx", "export: 'onx' is no format; did you mean 'onnx'?"},
        {"x.csv", "export: csv needs --what memory or --what metrics"},
        {"x.csv --what all", "export: csv needs --what memory or --what metrics"},
        {"x.md --what memory", "export: --what goes with the format csv"},
        {"x.md --task a", "export: --task goes with the format onnx"},
        {"x.onnx --task a", "there is no task 'a'; 0 are known"},
        {"none/there/x.onnx", "none/there/x.onnx: cannot write: No such file or directory; make"},
    };
    init("a.perdure");
    runf(0, "learn %s %s", at("a.perdure"), at("rows.csv"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        runf(2, "export %s %s", at("a.perdure"), rows[i].arguments);
        if (!strstr(err, rows[i].why)) fail_msg("%zu: %s", i, err);
    }
    runf(2, "export %s", at("none.perdure"));
}

/* ---- in ---------------------------------------------------------------------------------------
 */

static void an_import_can_be_undone(void **state)
{
    (void)state;
    char then[17], now[17], fresh[17];
    static char first[PROGRAM_TEXT], again[PROGRAM_TEXT];
    init("a.perdure");
    runf(0, "learn %s %s", at("a.perdure"), at("rows.csv"));
    runf(0, "export %s %s", at("a.perdure"), at("a.safetensors"));
    get_hash("a.perdure", then);
    init("b.perdure");
    get_hash("b.perdure", fresh);
    runf(0, "import %s %s", at("b.perdure"), at("a.safetensors"));
    assert_non_null(strstr(err, "imported; 'perdure rollback "));
    assert_non_null(strstr(err, "before-import-1' undoes it"));
    runf(0, "export %s %s", at("b.perdure"), at("b.safetensors"));
    size_t n = get_bytes("a.safetensors", first), m = get_bytes("b.safetensors", again);
    size_t data = 8 * 8 * 2; /* at the end: two of the tensors, 4 outputs of 8 features */
    assert_memory_equal(first + n - data, again + m - data, data);
    runf(0, "import %s - < %s", at("b.perdure"), at("a.safetensors"));
    assert_non_null(strstr(err, "before-import-2' undoes it"));
    runf(0, "import %s %s --snapshot mine", at("b.perdure"), at("a.safetensors"));
    runf(0, "log %s", at("b.perdure"));
    assert_non_null(strstr(out, "imported a.safetensors"));
    assert_non_null(strstr(out, "snapshot mine"));
    get_hash("b.perdure", now);
    assert_string_not_equal(now, fresh);
    runf(0, "rollback %s before-import-1", at("b.perdure"));
    get_hash("b.perdure", now);
    assert_string_equal(now, fresh);
    runf(0, "check %s", at("b.perdure"));
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    char before[17], after[17];
    init("a.perdure");
    get_hash("a.perdure", before);
    put_text("not.safetensors", "this is a text");
    runf(2, "import %s %s", at("a.perdure"), at("not.safetensors"));
    assert_non_null(strstr(err, "not.safetensors:byte 0: a header of "));
    runf(2, "import %s %s", at("a.perdure"), at("none"));
    runf(2, "import %s %s --snapshot ''", at("a.perdure"), at("a.safetensors"));
    runf(2, "import %s", at("a.perdure"));
    runf(0, "init %s %s --set model.0.units=9", at("wide.perdure"), at("clusters.yaml"));
    runf(0, "export %s %s", at("wide.perdure"), at("wide.safetensors"));
    runf(2, "import %s %s", at("a.perdure"), at("wide.safetensors"));
    assert_non_null(strstr(err, "tensor '0.dense.weight' is [9,2], and the learner's is [8,2]"));
    get_hash("a.perdure", after);
    assert_string_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_says_the_format_or_format_does),
        cmocka_unit_test(a_pipe_is_written_to),
        cmocka_unit_test(the_memory_can_be_learned),
        cmocka_unit_test(what_cannot_be_exported_is_said),
        cmocka_unit_test(an_import_can_be_undone),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, enter, program_leave);
}
