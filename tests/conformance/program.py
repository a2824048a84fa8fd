"""`rehook verify` and `rehook migrate` as a user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import shim

# How long a plugin may take, in seconds: those that never end are waited for this long.
LIMIT = 12


def verify(
    folder: Path,
    agent: str,
    *arguments: str,
    places: list[str] | None = None,
    environment: dict | None = None,
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(shim.binary(), "verify", "--agent", agent, "--python", sys.executable),
            *("--limit", str(LIMIT), *arguments, *(places or ["."])),
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | (environment or {}),
    )


def run(folder: Path, agent: str, places: list[str] | None = None) -> tuple[int, dict, str]:
    """The exit code, the result and the messages."""
    done = verify(folder, agent, "--format", "json", places=places)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        raise SystemExit(f"no result: exit code {done.returncode}\n{done.stderr}") from None


def said(result: dict) -> dict[str, str]:
    """The verdict of each plugin, or the reason why there is none."""
    verdicts = {one["plugin"]: one["verdict"] for one in result["webhooks"]}
    return verdicts | {one["plugin"]: one["reason"] for one in result["failed"]}


def migrated(folder: Path) -> None:
    """Migrates the plugins there, with what they were in a commit."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "before"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    subprocess.run([shim.binary(), "migrate", "-q"], cwd=folder, check=True, capture_output=True)
