"""Recognition of a model file of another program by its beginning."""

import pytest

import markov_cli
from helpers import two_lines
from markov_cli.errors import ModelFileError
from markov_cli.formats.detect import format_of

PROSE = """A page of prose, as the toolkit of Cambridge writes one.

The data begin with the mark \\data\\ and lines such as
ngram 1=nr
\\1-grams:
p_1     wd_1    bo_1
and the file ends with \\end\\ in a line.

"""


@pytest.fixture
def arpa(tmp_path):
    path = tmp_path / "m.arpa"
    markov_cli.export_arpa(markov_cli.train(texts=["a b. a c."], order=2), path)
    return path


def test_an_arpa_file_may_begin_with_prose(arpa, tmp_path):
    long = tmp_path / "prose.arpa"
    long.write_text(PROSE + arpa.read_text(encoding="utf-8"), encoding="utf-8")
    assert (format_of(str(arpa)), format_of(str(long))) == ("arpa", "arpa")
    plain, prose = (markov_cli.import_model(path) for path in (arpa, long))
    plain.save(tmp_path / "plain.npz")
    prose.save(tmp_path / "prose.npz")
    assert (tmp_path / "plain.npz").read_bytes() == (tmp_path / "prose.npz").read_bytes()


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"\\data\\\nngram 1=3\n", "arpa"),
        (b"\xef\xbb\xbf \\DATA\\ \r\nngram 1=3\r\n", "arpa"),
        (b'{"state_size": 2, "chain": "[]"}', "markovify"),
        (b"[[[], {}]]", "markovify"),
        (b"{ a\t3\n", "counts"),
        (b"\\data\\ b\t12\n", "counts"),
        (b"a b c\t1\n", "counts"),
        (b"", "counts"),
    ],
)
def test_the_beginning_tells_the_format(tmp_path, data, form):
    path = tmp_path / "given"
    path.write_bytes(data)
    assert format_of(str(path)) == form


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
