/* test_program.c -- the program as people meet it: output, errors, exit status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program.h"
#include "t.h"

#if defined(__has_feature)
#define HAS(x) __has_feature(x)
#else
#define HAS(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS(address_sanitizer) ||     \
    HAS(thread_sanitizer)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static void mistakes_end_with_status_2_and_a_line(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"daat", "perdure: there is no command 'daat'; did you mean 'data'?\n"},
        {"help daat", "perdure: there is no command 'daat'; did you mean 'data'?\n"},
        {"--verison", "perdure: --verison: there is no such option; see 'perdure help'\n"},
        {"data", "perdure: data: say what to do: list or fetch NAME\n"},
        {"data lsit", "perdure: data: 'lsit' is nothing it can do; did you mean 'list'?\n"},
        {"data fetch", "perdure: data fetch: the name of a data set is missing; see 'perdure data "
                       "list'\n"},
        {"data fetch mnits", "perdure: there is no data set 'mnits'; did you mean 'mnist'?\n"},
        {"data list mnits", "perdure: there is no data set 'mnits'; did you mean 'mnist'?\n"},
        {"data list --al", "perdure: --al: there is no such option; see --help\n"},
        {"methods ewk", "perdure: there is no method, optimizer or layer 'ewk'; did you mean "
                        "'ewc'?\n"},
        {"run", "perdure: RECIPE is missing; see --help\n"},
        {"run no-such.yaml", "perdure: no-such.yaml: cannot be opened: No such file or directory; "
                             "give the path of a recipe\n"},
        {"run no-such.yaml --seeds 3..1", "perdure: --seeds: '3..1' is not usable; give A..B, "},
        {"help a b", "perdure: 'b' is one operand too many; see --help\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(run(rows[i][0]), 2);
        assert_memory_equal(err, rows[i][1], strlen(rows[i][1]));
        assert_string_equal(out, "");
        assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    }
}

static void help_is_an_answer(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "perdure: a lifelong-learning and meta-learning engine\n"},
        {"--help", "perdure: a lifelong-learning and meta-learning engine\n"},
        {"help", "perdure: a lifelong-learning and meta-learning engine\n"},
        {"help data", "perdure data: "},
        {"data --help", "perdure data: "},
        {"data fetch mnits -h", "perdure data: "},
        {"help recipe", "recipes: "},
        {"help --man", ".TH PERDURE 1"},
        {"--version", "perdure " PERDURE_VERSION "\n"},
        {"methods", "methods\n"},
        {"methods er", "er (method): "},
        {"methods adam", "adam (optimizer): "},
        {"methods dense", "dense (layer): "},
        {"data list", "name "},
        {"data list iris mnist", "iris: "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(run(rows[i][0]), 0);
        assert_memory_equal(out, rows[i][1], strlen(rows[i][1]));
        assert_string_equal(err, "");
    }
    assert_non_null(strstr(out, "\nmnist: "));
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip();
    assert_int_equal(run("help recipe >/dev/full"), 1);
    assert_string_equal(err, "perdure: standard output cannot be written: No space left on "
                             "device\n");
}

static void no_colour_reaches_a_file(void **state)
{
    (void)state;
    static const char *const rows[] = {"help", "help recipe", "data list", "methods"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(run(rows[i]), 0);
        assert_null(strchr(out, '\033'));
    }
}

/* Of the processor, for all programs that were run and have ended. */
static double seconds(void)
{
    struct rusage r;
    getrusage(RUSAGE_CHILDREN, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* The best of several starts, in time of the processor: the machine has other things to do,
 * and a start waits for nothing but files that are in memory the second time. */
static void it_starts_in_20_milliseconds(void **state)
{
    (void)state;
    double best = 1;
    if (IS_SANITIZED) skip();
    for (int i = 0; i < 30 && best > 0.02; i++) {
        double start = seconds();
        assert_int_equal(run("--version"), 0);
        double took = seconds() - start;
        if (took < best) best = took;
    }
    if (best > 0.02) fail_msg("%.1f ms", 1000 * best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_end_with_status_2_and_a_line),
        cmocka_unit_test(help_is_an_answer),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(no_colour_reaches_a_file),
        cmocka_unit_test(it_starts_in_20_milliseconds),
    };
    return cmocka_run_group_tests(tests, program_enter, program_leave);
}
