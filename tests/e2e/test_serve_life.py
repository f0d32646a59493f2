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

import web
from conftest import BINARY, ENDLESS, kill
from web import PATIENCE_S

CANNOT_LISTEN = 69
LONG = {"prompt": "the cat", "max_tokens": 3000, "temperature": 0, "ignore_eos": True, "stream": True}


def test_a_port_in_use_is_named(model, server):
    refused = subprocess.run([BINARY, "serve", "-m", model, "--port", str(server.port)], capture_output=True, timeout=PATIENCE_S)
    assert refused.returncode == CANNOT_LISTEN
    assert str(server.port).encode() in refused.stderr and b"in use" in refused.stderr


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_ready(server):
    try:
        return web.get(server.url + "/readyz").status_code == 200
    except httpx.TransportError:
        return False


def n_sequences(server):
    lines = web.get(server.url + "/metrics").text.splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("gollum_sequences_running ", "gollum_sequences_waiting ")))


def begin_stream(server, lines, **more):
    """Reads one stream into lines, in a thread; returns when its first line is there."""
    is_begun = threading.Event()

    def read():
        try:
            with web.stream(server.url + "/v1/completions", json={**LONG, **more}) as answer:
                for line in answer.iter_lines():
                    lines.append(line)
                    is_begun.set()
        except httpx.TransportError:
            lines.append("cut")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert is_begun.wait(timeout=PATIENCE_S)
    return thread


def test_running_streams_end_before_the_server_does(start_server):
    server = start_server("--shutdown-timeout", str(PATIENCE_S))
    lines = []
    thread = begin_stream(server, lines)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=PATIENCE_S) == 0
    thread.join()
    assert [line for line in lines if line][-1] == "data: [DONE]"


def test_a_client_that_reads_late_gets_the_end_of_its_stream(start_server):
    server = start_server("--shutdown-timeout", str(PATIENCE_S))
    body = b'{"prompt":"the cat","max_tokens":1500,"n":4,"ignore_eos":true,"stream":true,"logprobs":20}'
    with socket.socket() as late:
        late.settimeout(PATIENCE_S)
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the answer fits into no buffer on its way
        late.connect(("127.0.0.1", server.port))
        late.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = bytearray(late.recv(1))
        server.process.send_signal(signal.SIGTERM)
        time.sleep(6)  # the tokens are there before, and so is the end of a program that does not wait for who reads them
        for data in iter(lambda: late.recv(65536), b""):
            answer += data
    assert b"data: [DONE]" in answer[-100:]
    assert server.process.wait(timeout=PATIENCE_S) == 0


def test_the_second_signal_ends_it_at_once(start_server, endless_model):
    server = start_server("--shutdown-timeout", "86400", model=endless_model)
    lines = []
    thread = begin_stream(server, lines, max_tokens=ENDLESS)
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: not is_ready(server))  # two signals at once would be one
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=PATIENCE_S) == 128 + signal.SIGTERM
    thread.join()
    assert lines[-1] == "cut"


def test_it_runs_without_standard_streams(model):
    """With fds 0 to 2 closed the listening socket would be one of them, and log lines would go to clients."""
    def close_all():
        for fd in (0, 1, 2):
            os.close(fd)

    def start():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        return subprocess.Popen([BINARY, "serve", "-m", model, "--port", str(port)], preexec_fn=close_all), port

    def is_healthy(port):
        try:
            return web.get(f"http://127.0.0.1:{port}/health").status_code == 200
        except httpx.TransportError:
            return False

    process, port = start()
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not is_healthy(port):
            assert time.monotonic() < deadline
            code = process.poll()
            assert code in (None, CANNOT_LISTEN)
            if code == CANNOT_LISTEN:  # somebody was quicker
                process, port = start()
            time.sleep(0.1)
        process.terminate()
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        kill(process)


def test_what_still_runs_at_the_end_of_the_drain_ends_with_abort(start_server, endless_model):
    server = start_server("--shutdown-timeout", "0", model=endless_model)
    n, lines = 4, []
    thread = begin_stream(server, lines, n=n, max_tokens=ENDLESS)  # which is read all the while
    body = {**LONG, "n": n, "max_tokens": ENDLESS, "stream": False}
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(web.post, server.url + "/v1/completions", json=body)
        wait_for(lambda: n_sequences(server) == 2 * n)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        events = [line[len("data: "):] for line in lines if line.startswith("data: ")]
        assert events[-1] == "[DONE]"
        reasons = [c["finish_reason"] for event in events[:-1] for c in json.loads(event)["choices"]]
        assert reasons.count("abort") == n
        assert {c["finish_reason"] for c in whole.result().json()["choices"]} == {"abort"}
    assert server.process.wait(timeout=PATIENCE_S) == 0


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
