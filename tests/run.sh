#!/bin/sh
# Runs all tests: `sh tests/run.sh`. Needs Rust and a Python of 3.11 or 3.12; everything else is
# fetched into `.python/`, a folder of the project's own, and only when it is not there already. A part
# also runs on the oldest release of the agent, in `.python-2.0/`, which needs a Python 3.11: without one
# that part is left out, and it is said; with `CI=true` it fails.
#
# `sh tests/run.sh setup` stops after these folders have been made.
#
# It takes long (27 minutes on a quiet machine with two cores, with an empty cache), so each part says
# that it begins, and what it does meanwhile.
#
# The last line is `tests: passed` or `tests: FAILED (…)`, and the exit code says the same.
set -eu

cd "$(dirname "$0")/.."
root=$PWD
requirements=tests/python/requirements.txt

die() {
    printf 'tests: FAILED (%s)\n' "$1" >&2
    exit 1
}

# Says which part begins, and how long all have taken so far.
begun=$(date +%s)
part=0
say() {
    part=$((part + 1))
    printf 'tests: %s of 10, after %s min: %s\n' "$part" "$((($(date +%s) - begun) / 60))" "$1"
}

# The name on the PATH may be a shim that only prints an error, or a Python without `venv`: so each
# candidate is run before it is believed. 3.12 comes first since it reads the newest syntax.
usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
        >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-}" \
        python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3 \
        python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11*/bin/python3 \
        python3 python; do
        if [ -n "$candidate" ] && usable "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# `.python/requirements.txt` is written last: a folder without it was not finished.
if ! cmp -s "$requirements" .python/requirements.txt || ! .python/bin/python -c '' 2>/dev/null; then
    base=$(find_python) || die 'no Python 3.11 or 3.12 with venv found; install one, or name it: PYTHON=/path/to/python3.12 sh tests/run.sh'
    printf 'tests: making .python with %s\n' "$("$base" --version)"
    printf 'tests: installing the agent and the other Python packages there\n'
    "$base" -m venv --clear .python || die 'cannot make .python'
    .python/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements" ||
        die 'cannot install the Python packages; see the lines above'
    cp "$requirements" .python/requirements.txt
fi

find_python_3_11() {
    for candidate in python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11*/bin/python3 \
        "${PYTHON:-}" python3 python; do
        if [ -n "$candidate" ] && usable "$candidate" &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# The same for the oldest release.
oldest=
requirements=tests/python/requirements-2.0.txt
if cmp -s "$requirements" .python-2.0/requirements.txt && .python-2.0/bin/python -c '' 2>/dev/null; then
    oldest=$root/.python-2.0/bin/python
elif base=$(find_python_3_11); then
    printf 'tests: making .python-2.0 with %s\n' "$("$base" --version)"
    "$base" -m venv --clear .python-2.0 || die 'cannot make .python-2.0'
    .python-2.0/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements" ||
        die 'cannot install the Python packages of the oldest release; see the lines above'
    cp "$requirements" .python-2.0/requirements.txt
    oldest=$root/.python-2.0/bin/python
elif [ "${CI:-}" = true ]; then
    die 'no Python 3.11 with venv found, which the tests on the oldest release of the agent need'
else
    printf 'tests: no Python 3.11 with venv found: what runs on the oldest release of the agent is left out\n'
fi

if [ "${1:-}" = setup ]; then
    printf 'tests: .python is ready\n'
    exit 0
fi

REHOOK_PYTHON=$root/.python/bin/python
# What `cargo build` makes is what goes through the shim.
REHOOK_BIN=${CARGO_TARGET_DIR:-$root/target}/debug/rehook
# What they print is seen when it is printed, also in a file.
PYTHONUNBUFFERED=1
export REHOOK_PYTHON REHOOK_BIN PYTHONUNBUFFERED

failed=
say 'building rehook'
cargo build --locked || die 'cargo build'
say 'building and running the tests in Rust'
cargo test --locked --all-targets || failed="cargo test"
say 'conformance: every fixture before and after, on the real agent'
"$REHOOK_PYTHON" tests/conformance/run.py || failed="${failed:+$failed, }conformance"
if [ -n "$oldest" ]; then
    say 'conformance: a part of the fixtures, on the oldest release of the agent'
    "$oldest" tests/conformance/run.py || failed="${failed:+$failed, }conformance on the oldest release"
    "$oldest" tests/conformance/parameter_types.py ||
        failed="${failed:+$failed, }parameter types on the oldest release"
    "$oldest" tests/conformance/reply_route.py ||
        failed="${failed:+$failed, }reply route on the oldest release"
fi
say 'compare: what counts as a difference'
"$REHOOK_PYTHON" tests/conformance/compare.py || failed="${failed:+$failed, }compare"
say 'reply route: the decorator that looks at replies at run time'
"$REHOOK_PYTHON" tests/conformance/reply_route.py || failed="${failed:+$failed, }reply route"
say 'parameter types: what FastAPI takes'
"$REHOOK_PYTHON" tests/conformance/parameter_types.py || failed="${failed:+$failed, }parameter types"
say 'shown: how values are shown'
"$REHOOK_PYTHON" tests/conformance/shown.py || failed="${failed:+$failed, }shown"
say 'stand-in: the same requests to it and to the real agent'
"$REHOOK_PYTHON" tests/conformance/standin.py || failed="${failed:+$failed, }stand-in"
say 'verify: `rehook verify` from the outside, on the stand-in and on the agent'
"$REHOOK_PYTHON" tests/conformance/verify.py || failed="${failed:+$failed, }verify"

[ -z "$failed" ] || die "$failed"
printf 'tests: passed\n'
