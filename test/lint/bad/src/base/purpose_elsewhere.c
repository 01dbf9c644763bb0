/* graph/purpose_elsewhere.c -- another file's name. */
