#!/usr/bin/env bash
# Only files named for an instruction set (matmul_avx2.c) hold its instructions: disassembles the layers' libraries of a build and
# prints FILE FUNCTION: INSTRUCTION for each that its file may not hold. One such instruction in another file ends the program on
# processors that lack it, before anything could ask.
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
            if (match(object, /_(avx2|avx512|avx512vnni|avx512bf16|neon|dotprod|i8mm)\.c\.o$/))
                level = substr(object, RSTART + 1, RLENGTH - 5)
            n_objects++
            next
        }
        /^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name); next }
        NF >= 2 && $1 ~ /:$/ {
            op = $2
            if (is_x86) {
                wrong = 0
                if (level == "baseline")
                    wrong = /%[yz]mm|%k[0-7]/ || op ~ /^v[a-z]/ || op ~ sse3_and_up || op ~ bmi
                else if (level == "avx2")
                    wrong = /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])/
                else if (level == "avx512")
                    wrong = op ~ vnni || op ~ bf16
                else if (level == "avx512vnni")
                    wrong = op ~ bf16
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

check_build() {
    local dir=$1 objdump
    objdump=$(sed -n 's/^CMAKE_OBJDUMP:FILEPATH=//p' "$dir/CMakeCache.txt")
    local libraries=("$dir"/libgol_*.a)
    [ -e "${libraries[0]}" ] || { echo "check_isa: $dir has no libgol_*.a"; return 2; }
    "${objdump:-objdump}" -d --no-show-raw-insn "${libraries[@]}" | check_objects "$dir"
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
