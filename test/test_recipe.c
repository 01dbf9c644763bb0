/* test_recipe.c -- recipes: what reads, what is refused and how, what is written. */
#include <dirent.h>
#include <inttypes.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "recipe/recipe.h"
#include "recipe_kinds.h"
#include "t.h"

static pdr_rc parse_with(const pdr_alloc *alloc, const char *text, size_t n_set,
                         const char *const set[], pdr_recipe *out, pdr_error *err)
{
    return pdi_recipe_parse(alloc, "dir/x.yaml", text, strlen(text), n_set, set, kinds_find,
                            kinds_at, out, err);
}

/* Parse what must be right. */
static pdr_recipe parsed(const char *text, size_t n_set, const char *const set[])
{
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    if (parse_with(NULL, text, n_set, set, &r, &err)) fail_msg("%s\n%s", err.text, text);
    return r;
}

/* Parse what must be wrong, and compare the story. */
static void refused(const char *text, const char *set, const char *want)
{
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(parse_with(NULL, text, set ? 1 : 0, &set, &r, &err), PDR_INPUT);
    assert_string_equal(err.text, want);
    static const pdr_recipe empty;
    assert_memory_equal(&r, &empty, sizeof r);
}

static void same_options(const pdr_option *table, const void *a, const void *b)
{
    for (const pdr_option *row = table; row->name; row++) {
        char s[PDR_OPTION_TEXT_MAX], t[PDR_OPTION_TEXT_MAX];
        pdr_option_get(row, a, s);
        pdr_option_get(row, b, t);
        assert_string_equal(s, t);
        if (row->type != PDR_TEXT) continue;
        const char *x, *y;
        memcpy(&x, (const char *)a + row->at, sizeof x);
        memcpy(&y, (const char *)b + row->at, sizeof y);
        assert_int_equal(x == NULL, y == NULL);
        if (x) assert_string_equal(x, y);
    }
}

static const char small[] = "data: {name: mnist}\nmethod: finetune\n";
static const char full[] = "data:\n"
                           "  name: mnist\n"
                           "scenario: {type: class-incremental, split: classes, tasks: 5}\n"
                           "model:\n"
                           "  - {layer: dense, units: 400}\n"
                           "  - layer: relu\n"
                           "  - layer: dense\n"
                           "    units: 20\n"
                           "    init: glorot\n"
                           "method: {name: er, memory: 1e3, policy: ring}\n"
                           "optimizer: {name: adam, rate: 0.001}\n"
                           "training: {batch: 64, iterations: 2000, schedule: cosine}\n"
                           "seed: 7\n";

static void a_recipe_fills_every_section(void **state)
{
    (void)state;
    pdr_recipe r = parsed(full, 0, NULL);
    assert_string_equal(r.name, "x");
    assert_string_equal(r.data.name, "mnist");
    assert_int_equal(r.scenario.tasks, 5);
    assert_int_equal(r.layers, 3);
    const kinds_dense *d = r.layer[2].self;
    assert_true(d->units == 20 && d->init == 1 && d->bias);
    assert_string_equal(r.layer[1].kind->name, "relu");
    const kinds_er *er = r.method.self;
    assert_true(er->memory == 1000 && er->policy == 1 && er->lambda == 0.5 && er->balanced);
    assert_string_equal(er->note, "none");
    assert_string_equal(r.optimizer.kind->name, "adam");
    assert_true(((const kinds_sgd *)r.optimizer.self)->rate == 0.001);
    assert_true(r.training.batch == 64 && r.training.schedule == PDR_SCHEDULE_COSINE);
    assert_int_equal(r.seed, 7);
    pdr_recipe_close(&r);
}

/* What others report is about a recipe and no part of what runs. */
static void what_is_published_is_not_written_into_what_ran(void **state)
{
    (void)state;
    static const char *const set[] = {"published.most=7"};
    char text[1024];
    snprintf(text, sizeof text,
             "%spublished:\n  figure: 88.8 %%\n  source: Some et al. 2022\n  least: 87.5\n", full);
    pdr_recipe a = parsed(full, 0, NULL), b = parsed(text, 1, set);
    assert_null(a.published.figure);
    assert_true(a.published.least == 0);
    assert_string_equal(b.published.figure, "88.8 %");
    assert_string_equal(b.published.source, "Some et al. 2022");
    assert_null(b.published.why);
    assert_true(b.published.least == 87.5 && b.published.most == 7);
    char *first = pdr_recipe_write(&a), *second = pdr_recipe_write(&b);
    assert_string_equal(first, second);
    pdi_free(&pdi_malloc, first);
    pdi_free(&pdi_malloc, second);
    pdr_recipe_close(&a);
    pdr_recipe_close(&b);
}

