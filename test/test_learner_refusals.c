/* test_learner_refusals.c -- files with right sums and wrong contents; disks that take no more.
 *
 * Each is refused in one line that says what is wrong, within a second and little memory, and what
 * was in the file stays there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "disk.h"
#include "learner/learner.h"
#include "learner_life.h"
#include "t_data.h"

#define PATH "/life"

static disk d;
static const learner_home home = {.path = PATH, .vfs = "disk"};
static const pdi_store_options how = {.vfs = "disk"};
static void *image;
static size_t image_size;

static int start(void **state)
{
    int done;
    pdr_error err = PDR_NO_ERROR;
    disk_start(&d);
    if (learner_run(&home, 0, LEARNER_STEPS, &done, &err)) {
        print_message("%s\n", err.text);
        return -1;
    }
    const uint8_t *bytes = disk_bytes(&d, PATH, &image_size);
    image = malloc(image_size);
    if (image) memcpy(image, bytes, image_size);
    return t_make_folder(state);
}

static int stop(void **state)
{
    disk_stop(&d);
    free(image);
    return t_remove_folder(state);
}

static void restore(void)
{
    disk_restart(&d, DISK_DROPPED, 0);
    disk_put(&d, PATH, image, image_size);
    disk_put(&d, PATH "-wal", NULL, 0);
    disk_put(&d, PATH "-journal", NULL, 0);
}

/* ---- contents that are wrong --------------------------------------------------------------------
 */

typedef pdr_rc (*change_fn)(pdi_store *s, pdr_error *err);

/* Bytes of an item, from a byte on. */
static pdr_rc poke(pdi_store *s, const char *section, const char *name, size_t at, const void *with,
                   size_t n, pdr_error *err)
{
    static uint8_t bytes[4096];
    pdi_item i = {.section = section, .name = name};
    pdr_rc rc = pdi_store_find(s, &i, NULL, err);
    if (!rc) rc = pdi_store_get(s, &i, bytes, err);
    i.bytes = bytes;
    memcpy(bytes + at, with, n);
    return rc ? rc : pdi_store_put(s, &i, err);
}

static pdr_rc poke_int(pdi_store *s, const char *section, const char *name, size_t at, int32_t x,
                       pdr_error *err)
{
    return poke(s, section, name, at * sizeof x, &x, sizeof x, err);
}

static pdr_rc poke_long(pdi_store *s, const char *section, const char *name, size_t at, uint64_t x,
                        pdr_error *err)
{
    return poke(s, section, name, at * sizeof x, &x, sizeof x, err);
}

static pdr_rc recipe(pdi_store *s, const char *model, const char *rest, pdr_error *err)
{
    char text[1000];
    snprintf(text, sizeof text,
             "data: {train: none.csv}\nmodel: [%s]\n%s\ntraining: {batch: 3}\n"
             "learner: {classes: 4, tasks: 2, window: 10, asked: 4, most_classes: 8}\n",
             model, rest);
    return pdi_store_put_text(s, "learner", "recipe", text, err);
}

#define MODEL "{layer: dense, units: 4}, {layer: relu}"
#define ER    "method: {name: er, memory: 6, batch: 2}\noptimizer: adam"

static pdr_rc many_parameters(pdi_store *s, pdr_error *err)
{
    return recipe(s, "{layer: dense, units: 1000000}, {layer: dense, units: 1000000}", ER, err);
}

static pdr_rc much_memory(pdi_store *s, pdr_error *err)
{
    return recipe(s, MODEL, "method: {name: er, memory: 100000000}\noptimizer: adam", err);
}

static pdr_rc much_room(pdi_store *s, pdr_error *err)
{
    return pdi_store_put_text(s, "learner", "recipe",
                              "data: {train: x}\nmethod: er\n"
                              "learner: {classes: 100000, tasks: 100000, window: 100000000}\n",
                              err);
}

