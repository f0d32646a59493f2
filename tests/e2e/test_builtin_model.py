"""What is used where no model is named: the one in ./models, or the built-in demonstration model, found from where the program lies.
The first part puts a tiny model of nonsense into the built-in one's place; the second asks the real one, models/gollum-demo.gguf."""
import json
import os
import pathlib
import shutil
import subprocess

import openai
import pytest

import web
from conftest import BINARY, ROOT, Server

NOT_FOUND, IO = 66, 74
DEMO = ROOT / "models/gollum-demo.gguf"
QUIZ = ROOT / "examples/capitals.sh"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GOLLUM_")}

needs_demo = pytest.mark.skipif(not DEMO.exists(), reason=f"{DEMO} is not there")


class Tree:
    """An installation of its own, with an empty folder to work in."""

    def __init__(self, path, model):
        self.path = path
        self.program = path / "bin/gollum"
        self.demo = path / "share/gollum/models/gollum-demo.gguf"
        self.work = path / "work"
        for folder in (self.program.parent, self.demo.parent, self.work):
            folder.mkdir(parents=True)
        shutil.copy(BINARY, self.program)
        if model:
            shutil.copy(model, self.demo)

    def gollum(self, *args, stdin="", program=None):
        return subprocess.run([program or self.program, *map(str, args)], input=stdin.encode(), capture_output=True,
                              cwd=self.work, env=ENVIRONMENT, timeout=600)


@pytest.fixture
def tree(tmp_path, model):
    return Tree(tmp_path / "prefix", model)


def is_notice(line, demo):
    return b"demonstration model" in line and bytes(demo) in line and b"-m FILE" in line and b"./models" in line


def test_run_answers_and_says_on_one_line_which_model_it_is(gollum, tree, model):
    asked = ["-p", "the cat", "-n", 8, "--temp", 0]
    done = tree.gollum("run", *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout == gollum("run", "-m", model, *asked).stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and is_notice(lines[0], tree.demo), done.stderr
    quiet = tree.gollum("run", "--quiet", *asked)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, done.stdout, b"")


def test_who_names_a_model_hears_nothing_of_another(tree, model):
    (tree.work / "models").mkdir()
    shutil.copy(model, tree.work / "models" / "zz.gguf")
    named = tree.gollum("run", "-m", "models/zz.gguf", "-p", "the cat", "-n", 2)
    assert named.returncode == 0 and named.stderr == b""
    scanned = tree.gollum("run", "-p", "the cat", "-n", 2)
    assert scanned.returncode == 0 and scanned.stderr == b"gollum: using models/zz.gguf\n"
    named = tree.gollum("run", "-m", "models", "-p", "the cat", "-n", 2)
    assert named.returncode == 0 and b"demonstration" not in named.stderr
    broken = tree.work / "models" / "aa.gguf"
    broken.write_bytes(b"no model")
    refused = tree.gollum("run", "-p", "the cat", "-n", 2)
    assert refused.returncode == 65 and b"aa.gguf" in refused.stderr and b"demonstration" not in refused.stderr


def test_a_real_model_beside_the_built_in_one_goes_first(tree, model):
    tree.demo.write_bytes(b"not looked at")
    real = tree.demo.with_name("zz.gguf")
    shutil.copy(model, real)
    done = tree.gollum("run", "-p", "the cat", "-n", 2)
    assert done.returncode == 0 and done.stderr == b"gollum: using %s\n" % bytes(real)


def test_the_installation_can_be_moved_and_linked_to(tree):
    moved = tree.path.with_name("moved")
    tree.path.rename(moved)
    link = moved / "work" / "link"
    link.symlink_to("../bin/gollum")
    for program in (moved / "bin/gollum", link):
        done = subprocess.run([program, "run", "-p", "the cat", "-n", "2"], capture_output=True, cwd="/", env=ENVIRONMENT, timeout=600)
        assert done.returncode == 0, done.stderr
        assert is_notice(done.stderr, moved / "share/gollum/models/gollum-demo.gguf")


