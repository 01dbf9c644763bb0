/* cli/help.c -- what help and the manual page say, from the tables of commands and options. */
#include "cli/help.h"

#include <perdure/recipe.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>

#include "cli/page.h"

static const char help_title[] = "a lifelong-learning and meta-learning engine";

static const char help_description[] =
    "perdure trains models that learn one task after another, with methods against forgetting what "
    "was learned before, and measures what they keep. The same recipe and seed give the same bits "
    "on any number of threads.\n"
    "An experiment is written down as a recipe, a small YAML file.\n";

static const char help_recipe[] =
    "A recipe is a YAML file. data and method are required; what is not written is at its "
    "default.\n";

static const char help_example[] =
    "data:      {name: mnist}\n"
    "scenario:  {type: class-incremental, split: classes, tasks: 5}\n"
    "model:\n"
    "  - {layer: dense, units: 400}\n"
    "  - {layer: relu}\n"
    "method:    er\n"
    "optimizer: {name: adam, rate: 0.001}\n"
    "training:  {batch: 128, iterations: 2000}\n"
    "seed:      1\n";

/* The sections of a recipe: those with fixed keys, and the others. */
static const struct {
    const char *name, *text;
    const pdr_option *table;
} help_sections[] = {
    {"data", "What is learned from: a registered set by its name, or files.",
     pdr_data_option_table},
    {"scenario", "How the data becomes a stream of tasks.", pdr_scenario_option_table},
    {"episodes", "Few-shot tasks, for methods that learn from them.", pdr_episode_option_table},
    {"model",
     "A list of layers, each 'layer: NAME' and its options. The output layer is not written: the "
     "scenario knows how many outputs there are. No layers at all is linear or logistic "
     "regression. 'perdure methods' lists the layers.",
     NULL},
    {"method",
     "How forgetting is fought: 'name: NAME' and the method's options, or the bare name. "
     "'perdure methods' lists them.",
     NULL},
    {"optimizer", "The rule that moves the weights, written like method. Without it: sgd.", NULL},
    {"training", "How long and how each task is learned.", pdr_training_option_table},
    {"seed", "A whole number from 0 to 9007199254740992; all randomness comes from it. Default 0.",
     NULL},
    {"published",
     "What others report for this experiment, and what ours is held to. It changes nothing of a "
     "run; 'perdure compare --page' sets it beside what was found.",
     pdr_published_option_table},
};

static const struct {
    const char *term, *text;
} help_flags[] =
    {
        {"--help", "say what there is; after a command, explain it"},
        {"--version", "print the version"},
},
  help_environment[] =
      {
          {"PERDURE_DATA", "a folder of data sets, one folder each, which is looked at first"},
          {"XDG_CACHE_HOME", "downloads go to its folder perdure; without it, to ~/.cache/perdure"},
          {"NO_COLOR", "if not empty, no colours"},
},
  help_status[] = {
      {"0", "success"},
      {"1", "failure: a disk, a download, memory, or stopped by Ctrl-C"},
      {"2", "the command line, the recipe or the data cannot be used; the message says what would "
            "be right"},
};

#define HELP_ITEMS(p, rows)                                                                        \
    for (size_t help_i = 0; help_i < sizeof(rows) / sizeof(rows)[0]; help_i++)                     \
    pdi_page_item(p, (rows)[help_i].term, (rows)[help_i].text)

/* Every form of a command on a line of its own. */
static void help_usage(pdi_page *p, const pdi_command *c)
{
    const char *form = c->synopsis;
    pdi_text lines = {.alloc = p->out->alloc};
    while (*form) {
        size_t n = strcspn(form, "\n");
        pdi_text_add(&lines, "perdure %s %.*s\n", c->name, (int)n, form);
        form += n + (form[n] == '\n');
    }
    if (lines.failed)
        p->out->failed = true;
    else
        pdi_page_lines(p, lines.s);
    pdi_text_close(&lines);
}