static pdr_rc another_method(pdi_store *s, pdr_error *err)
{
    return recipe(s, MODEL, "method: {name: der++, memory: 6, batch: 2}\noptimizer: adam", err);
}

static pdr_rc no_recipe(pdi_store *s, pdr_error *err)
{
    return pdi_store_put_text(s, "learner", "recipe", "]", err);
}

static pdr_rc large_tensor(pdi_store *s, pdr_error *err)
{
    static float zeros[1 << 18];
    pdi_item i = {"tensor", "param/0.dense.weight", PDI_F32, PDR_SHAPE(1 << 9, 1 << 9), zeros};
    return pdi_store_put(s, &i, err);
}

static pdr_rc flat_tensor(pdi_store *s, pdr_error *err)
{
    static float zeros[12];
    pdi_item i = {"tensor", "optimizer/param/0.dense.weight/0", PDI_F32, PDR_SHAPE(1), zeros};
    return pdi_store_put(s, &i, err);
}

static pdr_rc no_tensors(pdi_store *s, pdr_error *err) { return pdi_store_clear(s, "tensor", err); }

static pdr_rc no_memory(pdi_store *s, pdr_error *err) { return pdi_store_clear(s, "memory", err); }

static pdr_rc journal(pdi_store *s, const void *bytes, size_t n, pdr_error *err)
{
    return pdi_store_append(s, bytes, n, NULL, err);
}

/* Lengths of task, label and id, then 1: features follow. */
static pdr_rc entry_of_another_width(pdi_store *s, pdr_error *err)
{
    uint32_t e[4 + 4 + 1 + 2] = {PDI_ENTRY_LEARN, 1, 0, 0, 0, 3, 0, 1};
    memcpy(&e[8], "red", 3);
    return journal(s, e, sizeof e, err);
}

static pdr_rc entry_without_an_answer(pdi_store *s, pdr_error *err)
{
    uint32_t e[4 + 4 + 3] = {PDI_ENTRY_LEARN, 1, 0, 0, 0, 0, 0, 1};
    return journal(s, e, sizeof e, err);
}

static pdr_rc entry_of_an_id_that_does_not_wait(pdi_store *s, pdr_error *err)
{
    uint32_t e[4 + 4 + 2] = {PDI_ENTRY_LEARN, 1, 0, 0, 0, 3, 1, 0};
    memcpy(&e[8], "redz", 4);
    return journal(s, e, sizeof e, err);
}

static pdr_rc entry_of_many(pdi_store *s, pdr_error *err)
{
    return journal(s, (uint32_t[]){PDI_ENTRY_LEARN, UINT32_MAX, 0, 0}, 16, err);
}

static pdr_rc entries_of_nine_classes(pdi_store *s, pdr_error *err)
{
    static const char *const names[] = {"on1", "on2", "on3", "on4"};
    uint32_t e[4 + 4 + 1 + 3] = {PDI_ENTRY_LEARN, 1, 0, 0, 0, 3, 0, 1};
    pdr_rc rc = PDR_OK;
    for (int i = 0; !rc && i < 4; i++) {
        memcpy(&e[8], names[i], 3);
        rc = journal(s, e, sizeof e, err);
    }
    return rc;
}

static pdr_rc entry_of_no_kind(pdi_store *s, pdr_error *err)
{
    return journal(s, (uint32_t[]){9, 1, 0, 0}, 16, err);
}

static pdr_rc adapting_to_nothing(pdi_store *s, pdr_error *err)
{
    return journal(s, (uint32_t[]){PDI_ENTRY_ADAPT, 0, 0, 0}, 16, err);
}

static pdr_rc next_in_the_future(pdi_store *s, pdr_error *err)
{
    return poke_long(s, "learner", "counts", 3, 1000000, err);
}

static pdr_rc more_waiting_than_a_batch(pdi_store *s, pdr_error *err)
{
    return poke_long(s, "learner", "counts", 4, 200, err);
}

