/* The classifier behind the last layer: scores of a sequence from one of its rows. */
#include <math.h>

#include "model/forward_impl.h"

/* In place, on the host: a handful of numbers. */
static void softmax(float *x, int32_t n)
{
    float greatest = x[0];
    for (int32_t i = 1; i < n; i++)
        greatest = fmaxf(greatest, x[i]);
    double sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += exp((double)x[i] - (double)greatest);
    for (int32_t i = 0; i < n; i++)
        x[i] = (float)(exp((double)x[i] - (double)greatest) / sum);
}

void gol_forward_classify(gol_forward *fwd, float *scores, const float *row)
{
    const gol_config *c = &fwd->model->config;
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_embd = (size_t)c->n_embd;
    ops->write(fwd->be, fwd->h, row, n_embd);
    if (w->cls.n_out > 0) {
        ops->matmul(fwd->be, fwd->dense, fwd->h, &w->cls, w->cls_bias, 1);
        ops->softcap(fwd->be, fwd->h, fwd->dense, 1.0f, n_embd); /* with a cap of 1 it is tanh */
    }
    ops->matmul(fwd->be, fwd->dense, fwd->h, &w->cls_output, w->cls_output_bias, 1);
    ops->read(fwd->be, scores, fwd->dense, (size_t)c->classifier.n_classes);
    if (c->classifier.has_softmax)
        softmax(scores, c->classifier.n_classes);
}
