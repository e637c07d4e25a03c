"""Training: one text and one set of options give the same bytes in blocks, threads and ranges of any size."""

import bz2
import codecs
import gzip
import lzma
from collections import Counter

import pytest

import markov_cli
import oracle
from conftest import CORPORA
from engine import model_of, rows_of, saved, types_of
from markov_cli.errors import OptionError, TextError
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import Source, find_sources
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions
from strategies import TOKENIZERS, UNITS

MIXED = (
    "The cat sat. “The cat,” he said, “sat!” Mr. Hale's 3.5 cats\nsat…\n\n\fé e\u0301 É 👩\u200d💻👍🏽 🇩🇪\r\n\r\n"
    "猫が座った。「はい。」 A longerthansevenbytes word, A longerthansevenbytez word.\tThe\0cat\vsat.\n"
) * 8


def from_files(paths, **options):
    text = TextOptions(*(options.pop(k, d) for k, d in (("tokenizer", "words"), ("unit", "sentence"))))
    return train_sources(find_sources([str(p) for p in paths]), TrainOptions(text=text, **options))


# ------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_blocks_jobs_and_ranges_change_no_byte(tokenizer, unit):
    if tokenizer in ("chars", "bytes"):
        text, ways = MIXED[:600], [(64, 3, 10)]  # a million code points are sorted each time
    else:
        text, ways = MIXED, [(64, 1, 1 << 20), (1000, 2, 1 << 20), (1 << 20, 3, 1 << 20), (64, 3, 20), (1 << 20, 1, 7)]
    once = saved(model_of(text, 3, tokenizer, unit))
    for block_bytes, jobs, range_windows in ways:
        more = {"block_bytes": block_bytes, "jobs": jobs, "range_windows": range_windows}
        assert saved(model_of(text, 3, tokenizer, unit, **more)) == once, more


@pytest.mark.parametrize("order", [1, 2, 5, 9])
def test_blocks_jobs_and_ranges_change_no_byte_at_any_order(order, story):
    once = saved(model_of(story, order))
    assert saved(model_of(story, order, block_bytes=700, jobs=3, range_windows=200)) == once


def test_the_order_of_files_changes_no_byte(story, messages):
    parts = [story[:2000], messages[:1500], "One text. More text.", story[2000:4000]]
    once = saved(model_of(parts))
    assert saved(model_of(parts[::-1])) == once
    assert saved(model_of([parts[i] for i in (2, 0, 3, 1)], jobs=2)) == once


