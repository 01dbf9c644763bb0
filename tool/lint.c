/* tool/lint.c -- the house style, as a program.
 *
 *     lint [-v] TREE
 *
 * Reads every source file, script and page under TREE and prints one line a
 * finding, "file:line: rule: what is wrong and what would be right".  The rules
 * are listed in tool/README.md; a rule that cannot hold in some file is
 * excepted, with the reason, in TREE/tool/lint-exceptions.txt.  Exit status: 0
 * clean, 1 findings, 2 the tree could not be read.  -v adds soft warnings. */
#include "lint.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXCEPTIONS "tool/lint-exceptions.txt"

/* ---- small helpers --------------------------------------------------------- */

static void lint_die(const char *what, const char *about)
{
    fprintf(stderr, "lint: %s: %s\n", about, what);
    exit(2);
}

void *lint_grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return array;
    *cap = *cap ? *cap * 2 : 64;
    void *p = realloc(array, *cap * size);
    if (!p) lint_die("out of memory", "array");
    return p;
}

char *lint_copy(const char *s, size_t n)
{
    size_t cap = 0;
    char *copy = lint_grow(NULL, 0, &cap, n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

bool lint_listed(const char *list, const char *s, size_t n)
{
    for (; *list; list += strspn(list, " ")) {
        size_t word = strcspn(list, " ");
        if (word == n && !memcmp(list, s, n)) return true;
        list += word;
    }
    return false;
}

bool lint_is(const token *t, const char *text)
{
    return t->n == strlen(text) && !memcmp(t->s, text, t->n);
}

bool lint_starts(const char *s, const char *prefix) { return !strncmp(s, prefix, strlen(prefix)); }

bool lint_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && !memcmp(s + n - m, suffix, m);
}

bool lint_is_c(const char *path)
{
    return lint_ends(path, ".c") || lint_ends(path, ".h") || lint_ends(path, ".def") ||
           lint_ends(path, ".inc");
}

/* ---- findings and exceptions ----------------------------------------------- */

static bool lint_excepted(lint *l, const char *path, const char *rule)
{
    bool found = false;
    for (size_t i = 0; i < l->n_exceptions; i++) {
        exception *e = &l->exceptions[i];
        if (strcmp(e->path, path) != 0 || strcmp(e->rule, rule) != 0) continue;
        e->used = found = true;
    }
    return found;
}

void lint_say(lint *l, const char *path, int line, const char *rule, const char *fmt, ...)
{
    if (lint_excepted(l, path, rule)) return;
    va_list ap;
    va_start(ap, fmt);
    printf("%s:%d: %s: ", path, line, rule);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    l->findings++;
}

/* One line, n bytes: "path: rule: reason". */
static void lint_read_exception(lint *l, const char *s, size_t n, int line)
{
    const char *rule = memchr(s, ':', n);
    const char *reason = rule ? memchr(rule + 1, ':', n - (size_t)(rule + 1 - s)) : NULL;
    if (n == 0 || *s == '#') return;
    if (!reason || rule[1] != ' ' || reason[1] != ' ' || reason + 2 >= s + n) {
        lint_say(l, EXCEPTIONS, line, "exception", "an exception is 'path: rule: reason'");
        return;
    }
    l->exceptions = lint_grow(l->exceptions, l->n_exceptions, &l->cap_exceptions,
                              sizeof *l->exceptions);
    l->exceptions[l->n_exceptions++] = (exception){lint_copy(s, (size_t)(rule - s)),
                                                   lint_copy(rule + 2, (size_t)(reason - rule - 2)),
                                                   line, false};
}

static void lint_read_exceptions(lint *l, const char *text)
{
    for (int line = 1; *text; line++) {
        size_t n = strcspn(text, "\n");
        lint_read_exception(l, text, n, line);
        text += n + (text[n] == '\n');
    }
}

static void lint_check_exceptions(lint *l)
{
    for (size_t i = 0; i < l->n_exceptions; i++) {
        const exception *e = &l->exceptions[i];
        if (!e->used)
            lint_say(l, EXCEPTIONS, e->line, "exception", "unused: '%s' holds in %s; remove this",
                     e->rule, e->path);
    }
}

/* ---- the tree -------------------------------------------------------------- */

static char *lint_join(const char *folder, const char *name)
{
    size_t cap = 0, n = strlen(folder) + strlen(name) + 2;
    char *path = lint_grow(NULL, 0, &cap, n);
    snprintf(path, n, "%s%s%s", folder, *folder ? "/" : "", name);
    return path;
}

/* The whole file with a NUL behind it; NULL when it cannot be read. */
static char *lint_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t cap = 0, n = 0;
    if (!f) return NULL;
    do {
        text = lint_grow(text, n, &cap, 1);
        n += fread(text + n, 1, cap - n, f);
    } while (n == cap);
    bool failed = ferror(f) != 0;
    fclose(f);
    text[n] = 0;
    *size = n;
    if (failed) free(text);
    return failed ? NULL : text;
}

