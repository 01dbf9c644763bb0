/* test_cli.c -- the parts of the program: arguments, tables, progress, help. */
#include <math.h>
#include <perdure/rng.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/help.h"
#include "cli/machine.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "cli/table.h"
#include "recipe/recipe.h"
#include "recipe_kinds.h"
#include "t.h"

/* ---- arguments -------------------------------------------------------------- */

static const pdi_flag flags[] = {
    {"seed", "N", "the seed"},
    {"seeds", "A..B", "several seeds"},
    {"set", "PATH=VALUE", "change"},
    {"quiet", NULL, "say less"},
    {"man", NULL, NULL},
    PDI_FLAG_END,
};

/* Parse words parted by spaces. */
static pdr_rc parse(const pdr_alloc *alloc, const char *line, pdi_args *out, pdr_error *err)
{
    static char words[512];
    const char *argv[32];
    int argc = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *s = words; *s; argc++) {
        argv[argc] = s;
        s += strcspn(s, " ");
        if (*s) *s++ = 0;
    }
    return pdi_args_parse(alloc, flags, argc, argv, out, err);
}

static void flags_and_operands_come_in_any_order(void **state)
{
    (void)state;
    pdi_args a;
    pdr_error err = PDR_NO_ERROR;
    const char *line = "x.yaml --seed 3 --set a=1 --quiet y --set=b=2 --seed=-4 - -- --seed -z";
    assert_int_equal(parse(NULL, line, &a, &err), PDR_OK);
    static const char *const operands[] = {"x.yaml", "y", "-", "--seed", "-z"};
    assert_int_equal(a.operands, COUNT(operands));
    for (size_t i = 0; i < COUNT(operands); i++) assert_string_equal(a.operand[i], operands[i]);
    assert_string_equal(pdi_args_get(&a, "seed"), "-4");
    assert_string_equal(pdi_args_get(&a, "quiet"), "");
    assert_null(pdi_args_get(&a, "seeds"));
    size_t at = 0;
    assert_string_equal(pdi_args_next(&a, "set", &at), "a=1");
    assert_string_equal(pdi_args_next(&a, "set", &at), "b=2");
    assert_null(pdi_args_next(&a, "set", &at));
    pdi_args_close(&a);
}

static void wrong_flags_are_explained(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"--sed 3", "--sed: there is no such option; did you mean '--seed'?"},
        {"--seed=3 --qiet", "--qiet: there is no such option; did you mean '--quiet'?"},
        {"--colours", "--colours: there is no such option; see --help"},
        {"--men", "--men: there is no such option; see --help"},
        {"--=3", "--: there is no such option; see --help"},
        {"--seed", "--seed: the value is missing; give --seed N"},
        {"--seed --quiet", "--seed: the value is missing; give --seed N"},
        {"--quiet=yes", "--quiet: the option takes no value"},
        {"-q", "-q: options begin with two dashes; see --help, or write -- before a name that "
               "begins with a dash"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_args a;
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(parse(NULL, rows[i][0], &a, &err), PDR_USAGE);
        assert_string_equal(err.text, rows[i][1]);
        assert_null(a.operand);
    }
}

static void numbers_of_flags_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t from, to; /* 9, 9 when refused or not given */
        bool is_right;
    } rows[] = {
        {"--seeds 1..3", 1, 3, true},
        {"--seeds 7", 7, 7, true},
        {"--quiet", 9, 9, true},
        {"--seeds 3..1", 9, 9, false},
        {"--seeds 1..101", 9, 9, false},
        {"--seeds 1...3", 9, 9, false},
        {"--seeds 1..", 9, 9, false},
        {"--seeds x", 9, 9, false},
        {"--seeds -1", 9, 9, false},
        {"--seeds=", 9, 9, false},
        {"--seeds 99999999999999999999", 9, 9, false},
        {"--seeds 1..18446744073709551617", 9, 9, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_args a;
        pdr_error err = PDR_NO_ERROR;
        uint64_t from = 9, to = 9;
        assert_int_equal(parse(NULL, rows[i].line, &a, &err), PDR_OK);
        pdr_rc rc = pdi_args_range(&a, "seeds", 0, 100, &from, &to, &err);
        assert_int_equal(rc, rows[i].is_right ? PDR_OK : PDR_USAGE);
        assert_true(from == rows[i].from && to == rows[i].to);
        assert_true(rc == PDR_OK || strstr(err.text, "give A..B, whole numbers from 0 to 100"));
        pdi_args_close(&a);
    }
    pdi_args a;
    pdr_error err = PDR_NO_ERROR;
    uint64_t n = 9;
    parse(NULL, "--seed 12 --seeds 12x one two", &a, &err);
    assert_int_equal(pdi_args_count(&a, "seed", 0, 12, &n, &err), PDR_OK);
    assert_int_equal(n, 12);
    assert_int_equal(pdi_args_count(&a, "seeds", 0, 12, &n, &err), PDR_USAGE);
    assert_string_equal(err.text, "--seeds: '12x' is not usable; give a whole number from 0 to 12");
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdi_args_operands(&a, 1, 2, "RECIPE", &err), PDR_OK);
    assert_int_equal(pdi_args_operands(&a, 0, 1, "RECIPE", &err), PDR_USAGE);
    assert_string_equal(err.text, "'two' is one operand too many; see --help");
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdi_args_operands(&a, 3, 4, "RECIPE", &err), PDR_USAGE);
    assert_string_equal(err.text, "RECIPE is missing; see --help");
    pdi_args_close(&a);
}

