"""Records of every format give the model of plain texts; what is no record is counted, or an error with its line."""

import bz2
import csv
import gzip
import io
import json
import lzma
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import markov_cli
import strategies
from helpers import bytes_of
from markov_cli.errors import OptionError, TextError
from markov_cli.text import json_lines
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import Repairs, Source
from markov_cli.text.record_blocks import read_records, record_blocks
from markov_cli.text.record_format import RecordFormat, record_format
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions

FORMATS = ["jsonl", "csv", "tsv", "numbered", "parquet"]


def file_of(kind, texts, **more):
    """A file of records as bytes, and its format; `more` are further columns."""
    rows = [{"id": i, "text": t, **{k: v[i] for k, v in more.items()}} for i, t in enumerate(texts)]
    if kind == "jsonl":
        lines = [json.dumps(row, ensure_ascii=i % 2 == 0) for i, row in enumerate(rows)]
        return "".join(line + "\n" for line in lines).encode(), record_format(jsonl="text")
    if kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        out = io.BytesIO()
        columns = {"id": pyarrow.int64(), "text": pyarrow.string()}
        table = pyarrow.table(
            {
                **{name: pyarrow.array([row[name] for row in rows], kind) for name, kind in columns.items()},
                **{name: [row[name] for row in rows] for name in more},
            }
        )
        parquet.write_table(table, out, row_group_size=3)
        return out.getvalue(), record_format(parquet="text")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t" if kind == "tsv" else ",", quoting=csv.QUOTE_ALL)
    names = ["id", "text", *more]
    if kind != "numbered":
        writer.writerow(names)
    writer.writerows([[row[name] for name in names] for row in rows])
    return out.getvalue().encode(), record_format(csv="2" if kind == "numbered" else "text")


def source_of(data, form, name="data"):
    """A file in memory."""
    return Source(name, data=data, records=form)


def batches(data, form, name="data", longest=1 << 28):
    """All records of a file, and what was repaired."""
    repairs = Repairs()
    found = list(read_records(source_of(data, form, name), "utf-8", repairs, longest))
    return [t.decode() for b in found for t in b.texts], [p for b in found for p in b.place], repairs


def model_bytes(sources, tokenizer, unit, **options):
    pattern = r"\w+|[^\w\s]" if tokenizer == "regex" else None
    try:
        made = train_sources(sources, TrainOptions(text=TextOptions(tokenizer, unit, pattern=pattern), **options))
    except TextError:
        return "no token"
    from markov_cli.api.train import model_of

    return bytes_of(model_of(made)), made.repairs.empty_sequences


@given(
    st.lists(st.one_of(strategies.texts, strategies.prose), max_size=6),
    st.sampled_from(FORMATS),
    st.sampled_from(strategies.TOKENIZERS),
    st.sampled_from(strategies.UNITS),
    st.sampled_from([7, 64, 1 << 20]),
)
@example(["a b", "c", ""], "jsonl", "words", "file", 1 << 20)
@example(["a. b", "c d."], "parquet", "words", "sentence", 7)
def test_records_give_the_model_of_plain_texts(texts, kind, tokenizer, unit, block_bytes):
    """A file each; or, where a sequence is a line, one text with a record a line."""
    data, form = file_of(kind, texts)
    if kind == "tsv":
        form = RecordFormat("csv", "text")
    plain = [Source(f"text {i}", data=t.encode()) for i, t in enumerate(texts)]
    if unit == "line":
        plain = [Source("text", data="".join(t + "\n" for t in texts).encode())]
    with mock.patch.object(json_lines, "_READ_BYTES", 11):
        read = source_of(data, form, "data.tsv" if kind == "tsv" else "data.csv")
        found = model_bytes([read], tokenizer, unit, block_bytes=block_bytes)
    assert found == model_bytes(plain, tokenizer, unit)


@given(st.lists(strategies.texts, max_size=8), st.sampled_from(FORMATS), st.integers(1, 300))
def test_every_record_is_read_with_its_line(texts, kind, read_bytes):
    data, form = file_of(kind, texts)
    with mock.patch.object(json_lines, "_READ_BYTES", read_bytes):
        found, place, repairs = batches(data, form, "data.tsv" if kind == "tsv" else "data.csv")
    assert found == texts
    assert repairs == Repairs()
    if kind in ("jsonl", "parquet"):
        assert place == [i + 1 for i in range(len(texts))]
    else:  # the line on which a row begins; quoted line breaks are lines, too
        line, expected = 1 + (kind != "numbered"), []
        for text in texts:
            expected.append(line)
            line += 1 + text.count("\n")
        assert place == expected


