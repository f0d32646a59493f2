"""The official client against the server: what its users rely on."""
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

import web

PROMPT = "the cat sat and the dog"


def complete(client, model_id, **options):
    return client.completions.create(model=model_id, **{"prompt": PROMPT, "max_tokens": 24, "temperature": 0, **options})


def streamed_text(stream):
    return "".join(chunk.choices[0].text for chunk in stream if chunk.choices)


def test_models_lists_the_model_that_is_served(client):
    models = client.models.list().data
    assert len(models) == 1
    assert models[0].object == "model"


def test_a_completion_counts_its_tokens(client, model_id):
    answer = complete(client, model_id)
    assert answer.object == "text_completion"
    assert answer.usage.prompt_tokens == 1 + len(PROMPT.split())  # a token for the beginning, then one a word
    assert answer.usage.completion_tokens == 24
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("n", [1, 2, 100])
def test_max_tokens_is_the_length_of_an_answer_that_does_not_stop(client, model_id, n):
    answer = complete(client, model_id, max_tokens=n)
    assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (n, "length")


def test_a_stream_carries_the_same_text_as_a_plain_answer(client, model_id):
    whole = complete(client, model_id).choices[0].text
    assert streamed_text(complete(client, model_id, stream=True)) == whole


def test_stream_usage_comes_when_asked_for(client, model_id):
    usage = complete(client, model_id, extra_body={"cache_prompt": False}).usage
    chunks = list(complete(client, model_id, stream=True, stream_options={"include_usage": True},
                           extra_body={"cache_prompt": False}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage == usage


def test_the_same_seed_draws_the_same_answer_and_another_seed_another(client, model_id):
    def draw(seed):
        return complete(client, model_id, temperature=1.0, seed=seed).choices[0].text
    assert draw(1) == draw(1)
    assert len({draw(seed) for seed in range(8)}) > 1


def test_an_answer_is_the_same_alone_and_among_many(client, model_id):
    requests = [{"prompt": PROMPT[i % 7:], "seed": i, "temperature": 1.0 if i % 2 else 0, "max_tokens": 8 + i} for i in range(24)]
    alone = [complete(client, model_id, **r).choices[0].text for r in requests]
    with ThreadPoolExecutor(len(requests)) as pool:
        together = list(pool.map(lambda r: complete(client, model_id, **r).choices[0].text, requests))
    assert together == alone


def test_a_stop_string_ends_the_answer_before_it(client, model_id):
    whole = complete(client, model_id).choices[0].text
    stop = whole[len(whole) // 2:][:2]
    answer = complete(client, model_id, stop=[stop])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].text == whole[:whole.index(stop)]
    assert streamed_text(complete(client, model_id, stop=[stop], stream=True)) == answer.choices[0].text


def test_chat_answers_and_streams_alike(client, model_id):
    messages = [{"role": "system", "content": "be a cat"}, {"role": "user", "content": "the dog sat"}]
    options = dict(model=model_id, messages=messages, max_tokens=16, temperature=0)
    answer = client.chat.completions.create(**options)
    assert answer.choices[0].message.role == "assistant"
    stream = client.chat.completions.create(**options, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == answer.choices[0].message.content


def test_chat_logprobs_name_each_token(client, model_id):
    answer = client.chat.completions.create(model=model_id, messages=[{"role": "user", "content": "a cat"}], max_tokens=5,
                                            temperature=0, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert len(content) == answer.usage.completion_tokens
    for entry in content:
        assert len(entry.top_logprobs) == 3
        assert entry.logprob == entry.top_logprobs[0].logprob <= 0
        assert [t.logprob for t in entry.top_logprobs] == sorted((t.logprob for t in entry.top_logprobs), reverse=True)


def test_several_choices_are_numbered(client, model_id):
    answer = complete(client, model_id, n=3, temperature=1.0, seed=5)
    assert [c.index for c in answer.choices] == [0, 1, 2]


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        complete(client, "no-such-model")


@pytest.mark.parametrize("options", [
    {"temperature": -1}, {"top_p": 0}, {"top_p": 1.5}, {"max_tokens": -1}, {"n": 0}, {"stop": ["a"] * 1000}, {"prompt": []},
])
def test_a_field_out_of_range_is_refused_by_name(client, model_id, options):
    with pytest.raises(openai.BadRequestError) as refused:
        complete(client, model_id, **options)
    assert next(iter(options)) in refused.value.message


def test_a_prompt_beyond_the_context_is_refused(client, model_id):
    with pytest.raises(openai.BadRequestError) as refused:
        complete(client, model_id, prompt="the cat " * 4096)
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":1}', b"\xff\xfe", b"[" * 100000])
def test_a_body_that_is_no_request_is_an_error_in_the_api_shape(server, body):
    answer = web.post(server.url + "/v1/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_paths_and_methods_that_do_not_exist_are_refused(server):
    assert web.get(server.url + "/v1/nothing").status_code == 404
    assert web.get(server.url + "/v1/completions").status_code == 405
