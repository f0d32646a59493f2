#!/usr/bin/env bash
# Only files named for an instruction set (matmul_avx2.c) hold its instructions: disassembles the layers' libraries of a build and
# prints FILE FUNCTION: INSTRUCTION for each that its file may not hold. One such instruction in another file ends the program on
# processors that lack it, before anything could ask. And: twins, X_avxvnni.c and X_evexvnni.c, are the same program but for the encoding of
# one instruction, so that tests of the one that runs here hold for the other.
#   check_isa.sh BUILD_DIR...    such as build/release, build/arm64
#   check_isa.sh --self-test     compile files with the wrong flags and see that they are found
set -euo pipefail
cd "$(dirname "$0")/.."

# check_objects NAME reads objdump's output. What may stand where is told by the end of the object's name. Baselines: x86-64 with SSE2, Armv8.0 with NEON.
check_objects() {
    awk '
        /^In archive|^$|^Disassembly/ { next }
        / file format / {
            object = $1
            sub(/:$/, "", object)
            sub(/.*\//, "", object)
            is_x86 = /x86-64/
            level = "baseline"
            if (match(object, /_(avx2|evexvnni|avxvnni|avx512|avx512vnni|avx512bf16|neon|dotprod|i8mm)\.c\.o$/))
                level = substr(object, RSTART + 1, RLENGTH - 5)
            n_objects++
            next
        }
        /^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name); next }
        NF >= 2 && $1 ~ /:$/ {
            # of vpdpbusd objdump marks one encoding only
            is_vex = $2 == "{vex}"
            op = is_vex ? $3 : $2
            if (is_x86) {
                wrong = 0
                if (level == "baseline")
                    wrong = /%[yz]mm|%k[0-7]/ || op ~ /^v[a-z]/ || op ~ sse3_and_up || op ~ bmi
                else if (level == "avx2")
                    wrong = /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])/ || op ~ vnni || is_vex
                else if (level == "avxvnni")
                    wrong = /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])/ || (op ~ vnni && !is_vex)
                else if (level == "evexvnni")
                    wrong = /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])/ || is_vex
                else if (level == "avx512")
                    wrong = op ~ vnni || op ~ bf16 || is_vex
                else if (level == "avx512vnni")
                    wrong = op ~ bf16 || is_vex
            } else if (level != "i8mm") {
                wrong = op ~ /^(us|su|s|u)?mmla$|^(usdot|sudot)$/ || (level != "dotprod" && op ~ /^[su]dot$/) ||
                        (level != "dotprod" && op ~ lse)
            } else {
                wrong = 0
            }
            if (wrong && !seen[object, op]++) {
                $1 = ""
                print object " " name ":" $0 " (allowed: " level ")"
                bad = 1
            }
        }
        END {
            if (n_objects == 0) {
                print "check_isa: no object files seen"
                exit 2
            }
            if (!bad)
                print "check_isa: " dir ": each of " n_objects " files keeps to its instruction set"
            exit bad
        }' \
        dir="$1" sse3_and_up='^(pshufb|palignr|pabs[bwd]|psign[bwd]|ph(add|sub)|pmaddubsw|pmulhrsw|pmul(ld|dq)|pmax(sb|sd|uw|ud)|pmin(sb|sd|uw|ud)|pmov[sz]x|ptest|round[ps][sd]|blend|pblend|insertps|pinsr[bdq]|pextr[bdq]|extractps|packusdw|pcmpeqq|pcmpgtq|dpp[sd]|mpsadbw|phminposuw|popcnt|crc32|lddqu|movddup|movs[hl]dup|addsub|h(add|sub)p)' \
        bmi='^(andn|bextr|bls(i|r|msk)|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|lzcnt)[lq]?$' \
        vnni='^vpdp(busd|wssd)' bf16='^vdpbf16ps|^vcvtne' lse='^(ldadd|ldclr|ldset|ldeor|swp|cas)' -
}

# program FILE: the instructions of objdump's output, without what the length of an encoding changes: places, targets of jumps, padding.
program() {
    sed -nE 's/^ *[0-9a-f]+:\s+//p' "$1" |
        sed -E 's/\{vex\} //; s/ *(#|<).*//; s/^(j[a-z]*|call) .*/\1/; /^(nop|xchg +%ax,%ax|data16|cs nop)/d'
}

