/* tool/lint.h -- what the parts of the style checker share.
 *
 *   lint.c           walks the tree, prints findings, applies the exceptions
 *   lint_scan.c      C text to tokens
 *   lint_text.c      rules that read lines: widths, blanks, purpose, forbidden texts
 *   lint_code.c      rules that read tokens: calls, comments, directives
 *   lint_include.c   the table of floors: no room includes one above it
 *   lint_function.c  rules about definitions: lengths and names
 */
#ifndef LINT_H
#define LINT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum token_kind {
    TOKEN_WORD,         /* identifier or keyword */
    TOKEN_NUMBER,       /* a preprocessing number */
    TOKEN_QUOTED,       /* string, character, or the operand of #include, with its quotes */
    TOKEN_MARK,         /* one character of punctuation */
    TOKEN_COMMENT,      /* a block comment */
    TOKEN_LINE_COMMENT, /* two slashes to the end of the line */
} token_kind;

typedef struct token {
    token_kind kind;
    bool directive; /* stands in a preprocessor directive; the first one is the # */
    int line;       /* from 1 */
    const char *s;  /* into the file's text, n bytes */
    size_t n;
} token;

/* One file of the tree, read whole. */
typedef struct source {
    const char *path; /* from the root of the tree: "src/base/rng.c" */
    char *text;       /* size bytes and a NUL */
    size_t size;
    token *tokens; /* C files only */
    size_t n, cap;
} source;

/* One line of tool/lint-exceptions.txt: this rule does not hold in this file. */
typedef struct exception {
    char *path, *rule;
    int line;
    bool used;
} exception;

/* A function, for the longest one and the median. */
typedef struct length {
    int lines, at; /* at: the line it starts on */
    char *path, *name;
} length;

typedef struct lint {
    const char *root;
    bool verbose;
    int findings, files;
    exception *exceptions;
    size_t n_exceptions, cap_exceptions;
    length *lengths;
    size_t n_lengths, cap_lengths;
} lint;

enum { FILE_CEILING = 1000, FILE_SOFT = 600, FUNCTION_CEILING = 70, MEDIAN_CEILING = 12 };
enum { LINE_CEILING = 100, README_CEILING = 40 };

/* Report a finding unless an exception covers the file and the rule. */
__attribute__((format(printf, 5, 6))) void lint_say(lint *l, const char *path, int line,
                                                    const char *rule, const char *fmt, ...);

/* Room for one more element of an array that grows; ends the program when
 * memory is refused. */
void *lint_grow(void *array, size_t n, size_t *cap, size_t size);

/* A copy of n bytes of s with a NUL behind. */
char *lint_copy(const char *s, size_t n);

/* Whether list, words separated by blanks, has the n bytes at s as a word. */
bool lint_listed(const char *list, const char *s, size_t n);

bool lint_is(const token *t, const char *text);
bool lint_starts(const char *s, const char *prefix);
bool lint_ends(const char *s, const char *suffix);
bool lint_is_c(const char *path);

void lint_scan(source *s);
void lint_text(lint *l, const source *s);
void lint_room(lint *l, const source *s);
void lint_include(lint *l, const source *s, const token *operand);
void lint_code(lint *l, const source *s);
void lint_functions(lint *l, const source *s);

/* Report every mark of unfinished work in n bytes at s that names no issue. */
void lint_todo(lint *l, const source *src, const char *s, size_t n, int line);

#endif
