"""The formats for programs against their schemas, for all fixtures: `python tests/package/formats.py`.

`--format json` has to fit `docs/schema`, where every field is named; `--format sarif` the model that
`pydantic-sarif` made of the schema of SARIF 2.1.0, and its places the files; `--format github` the grammar of
workflow commands. The scripts of `rehook completions` are read by the shells that are here.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from typing import Any

import jsonschema
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REHOOK = os.environ.get("REHOOK_BIN") or str(ROOT / "target/debug/rehook")

# `::LEVEL NAME=VALUE,…::MESSAGE`, as the runner of GitHub Actions reads it.
COMMAND = re.compile(
    r"::(notice|warning|error) file=(?P<file>[^:,]+)"
    r"(,line=(?P<line>\d+),endLine=\d+,col=(?P<column>\d+)(,endColumn=\d+)?)?"
    r",title=rehook (?P<rule>\w+)::(?P<message>.+)"
)

faults: list[str] = []


def fault(place: str, what: str) -> None:
    faults.append(f"{place}: {what}")
    print(f"{place}: {what}", file=sys.stderr)


def closed(schema: Any) -> Any:
    """The schema with no other field allowed than those that it names: all that is printed is documented."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {key: closed(value) for key, value in schema.items()}
    if "properties" in inside:
        inside["additionalProperties"] = False
    return inside


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


def rehook(folder: pathlib.Path, *arguments: str) -> str:
    run = subprocess.run(
        [REHOOK, "--quiet", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    if run.returncode not in (0, 1) and "--format" not in arguments:
        fault(str(folder), f"{arguments} ended with {run.returncode}: {run.stderr}")
    return run.stdout


def check_json(schema: jsonschema.Draft202012Validator, place: str, printed: str) -> Any:
    report = json.loads(printed)
    for error in schema.iter_errors(report):
        fault(place, f"{error.json_path}: {error.message[:200]}")
    return report


def check_sarif(folder: pathlib.Path, place: str, printed: str, expected: int) -> None:
    log = json.loads(printed)
    Sarif.model_validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    if len(run["results"]) != expected:
        fault(place, f"{len(run['results'])} results instead of {expected}")
    for result in run["results"]:
        if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            fault(place, f"the index of {result['ruleId']} is another rule's")
        for one in [*result["locations"], *result.get("relatedLocations", [])]:
            physical = one["physicalLocation"]
            path = folder / urllib.parse.unquote(physical["artifactLocation"]["uri"])
            if not (path.is_file() or path.is_symlink()):
                fault(place, f"there is no {path}")
            region = physical.get("region", {"startLine": 1, "startColumn": 1})
            if region["startLine"] < 1 or region.get("endColumn", 9**9) <= region["startColumn"]:
                fault(place, f"not a place: {region}")


def check_github(folder: pathlib.Path, place: str, printed: str, expected: int) -> None:
    lines = printed.splitlines()
    if len(lines) != expected:
        fault(place, f"{len(lines)} commands instead of {expected}")
    for line in lines:
        found = COMMAND.fullmatch(line)
        if not found:
            fault(place, f"not a command: {line}")
        elif not os.path.lexists(folder / urllib.parse.unquote(found["file"])):
            fault(place, f"there is no {found['file']}")


def check_reports(schema: jsonschema.Draft202012Validator) -> int:
    paths = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("fixtures/*/before"))
    check_json(schema, "diff", rehook(ROOT, "diff", "--format", "json", *paths))
    report = check_json(
        schema, "scan", rehook(ROOT, "scan", "--format", "json", "--statistics", *paths)
    )
    counted = sum(one["count"] for one in report["statistics"])
    expected = counted + sum(one["action"] in ("migrate", "drop") for one in report["webhooks"])
    check_sarif(ROOT, "sarif", rehook(ROOT, "scan", "--format", "sarif", *paths), expected)
    check_github(ROOT, "github", rehook(ROOT, "scan", "--format", "github", *paths), expected)
    # As text, the same codes with the same numbers.
    printed = rehook(ROOT, "scan", "--statistics", *paths)
    shown = [line.split()[:2] for line in printed.splitlines()]
    if shown != [[str(one["count"]), one["code"]] for one in report["statistics"]]:
        fault("--statistics", f"as text it has {shown}")
    return expected


def check_migrate(schema: jsonschema.Draft202012Validator) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(ROOT / "fixtures/doc-methods/before", folder, dirs_exist_ok=True)
        printed = rehook(folder, "migrate", "--allow-dirty", "--format", "json")
        check_json(schema, "migrate", printed)


def check_verify() -> None:
    """A webhook that is the same, and with the real agent's Python, where that is here."""
    python = ROOT / ".python/bin/python"
    if not python.exists():
        print("no .python: the output of verify is not checked")
        return
    schema = validator("verify")
    for fixture in ("doc-methods", "registrations-out-of-sight"):
        folder = ROOT / "fixtures" / fixture / "before"
        arguments = ["--agent", "stand-in", "--python", str(python), "--format", "json"]
        report = check_json(schema, f"verify, {fixture}", rehook(folder, "verify", *arguments))
        if not report["webhooks"]:
            fault(f"verify, {fixture}", "no webhook was looked at")


def check_completions() -> None:
    readers = {
        "bash": ["bash", "-n"],
        "zsh": ["zsh", "-n"],
        "fish": ["fish", "--no-execute"],
        "elvish": ["elvish", "-compileonly"],
        "powershell": ["pwsh", "-NoProfile", "-File"],
    }
    for shell, reader in readers.items():
        script = rehook(ROOT, "completions", shell)
        if "migrate" not in script:
            fault(shell, "the script does not know `migrate`")
        if not shutil.which(reader[0]):
            print(f"no {reader[0]}: its script is not read")
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".ps1", encoding="utf-8") as file:
            file.write(script)
            file.flush()
            run = subprocess.run(
                [*reader, file.name], check=False, capture_output=True, encoding="utf-8"
            )
            if run.returncode != 0 or run.stderr:
                fault(shell, run.stderr)
    if shutil.which("bash"):
        asked = (
            "COMP_WORDS=(rehook mi); COMP_CWORD=1; _rehook rehook mi rehook; echo ${COMPREPLY[@]}"
        )
        script = rehook(ROOT, "completions", "bash")
        run = subprocess.run(
            ["bash", "-c", f"{script}\n{asked}"], check=False, capture_output=True, encoding="utf-8"
        )
        if run.stdout.split() != ["migrate"]:
            fault("bash", f"`rehook mi` becomes {run.stdout!r} {run.stderr}")


def main() -> int:
    schema = validator("plan")
    remarks = check_reports(schema)
    check_migrate(schema)
    check_verify()
    check_completions()
    print(f"formats: {remarks} remarks, {len(faults)} faults")
    return 1 if faults or not remarks else 0


if __name__ == "__main__":
    sys.exit(main())
