"""The report of a model that was made, and of what was changed in reading its text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api.results import RepairCounts, WordListFigures
from ..text.file_kinds import encoding_hint, in_another_encoding
from ..text.text_kinds import marker_notes, text_notes
from .json_text import json_text
from .safe_text import one_line, protection_words, size, some

if TYPE_CHECKING:
    from ..api.model import Model
    from ..formats.ngram_listing import Notes
    from ..text.reading import Repairs
    from ..text.word_list import WordList


_NAMED = 5  # files that a line names
_ADDED = "without a unigram added, with log10 -99 (<unk>: -100)"
_PUT_IN = "put in, with the least possible count"
_RAISED = "raised to the sum of longer n-grams' counts"


def _rows(model: Model) -> list[int]:
    return [len(o) for o in model.table.orders]


def train_json(model: Model, path: str, model_bytes: int, seconds: float, words: WordList | None = None) -> str:
    """The model that was trained, and what was changed in reading its text, as one object."""
    more = {"repairs": repairs_json(model.repairs)}
    return made_json(model, path, model_bytes, seconds, more if words is None else {**more, **words_json(words, model)})


def words_json(words: WordList, model: Model) -> dict[str, Any]:
    """Figures of a word list and of the model made with it."""
    absent = words.absent(model.vocabulary.types())
    found = WordListFigures(len(words), len(absent), words.duplicates, words.blanks, tuple(words.markers))
    return {"vocab": found.to_dict()}


def word_list_lines(words: WordList, model: Model) -> list[str]:
    """Lines about a word list: what it holds besides words, and the words that the model lacks."""
    out = []
    if words.duplicates:
        out.append(f"{words.name}: {some(words.duplicates, 'repeated word')} read once")
    if words.blanks:
        out.append(f"{words.name}: {some(words.blanks, 'blank line')} left out")
    if words.markers:
        named = ", ".join(dict.fromkeys(words.markers))
        out.append(f"{words.name}: left out {named}, which every model has; a word of the text is \\u{{3C}}/s>")
    absent = words.absent(model.vocabulary.types())
    if absent:
        named = ", ".join(one_line(word.decode("utf-8", "replace")) for word in absent[:_NAMED])
        h = model.header
        why = "never occur" if h.min_type_count == 1 and h.max_types is None else "never occur, or are too rare"
        more = ", ..." if len(absent) > _NAMED else ""
        out.append(f"{len(absent):,} of {some(len(words), 'word')} of {words.name} {why}: {named}{more}")
    return out


def made_json(model: Model, path: str, model_bytes: int, seconds: float, more: dict[str, Any] | None = None) -> str:
    """The model that was made, as one object."""
    summary = replace(model.summary(), model=path, model_bytes=model_bytes)
    return json_text({**summary.to_dict(), "seconds": round(seconds, 3), **(more or {})})


def repairs_json(r: Repairs) -> dict[str, Any]:
    """Numbers of repairs and skipped files, by kind."""
    return RepairCounts.of(r).to_dict()


def train_lines(model: Model, path: str, model_bytes: int, seconds: float) -> list[str]:
    """The summary for people: what was read, what was made, what was repaired or skipped."""
    out = made_lines(model, path, model_bytes, seconds, "read")
    out[-1] += f", {_rate(model.header.tokens / max(seconds, 1e-9))}"
    seen = text_notes(model.repairs.heads)
    return out + [f"note     {line}" for line in repair_lines(model.repairs) + seen + _advice(model)]


def update_lines(model: Model, path: str, model_bytes: int, seconds: float) -> list[str]:
    """The summary of `train --update`."""
    return made_lines(model, path, model_bytes, seconds) + [f"note     {line}" for line in repair_lines(model.repairs)]


def made_lines(model: Model, path: str, model_bytes: int, seconds: float, verb: str = "holds") -> list[str]:
    """Lines about a model's contents and its file."""
    h = model.header
    n = _rows(model)
    per_byte = f" {model_bytes / h.corpus_bytes:.2f} bytes per byte of text," if h.corpus_bytes else ""
    kind, unit = ("sequence", f"one a {h.options.unit}") if h.borders else ("text", "without <s> and </s>")
    what = f"{h.tokens:,} tokens of {h.types:,} types in {some(h.sequences, kind)} ({unit})"
    if h.cut_below:
        what = f"{h.said_holds()}: {what}"
    if h.holds == "probabilities":
        what = f"probabilities of {h.types:,} types"
    if h.order > 12:
        rows = f"{sum(n):,} of orders 1 to {h.order}, {n[-1]:,} of the longest"
    else:
        rows = ", ".join(f"{each:,} of order {k}" for k, each in enumerate(n, 1))
    out = [
        f"{verb:<8} {what}",
        f"n-grams  {rows}",
        f"wrote    {one_line(path)}: {size(model_bytes)},{per_byte} {model_bytes / sum(n):.1f} per n-gram;"
        f" {seconds:.1f} s",
    ]
    if said := protection_words(h.protection()):
        out.insert(2, f"kept     {', '.join(said)}")
    out[2:2] = guard_lines(model)
    return out


