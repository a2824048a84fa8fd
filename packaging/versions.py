"""Whether every place that names the version names the same: `python3 packaging/versions.py [TAG]`.

The manifest says which it is. The package for Python and the lock file have to agree, and the changelog must
have nothing newer; with the TAG of a release, that is the version too, and the changelog has a section of it.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def found(file: str, pattern: str) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else "nothing"


def main(arguments: list[str]) -> int:
    version = found("Cargo.toml", r'^version = "([^"]+)"')
    faults = []
    for file, pattern in {
        "pyproject.toml": r'^version = "([^"]+)"',
        "Cargo.lock": r'name = "rehook"\nversion = "([^"]+)"',
    }.items():
        other = found(file, pattern)
        if other != version:
            faults.append(f"{file} has {other}, Cargo.toml has {version}")
    newest = found("CHANGELOG.md", r"^## \[(\d[^\]]*)\]")
    if newest != version:
        faults.append(f"the newest release in CHANGELOG.md is {newest}, Cargo.toml has {version}")
    for tag in arguments:
        if tag.removeprefix("v") != version:
            faults.append(f"the tag is {tag}, Cargo.toml has {version}")
        if "\n- " in found("CHANGELOG.md", r"(?s:^## \[Unreleased\](.*?)(?=^## \[))"):
            faults.append("CHANGELOG.md still has changes under [Unreleased]")
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if not faults:
        print(f"versions: {version} everywhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
