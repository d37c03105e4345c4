"""The three systems: each within its size, its parts fitting each other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import mezzotint_models
import pytest
import torch

from mezzotint.errors import ModelError
from mezzotint.nets import build, config_to_dict, parameter_count
from mezzotint.pretrained.network import save_network
from mezzotint.pretrained.spec import Card
from mezzotint.training.export import exported
from mezzotint.training.loader import load_recipe
from mezzotint.training.recipe import Recipe

MOST = 15_000_000
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SYSTEMS = {
    "products-pixel": ("products-pixel", "products-pixel:upsampler"),
    "products-latent": ("products-latent:finer", "products-latent:autoencoder", "products-latent:ranker"),
    "products-prior": (
        "products-prior", "products-prior:decoder", "products-prior:embedder", "products-pixel:upsampler",
    ),
}  # fmt: skip

BESIDE = {
    "products-judge", "products-latent", "products-latent:further", "products-latent:rewarded",
    "products-prior:further",
}  # fmt: skip


@pytest.mark.parametrize("name", ["products-judge", *SYSTEMS])
def test_what_training_took_is_what_the_card_says(name: str) -> None:
    file = "network.json" if name == "products-judge" else "system.json"
    card = json.loads((Path(mezzotint_models.__path__[0]) / name / file).read_text())["card"]["compute"]
    said = (RECIPES / f"{name.replace('-', '_')}.py").read_text().partition("What ships took")[2].partition('"""')[0]
    numbers = set(re.findall(r"\b\d[\d,]*\d|\b\d", said))
    assert "minutes" in said and len(numbers) >= 3 and numbers <= set(re.findall(r"\b\d[\d,]*\d|\b\d", card)), numbers


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The parts that other recipes need, untrained."""
    made: dict[str, Path] = {}
    for system, part in (
        ("products-latent", "autoencoder"),
        ("products-prior", "embedder"),
        ("products-latent", "ranker"),
    ):
        folder = tmp_path_factory.mktemp("parts") / part
        config = recipe(f"{system}:{part}", made).net
        torch.manual_seed(0)
        save_network(folder, build(config).state_dict(), config_to_dict(config), Card(part, "Untrained.", "CC0-1.0"))
        made[part] = folder
    return {**made, "second_ranker": made["ranker"]}


def recipe(name: str, parts: dict[str, Path]) -> Recipe:
    needs = {
        "products-latent": ("autoencoder",),
        "products-latent:ranker": ("autoencoder",),
        "products-latent:further": ("autoencoder",),
        "products-latent:finer": ("autoencoder",),
        "products-latent:rewarded": ("autoencoder", "ranker", "second_ranker"),
        "products-prior": ("embedder",),
        "products-prior:decoder": ("embedder",),
        "products-prior:further": ("embedder",),
    }
    return load_recipe(name, {k: parts[k] for k in needs.get(name, ())})


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_is_within_its_size(system: str, parts: dict[str, Path]) -> None:
    sizes = {name: parameter_count(build(recipe(name, parts).net)) for name in SYSTEMS[system]}
    assert 8_000_000 < sum(sizes.values()) <= MOST, sizes


@pytest.mark.parametrize("name", sorted({name for names in SYSTEMS.values() for name in names} | BESIDE))
def test_every_recipe_can_be_exported(name: str, parts: dict[str, Path]) -> None:
    made = recipe(name, parts)
    assert exported(made, ()) is not None
    assert made.codec.encode(torch.zeros(1, *made.shape, dtype=torch.uint8)).shape[1:] == made.codec.shape


def test_a_network_that_is_no_autoencoder_is_refused_in_one_line(parts: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="holds no autoencoder; train one with: mezzotint train products-latent:auto"):
        load_recipe("products-latent", {"autoencoder": parts["ranker"]})
