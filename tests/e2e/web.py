"""httpx with patience: its own is over after five seconds, and a proxy of the environment has no business with this machine's ports."""
import httpx

PATIENCE_S = 600  # for all that must come; more than a machine needs that is slow, busy, stopped for a while, or runs sanitized code
OPTIONS = {"timeout": PATIENCE_S, "trust_env": False}


def get(url, **options):
    return httpx.get(url, **OPTIONS, **options)


def post(url, **options):
    return httpx.post(url, **OPTIONS, **options)


def stream(url, **options):
    return httpx.stream("POST", url, **OPTIONS, **options)
