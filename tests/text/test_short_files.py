"""Short files are read together; every answer is that of reading each by itself."""

import gzip
import lzma

import pytest

from markov_cli.api.audit import audit
from markov_cli.api.score import score, score_units
from markov_cli.api.trace import trace
from markov_cli.api.train import train
from markov_cli.errors import MarkovError, TextError
from markov_cli.text import short_files
from markov_cli.text.encoder import TextOptions
from markov_cli.text.encoding_threads import encode_blocks, new_encoders, read_blocks
from markov_cli.text.reading import Repairs
from markov_cli.text.sequences import Collector
from markov_cli.text.sources import find_sources

BLOCK = 4096
STORY = b'The boat sank in the bay. Mr. Hale ran to the shore. "Come!" he said.\n\nNobody came to the bay'
KINDS = {
    "a.txt": STORY,
    "b-crlf.txt": STORY.replace(b"\n", b"\r\n") + b"\r",
    "c-empty.txt": b"",
    "d-mark.txt": b"\xef\xbb\xbf" + STORY,
    "e-utf-16.txt": STORY.decode().encode("utf-16"),
    "f-gzip.txt": gzip.compress(STORY, mtime=0),
    "g-long-gzip.txt": gzip.compress(STORY * 30, mtime=0),
    "h-image.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "i-binary": bytes(range(1, 32)) * 10,
    "j-invalid.txt": b"\xffThe bay \xe4\xb8",
    "k-long.txt": STORY * 40,
    "l-white.txt": b" \n \n",
    "m-xz.txt": lzma.compress(STORY),
    "n-line.txt": b"\nThe boat.\n\n",
    "o-latin.txt": "Café au lait. Déjà vu. Été.".encode("latin-1"),
    "p-image.jpg": b"\xff\xd8\xff\xe0" + bytes(50),
    ".hidden": STORY,
}


@pytest.fixture
def folder(tmp_path):
    for name, data in KINDS.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "q").mkdir()
    for i in range(20):
        (tmp_path / "q" / f"{i:02}.txt").write_bytes(STORY[i:] + b" %d" % i)
    (tmp_path / "r-gone.txt").symlink_to(tmp_path / "nowhere")
    return tmp_path


def together_and_alone(monkeypatch, call):
    """A result with short files read together, a few in each of several threads, and with each in its own blocks."""
    monkeypatch.setattr(short_files, "_FILES", 3)
    for share in (4, 1 << 30):
        monkeypatch.setattr(short_files, "_SHARE", share)
        yield call()


def encoded(folder, options, encoding):
    """All that training counts while it reads, and the number of pieces."""
    encoders, repairs = new_encoders(options, 2), Repairs()
    collector, progress, n_pieces = Collector(options.unit), 0, 0
    found = read_blocks(find_sources([str(folder)]), encoding, options.tokenizer == "bytes", repairs, BLOCK)
    for piece, size in encode_blocks(found, encoders):
        collector.add(piece)
        progress += size
        n_pieces += 1
    for encoder in encoders:
        repairs.add(encoder.repairs)
    figures = collector.n_sequences, collector.n_tokens, collector.file_ends, collector.empty_sequences
    repairs.invalid_text = ""  # a sample, of neighbours too
    return (*figures, vars(repairs), progress, sum(e.text_bytes for e in encoders)), n_pieces


OPTIONS = [
    TextOptions.of("words", "sentence"), TextOptions.of("words", "line", True), TextOptions.of("spaces", "paragraph"),
    TextOptions.of("chars", "file"), TextOptions.of("bytes", "line"), TextOptions.of("regex", "file"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o.tokenizer}-{o.unit}")
def test_files_of_every_kind_read_the_same_together(folder, monkeypatch, options, encoding):
    (together, n), (alone, n_alone) = together_and_alone(monkeypatch, lambda: encoded(folder, options, encoding))
    assert together == alone
    assert n < n_alone / 2


@pytest.mark.parametrize("given", [
    {}, {"min_files": 3}, {"min_sequences": 2, "unit": "line"}, {"guard": 5}, {"guard": 5, "unit": "file"},
    {"cap_per_sequence": 1, "tokenizer": "spaces"}, {"tokenizer": "regex", "unit": "line"},
], ids=str)  # fmt: skip
def test_a_folder_gives_one_model(folder, monkeypatch, tmp_path, given):
    def made():
        train(folder, jobs=2, **given).save(tmp_path / ".out.npz")
        return (tmp_path / ".out.npz").read_bytes()

    together, alone = together_and_alone(monkeypatch, made)
    assert together == alone


def test_fragments_are_found_in_their_files_and_lines(folder, monkeypatch, tmp_path):
    text = tmp_path / ".text.txt"
    text.write_bytes(b"One\n\nMr. Hale ran to the shore. Nobody came to the bay 7")

    together, alone = together_and_alone(monkeypatch, lambda: trace([text], corpus=[folder]).to_dict())
    assert together == alone
    best = max(together["fragments"], key=lambda f: f["tokens"])
    assert (best["text"], best["text_line"], best["line"]) == ("Mr. Hale ran to the shore.", 3, 1)
    last = together["fragments"][-1]
    assert (last["text"], last["file"].rsplit("/", 1)[-1], last["line"]) == ("Nobody came to the bay 7", "07.txt", 3)
    swapped, swapped_alone = together_and_alone(monkeypatch, lambda: trace([folder], corpus=[text]).to_dict())
    assert swapped == swapped_alone


def test_audit_and_score_of_a_folder_are_one(folder, monkeypatch, tmp_path):
    model = train(folder, order=4)
    together, alone = together_and_alone(monkeypatch, lambda: audit(model, corpus=[folder]).to_dict())
    assert together == alone
    together, alone = together_and_alone(monkeypatch, lambda: score(model, [folder]).to_dict())
    assert together == alone
    together, alone = together_and_alone(monkeypatch, lambda: [*score_units(model, [folder])])
    assert together == alone


def test_the_error_of_a_named_file_is_the_same(folder):
    for name, said in (("h-image.png", "PNG image"), ("i-binary", "not text"), ("gone", "no such file")):
        with pytest.raises(TextError, match=said):
            train([folder / "a.txt", folder / name])


def test_a_file_that_grew_or_shrank_is_read_as_it_is_now(tmp_path):
    path = tmp_path / "a.txt"
    for now in (b"one two three", b"one", b"one " * 4000):
        path.write_bytes(b"one two")
        sources = find_sources([str(path)])
        path.write_bytes(now)
        found = read_blocks(sources, "utf-8", False, Repairs(), BLOCK)
        assert b"".join(b.data[: b.size].tobytes() for b in found) == now


def test_a_file_that_went_away_is_left_out_or_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    inside, named = find_sources([str(tmp_path)]), find_sources([str(path)])
    path.unlink()
    repairs = Repairs()
    assert [*read_blocks(inside, "utf-8", False, repairs)] == []
    assert repairs.kinds == ["no file"]
    with pytest.raises(MarkovError, match="No such file"):
        next(read_blocks(named, "utf-8", False, Repairs()))
