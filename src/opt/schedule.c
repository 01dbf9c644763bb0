/* opt/schedule.c -- learning-rate schedules: a factor for each step.
 *
 * For the first w (warmup) steps the factor rises linearly, (step + 1) / w
 * (Goyal et al., "Accurate, large minibatch SGD", 2017).  From there, with
 * s = step - w and S = total - w:
 *
 *     constant      1
 *     step          decay^floor(s / decay_every)
 *     exponential   decay^(s / decay_every)
 *     cosine        (1 + cos(pi s / S)) / 2     Loshchilov & Hutter, ICLR 2017
 *     linear        1 - s / S */
#include <math.h>
#include <perdure/opt.h>

#define SCHEDULE_PI 3.14159265358979323846

/* How far the run is after warming up, 0 to 1. */
static double schedule_progress(int64_t s, int64_t all)
{
    return s < all ? (double)s / (double)all : 1;
}

double pdr_schedule_factor(const pdr_schedule *c, int64_t step, int64_t total)
{
    int64_t s = step - c->warmup, all = total - c->warmup;
    int64_t every = c->decay_every > 0 ? c->decay_every : 1;
    if (s < 0) return (double)(step + 1) / (double)c->warmup;
    switch ((pdr_schedule_kind)c->kind) {
    case PDR_SCHEDULE_CONSTANT: break;
    case PDR_SCHEDULE_STEP: return pow(c->decay, (double)(s / every));
    case PDR_SCHEDULE_EXPONENTIAL: return pow(c->decay, (double)s / (double)every);
    case PDR_SCHEDULE_COSINE: return (1 + cos(SCHEDULE_PI * schedule_progress(s, all))) / 2;
    case PDR_SCHEDULE_LINEAR: return 1 - schedule_progress(s, all);
    }
    return 1;
}
