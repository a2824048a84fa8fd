"""The one public plugin known to use the old API: `github`, which the agent itself comes with.

Nothing of it is kept here: it is taken from the installed agent, migrated in a temporary repo, and
sent each event that its code tells apart, with and without a secret.
"""

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from cases import Unusable, github_signature, routes

import shim
from _rehook_runner.model.case import Case
from _rehook_runner.model.message import Request, table

NAME = "(github of the agent)"
SECRET = "s3cret"
REPO = "octo/demo"
CHAT = "onebot_v11-group_1"

PERSON = {"login": "mona", "name": "Mona", "html_url": "https://example.com/mona"}
COMMIT = {
    "id": "0123456789abcdef",
    "message": "Mend it\n\nlong",
    "author": PERSON,
    "added": ["a"],
    "modified": ["b", "c"],
    "removed": [],
}
PULL = {
    "number": 7,
    "title": "标题",
    "body": "text " * 60,
    "html_url": "https://example.com/pull/7",
    "state": "open",
    "draft": False,
    "merged": False,
    "user": PERSON,
    "labels": [{"name": "bug"}],
    "assignees": [PERSON],
    "head": {"ref": "topic", "sha": "abc"},
    "base": {"ref": "main"},
    "commits": 2,
    "additions": 3,
    "deletions": 1,
    "changed_files": 2,
    "merged_by": PERSON,
}
RUN = {
    "name": "CI",
    "status": "completed",
    "conclusion": "failure",
    "html_url": "https://example.com/run",
    "run_number": 3,
    "run_attempt": 2,
    "event": "push",
    "head_branch": "main",
    "head_sha": "0123456789",
    "jobs_url": "https://example.com/jobs",
}
JOB = {
    "name": "test",
    "status": "completed",
    "conclusion": "failure",
    "html_url": "https://example.com/job",
    "steps": [{"name": f"s{n}", "conclusion": "failure"} for n in range(4)],
    "runner_name": "r1",
    "runner_group_name": "g",
    "run_url": "https://example.com/run",
}
CHECK = {
    "name": "lint",
    "status": "completed",
    "conclusion": "timed_out",
    "html_url": "https://example.com/check",
}
ISSUE = {
    "number": 5,
    "title": "坏了",
    "body": "x" * 300,
    "html_url": "https://example.com/issues/5",
    "state": "closed",
    "labels": [{"name": "bug"}],
    "milestone": {"title": "1.0"},
    "assignees": [PERSON],
    "user": PERSON,
}
RELEASE = {
    "tag_name": "v1",
    "name": "One",
    "body": "y" * 300,
    "html_url": "https://example.com/v1",
    "prerelease": True,
    "draft": False,
    "author": PERSON,
    "target_commitish": "main",
    "assets": [{"name": f"a{n}", "size": 600**n} for n in range(4)],
}
COMMENT = {"body": "z" * 300, "user": PERSON}
ZERO = "0" * 40

# What a payload has for the event beside the repository and the sender, and the actions that the
# plugin, or GitHub, tells apart.
PAYLOADS: dict[str, list[dict]] = {
    "ping": [{"zen": "Keep it simple."}],
    "push": [
        {
            "ref": "refs/heads/main",
            "before": "1" * 40,
            "after": "2" * 40,
            "pusher": PERSON,
            "commits": [COMMIT] * 4,
            "compare": "https://example.com/c",
        },
        {
            "ref": "refs/heads/main",
            "before": ZERO,
            "after": "2" * 40,
            "pusher": PERSON,
            "commits": [],
        },
        {"ref": "refs/heads/main", "before": "1" * 40, "after": ZERO, "pusher": PERSON},
        {
            "ref": "refs/heads/main",
            "before": "1" * 40,
            "after": "2" * 40,
            "forced": True,
            "commits": [COMMIT],
        },
        {"commits": "not a list of commits"},
    ],
    "issues": [
        {"action": action, "issue": ISSUE, "assignee": PERSON, "label": {"name": "bug"}}
        for action in ("opened", "closed", "assigned", "labeled")
    ],
    "pull_request": [
        {
            "action": action,
            "pull_request": PULL | {"merged": merged},
            "assignee": PERSON,
            "label": {"name": "bug"},
            "requested_reviewer": PERSON,
            "changes": {"title": {"from": "old"}},
            "before": "1" * 40,
            "after": "2" * 40,
        }
        for action in (
            "opened",
            "reopened",
            "synchronize",
            "ready_for_review",
            "converted_to_draft",
            "review_requested",
            "review_request_removed",
            "assigned",
            "unassigned",
            "labeled",
            "unlabeled",
            "edited",
            "locked",
            "unlocked",
            "auto_merge_enabled",
            "auto_merge_disabled",
            "enqueued",
            "dequeued",
            "closed",
            "odd",
        )
        for merged in ((False, True) if action == "closed" else (False,))
    ],
    "release": [
        {"action": "published", "release": RELEASE},
        {"action": "created", "release": {"draft": True}},
    ],
    "star": [{"action": "created"}, {"action": "deleted"}],
    "fork": [{"forkee": {"full_name": "mona/demo", "html_url": "https://example.com/fork"}}],
    "workflow_run": [
        {"action": "completed", "workflow_run": RUN | {"conclusion": c}}
        for c in ("success", "failure", "cancelled", "skipped", "timed_out", "odd")
    ],
    "workflow_job": [
        {"action": "completed", "workflow_job": JOB | {"conclusion": c}}
        for c in ("success", "failure", "cancelled", "skipped", "odd")
    ],
    "check_run": [
        {"action": "completed", "check_run": CHECK | {"conclusion": c}}
        for c in ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "odd")
    ],
    "check_suite": [{"action": "completed", "check_suite": CHECK}],
    "create": [{"ref_type": "branch", "ref": "topic"}],
    "delete": [{"ref_type": "tag", "ref": "v0"}],
    "issue_comment": [{"action": "created", "issue": ISSUE, "comment": COMMENT}],
    "pull_request_review": [
        {"action": "submitted", "pull_request": PULL, "review": {"state": "approved"}}
    ],
    "pull_request_review_comment": [
        {"action": "created", "pull_request": PULL, "comment": COMMENT}
    ],
    "commit_comment": [{"action": "created", "comment": COMMENT}],
    "gollum": [{"pages": [{"title": f"P{n}", "action": "edited"} for n in range(4)]}],
    "member": [{"action": action, "member": PERSON} for action in ("added", "removed", "edited")],
    "odd_event": [{"action": "done"}],
}


