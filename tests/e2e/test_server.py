"""The server as its operator sees it: clients that leave, keys, limits, shut-down."""
import signal

import httpx
import pytest

import web
from conftest import ENDLESS

LONG = {"prompt": "the cat", "max_tokens": ENDLESS, "temperature": 0}  # of the endless model
SHORT = {"prompt": "the dog", "max_tokens": 1, "temperature": 0}


def post(server, body):
    model_id = web.get(server.url + "/v1/models").json()["data"][0]["id"]
    answer = web.post(server.url + "/v1/completions", json={"model": model_id, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def metric(server, name):
    lines = web.get(server.url + "/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"gollum_{name} ")))


def leave_a_stream(server):
    model_id = web.get(server.url + "/v1/models").json()["data"][0]["id"]
    with web.stream(server.url + "/v1/completions", json={"model": model_id, "stream": True, **LONG}) as answer:
        assert answer.status_code == 200
        next(answer.iter_raw())


def test_the_request_of_a_client_that_left_is_dropped(start_server, endless_model):
    server = start_server("--max-num-seqs", "1", model=endless_model)
    n_left = 8
    for _ in range(n_left):
        leave_a_stream(server)
    post(server, SHORT)  # there is one place: it must have become free
    assert metric(server, 'sequences_finished_total{reason="abort"}') == n_left


def test_requests_beyond_the_queue_are_told_to_come_later(start_server, endless_model):
    server = start_server("--max-num-seqs", "1", "--max-num-queued-reqs", "1", model=endless_model)
    model_id = web.get(server.url + "/v1/models").json()["data"][0]["id"]
    body = {"model": model_id, "stream": True, **LONG}
    with httpx.Client(**web.OPTIONS) as client:
        streams = [client.send(client.build_request("POST", server.url + "/v1/completions", json=body), stream=True)
                   for _ in range(4)]
        statuses = [s.status_code for s in streams]
        for stream in streams:
            stream.close()
    assert statuses[0] == 200
    assert 429 in statuses


def test_a_key_is_asked_for_when_one_is_set(start_server):
    server = start_server("--api-key", "secret")
    assert web.get(server.url + "/health").status_code == 200
    assert web.get(server.url + "/v1/models").status_code == 401
    assert web.get(server.url + "/v1/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert web.get(server.url + "/v1/models", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_a_body_over_the_limit_is_refused(start_server):
    server = start_server("--max-body", "4K")
    answer = web.post(server.url + "/v1/completions", content=b'{"prompt":"' + b"a" * 8192 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_success(start_server, stop):
    server = start_server()
    server.process.send_signal(stop)
    assert server.process.wait(timeout=web.PATIENCE_S) == 0