static void what_is_not_written_is_at_its_default(void **state)
{
    (void)state;
    pdr_recipe r = parsed(small, 0, NULL);
    pdr_training t;
    pdr_option_defaults(pdr_training_option_table, &t);
    assert_true(t.batch == 128 && t.iterations == 0 && t.epochs == 1 && t.loss == PDR_LOSS_AUTO);
    same_options(pdr_training_option_table, &r.training, &t);
    assert_string_equal(r.method.kind->name, "finetune");
    assert_null(r.method.self);
    assert_string_equal(r.optimizer.kind->name, "sgd");
    assert_true(((const kinds_sgd *)r.optimizer.self)->rate == 0.1);
    assert_true(r.layers == 0 && r.seed == 0);
    pdr_recipe_close(&r);
    r = parsed("data: {train: a.csv}\nmethod: er\nmodel:\ntraining: ~\n", 0, NULL);
    assert_true(r.layers == 0 && r.training.batch == 128);
    pdr_recipe_close(&r);
}

static void episodes_are_there_when_written_or_set(void **state)
{
    (void)state;
    static const char *const set[] = {"episodes.way=20"};
    static const char *const bad[] = {"episodes.wya=20"};
    pdr_recipe r = parsed(small, 0, NULL);
    assert_false(r.has_episodes);
    assert_true(r.episodes.way == 5 && r.episodes.shot == 1);
    pdr_recipe_close(&r);
    r = parsed(small, 1, set);
    assert_true(r.has_episodes && r.episodes.way == 20);
    pdr_recipe_close(&r);
    r = parsed("data: {name: mnist}\nmethod: finetune\nepisodes:\n", 0, NULL);
    assert_true(r.has_episodes);
    pdr_recipe_close(&r);
    r = parsed("method: finetune\nepisodes: {family: sinusoid, shot: 10}\n", 0, NULL);
    assert_true(r.episodes.family == PDR_EPISODE_SINUSOID && r.episodes.shot == 10);
    assert_null(r.data.name);
    pdr_recipe_close(&r);
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(parse_with(NULL, small, 1, bad, &r, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "there is no such key; did you mean 'way'?"));
}

static void null_clears_a_text_and_quotes_keep_it(void **state)
{
    (void)state;
    pdr_recipe r = parsed("data: {name: !!str mnist}\nmethod: {name: er, note: null}\n", 0, NULL);
    assert_null(((const kinds_er *)r.method.self)->note);
    pdr_recipe_close(&r);
    r = parsed("data: {name: mnist}\nmethod: {name: er, note: 'null'}\n", 0, NULL);
    assert_string_equal(((const kinds_er *)r.method.self)->note, "null");
    pdr_recipe_close(&r);
}

#define DATA "data: {name: mnist}\n"