@pytest.mark.parametrize("kind", FORMATS[:-1])
@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files(tmp_path, kind, packed):
    data, form = file_of(kind, ["a b", "c"])
    name = tmp_path / ("x.tsv.gz" if kind == "tsv" else "x.gz")
    name.write_bytes(packed(data))
    model = markov_cli.train(name, unit="file", **{form.kind: form.text})
    assert (model.header.tokens, model.header.sequences) == (3, 2)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_files_at_addresses(kind):
    fsspec = pytest.importorskip("fsspec")
    data, form = file_of(kind, ["a b", "c"])
    store = fsspec.filesystem("memory")
    for name in ("one", "two"):
        with store.open(f"/{kind}/{name}", "wb") as out:
            out.write(data if kind == "parquet" else gzip.compress(data))
    asked = {"unit": "file", form.kind: form.text}
    assert markov_cli.train(f"memory://{kind}/one", **asked).header.tokens == 3
    assert markov_cli.train(f"memory://{kind}", **asked).header.sequences == 4


def test_a_parquet_file_is_named_where_text_is_asked_for(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"PAR1\x15\x04" + bytes(99))
    with pytest.raises(TextError, match="a Parquet file, not text") as told:
        markov_cli.train(path, jsonl="t")
    assert told.value.hint == "name its column of texts: --parquet COLUMN"


def test_records_that_are_all_bad(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": "b"}\n' * 3)
    with pytest.raises(TextError, match=r"x\.jsonl: no token; 3 records left out") as told:
        markov_cli.train(path, jsonl="text", skip_bad=True)
    assert told.value.hint.endswith("x.jsonl: line 1: no field 'text'")


# ------------------------------------------------------------ records that are none

JSON = [
    ('{"t": null}', "field 't' is null, not a text"),
    ('{"t": 3}', "field 't' is a number, not a text"),
    ('{"t": ["a"]}', "field 't' is a list, not a text"),
    ('{"u": "a"}', "no field 't'"),
    ("{}", "no field 't'"),
    ("[1]", "a list, not an object"),
    ('"a"', "a text, not an object"),
    ('{"t": "a"', "not JSON: Expecting ',' delimiter"),
    ('{"t": "a"} {"t": "b"}', "not JSON: Extra data"),
    ('{"t": "a"}, {"t": "b"}', "not JSON: Extra data"),
    ('{"t": "a\tb"}', "not JSON: Invalid control character at"),
    ('{"t": [', "not JSON: Expecting value"),
    ('{"t": ' + "[" * 9999 + "}", "not JSON: nested too deeply"),
    ('{"t": ' + "9" * 9999 + "}", None),  # newer Pythons refuse such a number, others do not
    ("xx", "not JSON: Expecting value"),
]


@pytest.mark.parametrize(("line", "reason"), JSON)
def test_a_line_that_is_no_record(line, reason):
    good = '{"t": "a"}\n'
    data = (good + "\n" + line + "\r\n" + good).encode()
    with pytest.raises(TextError, match=r"^data: line 3: ") as told:
        batches(data, RecordFormat("jsonl", "t"))
    assert "--skip-bad" in told.value.hint
    found, place, repairs = batches(data, RecordFormat("jsonl", "t", skip_bad=True))
    assert (found, place) == (["a", "a"], [1, 4])
    assert repairs.first_bad == "data: line 3"
    assert list(repairs.bad_records.values()) == [1]
    if reason:
        assert told.value.message == f"data: line 3: {reason}"
        assert list(repairs.bad_records) == [reason]


def test_an_object_over_several_lines_is_no_record():
    found, _, repairs = batches(b'{"t":\n"a"}\n{"t": "b"}\n', RecordFormat("jsonl", "t", skip_bad=True))
    assert found == ["b"]
    assert sum(repairs.bad_records.values()) == 2


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        ("id,t\n1,a\n2\n3,b\n", "line 3", "no column 't'"),
        ("id,t\n1,a\n2,x,y\n3,b\n", "line 3", "more columns than the header"),
        ('id,t\n1,"a\nb"\n2,"x"y\n3,b\n', "line 4", "not CSV: ',' expected after '\"'"),
        ('id,t\n1,a\n3,b\n2,"x\n', "line 4", "not CSV: a quoted field without an end"),
    ],
)
def test_a_row_that_is_no_record(data, place, reason):
    with pytest.raises(TextError) as told:
        batches(data.encode(), RecordFormat("csv", "t"))
    assert told.value.message == f"data: {place}: {reason}"
    found, _, repairs = batches(data.encode(), RecordFormat("csv", "t", skip_bad=True))
    assert len(found) == 2
    assert (found[-1], repairs.bad_records) == ("b", {reason: 1})


