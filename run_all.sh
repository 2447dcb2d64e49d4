#!/usr/bin/env bash
# ./run_all.sh [options]   regenerate every figure (--help lists the options)
# ./run_all.sh --test      lint, unit tests, notebooks against their stored outputs, smoke run
#
# Uses the environment that is active; where none is, makes .venv from requirements.txt first (about a minute).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]; then
    python3 make_venv.py
    # shellcheck disable=SC1091
    . .venv/bin/activate
fi
export PYTHONPATH="$PWD/lib${PYTHONPATH:+:$PYTHONPATH}" # this clone's library, whatever the environment holds
python -c 'import randformer, torch, papermill' 2>/dev/null || {
    echo "run_all.sh: the active environment lacks packages; deactivate it, or: pip install -r requirements.txt -e ." >&2
    exit 2
}

if [ "${1:-}" = "--test" ]; then
    exec bash tests/run.sh
fi
exec python -m randformer "$@"
