#!/usr/bin/env bash
# Installs what building gollum needs and this machine lacks: Debian 12 and later and Ubuntu 23.04 and later through apt,
# macOS through Homebrew. What is already there is left alone, so a second run changes nothing and needs neither the
# network nor root.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: scripts/setup.sh [--dev] [--e2e] [--arm64] [--list]
  (none)    compiler, CMake, Ninja and the libraries gollum links
  --dev     also the tools of make lint, ubsan, fuzz, cover (Debian and Ubuntu)
  --e2e     also Python and .venv/ with the pinned packages of tests/e2e/requirements.txt
  --arm64   also the cross compiler, qemu-aarch64 and build/arm64-sysroot/ (Debian)
  --list    only print what is missing, one package a line
USAGE
}

want_dev=0 want_e2e=0 want_arm64=0 only_list=0
for arg in "$@"; do
    case $arg in
    --dev) want_dev=1 ;;
    --e2e) want_e2e=1 ;;
    --arm64) want_arm64=1 ;;
    --list) only_list=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
    esac
done
cd "$(dirname "$0")/.."

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

if [ "$(uname -s)" = Darwin ]; then
    system=brew
    command -v brew >/dev/null || die "Homebrew is needed: https://brew.sh"
    # Homebrew does not link libedit, because macOS ships an older one without a .pc file.
    PKG_CONFIG_PATH="$(brew --prefix)/opt/libedit/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    export PKG_CONFIG_PATH
elif command -v apt-get >/dev/null; then
    system=apt
else
    die "this system has neither apt nor Homebrew. Needed: a C11 compiler, CMake >= 3.25, Ninja, pkg-config, and the" \
        "development files of libmicrohttpd, jansson, PCRE2, utf8proc, xxHash, libedit and cmocka (cmake/deps.cmake has the versions)."
fi

missing=()

# need KIND NAME APT_PACKAGE BREW_PACKAGE: KIND cmd probes for a program, lib for a pkg-config module, file for a path,
# py for Python modules. "-": the system has no such package, or has the thing anyway.
need() {
    local kind=$1 name=$2 package=$3
    [ "$system" = apt ] || package=$4
    [ "$package" != - ] || return 0
    case $kind in
    cmd) ! command -v "$name" >/dev/null || return 0 ;;
    lib) ! pkg-config --exists "$name" 2>/dev/null || return 0 ;;
    file) ! [ -e "$name" ] || return 0 ;;
    py) ! python3 -c "import $name" 2>/dev/null || return 0 ;;
    esac
    case " ${missing[*]-} " in
    *" $package "*) ;;
    *) missing+=("$package") ;;
    esac
}

need cmd git git git
need cmd make make -
need cmd cc build-essential -
need cmd c++ build-essential -
need cmd cmake cmake cmake
need cmd ninja ninja-build ninja
need cmd pkg-config pkg-config pkg-config
need lib libmicrohttpd libmicrohttpd-dev libmicrohttpd
need lib jansson libjansson-dev jansson
need lib libpcre2-8 libpcre2-dev pcre2
need lib libutf8proc libutf8proc-dev utf8proc
need lib libxxhash libxxhash-dev xxhash
need lib libedit libedit-dev libedit
need lib cmocka libcmocka-dev cmocka

if [ $want_e2e = 1 ]; then
    need cmd python3 python3 python
    need py "venv, ensurepip" python3-venv -
    need file /etc/ssl/certs/ca-certificates.crt ca-certificates -
fi
if [ $want_dev = 1 ]; then
    [ "$system" = apt ] || die "--dev is for Debian and Ubuntu: the checks are pinned to clang-format-14 and clang-tidy-14"
    need cmd clang-14 clang-14 -
    need cmd clang-format-14 clang-format-14 -
    need cmd clang-tidy-14 clang-tidy-14 -
    need cmd llvm-symbolizer-14 llvm-14 -
    need file /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux libclang-rt-14-dev -
    need cmd shellcheck shellcheck -
    need cmd cppcheck cppcheck -
    need cmd valgrind valgrind -
    need cmd gcovr gcovr -
    need cmd setarch util-linux -
fi
if [ $want_arm64 = 1 ]; then
    [ "$system" = apt ] || die "--arm64 is for Debian: a Mac with Apple silicon builds for arm64 as it is"
    need cmd aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu -
    need file /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross -
    need cmd qemu-aarch64 qemu-user -
fi

if [ $only_list = 1 ]; then
    [ ${#missing[@]} = 0 ] || printf '%s\n' "${missing[@]}"
    exit 0
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root is needed, and there is no sudo. Run as root: apt-get install ${missing[*]}"
    fi
}

# A mirror may be out of reach for a moment.
with_patience() {
    local pause
    for pause in 5 15 45; do
        "$@" && return
        printf 'setup: failed, again in %d s: %s\n' $pause "$*" >&2
        sleep $pause
    done
    "$@"
}

install_missing() {
    printf 'setup: installing %s\n' "${missing[*]}" >&2
    if [ "$system" = brew ]; then
        brew install "${missing[@]}"
        return
    fi
    with_patience as_root apt-get -o Acquire::Retries=3 update
    with_patience as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" </dev/null
}
[ ${#missing[@]} = 0 ] || install_missing

# The distribution's CMake may be too old (Ubuntu 22.04 has 3.22): say so here, where the cause is known.
cmake_version=$(cmake --version | awk 'NR == 1 { print $3 }')
if [ "$(printf '3.25\n%s\n' "$cmake_version" | sort -V | head -n 1)" != 3.25 ]; then
    die "cmake $cmake_version is too old, 3.25 or later is needed (pip install cmake, or https://apt.kitware.com)"
fi

# The virtual environment is made again whenever the pinned list changes; the copy inside says which list it holds.
make_venv() {
    local list=tests/e2e/requirements.txt made=.venv/requirements.made
    ! cmp -s "$list" "$made" || return 0
    printf 'setup: making .venv with the packages of %s\n' "$list" >&2
    rm -rf .venv
    python3 -m venv .venv
    with_patience .venv/bin/python -m pip install --quiet --disable-pip-version-check --timeout 60 -r "$list" ||
        die "could not install $list. The end-to-end tests need PyPI once; GOLLUM_NO_E2E=1 leaves them out."
    cp "$list" "$made"
}
[ $want_e2e = 0 ] || make_venv

# Debian's arm64 packages, fetched with apt state of their own and unpacked, not installed. Made again whenever the list changes.
make_arm64_sysroot() {
    local root=build/arm64-sysroot state=build/arm64-apt
    local packages=(libpcre2-8-0 libpcre2-dev libutf8proc2 libutf8proc-dev libjansson4 libjansson-dev
        libxxhash0 libxxhash-dev libcmocka0 libcmocka-dev)
    [ "$(cat "$root/.complete" 2>/dev/null)" != "${packages[*]}" ] || return 0
    printf 'setup: unpacking arm64 libraries into %s\n' "$root" >&2
    rm -rf "$root" "$state"
    mkdir -p "$root" "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    local options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State::status=$PWD/$state/status"
        -o "Dir::State::lists=$PWD/$state/lists" -o "Dir::Cache=$PWD/$state/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
    with_patience apt-get "${options[@]}" update >/dev/null
    (cd "$state" && with_patience apt-get "${options[@]}" download "${packages[@]}" >/dev/null)
    local deb
    for deb in "$state"/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    rm -rf "$state"
    printf '%s\n' "${packages[*]}" >"$root/.complete"
}
[ $want_arm64 = 0 ] || make_arm64_sysroot
