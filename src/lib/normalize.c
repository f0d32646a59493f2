/* See normalize.h. */
#include "lib/normalize.h"

#include <math.h>

void gol_normalize_vector(float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    const double scale = sum > 0 ? 1.0 / sqrt(sum) : 0.0;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((double)x[i] * scale);
}

void gol_normalize_scores(float *scores, const gol_classifier *classifier)
{
    const int32_t n = classifier->n_classes;
    if (classifier->has_softmax)
        return;
    if (n == 1) {
        scores[0] = (float)(1.0 / (1.0 + exp(-(double)scores[0])));
        return;
    }
    float greatest = scores[0];
    for (int32_t i = 1; i < n; i++) /* a loop of fmax() is more than gcc 12 can take for aarch64 */
        greatest = scores[i] > greatest ? scores[i] : greatest;
    double sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += exp((double)scores[i] - (double)greatest);
    for (int32_t i = 0; i < n; i++)
        scores[i] = (float)(exp((double)scores[i] - (double)greatest) / sum);
}
