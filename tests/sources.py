"""The statements of this project's sources; each file is parsed once in a process."""

import ast
import functools


@functools.cache
def statements(path):
    """Every statement of a file, the file itself first; ast.walk has its expressions too, ten times as many."""
    found, todo = [], [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        found.append(node)
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo += getattr(node, block, [])
    return found
