"""Oracle of the links, addresses, names, tags and emoji that `words` keeps whole: one character at a time."""

import re

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def run(text, i, of):
    """The end of the run of some characters that begins at i."""
    while i < len(text) and text[i] in of:
        i += 1
    return i


def run_back(text, i, of):
    """The beginning of the run of some characters that ends before i."""
    while i > 0 and text[i - 1] in of:
        i -= 1
    return i


def whole_tokens(text, kinds):
    """Tokens that `words` keeps whole: [(begin, end)], in order."""
    beyond = {"word": "é", "single": "字", "katakana": "字"}  # of what is not ASCII only the class matters
    text = "".join(c if c < "\x80" else beyond.get(k, "¤") for c, k in zip(text, kinds, strict=True))
    out = []
    for candidates in (links(text), numbered(text), mails(text), names(text), tags(text), emoji(text)):
        taken, last = {i for b, e in out for i in range(b, e)}, 0
        for b, e in sorted(candidates):
            if b >= last and not taken & {b, e - 1}:
                out.append((b, e))
            last = max(last, e)
    return sorted(out)


def free(text, i, also=""):
    """True if no letter, digit, `_` or one of some others stands before i."""
    return i == 0 or text[i - 1] not in ALNUM + "_é" + also


def links(text):
    for m in re.finditer(r"(?<![A-Za-z])(?=([A-Za-z]+://))|(?=(www[.]))", text):
        if not m[1] and not free(text, m.start(), ".-/@"):
            continue
        body = m.start() + len(m[1] or m[2])
        end = body + re.match(r"[^\0-\x20\x7f\"<>\[\]{}|\\^`字¤]*", text[body:]).end()
        trimmed = ".,;:!?'*_~(&" + ")" * ("(" not in text[body:end])
        end = run_back(text, end, trimmed)
        if end > body:
            yield m.start(), end


def mails(text):
    for m in re.finditer("@", text):
        at = m.start()
        begin = min(run(text, run_back(text, at, ALNUM + "._%+-"), "._%+-"), at)
        end = max(run_back(text, run(text, at + 1, ALNUM + ".-"), ".-"), at + 1)
        domain = text[at + 1 : end]
        if begin < at and "." in domain and domain[0] in ALNUM and domain[-1] in ALNUM[10:]:
            yield begin - (text[:begin].endswith("@") and text[begin - 2 : begin - 1] not in [*ALNUM + "_"]), end


def names(text):
    for m in re.finditer("@(?=[A-Za-z0-9_é])", text):
        if free(text, m.start(), "@"):
            yield m.start(), run(text, m.end(), ALNUM + "_é")


def tags(text):
    for m in re.finditer("#(?=[0-9_]*[A-Za-zé字])", text):
        if free(text, m.start(), "#&/"):
            yield m.start(), run(text, m.end(), ALNUM + "_é字")


def pairs(text):
    """Colons with a name between them."""
    found = re.finditer("(?=(:(?=[+-]|[A-Za-z0-9_+-]*[A-Za-z])[A-Za-z0-9_+-]{0,63}[A-Za-z0-9_]:))", text)
    return [(m.start(), m.end(1)) for m in found]


def numbered(text):
    for b, e in pairs(text):
        before = 2 if text[b - 1 : b] == "a" else 1
        end = run(text, e, "0123456789")
        if end > e and text[end : end + 1] == ">" and b >= before and text[b - before] == "<":
            yield b - before, end + 1


def emoji(text):
    alone = set()
    for b, e in pairs(text):
        ends = {end for _, end in alone}
        if b in ends if text[:b].endswith(":") else free(text, b):
            alone.add((b, e))
    return alone