static pdr_rc counts_that_differ(pdi_store *s, pdr_error *err)
{
    return poke_long(s, "learner", "counts", 2, 1, err);
}

static pdr_rc task_below_none(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "counter", "task", 0, -1, err);
}

static pdr_rc slot_out_of_range(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "memory", "slot", 2, 1000, err);
}

static pdr_rc offered_nothing(pdi_store *s, pdr_error *err)
{
    return poke_long(s, "memory", "offered", 0, 0, err);
}

static pdr_rc offered_without_end(pdi_store *s, pdr_error *err)
{
    return poke_long(s, "memory", "offered", 0, UINT64_MAX, err);
}

static pdr_rc label_out_of_range(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "memory", "label", 1, 1 << 20, err);
}

static pdr_rc remembered_of_no_task(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "memory", "task", 1, 1 << 20, err);
}

static pdr_rc class_twice(pdi_store *s, pdr_error *err)
{
    return pdi_store_put_text(s, "class", "00000001", "red", err);
}

static pdr_rc classes_with_a_hole(pdi_store *s, pdr_error *err)
{
    return pdi_store_put_text(s, "class", "00000007", "black", err);
}

static pdr_rc class_without_a_mask(pdi_store *s, pdr_error *err)
{
    return pdi_store_put_text(s, "class", "00000005", "white", err);
}

static pdr_rc answer_of_no_class(pdi_store *s, pdr_error *err)
{
    return poke(s, "form", "mask", 7 * sizeof(float), &(float){1}, sizeof(float), err);
}

static pdr_rc shape_of_another_model(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "form", "shape", 5, 1 << 20, err);
}

static pdr_rc tasks_without_end(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "form", "shape", 3, 1 << 19, err);
}

static pdr_rc shape_that_is_none(pdi_store *s, pdr_error *err)
{
    return poke_int(s, "form", "shape", 4, 99, err);
}

static const struct {
    const char *what;
    change_fn change;
    const char *says;
} wrongs[] = {
#define WRONG(change, says)                                                                        \
    {                                                                                              \
#change, change, says                                                                      \
    }
    WRONG(many_parameters, "its recipe asks for more than the file holds"),
    WRONG(much_memory, "its recipe asks for more than the file holds"),
    WRONG(much_room, "its recipe asks for more than the file holds"),
    WRONG(another_method, "is not what this recipe's model and method have"),
    WRONG(no_recipe, "the recipe in the learner: life:1:1:"),
    WRONG(large_tensor, "its recipe asks for more than the file holds"),
    WRONG(flat_tensor, NULL),
    WRONG(no_tensors, "its recipe asks for more than the file holds"),
    WRONG(no_memory, "its recipe asks for more than the file holds"),
    WRONG(entry_of_another_width, "of the journal does not fit this learner's examples"),
    WRONG(entry_of_many, "of the journal does not fit this learner's examples"),
    WRONG(entries_of_nine_classes, "class 'on4': all 8 outputs have a class"),
    WRONG(entry_without_an_answer, "of the journal does not fit this learner's examples"),
    WRONG(entry_of_an_id_that_does_not_wait,
          "the journal has a label for an id that does not wait"),
    WRONG(tasks_without_end, "its classes and tasks are not those of its recipe"),
    WRONG(entry_of_no_kind, "of the journal is none of ours"),
    WRONG(adapting_to_nothing, "of the journal is none of ours"),
    WRONG(next_in_the_future, "its counters contradict each other"),
    WRONG(more_waiting_than_a_batch, "'learner/counts' is not what"),
    WRONG(counts_that_differ, "its counters contradict each other"),
    WRONG(task_below_none, "its counters contradict each other"),
    WRONG(slot_out_of_range, "what it remembers is no example of its own"),
    WRONG(offered_nothing, "what it remembers is no example of its own"),
    WRONG(offered_without_end, "what it remembers is no example of its own"),
    WRONG(label_out_of_range, "what it remembers is no example of its own"),
    WRONG(remembered_of_no_task, "what it remembers is no example of its own"),
    WRONG(class_twice, "a class is in it twice"),
    WRONG(classes_with_a_hole, "the names in 'class' are not those"),
    WRONG(class_without_a_mask, "its tasks have classes that it does not know"),
    WRONG(answer_of_no_class, "its tasks have classes that it does not know"),
    WRONG(shape_of_another_model, "its recipe asks for more than the file holds"),
    WRONG(shape_that_is_none, "no example looks like that"),
#undef WRONG
};