def test_rows_of_parquet_that_are_no_records():
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def data(column, name="t"):
        out = io.BytesIO()
        parquet.write_table(pyarrow.table({name: column}), out)
        return out.getvalue()

    nulls = data(["a", None, "b"])
    with pytest.raises(TextError, match=r"^data: row 2: field 't' is null, not a text$"):
        batches(nulls, RecordFormat("parquet", "t"))
    assert batches(nulls, RecordFormat("parquet", "t", skip_bad=True))[0] == ["a", "b"]
    with pytest.raises(TextError, match=r"^data: column 't' holds int64, not text$"):
        batches(data([1, 2]), RecordFormat("parquet", "t"))
    with pytest.raises(TextError, match=r"^data: no column 'u'$"):
        batches(nulls, RecordFormat("parquet", "u"))
    with pytest.raises(TextError, match=r"^data: a damaged Parquet file"):
        batches(nulls[:-9], RecordFormat("parquet", "t"))
    with pytest.raises(TextError, match=r"^data: not a Parquet file"):
        batches(b"PK\3\4 and more", RecordFormat("parquet", "t"))
    inner = data([{"u": "a"}, {"u": "b"}, None])
    assert batches(inner, RecordFormat("parquet", "t.u", skip_bad=True))[0] == ["a", "b"]
    words = data(pyarrow.array(["a", "b", "a"]).dictionary_encode())
    assert batches(words, RecordFormat("parquet", "t"))[0] == ["a", "b", "a"]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "counted"])
def test_a_line_that_is_too_long_is_passed_over(kind):
    long = "x" * 5000
    data = {
        "jsonl": f'{{"t": "a"}}\n{{"t": "{long}"}}\n{{"t": "b"}}\n{{"t": "{long}"}}',
        "csv": f"t\na\n{long}\nb\n{long}",
        "counted": f"a\t1\n{long}\t2\nb\t3\n{long}",
    }[kind].encode()
    form = RecordFormat(kind, "" if kind == "counted" else "t", times="" if kind == "counted" else None)
    line = 3 if kind == "csv" else 2
    with mock.patch.object(json_lines, "_READ_BYTES", 100):
        with pytest.raises(TextError, match=rf"^data: line {line}: longer than 1,000 bytes$"):
            batches(data, form, longest=1000)
        form = RecordFormat(kind, form.text, times=form.times, skip_bad=True)
        found, _, repairs = batches(data, form, longest=1000)
    assert found == ["a", "b"]
    assert repairs.bad_records == {"longer than 1,000 bytes": 2}


def test_a_header_chooses_the_delimiter():
    for delimiter in ",;\t":
        data = f"id{delimiter}t\n1{delimiter}a,b;c\n" if delimiter == "\t" else f"id{delimiter}t\n1{delimiter}a\n"
        assert batches(data.encode(), RecordFormat("csv", "t"))[0] == ["a,b;c" if delimiter == "\t" else "a"]
    with pytest.raises(TextError, match=r"^data: no column 'x'$") as told:
        batches(b"id,t\n1,a\n", RecordFormat("csv", "x"))
    assert told.value.hint == "its columns: 'id', 't'"


def test_a_long_record_is_divided_and_keeps_its_place():
    text = "word " * 100
    data = "".join(json.dumps({"t": t}) + "\n" for t in ("a", text, "b")).encode()
    source = source_of(data, RecordFormat("jsonl", "t"))
    found = list(record_blocks(source, 0, "utf-8", Repairs(), 64, 1 << 20, "sentence"))
    assert [block.place for block in found] == [[1], *[[2]] * (len(found) - 2), [3]]
    assert b"".join(bytes(b.data[: b.size]) for b in found) == f"a{text}b".encode()


