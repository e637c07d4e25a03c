"""Recognition of a model file of another program by its beginning."""

import bz2
import gzip
import io
import json
import lzma
import re

import pytest

import markov_cli
from helpers import two_lines
from markov_cli.errors import ModelFileError
from markov_cli.formats.detect import format_of
from markov_cli.formats.opening import open_file

PROSE = """A page of prose, as the toolkit of Cambridge writes one.

The data begin with the mark \\data\\ and lines such as
ngram 1=nr
\\1-grams:
p_1     wd_1    bo_1
and the file ends with \\end\\ in a line.

"""


def form(path):
    with open_file(str(path)) as file:
        return format_of(file)


@pytest.fixture
def arpa(tmp_path):
    path = tmp_path / "m.arpa"
    markov_cli.export_arpa(markov_cli.train(texts=["a b. a c."], order=2), path)
    return path


def test_an_arpa_file_may_begin_with_prose(arpa, tmp_path):
    long = tmp_path / "prose.arpa"
    long.write_text(PROSE + arpa.read_text(encoding="utf-8"), encoding="utf-8")
    assert (form(arpa), form(long)) == ("arpa", "arpa")
    plain, prose = (markov_cli.import_model(path) for path in (arpa, long))
    plain.save(tmp_path / "plain.npz")
    prose.save(tmp_path / "prose.npz")
    assert (tmp_path / "plain.npz").read_bytes() == (tmp_path / "prose.npz").read_bytes()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\\data\\\nngram 1=3\n", "arpa"),
        (b"\xef\xbb\xbf \\DATA\\ \r\nngram 1=3\r\n", "arpa"),
        (b'{"state_size": 2, "chain": "[]"}', "markovify"),
        (b"[[[], {}]]", "markovify"),
        (b"{ a\t3\n", "counts"),
        (b"\\data\\ b\t12\n", "counts"),
        (b"a b c\t1\n", "counts"),
    ],
)
def test_the_beginning_tells_the_format(tmp_path, data, wanted):
    path = tmp_path / "given"
    path.write_bytes(data)
    assert form(path) == wanted


@pytest.mark.parametrize(
    ("head", "program"),
    [
        (b"mmap lm http://kheafield.com/code format version 5\n\0", "KenLM"),
        (b"SRILM_BINARY_NGRAM_002\n", "SRILM"),
    ],
)
def test_binary_models_are_named(run, tmp_path, head, program):
    path = tmp_path / "m.bin"
    path.write_bytes(head + bytes(100))
    with pytest.raises(ModelFileError, match=f"a binary model of {program}"):
        markov_cli.import_model(path)
    ran = run("import", path, "-o", tmp_path / "m.npz")
    two_lines(ran, 1, f"a binary model of {program}", "import the ARPA file that it was made from")


NO_MODELS = [
    (b"", "empty", "give a model or counts"),
    (b" \n\n", "only white space", "give a model or counts"),
    (b"The clock was slow.\nIt rang.\n", "it begins 'The clock was slow.'", "markov train learns from text"),
    (b"Chapter 1\nThe clock was slow.\nIt rang.\nAll night.\n", "it begins 'Chapter 1'", "--format with one of"),
    (b"<!DOCTYPE html>\n<html><p>a</p>\n", "an HTML page", "markov train learns"),
    (b"<?xml version='1.0'?>\n<a/>\n", "XML", "markov train learns"),
    (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "subtitles", "markov train learns"),
    (b'{"user": "ann", "text": "hello"}\n', "JSON with the keys 'user', 'text'", "markov train learns"),
    (b'["a", "b"]\n', "not a model", "--format with one of"),
    (b"ngram 1=5\nngram 2=4\n\n\\1-grams:\n", "without its line \\\\data\\\\: it has 'ngram 1=5'", "export it again"),
    (b"%PDF-1.7\n", "a PDF", "plain text"),
    (b"\x7fELF\x02", "an ELF program", "text"),
    (b"blmt 3 10\n", "a binary model of IRSTLM", "compile-lm"),
    (b"\x11\0\0\0Darpa Trigram LM\0", "a binary model of SphinxBase", "sphinx_lm_convert"),
    (b"\xd6\xfd\xb2\x7e\0\0", "a finite-state transducer", "ngramprint"),
    (b"\x80\x04\x95abc", "an object pickled by Python", "write it as text"),
    ("\\data\\\nngram 1=3\n".encode("utf-16-le"), "UTF-16-LE without a byte-order mark", "--encoding utf-16-le"),
]


