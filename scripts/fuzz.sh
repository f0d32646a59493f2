#!/usr/bin/env bash
# fuzz.sh BUILD SECONDS: runs every libFuzzer program of BUILD for SECONDS each, one after another, from the committed inputs.
# New inputs are kept in BUILD/corpus/; one that fails is written to the repository's root as crash-*, with how to repeat it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 seconds=$2
export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-14 UBSAN_OPTIONS=print_stacktrace=1

status=0
for source in tests/fuzz/*/fuzz_*.c; do
    name=$(basename "$source" .c)
    seeds=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "$build/corpus/$name"
    printf '== %s, %s s\n' "$name" "$seconds"
    "$build/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        "$build/corpus/$name" "$seeds" 2>"$build/$name.log" || {
        status=1
        tail -n 40 "$build/$name.log"
        continue
    }
    grep -E '^stat::(number_of_executed_units|new_units_added|peak_rss_mb)|^Done' "$build/$name.log"
done
exit $status
