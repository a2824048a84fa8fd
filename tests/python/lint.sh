#!/bin/sh
# Lints the project's own Python, checks its format, and the types of what ships: `sh tests/python/lint.sh [PYTHON]`, with the Python
# of `.python/` if none is named. `sh tests/python/lint.sh fix` mends what can be mended.
set -eu

cd "$(dirname "$0")/../.."
python=.python/bin/python
mode=check
case ${1:-} in
fix) mode=fix ;;
?*) python=$1 ;;
esac

# What ships, and what tests and measures it; not the plugins in fixtures.
set -- src/verify/pysrc python packaging tests/conformance tests/package tests/python tests/shim benches
config="--config tests/python/ruff.toml"
# The words of `config` are two.
# shellcheck disable=SC2086
if [ "$mode" = fix ]; then
    "$python" -m ruff check $config --quiet --fix "$@"
    "$python" -m ruff format $config --quiet "$@"
else
    "$python" -m ruff check $config "$@"
    "$python" -m ruff format $config --check "$@"
    "$python" -m mypy --config-file tests/python/mypy.ini
fi
