/* report/ramp.c -- colours that stand for numbers.
 *
 * The ramps are curves in OKLab (Ottosson, "A perceptual color space for image
 * processing", 2020), where equal steps look equal: lightness runs straight from end to
 * end, the hue turns beside it and the chroma rises and falls.  So they read in grey, in
 * print and with any kind of colour blindness. */
#include "report/ramp.h"

#include <math.h>

#define RAMP_PI 3.14159265358979323846

typedef struct ramp_curve {
    double l0, l1;     /* OKLab lightness at the ends */
    double h0, h1;     /* hue at the ends, degrees */
    double c0, c1, c2; /* chroma at start, middle and end */
} ramp_curve;

static const ramp_curve ramp_curves[2][2] = {
    /* heat: paper-pale yellow, green, deep blue; and from the dark paper upwards */
    {{0.970, 0.370, 105, 265, 0.022, 0.080, 0.105}, {0.270, 0.900, 265, 105, 0.035, 0.085, 0.095}},
    /* line: green, blue, purple */
    {{0.540, 0.380, 165, 325, 0.082, 0.090, 0.145}, {0.860, 0.660, 165, 325, 0.110, 0.110, 0.150}},
};

/* The parabola through (0, a), (1/2, b), (1, c). */
static double ramp_bend(double t, double a, double b, double c)
{
    return 2 * (t - 0.5) * (t - 1) * a - 4 * t * (t - 1) * b + 2 * t * (t - 0.5) * c;
}

/* Linear light to an sRGB byte (IEC 61966-2-1). */
static unsigned char ramp_byte(double x)
{
    x = fmin(fmax(x, 0), 1);
    x = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
    return (unsigned char)(255 * x + 0.5);
}

static double ramp_linear(unsigned char byte)
{
    double x = byte / 255.0;
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

/* OKLab to sRGB; the matrices are Ottosson's. */
static pdi_colour ramp_oklab(double l, double a, double b)
{
    double u = pow(l + 0.3963377774 * a + 0.2158037573 * b, 3);
    double v = pow(l - 0.1055613458 * a - 0.0638541728 * b, 3);
    double w = pow(l - 0.0894841775 * a - 1.2914855480 * b, 3);
    return (pdi_colour){
        ramp_byte(4.0767416621 * u - 3.3077115913 * v + 0.2309699292 * w),
        ramp_byte(-1.2684380046 * u + 2.6097574011 * v - 0.3413193965 * w),
        ramp_byte(-0.0041960863 * u - 0.7034186147 * v + 1.7076147010 * w),
    };
}

pdi_colour pdi_ramp_colour(pdi_ramp ramp, bool is_dark, int k)
{
    const ramp_curve *c = &ramp_curves[ramp][is_dark];
    double t = (double)k / (PDI_RAMP_STEPS - 1);
    double hue = (c->h0 + (c->h1 - c->h0) * t) * RAMP_PI / 180;
    double chroma = ramp_bend(t, c->c0, c->c1, c->c2);
    return ramp_oklab(c->l0 + (c->l1 - c->l0) * t, chroma * cos(hue), chroma * sin(hue));
}

double pdi_luminance(pdi_colour c)
{
    return 0.2126 * ramp_linear(c.r) + 0.7152 * ramp_linear(c.g) + 0.0722 * ramp_linear(c.b);
}

double pdi_contrast(pdi_colour a, pdi_colour b)
{
    double x = pdi_luminance(a), y = pdi_luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

pdi_colour pdi_ramp_text(pdi_colour c)
{
    const pdi_colour black = {0, 0, 0}, white = {255, 255, 255};
    return pdi_contrast(white, c) >= 4.5 ? white : black;
}

int pdi_ramp_step(double x, double lo, double hi)
{
    if (isnan(x)) return -1;
    double t = fmin(fmax((x - lo) / (hi - lo), 0), 1);
    return (int)(t * (PDI_RAMP_STEPS - 1) + 0.5);
}

static void ramp_rules(pdi_text *t, bool is_dark)
{
    for (int k = 0; k < PDI_RAMP_STEPS; k++) {
        pdi_colour f = pdi_ramp_colour(PDI_RAMP_HEAT, is_dark, k), x = pdi_ramp_text(f);
        pdi_colour s = pdi_ramp_colour(PDI_RAMP_LINE, is_dark, k);
        pdi_text_add(t, ".h%d{--f:#%02x%02x%02x;--t:#%02x%02x%02x}", k, f.r, f.g, f.b, x.r, x.g,
                     x.b);
        pdi_text_add(t, ".k%d{--s:#%02x%02x%02x}\n", k, s.r, s.g, s.b);
    }
}

void pdi_ramp_style(pdi_text *t)
{
    ramp_rules(t, false);
    pdi_text_add(t, "@media screen and (prefers-color-scheme:dark){\n");
    ramp_rules(t, true);
    pdi_text_add(t, "}\n");
}
