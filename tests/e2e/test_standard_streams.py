"""stdout that is full, closed, or not read to its end; stdin that is empty or no text; missing streams; odd settings."""
import os
import signal
import subprocess

import pytest

from conftest import BINARY, ENDLESS, running
from web import PATIENCE_S

USAGE, BAD_MODEL, IO_ERROR, BAD_CONFIG = 64, 65, 74, 78


def commands(model):
    return {
        "run": ["run", "-m", model, "-p", "the cat", "-n", "4"],
        "run --ids": ["run", "-m", model, "-p", "the cat", "-n", "4", "--ids"],
        "chat": ["chat", "-m", model, "-n", "4"],
        "tokenize": ["tokenize", "-m", model],
        "inspect": ["inspect", "-m", model],
        "verify": ["verify", "-m", model],
        "logits": ["logits", "-m", model, "--tokens", "1 2", "-o", "-"],
        "info": ["info"],
        "info --json": ["info", "--json"],
        "version": ["version"],
        "help": ["help"],
        "run --help": ["run", "--help"],
        "print-config": ["serve", "--print-config"],
    }


def test_an_answer_that_cannot_be_written_is_an_error(model):
    for name, args in commands(model).items():
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, *args], input=b"the cat\n", stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_S)
        assert done.returncode == IO_ERROR, name
        assert done.stderr.count(b"gollum: ") == 1, (name, done.stderr)


def test_a_closed_stdout_is_an_error_and_nothing_else_takes_its_place(model):
    for name, args in commands(model).items():
        done = subprocess.run([BINARY, *args], input=b"the cat\n", stderr=subprocess.PIPE, timeout=PATIENCE_S,
                              preexec_fn=lambda: os.close(1))
        assert done.returncode == IO_ERROR, name


def test_a_reader_that_leaves_ends_the_program(endless_model):
    with running("run", "-m", endless_model, "-p", "the cat", "-n", ENDLESS, "--ignore-eos",
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.wait(timeout=PATIENCE_S) in (-signal.SIGPIPE, IO_ERROR)
        assert process.stderr.read() == b""


def test_an_interrupt_ends_the_answer(endless_model):
    with running("run", "-m", endless_model, "-p", "the cat", "-n", ENDLESS, "--ignore-eos", stdout=subprocess.PIPE) as process:
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 128 + signal.SIGINT
    assert text.endswith(b"\n")


def test_an_empty_stdin_is_an_empty_text(gollum, model):
    assert gollum("tokenize", "-m", model).stdout == b"\n"
    assert gollum("detokenize", "-m", model).stdout == b""
    assert gollum("chat", "-m", model).returncode == 0
    assert gollum("run", "-m", model, "-n", 3, "-p", "-").returncode == 0


def test_any_bytes_are_text(gollum, model):
    noise = bytes(range(256)) * 3
    tokens = gollum("tokenize", "-m", model, stdin=noise)
    assert tokens.returncode == 0 and tokens.stdout.strip()
    assert gollum("run", "-m", model, "-n", 3, stdin=noise).returncode == 0
    assert gollum("chat", "-m", model, "-n", 3, stdin=noise).returncode == 0
    refused = gollum("detokenize", "-m", model, stdin=noise)
    assert refused.returncode == USAGE and b"token ids" in refused.stderr


def test_chat_does_not_speak_for_the_user(gollum, model):
    answers = gollum("chat", "-m", model, "-n", 40, "--temp", 0, stdin="the cat\nthe dog\n").stdout
    assert b"user:" not in answers.lower()


def test_logits_go_to_stdout_when_asked(gollum, model, tmp_path):
    out = tmp_path / "logits"
    assert gollum("logits", "-m", model, "--tokens", "1 2 3", "-o", out).returncode == 0
    assert gollum("logits", "-m", model, "--tokens", "1 2 3", "-o", "-").stdout == out.read_bytes()


def test_progress_is_for_terminals_only(gollum, model):
    assert gollum("run", "-m", model, "-p", "x", "-n", 1).stderr == b""


@pytest.mark.parametrize("args, code, says", [
    (["help", "no-such-command"], USAGE, b"no-such-command"),
    (["run", "-n", "many"], USAGE, b"-n: 'many'"),
    (["run", "--tokens", "1 x"], USAGE, b"byte 2"),
    (["run", "-p", "x", "--tokens", "1"], USAGE, b"one of them"),
    (["run", "-p", "x", "--config", "/no/such/file"], BAD_CONFIG, b"/no/such/file"),
])
def test_what_is_wrong_is_named(gollum, args, code, says):
    refused = gollum(*args)
    assert refused.returncode == code
    assert says in refused.stderr
    assert refused.stdout == b""


def test_environment_and_config_file_give_defaults(gollum, model, tmp_path, monkeypatch):
    config = tmp_path / "gollum.conf"
    config.write_text("# comment\nn-predict = 5\nport = 1\n")
    args = ["run", "-m", model, "--tokens", "1 290", "--ids", "--temp", 0, "--config", config]
    assert len(gollum(*args).stdout.split()) == 5
    monkeypatch.setenv("GOLLUM_N_PREDICT", "3")
    assert len(gollum(*args).stdout.split()) == 3
    assert len(gollum(*args, "-n", 2).stdout.split()) == 2
    monkeypatch.setenv("GOLLUM_N_PREDICT", "many")
    refused = gollum(*args)
    assert refused.returncode == BAD_CONFIG and b"GOLLUM_N_PREDICT" in refused.stderr


def test_the_first_model_of_the_folder_is_taken(model, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b.gguf").write_bytes(b"not this one")
    (tmp_path / "models" / "a.gguf").symlink_to(model)
    (tmp_path / "models" / ".hidden.gguf").write_bytes(b"nor this one")
    done = subprocess.run([BINARY, "run", "-p", "x", "-n", "1"], capture_output=True, cwd=tmp_path, timeout=PATIENCE_S)
    assert done.returncode == 0
    assert b"models/a.gguf" in done.stderr
    quiet = subprocess.run([BINARY, "run", "-q", "-p", "x", "-n", "1"], capture_output=True, cwd=tmp_path, timeout=PATIENCE_S)
    assert quiet.returncode == 0 and quiet.stderr == b""
