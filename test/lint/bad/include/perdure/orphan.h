/* perdure/orphan.h -- a public header that belongs to no room. */
