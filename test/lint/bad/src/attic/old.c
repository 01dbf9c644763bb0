/* attic/old.c -- a room that no table knows. */
