"""Text and binary files, told apart by their first bytes."""

import gzip
import io
import json
import os
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib
from contextlib import closing

import numpy as np
import pytest

import markov_cli
from conftest import CORPORA, SCRIPTS
from engine import model_of, saved
from helpers import two_lines
from markov_cli.errors import NotText, TextError
from markov_cli.model.header import FORMAT
from markov_cli.text import file_kinds
from markov_cli.text.file_kinds import in_another_encoding, is_model, refuse_binary, signature
from markov_cli.text.lines import read_lines
from markov_cli.text.reading import Repairs, Source, can_be_parted, find_sources, open_text

STORY = (CORPORA / "harbour.txt").read_text(encoding="utf-8")
RANDOM = np.random.default_rng(1)


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr({"types": "[Content_Types].xml"}.get(name, name), text)
    return data.getvalue()


def tarred():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("story.txt")
        info.size = len(STORY.encode())
        archive.addfile(info, io.BytesIO(STORY.encode()))
    return data.getvalue()


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b"")
    )


def sound():
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<4000h", *(180 * (i % 50) for i in range(4000))))
    return data.getvalue()


def database(folder):
    made = sqlite3.connect(folder / "made.db")
    made.execute("create table t(x)")
    made.execute("insert into t values(?)", (STORY,))
    made.commit()
    made.close()
    return (folder / "made.db").read_bytes()


def numbers():
    data = io.BytesIO()
    np.save(data, np.arange(1000))
    return data.getvalue()


BINARY = {
    "old.npz": (lambda folder: saved(model_of(STORY)), "markov model"),
    "story.zip": (lambda folder: zipped(story=STORY), "zip archive"),
    "story.docx": (lambda folder: zipped(types="<x/>", story=STORY), "Office document"),
    "story.epub": (lambda folder: zipped(mimetype="application/epub+zip", story=STORY), "EPUB book"),
    "story.tar": (lambda folder: tarred(), "tar archive"),
    "story.tar.gz": (lambda folder: gzip.compress(tarred()), "tar archive"),
    "story.pdf": (lambda folder: b"%PDF-1.4\n" + STORY.encode(), "PDF"),
    "dot.png": (lambda folder: png(), "PNG image"),
    "dot.png.gz": (lambda folder: gzip.compress(png()), "PNG image"),
    "sound.wav": (lambda folder: sound(), "WAVE file"),
    "made.sqlite": (database, "SQLite database"),
    "a.npy": (lambda folder: numbers(), "NumPy array"),
    "l.so": (lambda folder: b"\x7fELF\x02\x01\x01" + bytes(50) + STORY.encode(), "ELF program"),
    "x.pyc": (lambda folder: b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(30) + b"\x01\x02\x03\x97" * 20, "binary data"),
    "nuls": (lambda folder: bytes(1000), "binary data"),
    "random": (lambda folder: RANDOM.bytes(5000), "binary data"),
    "utf-16-le": (lambda folder: STORY[:999].encode("utf-16-le"), "UTF-16-LE"),
    "utf-16-be": (lambda folder: STORY[:999].encode("utf-16-be"), "UTF-16-BE"),
    "koi8-r": (lambda folder: script("russian").encode("koi8-r", "replace"), "not UTF-8"),
    "shift_jis": (lambda folder: script("japanese").encode("shift_jis", "replace"), "not UTF-8"),
    "utf-16-be of Japanese": (lambda folder: script("japanese").encode("utf-16-be"), "UTF-16-BE"),
}
TEXT = {
    "story.txt": STORY.encode(),
    "story.txt.gz": gzip.compress(STORY.encode()),
    "utf-16": STORY.encode("utf-16"),
    "utf-8 with a mark": STORY.encode("utf-8-sig"),
    "empty": b"",
    "one byte": b"x",
    "one byte that is none": b"\xff",
    "one NUL": b"\0",
    "a few controls": b"\1\2\3 a b c",
    "names between NULs": b"\0".join(b"./some/folder/name%d.txt" % i for i in range(500)),
    "overstruck": b"".join(bytes([c, 8, c]) for c in b"NAME in bold letters " * 50),
    "colours": b"\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m " * 200,
    "PK": b"PK is not yet an archive. " * 100,
    "RIFF": b"RIFF is not yet a sound. " * 100,
    "a page with form feeds": b"a line\n\f" * 200,
}


def script(name):
    return (CORPORA / "scripts" / f"{name}.txt").read_text(encoding="utf-8") * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("kinds")
    (here / "in").mkdir()
    for name, (made, _) in BINARY.items():
        (here / "in" / name).write_bytes(made(here))
    for name, data in TEXT.items():
        (here / "in" / name).write_bytes(data)
    return here / "in"


