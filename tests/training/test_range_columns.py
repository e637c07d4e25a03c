"""A cluster makes the file that one machine makes, however small the parts of the text and the ranges are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lone_cluster
from conftest import examples, rarely
from engine import saved
from markov_cli.model.thresholds import Protection
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import find_sources
from markov_cli.training import dask_client, exchange
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions
from markov_cli.training.plan import Resources, train_file

pytest.importorskip("distributed")


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Trains on a cluster of this process, and in memory: the bytes of both."""
    address = lone_cluster.use(monkeypatch)

    def both(text, part, windows, direct, *, tokenizer="words", unit="line", **more):
        monkeypatch.setattr(dask_client, "PART_BYTES", part)
        monkeypatch.setattr(dask_client, "RANGE_WINDOWS", windows)
        monkeypatch.setattr(dask_client, "PARTS_OF_A_SHARD", 2)
        monkeypatch.setattr(exchange, "DIRECT", direct)
        path, target = tmp_path / "text.txt", tmp_path / "model.npz"
        path.write_text(text, encoding="utf-8")
        options = TrainOptions(text=TextOptions.of(tokenizer, unit), **more)
        train_file(find_sources([str(path)]), options, str(target), Resources(dask=address))
        return target.read_bytes(), saved(train_sources(find_sources([str(path)]), options))

    return both


LINES = st.lists(st.lists(st.sampled_from(["a", "b", "the", "<unk>", "."]), max_size=9).map(" ".join), min_size=1)
HOW = {
    "plain": {},
    "no borders": {"borders": False, "unit": "file"},
    "few sequences": {"protection": Protection(min_sequences=2)},
    "once a sequence": {"protection": Protection(cap_per_sequence=1)},
    "sentences": {"unit": "sentence", "min_type_count": 2},
    "words": {"tokenizer": "spaces", "unit": "paragraph", "max_types": 2},
}


@pytest.mark.parametrize("order", [1, 3, *rarely(2, 4, 6)])
@pytest.mark.parametrize("how", [*HOW])
def test_ranges_of_any_size(alone, order, how):
    @examples(40)
    @given(LINES, st.integers(1, 9), st.integers(20, 200), st.sampled_from([0, 40]))
    def test(lines, windows, part, direct):
        ours, theirs = alone("a\na\n" + "\n".join(lines) + "\n", part, windows, direct, order=order, **HOW[how])
        assert ours == theirs

    test()