def guard_lines(model: Model) -> list[str]:
    """One line about a model's guard; none without a guard."""
    g = model.table.guard
    if g is None:
        return []
    rate = f"1 of {1 / g.rate:,.0f} new ones counts as seen" if g.n else "an empty one"
    return [f"guard    {g.n:,} runs of {g.tokens} tokens, {g.bits_each:.1f} bits each; {rate}"]


def import_notes(notes: Notes | None) -> list[str]:
    """Notes on differences between the model and the file that it was imported from."""
    if notes is None:
        return []
    said = (
        (notes.junk_lines, "line before \\data\\ skipped", "lines before \\data\\ skipped"),
        (notes.clamped, "probability above 1 read as 1", "probabilities above 1 read as 1"),
        (notes.missing_backoffs, "missing backoff read as 0", "missing backoffs read as 0"),
        (notes.top_backoffs, "backoff of the highest order ignored", "backoffs of the highest order ignored"),
        (notes.blanks, "missing shorter n-gram put in", "missing shorter n-grams put in"),
        (notes.added_markers, f"marker {_ADDED}", f"markers {_ADDED}"),
        (notes.unk_in_capitals, "<UNK> read as <unk>", "<UNK> read as <unk>"),
        (notes.capital_markers, "marker in capitals read as <s> or </s>", "markers in capitals read as <s> and </s>"),
        (
            notes.tagged,
            "n-gram with a tag, such as _NOUN, left out",
            "n-grams with tags, such as _NOUN, left out",
        ),
        (notes.put_in, f"missing shorter n-gram {_PUT_IN}", f"missing shorter n-grams {_PUT_IN}"),
        (notes.raised, f"count {_RAISED}", f"counts {_RAISED}"),
    )
    out = [f"{n:,} {one if n == 1 else many}" for n, one, many in said if n]
    out += _kept_lines(notes.invalid_words, notes.invalid_text) + notes.said
    if notes.left_out:
        named = ", ".join(map(one_line, notes.left_out[:_NAMED])) + (", ..." if len(notes.left_out) > _NAMED else "")
        out.append(f"{some(len(notes.left_out), 'file')} left out, of another kind: {named}")
    return out


def own_marker_lines(notes: Notes | None) -> list[str]:
    """A line that names the markers of an imported file; none where it has none."""
    if notes is None or not notes.markers:
        return []
    return [f"markers of the file: {', '.join(notes.markers)}; in a text they are words, but with --markers"]


def _rate(tokens: float) -> str:
    return f"{tokens / 1e6:.2f} M tokens/s" if tokens >= 1e5 else f"{tokens:,.0f} tokens/s"