@pytest.mark.parametrize("pack, name", [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_compressed_copies_give_the_same_model(tmp_path, story, pack, name):
    copy = tmp_path / f"story.{name}"
    copy.write_bytes(pack(story.encode()))
    once = saved(model_of(story))
    assert saved(from_files([copy])) == once
    assert saved(from_files([copy], block_bytes=500)) == once
    copy.rename(tmp_path / "story")  # compression is known by content, not by name
    assert saved(from_files([tmp_path / "story"])) == once


@pytest.mark.parametrize("text", ["BZhang said hi.", "BZh9 is a name.", "PK is another."])
def test_text_that_begins_like_a_compressed_file_is_text(text):
    assert model_of(text).header.sequences == 1


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_file_cut_short_is_an_error(tmp_path, story, pack):
    file = tmp_path / "cut"
    file.write_bytes(pack(story.encode())[:-200])
    with pytest.raises(TextError, match="cut"):
        from_files([file])


def test_folders_are_read_in_sorted_order_without_hidden_files(tmp_path, story):
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name, text in [("b/2.txt", story[3000:]), ("a.txt", story[:3000]), (".hidden", "no"), (".git/x", "no")]:
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [s.path for s in find_sources([str(tmp_path)])] == [str(tmp_path / "a.txt"), str(tmp_path / "b" / "2.txt")]
    assert saved(from_files([tmp_path])) == saved(model_of([story[:3000], story[3000:]]))


def test_a_binary_file_is_skipped_in_a_folder_and_refused_by_name(tmp_path):
    (tmp_path / "a.txt").write_text("Some text.", encoding="utf-8")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 10)
    trained = from_files([tmp_path])
    assert trained.header.sequences == 1
    assert [*trained.repairs.skipped] == [str(tmp_path / "b.bin")]
    with pytest.raises(TextError, match="not text"):
        from_files([tmp_path / "b.bin"])


def test_an_empty_folder_and_a_missing_file_are_errors(tmp_path):
    (tmp_path / "corpus.txt").write_text("a", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TextError, match="folder without files"):
        find_sources([str(tmp_path / "empty")])
    with pytest.raises(TextError, match="no such file") as error:
        find_sources([str(tmp_path / "corpse.txt")])
    assert "corpus.txt" in error.value.hint


@pytest.mark.parametrize("text", ["", " \n\n ", "\0\0 "])
def test_a_text_without_a_token_is_an_error(text):
    with pytest.raises(TextError, match="no token"):
        model_of(text)


def test_standard_input_is_a_text(run, tmp_path, story):
    out = tmp_path / "out.npz"
    done = run("train", "-", "-o", out, "-q", stdin=story)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert out.read_bytes() == saved(model_of(story))
    done = run("train", "-o", "-", "-q", stdin=gzip.compress(story.encode()))
    assert done.stdout_bytes == out.read_bytes()


# ------------------------------------------------------------------ encodings


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
def test_a_named_encoding_gives_the_same_model(tmp_path, encoding):
    text = "Café über naïve. Ça va? Où! " * 20
    file = tmp_path / "text"
    file.write_bytes(text.encode(encoding))
    # the header counts bytes in UTF-8, so it is the same, too
    for block_bytes in (64, 1 << 20):
        assert saved(from_files([file], encoding=encoding, block_bytes=block_bytes)) == saved(model_of(text))


@pytest.mark.parametrize(
    "mark, encoding",
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_sets_the_encoding(tmp_path, mark, encoding):
    text = "Καλημέρα κόσμε. 👍🏽 " * 20
    file = tmp_path / "text"
    file.write_bytes(mark + text.encode(encoding))
    found = from_files([file])
    assert saved(found) == saved(model_of(text))
    assert found.repairs.byte_order_marks == 1
    assert [bool(found.repairs.transcoded)] == [encoding != "utf-8"]


def test_utf16_without_a_mark_is_refused_with_a_hint(tmp_path):
    file = tmp_path / "text"
    file.write_bytes(("plain text " * 50).encode("utf-16-le"))
    with pytest.raises(TextError) as error:
        from_files([file])
    assert "utf-16" in error.value.hint


def test_an_unknown_encoding_is_an_error():
    with pytest.raises(OptionError, match="utf-9"):
        markov_cli.train(texts=["a"], encoding="utf-9")


def test_an_encoding_does_not_apply_to_str():
    assert markov_cli.train(texts=["é"], encoding="latin-1").followers("é").total == 1


def test_lone_surrogates_are_replaced_and_counted():
    model = markov_cli.train(texts=["half a pair: \ud83d, and some more text"])
    assert model.repairs.invalid > 0
    assert "\ufffd" in next(model.generate(1, 1)).text


# ------------------------------------------------------------------ what is counted


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_table_equals_the_oracle(tokenizer, unit):
    text = MIXED[:500]
    trained = model_of(text, 3, tokenizer, unit)
    found = oracle.sequences(text.encode() if tokenizer == "bytes" else text, tokenizer, unit)
    assert types_of(trained) == oracle.types_of(found)
    counts = oracle.counts(oracle.ids_of(found), 3)
    rows = rows_of(trained.table)
    assert rows[0].pop((0,)) == 0  # <unk> has a row even if nothing is unknown
    assert rows == counts
    assert trained.header.tokens == sum(map(len, found))
    assert trained.header.sequences == len(found)
    assert trained.header.types == len(oracle.types_of(found))


@pytest.mark.parametrize("least", [2, 3, 10, 10**6])
def test_rare_types_become_unk(story, least):
    trained = model_of(story, 3, min_type_count=least)
    found = oracle.sequences(story)
    assert types_of(trained) == oracle.types_of(found, least)
    rows = rows_of(trained.table)
    assert rows == oracle.counts(oracle.ids_of(found, least), 3)
    rare = sum(c for c in Counter(t for s in found for t in s).values() if c < least)
    assert rows[0][(0,)] == rare > 0


def test_lowercase_counts_in_lower_case(story):
    trained = model_of(story, lowercase=True)
    assert types_of(trained) == oracle.types_of(oracle.sequences(story, lowercase=True))
    assert saved(trained) == saved(model_of(story, lowercase=True, block_bytes=99))


@pytest.mark.parametrize("prune", [(0, 1), (0, 0, 1), (0, 1, 2), (0, 2, 2, 3)])
def test_pruning_keeps_ngrams_above_the_threshold(story, prune):
    """Their counts, totals and links stay true."""
    order = 4
    whole, pruned = model_of(story, order), model_of(story, order, prune=prune)
    limits = [0, *prune[1:], *[prune[-1]] * order][:order]
    before, after = rows_of(whole.table), rows_of(pruned.table)
    for k in range(order):
        assert after[k] == {g: c for g, c in before[k].items() if k == 0 or c > limits[k]}
    streams = oracle.ids_of(oracle.sequences(story))
    lefts = oracle.lefts(streams, order)
    for k, level in enumerate(pruned.table.orders[:-1], 1):
        grams = [*after[k - 1]]
        # left neighbours of the whole text, and their sums over all followers before pruning
        assert level.left.slice(0, len(level)).tolist() == [len(lefts[k - 1][g]) for g in grams]
        if level.left_total is not None:
            sums = Counter()
            for g, seen in lefts[k].items():
                sums[g[:-1]] += len(seen)
            assert level.left_total.slice(0, len(level)).tolist() == [sums[g] for g in grams]
        if k > 2:
            below = [*after[k - 2]]
            assert [below[i] for i in level.link.tolist()] == [g[1:] for g in grams]


def test_a_pruned_model_keeps_the_counts_of_counts_of_the_whole_text(story):
    """[k][j]: how many n-grams of order k + 1 have adjusted count j."""
    found = model_of(story, 3, prune=(0, 0, 1)).header.counts_of_counts
    streams = oracle.ids_of(oracle.sequences(story))
    counts, lefts = oracle.counts(streams, 3), oracle.lefts(streams, 3)
    for k in (1, 2, 3):
        adjusted = Counter()
        for g, c in counts[k - 1].items():
            raw = k == 3 or g[0] == oracle.BOS
            if g != (oracle.BOS,):
                adjusted[c if raw else len(lefts[k - 1][g])] += 1
        assert found[k - 1] == [0, *(adjusted[j] for j in (1, 2, 3, 4))]


def test_thresholds_of_0_prune_nothing(story):
    assert saved(model_of(story, prune=(0, 0, 0))) == saved(model_of(story))


@pytest.mark.parametrize(
    "options",
    [
        {"order": 0}, {"order": 10**7}, {"min_type_count": 0}, {"prune": (1,)}, {"prune": (0, 2, 1)},
        {"tokenizer": "letters"}, {"unit": "verse"}, {"pattern": "a"}, {"tokenizer": "regex", "pattern": "("},
        {"tokenizer": "regex", "pattern": ""},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options):
    with pytest.raises(OptionError):
        markov_cli.train(texts=["some text"], **options)


def test_progress_rises_to_the_size_of_the_text(story):
    seen = []
    train_sources([Source("a", data=story.encode())], TrainOptions(block_bytes=500), lambda *step: seen.append(step))
    phases = [*dict.fromkeys(phase for phase, _, _ in seen)]
    assert phases == ["reading", "sorting the vocabulary", "counting", "storing"]
    reading = [done for phase, done, _ in seen if phase == "reading"]
    assert reading == sorted(reading) and reading[-1] == len(story.encode())


def test_the_readme_example_has_the_expected_followers():
    text = (CORPORA / "change.txt").read_text(encoding="utf-8")
    model = markov_cli.train(texts=[text], lowercase=True)
    assert [(f.token, f.probability) for f in model.followers("you").followers] == [("must", 0.5), ("wish", 0.5)]
    assert [(f.token, f.probability) for f in model.followers("must").followers] == [("be", 1.0)]
