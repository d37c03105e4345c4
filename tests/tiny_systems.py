"""Systems of ours, tiny and untrained, in real folders: a cascade, a latent, a prior with its decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from mezzotint.conditioning.text import encoder
from mezzotint.nets import (
    AutoencoderConfig,
    DiTConfig,
    EmbedderConfig,
    RankerConfig,
    TextConfig,
    UNetConfig,
    UpsamplerConfig,
    build,
    config_to_dict,
)
from mezzotint.nets.config import LEVEL_WAVES
from mezzotint.pretrained.folder import save_model
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card, Sampling, Spec, Text
from mezzotint.pretrained.system import StageSpec, save_system
from mezzotint.products.colours import NAMES
from mezzotint.products.judging import VIEW_NAMES, kinds

CARD = Card("Tiny", "Untrained, for tests.", "CC0-1.0")
KEEP = {"name": "keep"}
TEXT = TextConfig(384, "in_context", 12)


def said() -> Text:
    return Text("minilm", encoder("minilm").sha256, 12, ("a", "red", "chair", "on", "background"), "products")


def weights(config: object) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = build(config).state_dict()  # type: ignore[arg-type]
    return {k: w + 0.1 * torch.randn_like(w) for k, w in state.items()}


def stage(folder: Path, config: object, shape: tuple[int, ...], codec: dict[str, str], scale: float = 2.0) -> Path:
    spec = Spec(
        net=config_to_dict(config),  # type: ignore[arg-type]
        parametrisation={"name": "edm", "sigma_data": 0.5},
        schedule={"name": "karras", "sigma_min": 0.01, "sigma_max": 20.0, "rho": 7.0},
        codec=codec,
        shape=shape,
        sampling={"standard": Sampling("dpmpp_2m", {"name": "karras"}, 3, scale)},
        card=CARD,
    )
    save_model(folder, weights(config), spec, torch.float32)
    return folder


def save_cascade(folder: Path) -> Path:
    """Text -> 8 px -> 16 px."""
    base = DiTConfig(in_channels=3, out_channels=3, size=(8, 8), patch=2, width=32, depth=1, heads=1, text=TEXT)
    up = UpsamplerConfig(UNetConfig(2, 6, 3, (16, 16), 2, 16, (1, 2), 1, (), head_dim=16, vector=LEVEL_WAVES))
    stage(folder / "base", base, (3, 8, 8), {"name": "pixels"})
    stage(folder / "up", up, (3, 16, 16), {"name": "pixels"}, 1.0)
    stages = (StageSpec("base", KEEP), StageSpec("up", {"name": "lowres", "logsnr": 4.0}))
    save_system(folder, stages, CARD, 0, said())
    return folder


def save_latent(folder: Path) -> Path:
    """Text -> a latent of 4 x 4 -> 16 px."""
    auto = AutoencoderConfig(size=(16, 16), latent=4, fold=2, widths=(16, 16), blocks=1)
    net = DiTConfig(in_channels=4, out_channels=4, size=(4, 4), patch=1, width=32, depth=1, heads=1, text=TEXT)
    save_network(folder / "auto", weights(auto), config_to_dict(auto), CARD)
    stage(folder / "denoiser", net, (4, 4, 4), {"name": "latent", "folder": "auto"})
    save_system(folder, (StageSpec("denoiser", KEEP),), CARD, 0, said())
    return folder


def save_ranked(folder: Path) -> Path:
    """The same with a ranker of any opinion."""
    net = RankerConfig(len(kinds()), len(VIEW_NAMES), len(NAMES), 4, (4, 4), (16, 16))
    save_network(save_latent(folder) / "ranker", weights(net), config_to_dict(net), CARD)
    save_system(folder, (StageSpec("denoiser", KEEP),), CARD, 0, said(), "ranker")
    return folder


def with_presets(folder: Path, **presets: dict[str, Any]) -> Path:
    """A ranked system whose stage has these presets."""
    spec = save_ranked(folder) / "denoiser/model.json"
    table = json.loads(spec.read_text())
    spec.write_text(json.dumps({**table, "sampling": presets}))
    return folder


def save_prior(folder: Path) -> Path:
    """Text -> a vector of 16 -> 8 px."""
    first = DiTConfig(1, 1, 1, (16,), 4, width=32, depth=1, heads=1, text=TEXT)
    second = DiTConfig(2, 3, 3, (8, 8), 2, width=32, depth=1, heads=1, vector=16)
    space = EmbedderConfig(size=(8, 8), fold=2, widths=(16, 16), width=16)
    save_network(folder / "embedder", weights(space), config_to_dict(space), CARD)
    stage(folder / "prior", first, (1, 16), {"name": "vector", "folder": "embedder"})
    stage(folder / "decoder", second, (3, 8, 8), {"name": "pixels"})
    save_system(folder, (StageSpec("prior", KEEP), StageSpec("decoder", {"name": "vector"})), CARD, 1, said())
    return folder
