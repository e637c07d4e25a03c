"""Every exported name of `markov_cli` imports, has an example, and uses public types only."""

import dataclasses
import inspect
import re
import typing
from pathlib import Path

import pytest

import markov_cli
from markov_cli.api.results import Result

ROOT = Path(__file__).resolve().parents[2]
NAMES = [name for name in markov_cli.__all__ if name != "__version__"]
PUBLIC = {id(getattr(markov_cli, name)): name for name in NAMES}
ERRORS = [
    n for n in NAMES if isinstance(getattr(markov_cli, n), type) and issubclass(getattr(markov_cli, n), Exception)
]
FUNCTIONS = [n for n in NAMES if inspect.isfunction(getattr(markov_cli, n))]
CLASSES = [n for n in NAMES if isinstance(getattr(markov_cli, n), type) and n not in ERRORS]
RESULTS = [n for n in CLASSES if dataclasses.is_dataclass(getattr(markov_cli, n))]
ALIASES = [n for n in NAMES if n not in {*ERRORS, *FUNCTIONS, *CLASSES}]
PLAIN = {str, int, float, bool, bytes, type(None), list, tuple, dict, set, object, typing.Any}


def test_the_list_is_complete_and_sorted():
    assert markov_cli.__all__ == sorted(set(markov_cli.__all__))
    assert ALIASES == ["ModelLike"]
    assert dir(markov_cli) == markov_cli.__all__
    assert {name for names in markov_cli._WHERE.values() for name in names} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_imports_and_is_itself(name):
    found = getattr(markov_cli, name)
    if name not in ALIASES:
        assert found.__name__ == name and found.__doc__
        assert not found.__doc__.startswith(("What ", "Whether ", "How ", "Of ", "The same"))


COMMON = {"model", "path", "paths", "texts", "encoding", "jobs"}  # one meaning everywhere, told once on the page


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_an_example_and_a_hint_for_everything(name):
    found = getattr(markov_cli, name)
    assert f"markov_cli.{name}(" in found.__doc__, "no example that calls it"
    signature = inspect.signature(found)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
        assert parameter.kind is not parameter.VAR_KEYWORD
        told = found.__doc__ + (markov_cli.train.__doc__ if name == "train_file" else "")
        assert parameter.name in COMMON or re.search(rf"\b{parameter.name}\b", told), f"{parameter.name} is not told"


EXPLAINED_BY_THEIR_FUNCTION = {n for n in RESULTS if issubclass(getattr(markov_cli, n), Result)}


@pytest.mark.parametrize("name", sorted({*CLASSES} - EXPLAINED_BY_THEIR_FUNCTION))
def test_a_class_has_an_example(name):
    found = getattr(markov_cli, name)
    docs = [found.__doc__, *(v.__doc__ or "" for v in vars(found).values() if inspect.isfunction(v))]
    reached = {t for f in FUNCTIONS for t in named(typing.get_type_hints(getattr(markov_cli, f))["return"])}
    reached |= {t for n in RESULTS for t in fields_of(getattr(markov_cli, n))}
    reached |= {t for v in vars(markov_cli.Model).values() if inspect.isfunction(v) for t in returned(v)}
    assert any(">>> " in text for text in docs) or found in reached


def returned(method):
    try:
        return named(typing.get_type_hints(method).get("return"))
    except NameError:  # of the engine, imported for type checkers only
        return set()


def named(hint):
    """The classes that a hint is made of."""
    inner = typing.get_args(hint)
    if inner:
        return {t for one in inner for t in named(one)}
    return {hint}


def fields_of(result):
    return {t for one in typing.get_type_hints(result).values() for t in named(one)}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_holds_public_types_only(name):
    result = getattr(markov_cli, name)
    assert dataclasses.fields(result)
    for one in fields_of(result):
        assert one in PLAIN or one is ... or id(one) in PUBLIC, f"{name}: {one}"


@pytest.mark.parametrize("name", [n for n in RESULTS if n not in ("Canaries", "Constraints")])
def test_a_result_is_frozen(name):
    assert getattr(markov_cli, name).__dataclass_params__.frozen


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_returns_public_types_only(name):
    for one in named(typing.get_type_hints(getattr(markov_cli, name))["return"]):
        assert one in PLAIN or id(one) in PUBLIC, f"{name}: {one}"


def test_every_result_is_reached_from_a_function():
    """A type in the list that no function gives is none of the API."""
    seen = set()
    todo = [t for f in FUNCTIONS for t in named(typing.get_type_hints(getattr(markov_cli, f))["return"])]
    todo += [
        markov_cli.StreamedToken,
        markov_cli.Text,
        markov_cli.PromptMatch,
        markov_cli.ModelSummary,
        markov_cli.SessionState,
    ]
    todo += [markov_cli.RepairCounts]
    while todo:
        one = todo.pop()
        if id(one) in PUBLIC and one not in seen:
            seen.add(one)
            todo += fields_of(one) if dataclasses.is_dataclass(one) else []
    given = {"Constraints"}  # an argument
    assert {n for n in RESULTS if getattr(markov_cli, n) not in seen} == given


def test_a_single_path_or_text_is_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one two")
    for given in (path, str(path), [path], (p for p in [path])):
        assert markov_cli.train(given).header.tokens == 2
    for texts in ("one two", ["one two"], (t for t in ["one two"])):
        assert markov_cli.train(texts=texts).header.tokens == 2


def test_a_model_is_a_model_or_a_file(tmp_path):
    path = tmp_path / "m.npz"
    model = markov_cli.train(texts="a b. a c.")
    model.save(path)
    for given in (model, path, str(path)):
        assert [f.token for f in markov_cli.inspect_history(given, "a").followers] == ["b", "c"]
    assert (markov_cli.inspect(path).model, markov_cli.inspect(model).model) == (str(path), None)
    with pytest.raises(markov_cli.ModelFileError, match="no such file"):
        markov_cli.audit(tmp_path / "missing.npz")


def test_the_script_that_mypy_checks_uses_each_function():
    script = Path(__file__).with_name("script_of_a_user.py")
    assert f'"{script.relative_to(ROOT).as_posix()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    used = script.read_text(encoding="utf-8")
    assert all(re.search(rf"\bm\.{name}\b", used) for name in FUNCTIONS)
