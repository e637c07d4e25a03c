"""Pictures for pages, as SVG in the page: curves and bars, and curves with logarithmic axes.

Legend: a series has a name and values, None where there is none; x and y are in the picture's own units.
Series differ by shape or filling as well as by colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from .markup import inline

_W, _H, _LEFT, _TOP, _BOTTOM = 480, 250, 52, 18, 44
_COLOURS = ("var(--a)", "var(--b)", "var(--soft)")
_DASHES = ("", ' stroke-dasharray="7 4"', ' stroke-dasharray="2 4"')
Series = tuple[str, Sequence[float | None]]


def _frame(title: str, top: float, ticks: Sequence[tuple[float, str]], names: Sequence[str], x: Sequence[float]) -> str:
    bottom = _H - _BOTTOM
    out = [f'<svg viewBox="0 0 {_W} {_H}" role="img" font-size="14"><title>{inline(title)}</title>']
    for value, said in ticks:
        y = _y(value, top)
        out.append(f'<line class="axis" x1="{_LEFT}" x2="{_W - 6}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="soft" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{inline(said)}</text>')
    for at, name in zip(x, names, strict=True):
        out.append(f'<text class="soft" x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{inline(name)}</text>')
    return "\n".join(out)


def _y(value: float, top: float) -> float:
    return _TOP + (_H - _TOP - _BOTTOM) * (1 - value / top)


def _key(series: Sequence[str], shape: str) -> str:
    out, x = [], _LEFT
    for i, name in enumerate(series):
        out.append(_mark(shape, i, x + 8, _H - 11))
        out.append(f'<text x="{x + 22}" y="{_H - 6}">{inline(name)}</text>')
        x += 40 + 7 * len(name)
    return "\n".join(out)


def _mark(shape: str, i: int, x: float, y: float) -> str:
    colour = _COLOURS[i % 3]
    if shape == "bar":
        return f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" {_filling(i)}/>'
    if i % 3 == 1:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    if i % 3 == 2:
        return f'<path d="M{x - 5:.1f} {y + 4:.1f} L{x:.1f} {y - 5:.1f} L{x + 5:.1f} {y + 4:.1f} Z" fill="{colour}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'


def _filling(i: int) -> str:
    colour = _COLOURS[i % 3]
    opacity = ("1", "0.55", "0.15")[i % 3]
    return f'fill="{colour}" fill-opacity="{opacity}" stroke="{colour}"'


def curves(title: str, names: Sequence[str], series: Sequence[Series]) -> str:
    """Shares, 0 to 1, at some places."""
    x = [_LEFT + 20 + (_W - _LEFT - 46) * i / max(len(names) - 1, 1) for i in range(len(names))]
    out = [_frame(title, 1.0, [(v / 4, f"{v * 25}%") for v in range(5)], names, x)]
    for i, (_, values) in enumerate(series):
        points = [(a, _y(v, 1.0)) for a, v in zip(x, values, strict=True) if v is not None]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        line = f'<polyline points="{path}" fill="none" stroke="{_COLOURS[i % 3]}" stroke-width="2"{_DASHES[i % 3]}/>'
        out += [line, *(_mark("curve", i, a, b) for a, b in points)]
    return "\n".join([*out, _key([name for name, _ in series], "curve"), "</svg>"])


def bars(
    title: str, names: Sequence[str], series: Sequence[Series], top: float | None = None, stacked: bool = False
) -> str:
    """Bars for each name, beside each other or one upon another; shares where `top` is 1."""
    sums = [sum(v or 0.0 for v in at) for at in zip(*(values for _, values in series), strict=True)]
    most = max([v or 0.0 for _, values in series for v in values] + (sums if stacked else []) + [1e-12])
    high = top or _round_up(most)
    step = (_W - _LEFT - 10) / max(len(names), 1)
    x = [_LEFT + step * (i + 0.5) for i in range(len(names))]
    ticks = [(high * v / 4, f"{v * 25}%" if top == 1.0 else f"{high * v / 4:,.3g}") for v in range(5)]
    out = [_frame(title, high, ticks, names, x)]
    n = 1 if stacked else len(series)
    width = min(step * 0.7 / n, 46.0)
    for j, middle in enumerate(x):
        below = 0.0
        for i, (name, values) in enumerate(series):
            v = values[j]
            if v is None:
                continue
            left = middle - width * n / 2 + (0 if stacked else i * width)
            y, foot = _y(below + v, high), _y(below, high)
            said = f"{names[j]}: {name} {v:.1%}" if top == 1.0 else f"{names[j]}: {name} {v:,.4g}"
            out.append(
                f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(width - 2, 1):.1f}" height="{max(foot - y, 0.0):.1f}" '
                f"{_filling(i)}><title>{inline(said)}</title></rect>"
            )
            below += v if stacked else 0.0
    return "\n".join([*out, _key([name for name, _ in series], "bar"), "</svg>"])


def decades(title: str, points: Sequence[tuple[float, float]], across: str, up: str, falling: str = "") -> str:
    """A curve whose axes are both logarithmic, with a line at every power of ten.

    points   (log10 x, log10 y) each, x from 0 on and rising, y 0 or more
    across, up  names of the axes
    falling  name of a dashed line that falls from the first point as 1/x; none if it is empty
    """
    wide = max(1.0, points[-1][0])
    high = max(1.0, *(y for _, y in points))
    foot, right = _H - _BOTTOM - 10, _W - 12

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * x / wide, _TOP + (foot - _TOP) * (1 - y / high)

    out = [f'<svg viewBox="0 0 {_W} {_H}" role="img" font-size="14"><title>{inline(title)}</title>']
    for n in range(int(high) + 1):
        y = at(0, n)[1]
        out.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="soft" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_power(n)}</text>')
    for n in range(int(wide) + 1):
        x = at(n, 0)[0]
        out.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{foot}"/>')
        out.append(f'<text class="soft" x="{x:.1f}" y="{foot + 17}" text-anchor="middle">{_power(n)}</text>')
    if falling:
        y0 = points[0][1]
        (a, b), (c, d) = at(0, y0), at(min(wide, y0), max(y0 - wide, 0.0))
        said = inline(falling)
        out.append(
            f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" stroke="{_COLOURS[1]}" stroke-width="1.5"'
            f"{_DASHES[1]}><title>{said}</title></line>"
        )
    path = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
    out.append(f'<polyline points="{path}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2.5"/>')
    out.append(f'<text class="soft" x="{_LEFT}" y="{_TOP - 3}">{inline(up)}</text>')
    out.append(f'<text class="soft" x="{right}" y="{foot + 35}" text-anchor="end">{inline(across)}</text>')
    if falling:
        x, y = _LEFT, foot + 31
        at_key = f'x1="{x}" x2="{x + 26}" y1="{y}" y2="{y}"'
        out.append(f'<line {at_key} stroke="{_COLOURS[1]}" stroke-width="1.5"{_DASHES[1]}/>')
        out.append(f'<text x="{x + 32}" y="{y + 4}">{said}</text>')
    return "\n".join([*out, "</svg>"])


def _power(n: int) -> str:
    """10 to the power n, short: 1, 10, 100, 1k, ... 1M."""
    thousands, rest = divmod(n, 3)
    return f"{10**rest}{('', 'k', 'M', 'G', 'T')[thousands]}" if thousands < 5 else f"1e{n}"


def bar(share: float) -> str:
    """A bar that fills a share, 0 to 1, of its line; the number stands beside it."""
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="a" width="{100 * min(max(share, 0.0), 1.0):.2f}" height="10"/></svg>'
    )


def _round_up(x: float) -> float:
    """The next 1, 2, 4 or 8 times a power of ten."""
    power = 10.0 ** (len(f"{int(x)}") - 1) if x >= 1 else 0.001
    while True:
        for n in (1, 2, 4, 8):
            if x <= n * power:
                return n * power
        power *= 10
