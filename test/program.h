/* program.h -- running the program in a folder of its own. */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <stddef.h>

enum { PROGRAM_TEXT = 1 << 16 };

/* What the last run said. */
extern char out[PROGRAM_TEXT], err[PROGRAM_TEXT];

/* A temporary folder; the group's setup and teardown.  It goes with all that is in it. */
extern char folder[];
int program_enter(void **state);
int program_leave(void **state);

/* Run the program; what it said is in out and err.  Returns its exit status. */
int run(const char *arguments);

/* The same, formatted; the test fails unless that is the exit status. */
__attribute__((format(printf, 2, 3))) void runf(int status, const char *fmt, ...);

/* The path of name in the folder; good for eight calls. */
const char *at(const char *name);

/* A file of the folder, its bytes; its first PROGRAM_TEXT - 1 bytes as text; is it there? */
void put_bytes(const char *name, const void *bytes, size_t n);
void put_text(const char *name, const char *text);
void get_text(const char *name, char text[PROGRAM_TEXT]);
int is_there(const char *name);

#endif
