/* cli/cmd_data.c -- `perdure data`: the registered data sets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/download.h"
#include "cli/page.h"
#include "recipe/words.h"

const char pdi_about_data[] =
    "list shows the registered data sets and whether they are here; with names, where each comes "
    "from, its licence and where it would be read from.\n"
    "fetch downloads sets from their official homes into the cache and checks every file's "
    "SHA-256; a file appears whole or not at all. Sets that a recipe names are fetched when they "
    "are needed, too.\n";

const pdi_flag pdi_flags_data[] = {PDI_FLAG_END};

enum { DATA_PATH = 4096 };

static pdr_rc cmd_data_unknown(const char *name, pdr_error *err)
{
    char hint[PDI_HINT_MAX];
    const pdr_registry_row *row;
    pdi_words right = {0};
    for (size_t i = 0; (row = pdr_registry_at(i)) != NULL; i++) pdi_words_add(&right, row->name);
    return pdi_fail(err, PDR_USAGE, "there is no data set '%.60s'; %s", name,
                    pdi_words_hint(&right, name, hint));
}

/* "10 classes", or what else is predicted. */
static void cmd_data_classes(const pdr_registry_row *row, char text[32])
{
    if (row->classes)
        snprintf(text, 32, "%" PRId32, row->classes);
    else
        snprintf(text, 32, "numbers");
}

static void cmd_data_list(size_t width, pdi_text *out)
{
    static const char *const heads[] = {"name", "training", "test", "classes", "here", "what"};
    const pdr_registry_row *row;
    pdi_table t = {.align = "lrrrlw"};
    for (size_t i = 0; i < 6; i++) pdi_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; (row = pdr_registry_at(i)) != NULL; i++) {
        char path[DATA_PATH], classes[32];
        pdr_registry_where(row->name, path, sizeof path);
        cmd_data_classes(row, classes);
        pdi_table_add(&t, "%s", row->name);
        pdi_table_add(&t, "%zu", row->train);
        pdi_table_add(&t, row->test ? "%zu" : "-", row->test);
        pdi_table_add(&t, "%s", classes);
        pdi_table_add(&t, "%s", path[0] ? "yes" : "no");
        pdi_table_add(&t, "%s", row->title);
    }
    pdi_table_write(&t, "", width, out);
}

static void cmd_data_explain(const pdr_registry_row *row, size_t width, pdi_text *out)
{
    char path[DATA_PATH], examples[64], classes[32];
    pdi_page p = {.out = out, .width = width};
    pdr_registry_where(row->name, path, sizeof path);
    cmd_data_classes(row, classes);
    if (row->test)
        snprintf(examples, sizeof examples, "%zu to learn from, %zu to test on", row->train,
                 row->test);
    else
        snprintf(examples, sizeof examples, "%zu, a share of them to test on", row->train);
    if (out->n) pdi_text_add(out, "\n");
    pdi_text_add(out, "%s: %s\n", row->name, row->title);
    pdi_page_item(&p, "examples", examples);
    pdi_page_item(&p, "classes", row->classes ? classes : "none; numbers are predicted");
    pdi_page_item(&p, "home", row->home);
    pdi_page_item(&p, "licence", row->licence);
    pdi_page_item(&p, "read from", path[0] ? path : "nowhere yet; 'perdure data fetch' brings it");
    pdi_page_end(&p);
}

static pdr_rc cmd_data_list_named(const pdi_args *args, pdr_error *err)
{
    pdi_text out = {0};
    size_t width = pdi_command_width();
    for (size_t i = 1; i < args->operands; i++) {
        const pdr_registry_row *row = pdi_download_find(args->operand[i]);
        if (!row) {
            pdi_text_close(&out);
            return cmd_data_unknown(args->operand[i], err);
        }
        cmd_data_explain(row, width, &out);
    }
    if (args->operands == 1) cmd_data_list(width, &out);
    return pdi_command_print(&out, err);
}

static pdr_rc cmd_data_fetch(const pdi_args *args, pdr_error *err)
{
    if (args->operands < 2)
        return pdi_fail(err, PDR_USAGE,
                        "data fetch: the name of a data set is missing; see "
                        "'perdure data list'");
    for (size_t i = 1; i < args->operands; i++)
        if (!pdi_download_find(args->operand[i])) return cmd_data_unknown(args->operand[i], err);
    for (size_t i = 1; i < args->operands; i++) {
        char path[DATA_PATH];
        pdi_text out = {0};
        pdr_rc rc = pdi_download(args->operand[i], err);
        if (rc) return rc;
        pdr_registry_where(args->operand[i], path, sizeof path);
        pdi_text_add(&out, "%s: %s\n", args->operand[i], path);
        rc = pdi_command_print(&out, err);
        if (rc) return rc;
    }
    return PDR_OK;
}

pdr_rc pdi_cmd_data(const pdi_args *args, pdr_error *err)
{
    static const pdi_words right = {2, {"list", "fetch"}};
    char hint[PDI_HINT_MAX];
    const char *what = args->operands ? args->operand[0] : "";
    if (!strcmp(what, "list")) return cmd_data_list_named(args, err);
    if (!strcmp(what, "fetch")) return cmd_data_fetch(args, err);
    if (!*what) return pdi_fail(err, PDR_USAGE, "data: say what to do: list or fetch NAME");
    return pdi_fail(err, PDR_USAGE, "data: '%.60s' is nothing it can do; %s", what,
                    pdi_words_hint(&right, what, hint));
}