def beginning(path, encoding="utf-8"):
    """The first block of a file, as every command reads it."""
    with closing(open_text(Source(str(path)), encoding, Repairs())) as stream:
        return stream.read(1 << 20)


# ------------------------------------------------------------ one file


@pytest.mark.parametrize("name", BINARY)
def test_a_binary_file_that_is_named_is_an_error(folder, name):
    kind = BINARY[name][1]
    with pytest.raises(NotText) as refused:
        beginning(folder / name)
    assert refused.value.kind == kind
    assert refused.value.message.startswith(f"{folder / name}: ")
    assert refused.value.hint


@pytest.mark.parametrize("name", TEXT)
def test_a_text_is_a_text(folder, name):
    assert beginning(folder / name) or name == "empty"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_every_script_is_text_in_its_encodings(path):
    text = path.read_text(encoding="utf-8")
    refuse_binary(text.encode(), path.name)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le"):
        refuse_binary(text.encode(encoding).decode(encoding).encode(), path.name, encoding)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("french", "cp1252"), ("french", "mac_roman"), ("german", "latin-1"), ("german", "cp850")],
)
def test_latin_scripts_of_other_encodings_are_read_with_a_note(tmp_path, name, encoding):
    """At most a tenth of their bytes is invalid, and a person can make do with that."""
    (tmp_path / "text").write_bytes(script(name).encode(encoding, "replace"))
    assert markov_cli.train([tmp_path / "text"]).repairs.invalid > 0


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "koi8-r", "shift_jis", "utf-16", "utf-16-le"])
def test_binary_files_are_refused_in_every_encoding(folder, encoding):
    for name, (_, kind) in BINARY.items():
        if not in_another_encoding(kind) and name != "nuls":
            with pytest.raises(NotText):
                beginning(folder / name, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "koi8-r", "shift_jis"])
def test_a_text_is_read_in_the_encoding_that_is_named(folder, encoding):
    whole = STORY[:999] if encoding.startswith("utf") else script("russian" if encoding == "koi8-r" else "japanese")
    text = whole.encode(encoding, "replace").decode(encoding)
    assert beginning(folder / encoding, encoding).decode() == text


def test_bytes_takes_any_file(folder):
    assert markov_cli.train([folder / "random"], tokenizer="bytes", unit="file").header.tokens == 5000


def test_a_text_that_is_given_by_itself_is_text():
    assert markov_cli.train(texts=["%PDF-1 \1\2\3" * 20]).header.tokens


def test_what_follows_the_first_bytes_is_read_and_counted(tmp_path):
    (tmp_path / "late").write_bytes(STORY.encode() * 2 + RANDOM.bytes(10_000))
    assert len(STORY.encode()) * 2 > file_kinds.SNIFF_BYTES
    assert markov_cli.train([tmp_path / "late"]).repairs.invalid > 1000


# ------------------------------------------------------------ signs and shares


