"""The fidelity gate on planted defects: how many are caught, how many sound pictures go to review.

Photographs of real products whose masks can be cut (examples/fetch_photos.py FOLDER shop). Half of them set the
limits, so that 5 % of sound pictures go to review by all four measures together; the other half is measured. Sound
pictures have another background, slightly other light, noise, JPEG, a shift of a third of a pixel. Defects: a hue
turned by 20 to 60 degrees, a patch of detail smoothed away, an outline pushed in or out by 3 to 6 %.

    python benchmarks/product_fidelity.py FOLDER [--each 8]
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import astuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import numpy as np
from PIL import Image

KINDS = ("hue", "detail", "outline")
FALSE, CAUGHT = 0.05, 0.95


def products(folder: Path) -> list:
    """Every photograph whose product can be found."""
    from mezzotint.catalog.product.locked import product_of
    from mezzotint.errors import InputError
    from mezzotint.making.opened import described

    system, found = described("products-pixel"), []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png") and ".mask" not in p.name):
        try:
            product = product_of(str(path), "", None, system)
        except InputError:
            continue
        if 0.04 < product.full.mean() < 0.8 and not product.unsure:
            found.append(product)
    return found


def background(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A colour, a gradient or a smooth texture."""
    from scipy.ndimage import gaussian_filter

    a, b = generator.integers(0, 256, (2, 3))
    share = np.linspace(0, 1, shape[0])[:, None, None] * generator.integers(0, 2)
    plain = np.broadcast_to(a * (1 - share) + b * share, shape).astype(float)
    rough = gaussian_filter(generator.normal(0, 1, shape), (6, 6, 0))
    return plain + generator.integers(0, 2) * 25 * rough / rough.std()


def sound(
    generator: np.random.Generator, product, pixels: np.ndarray | None = None, alpha: np.ndarray | None = None
) -> np.ndarray:
    """The product elsewhere: what a faithful picture of it may look like."""
    from scipy.ndimage import shift

    pixels = product.pixels if pixels is None else pixels
    share = ((product.alpha if alpha is None else alpha) / 255)[..., None]
    laid = share * pixels + (1 - share) * background(generator, pixels.shape)
    laid = shift(laid, (*generator.uniform(-0.33, 0.33, 2), 0), order=1, mode="nearest")
    laid = laid * generator.uniform(0.97, 1.03) + generator.normal(0, 2, laid.shape)
    file = io.BytesIO()
    Image.fromarray(laid.clip(0, 255).round().astype(np.uint8)).save(file, "JPEG", quality=92, subsampling=0)
    return np.asarray(Image.open(file))


def planted(generator: np.random.Generator, product, kind: str) -> np.ndarray | None:
    """A defect; None where a product has nothing to lose: no colour, no detail."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    pixels, alpha = product.pixels.astype(float), product.alpha.astype(float)
    if kind == "hue":
        hsv = np.asarray(Image.fromarray(product.pixels).convert("HSV")).copy()
        if hsv[product.full][:, 1].mean() < 60:
            return None
        turn = int(generator.uniform(20, 60) / 360 * 256) * int(generator.choice([-1, 1]))
        hsv[..., 0] = (hsv[..., 0].astype(int) + turn) % 256
        return sound(generator, product, np.asarray(Image.fromarray(hsv, "HSV").convert("RGB")))
    if kind == "detail":
        strength = np.hypot(*np.gradient(gaussian_filter(pixels.mean(-1), 1))) * product.full
        size = max(16, int(np.sqrt(product.full.sum()) / 3))
        rough = gaussian_filter(strength, size / 3)
        if rough.max() < 4:
            return None
        y, x = np.unravel_index(int(generator.choice(np.argsort(rough, axis=None)[-200:])), rough.shape)
        grid = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
        patch = gaussian_filter((np.hypot(grid[0] - y, grid[1] - x) < size / 2).astype(float), 2)[..., None]
        return sound(generator, product, patch * gaussian_filter(pixels, (8, 8, 0)) + (1 - patch) * pixels)
    size = np.sqrt(product.full.sum())
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(float)
    border = np.argwhere(product.full & (gaussian_filter(product.full.astype(float), 1.5) < 0.9))
    centre, middle = border[generator.integers(len(border))], np.argwhere(product.full).mean(0)
    out = (centre - middle) / (np.linalg.norm(centre - middle) + 1e-6) * float(generator.choice([-1, 1]))
    bump = (
        generator.uniform(0.03, 0.06)
        * size
        * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * (size / 5) ** 2))
    )
    where = [y - bump * out[0], x - bump * out[1]]
    warped = np.stack([map_coordinates(pixels[..., k], where, order=1, mode="nearest") for k in range(3)], -1)
    return sound(generator, product, warped, map_coordinates(alpha, where, order=1, mode="nearest"))


def measured(chosen: list, each: int, seed: int) -> dict[str, np.ndarray]:
    """The four measures of sound and of defective pictures, (N, 4) each."""
    from mezzotint.catalog.product.fidelity import fidelity

    generator, found = np.random.default_rng(seed), {kind: [] for kind in ("sound", *KINDS)}
    for product in chosen:
        for _ in range(each):
            found["sound"].append(astuple(fidelity(product.pixels, product.alpha, sound(generator, product))))
            for kind in KINDS:
                picture = planted(generator, product, kind)
                if picture is not None:
                    found[kind].append(astuple(fidelity(product.pixels, product.alpha, picture)))
    return {kind: np.array(values).reshape(-1, 4) for kind, values in found.items()}


def limits(of: np.ndarray) -> np.ndarray:
    """The limits at which 5 % of sound pictures fail by any measure, each measure as likely."""
    turned = of * np.array([1, -1, 1, 1])
    for share in np.linspace(0.05, 0.005, 46):
        found = np.quantile(turned, 1 - share, axis=0)
        if (turned > found).any(1).mean() <= FALSE:
            break
    return found


def failed(of: np.ndarray, at: np.ndarray) -> float:
    """The share that fails."""
    return float((of * np.array([1, -1, 1, 1]) > at).any(1).mean()) if len(of) else float("nan")


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 1)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=8, help="pictures of a product and kind")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    import os

    from mezzotint.catalog.product.fidelity import Limits

    with tempfile.TemporaryDirectory() as home:
        os.environ["MEZZOTINT_HOME"] = home
        chosen = products(given.folder)
    fit, held = measured(chosen[::2], given.each, 1), measured(chosen[1::2], given.each, 2)
    at = limits(fit["sound"])
    mine = Limits()
    shipped = np.array([mine.colour, -mine.detail, mine.outline, mine.leak])
    print(f"{len(chosen)} products; limits that this data sets: {np.round(at * [1, -1, 1, 1], 3).tolist()}")
    rows = []
    for name, where in (("limits of this data", at), ("limits that ship", shipped)):
        false = failed(held["sound"], where)
        rows.append(harness.compare(f"{name}: sound pictures sent to review", "share", [false], [FALSE], 1.0))
        for kind in KINDS:
            missed = 1 - failed(held[kind], where)
            note = f"{len(held[kind])} planted"
            rows.append(harness.compare(f"{name}: {kind} missed", "share", [missed], [1 - CAUGHT], 1.0, note))
    about = {"each": given.each, "products": len(chosen)}
    return harness.finish(harness.Outcome("product_fidelity", harness.machine(given.threads), about, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
