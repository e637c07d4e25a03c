"""Packed count columns answer like plain arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from markov_cli.model.count_column import Counts, find_sorted

VALUES = st.lists(st.sampled_from([1, 1, 1, 2, 3, 253, 254, 255, 256, 70_000]), min_size=1, max_size=80)


@examples(200)
@given(VALUES, st.booleans(), st.data())
def test_packed_counts_equal_the_plain_array(values, indexed, data):
    plain = np.array(values)
    counts = Counts.pack(plain)
    if indexed:
        counts.index()
    n = len(plain)
    assert len(counts) == n and counts.total == plain.sum()
    every = np.arange(n)
    assert counts.at(every).tolist() == values
    assert counts.sum_before(np.arange(n + 1)).tolist() == [0, *np.cumsum(plain).tolist()]
    low = data.draw(st.integers(0, n - 1))
    high = data.draw(st.integers(low + 1, n))
    assert counts.slice(low, high).tolist() == values[low:high]
    # every count of the range in turn leads to its row
    before, total = int(plain[:low].sum()), int(plain[low:high].sum())
    target = np.unique(np.linspace(before, before + total - 1, 300).astype(np.int64))
    ends = [np.full(len(target), x) for x in (low, high)]
    owner = low + np.searchsorted(np.cumsum(plain[low:high]), target - before, "right")
    assert counts.row_at(target, *ends).tolist() == owner.tolist()
    share = (target - before + 0.5) / total
    found, totals = counts.pick(*ends, share)
    assert found.tolist() == owner.tolist() and set(totals.tolist()) == {total}


@pytest.mark.parametrize("n", [3, 1000])
@pytest.mark.parametrize("limit", [10, 1 << 40, (1 << 64) - 1])
@pytest.mark.parametrize("side", ["left", "right"])
def test_find_sorted_is_searchsorted(n, limit, side):
    rng = np.random.default_rng(n)
    values = np.sort(rng.integers(0, limit, 500, np.uint64, endpoint=True))
    wanted = rng.integers(0, limit, n, np.uint64, endpoint=True)
    wanted[::3] = values[rng.integers(0, 500, len(wanted[::3]))]
    assert find_sorted(values, wanted, side).tolist() == np.searchsorted(values, wanted, side).tolist()
