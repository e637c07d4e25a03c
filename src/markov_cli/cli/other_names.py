"""Names of options and commands in other programs, and the names that they have here.

From markovify, KenLM's lmplz and query, SRILM's ngram-count and ngram, the CMU-Cambridge toolkit, and the generation
options of neural models. SRILM's long options have one dash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import click

_TOKENS = "--tokens N for exactly N tokens, or --max-tokens N"
_PROMPT = "--prompt TEXT"
_COUNT = "--count N"
_ORDER = "--order N, which is the state size and 1"
_NOVEL = "--novel K with --corpus FILE"
_JOBS = "--jobs N"
_MINIMA = "--prune A,B,C, which drops what occurs at most that often"
_SMOOTHING = "--smoothing kn when the model is used"

OPTIONS = {
    "length": _TOKENS, "words": _TOKENS, "size-tokens": _TOKENS,
    "max-length": "--max-tokens N", "max-new-tokens": "--max-tokens N", "max-words": "--max-tokens N",
    "min-length": "--min-tokens N", "min-new-tokens": "--min-tokens N", "min-words": "--min-tokens N",
    "max-chars": "--characters ..N", "min-chars": "--characters N..",
    "num": _COUNT, "number": _COUNT, "num-samples": _COUNT, "num-return-sequences": _COUNT, "sentences": _COUNT,
    "state-size": _ORDER, "ngram": _ORDER, "ngram-size": _ORDER, "context": _ORDER,
    "start": _PROMPT, "begin": _PROMPT, "prefix": _PROMPT, "init-state": _PROMPT, "beginning": _PROMPT,
    "random-seed": "--seed N", "random-state": "--seed N",
    "max-overlap-ratio": _NOVEL, "max-overlap-total": _NOVEL, "no-copy": _NOVEL,
    "kndiscount": _SMOOTHING, "ukndiscount": _SMOOTHING, "interpolate": _SMOOTHING, "wbdiscount": "--smoothing wb",
    "lower": "--lowercase", "tolower": "--lowercase", "lower-case": "--lowercase",
    "threads": _JOBS, "workers": _JOBS, "num-workers": _JOBS, "processes": _JOBS,
    "mix-lm": "--model MODEL with --mix W,W", "lambda": "--mix W,W",
    "min-count": "--min-type-count K, or --prune A,B,C", "temp-prefix": "--temp-dir DIR",
    "out": "--output FILE", "output-file": "--output FILE", "write-lm": "--output FILE",
    "limit-vocab-file": "--vocab FILE", "limit-vocab": "--vocab FILE", "vocabulary": "--vocab FILE",
    "write-vocab": "--vocab", "max-features": "--max-types N", "vocab-size": "--max-types N",
    "sentence-context": "--each line", "debug": "--each token", "verbose": "--each token",
    "gen": _COUNT, "max-sentences": _COUNT, "cdiscount": "--smoothing abs:D", "addsmooth": "--smoothing lidstone:D",
    "ndiscount": "--smoothing wb", "gtmin": _MINIMA, "gt1min": "--min-type-count K", "gt2min": _MINIMA,
    "gt3min": _MINIMA, "minprune": _MINIMA, "cutoffs": _MINIMA, "mix-lambda2": "--mix W,W,W",
    "init-lm": "--update MODEL", "bayes": "--mix W,W", "best-mix": "--tune FILE", "char-limit": "--characters ..N",
    "lower-limit": "--min-tokens N", "text-file": "--corpus FILE", "train-file": "--corpus FILE",
    "ppl-threshold": "--max-perplexity X", "temp": "--temperature T", "block-size": "--memory SIZE",
}  # fmt: skip

# what has no option here: a sentence each
SENTENCES = {
    "text": "name the text without an option: markov train TEXT -o MODEL, markov score MODEL TEXT",
    "ppl": "name the text without an option: markov score MODEL TEXT",
    "lm": "name the model without an option: markov score MODEL TEXT; ARPA is read by markov import",
    "arpa": "ARPA is written by markov export MODEL -o FILE.arpa, and read by markov import",
    "write": "counts are written by markov export MODEL --format counts -o FILE",
    "read": "counts are read by markov import FILE -o MODEL",
    "read-google": "counts of the Web 1T set are read by markov import FOLDER -o MODEL",
    "write-binary-lm": "the .npz is a binary model already",
    "unk": "not needed: <unk> always has a probability",
    "discount-fallback": "not needed: where the discounts cannot be estimated, 0.5, 1 and 1.5 are used",
    "interpolate-unigrams": "not needed: the unigrams are interpolated, as lmplz does by default",
    "skip-symbols": "not needed: <s> and </s> in a text are plain text",
    "vocab-estimate": "not needed: the vocabulary grows as the text is read",
    "minimum-block": "not needed: markov train --memory SIZE is all it goes by",
    "sort-block": "not needed: markov train --memory SIZE is all it goes by",
    "renumber": "not needed: ids are always sorted by count",
    "intermediate": "not needed: counts are the model, and markov merge --tune mixes models",
    "collapse-values": "not there: probabilities are computed exactly, from counts",
    "renorm": "not needed: every distribution sums to 1",
    "tries": "not needed: a text that fits is drawn directly",
    "test-output": "not needed: copies are allowed unless markov generate --novel K says otherwise",
    "well-formed": "not needed: no sentence is left out; markov generate --balanced draws texts with closed brackets",
    "reject-reg": "not needed: no sentence is left out while training",
    "retain-original": "not there: a model never keeps its text; name it again with --corpus FILE",
    "strict": "not there: a prompt that is not known is shortened, and a note says to what",
    "compile": "not needed: the .npz is ready at once",
    "to-json": "JSON for markovify is written by markov export MODEL --format markovify -o FILE",
    "from-json": "JSON of markovify is read by markov import FILE -o MODEL",
}  # fmt: skip

# options of one letter, which differ in meaning by their case
LETTERS = {"-S": "--memory SIZE", "-T": "--temp-dir DIR", "-v": "--each line or --each token", "-m": "--max-tokens N"}

COMMANDS = {
    "build": "train", "fit": "train", "learn": "train", "lmplz": "train", "ngram-count": "train", "count": "train",
    "sample": "generate", "write": "generate", "make-sentence": "generate", "talk": "generate", "run": "generate",
    "perplexity": "score", "ppl": "score", "query": "score", "evaluate": "score", "eval": "score", "classify": "score",
    "info": "inspect", "show": "inspect", "stats": "inspect", "dump": "inspect",
    "chat": "explore", "combine": "merge", "add": "merge", "mix": "merge", "convert": "export", "load": "import",
    "shrink": "prune", "plagiarism": "trace", "copies": "trace",
    "ngram": "score", "ngram-merge": "merge", "interpolate": "merge", "evallm": "score", "idngram2lm": "train",
    "text2idngram": "train", "text2wfreq": "train", "filter": "prune", "compute-best-mix": "merge", "counts": "train",
    "estimate-ngram": "train", "evaluate-ngram": "score", "interpolate-ngram": "merge", "ngramshrink": "prune",
    "prune-lm": "prune", "arpa2bin": "import", "train-lm": "train", "complete": "generate", "gen": "generate",
    "autocomplete": "explore", "vocab": "inspect", "freq": "inspect", "to-json": "export", "from-json": "import",
    "html": "page", "web": "page", "serve": "page", "site": "page",
}  # fmt: skip


def option_here(name: str, command: click.Command, others: Mapping[str, click.Command]) -> str | None:
    """Advice for an option of another program, or one with underscores; None for a name that is unknown here, too.

    name    as it was typed, with its dashes
    others  all commands by name: one of them may have the option
    """
    plain = _plain(name)
    if len(plain) > 1 and f"--{plain}" in _options(command):
        return f"use --{plain}"
    if plain in SENTENCES:
        return SENTENCES[plain]
    advice = LETTERS.get(name) or OPTIONS.get(plain)
    if advice is None:
        return None
    wanted = {*re.findall(r"--[a-z][a-z-]+", advice)}
    if wanted <= _options(command):
        return f"use {advice}"
    there = [f"markov {other}" for other, one in others.items() if wanted <= _options(one)]
    return f"{there[0]} has {advice}" if there else None


def with_one_dash(words: Sequence[str], command: click.Command) -> str | None:
    """The first word that is another program's long option with one dash, such as `-order`, and not a value."""
    takes = {
        opt: not (isinstance(param, click.Option) and param.is_flag) for param in command.params for opt in param.opts
    }
    before = ""
    for word in words:
        if word == "--":
            return None
        if re.fullmatch(r"-[A-Za-z][A-Za-z0-9_-]+(=.*)?", word) and not takes.get(before, False):
            plain = _plain(word)
            if plain in OPTIONS or plain in SENTENCES or f"--{plain}" in takes:
                return word.partition("=")[0]
        before = word
    return None


def _plain(name: str) -> str:
    return name.lstrip("-").partition("=")[0].replace("_", "-").lower()


def _options(command: click.Command) -> set[str]:
    return {opt for param in command.params for opt in param.opts}


def command_here(name: str) -> str | None:
    """The command that does what another program's command of this name does; None if there is none."""
    return COMMANDS.get(name.lower().replace("_", "-"))