/* An allocator that counts what is asked for. */
static size_t asked;

static void *counted(void *ctx, void *old, size_t size)
{
    (void)ctx;
    asked += size;
    if (size) return realloc(old, size);
    free(old);
    return NULL;
}

static void change(change_fn fn, const char *what)
{
    pdi_store *s = NULL;
    pdr_error err = PDR_NO_ERROR;
    restore();
    pdr_rc rc = pdi_store_open(PATH, PDI_STORE_WRITE, &how, &s, &err);
    if (!rc) rc = pdi_store_begin(s, PDI_STORE_WRITE, &err);
    if (!rc) rc = fn(s, &err);
    if (!rc) rc = pdi_store_commit(s, &err);
    pdi_store_close(s);
    if (rc) fail_msg("%s: %s", what, err.text);
}

static void wrong_contents_are_refused_at_once(void **state)
{
    (void)state;
    const pdr_alloc alloc = {counted, NULL};
    learner_home counting = {.path = PATH, .vfs = "disk", .alloc = &alloc};
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        pdr_learner *l = NULL;
        pdr_error err = PDR_NO_ERROR;
        change(wrongs[i].change, wrongs[i].what);
        asked = 0;
        clock_t before = clock();
        pdr_rc rc = learner_open(&counting, i % 2, &l, &err);
        double took = (double)(clock() - before) / CLOCKS_PER_SEC;
        if (!wrongs[i].says && !rc) { /* seen when it is used */
            rc = learner_step(l, i % 2 ? 5 : 1, &err);
            pdr_learner_close(l, NULL);
        }
        if (!rc) fail_msg("%s: is taken", wrongs[i].what);
        if (wrongs[i].says && !strstr(err.text, wrongs[i].says))
            fail_msg("%s: %s", wrongs[i].what, err.text);
        assert_int_not_equal(rc, PDR_NOMEM);
        t_one_line(&err);
        if (took > 1) fail_msg("%s: took %g seconds", wrongs[i].what, took);
        if (asked > (size_t)1 << 24) fail_msg("%s: asked for %zu bytes", wrongs[i].what, asked);
    }
}

/* ---- disks that take no more -------------------------------------------------------------------
 */

static uint64_t print_of(const learner_home *at)
{
    uint64_t print = 0;
    pdr_error err = PDR_NO_ERROR;
    if (learner_print_file(at, true, &print, &err)) fail_msg("%s", err.text);
    return print;
}

static void a_full_disk_is_told_and_the_file_intact(void **state)
{
    (void)state;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    restore();
    uint64_t print = print_of(&home);
    assert_int_equal(learner_open(&home, false, &l, &err), PDR_OK);
    d.fault = DISK_FULL;
    d.and_later = true;
    d.at = 1;
    assert_int_equal(learner_step(l, 2, &err), PDR_IO);
    assert_non_null(strstr(err.text, "/life: the disk is full; nothing of this was written"));
    pdr_learner_close(l, NULL);
    disk_restart(&d, DISK_KEPT, 0);
    assert_int_equal(print_of(&home), print);
}

