"""Files of other programs are found by name: in ComfyUI's folders and the hub's cache, and by a modular index."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import controlnet
from safetensors.torch import save_file

from mezzotint.errors import InputError, ModelError, UsageError
from mezzotint.pretrained.components import components
from mezzotint.pretrained.controls import said_of
from mezzotint.pretrained.search import hub_cache, lookup, snapshot
from mezzotint.pretrained.store import find, models
from mezzotint.pretrained.system import describe_system

COMMIT, OTHER = "a" * 40, "ab" * 20


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's folder of models, the second of the two that the setting names."""
    monkeypatch.setenv("MEZZOTINT_MODEL_PATH", f"{tmp_path / 'none'}:{tmp_path / 'models'}")
    for name in ("checkpoints", "loras/style", "embeddings", "controlnet", "diffusers"):
        (tmp_path / "models" / name).mkdir(parents=True)
    return tmp_path / "models"


def weights(path: Path) -> Path:
    save_file({"a.weight": torch.ones(1)}, path)
    return path


def test_names_in_folders_of_models(root: Path, sd1: Path) -> None:
    (root / "diffusers/my-sd").symlink_to(sd1)
    model = weights(root / "checkpoints/dream.v2.safetensors")
    assert find("my-sd") == root / "diffusers/my-sd"
    assert find("dream.v2") == find("dream.v2.safetensors") == model
    lora = weights(root / "loras/style/ink.safetensors")
    assert lookup("lora", "ink") == lookup("lora", "style/ink") == lookup("lora", "style/ink.safetensors") == lora
    assert lookup("embedding", "ink") == Path("ink") and lookup("lora", "../loras/style/ink") == Path(
        "../loras/style/ink"
    )
    twice = weights(root / "loras/ink.safetensors")
    with pytest.raises(UsageError, match=f"several have the name 'ink': .*{twice}.*give the path of one"):
        lookup("lora", "ink")
    with pytest.raises(UsageError, match=r"did you mean dream.v2"):
        find("dream.v3")
    shown = {one.name: one for one in models() if one.origin == "path"}
    assert shown["my-sd"].system is not None
    assert "no checkpoint of a kind that is known" in str(shown["dream.v2.safetensors"].fault)


def test_loras_words_and_controls_by_name(root: Path, sd1: Path) -> None:
    from mezzotint.pretrained.adapters import with_adapters
    from mezzotint.pretrained.controls import read_control
    from mezzotint.pretrained.embeddings import with_embeddings

    system = describe_system(sd1)
    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    down, up = torch.ones(2, 64), torch.ones(64, 2)
    save_file({f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}, root / "loras/soft.safetensors")
    (one,) = with_adapters(system, ["soft:0.5"]).adapters
    assert (one.adapter.name, one.weight) == ("soft", 0.5)
    save_file({"emb_params": torch.ones(2, 32)}, root / "embeddings/acme.safetensors")
    assert with_embeddings(system, [Path("acme")]).embeddings[0].words == ("acme",)
    controlnet(root / "controlnet/canny", sd1)
    picture = root / "in.png"
    from PIL import Image

    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(picture)
    assert read_control(said_of("canny:0.5"), picture, system).weight == 0.5


def cached(model: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, *commits: str, main: str | None = None) -> Path:
    """A repository in a cache of the hub's layout."""
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    repository = folder / "hub/models--acme--sd--one"
    for commit in commits:
        (repository / "snapshots").mkdir(parents=True, exist_ok=True)
        (repository / "snapshots" / commit).symlink_to(model)
    if main is not None:
        (repository / "refs").mkdir()
        (repository / "refs/main").write_text(main)
    return repository


def test_ids_in_the_cache_of_the_hub(sd1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = cached(sd1, monkeypatch, tmp_path, COMMIT, OTHER, main=OTHER)
    assert find("acme/sd--one") == find("acme/sd--one@main") == find(f"acme/sd--one@{OTHER}")
    assert find("acme/sd--one@aaa").name == COMMIT
    assert describe_system(find("acme/sd--one")).name == "one"
    assert [one.name for one in models() if one.origin == "hub"] == [f"acme/sd--one@{c[:12]}" for c in (COMMIT, OTHER)]
    (repository / "refs/main").write_text("../../../escape")
    with pytest.raises(UsageError, match=r"the cache has several of acme/sd--one: .*say one after the id as @COMMIT"):
        find("acme/sd--one")
    with pytest.raises(InputError, match=r"the hub's cache has no acme/other; `mezzotint pull acme/other` fetches it"):
        find("acme/other")
    assert snapshot("acme/other") is None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", "/somewhere")
    assert hub_cache() == Path("/somewhere/hub")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert hub_cache() == Path("/cache/huggingface/hub")


def modular(base: Path, folder: Path, **changes: Any) -> Path:
    """A folder in diffusers' modular layout with a base's parts, those of ``changes`` elsewhere."""
    shutil.copytree(base, folder)
    said = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").unlink()
    for key, value in list(said.items()):
        if isinstance(value, list):
            where = {"pretrained_model_name_or_path": str(base), "subfolder": key, "revision": None, "variant": None}
            said[key] = [*value, {**where, "type_hint": value, **changes.get(key, {})}] if value[0] else value
            if key in changes:
                shutil.rmtree(folder / key)
    said["_class_name"] = said["_class_name"].replace("Pipeline", "ModularPipeline")
    (folder / "modular_model_index.json").write_text(json.dumps(said))
    return folder


def test_a_modular_index(sd1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mezzotint as mz

    there = {"pretrained_model_name_or_path": "acme/sd--one", "revision": OTHER}
    folder = modular(sd1, tmp_path / "modular", vae=there)
    with pytest.raises(ModelError, match=f"vae lie in other repositories; `mezzotint pull acme/sd--one@{OTHER}` gets"):
        components(folder)
    cached(sd1, monkeypatch, tmp_path, COMMIT, OTHER)
    made = [mz.generate("a red chair", model=m, seed=3, steps=2, size="32x32").images[0].pixels for m in (sd1, folder)]
    assert np.array_equal(*made)
    assert components(folder)["vae"].folder.parent.name == OTHER


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subfolder": "../../vae"}, "'vae' lies in '../../vae'; expected a folder below it"),
        ({"pretrained_model_name_or_path": "/etc"}, "lies in '/etc'; expected a folder below it, or an id"),
        ({"pretrained_model_name_or_path": "../x"}, "expected a folder below it, or an id"),
    ],
)
def test_a_modular_index_names_no_other_path(change: dict[str, str], said: str, sd1: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        components(modular(sd1, tmp_path / "modular", vae=change))
