"""Writes a text together with a model: `explore`."""

from __future__ import annotations

from ..generation.request import new_seed
from ..generation.session import Session
from ..sampling.shape import Shape
from .model import ModelLike, opened


def explore(
    model: ModelLike,
    prompt: str = "",
    *,
    seed: int | None = None,
    within: bool = False,
    ignore_case: bool = False,
    smoothing: str | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    adapt: bool = False,
) -> Session:
    """Begin a text that is written token by token, by you and the model.

    prompt       the text begins with it; with `within` it is the middle of a sequence, not its beginning
    seed         the same seed and the same calls give the same text; None to choose one
    ignore_case  `You` also matches `you`
    smoothing    the distribution shown and drawn from; None for raw counts, or the probabilities that the model holds
    adapt        the text so far changes the probabilities; the model must be tuned for it, see `tune`
    temperature, top_k, top_p  as for `Model.generate`

    HistoryError if the model knows no token of the prompt; OptionError for an impossible value.

    >>> import markov_cli
    >>> session = markov_cli.explore(markov_cli.train(texts=["a b c. a d."]), "a", seed=1)
    >>> [(f.token, f.probability) for f in session.state().followers]
    [('b', 0.5), ('d', 0.5)]
    >>> session.write("d .")
    >>> session.text
    'a d.'
    """
    return Session(
        opened(model).language_model, new_seed() if seed is None else seed, prompt,
        within=within, ignore_case=ignore_case, smoothing=smoothing, shape=Shape(temperature, top_k, top_p),
        adapt=adapt,
    )  # fmt: skip
