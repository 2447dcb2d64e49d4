#!/usr/bin/env bash
# Everything that must pass: lint, unit tests, the notebooks against their stored outputs, the smoke profile,
# the site.
# ./run_all.sh --test calls it, in an environment that it made or found active.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }

step "lint"
ruff check .
ruff format --check .

step "smoke profile: every run tiny, every notebook"
python -m randformer --profile smoke --retrain

step "unit tests"
python -m pytest -n 2 tests

step "notebooks against their stored outputs"
python -m randformer.report.execution python -m pytest --nbval --nbval-current-env -n 2 --dist loadscope notebooks

step "the site, in a browser where there is one"
python -m randformer.site --check

step "all passed"
