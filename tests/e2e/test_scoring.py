"""Scoring of texts and several answers to a prompt, as clients ask for them: evaluation harnesses, vLLM's fields, best_of."""
import re

import openai
import pytest

import web

PROMPT = " ".join(["the cat sat and the dog"] * 4)


def post(server, path="/v1/completions", **body):
    reply = web.post(server.url + path, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def mean(values):
    return sum(values) / len(values)


def test_an_answer_scores_as_it_was_generated(server):
    made = post(server, prompt=PROMPT, max_tokens=12, seed=3, logprobs=2, return_token_ids=True)["choices"][0]
    ids = made["prompt_token_ids"] + made["token_ids"]
    n_prompt = len(made["prompt_token_ids"])
    scored = post(server, prompt=ids, max_tokens=0, echo=True, logprobs=2)
    logprobs = scored["choices"][0]["logprobs"]
    for name in ("tokens", "token_logprobs", "top_logprobs"):
        assert logprobs[name][n_prompt:] == made["logprobs"][name], name
    assert logprobs["token_logprobs"][0] is None and logprobs["top_logprobs"][0] is None
    assert None not in logprobs["token_logprobs"][1:]
    assert scored["choices"][0]["finish_reason"] == "length"
    assert scored["usage"]["completion_tokens"] == 0
    assert scored["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def harness_score(choice, n_context):
    """What lm-evaluation-harness does with an answer of one token that it did not ask for."""
    logprobs = choice["logprobs"]["token_logprobs"][n_context:-1]
    tops = choice["logprobs"]["top_logprobs"][n_context:-1]
    return sum(logprobs), all(lp == max(top.values()) for lp, top in zip(logprobs, tops))


def test_a_harness_scores_a_batch(server):
    texts = [(PROMPT, " cat"), ("the", " dog sat and the"), (PROMPT + " sat", " on the cat")]
    ids = [[post(server, "/tokenize", prompt=text)["tokens"] for text in (context, context + ending)]
           for context, ending in texts]
    body = {"temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}
    batch = post(server, prompt=[whole for _, whole in ids], **body)
    as_text = post(server, prompt=[context + ending for context, ending in texts], **body)
    for i, (context, whole) in enumerate(ids):
        choice = batch["choices"][i]
        assert len(choice["logprobs"]["token_logprobs"]) == len(whole) + 1
        alone = post(server, prompt=whole, **body)["choices"][0]
        for other in (alone, as_text["choices"][i]):
            assert harness_score(other, len(context)) == harness_score(choice, len(context))
        logprob, _ = harness_score(choice, len(context))
        assert logprob < 0
        only = post(server, prompt=whole, **(body | {"max_tokens": 0}))["choices"][0]
        assert sum(only["logprobs"]["token_logprobs"][len(context):]) == logprob


def test_greedy_answers_are_recognized(server):
    made = post(server, prompt=PROMPT, max_tokens=6, temperature=0, ignore_eos=True, return_token_ids=True)["choices"][0]
    ids = made["prompt_token_ids"] + made["token_ids"]
    choice = post(server, prompt=ids, max_tokens=1, echo=True, logprobs=1)["choices"][0]
    assert harness_score(choice, len(made["prompt_token_ids"]))[1] is True


def test_the_openai_client_reads_it(client, model_id):
    answer = client.completions.create(model=model_id, prompt=PROMPT, max_tokens=2, echo=True, logprobs=3)
    choice = answer.choices[0]
    assert choice.text.startswith(PROMPT)
    assert choice.logprobs.token_logprobs[0] is None
    assert len(choice.logprobs.tokens) == answer.usage.total_tokens
    offsets = choice.logprobs.text_offset
    assert offsets == sorted(offsets) and offsets[-1] < len(choice.text) + 1

    chunks = list(client.completions.create(model=model_id, prompt=PROMPT, max_tokens=2, echo=True, logprobs=3,
                                            stream=True, seed=1))
    whole = client.completions.create(model=model_id, prompt=PROMPT, max_tokens=2, echo=True, logprobs=3, seed=1)
    streamed = [lp for chunk in chunks for lp in chunk.choices[0].logprobs.token_logprobs]
    assert streamed == whole.choices[0].logprobs.token_logprobs
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text


def test_prompt_logprobs_have_vllms_shape(server, client, model_id):
    answer = post(server, prompt=PROMPT, max_tokens=1, echo=True, logprobs=2, prompt_logprobs=2, return_token_ids=True)
    choice = answer["choices"][0]
    ids = choice["prompt_token_ids"]
    assert len(choice["prompt_logprobs"]) == len(ids) and choice["prompt_logprobs"][0] is None
    for i in range(1, len(ids)):
        entry = choice["prompt_logprobs"][i]
        own = entry[str(ids[i])]
        assert own["logprob"] == choice["logprobs"]["token_logprobs"][i]
        ranks = sorted(e["rank"] for e in entry.values())
        assert ranks[:2] == [1, 2] and len(ranks) == (2 if own["rank"] <= 2 else 3)
    chat = client.chat.completions.create(model=model_id, messages=[{"role": "user", "content": "the cat"}], max_tokens=1,
                                          extra_body={"prompt_logprobs": 0})
    assert len(chat.model_extra["prompt_logprobs"]) == chat.usage.prompt_tokens


def prompt_tokens_computed(server):
    text = web.get(server.url + "/metrics").text
    return float(re.search(r"^gollum_prompt_tokens_total ([0-9.e+]+)$", text, re.MULTILINE)[1])


def test_answers_to_one_prompt_share_it(start_server):
    server = start_server()
    before = prompt_tokens_computed(server)
    answer = post(server, prompt=PROMPT, n=4, max_tokens=4, seed=1)
    assert prompt_tokens_computed(server) - before == answer["usage"]["prompt_tokens"]
    before = prompt_tokens_computed(server)
    other = " ".join(["and the dog sat"] * 6)
    scored = post(server, prompt=other, n=3, max_tokens=4, seed=1, echo=True, logprobs=0)
    n = scored["usage"]["prompt_tokens"]
    assert prompt_tokens_computed(server) - before == n
    first = scored["choices"][0]["logprobs"]["token_logprobs"][:n]
    assert all(c["logprobs"]["token_logprobs"][:n] == first for c in scored["choices"])


def test_best_of_returns_the_best(server):
    body = {"prompt": [PROMPT, "the dog"], "max_tokens": 5, "seed": 20, "logprobs": 0}
    all_of_them = post(server, n=5, **body)["choices"]
    best = post(server, n=2, best_of=5, **body)
    for p in range(2):
        ranked = sorted(all_of_them[5 * p:5 * p + 5], key=lambda c: -mean(c["logprobs"]["token_logprobs"]))
        for place in range(2):
            choice = best["choices"][2 * p + place]
            assert choice["index"] == 2 * p + place
            assert choice["text"] == ranked[place]["text"]
            assert choice["logprobs"] == ranked[place]["logprobs"]
    assert best["usage"]["completion_tokens"] == sum(len(c["logprobs"]["tokens"]) for c in all_of_them)


def test_the_end_of_a_prompt_is_taken(server):
    ids = post(server, "/tokenize", prompt=PROMPT)["tokens"]
    short = post(server, prompt=ids[-5:], max_tokens=4, seed=1)["choices"][0]["text"]
    for prompt in (ids, PROMPT):
        answer = post(server, prompt=prompt, truncate_prompt_tokens=5, max_tokens=4, seed=1)
        assert answer["usage"]["prompt_tokens"] == 5
        assert answer["choices"][0]["text"] == short
    longer = post(server, prompt=ids * 200, truncate_prompt_tokens=-1, max_tokens=4, ignore_eos=True)
    assert longer["usage"]["total_tokens"] == web.get(server.url + "/v1/models").json()["data"][0]["max_model_len"]


@pytest.mark.parametrize("field, value, more", [
    ("prompt_logprobs", 21, {}), ("prompt_logprobs", -1, {}), ("prompt_logprobs", 1, {"stream": True}),
    ("best_of", 1, {"n": 2}), ("best_of", 2, {"stream": True}), ("best_of", 129, {}),
    ("truncate_prompt_tokens", 0, {}), ("truncate_prompt_tokens", -2, {}), ("priority", 1 << 31, {}),
    ("max_tokens", -1, {}), ("return_tokens_as_token_ids", 1, {}),
])
def test_what_is_out_of_range_is_named(client, model_id, field, value, more):
    with pytest.raises(openai.BadRequestError) as error:
        client.completions.create(model=model_id, prompt="the", extra_body={field: value, **more})
    assert error.value.param == field
