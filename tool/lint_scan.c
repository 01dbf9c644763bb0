/* tool/lint_scan.c -- C text to tokens: comments, quotes and directives are told apart. */
#include <ctype.h>
#include <string.h>

#include "lint.h"

typedef struct scanner {
    source *out;
    const char *p, *end;
    int line;
    bool directive;  /* inside a preprocessor directive */
    bool line_start; /* only blanks since the line began */
} scanner;

static void scan_emit(scanner *c, token_kind kind, const char *from, int line)
{
    source *s = c->out;
    s->tokens = lint_grow(s->tokens, s->n, &s->cap, sizeof *s->tokens);
    s->tokens[s->n++] = (token){kind, c->directive, line, from, (size_t)(c->p - from)};
}

static bool scan_at(const scanner *c, const char *two)
{
    return c->end - c->p >= 2 && c->p[0] == two[0] && c->p[1] == two[1];
}

static bool scan_is_word(char ch) { return isalnum((unsigned char)ch) || ch == '_'; }

static void scan_block_comment(scanner *c)
{
    const char *from = c->p;
    int line = c->line;
    for (c->p += 2; c->p < c->end && !scan_at(c, "*/"); c->p++) c->line += *c->p == '\n';
    c->p += c->p < c->end ? 2 : 0;
    scan_emit(c, TOKEN_COMMENT, from, line);
}

/* Up to the newline, which is left in place.  A backslash before it continues. */
static void scan_line_comment(scanner *c)
{
    const char *from = c->p;
    int line = c->line;
    for (; c->p < c->end && (*c->p != '\n' || c->p[-1] == '\\'); c->p++) c->line += *c->p == '\n';
    scan_emit(c, TOKEN_LINE_COMMENT, from, line);
}

/* From the opening quote to the closing one, or to the end of the line. */
static void scan_quoted(scanner *c, char close)
{
    const char *from = c->p;
    int line = c->line;
    for (c->p++; c->p < c->end && *c->p != close && *c->p != '\n'; c->p++)
        if (*c->p == '\\' && c->p + 1 < c->end) c->line += *++c->p == '\n';
    c->p += c->p < c->end && *c->p == close;
    scan_emit(c, TOKEN_QUOTED, from, line);
}

static void scan_word(scanner *c, token_kind kind)
{
    const char *from = c->p;
    for (; c->p < c->end; c->p++) {
        bool exponent = kind == TOKEN_NUMBER && (*c->p == '+' || *c->p == '-') &&
                        strchr("eEpP", c->p[-1]) && c->p > from;
        bool point = kind == TOKEN_NUMBER && *c->p == '.';
        if (!scan_is_word(*c->p) && !exponent && !point) break;
    }
    scan_emit(c, kind, from, c->line);
}

/* The name in angle brackets after #include is one token, not a comparison. */
static bool scan_is_include(const scanner *c)
{
    const source *s = c->out;
    return c->directive && *c->p == '<' && s->n >= 2 && lint_is(&s->tokens[s->n - 1], "include") &&
           lint_is(&s->tokens[s->n - 2], "#");
}

static void scan_newline(scanner *c)
{
    if (c->p == c->out->text || c->p[-1] != '\\') c->directive = false;
    c->line++;
    c->p++;
    c->line_start = true;
}

static void scan_mark(scanner *c)
{
    const char *from = c->p;
    if (*c->p == '#' && c->line_start) c->directive = true;
    c->p++;
    if (*from != '\\') scan_emit(c, TOKEN_MARK, from, c->line);
}

static void scan_token(scanner *c)
{
    if (scan_at(c, "/*"))
        scan_block_comment(c);
    else if (scan_at(c, "//"))
        scan_line_comment(c);
    else if (*c->p == '"' || *c->p == '\'')
        scan_quoted(c, *c->p);
    else if (isdigit((unsigned char)*c->p))
        scan_word(c, TOKEN_NUMBER);
    else if (scan_is_word(*c->p))
        scan_word(c, TOKEN_WORD);
    else if (scan_is_include(c))
        scan_quoted(c, '>');
    else
        scan_mark(c);
}

void lint_scan(source *s)
{
    scanner c = {.out = s, .p = s->text, .end = s->text + s->size, .line = 1, .line_start = true};
    s->n = 0;
    while (c.p < c.end) {
        if (*c.p == '\n')
            scan_newline(&c);
        else if (isspace((unsigned char)*c.p))
            c.p++;
        else {
            scan_token(&c);
            c.line_start = c.line_start && s->n && s->tokens[s->n - 1].kind == TOKEN_COMMENT;
        }
    }
}
