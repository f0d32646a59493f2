"""What llama.cpp answers to token ids, through llama-cpp-python; for the generators beside this file."""
import ctypes

import llama_cpp
import numpy as np


def logits_of(path, tokens, n_vocab, n_ctx):
    """[n_tokens][n_vocab] in float32: what llama.cpp answers in one step, on one thread, with a KV cache in F32."""
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(path.encode(), params)
    assert model, path
    cparams = llama_cpp.llama_context_default_params()
    cparams.n_ctx = n_ctx
    cparams.n_batch = n_ctx
    cparams.n_ubatch = n_ctx
    cparams.n_threads = 1
    cparams.n_threads_batch = 1
    cparams.type_k = llama_cpp.GGML_TYPE_F32
    cparams.type_v = llama_cpp.GGML_TYPE_F32
    cparams.flash_attn_type = 0
    ctx = llama_cpp.llama_init_from_model(model, cparams)
    n = len(tokens)
    batch = llama_cpp.llama_batch_init(n, 0, 1)
    batch.n_tokens = n
    for i, token in enumerate(tokens):
        batch.token[i] = token
        batch.pos[i] = i
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = 0
        batch.logits[i] = 1
    assert llama_cpp.llama_decode(ctx, batch) == 0
    out = np.empty((n, n_vocab), np.float32)
    for i in range(n):
        row = llama_cpp.llama_get_logits_ith(ctx, i)
        out[i] = np.ctypeslib.as_array(ctypes.cast(row, ctypes.POINTER(ctypes.c_float)), (n_vocab,))
    llama_cpp.llama_free(ctx)
    llama_cpp.llama_model_free(model)
    return out


class Pooled:
    """A model that makes one vector of a text, or its classifier's scores: what llama.cpp makes of both, and its tokens."""

    def __init__(self, path, n_ctx):
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        assert self.model, path
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.n_ctx = n_ctx

    def tokens(self, text, add_special=True):
        data = text.encode()
        out = (llama_cpp.llama_token * (len(data) + 16))()
        n = llama_cpp.llama_tokenize(self.vocab, data, len(data), out, len(out), add_special, True)
        assert n >= 0
        return list(out[:n])

    def values(self, tokens, pooling):
        """pooling: llama_cpp.LLAMA_POOLING_TYPE_..."""
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.n_ctx
        params.n_threads = params.n_threads_batch = 1
        params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
        params.flash_attn_type = 0
        params.embeddings = True
        params.pooling_type = pooling
        ctx = llama_cpp.llama_init_from_model(self.model, params)
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 1
        assert llama_cpp.llama_decode(ctx, batch) == 0
        is_rank = pooling == llama_cpp.LLAMA_POOLING_TYPE_RANK
        n = llama_cpp.llama_model_n_cls_out(self.model) if is_rank else llama_cpp.llama_model_n_embd(self.model)
        out = np.array(llama_cpp.llama_get_embeddings_seq(ctx, 0)[:n], np.float32)
        llama_cpp.llama_free(ctx)
        return out