static void help_command_flags(pdi_page *p, const pdi_command *c)
{
    for (const pdi_flag *f = c->flags; f->name; f++) {
        char term[80];
        if (!f->help) continue;
        snprintf(term, sizeof term, "--%s%s%s", f->name, f->value ? " " : "",
                 f->value ? f->value : "");
        pdi_page_item(p, term, f->help);
    }
}

void pdi_help_program(size_t width, pdi_text *out)
{
    const pdi_command *c;
    pdi_page p = {.out = out, .width = width};
    pdi_text_add(out, "perdure: %s\n", help_title);
    pdi_page_heading(&p, "usage");
    pdi_page_lines(&p, "perdure COMMAND [ARGUMENT...]\n");
    pdi_page_heading(&p, "commands");
    for (size_t i = 0; (c = pdi_command_at(i)) != NULL; i++) pdi_page_item(&p, c->name, c->help);
    pdi_page_heading(&p, "options");
    HELP_ITEMS(&p, help_flags);
    pdi_page_prose(&p, "'perdure help COMMAND' explains a command, 'perdure help recipe' the keys "
                       "of a recipe.\n");
    pdi_page_end(&p);
}

void pdi_help_command(const pdi_command *c, size_t width, pdi_text *out)
{
    pdi_page p = {.out = out, .width = width};
    pdi_text_add(out, "perdure %s: %s\n", c->name, c->help);
    pdi_page_heading(&p, "usage");
    help_usage(&p, c);
    pdi_page_prose(&p, c->about);
    if (c->flags->name) {
        pdi_page_heading(&p, "options");
        help_command_flags(&p, c);
    }
    pdi_page_end(&p);
}

static void help_recipe_sections(pdi_page *p)
{
    for (size_t i = 0; i < sizeof help_sections / sizeof help_sections[0]; i++) {
        pdi_page_subheading(p, help_sections[i].name);
        pdi_page_note(p, help_sections[i].text);
        if (help_sections[i].table) pdi_page_options(p, help_sections[i].table);
    }
}

void pdi_help_recipe(size_t width, pdi_text *out)
{
    pdi_page p = {.out = out, .width = width};
    pdi_text_add(out, "recipes: experiments, written down\n");
    pdi_page_prose(&p, help_recipe);
    pdi_page_subheading(&p, "example");
    pdi_page_lines(&p, help_example);
    help_recipe_sections(&p);
    pdi_page_end(&p);
}

static void help_manual_commands(pdi_page *p)
{
    const pdi_command *c;
    pdi_page_heading(p, "commands");
    for (size_t i = 0; (c = pdi_command_at(i)) != NULL; i++) {
        pdi_page_subheading(p, c->name);
        help_usage(p, c);
        pdi_page_prose(p, c->about);
        help_command_flags(p, c);
    }
}

void pdi_help_manual(pdi_text *out)
{
    pdi_page p = {.out = out, .is_manual = true};
    pdi_text_add(out, ".TH PERDURE 1 \"\" \"perdure %s\" \"User Commands\"\n", pdr_version());
    pdi_page_heading(&p, "name");
    pdi_text_add(out, "perdure \\- %s\n", help_title);
    pdi_page_heading(&p, "synopsis");
    pdi_text_add(out, "perdure COMMAND [ARGUMENT...]\n");
    pdi_page_heading(&p, "description");
    pdi_page_prose(&p, help_description);
    help_manual_commands(&p);
    pdi_page_heading(&p, "options");
    HELP_ITEMS(&p, help_flags);
    pdi_page_heading(&p, "recipes");
    pdi_page_prose(&p, help_recipe);
    pdi_page_subheading(&p, "example");
    pdi_page_lines(&p, help_example);
    help_recipe_sections(&p);
    pdi_page_heading(&p, "environment");
    HELP_ITEMS(&p, help_environment);
    pdi_page_heading(&p, "exit status");
    HELP_ITEMS(&p, help_status);
    pdi_page_end(&p);
}
