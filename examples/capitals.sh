#!/bin/sh
# Asks a model for the capital of every country and counts the right answers.
#
#     examples/capitals.sh [--chat] [TABLE]
#
# Each row of TABLE (capitals.tsv beside this script) is a country, a tab, and the names that count as right, with bars between them. The
# model continues "The capital city of France is"; with --chat it is asked the question as a user would. Wrong answers and the score
# go to stdout. GOLLUM names the program (otherwise that of this source tree, or the one on the PATH), GOLLUM_MODEL the model.
set -eu

here=$(dirname "$0")
program=${GOLLUM:-$here/../build/release/gollum}
if [ -z "${GOLLUM:-}" ] && [ ! -x "$program" ]; then
    program=gollum
fi
chat=
if [ "${1:-}" = --chat ]; then
    chat=--chat
    shift
fi
table=${1:-$here/capitals.tsv}
tab=$(printf '\t')

# The first line that is not empty, without stars and the blanks around it.
answer_to() {
    text=$("$program" run --quiet --temp 0 -n 32 --threads 1 $chat -p "$1") || exit
    printf '%s\n' "$text" |
        sed -e 's/\*//g' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' | sed -n -e '/./{p' -e 'q' -e '}'
}

# Is it $1 alone, or with no letter behind it: "Paris.", "Paris, on the Seine", but not "Parisian"?
begins_with() {
    case $2 in
        "$1" | "$1"[!A-Za-z]*) return 0 ;;
    esac
    return 1
}

# begins_with any of the names in $1; in a sentence ("The capital of France is Paris.") what follows "is" counts.
is_right() {
    rest=$1
    while [ -n "$rest" ]; do
        name=${rest%%|*}
        case $rest in
            *"|"*) rest=${rest#*|} ;;
            *) rest= ;;
        esac
        if begins_with "$name" "$2" || begins_with "$name" "${2#* is }"; then
            return 0
        fi
    done
    return 1
}

n_right=0
n_all=0
while IFS=$tab read -r country names; do
    if [ -n "$chat" ]; then
        answer=$(answer_to "What is the capital city of $country?" </dev/null)
    else
        answer=$(answer_to "The capital city of $country is" </dev/null)
    fi
    n_all=$((n_all + 1))
    if is_right "$names" "$answer"; then
        n_right=$((n_right + 1))
    else
        printf '%s: %s (right: %s)\n' "$country" "${answer:-no answer}" "${names%%|*}"
    fi
done <"$table"
echo "$n_right of $n_all capitals are right"
