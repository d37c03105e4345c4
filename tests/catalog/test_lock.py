"""Product lock: where the mask is full, a picture has the photograph's pixels, to the bit; its receipt proves it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from catalogs import asked, begun, rows, states, worker
from PIL import Image as Pillow

import mezzotint as mz
from mezzotint.catalog.engine.saved import decoded
from mezzotint.catalog.ledger import tables as t
from mezzotint.catalog.product.cutting import confidence
from mezzotint.catalog.product.locked import placed, product_of
from mezzotint.errors import InputError, StorageError
from mezzotint.making.opened import described
from mezzotint.pretrained.system import System
from mezzotint.tuning.masks import Mask


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def system() -> System:
    return described("products-pixel")


def photo(folder: Path, generator: np.random.Generator, size: tuple[int, int], name: str = "p.png") -> Path:
    """Random pixels, and a random ellipse with a soft edge as alpha."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    centre, radii = (
        generator.uniform(0.35, 0.65, 2) * (width, height),
        generator.uniform(0.15, 0.45, 2) * (width, height),
    )
    distance = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    alpha = (255 * np.clip(1.4 - distance, 0, 0.4) / 0.4).astype(np.uint8)
    pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
    Pillow.fromarray(np.dstack([pixels, alpha])).save(folder / name)
    return folder / name


def file(pixels: np.ndarray, kind: str) -> np.ndarray:
    """The pixels, written and read again."""
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return np.asarray(Pillow.open(out).convert("RGB"))


@pytest.mark.parametrize("many", [15, pytest.param(100, id="hundred", marks=pytest.mark.slow)])
def test_products_keep_their_pixels(many: int, tmp_path: Path, system: System) -> None:
    """Smaller photographs are padded, larger ones scaled down; PNG and lossless WebP; one changed pixel is seen."""
    generator = np.random.default_rng(7)
    for k in range(many):
        size = tuple(int(n) for n in generator.integers(20, 400, 2))
        path = photo(tmp_path, generator, size, f"p{k}.png")
        product = product_of(str(path), "", None, system)
        made = generator.integers(0, 256, (256, 256, 3), np.uint8)
        pixels = product.laid(made)
        full, none = product.alpha == 255, product.alpha == 0
        assert full.any() and (pixels[full] == product.pixels[full]).all() and (pixels[none] == made[none]).all()
        original = np.asarray(Pillow.open(path))
        if max(size) <= 256:
            assert (np.sort(pixels[full], 0) == np.sort(original[original[..., 3] == 255][:, :3], 0)).all()
        for kind in ("PNG", "WEBP"):
            assert product.locked(file(pixels, kind)) == product.said["locked"]
        changed = pixels.copy()
        place = tuple(generator.choice(np.argwhere(full)))
        changed[place][int(generator.integers(3))] ^= 1
        assert product.locked(changed) != product.said["locked"]


def test_soft_edges_are_laid_over(tmp_path: Path, system: System) -> None:
    generator = np.random.default_rng(1)
    product = product_of(str(photo(tmp_path, generator, (200, 200))), "", None, system)
    made = np.zeros((256, 256, 3), np.uint8)
    soft = (product.alpha > 0) & (product.alpha < 255)
    share = product.alpha[soft][:, None] / 255
    assert np.abs(product.laid(made)[soft] - share * product.pixels[soft]).max() <= 0.5 + 1e-9