/* ---- tables ----------------------------------------------------------------- */

static void same_text(pdi_text *t, const char *want)
{
    assert_false(t->failed);
    assert_string_equal(t->s, want);
    pdi_text_close(t);
}

static void columns_are_aligned_by_characters(void **state)
{
    (void)state;
    pdi_text out = {0};
    pdi_table t = {.align = "lrw"};
    static const char *const cells[] = {"caf\xC3\xA9", "1", "black", "tea", "10", ""};
    for (size_t i = 0; i < COUNT(cells); i++) pdi_table_add(&t, "%s", cells[i]);
    pdi_table_write(&t, "  ", 40, &out);
    same_text(&out, "  caf\xC3\xA9   1  black\n  tea   10\n");
}

static void long_cells_wrap_beside_or_below(void **state)
{
    (void)state;
    static const char words[] = "one two three four five six seven eight nine ten";
    pdi_text out = {0};
    pdi_table t = {.align = "lw"};
    pdi_table_add(&t, "name");
    pdi_table_add(&t, "%s", words);
    pdi_table_write(&t, "", 36, &out);
    same_text(&out, "name  one two three four five six\n      seven eight nine ten\n");
    pdi_table_add(&t, "name-name-name");
    pdi_table_add(&t, "%s", words);
    pdi_table_write(&t, "", 36, &out);
    same_text(&out, "name-name-name\n    one two three four five six\n    seven eight nine ten\n");
    pdi_table_wrap("a-word-that-is-longer-than-its-line b", 0, 30, &out);
    same_text(&out, "a-word-that-is-longer-than-its-line\nb");
}

/* ---- progress --------------------------------------------------------------- */

static const pdi_progress half = {
    .metric = "accuracy",
    .now = {.task = 1,
            .tasks = 5,
            .iteration = 4300,
            .iterations = 10000,
            .examples = 550400,
            .loss = 0.12345,
            .average = 0.9123},
    .rate = 12345,
};

