"""`--markers`: a text with `<s>`, `</s>` and `<unk>` is read as the same text without them."""

import json
import random
import re
from dataclasses import replace

import pytest

import markov_cli
import oracle
from engine import saved, sequences
from markov_cli.errors import OptionError
from markov_cli.text.encoder import TextOptions
from markov_cli.text.sources import sources_of
from markov_cli.text.text_kinds import marker_notes
from markov_cli.text.types import UNKNOWN
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions

WHITE = "\0\t\n\r "
ALONE = rf"(?<![^{WHITE}]){{}}(?![^{WHITE}])"
BORDER, UNK = (re.compile(ALONE.format(w), re.IGNORECASE) for w in ("</?s>", "<unk>"))
PARTS = ["<s>", "</s>", "<unk>", "<S>", "x<s>", "<s>.", "a", "b", "Cat.", "etc.", "é", "...", "<", "\n", "\n\n", "\r\n",
         "\t", *" " * 8]  # fmt: skip
WRAPPED = "<s> the cat sat . </s>\n<s> the <unk> sat . </s>\n<s> Dr. No came. He left. </s>\n"


def expected(text, markers, tokenizer, unit):
    """Sequences of tokens by the oracle, `<unk>` as None."""
    if markers == "space":
        one = f"(?:{BORDER.pattern}|{UNK.pattern})"
        if tokenizer == "chars":
            return named(oracle.sequences(re.sub(one + "[ \t]?", "", text, flags=re.I), tokenizer, unit))
        return named(oracle.sequences(re.sub(one, "     ", text, flags=re.I), tokenizer, unit))
    text = UNK.sub("\ue000", text)
    out = []
    for line in re.split("\r?\n", text) if unit == "line" else [text]:
        parts = BORDER.split(line)
        for i, part in enumerate(parts):
            if tokenizer == "chars":
                part = part.lstrip(WHITE) if i else part
                part = part.rstrip(WHITE) if i + 1 < len(parts) else part
            out += oracle.sequences(part, tokenizer, "file" if unit == "line" else unit)
    return named(out)


def named(found):
    return [[None if t[0] == "\ue000".encode() else t[0] for t in s] for s in found]


@pytest.mark.parametrize("markers", ["borders", "space"])
@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "regex"])
def test_a_text_with_markers_equals_the_text_without(markers, tokenizer):
    rng = random.Random(f"{markers} {tokenizer}")
    for _ in range(60):
        text = "".join(rng.choices(PARTS, k=rng.randrange(1, 30)))
        unit = rng.choice(["sentence", "line", "paragraph", "file"])
        found = sequences(sources_of((), text, markers=markers), tokenizer, unit, rng.choice([3, 9, 1 << 20]))
        found = [[None if t[1] & UNKNOWN else t[0] for t in s] for s in found]
        assert found == expected(text, markers, tokenizer, unit), (text, unit)


def test_wrapped_lines_give_the_model_of_plain_lines():
    plain = markov_cli.train(
        texts=[re.sub("</?s> ?", "", WRAPPED).replace("<unk>", "dog")], unit="line", vocab=["the", "cat", "sat", "."]
    )
    found = markov_cli.train(texts=[WRAPPED], markers="borders", vocab=["the", "cat", "sat", "."])
    assert found.header.sequences == 3 and found.header.options.unit == "line"
    assert found.table.orders[0].count.slice(0, 7).tolist() == plain.table.orders[0].count.slice(0, 7).tolist()
    names = found.vocabulary
    assert sorted(set(map(names.text_of, range(3, len(names))))) == [".", "cat", "sat", "the"]


def test_the_models_bytes_are_those_of_the_text_without_markers(tmp_path):
    text = WRAPPED.replace("<unk>", "dog")
    for unit in ("line", "sentence"):
        options = TrainOptions(text=TextOptions("words", unit))
        marked = train_sources(sources_of((), text, markers="borders"), options)
        plain = train_sources(sources_of((), re.sub("</?s> ?", "", text)), options)
        assert [marked.header.tokens, marked.header.sequences] == [plain.header.tokens, plain.header.sequences]
        assert marked.header.corpus_bytes == len(text)
        marked.header.corpus_bytes = plain.header.corpus_bytes
        assert saved(marked) == saved(plain)


