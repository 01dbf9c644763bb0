/* test_readme.c -- the README's transcript, command by command, on small images made here. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "t.h"

enum { SIDE = 28, CLASSES = 10, TRAIN = 600, TEST = 100, SCRIPT = 1 << 16 };

static char script[SCRIPT];

static unsigned char *put_number(unsigned char *at, unsigned n)
{
    for (int k = 3; k >= 0; k--) *at++ = (unsigned char)(n >> 8 * k);
    return at;
}

/* n images and labels as the true set has them; a kind of clothing is a bright bar of its own,
 * with some noise. */
static void put_set(const char *part, int n)
{
    static unsigned char images[16 + TRAIN * SIDE * SIDE], labels[8 + TRAIN];
    char name[80];
    unsigned seed = 7;
    unsigned char *x = images, *y = labels;
    x = put_number(put_number(put_number(put_number(x, 0x803), (unsigned)n), SIDE), SIDE);
    y = put_number(put_number(y, 0x801), (unsigned)n);
    for (int i = 0; i < n; i++) {
        int c = i * 7 % CLASSES;
        *y++ = (unsigned char)c;
        for (int k = 0; k < SIDE * SIDE; k++) {
            seed = seed * 1103515245u + 12345u;
            bool on = c < 5 ? k / SIDE / 5 == c : k % SIDE / 5 == c - 5;
            *x++ = (unsigned char)((on ? 180 : 20) + (seed >> 16) % 60);
        }
    }
    snprintf(name, sizeof name, "fashion-mnist/%s-images-idx3-ubyte", part);
    put_bytes(name, images, (size_t)(x - images));
    snprintf(name, sizeof name, "fashion-mnist/%s-labels-idx1-ubyte", part);
    put_bytes(name, labels, (size_t)(y - labels));
}

/* What stands after "$ " in console blocks, each with a line before it that shows it; and after
 * it the learner's state. */
static int get_commands(void)
{
    static char line[4096];
    int n = 0, inside = 0;
    FILE *f = fopen(getenv("PERDURE_README"), "r");
    assert_non_null(f);
    size_t at = (size_t)snprintf(script, sizeof script,
                                 "set -e\nperdure() { \"$PERDURE_PROGRAM\" \"$@\"; }\n");
    while (fgets(line, sizeof line, f)) {
        if (!strcmp(line, "```console\n")) inside = 1;
        if (!strcmp(line, "```\n")) inside = 0;
        if (!inside || strncmp(line, "$ ", 2)) continue;
        at += (size_t)snprintf(script + at, sizeof script - at,
                               "cat <<'EOF'\n%sEOF\n%s"
                               "\"$PERDURE_PROGRAM\" show clothes.perdure --json | grep hash\n",
                               line, line + 2);
        n++;
    }
    fclose(f);
    return n;
}

/* The accuracy, or the state, that is printed next after `where`. */
static double get_accuracy(const char *where)
{
    const char *p = where ? strstr(where, "\naccuracy  ") : NULL;
    assert_non_null(p);
    return strtod(p + 11, NULL);
}

static const char *get_state(const char *where)
{
    const char *p = where ? strstr(where, "\"state_hash\"") : NULL;
    assert_non_null(p);
    return p;
}

static void its_commands_do_what_it_says(void **state)
{
    (void)state;
    static char said[PROGRAM_TEXT];
    char command[1200], recipes[600];
    mkdir(at("fashion-mnist"), 0700);
    put_set("train", TRAIN);
    put_set("t10k", TEST);
    assert_true(get_commands() >= 10);
    put_text("script", script);
    snprintf(recipes, sizeof recipes, "%s/recipes", folder);
    assert_int_equal(symlink(getenv("PERDURE_RECIPES"), recipes), 0);
    snprintf(command, sizeof command, "cd %s && PERDURE_DATA=. sh script >said 2>&1", folder);
    int status = system(command);
    get_text("said", said);
    if (status) fail_msg("%s", said);
    const char *adapt = strstr(said, "$ perdure adapt");
    const char *snapshot = strstr(said, "$ perdure snapshot");
    const char *rollback = strstr(said, "$ perdure rollback");
    assert_non_null(adapt);
    assert_true(get_accuracy(strstr(adapt, "$ perdure eval")) > 0.5);
    assert_true(get_accuracy(strstr(strstr(adapt, "$ perdure eval") + 1, "$ perdure eval")) > 0.7);
    assert_memory_equal(get_state(snapshot), get_state(rollback), 33);
    assert_memory_not_equal(get_state(adapt), get_state(rollback), 33);
    assert_non_null(strstr(adapt, "adapted to 5 examples; 9 classes"));
    assert_non_null(strstr(rollback, "rollback before-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_commands_do_what_it_says),
    };
    return cmocka_run_group_tests(tests, program_enter, program_leave);
}
