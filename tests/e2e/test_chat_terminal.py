"""gollum chat on a terminal: line editing, UTF-8, Ctrl-C, Ctrl-D."""
import contextlib
import os
import pathlib
import pty
import select
import signal
import time

import pytest

from conftest import BINARY, ENDLESS
from web import PATIENCE_S

CTRL_C, CTRL_D, UP, ERASE_LINE = b"\x03", b"\x04", b"\x1b[A", b"\x15"
PROMPT = b"> "


class Terminal:
    def __init__(self, *args, **variables):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
            os.execve(BINARY, [str(BINARY), *map(str, args)], {**env, "TERM": "xterm", **variables})

    def type(self, data):
        self.wait_until_it_waits()
        os.write(self.fd, data.encode() if isinstance(data, str) else data)

    def wait_until_it_waits(self):
        """libedit notices a signal only while it waits for a key: not before the program's own thread sleeps."""
        time.sleep(0.2)  # a person's pace
        stat = pathlib.Path(f"/proc/{self.pid}/stat")
        deadline = time.monotonic() + PATIENCE_S
        while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "S" and time.monotonic() < deadline:
            time.sleep(0.05)

    def read_while(self, goes_on):
        out = b""
        deadline = time.monotonic() + PATIENCE_S
        while goes_on(out):
            assert time.monotonic() < deadline, out[-1000:]
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    out += os.read(self.fd, 65536)
                except OSError:  # the other side is closed
                    raise AssertionError(f"it ended with {self.wait()} after {out[-1000:]}") from None
        return out

    def read_until(self, end, after=b""):
        """What comes until it ends in `end`, with `after` somewhere before that."""
        return self.read_while(lambda out: not (out.endswith(end) and after in out))

    def read_past(self, text):
        """What comes until `text` was among it."""
        return self.read_while(lambda out: text not in out)

    def kill(self):
        if self.fd >= 0:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self):
        """Exit code; what is still printed is read, so that nobody waits for us."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:  # the other side is closed
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                self.fd = -1
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")


@contextlib.contextmanager
def talk(*args):
    """With what is left of it ended, whatever happens."""
    terminal = Terminal("chat", *args, "--temp", "0")
    try:
        terminal.read_until(PROMPT)
        yield terminal
    finally:
        terminal.kill()


@pytest.fixture
def chat(model):
    with talk("-m", model, "-n", "8") as terminal:
        yield terminal


@pytest.fixture
def endless_chat(endless_model):
    with talk("-m", endless_model, "-n", ENDLESS) as terminal:
        yield terminal


def end(terminal):
    terminal.type(CTRL_D)
    assert terminal.wait() == 0


def test_typed_text_is_utf8_whatever_the_locale(chat):
    chat.type("h\u00e9llo \u4f60\u597d\n")
    chat.read_until(PROMPT)
    chat.type("/list\n")
    chat.read_until(PROMPT, after="user: h\u00e9llo \u4f60\u597d".encode())
    end(chat)


def test_ctrl_c_at_the_prompt_drops_the_line_only(chat):
    chat.type("never sent")
    chat.read_until(b"sent")
    chat.type(CTRL_C)
    chat.read_until(PROMPT)
    chat.type("sent\n")
    chat.read_until(PROMPT)
    chat.type("/list\n")
    shown = chat.read_until(PROMPT, after=b"user: sent")
    assert b"never" not in shown
    end(chat)


def test_ctrl_c_stops_the_answer_only(endless_chat):
    endless_chat.type("the cat\n")
    endless_chat.read_past(b"\n")
    while not select.select([endless_chat.fd], [], [], 0.1)[0]:
        pass
    os.write(endless_chat.fd, CTRL_C)
    endless_chat.read_until(PROMPT, after=b"(stopped)")
    endless_chat.type("/bye\n")
    assert endless_chat.wait() == 0


def test_ctrl_c_right_after_enter_stops_the_answer_only(endless_chat):
    for pause_ms in range(20):
        endless_chat.type("the cat\n")
        endless_chat.read_past(b"\n")
        time.sleep(pause_ms % 5 / 1000)
        os.write(endless_chat.fd, CTRL_C)
        endless_chat.read_until(PROMPT, after=b"(stopped)")
    endless_chat.type("/bye\n")
    assert endless_chat.wait() == 0


def test_earlier_lines_come_back(chat):
    chat.type("/list\n")
    chat.read_until(PROMPT)
    chat.type(UP)
    chat.read_until(b"/list")
    chat.type(ERASE_LINE + b"/nonsense\n")
    chat.read_until(PROMPT, after=b"there is no command /nonsense")
    end(chat)


def test_a_very_long_line_is_refused_and_the_talk_goes_on(chat):
    for _ in range(5):  # more than the context: 4096 tokens
        chat.type("x" * 1000)
        time.sleep(0.1)
        while select.select([chat.fd], [], [], 0.1)[0]:
            os.read(chat.fd, 65536)
    chat.type("\n")
    chat.read_until(PROMPT, after=b"/clear")
    chat.type("the cat\n")
    assert b"/clear" not in chat.read_until(PROMPT, after=b"the cat\r\n")
    end(chat)
