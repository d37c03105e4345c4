"""What a recipe begins with: the scripts of ``recipes/starts`` make the network that the recipe trains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mezzotint_models
import pytest
import torch

from mezzotint.nets import build, config_to_dict
from mezzotint.pretrained.folder import describe, load_model, save_model
from mezzotint.pretrained.network import describe_network, load_network
from mezzotint.training.export import exported
from mezzotint.training.loader import load_recipe

STARTS = Path(__file__).resolve().parents[2] / "recipes" / "starts"
SHIPPED = Path(mezzotint_models.__file__).parent


def started(script: str, *words: object) -> tuple[int, str]:
    """A script's exit code and what it says."""
    words = (sys.executable, STARTS / script, *map(str, words))
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_finer_latent_denoiser_is_what_its_recipe_trains(tmp_path):
    parts = {"autoencoder": SHIPPED / "products-latent" / "autoencoder"}
    coarse, fine = (load_recipe(name, parts) for name in ("products-latent", "products-latent:finer"))
    torch.manual_seed(0)
    save_model(tmp_path / "coarse", build(coarse.net).state_dict(), exported(coarse, ()), torch.bfloat16)
    code, said = started("products_latent.py", tmp_path / "coarse", "--out", tmp_path / "fine")
    assert (code, said) == (0, f"{tmp_path / 'fine'}: 256 tokens where there were 64\n")
    assert describe(tmp_path / "fine").spec.net == config_to_dict(fine.net)
    kept = load_model(tmp_path / "coarse").network.get_submodule("blocks").state_dict()
    for name, value in load_model(tmp_path / "fine").network.get_submodule("blocks").state_dict().items():
        assert torch.equal(value, kept[name]), name


def test_what_ships_is_finer_already(tmp_path):
    denoiser = SHIPPED / "products-latent" / "denoiser"
    code, said = started("products_latent.py", denoiser, "--out", tmp_path / "fine")
    assert code == 2
    assert said.splitlines()[-1].endswith("expected 2 axes, one even number, and no overlap yet")
    assert not (tmp_path / "fine").exists()


@pytest.mark.parametrize("script", ["products_latent.py", "products_prior.py"])
def test_no_model_is_one_line(script, tmp_path):
    code, said = started(script, tmp_path / "gone", "--out", tmp_path / "made")
    assert code == 2
    assert "gone" in said.splitlines()[-1]
    assert "Traceback" not in said


def test_a_decoder_of_embeddings_is_what_its_recipe_trains(tmp_path):
    code, said = started("products_prior.py", SHIPPED / "products-pixel" / "base", "--out", tmp_path / "cut")
    assert code == 0, said
    network = load_network(describe_network(tmp_path / "cut"))
    recipe = load_recipe("products-prior:decoder", {"embedder": SHIPPED / "products-prior" / "embedder"})
    assert network.config == recipe.net
    base = load_model(SHIPPED / "products-pixel" / "base").network
    for new, old in enumerate((0, 1, 5, 6)):
        kept = base.get_submodule(f"blocks.{old}").state_dict()
        for name, value in network.get_submodule(f"blocks.{new}").state_dict().items():
            assert torch.equal(value, kept[name].to(value.dtype)), (new, name)
