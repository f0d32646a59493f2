"""Many streams at once: each gets what it gets alone, all arrive whole, and who leaves gives everything back."""
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import web
from conftest import ENDLESS

WORDS = "the cat sat and the dog ran to the cat and sat".split()


def request(i, **options):
    """Requests of many kinds: long and short prompts, greedy and drawn, with penalties or without."""
    return {"prompt": " ".join(WORDS[i % 5:3 + i % 9]), "max_tokens": 12 + 5 * (i % 7), "seed": i,
            "temperature": 0 if i % 3 == 0 else 1.0, "top_p": 0.9 if i % 4 == 1 else 1, "logprobs": 3,
            "presence_penalty": 0.5 if i % 5 == 2 else 0, **options}


def stream(client, model_id, options):
    """Text, tokens and log-probabilities of a streamed completion, and how it ended."""
    text, tokens, token_logprobs, top_logprobs, reason = "", [], [], [], None
    for chunk in client.completions.create(model=model_id, stream=True, **options):
        assert reason is None, "a chunk after the last one"
        choice = chunk.choices[0]
        text += choice.text
        reason = choice.finish_reason
        if choice.logprobs:
            tokens += choice.logprobs.tokens
            token_logprobs += choice.logprobs.token_logprobs
            top_logprobs += choice.logprobs.top_logprobs
    assert reason in ("stop", "length")
    return text, tokens, token_logprobs, top_logprobs, reason


@pytest.mark.parametrize("n_clients", [8, 64])
def test_streams_at_once_are_those_alone_to_the_last_digit(client, model_id, n_clients):
    requests = [request(i) for i in range(n_clients)]
    alone = [stream(client, model_id, r) for r in requests]
    with ThreadPoolExecutor(n_clients) as pool:
        together = list(pool.map(lambda r: stream(client, model_id, r), requests))
    assert together == alone


def metric(server, name):
    for line in web.get(server.url + "/metrics").text.splitlines():
        if line.startswith(f"gollum_{name} "):
            return float(line.split()[1])
    raise AssertionError(f"there is no metric {name}")


def wait_for(condition):
    deadline = time.monotonic() + web.PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_all_free(server):
    return metric(server, "kv_blocks_free") == metric(server, "kv_blocks") and metric(server, "sequences_waiting") == 0


@pytest.mark.parametrize("reset", [False, True])
def test_blocks_are_free_after_a_disconnect(start_server, endless_model, reset):
    server = start_server("--max-num-seqs", "4", model=endless_model)
    body = b'{"prompt":"the cat","max_tokens":%d,"ignore_eos":true,"stream":true}' % ENDLESS
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
    for c in connections:
        c.sendall(head + body)
    # Four are in the middle, the others wait.
    wait_for(lambda: metric(server, "sequences_running") == 4 and metric(server, "sequences_waiting") == len(connections) - 4)
    assert not is_all_free(server)
    for c in connections:
        if reset:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        c.close()
    # First all are gone: while those in the middle leave before those that wait, all blocks may be free for a moment.
    wait_for(lambda: metric(server, 'sequences_finished_total{reason="abort"}') == len(connections))
    wait_for(lambda: is_all_free(server))


def test_a_slow_reader_delays_nobody(start_server):
    server = start_server()
    body = b'{"prompt":"the cat","max_tokens":600,"ignore_eos":true,"stream":true,"logprobs":20}'
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    slow = [socket.socket() for _ in range(8)]
    for c in slow:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the answer fits into no buffer on its way
        c.connect(("127.0.0.1", server.port))
        c.sendall(head + body)  # and nothing is read
    answer = web.post(server.url + "/v1/completions", json={"prompt": "the dog", "max_tokens": 20, "ignore_eos": True})
    assert answer.status_code == 200
    wait_for(lambda: metric(server, 'sequences_finished_total{reason="length"}') == len(slow) + 1)  # computed all the same
    for c in slow:
        c.close()
    wait_for(lambda: is_all_free(server))
