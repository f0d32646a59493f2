"""The commands that work without a server, and their exit codes (those of sysexits.h)."""
import json
import pathlib
import struct

import conftest
import tiny_model

USAGE, BAD_MODEL, NOT_FOUND = 64, 65, 66
TEXT = "the cat sat and the dog"


def ids_of(text):
    return [int(i) for i in text.split()]


def test_tokenize_and_detokenize_are_each_others_way_back(gollum, model):
    for text in (TEXT, "UPPER case, digits 0123 and \u00e9\u4f60\U0001f600"):
        tokens = gollum("tokenize", "-m", model, stdin=text)
        assert tokens.returncode == 0, tokens.stderr
        assert all(0 <= i < tiny_model.N_VOCAB for i in ids_of(tokens.stdout))
        back = gollum("detokenize", "-m", model, stdin=tokens.stdout)
        assert back.stdout.decode().rstrip("\n") == text


def test_tokenize_finds_the_words_of_the_vocabulary(gollum, model):
    pieces = [tiny_model.PIECES[i] for i in ids_of(gollum("tokenize", "-m", model, stdin="the cat").stdout)]
    assert pieces == ["\u2581the", "\u2581cat"]


def test_run_prints_the_answer_alone_and_the_same_one_again(gollum, model):
    first = gollum("run", "-m", model, "-p", TEXT, "-n", 16, "--temp", 0)
    assert first.returncode == 0, first.stderr
    assert first.stdout
    assert gollum("run", "-m", model, "-p", TEXT, "-n", 16, "--temp", 0).stdout == first.stdout


def test_run_does_not_depend_on_the_number_of_threads(gollum, model):
    answers = {gollum("run", "-m", model, "-p", TEXT, "-n", 32, "--temp", 0, "--threads", n).stdout for n in (1, 2, 3)}
    assert len(answers) == 1


def test_logits_need_no_tokenizer(gollum, tmp_path):
    folder = pathlib.Path(__file__).parents[1] / "data/hf/llama"
    done = gollum("logits", "-m", folder, "--tokens", "1 2 3", "-o", tmp_path / "logits")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "logits").read_bytes()[:12] != bytes(12)


def test_logits_are_those_that_greedy_decoding_follows(gollum, model, tmp_path):
    out = tmp_path / "logits"
    tokens = "1 290 270 265"
    done = gollum("logits", "-m", model, "--tokens", tokens, "-o", out)
    assert done.returncode == 0, done.stderr
    n_tokens = len(tokens.split())
    data = out.read_bytes()
    assert len(data) == 4 * n_tokens * tiny_model.N_VOCAB
    last = struct.unpack("<%df" % tiny_model.N_VOCAB, data[-4 * tiny_model.N_VOCAB:])
    next_id = ids_of(gollum("run", "-m", model, "--tokens", tokens, "--ids", "-n", 1, "--temp", 0).stdout)
    assert next_id == [last.index(max(last))]


def test_embed_gives_a_line_of_numbers_for_each_line(gollum, model):
    lines = ["the cat sat", "and the dog", "", "the cat sat"]
    done = gollum("embed", "-m", model, "--pooling", "mean", stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    vectors = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(vectors) == len(lines)
    assert vectors[0] == vectors[3] != vectors[1]
    alone = gollum("embed", "-m", model, "--pooling", "mean", stdin="and the dog\r\n")
    assert json.loads(alone.stdout) == vectors[1]


def test_embed_takes_ids_and_writes_other_forms(gollum, model):
    tokens = ["embed", "-m", model, "--pooling", "last", "--tokens", "1 290 270"]
    vector = json.loads(gollum(*tokens).stdout)
    for form, separator in (("csv", b","), ("tsv", b"\t")):
        line = gollum(*tokens, "--format", form).stdout
        assert [float(x) for x in line.rstrip(b"\n").split(separator)] == vector
    unit = json.loads(gollum(*tokens, "--normalize").stdout)
    assert abs(sum(x * x for x in unit) - 1) < 1e-6


def test_embed_asks_for_a_pooling_where_the_file_names_none(gollum, model):
    refused = gollum("embed", "-m", model, stdin="the cat")
    assert refused.returncode == BAD_MODEL
    assert refused.stdout == b""
    assert b"names no pooling" in refused.stderr
    assert gollum("embed", "-m", model, "--tokens", " ").returncode == USAGE


def test_embed_names_the_line_that_is_too_long(gollum, model):
    for n_before in (0, 2, 300):
        lines = ["cat"] * n_before + ["the cat " * 5000, "cat"]
        refused = gollum("embed", "-m", model, "--pooling", "mean", stdin="\n".join(lines))
        assert refused.returncode == USAGE
        assert b"gollum: line %d: the text has " % (n_before + 1) in refused.stderr, refused.stderr


def test_a_folder_without_a_tokenizer_is_told_what_is_expected(gollum):
    refused = gollum("run", "-m", conftest.ROOT / "tests/data/hf/llama", "-p", "cat")
    assert refused.returncode == BAD_MODEL
    assert b"no tokenizer: tokenizer.json" in refused.stderr, refused.stderr


def test_inspect_shows_metadata_and_tensors(gollum, model):
    shown = gollum("inspect", "-m", model, "--tensors").stdout.decode()
    assert "llama.context_length" in shown
    assert "blk.1.ffn_down.weight" in shown


def test_verify_tells_a_whole_file_from_a_cut_one(gollum, model, tmp_path):
    assert gollum("verify", "-m", model).returncode == 0
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model.read_bytes()[:-4096])
    refused = gollum("verify", "-m", cut)
    assert refused.returncode == BAD_MODEL
    assert b"cut.gguf" in refused.stderr


def test_a_file_that_is_no_model_is_named_in_the_error(gollum, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"this is not a model")
    refused = gollum("run", "-m", other, "-p", "x", "-n", 1)
    assert refused.returncode == BAD_MODEL
    assert refused.stdout == b""
    assert b"other.gguf" in refused.stderr


def test_a_missing_file_and_wrong_usage_have_their_exit_codes(gollum, model, tmp_path):
    assert gollum("run", "-m", tmp_path / "none.gguf", "-p", "x").returncode == NOT_FOUND
    assert gollum("run", "-m", model, "--no-such-option").returncode == USAGE
    assert gollum("no-such-command").returncode == USAGE


def test_version_and_info_answer_without_a_model(gollum):
    assert gollum("version").stdout.decode().strip()
    assert gollum("info").returncode == 0


def test_info_names_the_kernels_of_every_weight_type(gollum, monkeypatch):
    info = json.loads(gollum("info", "--json").stdout)
    # the bfloat16 core reads packed weights as they lie
    assert info["kernels"].keys() - info["unpack_kernels"].keys() <= {"BF16"}
    assert {"F32", "F16", "Q8_0", "Q4_K", "IQ1_M", "TQ2_0", "MXFP4"} <= info["kernels"].keys()
    lines = gollum("info").stdout.decode().splitlines()
    assert any(line.split() == ["Q4_K", info["kernels"]["Q4_K"], info["unpack_kernels"]["Q4_K"]] for line in lines)
    monkeypatch.setenv("GOLLUM_CPU", "c")
    plain = json.loads(gollum("info", "--json").stdout)
    assert plain["level"] == "c"
    assert all(name.endswith("_c") for name in [*plain["kernels"].values(), *plain["unpack_kernels"].values()])
