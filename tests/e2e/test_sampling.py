"""The rarer sampling parameters from the client to the drawn tokens, and the same through the command line."""
import openai
import pytest

import conftest
import tiny_model
import web

PROMPT = "the cat sat and the dog"
WORD_IDS = [tiny_model.PIECES.index(w) for w in tiny_model.WORDS]

EVERYTHING = {
    "typical_p": 0.9, "top_n_sigma": 2.0, "xtc_probability": 0.5, "xtc_threshold": 0.02, "dynatemp_range": 0.3,
    "dry_multiplier": 0.8, "repeat_last_n": 16, "repeat_penalty": 1.2, "min_p": 0.01,
    "samplers": ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"],
}


def ids(client, model_id, n=40, **fields):
    options = {name: fields.pop(name) for name in ("logit_bias", "temperature", "seed") if name in fields}
    answer = client.completions.create(
        model=model_id, prompt=PROMPT, max_tokens=n, **{"seed": 5, **options},
        extra_body={"ignore_eos": True, "return_token_ids": True, **fields})
    return answer.choices[0].token_ids


def test_only_allowed_tokens_come(client, model_id):
    assert set(ids(client, model_id, allowed_token_ids=WORD_IDS[:3])) == set(WORD_IDS[:3])


def test_logit_bias_forces_and_bans(client, model_id):
    assert set(ids(client, model_id, logit_bias={str(WORD_IDS[0]): 100})) == {WORD_IDS[0]}
    banned = ids(client, model_id, temperature=0)
    for _ in range(3):  # each ban brings another favourite
        favourite = max(set(banned), key=banned.count)
        assert favourite not in ids(client, model_id, temperature=0, logit_bias={str(favourite): -100})


def test_a_bad_word_is_not_completed(client, model_id):
    cat, dog = (tiny_model.PIECES.index("\u2581" + w) for w in ("cat", "dog"))
    allowed = {"allowed_token_ids": [cat, dog], "n": 100}
    assert cat in ids(client, model_id, **allowed)
    # The word alone is banned everywhere, the two together only one after the other.
    assert set(ids(client, model_id, bad_words=["cat"], **allowed)) == {dog}
    both = ids(client, model_id, bad_words=["cat dog"], **allowed)
    assert cat in both and dog not in [b for a, b in zip(both, both[1:]) if a == cat]


@pytest.mark.parametrize("fields", [
    EVERYTHING, {"mirostat": 1, "mirostat_tau": 3}, {"mirostat": 2, "mirostat_eta": 0.3}, 
    {"dry_multiplier": 5, "dry_allowed_length": 0, "dry_sequence_breakers": []}])
def test_the_same_seed_draws_the_same_answer(client, model_id, fields):
    first = ids(client, model_id, **fields)
    assert first == ids(client, model_id, **fields)
    assert first != ids(client, model_id)
    assert first != ids(client, model_id, seed=6, **fields)


def test_dry_ends_repetitions(client, model_id):
    # Six tokens, always the likeliest: without DRY a loop, with it no pair is continued twice in the same way.
    loop = {"temperature": 0, "allowed_token_ids": WORD_IDS[:6], "n": 60}
    with_dry = ids(client, model_id, dry_multiplier=100, dry_sequence_breakers=[], **loop)
    triples = list(zip(with_dry, with_dry[1:], with_dry[2:]))
    assert len(triples) == len(set(triples))
    without = ids(client, model_id, **loop)
    assert len(set(zip(without, without[1:], without[2:]))) < len(triples)


@pytest.mark.parametrize("fields, param", [
    ({"typical_p": 0}, "typical_p"), ({"mirostat": 3}, "mirostat"), ({"dry_base": 0.5}, "dry_base"),
    ({"logit_bias": {"1": 101}}, 'logit_bias["1"]'), ({"bad_words": [""]}, "bad_words[0]"),
    ({"samplers": ["top_p", "top_k"]}, "samplers")])