static const char *const mistakes[][2] = {
    {DATA "method: er\ntraining:\n  bach: 3\n",
     "dir/x.yaml:4:3: training.bach: there is no such key; did you mean 'batch'?"},
    {DATA "method: er\nmodel:\n- {layer: dense, bais: no}\n",
     "dir/x.yaml:4:18: model.0.bais: there is no such key; did you mean 'bias'?"},
    {DATA "method: {name: er, zzzzzz: 3}\n",
     "dir/x.yaml:2:20: method.zzzzzz: there is no such key; choose from name, memory, lambda, "
     "balanced, policy, note"},
    {DATA "method: er\ntrainig: {batch: 3}\n",
     "dir/x.yaml:3:1: trainig: there is no such section; did you mean 'training'?"},
    {DATA "method: er\nx: 3\n",
     "dir/x.yaml:3:1: x: there is no such section; choose from data, scenario, episodes, "
     "model, method, optimizer, training, learner, seed, published"},
    {DATA "method: er\nepisodes: {way: 0}\n",
     "dir/x.yaml:3:17: episodes.way: 0 is out of range; give 1 to 2048"},
    {DATA "method: er\nepisodes: {family: sinusoid}\n",
     "dir/x.yaml:1:7: data: episodes.family sinusoid makes its own; leave the section out"},
    {DATA "method: finetnue\n",
     "dir/x.yaml:2:9: method: there is no method 'finetnue'; did you mean 'finetune'?"},
    {DATA "method: {memory: 3, name: maml}\n",
     "dir/x.yaml:2:27: method: there is no method 'maml'; choose from finetune, er"},
    {DATA "method: er\noptimizer: {name: adm}\n",
     "dir/x.yaml:3:19: optimizer: there is no optimizer 'adm'; did you mean 'adam'?"},
    {DATA "method: er\nmodel: [{layer: relu}, {layer: rellu}]\n",
     "dir/x.yaml:3:32: model.1: there is no layer 'rellu'; did you mean 'relu'?"},
    {DATA "method: er\ntraining: {batch: 0}\n",
     "dir/x.yaml:3:19: training.batch: 0 is out of range; give 1 to 1000000"},
    {DATA "method: er\ntraining: {batch: many}\n",
     "dir/x.yaml:3:19: training.batch: 'many' is not a whole number; give 1 to 1000000"},
    {DATA "method: er\ntraining: {batch: [1, 2]}\n",
     "dir/x.yaml:3:19: training.batch: a list stands where a single value belongs; give 1 to "
     "1000000"},
    {DATA "method: er\ntraining: {loss: {a: 1}}\n",
     "dir/x.yaml:3:18: training.loss: a mapping stands where a single value belongs; give "
     "auto, cross-entropy, binary, mse"},
    {DATA "method: er\ntraining:\n  reset_optimizer:\n",
     "dir/x.yaml:4:19: training.reset_optimizer: the value is missing; give true or false"},
    {DATA "method: er\ntraining: 5\n",
     "dir/x.yaml:3:11: training: a single value stands where a mapping belongs; write 'key: "
     "value' lines, such as 'batch: ...'"},
    {"data: mnist\nmethod: er\n",
     "dir/x.yaml:1:7: data: a single value stands where a mapping belongs; write 'key: value' "
     "lines, such as 'name: ...'"},
    {DATA "method: [er]\n",
     "dir/x.yaml:2:9: method: a list stands where one method belongs; give 'name: NAME' and "
     "options"},
    {DATA "method: {memory: 3}\n", "dir/x.yaml:2:9: method: 'name' is missing; give 'name: NAME'"},
    {DATA "method:\n",
     "dir/x.yaml:2:8: method: the name of the method is missing; give 'name: NAME'"},
    {DATA "method: {name: [er]}\n",
     "dir/x.yaml:2:16: method: the name of the method is missing; give 'name: NAME'"},
    {DATA "method: er\nmodel: {layer: dense}\n",
     "dir/x.yaml:3:8: model: a mapping stands where a list of layers belongs; write '- layer: "
     "NAME' lines"},
    {DATA "method: er\nmodel: [{units: 3}]\n",
     "dir/x.yaml:3:9: model.0: 'layer' is missing; give 'layer: NAME'"},
    {DATA "method: er\nseed: -1\n",
     "dir/x.yaml:3:7: seed: '-1' is not a seed; give a whole number from 0 to "
     "9007199254740992"},
    {DATA "method: er\nseed: [1]\n",
     "dir/x.yaml:3:7: seed: a list is not a seed; give a whole number from 0 to "
     "9007199254740992"},
    {DATA "method: er\ndata: {name: cifar10}\n",
     "dir/x.yaml:3:1: data: the key stands a second time (first on line 1); keep one"},
    {DATA "method: er\ntraining:\n  batch: 3\n  epochs: 2\n  batch: 3\n",
     "dir/x.yaml:6:3: training.batch: the key stands a second time (first on line 4); keep "
     "one"},
    {DATA "method: {name: er, name: er}\n",
     "dir/x.yaml:2:20: method.name: the key stands a second time (first on line 2); keep one"},
    {"method: er\ndata:\n  name: mnits\n",
     "dir/x.yaml:3:3: data.name: there is no data set 'mnits'; did you mean 'mnist'?"},
    {"method: er\n", "dir/x.yaml:1:1: data: neither 'name' nor 'train' is given; give one, as "
                     "in 'data: {name: mnist}'"},
    {"method: er\ndata:\n  name: mnist\n  train: a.csv\n",
     "dir/x.yaml:3:3: data: both name (mnist) and train (a.csv) are given; keep one"},
    {DATA, "dir/x.yaml:1:1: method: the section is missing; choose from finetune, er"},
    {"", "dir/x.yaml:1:1: the file is empty; a recipe needs at least data and method"},
    {"# nothing\n---\n", "dir/x.yaml:1:1: the file is empty; a recipe needs at least data and "
                         "method"},
    {"- data\n", "dir/x.yaml:1:1: a list stands where a mapping belongs; a recipe begins like "
                 "'data: {name: mnist}'"},
};

