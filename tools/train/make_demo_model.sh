#!/usr/bin/env bash
# Makes models/gollum-demo.gguf and its test questions anew. Started again, it goes on from the last checkpoint.
#   make_demo_model.sh WORK [OPTION of train.py...]
# WORK keeps the virtual environment, tokenizer, checkpoint and log. build/release/gollum must be there (make build).
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,4s/^# *//p' "$0"; exit 64; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
gollum=${GOLLUM:-$root/build/release/gollum}
[ -x "$gollum" ] || { echo "$gollum is not there: run make build" >&2; exit 66; }

if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -q -r "$here/requirements.txt"
fi
python=$work/venv/bin/python
export TOKENIZERS_PARALLELISM=false OMP_WAIT_POLICY=passive
cd "$here"
nice -n 19 "$python" train.py --out "$work/run" "$@"
"$python" export.py "$work/run" "$work/f32.gguf"
"$gollum" quantize "$work/f32.gguf" "$root/models/gollum-demo.gguf" Q8_0
mkdir -p "$root/tests/data/demo_model"
"$python" questions.py >"$work/questions.tsv"
mv "$work/questions.tsv" "$root/tests/data/demo_model/questions.tsv"
echo "now: tests/golden/make/demo_model_greedy.py, the figures of models/README.md, make test"