/* The journal has grown to its limit, and the state cannot be written. */
static void a_full_journal_is_told_before_examples_are_taken(void **state)
{
    (void)state;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    restore();
    assert_int_equal(learner_open(&home, false, &l, &err), PDR_OK);
    for (int k = 0; k < 2; k++) assert_int_equal(learner_step(l, LEARNER_STEPS - 1, &err), PDR_OK);
    uint64_t hash = pdr_learner_state_hash(l), n = pdr_learner_examples(l);
    d.fault = DISK_FULL;
    d.and_later = true;
    d.at = 1;
    for (int k = 0; k < 3; k++) {
        err = (pdr_error)PDR_NO_ERROR;
        assert_int_equal(learner_step(l, 2, &err), PDR_IO);
        assert_non_null(strstr(err.text, "the journal is full, and the state cannot be written: "
                                         "/life: the disk is full"));
        assert_int_equal(pdr_learner_state_hash(l), hash);
        assert_int_equal(pdr_learner_examples(l), n);
    }
    d.fault = DISK_NONE; /* there is room again */
    assert_int_equal(learner_step(l, 2, &err), PDR_OK);
    assert_int_equal(pdr_learner_examples(l), n + 1);
    hash = pdr_learner_state_hash(l);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    assert_int_equal(learner_open(&home, true, &l, &err), PDR_OK);
    assert_int_equal(pdr_learner_state_hash(l), hash);
    pdr_learner_close(l, NULL);
}

static void a_second_writer_is_told_of_the_first(void **state)
{
    (void)state;
    char path[600], who[64];
    int done;
    pdr_learner *l = NULL, *second = NULL;
    pdr_error err = PDR_NO_ERROR;
    snprintf(path, sizeof path, "%s", t_path("two.perdure"));
    learner_home there = {.path = path};
    assert_int_equal(learner_run(&there, 0, 2, &done, &err), PDR_OK);
    uint64_t print = print_of(&there);
    assert_int_equal(learner_open(&there, false, &l, &err), PDR_OK);
    assert_int_equal(learner_open(&there, false, &second, &err), PDR_IO);
    snprintf(who, sizeof who, "process %ld on ", (long)getpid());
    assert_non_null(strstr(err.text, who));
    assert_non_null(strstr(err.text, "has it open for writing"));
    assert_int_equal(print_of(&there), print); /* readers are welcome */
    assert_int_equal(learner_step(l, 2, &err), PDR_OK);
    uint64_t more = print_of(&there); /* and see what was acknowledged */
    assert_int_not_equal(more, print);
    assert_int_equal(pdr_learner_close(l, &err), PDR_OK);
    assert_int_equal(print_of(&there), more);
}

/* As somebody who may read the file and no more: 0 when all is as it should be. */
static int read_only_child(const learner_home *there, uint64_t print)
{
    pdr_learner *l = NULL;
    uint64_t mine = 0;
    pdr_error err = PDR_NO_ERROR;
    if (geteuid() == 0 && (setgid(65534) || setuid(65534))) return 0;
    if (access(there->path, R_OK)) return 0; /* not even that */
    if (!access(there->path, W_OK)) return 1;
    if (learner_print_file(there, true, &mine, &err) || mine != print) return 2;
    if (learner_open(there, false, &l, &err) != PDR_IO) return 3;
    return strstr(err.text, "cannot be written: file, folder or disk is read-only") ? 0 : 4;
}

static void what_is_read_only_answers_and_takes_nothing(void **state)
{
    (void)state;
    char path[600];
    int done, status;
    pdr_error err = PDR_NO_ERROR;
    snprintf(path, sizeof path, "%s", t_path("still.perdure"));
    learner_home there = {.path = path};
    assert_int_equal(learner_run(&there, 0, 2, &done, &err), PDR_OK);
    uint64_t print = print_of(&there);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(t_folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) _exit(read_only_child(&there, print));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(t_folder, 0755), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_contents_are_refused_at_once),
        cmocka_unit_test(a_full_disk_is_told_and_the_file_intact),
        cmocka_unit_test(a_full_journal_is_told_before_examples_are_taken),
        cmocka_unit_test(a_second_writer_is_told_of_the_first),
        cmocka_unit_test(what_is_read_only_answers_and_takes_nothing),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
