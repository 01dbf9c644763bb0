/* base/names.h -- inline functions shared under names of all kinds. */
static inline int inline_names(void) { return 1; }
static inline int names_inline(void) { return 1; }
static inline int pdi_names_inline(void) { return 1; }
int names_header(void) { return 1; }
