/* method/methods.c -- the list of methods. */
#include "method/methods.h"

const pdr_option pdi_no_options[] = {PDR_OPTION_END};

const pdr_method *const pdi_methods[] = {
#define METHOD(name) &pdi_method_##name,
#include "methods.def"
#undef METHOD
    NULL,
};
