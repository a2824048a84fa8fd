#!/bin/sh
# Runs the tests.
#
#   sh tests/run.sh          all of them
#   sh tests/run.sh quick    the part without the agent: only Rust and git are needed
#   sh tests/run.sh setup    makes the Python folders, and stops
#
# All of them need a Python of 3.11 or 3.12; everything else is fetched into `.python/`, a folder of the
# project's own, and only when it is not there already. A part also runs on the oldest release of the
# agent, in `.python-2.0/`, which needs a Python 3.11: without one that part is left out, which is
# reported; with `CI=true` it fails.
#
# It takes long, so each part says that it begins, and what it does. The last line is `tests: passed` or
# `tests: FAILED (…)`, and the exit code says the same.
set -eu

cd "$(dirname "$0")/.."
root=$PWD
mode=${1:-all}

die() {
    printf 'tests: FAILED (%s)\n' "$1" >&2
    exit 1
}

case $mode in
all | quick | setup) ;;
*) die "unknown part \`$mode\`: it is \`quick\`, \`setup\`, or nothing for all" ;;
esac

begun=$(date +%s)
minutes() { printf '%s' "$((($(date +%s) - begun) / 60))"; }

# Says which part begins and what it does, runs it, and notes when it fails: `part NAME WHAT COMMAND…`.
failed=
number=0
part() {
    name=$1
    number=$((number + 1))
    printf 'tests: %s of %s, after %s min: %s: %s\n' "$number" "$parts" "$(minutes)" "$name" "$2"
    shift 2
    "$@" || failed="${failed:+$failed, }$name"
}

finish() {
    [ -z "$failed" ] || die "$failed"
    printf 'tests: passed, after %s min\n' "$(minutes)"
    exit 0
}

if [ "$mode" = quick ]; then
    parts=2
    part build 'compiling rehook' cargo build --locked
    [ -z "$failed" ] || die "$failed"
    part Rust 'units, fixtures, transcripts, bad input, pages' \
        cargo test --locked --lib --bins --test bad_input --test cli --test fixtures --test layers \
        --test pages --test properties
    finish
fi

# The name on the PATH may be a shim that only prints an error, or a Python without `venv`: so each
# candidate is run before it is believed. 3.12 comes first since it reads the newest syntax.
usable() {
    "$1" -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in [$2])" >/dev/null 2>&1
}

# `find_python '(3, 12), (3, 11)' CANDIDATE…`: the first that is one of these versions.
find_python() {
    versions=$1
    shift
    for candidate in "$@"; do
        if [ -n "$candidate" ] && usable "$candidate" "$versions"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# Whether a folder has what a list of requirements asks for. Its copy of the list is written last: a
# folder without it was not finished.
is_made() {
    cmp -s "$2" "$1/requirements.txt" && "$1/bin/python" -c '' 2>/dev/null
}

# `make_folder FOLDER REQUIREMENTS PYTHON`
make_folder() {
    printf 'tests: making %s with %s: fetching what is in %s\n' "$1" "$("$3" --version)" "$2"
    "$3" -m venv --clear "$1" || die "cannot make $1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2" ||
        die "cannot install $2; see the lines above"
    cp "$2" "$1/requirements.txt"
}

pyenv=${PYENV_ROOT:-$HOME/.pyenv}/versions
if ! is_made .python tests/python/requirements.txt; then
    printf 'tests: the agent and what it needs are 700 MB, which takes a few minutes\n'
    base=$(find_python '(3, 11), (3, 12)' "${PYTHON:-}" \
        python3.12 "$pyenv"/3.12*/bin/python3 python3.11 "$pyenv"/3.11*/bin/python3 python3 python) ||
        die 'no Python 3.11 or 3.12 with venv found; install one, or name it: PYTHON=/path/to/python3.12 sh tests/run.sh'
    make_folder .python tests/python/requirements.txt "$base"
fi

oldest=$root/.python-2.0/bin/python
if ! is_made .python-2.0 tests/python/requirements-2.0.txt; then
    if base=$(find_python '(3, 11)' python3.11 "$pyenv"/3.11*/bin/python3 "${PYTHON:-}" python3 python); then
        make_folder .python-2.0 tests/python/requirements-2.0.txt "$base"
    elif [ "${CI:-}" = true ]; then
        die 'no Python 3.11 with venv found, which the tests on the oldest release of the agent need'
    else
        oldest=
        printf 'tests: no Python 3.11 with venv found: what runs on the oldest release of the agent is left out\n'
    fi
fi

if ! is_made .python-package tests/package/requirements.txt; then
    make_folder .python-package tests/package/requirements.txt .python/bin/python
fi

if [ "$mode" = setup ]; then
    printf 'tests: .python is ready\n'
    exit 0
fi

python=$root/.python/bin/python
REHOOK_PYTHON=$python
# What `cargo build` makes is what goes through the shim.
REHOOK_BIN=${CARGO_TARGET_DIR:-$root/target}/debug/rehook
# What they print is seen when it is printed, also in a file.
PYTHONUNBUFFERED=1
export REHOOK_PYTHON REHOOK_BIN PYTHONUNBUFFERED

parts=12
[ -z "$oldest" ] || parts=15
tests=tests/conformance
part build 'compiling rehook' cargo build --locked
[ -z "$failed" ] || die "$failed"
part 'Python lint' 'ruff on the Python that ships and on the tests, mypy on what ships' sh tests/python/lint.sh "$python"
part Rust 'compiling and running the tests in Rust' cargo test --locked --all-targets
part conformance 'every fixture before and after, on the real agent' "$python" $tests/run.py
if [ -n "$oldest" ]; then
    part 'conformance on the oldest release' 'a part of the fixtures' "$oldest" $tests/run.py
    part 'parameter types on the oldest release' 'what FastAPI accepts there' "$oldest" $tests/parameter_types.py
    part 'reply route on the oldest release' 'replies at run time' "$oldest" $tests/reply_route.py
fi
part compare 'what counts as a difference' "$python" $tests/compare.py
part 'reply route' 'the decorator that looks at replies at run time' "$python" $tests/reply_route.py
part 'parameter types' 'what FastAPI accepts' "$python" $tests/parameter_types.py
part shown 'how values are shown' "$python" $tests/shown.py
part stand-in 'the same requests to it and to the real agent' "$python" $tests/standin.py
part formats 'JSON, SARIF, annotations and completions' .python-package/bin/python tests/package/formats.py
part wheel 'a wheel from the source distribution, installed without an index' \
    .python-package/bin/python tests/package/wheel.py
part verify '`rehook verify` from the outside, on the stand-in and on the agent' "$python" $tests/verify.py
finish
