"""Tracing texts in corpora: fragments equal a plain search; the command, its JSON and its page."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
from engine import sequences
from markov_cli.evidence.copying.fragments import NOVEL, RUNS, parse, runs
from markov_cli.evidence.copying.shading import stretches
from markov_cli.evidence.copying.trace import trace_sources
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import Source
from strategies import TOKENIZERS, UNITS, prose, texts

# ------------------------------------------------------------ the oracle: lists and loops


def oracle(text, corpora):
    """The longest match at each token, by loops; text and corpora are lists of sequences of tokens."""
    length, count, files, first, rest = [], [], [], [], []
    for seq in text:
        for i in range(len(seq)):
            best, hits = 0, []
            for f, corpus in enumerate(corpora):
                at = 0
                for other in corpus:
                    for j in range(len(other)):
                        n = 0
                        while i + n < len(seq) and j + n < len(other) and seq[i + n] == other[j + n]:
                            n += 1
                        if n > best:
                            best, hits = n, []
                        if n and n == best:
                            hits.append((f, at))
                        at += 1
            length.append(best)
            count.append(len(hits))
            files.append(len({f for f, _ in hits}))
            first.append(hits[0] if hits else None)
            rest.append(len(seq) - i)
    return length, count, files, first, rest


def pieces(length):
    at, out = 0, []
    while at < len(length):
        out.append(at)
        at += max(length[at], 1)
    return out


def run_over(length):
    return [max((n for i, n in enumerate(length[: t + 1]) if i + n > t), default=0) for t in range(len(length))]


def traced(text, corpora, batch_codes=1 << 21, baseline=None, text_unit=None, **options):
    options = {"tokenizer": "words", "unit": "file", **options}
    return trace_sources(
        [Source("text", data=text.encode())],
        [Source(f"c{i}", data=c.encode()) for i, c in enumerate(corpora)],
        [] if baseline is None else [Source("baseline", data=baseline.encode())],
        TextOptions.of(**options),
        text_unit=text_unit,
        batch_codes=batch_codes,
    )


def check(text, corpora, sizes, **options):
    tokens = sequences(text, **options)
    others = [sequences(c, **options) for c in corpora]
    if not tokens or not any(others):
        return
    length, count, files, first, rest = oracle(tokens, others)
    for size in sizes:
        t = traced(text, corpora, size, **options)
        assert t.length.tolist() == length
        assert t.run.tolist() == run_over(length)
        starts = [i for i in pieces(length) if length[i]]
        assert t.fragments.begin.tolist() == starts
        assert t.fragments.found.length.tolist() == [length[i] for i in starts]
        assert t.fragments.found.count.tolist() == [count[i] for i in starts]
        assert t.fragments.found.files.tolist() == [files[i] for i in starts]
        assert t.fragments.found.file.tolist() == [first[i][0] for i in starts]
        assert t.figures.pieces == len(pieces(length))
        for n in NOVEL:
            there = [k for k, r in zip(length, rest, strict=True) if r >= n]
            want = sum(k < n for k in there) / len(there) if there else None
            assert t.figures.novel[n] == want
        assert t.figures.verbatim_10 == sum(length[i] for i in starts if length[i] >= 10) / len(length)
        whole = "".join(s.text.decode("utf-8", "replace") for _, found in stretches(t, 2) for s in found)
        assert t.text.data.decode("utf-8", "replace").startswith(whole)


words = st.lists(st.sampled_from(["a", "b", "c", "a b", "b.\n\n", "c\n"]), min_size=1, max_size=25).map(" ".join)


@given(words, st.lists(words, min_size=1, max_size=4), st.sampled_from(UNITS))
def test_fragments_equal_a_plain_search_in_batches_of_any_size(text, corpora, unit):
    check(text, corpora, (1, 20, 1 << 21), tokenizer="words", unit=unit)


@given(prose, st.lists(prose, min_size=1, max_size=3), st.sampled_from(TOKENIZERS), st.sampled_from(UNITS))
def test_fragments_equal_a_plain_search_under_every_tokenizer_and_unit(text, corpora, tokenizer, unit):
    check(text, corpora, (50, 1 << 21), tokenizer=tokenizer, unit=unit)


@given(texts, texts, st.sampled_from(TOKENIZERS))
def test_fragments_equal_a_plain_search_on_any_text(text, corpus, tokenizer):
    check(text, [corpus, text[: len(text) // 2]], (1 << 21,), tokenizer=tokenizer, unit="file")


@given(st.lists(st.integers(0, 6), max_size=30).map(lambda x: [min(n, len(x) - i) for i, n in enumerate(x)]))
def test_parsing_by_doubling_equals_parsing_from_left_to_right(length):
    assert parse(np.array(length, np.int64)).tolist() == pieces(length)


def test_runs_are_the_longest_match_over_each_token():
    # lengths of matches fall by at most one per token
    length = [4, 3, 2, 3, 2, 1, 0, 1, 5, 4, 3, 2, 1]
    assert runs(np.array(length)).tolist() == run_over(length)


# ------------------------------------------------------------ figures of a fragment


def test_file_line_occurrences_and_rarity_by_hand():
    text = "we saw the old red barn at dawn"
    corpora = ["x y\n\nthe old red barn\nz", "z\nz z\n z the old red\nbarn at z\nat dawn"]
    t = traced(text, corpora, tokenizer="spaces", unit="file")
    f = t.fragments
    said = [
        (t.text.bytes_of(b, n), c, k, t.sources[s], line)
        for b, n, c, k, s, line in zip(
            f.begin.tolist(), *(x.tolist() for x in (f.found.length, f.found.count, f.found.files)),
            f.found.file.tolist(), f.found.line.tolist(), strict=True,
        )
    ]  # fmt: skip
    # "the old red barn at" occurs once, in the second file, across a line's end; "dawn" once
    assert said == [(b"the old red barn at", 1, 1, "c1", 3), (b"dawn", 1, 1, "c1", 5)]
    # 19 tokens; the, old, red, barn, at: 2 each; dawn: 1
    assert t.corpus_tokens == 19
    assert f.rarity.tolist() == pytest.approx([5 * np.log2(19 / 2), np.log2(19)])
    both = traced("the old red", corpora, tokenizer="spaces", unit="file").fragments.found
    assert (both.count.tolist(), both.files.tolist(), both.file.tolist(), both.line.tolist()) == ([2], [2], [0], [3])


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "bytes", "regex"])
def test_line_numbers_are_right_far_into_a_large_file(tokenizer):
    filler = "".join(f"line {i} of many\n" for i in range(90_000))  # more than one block
    corpus, unit = filler + "a needle in it\nend", "file" if tokenizer == "regex" else "line"
    t = traced("needle in it", [corpus], tokenizer=tokenizer, unit=unit, batch_codes=1 << 16)
    assert (t.fragments.found.line[0], t.fragments.found.count[0]) == (90_001, 1)


def test_lines_of_the_text_are_counted_in_each_source():
    texts = ["x\ny a b", "\n\na b\nc"]
    found = markov_cli.trace(texts=texts, corpus_texts="a b", tokenizer="spaces", min_tokens=1)
    assert [(f.text, f.text_file, f.text_line) for f in found.fragments] == [("a b", "text 0", 2), ("a b", "text 1", 3)]


def test_no_fragment_crosses_a_sequence_or_a_file():
    assert traced("a b c d", ["a b\nc d"], unit="file").figures.longest_fragment == 4
    assert traced("a b c d", ["a b\nc d"], unit="line").figures.longest_fragment == 2
    assert traced("a b\nc d", ["a b c d"], unit="line").figures.longest_fragment == 2
    assert traced("a b c d", ["a b", "c d"], unit="file").figures.longest_fragment == 2
    assert traced("a b\nc d", ["a b\nc d"], unit="file", text_unit="line").figures.longest_fragment == 2


def test_a_baseline_is_traced_in_the_same_corpus(story):
    other = "Nothing of this is in the story, not even in part."
    t = traced(story[1000:3000], [story], baseline=other, unit="file")
    assert t.baseline == traced(other, [story], unit="file").figures
    alone = traced(story[1000:3000], [story], unit="file")
    assert t.figures == alone.figures
    assert t.figures.in_runs[50] > 0.99 > 0.01 > t.baseline.in_runs[50]


def test_unsmoothed_texts_have_no_new_ngrams_of_the_models_order(harbour):
    model = markov_cli.train(texts=[harbour], order=3)
    written = [one.text for one in model.generate(50, seed=3)]
    t = markov_cli.trace(texts=written, corpus_texts=[harbour])
    assert [t.figures.novel[n] for n in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert t.figures.novel[8] > 0.1


# ------------------------------------------------------------ the command


KEYS = ("tokens", "novel", "fragments_per_100", "mean_fragment", "longest_fragment", "verbatim_10", "fragments")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "corpus.txt").write_text(
        "the cat sat on the mat.\nA dog [b]ran[/b] :smile: off & away <i>now</i>.\n", encoding="utf-8"
    )
    (tmp_path / "text.txt").write_text(
        "Then the cat sat on the mat. \x1b[31m A dog [b]ran[/b] :smile: off & away <i>now</i>", encoding="utf-8"
    )
    (tmp_path / "base.txt").write_text("Something else, by someone.", encoding="utf-8")
    return tmp_path


def test_json_has_the_documented_keys(run, files):
    done = run("trace", "text.txt", "--corpus", "corpus.txt", "--json", "--min-tokens", 2, cwd=files)
    assert done.code == 0
    found = json.loads(done.stdout)
    assert all(key in found for key in KEYS)
    first = found["fragments"][0]
    assert first["text"] == "the cat sat on the mat." and first["tokens"] == 7
    assert (first["occurrences"], first["file"], first["line"], first["files"]) == (1, "corpus.txt", 1, 1)
    assert found["novel"]["20"] is not None and found["novel"]["50"] is None
    assert found["baseline"] is None
    again = run("trace", "--corpus", "corpus.txt", "--json", "--min-tokens", 2, cwd=files,
                stdin=(files / "text.txt").read_bytes())  # fmt: skip
    other = json.loads(again.stdout)
    assert other["text"] == ["standard input"]
    assert {k: v for k, v in other.items() if k not in ("text", "fragments")} == {
        k: v for k, v in found.items() if k not in ("text", "fragments")
    }


def test_shown_fragments_are_marked_and_escaped(run, files):
    done = run("trace", "text.txt", "--corpus", "corpus.txt", "--baseline", "base.txt", "--show-text", cwd=files)
    assert done.code == 0 and done.stderr == ""
    assert "\x1b" not in done.stdout and "\\x1b" in done.stdout
    assert "Then [7: the cat sat on the mat.]" in done.stdout
    assert "[b]ran[/b] :smile: off & away <i>now</i>" in done.stdout
    assert "corpus.txt:1\n  7 tokens, once in the corpus" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["text.txt"], 2, "markov: no corpus to compare with\n  add --corpus FILE, or --corpus FOLDER\n"),
        (["none.txt", "--corpus", "corpus.txt"], 1, "markov: none.txt: no such file\n"),
        (["text.txt", "--corpus", "none.txt"], 1, "markov: none.txt: no such file\n"),
        (["empty.txt", "--corpus", "corpus.txt"], 1, "markov: empty.txt: no token in it\n  name a text to trace\n"),
        (["text.txt", "--corpus", "empty.txt"], 1, "markov: empty.txt: no token in it\n  name a corpus\n"),
        (["text.txt", "--corpus", "corpus.txt", "--baseline", "empty.txt"], 1, "markov: empty.txt: no token in it\n"),
        (["-", "--corpus", "-"], 2, "markov: standard input can be read only once\n"),
        (["text.txt", "--corpus", "corpus.txt", "--html", "no/x.html"], 1, "markov: no/x.html: no folder 'no'\n"),
        (["text.txt", "--corpus=corpus.txt", "--html=-", "--json"], 2, "markov: only one result can go to stdout\n"),
        (["text.txt", "--corpus", "corpus.txt", "--pattern", "x"], 2, "markov: --pattern needs --tokenizer regex\n"),
    ],
)
def test_wrong_calls_are_errors(run, files, args, code, said):
    (files / "empty.txt").write_text("", encoding="utf-8")
    done = run("trace", *args, cwd=files)
    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.startswith(said)


# ------------------------------------------------------------ the page


class Page(HTMLParser):
    """Checks that a page is well-formed and self-contained; collects what it shows."""

    EMPTY = ("meta",)

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.ids, self.links, self.classes = [], [], set(), [], []
        self.feed(data)
        assert self.open == [], "every element is closed"
        assert all(link[1:] in self.ids for link in self.links)

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "iframe", "object", "form")
        for name, value in attrs:
            assert not name.startswith("on") and name != "src" and name != "style"
            if name == "href":
                assert value.startswith("#")
                self.links.append(value)
            if name == "id":
                assert value not in self.ids
                self.ids.add(value)
            if name == "class":
                self.classes.append(value)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            assert "url(" not in data and "@import" not in data and "http" not in data
        else:
            self.text.append(data)


def test_the_page_is_well_formed_escaped_and_self_contained(run, files):
    done = run(
        "trace", "text.txt", "--corpus", "corpus.txt", "--html", "page.html", "--baseline", "base.txt", cwd=files
    )
    assert done.code == 0 and done.stderr == "wrote page.html\n"
    data = (files / "page.html").read_text(encoding="utf-8")
    assert "http:" not in data and "https:" not in data and "<i>" not in data and "<script" not in data
    assert "\x1b" not in data and "script-src 'none'" in data
    page = Page(data)
    shown = "".join(page.text)
    assert "Then 1the cat sat on the mat. \\x1b[31m 2A dog [b]ran[/b] :smile: off & away <i>now</i>" in shown
    assert 'class="s1" title="7 tokens: corpus.txt:1, once in the corpus"' in data
    assert 'class="s3" title="22 tokens: corpus.txt:2, once in the corpus"' in data
    piped = run("trace", "text.txt", "--corpus", "corpus.txt", "--html", "-", "--baseline", "base.txt", cwd=files)
    assert piped.stdout == data


def test_a_failed_trace_leaves_the_old_page(run, files):
    (files / "page.html").write_text("old", encoding="utf-8")
    done = run("trace", "text.txt", "--corpus", "none.txt", "--html", "page.html", cwd=files)
    assert done.code == 1
    assert (files / "page.html").read_text(encoding="utf-8") == "old"
    assert sorted(p.name for p in files.iterdir()) == ["base.txt", "corpus.txt", "page.html", "text.txt"]


def test_shades_follow_the_lengths_of_runs():
    words_of = [f"w{i}" for i in range(100)]
    t = traced(" ".join([*words_of, "x", *words_of[:7], "y"]), [" ".join(words_of)])
    shades = {s.shade for _, found in stretches(t, 5) for s in found}
    assert shades == {0, 1, len(RUNS)}


def test_the_page_of_an_audit_shows_its_figures(run, tmp_path, story):
    (tmp_path / "book.txt").write_text(
        story + "\n\nA <b>bold</b> & [red]odd[/red] sentence of its own that nothing else is like.\n", encoding="utf-8"
    )
    run("train", "book.txt", "-n", 4, "-o", "m.npz", "-q", cwd=tmp_path)
    done = run("audit", "m.npz", "--html", "page.html", "--show", 500, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "wrote page.html\n")
    data = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(data)
    shown = "".join(page.text)
    assert "http:" not in data and "https:" not in data and "<b>" not in data
    assert "A <b>bold</b> & [red]odd[/red] sentence of its own" in shown
    figures = json.loads(run("audit", "m.npz", "--json", cwd=tmp_path).stdout)["orders"]
    for one in figures:
        assert f"{one['certain']['10']:.1%}" in shown and f"{one['forgotten_bits']:,.0f}" in shown
    assert data.count("<svg") == 3
    # a bar for each order and length, with its value in the title
    assert data.count("<title>order 4: ") == 6
    piped = run("audit", "m.npz", "--html", "-", "--show", 500, cwd=tmp_path)
    assert (piped.code, piped.stdout) == (0, data)


def test_the_page_of_a_pruned_model_names_missing_figures(run, tmp_path, story):
    (tmp_path / "book.txt").write_text(story, encoding="utf-8")
    run("train", "book.txt", "-n", 3, "--prune", "0,1", "-o", "m.npz", "-q", cwd=tmp_path)
    done = run("audit", "m.npz", "--html", "-", cwd=tmp_path)
    page = Page(done.stdout)
    assert done.code == 0 and "they cannot be computed" in "".join(page.text)
