#!/bin/sh
# Makes a release wheel of this tree: `sh packaging/wheel.sh [TARGET [FOLDER]]`, into `dist` if no folder is
# named. Without a target it is that of this machine. Needs Rust, cargo, and Python with `maturin`; for Linux
# `ziglang` as well, which links with any version of glibc: the wheel runs where glibc is 2.17 or later.
set -eu

cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
folder=${2:-dist}

case $target in
*-linux-gnu*) set -- --zig --compatibility manylinux2014 ;;
*-linux-musl*) set -- --zig --compatibility musllinux_1_2 ;;
*) set -- --compatibility pypi ;;
esac

# There `maturin` looks for `ziglang`.
PATH=$("$python" -c 'import os, sys; print(os.path.dirname(sys.executable))'):$PATH
"$python" packaging/licences.py
exec "$python" -m maturin build --release --locked --target "$target" --out "$folder" "$@"