def test_a_mask_file_alpha_a_plain_background(tmp_path: Path, system: System) -> None:
    pixels = np.full((120, 120, 3), 240, np.uint8)
    pixels[30:90, 40:80] = (200, 30, 30)
    Pillow.fromarray(pixels).save(tmp_path / "plain.png")
    cut = product_of(str(tmp_path / "plain.png"), "", None, system)
    assert cut.found == "grabcut" and cut.confidence == 1.0 and not cut.unsure
    assert abs(int(cut.full.sum()) - 58 * 38) < 200
    mask = np.zeros((120, 120), np.uint8)
    mask[:, 60:] = 255
    Pillow.fromarray(mask).save(tmp_path / "half.png")
    given = product_of(str(tmp_path / "plain.png"), str(tmp_path / "half.png"), None, system)
    assert given.found == "file" and int(given.full.sum()) == 60 * 120
    Pillow.fromarray(mask[:50]).save(tmp_path / "short.png")
    with pytest.raises(InputError, match=r"short\.png is 120x50; expected its photograph's 120x120"):
        product_of(str(tmp_path / "plain.png"), str(tmp_path / "short.png"), None, system)
    Pillow.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)).save(tmp_path / "noise.png")
    with pytest.raises(InputError, match="nothing says where the product is"):
        product_of(str(tmp_path / "noise.png"), "", None, system)
    Pillow.fromarray(mask // 2).save(tmp_path / "faint.png")
    with pytest.raises(InputError, match="the mask is full nowhere"):
        product_of(str(tmp_path / "plain.png"), str(tmp_path / "faint.png"), None, system)


def test_a_cut_off_edges_is_not_believed() -> None:
    """A border where the photograph has no step has no confidence; one on steps of 32 and more has all."""
    pixels = np.full((40, 40, 3), 100, np.uint8)
    pixels[10:30, 10:30] = 140
    solid, off = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    solid[10:30, 10:30], off[3:36, 3:36] = 255, 255
    assert confidence(Mask(solid, "grabcut"), pixels) == 1.0 and confidence(Mask(off, "grabcut"), pixels) == 0.0
    assert confidence(Mask(off, "file"), pixels) == 1.0


def test_a_photograph_is_laid_on_the_middle() -> None:
    pixels, alpha = placed(np.full((2, 4, 3), 9, np.uint8), np.full((2, 4), 255, np.uint8), (8, 8))
    assert (alpha[3:5, 2:6] == 255).all() and alpha.sum() == 8 * 255 and (pixels[3:5, 2:6] == 9).all()


def test_locked_rows_of_a_run(tmp_path: Path, tiny: Path) -> None:
    """Grey pictures of eight pixels: the product is there in every variant, and the receipt says which pixels."""
    generator = np.random.default_rng(3)
    for name in ("a.png", "b.png"):
        alpha = np.zeros((6, 6), np.uint8)
        alpha[1:5, 1:5], alpha[2:4, 2:4] = 128, 255
        grey = generator.integers(0, 256, (6, 6), np.uint8)
        Pillow.fromarray(np.dstack([grey, grey, grey, alpha])).save(tmp_path / name)
    (tmp_path / "m.csv").write_text(
        "sku,prompt,image,lock,variants\na,sneaker,a.png,yes,3\nb,sneaker,b.png,yes,2\nc,sneaker,,,1\n"
    )
    run, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    assert worker(run, where, model).work() == "done" and states(where.db) == ["done"] * 6
    made = {row["id"]: row for row in rows(where.db, t.made)}
    for asset in rows(where.db, t.asset)[:5]:
        row, detail = made[asset["id"]], json.loads(asset["detail"])
        shown = decoded((tmp_path / "out" / row["file"]).read_bytes())
        original = np.asarray(Pillow.open(tmp_path / f"{asset['sku']}.png"))
        assert (shown[3:5, 3:5, 0] == original[2:4, 2:4, 0]).all()
        receipt = json.loads((tmp_path / "out" / "receipts" / f"{row['receipt']}.json").read_text())
        assert receipt["made"]["task"]["locked"] == detail["locked"] and receipt["made"]["task"]["lock"] is True
        again = mz.replay(tmp_path / "out" / "receipts" / f"{row['receipt']}.json", have={model.system.name: tiny})
        assert again.verdict == "exact" and again.again.made.asset_id == row["receipt"], again.factors
    assert len({r["pixels_sha256"] for r in made.values()}) == 6


def test_a_file_without_the_locked_pixels_is_not_kept(tmp_path: Path, tiny: Path) -> None:
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[0] = 0
    Pillow.fromarray(np.dstack([alpha, alpha, alpha, alpha])).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("sku,prompt,image,lock\na,sneaker,a.png,yes\n")
    run, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    now = [0.0]

    def another(image):
        return image.showing(np.zeros((8, 8, 1), np.uint8))

    with pytest.raises(StorageError, match="locked pixels are not in the file"):
        worker(
            run,
            where,
            model,
            look=another,
            wall=lambda: now[0],
            pause=lambda s: now.__setitem__(0, now[0] + s),
        ).work()
    assert not (tmp_path / "out" / "assets").exists()
