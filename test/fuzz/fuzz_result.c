/* fuzz/fuzz_result.c -- any bytes as a result.json.
 *
 * What is taken is written as text that is taken again and written the same, and a page can be
 * made of it; what is refused leaves nothing and is explained in one line. */
#include <perdure/result.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/read.h"
#include "report/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz_result: %s\n", what);
    abort();
}

static void fuzz_taken(const pdr_result *r)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_result again;
    pdi_text once = {0}, twice = {0}, page = {0};
    const pdr_result *const runs[] = {r, r};
    fuzz_must(!pdi_result_put_json(r, &once, &err), "what was read cannot be written");
    fuzz_must(!pdi_result_parse_json(NULL, "again", once.s, once.n, &again, &err),
              "what was written cannot be read");
    fuzz_must(!pdi_result_put_json(&again, &twice, &err), "read twice, it cannot be written");
    fuzz_must(once.n == twice.n && !memcmp(once.s, twice.s, once.n), "written twice, it differs");
    fuzz_must(!pdi_report_put(2, runs, &page, &err), "no page can be made of it");
    pdi_text_close(&once);
    pdi_text_close(&twice);
    pdi_text_close(&page);
    pdr_result_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_result r;
    pdr_rc rc = pdi_result_parse_json(NULL, "result.json", (const char *)data, size, &r, &err);
    fuzz_must(rc == PDR_OK || rc == PDR_INPUT || rc == PDR_NOMEM, "an unexpected return code");
    if (rc)
        fuzz_must(!r.recipe && !r.matrix && !r.tasks && *err.text && !strpbrk(err.text, "\n\r"),
                  "a refusal leaves nothing and is one line of text");
    else
        fuzz_taken(&r);
    pdr_result_close(&r);
    return 0;
}
