"""Imports go one way: no module imports a room above its own, and no modules import each other in a circle.

The docstring of the package lists the rooms from bottom to top; each room's `__init__` names the rooms it may
import. Imports inside functions and for type checking count, too.
"""

import ast
import functools
import graphlib
import re
from pathlib import Path

import pytest

import markov_cli
from sources import statements

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "markov_cli"
FLOW = re.findall(r"^    (\w+)  +\w", markov_cli.__doc__, re.M)


def modules(folder):
    """Dotted name -> path of every module below a folder; a package by its folder's name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name, path, known):
    """The modules of `known` that one imports, packages by their own name."""
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    here = [part for part in here if part]
    for node in statements(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                inside = ".".join([*base, alias.name])
                yield inside if inside in known else ".".join(base)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


@functools.cache
def arrows(folder):
    """{module: modules it imports} of a folder."""
    known = modules(folder)
    return {name: set(imported(name, path, known)) - {name} for name, path in known.items()}


def room(module):
    return module.split(".")[0]


@functools.cache
def ours():
    """The arrows of the package: asked for by tests, since each process of a run imports this module."""
    return {name: to for name, to in arrows(PACKAGE).items() if name not in ("", "__main__")}


def test_the_flow_names_every_room():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert set(FLOW) == rooms | {"errors"}
    loose = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert loose == ["__init__.py", "__main__.py", "errors.py"]


def test_a_module_imports_only_rooms_below_its_own():
    level = {name: i for i, name in enumerate(FLOW)}
    level.update({"": -1, "__main__": len(FLOW)})  # the package itself may be imported by all
    assert not [(name, to) for name, all_to in ours().items() for to in all_to if level[room(to)] > level[room(name)]]


@pytest.mark.parametrize("name", [r for r in FLOW if r != "errors"])
def test_each_room_says_what_it_may_import(name):
    said = re.search(
        r"May import: ([\w, ]+)\.",
        ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8"))),
    )
    allowed = said[1].split(", ")
    assert allowed == [r for r in FLOW if r in allowed]  # rooms that exist, in the order of the flow
    assert name not in allowed
    used = {room(to) for module, to_all in ours().items() if room(module) == name for to in to_all} - {name, ""}
    assert used == set(allowed)


@pytest.mark.parametrize("folder", [PACKAGE, ROOT / "benchmarks"], ids=["package", "benchmarks"])
def test_no_modules_import_each_other_in_a_circle(folder):
    graph = {a: {b for b in to if b} for a, to in arrows(folder).items() if a}
    graphlib.TopologicalSorter(graph).prepare()  # CycleError names it


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_file_over_400_lines_and_no_function_over_80(folder):
    """Docstrings of functions are not counted."""
    too_long = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        too_long += [path.name] if text.count("\n") > 400 else []
        for node in statements(path):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                told = node.body[0] if ast.get_docstring(node) else None
                lines = node.end_lineno - node.lineno + 1 - (told.end_lineno - told.lineno + 1 if told else 0)
                too_long += [f"{path.name}: {node.name}"] if lines > 80 else []
    assert too_long == []
