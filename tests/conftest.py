"""What several folders of tests share: a model folder of the real kind, tiny and untrained."""

from __future__ import annotations

from pathlib import Path

import pytest


def save_tiny(folder: Path, labels: tuple[str, ...] = ("T-shirt/top", "Sneaker", "Ankle boot"), seed: int = 0) -> Path:
    """A DiT of a few thousand random weights, 8 x 8 grey pictures, saved as ``save_model`` saves any."""
    import torch

    from mezzotint.nets.build import build, config_to_dict
    from mezzotint.nets.config import DiTConfig
    from mezzotint.pretrained.folder import save_model
    from mezzotint.pretrained.spec import Card, Label, Sampling, Spec

    classes = len(labels) or None
    config = DiTConfig(size=(8, 8), patch=2, width=32, depth=1, heads=1, num_classes=classes)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        weights = build(config).state_dict()
    weights = {
        k: w + 0.1 * torch.randn(w.shape, generator=generator) if w.is_floating_point() else w
        for k, w in weights.items()
    }
    spec = Spec(
        net=config_to_dict(config),
        parametrisation={"name": "flow"},
        schedule={"name": "flow"},
        codec={"name": "pixels"},
        shape=(1, 8, 8),
        sampling={
            "draft": Sampling("dpm++2m", {"name": "uniform"}, 2),
            "standard": Sampling("dpm++2m", {"name": "uniform"}, 4, 1.5 if labels else 1.0),
        },
        card=Card("Tiny", "Untrained, for tests.", "CC0-1.0", seed=seed),
        labels=tuple(Label(name, ("tee",) if name.startswith("T") else ()) for name in labels),
    )
    save_model(folder, weights, spec, torch.bfloat16)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny class-conditional model."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def plain_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny unconditional model."""
    return save_tiny(tmp_path_factory.mktemp("models") / "plain", labels=())
