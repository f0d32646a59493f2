"""gollum quantize: files that are smaller, whole, and still the same model; and what it refuses."""
import os
import re
import resource
import signal
import struct
import subprocess
import time

import pytest

import tiny_model

from conftest import BINARY, running
from web import PATIENCE_S

USAGE, BAD_MODEL, NOT_FOUND, IO = 64, 65, 66, 74
TOKENS = "1 290 270 265 300 301"
# Squared error of the logits relative to their spread, on this model: two to three times what was measured, and room for kernels
# that round activations. Rows of 64 elements: K types fall back to types with blocks of 32.
ERROR_MAX = {"F32": 0, "F16": 2e-4, "BF16": 1e-3, "Q8_0": 3e-3, "Q6_K": 3e-3, "Q5_K_M": 5e-2, "Q5_1": 5e-2, "Q5_0": 5e-2,
             "Q4_K_M": 5e-2, "Q4_K_S": 5e-2, "Q4_1": 0.2, "Q4_0": 0.2, "IQ4_NL": 0.28, "IQ4_XS": 0.28, "Q3_K_M": 0.15,
             "Q2_K": 0.22}


def logits(gollum, path, tmp_path):
    out = tmp_path / "logits"
    done = gollum("logits", "-m", path, "--tokens", TOKENS, "-o", out)
    assert done.returncode == 0, done.stderr
    data = out.read_bytes()
    return struct.unpack("<%df" % (len(data) // 4), data)


def relative_error(a, b):
    mean = sum(b) / len(b)
    return sum((x - y) ** 2 for x, y in zip(a, b)) / sum((y - mean) ** 2 for y in b)


def tensor_types(gollum, path):
    shown = gollum("inspect", "-m", path, "--tensors").stdout.decode()
    return dict(re.findall(r"^(\S+\.(?:weight|bias))\s+(\S+)", shown, re.M))


@pytest.fixture(scope="module")
def reference(gollum, model, tmp_path_factory):
    return logits(gollum, model, tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize("kind", ERROR_MAX)
def test_every_type_gives_a_whole_file_near_the_original(gollum, model, reference, tmp_path, kind):
    out = tmp_path / "out.gguf"
    done = gollum("quantize", model, out, kind)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert gollum("verify", out).returncode == 0
    assert relative_error(logits(gollum, out, tmp_path), reference) <= ERROR_MAX[kind]
    assert sorted(os.listdir(tmp_path)) == ["logits", "out.gguf"]


def test_norms_stay_and_the_output_gets_better_numbers(gollum, model, tmp_path):
    out = tmp_path / "out.gguf"
    assert gollum("quantize", "-m", model, "--type", "q4_0", "-o", out).returncode == 0
    types = tensor_types(gollum, out)
    assert types["blk.0.attn_norm.weight"] == "F32"
    assert types["blk.0.attn_q.weight"] == "Q4_0"
    assert types["output.weight"] == "Q8_0"  # Q6_K is wanted, rows have 64 elements
    shown = gollum("inspect", "-m", out).stdout.decode()
    assert re.search(r"general\.file_type\s+u32\s+2\b", shown)
    assert re.search(r"general\.quantization_version\s+u32\s+2\b", shown)
    assert "llama.context_length" in shown and "tokenizer.ggml.tokens" in shown


def test_the_bytes_do_not_depend_on_the_number_of_threads(gollum, model, tmp_path):
    results = set()
    for n in (1, 2, 3):
        out = tmp_path / f"{n}.gguf"
        done = gollum("quantize", model, out, "Q5_1", "--threads", n, "--stats")
        results.add((out.read_bytes(), done.stdout))
    assert len(results) == 1


def test_stats_list_every_tensor_and_a_total(gollum, model, tmp_path):
    out = tmp_path / "out.gguf"
    rows = gollum("quantize", model, out, "Q8_0", "--stats").stdout.decode().splitlines()
    assert len(rows) == 1 + len(tensor_types(gollum, model)) + 1
    norm = next(r for r in rows if r.startswith("blk.1.ffn_norm.weight")).split()
    assert [float(x) for x in norm[-2:]] == [0, 0]
    up = next(r for r in rows if r.startswith("blk.1.ffn_up.weight")).split()
    assert up[1:6] == ["64", "x", "128", "F32", "Q8_0"]
    # Weights have deviation 0.15; Q8_0 leaves about 0.5 % of it.
    assert 0.0005 < float(up[6]) < 0.0015 < float(up[7]) < 0.005
    assert rows[-1].startswith("total: RMS error")


def test_a_dry_run_writes_nothing_and_its_sizes_are_true(gollum, model, tmp_path):
    out = tmp_path / "out.gguf"
    plan = gollum("quantize", model, out, "Q4_1", "--dry-run")
    assert plan.returncode == 0
    assert not out.exists()
    n_bytes = sum(int(r.split()[-1]) for r in plan.stdout.decode().splitlines()[1:-1] if " no whole " not in r)
    n_bytes += sum(int(re.search(r"(\d+)  rows are", r)[1]) for r in plan.stdout.decode().splitlines() if "rows are" in r)
    gollum("quantize", model, out, "Q4_1")
    header = out.stat().st_size - n_bytes
    assert 0 < header < 32768


def test_quantized_tensors_are_taken_again_only_on_request(gollum, model, tmp_path):
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    assert gollum("quantize", model, first, "Q8_0").returncode == 0
    refused = gollum("quantize", first, second, "Q4_0")
    assert refused.returncode == USAGE
    assert b"--allow-requantize" in refused.stderr and b"Q8_0" in refused.stderr
    assert not second.exists()
    assert gollum("quantize", first, second, "Q4_0", "--allow-requantize").returncode == 0
    assert tensor_types(gollum, second)["blk.0.attn_q.weight"] == "Q4_0"
    # The same type again is a copy.
    same = tmp_path / "same.gguf"
    assert gollum("quantize", first, same, "Q8_0").returncode == 0
    assert same.read_bytes() == first.read_bytes()


def test_the_source_is_never_written_over(gollum, model, tmp_path):
    source = tmp_path / "a.gguf"
    source.write_bytes(model.read_bytes())
    link = tmp_path / "link.gguf"
    link.symlink_to(source)
    tmp_named = tmp_path / "b.gguf.tmp"
    tmp_named.write_bytes(model.read_bytes())
    for frm, to in ((source, source), (source, link), (link, source), (tmp_named, tmp_path / "b.gguf")):
        refused = gollum("quantize", frm, to, "Q8_0")
        assert refused.returncode == USAGE, (frm, to)
        assert b"is the model that is read" in refused.stderr
    assert source.read_bytes() == tmp_named.read_bytes() == model.read_bytes()


def test_what_is_not_finite_is_named_and_leaves_no_file(gollum, model, tmp_path):
    data = bytearray(model.read_bytes())
    bad = tmp_path / "bad.gguf"
    data[-4 * 70:-4 * 69] = struct.pack("<f", float("nan"))  # row 335 or so of output.weight
    bad.write_bytes(data)
    for kind in ("Q8_0", "F32", "Q4_K_M"):
        refused = gollum("quantize", bad, tmp_path / "out.gguf", kind)
        assert refused.returncode == BAD_MODEL
        assert b"bad.gguf" in refused.stderr and b"output.weight" in refused.stderr
        assert os.listdir(tmp_path) == ["bad.gguf"]


def test_a_full_disk_is_an_error_that_leaves_no_file(model, tmp_path):
    out = tmp_path / "out.gguf"

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    done = subprocess.run([BINARY, "quantize", model, out, "F16"], capture_output=True, preexec_fn=limit, timeout=PATIENCE_S)
    assert done.returncode == IO
    assert b"cannot write" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_no_file(tmp_path, big_model, number):
    out = tmp_path / "out.gguf"
    with running("quantize", big_model, out, "IQ4_NL", "--threads", 1, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                 preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "out.gguf.tmp").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE_S) == 128 + number
    assert os.listdir(tmp_path) == []


@pytest.fixture(scope="module")
def big_model(tmp_path_factory):
    """One tensor that takes minutes, longer than a test may be kept from interrupting it: 8 G zeros in F16, all of them a hole in the
    file."""
    path = tmp_path_factory.mktemp("big") / "big.gguf"
    n = 8 << 30
    head = struct.pack("<IIQQ", 0x46554747, 3, 1, 1)
    head += tiny_model._text("general.architecture") + struct.pack("<I", 8) + tiny_model._text("none")
    head += tiny_model._text("blk.0.ffn_up.weight") + struct.pack("<IQQIQ", 2, 4096, n // 4096, 1, 0)
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32))
        f.truncate(f.tell() + 2 * n)
    return path


def test_wrong_usage_and_missing_files_have_their_codes(gollum, model, tmp_path):
    out = tmp_path / "out.gguf"
    unknown = gollum("quantize", model, out, "Q9_9")
    assert unknown.returncode == USAGE
    assert b"Q4_K_M" in unknown.stderr
    assert gollum("quantize", model, out).returncode == USAGE
    assert gollum("quantize").returncode == USAGE
    assert gollum("quantize", model, out, "Q8_0", "more").returncode == USAGE
    assert gollum("quantize", tmp_path / "none.gguf", out, "Q8_0").returncode == NOT_FOUND
    nowhere = gollum("quantize", model, tmp_path / "no-folder" / "out.gguf", "Q8_0")
    assert nowhere.returncode == IO
    assert b"no-folder" in nowhere.stderr
    assert os.listdir(tmp_path) == []


def test_progress_is_lines_without_a_terminal_and_nothing_when_quiet(gollum, model, tmp_path):
    loud = gollum("quantize", model, tmp_path / "a.gguf", "Q8_0").stderr.decode()
    assert "100%" in loud and "\r" not in loud and "note: the rows" not in loud
    assert "note: the rows" in gollum("quantize", model, tmp_path / "b.gguf", "Q4_K_M").stderr.decode()
    assert gollum("quantize", model, tmp_path / "c.gguf", "Q4_K_M", "--quiet").stderr == b""
