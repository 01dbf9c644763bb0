/* tool/lint_code.c -- rules that read tokens: calls, comments, directives. */
#include <stdio.h>
#include <string.h>

#include "lint.h"

/* ---- banned names ---------------------------------------------------------- */

typedef struct ban {
    const char *words;
    const char *in, *but; /* folders where it holds, and folders excepted from it */
    bool calls;           /* only when called; otherwise wherever it is named */
    const char *remedy;
} ban;

#define CODE_LIBRARY "src/ include/"

static const ban bans[] = {
    {"strcpy strcat sprintf vsprintf gets strtok", "", NULL, true, "give the length of the result"},
    {"atoi atol atoll atof", "", NULL, true, "strtol and strtod tell bad input"},
    {"rand srand random srandom drand48", "", NULL, true, "draw from perdure/rng.h"},
    {"malloc calloc realloc free strdup strndup aligned_alloc posix_memalign asprintf vasprintf",
     CODE_LIBRARY, "src/base/", true, "memory goes through base/alloc.h"},
    {"exit _exit _Exit quick_exit abort", CODE_LIBRARY, "src/cli/", true, "return a pdr_rc"},
    {"printf vprintf puts putchar perror", CODE_LIBRARY, "src/cli/", true,
     "the library never prints"},
    {"stdout stderr", CODE_LIBRARY, "src/cli/", false, "the library never prints"},
    {"assert", "src/data/ src/recipe/ src/report/ src/cli/", NULL, true,
     "input is refused with an error, not an assertion"},
};

static bool code_under(const char *path, const char *folders)
{
    for (const char *f = folders; f && *f; f += strspn(f, " ")) {
        size_t n = strcspn(f, " ");
        if (!strncmp(path, f, n)) return true;
        f += n;
    }
    return false;
}

static bool code_ban_holds(const ban *b, const char *path)
{
    return (!*b->in || code_under(path, b->in)) && !code_under(path, b->but);
}

static const token *code_next(const source *s, size_t i)
{
    for (i++; i < s->n; i++)
        if (s->tokens[i].kind != TOKEN_COMMENT) return &s->tokens[i];
    return NULL;
}

/* A field of that name: x.free or x->free. */
static bool code_is_member(const source *s, size_t i)
{
    if (i >= 1 && lint_is(&s->tokens[i - 1], ".")) return true;
    return i >= 2 && lint_is(&s->tokens[i - 1], ">") && lint_is(&s->tokens[i - 2], "-");
}

static void code_banned(lint *l, const source *s, size_t i)
{
    const token *t = &s->tokens[i], *next = code_next(s, i);
    bool called = next && lint_is(next, "(");
    for (size_t k = 0; k < sizeof bans / sizeof bans[0]; k++) {
        const ban *b = &bans[k];
        if (!lint_listed(b->words, t->s, t->n) || !code_ban_holds(b, s->path)) continue;
        if ((b->calls && !called) || code_is_member(s, i)) continue;
        lint_say(l, s->path, t->line, "banned-call", "%.*s: %s", (int)t->n, t->s, b->remedy);
    }
}

/* ---- directives and comments ----------------------------------------------- */

static void code_directive(lint *l, const source *s, size_t i)
{
    const token *t = &s->tokens[i];
    bool more = i + 2 < s->n && t[2].directive && t[2].line == t->line;
    if (!more || !lint_is(t, "#")) return;
    bool alone = i + 3 == s->n || t[3].line != t->line || t[3].kind == TOKEN_COMMENT;
    if (lint_listed("if elif", t[1].s, t[1].n) && lint_is(&t[2], "0") && alone)
        lint_say(l, s->path, t->line, "if-0", "dead code; git keeps what was");
    if (lint_is(&t[1], "include") && t[2].kind == TOKEN_QUOTED) lint_include(l, s, &t[2]);
}

static bool code_first_of_directive(const source *s, size_t i)
{
    const token *t = &s->tokens[i];
    return t->directive && lint_is(t, "#") && (i == 0 || t[-1].line != t->line || !t[-1].directive);
}

void lint_code(lint *l, const source *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const token *t = &s->tokens[i];
        switch (t->kind) {
        case TOKEN_WORD: code_banned(l, s, i); break;
        case TOKEN_COMMENT: lint_todo(l, s, t->s, t->n, t->line); break;
        case TOKEN_LINE_COMMENT:
            lint_say(l, s->path, t->line, "line-comment", "write /* a comment */");
            lint_todo(l, s, t->s, t->n, t->line);
            break;
        case TOKEN_MARK:
            if (code_first_of_directive(s, i)) code_directive(l, s, i);
            break;
        default: break;
        }
    }
}