def test_chat_talks_with_it(tree):
    done = tree.gollum("chat", "-n", 4, "--temp", 0, stdin="the cat\nthe dog\n")
    assert done.returncode == 0, done.stderr
    notices = [line for line in done.stderr.splitlines() if b"demonstration" in line]
    assert len(notices) == 1 and is_notice(notices[0], tree.demo)
    assert done.stdout and b"demonstration" not in done.stdout


def test_every_command_that_takes_a_model_takes_this_one(tree, tmp_path):
    commands = {
        "tokenize": dict(stdin="the cat"),
        "detokenize": dict(stdin="290"),
        "embed": dict(args=["--pooling", "mean"], stdin="the cat"),
        "logits": dict(args=["--tokens", "1 290", "-o", tmp_path / "logits"]),
        "inspect": {},
        "verify": {},
        "plan": {},
        "bench": dict(args=["-p", 4, "-n", 1, "-r", 1]),
    }
    for name, how in commands.items():
        done = tree.gollum(name, *how.get("args", []), stdin=how.get("stdin", ""))
        assert done.returncode == 0, (name, done.stderr)
        assert sum(is_notice(line, tree.demo) for line in done.stderr.splitlines()) == 1, (name, done.stderr)
        assert b"demonstration" not in done.stdout


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(program, cwd, *options):
        servers.append(Server(None, tmp_path / f"log{len(servers)}", *options, binary=program, cwd=cwd))
        return servers[-1]

    yield start
    assert [server.stop() for server in servers] == [0] * len(servers)


def test_serve_serves_it(tree, serve):
    server = serve(tree.program, tree.work)
    notices = [line for line in server.log_path.read_bytes().splitlines() if b"demonstration" in line]
    assert len(notices) == 1 and is_notice(notices[0], tree.demo)
    assert [m["id"] for m in web.get(server.url + "/v1/models").json()["data"]] == ["gollum-demo"]
    answer = web.post(server.url + "/v1/completions", json={"prompt": "the cat", "max_tokens": 4}).json()
    assert answer["usage"]["completion_tokens"] == 4


def test_the_notice_is_json_where_the_log_is(tree, serve):
    server = serve(tree.program, tree.work, "--log-format", "json")
    lines = [json.loads(line) for line in server.log_path.read_bytes().splitlines()]
    assert [line["level"] for line in lines if "demonstration" in line["message"]] == ["warn"]


def test_where_there_is_none_the_message_says_where_it_was_looked_for(tree):
    tree.demo.unlink()
    if pathlib.Path("/usr/local/share/gollum/models/gollum-demo.gguf").exists():
        pytest.skip("gollum is installed on this machine")
    for command in ("run", "serve", "chat", "inspect"):
        refused = tree.gollum(command, *(["-p", "x"] if command == "run" else []))
        assert refused.returncode == NOT_FOUND and refused.stdout == b"", command
        for place in (tree.demo.parent, tree.path / "bin/models", tree.path / "models", b"./models"):
            assert bytes(place) in refused.stderr, (command, refused.stderr)
    info = tree.gollum("info")
    assert info.returncode == 0 and b"model      none: " in info.stdout
    assert "model" not in json.loads(tree.gollum("info", "--json").stdout)


def test_info_tells_which_model_it_would_be(tree, model):
    assert b"model      %s (built-in demonstration model)\n" % bytes(tree.demo) in tree.gollum("info").stdout
    assert json.loads(tree.gollum("info", "--json").stdout)["model_is_builtin"] is True
    (tree.work / "models").mkdir()
    shutil.copy(model, tree.work / "models" / "zz.gguf")
    assert b"model      models/zz.gguf\n" in tree.gollum("info").stdout
    info = json.loads(tree.gollum("info", "--json").stdout)
    assert (info["model"], info["model_is_builtin"]) == ("models/zz.gguf", False)
    named = tree.gollum("info", "-m", "elsewhere.gguf")
    assert b"model      elsewhere.gguf\n" in named.stdout and named.stderr == b""


