/* base/purpose_empty.c -- */
