"""Damage that opening does not detect gives an error or a wrong answer, never a crash."""

import numpy as np
import pytest

import markov_cli
from conftest import CORPORA, rarely
from engine import model_of, saved
from helpers import arrays_of, bytes_of_arrays, loaded, packed
from markov_cli.api.model import Model
from markov_cli.errors import MarkovError, ModelFileError

TINY = "a b a c. a b, a b!"


@pytest.fixture(scope="module")
def tiny():
    return saved(model_of(TINY))


def use(model):
    """Call everything that reads a table; only our own errors may be raised."""
    calls = [
        lambda: [*model.generate(20, 1, max_tokens=50)],
        lambda: [*model.generate(20, 1, max_tokens=50, temperature=0.5, top_k=3)],
        lambda: model.followers("a"),
        lambda: model.followers("a b"),
        lambda: model.followers("", top=3),
    ]
    for call in calls:
        try:
            call()
        except MarkovError as error:
            assert error.message


CHANGES = [lambda b: b ^ 0xFF, lambda b: b ^ 1, lambda b: 0, lambda b: 0xFF, lambda b: b ^ 0x80]


@pytest.mark.parametrize("turn", [0, 3, *rarely(1, 2)])
def test_a_damaged_count_or_index_is_an_error_or_harmless(tiny, monkeypatch, turn):
    if turn % 2:  # drawing many texts uses another path through the table
        monkeypatch.setattr("markov_cli.generation.run.MANY", 1)
    for n, i in enumerate(bytes_of_arrays(tiny)):
        bad = bytearray(tiny)
        bad[i] = CHANGES[(n + turn) % len(CHANGES)](bad[i])
        if bad != tiny and n % 2 == turn // 2:
            try:
                model = loaded(bytes(bad))
            except ModelFileError:
                continue
            use(model)


def test_a_damaged_byte_outside_the_arrays_is_refused_or_harmless(tiny):
    """Bytes of the zip structure and of the `.npy` headers."""
    inside = {*bytes_of_arrays(tiny)}
    for i in range(0, len(tiny), 29):
        if i in inside:
            continue
        bad = bytearray(tiny)
        bad[i] ^= 0xFF if i % 2 else 0x01
        try:
            model = loaded(bytes(bad))
        except ModelFileError:
            continue
        if i % 3 == 0:
            use(model)


def test_arrays_of_arbitrary_values_are_an_error_or_harmless(tiny):
    """Each array in turn replaced by noise, zeros and the largest values."""
    rng = np.random.default_rng(1)
    arrays = arrays_of(tiny)
    for name, old in arrays.items():
        if name == "header" or not len(old):
            continue
        top = np.iinfo(old.dtype).max
        for new in [np.zeros_like(old), np.full_like(old, top), *(
            rng.integers(0, high, len(old), endpoint=True).astype(old.dtype) for high in (3, 12, top)
        )]:  # fmt: skip
            try:
                model = loaded(packed({**arrays, name: new}))
            except ModelFileError:
                continue
            use(model)


def test_opening_a_model_maps_its_arrays_without_reading(tmp_path):
    path = tmp_path / "model.npz"
    markov_cli.train([CORPORA / "harbour.txt"], order=4).save(path)
    model = Model.load(path)
    assert not model.table.orders[3].count.small.flags.writeable
    assert not model.table.orders[3].count.small.flags.owndata  # a view of the mapped file
    model.close()
