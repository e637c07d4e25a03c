"""Small pictures made of characters."""

from __future__ import annotations

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # braille: left and right column


def bar(share: float, width: int) -> str:
    """A bar that fills `share` (0 to 1) of `width` cells, to an eighth of a cell."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()) or ("▏" if share > 0 else "")


def curve(points: list[tuple[float, float]], width: int, height: int) -> list[str]:
    """A curve in braille dots, `width` by `height` cells; points are (x, y)."""
    if not points:
        return []
    x0, x1 = min(p[0] for p in points), max(p[0] for p in points)
    y0, y1 = min(p[1] for p in points), max(p[1] for p in points)
    cells = [[0] * width for _ in range(height)]
    wide, high = width * 2 - 1, height * 4 - 1
    before: tuple[int, int] | None = None
    for x, y in points:
        px = round((x - x0) / (x1 - x0 or 1) * wide)
        py = high - round((y - y0) / (y1 - y0 or 1) * high)
        for qx, qy in _line(before or (px, py), (px, py)):
            cells[qy // 4][qx // 2] |= _DOTS[qx % 2][qy % 4]
        before = (px, py)
    return ["".join(chr(0x2800 + c) for c in row) for row in cells]


def _line(a: tuple[int, int], b: tuple[int, int]) -> list[tuple[int, int]]:
    n = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
    return [(round(a[0] + (b[0] - a[0]) * i / n), round(a[1] + (b[1] - a[1]) * i / n)) for i in range(n + 1)]
