# The menu. CMake does the work (CMakePresets.json names the builds); all that is built lies under build/<preset>/.
#   make run M=model.gguf ARGS='--port 9000'     make test T=kv_cache     make fuzz FUZZ_SECONDS=600
.DEFAULT_GOAL := help
.PHONY: help run build test e2e check bench bench-peer bench-serve asan ubsan tsan fuzz cover arm64 levels sim lint format install clean
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

JOBS         ?= $(shell getconf _NPROCESSORS_ONLN)
PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60

# $(call build,preset) configures and builds; $(call ctest,preset) runs its tests, or those whose name matches T=.
define build
@cmake --preset $(1) --log-level=WARNING >/dev/null
@cmake --build --preset $(1) -j $(JOBS)
endef
ctest = ctest --preset $(1) -j $(JOBS) $(if $(T),-R '$(T)')
# ThreadSanitizer of gcc 12 cannot place its shadow memory under newer kernels' address randomization.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

help:           ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build      ## install what is missing, build, serve (M=FILE names the model, ARGS= are options of `gollum serve`)
	exec build/release/gollum serve $(if $(M),-m '$(M)') $(ARGS)

build:          ## install what is missing, build build/release/gollum
	@scripts/setup.sh
	$(call build,release)

test: build     ## unit tests, then end-to-end tests (T=REGEX picks some; GOLLUM_NO_E2E=1 leaves out those in Python)
	$(call ctest,release)
ifndef T
	@$(MAKE) e2e
endif

# $(call e2e,preset,tests) runs the end-to-end tests with the program of that build; $(3): before the command.
ifdef GOLLUM_NO_E2E
e2e = @echo 'make: GOLLUM_NO_E2E is set: the end-to-end tests were NOT run'
else
define e2e
@scripts/setup.sh --e2e
GOLLUM_BINARY=build/$(1)/gollum $(3) .venv/bin/python -m pytest $(2) -p no:cacheprovider
endef
endif

e2e:
	$(call e2e,release,tests/e2e)

check: test lint asan ubsan tsan ## everything a change must pass: test lint asan ubsan tsan

bench: build    ## the benches of single parts, one after another
	@set -e; for name in matmul_bench attention_bench sampler_bench http_streams; do echo "== $$name"; build/release/bench/$$name; done

bench-peer: build ## gollum beside llama.cpp, in turns, in some 12 minutes (ARGS=--full: an hour); builds llama.cpp once
	@scripts/setup.sh --e2e
	bench/peer/setup.sh
	bench/peer/compare.py $(ARGS)

bench-serve: build ## gollum serve beside llama-server, as clients see them; builds llama.cpp once
	@scripts/setup.sh --e2e
	bench/peer/setup.sh
	bench/peer/compare_serve.py $(ARGS)

asan:           ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer (gcc)
	@scripts/setup.sh
	$(call build,asan)
	$(call ctest,asan)
	$(call e2e,asan,tests/e2e)

ubsan:          ## tests under clang's UndefinedBehaviorSanitizer
	@scripts/setup.sh --dev
	$(call build,ubsan)
	$(call ctest,ubsan)

tsan:           ## tests under ThreadSanitizer, many streams at once through the server among them
	@scripts/setup.sh
	$(call build,tsan)
	$(FIXED_ADDRESSES) $(call ctest,tsan)
	$(call e2e,tsan,tests/e2e/test_streams.py,$(FIXED_ADDRESSES))

fuzz:           ## every fuzz target for FUZZ_SECONDS (60) each
	@scripts/setup.sh --dev
	$(call build,fuzz)
	scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

cover:          ## line coverage of the tests, build/cover/index.html
	@scripts/setup.sh --dev
	$(call build,cover)
	@find build/cover -name '*.gcda' -delete
	$(call ctest,cover)
	gcovr --root . --filter src/ --object-directory build/cover --html-details build/cover/index.html --txt \
	  --exclude-unreachable-branches --sort-uncovered -j $(JOBS) build/cover

arm64:          ## cross build for 64-bit Arm and its tests under qemu (the library and its layers; no server)
	@scripts/setup.sh --arm64
	$(call build,arm64)
	$(call ctest,arm64)

levels: build   ## kernels, backend, golden answers at every CPU level that this machine has or qemu-user can be
	@if [ "$$(uname -m)" = x86_64 ] && scripts/setup.sh --arm64; then \
	  cmake --preset arm64 --log-level=WARNING >/dev/null && cmake --build --preset arm64 -j $(JOBS); fi
	@scripts/levels.sh

SEEDS    ?= 100
REQUESTS ?= 10000
sim: build      ## the scheduler's simulation, SEEDS (100) loads of REQUESTS (10000) requests
	@scripts/sim.sh build/release $(SEEDS) $(REQUESTS) $(JOBS)

lint:           ## layers, style, format, clang -Werror, headers alone, clang-tidy, cppcheck, shellcheck
	@scripts/setup.sh --dev
	@scripts/lint.sh

format:         ## let clang-format-14 rewrite the C files
	@scripts/setup.sh --dev
	@find src include tests bench examples -name '*.[ch]' -not -path '*/data/*' 2>/dev/null | xargs clang-format-14 -i

install: build  ## install below PREFIX (/usr/local); DESTDIR= is honoured
	cmake --install build/release --prefix '$(PREFIX)'

clean:          ## remove build/ and .venv/
	rm -rf build .venv
