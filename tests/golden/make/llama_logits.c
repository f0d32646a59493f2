/*
 * llama.cpp's logits at every position of a sequence, its pooled embedding or a classifier's scores, as float32 on stdout: what
 * tests/data/archs is made with. One thread, a float32 cache, no flash attention.
 * Usage: llama_logits MODEL.gguf N_CTX logits|embedding|rank ID...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llama.h>

enum { N_TOKENS_MAX = 512 };

static void fail(const char *what)
{
    fprintf(stderr, "llama_logits: %s\n", what);
    exit(1);
}

static void write_floats(const float *x, int n)
{
    if (!x || fwrite(x, sizeof *x, (size_t)n, stdout) != (size_t)n)
        fail("no output");
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc - 4 > N_TOKENS_MAX)
        fail("usage: llama_logits MODEL.gguf N_CTX logits|embedding|rank ID...");
    const int n = argc - 4;
    const bool wants_rank = strcmp(argv[3], "rank") == 0;
    const bool wants_embedding = wants_rank || strcmp(argv[3], "embedding") == 0;
    llama_backend_init();
    struct llama_model_params mp = llama_model_default_params();
    mp.n_gpu_layers = 0;
    struct llama_model *model = llama_model_load_from_file(argv[1], mp);
    if (!model)
        fail("the model cannot be loaded");
    struct llama_context_params cp = llama_context_default_params();
    cp.n_ctx = (uint32_t)atoi(argv[2]);
    cp.n_batch = N_TOKENS_MAX;
    cp.n_ubatch = N_TOKENS_MAX;
    cp.n_threads = 1;
    cp.n_threads_batch = 1;
    cp.type_k = GGML_TYPE_F32;
    cp.type_v = GGML_TYPE_F32;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    cp.embeddings = wants_embedding;
    if (wants_rank)
        cp.pooling_type = LLAMA_POOLING_TYPE_RANK;
    struct llama_context *ctx = llama_init_from_model(model, cp);
    if (!ctx)
        fail("no context");
    struct llama_batch batch = llama_batch_init(N_TOKENS_MAX, 0, 1);
    for (int i = 0; i < n; i++) {
        batch.token[i] = atoi(argv[4 + i]);
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1;
    }
    batch.n_tokens = n;
    if (llama_decode(ctx, batch) != 0)
        fail("decode failed");
    if (wants_embedding) {
        write_floats(llama_get_embeddings_seq(ctx, 0),
                     wants_rank ? (int)llama_model_n_cls_out(model) : llama_model_n_embd(model));
    } else {
        const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
        for (int i = 0; i < n; i++)
            write_floats(llama_get_logits_ith(ctx, i), n_vocab);
    }
    llama_batch_free(batch);
    llama_free(ctx);
    llama_model_free(model);
    return 0;
}
