"""gollum bench: which tests it runs, the form of its answers, and that it refuses what it cannot do."""
import csv
import json

import pytest

import conftest

USAGE, BAD_MODEL, NO_MEMORY = 64, 65, 71
FAST = ("-p", 16, "-n", 4, "-r", 2)


def bench(gollum, model, *args):
    done = gollum("bench", "-m", model, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_json_has_one_object_per_test_and_nothing_else(gollum, model):
    rows = json.loads(bench(gollum, model, *FAST, "-b", 8, "-t", 2, "--json"))
    assert [row["test"] for row in rows] == ["pp16", "tg4", "tg4b8"]
    for row in rows:
        assert row["tok_s"] > 0 and row["gop_s"] > 0 and row["gb_s"] > 0
        assert len(row["samples"]) == 2
        assert min(row["samples"]) <= row["tok_s"] <= max(row["samples"])
        assert (row["threads"], row["type"], row["kv_type"]) == (2, "F32", "f16")
        assert row["model"] == "tiny" and row["file"] == str(model)
        assert "memory_gb_s" not in row
    shapes = [(row["n_prompt"], row["n_gen"], row["n_batch"], row["n_depth"]) for row in rows]
    assert shapes == [(16, 0, 1, 0), (0, 4, 1, 0), (0, 4, 8, 0)]


def test_lists_make_every_combination_in_order(gollum, model):
    rows = json.loads(bench(gollum, model, "-p", "8,600", "-n", 2, "-b", "1,3", "-d", "0,100", "-t", "1,2", "-r", 1, "--json"))
    names = ["pp8", "pp600", "tg2", "tg2b3"]
    names += [name + "@d100" for name in names]
    assert [(row["threads"], row["test"]) for row in rows] == [(t, name) for t in (1, 2) for name in names]


def test_operations_and_bytes_are_those_of_the_model(gollum, model):
    """Checked by hand for the tiny model: 2 layers of 64, ff 128, 4 heads of 16 with 2 for K and V, vocabulary in F32."""
    import tiny_model
    layer = 64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 128 * 64
    params = 2 * layer + tiny_model.N_VOCAB * 64
    row = json.loads(bench(gollum, model, "-p", 0, "-n", 1, "-d", 99, "-r", 1, "-t", 1, "--json"))[0]
    seen = 100  # the new token sees itself and 99 before it
    n_ops = 2 * params + 2 * seen * 2 * 4 * (16 + 16)
    n_bytes = 4 * params + 2 * seen * 2 * (16 + 16) * 2
    assert row["gop_s"] * 1e9 / row["tok_s"] == pytest.approx(n_ops, rel=0.05)
    assert row["gb_s"] * 1e9 / row["tok_s"] == pytest.approx(n_bytes, rel=0.05)


def test_csv_has_a_head_and_rows_of_the_same_width(gollum, model):
    rows = list(csv.reader(bench(gollum, model, *FAST, "-t", 1, "-o", "csv").splitlines()))
    assert rows[0][:4] == ["model", "file", "size", "params"]
    assert [row[rows[0].index("test")] for row in rows[1:]] == ["pp16", "tg4"]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert all(float(row[rows[0].index("tok_s")]) > 0 for row in rows[1:])


def test_the_table_shows_how_near_the_machine_s_limit_is(gollum, model):
    done = gollum("bench", "-m", model, *FAST, "-t", 1, "--machine")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 4 and all(line.startswith("|") and line.endswith("|") for line in lines)
    assert {line.count("|") for line in lines} == {14}
    assert "of memory" in lines[0] and "pp16" in lines[2] and "tg4" in lines[3]
    assert b"memory:" in done.stderr


def test_threads_and_cache_type_change_the_row_and_not_the_test(gollum, model):
    row = json.loads(bench(gollum, model, "-p", 0, "-n", 2, "-t", 3, "--kv-cache-dtype", "f32", "-r", 1, "--json"))[0]
    assert (row["threads"], row["kv_type"], row["test"]) == (3, "f32", "tg2")


@pytest.mark.parametrize("option, value", [
    ("-p", "16,"), ("-n", "x"), ("-b", "0"), ("-b", "1,,2"), ("-d", "-1"), ("-t", "513"), ("-t", "1;2"),
    ("-p", ",".join(["1"] * 17)), ("-r", "0"), ("-o", "xml")])
def test_a_wrong_list_is_named_and_nothing_is_measured(gollum, model, option, value):
    refused = gollum("bench", "-m", model, option, value)
    assert refused.returncode == USAGE
    assert refused.stdout == b""
    assert value.split(",")[0].encode() in refused.stderr or b"''" in refused.stderr


def test_nothing_to_measure_is_an_error(gollum, model):
    refused = gollum("bench", "-m", model, "-p", 0, "-n", 0)
    assert refused.returncode == USAGE
    assert b"nothing to measure" in refused.stderr


def test_a_cache_that_cannot_fit_is_refused_before_it_is_taken(gollum, model):
    """256 bytes a token: 400 GiB, and more tokens than slots have numbers."""
    refused = gollum("bench", "-m", model, "-p", 0, "-n", 1, "-b", 100, "-d", 16777216, "-t", 1)
    assert refused.returncode == NO_MEMORY
    assert b"KV cache of" in refused.stderr
    refused = gollum("bench", "-m", model, "-p", 0, "-n", 1, "-b", 4096, "-d", 16777216, "-t", 1)
    assert refused.returncode == USAGE
    assert b"2147483647 are possible" in refused.stderr


def test_the_config_file_s_threads_are_a_list_here(gollum, model, tmp_path):
    config = tmp_path / "config"
    config.write_text("threads = 1,2\nn-prompt = 0\nn-gen = 1\nrepetitions = 1\n")
    rows = json.loads(bench(gollum, model, "--config", config, "--json"))
    assert [row["threads"] for row in rows] == [1, 2]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_model_that_generates_nothing_gets_no_table(gollum, form):
    refused = gollum("bench", "-m", conftest.ROOT / "tests/data/rerank/bert.gguf", *FAST, "-o", form)
    assert (refused.returncode, refused.stdout) == (BAD_MODEL, b""), refused