static void mistakes_are_placed_and_remedied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) refused(mistakes[i][0], NULL, mistakes[i][1]);
}

static void what_is_not_plain_yaml_is_refused(void **state)
{
    (void)state;
    static const char remedy[] = "write 'key: value' lines, indented with spaces and not tabs";
    static const char *const broken[][2] = {
        {"data: {name: mnist\nmethod: er\n",
         "dir/x.yaml:2:7: this is not YAML: did not find expected ',' or '}' while parsing a flow "
         "mapping; "},
        {"data:\n\tname: mnist\n", "dir/x.yaml:2:1: this is not YAML: found character that cannot "
                                   "start any token while scanning for the next token; "},
        {"data: {}\nb\xFF: 3\n", "dir/x.yaml:2:2: this is not YAML: invalid leading UTF-8 octet; "},
        {"a: 1\nb\x01: 3\n", "dir/x.yaml:2:2: this is not YAML: control characters are not "
                             "allowed; "},
    };
    for (size_t i = 0; i < COUNT(broken); i++) {
        char want[PDR_ERROR_MAX];
        snprintf(want, sizeof want, "%s%s", broken[i][1], remedy);
        refused(broken[i][0], NULL, want);
    }
    static const char *const rows[][2] = {
        {"data: &d {name: mnist}\nmethod: er\n",
         "dir/x.yaml:1:7: anchors are not supported; leave it out"},
        {"data: {name: &n mnist}\n", "dir/x.yaml:1:14: anchors are not supported; leave it out"},
        {"data: *d\n", "dir/x.yaml:1:7: aliases are not supported; write the value out"},
        {DATA "method: er\n---\n" DATA,
         "dir/x.yaml:3:1: a second document begins; a recipe is one document"},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n",
         "dir/x.yaml:1:17: lists and mappings are nested 16 deep; a recipe needs 3"},
        {"? [a]\n: 3\n", "dir/x.yaml:1:3: a key is a word; write 'key: value'"},
        {"data: {name: \"a\\0b\"}\n", "dir/x.yaml:1:14: the value holds a NUL; leave it out"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) refused(rows[i][0], NULL, rows[i][1]);
}

static void size_and_number_are_bounded(void **state)
{
    (void)state;
    pdi_text t = {0};
    pdi_text_add(&t, "%smodel:\n", small);
    for (int i = 0; i < 1001; i++) pdi_text_add(&t, "- relu\n");
    refused(t.s, NULL, "dir/x.yaml:4:1: model: there are 1001 layers; give at most 1000");
    t.s[t.n - 7] = 0;
    pdr_recipe r = parsed(t.s, 0, NULL);
    assert_int_equal(r.layers, 1000);
    pdr_recipe_close(&r);
    pdi_text_close(&t);
    pdi_text_add(&t, "%sx: [", small);
    for (int i = 0; i < 70000; i++) pdi_text_add(&t, "1,\n");
    refused(t.s, NULL,
            "dir/x.yaml:65534:1: there are more than 65536 values; a recipe has a few dozen");
    for (int i = 0; i < 300000; i++) pdi_text_add(&t, "1,\n\n");
    refused(t.s, NULL, "dir/x.yaml: the file is over 1 MiB; a recipe is a few lines");
    pdi_text_close(&t);
}

