"""End-to-end tests run the built program: build/release/gollum, or the one that GOLLUM_BINARY names."""
import contextlib
import os
import pathlib
import re
import subprocess
import time

import httpx
import openai
import pytest

import tiny_model
import web
from web import PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GOLLUM_BINARY", ROOT / "build/release/gollum")).resolve()
ENDLESS = 1 << 18  # tokens: nobody waits for the end of such an answer


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    tiny_model.write(path)
    return path


@pytest.fixture(scope="session")
def endless_model(tmp_path_factory):
    """The same with a long context. What runs shall not be over when a test gets round to it: max_tokens=ENDLESS is hours."""
    path = tmp_path_factory.mktemp("model") / "endless.gguf"
    tiny_model.write(path, n_ctx=2 * ENDLESS)
    return path


@pytest.fixture(scope="session")
def gollum():
    """Runs one command to its end: gollum("tokenize", "-m", path, stdin="text") -> CompletedProcess with bytes."""
    assert BINARY.exists(), f"{BINARY} is not there: run make build"

    def run(*args, stdin=""):
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return subprocess.run([BINARY, *map(str, args)], input=data, capture_output=True, timeout=PATIENCE_S)

    return run


def kill(process):
    """What is left of a program, and its pipes."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


@contextlib.contextmanager
def running(*args, **options):
    """A command while it runs, as a Popen; not beyond the block, whatever happens there."""
    process = subprocess.Popen([BINARY, *map(str, args)], **options)
    try:
        yield process
    finally:
        kill(process)


class Server:
    """Listens on a port of the system's choice, which its log tells when it answers."""

    def __init__(self, model, log_path, *options, binary=BINARY, cwd=None):
        self.log_path = log_path
        named = ["-m", model] if model else []
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", *named, "--host", "127.0.0.1", "--port", "0", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd)
        try:
            self.port = self.wait_for_port()
            self.url = f"http://127.0.0.1:{self.port}"
            assert web.get(self.url + "/health").status_code == 200
        except BaseException:
            kill(self.process)
            raise

    def wait_for_port(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            has_ended = self.process.poll() is not None
            found = re.search(r" on http://127\.0\.0\.1:(\d+)[\"\n]", self.log_path.read_text(errors="replace"))
            if found:
                return int(found[1])
            assert not has_ended, f"the server ended: {self.log_path.read_text()}"
            time.sleep(0.02)
        raise AssertionError(f"the server is not up after {PATIENCE_S} s: {self.log_path.read_text()}")

    def stop(self):
        """Its exit code; one that does not end is killed, and the test fails."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=PATIENCE_S)
        finally:
            kill(self.process)


def stop_all(servers):
    # A sanitizer that found something says so by the exit code, and in the log.
    running = [server for server in servers if server.process.poll() is None]
    try:
        failed = [server.log_path.read_text() for server in running if server.stop() != 0]
    finally:
        for server in running:
            kill(server.process)
    assert not failed, failed[0]


@pytest.fixture
def start_server(model, tmp_path_factory):
    """start_server("--max-seqs", "2") starts one more server, over the tiny model if no other is given; stopped with the test."""
    servers = []

    def start(*options, model=model):
        server = Server(model, tmp_path_factory.mktemp("server") / "log", *options)
        servers.append(server)
        return server

    yield start
    stop_all(servers)


@pytest.fixture(scope="session")
def server(model, tmp_path_factory):
    """One for all tests that need no options."""
    server = Server(model, tmp_path_factory.mktemp("server") / "log")
    yield server
    stop_all([server])


@pytest.fixture(scope="session")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=PATIENCE_S,
                         http_client=openai.DefaultHttpxClient(**web.OPTIONS))


@pytest.fixture(scope="session")
def model_id(client):
    return client.models.list().data[0].id
