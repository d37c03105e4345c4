"""The invisible mark: how often it is read after what happens to pictures, how much it changes them, its false alarms.

python benchmarks/mark.py survive NAME=FOLDER[:SIDE] … [--n 100] [--crops 1] [--background R,G,B] [--out FILE]
python benchmarks/mark.py unmarked FOLDER … [--n 10000] [--begin 0] [--out FILE]
FOLDER holds PNG, JPEG or WebP files, at any depth; they are read where they lie.  SIDE: pixels of a square cut of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from prompt_gate import wilson

from mezzotint.governance.provenance.mark.embed import embed
from mezzotint.governance.provenance.mark.read import SCALES, false_alarm, read
from mezzotint.pictures.png import Pixels, to_pixels
from mezzotint.products.colours import cielab

KEY = hashlib.sha256(b"benchmarks/mark.py").digest()
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


def saved(kind: str, quality: int) -> Callable[[Pixels, np.random.Generator], Pixels]:
    def change(pixels: Pixels, _: np.random.Generator) -> Pixels:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, quality=quality)
        return to_pixels(Image.open(file))

    return change


def cropped(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """To 90 % of each side, anywhere."""
    height, width = (int(0.9 * n) for n in pixels.shape[:2])
    top, left = random.integers(0, pixels.shape[0] - height + 1), random.integers(0, pixels.shape[1] - width + 1)
    return pixels[top : top + height, left : left + width]


def sized(share: float) -> Callable[[Pixels, np.random.Generator], Pixels]:
    def change(pixels: Pixels, _: np.random.Generator) -> Pixels:
        size = round(share * pixels.shape[1]), round(share * pixels.shape[0])
        return to_pixels(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))

    return change


def both(
    first: Callable[[Pixels, np.random.Generator], Pixels], then: Callable[[Pixels, np.random.Generator], Pixels]
) -> Callable[[Pixels, np.random.Generator], Pixels]:
    return lambda pixels, random: then(first(pixels, random), random)


CHANGES: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "nothing": lambda pixels, _: pixels,
    "JPEG 75": saved("JPEG", 75),
    "WebP 80": saved("WEBP", 80),
    "crop 90 %": cropped,
    "3/4 size": sized(0.75),
    "JPEG 50": saved("JPEG", 50),
    "half size": sized(0.5),
    "crop, JPEG 75": both(cropped, saved("JPEG", 75)),
    "3/4 size, JPEG 75": both(sized(0.75), saved("JPEG", 75)),
    "0.83 size": sized(0.83),
}
"""The last is of a size that is not looked for."""


def files(folder: Path) -> list[Path]:
    """In an order that is the same everywhere and mixes folders."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    return sorted(found, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())


def opened(path: Path, background: tuple[int, int, int]) -> Image.Image:
    with Image.open(path) as image:
        if image.mode != "RGBA":
            return image.convert("RGB")
        return Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image).convert("RGB")


def cuts(image: Image.Image, side: int | None, crops: int, random: np.random.Generator) -> Iterator[Pixels]:
    """A square of the middle brought to a side, then squares of that side from anywhere, in its own size."""
    if side is None:
        yield to_pixels(image)
        return
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    middle = image.crop((left, top, left + short, top + short))
    yield to_pixels(middle.resize((side, side), Image.Resampling.LANCZOS))
    for _ in range(crops - 1 if short > side else 0):
        left, top = (int(random.integers(0, edge - side + 1)) for edge in image.size)
        yield to_pixels(image.crop((left, top, left + side, top + side)))


def survive(name: str, folder: Path, side: int | None, args: argparse.Namespace) -> dict[str, object]:
    """One slice."""
    random, sums = np.random.default_rng(11), dict.fromkeys(CHANGES, 0)
    red, green, blue = (int(part) for part in args.background.split(","))
    decibels, near, most, room, n = [], [], [], 0, 0
    times: tuple[list[float], list[float]] = ([], [])
    for path in files(folder)[args.begin : args.begin + args.n]:
        for pixels in cuts(opened(path, (red, green, blue)), side, args.crops, random):
            n, ident = n + 1, int.from_bytes(hashlib.sha256(str(n).encode()).digest()[:4], "big")
            began = time.process_time()
            made = embed(pixels, ident, KEY)
            times[0].append(time.process_time() - began)
            room += made.embedded
            if made.embedded:
                far = np.sqrt(np.square(cielab(pixels) - cielab(made.pixels)).sum(-1))
                decibels.append(made.decibels)
                near.append(far.mean())
                most.append(np.quantile(far, 0.99))
            for change, by in CHANGES.items():
                changed, began = by(made.pixels, random), time.process_time()
                found = read(changed, [KEY])
                times[1].append(time.process_time() - began)
                sums[change] += found is not None and found.name == ident
    print(f"\n{name}: n {n}, room in {room}; put in {np.median(times[0]):.3f} s, read {np.median(times[1]):.3f} s of"
          " processor time")  # fmt: skip
    about = {name: f(values) for name, f, values in _about(decibels, near, most)} if room else {}
    print("  " + ", ".join(f"{name} {value:.2f}" for name, value in about.items()))
    for change, hits in sums.items():
        low, high = wilson(hits, n)
        print(f"  {change:18} {hits / n:.3f} [{low:.3f}, {high:.3f}]", flush=True)
    return {
        "slice": name, "n": n, "room": room, "read": sums, **about,
        "embed_s": float(np.median(times[0])), "read_s": float(np.median(times[1])),
    }  # fmt: skip


def _about(decibels: list[float], near: list[float], most: list[float]) -> Iterator[tuple[str, Callable, list[float]]]:
    """How much pictures were changed."""
    yield "mean PSNR dB", np.mean, decibels
    yield "least PSNR dB", np.min, decibels
    yield "mean CIELAB difference", np.mean, near
    yield "largest mean of a picture", np.max, near
    yield "mean 99th percentile in a picture", np.mean, most


def unmarked(folders: list[Path], args: argparse.Namespace) -> dict[str, object]:
    """Pictures that nobody marked, each with a key of its own: the bound is over keys."""
    taken = [path for folder in folders for path in files(folder)][args.begin : args.begin + args.n]
    found = 0
    for number, path in enumerate(taken):
        key = hashlib.sha256(f"unmarked/{args.begin + number}".encode()).digest()
        found += read(to_pixels(opened(path, (255, 255, 255))), [key]) is not None
    low, high = wilson(found, len(taken))
    print(f"unmarked: {found} of {len(taken)} taken for marked [{low:.2g}, {high:.2g}]; bound {false_alarm():.2g},"
          f" {len(SCALES)} sizes")  # fmt: skip
    return {"slice": "unmarked", "n": len(taken), "found": found, "bound": false_alarm()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("survive", "unmarked"))
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--crops", type=int, default=1)
    parser.add_argument("--background", default="255,255,255")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.what == "unmarked":
        found = [unmarked([Path(one) for one in args.sets], args)]
    else:
        found = []
        for one in args.sets:
            name, _, place = one.partition("=")
            folder, _, side = place.partition(":")
            found.append(survive(name, Path(folder), int(side) if side else None, args))
    if args.out is not None:
        args.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
