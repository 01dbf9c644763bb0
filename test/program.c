/* program.c -- running the program in a folder of its own. */
#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

char folder[] = "perdure-program-XXXXXX", out[PROGRAM_TEXT], err[PROGRAM_TEXT];

int program_enter(void **state)
{
    (void)state;
    return !getenv("PERDURE_PROGRAM") || !mkdtemp(folder);
}

int program_leave(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

const char *at(const char *name)
{
    static char path[8][512];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

void put_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

void put_text(const char *name, const char *text) { put_bytes(name, text, strlen(text)); }

void get_text(const char *name, char text[PROGRAM_TEXT])
{
    FILE *f = fopen(at(name), "r");
    assert_non_null(f);
    text[fread(text, 1, PROGRAM_TEXT - 1, f)] = 0;
    fclose(f);
}

int is_there(const char *name) { return access(at(name), F_OK) == 0; }

int run(const char *arguments)
{
    char command[2048];
    /* A redirection among the arguments comes later and wins. */
    snprintf(command, sizeof command, ">%s/out 2>%s/err \"$PERDURE_PROGRAM\" %s", folder, folder,
             arguments);
    int status = system(command);
    get_text("out", out);
    get_text("err", err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void runf(int status, const char *fmt, ...)
{
    char arguments[1500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, ap);
    va_end(ap);
    int got = run(arguments);
    if (got != status) fail_msg("%s: exit status %d: %s", arguments, got, err);
}
