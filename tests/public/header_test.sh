#!/usr/bin/env bash
# header_test.sh GOLLUM_H CC CXX: the public header needs nothing before it, in C and in C++, and warns of nothing. Without a C++
# compiler (CXX empty) the C++ half is left out, and the output says so.
set -euo pipefail
header=$1 cc=$2 cxx=$3
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror)
for std in c99 c11 c17; do
    printf '#include "%s"\n#include "%s"\nint main(void) { gollum_close(0); return 0; }\n' "$header" "$header" |
        "$cc" -x c "-std=$std" "${warnings[@]}" -Wstrict-prototypes -Wmissing-prototypes -fsyntax-only -
done
if [ -z "$cxx" ] || [[ $cxx = *NOTFOUND ]]; then
    echo "there is no C++ compiler here: C++ was not tried"
    exit 0
fi
for std in c++11 c++17; do
    printf '#include "%s"\nint main() { gollum_request r; gollum_request_init(&r); return GOLLUM_EINVAL == -3 ? 0 : 1; }\n' "$header" |
        "$cxx" -x c++ "-std=$std" "${warnings[@]}" -fsyntax-only -
done