static void the_live_line_fits_its_width(void **state)
{
    (void)state;
    static const struct {
        size_t width;
        const char *want;
    } rows[] = {
        {8, "task 2/5"}, /* less than that cannot be said */
        {20, "task 2/5   43%"},
        {40, "task 2/5  ####------   43%  0:58 left"},
        {80, "task 2/5  ###------   43%  12.3k ex/s  loss 0.1235  accuracy 91.2%  0:58 left"},
        {200, "task 2/5  #################-----------------------   43%  12.3k ex/s  loss 0.1235  "
              "accuracy 91.2%  0:58 left"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_text out = {0};
        pdi_progress_line(&half, 43, rows[i].width, &out);
        same_text(&out, rows[i].want);
    }
}

#define FULL "\xE2\x96\x88"

static void the_live_line_shows_what_is_known(void **state)
{
    (void)state;
    pdi_text out = {0};
    pdi_progress p = {.label = "er, seed 2", .now = {.tasks = 3, .loss = NAN, .average = NAN}};
    pdi_progress_line(&p, 0, 60, &out);
    same_text(&out, "er, seed 2  task 1/3  -----------------------------    0%");
    p = half;
    p.metric = "r2";
    p.is_unicode = p.is_coloured = true;
    p.now.iteration = p.now.iterations + 1;
    p.now.loss = 1234567;
    pdi_progress_line(&p, 43, 77, &out);
    same_text(&out, "task 2/5  \033[32m" FULL FULL FULL FULL FULL FULL FULL FULL FULL
                    "\033[0m  100%  12.3k ex/s  loss 1.235e+06  r2 0.912  0:00 left");
}

static void no_numbers_break_the_live_line(void **state)
{
    (void)state;
    pdr_rng g = {.seed = 5, .stream = PDR_STREAM_TEST};
    static const double odd[] = {0, -1, 1e300, 0.5, 1e-9};
    for (int i = 0; i < 20000; i++) {
        pdi_text out = {0};
        size_t width = pdr_rng_below(&g, 220);
        pdi_progress p = {.metric = "accuracy", .is_unicode = true};
        p.now.task = (int32_t)pdr_rng_below(&g, 1000);
        p.now.tasks = (int32_t)pdr_rng_below(&g, 1000);
        p.now.iteration = pdr_rng_u32(&g) >> pdr_rng_below(&g, 32);
        p.now.iterations = pdr_rng_u32(&g) >> pdr_rng_below(&g, 32);
        p.label = pdr_rng_below(&g, 2) ? "a label" : NULL;
        p.now.loss = odd[pdr_rng_below(&g, COUNT(odd))];
        p.now.average = odd[pdr_rng_below(&g, COUNT(odd))];
        p.rate = odd[pdr_rng_below(&g, COUNT(odd))];
        pdi_progress_line(&p, odd[pdr_rng_below(&g, COUNT(odd))], width, &out);
        size_t n = pdi_utf8_length(out.s), least = 14; /* "task 1000/999" */
        assert_true(n < least || n + 3 <= width);
        pdi_text_close(&out);
    }
}

static void times_and_numbers_are_short(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *want;
    } times[] = {{0, "0:00"},        {59.9, "0:59"}, {754, "12:34"},
                 {10800, "3:00:00"}, {-5, "0:00"},   {1e300, "0:00"}};
    static const struct {
        double x;
        const char *want;
    } numbers[] = {{0, "0"},        {950.4, "950"},    {999.6, "1.00k"}, {12345, "12.3k"},
                   {99960, "100k"}, {4.56e6, "4.56M"}, {2e9, "2.00G"},   {1e300, "999999T"}};
    char text[24];
    for (size_t i = 0; i < COUNT(times); i++) {
        pdi_progress_time(times[i].seconds, text);
        assert_string_equal(text, times[i].want);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        pdi_progress_number(numbers[i].x, text);
        assert_string_equal(text, numbers[i].want);
    }
}

static void without_a_terminal_only_tasks_are_told(void **state)
{
    (void)state;
    char text[256];
    FILE *f = tmpfile();
    pdi_progress p = half;
    pdi_progress_start(&p, f);
    for (int i = 0; i < 1000; i++) pdi_progress_step(&p);
    pdi_progress_task_done(&p, "task 2: Coat, Bag", 4.25);
    p.now.loss = p.now.average = NAN;
    pdi_progress_task_done(&p, "task 3", 12);
    pdi_progress_stop(&p);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_string_equal(text, "task 2: Coat, Bag: 4.2 s, loss 0.1235, accuracy 91.2%\n"
                              "task 3: 12.0 s\n");
}

/* The bar is taken away before a note, and is there again below it. */
static void a_note_is_a_line_of_its_own(void **state)
{
    (void)state;
    char text[2000];
    FILE *f = tmpfile();
    pdi_progress p = half;
    pdi_progress_start(&p, f);
    pdi_progress_note(&p, "er forgets");
    p.is_live = true;
    pdi_progress_note(&p, "er remembers");
    p.is_live = false;
    pdi_progress_stop(&p);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    const char *want = "note: er forgets\n\r\033[Knote: er remembers\n\r";
    assert_memory_equal(text, want, strlen(want));
    assert_non_null(strstr(text + strlen(want), " left"));
    assert_memory_equal(text + strlen(text) - 3, "\033[K", 3);
}

/* ---- the machine, signals --------------------------------------------------- */

