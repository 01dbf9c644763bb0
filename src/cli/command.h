/* cli/command.h -- the table of commands.
 *
 * One row a command, one file a command (cmd_NAME.c), which defines what the row
 * does not say:
 *
 *     const char pdi_about_NAME[]      paragraphs for help and manual, parted by "\n"
 *     const pdi_flag pdi_flags_NAME[]  its options
 *     pdr_rc pdi_cmd_NAME(...)         what it does
 *
 * Dispatch, `perdure help` and the manual page come from here. */
#ifndef PDI_CLI_COMMAND_H
#define PDI_CLI_COMMAND_H

#include "base/text.h"
#include "cli/args.h"

enum {
    PDI_COMMAND_PLAIN,
    PDI_COMMAND_STOPS /* the first Ctrl-C only sets the flag of cli/stop.h */
};

/* X(name, synopsis (a line a form), one line of help, what the dispatcher prepares) */
#define COMMANDS(X)                                                                                \
    X(run, "RECIPE...", "run experiments and report what they found", PDI_COMMAND_STOPS)           \
    X(compare, "RECIPE... [--methods A,B,...] [--seeds A..B]",                                     \
      "run methods and seeds side by side", PDI_COMMAND_STOPS)                                     \
    X(init, "FILE RECIPE", "make a learner: one file that keeps learning", PDI_COMMAND_STOPS)      \
    X(learn, "FILE [DATA]", "learn examples from a file or standard input", PDI_COMMAND_STOPS)     \
    X(predict, "FILE [DATA]", "answer examples, a line each", PDI_COMMAND_STOPS)                   \
    X(eval, "FILE [DATA]", "say how well labelled examples are answered", PDI_COMMAND_STOPS)       \
    X(adapt, "FILE [DATA]", "learn something new from a few examples", PDI_COMMAND_STOPS)          \
    X(show, "FILE [--json]", "say what a learner is and has learned", PDI_COMMAND_PLAIN)           \
    X(log, "FILE", "say what was learned when, and which snapshots there are", PDI_COMMAND_PLAIN)  \
    X(snapshot, "FILE NAME", "keep the state under a name", PDI_COMMAND_PLAIN)                     \
    X(rollback, "FILE NAME", "return to a snapshot, to the bit", PDI_COMMAND_PLAIN)                \
    X(export, "FILE [OUT]", "write parameters, ONNX, tables or a model card", PDI_COMMAND_PLAIN)   \
    X(import, "FILE IN", "take parameters from a safetensors file", PDI_COMMAND_PLAIN)             \
    X(check, "FILE", "read all of a learner file and compare every sum", PDI_COMMAND_PLAIN)        \
    X(compact, "FILE", "give free space back to the disk", PDI_COMMAND_PLAIN)                      \
    X(plan, "RECIPE", "show what a training step runs and how long it takes", PDI_COMMAND_PLAIN)   \
    X(methods, "[NAME]", "list methods, optimizers and layers, or explain one", PDI_COMMAND_PLAIN) \
    X(data, "list [NAME...]\nfetch NAME...", "list the data sets, or bring some here",             \
      PDI_COMMAND_STOPS)                                                                           \
    X(bench, "[--filter PREFIX]... [--json]", "time the engine on this machine",                   \
      PDI_COMMAND_STOPS)                                                                           \
    X(help, "[COMMAND | recipe]", "explain a command, or the keys of a recipe", PDI_COMMAND_PLAIN)

typedef struct pdi_command {
    const char *name, *synopsis, *help, *about;
    int prepare;
    const pdi_flag *flags;
    pdr_rc (*run)(const pdi_args *args, pdr_error *err);
} pdi_command;

#define PDI_COMMAND_DECLARE(name, synopsis, help, prepare)                                         \
    extern const char pdi_about_##name[];                                                          \
    extern const pdi_flag pdi_flags_##name[];                                                      \
    pdr_rc pdi_cmd_##name(const pdi_args *args, pdr_error *err);
COMMANDS(PDI_COMMAND_DECLARE)
#undef PDI_COMMAND_DECLARE

/* Row i, or NULL past the end. */
const pdi_command *pdi_command_at(size_t i);
const pdi_command *pdi_command_find(const char *name);

/* PDR_USAGE: there is no such command, and which one may have been meant. */
pdr_rc pdi_command_unknown(const char *name, pdr_error *err);

/* Do what the command line says (the program's own name left out). */
pdr_rc pdi_command_run(int argc, const char *const argv[], pdr_error *err);

/* Write text to standard output and close it; its failures are reported. */
pdr_rc pdi_command_print(pdi_text *out, pdr_error *err);

/* Columns for text on standard output: the terminal's, but at most 100. */
size_t pdi_command_width(void);

#endif
