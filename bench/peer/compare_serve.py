#!/usr/bin/env python3
"""gollum serve beside llama-server, as clients see them: `serve_bench` against both, in turns, on the same file; medians and ratios.

Made by `make bench-serve`; needs what bench/peer/setup.sh builds. Loopback only, at most nine connections, one or two minutes per
server and round.
"""
import argparse
import json
import os
import pathlib
import datetime
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ["stall", "unique", "shared", "repeat"]
SLOTS, CONTEXT_PER_SLOT = 8, 2048
START_SECONDS = 120
# What to print of each scenario, and whether a higher number is better.
FIGURES = {
    "stall": [("gap_max_ms", False), ("ttft_ms", False), ("ttft_alone_ms", False), ("ttft_ratio", False)],
    "unique": [("tok_s", True), ("total_tok_s", True), ("ttft_p50_ms", False), ("ttft_max_ms", False)],
    "shared": [("tok_s", True), ("total_tok_s", True), ("ttft_p50_ms", False), ("ttft_max_ms", False)],
    "repeat": [("ttft_cold_ms", False), ("ttft_again_ms", False), ("step_ms", False), ("steps_again", False)],
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server; ends with the block."""

    def __init__(self, command, port):
        self.url = f"http://127.0.0.1:{port}/health"
        self.process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(START_SECONDS * 10):
            try:
                with urllib.request.urlopen(self.url, timeout=2):
                    return self
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.process.args[0]} ended with {self.process.returncode}")
                time.sleep(0.1)
        self.process.kill()
        sys.exit(f"{self.process.args[0]} did not come up within {START_SECONDS} s")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)


def measure(command, port, scenarios, bench, prefix):
    """{scenario: {figure: value}} of one server, started for it."""
    with Server([*prefix, *command], port):
        done = subprocess.run([*prefix, bench, "--port", str(port), "--json", *scenarios], text=True, stdout=subprocess.PIPE,
                              timeout=900, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row.pop("scenario"): row for row in rows}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers end with their blocks
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, help="GGUF file; without it TinyLlama's shape in Q8_0, made on the spot")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--realtime", action="store_true", help="run under chrt -f: for a machine that others use (root)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT / "build/peer")
    args = parser.parse_args()
    model = args.model
    if model is None:
        model = args.peer / "models/tinyllama-1.1b-q8_0.gguf"
        if not model.exists():
            model.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([args.build / "tools/make_model", "--shape", "tinyllama-1.1b", "--type", "Q8_0", "-o", model], check=True)
    prefix = ["chrt", "-f", "5"] if args.realtime else []
    scenarios = args.scenarios.split(",")
    ports = {"gollum": free_port(), "llama-server": free_port()}
    commands = {
        "gollum": [args.build / "gollum", "serve", "-m", model, "--port", ports["gollum"], "--threads", args.threads],
        "llama-server": [args.peer / "native/bin/llama-server", "-m", model, "--port", ports["llama-server"], "-t", args.threads,
                         "-c", SLOTS * CONTEXT_PER_SLOT, "-np", SLOTS],
    }
    results = {name: [] for name in commands}
    for r in range(args.rounds):
        for name in sorted(commands, reverse=r % 2 == 1):
            results[name].append(measure(commands[name], ports[name], scenarios, args.build / "bench/serve_bench", prefix))
    print(f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} processors, {args.threads} threads, "
          f"{model.name}, median of {args.rounds} rounds in turns.\n")
    print("| scenario | figure | gollum | llama-server | gollum is better by |\n|---|---|---:|---:|---:|")
    for scenario in scenarios:
        for figure, higher_is_better in FIGURES[scenario]:
            ours, theirs = (statistics.median(row[scenario][figure] for row in results[name]) for name in commands)
            better = ours / theirs if higher_is_better else theirs / ours
            print(f"| {scenario} | {figure} | {ours:.1f} | {theirs:.1f} | {better:.2f} |")


if __name__ == "__main__":
    main()
