"""Writes THIRD-PARTY-LICENSES.txt: the licence of every crate whose code is in the binary.

`python3 packaging/licences.py [FILE]`; it has to lie at the root before `maturin` runs, which puts it into
wheels and source distributions. It is made from `cargo metadata` and from the sources of the crates, so it
cannot be out of date, and is not kept in git. A licence that is not in ACCEPTED, or a crate without the text
of one, is an error.
"""

import collections
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What may be passed on in a binary under the MIT licence, as long as its text goes along.
ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
}

NAMES = re.compile(r"(licen[cs]e|copying|copyright|unlicense|notice)", re.IGNORECASE)

HEAD = """\
rehook is under the MIT licence (see LICENSE). Its binary contains code of the Rust standard library and of
the crates below. Each is named with its version, its licence and its authors; the texts follow, each with
the crates whose sources have it.

The Rust standard library: MIT OR Apache-2.0, Copyright (c) The Rust Project Contributors.
"""


def packages() -> list[dict]:
    """The crates that end in the binary: what is reached over normal dependencies, for any system."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    reached, waiting = set(), [root]
    while waiting:
        one = waiting.pop()
        if one in reached:
            continue
        reached.add(one)
        for dependency in nodes[one]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    found = [one for one in metadata["packages"] if one["id"] in reached and one["id"] != root]
    return sorted(found, key=lambda one: (one["name"], one["version"]))


def is_accepted(expression: str) -> bool:
    """Whether one of the licences that may be chosen is accepted: `A OR B`, `A AND B`, `A/B`, in brackets."""
    expression = expression.replace("/", " OR ")
    inner = re.search(r"\(([^()]*)\)", expression)
    while inner:
        chosen = "MIT" if is_accepted(inner[1]) else "refused"
        expression = expression[: inner.start()] + chosen + expression[inner.end() :]
        inner = re.search(r"\(([^()]*)\)", expression)
    choices = [choice.split(" AND ") for choice in expression.split(" OR ")]
    return any(all(name.strip() in ACCEPTED for name in choice) for choice in choices)


def texts_of(package: dict) -> list[str]:
    folder = pathlib.Path(package["manifest_path"]).parent
    named = [package["license_file"]] if package["license_file"] else []
    files = [folder / name for name in named]
    files += [
        path for path in sorted(folder.iterdir()) if path.is_file() and NAMES.match(path.name)
    ]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in dict.fromkeys(files)]
    return ["\n".join(line.rstrip() for line in text.strip().splitlines()) for text in texts]


def mit(authors: str) -> str:
    """The text of the MIT licence for a crate that names it and its authors, but has no text."""
    own = (ROOT / "LICENSE").read_text(encoding="utf-8")
    terms = own[own.index("Permission is hereby granted") :].strip()
    return f"MIT License\n\nCopyright (c) {authors}\n\n{terms}"


def main(arguments: list[str]) -> int:
    target = pathlib.Path(arguments[0]) if arguments else ROOT / "THIRD-PARTY-LICENSES.txt"
    found = packages()
    refused = [one for one in found if not is_accepted(one["license"] or "")]
    for one in refused:
        print(f"error: {one['name']} {one['version']} is under {one['license']!r}", file=sys.stderr)
        print(
            "  hint: replace the crate, or add its licence to ACCEPTED after reading it",
            file=sys.stderr,
        )
    if refused:
        return 1
    lines, by_text, texts = [HEAD], collections.defaultdict(list), {}
    without = []
    for one in found:
        name = f"{one['name']} {one['version']}"
        authors = ", ".join(re.sub(r"\s*<[^>]*>", "", author) for author in one["authors"])
        lines.append(f"{name}: {one['license']}" + (f", {authors}" if authors else ""))
        of_package = texts_of(one)
        if not of_package and "MIT" in one["license"]:
            without.append(one)
            of_package = [mit(authors or f"the authors of {one['name']}")]
        if not of_package:
            print(f"error: {name} has no text of its licence, {one['license']!r}", file=sys.stderr)
            print("  hint: replace the crate, or ask its authors for one", file=sys.stderr)
            return 1
        for text in of_package:
            key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
            texts[key] = text
            by_text[key].append(name)
    for key, names in by_text.items():
        lines += ["", "=" * 100, "", ", ".join(names), "", texts[key]]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(
        f"{target.name}: {len(found)} crates, {len(texts)} texts, {len(without)} without one of their own"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
