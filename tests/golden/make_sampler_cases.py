#!/usr/bin/env python3
"""Writes sampler_cases.h: what other implementations' samplers make of rows of logits.

    python3 tests/golden/make_sampler_cases.py [LIBLLAMA.SO] > tests/golden/sampler_cases.h

Needs torch and transformers, whose logits processors it runs, and a libllama (llama.cpp's shared library), whose samplers it
calls through its C interface. A case is a row, parameters, the tokens so far, and the probabilities that are left.
"""
import ctypes
import sys

import numpy as np
import torch
import transformers
from transformers.generation import logits_process as hf

N_VOCAB = 40
rng = np.random.default_rng(20240917)
cases = []


def row(scale):
    return np.round(rng.standard_normal(N_VOCAB) * scale, 3).astype(np.float32)


def add(source, logits, params, probs, tokens=()):
    cases.append((source, logits, dict(params), probs, list(tokens)))


def softmax(logits):
    x = np.asarray(logits, dtype=np.float64)
    with np.errstate(over="ignore"):
        e = np.exp(x - x.max())
    return e / e.sum()


# ---- transformers: temperature first ----

def run_hf(logits, processors, tokens=()):
    scores = torch.tensor(logits[None, :])
    ids = torch.tensor([list(tokens)], dtype=torch.long)
    for p in processors:
        scores = p(ids, scores)
    return softmax(scores[0].numpy())


def make_hf():
    for i in range(6):
        logits, t = row(1.5 + 0.4 * i), float(np.float32(0.5 + 0.2 * i))
        warm = hf.TemperatureLogitsWarper(t)
        mass, k, share = [(0.9, 5, 0.1), (0.5, 1, 0.02), (0.97, 20, 0.3), (0.3, 40, 0.05)][i % 4]
        add("transformers", logits, {"temperature": t, "top_k": k}, run_hf(logits, [warm, hf.TopKLogitsWarper(k)]))
        add("transformers", logits, {"temperature": t, "top_p": mass}, run_hf(logits, [warm, hf.TopPLogitsWarper(mass)]))
        add("transformers", logits, {"temperature": t, "min_p": share}, run_hf(logits, [warm, hf.MinPLogitsWarper(share)]))
        add("transformers", logits, {"temperature": t, "typical_p": mass},
            run_hf(logits, [warm, hf.TypicalLogitsWarper(mass)]))
        add("transformers", logits, {"temperature": t, "top_k": k, "top_p": mass},
            run_hf(logits, [warm, hf.TopKLogitsWarper(k), hf.TopPLogitsWarper(mass)]))
        tokens = rng.integers(0, N_VOCAB, 12).tolist()
        penalty = float(np.float32(0.8 + 0.15 * i))
        add("transformers", logits, {"top_k": N_VOCAB, "repetition_penalty": penalty},
            run_hf(logits, [hf.RepetitionPenaltyLogitsProcessor(penalty)], tokens), tokens)
        bias = {(int(t),): float(b) for t, b in zip(rng.choice(N_VOCAB, 3, False), rng.integers(-9, 10, 3))}
        add("transformers", logits, {"top_k": N_VOCAB, "logit_bias": {t[0]: b for t, b in bias.items()}},
            run_hf(logits, [hf.SequenceBiasLogitsProcessor(bias)], tokens), tokens)
        words = [tokens[-2:] + [3], tokens[-1:] + [4], [5, 5, 6], [7]]
        add("transformers", logits, {"top_k": N_VOCAB, "bad_words": words},
            run_hf(logits, [hf.NoBadWordsLogitsProcessor(words, eos_token_id=N_VOCAB - 1)], tokens), tokens)


# ---- llama.cpp: temperature last ----

class TokenData(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class TokenDataArray(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(TokenData)), ("size", ctypes.c_size_t), ("selected", ctypes.c_int64),
                ("sorted", ctypes.c_bool)]


def f(x):
    return ctypes.c_float(x)


def run_llama(lib, logits, steps, tokens=()):
    """steps: names of init functions with their arguments."""
    data = (TokenData * N_VOCAB)(*[TokenData(i, float(x), 0) for i, x in enumerate(logits)])
    array = TokenDataArray(ctypes.cast(data, ctypes.POINTER(TokenData)), N_VOCAB, -1, False)
    for name, args in steps:
        init = getattr(lib, "llama_sampler_init_" + name)
        init.restype = ctypes.c_void_p
        sampler = ctypes.c_void_p(init(*args))
        for token in tokens:
            lib.llama_sampler_accept(sampler, token)
        lib.llama_sampler_apply(sampler, ctypes.byref(array))
        lib.llama_sampler_free(sampler)
    left = np.full(N_VOCAB, -np.inf)
    for i in range(array.size):
        left[array.data[i].id] = array.data[i].logit
    return softmax(left)


