"""Which functions and classes of a plugin something that answers a request may come to, by their
names alone: what is mentioned nowhere is not called either.

What the agent calls for another purpose, such as a tool for the model, is not part of an answer, and
what mounts the router shows in every one.
"""

import ast
from collections.abc import Iterable, Iterator

KINDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def mentioned(modules: Iterable[tuple[ast.Module, set[int]]], roots: set[str]) -> set[str]:
    """The names at the top of modules that may be come to from `roots`, and from what runs when the
    modules are imported; but not from the functions that begin at the lines beside a module."""
    known: dict[str, list[ast.AST]] = {}
    waiting = set(roots)
    for tree, others in modules:
        for statement in _at_top(tree):
            if not isinstance(statement, KINDS):
                waiting |= set(_names(statement))
                continue
            known.setdefault(statement.name, []).append(statement)
            lines = [
                statement.lineno,
                *(one.lineno for one in statement.decorator_list),
            ]
            if min(lines) in others:
                continue
            for decorator in statement.decorator_list:
                waiting |= set(_names(decorator))
            if not all(map(_is_agents, statement.decorator_list)):
                # What decorates it may keep it.
                waiting.add(statement.name)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting |= {one for part in known[name] for one in _names(part)} - found
    return found


def _at_top(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a module: its functions and classes, and what is outside of them in parts."""
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, KINDS) and any(isinstance(one, KINDS) for one in ast.walk(part)):
            yield from _at_top(part)
        else:
            yield part


def _is_agents(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr.startswith("mount_")


def _names(node: ast.AST) -> Iterator[str]:
    """What is named, also in text. A name that is imported is named where it is used."""
    if isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
    ):
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.alias) and part.asname:
            yield part.name
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
