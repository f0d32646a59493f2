#!/usr/bin/env python3
"""llama.cpp's token ids and greedy answers for models/gollum-demo.gguf, through llama-cpp-python; development only.

    demo_model_greedy.py > tests/data/demo_model/greedy.json

Questions are every so many of tests/data/demo_model/questions.tsv. "greedy" has the token that ends the answer.
"""
import csv
import json
import pathlib

import llama_cpp

ROOT = pathlib.Path(__file__).resolve().parents[3]
EVERY = 41
N_ANSWER = 32


def prompts():
    with open(ROOT / "tests/data/demo_model/questions.tsv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    yield "Once upon a time"
    yield "The capital city of France is"
    yield "What is 2 + 2?"
    for q in rows[::EVERY]:
        yield f"<|user|>{q['question']}<|end|><|assistant|>" if q["mode"] == "chat" else q["question"]


def main():
    llama = llama_cpp.Llama(str(ROOT / "models/gollum-demo.gguf"), n_ctx=512, n_threads=1, verbose=False)
    ends = {0, llama.tokenize(b"<|end|>", add_bos=False, special=True)[0]}
    cases = []
    for prompt in prompts():
        ids = llama.tokenize(prompt.encode(), add_bos=True, special=True)
        greedy = []
        llama.reset()
        for token in llama.generate(ids, temp=0.0, top_k=1, repeat_penalty=1.0):
            greedy.append(token)
            if token in ends or len(greedy) == N_ANSWER:
                break
        cases.append({"prompt": prompt, "ids": ids, "greedy": greedy})
    print("[" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "]")


if __name__ == "__main__":
    main()
