"""Memory is planned before the model is loaded: what `gollum plan` says is what `serve` does, and what cannot fit is refused."""
import json
import subprocess

import pytest

import tiny_model
import web
from conftest import BINARY
from web import PATIENCE_S

USAGE, OUT_OF_MEMORY = 64, 71
MIB = 1 << 20


def plan_of(gollum, model, *options):
    done = gollum("plan", "-m", model, "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_plan_adds_up_and_stays_within_the_budget(gollum, model):
    plan = plan_of(gollum, model, "--memory", "80M")
    assert plan["fits"] and plan["refusal"] is None
    assert sum(plan["bytes"].values()) == plan["total_bytes"] <= plan["max_bytes"] == 80 * MIB
    assert plan["kv_tokens"] == plan["kv_blocks"] * plan["block_size"]
    assert plan["model_context"] == tiny_model.N_CTX


def test_plan_answers_what_fits(gollum, model):
    """Smaller keys, more tokens (not twice as many here: beside a model so small the tokens themselves weigh more)."""
    f32 = plan_of(gollum, model, "--memory", "80M", "--kv-cache-dtype", "f32")
    f16 = plan_of(gollum, model, "--memory", "80M", "--kv-cache-dtype", "f16")
    assert 1.2 * f32["kv_tokens"] < f16["kv_tokens"] < 2.1 * f32["kv_tokens"]
    text = gollum("plan", "-m", model, "--memory", "80M", "--ctx-size", 2048, "--max-num-seqs", 4).stdout.decode()
    assert "context of a request: 2048 tokens (the model's: 4096)" in text
    assert "of that length fit at once: 4 of 4 requests" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["1", "2048"] in rows and ["4", "2048"] in rows
    for part in ("weights", "KV cache", "scratch", "requests", "other", "at most"):
        assert part in text


def test_a_share_is_of_what_is_available(gollum, model):
    plan = plan_of(gollum, model, "--memory", "50%")
    assert 0.49 < plan["max_bytes"] / plan["available_bytes"] < 0.51


def test_the_environment_sets_it_too(model):
    done = subprocess.run([BINARY, "plan", "-m", model, "--json"], capture_output=True, timeout=PATIENCE_S,
                          env={"GOLLUM_MEMORY": "77M"})
    assert json.loads(done.stdout)["max_bytes"] == 77 * MIB


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["run", "-p", "x"], ["plan"]])
def test_what_cannot_fit_is_refused_with_numbers(gollum, model, command):
    refused = gollum(*command, "-m", model, "--memory", "50M", "--ctx-size", 4096)
    assert refused.returncode == OUT_OF_MEMORY
    for word in (b"50.0 MiB", b"weights", b"KV cache of 4096 tokens", b"shorter context", b"q8_0"):
        assert word in refused.stderr, refused.stderr


def test_a_plan_that_cannot_be_is_shown(gollum, model):
    refused = gollum("plan", "-m", model, "--json", "--memory", "50M")
    assert refused.returncode == OUT_OF_MEMORY
    plan = json.loads(refused.stdout)
    assert not plan["fits"] and plan["total_bytes"] > plan["max_bytes"]
    assert plan["refusal"] in refused.stderr.decode()


def test_more_than_there_is_is_refused(gollum, model):
    refused = gollum("plan", "-m", model, "--memory", "1000000G")
    assert refused.returncode == OUT_OF_MEMORY and b"available" in refused.stderr
    assert gollum("plan", "-m", model, "--memory", "0%").returncode == USAGE


def test_a_cache_that_is_given_wins(gollum, model):
    plan = plan_of(gollum, model, "--kv-cache-memory", "4M")
    assert 3.9 * MIB < plan["bytes"]["kv_cache"] < 4.2 * MIB
    refused = gollum("plan", "-m", model, "--kv-cache-memory", "60M", "--memory", "64M")
    assert refused.returncode == OUT_OF_MEMORY


def test_serve_does_what_plan_says_and_tells_it(gollum, model, start_server):
    options = ("--memory", "90M", "--max-num-seqs", "4", "--ctx-size", "1024")
    plan = plan_of(gollum, model, *options)
    server = start_server(*options)
    log = server.log_path.read_text()
    for part in ("weights", "KV cache", "scratch", "requests", "at most"):
        assert f"memory: {part}" in log
    assert "4 of 4 requests of the full 1024 tokens fit at once" in log
    figures = dict(line.rsplit(" ", 1) for line in web.get(server.url + "/metrics").text.splitlines()
                   if not line.startswith("#"))
    for part, n_bytes in plan["bytes"].items():
        assert int(figures['gollum_memory_planned_bytes{part="%s"}' % part]) == n_bytes
    assert float(figures["gollum_memory_max_bytes"]) == 90 * MIB
    assert int(figures["gollum_kv_blocks"]) == plan["kv_blocks"]


def test_requests_that_can_never_fit_are_refused_at_the_door(start_server):
    server = start_server("--ctx-size", "64")

    def ask(**body):
        return web.post(server.url + "/v1/completions", json={"temperature": 0, **body})

    refused = ask(prompt=[5] * 64)
    error = refused.json()["error"]
    assert refused.status_code == 400 and error["code"] == "context_length_exceeded" and error["param"] == "prompt"
    assert error["message"].startswith("This model's maximum context length is 64 tokens, but prompt has 64 tokens")
    longest = ask(prompt=[5] * 63, max_tokens=10, ignore_eos=True).json()
    assert longest["usage"]["completion_tokens"] == 1 and longest["choices"][0]["finish_reason"] == "length"
    cut = ask(prompt=[5] * 60, max_tokens=1000, ignore_eos=True).json()  # as documented, not an error
    assert cut["usage"]["total_tokens"] == 64 and cut["choices"][0]["finish_reason"] == "length"
