"""Values of options: seeds, thresholds, sizes, weights, a guard."""

from __future__ import annotations

from typing import Any

import click


class SeedType(click.ParamType):
    """A seed: a whole number of 63 bits."""

    name = "n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`42` to 42."""
        try:
            seed = int(value)
        except ValueError:
            seed = -1
        if not 0 <= seed < 2**63:
            self.fail(f"{value!r}: write a whole number from 0 to 2**63 - 1", param, ctx)
        return seed


class PruneType(click.ParamType):
    """Thresholds, one per order: `0,0,1`."""

    name = "a,b,c"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """`0,0,1` to numbers."""
        if isinstance(value, tuple):
            return value
        try:
            out = tuple(int(v) for v in str(value).replace(" ", ",").split(","))
        except ValueError:
            self.fail(f"{value!r}: write whole numbers with commas, for example 0,0,1", param, ctx)
        if min(out) < 0:
            self.fail(f"{value!r}: no threshold is below 0", param, ctx)
        return out


class GuardType(click.ParamType):
    """Tokens of a guard and its false positive rate: `6`, `6:0.01`."""

    name = "k:rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, float]:
        """`6:0.01` to (6, 0.01)."""
        if isinstance(value, tuple):
            return value
        tokens, _, rate = str(value).partition(":")
        try:
            k, share = int(tokens), float(rate) if rate else 1 / 256
        except ValueError:
            self.fail(f"{value!r}: write tokens and a rate, for example 6 or 6:0.01", param, ctx)
        if not 1 <= k <= 1 << 20 or not 2.0**-32 <= share <= 0.5:
            self.fail(f"{value!r}: at least 1 token, and a rate from 2**-32 to 0.5, for example 6:0.01", param, ctx)
        return k, share


class SizeType(click.ParamType):
    """A size in bytes: `500k`, `20M`, `1.5G`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`20M` to 20,000,000."""
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("B")
        factor = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(text[-1:], 1)
        try:
            number = float(text[:-1] if factor > 1 else text)
        except ValueError:
            number = -1.0
        if not 0 < number * factor < 2**62:
            self.fail(f"{value!r}: write a size in bytes, for example 500k, 20M or 1.5G", param, ctx)
        return int(number * factor)


class NumbersType(click.ParamType):
    """Numbers with commas: `0.7,0.3`."""

    name = "x,y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """`0.7,0.3` to numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(v) for v in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: write numbers with commas, for example 0.7,0.3", param, ctx)


class YearsType(click.ParamType):
    """A range of years: `1950..2000`, `1950..`, `..2000`, `1990`."""

    name = "a..b"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, int | None]:
        """`1950..2000` to (1950, 2000)."""
        if isinstance(value, tuple):
            return value
        low, dots, high = str(value).strip().partition("..")
        if not all(x == "" or (x.isascii() and x.isdigit() and len(x) <= 6) for x in (low, high)) or not (low or dots):
            self.fail(f"{value!r}: write years as 1950..2000, 1950.. or ..2000", param, ctx)
        years = (int(low) if low else None, (int(high) if high else None) if dots else int(low))
        if years[0] is not None and years[1] is not None and years[0] > years[1]:
            self.fail(f"{value!r}: the first year is after the last", param, ctx)
        return years


class FieldValueType(click.ParamType):
    """A field and its value: `author=Ann`; the first `=` divides them."""

    name = "field=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """`author=Ann` to ("author", "Ann")."""
        if isinstance(value, tuple):
            return value
        field, equals, wanted = str(value).partition("=")
        if not field or not equals:
            self.fail(f"{value!r}: write a field and its value, for example author=Ann", param, ctx)
        return field, wanted