static void a_message_is_one_line_however_long_the_value(void **state)
{
    (void)state;
    pdi_text t = {0};
    pdi_text_add(&t, "%straining: {batch: '", small);
    for (int i = 0; i < 2000; i++) pdi_text_add(&t, "9");
    pdi_text_add(&t, "'}\n");
    refused(t.s, NULL,
            "dir/x.yaml:3:19: training.batch: the value is over 100 characters long; "
            "give 1 to 1000000");
    pdi_text_close(&t);
    refused(DATA "method: \"e\\nr\"\n", NULL,
            "dir/x.yaml:2:9: method: there is no method 'e?r'; did you mean 'er'?");
    pdi_text_add(&t, "%s? \"", small);
    for (int i = 0; i < 2000; i++) pdi_text_add(&t, "k");
    pdi_text_add(&t, "\"\n: 1\n");
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(parse_with(NULL, t.s, 0, NULL, &r, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, ": there is no such section; choose from data, scenario"));
    pdi_text_close(&t);
}

static void assignments_apply_in_order(void **state)
{
    (void)state;
    static const char *const set[] = {
        "training.batch=64", "method=er",         "method.memory=500", "model.0.units=100",
        "model.1=dense",     "model.1.units=3",   "seed=12",           "optimizer.rate=0.5",
        "training.batch=32", "method.note=a=b.c", "data.name=",        "data.train=x.csv",
    };
    pdr_recipe r = parsed(full, COUNT(set), set);
    assert_int_equal(r.training.batch, 32);
    const kinds_er *er = r.method.self;
    assert_true(er->memory == 500 && er->policy == 0); /* the kind was named anew */
    assert_string_equal(er->note, "a=b.c");
    assert_true(((const kinds_dense *)r.layer[0].self)->units == 100);
    assert_true(((const kinds_dense *)r.layer[1].self)->units == 3);
    assert_true(((const kinds_sgd *)r.optimizer.self)->rate == 0.5);
    assert_string_equal(r.optimizer.kind->name, "adam");
    assert_null(r.data.name);
    assert_string_equal(r.data.train, "x.csv");
    assert_int_equal(r.seed, 12);
    pdr_recipe_close(&r);
}

static void an_assignment_can_complete_a_recipe(void **state)
{
    (void)state;
    static const char *const set[] = {"method.name=er", "data.name=mnist", "model="};
    pdr_recipe r = parsed("model: [relu]\n", COUNT(set), set);
    assert_string_equal(r.method.kind->name, "er");
    assert_int_equal(r.layers, 0);
    pdr_recipe_close(&r);
}

static void assignments_are_checked_like_the_file(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"training.bach=3", "--set training.bach=3: training.bach: there is no such key; did you "
                            "mean 'batch'?"},
        {"training.batch=0", "--set training.batch=0: training.batch: 0 is out of range; give 1 to "
                             "1000000"},
        {"training.batch=", "--set training.batch=: training.batch: the value is missing; give 1 "
                            "to 1000000"},
        {"trainin.batch=3", "--set trainin.batch=3: trainin: there is no such section; did you "
                            "mean 'training'?"},
        {"method=erx", "--set method=erx: method: there is no method 'erx'; did you mean 'er'?"},
        {"method=", "--set method=: method: the name of the method is missing; give 'name: NAME'"},
        {"model.3.units=1", "--set model.3.units=1: model: there is no layer '3'; give 0 to 2"},
        {"model.99999999999999999999.units=1", "--set model.99999999999999999999.units=1: model: "
                                               "there is no layer '99999999999999999999'; give 0 "
                                               "to 2"},
        {"model.x.units=1", "--set model.x.units=1: model: there is no layer 'x'; give 0 to 2"},
        {"model..units=1", "--set model..units=1: model: there is no layer ''; give 0 to 2"},
        {"model.1.units=1", "--set model.1.units=1: model.1.units: there is no such key; choose "
                            "from layer"},
        {"model=relu", "--set model=relu: model: a single value stands where a list of layers "
                       "belongs; write '- layer: NAME' lines"},
        {"training=3", "--set training=3: training: a single value stands where a mapping "
                       "belongs; write 'key: value' lines, such as 'batch: ...'"},
        {"training.batch.x=3", "--set training.batch.x=3: training: the path is too long; write it "
                               "as in training.batch=64, model.0.units=100 or seed=1"},
        {"seed.x=3", "--set seed.x=3: seed: the path is too long; write it as in "
                     "training.batch=64, model.0.units=100 or seed=1"},
        {"seed=1.5", "--set seed=1.5: seed: '1.5' is not a seed; give a whole number from 0 to "
                     "9007199254740992"},
        {"training.batch", "--set training.batch: write path=value, as in training.batch=64"},
        {"=3", "--set =3: write path=value, as in training.batch=64"},
        {"data.train=\xFF", "--set data.train=\xFF: the value is not UTF-8"},
        {"data.train=x.csv",
         "dir/x.yaml:2:3: data: both name (mnist) and train (x.csv) are given; keep one"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) refused(full, rows[i][0], rows[i][1]);
    refused("data: {name: mnist}\n", "method.memory=3",
            "--set method.memory=3: method.memory: no method is named yet, so it has no options; "
            "give 'method=NAME' first");
    refused(small, "model.0.units=3",
            "--set model.0.units=3: model: it has no layers, so none can be changed");
}

