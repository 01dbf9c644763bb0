/* report/read.h -- result.json from memory and into memory. */
#ifndef PDI_REPORT_READ_H
#define PDI_REPORT_READ_H

#include <perdure/result.h>

#include "base/text.h"

/* As pdr_result_read_json(); path is used in messages. */
pdr_rc pdi_result_parse_json(const pdr_alloc *alloc, const char *path, const char *text,
                             size_t size, pdr_result *out, pdr_error *err);

/* What pdr_result_write_json() writes. */
pdr_rc pdi_result_put_json(const pdr_result *r, pdi_text *text, pdr_error *err);

/* The key of a loss of episodes: "mse", or "loss" for all others. */
const char *pdi_result_loss_key(const pdr_result *r);

#endif
