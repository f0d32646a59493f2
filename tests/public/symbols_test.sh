#!/usr/bin/env bash
# symbols_test.sh GOLLUM_H SHARED STATIC: the shared library exports what the header declares and nothing else; the static one,
# where hidden names are still seen by the linker, uses no name outside of gollum_ and gol_.
set -euo pipefail
header=$1 shared=$2 static=$3
nm=${NM:-nm}
declared=$(grep -oE '^GOLLUM_API .*' "$header" | grep -oE 'gollum_[a-z0-9_]+\(' | tr -d '(' | sort -u)
[ -n "$declared" ] || { echo "symbols_test: no function in $header" >&2; exit 1; }
exported=$("$nm" -D --defined-only "$shared" | awk '{ print $3 }' | sort -u)
if [ "$exported" != "$declared" ]; then
    echo "symbols_test: $shared (<) does not export what gollum.h declares (>):" >&2
    diff <(echo "$exported") <(echo "$declared") >&2 || true
    exit 1
fi
strangers=$("$nm" -g --defined-only "$static" | awk 'NF == 3 && $3 !~ /^_?(gol|gollum)_/ { print $3 }' | sort -u)
if [ -n "$strangers" ]; then
    echo "symbols_test: $static defines names that may be anybody's:" "$strangers" >&2
    exit 1
fi
