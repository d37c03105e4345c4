"""The frontier as a picture: distance against calls, both on logarithmic axes, a line through those no other beats."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from mezzotint.fewstep.frontier import Point, pareto

WIDTH, HEIGHT, LEFT, EDGE = 900, 560, 80, 44
INK, GREY, BLUE, RED = "#222222", "#dddddd", "#1f5fb4", "#c2331f"
TICKS = tuple(m * 10.0**e for e in range(-6, 7) for m in (1, 2, 5))


class _Axes:
    """(calls, distance) -> pixels."""

    def __init__(self, points: Sequence[Point]) -> None:
        calls, far = [p.calls for p in points], [max(p.distance, 1e-6) for p in points]
        self.x0, self.x1 = min(calls) / 1.15, max(calls) * 1.15
        self.y0, self.y1 = min(far) / 1.15, max(far) * 1.15

    def __call__(self, calls: float, distance: float) -> tuple[float, float]:
        u = math.log(calls / self.x0) / math.log(self.x1 / self.x0)
        v = math.log(max(distance, self.y0) / self.y0) / math.log(self.y1 / self.y0)
        return LEFT + u * (WIDTH - LEFT - EDGE), HEIGHT - EDGE - v * (HEIGHT - 2 * EDGE)


def plot_png(points: Sequence[Point], title: str) -> bytes:
    """PNG bytes.   points: at least one of a finite distance; the others are left out."""
    near = [p for p in points if math.isfinite(p.distance)]
    axes, image = _Axes(near), Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((LEFT, 10), title, fill=INK)
    draw.text((WIDTH - EDGE, 24), "distance to many steps over calls of the network", fill=INK, anchor="ra")
    for t in TICKS:
        if axes.y0 <= t <= axes.y1:
            y = axes(axes.x0, t)[1]
            draw.line([(LEFT, y), (WIDTH - EDGE, y)], fill=GREY)
            draw.text((LEFT - 8, y), f"{t:g}", fill=INK, anchor="rm")
    for calls in sorted({round(p.calls) for p in pareto(near)}):
        draw.text((axes(calls, axes.y0)[0], HEIGHT - EDGE + 8), f"{calls}", fill=INK, anchor="ma")
    for p in near:
        x, y = axes(p.calls, p.distance)
        colour = RED if p.setting.solver == "learned" else GREY if p not in pareto(near) else BLUE
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
    line = pareto(near)
    draw.line([axes(p.calls, p.distance) for p in line], fill=BLUE, width=2)
    for p in line:
        x, y = axes(p.calls, p.distance)
        draw.text((x + 8, y - 14), str(p.setting), fill=INK)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
