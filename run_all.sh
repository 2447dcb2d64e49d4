#!/usr/bin/env bash
# ./run_all.sh [options]   regenerate every figure (--help lists the options)
# ./run_all.sh --test      lint, unit tests, notebooks against their stored outputs, smoke run, the site in a browser
# ./run_all.sh --site      build the website in site/; with --check: look at it in a browser too
#
# Uses the environment that is active if it has the packages; else .venv, made from requirements.txt (about a minute).
set -euo pipefail
{ : >&2; } 2>/dev/null || exec 2>/dev/null # closed: the next file that is opened would get what is printed there
cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

stop() {
    echo "run_all.sh: $1" >&2
    exit 2
}

case $PWD in *:*) stop "$PWD has a colon in its path, where Python and the shell cut lists of folders: move it" ;; esac
command -v python3 >/dev/null || stop "python3 is not there: install Python 3.11 or newer"
export PYTHONPATH="$PWD/lib${PYTHONPATH:+:$PYTHONPATH}" # this clone's library, whatever the environment holds

# What is asked is looked at first, which takes no environment.
if [ "${1:-}" = "--test" ]; then
    case "${2:-}" in
    "") ;;
    --help | -h)
        echo "usage: run_all.sh --test"
        sed -n 's/^# *//; 2,3p' tests/run.sh
        exit
        ;;
    *) stop "--test takes nothing else, not '$2'" ;;
    esac
elif [ "${1:-}" = "--site" ]; then
    case "${2:-}" in
    "" | --check) ;;
    --help | -h)
        echo "usage: run_all.sh --site [--check]"
        sed -n 's/^# .*--site  *//p' run_all.sh
        exit
        ;;
    *) stop "--site takes --check or nothing, not '$2'" ;;
    esac
elif python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    status=0
    python3 -c 'import sys; from randformer.__main__ import told; sys.exit(told(sys.argv[1:]))' "$@" || status=$?
    case $status in
    0) ;;
    1) exit 0 ;;
    *) exit "$status" ;;
    esac
fi

use=.venv
if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ]; then
    if lacks=$(python make_venv.py --check 2>&1); then
        use=active
    else
        echo "run_all.sh: the active environment is not used, .venv is: ${lacks##*$'\n'}" >&2
    fi
fi
if [ "$use" = .venv ]; then
    python3 make_venv.py
    # shellcheck disable=SC1091
    . .venv/bin/activate
fi

if [ "${1:-}" = "--test" ]; then
    exec bash tests/run.sh
fi
if [ "${1:-}" = "--site" ]; then
    shift
    exec python -m randformer.site "$@"
fi
exec python -m randformer "$@"
