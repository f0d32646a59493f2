"""What a client sees of the prefix cache: how much was found, and that it changes no answer."""
import re

import web


PROMPT = " ".join(["the cat sat and the dog"] * 8)


def ask(server, prompt=PROMPT, **options):
    body = {"prompt": prompt, "max_tokens": 8, "seed": 1, "logprobs": 3, **options}
    reply = web.post(server.url + "/v1/completions", json=body)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    usage = answer["usage"]
    choice = answer["choices"][0]
    return usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], (choice["text"], choice["logprobs"])


def figures(server):
    text = web.get(server.url + "/metrics").text
    return {name: float(value) for name, value in re.findall(r"^([a-z:_]+) ([0-9.e+]+)$", text, re.MULTILINE)}


def test_a_repeat_is_found_whole_and_says_the_same(start_server):
    server = start_server()
    n, n_cached, first = ask(server)
    assert n_cached == 0
    for _ in range(2):
        assert ask(server) == (n, n, first)
    after = figures(server)
    assert after["gollum_prompt_tokens_total"] == n
    assert after["gollum_exact_prompt_hits_total"] == 2
    assert after["vllm:prefix_cache_queries_total"] == 3 * n
    assert after["vllm:prefix_cache_hits_total"] == 2 * n


def test_a_longer_prompt_is_found_as_far_as_it_is_the_same(start_server):
    server = start_server()
    n, _, _ = ask(server)
    n_longer, n_cached, answer = ask(server, PROMPT + " sat on")
    assert n_longer > n
    assert n_cached >= n - 1
    assert answer == ask(server, PROMPT + " sat on", cache_prompt=False)[2]


def test_salts_and_requests_without_the_cache_find_nothing_of_others(start_server):
    server = start_server()
    n, _, first = ask(server)
    assert ask(server, cache_salt="a") == (n, 0, first)
    assert ask(server, cache_salt="b") == (n, 0, first)
    assert ask(server, cache_salt="a") == (n, n, first)
    assert ask(server, cache_prompt=False) == (n, 0, first)


def test_the_cache_can_be_switched_off(start_server):
    for option in ("--no-prefix-caching", "--no-enable-prefix-caching"):
        server = start_server(option)
        n, _, first = ask(server)
        assert ask(server) == (n, 0, first)
        assert figures(server)["gollum_kv_blocks_cached"] == 0


def test_without_memory_for_logits_one_token_of_a_repeat_is_computed(start_server):
    server = start_server("--exact-cache-memory", "0")
    n, _, first = ask(server)
    assert ask(server) == (n, n - 1, first)


def test_answers_to_one_prompt_share_it(start_server):
    server = start_server()
    n, _, _ = ask(server, n=8)
    assert figures(server)["gollum_prompt_tokens_total"] == n