static void the_machine_is_described_in_a_line(void **state)
{
    (void)state;
    char text[256], small[8];
    pdi_machine_describe(text, sizeof text);
    assert_non_null(strstr(text, " core"));
    assert_null(strchr(text, '\n'));
    pdi_machine_describe(small, sizeof small);
    assert_memory_equal(small, text, 7);
    assert_true(pdi_machine_cores() >= 1);
    assert_true(pdi_machine_peak_memory() > 1u << 20);
    double before = pdi_machine_seconds();
    assert_true(pdi_machine_seconds() >= before);
}

/* How a child that gets n signals ends: its exit status, or minus the signal. */
static int child_with_signals(int n, int first, int second)
{
    pid_t child = fork();
    if (child == 0) {
        pdi_stop_catch();
        if (n > 0) raise(first);
        if (n > 1) raise(second);
        _exit(pdi_stop_wanted() ? 7 : 8);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_first_signal_asks_and_the_second_kills(void **state)
{
    (void)state;
    assert_int_equal(child_with_signals(0, 0, 0), 8);
    assert_int_equal(child_with_signals(1, SIGINT, 0), 7);
    assert_int_equal(child_with_signals(1, SIGTERM, 0), 7);
    assert_int_equal(child_with_signals(2, SIGINT, SIGINT), -SIGINT);
    assert_int_equal(child_with_signals(2, SIGINT, SIGTERM), -SIGTERM);
}

/* ---- help ------------------------------------------------------------------- */

static void a_kind_is_explained(void **state)
{
    (void)state;
    pdi_text out = {0};
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_explain_name(kinds_at, "er", 80, &out, &err), PDR_OK);
    same_text(&out,
              "er (method): Experience replay\n"
              "\n"
              "  L = L_new + lambda L_memory\n"
              "\n"
              "  source  Chaudhry et al. 2019\n"
              "  cost    twice the time of plain training\n"
              "\n"
              "  option    type    default    range      meaning\n"
              "  memory    count   200        1 to 1e9   examples kept\n"
              "  lambda    number  0.5        0 to 1e12  weight of the replayed loss\n"
              "  balanced  flag    true                  as many of every class\n"
              "  policy    choice  reservoir             which examples stay; one of reservoir,\n"
              "                                          ring\n"
              "  note      text    none                  anything\n");
    assert_int_equal(pdi_explain_name(kinds_at, "relu", 80, &out, &err), PDR_OK);
    same_text(&out, "relu (layer): Rectifier\n\n  It has no options.\n");
    assert_int_equal(pdi_explain_name(kinds_at, "rellu", 80, &out, &err), PDR_USAGE);
    assert_string_equal(err.text,
                        "there is no method, optimizer or layer 'rellu'; did you mean 'relu'?");
    pdi_text_close(&out);
}

static void every_kind_is_listed_in_its_group(void **state)
{
    (void)state;
    pdi_text out = {0};
    pdi_explain_list(kinds_at, 80, &out);
    same_text(&out, "methods\n"
                    "  finetune  Plain training\n"
                    "  er        Experience replay\n"
                    "\n"
                    "optimizers\n"
                    "  sgd   Stochastic gradient descent\n"
                    "  adam  Adam\n"
                    "\n"
                    "layers\n"
                    "  dense    Fully connected\n"
                    "  relu     Rectifier\n"
                    "  flatten  Flatten\n"
                    "\n"
                    "'perdure methods NAME' explains one.\n");
}

static void must_have_item(const pdi_text *manual, const char *term)
{
    char line[128];
    size_t n = (size_t)snprintf(line, sizeof line, ".B ");
    for (; *term; term++)
        n += (size_t)snprintf(line + n, sizeof line - n, *term == '-' ? "\\-" : "%c", *term);
    snprintf(line + n, sizeof line - n, "\n");
    if (!strstr(manual->s, line)) fail_msg("the manual lacks %s", line);
}

static void the_manual_has_every_command_and_key(void **state)
{
    (void)state;
    pdi_text out = {0};
    const pdi_command *c;
    static const pdr_option *const tables[] = {pdr_data_option_table, pdr_scenario_option_table,
                                               pdr_episode_option_table, pdr_training_option_table};
    pdi_help_manual(&out);
    for (size_t i = 0; (c = pdi_command_at(i)) != NULL; i++) {
        char usage[128];
        snprintf(usage, sizeof usage, "\nperdure %s ", c->name);
        assert_non_null(strstr(out.s, usage));
        for (const pdi_flag *f = c->flags; f->name; f++) {
            snprintf(usage, sizeof usage, "--%s%s%s", f->name, f->value ? " " : "",
                     f->value ? f->value : "");
            if (f->help) must_have_item(&out, usage);
        }
    }
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const pdr_option *row = tables[i]; row->name; row++) must_have_item(&out, row->name);
    assert_null(strstr(out.s, "--")); /* man(7) writes \-\- */
    pdi_text_close(&out);
}