def test_a_folder_of_models_that_cannot_be_read_is_no_empty_one(tree):
    (tree.work / "models").symlink_to("models")
    refused = tree.gollum("run", "-p", "x")
    assert refused.returncode == IO and b"models: " in refused.stderr


def quiz(program, *args, **variables):
    return subprocess.run([QUIZ, *map(str, args)], capture_output=True, text=True, timeout=1200, cwd="/",
                          env={**ENVIRONMENT, "GOLLUM": str(program), **variables}, check=False)


def test_the_quiz_counts_and_names_what_is_wrong(tmp_path):
    """A program that always says the same stands in for the model: it is the script that is tested here."""
    program = tmp_path / "gollum"
    program.write_text('#!/bin/sh\nprintf "\\n **%s\\n" "$ANSWER"\n')
    program.chmod(0o755)
    table = tmp_path / "table.tsv"
    table.write_text("France\tParis\nthe Netherlands\tAmsterdam|The Hague\nRome\tRom\n")
    for answer, n in [("Paris.**", 1), ("The Hague, and more", 1), ("The capital of the Netherlands is Amsterdam.", 1), ("Rome", 0),
                      ("Parisian", 0), ("", 0), ("Is it Paris", 0)]:
        done = quiz(program, table, ANSWER=answer)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"{n} of 3 capitals are right", answer
        assert len(done.stdout.splitlines()) == 1 + 3 - n
    assert "France: no answer (right: Paris)\n" in quiz(program, table, ANSWER="").stdout
    assert quiz("/nonexistent/gollum", table).returncode != 0
    assert quiz(program, tmp_path / "none.tsv", ANSWER="x").returncode != 0


def test_the_table_of_the_quiz_is_whole():
    rows = [line.split("\t") for line in (ROOT / "examples/capitals.tsv").read_text().splitlines()]
    assert len(rows) == len({row[0] for row in rows}) == 193 + 4  # members of the United Nations, and four more
    assert all(len(row) == 2 and all(name.strip() == name and name for name in row[1].split("|")) for row in rows)


@pytest.fixture
def real(tmp_path):
    """With the real file: the source tree's models/ may hold more than that."""
    return Tree(tmp_path / "real", DEMO)


@needs_demo
def test_the_built_in_model_knows_capitals(real):
    done = real.gollum("run", "--temp", 0, "-n", 16, "-p", "The capital city of France is")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0].rstrip(b".,") == b"Paris"
    assert is_notice(done.stderr, real.demo) and len(done.stderr.splitlines()) == 1


@needs_demo
@pytest.mark.parametrize("args", [(), ("--chat",)])
def test_the_built_in_model_passes_the_quiz(real, tmp_path, args):
    table = tmp_path / "table.tsv"
    rows = (ROOT / "examples/capitals.tsv").read_text().splitlines()[::7]
    table.write_text("\n".join(rows) + "\n")
    done = quiz(real.program, *args, table)
    assert done.returncode == 0, done.stderr
    n_right, n_all = (int(word) for word in done.stdout.splitlines()[-1].split() if word.isdigit())
    assert n_all == len(rows) and n_right >= 0.9 * n_all, done.stdout


@needs_demo
def test_the_built_in_model_answers_clients(real, serve):
    server = serve(real.program, real.work)
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=web.PATIENCE_S,
                           http_client=openai.DefaultHttpxClient(**web.OPTIONS))
    text = client.completions.create(model="gollum-demo", prompt="The capital city of France is", max_tokens=16, temperature=0).choices[0].text
    assert text.split()[0].rstrip(".,") == "Paris"
    said = client.chat.completions.create(model="gollum-demo", max_tokens=32, temperature=0,
                                          messages=[{"role": "user", "content": "What is the capital of France?"}])
    assert "Paris" in said.choices[0].message.content


@needs_demo
def test_the_built_in_model_chats(real):
    done = real.gollum("chat", "-n", 32, "--temp", 0, stdin="What is the capital of Italy?\n")
    assert done.returncode == 0, done.stderr
    assert b"Rome" in done.stdout
