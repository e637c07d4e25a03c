"""Texts found by the shapes of lines: the same as the parser finds, whatever is wrong with a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markov_cli.errors import TextError
from markov_cli.text import json_lines, json_shapes
from markov_cli.text.json_shapes import Shapes
from markov_cli.text.reading import Repairs
from markov_cli.text.record_blocks import read_records
from markov_cli.text.record_format import record_format
from markov_cli.text.sources import Source

TEXTS = [
    "", "ab", 'say "no"', "back\\slash", "\\", "tab\there", "é", "日本", "\ud800", "{", '": "', "1", "01",
    "\x7f", "\x7f0",
]  # fmt: skip
ODD = [
    "", '"', "\\", "\\u00e", "\\u00e9", "\\x", "0", "7", "00", "1e9", "-", ",", ":", "{", "}", "[", "]", " ", "\r",
    "\t", "\x7f",
]  # fmt: skip
FIELDS = ["text", "a", "b.text", "b", "a.text", "t1", "\x7f"]

values = st.one_of(
    st.sampled_from(TEXTS), st.integers(-200, 200), st.none(), st.booleans(), st.floats(0, 1), st.just([]),
    st.lists(st.sampled_from(TEXTS), max_size=2),
    st.dictionaries(st.sampled_from(["text", "a", "t1"]), st.sampled_from(TEXTS), max_size=2),
)  # fmt: skip
KEYS = ["text", "a", "b.text", "t1", "t2", 'a"', "te\\u0078t", "te\\u0079t"]  # as they stand in a line
objects = st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=4)
COLONS = [":", ": ", " : "]


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Lines of few shapes, some of them damaged."""
    out = []
    for pairs in draw(st.lists(objects, min_size=1, max_size=3)):
        loose, mixed = draw(st.booleans()), draw(st.booleans())
        separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]))
        for _ in range(draw(st.integers(1, 4))):
            again = [(k, draw(values) if draw(st.integers(0, 3)) == 0 else v) for k, v in pairs]
            body = separators[0].join(
                f'"{k.replace(chr(34), chr(92) + chr(34))}"'
                + (draw(st.sampled_from(COLONS)) if mixed else separators[1])
                + json.dumps(v, ensure_ascii=loose, separators=separators)
                for k, v in again
            )
            line = "{" + body + "}"
            if draw(st.integers(0, 4)) == 0:
                i = draw(st.integers(0, len(line)))
                line = line[:i] + draw(st.sampled_from(ODD)) + line[i + draw(st.integers(0, 2)) :]
            out.append(line)
    return draw(st.permutations(out))


def read(data: bytes, field: str, skip_bad: bool) -> tuple[list[bytes], list[int], Repairs, str]:
    """Texts, places, repairs, and the error of a source."""
    form = record_format(jsonl=field, skip_bad=skip_bad)
    repairs, texts, places = Repairs(), [], []
    try:
        for batch in read_records(Source("x.jsonl", data=data, records=form), "utf-8", repairs):
            texts += batch.texts
            places += batch.place
    except TextError as error:
        return texts, places, repairs, f"{error} {error.hint}"
    return texts, places, repairs, ""


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(json_lines, "_FEWEST_BYTES", 0)
    monkeypatch.setattr(json_shapes, "_CODE_BYTES", 0)
    yield


