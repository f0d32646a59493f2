"""gollum convert and models by name: a Hugging Face folder as a file, and found in the caches of other programs."""
import json
import os
import pathlib
import struct
import subprocess

import pytest

from conftest import BINARY
from web import PATIENCE_S

USAGE, BAD_MODEL, NOT_FOUND = 64, 65, 66
FOLDERS = pathlib.Path(__file__).parent.parent / "data" / "hf"
NAMES = sorted(path.name for path in FOLDERS.iterdir())
# Of transformers' answers, in 32-bit floats on both sides.
NMSE_MAX = 1e-6


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def answer(gollum, model, folder):
    """The floats that the model at this path gives for the folder's tokens: logits, or the one vector of a text."""
    tokens = (folder / "tokens").read_text()
    if (folder / "logits.f32").exists():
        done = gollum("logits", "-m", model, "--tokens", tokens, "-o", "-", "-q")
        assert done.returncode == 0, done.stderr
        return floats(done.stdout)
    done = gollum("embed", "-m", model, "--tokens", tokens, "--kv-cache-dtype", "f32", "-q")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def inspect(gollum, path):
    done = gollum("inspect", "-m", path, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_a_converted_folder_is_whole_and_answers_the_same(gollum, tmp_path, name):
    out = tmp_path / "out.gguf"
    done = gollum("convert", FOLDERS / name, out)
    assert done.returncode == 0, done.stderr
    assert gollum("verify", out).returncode == 0
    before, after = inspect(gollum, FOLDERS / name), inspect(gollum, out)
    assert after["architecture"] == before["architecture"] and after["parameters"] == before["parameters"]
    folder = FOLDERS / name
    got = answer(gollum, folder, folder)
    assert answer(gollum, out, folder) == got
    if (folder / "n_first").exists():
        return  # two texts: --tokens cannot say where the second begins, so test_hf_logits has the comparison
    kinds = ("logits.f32", "embedding.f32", "scores.f32")
    want = floats(next(folder / kind for kind in kinds if (folder / kind).exists()).read_bytes())
    assert len(got) == len(want)
    assert sum((a - b) ** 2 for a, b in zip(got, want)) <= NMSE_MAX * sum(b * b for b in want)


def test_types_are_those_of_quantize(gollum, tmp_path):
    out = tmp_path / "out.gguf"
    assert gollum("convert", FOLDERS / "llama", out, "--type", "Q8_0", "-q").returncode == 0
    assert b"Q8_0" in gollum("inspect", "-m", out, "--tensors").stdout
    assert gollum("convert", FOLDERS / "llama", out, "--type", "Q9").returncode == USAGE


def test_the_files_that_are_read_are_not_overwritten(gollum, tmp_path):
    for path in (FOLDERS / "llama").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = gollum("convert", tmp_path, tmp_path / "model.safetensors")
    assert done.returncode == USAGE and b"is the model that is read" in done.stderr
    assert gollum("verify", tmp_path).returncode == 0


def test_models_are_found_by_name(tmp_path):
    model = tmp_path / "models--org--tiny"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("abc\n")
    (model / "snapshots").mkdir()
    os.symlink(FOLDERS / "llama", model / "snapshots" / "abc")
    env = {**os.environ, "HF_HUB_CACHE": str(tmp_path)}

    def inspect_named(name):
        return subprocess.run([BINARY, "inspect", "-m", name], env=env, capture_output=True, timeout=PATIENCE_S)

    done = inspect_named("org/tiny")
    assert done.returncode == 0, done.stderr
    assert b"using" in done.stderr and b"llama" in done.stdout
    assert inspect_named("org/other").returncode == NOT_FOUND
