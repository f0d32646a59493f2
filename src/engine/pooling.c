/* See pooling.h. */
#include "engine/pooling.h"

#include <assert.h>
#include <string.h>

/* A prompt that nobody wants an embedding of. */
static int check_generation(const gol_seq_limits *limits, gol_err *err)
{
    if (limits->pooling == GOL_POOLING_RANK)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "the model is a reranker: it scores texts and generates none");
    if (!limits->is_encoder)
        return 0;
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "the model is an encoder: it makes embeddings and generates no text");
}

int gol_pooling_check(const gol_request *request, const gol_seq_limits *limits, gol_err *err)
{
    const gol_embedding *e = request->embedding;
    if (!e)
        return check_generation(limits, err);
    if (!e->values)
        return gol_fail(err, GOL_EINVAL, "embedding has no values");
    if (e->pooling < GOL_POOLING_NONE || e->pooling > GOL_POOLING_RANK)
        return gol_fail(err, GOL_EINVAL,
                        "embedding.pooling is %d, mean (1), cls (2), last (3), rank (4) and the "
                        "model's own (0) are known",
                        (int)e->pooling);
    if (e->pooling == GOL_POOLING_RANK && limits->n_classes == 0)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "the model has no classifier, so it makes no scores; mean, cls and last "
                        "can be asked for");
    if (e->pooling == GOL_POOLING_NONE && limits->pooling == GOL_POOLING_NONE)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "the model's file names no pooling, so it was not made for embeddings; "
                        "mean, cls and last can be asked for");
    if (e->n_first < 0 || e->n_first > request->n_prompt)
        return gol_fail(err, GOL_EINVAL, "embedding.n_first is %d, the prompt has %d tokens",
                        e->n_first, request->n_prompt);
    if (request->max_tokens != 0 || request->scores)
        return gol_fail(err, GOL_EINVAL,
                        "an embedding comes alone: max_tokens is %d, 0 is accepted, and no scores",
                        request->max_tokens);
    if (limits->is_encoder && request->n_prompt > limits->max_batch_tokens)
        return gol_fail(err, GOL_ECONTEXT,
                        "the prompt has %d tokens; an encoder reads it in one step, which has "
                        "%d at most (max_batch_tokens)",
                        request->n_prompt, limits->max_batch_tokens);
    return 0;
}

bool gol_pooling_wants(const gol_seq *seq, int32_t position)
{
    if (!seq->embedding || position < seq->n_pooled)
        return false;
    switch (seq->pooling) {
    case GOL_POOLING_MEAN:
        return true;
    case GOL_POOLING_CLS:
        return position == 0;
    case GOL_POOLING_LAST:
        return position == seq->n_prompt - 1;
    case GOL_POOLING_RANK:
        return position == (seq->is_whole ? 0 : seq->n_prompt - 1);
    case GOL_POOLING_NONE:
        break;
    }
    return false;
}

void gol_pooling_add(gol_seq *seq, int32_t position, const float *row, int32_t n_embd)
{
    assert(gol_pooling_wants(seq, position) && seq->pooling != GOL_POOLING_RANK);
    float *values = seq->embedding->values;
    const bool is_sum = seq->pooling == GOL_POOLING_MEAN && position > 0;
    assert(!is_sum || position == seq->n_pooled);
    if (is_sum)
        for (int32_t i = 0; i < n_embd; i++)
            values[i] += row[i];
    else
        memcpy(values, row, (size_t)n_embd * sizeof *values);
    seq->n_pooled = position + 1;
}

void gol_pooling_note(gol_seq *seq, int32_t position)
{
    assert(gol_pooling_wants(seq, position));
    seq->n_pooled = position + 1;
}

void gol_pooling_end(gol_seq *seq, int32_t n_embd)
{
    assert(seq->n_pooled > 0);
    if (seq->pooling != GOL_POOLING_MEAN)
        return;
    const float scale = 1.0f / (float)seq->n_pooled;
    for (int32_t i = 0; i < n_embd; i++)
        seq->embedding->values[i] *= scale;
}
