#!/usr/bin/env bash
# sim.sh BUILD [SEEDS [REQUESTS [JOBS]]]: the scheduler's simulation for SEEDS loads (100) of REQUESTS requests (10000). A violation
# says its seed: BUILD/tests/sim/sim SEED REQUESTS runs that one again.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 seeds=${2:-100} requests=${3:-10000} jobs=${4:-$(getconf _NPROCESSORS_ONLN)}
log=$build/sim.log

if seq 1 "$seeds" | xargs -P "$jobs" -I{} timeout 600 "$build/tests/sim/sim" {} "$requests" >"$log" 2>&1; then
    printf 'sim: %d loads of %d requests, no violation, in %d s\n' "$seeds" "$requests" "$SECONDS"
else
    grep -vE '^seed |steps, |^of ' "$log" || true
    printf 'sim: FAILED in %d loads of %d requests, see %s\n' "$seeds" "$requests" "$log"
    exit 1
fi