@settings(max_examples=400, deadline=None)
@given(
    lines(),
    st.sampled_from(FIELDS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([40, 200, 1 << 18]),
)
def test_the_same_records_as_the_parser(
    found: list[str], field: str, skip_bad: bool, crlf: bool, torn: bool, block_bytes: int
) -> None:
    """Texts, places, repairs and errors of lines of any shape, in blocks of any size."""
    data = ("\r\n" if crlf else "\n").join(found).encode("utf-8", "surrogatepass" if torn else "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_FEWEST_BYTES", 0)
        patch.setattr(json_lines, "_READ_BYTES", block_bytes)
        patch.setattr(json_shapes, "_CODE_BYTES", 0)
        patch.setattr(json_shapes, "_PAUSE", 0)
        fast = read(data, field, skip_bad)
        patch.setattr(json_lines, "_FEWEST_BYTES", 1 << 60)
        slow = read(data, field, skip_bad)
    if slow[3]:  # an error ends the reading, and no repair is told
        assert fast[3] == slow[3]
    else:
        assert fast == slow


def test_few_lines_of_many_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser reads a line of each shape, and the lines that have none."""
    parsed: list[str] = []

    def counted(line: str) -> object:
        parsed.append(line)
        return json_lines.parsed_object(line)

    monkeypatch.setattr(json_lines, "Shapes", lambda field, _: Shapes(field, counted))
    rows = [
        json.dumps({"n": 7 * i, "user": "ann", "text": f'line "{i}" é'}, ensure_ascii=i % 2 == 0) for i in range(500)
    ]
    texts, places, _, _ = read("\n".join(rows).encode(), "text", False)
    assert texts == [f'line "{i}" é'.encode() for i in range(500)]
    assert places == [*range(1, 501)]
    assert len(parsed) == 3  # numbers of one digit that is 0, of one that is not, and of several


def test_a_text_of_many_escapes_is_parsed() -> None:
    """Where escapes with a number are many, the parser is faster."""
    rows = [json.dumps({"text": "да и нет", "n": i}) for i in range(100)]
    shapes = Shapes("text", json_lines.parsed_object)
    assert shapes.find("\n".join(rows).encode()) is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_shapes, "_CODE_BYTES", 200)
        assert shapes.find("\n".join(rows).encode()) is None
        assert shapes.find(b'{"text": "a"}') is None  # a pause of some blocks


def test_a_long_line_is_parsed() -> None:
    """A block that is one long line takes no more memory than the parser needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_READ_BYTES", 100)
        patch.setattr(json_lines, "Shapes", _Refuses)
        assert read(json.dumps({"text": '"' * 1000}).encode(), "text", False)[0] == [b'"' * 1000]


class _Refuses(Shapes):
    def find(self, data: bytes) -> None:
        pytest.fail(f"asked for the shapes of {len(data)} bytes")


@pytest.mark.parametrize(
    ("first", "second", "field", "expected"),
    [
        ('{"text": "y", "a" : "x"}', '{"text": "y", "text" : "x"}', "text", [b"y", b"x"]),
        ('{"b": {"text": "y"}, "zz" : "x"}', '{"b": {"text": "y"}, "b.text" : "x"}', "b.text", [b"y", b"x"]),
        ('{"a\\"": true, "te\\u0078t": "v"}', '{"a\\"": true, "te\\u0079t": "v"}', "text", [b"v"]),
    ],
)
def test_keys_that_a_shape_does_not_tell(first: str, second: str, field: str, expected: list[bytes]) -> None:
    """Spaces before colons, and escapes in keys."""
    assert read(f"{first}\n{second}".encode(), field, True)[0] == expected


def test_keys_with_digits_are_not_mistaken() -> None:
    """Lines that differ in a digit of a key have one shape here, and are all parsed."""
    rows = ['{"t1": "x", "t2": "y"}', '{"t2": "y", "t1": "x"}'] * 20
    assert read("\n".join(rows).encode(), "t2", False)[0] == [b"y"] * 40


def test_long_numbers_are_refused_as_by_the_parser() -> None:
    """A number of 5,000 digits has the shape of one with 2, but Python does not read it."""
    rows = ['{"n": 12, "text": "a"}'] * 5 + ['{"n": ' + "1" * 5000 + ', "text": "a"}']
    data = "\n".join(rows).encode()
    with pytest.MonkeyPatch.context() as patch:
        fast = read(data, "text", True)
        patch.setattr(json_lines, "_FEWEST_BYTES", 1 << 60)
        assert fast == read(data, "text", True)


def test_long_records_and_blocks_of_text(tmp_path: Path) -> None:
    """Records of several blocks of lines make one block of text, and a long one blocks of its own."""
    from markov_cli.text.record_blocks import record_blocks

    rows = [json.dumps({"text": "word " * n}) for n in (3, 9000, 2, 70_000, 1, 40_000, 40_000)]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    source = Source(str(path), records=record_format(jsonl="text"))
    blocks = [*record_blocks(source, 0, "utf-8", Repairs(), 1 << 17, 1 << 20, "line")]
    assert sum(block.text_bytes for block in blocks) == sum(5 * n + 1 for n in (3, 9000, 2, 70_000, 1, 40_000, 40_000))
    assert [i for block in blocks if block.first for i in block.place] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(block.progress_bytes for block in blocks) == path.stat().st_size
