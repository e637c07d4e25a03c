"""Import of n-gram files of Google Books, in all three forms."""

import gzip
import io
import random
from collections import Counter

import pytest

import markov_cli
from helpers import loaded, two_lines
from markov_cli.errors import MarkovError
from markov_cli.formats import books
from markov_cli.inspecting.verify import damage

NGRAMS = ["the cat", "the dog", "cat sat", "cat, sat", "dog ran", "_START_ the", "sat _END_", "café sat", "the 1990"]
TAGGED = ["the_DET cat", "_DET_ cat", "cat sat_VERB", "_ROOT_ sat"]


def rows(seed, ngrams):
    """Sorted (ngram, year, count) as the files have them."""
    rng = random.Random(seed)
    return [(n, y, rng.randint(1, 90)) for n in sorted(ngrams) for y in sorted(rng.sample(range(1900, 1990), 5))]


def lines_of(found, version):
    if version == 3:
        by = {}
        for n, y, c in found:
            by.setdefault(n, []).append(f"{y},{c},{c // 2 + 1}")
        return [n + "\t" + "\t".join(some) for n, some in by.items()]
    more = "\t7" if version == 1 else ""
    return [f"{n}\t{y}\t{c}{more}\t{c // 2 + 1}" for n, y, c in found]


def wanted(found, low=0, high=9999):
    """{(word, ...): count}, borders by their names, without tagged n-grams."""
    out = Counter()
    for n, y, c in found:
        if low <= y <= high and n not in TAGGED:
            out[tuple(n.replace("_START_", "<s>").replace("_END_", "</s>").split(" "))] += c
    return out


def bigrams(model):
    out = io.BytesIO()
    markov_cli.export_counts(model, out, order=2)
    return {tuple(a.split(" ")): int(c) for a, c in (x.split("\t") for x in out.getvalue().decode().splitlines())}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_counts_are_summed_over_years(tmp_path, monkeypatch, version, block_bytes):
    monkeypatch.setattr(books, "_BLOCK_BYTES", block_bytes)
    found = rows(version, NGRAMS + TAGGED)
    path = tmp_path / "2gram.gz"
    path.write_bytes(gzip.compress("\n".join(lines_of(found, version)).encode()))
    for years, low, high in (((None, None), 0, 9999), ((1930, 1960), 1930, 1960), ((None, 1940), 0, 1940)):
        model = markov_cli.import_model(path, years=years)
        assert bigrams(model) == wanted(found, low, high)
        out = io.BytesIO()
        model.save(out)
        assert damage(loaded(out.getvalue()).file) == []
        assert model.header.cut_below == (1, min(wanted(found, low, high).values()))
        assert model.notes.tagged == len({n for n, y, _ in found if n in TAGGED and low <= y <= high})


def test_files_of_several_orders_and_letters(run, tmp_path):
    """As they are downloaded: a file for each order and first letter, in a folder or named."""
    one, two = rows(1, ["the", "cat", "dog", "sat", "ran", "the_DET"]), rows(2, NGRAMS)
    parts = {"1gram-a": one, "2gram-c": [r for r in two if r[0] < "d"], "2gram-t": [r for r in two if r[0] >= "d"]}
    (tmp_path / "books").mkdir()
    for name, some in parts.items():
        (tmp_path / "books" / f"{name}.gz").write_bytes(gzip.compress("\n".join(lines_of(some, 2)).encode()))
    ran = run("import", "books", "-o", "m.npz", "--years", "1900..1999", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    said = ran.stderr.splitlines()
    assert said[0] == "1 n-gram with a tag, such as _NOUN, left out"
    assert said[-3].startswith("holds    counts, cut below ")
    model = markov_cli.Model.load(tmp_path / "m.npz")
    assert bigrams(model) == wanted(two)
    each = [tmp_path / "books" / f"{n}.gz" for n in parts]
    assert run("import", *each[::-1], "-o", "-", "-q").stdout_bytes == (tmp_path / "m.npz").read_bytes()
    score = run("score", "m.npz", "-", "--smoothing", "stupid", cwd=tmp_path, stdin="the cat sat\n")
    assert score.code == 0 and score.stdout.splitlines()[1].startswith("OOV                      0")


def test_the_years_must_fit_the_format(run, tmp_path):
    path = tmp_path / "b"
    path.write_text("\n".join(lines_of(rows(1, NGRAMS), 2)), encoding="utf-8")
    out = ("-o", tmp_path / "m.npz")
    two_lines(run("import", path, *out, "--years", "1800..1850"), 1, "no n-gram in these years", "--years")
    for years in ("..", "1900..", "..1990", "1800..2000"):
        assert run("import", path, *out, "--years", years).code == 0
    for wrong in ("1990..1980", "soon", "1e3", "1990...2000", ""):
        assert run("import", path, *out, "--years", wrong).code == 2
    counts = tmp_path / "c"
    counts.write_text("a b\t40\n", encoding="utf-8")
    two_lines(run("import", counts, *out, "--years", "1990..2000"), 2, "--years is not for --format counts", "--help")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("the cat", "line 3: no n-gram, or no tab"),
        ("the cat\t1990\t5", "line 3: the fields are not year"),
        ("the cat\t1990\t5\t6\t7\t8", "line 3: the fields are not year"),
        ("the cat\t1990,5", "line 3: the fields are not year"),
        ("the cat\t1990,5\t7", "line 3: the fields are not year"),
        ("the cat\t1990\tfive\t3", "line 3: 'five' is not a whole number"),
        ("the cat\t1990\t\t3", "line 3: '' is not a whole number"),
        ("\t1990\t4\t3", "line 3: no n-gram"),
        ("the _START_\t1990\t4\t3", "'the <s>': a marker inside"),
    ],
)
def test_a_line_that_is_none_is_an_error_with_its_number(tmp_path, line, what):
    path = tmp_path / "b"
    more = "the dog\t1990\t5\t3\nthe hen\t1990\t5\t3\n"
    path.write_text(f"the cat\t1990\t5\t3\n\n{line}\n{more}", encoding="utf-8")
    with pytest.raises(MarkovError) as caught:
        markov_cli.import_model(path, format="books")
    assert what in caught.value.message
