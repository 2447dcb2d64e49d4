#!/usr/bin/env bash
# benchmarks/run.sh                                    all tables and figures: the steps below, and what they cost at other sizes
# benchmarks/run.sh [--device cpu|cuda] [--rounds N]   only time our steps beside what others would write
#
# Makes benchmarks/.venv from benchmarks/requirements.txt first, where it is not there. Keep the machine idle meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=benchmarks/.venv/bin/python
made=benchmarks/.venv/made-from-requirements.txt
if ! cmp -s benchmarks/requirements.txt "$made"; then
    python3 -m venv --clear benchmarks/.venv
    "$python" -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
    cp benchmarks/requirements.txt "$made"
fi
export PYTHONPATH="$PWD/lib"
"$python" -m benchmarks "$@"
[ $# -gt 0 ] || "$python" -m benchmarks.scaling
