"""What was measured as pictures: for each benchmark the ratio ours over the peer's of every comparison, on one axis.

    python benchmarks/figures.py [RESULT.json …] [--out FOLDER]

Bars begin at 1, where both cost the same, and go left where we win; a line over a bar is the spread of the pairs, a
mark the target.  ``make bench`` draws those of its run.  Where the numbers come from is in the JSON and in the title.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
from PIL import Image, ImageDraw, ImageFont

WIDTH, LEFT, RIGHT, TOP, ROW = 1000, 380, 60, 64, 22
INK, GREY, WIN, LOSE = "#222222", "#cccccc", "#1f7a3d", "#c2331f"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """Ratios on a logarithmic axis that has 1 and all that is drawn."""

    low: float
    high: float

    def __call__(self, ratio: float) -> float:
        inside = min(max(ratio, self.low), self.high)
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(inside / self.low) / math.log(self.high / self.low)


def axis_of(rows: Sequence[dict[str, Any]]) -> Axis:
    """Of comparisons as JSON has them; what is not above 0 has no place on it and is left at its edge."""
    all_of = [v for row in rows for v in (*row["spread"], row["ratio"], row["target"] or row["ratio"])]
    drawn = [v for v in all_of if 0 < v < math.inf]
    return Axis(min([*drawn, 0.5]) / 1.1, max([*drawn, 1.0]) * 1.25)


def figure(result: dict[str, Any]) -> Image.Image:
    """One benchmark's comparisons.  SystemExit where it has none."""
    rows = result["comparisons"]
    if not rows:
        raise SystemExit(f"{result['benchmark']} has no comparisons to draw")
    axis, image = axis_of(rows), Image.new("RGB", (WIDTH, TOP + ROW * len(rows) + 40), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    machine = result["machine"]
    title = f"{result['benchmark']}: ours over the peer's, below 1 we win"
    versions = ", ".join(f"{name} {machine[name]}" for name in ("torch", "diffusers"))
    where = f"{machine['processor']}, {machine['threads']} threads, {versions}"
    draw.text((12, 8), title, fill=INK, font=ImageFont.load_default(18))
    draw.text((12, 34), where, fill=INK, font=font)
    bottom = TOP + ROW * len(rows)
    for tick in (t for t in TICKS if axis.low <= t <= axis.high):
        draw.line([(axis(tick), TOP), (axis(tick), bottom)], fill=INK if tick == 1 else GREY)
        draw.text((axis(tick), bottom + 6), f"{tick:g}", fill=INK, font=font, anchor="ma")
    for k, row in enumerate(rows):
        _bar(draw, font, axis, row, TOP + ROW * k + ROW / 2)
    return image


def _bar(draw: ImageDraw.ImageDraw, font: Any, axis: Axis, row: dict[str, Any], y: float) -> None:
    one, here = axis(1.0), axis(row["ratio"])
    draw.text((LEFT - 10, y), row["name"][:52], fill=INK, font=font, anchor="rm")
    draw.rectangle([min(one, here), y - 6, max(one, here), y + 6], fill=WIN if row["ratio"] < 1 else LOSE)
    draw.line([(axis(row["spread"][0]), y), (axis(row["spread"][1]), y)], fill=INK, width=2)
    if row["target"] is not None:
        draw.line([(axis(row["target"]), y - 9), (axis(row["target"]), y + 9)], fill=INK, width=2)
    draw.text((WIDTH - 8, y), f"{row['ratio']:.3f}", fill=INK, font=font, anchor="rm")


def draw_all(paths: Sequence[Path], out: Path) -> list[Path]:
    """A PNG for each result that has comparisons."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for path in paths:
        result = json.loads(path.read_text())
        if result.get("comparisons"):
            made.append(out / f"{path.name.partition('.')[0]}.png")
            figure(result).save(made[-1], optimize=True)
    return made


def main(argv: list[str] | None = None) -> int:
    """Draws them and says where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=harness.RESULTS)
    given = parser.parse_args(argv)
    found = given.results or sorted(p for p in harness.RESULTS.glob("*.json") if ".reference" not in p.name)
    for path in draw_all(found, given.out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
