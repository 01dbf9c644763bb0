/* good.c -- a test may use the C library as it comes. */
#include "t.h"
static void anything_goes(void) { exit(printf("%p", malloc(1))); }
