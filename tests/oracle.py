"""Oracle of tokens, sequences and counts in the simplest Python: str, dict and Counter, one character at a time.

A token is (bytes, flags); a sequence is a list of tokens; LEFT and RIGHT are the flags.
It uses no blocks, arrays or hash tables; it follows the written rules directly.
"""

import re
import unicodedata
from collections import Counter, defaultdict

from oracle_whole_tokens import whole_tokens

LEFT, RIGHT = 1, 2
UNK, BOS, EOS = 0, 1, 2
SPACES = "\0\t\n\r "  # what the tokenizer `spaces` splits at

# first words of the names of characters that are tokens of their own: scripts written without spaces
_ALONE = {"CJK", "IDEOGRAPHIC", "HIRAGANA", "THAI", "LAO", "MYANMAR", "KHMER", "YI", "TAI", "TANGUT", "NUSHU"}

CLOSERS, WIDE_CLOSERS = set("\"')]}"), set("’”»›」』）〉》】")
ENDS = set("!?")
WIDE_ENDS = set("…‼‽⁇⁈⁉։؝؞؟۔।॥၊။።፧។៕。！．？｡")
STOPS = set("。！？｡")  # these end a sentence without white space after them
TITLES = [
    "mr", "mrs", "ms", "dr", "st", "prof", "rev", "hon", "gen", "col", "capt", "lt", "sgt", "messrs", "mme", "mlle",
    "vs", "cf", "e.g", "i.e", "drs", "sen", "gov", "maj", "adm", "cmdr", "cpl", "supt", "insp", "mt", "viz", "approx",
]  # fmt: skip
BEFORE_NUMBERS = [
    "fig", "figs", "no", "nos", "nr", "p", "pp", "vol", "vols", "eq", "eqs", "eqn", "ca", "c", "sec", "al", "ch",
    "chap", "art", "para", "op", "pt", "l", "ll", "n", "v", "vv", "rm", "apt", "ext", "tel", "jan", "feb", "mar", "apr",
    "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
]  # fmt: skip
BEFORE_LOWER = [
    "a.m", "p.m", "sec", "secs", "min", "mins", "hr", "hrs", "wk", "wks", "yr", "yrs", "etc", "al", "univ", "jr", "sr",
    "inc", "ltd", "co", "corp", "bros", "dept", "est", "ca", "resp", "incl", "ed", "eds", "vol", "vols", "fig", "figs",
    "ft", "oz", "lb", "lbs", "sq",
]  # fmt: skip


# ------------------------------------------------------------------ tokens


def white(c):
    return c.isspace() or c == "\0"


def kind(c):
    """The class of a character by itself, without its neighbours."""
    category = unicodedata.category(c)
    if white(c):
        return "space"
    if category[0] == "M" or 0x1F3FB <= ord(c) <= 0x1F3FF or (category == "Cf" and c != "\u200b"):
        return "extend"
    if category[0] in "LN":
        name = unicodedata.name(c, "")
        if name.startswith(("KATAKANA", "HALFWIDTH KATAKANA")):
            return "katakana"
        if name.split(" ")[0].split("-")[0] in _ALONE:
            return "single"
        return "digit" if category == "Nd" else "word"
    return "mark"


def words(text):
    """[(token, flags, begin)] of the tokenizer `words`."""
    own = [kind(c) for c in text]
    kinds = []
    for k in own:  # a combining character takes the class of its base; without one it is a letter
        if k == "extend":
            k = kinds[-1] if kinds and kinds[-1] != "space" else "word"
        kinds.append(k)
    whole = whole_tokens(text, ["word" if k == "digit" else k for k in kinds])
    inside = []
    for i, c in enumerate(text):
        around = {kinds[i - 1], kinds[i + 1]} if 0 < i < len(text) - 1 else set()
        if (c in "'’" and around == {"word"}) or (c in ".," and around == {"digit"}):
            inside.append(i)
    for i in inside:
        kinds[i] = "word"
    kinds = ["word" if k == "digit" else k for k in kinds]

    starts = []
    flag_open = False  # one regional indicator was seen, its pair may follow
    for i, c in enumerate(text):
        before = text[i - 1] if i else ""
        regional = "\U0001f1e6" <= c <= "\U0001f1ff"
        if not regional:
            flag_open = False
        if regional:
            begins = not flag_open
            flag_open = not flag_open
        elif not i or "space" in (kinds[i - 1], kinds[i]):
            begins = not i or kinds[i - 1] != kinds[i]
        elif own[i] == "extend" or (before == "\u200d" and own[i] == "mark" and c > "\x7f"):
            begins = False
        elif kinds[i] == "mark" and kinds[i - 1] == "mark":
            begins = c != before
        else:
            begins = kinds[i] != kinds[i - 1] or own[i] == "single"
        if begins:
            starts.append(i)

    for i, j in whole:
        starts = sorted({n for n in starts if not i <= n < j} | {i, *[j] * (j < len(text))})
        kinds[i] = "word"
    spans = [(i, j) for i, j in zip(starts, [*starts, len(text)][1:], strict=True) if kinds[i] != "space"]
    flags = [0] * len(spans)
    for n in range(1, len(spans)):
        (left, end), (begin, _) = spans[n - 1], spans[n]
        if end == begin:  # they touch
            if kinds[left] == "mark" and kinds[begin] != "mark":
                flags[n - 1] |= RIGHT
            else:
                flags[n] |= LEFT
    return [(text[i:j], f, i) for (i, j), f in zip(spans, flags, strict=True)]


