"""End-to-end tests run the built program: build/release/gollum, or the one that GOLLUM_BINARY names."""
import os
import pathlib
import socket
import subprocess
import time

import httpx
import openai
import pytest

import tiny_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GOLLUM_BINARY", ROOT / "build/release/gollum")).resolve()
START_TIMEOUT_S = 120


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    tiny_model.write(path)
    return path


@pytest.fixture(scope="session")
def gollum():
    """Runs one command to its end: gollum("tokenize", "-m", path, stdin="text") -> CompletedProcess with bytes."""
    assert BINARY.exists(), f"{BINARY} is not there: run make build"

    def run(*args, stdin=""):
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return subprocess.run([BINARY, *map(str, args)], input=data, capture_output=True, timeout=600)

    return run


class Server:
    def __init__(self, model, log_path, *options, binary=BINARY, cwd=None):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = log_path
        named = ["-m", model] if model else []
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", *named, "--host", "127.0.0.1", "--port", str(self.port), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd)
        self.wait_until_healthy()

    def wait_until_healthy(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended: {self.log_path.read_text()}"
            try:
                if httpx.get(self.url + "/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"no answer from /health within {START_TIMEOUT_S} s: {self.log_path.read_text()}")

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture(scope="session")
def start_server(model, tmp_path_factory):
    """start_server("--max-seqs", "2") starts one more server over the tiny model; all are stopped at the end."""
    servers = []

    def start(*options):
        server = Server(model, tmp_path_factory.mktemp("server") / "log", *options)
        servers.append(server)
        return server

    yield start
    # A sanitizer that found something says so by the exit code, and in the log.
    running = [server for server in servers if server.process.poll() is None]
    failed = [server.log_path.read_text() for server in running if server.stop() != 0]
    assert not failed, failed[0]


@pytest.fixture(scope="session")
def server(start_server):
    return start_server()


@pytest.fixture(scope="session")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60)


@pytest.fixture(scope="session")
def model_id(client):
    return client.models.list().data[0].id
