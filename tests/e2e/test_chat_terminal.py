"""gollum chat on a terminal: line editing, UTF-8, Ctrl-C, Ctrl-D."""
import os
import pty
import select
import time

import pytest

from conftest import BINARY

CTRL_C, CTRL_D, UP, ERASE_LINE = b"\x03", b"\x04", b"\x1b[A", b"\x15"
PROMPT = b"> "


class Terminal:
    def __init__(self, *args, **variables):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
            os.execve(BINARY, [str(BINARY), *map(str, args)], {**env, "TERM": "xterm", **variables})

    def type(self, data):
        time.sleep(0.2)  # a person's pace: libedit notices a signal only while it waits for a key
        os.write(self.fd, data.encode() if isinstance(data, str) else data)

    def read_until(self, end, timeout_s=30):
        out = b""
        deadline = time.monotonic() + timeout_s
        while not out.endswith(end):
            assert time.monotonic() < deadline, out
            if select.select([self.fd], [], [], 0.1)[0]:
                out += os.read(self.fd, 65536)
        return out

    def wait(self):
        """Exit code; what is still printed is read, so that nobody waits for us."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:  # the other side is closed
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")


@pytest.fixture
def chat(model):
    terminal = Terminal("chat", "-m", model, "-n", "8", "--temp", "0")
    terminal.read_until(PROMPT)
    return terminal


def end(terminal):
    terminal.type(CTRL_D)
    assert terminal.wait() == 0


def test_typed_text_is_utf8_whatever_the_locale(chat):
    chat.type("h\u00e9llo \u4f60\u597d\n")
    chat.read_until(PROMPT)
    chat.type("/list\n")
    assert "user: h\u00e9llo \u4f60\u597d".encode() in chat.read_until(PROMPT)
    end(chat)


def test_ctrl_c_at_the_prompt_drops_the_line_only(chat):
    chat.type("never sent")
    chat.read_until(b"sent")
    chat.type(CTRL_C)
    chat.read_until(PROMPT)
    chat.type("sent\n")
    chat.read_until(PROMPT)
    chat.type("/list\n")
    shown = chat.read_until(PROMPT)
    assert b"user: sent" in shown and b"never" not in shown
    end(chat)


def test_ctrl_c_stops_the_answer_only(model):
    # The slowest kernels and no pause: the tiny model writes 40,000 tokens a second with the best ones, and would be done.
    terminal = Terminal("chat", "-m", model, "-n", "3900", "--temp", "0", "-t", "1", GOLLUM_CPU="c")
    terminal.read_until(PROMPT)
    terminal.type("the cat\n")
    terminal.read_until(b"\n")
    while not select.select([terminal.fd], [], [], 0.1)[0]:
        pass
    os.write(terminal.fd, CTRL_C)
    assert b"(stopped)" in terminal.read_until(PROMPT)
    terminal.type("/bye\n")
    assert terminal.wait() == 0


def test_earlier_lines_come_back(chat):
    chat.type("/list\n")
    chat.read_until(PROMPT)
    chat.type(UP)
    chat.read_until(b"/list")
    chat.type(ERASE_LINE + b"/nonsense\n")
    assert b"there is no command /nonsense" in chat.read_until(PROMPT)
    end(chat)


def test_a_very_long_line_is_refused_and_the_talk_goes_on(chat):
    for _ in range(5):  # more than the context: 4096 tokens
        chat.type("x" * 1000)
        time.sleep(0.1)
        while select.select([chat.fd], [], [], 0.1)[0]:
            os.read(chat.fd, 65536)
    chat.type("\n")
    assert b"/clear" in chat.read_until(PROMPT)
    chat.type("the cat\n")
    assert b"/clear" not in chat.read_until(PROMPT)
    end(chat)
