/* data/class_split.c -- which classes episodes learn from, hold out and test on. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/episode.h"

/* A split being made.  order has the classes, or the groups, in the order in which
 * they are taken. */
typedef struct class_split {
    const pdr_alloc *alloc;
    const pdr_dataset *d;
    const pdr_episode_options *o;
    uint64_t seed;
    uint8_t *part;   /* [classes] */
    uint32_t *order; /* [classes] */
    pdr_error *err;
} class_split;

static void class_split_shuffle(class_split *s, uint32_t n)
{
    pdr_rng rng = {.seed = s->seed, .stream = PDR_STREAM_EPISODE_SPLIT};
    for (uint32_t i = 0; i < n; i++) s->order[i] = i;
    pdr_rng_shuffle(&rng, n, s->order);
}

static int32_t class_split_share(double fraction, int32_t n)
{
    return (int32_t)floor(fraction * (double)n + 0.5);
}

/* Give to a part the first n classes in order that are to be trained on. */
static void class_split_take(class_split *s, int32_t n, pdr_part to)
{
    for (int32_t k = 0; k < s->d->classes && n > 0; k++) {
        uint8_t *part = &s->part[s->order[k]];
        if (*part != PDR_TRAIN) continue;
        *part = (uint8_t)to;
        n--;
    }
}

static pdr_rc class_split_random(class_split *s)
{
    int32_t n = s->d->classes, test = class_split_share(s->o->test_fraction, n);
    class_split_shuffle(s, (uint32_t)n);
    class_split_take(s, test, PDR_TEST);
    class_split_take(s, class_split_share(s->o->validation, n - test), PDR_VALIDATION);
    return PDR_OK;
}

static pdr_rc class_split_background(class_split *s)
{
    int32_t n = s->d->classes, left = 0;
    if (!s->d->class_part)
        return pdi_fail(s->err, PDR_INPUT,
                        "episodes.split: background needs a set whose maker set classes apart for "
                        "tests, as omniglot's did; choose random");
    for (int32_t c = 0; c < n; c++) {
        s->part[c] = (uint8_t)s->d->class_part[c];
        left += s->part[c] == PDR_TRAIN;
    }
    class_split_shuffle(s, (uint32_t)n);
    class_split_take(s, class_split_share(s->o->validation, left), PDR_VALIDATION);
    return PDR_OK;
}

/* ---- by groups ---- */

/* group[c] = number of the class's group, by first appearance; how many there are. */
static uint32_t class_split_groups(const pdr_dataset *d, uint32_t group[])
{
    uint32_t n = 0;
    for (int32_t c = 0; c < d->classes; c++) {
        int32_t like = c - 1; /* a group's classes mostly stand together */
        while (like >= 0 && strcmp(d->class_group[like], d->class_group[c]) != 0) like--;
        group[c] = like < 0 ? n++ : group[like];
    }
    return n;
}

/* Give whole groups, from *next on, to a part until it has n classes. */
static void class_split_take_groups(class_split *s, const uint32_t group[], uint32_t groups,
                                    uint32_t *next, int32_t n, pdr_part to)
{
    for (; n > 0 && *next < groups; ++*next)
        for (int32_t c = 0; c < s->d->classes; c++) {
            if (group[c] != s->order[*next]) continue;
            s->part[c] = (uint8_t)to;
            n--;
        }
}

static pdr_rc class_split_alphabets(class_split *s)
{
    int32_t n = s->d->classes, left = 0;
    uint32_t next = 0;
    if (!s->d->class_group)
        return pdi_fail(s->err, PDR_INPUT,
                        "episodes.split: alphabets needs a set whose classes are grouped, as "
                        "omniglot's are; choose random");
    uint32_t *group = pdi_new(s->alloc, (size_t)n, sizeof *group);
    if (!group) return pdi_nomem(s->err);
    uint32_t groups = class_split_groups(s->d, group);
    class_split_shuffle(s, groups);
    class_split_take_groups(s, group, groups, &next, class_split_share(s->o->test_fraction, n),
                            PDR_TEST);
    for (int32_t c = 0; c < n; c++) left += s->part[c] == PDR_TRAIN;
    class_split_take_groups(s, group, groups, &next, class_split_share(s->o->validation, left),
                            PDR_VALIDATION);
    pdi_free(s->alloc, group);
    return PDR_OK;
}

/* ---- Vinyals et al. ---- */

/* "Matching networks for one shot learning", NeurIPS 2016, as Snell, Swersky & Zemel,
 * "Prototypical networks for few-shot learning", NeurIPS 2017, published its lists of
 * classes.  They come down to this: of the 1623 in their usual order (alphabets and
 * characters by name, background first) the last 423, and whole alphabets. */
enum { CLASS_SPLIT_OMNIGLOT = 1623, CLASS_SPLIT_TESTED = 423 };

static const char *const class_split_held[] = {"Armenian", "Bengali", "Early_Aramaic", "Hebrew",
                                               "Mkhedruli_(Georgian)"};

static bool class_split_is_held(const char *group)
{
    for (size_t k = 0; k < sizeof class_split_held / sizeof class_split_held[0]; k++)
        if (!strcmp(class_split_held[k], group)) return true;
    return false;
}

static pdr_rc class_split_vinyals(class_split *s)
{
    const pdr_dataset *d = s->d;
    if (d->classes != CLASS_SPLIT_OMNIGLOT || !d->class_group)
        return pdi_fail(
            s->err, PDR_INPUT,
            "episodes.split: vinyals divides the 1623 classes of omniglot, and this set "
            "has %" PRId32 "%s; choose random",
            d->classes, d->class_group ? "" : " without groups");
    for (int32_t c = 0; c < d->classes; c++)
        s->part[c] = c >= CLASS_SPLIT_OMNIGLOT - CLASS_SPLIT_TESTED ? PDR_TEST
                     : s->o->validation > 0 && class_split_is_held(d->class_group[c])
                         ? PDR_VALIDATION
                         : PDR_TRAIN;
    return PDR_OK;
}

pdr_rc pdi_class_split(const pdr_alloc *alloc, const pdr_dataset *d, const pdr_episode_options *o,
                       uint64_t seed, uint8_t part[], pdr_error *err)
{
    class_split s = {.alloc = alloc, .d = d, .o = o, .seed = seed, .part = part, .err = err};
    s.order = pdi_new(alloc, (size_t)d->classes, sizeof *s.order);
    if (!s.order) return pdi_nomem(err);
    memset(part, PDR_TRAIN, (size_t)d->classes);
    pdr_rc rc = PDR_OK;
    switch (o->split) {
    case PDR_CLASSES_RANDOM: rc = class_split_random(&s); break;
    case PDR_CLASSES_BACKGROUND: rc = class_split_background(&s); break;
    case PDR_CLASSES_ALPHABETS: rc = class_split_alphabets(&s); break;
    case PDR_CLASSES_VINYALS: rc = class_split_vinyals(&s); break;
    }
    pdi_free(alloc, s.order);
    return rc;
}
