#!/usr/bin/env python3
"""gollum beside llama.cpp on the same files, in turns on the same machine; prints tables with medians and ratios.

Both run one after the other, in an order that changes from round to round, so that a machine that is slower for a while is slower
for both. Each pair of numbers is the median over all rounds. Made by `make bench-peer`; needs what bench/peer/setup.sh builds.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
N_PROMPT, N_GEN, N_BATCH = 512, 32, 32
TESTS = [f"pp{N_PROMPT}", f"tg{N_GEN}", f"tg{N_GEN}b{N_BATCH}"]
QUICK_TYPES = ["Q8_0", "Q4_K"]
FULL_TYPES = ["Q8_0", "Q4_K", "Q4_0", "Q6_K", "F16", "BF16"]
DEPTHS = [4096]


class Machine:
    """How to start the programs, and until when."""

    def __init__(self, args):
        self.deadline = time.monotonic() + 60 * args.minutes
        self.prefix = ["chrt", "-f", "5"] if args.realtime else []

    def seconds_left(self):
        return self.deadline - time.monotonic()

    def run(self, command, **environment):
        """What the command prints on stdout. Nothing runs longer than a minute beyond the time that was granted."""
        done = subprocess.run([*self.prefix, *map(str, command)], env={**os.environ, **environment}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=max(self.seconds_left(), 0) + 60)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def first_token(self, command, **environment):
        """Seconds from the start of the process to the first byte of its answer, and the most memory it had, in MiB."""
        begin = time.monotonic()
        process = subprocess.Popen([*self.prefix, *map(str, command)], env={**os.environ, **environment},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        os.read(process.stdout.fileno(), 1)
        seconds = time.monotonic() - begin
        while os.read(process.stdout.fileno(), 65536):
            pass
        _, status, usage = os.wait4(process.pid, 0)
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\nended with {process.returncode}")
        return seconds, usage.ru_maxrss / 1024


class Gollum:
    name = "gollum"

    def __init__(self, machine, program):
        self.machine, self.program = machine, program
        self.facts = {}

    def environment(self, level):
        return {"GOLLUM_CPU": "avx2"} if level == "avx2" else {}

    def speeds(self, model, threads, level, depth):
        """{test: tokens per second}; depth 0 also decodes many sequences together."""
        batch = N_BATCH if depth == 0 else 1
        prompt = N_PROMPT if depth == 0 else 0
        rows = json.loads(self.machine.run(
            [self.program, "bench", "-m", model, "-p", prompt, "-n", N_GEN, "-b", batch, "-d", depth, "-t", threads, "-r", 1,
             "--machine", "--json"], **self.environment(level)))
        for row in rows:
            self.facts[model, threads, level, row["test"]] = row
        return {row["test"]: row["tok_s"] for row in rows}

    def first_token(self, model, threads):
        return self.machine.first_token([self.program, "run", "-m", model, "-p", "the first", "-n", 4, "--temp", 0,
                                         "--ignore-eos", "-t", threads])


class LlamaCpp:
    name = "llama.cpp"

    def __init__(self, machine, root):
        self.machine, self.root = machine, root

    def program(self, level, name):
        return self.root / ("avx2" if level == "avx2" else "native") / "bin" / name

    def speeds(self, model, threads, level, depth):
        prompt = N_PROMPT if depth == 0 else 0
        text = self.machine.run([self.program(level, "llama-bench"), "-m", model, "-p", prompt, "-n", N_GEN, "-d", depth,
                                 "-t", threads, "-r", 1, "-o", "jsonl"])
        found = {}
        for row in map(json.loads, text.splitlines()):
            name = f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}"
            found[name + (f"@d{depth}" if depth else "")] = row["samples_ts"][0]
        if depth == 0:
            # Its prompts must have a token; one costs next to nothing.
            text = self.machine.run([self.program(level, "llama-batched-bench"), "-m", model, "-npp", 1, "-ntg", N_GEN,
                                     "-npl", N_BATCH, "-c", 2 * N_BATCH * N_GEN, "-t", threads, "--output-format", "jsonl"])
            row = next(json.loads(line) for line in text.splitlines() if line.startswith("{"))
            found[f"tg{N_GEN}b{N_BATCH}"] = row["speed_tg"]
        return found

    def first_token(self, model, threads):
        return self.machine.first_token([self.program("full", "llama-completion"), "-m", model, "-p", "the first", "-n", 4,
                                         "--temp", 0, "--ignore-eos", "-no-cnv", "--no-warmup", "--no-display-prompt",
                                         "-c", 2048, "-t", threads])


def in_turns(programs, rounds, measure):
    """[one list of measurements per program]: A B, B A, A B …"""
    found = [[] for _ in programs]
    for i in range(rounds):
        order = list(range(len(programs)))
        for at in order if i % 2 == 0 else reversed(order):
            found[at].append(measure(programs[at]))
    return found


def make_models(args, types):
    """{type: path}; files of the shape of TinyLlama 1.1B with random weights."""
    args.models.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in types:
        paths[name] = args.models / f"tinyllama-1.1b-{name.lower()}.gguf"
        if not paths[name].exists():
            print(f"making {paths[name]}", file=sys.stderr)
            part = paths[name].with_suffix(".part")
            subprocess.run([args.make_model, "--shape", "tinyllama-1.1b", "--type", name, "-o", part], check=True,
                           stdout=subprocess.DEVNULL)
            part.rename(paths[name])
    return paths


def comparisons(args, types, levels, threads):
    """(type, threads, level, depth), what is most worth knowing first."""
    work = [(t, n, level, 0) for level in levels for n in threads for t in types]
    if not args.quick:
        work += [(t, max(threads), "full", depth) for depth in DEPTHS for t in types[:2]]
    return work


def print_head(args, peer_version):
    info = json.loads(subprocess.run([args.gollum, "info", "--json"], check=True, text=True, capture_output=True).stdout)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    print(f"{datetime.date.today()}, {info['processor']}, {os.cpu_count()} processors, {platform.system()} "
          f"{platform.release()}, load before the run {load:.1f}{', real-time priority' if args.realtime else ''}.")
    print(f"gollum {info['version']} (level {info['level']}), llama.cpp of {peer_version}. Tokens per second, median of "
          f"{args.rounds} rounds in turns.\n")


def print_speeds(work, results, gollum, paths):
    print("| weights | threads | level | test | gollum | llama.cpp | ratio | gollum reads GB/s | of memory | GOP/s |")
    print("|---|---:|---|---|---:|---:|---:|---:|---:|---:|")
    for item in work:
        if item not in results:
            continue
        name, threads, level, _ = item
        ours, theirs = results[item]
        for test in ours[0]:
            a = statistics.median(r[test] for r in ours)
            b = statistics.median(r[test] for r in theirs)
            row = gollum.facts[paths[name], threads, level, test]
            scale = a / row["tok_s"]
            print(f"| {name} | {threads} | {level} | {test} | {a:.2f} | {b:.2f} | {a / b:.2f} | {row['gb_s'] * scale:.1f} | "
                  f"{100 * row['gb_s'] * scale / row['memory_gb_s']:.0f}% | {row['gop_s'] * scale:.0f} |")


def read_through(path):
    """Brings the file into the page cache."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def print_first_tokens(args, programs, paths, threads):
    print(f"\nFrom the start of the process to the first token of its answer ({threads} threads, file in the page cache), and "
          "the most memory it took:\n")
    print("| weights | file | gollum | llama.cpp | gollum's memory | llama.cpp's memory |\n|---|---:|---:|---:|---:|---:|")
    for name, path in paths.items():
        read_through(path)
        found = in_turns(programs, args.rounds, lambda p, path=path: p.first_token(path, threads))
        seconds = [statistics.median(s for s, _ in program) for program in found]
        memory = [statistics.median(m for _, m in program) for program in found]
        print(f"| {name} | {path.stat().st_size / 2**20:.0f} MiB | {seconds[0]:.2f} s | {seconds[1]:.2f} s | "
              f"{memory[0]:.0f} MiB | {memory[1]:.0f} MiB |")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", dest="quick", action="store_false", help="six types, one thread too, and a deep context")
    parser.add_argument("--minutes", type=float, help="start nothing new after so many (12; 60 with --full)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--types", help="comma-separated, instead of those of the mode")
    parser.add_argument("--levels", help="full, avx2 or both, comma-separated")
    parser.add_argument("--threads", help="comma-separated")
    parser.add_argument("--realtime", action="store_true", help="run under chrt -f: for a machine that others use (root)")
    parser.add_argument("--gollum", type=pathlib.Path, default=ROOT / "build/release/gollum")
    parser.add_argument("--make-model", type=pathlib.Path, default=ROOT / "build/release/tools/make_model")
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT / "build/peer")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build/peer/models")
    args = parser.parse_args()
    args.minutes = args.minutes or (12 if args.quick else 60)
    if args.realtime and shutil.which("chrt") is None:
        parser.error("--realtime needs the program chrt")
    if not (args.peer / "native/bin/llama-bench").exists():
        parser.error(f"there is no llama.cpp in {args.peer}: run bench/peer/setup.sh")
    return args


