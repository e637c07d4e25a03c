"""Every exported name of `markov_cli` imports, has an example, and uses public types only."""

import dataclasses
import inspect
import os
import re
import subprocess
import sys
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


USER = """
from pathlib import Path

import markov_cli as m

text = Path("a.txt")
model: m.Model = m.train(text, order=2, lowercase=True)
model, n_bytes = m.train_file([text], "a.npz", jobs=2)
table: m.ConfusionTable = m.confusion("models", "chat.csv", csv="text", label="who")
groups: m.TrainedGroups = m.train_groups("chat.csv", "models/{}.npz", csv="text", group_by="who", min_group=2)
more: m.Model = m.update(model, texts=["new text"])
larger: m.Model = m.update_file(model, text, "b.npz", memory=10**9).model
shares: list[float | None] = [o.retained for o in m.audit("a.npz", corpus=text).orders]
again: str = m.rebuild(model, seed=1).text
verdicts: list[str] = [one.verdict for one in m.member(text, texts="a b").member]
keys: m.Canaries = m.make_canaries("code {d}", repeat=1)
exposed: float = m.score_canaries(model, keys).groups[0].median_exposure_bits
merged: m.Model = m.merge([model, "a.npz"], [1, 2])
left: m.Model = m.forget(merged, text, jsonl="text", by={"who": "Ann"}).model
m.static_mixture([model, model], [1, 3], smoothing="wb").save("mixed.npz")
small: m.Model = m.prune(merged, (0, 1))
tight: m.Model = m.prune_by_entropy(small, n_bytes=10**6, heldout=text).model
notes: tuple[str, ...] = m.export_arpa(model, Path("a.arpa")).notes
m.export_counts(model, "a.tsv", order=2)
with open("a.json", "wb") as out:
    m.export_markovify(model, out)
for read in (m.import_arpa, m.import_counts, m.import_markovify, m.import_model):
    made: m.Model = read(text)
perplexity: float = m.score([model, "a.npz"], text, weights=[1, 2]).perplexity
costs: list[float] = [u.bits for u in m.score_units(model, texts="a b")] + [t.bits for t in m.score_tokens(model, text)]
each: list[m.TextScore] = list(m.score_texts(model, ["a b", "c"]))
best: list[int | None] = [c.index for c in m.classify([model, "a.npz"], ["a b"])]
weights: tuple[float, ...] = m.tune_mixture([model, "a.npz"], text).weights
parts: tuple[m.TunedPart, ...] = m.tune(model, text, classes=[3], adapt=True).parts
session: m.Session = m.explore(model, "the", seed=1)
rows: tuple[m.Follower, ...] = session.state(3).followers
first: m.Follower = m.inspect_history(model, "the").backoff[0].followers[0]
bits: float | None = m.inspect(model).orders[0].entropy_bits
whole: bool = m.verify("a.npz").whole
known: list[str] = m.vocabulary("a.npz")
in_page: int = sum(m.page(model, max_bytes=10**6).ngrams_after)
found: m.TraceReport = m.trace(texts=(t.text for t in model.generate(3)), corpus=text)
places: list[tuple[str, int]] = [(f.file, f.line) for f in found.fragments]
mixed: list[m.Text] = list(m.Mixture([model, "a.npz"]).generate(2, constraints=m.Constraints(contains=["cat"])))
as_json: dict[str, object] = found.to_dict()
try:
    model.followers("zebra")
except m.HistoryError as error:
    print(error.message, error.hint)
"""


def test_a_script_that_uses_each_function_passes_mypy_strict(tmp_path):
    assert all(re.search(rf"\bm\.{name}\b", USER) for name in FUNCTIONS)
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(USER)
    done = subprocess.run(  # with the options and the cache of `make test`, which are those of pyproject.toml: strict
        [sys.executable, "-m", "mypy", "--no-error-summary", str(script)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout == "" and done.returncode == 0, done.stdout + done.stderr
