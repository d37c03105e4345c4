"""What tests of tuning share: photographs drawn by hand, and a tiny cascade of text to tune."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from mezzotint.conditioning.text import encoder
from mezzotint.nets import DiTConfig, TextConfig, UNetConfig, UpsamplerConfig, build, config_to_dict
from mezzotint.nets.config import LEVEL_WAVES
from mezzotint.pretrained.folder import save_model
from mezzotint.pretrained.spec import Card, Sampling, Spec, Text
from mezzotint.pretrained.system import StageSpec, save_system

CARD = Card("Tiny", "Untrained, for tests.", "CC0-1.0")
TEXT = TextConfig(384, "in_context", 12)


def mug(side: int, hue: tuple[int, int, int], turn: int, paper: tuple[int, ...]) -> Image.Image:
    """A mug that is not in the middle, its handle left or right."""
    image = Image.new("RGBA" if len(paper) == 4 else "RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    left = side // 4 + turn * side // 40
    draw.ellipse(
        (left - side // 8 if turn % 2 else left + side // 3, side // 2, left + side // 2, side * 7 // 10), fill=hue
    )
    draw.rectangle((left, side // 3, left + side * 2 // 5, side * 4 // 5), fill=hue)
    draw.rectangle((left, side // 3, left + side * 2 // 5, side * 2 // 5), fill=tuple(v // 2 for v in hue))
    for k in range(6):  # something fine to see: a flat mug would count as blurred
        x = left + k * side // 16
        draw.line((x, side * 2 // 5, x, side * 4 // 5), fill=(250, 250, 250), width=max(1, side // 64))
    return image


def photographs(
    folder: Path, n: int, *, hue: tuple[int, int, int] = (30, 90, 170), side: int = 64, clear: bool = True
) -> Path:
    """n photographs of one mug; clear: transparent behind it, else on grey."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(n):
        mug(side, hue, k, (0, 0, 0, 0) if clear else (200, 200, 200)).save(folder / f"{k}.png")
    return folder


def stage(folder: Path, config: object, shape: tuple[int, ...], scale: float) -> None:
    torch.manual_seed(0)
    state = build(config).state_dict()  # type: ignore[arg-type]
    spec = Spec(
        net=config_to_dict(config),  # type: ignore[arg-type]
        parametrisation={"name": "edm", "sigma_data": 0.5},
        schedule={"name": "karras", "sigma_min": 0.01, "sigma_max": 20.0, "rho": 7.0},
        codec={"name": "pixels"},
        shape=shape,
        sampling={"standard": Sampling("dpmpp_2m", {"name": "karras"}, 3, scale)},
        card=CARD,
    )
    save_model(folder, {k: w + 0.1 * torch.randn_like(w) for k, w in state.items()}, spec, torch.float32)


@pytest.fixture(scope="session")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text -> 16 px -> 32 px."""
    folder = tmp_path_factory.mktemp("systems") / "cascade"
    base = DiTConfig(in_channels=3, out_channels=3, size=(16, 16), patch=4, width=32, depth=2, heads=1, text=TEXT)
    up = UpsamplerConfig(UNetConfig(2, 6, 3, (32, 32), 2, 16, (1, 2), 1, (), head_dim=16, vector=LEVEL_WAVES))
    stage(folder / "base", base, (3, 16, 16), 2.0)
    stage(folder / "up", up, (3, 32, 32), 1.0)
    stages = (StageSpec("base", {"name": "keep"}), StageSpec("up", {"name": "lowres", "logsnr": 4.0}))
    said = Text("minilm", encoder("minilm").sha256, 12, ("a", "red", "mug", "on", "background"), "products")
    save_system(folder, stages, CARD, 0, said)
    return folder


@pytest.fixture
def mugs(tmp_path: Path) -> Path:
    """Five photographs of one mug."""
    return photographs(tmp_path / "mugs", 5)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), np.uint8)
