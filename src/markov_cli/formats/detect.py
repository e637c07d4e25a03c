"""Recognises the format of another program's file by its beginning, or names what it is instead."""

from __future__ import annotations

import json
import re

from ..errors import MarkovError, ModelFileError, NotText, TextError
from ..text.file_kinds import is_model, refuse_signature, utf_16_without_mark
from .opening import HEAD_BYTES, ForeignFile

FORMATS = ("arpa", "counts", "books", "markovify")
_CHOOSE = f"if it is one, say which: --format with one of {', '.join(FORMATS)}"
_DATA = re.compile(rb"^[ \t]*\\data\\[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_SECTION = re.compile(rb"^[ \t]*(\\\d+-grams:|ngram[ \t]+\d+[ \t]*=[ \t]*\d+)[ \t\r]*$", re.MULTILINE)
_ARPA = "import the ARPA file that it was made from"
# KenLM lm/binary_format.cc; SRILM lm/src/NgramLM.cc; IRSTLM lmtable.cpp; SphinxBase ngram_model_dmp.c,
# ngram_model_trie.c; OpenFst fst.cc; Java and Python for BerkeleyLM and NLTK
_BINARIES = {
    b"mmap lm http://kheafield.com/code": ("a binary model of KenLM, which only KenLM can read", _ARPA),
    b"SRILM_BINARY_NGRAM_": ("a binary model of SRILM, which only SRILM can read", f"{_ARPA}, or: ngram -write-lm"),
    b"SRILM_BINARY_COUNTS_": ("binary counts of SRILM", "write them as text: ngram-count -read FILE -write COUNTS"),
    b"blmt": ("a binary model of IRSTLM", "write it as ARPA: compile-lm --text=yes FILE ARPA"),
    b"Qblmt": ("a quantized binary model of IRSTLM", _ARPA),
    b"Trie Language Model": ("a binary model of SphinxBase", "write it as ARPA: sphinx_lm_convert -ofmt arpa"),
    b"\xd6\xfd\xb2\x7e": ("a finite-state transducer of OpenFst", "write it as ARPA: ngramprint --ARPA"),
    b"\xac\xed\x00\x05": ("an object of Java", f"{_ARPA}, if it is a language model"),
}
_SPHINX_DUMP = b"Darpa Trigram LM"
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_TEXT_KINDS = (
    (re.compile(rb"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"\s*<\?xml\b"), "XML"),
    (re.compile(rb"\s*(WEBVTT\b|1\s*\r?\n\d+:\d\d:\d\d[,.]\d+ --> )"), "subtitles"),
)
_COUNTED = re.compile(rb"\s*\S.*[ \t]\d{1,18}\s*")
_YEAR = re.compile(rb"[^\t]+\t([12]\d{3})\t\d{1,18}\t\d{1,18}(\t\d{1,18})?\s*")
_YEARS = re.compile(rb"[^\t]+(\t[12]\d{3},\d{1,18},\d{1,18})+\s*")
_LINES = 20  # that are looked at


def format_of(file: ForeignFile) -> str:
    r"""One of FORMATS, by the structure of a file's first 64 KiB.

    ARPA has a line `\data\`, also after prose; a line of counts ends in a number; one of Google Books ends in a year
    and two or three numbers, or in such triples; markovify's JSON has the keys of its models.

    ModelFileError, NotText or TextError, with what the file is instead, for any other.
    """
    head, name = file.head, file.name
    refuse_binary_model(head, name)
    if not head.strip():
        raise TextError(f"{name}: empty" if not head else f"{name}: only white space", "give a model or counts")
    lines = _first_lines(head)
    kind = _of_lines(lines, len(head) >= HEAD_BYTES)
    if kind == "books" or (kind == "counts" and len(lines[0].split(b"\t")) > 1):  # such a line may look like the others
        return kind
    if _DATA.search(head):
        return "arpa"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        refused = _json_refusal(text, name)
        if refused is None:
            return "markovify"
        if kind is None:
            raise refused
    if kind is not None:
        return kind
    raise _refusal(head, lines, name)


def refuse_binary_model(head: bytes, name: str) -> None:
    """ModelFileError or NotText, with the program's name, for a file that is no text."""
    if is_model(head):
        raise ModelFileError(
            f"{name}: a markov model already", "use it as it is; import is for files of other programs"
        )
    for mark, (kind, hint) in _BINARIES.items():
        if head.startswith(mark):
            raise ModelFileError(f"{name}: {kind}", hint)
    if head[4:20] == _SPHINX_DUMP:
        raise ModelFileError(f"{name}: {_BINARIES[b'Trie Language Model'][0]}", _BINARIES[b"Trie Language Model"][1])
    if _PICKLE.match(head):
        raise ModelFileError(f"{name}: an object pickled by Python", "write it as text: its counts, ARPA or JSON")
    refuse_signature(head, name)
    if b"\0" in head[:1000] and (wide := utf_16_without_mark(head)):
        raise NotText(f"{name}: {wide.upper()} without a byte-order mark", f"--encoding {wide}", wide.upper())


def _first_lines(head: bytes) -> list[bytes]:
    """The first lines that are not blank; a last one that may be cut counts only if it is the only one."""
    whole = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [line for line in whole[:-1] if line.strip()][:_LINES]
    return lines or [whole[-1]]


def _of_lines(lines: list[bytes], cut: bool) -> str | None:
    """`books` or `counts` where the first line and most others have that form; readers name a line that has not."""
    if cut and len(lines[0]) >= HEAD_BYTES:
        return None
    for form, patterns in (("books", (_YEAR, _YEARS)), ("counts", (_COUNTED,))):
        fits = [any(p.fullmatch(line) for p in patterns) for line in lines]
        if fits[0] and sum(fits) >= 0.75 * len(fits):
            return form
    return None


def _json_refusal(text: bytes, name: str) -> MarkovError | None:
    """The error for JSON that is no model of markovify; None for what looks like one."""
    if re.match(rb"\[\s*\[\s*\[|\{\s*\"", text) is None:
        return None if text.startswith(b"{") else TextError(f"{name}: not a model", _CHOOSE)
    if text.startswith(b"["):
        return None
    if re.search(rb"\"(state_size|chain|parsed_sentences)\"\s*:", text):
        return None
    keys: list[str] = []
    try:
        found = json.loads(text.split(b"\n")[0])
        keys = [*found][:4] if isinstance(found, dict) else []
    except (ValueError, RecursionError):
        pass
    known = f" with the keys {', '.join(map(repr, keys))}" if keys else ""
    return TextError(
        f"{name}: JSON{known}, and no model of markovify, which has 'state_size' and 'chain'",
        "is it a corpus? markov train learns from text",
    )


def _refusal(head: bytes, lines: list[bytes], name: str) -> MarkovError:
    """The error for a text that is no model: what it seems to be."""
    shown = repr(lines[0][:60].decode("utf-8", "replace").strip())
    if found := _SECTION.search(head):
        mark = found[1].decode()
        return ModelFileError(f"{name}: an ARPA file without its line \\data\\: it has {mark!r}", "export it again")
    for pattern, kind in _TEXT_KINDS:
        if pattern.match(head):
            return TextError(f"{name}: {kind}, and not a model or counts", "markov train learns from text")
    return TextError(
        f"{name}: neither ARPA nor counts nor a model of markovify: it begins {shown}",
        f"{_CHOOSE}; is it a corpus? markov train learns from text",
    )
