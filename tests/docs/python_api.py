"""Writes docs/reference/python-api.md from signatures and docstrings; `make docs` runs it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import markov_cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "python-api.md"

HEAD = """\
# Python API

This page is generated from the signatures and docstrings of `markov_cli`: `make docs`.

Every command of `markov` but `completion` and `man` has its function here, and both give the same answer.
Tables for people and HTML pages are the commands' own.

- **A path** is a `str` or a `pathlib.Path`. Where several may be given (`Paths`), a single one may be given, too. A
  folder means all files in it; `-` is standard input.
- **A text** is a `str`. `Texts` is one `str`, or an iterable of them. Every function that reads text takes files as
  `paths` (by position) and texts as `texts=`; in the same way `corpus` and `corpus_texts`, and so on. `encoding` is
  that of the files.
- **A model** is a `Model`, or the path of its file (`ModelLike`), wherever a function takes one.
- **A result** is a frozen dataclass. Its fields have the names of the command's JSON, and `to_dict()` gives the object
  that `--json` prints: rounded, with None for what is not finite.
- **An error** is a `MarkovError`, with `message` and `hint`; each function names the kinds that it raises. Messages
  name options as the command line has them: `--order` is `order=`.
- **Variables that the command sets** before it imports NumPy, and that a Python program sets itself where it wants
  them. `OPENBLAS_NUM_THREADS=1`: NumPy starts without threads of its own, which cost 0.1 s of the processor's time;
  without it a figure of `audit` can differ from the command's in its last bit. On AMD's Zen 4
  `NPY_DISABLE_CPU_FEATURES`, with the value `X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL
  AVX512_SPR` (the names of all versions): NumPy sorts five times as fast with AVX2 as with AVX-512 there, to the same
  order.
- `jobs` is the number of threads; it never changes a result. `smoothing=None` is the command's default.

A `Model` also has `vocabulary`, `table`, `file` and a few methods for work on the engine. They are not
described here, because they may change.
"""

GROUPS = {
    "Train": ["train", "train_file", "train_groups", "update", "update_file", "TrainedFile"],
    "The model": ["Model", "Mixture"],
    "Write text": ["Constraints", "explore", "Session"],
    "Inspect": ["inspect", "inspect_history", "verify", "vocabulary", "page"],
    "Score": [
        "score", "score_units", "score_tokens", "score_texts", "classify", "confusion", "tune", "tune_mixture",
    ],
    "Evidence of the training text": [
        "audit", "rebuild", "member", "trace", "make_canaries", "score_canaries", "Canaries",
    ],
    "Combine and shrink": ["merge", "forget", "static_mixture", "prune", "prune_by_entropy"],
    "Other programs": [
        "export_arpa", "export_counts", "export_markovify", "import_model", "import_arpa", "import_counts",
        "import_markovify",
    ],
}  # fmt: skip
# of the engine, for work on it: they may change
ENGINE = {"checked", "file", "mixed_model", "predictor", "table", "uses_raw_counts", "vocabulary"}
_ROW = re.compile(r"^([A-Za-z_]\w*(?:, [A-Za-z_]\w*)*)  +(\S.*)$")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    shown = {name for names in GROUPS.values() for name in names}
    for title, names in (*GROUPS.items(), ("Results", _results(shown)), ("Errors", _errors())):
        parts.append(f"## {title}\n")
        parts += [_entry(name) for name in names]
    return "\n".join(parts)


def left_out() -> set[str]:
    """Public names that the page does not have."""
    written = page()
    return {name for name in markov_cli.__all__ if f"### {name}\n" not in written} - {"__version__", "ModelLike"}


def _errors() -> list[str]:
    found = [n for n in markov_cli.__all__ if isinstance(_of(n), type) and issubclass(_of(n), Exception)]
    return sorted(found, key=lambda n: (n != "MarkovError", n))


def _results(shown: set[str]) -> list[str]:
    return [n for n in markov_cli.__all__ if isinstance(_of(n), type) and n not in shown and n not in _errors()]


def _of(name: str) -> Any:
    return getattr(markov_cli, name)


def _entry(name: str) -> str:
    found = _of(name)
    out = [f"### {name}\n"]
    if inspect.isfunction(found):
        out.append(_signature(name, found))
    out.append(_told(found))
    if dataclasses.is_dataclass(found):
        out.append(_fields(found))
    if isinstance(found, type) and not issubclass(found, Exception):
        out += [_method(found, n, v) for n, v in _methods(found)]
    return "\n".join(part for part in out if part)


def _methods(found: type) -> list[tuple[str, Any]]:
    some = [(n, v) for n, v in vars(found).items() if not n.startswith("_") and _is_method(v)]
    return [(n, v) for n, v in some if n not in ENGINE and not (dataclasses.is_dataclass(found) and n == "to_dict")]


def _is_method(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, (property, classmethod))


def _method(owner: type, name: str, value: Any) -> str:
    if isinstance(value, property):
        return f"#### {owner.__name__}.{name}\n\n{_told(value)}"
    function = value.__func__ if isinstance(value, classmethod) else value
    return f"#### {owner.__name__}.{name}\n\n{_signature(name, function, skip_first=True)}\n{_told(function)}"


def _signature(name: str, function: Any, skip_first: bool = False) -> str:
    signature = inspect.signature(function)
    given = list(signature.parameters.values())[skip_first:]
    shown, starred = [], False
    for one in given:
        if one.kind is one.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        default = "" if one.default is one.empty else f" = {'...' if callable(one.default) else repr(one.default)}"
        shown.append(f"{one.name}: {one.annotation}{default}")
    returns = f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(shown)}){returns}"
    if len(line) > 100:
        line = f"{name}(\n    " + ",\n    ".join(shown) + f",\n){returns}"
    return f"```text\n{line}\n```\n"


def _fields(found: Any) -> str:
    rows = [f"{one.name}: {one.type}" for one in dataclasses.fields(found) if not one.name.startswith("_")]
    return "```text\n" + "\n".join(rows) + "\n```\n" if rows else ""


def _told(found: Any) -> str:
    """A docstring as Markdown: rows of names become a list, examples a block."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(found.__doc__)):
        lines = block.splitlines()
        if lines[0].startswith(">>> "):
            out.append("```pycon\n" + block + "\n```\n")
            continue
        rows: list[str] = []
        for line in lines:
            row = _ROW.match(line)
            if row:
                rows.append(f"- {', '.join(f'`{n}`' for n in row[1].split(', '))}: {row[2]}")
            elif rows and rows[-1].startswith("- ") and line.startswith(" "):
                rows[-1] += f" {line.strip()}"
            else:
                rows += [""] if rows and rows[-1].startswith("- ") else []
                rows.append(line)
        out.append("\n".join(rows) + "\n")
    return "\n".join(out)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/docs/python_api.py --write")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