/* ---- writing ---------------------------------------------------------------- */

static void same_choice(const pdr_choice *a, const pdr_choice *b)
{
    assert_ptr_equal(a->kind, b->kind);
    same_options(a->kind->options, a->self, b->self);
}

static void same_recipe(const pdr_recipe *a, const pdr_recipe *b)
{
    same_options(pdr_data_option_table, &a->data, &b->data);
    same_options(pdr_scenario_option_table, &a->scenario, &b->scenario);
    same_options(pdr_episode_option_table, &a->episodes, &b->episodes);
    assert_int_equal(a->has_episodes, b->has_episodes);
    same_options(pdr_training_option_table, &a->training, &b->training);
    same_choice(&a->method, &b->method);
    same_choice(&a->optimizer, &b->optimizer);
    assert_int_equal(a->layers, b->layers);
    for (size_t i = 0; i < a->layers; i++) same_choice(&a->layer[i], &b->layer[i]);
    assert_int_equal(a->seed, b->seed);
    assert_string_equal(a->name, b->name);
}

static const char *const odd_texts[] = {
    "plain",
    "null",
    "~",
    "",
    "- x",
    "a: b",
    "#c",
    "it's",
    "say \"hi\"",
    "back\\s",
    "tab\t",
    "two\nlines",
    "\x01\x7F",
    "caf\xC3\xA9",
    "--- x",
    " lead",
    "trail ",
    "{a}",
    "\xEF\xBB\xBF",
    "\xC2\x85",
    "\xF0\x9F\x90\x98",
    "&a",
    "*a",
    "!t",
    "%d",
    "@x",
    "...",
    "a\xE2\x80\xA8z",
    "1e3",
    "true",
    "/x/y-z.csv",
    "-",
    "?",
    "\xEF\xBF\xBF",
};

/* Random options, through pdr_option_set so that they are in range. */
static void random_options(pdr_rng *g, const pdr_option *table, void *self)
{
    for (const pdr_option *row = table; row->name; row++) {
        char text[64] = "";
        const char *value = text;
        pdr_error err = PDR_NO_ERROR;
        double u = (double)pdr_rng_uniform(g), x = row->lo + (row->hi - row->lo) * u * u * u;
        uint32_t n = 0;
        switch (row->type) {
        case PDR_REAL: snprintf(text, sizeof text, "%.17g", x); break;
        case PDR_COUNT: snprintf(text, sizeof text, "%" PRId64, (int64_t)x); break;
        case PDR_FLAG: value = pdr_rng_below(g, 2) ? "true" : "false"; break;
        case PDR_TEXT: value = odd_texts[pdr_rng_below(g, COUNT(odd_texts))]; break;
        case PDR_CHOICE:
            while (row->choices[n]) n++;
            value = row->choices[pdr_rng_below(g, n)];
        }
        if (pdr_rng_below(g, 3)) assert_int_equal(pdr_option_set(row, self, value, &err), PDR_OK);
    }
}

static void random_choice(pdr_rng *g, pdr_kind_group group, pdr_choice *c)
{
    do c->kind = kinds_at(group, pdr_rng_below(g, 3));
    while (!c->kind);
    c->self = c->kind->self_size ? pdi_new(&pdi_malloc, 1, c->kind->self_size) : NULL;
    pdr_option_defaults(c->kind->options, c->self);
    random_options(g, c->kind->options, c->self);
}