# ------------------------------------------------------------------ units


def gaps(text, is_white):
    """Runs of white space: [begin, end)."""
    out = []
    for i, c in enumerate(text):
        if is_white(c):
            if out and out[-1][1] == i:
                out[-1][1] = i + 1
            else:
                out.append([i, i + 1])
    return out


def breaks(text, unit, is_white=white, wide=True, original=None):
    """The gaps between sequences: [(begin, end)], in order; `original` is the text before lowercasing."""
    original = text if original is None else original
    if unit == "file":
        return []
    if unit == "line":
        return [(i - (i > 0 and text[i - 1] == "\r"), i + 1) for i, c in enumerate(text) if c == "\n"]
    found = []
    for (begin, end), (cased_begin, cased_end) in zip(gaps(text, is_white), gaps(original, is_white), strict=True):
        edge = begin == 0 or end == len(text)
        blank = text[begin:end].count("\n") >= 2
        around = original[:cased_begin], original[cased_end:]
        if edge or blank or (unit == "sentence" and ends_sentence(*around, wide)):
            found.append((begin, end))
    if unit == "sentence" and wide:
        found += unspaced(text, is_white)
    return sorted(found)


def ends_sentence(text, then, wide):
    """True if a sentence ends with `text` before white space; `then` follows it."""
    closers = CLOSERS | WIDE_CLOSERS if wide else CLOSERS
    mark = text.rstrip("".join(closers))
    if mark[-1:] not in (ENDS | WIDE_ENDS if wide else ENDS) | {"."} or not mark:
        return False
    lower = unicodedata.category(then[0]) == "Ll" and (wide or then[0] < "\x80")
    if lower and (mark != text or mark.endswith(("..", "\u2026") if wide else "..")):
        return False
    return mark[-1] != "." or not abbreviated(mark[:-1], lower, re.match(r"[(\[#$+~-]?[0-9]", then))


def abbreviated(text, lower, number):
    """True if a point after `text` belongs to an abbreviation or an initial."""
    if any(is_word(w, text) for w in TITLES + BEFORE_LOWER * lower + BEFORE_NUMBERS * bool(number)):
        return True
    initial = text[-1:] in set("ABCDEFGHJKLMNOPQRSTUVWXYZ") and text != "" and opens(text[:-1])
    return initial and not is_word("a.m", text) and not is_word("p.m", text)


def is_word(word, text):
    """True if `text` ends with this word, in small or capital letters."""
    end = text[-len(word) :]
    return end.lower() == word and end.isascii() and opens(text[: -len(word)])


def opens(text):
    """True if a word can begin after `text`."""
    last = text[-1:]
    return not (last.isascii() and (last.isalnum() or last == "'")) and last <= "\x7f"


def unspaced(text, is_white):
    found = set()
    for i, c in enumerate(text):
        if c in STOPS:
            j = i + 1
            while j < len(text) and text[j] in CLOSERS | WIDE_CLOSERS:
                j += 1
            if j < len(text) and not is_white(text[j]) and text[j] not in ENDS | WIDE_ENDS | {"."}:
                found.add((j, j))
    return list(found)


