"""Records that count several times give the model of a text that has them so often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
import strategies
from helpers import bytes_of
from markov_cli.api.train import model_of
from markov_cli.errors import OptionError, TextError
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import Source
from markov_cli.text.record_format import record_format
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions

lines = st.text("abAB .é", max_size=9)
counted = st.lists(st.tuples(lines, st.one_of(st.integers(0, 3), st.just(40))), max_size=7)


def bytes_or_none(sources, text, **options):
    try:
        return bytes_of(model_of(train_sources(sources, TrainOptions(text=text, **options))))
    except TextError:
        return None


@given(
    counted,
    st.integers(1, 6),
    st.sampled_from(strategies.TOKENIZERS[:4]),
    st.sampled_from(strategies.UNITS),
    st.sampled_from([{}, {"min_type_count": 2}, {"prune": (0, 1)}, {"guard": 7}, {"max_types": 2}]),
    st.sampled_from([3, 1 << 19]),
)
def test_a_weight_counts_like_so_many_copies(records, order, tokenizer, unit, more, range_windows):
    data = "".join(f"{text}\t{n}\n" for text, n in records).encode()
    copies = [text.encode() for text, n in records for _ in range(n)]
    plain = [Source("", data=text) for text in copies]
    if unit == "line":
        plain = [Source("", data=b"".join(text + b"\n" for text in copies))]
    options = {"order": order, **more}
    read = Source("data", data=data, records=record_format(counted=True))
    found = bytes_or_none([read], TextOptions(tokenizer, unit), weights=True, range_windows=range_windows, **options)
    assert found == bytes_or_none(plain, TextOptions(tokenizer, unit), **options)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "weights"])
def test_weights_of_every_format(tmp_path, kind):
    names = [("ann", 3), ("bob", 1), ("cid", 2)]
    path = tmp_path / "names"
    if kind == "jsonl":
        path.write_text("".join(f'{{"t": "{t}", "a": {{"n": {n}}}}}\n' for t, n in names))
    elif kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        table = {"t": [t for t, _ in names], "a": [{"n": n} for _, n in names]}
        parquet.write_table(pyarrow.table(table), path)
    else:
        path.write_text("".join(f"{t}{',' if kind == 'csv' else chr(9)}{n}\n" for t, n in [*names]))
    asked = {"weights": True} if kind == "weights" else {kind: "1" if kind == "csv" else "t", "weights_field": "a.n"}
    if kind == "csv":
        asked["weights_field"] = "2"
    model = markov_cli.train(path, unit="line", tokenizer="chars", **asked)
    again = markov_cli.train(texts="ann\nann\nann\nbob\ncid\ncid\n", unit="line", tokenizer="chars")
    assert bytes_of(model) == bytes_of(again)
    updated = markov_cli.update(again, path, **asked)
    assert bytes_of(updated) == bytes_of(markov_cli.update(again, texts="ann\nann\nann\nbob\ncid\ncid\n"))


@pytest.mark.parametrize("count", ["-1", "1.5", "x", "", str(2**41), "9" * 5000])
def test_a_count_that_is_none(tmp_path, count):
    path = tmp_path / "names.tsv"
    path.write_text(f"ann\t3\nbob\t{count}\n")
    with pytest.raises(TextError, match=r"names.tsv: line 2: the count is no whole number from 0 to 2\*\*40$"):
        markov_cli.train(path, weights=True)
    model = markov_cli.train(path, weights=True, skip_bad=True)
    assert model.header.sequences == 3
    assert sum(model.repairs.bad_records.values()) == 1


def test_what_weights_cannot_do(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text(f"ann ann ann\t{2**40}\n" * 4000)
    with pytest.raises(TextError, match=r"more than 2\*\*53 tokens"):
        markov_cli.train(path, weights=True)
    with pytest.raises(OptionError, match="--weights and --min-sequences"):
        markov_cli.train(path, weights=True, min_sequences=2)
    with pytest.raises(OptionError, match="--jsonl and --weights exclude each other"):
        markov_cli.train(path, weights=True, jsonl="t")
    with pytest.raises(OptionError, match="--weights-field needs --jsonl, --csv or --parquet"):
        markov_cli.train(path, weights_field="n")