static pdr_recipe random_recipe(pdr_rng *g)
{
    pdr_recipe r = {.alloc = &pdi_malloc, .name = pdi_strdup(&pdi_malloc, "x")};
    pdr_option_defaults(pdr_data_option_table, &r.data);
    random_options(g, pdr_data_option_table, &r.data);
    r.data.name = NULL;
    r.data.train = odd_texts[pdr_rng_below(g, COUNT(odd_texts))];
    pdr_option_defaults(pdr_scenario_option_table, &r.scenario);
    random_options(g, pdr_scenario_option_table, &r.scenario);
    pdr_option_defaults(pdr_episode_option_table, &r.episodes);
    r.has_episodes = pdr_rng_below(g, 2);
    if (r.has_episodes) random_options(g, pdr_episode_option_table, &r.episodes);
    if (r.episodes.family == PDR_EPISODE_SINUSOID) r.data.train = NULL;
    pdr_option_defaults(pdr_training_option_table, &r.training);
    random_options(g, pdr_training_option_table, &r.training);
    random_choice(g, PDR_KIND_METHOD, &r.method);
    random_choice(g, PDR_KIND_OPTIMIZER, &r.optimizer);
    r.layers = pdr_rng_below(g, 5);
    r.layer = pdi_new(&pdi_malloc, r.layers, sizeof *r.layer);
    for (size_t i = 0; i < r.layers; i++) random_choice(g, PDR_KIND_LAYER, &r.layer[i]);
    r.seed = (uint64_t)pdr_rng_u32(g) << pdr_rng_below(g, 22);
    return r;
}

static void what_is_written_reads_back_equal(void **state)
{
    (void)state;
    pdr_rng g = {.seed = 11, .stream = PDR_STREAM_TEST};
    for (int i = 0; i < 2000; i++) {
        pdr_recipe a = random_recipe(&g);
        char *text = pdr_recipe_write(&a);
        pdr_recipe b = parsed(text, 0, NULL);
        same_recipe(&a, &b);
        char *again = pdr_recipe_write(&b);
        assert_string_equal(text, again);
        pdi_free(&pdi_malloc, text);
        pdi_free(&pdi_malloc, again);
        pdr_recipe_close(&a);
        pdr_recipe_close(&b);
    }
}

static void numbers_are_written_as_people_write_them(void **state)
{
    (void)state;
    pdr_recipe r = parsed(full, 0, NULL);
    char *text = pdr_recipe_write(&r);
    assert_non_null(strstr(text, "optimizer:\n  name: adam\n  rate: 0.001\n  momentum: 0\n"));
    assert_non_null(strstr(text, "  - layer: dense\n    units: 400\n    bias: true\n    init: he\n"
                                 "  - layer: relu\n"));
    assert_non_null(strstr(text, "data:\n  name: mnist\n  train: null\n"));
    pdi_free(&pdi_malloc, text);
    pdr_recipe_close(&r);
}

/* ---- files, memory ---------------------------------------------------------- */

static void files_are_read_and_named(void **state)
{
    (void)state;
    char path[] = "./perdure-recipe-XXXXXX", text[PDR_ERROR_MAX];
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, small, sizeof small - 1), sizeof small - 1);
    close(fd);
    assert_int_equal(pdi_recipe_read(NULL, path, 0, NULL, kinds_find, kinds_at, &r, &err), PDR_OK);
    assert_string_equal(r.name, path + strlen("./"));
    pdr_recipe_close(&r);
    unlink(path);
    assert_int_equal(pdi_recipe_read(NULL, path, 0, NULL, kinds_find, kinds_at, &r, &err),
                     PDR_INPUT);
    snprintf(text, sizeof text,
             "%s: cannot be opened: No such file or directory; give the path of a recipe", path);
    assert_string_equal(err.text, text);
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdi_recipe_read(NULL, ".", 0, NULL, kinds_find, kinds_at, &r, &err),
                     PDR_INPUT);
    assert_string_equal(err.text, ".: cannot be read: Is a directory; give the path of a recipe");
}

typedef struct budget {
    long left, live;
} budget;

static void *limited(void *ctx, void *old, size_t size)
{
    budget *b = ctx;
    if (size && b->left-- <= 0) return NULL;
    b->live += (size != 0 && !old) - (size == 0 && old != NULL);
    return pdi_malloc.fn(NULL, old, size);
}

/* One life of a recipe under an allocator; whether every call succeeded. */
static bool live_once(const pdr_alloc *a, const char *text, const char *set)
{
    pdr_recipe r;
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = parse_with(a, text, set ? 1 : 0, &set, &r, &err);
    char *written = rc ? NULL : pdr_recipe_write(&r);
    bool is_done = rc == PDR_INPUT || written;
    assert_true(is_done || rc == PDR_NOMEM || !rc);
    pdi_free(a, written);
    pdr_recipe_close(&r);
    return is_done;
}