def sequences(text, tokenizer="words", unit="sentence", pattern=r"\w+|[^\w\s]", lowercase=False, keep_newlines=False):
    """All nonempty sequences of a text (bytes for `bytes`, else str)."""
    original = text
    if lowercase:
        text = text.lower()
    if tokenizer == "bytes":
        plain = text.decode("latin-1")  # one character a byte
        spaces = breaks(plain, unit, lambda c: c <= "\x7f" and white(c), False, original.decode("latin-1"))
        tokens = [(c.encode("latin-1"), 0, i) for i, c in enumerate(plain)]
    elif tokenizer == "spaces":
        spaces = breaks(text, unit, SPACES.__contains__, original=original)
        tokens = [(m.group().encode(), 0, m.start()) for m in re.finditer(f"[^{SPACES}]+", text)]
    elif tokenizer == "regex":
        return _matches(text, breaks(text, unit, original=original), pattern, keep_newlines)
    else:
        spaces = breaks(text, unit, original=original)
        found = words(text) if tokenizer == "words" else [(c, 0, i) for i, c in enumerate(text)]
        tokens = [(t.encode(), f, i) for t, f, i in found]
    if tokenizer in ("chars", "bytes"):  # white space is a token, except between sequences
        dropped = {i for begin, end in spaces for i in range(begin, end)}
        if tokenizer == "chars" and unit != "line":
            dropped |= {m.start() for m in re.finditer("\r\n", text)}
        tokens = [t for t in tokens if t[2] not in dropped]
    if keep_newlines:
        is_white = white if tokenizer == "words" else SPACES.__contains__
        for begin, end in gaps(text, is_white):
            if begin > 0 and end < len(text) and (begin, end) not in spaces:
                tokens += [(t.encode(), LEFT | RIGHT, begin + i) for i, t in line_breaks(text[begin:end])]
        tokens.sort(key=lambda t: t[2])
    out = [[]]
    todo = [begin for begin, _ in spaces]
    for token, flags, i in tokens:
        while todo and i >= todo[0]:
            todo.pop(0)
            out.append([])
        out[-1].append((token, flags))
    return [s for s in out if s]


def line_breaks(gap):
    """Newlines, and the white space behind the last of them."""
    found = [(i, c) for i, c in enumerate(gap) if c == "\n"]
    rest = gap.rpartition("\n")[2]
    if found and rest and rest.isspace() and not set(rest) & set("\0\r\v\f"):
        found.append((len(gap) - len(rest), rest))
    return found


def _matches(text, spaces, pattern, keep_newlines=False):
    out = []
    at = 0
    for begin, end in [*spaces, (len(text), len(text))]:
        sequence, seen = [], -1
        for m in re.finditer(pattern, text[at:begin]):
            if m.group():
                if keep_newlines and seen >= 0:
                    breaks_here = line_breaks(text[at + seen : at + m.start()])
                    sequence += [(t.encode(), LEFT | RIGHT) for _, t in breaks_here]
                sequence.append((m.group().encode(), LEFT if m.start() == seen else 0))
                seen = m.end()
        out.append(sequence)
        at = end
    return [s for s in out if s]


def join(sequence, spaced=True):
    """Tokens joined as typed text."""
    out = b""
    right = True  # no space before the first
    for token, flags in sequence:
        touches = not spaced or right or flags & LEFT
        out += token if touches else b" " + token
        right = flags & RIGHT
    return out


def plain(text, is_white=white):
    """The text with each run of white space as one space, and none at the ends."""
    spaced = "".join(" " if is_white(c) else c for c in text)
    return " ".join(part for part in spaced.split(" ") if part)


# ------------------------------------------------------------------ the table


def types_of(found, min_count=1):
    """Types in the order of their ids: by falling count, then bytes, then flags."""
    count = Counter(t for s in found for t in s)
    return sorted((t for t in count if count[t] >= min_count), key=lambda t: (-count[t], *t))


def ids_of(found, min_count=1):
    """Sequences as ids, each with BOS and EOS."""
    number = {t: 3 + i for i, t in enumerate(types_of(found, min_count))}
    return [[BOS, *(number.get(t, UNK) for t in s), EOS] for s in found]


def counts(streams, order):
    """[k - 1]: how often each k-gram occurs."""
    out = []
    for k in range(1, order + 1):
        out.append(Counter(tuple(s[i : i + k]) for s in streams for i in range(len(s) - k + 1)))
    return out


def lefts(streams, order):
    """[k - 1]: {k-gram: set of its left neighbours}."""
    out = []
    for k in range(1, order + 1):
        seen = defaultdict(set)
        for s in streams:
            for i in range(1, len(s) - k + 1):
                seen[tuple(s[i : i + k])].add(s[i - 1])
        out.append(seen)
    return out


def followers(streams, history):
    """{follower: count} of one history (a tuple of ids); BOS is never one."""
    n = len(history)
    seen = Counter()
    for s in streams:
        for i in range(len(s) - n):
            if tuple(s[i : i + n]) == tuple(history) and s[i + n] != BOS:
                seen[s[i + n]] += 1
    return seen
