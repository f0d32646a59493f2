#!/usr/bin/env bash
# example_test.sh NAME PROGRAM MAKE_MODEL: runs one of the documentation's programs with a tiny model, and without one.
set -euo pipefail
name=$1 program=$2 make_model=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() {
    echo "example_test: $name: $*" >&2
    exit 1
}

case $name in
header) arguments=() ;;
story) arguments=(model.gguf "the water") ;;
many) arguments=(model.gguf "one" "and two" "the third of them all" "one") ;;
*) fail "is not known here" ;;
esac

status=0
"$program" "${arguments[@]}" >out 2>err || status=$?
[ $status = 66 ] || fail "without a model: status $status, 66 expected: $(cat err)"
grep -q model.gguf err || fail "without a model: the message does not name the file: $(cat err)"

"$make_model" --arch llama --shape tiny --type f16 -o model.gguf
"$program" "${arguments[@]}" >out 2>err || fail "status $?: $(cat err)"
[ ! -s err ] || fail "printed on stderr: $(cat err)"
[ -s out ] || fail "printed nothing"
if [ "$name" = many ]; then
    # Four answers, and the same prompt got the same answer.
    [ "$(grep -ac ' tokens, ' out)" = 4 ] || fail "four answers expected: $(cat out)"
    [ "$(grep -a ' tokens, ' out | sed -n 1p)" = "$(grep -a ' tokens, ' out | sed -n 4p)" ] ||
        fail "the same prompt was answered differently: $(cat out)"
fi
