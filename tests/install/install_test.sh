#!/usr/bin/env bash
# install_test.sh BUILD GOLLUM_H VERSION MODEL: installs BUILD below a temporary prefix, takes the program out of the
# header's opening comment, builds it with what gollum.pc says, shared and static, and runs it: without a model file, and
# with MODEL where that exists. The programs of examples/ are built too, by their own Makefile and CMakeLists.txt. The installed
# program finds the built-in model, also when the prefix has moved.
set -euo pipefail
build=$1 header=$2 version=$3 model=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "install_test: $*" >&2
    exit 1
}

cmake --install "$build" --prefix "$dir/usr" >"$dir/log" || { cat "$dir/log"; fail "cmake --install"; }
pc=$(find "$dir/usr" -name gollum.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
lib=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion gollum)" = "$version" ] || fail "gollum.pc does not say version $version"

sed -n '/^ \*     #include <gollum.h>/,/^ \*     }$/s/^ \*     \{0,1\}//p' "$header" >"$dir/example.c"
read -ra cflags < <(pkg-config --cflags gollum)
read -ra shared < <(pkg-config --libs gollum)
read -ra static < <(pkg-config --static --libs gollum)
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "${cflags[@]}" "$dir/example.c" "${shared[@]}" -o "$dir/example_shared"
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "${cflags[@]}" "$dir/example.c" -static "${static[@]}" -o "$dir/example_static"

examples=$(dirname "$header")/../examples
cp -r "$examples" "$dir/make"
make -s -C "$dir/make" CC="${CC:-cc}" CFLAGS="-Wall -Wextra -Werror" || fail "make in examples/"
{ cmake -S "$examples" -B "$dir/cmake" -DCMAKE_PREFIX_PATH="$dir/usr" && cmake --build "$dir/cmake"; } >"$dir/log" ||
    { cat "$dir/log"; fail "cmake in examples/"; }

cd "$dir"
export LD_LIBRARY_PATH=$lib
for example in ./example_shared ./example_static; do
    status=0
    $example >out 2>err || status=$?
    [ $status = 66 ] || fail "$example without a model: status $status, 66 expected"
    grep -q model.gguf err || fail "$example without a model does not name the file: $(cat err)"
done
if [ -e "$dir/usr/share/gollum/models/gollum-demo.gguf" ]; then
    mv "$dir/usr" "$dir/moved"
    "$dir/moved/bin/gollum" run --temp 0 -n 8 -p "The capital city of France is" >out 2>err || fail "gollum run: $(cat err)"
    grep -q Paris out || fail "the installed program's own model does not know the capital of France: $(cat out)"
    mv "$dir/moved" "$dir/usr"
elif [ -e "$(dirname "$header")/../models/gollum-demo.gguf" ]; then
    fail "the built-in model was not installed"
fi
if [ ! -e "$model" ]; then
    echo "$model is not here: the example was not run with a model"
    exit 0
fi
ln -s "$model" model.gguf
for example in ./example_shared ./example_static; do
    $example >out 2>err || fail "$example with a model: status $?: $(cat err)"
    [ -s out ] || fail "$example with a model printed nothing"
done
for build in make cmake; do
    $build/story model.gguf "One day" >out 2>err || fail "$build: story: status $?: $(cat err)"
    grep -q "^One day" out || fail "$build: story does not begin with its prompt: $(cat out)"
    $build/many model.gguf "One day" "The cat" "Lily" >out 2>err || fail "$build: many: status $?: $(cat err)"
    [ "$(grep -c ' tokens, ' out)" = 3 ] || fail "$build: many: three answers expected: $(cat out)"
done
