"""Errors of the program, and their exit codes.

Every message is one line that names the thing and its number; `hint` is one
line that says what to do. The engine raises, `cli/` speaks.
"""

from __future__ import annotations

COULD_NOT = 1  # bad text, bad model, full disk
USAGE = 2  # Click's own
ANSWER_IS_NO = 3  # ran, and the answer is no
OUR_BUG = 70
INTERRUPTED = 130


class MarkovError(Exception):
    """Base of all expected failures.

    message  what is wrong, with names and numbers
    hint     what to do about it
    """

    exit_code = COULD_NOT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TextError(MarkovError):
    """The text cannot be read, or is not text."""


class NotText(TextError):
    """A file that is not text; in a folder it is left out with a note.

    kind  what it is instead, in a few words
    """

    def __init__(self, message: str, hint: str = "", kind: str = "") -> None:
        super().__init__(message, hint)
        self.kind = kind


class ModelFileError(MarkovError):
    """The file is not a model that this program can use."""


class NeedsCounts(MarkovError):
    """The model holds something else than the whole counts that this needs."""


class HistoryError(MarkovError):
    """Not one token of a prompt or history is known to the model."""


class OptionError(MarkovError):
    """A value that no option takes, or options that exclude each other."""

    exit_code = USAGE


class AnswerIsNo(MarkovError):
    """The work was done and the answer is no."""

    exit_code = ANSWER_IS_NO