static void every_refused_allocation_is_survived(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {full, "method=er"},         {full, "model.1=dense"},
        {full, "training.batch=[]"}, {DATA "method: er\ntraining: {batch: [1]}\n", NULL},
        {small, "model=relu"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_done = false;
        for (long n = 0; !is_done; n++) {
            assert_true(n < 1000);
            budget b = {n, 0};
            const pdr_alloc a = {limited, &b};
            is_done = live_once(&a, rows[i][0], rows[i][1]);
            assert_true(!is_done || n > 3);
            assert_int_equal(b.live, 0);
        }
    }
}

/* ---- with what perdure has ---------------------------------------------------- */

/* Written and read back with the real kinds. */
static void keeps_in_writing(const pdr_recipe *r)
{
    pdr_recipe again;
    pdr_error err = PDR_NO_ERROR;
    char *written = pdr_recipe_write(r);
    if (pdr_recipe_parse(NULL, r->name, written, strlen(written), 0, NULL, &again, &err))
        fail_msg("%s\n%s", err.text, written);
    same_recipe(r, &again);
    pdi_free(&pdi_malloc, written);
    pdr_recipe_close(&again);
}

/* A default outside its own range, or a kind that cannot be written, shows here. */
static void every_kind_takes_its_own_defaults(void **state)
{
    (void)state;
    static const char *const forms[] = {"method: %s\n", "method: finetune\noptimizer: %s\n",
                                        "method: finetune\nmodel: [%s]\n"};
    const pdr_kind *k;
    for (size_t g = 0; g < COUNT(forms); g++)
        for (size_t i = 0; (k = pdr_kind_at((pdr_kind_group)g, i)) != NULL; i++) {
            pdr_recipe r;
            pdr_error err = PDR_NO_ERROR;
            pdi_text t = {0};
            pdi_text_add(&t, "data: {name: mnist}\n");
            pdi_text_add(&t, forms[g], k->name);
            if (pdr_recipe_parse(NULL, "x", t.s, t.n, 0, NULL, &r, &err)) fail_msg("%s", err.text);
            keeps_in_writing(&r);
            pdr_recipe_close(&r);
            pdi_text_close(&t);
        }
}

/* Every *.yaml below a folder; how many there were. */
static size_t read_recipes(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[1024];
        const char *dot = strrchr(e->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (!dot) n += read_recipes(path);
        if (!dot || strcmp(dot, ".yaml") != 0) continue;
        pdr_recipe r;
        pdr_error err = PDR_NO_ERROR;
        if (pdr_recipe_read(NULL, path, 0, NULL, &r, &err)) fail_msg("%s", err.text);
        keeps_in_writing(&r);
        pdr_recipe_close(&r);
        n++;
    }
    closedir(d);
    return n;
}

static void every_recipe_of_the_project_reads(void **state)
{
    (void)state;
    const char *folder = getenv("PERDURE_RECIPES");
    if (!folder) skip();
    assert_true(read_recipes(folder) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipe_fills_every_section),
        cmocka_unit_test(what_is_published_is_not_written_into_what_ran),
        cmocka_unit_test(what_is_not_written_is_at_its_default),
        cmocka_unit_test(episodes_are_there_when_written_or_set),
        cmocka_unit_test(null_clears_a_text_and_quotes_keep_it),
        cmocka_unit_test(mistakes_are_placed_and_remedied),
        cmocka_unit_test(what_is_not_plain_yaml_is_refused),
        cmocka_unit_test(size_and_number_are_bounded),
        cmocka_unit_test(a_message_is_one_line_however_long_the_value),
        cmocka_unit_test(assignments_apply_in_order),
        cmocka_unit_test(an_assignment_can_complete_a_recipe),
        cmocka_unit_test(assignments_are_checked_like_the_file),
        cmocka_unit_test(what_is_written_reads_back_equal),
        cmocka_unit_test(numbers_are_written_as_people_write_them),
        cmocka_unit_test(files_are_read_and_named),
        cmocka_unit_test(every_refused_allocation_is_survived),
        cmocka_unit_test(every_kind_takes_its_own_defaults),
        cmocka_unit_test(every_recipe_of_the_project_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