@pytest.mark.parametrize(("data", "what", "hint"), NO_MODELS)
def test_whatever_is_no_model_is_named(run, tmp_path, data, what, hint):
    path = tmp_path / "given"
    path.write_bytes(data)
    for ran in (
        run("import", path, "-o", tmp_path / "m.npz"),
        run("import", "-", "-o", tmp_path / "m.npz", stdin=data),
    ):
        two_lines(ran, 1, re.sub(r"\\\\", r"\\", what), hint)


def test_a_model_of_ours_needs_no_import(run, tmp_path):
    path = tmp_path / "m.npz"
    markov_cli.train(texts=["a b"]).save(path)
    two_lines(run("import", path, "-o", tmp_path / "n.npz"), 1, "a markov model already", "use it as it is")


def packed(data):
    return [data, gzip.compress(data), bz2.compress(data), lzma.compress(data)]


def test_standard_input_is_recognised_compressed_or_not(run, tmp_path, arpa):
    model = markov_cli.train(texts=["a b. a c."], order=2)
    markov_cli.export_counts(model, tmp_path / "counts")
    markov_cli.export_markovify(model, tmp_path / "markovify")
    for form, path in (("arpa", arpa), ("counts", tmp_path / "counts"), ("markovify", tmp_path / "markovify")):
        wanted = io.BytesIO()
        markov_cli.import_model(path).save(wanted)
        for data in packed(path.read_bytes()):
            ran = run("import", "-", "-o", "-", stdin=data)
            assert (ran.code, ran.stdout_bytes) == (0, wanted.getvalue()), (form, ran.stderr)


FRENCH = "le caf\u00e9 \u00e9tait ferm\u00e9\nle gar\u00e7on \u00e9tait l\u00e0\n"


@pytest.mark.parametrize(
    ("encoding", "option", "said"),
    [
        ("utf-8", "utf-8", []),
        ("utf-8-sig", "utf-8", ["1 byte-order mark left out"]),
        ("utf-16", "utf-8", ["1 byte-order mark left out", "read by its byte-order mark: m.arpa (utf-16)"]),
        ("utf-32", "utf-8", ["1 byte-order mark left out", "read by its byte-order mark: m.arpa (utf-32)"]),
        ("utf-16-be", "utf-16-be", []),
        ("latin-1", "latin-1", []),
        ("cp1252", "windows-1252", []),
    ],
)
def test_files_in_other_encodings_give_the_same_model(run, tmp_path, encoding, option, said):
    model = markov_cli.train(texts=[FRENCH], tokenizer="spaces", unit="line", order=2)
    for name, export in (("m.arpa", markov_cli.export_arpa), ("m.tsv", markov_cli.export_counts)):
        path = tmp_path / name
        export(model, path)
        plain = run("import", path, "-o", "-").stdout_bytes
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
        ran = run("import", name, "-o", "-", "--encoding", option, cwd=tmp_path)
        assert ran.stdout_bytes == plain
        assert ran.stderr.splitlines()[: len(said)] == [line.replace("m.arpa", name) for line in said]
    text = tmp_path / "text"
    text.write_bytes(FRENCH.encode(encoding))
    (tmp_path / "m.npz").write_bytes(plain)
    assert json.loads(run("score", tmp_path / "m.npz", text, "--encoding", option, "--json").stdout)["oov"] == 0


def test_words_that_are_not_utf_8_are_kept_and_noted(run, tmp_path):
    model = markov_cli.train(texts=[FRENCH], tokenizer="spaces", unit="line", order=2)
    markov_cli.export_arpa(model, tmp_path / "m.arpa")
    (tmp_path / "m.arpa").write_bytes((tmp_path / "m.arpa").read_text(encoding="utf-8").encode("latin-1"))
    ran = run("import", tmp_path / "m.arpa", "-o", tmp_path / "m.npz")
    assert ran.stderr.splitlines()[0].startswith("5 words are not UTF-8, kept as bytes; --encoding cp1252 may be right")
    assert markov_cli.Model.load(tmp_path / "m.npz").vocabulary.find("caf\u00e9".encode("latin-1"))
    two_lines(
        run("import", tmp_path / "m.arpa", "-o", "x.npz", "--encoding", "klingon"), 2, "unknown encoding", "utf-16"
    )


