/* tool/lint_text.c -- rules that read lines: widths, blanks, purpose, forbidden texts. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lint.h"

/* What a file is decides which rules hold in it. */
typedef enum text_kind {
    TEXT_C,
    TEXT_CODE,  /* scripts, build files, recipes */
    TEXT_PROSE, /* pages: no width, no purpose line */
    TEXT_DATA   /* anything else: forbidden paths only */
} text_kind;

typedef struct text_line {
    const char *s;
    size_t n;
    int no;
} text_line;

static bool text_ends_in(const char *path, const char *const suffixes[])
{
    for (; *suffixes; suffixes++)
        if (lint_ends(path, *suffixes)) return true;
    return false;
}

static text_kind text_kind_of(const source *s)
{
    static const char *const code[] = {".sh",   "meson.build", "meson_options.txt",
                                       ".yaml", ".txt",        ".map",
                                       ".css",  ".js",         ".html",
                                       ".py",   ".awk",        NULL};
    static const char *const prose[] = {".md", NULL};
    if (lint_is_c(s->path)) return TEXT_C;
    if (text_ends_in(s->path, code) || lint_starts(s->text, "#!")) return TEXT_CODE;
    return text_ends_in(s->path, prose) ? TEXT_PROSE : TEXT_DATA;
}

/* ---- widths and blanks ----------------------------------------------------- */

/* Code points, so that a name in any script counts as a reader counts it. */
static int text_columns(const text_line *t)
{
    int columns = 0;
    for (size_t i = 0; i < t->n; i++) columns += ((unsigned char)t->s[i] & 0xC0) != 0x80;
    return columns;
}

static void text_layout(lint *l, const source *s, const text_line *t, text_kind kind)
{
    int columns = text_columns(t);
    if (memchr(t->s, '\t', t->n))
        lint_say(l, s->path, t->no, "tab", "a tab; indent with four spaces");
    if (t->n && isspace((unsigned char)t->s[t->n - 1]))
        lint_say(l, s->path, t->no, "trailing-blank", "blanks at the end of the line");
    if (kind != TEXT_PROSE && columns > LINE_CEILING)
        lint_say(l, s->path, t->no, "line-length", "%d columns; keep to %d", columns, LINE_CEILING);
}

/* ---- forbidden texts ------------------------------------------------------- */

static bool text_in_path(char ch)
{
    return isalnum((unsigned char)ch) || (ch && strchr("_./-}~", ch));
}

static const char *text_find(const char *from, const char *end, const char *needle)
{
    size_t n = strlen(needle);
    for (; from + n <= end; from++)
        if (!memcmp(from, needle, n)) return from;
    return NULL;
}

/* Whether a folder's name ends at p: before a slash or a full stop, not in "works" or "work.d". */
static bool text_ends_folder(const char *p, const char *end)
{
    if (p < end && *p == '.') return p + 1 == end || !isalnum((unsigned char)p[1]);
    return p == end || *p == '/' || !text_in_path(*p);
}

/* An absolute path into a folder of the root, not the middle of a longer path. */
static void text_machine_path(lint *l, const source *s, const text_line *t, const char *folder)
{
    const char *end = t->s + t->n, *p = t->s;
    for (; (p = text_find(p, end, folder)); p++) {
        bool absolute = p > t->s && p[-1] == '/' && (p == t->s + 1 || !text_in_path(p[-2]));
        if (absolute && text_ends_folder(p + strlen(folder), end))
            lint_say(l, s->path, t->no, "machine-path",
                     "an absolute path to one machine's %s folder", folder);
    }
}

