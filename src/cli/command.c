/* cli/command.c -- from the command line to the command. */
#include "cli/command.h"

#include <errno.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "recipe/words.h"

enum { COMMAND_WIDTH = 100 };

static const pdi_command command_rows[] = {
#define COMMAND_ROW(name, synopsis, help, prepare)                                                 \
    {#name, synopsis, help, pdi_about_##name, prepare, pdi_flags_##name, pdi_cmd_##name},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

enum { COMMAND_ROWS = sizeof command_rows / sizeof command_rows[0] };

const pdi_command *pdi_command_at(size_t i) { return i < COMMAND_ROWS ? &command_rows[i] : NULL; }

const pdi_command *pdi_command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_ROWS; i++)
        if (!strcmp(command_rows[i].name, name)) return &command_rows[i];
    return NULL;
}

pdr_rc pdi_command_unknown(const char *name, pdr_error *err)
{
    char hint[PDI_HINT_MAX];
    pdi_words right = {0};
    for (size_t i = 0; i < COMMAND_ROWS; i++) pdi_words_add(&right, command_rows[i].name);
    return pdi_fail(err, PDR_USAGE, "there is no command '%.60s'; %s", name,
                    pdi_words_hint(&right, name, hint));
}

static pdr_rc command_flushed(pdr_error *err)
{
    if (!fflush(stdout) && !ferror(stdout)) return PDR_OK;
    return pdi_fail(err, PDR_IO, "standard output cannot be written: %s", strerror(errno));
}

pdr_rc pdi_command_print(pdi_text *out, pdr_error *err)
{
    pdr_rc rc = out->failed ? pdi_nomem(err) : PDR_OK;
    if (!rc && out->n) fwrite(out->s, 1, out->n, stdout);
    pdi_text_close(out);
    return rc ? rc : command_flushed(err);
}

size_t pdi_command_width(void)
{
    size_t width = pdi_terminal_width(stdout);
    return width < COMMAND_WIDTH ? width : COMMAND_WIDTH;
}

/* Whether --help stands among the options. */
static bool command_wants_help(int argc, const char *const argv[])
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
    return false;
}

static pdr_rc command_top(const char *word, pdr_error *err)
{
    pdi_text out = {0};
    if (!word || !strcmp(word, "--help") || !strcmp(word, "-h"))
        pdi_help_program(pdi_command_width(), &out);
    else if (!strcmp(word, "--version"))
        pdi_text_add(&out, "perdure %s\n", pdr_version());
    else
        return word[0] == '-' ? pdi_fail(err, PDR_USAGE,
                                         "%.60s: there is no such option; see 'perdure help'", word)
                              : pdi_command_unknown(word, err);
    return pdi_command_print(&out, err);
}

pdr_rc pdi_command_run(int argc, const char *const argv[], pdr_error *err)
{
    const pdi_command *c = argc > 0 ? pdi_command_find(argv[0]) : NULL;
    pdi_args args;
    if (!c) return command_top(argc > 0 ? argv[0] : NULL, err);
    if (command_wants_help(argc - 1, argv + 1)) {
        pdi_text out = {0};
        pdi_help_command(c, pdi_command_width(), &out);
        return pdi_command_print(&out, err);
    }
    pdr_rc rc = pdi_args_parse(NULL, c->flags, argc - 1, argv + 1, &args, err);
    if (rc) return rc;
    if (c->prepare & PDI_COMMAND_STOPS) pdi_stop_catch();
    rc = c->run(&args, err);
    pdi_args_close(&args);
    return rc;
}
