"""Says what CPython and ruff find in a migrated tree that they did not find before.

Usage: check_trees.py FOLDER, where FOLDER/before/<case> and FOLDER/after/<case> are trees.
Prints a JSON object: case -> list of problems. A file that was refused before the migration is
not held against it, since a case may be about just that.
"""

import json
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path


def syntax_error(path: Path) -> str | None:
    if not path.is_file():
        # A link that leads nowhere.
        return None
    # `compile` on bytes honours the byte order mark and the declared encoding, as an import does.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def ruff(*args: str) -> str:
    # Exit code 1 means that something was found, 2 that a file could not be read, which is
    # reported like everything else.
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *args],
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
    )
    if run.returncode not in (0, 1, 2):
        raise SystemExit(f"ruff {' '.join(args)}: {run.stderr}")
    return run.stdout


def lint(side: Path) -> dict[str, Counter]:
    """Findings by file, counted without their place, since the lines move."""
    findings: dict[str, Counter] = {}
    for finding in json.loads(
        ruff("check", "--no-cache", "--output-format=json", str(side)) or "[]"
    ):
        name = str(Path(finding["filename"]).relative_to(side.resolve()))
        findings.setdefault(name, Counter())[f"{finding['code']} {finding['message']}"] += 1
    return findings


def unformatted(side: Path) -> set[str]:
    found = json.loads(
        ruff("format", "--no-cache", "--check", "--output-format=json", str(side)) or "[]"
    )
    return {
        str(Path(finding["filename"]).relative_to(side.resolve()))
        for finding in found
        if finding["code"] == "unformatted"
    }


def main() -> None:
    root = Path(sys.argv[1]).resolve()
    before, after = root / "before", root / "after"
    problems: dict[str, list[str]] = {case.name: [] for case in sorted(after.iterdir())}

    def add(name: str, problem: str) -> None:
        case, _, path = name.partition("/")
        problems[case].append(f"{path}: {problem}")

    for path in sorted(after.rglob("*.py")):
        name = path.relative_to(after).as_posix()
        error = syntax_error(path)
        if error and not ((before / name).is_file() and syntax_error(before / name)):
            add(name, f"does not compile: {error}")

    lint_before = lint(before)
    for name, found in sorted(lint(after).items()):
        for finding, count in sorted((found - lint_before.get(name, Counter())).items()):
            add(name, f"ruff check: {finding}" + (f" ({count} times)" if count > 1 else ""))

    for name in sorted(unformatted(after) - unformatted(before)):
        add(name, "ruff format: would be reformatted")

    json.dump(problems, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
