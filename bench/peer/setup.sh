#!/usr/bin/env bash
# Builds llama.cpp into build/peer/ for bench/peer/compare.py: the newest release that the Python package index has, as the
# source inside the package llama-cpp-python. Twice: for this machine (with its server), and (x86-64) for AVX2 alone. A second run does nothing;
# delete build/peer to get a newer release. Takes about ten minutes on two cores and 1 GB of disk.
set -euo pipefail

cd "$(dirname "$0")/../.."
readonly root=$PWD/build/peer
readonly programs=(llama-bench llama-batched-bench llama-completion)
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}

python=python3
[ -x .venv/bin/python ] && python=.venv/bin/python

# Everything from source but the package that builds it: the index also has ready-made wheels, built for old processors.
if ! [ -d "$root/src" ]; then
    rm -rf "$root/download" "$root/unpacked"
    mkdir -p "$root/download" "$root/unpacked"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$root/download" --no-binary :all: \
        --only-binary scikit-build-core,packaging,pathspec,exceptiongroup,tomli,typing-extensions llama-cpp-python
    tar -xzf "$root"/download/llama_cpp_python-*.tar.gz -C "$root/unpacked" --strip-components=1
    basename "$root"/download/llama_cpp_python-*.tar.gz .tar.gz >"$root/VERSION"
    mv "$root/unpacked/vendor/llama.cpp" "$root/src"
    rm -rf "$root/unpacked" "$root/download"
fi

# build NAME OPTION…: the programs in build/peer/NAME/bin.
build() {
    local name=$1
    local -a targets=("${programs[@]}")
    shift
    [ "$name" = native ] && targets+=(llama-server)
    [ -x "$root/$name/bin/${targets[-1]}" ] && return
    echo "peer: building llama.cpp ($name), log in $root/$name.log"
    {
        cmake -S "$root/src" -B "$root/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF \
            -DLLAMA_BUILD_SERVER=ON -DLLAMA_BUILD_APP=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF "$@"
        cmake --build "$root/$name" -j "$jobs" --target "${targets[@]}"
    } >"$root/$name.log" 2>&1 || {
        tail -n 20 "$root/$name.log" >&2
        echo "peer: that build failed" >&2
        exit 1
    }
}

build native -DGGML_NATIVE=ON
if [ "$(uname -m)" = x86_64 ]; then
    build avx2 -DGGML_NATIVE=OFF -DGGML_SSE42=ON -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON \
        -DGGML_BMI2=ON -DGGML_AVX512=OFF
fi
