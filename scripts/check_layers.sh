#!/usr/bin/env bash
# Proves that src/ obeys src/LAYERS: a file includes its own layer's headers and those of the layers listed there, and
# each foreign library's headers appear only in the layer that owns that library. Prints FILE:LINE: what is wrong.
#   check_layers.sh [ROOT]      check the tree at ROOT (this repository)
#   check_layers.sh --self-test make a bad tree and see that every rule fires on it
set -euo pipefail

check() {
    cd "$1"
    # shellcheck disable=SC2016  # $0 is awk's
    find src -name '*.[ch]' | sort | xargs awk '
        BEGIN {
            while ((getline line < "src/LAYERS") > 0) {
                n_line++
                if (line ~ /^[ \t]*(#|$)/)
                    continue
                split(line, half, ":")
                known[half[1]] = 1
                n = split(half[2], names, " ")
                for (i = 1; i <= n; i++) {
                    if (!(names[i] in known))
                        complain("src/LAYERS", n_line, half[1] " may not include " names[i] ", which comes after it or is no layer")
                    allowed[half[1], names[i]] = 1
                }
            }
            owner["jansson"] = "formats text api"
            owner["microhttpd"] = "http"
            owner["pcre2"] = "text"
            owner["utf8proc"] = "text"
            owner["xxhash"] = "engine"
            owner["editline/readline"] = "cli"
            owner["histedit"] = "cli"
        }
        function complain(file, line, what) {
            print file ":" line ": " what
            bad = 1
        }
        FNR == 1 {
            split(FILENAME, path, "/")
            layer = path[2]
            if (!(layer in known))
                complain(FILENAME, 1, "folder src/" layer " has no line in src/LAYERS")
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            split($0, quoted, "\"")
            if (quoted[2] == "gollum.h") {
                if (layer != "lib" && layer != "cli")
                    complain(FILENAME, FNR, "gollum.h is included by lib and cli only")
                next
            }
            to = quoted[2]
            if (!sub(/\/.*/, "", to)) {
                complain(FILENAME, FNR, "\"" quoted[2] "\" is not written from the root (\"layer/file.h\")")
                next
            }
            if (to != layer && !((layer, to) in allowed))
                complain(FILENAME, FNR, layer " may not include " to " (\"" quoted[2] "\"); src/LAYERS says who may")
        }
        /^[ \t]*#[ \t]*include[ \t]*</ {
            name = $0
            sub(/^[^<]*</, "", name)
            sub(/(\.h)?>.*/, "", name)
            if ((name in owner) && index(" " owner[name] " ", " " layer " ") == 0)
                complain(FILENAME, FNR, "<" name ".h> belongs to " owner[name] ", not to " layer)
        }
        END { exit bad }'
}

self_test() {
    local tree out n_bad=0
    tree=$(mktemp -d)
    # shellcheck disable=SC2064  # the path of now
    trap "rm -rf '$tree'" EXIT
    mkdir -p "$tree"/src/{base,text,api,stray}
    printf 'base:\ntext: base\napi: text base later\n' >"$tree/src/LAYERS"
    printf '#include "text/utf8.h"\n' >"$tree/src/base/up.c"
    printf '#include "utf8.h"\n' >"$tree/src/text/bare.c"
    printf '#include <microhttpd.h>\n#include "gollum.h"\n' >"$tree/src/text/foreign.c"
    printf '#include "text/utf8.h"\n#include <jansson.h>\n#include <stdio.h>\n' >"$tree/src/api/good.c"
    printf 'int x;\n' >"$tree/src/stray/lost.c"
    out=$(check "$tree") && { echo "self-test: a bad tree passed" >&2; return 1; }
    for expected in 'src/base/up.c:1: base may not include text' 'src/text/bare.c:1: "utf8.h" is not written' \
        'src/text/foreign.c:1: <microhttpd.h> belongs to http' 'src/text/foreign.c:2: gollum.h is included by' \
        'src/stray/lost.c:1: folder src/stray has no line' 'src/LAYERS:3: api may not include later'; do
        grep -qF "$expected" <<<"$out" || { echo "self-test: no report of: $expected" >&2; n_bad=1; }
    done
    ! grep -F good.c <<<"$out" || { echo "self-test: a good file was reported" >&2; n_bad=1; }
    [ "$(wc -l <<<"$out")" = 6 ] || { printf 'self-test: 6 reports were expected, got:\n%s\n' "$out" >&2; n_bad=1; }
    rm "$tree"/src/{base/up,text/bare,text/foreign,stray/lost}.c
    printf 'base:\ntext: base\napi: text base\n' >"$tree/src/LAYERS"
    printf '#include "text/utf8.h"\n' >"$tree/src/text/self.c"
    rmdir "$tree/src/stray"
    out=$(check "$tree") || { printf 'self-test: a good tree was refused:\n%s\n' "$out" >&2; n_bad=1; }
    [ $n_bad = 0 ] && echo "check_layers: self-test passed"
}

if [ "${1-}" = --self-test ]; then
    (self_test)
    exit
fi
root=${1:-$(dirname "$0")/..}
(check "$root") || { echo "check_layers: failed" >&2; exit 1; }
echo "check_layers: every include points down"
