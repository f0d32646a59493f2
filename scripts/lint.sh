#!/usr/bin/env bash
# Everything that reads the source without running it. All steps run, also after a failure; the last line sums up.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
jobs=$(getconf _NPROCESSORS_ONLN)
failed=()
n_steps=0

step() {
    local name=$1
    shift
    printf '== %s\n' "$name"
    n_steps=$((n_steps + 1))
    "$@" || failed+=("$name")
}

# What a header named for an instruction set needs; fails for those of another processor family. (The flags are those of
# cmake/layers.cmake.)
isa_flags() {
    local family
    case $1 in
        *_neon.h | *_dotprod.h | *_i8mm.h) family=aarch64 ;;
        *_avx*.h) family=x86_64 ;;
        *) return 0 ;;
    esac
    [ "$(uname -m | sed s/arm64/aarch64/)" = "$family" ] || return 1
    case $1 in
        *_avx2.h) echo -mavx2 -mfma -mf16c -mbmi2 ;;
        *_avx512*.h) echo -mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mavx512vnni ;;
    esac
}

# Each header compiles with nothing included before it; the public one as C++ too.
headers_alone() {
    local header isa bad=0
    local flags=(-O1 -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wstrict-prototypes -Werror -fsyntax-only -Isrc -Iinclude)
    while read -r header; do
        isa=$(isa_flags "$header") || continue
        # shellcheck disable=SC2086 # several flags
        printf '#include "%s"\n' "${header#*/}" | cc "${flags[@]}" $isa -x c - || { echo "$header:1: does not compile alone"; bad=1; }
    done < <(find src include -name '*.h' | sort)
    if [ -e include/gollum.h ]; then
        printf '#include "gollum.h"\n' | c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only -Iinclude -x c++ - || bad=1
    fi
    return $bad
}

clang_build() {
    cmake --preset clang --log-level=WARNING >/dev/null && cmake --build --preset clang -j "$jobs"
}

# Files of other processor families are not built here.
built_sources() {
    find src -name '*.c' | sort | while read -r source; do
        if grep -q "\"file\": \".*/$source\"" build/clang/compile_commands.json; then
            echo "$source"
        fi
    done
}

clang_tidy() {
    clang-tidy-14 --quiet -p build/clang src/base/error.c 2>/dev/null &&
        built_sources | grep -v '^src/base/error.c$' | xargs -r -P "$jobs" -n 4 clang-tidy-14 --quiet -p build/clang \
            --extra-arg=-include --extra-arg="$PWD/scripts/clang_tidy_model.h" 2>/dev/null
}

cpp_check() {
    mkdir -p build/cppcheck
    cppcheck --quiet -j "$jobs" --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
        --error-exitcode=1 --suppress=missingIncludeSystem --suppress=arrayIndexOutOfBoundsCond --suppress=uninitvar --suppress=ctuuninitvar --cppcheck-build-dir=build/cppcheck \
        -D_GNU_SOURCE -D__linux__ -D__x86_64__ -DGOL_VERSION='"0"' -DGOL_DATA_DIR='"/"' -Isrc -Iinclude src
}

step "layers: self-test" scripts/check_layers.sh --self-test
step "layers" scripts/check_layers.sh
step "style: self-test" scripts/check_style.sh --self-test
step "style and format" scripts/check_style.sh
step "headers alone" headers_alone
step "clang-14 -Werror" clang_build
step "clang-tidy-14" clang_tidy
step "cppcheck" cpp_check
step "shellcheck" shellcheck scripts/*.sh tests/*/*.sh examples/*.sh .ci/run

if [ ${#failed[@]} != 0 ]; then
    printf 'lint: %d of %d steps FAILED:' ${#failed[@]} "$n_steps"
    printf ' [%s]' "${failed[@]}"
    echo
    exit 1
fi
echo "lint: $n_steps steps passed"
