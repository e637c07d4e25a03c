"""The methods of smoothing, and Kneser-Ney's discounts.

Legend: n_k is the number of n-grams with adjusted count k; D_k what is taken from such a count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import OptionError

METHODS = ("none", "kn", "wb", "abs", "laplace", "lidstone", "stupid")
BLEND = "blend"  # a mixture, which has no backoff form: see blend.py
FALLBACK = (0.5, 1.0, 1.5)  # what lmplz falls back to with --discount_fallback
_STUPID = 0.4  # Brants et al. 2007, section 4


@dataclass(frozen=True)
class SmoothingMethod:
    """A method and its number.

    method  one of METHODS
    amount  abs: the discount, 0 to 1, None to estimate one for each order; lidstone: what is added to
            each count; stupid: the weight of a shorter history
    """

    method: str = "none"
    amount: float | None = None

    @classmethod
    def parse(cls, text: str) -> SmoothingMethod:
        """`kn`, `abs:0.75`, `lidstone:0.1` as a method; OptionError for what is none.

        >>> SmoothingMethod.parse("lidstone:0.1")
        SmoothingMethod(method='lidstone', amount=0.1)
        """
        method, _, given = text.partition(":")
        if method not in (*METHODS, BLEND):
            raise OptionError(f"--smoothing {text!r}: no such method", f"one of {', '.join((*METHODS, BLEND))}")
        amount: float | None = {"laplace": 1.0, "lidstone": 0.5, "stupid": _STUPID}.get(method)
        if given or ":" in text:
            highest = {"abs": 1.0, "lidstone": 1e9, "stupid": 1.0}.get(method)
            if highest is None:
                raise OptionError(f"--smoothing {text!r}: {method} takes no number", f"--smoothing {method}")
            try:
                amount = float(given)
            except ValueError:
                amount = -1.0
            if not 0 < amount <= highest:
                raise OptionError(
                    f"--smoothing {text!r}: a number above 0 and up to {highest:g}",
                    f"for example --smoothing {method}:0.5",
                )
        return cls(method, amount)

    def __str__(self) -> str:
        given = self.amount is not None and self.method in ("abs", "lidstone", "stupid")
        return f"{self.method}:{self.amount:g}" if given else self.method


def discounts(n_with_count: np.ndarray) -> tuple[np.ndarray, bool]:
    """Modified Kneser-Ney discounts of one order.

    n_with_count  int64 (5,)    [k] = how many n-grams have adjusted count k; [0] unused
    returns       float64 (4,)  0, D1, D2, D3+, with 0 <= D[k] <= k; and whether they could be estimated

    Source: Chen and Goodman 1998, eq. 26. Where n1, n2 or n3 is 0, or a D falls outside [0, k], the
    whole order falls back to (0.5, 1, 1.5), as lmplz does with --discount_fallback.

    >>> discounts(np.array([0, 60, 20, 10, 5]))
    (array([0. , 0.6, 1.1, 1.8]), True)
    """
    n = [int(x) for x in n_with_count]
    whole = n[1] + 2 * n[2]
    # D[k] >= 0, in whole numbers: a last bit of a quotient must not decide; D[k] <= k always holds
    if not all(n[1:4]) or any(k * whole * n[k] < (k + 1) * n[1] * n[k + 1] for k in (1, 2, 3)):
        return np.array([0.0, *FALLBACK]), False
    found = [k - (k + 1) * n[1] * n[k + 1] / (whole * n[k]) for k in (1, 2, 3)]
    return np.array([0.0, *(max(d, 0.0) for d in found)]), True