def main():
    args = parse_arguments()
    types = args.types.split(",") if args.types else QUICK_TYPES if args.quick else FULL_TYPES
    n_processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = [n_processors] if args.quick else sorted({n_processors, 1}, reverse=True)
    if args.threads:
        threads = [int(n) for n in args.threads.split(",")]
    has_avx2 = (args.peer / "avx2/bin/llama-bench").exists()
    levels = args.levels.split(",") if args.levels else ["full", "avx2"] if has_avx2 else ["full"]
    paths = make_models(args, types)
    machine = Machine(args)
    gollum, peer = Gollum(machine, args.gollum), LlamaCpp(machine, args.peer)
    version = args.peer / "VERSION"
    print_head(args, version.read_text().strip() if version.exists() else "an unknown version")
    work = comparisons(args, types, levels, threads)
    results, longest = {}, 0
    for i, item in enumerate(work):
        if machine.seconds_left() < longest:
            break
        name, n, level, depth = item
        print(f"[{i + 1}/{len(work)}] {name}, {n} threads, {level}, depth {depth}", file=sys.stderr)
        begin = time.monotonic()
        results[item] = in_turns([gollum, peer], 1 if depth else args.rounds,
                                 lambda p, item=item: p.speeds(paths[item[0]], *item[1:]))
        longest = max(longest, time.monotonic() - begin)
    print_speeds(work, results, gollum, paths)
    left_out = [f"{t} with {n} threads ({level}{f', depth {d}' if d else ''})" for t, n, level, d in work
                if (t, n, level, d) not in results]
    if left_out:
        print(f"\nNot measured in {args.minutes:g} minutes: " + ", ".join(left_out) + ".")
    if machine.seconds_left() > 0:
        print_first_tokens(args, [gollum, peer], {t: paths[t] for t in types[:2]}, max(threads))


if __name__ == "__main__":
    main()
