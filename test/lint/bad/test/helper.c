/* test/helper.c -- a test may allocate and print, but not copy blindly. */
static void anything(char *s) { free(s), printf("x"), exit(1), strcpy(s, s); }
int exported(void) { return 1; }
