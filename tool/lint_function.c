/* tool/lint_function.c -- rules about definitions: lengths and names.
 *
 * Not a parser.  Outside braces a C file is a row of declarations; one that
 * has ')' before its '{' and no '=' defines a function.  Directives are left
 * out, and the branches of an #if all start at the depth of the first. */
#include <ctype.h>
#include <string.h>

#include "lint.h"

enum { FUNCTION_TOKENS = 4096, FUNCTION_NESTED = 64 };

typedef struct walk {
    lint *l;
    const source *s;
    const token *t[FUNCTION_TOKENS]; /* the declaration so far, without what is in braces */
    size_t n;
    int depth;                  /* of braces */
    const token *name;          /* of the function whose body we are in, or NULL */
    int saved[FUNCTION_NESTED]; /* depth at each open #if */
    int nested;
} walk;

/* The index of the '(' that the ')' at close belongs to; close itself if none. */
static size_t function_open(const walk *w, size_t close)
{
    int depth = 0;
    for (size_t i = close + 1; i-- > 0;) {
        depth += lint_is(w->t[i], ")");
        depth -= lint_is(w->t[i], "(");
        if (depth == 0) return i;
    }
    return close;
}

/* The name in `type name(...)`, in `type (*name(...))(...)`, or the macro in
 * `MACRO(name)(...)`. */
static const token *function_name(const walk *w)
{
    size_t open = function_open(w, w->n - 1), first = open;
    while (open > 0 && lint_is(w->t[open - 1], ")")) open = function_open(w, open - 1);
    if (open < first && lint_is(w->t[open + 1], "*")) {
        size_t i = open + 1;
        while (i < first && w->t[i]->kind != TOKEN_WORD) i++;
        return w->t[i];
    }
    return open > 0 && w->t[open - 1]->kind == TOKEN_WORD ? w->t[open - 1] : NULL;
}

static bool function_has(const walk *w, const char *text)
{
    for (size_t i = 0; i < w->n; i++)
        if (lint_is(w->t[i], text)) return true;
    return false;
}

static bool function_is_macro(const token *name)
{
    for (size_t i = 0; i < name->n; i++)
        if (islower((unsigned char)name->s[i])) return false;
    return true;
}

static bool function_is_public(const token *name)
{
    return name->n > 4 && (!memcmp(name->s, "pdr_", 4) || !memcmp(name->s, "pdi_", 4));
}

/* Whether name begins with the file's stem: csv.c has csv_cell. */
static bool function_has_stem(const char *path, const token *name)
{
    const char *stem = strrchr(path, '/') + 1;
    size_t n = strcspn(stem, ".");
    return name->n > n + 1 && !memcmp(name->s, stem, n) && name->s[n] == '_';
}

/* A static function in a header, inline in many files, may have either name. */
static void function_check_name(const walk *w, const token *name)
{
    const char *path = w->s->path;
    bool local = function_has(w, "static"), shared = !local || lint_ends(path, ".h");
    if (!lint_starts(path, "src/") || function_is_macro(name) || lint_is(name, "main")) return;
    const char *stem = strrchr(path, '/') + 1;
    if ((local && function_has_stem(path, name)) || (shared && function_is_public(name))) return;
    if (local)
        lint_say(w->l, path, name->line, "name", "static %.*s() begins with %.*s_", (int)name->n,
                 name->s, (int)strcspn(stem, "."), stem);
    else
        lint_say(w->l, path, name->line, "name", "%.*s() begins with pdr_ or pdi_", (int)name->n,
                 name->s);
}

/* `type name = ...;`, `type name[...];` or `type name;` seen by the linker. */
static void function_check_object(const walk *w)
{
    size_t i = 0;
    if (!lint_starts(w->s->path, "src/") || !lint_ends(w->s->path, ".c")) return;
    if (function_has(w, "static") || function_has(w, "extern") || function_has(w, "typedef"))
        return;
    while (i < w->n && !lint_is(w->t[i], "=") && !lint_is(w->t[i], "[")) {
        if (lint_is(w->t[i], "(")) return; /* a prototype, or a macro at work */
        i++;
    }
    bool tag = i == 2 && lint_listed("struct union enum", w->t[0]->s, w->t[0]->n);
    if (i < 2 || tag || w->t[i - 1]->kind != TOKEN_WORD || function_is_public(w->t[i - 1])) return;
    lint_say(w->l, w->s->path, w->t[i - 1]->line, "name",
             "%.*s is static, or begins with pdr_ or pdi_", (int)w->t[i - 1]->n, w->t[i - 1]->s);
}

static void function_measure(walk *w, int end)
{
    lint *l = w->l;
    int lines = end - w->name->line + 1;
    l->lengths = lint_grow(l->lengths, l->n_lengths, &l->cap_lengths, sizeof *l->lengths);
    l->lengths[l->n_lengths++] = (length){lines, w->name->line,
                                          lint_copy(w->s->path, strlen(w->s->path)),
                                          lint_copy(w->name->s, w->name->n)};
    if (lines > FUNCTION_CEILING)
        lint_say(l, w->s->path, w->name->line, "function-length", "%.*s() has %d lines; keep to %d",
                 (int)w->name->n, w->name->s, lines, FUNCTION_CEILING);
}

static void function_opens(walk *w)
{
    bool linkage = w->n == 2 && lint_is(w->t[0], "extern"); /* extern "C" { */
    bool body = w->n > 2 && lint_is(w->t[w->n - 1], ")") && !function_has(w, "=");
    if (linkage) {
        w->n = 0;
        return;
    }
    w->name = body ? function_name(w) : NULL;
    if (w->name) function_check_name(w, w->name);
    w->depth = 1;
}

static void function_closes(walk *w, int line)
{
    if (w->depth > 0) w->depth--; /* it is 0 at the end of extern "C" */
    if (w->depth > 0 || !w->name) return;
    function_measure(w, line);
    w->n = 0;
    w->name = NULL;
}

/* Every branch of an #if starts where the first one did. */
static void function_directive(walk *w, const token *word)
{
    if (lint_listed("if ifdef ifndef", word->s, word->n)) {
        if (w->nested < FUNCTION_NESTED) w->saved[w->nested] = w->depth;
        w->nested++;
    } else if (lint_listed("else elif", word->s, word->n) && w->nested > 0) {
        if (w->nested <= FUNCTION_NESTED) w->depth = w->saved[w->nested - 1];
    } else if (lint_is(word, "endif") && w->nested > 0) {
        w->nested--;
    }
}

static void function_token(walk *w, const token *t)
{
    bool outside = w->depth == 0;
    if (lint_is(t, "{")) {
        if (outside)
            function_opens(w);
        else
            w->depth++;
    } else if (lint_is(t, "}")) {
        function_closes(w, t->line);
    } else if (outside && lint_is(t, ";")) {
        function_check_object(w);
        w->n = 0;
    } else if (outside && w->n < FUNCTION_TOKENS) {
        w->t[w->n++] = t;
    }
}

void lint_functions(lint *l, const source *s)
{
    static walk w; /* too big for the stack */
    memset(&w, 0, sizeof w);
    w.l = l;
    w.s = s;
    for (size_t i = 0; i < s->n; i++) {
        const token *t = &s->tokens[i];
        bool first = t->directive && lint_is(t, "#") && i + 1 < s->n && t[1].directive;
        if (first) function_directive(&w, &t[1]);
        bool code = t->kind != TOKEN_COMMENT && t->kind != TOKEN_LINE_COMMENT && !t->directive;
        if (code) function_token(&w, t);
    }
}