def case(scratch: Path) -> Case:
    """The plugin before and after `rehook migrate`, with all its requests."""
    source = Path(sysconfig.get_path("purelib")) / "plugins/builtin/github"
    before, after = scratch / "github-before/github", scratch / "github-after/github"
    for target in (before, after):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    migrate(after)

    known = set(re.findall(r'event_type == "(\w+)"', (before / "handlers.py").read_text("utf-8")))
    if missing := known - PAYLOADS.keys():
        raise Unusable(f"the plugin knows events that the test does not send: {sorted(missing)}")

    subscription = {
        "repo_name": REPO,
        "events": sorted(PAYLOADS),
        "created_at": 0,
        "last_updated": 0,
    }
    result = Case(
        name=NAME,
        before=before,
        after=after,
        routes=routes(after),
        package="github",
        store=[
            {
                "chat_key": CHAT,
                "key": "github_subs",
                "value": json.dumps({"subscriptions": {REPO: subscription}}),
            }
        ],
        channels=[CHAT, "onebot_v11-group_2"],
    )
    if [route.target for route in result.routes] != ["/plugins/KroMiose.github/github"]:
        raise Unusable(f"the routes are not as expected: {result.routes}")
    route = result.routes[0]
    route.requests = requests()
    route.requests += table(route)
    return result


def migrate(tree: Path) -> None:
    run = subprocess.run(
        [shim.binary(), "migrate", "--allow-dirty", "."],
        cwd=tree,
        check=False,
        capture_output=True,
        text=True,
    )
    if run.returncode != 0 or not (tree / "webhook-routes.toml").is_file():
        raise Unusable(f"rehook migrate exits with {run.returncode}:\n{run.stdout}{run.stderr}")


def requests() -> list[Request]:
    """Every event: without a secret, and with one: not signed, signed, and signed wrongly."""
    found = []
    for event, payloads in PAYLOADS.items():
        for number, payload in enumerate(payloads):
            full = payload | {
                "sender": PERSON,
                "repository": {
                    "full_name": REPO,
                    "stargazers_count": 100,
                    "forks_count": 2,
                    "language": "Rust",
                    "owner": PERSON,
                    "description": None,
                },
            }
            body = json.dumps(full, ensure_ascii=False).encode()
            spaced = json.dumps(full).encode()
            headers = [
                (b"Content-Type", b"application/json"),
                (b"X-GitHub-Event", event.encode()),
                (b"X-GitHub-Delivery", f"{event}-{number}".encode()),
            ]

            def add(what, body, *more, secret="", event=event, headers=headers):
                found.append(
                    Request(
                        f"{event}, {what}",
                        headers=headers + list(more),
                        body=body,
                        settings={"WEBHOOK_SECRET": secret},
                    )
                )

            def signature(secret, body):
                return b"X-Hub-Signature-256", github_signature(secret, body)

            add("no secret", body)
            add("a secret, not signed", body, secret=SECRET)
            add("a secret, signed", body, signature(SECRET, body), secret=SECRET)
            # The plugin signs what it makes of the JSON again, so that this is right for once.
            add(
                "a secret, signed as the plugin does",
                spaced,
                signature(SECRET, spaced),
                secret=SECRET,
            )
            add("a secret, signed with another", spaced, signature("other", spaced), secret=SECRET)
            add("no secret, signed", body, signature(SECRET, body))
    found.append(Request("no event", headers=[(b"Content-Type", b"application/json")], body=b"{}"))
    return found