def test_half_a_surrogate_pair_is_counted():
    found, _, repairs = batches(b'{"t": "a\\ud800b"}', RecordFormat("jsonl", "t"))
    assert (found, repairs.invalid) == (["a\ufffdb"], 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jsonl": "a", "csv": "b"}, "--jsonl and --csv exclude each other"),
        ({"skip_bad": True}, "--skip-bad needs records"),
        ({"jsonl": ""}, "--jsonl '': no name"),
        ({"csv": "0"}, "columns are numbered from 1"),
        ({"csv": 2, "group": 0}, "columns are numbered from 1"),
        ({"csv": 2, "group": "who"}, "no row is a header"),
    ],
)
def test_formats_that_cannot_be(options, words):
    with pytest.raises(OptionError, match=words):
        record_format(**options)


# ------------------------------------------------------------ records of someone


@pytest.mark.parametrize("kind", FORMATS)
def test_records_of_some_authors_are_read_alone(kind):
    """A record without an author is nobody's, and nothing is asked of the text of another's."""
    authors = ["Ann", "Bob", "Ann", "", "Cy"]
    data, form = file_of(kind, [f"text {i}" for i in range(5)], who=authors)
    who = "3" if kind == "numbered" else "who"

    def read(*values):
        by = replace(form, by=((who, values),))
        return batches(data, by)[0]

    assert read("Ann") == ["text 0", "text 2"]
    assert read("Bob", "Cy") == ["text 1", "text 4"]
    assert read("") == ["text 3"]
    assert read("ann") == []


def test_authors_of_json_lines():
    data = b"""{"t": "a", "who": {"id": 7}, "ok": true}\n{"t": "b"}\n{"t": null, "who": null}
{"t": "c", "who": {"id": "7"}, "ok": false}\n{"t": "d", "who": {"id": 7.5}}\n"""

    def read(**by):
        repairs = Repairs()
        form = record_format(jsonl="t", by={name.replace("_", "."): value for name, value in by.items()})
        found = [t for b in read_records(source_of(data, form), "utf-8", repairs) for t in b.texts]
        return found, repairs.found_by

    assert read(who_id="7") == ([b"a", b"c"], {"who.id=7": 2})
    assert read(who_id=["7", "8"], ok="true") == ([b"a"], {"who.id=7": 1, "ok=true": 1})


def test_an_author_of_no_record_is_an_error(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"t": "a b", "who": "Ann"}\n{"t": "c d", "who": "Bob"}\n')
    model = markov_cli.train(path, jsonl="t")
    left = markov_cli.forget(model, path, jsonl="t", by={"who": "Bob"})
    assert (left.forgotten_records, left.forgotten_tokens) == (1, 2)
    assert bytes_of(left.model) == bytes_of(markov_cli.train(texts=["a b"]))
    with pytest.raises(TextError, match="no record with who=Cy"):
        markov_cli.forget(model, path, jsonl="t", by={"who": ["Ann", "Cy"]})
    with pytest.raises(OptionError, match="--by needs --jsonl, --csv or --parquet"):
        markov_cli.forget(model, path, by={"who": "Ann"})
    with pytest.raises(OptionError, match="--csv 2, --by 'who': with a number"):
        markov_cli.forget(model, path, csv="2", by={"who": "Ann"})


def test_long_records_and_blocks_of_text(tmp_path):
    """Records of several blocks of lines make one block of text, and a long one blocks of its own."""
    sizes = (3, 9000, 2, 70_000, 1, 40_000, 40_000)
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(json.dumps({"text": "word " * n}) for n in sizes), encoding="utf-8")
    source = Source(str(path), records=record_format(jsonl="text"))
    blocks = [*record_blocks(source, 0, "utf-8", Repairs(), 1 << 17, 1 << 20, "line")]
    assert sum(block.text_bytes for block in blocks) == sum(5 * n + 1 for n in sizes)
    assert [i for block in blocks if block.first for i in block.place] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(block.progress_bytes for block in blocks) == path.stat().st_size


def test_many_tiny_records_are_several_blocks(tmp_path):
    """A record counts for more than its text, so that a block of empty ones is no larger than others."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": ""}\n' * 50_000, encoding="utf-8")
    source = Source(str(path), records=record_format(jsonl="text"))
    blocks = [*record_blocks(source, 0, "utf-8", Repairs(), 1 << 17, 1 << 20, "sentence")]
    assert max(len(block.place) for block in blocks) <= 1 << 14
    assert [i for block in blocks for i in block.place] == [*range(1, 50_001)]
