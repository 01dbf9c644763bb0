/* method/methods.h -- what a method's file includes. */
#ifndef PDI_METHOD_METHODS_H
#define PDI_METHOD_METHODS_H

#include <perdure/method.h>
#include <perdure/opt.h>

#define METHOD(name) extern const pdr_method pdi_method_##name;
#include "methods.def"
#undef METHOD

/* Every method that the build lists, NULL-terminated. */
extern const pdr_method *const pdi_methods[];

/* The table of a method without options. */
extern const pdr_option pdi_no_options[];

#endif
