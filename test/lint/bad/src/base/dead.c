/* base/dead.c -- code that nobody compiles. */
#if 0
int pdi_dead;
#elif 0 /* still dead */
#endif
#if 0x10 > 1
#endif
#  if 0
#endif