def test_what_is_not_accepted_is_named(client, model_id, fields, param):
    with pytest.raises(openai.BadRequestError) as error:
        ids(client, model_id, **fields)
    assert error.value.param == param


def test_lists_that_ban_everything_are_refused(client, model_id):
    with pytest.raises(openai.BadRequestError, match="no token that can be drawn"):
        client.completions.create(model=model_id, prompt=PROMPT,
                                  extra_body={"allowed_token_ids": [5], "logit_bias": [[5, False]]})


def test_a_strict_server_refuses_what_others_ignore(server, start_server, model_id):
    body = {"prompt": PROMPT, "max_tokens": 1, "no_such_field": 1}
    lenient = web.post(server.url + "/v1/completions", json=body)
    assert (lenient.status_code, lenient.headers["X-Gollum-Ignored-Params"]) == (200, "no_such_field")
    strict = web.post(start_server("--strict").url + "/v1/completions", json=body)
    assert (strict.status_code, strict.json()["error"]["param"]) == (400, "no_such_field")


def test_run_takes_them_too(gollum, model):
    def run(*options):
        return gollum("run", "-m", model, "-p", PROMPT, "-n", 30, "--seed", 5, "--ids", "--ignore-eos", *options)

    plain = run().stdout
    for options in (["--mirostat", 2], ["--dry-multiplier", 50, "--dry-allowed-length", 0], ["--typical-p", 0.3],
                    ["--top-n-sigma", 0.5], ["--xtc-probability", 1, "--xtc-threshold", 0.01],
                    ["--dynatemp-range", 0.8], ["--temperature-last", "--temperature", 3, "--min-p", 0.1],
                    ["--repetition-penalty", 100]):
        answer = run(*options)
        assert answer.returncode == 0 and answer.stdout != plain, options
        assert run(*options).stdout == answer.stdout
    forced = run("--logit-bias", f"{WORD_IDS[1]}+100")
    assert set(forced.stdout.split()) == {str(WORD_IDS[1]).encode()}
    wrong = run("--logit-bias", "5+101")
    assert wrong.returncode == 64 and b"--logit-bias" in wrong.stderr


def test_a_server_samples_as_the_models_authors_do(tmp_path):
    path = tmp_path / "greedy.gguf"
    tiny_model.write(path, [("general.sampling.temp", tiny_model.F32, 0.0), ("general.sampling.top_p", tiny_model.F32, 7.0)])

    def answers(*options):
        server = conftest.Server(path, tmp_path / "log", *options)
        try:
            bodies = [{}, {}, {"temperature": 0}, {"temperature": 1, "seed": 1}, {"temperature": 1, "seed": 2}]
            common = {"prompt": PROMPT, "max_tokens": 20, "ignore_eos": True}
            replies = [web.post(server.url + "/v1/completions", json={**common, **body}) for body in bodies]
            return [reply.json()["choices"][0]["text"] for reply in replies], server.log_path.read_text()
        finally:
            server.stop()

    texts, log = answers()
    assert texts[0] == texts[1] == texts[2] and len(set(texts[2:])) == 3  # greedy, unless the request says otherwise
    assert "general.sampling.top_p" in log  # what nobody could ask for is left out, not obeyed
    texts, _ = answers("--generation-config", "none")
    assert len(set(texts)) == 5


def test_run_samples_as_the_models_authors_do(gollum, tmp_path):
    path = tmp_path / "greedy.gguf"
    tiny_model.write(path, [("general.sampling.temp", tiny_model.F32, 0.0)])

    def run(*options):
        done = gollum("run", "-m", path, "-p", PROMPT, "-n", 30, "--ids", "--ignore-eos", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    greedy = run("--temperature", 0)
    assert run("--seed", 1) == run("--seed", 2) == greedy
    assert greedy not in (run("--seed", 1, "--temperature", 1), run("--seed", 1, "--generation-config", "none"))