/* Options that let the compiler change a value, and with it every promise. */
static void text_float_options(lint *l, const source *s, const text_line *t)
{
    static const char *const options[] = {"fast-math", "-Ofast", "unsafe-math", "associative-math",
                                          "FP_CONTRACT ON"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (text_find(t->s, t->s + t->n, options[i]))
            lint_say(l, s->path, t->no, "float-option", "'%s' lets the compiler change values",
                     options[i]);
}

void lint_todo(lint *l, const source *src, const char *s, size_t n, int line)
{
    static const char words[] = "TODO FIXME XXX";
    for (size_t i = 0; i < n;) {
        size_t from = i;
        while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_')) i++;
        bool marked = i > from && lint_listed(words, s + from, i - from);
        if (marked && !(i + 2 < n && s[i] == '(' && s[i + 1] == '#' && isdigit(s[i + 2])))
            lint_say(l, src->path, line, "todo", "a %.*s names its issue: %.*s(#12)",
                     (int)(i - from), s + from, (int)(i - from), s + from);
        if (i < n) line += s[i++] == '\n';
    }
}

/* ---- the purpose line ------------------------------------------------------ */

/* Under src/ and include/ the path from there, elsewhere any tail of it. */
static bool text_names_file(const char *path, const char *named, size_t n)
{
    size_t full = strlen(path);
    const char *from = lint_starts(path, "src/") ? path + 4 : path;
    if (lint_starts(path, "include/")) from = path + 8;
    if (n > full || memcmp(path + full - n, named, n) != 0) return false;
    if (from != path) return n == full || n == strlen(from);
    return n == full || path[full - n - 1] == '/';
}

static bool text_is_purpose(const source *s, const char *line, const char *open)
{
    const char *end = line + strcspn(line, "\n");
    const char *dash = text_find(line, end, " -- ");
    if (!lint_starts(line, open) || !dash) return false;
    const char *name = line + strlen(open);
    bool says = dash + 4 < end && dash[4] != '*';
    return says && name < dash && text_names_file(s->path, name, (size_t)(dash - name));
}

static void text_purpose(lint *l, const source *s, text_kind kind)
{
    const char *base = strrchr(s->path, '/') ? strrchr(s->path, '/') + 1 : s->path;
    if (kind == TEXT_C && !text_is_purpose(s, s->text, "/* "))
        lint_say(l, s->path, 1, "purpose", "the file begins '/* room/%s -- what it is for'", base);
    if (!lint_starts(s->text, "#!")) return;
    const char *second = s->text + strcspn(s->text, "\n");
    if (!text_is_purpose(s, second + (*second == '\n'), "# "))
        lint_say(l, s->path, 2, "purpose", "the second line is '# %s -- what it is for'", s->path);
}

/* ---- one file -------------------------------------------------------------- */

static void text_line_rules(lint *l, const source *s, const text_line *t, text_kind kind)
{
    text_machine_path(l, s, t, "tmp");
    text_machine_path(l, s, t, "work");
    if (kind == TEXT_DATA) return;
    text_layout(l, s, t, kind);
    if (kind != TEXT_PROSE) text_float_options(l, s, t);
    if (kind != TEXT_C) lint_todo(l, s, t->s, t->n, t->no);
}

static void text_size(lint *l, const source *s, int lines)
{
    if (lint_ends(s->path, "README.md") && lint_starts(s->path, "src/") && lines > README_CEILING)
        lint_say(l, s->path, README_CEILING + 1, "readme", "%d lines; keep to %d", lines,
                 README_CEILING);
    if (lines > FILE_CEILING)
        lint_say(l, s->path, FILE_CEILING + 1, "file-length", "%d lines; keep to %d", lines,
                 FILE_CEILING);
    else if (l->verbose && lines > FILE_SOFT)
        printf("%s:%d: note: %d lines; better under %d\n", s->path, FILE_SOFT + 1, lines,
               FILE_SOFT);
}

void lint_text(lint *l, const source *s)
{
    text_kind kind = text_kind_of(s);
    text_line t = {s->text, 0, 1};
    if (memchr(s->text, 0, s->size)) return; /* not a text */
    text_purpose(l, s, kind);
    for (const char *end = s->text + s->size; t.s < end; t.s += t.n + 1, t.no++) {
        t.n = strcspn(t.s, "\n");
        text_line_rules(l, s, &t, kind);
    }
    if (kind != TEXT_DATA) text_size(l, s, t.no - 1);
}
