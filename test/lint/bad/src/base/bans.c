/* base/bans.c -- every call that the library does without. */
#include <stdlib.h>

#define COPY(a, b) strcpy(a, b)

void pdi_bans(char *s, struct hook *h)
{
    strcat(s, s);
    sprintf(s, s);
    vsprintf(s, s);
    gets(s);
    strtok(s, s);
    atoi(s), atol(s), atof(s);
    srand(1), rand();
    exit(1);
    abort();
    printf(s);
    puts(s);
    fprintf(stderr, s);
    free (malloc(1)); /* base/ may */
    h->exit(1), h.abort(2);
    const char *exit = "exit(1)"; /* atoi(s) */
}