def make_llama(lib):
    keep = ctypes.c_size_t(0)
    seed = ctypes.c_uint32(1)
    for i in range(6):
        logits, t = row(1.5 + 0.4 * i), float(np.float32(0.5 + 0.2 * i))
        sigma = float(np.float32(0.6 + 0.3 * i))
        mass = [0.9, 0.5, 0.97, 0.3][i % 4]
        threshold = [0.05, 0.1, 0.2, 0.4][i % 4]
        reach, exponent = float(np.float32(0.1 + 0.15 * i)), [1.0, 0.5, 2.0][i % 3]
        last = {"temperature": t, "order": 1}
        warm = ("temp", (f(t),))
        add("llama.cpp", logits, {**last, "top_n_sigma": sigma},
            run_llama(lib, logits, [("top_n_sigma", (f(sigma),)), warm]))
        add("llama.cpp", logits, {**last, "typical_p": mass},
            run_llama(lib, logits, [("typical", (f(mass), keep)), warm]))
        add("llama.cpp", logits, {**last, "xtc_probability": 1.0, "xtc_threshold": threshold},
            run_llama(lib, logits, [("xtc", (f(1), f(threshold), keep, seed)), warm]))
        add("llama.cpp", logits, {**last, "dynatemp_range": reach, "dynatemp_exponent": exponent},
            run_llama(lib, logits, [("temp_ext", (f(t), f(reach), f(exponent)))]))
        add("llama.cpp", logits,
            {**last, "top_n_sigma": sigma + 1, "top_k": 20, "typical_p": 0.95, "top_p": 0.9, "min_p": 0.02,
             "xtc_probability": 1.0, "xtc_threshold": threshold, "dynatemp_range": reach},
            run_llama(lib, logits, [
                ("top_n_sigma", (f(sigma + 1),)), ("top_k", (20,)), ("typical", (f(0.95), keep)),
                ("top_p", (f(0.9), keep)), ("min_p", (f(0.02), keep)), ("xtc", (f(1), f(threshold), keep, seed)),
                ("temp_ext", (f(t), f(reach), f(1)))]))
        tokens = rng.integers(0, 4, 40).tolist()
        length, window = i % 4, [-1, 30, 12, 40][i % 4]
        add("llama.cpp", logits,
            {"top_k": N_VOCAB, "dry_multiplier": 0.8, "dry_base": 1.3, "dry_allowed_length": length,
             "dry_penalty_last_n": window},
            run_llama(lib, logits, [("dry", (None, f(0.8), f(1.3), length, 40 if window < 0 else window, None,
                                             ctypes.c_size_t(0)))], tokens), tokens)
        add("llama.cpp", logits, {"top_k": N_VOCAB, "repetition_penalty": 1.5, "repeat_last_n": 5 + i},
            run_llama(lib, logits, [("penalties", (N_VOCAB, 5 + i, f(1.5), f(0), f(0)))], tokens), tokens)


# ---- the header ----

HEAD = f"""/* Made by make_sampler_cases.py: do not edit. */
#ifndef TESTS_GOLDEN_SAMPLER_CASES_H
#define TESTS_GOLDEN_SAMPLER_CASES_H

#include <stdint.h>

#include "engine/request.h"

/* clang-format off */
enum {{ CASE_VOCAB = {N_VOCAB}, CASE_TOKENS_MAX = 40 }};

typedef struct sampler_case {{
    const char *source;
    gol_sampling_params params;
    gol_sampling_extras extras;
    float logits[CASE_VOCAB];
    double probs[CASE_VOCAB]; /* what is left */
    int32_t n_tokens;
    int32_t tokens[CASE_TOKENS_MAX]; /* so far */
}} sampler_case;
"""


def number(x):
    text = f"{x:.6g}" if float(np.float32(f"{x:.6g}")) == x else f"{x:.9g}"
    return text + ("" if "e" in text or "." in text else ".0") + "f"


def numbers(values):
    return ", ".join(number(float(v)) for v in values)


def emit_lists(i, params):
    fields = []
    biases = params.pop("logit_bias", None)
    if biases:
        pairs = ", ".join(f"{{{t}, {number(b)}}}" for t, b in biases.items())
        fields.append(f".logit_bias = (const gol_logit_bias[]){{{pairs}}}, .n_logit_bias = {len(biases)}")
    words = params.pop("bad_words", None)
    if words:
        tokens = ", ".join(str(t) for w in words for t in w)
        ends = ", ".join(str(e) for e in np.cumsum([len(w) for w in words]))
        fields.append(f".bad_words = {{(const int32_t[]){{{tokens}}}, (const int32_t[]){{{ends}}}, {len(words)}}}")
    return fields


def emit():
    print(HEAD)
    print("static const sampler_case cases[] = {")
    plain = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
    for i, (source, logits, params, probs, tokens) in enumerate(cases):
        extras = emit_lists(i, params)
        both = {"params": [], "extras": extras}
        defaults = {"temperature": 1.0, "top_p": 1.0, "repetition_penalty": 1.0}
        more = {"repeat_last_n": -1, "typical_p": 1.0, "dry_base": 1.75, "dynatemp_exponent": 1.0, "xtc_threshold": 0.1}
        for name, value in {**defaults, **more, **params}.items():
            text = str(value) if isinstance(value, int) else number(value)
            both["params" if name in plain else "extras"].append(f".{name} = {text}")
        print(f'    {{"{source}", {{{", ".join(both["params"])}}}, {{{", ".join(both["extras"])}}},')
        print(f"     {{{numbers(logits)}}},")
        shares = ", ".join(f"{p:.5g}" for p in probs)
        print(f"     {{{shares}}},")
        print(f"     {len(tokens)}, {{{', '.join(map(str, tokens)) or '0'}}}}},")
    print("};\n\n#endif")


def main():
    print(f"transformers {transformers.__version__}", file=sys.stderr)
    make_hf()
    if len(sys.argv) > 1:
        lib = ctypes.CDLL(sys.argv[1])
        lib.llama_sampler_accept.argtypes = [ctypes.c_void_p, ctypes.c_int32]
        lib.llama_sampler_apply.argtypes = [ctypes.c_void_p, ctypes.POINTER(TokenDataArray)]
        lib.llama_sampler_free.argtypes = [ctypes.c_void_p]
        make_llama(lib)
    emit()


main()
