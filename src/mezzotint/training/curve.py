"""The loss curve as a picture, drawn with Pillow: loss, its running mean and the validation loss, on a log scale."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 900, 520
LEFT, TOP, RIGHT, BOTTOM = 80, 46, 20, 44
POINTS = 600
INK, GREY, PALE, BLUE, RED = "#222222", "#dddddd", "#bcd2ee", "#1f5fb4", "#c2331f"
Point = tuple[float, float]


def smoothed(points: Sequence[Point], parts: int = 100) -> list[Point]:
    """The running mean of y over a window of 1/parts of the points."""
    window, out, total = max(1, len(points) // parts), [], 0.0
    for i, (x, y) in enumerate(points):
        total += y - (points[i - window][1] if i >= window else 0.0)
        out.append((x, total / min(i + 1, window)))
    return out


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    return points[:: max(1, len(points) // POINTS)]


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers 1, 2, 5 times a power of ten within a range, for a log axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [m * 10.0**e for e in decades for m in (1, 2, 5)]
    return [t for t in found if low <= t <= high]


class _Axes:
    """Data to pixels: x linear from 0, y logarithmic."""

    def __init__(self, last: float, low: float, high: float) -> None:
        self.last, self.low, self.high = max(last, 1.0), low / 1.1, high * 1.1

    def __call__(self, point: Point) -> Point:
        u = point[0] / self.last
        v = math.log(max(point[1], self.low) / self.low) / math.log(self.high / self.low)
        return LEFT + u * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - min(v, 1.0) * (HEIGHT - TOP - BOTTOM)


def _frame(draw: ImageDraw, axes: _Axes, title: str) -> None:
    draw.text((LEFT, 8), title, fill=INK)
    for tick in _ticks(axes.low, axes.high):
        _, y = axes((0, tick))
        draw.line([(LEFT, y), (WIDTH - RIGHT, y)], fill=GREY)
        draw.text((LEFT - 8, y), f"{tick:g}", fill=INK, anchor="rm")
    for k in range(6):
        x, _ = axes((axes.last * k / 5, axes.low))
        draw.text((x, HEIGHT - BOTTOM + 8), f"{axes.last * k / 5:,.0f}", fill=INK, anchor="ma")
    draw.text((WIDTH / 2, HEIGHT - 16), "step", fill=INK, anchor="ma")
    draw.text((WIDTH - RIGHT, 24), "loss: pale = step, blue = running mean, red = validation", fill=INK, anchor="ra")


def curve_png(lines: Sequence[dict[str, Any]], title: str) -> bytes:
    """The curve of a journal's lines (at least one) as a PNG."""
    from PIL import Image, ImageDraw

    losses = [(float(v["step"]), float(v["loss"])) for v in lines]
    checks = [(float(v["step"]), float(v["validation"])) for v in lines if "validation" in v]
    mean = smoothed(losses)
    heights = [max(y, 1e-12) for _, y in [*mean[len(mean) // 50 :], *checks]]
    axes = _Axes(losses[-1][0], min(heights), max(heights))
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    _frame(draw, axes, title)
    for points, colour, width in ((losses, PALE, 1), (mean, BLUE, 2), (checks, RED, 2)):
        draw.line([axes(p) for p in _thinned(points)], fill=colour, width=width)
    for x, y in map(axes, checks):
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=RED)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