# check_twins OBJDUMP X_avxvnni.c.o X_evexvnni.c.o
check_twins() {
    local objdump=$1 vex=$2 evex=$3 name=${2##*/} dir status=0 n
    dir=$(mktemp -d)
    "$objdump" -d --no-show-raw-insn "$vex" >"$dir/vex"
    "$objdump" -d --no-show-raw-insn "$evex" >"$dir/evex"
    program "$dir/vex" >"$dir/vex.program"
    program "$dir/evex" >"$dir/evex.program"
    n=$(grep -c '^vpdpbusd' "$dir/vex.program")
    # 62 begins every instruction in the encoding of AVX-512, and nothing else
    if "$objdump" -d "$vex" | grep -E '^ *[0-9a-f]+:\s+62 '; then
        echo "$name: encoded for AVX-512"
        status=1
    elif [ "$n" = 0 ] || [ "$(grep -c '{vex} vpdpbusd' "$dir/vex")" != "$n" ] || grep -q '{vex}' "$dir/evex"; then
        echo "$name and ${evex##*/}: not one vpdpbusd in each of its encodings"
        status=1
    elif ! diff "$dir/vex.program" "$dir/evex.program" >"$dir/difference"; then
        head -n 5 "$dir/difference"
        echo "$name and ${evex##*/} differ in more than the encoding"
        status=1
    else
        echo "check_isa: $name and its twin: the same $(wc -l <"$dir/vex.program") instructions, $n of them in another encoding"
    fi
    rm -rf "$dir"
    return $status
}

check_build() {
    local dir=$1 objdump
    objdump=$(sed -n 's/^CMAKE_OBJDUMP:FILEPATH=//p' "$dir/CMakeCache.txt")
    local libraries=("$dir"/libgol_*.a)
    [ -e "${libraries[0]}" ] || { echo "check_isa: $dir has no libgol_*.a"; return 2; }
    objdump=${objdump:-objdump}
    local status=0 vex
    "$objdump" -d --no-show-raw-insn "${libraries[@]}" | check_objects "$dir" || status=1
    while read -r vex; do
        check_twins "$objdump" "$vex" "${vex/_avxvnni/_evexvnni}" || status=1
    done < <(find "$dir" -name '*_avxvnni.c.o')
    return $status
}

self_test() {
    local dir
    dir=$(mktemp -d)
    # shellcheck disable=SC2064  # the name as it is now
    trap "rm -rf '$dir'" EXIT
    if [ "$(uname -m)" != x86_64 ]; then
        echo 'check_isa: the self-test needs an x86-64 compiler: skipped'
        return 0
    fi
    local code='void twice(float *x); void twice(float *x) { for (int i = 0; i < 64; i++) x[i] += x[i]; }'
    # try NAME FLAGS WANT: 0 is clean, 1 is found
    try() {
        local name=$1 flags=$2 want=$3 status=0
        # shellcheck disable=SC2086  # several flags
        echo "$code" | cc -O3 $flags -x c -c - -o "$dir/$name"
        objdump -d --no-show-raw-insn "$dir/$name" | check_objects "$name" >/dev/null || status=$?
        [ $status = "$want" ] || { echo "check_isa: self-test: $name with '$flags' gave $status, not $want"; return 1; }
    }
    try plain_c.c.o '' 0
    try plain_c.c.o -mavx 1
    try plain_c.c.o '-mavx512f -mprefer-vector-width=512' 1
    try plain_avx2.c.o -mavx2 0
    try plain_avx2.c.o '-mavx512f -mprefer-vector-width=512' 1
    try plain_avx512.c.o '-mavx512f -mprefer-vector-width=512' 0
    code='void dot(void); void dot(void) { __asm__("{vex} vpdpbusd %ymm1, %ymm2, %ymm3"); }'
    try dot_avxvnni.c.o -mavx2 0
    try dot_evexvnni.c.o -mavx2 1
    try dot_avx2.c.o -mavx2 1
    try dot_avx512vnni.c.o -mavx2 1
    mv "$dir/dot_avxvnni.c.o" "$dir/vex.o"
    code=${code/vex/evex}
    try dot_avxvnni.c.o -mavx2 1
    try dot_evexvnni.c.o -mavx2 0
    try dot_avx2.c.o -mavx2 1
    check_twins objdump "$dir/vex.o" "$dir/dot_evexvnni.c.o" >/dev/null || { echo 'check_isa: self-test: twins differ'; return 1; }
    ! check_twins objdump "$dir/dot_avxvnni.c.o" "$dir/dot_evexvnni.c.o" >/dev/null || { echo 'check_isa: self-test: no twin, yet passed'; return 1; }
    code=${code/ymm1/ymm0}
    try dot_evexvnni.c.o -mavx2 0
    ! check_twins objdump "$dir/vex.o" "$dir/dot_evexvnni.c.o" >/dev/null || { echo 'check_isa: self-test: other registers passed'; return 1; }
    code='int ones(unsigned long x); int ones(unsigned long x) { return __builtin_popcountl(x); }'
    try count.c.o '' 0
    try count.c.o -mpopcnt 1
    echo 'check_isa: self-test passed'
}

if [ "${1:-}" = --self-test ]; then
    self_test
    exit
fi
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
status=0
for dir in "$@"; do
    check_build "$dir" || status=1
done
exit $status