static void lint_file(lint *l, const char *path)
{
    source s = {.path = path};
    char *full = lint_join(l->root, path);
    s.text = lint_read(full, &s.size);
    if (!s.text) lint_die("cannot be read", full);
    l->files++;
    lint_text(l, &s);
    if (lint_is_c(path)) {
        lint_scan(&s);
        lint_room(l, &s);
        lint_code(l, &s);
        lint_functions(l, &s);
    }
    free(s.tokens);
    free(s.text);
    free(full);
}

/* What is not the project's text: outputs, tools' own folders, and the samples
 * that are wrong on purpose or by chance. */
static bool lint_skips(const char *folder, const char *name)
{
    bool dot = name[0] == '.' && !lint_listed(".ci .clang-format .gitignore", name, strlen(name));
    bool output = !*folder && lint_starts(name, "out");
    bool sample = (!strcmp(folder, "test/lint") && strcmp(name, "run") != 0) ||
                  (!strcmp(folder, "test/fuzz") && !strcmp(name, "corpus"));
    return dot || sample || (output && !strchr(name, '.'));
}

static bool lint_is_build(const char *full)
{
    struct stat st;
    char *mark = lint_join(full, "meson-private");
    bool is = lstat(mark, &st) == 0;
    free(mark);
    return is;
}

static void lint_folder(lint *l, const char *folder);

/* True when the entry is a file. */
static bool lint_entry(lint *l, const char *folder, const char *name)
{
    struct stat st;
    char *path = lint_join(folder, name), *full = lint_join(l->root, path);
    bool known = !lint_skips(folder, name) && lstat(full, &st) == 0;
    bool file = known && S_ISREG(st.st_mode);
    if (known && S_ISDIR(st.st_mode) && !lint_is_build(full)) lint_folder(l, path);
    if (file && strcmp(path, EXCEPTIONS) != 0) lint_file(l, path);
    free(path);
    free(full);
    return file;
}

static void lint_no_readme(lint *l, const char *folder)
{
    char *path = lint_join(folder, "README.md");
    lint_say(l, path, 1, "readme", "missing; it says what the room owns, promises, where to start");
    free(path);
}

static void lint_folder(lint *l, const char *folder)
{
    struct dirent **entries;
    char *full = lint_join(l->root, folder);
    bool readme = false, files = false;
    int n = scandir(full, &entries, NULL, alphasort);
    if (n < 0) lint_die("cannot be read", full);
    for (int i = 0; i < n; i++) {
        files |= lint_entry(l, folder, entries[i]->d_name);
        readme |= !strcmp(entries[i]->d_name, "README.md");
        free(entries[i]);
    }
    if (files && !readme && lint_starts(folder, "src/")) lint_no_readme(l, folder);
    free(entries);
    free(full);
}

/* ---- the figures ----------------------------------------------------------- */

static int lint_by_length(const void *a, const void *b)
{
    return ((const length *)a)->lines - ((const length *)b)->lines;
}

static void lint_figures(lint *l)
{
    if (l->n_lengths == 0) return;
    qsort(l->lengths, l->n_lengths, sizeof *l->lengths, lint_by_length);
    int median = l->lengths[l->n_lengths / 2].lines;
    const length *longest = &l->lengths[l->n_lengths - 1];
    printf("lint: %d files, %zu functions, median %d lines, longest %d (%s:%d: %s)\n", l->files,
           l->n_lengths, median, longest->lines, longest->path, longest->at, longest->name);
    if (median > MEDIAN_CEILING)
        lint_say(l, longest->path, longest->at, "function-median",
                 "the project's median function has %d lines; keep to %d", median, MEDIAN_CEILING);
}

static void lint_close(lint *l)
{
    for (size_t i = 0; i < l->n_exceptions; i++) {
        free(l->exceptions[i].path);
        free(l->exceptions[i].rule);
    }
    for (size_t i = 0; i < l->n_lengths; i++) {
        free(l->lengths[i].path);
        free(l->lengths[i].name);
    }
    free(l->exceptions);
    free(l->lengths);
}

int main(int argc, char **argv)
{
    lint l = {.verbose = argc == 3 && !strcmp(argv[1], "-v")};
    if (argc != 2 + l.verbose) lint_die("usage: lint [-v] TREE", "one tree to read");
    l.root = argv[argc - 1];
    size_t size = 0;
    char *path = lint_join(l.root, EXCEPTIONS), *text = lint_read(path, &size);
    if (text) lint_read_exceptions(&l, text);
    lint_folder(&l, "");
    lint_check_exceptions(&l);
    lint_figures(&l);
    int status = l.findings > 0;
    free(text);
    free(path);
    lint_close(&l);
    return status;
}
