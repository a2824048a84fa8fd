"""The other way round: a migration that is a little wrong must not pass for a right one.

Each mutation is a slip that an author, or this program, could make in the migrated code. It is made
in the lines that the migration has written, in one fixture after the other that has such a line,
and the same requests as before are sent until one notices. In a single fixture a slip may change
nothing that can be seen; one that is noticed in none of them is a hole in the tests.
"""

import difflib
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from _rehook_runner.model.case import Case


@dataclass
class Mutation:
    """A slip: what it is, the text that it changes, and into what."""

    name: str
    pattern: str
    change: str


MUTATIONS = [
    Mutation("another status", r"status_code=(?:201|202|400|404)\b", "status_code=299"),
    Mutation("the status is lost", r",\s*status_code=[\w.]+(?=[,)])", ""),
    Mutation("the headers of a reply are lost", r",\s*headers=\{[^}]*\}", ""),
    Mutation("the reply is not encoded", r"jsonable_encoder\((?=[^()]*(?:\(|\)))", "("),
    Mutation(
        "a body where there must be none",
        r"Response\(\s*status_code=204",
        'Response("x", status_code=204',
    ),
    Mutation("an annotation becomes a response model", r",\s*response_model=None", ""),
    Mutation("GET is not answered", r'"GET",\s*', ""),
    Mutation("OPTIONS is not answered", r',\s*"OPTIONS"', ""),
    Mutation("another path", r'(?<=\(")/(?=[\w-])', "/x"),
    Mutation("PUT is answered too", r"\.post\(", '.api_route(methods=["POST", "PUT"], path='),
    Mutation("another type is taken for JSON", r'"application/json"', '"json"'),
    Mutation(
        "only that very type is JSON",
        r'"application/json" (not )?in ',
        r'"application/json" \1== ',
    ),
    Mutation("the text has another name", r'"raw_content"', '"content"'),
    Mutation(
        "bytes that are no UTF-8 are let through",
        r"\.decode\(\)",
        '.decode(errors="replace")',
    ),
    Mutation(
        "text with a byte order mark is read as JSON",
        r"\.decode\(\)",
        '.decode("utf-8-sig")',
    ),
    Mutation(
        "every error is taken for text",
        r"except json\.JSONDecodeError",
        "except Exception",
    ),
    Mutation("a broken JSON is an error", r"except json\.JSONDecodeError", "except KeyError"),
    Mutation(
        "the first of two headers is taken",
        r"dict\((\w+)\.headers(?:\.items\(\))?\)",
        r"{k: \1.headers[k] for k in \1.headers}",
    ),
    Mutation(
        "a header is lost",
        r"dict\((\w+)\.headers(?:\.items\(\))?\)",
        r"{k: v for k, v in \1.headers.items() if not k.startswith('x-')}",
    ),
    Mutation(
        "the keys of headers are in upper case",
        r"dict\((\w+)\.headers(?:\.items\(\))?\)",
        r"{k.upper(): v for k, v in \1.headers.items()}",
    ),
    Mutation(
        "the body is read twice, as a stream",
        r"await (\w+)\.(json|body)\(\)",
        r"[c async for c in \1.stream()] and await \1.\2()",
    ),
    Mutation(
        "the context is not checked",
        r"WebhookRequest\(",
        "WebhookRequest.model_construct(",
    ),
    Mutation("the reply says that it failed", r'"success": True', '"success": False'),
    Mutation("the reply counts", "成功: 0", "成功: 1"),
    Mutation("the reply has no lists", r'"errors": \[\]', '"errors": None'),
    Mutation(
        "the handler is called twice",
        r"await (\w+)\((ctx|_ctx|await [\w.]+\(\w+\))\)",
        r"(await \1(\2), await \1(\2))",
    ),
    Mutation(
        "the handler is not called",
        r"await (\w+)\((ctx|_ctx|await [\w.]+\(\w+\))\)",
        r"\2",
    ),
    Mutation(
        "the handler's errors are swallowed",
        r"( +)await (\w+)\((ctx|_ctx|await [\w.]+\(\w+\))\)\n",
        r"\1try:\n\1    await \2(\3)\n\1except Exception:\n\1    pass\n",
    ),
    Mutation(
        "what the handler returns is the reply",
        r"( +)await (\w+)\((ctx|_ctx|await [\w.]+\(\w+\))\)\n",
        r"\1return await \2(\3)\n",
    ),
    Mutation(
        "the context has no chat",
        r"create_by_chat_key\(",
        "create_by_webhook(webhook_request=None and ",
    ),
]


def mutant(mutation: Mutation, case: Case, scratch: Path) -> Case | None:
    """The case with the slip wherever it fits what was written in it; nothing if it fits nowhere."""
    changed: dict[Path, str] = {}
    for path in sorted(case.after.rglob("*.py")):
        before = case.before / path.relative_to(case.after)
        if not path.is_file():
            # A link that leads nowhere.
            continue
        new = path.read_bytes().decode("utf-8", "surrogateescape")
        old = before.read_bytes().decode("utf-8", "surrogateescape") if before.is_file() else ""
        written = lines_written(old, new)
        text = new
        for site in reversed(list(re.finditer(mutation.pattern, new))):
            if touches(site, written):
                text = text[: site.start()] + site.expand(mutation.change) + text[site.end() :]
        if text != new:
            changed[path.relative_to(case.after)] = text
    if not changed:
        return None
    folder = Path(tempfile.mkdtemp(dir=scratch)) / case.after.name
    shutil.copytree(case.after, folder, symlinks=True)
    for path, text in changed.items():
        (folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    return replace(case, after=folder)


def lines_written(old: str, new: str) -> list[tuple[int, int]]:
    """The ranges of `new` that are not in `old`, by lines."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in after:
        starts.append(starts[-1] + len(line))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        (starts[j1], starts[j2]) for tag, _, _, j1, j2 in matcher.get_opcodes() if tag != "equal"
    ]


def touches(match: re.Match, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= match.start() < end for start, end in ranges)
