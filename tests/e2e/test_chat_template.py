"""A model that carries a chat template: the command line and the server write conversations with it."""
import json

import pytest

import tiny_model
import web

TEMPLATE = ("{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}"
            "{% if messages | length > 2 %}{{ raise_exception('too long') }}{% endif %}{{ '[a]' if add_generation_prompt }}")
MESSAGES = [{"role": "user", "content": "the cat"}]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "template.gguf"
    tiny_model.write(path, [("tokenizer.chat_template", tiny_model.STR, TEMPLATE)])
    return path


def test_template_prints_the_prompt(gollum, model):
    done = gollum("template", "-m", model, stdin=json.dumps({"messages": MESSAGES, "add_generation_prompt": True}))
    assert (done.returncode, done.stdout) == (0, b"<s>[user] the cat</s>[a]")
    done = gollum("template", "-m", model, stdin=json.dumps({"messages": MESSAGES * 3}))
    assert done.returncode == 64 and b"too long" in done.stderr


def test_a_file_that_is_no_good_template_is_bad_configuration(gollum, model, tmp_path):
    path = tmp_path / "own.jinja"
    for text, words in [("{{ x", b"expected '}}'"), ("{{ 1 / 0 }}", b"division by zero"), ("{{ raise_exception('no') }}", b": no")]:
        path.write_text(text)
        refused = gollum("run", "-m", model, "--chat", "-p", "the cat", "-n", 1, "--chat-template", path)
        assert refused.returncode == 78 and refused.stdout == b"", refused
        assert words in refused.stderr and str(path).encode() in refused.stderr


def test_the_server_writes_what_template_prints(gollum, model, start_server):
    url = start_server(model=model).url
    ids = web.post(url + "/tokenize", json={"messages": MESSAGES}).json()["tokens"]
    done = gollum("tokenize", "-m", model, "--special", stdin="<s>[user] the cat</s>[a]")
    assert ids == [int(i) for i in done.stdout.split()] and ids.count(1) == 1
    answer = web.post(url + "/v1/chat/completions", json={"messages": MESSAGES, "max_tokens": 2}).json()
    assert answer["usage"]["prompt_tokens"] == len(ids)
    refused = web.post(url + "/v1/chat/completions", json={"messages": MESSAGES * 3})
    assert refused.status_code == 400 and refused.json()["error"]["message"] == "too long"
