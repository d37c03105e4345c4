"""The fidelity gate on planted defects: how many are caught, how many sound pictures go to review.

A folder with a folder for each product, of pictures with alpha (``mezzotint render``) or of photographs whose masks can
be cut (examples/fetch_photos.py FOLDER shop); one picture of each product, by a hash of its name. Half of the products,
by such a hash too, set the limits, so that as many sound pictures as may go to review do, by all measures together; the
other half is measured, with Wilson's intervals. Sound pictures have another background, slightly other light, noise,
JPEG, a shift of a third of a pixel. Defects: a hue turned by 20 to 60 degrees, a patch of detail smoothed away, an
outline pushed in or out along its normal by 3 to 6 % of the product's size. What has no colour or no detail to lose
gets no such defect.

    python benchmarks/product_fidelity.py FOLDER [--each 1] [--most 200]
"""

from __future__ import annotations

import hashlib
import io
import itertools
import sys
from dataclasses import astuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness
import numpy as np
from PIL import Image

KINDS = ("hue", "detail", "outline")
FALSE, CAUGHT = 0.05, 0.95
AIM = 0.035
"""Of sound pictures of the half that sets limits, that may fail: what is rare there may be less so elsewhere."""

SIGNS = np.array([1, -1, 1])
"""By which measures grow as a product gets worse: colour, detail, outline."""


def order(name: str) -> str:
    """By which products are halved, and pictures of one are chosen."""
    return hashlib.sha256(name.encode()).hexdigest()


def chosen(folder: Path, most: int) -> list[Path]:
    """A picture of each product, in the order of their hashes."""
    by_product: dict[Path, list[Path]] = {}
    for path in folder.rglob("*"):
        if path.suffix.lower() in (".jpg", ".png") and not path.stem.endswith(("-shadow", ".mask")):
            by_product.setdefault(path.parent, []).append(path)
    some = sorted(by_product, key=lambda one: order(one.name))[: 2 * most]
    return [min(by_product[one], key=lambda path: order(f"{one.name}/{path.name}")) for one in some]


def products(paths: list[Path]) -> list:
    """Those whose product can be found, and is neither tiny nor all of the picture."""
    from mezzotint.catalog.product.locked import product_of
    from mezzotint.errors import InputError
    from mezzotint.making.opened import described

    system, found = described("products-pixel"), []
    for path in paths:
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

    from mezzotint.catalog.product.outline import outline

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
    points, normals = outline(product.alpha >= 128, product.alpha, min(pixels.shape[:2]) / 256)
    number = generator.integers(len(points))
    centre, out = points[number], normals[number] * float(generator.choice([-1, 1]))
    bump = (
        generator.uniform(0.03, 0.06)
        * size
        * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * (size / 5) ** 2))
    )
    where = [y - bump * out[0], x - bump * out[1]]
    warped = np.stack([map_coordinates(pixels[..., k], where, order=1, mode="nearest") for k in range(3)], -1)
    return sound(generator, product, warped, map_coordinates(alpha, where, order=1, mode="nearest"))


def measured(product, each: int) -> dict[str, list]:
    """The three measures of sound and of defective pictures of a product."""
    from mezzotint.catalog.product.fidelity import fidelity

    generator = np.random.default_rng(int(order(product.photo.parent.name)[:12], 16))
    found: dict[str, list] = {kind: [] for kind in ("sound", *KINDS)}
    for kind in ("sound", *KINDS) * each:
        picture = sound(generator, product) if kind == "sound" else planted(generator, product, kind)
        if picture is not None:
            found[kind].append(astuple(fidelity(product.pixels, product.alpha, picture)))
    return found


def together(of: list[dict[str, list]]) -> dict[str, np.ndarray]:
    """Of all products, (N, 3) each."""
    return {k: np.array([row for one in of for row in one[k]]).reshape(-1, 3) for k in ("sound", *KINDS)}


def limits(of: dict[str, np.ndarray]) -> np.ndarray:
    """The limits by which most defects fail, while no more than ``AIM`` of sound pictures do by any measure.

    Each is beyond a share of the sound pictures' values; of equal ones those that leave most of them.
    """
    turned, defects = of["sound"] * SIGNS, np.concatenate([of[kind] for kind in KINDS]) * SIGNS
    shares = np.linspace(0, AIM, 8)
    at = np.quantile(turned, 1 - shares, axis=0)
    at += 0.05 * np.abs(np.median(turned, 0) - at)  # a little beyond the values that were seen
    best, found = (-1, 0.0), at[0]
    for which in itertools.product(range(len(shares)), repeat=3):
        limit = at[list(which), range(3)]
        if (turned > limit).any(1).mean() <= AIM:
            score = int((defects > limit).any(1).sum()), -float(shares[list(which)].sum())
            best, found = (score, limit) if score > best else (best, found)
    return found


def failing(of: np.ndarray, at: np.ndarray) -> int:
    """How many fail."""
    return int((of * SIGNS > at).any(1).sum())


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    share, more = hits / of, z * z / of
    half = z * np.sqrt(share * (1 - share) / of + more / (4 * of))
    return (share + more / 2 - half) / (1 + more), (share + more / 2 + half) / (1 + more)


def compared(name: str, hits: int, of: int, allowed: float) -> harness.Comparison:
    """A share beside what is allowed."""
    low, high = wilson(hits, of)
    note = f"{hits} of {of}, {low:.3f} to {high:.3f}"
    return harness.compare(name, "share", [hits / of], [allowed], 1.0, note)


def rates(name: str, held: dict[str, np.ndarray], at: np.ndarray) -> list[harness.Comparison]:
    """Sound pictures that fail, defects that do not: of each kind, and of all."""
    missed = {kind: len(held[kind]) - failing(held[kind], at) for kind in KINDS}
    count = sum(len(held[kind]) for kind in KINDS)
    return [
        compared(f"{name}: sound pictures sent to review", failing(held["sound"], at), len(held["sound"]), FALSE),
        compared(f"{name}: defects missed", sum(missed.values()), count, 1 - CAUGHT),
        *(compared(f"{name}: {kind} missed", missed[kind], len(held[kind]), 1 - CAUGHT) for kind in KINDS),
    ]


def main(argv: list[str] | None = None) -> int:
    """Runs and prints."""
    parser = harness.arguments(__doc__ or "", 1)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=1, help="pictures of a product and kind")
    parser.add_argument("--most", type=int, default=200, help="products of each half")
    given = parser.parse_args(argv)
    harness.use_threads(given.threads)
    from mezzotint.catalog.product.fidelity import Limits

    paths = chosen(given.folder, given.most)
    with harness.catalogs():
        halves = products(paths[::2]), products(paths[1::2])
    fit, held = (together([measured(product, given.each) for product in half]) for half in halves)
    at, shipped = limits(fit), np.array(astuple(Limits())) * SIGNS
    counts = [len(half) for half in halves]
    print(f"{counts} products; limits that this data sets: {np.round(at * SIGNS, 3).tolist()}")
    rows = [*rates("limits of this data", held, at), *rates("limits that ship", held, shipped)]
    about = {"each": given.each, "products": counts}
    return harness.finish(harness.Outcome("product_fidelity", harness.machine(given.threads), about, rows), given.out)


if __name__ == "__main__":
    sys.exit(main())