def repair_lines(r: Repairs) -> list[str]:
    """A line for each kind of repair and for skipped files."""
    out = []
    if r.invalid:
        out.append(f"{some(r.invalid, 'invalid UTF-8 sequence')} read as U+FFFD; {encoding_hint(r.invalid_text)}")
    out += _kept_lines(r.invalid_types, r.invalid_text)
    if r.byte_order_marks:
        out.append(f"{some(r.byte_order_marks, 'byte-order mark')} left out")
    if r.crlf:
        out.append(f"{some(r.crlf, 'line end')} CR LF read as LF")
    if r.transcoded:
        out.append(f"read by its byte-order mark: {', '.join(map(one_line, r.transcoded[:5]))}")
    if r.declared:
        more = ", ..." if len(r.declared) > 5 else ""
        out.append(f"read in the encoding that <meta> names: {', '.join(map(one_line, r.declared[:5]))}{more}")
    if r.empty_sequences:
        out.append(f"{some(int(r.empty_sequences), 'empty sequence')} skipped")
    if r.unmatched:
        out.append(f"{some(r.unmatched, 'character')} that --pattern does not match left out")
    return out + bad_record_lines(r) + left_out_lines(r) + marker_notes(r.heads)


def bad_record_lines(r: Repairs) -> list[str]:
    """One line about the records that were left out, the commonest reasons first; none without any."""
    if not r.bad_records:
        return []
    reasons = sorted(r.bad_records.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{n:,} {one_line(reason)}" for reason, n in reasons[:_NAMED])
    more = ", ..." if len(reasons) > _NAMED else ""
    return [f"{some(sum(r.bad_records.values()), 'record')} left out: {named}{more}; first: {one_line(r.first_bad)}"]


def _kept_lines(n: int, sample: str) -> list[str]:
    """A line for words that are not UTF-8 and are kept as they are."""
    are = "word is" if n == 1 else "words are"
    return [f"{n:,} {are} not UTF-8, kept as bytes; {encoding_hint(sample)}"] if n else []


def left_out_lines(r: Repairs) -> list[str]:
    """Files of folders that were left out: those that are no text, and those in another encoding."""
    encoded: list[str] = []
    other: list[str] = []
    for name, kind in zip(r.skipped, r.kinds, strict=True):
        (encoded if in_another_encoding(kind) else other).append(f"{one_line(name)} ({kind})")
    out = []
    for found, why, hint in ((other, "not text", ""), (encoded, "in another encoding", "; see --encoding")):
        if found:
            named = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
            out.append(f"{some(len(found), 'file')} left out, {why}: {named}{hint}")
    return out


def _advice(model: Model) -> list[str]:
    """Notes if --unit looks wrong for the text."""
    h = model.header
    chars = h.options.tokenizer in ("chars", "bytes")
    mean = h.tokens / h.sequences
    if h.min_files:
        return ["types of one file are kept: --min-files drops no single token"]
    if h.min_sequences and h.min_type_count == 1:
        return ["types of one sequence are kept: --cap-per-sequence 1 --min-type-count 2 leaves them out"]
    if h.options.unit == "sentence" and mean > (1500 if chars else 250):
        return [f"{mean:,.0f} tokens a sentence: without sentence marks? --unit line or paragraph may suit it"]
    if h.sequences == 1 and h.tokens > 1000 and h.options.unit != "file":
        return [f"all of it is one {h.options.unit}: generate can only begin as it begins; see --unit"]
    if h.options.unit == "line" and not chars and _looks_wrapped(model):
        return ["lines seem to be cut at a width, not ended: --unit sentence or paragraph may suit it"]
    return []


def _looks_wrapped(model: Model) -> bool:
    """True if lines look hard-wrapped: few end with a mark, and all have about the same length."""
    import numpy as np

    h = model.header
    if h.sequences < 200 or not 7 <= h.tokens / h.sequences <= 18 or h.order < 2:
        return False
    table, lex = model.table, model.vocabulary
    token, first = table.orders[1].token, table.orders[0].first
    assert token is not None and first is not None
    ends = np.flatnonzero(token == 2)
    before = np.searchsorted(first, ends.astype(first.dtype), "right") - 1
    count = table.orders[1].count.at(ends)
    start, length = lex.spans(before)
    last = lex.blob[np.maximum(start + length - 1, 0)]
    closed = np.isin(last, np.frombuffer(b".!?\"':;)]", np.uint8)) | (last >= 0x80)
    return bool(count[closed].sum() < 0.4 * count.sum())
