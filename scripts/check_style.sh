#!/usr/bin/env bash
# The rules of CONTRIBUTING.md that a machine can see, over the C files of src, include, tests, bench, tools and examples,
# and some over every text file. Prints FILE:LINE: what is wrong.
#   check_style.sh [--no-format] [ROOT]   check the tree at ROOT (this repository); --no-format leaves clang-format out
#   check_style.sh [--no-format] --self-test   make a bad tree and see that every rule fires on it
set -euo pipefail

readonly file_lines_max=800 function_lines_max=100 function_lines_aim=80

# Generated tables and recorded data are exempt: nobody reads or edits them.
c_files() {
    find src include tests bench tools examples -name '*.[ch]' 2>/dev/null | grep -vE '/data/|_tables?\.[ch]$' | sort
}

text_files() {
    find src include tests bench examples scripts cmake docs tools web deploy .ci -type f 2>/dev/null |
        grep -E '\.(c|h|sh|py|md|cmake|txt|js|css|html|json|yml|yaml)$|/LAYERS$|^\.ci/run$' | grep -vE '/data/|/corpus/' | sort
}

# Sizes, and the words and calls that have no place. Comments and strings are not told apart: the words are rare enough.
check_lines() {
    # shellcheck disable=SC2016  # $0 is awk's
    c_files | xargs -r awk -v file_max=$file_lines_max -v max=$function_lines_max -v aim=$function_lines_aim '
        function complain(line, what) {
            print FILENAME ":" line ": " what
            bad = 1
        }
        function end_file() {
            if (n_lines > file_max) {
                print file ":" file_max + 1 ": the file has " n_lines " lines, at most " file_max " are allowed: split it by job"
                bad = 1
            }
        }
        FNR == 1 {
            end_file()
            file = FILENAME
            start = body = 0
            in_src = file ~ /^(src|include)\//
            may_exit = file !~ /^src\// || file ~ /^src\/(cli|base)\//
            if (file ~ /\.c$/ && file ~ /^src\// && $0 !~ /^\/\*/)
                complain(1, "a .c file opens with a comment: what it owns, what it assumes")
        }
        { n_lines = FNR }
        /\t/ { complain(FNR, "tab") }
        /[ \r]$/ { complain(FNR, "blank at the end of the line") }
        !body && /^[A-Za-z_].*\(/ { start = FNR; name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\{/ { body = 1 }
        /^\}/ {
            if (body && start) {
                n = FNR - start + 1
                if (n > max)
                    complain(start, name "() has " n " lines, at most " max " are allowed")
                else if (n > aim && in_src)
                    print FILENAME ":" start ": note: " name "() has " n " lines, " aim " is the aim"
            }
            start = body = 0
        }
        !may_exit && /(^|[^A-Za-z0-9_])(_?exit|_Exit|quick_exit|abort)[ ]*\(/ {
            complain(FNR, "only src/cli and src/base may end the process")
        }
        END { end_file(); exit bad }'
}

check_marks() {
    local words='TO[D]O|FIX[M]E|XX[X]|HA[C]K|not imp[l]emented|st[u]b|place[h]older'
    ! text_files | xargs -r grep -nIwE "$words" | sed 's/^\([^:]*:[^:]*\):.*/\1: mark of unfinished work/' | grep .
}

check_names() {
    ! find src include -name '*.[ch]' 2>/dev/null | sort | awk -F / '
        $NF in seen { print $0 ":1: the name is taken by " seen[$NF] ": names are unique, so that one word finds a file" }
        { seen[$NF] = $0 }' | grep .
}

# src/engine/kv_cache.h is guarded by GOL_..._KV_CACHE_H (names are unique, so are guards); include/gollum.h, the public
# one, by GOLLUM_H.
check_guards() {
    local header name bad=0
    while read -r header; do
        name=$(basename "$header" | tr 'a-z.-' 'A-Z__')
        case $header in
        include/*) ;;
        src/*) name="GOL_([A-Z0-9_]+_)?$name" ;;
        *) name="([A-Z0-9_]+_)?$name" ;;
        esac
        if ! awk -v form="^$name\$" '
            $1 == "#ifndef" && !guard { guard = $2; next }
            guard { exit } # the guard is the first directive, its definition the next line
            END { exit !(guard ~ form && $1 == "#define" && $2 == guard) }' "$header"; then
            echo "$header:1: the header's guard is not GOL_..._$(basename "$header" | tr 'a-z.-' 'A-Z__')"
            bad=1
        fi
    done < <(c_files | grep '\.h$')
    return $bad
}

# A quoted include is written from src/, include/ or tests/ and tools/ (for tests), bench/ and tests/ (for benches), tools/ (for tools),
# and the file is there.
check_includes() {
    local file line name bad=0
    while IFS=: read -r file line name; do
        name=${name#*\"}
        name=${name%%\"*}
        case $file in
        tests/*) { [ ! -e "tests/$name" ] && [ ! -e "tools/$name" ]; } || continue ;;
        tools/*) [ ! -e "tools/$name" ] || continue ;;
        bench/*) { [ ! -e "bench/$name" ] && [ ! -e "tests/$name" ]; } || continue ;;
        esac
        if [ "$name" = gollum.h ] || [[ $name == */* && -e src/$name ]]; then
            continue
        fi
        echo "$file:$line: \"$name\" is no file under src/, written from there"
        bad=1
    done < <(c_files | xargs -r grep -nE '^[ ]*#[ ]*include[ ]*"' /dev/null)
    return $bad
}

# A file that a document names between backticks exists.
check_paths() {
    local file line path bad=0
    # shellcheck disable=SC2016  # backticks are meant
    while IFS=: read -r file line path; do
        path=${path//\`/}
        if [ ! -e "$path" ] && [ ! -e "$(dirname "$file")/$path" ]; then
            echo "$file:$line: there is no $path"
            bad=1
        fi
    done < <({ find . -maxdepth 1 -name '*.md'; find docs src tests scripts bench -name '*.md' 2>/dev/null; } | sort |
        xargs -r grep -noE '`(\./)?(src|include|tests|scripts|cmake|docs|bench|deploy|tools|\.ci)/[A-Za-z0-9_./-]+`' /dev/null)
    return $bad
}

check_format() {
    command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed (scripts/setup.sh --dev)"; return 1; }
    ! c_files | xargs -r clang-format-14 --dry-run 2>&1 | sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: warning:.*/\1: not as clang-format-14 writes it (make format)/p' |
        uniq | grep .
}

check() {
    local with_format=$1 bad=0 rule
    cd "$2"
    for rule in lines marks names guards includes paths; do
        "check_$rule" || bad=1
    done
    [ "$with_format" = 0 ] || check_format || bad=1
    return $bad
}

repeat() {
    local i
    for ((i = 0; i < $2; i++)); do
        printf '%s\n' "$1"
    done
}

self_test() {
    local tree out expected n_bad=0
    tree=$(mktemp -d)
    # shellcheck disable=SC2064  # the path of now
    trap "rm -rf '$tree'" EXIT
    mkdir -p "$tree"/src/{base,model/arch} "$tree"/{include,tests/unit,docs}
    cp .clang-format "$tree"
    {
        printf '/* Long function. */\nint work(void)\n{\n'
        repeat '    x++;' 97
        printf '}\n\nint more(void)\n{\n'
        repeat '    x++;' 98
        printf '}\n'
    } >"$tree/src/model/long.c"
    { printf '/* Long file. */\n'; repeat 'int x;' 800; } >"$tree/src/model/big.c"
    { printf '/* At the limit. */\n'; repeat 'int x;' 799; } >"$tree/src/model/full.c"
    printf '/* Blanks. */\nint x;\t\nint y; \n' >"$tree/src/model/blanks.c"
    printf 'int x;\n' >"$tree/src/model/mute.c"
    printf '/* Ends. */\nvoid f(void)\n{\n    abort();\n}\n' >"$tree/src/model/ends.c"
    printf '/* Ends too, but may. */\nvoid f(void)\n{\n    exit(1);\n}\n' >"$tree/src/base/ends_too.c"
    printf '/* TO''DO: later */\n' >"$tree/tests/unit/mark.c"
    printf 'a st''ub\n' >"$tree/docs/mark.md"
    # shellcheck disable=SC2016
    printf 'See `src/model/none.c`, `src/model/twice.h`, `docs/` and `x/y`.\n' >"$tree/docs/paths.md"
    printf '#ifndef GOL_MODEL_TWICE_H\n#define GOL_MODEL_TWICE_H\n#endif\n' >"$tree/src/model/twice.h"
    printf '#ifndef GOL_MODEL_ARCH_TWICE_H\n#define GOL_MODEL_ARCH_TWICE_H\n#endif\n' >"$tree/src/model/arch/twice.h"
    printf '#ifndef WRONG_H\n#define WRONG_H\n#endif\n' >"$tree/src/model/guard.h"
    printf 'int x;\n' >"$tree/src/model/no_guard.h"
    printf '#ifndef GOL_MODEL_HALF_GUARD_H\n#define GOL_OTHER_HALF_GUARD_H\n#endif\n' >"$tree/src/model/half_guard.h"
    printf '#ifndef GOLLUM_H\n#define GOLLUM_H\n#endif\n' >"$tree/include/gollum.h"
    printf '/* Includes. */\n#include "guard.h"\n#include "model/none.h"\n#include "model/twice.h"\n#include "gollum.h"\n' \
        >"$tree/src/model/includes.c"
    printf '/* Form. */\nint  form;\n' >"$tree/src/model/form.c"
    local format_report=
    [ $with_format = 0 ] || format_report='src/model/form.c:2: not as clang-format-14'
    out=$(check $with_format "$tree") && { echo "self-test: a bad tree passed" >&2; return 1; }
    for expected in 'src/model/long.c:103: more() has 101 lines' 'src/model/long.c:2: note: work() has 100 lines' \
        'src/model/big.c:801: the file has 801 lines' 'src/model/blanks.c:2: tab' 'src/model/blanks.c:3: blank at the end' \
        'src/model/mute.c:1: a .c file opens' 'src/model/ends.c:4: only src/cli' 'tests/unit/mark.c:1: mark of' \
        'docs/mark.md:1: mark of' 'docs/paths.md:1: there is no src/model/none.c' 'src/model/twice.h:1: the name is taken' "src/model/guard.h:1: the header's guard" \
        "src/model/no_guard.h:1: the header's guard" "src/model/half_guard.h:1: the header's guard" 'src/model/includes.c:2: "guard.h" is no file' \
        'src/model/includes.c:3: "model/none.h" is no file' \
        ${format_report:+"$format_report"}; do
        grep -qF "$expected" <<<"$out" || { echo "self-test: no report of: $expected" >&2; n_bad=1; }
    done
    for expected in full.c ends_too.c include/gollum.h 'includes.c:[45]' 'long.c:2: work' 'paths.md:.*\(twice\|docs/$\|y\)'; do
        ! grep "$expected" <<<"$out" || { echo "self-test: reported without a reason: $expected" >&2; n_bad=1; }
    done
    [ $n_bad = 0 ] || { printf '%s\n' "$out" >&2; return 1; }
    echo "check_style: self-test passed"
}

cd "$(dirname "$0")/.."
with_format=1
if [ "${1-}" = --no-format ]; then
    with_format=0
    shift
fi
if [ "${1-}" = --self-test ]; then
    (self_test)
    exit
fi
(check $with_format "${1:-.}") || { echo "check_style: failed" >&2; exit 1; }
echo "check_style: clean"