def test_the_sign_of_a_model_is_its_format():
    assert FORMAT == file_kinds.MODEL_FORMAT
    data = saved(model_of("a b c"))
    assert is_model(data) and is_model(data[: len(data) // 2])
    assert not is_model(zipped(header="x"))


def test_every_signature_is_seen():
    for mark in file_kinds._SIGNATURES:
        assert signature(mark + b"...")
    for mark, _, _ in file_kinds._ZIPS:
        assert signature(b"PK\x03\x04" + bytes(26) + mark)[0] != "a zip archive"


@pytest.mark.parametrize(
    ("n_control", "n_nul", "n_invalid", "kind"),
    [  # of 1,000 bytes
        (30, 0, 0, None),
        (31, 0, 0, "binary data"),
        (0, 100, 0, None),
        (0, 101, 0, "binary data"),
        (1, 49, 0, None),
        (1, 50, 0, "binary data"),
        (0, 0, 100, None),
        (0, 0, 101, "not UTF-8"),
        (20, 0, 81, "not UTF-8"),
    ],
)
def test_shares(n_control, n_nul, n_invalid, kind):
    odd = b"\1" * n_control + b"\0" * n_nul + b"\xff" * n_invalid
    data = odd + (b"a word\n" * 200)[: 1000 - len(odd)]
    if kind is None:
        refuse_binary(data, "x")
        return
    with pytest.raises(NotText) as refused:
        refuse_binary(data, "x")
    assert refused.value.kind == kind


def test_fewer_than_16_odd_bytes_do_not_make_a_file_binary():
    refuse_binary(b"\1" * 15, "x")
    with pytest.raises(NotText):
        refuse_binary(b"\1" * 16, "x")


def test_u_fffd_in_a_text_is_no_invalid_byte():
    refuse_binary(("�" * 999).encode(), "x")
    with pytest.raises(NotText, match="not cp1252"):
        refuse_binary(("�" * 999).encode(), "x", "cp1252")  # there it stands for what could not be decoded


def test_a_binary_file_is_not_divided_among_machines(folder):
    assert can_be_parted(Source(str(folder / "story.txt")), "utf-8", "words")
    for name in ("old.npz", "story.tar", "random", "koi8-r"):
        assert not can_be_parted(Source(str(folder / name)), "utf-8", "words")
        assert can_be_parted(Source(str(folder / name)), "utf-8", "bytes")


# ------------------------------------------------------------ folders and commands


def test_a_folder_is_read_without_them(folder):
    read = markov_cli.train([folder])
    assert read.repairs.skipped == sorted(str(folder / name) for name in BINARY)
    kinds = {name.rpartition("/")[2]: kind for name, kind in zip(read.repairs.skipped, read.repairs.kinds, strict=True)}
    assert kinds == {name: kind for name, (_, kind) in BINARY.items()}
    texts = [folder / name for name in sorted(TEXT)]
    assert read.header == markov_cli.train(texts).header
    lines = Repairs()
    assert sum(len(part.lines) for part in read_lines(find_sources([str(folder)]), "utf-8", lines))
    assert (lines.skipped, lines.kinds) == (read.repairs.skipped, read.repairs.kinds)


def test_notes_name_them_and_what_they_are(run, folder, tmp_path):
    model = tmp_path / "m.npz"
    ran = run("train", folder, "-o", model)
    notes = [line.removeprefix("note     ") for line in ran.stderr.splitlines() if "left out, " in line]
    first = [
        f"{folder / name} ({BINARY[name][1]})" for name in sorted(BINARY) if not in_another_encoding(BINARY[name][1])
    ]
    other = [f"{folder / name} ({BINARY[name][1]})" for name in sorted(BINARY) if in_another_encoding(BINARY[name][1])]
    expected = [
        f"16 files left out, not text: {', '.join(first[:5])}, ...",
        f"5 files left out, in another encoding: {', '.join(other)}; see --encoding",
    ]
    assert notes == expected
    text = folder / "story.txt"
    for args in (
        ["score", model, folder, "--each", "line"],
        ["audit", model, "--corpus", folder],
        ["trace", text, "--corpus", folder],
    ):
        ran = run(*args)
        assert [line.removeprefix("note: ") for line in ran.stderr.splitlines() if "left out, " in line] == expected, (
            args
        )
    told = json.loads(run("score", model, folder, "--json").stdout)["repairs"]
    assert told["skipped"] == sorted(str(folder / name) for name in BINARY)


def test_a_folder_of_nothing_else_says_so(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(png())
    ran = run("train", tmp_path / "in", "-o", tmp_path / "m.npz")
    two_lines(ran, 1, "1 of 1 files are not text", "a.png (PNG image)")


@pytest.mark.parametrize(
    "args",
    [
        ["train", "FILE", "-o", "OUT"],
        ["score", "MODEL", "FILE"],
        ["score", "MODEL", "FILE", "--each", "token"],
        ["score", "MODEL", "FILE", "--jsonl", "text"],
        ["score", "MODEL", "--model", "MODEL", "--classify", "FILE"],
        ["trace", "FILE", "--corpus", "TEXT"],
        ["trace", "TEXT", "--corpus", "FILE"],
        ["audit", "MODEL", "--corpus", "FILE"],
        ["audit", "MODEL", "--member", "FILE"],
        ["generate", "MODEL", "--novel", "6", "--corpus", "FILE"],
    ],
    ids=lambda args: " ".join(args),
)
def test_every_command_that_reads_text_refuses_a_model(run, folder, tmp_path, args):
    names = {
        "FILE": folder / "old.npz",
        "MODEL": folder / "old.npz",
        "TEXT": folder / "story.txt",
        "OUT": tmp_path / "m",
    }
    ran = run(*[names.get(word, word) for word in args])
    two_lines(ran, 1, f"{folder / 'old.npz'}: a markov model, not text", "markov merge")


def test_a_model_on_standard_input_is_no_text(run, folder, tmp_path):
    ran = run("train", "-", "-o", tmp_path / "m.npz", stdin=(folder / "old.npz").read_bytes())
    two_lines(ran, 1, "standard input: a markov model, not text")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_lines_of_a_file_that_cannot_be_read_are_not_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(TextError, match="Permission denied"):
        list(read_lines(find_sources([str(tmp_path)]), "utf-8", Repairs()))
