/* kern/branches.c -- the branches of an #if open one function twice. */
#include "exec/run.h"
#ifdef WIDE
int pdi_branches(int a) {
#else
int pdi_branches(void) {
#endif
    return 1;
}
int after_branches(void) { return 1; }