/* The lines of help between two headings, without their indent. */
static void cut(const char *text, const char *from, const char *to, char *out, size_t size)
{
    const char *s = strstr(text, from), *end = s ? strstr(s, to) : NULL;
    assert_true(s && end);
    size_t n = 0;
    for (s += strlen(from); s < end; s++) {
        if (s[-1] == '\n' && !strncmp(s, "  ", 2)) s += 2;
        assert_true(n + 1 < size);
        out[n++] = *s;
    }
    out[n] = 0;
}

static void the_recipe_in_the_help_is_one(void **state)
{
    (void)state;
    char text[1024];
    pdi_text out = {0};
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    pdi_help_recipe(80, &out);
    cut(out.s, "\nexample\n", "\n\ndata\n", text, sizeof text);
    if (pdi_recipe_parse(NULL, "help", text, strlen(text), 0, NULL, kinds_find, kinds_at, &r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(r.layers, 2);
    pdr_recipe_close(&r);
    pdi_text_close(&out);
}

static void help_keeps_to_the_width(void **state)
{
    (void)state;
    for (size_t width = 70; width <= 120; width += 10) {
        pdi_text out = {0};
        const pdi_command *c;
        pdi_help_program(width, &out);
        pdi_help_recipe(width, &out);
        pdi_explain_list(kinds_at, width, &out);
        for (size_t i = 0; (c = pdi_command_at(i)) != NULL; i++) pdi_help_command(c, width, &out);
        for (const char *s = out.s; *s; s += strcspn(s, "\n") + 1)
            if (strcspn(s, "\n") > width) fail_msg("%zu: %.100s", width, s);
        pdi_text_close(&out);
    }
}

/* ---- memory ----------------------------------------------------------------- */

static void *limited(void *ctx, void *old, size_t size)
{
    long *left = ctx;
    if (size && (*left)-- <= 0) return NULL;
    return pdi_malloc.fn(NULL, old, size);
}

static void refused_memory_is_survived(void **state)
{
    (void)state;
    long failures = 0;
    for (long n = 0; n < 400; n++) {
        long left = n;
        const pdr_alloc a = {limited, &left};
        pdi_text out = {.alloc = &a};
        pdr_error err = PDR_NO_ERROR;
        pdi_args args;
        pdi_help_manual(&out);
        pdi_help_recipe(80, &out);
        pdi_explain_list(kinds_at, 80, &out);
        pdi_explain_name(kinds_at, "er", 80, &out, &err);
        pdi_progress_line(&half, 43, 80, &out);
        failures += out.failed;
        assert_true(out.failed || n > 10);
        pdi_text_close(&out);
        if (parse(&a, "x --seed 3", &args, &err)) assert_int_equal(err.rc, PDR_NOMEM);
        pdi_args_close(&args);
    }
    assert_true(failures > 50 && failures < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_operands_come_in_any_order),
        cmocka_unit_test(wrong_flags_are_explained),
        cmocka_unit_test(numbers_of_flags_are_checked),
        cmocka_unit_test(columns_are_aligned_by_characters),
        cmocka_unit_test(long_cells_wrap_beside_or_below),
        cmocka_unit_test(the_live_line_fits_its_width),
        cmocka_unit_test(the_live_line_shows_what_is_known),
        cmocka_unit_test(no_numbers_break_the_live_line),
        cmocka_unit_test(times_and_numbers_are_short),
        cmocka_unit_test(without_a_terminal_only_tasks_are_told),
        cmocka_unit_test(a_note_is_a_line_of_its_own),
        cmocka_unit_test(the_machine_is_described_in_a_line),
        cmocka_unit_test(the_first_signal_asks_and_the_second_kills),
        cmocka_unit_test(a_kind_is_explained),
        cmocka_unit_test(every_kind_is_listed_in_its_group),
        cmocka_unit_test(the_manual_has_every_command_and_key),
        cmocka_unit_test(the_recipe_in_the_help_is_one),
        cmocka_unit_test(help_keeps_to_the_width),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
