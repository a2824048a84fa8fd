"""A codemod in LibCST that only swaps the decorator: the peer that `rehook diff` is compared with.

    python benches/libcst_codemod.py FOLDER [--processes N]

It does a fraction of the work: no router, no imports, no replies, no diff; it parses each file,
renames the decorator and makes the new text.
"""

import argparse
import multiprocessing
import pathlib

import libcst
import libcst.matchers as m

WEBHOOK = m.Decorator(m.Call(func=m.Attribute(attr=m.Name("mount_webhook_method"))))


class Swap(libcst.CSTTransformer):
    def leave_Decorator(self, original_node, updated_node):
        if not m.matches(original_node, WEBHOOK):
            return updated_node
        callee = libcst.Attribute(libcst.Name("router"), libcst.Name("post"))
        return updated_node.with_deep_changes(updated_node.decorator, func=callee)


def migrate(path: pathlib.Path) -> int:
    return len(libcst.parse_module(path.read_bytes()).visit(Swap()).bytes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.rglob("*.py"))
    if arguments.processes == 1:
        total = sum(map(migrate, paths))
    else:
        with multiprocessing.Pool(arguments.processes) as pool:
            total = sum(pool.imap_unordered(migrate, paths, chunksize=16))
    print(len(paths), "files,", total, "bytes")


if __name__ == "__main__":
    main()
