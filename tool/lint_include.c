/* tool/lint_include.c -- the table of floors: no room includes one above it. */
#include <string.h>

#include "lint.h"

/* The floors: what each room may include besides itself.  Nothing includes
 * upward; rooms of one floor that build on each other name each other. */
#define FLOOR_ENGINE "base graph ops xform plan kern exec emit"
#define FLOOR_METHOD FLOOR_ENGINE " nn opt data method lifelong meta"

static const struct {
    const char *room, *may;
} rooms[] = {
    {"base", ""},
    {"graph", "base ops"},
    {"ops", "base graph"},
    {"xform", "base graph ops"},
    {"plan", "base graph ops xform"},
    {"kern", "base graph ops"},
    {"exec", "base graph ops xform plan kern emit"},
    {"emit", "base graph ops xform plan kern exec"},
    {"nn", FLOOR_ENGINE " opt"},
    {"opt", FLOOR_ENGINE " nn"},
    {"data", "base"},
    {"method", FLOOR_ENGINE " nn opt data lifelong meta"},
    {"lifelong", FLOOR_METHOD},
    {"meta", FLOOR_METHOD},
    {"report", "base"},
    {"recipe", FLOOR_METHOD},
    {"experiment", FLOOR_METHOD " recipe report learner"},
    {"bench", FLOOR_ENGINE " nn opt"},
    {"learner", FLOOR_METHOD " recipe report"},
    {"cli", FLOOR_METHOD " recipe report experiment learner serve bench"},
    {"serve", FLOOR_METHOD " recipe report experiment learner cli"},
};

/* The room that each public header belongs to. */
static const struct {
    const char *room, *headers;
} fronts[] = {
    {"base", "alloc error kind option pool rng shape version"},
    {"graph", "graph"},
    {"plan", "plan"},
    {"nn", "nn"},
    {"opt", "opt"},
    {"data", "data episode scenario"},
    {"method", "method"},
    {"report", "result"},
    {"recipe", "recipe"},
    {"experiment", "experiment"},
    {"learner", "learner exchange"},
    {"cli", "perdure"}, /* the header that includes all others */
};

static const char *include_front(const char *name, size_t n)
{
    for (size_t k = 0; k < sizeof fronts / sizeof fronts[0]; k++)
        if (lint_listed(fronts[k].headers, name, n)) return fronts[k].room;
    return NULL;
}

static const char *include_may(const char *room, size_t n)
{
    for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; k++)
        if (lint_listed(rooms[k].room, room, n)) return rooms[k].may;
    return NULL;
}

/* The room a file is in, as n bytes; NULL for files outside src/ and include/. */
static const char *include_room(const char *path, size_t *n)
{
    const char *room = NULL;
    if (lint_starts(path, "src/") && strchr(path + 4, '/')) {
        room = path + 4;
        *n = strcspn(room, "/");
    } else if (lint_starts(path, "include/perdure/")) {
        const char *name = path + strlen("include/perdure/");
        room = include_front(name, strcspn(name, "."));
        *n = room ? strlen(room) : 0;
        if (!room) room = "";
    }
    return room;
}

static void include_room_rule(lint *l, const source *s, int line, const char *to, size_t n)
{
    size_t n_from = 0;
    const char *from = include_room(s->path, &n_from), *may = from ? include_may(from, n_from) : "";
    if (!from || !may) return; /* a file with no room; or a room that lint_room() reports */
    if (n == n_from && !memcmp(from, to, n)) return;
    if (!lint_listed(may, to, n))
        lint_say(l, s->path, line, "include-up", "%.*s may not include %.*s (floors in %s)",
                 (int)n_from, from, (int)n, to, "tool/lint_include.c");
}

void lint_include(lint *l, const source *s, const token *t)
{
    static const char front[] = "<perdure/";
    const char *name = t->s + 1;
    if (lint_starts(t->s, front)) {
        const char *stem = t->s + strlen(front), *room = include_front(stem, strcspn(stem, ".>"));
        if (room)
            include_room_rule(l, s, t->line, room, strlen(room));
        else
            lint_say(l, s->path, t->line, "include-up", "%.*s has no room in tool/lint_include.c",
                     (int)t->n, t->s);
    } else if (*t->s == '"' && memchr(name, '/', t->n - 1)) {
        include_room_rule(l, s, t->line, name, strcspn(name, "/"));
    }
}

void lint_room(lint *l, const source *s)
{
    size_t n = 0;
    const char *room = include_room(s->path, &n);
    if (room && !(n && include_may(room, n)))
        lint_say(l, s->path, 1, "include-up",
                 "its room is not in the table of tool/lint_include.c");
}
