"""Start and end of the server: a port that is taken, signals while requests run, streams that are not there."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from conftest import BINARY

CANNOT_LISTEN = 69
LONG = {"prompt": "the cat", "max_tokens": 3000, "temperature": 0, "ignore_eos": True, "stream": True}


def test_a_port_in_use_is_named(model, server):
    refused = subprocess.run([BINARY, "serve", "-m", model, "--port", str(server.port)], capture_output=True, timeout=60)
    assert refused.returncode == CANNOT_LISTEN
    assert str(server.port).encode() in refused.stderr and b"in use" in refused.stderr


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_ready(server):
    try:
        return httpx.get(server.url + "/readyz", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def n_sequences(server):
    lines = httpx.get(server.url + "/metrics", timeout=60).text.splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("gollum_sequences_running ", "gollum_sequences_waiting ")))


def begin_stream(server, lines, **more):
    """Reads one stream into lines, in a thread; returns when its first line is there."""
    is_begun = threading.Event()

    def read():
        try:
            with httpx.stream("POST", server.url + "/v1/completions", json={**LONG, **more}, timeout=120) as answer:
                for line in answer.iter_lines():
                    lines.append(line)
                    is_begun.set()
        except httpx.TransportError:
            lines.append("cut")

    thread = threading.Thread(target=read)
    thread.start()
    assert is_begun.wait(timeout=60)
    return thread


def test_running_streams_end_before_the_server_does(start_server):
    server = start_server()
    lines = []
    thread = begin_stream(server, lines)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=120) == 0
    thread.join()
    assert [line for line in lines if line][-1] == "data: [DONE]"


def test_the_second_signal_ends_it_at_once(start_server):
    server = start_server("--shutdown-timeout", "600", "--max-num-seqs", "1")
    lines = []
    thread = begin_stream(server, lines, n=100)  # 300,000 tokens, one choice after the other
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: not is_ready(server))  # two signals at once would be one
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 128 + signal.SIGTERM
    thread.join()
    assert lines[-1] == "cut"


def test_it_runs_without_standard_streams(model):
    """With fds 0 to 2 closed the listening socket would be one of them, and log lines would go to clients."""
    def close_all():
        for fd in (0, 1, 2):
            os.close(fd)

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([BINARY, "serve", "-m", model, "--port", str(port)], preexec_fn=close_all)
    try:
        deadline = time.monotonic() + 30
        answer = None
        while answer is None and time.monotonic() < deadline:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
        assert answer is not None and answer.status_code == 200
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_what_still_runs_at_the_end_of_the_drain_ends_with_abort(start_server):
    server = start_server("--shutdown-timeout", "0")
    body = {"prompt": "the cat", "max_tokens": 1900, "ignore_eos": True, "n": 20}
    with ThreadPoolExecutor(1) as pool, httpx.stream(
            "POST", server.url + "/v1/completions", json={**body, "stream": True}, timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("data: {")
        whole = pool.submit(httpx.post, server.url + "/v1/completions", json=body, timeout=30)
        wait_for(lambda: n_sequences(server) == 2 * body["n"])
        server.process.send_signal(signal.SIGTERM)
        events = [line[len("data: "):] for line in lines if line.startswith("data: ")]
        assert events[-1] == "[DONE]"
        reasons = [c["finish_reason"] for event in events[:-1] for c in json.loads(event)["choices"]]
        assert reasons.count("abort") == 20
        assert {c["finish_reason"] for c in whole.result().json()["choices"]} == {"abort"}
    assert server.process.wait(timeout=30) == 0


@pytest.mark.parametrize("options, code, word", [
    (["--api-key", ""], 78, "--api-key"),
    (["--served-model-name", ""], 78, "--served-model-name"),
    (["another.gguf"], 64, "another.gguf"),
])
def test_settings_that_cannot_be_meant_are_refused(gollum, model, options, code, word):
    refused = gollum("serve", "-m", model, "--port", "0", *options)
    assert refused.returncode == code
    assert word in refused.stderr.decode()


def test_run_without_a_prompt_says_so(gollum, model):
    refused = gollum("run", "-m", model)
    assert refused.returncode == 64
    assert b"prompt" in refused.stderr
