/* base/names.h -- an inline function shared under a private name. */
static inline int names_inline(void) { return 1; }
static inline int pdi_names_inline(void) { return 1; }
