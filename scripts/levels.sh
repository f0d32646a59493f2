#!/usr/bin/env bash
# Kernels, backend and golden answers at every CPU level that can be run on this machine (make levels): its own levels natively,
# an x86-64 without AVX and one without AVX-512 under qemu-x86_64, the Arm levels under qemu-aarch64. Ends with what was skipped and
# why. About five minutes on two cores. Logs: build/levels/.
#   levels.sh [NATIVE_BUILD [ARM64_BUILD]]   default build/release build/arm64
set -uo pipefail
cd "$(dirname "$0")/.." || exit
native=${1:-build/release}
arm64=${2:-build/arm64}
logs=build/levels
jobs=$(getconf _NPROCESSORS_ONLN)
seconds_max=${LEVELS_SECONDS_MAX:-1800} # for one program that hangs; on an idle machine the slowest takes a tenth of it
arm64_lib=build/arm64-sysroot/usr/lib/aarch64-linux-gnu
arm64_run="-L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$arm64_lib:/usr/aarch64-linux-gnu/lib"
skipped=()
n_failed=0

skip() {
    skipped+=("$1: $2")
}

# Reads lines "LABEL COMMAND...".
run_lines() {
    xargs -P "$jobs" -d '\n' -n 1 scripts/levels.sh --one
}

one() {
    local label command log status=0 start=$SECONDS
    read -r label command <<<"$1"
    log=$logs/$label.log
    # shellcheck disable=SC2086  # words of a command
    timeout "$seconds_max" env $command >"$log" 2>&1 </dev/null || status=$?
    if [ $status = 77 ]; then
        printf 'skip %-45s its data is absent\n' "$label"
    elif [ $status = 0 ]; then
        printf 'ok   %-45s %d s\n' "$label" $((SECONDS - start))
    else
        printf 'FAIL %-45s %d s, status %d, %s\n' "$label" $((SECONDS - start)) "$status" "$log"
        grep -aE '^FAIL|ERROR|FAILED' "$log" | head -n 5
        return 1
    fi
}

backend_tests() {
    local source
    for source in tests/unit/backend/test_*.c; do
        basename "$source" .c
    done
}

# suite LABEL BUILD PREFIX...: the lines of a level: kernels, backend, golden answers.
suite() {
    local label=$1 build=$2 name
    shift 2
    echo "$label.check_kernels $* $build/tests/kernels/check_kernels 1"
    for name in $(backend_tests); do
        echo "$label.$name $* $build/$name"
    done
    for name in test_conformance_logits test_engine_greedy; do
        echo "$label.$name $* $build/tests/golden/$name"
    done
}

# Without the golden answers, which take minutes under emulation.
emulated_suite() {
    suite "$@" | grep -v /golden/
}

native_levels() {
    local all level best known=0
    case $(uname -m) in
    x86_64) all='c avx2 avxvnni avx512 avx512vnni avx512bf16' ;;
    aarch64 | arm64) all='c neon dotprod i8mm' ;;
    *) all=c ;;
    esac
    # By its name: the level that is preferred may be a lower one.
    best=$(GOLLUM_CPU=${all##* } "$native/tests/kernels/check_kernels" --list | sed -n 's/.*cpu level //p')
    for level in $all; do
        if [ $known = 1 ]; then
            skip "$level, native" "this processor's highest level is $best"
            continue
        fi
        if [ "$level" = avxvnni ] && GOLLUM_CPU=avxvnni "$native/tests/kernels/check_kernels" --kern='*_avxvnni' 1 | grep -q '^skip'; then
            skip 'vpdpbusd in the encoding of AVX' "this processor has at most that of AVX-512; check_isa.sh compares the programs"
        fi
        suite "native.$level" "$native" "GOLLUM_CPU=$level"
        [ "$level" != "$best" ] || known=1
    done
}

old_x86() {
    if [ "$(uname -m)" != x86_64 ]; then
        skip 'old x86-64' 'this machine is none'
    elif ! command -v qemu-x86_64 >/dev/null; then
        skip 'old x86-64' 'qemu-x86_64 (package qemu-user) is not installed'
    else
        emulated_suite nehalem "$native" qemu-x86_64 -cpu Nehalem
        # An instruction beyond AVX2 would end these. Not the unpackers: QEMU 7.2 gets gathers of AVX2 wrong (numbers, or a fault), which
        # processors get right: the same files pass natively at level avx2.
        echo "haswell.check_kernels qemu-x86_64 -cpu Haswell $native/tests/kernels/check_kernels --kern=gol_int_core* 1"
        echo "haswell.test_row_ops qemu-x86_64 -cpu Haswell $native/test_row_ops"
        echo "haswell.test_kv_cpu qemu-x86_64 -cpu Haswell $native/test_kv_cpu"
        skip 'AVX2 unpackers under emulation' 'QEMU 7.2 gets gathers wrong; they run natively where the processor has AVX2'
        skip 'AVX-512 under emulation' 'qemu-user has none'
    fi
}

arm_levels() {
    case $(uname -m) in aarch64 | arm64) return ;; esac
    if ! command -v qemu-aarch64 >/dev/null || [ ! -x "$arm64/tests/kernels/check_kernels" ]; then
        skip 'neon, dotprod, i8mm' "no qemu-aarch64 or no $arm64 (make levels makes it where scripts/setup.sh --arm64 can install)"
        return
    fi
    local cpu
    for cpu in cortex-a53 neoverse-n1 max; do
        # shellcheck disable=SC2086  # several words
        emulated_suite "arm.$cpu" "$arm64" qemu-aarch64 -cpu $cpu $arm64_run
    done
    skip 'golden answers under emulation' 'they take minutes; make arm64 runs them'
}

# What the emulated processors are there for: a log that tells of another level has proved nothing.
check_level() {
    local log=$logs/$1.check_kernels.log
    if [ -e "$log" ] && ! grep -q "cpu level $2\$" "$log"; then
        echo "FAIL $1 is not of level $2: $(grep -a 'cpu level' "$log")" | tee -a "$logs/summary"
    fi
}

if [ "${1:-}" = --one ]; then
    one "$2"
    exit
fi

mkdir -p "$logs"
rm -f "$logs"/*
builds=("$native")
[ ! -e "$arm64/CMakeCache.txt" ] || builds+=("$arm64")
scripts/check_isa.sh --self-test || n_failed=$((n_failed + 1))
scripts/check_isa.sh "${builds[@]}" || n_failed=$((n_failed + 1))
{
    native_levels
    old_x86
    arm_levels
} >"$logs/plan"
run_lines <"$logs/plan" | tee "$logs/summary"
check_level nehalem c
check_level haswell avx2
check_level arm.cortex-a53 neon
check_level arm.neoverse-n1 dotprod
check_level arm.max i8mm
n_failed=$((n_failed + $(grep -c '^FAIL' "$logs/summary")))

for line in "${skipped[@]}"; do
    printf 'levels: skipped %s\n' "$line"
done
printf 'levels: %d programs, %d failed, %d s\n' "$(wc -l <"$logs/plan")" "$n_failed" $SECONDS
[ $n_failed = 0 ]
