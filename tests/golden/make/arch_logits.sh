#!/usr/bin/env bash
# Makes tests/data/archs anew: llama.cpp's answers for the tiny models of tests/support/tiny_archs.h.
#   arch_logits.sh LLAMA_CPP_SOURCE LLAMA_CPP_BUILD BUILD
# LLAMA_CPP_BUILD/bin holds its shared libraries, BUILD/tests/golden our test_arch_logits, which writes the models.
set -euo pipefail

source_dir=$1 build_dir=$2 ours=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${CC:-cc}" -O1 -o "$work/llama_logits" "$here/llama_logits.c" -I"$source_dir/include" \
    -I"$source_dir/ggml/include" -L"$build_dir/bin" -lllama -lggml -lggml-base \
    -Wl,-rpath,"$build_dir/bin"
mkdir -p "$here/../../data/archs"
"$ours/tests/golden/test_arch_logits" --write "$work" >"$work/list"
while read -r name kind ids; do
    # shellcheck disable=SC2086  # ids are words
    "$work/llama_logits" "$work/$name.gguf" 256 "$kind" $ids 2>"$work/log" >"$here/../../data/archs/$name.f32" || {
        tail -n 20 "$work/log" >&2
        echo "$name: no answer" >&2
        exit 1
    }
done <"$work/list"