def test_data_is_found_behind_prose_that_names_the_same_lines(arpa, tmp_path):
    """A line `\\data\\` of its own, which no count follows, is prose too."""
    path = tmp_path / "prose.arpa"
    path.write_text("\\data\\\nngram 1=nr\n\n" + arpa.read_text(encoding="utf-8"), encoding="utf-8")
    model = markov_cli.import_model(path)
    assert (model.notes.junk_lines, model.header.types) == (3, markov_cli.import_model(arpa).header.types)
    path.write_text("\\data\\\nngram 1=nr\n", encoding="utf-8")
    with pytest.raises(ModelFileError, match="line 2: 'ngram 1=nr' where a count should be"):
        markov_cli.import_model(path)


def test_spaces_stand_for_tabs(arpa, tmp_path):
    path = tmp_path / "spaces.arpa"
    path.write_text(arpa.read_text(encoding="utf-8").replace("\t", "  "), encoding="utf-8")
    models = [io.BytesIO(), io.BytesIO()]
    for one, out in zip((arpa, path), models, strict=True):
        markov_cli.import_model(one).save(out)
    assert models[0].getvalue() == models[1].getvalue()


def test_a_model_of_characters_names_its_space(run, tmp_path):
    model = markov_cli.train(texts=["so it is\nas it was\n"], tokenizer="chars", unit="line", order=3)
    model.save(tmp_path / "m.npz")
    chars = ("--tokenizer", "chars")
    for form in ("arpa", "counts"):
        plain = run("export", tmp_path / "m.npz", "--format", form, "-o", tmp_path / "plain")
        assert plain.stderr.splitlines()[-1].startswith("a space is written \\u{20}; a decoder may want --space-as '|'")
        wanted = run("import", tmp_path / "plain", *chars, "-o", "-", "-q").stdout_bytes
        for name in ("|", "<space>", "\u2581"):
            ran = run("export", tmp_path / "m.npz", "--format", form, "--space-as", name, "-o", tmp_path / "x")
            assert ran.code == 0 and "u{20}" not in ran.stderr
            lines = (tmp_path / "x").read_text(encoding="utf-8").splitlines()
            assert sum(line.split("\t")[form == "arpa"] == name for line in lines if "\t" in line) == 1
            assert not any("\\u{20}" in line for line in lines)
            back = run("import", tmp_path / "x", *chars, "--space-as", name, "-o", "-", "-q")
            assert back.stdout_bytes == wanted
            (tmp_path / "x").unlink()
    run("export", tmp_path / "m.npz", "--space-as", "<space>", "-o", tmp_path / "x.arpa")
    two_lines(
        run("import", tmp_path / "x.arpa", *chars, "-o", "y.npz"), 1, "'<space>' is no character", "--space-as WORD"
    )
    two_lines(run("export", tmp_path / "m.npz", "--space-as", "s", "-o", "y"), 2, "has a token of that name", "another")
    two_lines(run("export", tmp_path / "m.npz", "--space-as", "</s>", "-o", "y"), 2, "not a word", "'|'")
    two_lines(run("import", tmp_path / "x.arpa", "--space-as", "|", "-o", "y"), 2, "no token that is a space", "chars")


def test_a_byte_alone_is_no_character(run, tmp_path):
    """A file can name a type that is a single byte, which no text of characters has."""
    (tmp_path / "x.arpa").write_text(
        "\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<unk>\n-1\t</s>\n-1\t\\u{DC80}\n\n\\end\\\n", encoding="utf-8"
    )
    said = run("import", tmp_path / "x.arpa", "--tokenizer", "chars", "-o", tmp_path / "y.npz")
    two_lines(said, 1, r"'\x80' is no character", "leave --tokenizer out")
    assert run("import", tmp_path / "x.arpa", "-o", tmp_path / "y.npz").code == 0


@pytest.mark.parametrize("kind", ["arpa", "counts", "markovify"])
def test_how_text_is_read_comes_from_the_options_of_every_import(tmp_path, kind):
    model = markov_cli.train(texts=["a b c. a b d."], order=2)
    getattr(markov_cli, f"export_{kind}")(model, tmp_path / "m")
    how = {"tokenizer": "words", "unit": "paragraph", "lowercase": True, "keep_newlines": True}
    options = getattr(markov_cli, f"import_{kind}")(tmp_path / "m", **how).header.options
    assert {name: getattr(options, name) for name in how} == how
