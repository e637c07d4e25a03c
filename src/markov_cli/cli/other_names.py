"""Names of options and commands in other programs, and the names that they have here.

From markovify, KenLM's lmplz and query, SRILM's ngram-count and ngram, and the generation options of neural models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

_TOKENS = "--tokens N for exactly N tokens, or --max-tokens N"
_PROMPT = "--prompt TEXT"
_COUNT = "--count N"
_ORDER = "--order N, which is the state size and 1"
_NOVEL = "--novel K with --corpus FILE"
_JOBS = "--jobs N"
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
    "sentence-context": "--each line", "debug": "--each token",
}  # fmt: skip

COMMANDS = {
    "build": "train", "fit": "train", "learn": "train", "lmplz": "train", "ngram-count": "train", "count": "train",
    "sample": "generate", "write": "generate", "make-sentence": "generate", "talk": "generate", "run": "generate",
    "perplexity": "score", "ppl": "score", "query": "score", "evaluate": "score", "eval": "score", "classify": "score",
    "info": "inspect", "show": "inspect", "stats": "inspect", "dump": "inspect",
    "chat": "explore", "combine": "merge", "add": "merge", "mix": "merge", "convert": "export", "load": "import",
    "shrink": "prune", "plagiarism": "trace", "copies": "trace",
}  # fmt: skip


def option_here(name: str, command: click.Command, others: Mapping[str, click.Command]) -> str | None:
    """Advice for an option of another program, or one with underscores; None for a name that is unknown here, too.

    name    as it was typed, with its dashes
    others  all commands by name: one of them may have the option
    """
    plain = name.lstrip("-").partition("=")[0].replace("_", "-").lower()
    if f"--{plain}" in _options(command):
        return f"use --{plain}"
    advice = OPTIONS.get(plain)
    if advice is None:
        return None
    wanted = {*re.findall(r"--[a-z][a-z-]+", advice)}
    if wanted <= _options(command):
        return f"use {advice}"
    there = [f"markov {other}" for other, one in others.items() if wanted <= _options(one)]
    return f"{there[0]} has {advice}" if there else None


def _options(command: click.Command) -> set[str]:
    return {opt for param in command.params for opt in param.opts}


def command_here(name: str) -> str | None:
    """The command that does what another program's command of this name does; None if there is none."""
    return COMMANDS.get(name.lower().replace("_", "-"))
