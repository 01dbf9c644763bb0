/* data/sinusoid.c -- tasks of the sinusoid family.
 *
 * Finn, Abbeel & Levine, "Model-agnostic meta-learning for fast adaptation of deep
 * networks", ICML 2017, section 5.1; with a frequency and with noise, Yoon et al.,
 * "Bayesian model-agnostic meta-learning", NeurIPS 2018, section 5.1. */
#include <math.h>

#include "base/error.h"
#include "data/episode.h"

pdr_rc pdi_sinusoid_check(const pdr_episode_options *o, pdr_error *err)
{
    const struct {
        const char *name;
        double lo, hi;
    } range[] = {{"amplitude", o->amplitude_lo, o->amplitude_hi},
                 {"phase", o->phase_lo, o->phase_hi},
                 {"frequency", o->frequency_lo, o->frequency_hi},
                 {"x", o->x_lo, o->x_hi}};
    for (size_t k = 0; k < sizeof range / sizeof range[0]; k++)
        if (range[k].lo > range[k].hi)
            return pdi_fail(err, PDR_INPUT,
                            "episodes.%s_lo: nothing lies between %.10g and %.10g; give a "
                            "%s_hi that is not below it",
                            range[k].name, range[k].lo, range[k].hi, range[k].name);
    return PDR_OK;
}

static double sinusoid_uniform(pdr_rng *rng, double lo, double hi)
{
    return lo + (hi - lo) * (double)pdr_rng_uniform(rng);
}

pdr_sinusoid pdi_sinusoid_draw(const pdr_episode_options *o, pdr_rng *rng)
{
    pdr_sinusoid s;
    s.amplitude = sinusoid_uniform(rng, o->amplitude_lo, o->amplitude_hi);
    s.phase = sinusoid_uniform(rng, o->phase_lo, o->phase_hi);
    s.frequency = sinusoid_uniform(rng, o->frequency_lo, o->frequency_hi);
    return s;
}

void pdi_sinusoid_points(const pdr_episode_options *o, const pdr_sinusoid *s, bool noisy, int32_t n,
                         pdr_rng *rng, float x[], float y[])
{
    double spread = noisy ? o->noise * s->amplitude : 0;
    for (int32_t k = 0; k < n; k++) {
        float at = (float)sinusoid_uniform(rng, o->x_lo, o->x_hi);
        pdr_rng error = *rng;
        rng->counter += 2; /* those of a normal number, which is slow to make */
        if (x) x[k] = at;
        if (!y) continue;
        y[k] = (float)(s->amplitude * sin(s->frequency * (double)at - s->phase) +
                       (spread > 0 ? spread * (double)pdr_rng_normal(&error) : 0));
    }
}
