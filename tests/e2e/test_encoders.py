"""Models that generate nothing: reranking on the command line, and what a server over one answers."""
import json

import pytest

import conftest
import web

DATA = conftest.ROOT / "tests/data/rerank"
ENCODER, DECODER = DATA / "bert.gguf", DATA / "qwen3.gguf"
RERANKER_FOLDERS = DATA / "qwen3_yes_no", DATA / "qwen3_scores"
QUERY = "what is a panda?"
DOCUMENTS = ["The giant panda is a bear that lives in China.", "Paris is the capital of France.", "", "a\ttab"]
USAGE, BAD_MODEL = 64, 65


def rerank(gollum, *options, lines=DOCUMENTS, model=ENCODER):
    done = gollum("rerank", "-m", model, *options, stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_rerank_sorts_documents_by_score(gollum):
    found = [json.loads(line) for line in rerank(gollum, "--query", QUERY).splitlines()]
    assert sorted(f["index"] for f in found) == [0, 1, 2, 3]
    assert all(f["document"] == DOCUMENTS[f["index"]] for f in found)
    scores = [f["relevance_score"] for f in found]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 4
    best = rerank(gollum, "--query", QUERY, "--top-n", 2, "--format", "tsv").splitlines()
    assert [line.split("\t", 2)[1:] for line in best] == [[str(f["index"]), f["document"]] for f in found[:2]]
    # The file holds what llama.cpp says; its GELU is another one.
    expected = float((DATA / "bert.pairs").read_text().split("\t")[0])
    assert abs(next(f["relevance_score"] for f in found if f["index"] == 0) - expected) < 3e-3


def test_rerank_takes_a_query_for_each_document(gollum):
    lines = ["capital of France\tParis", f"{QUERY}\t{DOCUMENTS[0]}", f"{QUERY}\ta\ttab"]
    found = [json.loads(line) for line in rerank(gollum, lines=lines, model=DECODER).splitlines()]
    assert [f["index"] for f in found] == [0, 1, 2]
    assert [f["document"] for f in found] == ["Paris", DOCUMENTS[0], "a\ttab"]
    alone = rerank(gollum, "--query", QUERY, lines=["a\ttab"], model=DECODER)
    assert json.loads(alone)["relevance_score"] == found[2]["relevance_score"]


def test_scores_become_probabilities_in_the_same_order(gollum):
    raw = [json.loads(line) for line in rerank(gollum, "--query", QUERY).splitlines()]
    unit = [json.loads(line) for line in rerank(gollum, "--query", QUERY, "--normalize").splitlines()]
    assert [f["index"] for f in raw] == [f["index"] for f in unit]
    assert all(0 < f["relevance_score"] < 1 for f in unit)
    assert min(f["relevance_score"] for f in raw) < 0


def test_embed_gives_all_scores_of_a_classifier(gollum):
    scores = json.loads(gollum("embed", "-m", DECODER, stdin="panda").stdout)
    assert len(scores) == 2 and abs(sum(scores) - 1) < 1e-6
    assert len(json.loads(gollum("embed", "-m", DECODER, "--pooling", "last", stdin="panda").stdout)) == 32


@pytest.mark.parametrize("folder", RERANKER_FOLDERS, ids=lambda path: path.name)
def test_a_reranker_converted_from_a_folder_scores_the_same(gollum, tmp_path, folder):
    pairs = [line.split("\t") for line in (folder.parent / f"{folder.name}.pairs").read_text("utf-8").splitlines()]
    lines = [f"{query}\t{document}" for _, _, query, document in pairs]
    found = rerank(gollum, "--kv-cache-dtype", "f32", lines=lines, model=folder)
    for line, (score, *_) in zip(found.splitlines(), pairs, strict=True):
        assert abs(json.loads(line)["relevance_score"] - float(score)) < 1e-5  # transformers'
    out = tmp_path / "out.gguf"
    assert gollum("convert", folder, out, "-q").returncode == 0
    assert rerank(gollum, "--kv-cache-dtype", "f32", lines=lines, model=out) == found


def test_a_folder_that_does_not_say_so_is_a_reranker_on_request(gollum, tmp_path):
    said, folder = RERANKER_FOLDERS[0], tmp_path / "plain"
    folder.mkdir()
    for path in said.iterdir():
        if path.name != "README.md":
            (folder / path.name).write_bytes(path.read_bytes())
    assert rerank(gollum, "--query", QUERY, model=folder) == rerank(gollum, "--query", QUERY, model=said)
    tokens = "1 2 3"
    scores = gollum("embed", "-m", folder, "--tokens", tokens, "--pooling", "rank").stdout
    assert scores == gollum("embed", "-m", said, "--tokens", tokens).stdout and len(json.loads(scores)) == 2
    plain, asked = tmp_path / "plain.gguf", tmp_path / "asked.gguf"
    assert gollum("convert", folder, plain, "-q").returncode == 0
    assert gollum("convert", folder, asked, "--reranker", "-q").returncode == 0
    assert rerank(gollum, "--query", QUERY, model=asked) == rerank(gollum, "--query", QUERY, model=said)
    refused = gollum("rerank", "-m", plain, "--query", "q", stdin="d")
    assert refused.returncode == BAD_MODEL and b"no classifier" in refused.stderr


def test_rerank_says_what_is_missing(gollum, model):
    for args, stdin, code, words in [
        (("-m", ENCODER), "no tab", USAGE, b"line 1 has no tab"),
        (("-m", ENCODER, "--top-n", 1), "q\td", USAGE, b"--top-n needs --query"),
        (("-m", model, "--query", "q"), "d", BAD_MODEL, b"no classifier"),
        (("-m", ENCODER, "--query", "q"), "d " * 200, USAGE, b"the context has 128"),
    ]:
        refused = gollum("rerank", *args, stdin=stdin)
        assert refused.returncode == code and words in refused.stderr, refused
        assert refused.stdout == b""
    empty = gollum("rerank", "-m", ENCODER, "--query", "q", stdin="")
    assert (empty.returncode, empty.stdout) == (0, b"")


def test_rerank_names_the_line_that_is_too_long(gollum):
    for n_before in (0, 2, 300):
        lines = ["panda"] * n_before + ["d " * 200, "panda"]
        refused = gollum("rerank", "-m", ENCODER, "--query", "q", stdin="\n".join(lines))
        assert refused.returncode == USAGE and refused.stdout == b""
        assert b"gollum: line %d: the pair has " % (n_before + 1) in refused.stderr, refused.stderr


def test_what_generates_nothing_needs_no_end_token(gollum):
    """The tokenizer of this folder names none; of a model that generates that is worth a warning."""
    done = gollum("embed", "-m", conftest.ROOT / "tests/data/hf/bert", stdin="panda")
    assert (done.returncode, done.stderr) == (0, b"")


def test_chat_ends_where_nothing_can_be_generated(gollum):
    refused = gollum("chat", "-m", DECODER, "--chat-template", "plain", stdin="one\ntwo\n")
    assert refused.returncode == BAD_MODEL
    assert refused.stderr.count(b"generates none") == 1, refused.stderr


@pytest.fixture(params=[ENCODER, DECODER], ids=["encoder", "decoder"])
def mute(request, start_server):
    return start_server(model=request.param)


def test_a_server_refuses_to_generate(mute):
    completion = {"prompt": "what is", "max_tokens": 2}
    chat = {"messages": [{"role": "user", "content": "what is"}], "max_tokens": 2}
    requests = [
        ("/v1/completions", completion),
        ("/v1/completions", {**completion, "stream": True}),
        ("/v1/completions", {**completion, "prompt": ["a", "b"], "n": 2, "best_of": 3}),
        ("/v1/completions", {**completion, "prompt": [3, 4], "max_tokens": 0}),
        ("/v1/completions", {**completion, "max_tokens": 0, "echo": True, "logprobs": 1}),
        ("/v1/chat/completions", chat),
        ("/v1/chat/completions", {**chat, "stream": True}),
        ("/v1/chat/completions", {**chat, "n": 2}),
    ]
    for path, body in requests:
        answer = web.post(mute.url + path, json=body)
        error = answer.json()["error"]
        assert answer.status_code == 400, (path, body, answer.text)
        assert (error["type"], error["code"]) == ("invalid_request_error", "unsupported_by_model")
        assert "the model is a reranker: it scores texts and generates none" in error["message"]


def test_a_server_tells_about_itself(mute):
    get = lambda path: web.get(mute.url + path)
    assert get("/health").json() == {"status": "ok"}
    models = get("/v1/models").json()["data"]
    assert len(models) == 1 and models[0]["meta"]["n_embd"] == 32
    assert get(f"/v1/models/{models[0]['id']}").json()["id"] == models[0]["id"]
    metrics = get("/metrics").text
    assert "gollum_sequences_running 0\n" in metrics and "gollum_steps_total 0\n" in metrics
    tokens = web.post(mute.url + "/tokenize", json={"prompt": "what is"}).json()["tokens"]
    text = web.post(mute.url + "/detokenize", json={"tokens": tokens}).json()["prompt"]
    assert "what is" in text