def test_parts_of_a_file_are_read_alike(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"<s> w{i % 7} and\n <unk> v{i} </s>\n" for i in range(9)))
    (whole,) = sources_of(tmp_path / "a.txt", markers="borders")
    for cut in range(1, whole.size_bytes):
        parts = [replace(whole, part=part) for part in ((0, cut), (cut, whole.size_bytes))]
        assert sequences(parts, unit="file") == sequences([whole], unit="file")


def test_records_are_read_alike(tmp_path):
    lines = [f"<s> w{i % 7} and <unk> v{i % 11} </s>" for i in range(40)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"t": line}) + "\n" for line in lines))
    found = markov_cli.train(tmp_path / "a.jsonl", jsonl="t", markers="borders")
    assert (found.header.sequences, found.header.types, found.header.tokens) == (40, 19, 160)


def test_score_and_trace_read_markers(tmp_path, run):
    (tmp_path / "w.txt").write_text(WRAPPED * 2)
    model = tmp_path / "m.npz"
    run("train", tmp_path / "w.txt", "--markers", "borders", "-o", model)
    rows = run("score", model, tmp_path / "w.txt", "--markers", "borders", "--each", "line").stdout.splitlines()[1:]
    units = [["the cat sat .", "5", "0"], ["the <unk> sat .", "5", "1"], ["Dr. No came. He left.", "9", "0"]]
    assert [row.split("\t")[:3] for row in rows] == units * 2
    plain = run("score", model, tmp_path / "w.txt")
    assert "--markers borders" in plain.stderr
    found = json.loads(run("trace", tmp_path / "w.txt", "--corpus", tmp_path / "w.txt", "--json",
                           "--markers", "borders", "--min-tokens", "2").stdout)  # fmt: skip
    assert found["tokens"] == 32 and "<s>" not in "".join(one["text"] for one in found["fragments"])


def test_models_say_what_their_markers_are(tmp_path, run):
    (tmp_path / "w.txt").write_text(WRAPPED)
    run("train", tmp_path / "w.txt", "--tokenizer", "spaces", "-o", tmp_path / "m.npz")
    assert json.loads(run("inspect", tmp_path / "m.npz", "--json").stdout)["marker_words"] == ["<unk>", "<s>", "</s>"]
    assert "<unk>, <s>, </s>: words of its text" in run("inspect", tmp_path / "m.npz").stdout
    (tmp_path / "m.arpa").write_text(
        "\\data\\\nngram 1=4\n\n\\1-grams:\n-1\t<UNK>\n-99\t<s>\n-1\t</s>\n-1\ta\n\n\\end\\\n"
    )
    said = run("import", tmp_path / "m.arpa", "-o", tmp_path / "a.npz").stderr
    assert "markers of the file: <UNK>, <s>, </s>; in a text they are words, but with --markers" in said
    assert "markers: <unk>, <s>, </s>" in run("inspect", tmp_path / "a.npz").stdout


def test_a_note_names_the_option_and_is_gone_with_it(tmp_path, run):
    (tmp_path / "w.txt").write_text(WRAPPED * 3)
    assert "--markers borders makes it the unknown token" in marker_notes(["the <unk> went home\n" * 9])[0]
    said = run("train", tmp_path / "w.txt", "-o", tmp_path / "m.npz").stderr
    assert "--markers borders makes them the ends of sequences" in said
    assert "--markers" not in run("train", tmp_path / "w.txt", "--markers", "space", "-o", tmp_path / "m.npz").stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [({"markers": "none"}, "markers 'none'"), ({"markers": "borders", "borders": False}, "--no-borders"),
     ({"markers": "borders", "tokenizer": "bytes"}, "--tokenizer bytes")],
)  # fmt: skip
def test_what_cannot_be_is_refused(options, said):
    with pytest.raises(OptionError, match=said):
        markov_cli.train(texts=[WRAPPED], **options)
